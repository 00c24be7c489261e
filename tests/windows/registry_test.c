/* The live registry as values of every kind come out of it, what is made of it, and the machine's facts beside it. What an account's own
 * settings would be changed by is done under Wine alone. */
#include <stdlib.h>
#include <wchar.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/machine.h"
#include "probe/os/os_machine.h"
#include "probe/os/os_registry.h"
#include "probe/os/os_stack.h"
#include "probe/os/os_win32.h"
#include "probe/settings/proxy_view.h"
#include "probe/settings/registry.h"
#include "probe/settings/settings.h"
#include "probe/settings/zones.h"
#include "tests/unit/check.h"

#define TEST_KEY "HKEY_CURRENT_USER\\Software\\marsprobe-test"
#define TEST_PATH L"Software\\marsprobe-test"
#define INTERNET L"Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"

enum { LARGE_BYTES = 70 * 1024, LONG_NAME = 300 };

static struct arena *arena;

/* ------------------------------------------------------------------ writing and reading */

static HKEY open_key(HKEY root, const wchar_t *path)
{
	HKEY key = NULL;
	CHECK_INT(RegCreateKeyExW(root, path, 0, NULL, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, NULL, &key, NULL), 0);
	return key;
}

static void set(HKEY key, const wchar_t *name, DWORD type, const void *data, size_t bytes)
{
	CHECK_INT(RegSetValueExW(key, name, 0, type, data, (DWORD)bytes), 0);
}

static void put(const char *key, const char *name, unsigned type, const unsigned char *data, size_t length, void *user)
{
	const struct registry_value value = {name, type, data, length, "live"};
	registry_put(user, key, &value);
}

static struct registry *read_live(const char *key, unsigned depth)
{
	struct registry *registry = registry_new(arena);
	CHECK_INT(os_registry_read(key, depth, put, registry), OS_REGISTRY_READ);
	return registry;
}

static void check_value(const struct registry *registry, const char *name, unsigned type, const char *text,
			size_t length)
{
	const struct registry_value *value = registry_get(registry, TEST_KEY, name);
	CHECK(value != NULL);
	if (!value)
		return;
	CHECK_INT(value->type, type);
	CHECK_INT(value->length, length);
	CHECK(value->length == length && memcmp(value->data, text, length) == 0);
	if (type == REGISTRY_SZ || type == REGISTRY_EXPAND_SZ)
		CHECK_INT(value->data[value->length], 0);
}

static void test_values(void)
{
	static const unsigned char large[LARGE_BYTES];
	wchar_t long_name[LONG_NAME + 1];
	char narrow_name[LONG_NAME + 1];
	HKEY key = open_key(HKEY_CURRENT_USER, TEST_PATH);
	wmemset(long_name, L'n', LONG_NAME);
	long_name[LONG_NAME] = L'\0';
	memset(narrow_name, 'n', sizeof(narrow_name));
	narrow_name[LONG_NAME] = '\0';
	set(key, NULL, REG_SZ, L"default", sizeof(L"default"));
	set(key, L"plain", REG_SZ, L"p.corp:80", sizeof(L"p.corp:80"));
	set(key, L"bare", REG_SZ, L"p.corp:80", sizeof(L"p.corp:80") - sizeof(wchar_t));
	set(key, L"odd", REG_SZ, L"abc", 5);
	set(key, L"empty", REG_SZ, L"", 0);
	set(key, L"two", REG_SZ, L"one\0two", sizeof(L"one\0two"));
	set(key, L"expand", REG_EXPAND_SZ, L"%windir%\\x", sizeof(L"%windir%\\x"));
	set(key, L"number", REG_DWORD, "\x01\x02\x03\x04", 4);
	set(key, L"bytes", REG_BINARY, "\x46\x00\xff", 3);
	set(key, L"many", REG_MULTI_SZ, L"a\0b\0", sizeof(L"a\0b\0"));
	set(key, L"h\u00e9\U0001f512", REG_SZ, L"\u00fc\xd83d.", sizeof(L"\u00fc\xd83d."));
	set(key, long_name, REG_SZ, L"long", sizeof(L"long"));
	set(key, L"large", REG_BINARY, large, sizeof(large));
	RegCloseKey(key);
	const struct registry *registry = read_live(TEST_KEY, 0);
	check_value(registry, "", REGISTRY_SZ, "default", 7);
	check_value(registry, "plain", REGISTRY_SZ, "p.corp:80", 9);
	check_value(registry, "bare", REGISTRY_SZ, "p.corp:80", 9);
	check_value(registry, "odd", REGISTRY_SZ, "ab", 2);
	check_value(registry, "empty", REGISTRY_SZ, "", 0);
	check_value(registry, "two", REGISTRY_SZ, "one", 3);
	check_value(registry, "expand", REGISTRY_EXPAND_SZ, "%windir%\\x", 10);
	check_value(registry, "number", REGISTRY_DWORD, "\x01\x02\x03\x04", 4);
	check_value(registry, "bytes", REGISTRY_BINARY, "\x46\x00\xff", 3);
	check_value(registry, "many", REGISTRY_MULTI_SZ, "a\0\0\0b\0\0\0\0\0", 10);
	check_value(registry, "h\xc3\xa9\xf0\x9f\x94\x92", REGISTRY_SZ, "\xc3\xbc\xef\xbf\xbd.", 6);
	check_value(registry, narrow_name, REGISTRY_SZ, "long", 4);
	CHECK(!registry_get(registry, TEST_KEY, "large"));
}

static void test_depth(void)
{
	HKEY deep = open_key(HKEY_CURRENT_USER, TEST_PATH L"\\a\\b\\c");
	set(deep, L"value", REG_SZ, L"x", sizeof(L"x"));
	RegCloseKey(deep);
	const struct registry *registry = read_live(TEST_KEY, 2);
	CHECK(registry_has_key(registry, TEST_KEY "\\a\\b"));
	CHECK(!registry_has_key(registry, TEST_KEY "\\a\\b\\c"));
	registry = read_live(TEST_KEY, 3);
	CHECK(registry_get(registry, TEST_KEY "\\a\\b\\c", "value") != NULL);
	registry = read_live(TEST_KEY, 0);
	CHECK(!registry_has_key(registry, TEST_KEY "\\a"));
}

static void test_absent(void)
{
	struct registry *registry = registry_new(arena);
	CHECK_INT(os_registry_read(TEST_KEY "\\none", 0, put, registry), OS_REGISTRY_ABSENT);
	CHECK_INT(os_registry_read("HKEY_NOWHERE\\x", 0, put, registry), OS_REGISTRY_ABSENT);
	CHECK_INT(os_registry_read("HKEY_USERS\\S-1-5-21-1-1-1-1", 0, put, registry), OS_REGISTRY_ABSENT);
	CHECK(!registry_has_key(registry, TEST_KEY));
}

/* ------------------------------------------------------------------ programs */

static const char *system_program(const char *name)
{
	return arena_printf(arena, "%s\\%s", os_system_folder(), name);
}

static void test_programs(void)
{
	char out[64];
	const char *cmd = system_program("cmd.exe"), *reg = system_program("reg.exe");
	CHECK(os_run_program(cmd, "/d /c echo one two", 10000, out, sizeof(out)));
	CHECK_TEXT(out, "one two\r\n");
	CHECK(os_run_program(cmd, "/d /c \"for /l %i in (1,1,200) do @echo 0123456789\"", 20000, out, sizeof(out)));
	CHECK_INT(strlen(out), sizeof(out) - 1);
	CHECK(!os_run_program(cmd, "/d /c exit 3", 10000, out, sizeof(out)));
	CHECK(!os_run_program(system_program("no-such-program.exe"), "", 10000, out, sizeof(out)));
	int64_t begin_us = os_monotonic_us();
	CHECK(!os_run_program(cmd, "/d /c \"echo begun& for /l %i in () do @rem\"", 500, out, sizeof(out)));
	CHECK(os_monotonic_us() - begin_us < 5 * 1000 * 1000);
	CHECK_TEXT(out, "begun\r\n");
	CHECK(os_run_program(reg, "add HKCU\\Software\\marsprobe-test /v ByReg /t REG_SZ /d \"a;b c\" /f", 20000, out,
			     sizeof(out)));
	check_value(read_live(TEST_KEY, 0), "ByReg", REGISTRY_SZ, "a;b c", 5);
	CHECK(os_path_exists(reg) && !os_path_exists(system_program("no-such-program.exe")));
}

/* ------------------------------------------------------------------ what is made of it */

static bool is_wine(void)
{
	return os_function_find(L"ntdll.dll", "wine_get_version") != NULL;
}

static void put_number(unsigned char **at, size_t number)
{
	for (int i = 0; i < 4; i++, number >>= 8)
		*(*at)++ = (unsigned char)(number & 0xff);
}

static void put_text(unsigned char **at, const char *text)
{
	put_number(at, strlen(text));
	memcpy(*at, text, strlen(text));
	*at += strlen(text);
}

/* DefaultConnectionSettings, wininet.md 1.2. */
static void set_blob(unsigned flags, const char *proxy, const char *bypass, const char *pac)
{
	unsigned char blob[512] = {0}, *at = blob;
	HKEY key = open_key(HKEY_CURRENT_USER, INTERNET L"\\Connections");
	put_number(&at, 0x46);
	put_number(&at, 1);
	put_number(&at, flags);
	put_text(&at, proxy);
	put_text(&at, bypass);
	put_text(&at, pac);
	set(key, L"DefaultConnectionSettings", REG_BINARY, blob, (size_t)(at - blob) + 32);
	RegCloseKey(key);
}

static const struct proxy_setting *read_setting(enum identity_id identity, enum route_kind kind)
{
	struct settings settings;
	struct registry *registry = registry_new(arena);
	CHECK(machine_registry_read(registry));
	settings_read(&(struct settings_input){.arena = arena, .registry = registry}, &settings);
	return settings_find(&settings, identity, kind);
}

static void check_interface(unsigned flags, const char *proxy, const char *bypass, const char *pac, const char *wanted)
{
	struct os_proxy_view view;
	set_blob(flags, proxy, bypass, pac);
	const struct proxy_setting *setting = read_setting(IDENTITY_USER, ROUTE_WININET);
	CHECK(os_proxy_view(&view));
	const struct proxy_view said = {view.auto_detect, view.pac_url, view.proxy, view.bypass};
	CHECK_TEXT(proxy_view_text(arena, &said), wanted);
	CHECK_TEXT(proxy_view_of_setting(arena, setting), wanted);
	CHECK(proxy_view_agrees(arena, &said, setting));
}

static void test_interface(void)
{
	check_interface(3, "p.corp:8080", "<local>;*.corp", "", "proxy p.corp:8080; bypass <local>;*.corp");
	check_interface(5, "p.corp:8080", "", "http://pac.corp/p.pac?a=b", "PAC http://pac.corp/p.pac");
	check_interface(9, "", "", "", "automatic detection");
	check_interface(1, "p.corp:8080", "", "http://pac.corp/p.pac", "no proxy");
}

static void test_system(void)
{
	struct url url;
	struct decision decision;
	HKEY key = open_key(HKEY_USERS, L"S-1-5-18\\" INTERNET);
	set(key, L"ProxyEnable", REG_DWORD, "\x01\0\0\0", 4);
	set(key, L"ProxyServer", REG_SZ, L"s.corp:3128", sizeof(L"s.corp:3128"));
	RegCloseKey(key);
	const struct proxy_setting *setting = read_setting(IDENTITY_SYSTEM, ROUTE_WININET);
	CHECK(setting && setting->found && strstr(setting->location, "S-1-5-18") &&
	      strstr(setting->location, "(this machine's registry)"));
	url_parse(arena, "https://login.example/", &url);
	settings_decide(arena, setting, &url, &decision);
	CHECK_TEXT(decision.via.items[0], "PROXY s.corp:3128");
	key = open_key(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment");
	set(key, L"HTTPS_PROXY", REG_SZ, L"http://e.corp:1", sizeof(L"http://e.corp:1"));
	setting = read_setting(IDENTITY_SYSTEM, ROUTE_ENV);
	CHECK(setting && setting->found);
	CHECK_TEXT(setting->proxy_server, "https_proxy=http://e.corp:1");
	RegDeleteValueW(key, L"HTTPS_PROXY");
	RegCloseKey(key);
}

static void set_number(HKEY root, const wchar_t *path, const wchar_t *name, unsigned char number)
{
	const unsigned char bytes[4] = {number, 0, 0, 0};
	HKEY key = open_key(root, path);
	set(key, name, REG_DWORD, bytes, sizeof(bytes));
	RegCloseKey(key);
}

/* All that zones and the connectivity probe are judged by is among the keys that are read. */
static void test_zones(void)
{
	static const wchar_t policies[] = L"SOFTWARE\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
	static const wchar_t probe[] = L"SYSTEM\\CurrentControlSet\\Services\\NlaSvc\\Parameters\\Internet";
	static const wchar_t probe_policy[] =
		L"SOFTWARE\\Policies\\Microsoft\\Windows\\NetworkConnectivityStatusIndicator";
	wchar_t policy_list[200];
	struct url url;
	struct zone_value value;
	struct zone_choice choice;
	uint32_t number;
	struct registry *registry = registry_new(arena);
	swprintf(policy_list, 200, L"%ls\\ZoneMapKey", policies);
	set_number(HKEY_USERS, L"S-1-5-18\\" INTERNET L"\\Zones\\3", L"1803", 3);
	set_number(HKEY_USERS, L"S-1-5-18\\" INTERNET L"\\ZoneMap\\Domains\\a.example\\login", L"https", 4);
	set_number(HKEY_LOCAL_MACHINE, probe, L"EnableActiveProbing", 0);
	set_number(HKEY_LOCAL_MACHINE, probe_policy, L"NoActiveProbe", 1);
	CHECK(machine_registry_read(registry));
	CHECK(zones_action(arena, registry, IDENTITY_SYSTEM, ZONE_INTERNET, ZONE_FILE_DOWNLOAD, &value));
	CHECK_INT(value.number, 3);
	CHECK(strstr(value.place, "S-1-5-18") != NULL);
	CHECK(url_parse(arena, "https://login.a.example/", &url));
	zones_of_url(arena, registry, IDENTITY_SYSTEM, &url, &choice);
	CHECK_INT(choice.zone, ZONE_RESTRICTED);
	CHECK(registry_dword(registry_get(registry,
					  "HKLM\\SYSTEM\\CurrentControlSet\\Services\\NlaSvc\\Parameters\\Internet",
					  "EnableActiveProbing"),
			     &number) &&
	      number == 0);
	CHECK(registry_dword(registry_get(registry,
					  "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\"
					  "NetworkConnectivityStatusIndicator",
					  "NoActiveProbe"),
			     &number) &&
	      number == 1);
	HKEY list = open_key(HKEY_LOCAL_MACHINE, policy_list);
	set(list, L"*.a.example", REG_SZ, L"2", sizeof(L"2"));
	RegCloseKey(list);
	registry = registry_new(arena);
	CHECK(machine_registry_read(registry));
	zones_of_url(arena, registry, IDENTITY_SYSTEM, &url, &choice);
	CHECK_INT(choice.zone, ZONE_TRUSTED);
	RegDeleteTreeW(HKEY_LOCAL_MACHINE, policy_list);
	RegDeleteTreeW(HKEY_LOCAL_MACHINE, probe_policy);
	RegDeleteTreeW(HKEY_USERS, L"S-1-5-18\\" INTERNET L"\\ZoneMap\\Domains\\a.example");
}

/* Wine has a PowerShell that does nothing: an agent that cannot be asked leaves its proxy unknown. */
static void test_agent(void)
{
	const char *proxy = "untouched";
	wchar_t folder[MAX_PATH] = L"", path[2 * MAX_PATH];
	CHECK(!machine_agent_proxy(arena, &proxy) && !proxy);
	GetTempPathW(MAX_PATH, folder);
	HKEY key = open_key(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows Azure Backup\\Setup");
	set(key, L"InstallPath", REG_SZ, folder, (wcslen(folder) + 1) * sizeof(wchar_t));
	RegCloseKey(key);
	CHECK(!machine_agent_proxy(arena, &proxy) && !proxy);
	static const wchar_t *const folders[] = {L"bin", L"bin\\Modules", L"bin\\Modules\\MSOnlineBackup"};
	for (size_t i = 0; i < 3; i++) {
		swprintf(path, 2 * MAX_PATH, L"%ls%ls", folder, folders[i]);
		CHECK(CreateDirectoryW(path, NULL));
	}
	CHECK(!machine_agent_proxy(arena, &proxy) && !proxy);
	for (size_t i = 3; i-- > 0;) {
		swprintf(path, 2 * MAX_PATH, L"%ls%ls", folder, folders[i]);
		RemoveDirectoryW(path);
	}
	RegDeleteTreeW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows Azure Backup");
}

/* ------------------------------------------------------------------ facts */

static void test_facts(void)
{
	char name[128];
	int minutes = -10000;
	struct os_route route;
	const char *missing[8];
	CHECK(os_time_zone(name, sizeof(name), &minutes) && minutes >= -14 * 60 && minutes <= 14 * 60);
	CHECK(!os_best_route("no address", &route));
	if (os_best_route("127.0.0.1", &route)) {
		CHECK(route.found);
		CHECK_TEXT(route.next_hop, "");
		CHECK_TEXT(route.source, "127.0.0.1");
	} else {
		puts("GetBestRoute2 is not there");
	}
	size_t count = os_missing_apis(missing, 8);
	for (size_t i = 0; i < count; i++)
		printf("missing here: %s\n", missing[i]);
	CHECK(count <= 2 && os_missing_apis(missing, 1) <= 1);
	CHECK(os_environment_ignores_case());
	CHECK(!os_is_local_system());
}

int main(void)
{
	os_start();
	arena = arena_new();
	RegDeleteTreeW(HKEY_CURRENT_USER, TEST_PATH);
	test_values();
	test_depth();
	test_absent();
	test_programs();
	test_facts();
	if (is_wine()) {
		test_interface();
		test_system();
		test_zones();
		test_agent();
	}
	RegDeleteTreeW(HKEY_CURRENT_USER, TEST_PATH);
	int status = check_summary();
	os_exit(status);
}
