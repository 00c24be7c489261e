/* Security zones: which entry of which key says what of a URL, one registry and one URL per row. */
#include "probe/settings/zones.h"
#include "tests/unit/settings_check.h"

#define INTERNET "\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define POLICIES "\\Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define SYSTEM_HIVE "HKEY_USERS\\S-1-5-18"
#define MACHINE_HIVE "HKEY_LOCAL_MACHINE"
#define KEY(hive, path) "[" hive path "]\n"
#define OWN(path) KEY(SYSTEM_HIVE INTERNET, path)
#define OWN_POLICY(path) KEY(SYSTEM_HIVE POLICIES, path)
#define COMMON(path) KEY(MACHINE_HIVE INTERNET, path)
#define COMMON_POLICY(path) KEY(MACHINE_HIVE POLICIES, path)
#define DOMAIN_OF(name) OWN("\\ZoneMap\\Domains\\" name)
#define ESC_DOMAIN(name) OWN("\\ZoneMap\\EscDomains\\" name)
#define RANGE(text, zone) OWN("\\ZoneMap\\Ranges\\Range1") "\":Range\"=\"" text "\"\n\"*\"=dword:" zone "\n"
#define HARDENED OWN("\\ZoneMap") "\"IEHarden\"=dword:1\n"
#define ONLY_MACHINE COMMON_POLICY("") "\"Security_HKLM_only\"=dword:1\n"
#define ALL(zone) "\"*\"=dword:" zone "\n"
#define HTTPS(zone) "\"https\"=dword:" zone "\n"

static struct registry *registry_of(const char *body)
{
	struct err err;
	const char *text = arena_printf(arena, "Windows Registry Editor Version 5.00\n\n%s", body);
	struct registry *registry = registry_new(arena);
	CHECK(registry_merge(registry, "z.reg", text, strlen(text), &err));
	CHECK_TEXT(registry_problems(registry)[0], NULL);
	return registry;
}

/* ------------------------------------------------------------------ the zone of a URL */

struct zone_case {
	const char *body, *url;
	int zone;
	bool by_name;
};

#define LOGIN "https://login.a.example/x?y=b.example"
#define BARE "https://a.example/"

static const struct zone_case zone_cases[] = {
	{OWN(""), LOGIN, 3, false},
	{"", LOGIN, 3, false},
	/* the name */
	{DOMAIN_OF("a.example") ALL("2"), LOGIN, 2, true},
	{DOMAIN_OF("A.Example") ALL("2"), LOGIN, 2, true},
	{DOMAIN_OF("a.example") ALL("2"), "https://LOGIN.A.EXAMPLE/", 2, true},
	{DOMAIN_OF("a.example") ALL("2"), "https://login.a.example./", 2, true},
	{DOMAIN_OF("a.example") ALL("2"), BARE, 2, true},
	{DOMAIN_OF("a.example") ALL("2"), "https://deep.down.a.example/", 2, true},
	{DOMAIN_OF("a.example") ALL("2"), "https://xa.example/", 3, false},
	{DOMAIN_OF("a.example") ALL("2"), "https://a.example.org/", 3, false},
	{DOMAIN_OF("example") ALL("4"), BARE, 4, true},
	{DOMAIN_OF("a.example\\login") ALL("2"), LOGIN, 2, true},
	{DOMAIN_OF("a.example\\login") ALL("2"), BARE, 3, false},
	{DOMAIN_OF("a.example\\www") ALL("2"), LOGIN, 3, false},
	{DOMAIN_OF("a.example\\login") ALL("2"), "https://x.login.a.example/", 3, false},
	{DOMAIN_OF("a.example\\*.login") ALL("2"), "https://x.login.a.example/", 2, true},
	{DOMAIN_OF("a.example\\*.login") ALL("2"), LOGIN, 3, false},
	{DOMAIN_OF("a.example\\*") ALL("2"), LOGIN, 2, true},
	{DOMAIN_OF("a.example\\x.login") ALL("2"), "https://x.login.a.example/", 2, true},
	{DOMAIN_OF("login.a.example") ALL("2"), LOGIN, 2, true},
	{DOMAIN_OF("localhost") ALL("1"), "http://localhost/", 1, true},
	/* the most specific entry counts */
	{DOMAIN_OF("a.example") ALL("4") DOMAIN_OF("a.example\\login") ALL("2"), LOGIN, 2, true},
	{DOMAIN_OF("a.example") ALL("4") DOMAIN_OF("a.example\\login") ALL("2"), BARE, 4, true},
	{DOMAIN_OF("example") ALL("4") DOMAIN_OF("a.example") ALL("2"), LOGIN, 2, true},
	{DOMAIN_OF("a.example\\*.b") ALL("2") DOMAIN_OF("a.example") ALL("4"), "https://c.b.a.example/", 2, true},
	/* the protocol */
	{DOMAIN_OF("a.example") HTTPS("2"), LOGIN, 2, true},
	{DOMAIN_OF("a.example") HTTPS("2"), "http://login.a.example/", 3, false},
	{DOMAIN_OF("a.example") ALL("4") HTTPS("2"), LOGIN, 2, true},
	{DOMAIN_OF("a.example") ALL("4") HTTPS("2"), "http://login.a.example/", 4, true},
	{DOMAIN_OF("a.example") "\"http\"=dword:2\n", LOGIN, 3, false},
	/* what is no zone */
	{DOMAIN_OF("a.example") ALL("5"), LOGIN, 3, false},
	{DOMAIN_OF("a.example") ALL("ffffffff"), LOGIN, 3, false},
	{DOMAIN_OF("a.example") "\"*\"=\"2\"\n", LOGIN, 3, false},
	{DOMAIN_OF("a.example") "\"*\"=hex:02,00\n", LOGIN, 3, false},
	{DOMAIN_OF("a.example"), LOGIN, 3, false},
	/* Enhanced Security: another list */
	{HARDENED DOMAIN_OF("a.example") ALL("2"), LOGIN, 3, false},
	{HARDENED ESC_DOMAIN("a.example") ALL("2"), LOGIN, 2, true},
	{ESC_DOMAIN("a.example") ALL("2"), LOGIN, 3, false},
	{COMMON("\\ZoneMap") "\"IEHarden\"=dword:1\n" ESC_DOMAIN("a.example") ALL("2"), LOGIN, 2, true},
	{OWN("\\ZoneMap") "\"IEHarden\"=dword:0\n" COMMON("\\ZoneMap") "\"IEHarden\"=dword:1\n" ESC_DOMAIN("a.example")
		 ALL("2"),
	 LOGIN, 3, false},
	/* whose list */
	{COMMON("\\ZoneMap\\Domains\\a.example") ALL("2") OWN(""), LOGIN, 2, true},
	{COMMON("\\ZoneMap\\Domains\\a.example") ALL("2") DOMAIN_OF("a.example") ALL("4"), LOGIN, 4, true},
	{COMMON("\\ZoneMap\\Domains\\a.example\\login") ALL("2") DOMAIN_OF("a.example") ALL("4"), LOGIN, 2, true},
	{ONLY_MACHINE DOMAIN_OF("a.example") ALL("2"), LOGIN, 3, false},
	{ONLY_MACHINE COMMON("\\ZoneMap\\Domains\\a.example") ALL("2"), LOGIN, 2, true},
	{COMMON_POLICY("") "\"Security_HKLM_only\"=dword:0\n" DOMAIN_OF("a.example") ALL("2"), LOGIN, 2, true},
	{"[HKEY_USERS\\.DEFAULT" INTERNET "\\ZoneMap\\Domains\\a.example]\n" ALL("2"), LOGIN, 2, true},
	{"[HKEY_CURRENT_USER" INTERNET "\\ZoneMap\\Domains\\a.example]\n" ALL("2") OWN(""), LOGIN, 3, false},
	/* the policy list */
	{COMMON_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"2\"\n", LOGIN, 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"2\"\n", BARE, 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"*.login.a.example\"=\"2\"\n", LOGIN, 3, false},
	{COMMON_POLICY("\\ZoneMapKey") "\"a.example\"=\"2\"\n", LOGIN, 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"login.a.example\"=\"4\"\n", LOGIN, 4, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"login.a.example\"=\"4\"\n", "https://x.login.a.example/", 3, false},
	{COMMON_POLICY("\\ZoneMapKey") "\"https://login.a.example\"=\"2\"\n", LOGIN, 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"http://login.a.example\"=\"2\"\n", LOGIN, 3, false},
	{COMMON_POLICY("\\ZoneMapKey") "\"https://*.a.example\"=\"2\"\n\"*.a.example\"=\"4\"\n", LOGIN, 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"4\"\n\"login.a.example\"=\"2\"\n", LOGIN, 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"*.a.example\"=dword:2\n", LOGIN, 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"7\"\n", LOGIN, 3, false},
	{COMMON_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"\"\n", LOGIN, 3, false},
	{COMMON_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"22\"\n", LOGIN, 3, false},
	{COMMON_POLICY("\\ZoneMapKey") "\"10.1.2.3\"=\"2\"\n", "https://10.1.2.3/", 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"2.3\"=\"2\"\n", "https://10.1.2.3/", 3, false},
	{OWN_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"2\"\n", LOGIN, 2, true},
	{COMMON_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"2\"\n" DOMAIN_OF("a.example\\login") ALL("4"), LOGIN, 2,
	 true},
	{COMMON_POLICY("\\ZoneMapKey") "\"x.example\"=\"2\"\n" DOMAIN_OF("a.example") ALL("4"), LOGIN, 3, false},
	{COMMON_POLICY("\\ZoneMapKey") "\"x.example\"=\"2\"\n" COMMON("\\ZoneMap\\Domains\\a.example") ALL("4") OWN(""),
	 LOGIN, 4, true},
	{ONLY_MACHINE OWN_POLICY("\\ZoneMapKey") "\"*.a.example\"=\"2\"\n", LOGIN, 3, false},
	/* ranges */
	{RANGE("10.1.2.3", "2"), "https://10.1.2.3/", 2, true},
	{RANGE("10.1.2.3", "2"), "https://10.1.2.4/", 3, false},
	{RANGE("10.1.*.*", "2"), "https://10.1.200.4/", 2, true},
	{RANGE("10.1.*.*", "2"), "https://10.2.200.4/", 3, false},
	{RANGE("10.1.2.3-20", "2"), "https://10.1.2.20/", 2, true},
	{RANGE("10.1.2.3-20", "2"), "https://10.1.2.21/", 3, false},
	{RANGE("10.1-3.2.3", "2"), "https://10.3.2.3/", 2, true},
	{RANGE("10.1.2", "2"), "https://10.1.2.3/", 3, false},
	{RANGE("10.1.2.3.4", "2"), "https://10.1.2.3/", 3, false},
	{RANGE("10.1.2.99999999999999999999", "2"), "https://10.1.2.3/", 3, false},
	{RANGE("10.1.2.", "2"), "https://10.1.2.0/", 3, false},
	{RANGE("", "2"), "https://10.1.2.0/", 3, false},
	{RANGE("10.*.*.*", "2"), "https://10.a.example/", 3, false},
	{RANGE("fd00::1", "2"), "https://[fd00:0:0::1]/", 2, true},
	{RANGE("fd00::2", "2"), "https://[fd00::1]/", 3, false},
	{RANGE("10.1.2.3", "2"), "https://[fd00::1]/", 3, false},
	{OWN("\\ZoneMap\\Ranges\\Range0") ALL("2") RANGE("10.1.2.3", "4"), "http://10.1.2.3:8080/", 4, true},
	/* protocols */
	{OWN("\\ZoneMap\\ProtocolDefaults") "\"https\"=dword:2\n", LOGIN, 2, false},
	{OWN("\\ZoneMap\\ProtocolDefaults") "\"https\"=dword:2\n", "http://login.a.example/", 3, false},
	{OWN("\\ZoneMap\\ProtocolDefaults") "\"https\"=dword:9\n", LOGIN, 3, false},
	{OWN("\\ZoneMap\\ProtocolDefaults") "\"https\"=dword:2\n" DOMAIN_OF("a.example") ALL("4"), LOGIN, 4, true},
};

static void test_zones(void)
{
	for (size_t i = 0; i < sizeof(zone_cases) / sizeof(zone_cases[0]); i++) {
		const struct zone_case *row = &zone_cases[i];
		struct url url;
		struct zone_choice choice;
		CHECK(url_parse(arena, row->url, &url));
		zones_of_url(arena, registry_of(row->body), IDENTITY_SYSTEM, &url, &choice);
		if ((int)choice.zone != row->zone || choice.by_name != row->by_name)
			printf("row %zu: %s\n%s", i, row->url, row->body);
		CHECK_INT(choice.zone, row->zone);
		CHECK_INT(choice.by_name, row->by_name);
		CHECK(!choice.by_name || choice.place);
	}
}

static void test_long_names(void)
{
	char name[512] = "https://";
	struct url url;
	struct zone_choice choice;
	for (size_t length = strlen(name); length < 200; length += 2)
		memcpy(name + length, "x.", 3);
	strcat(name, "a.example/");
	CHECK(url_parse(arena, name, &url));
	zones_of_url(arena, registry_of(DOMAIN_OF("a.example") ALL("4")), IDENTITY_SYSTEM, &url, &choice);
	CHECK_INT(choice.zone, 3); /* more labels than are looked at: no entry is found, and nothing worse happens */
}

static void test_place(void)
{
	struct url url;
	struct zone_choice choice;
	CHECK(url_parse(arena, LOGIN, &url));
	zones_of_url(arena, registry_of(DOMAIN_OF("a.example\\login") HTTPS("4")), IDENTITY_SYSTEM, &url, &choice);
	CHECK_TEXT(choice.place, SYSTEM_HIVE INTERNET "\\ZoneMap\\Domains\\a.example\\login\\https (z.reg:4)");
	zones_of_url(arena, registry_of(OWN("")), IDENTITY_SYSTEM, &url, &choice);
	CHECK_TEXT(choice.place, NULL);
	zones_of_url(arena, registry_of("[HKEY_CURRENT_USER" INTERNET "\\ZoneMap\\Domains\\a.example]\n" ALL("2")),
		     IDENTITY_USER, &url, &choice);
	CHECK_INT(choice.zone, 2);
}

/* ------------------------------------------------------------------ actions */

#define FORBIDDEN "\"1803\"=dword:3\n"
#define ALLOWED "\"1803\"=dword:0\n"
#define NOT_FOUND (-1)

static const struct {
	const char *body;
	int number;
} action_cases[] = {
	{OWN("\\Zones\\3") FORBIDDEN, 3},
	{OWN("\\Zones\\3") ALLOWED, 0},
	{OWN("\\Zones\\4") FORBIDDEN, NOT_FOUND},
	{OWN("\\Zones\\3"), NOT_FOUND},
	{OWN("\\Zones\\3") "\"1803\"=\"3\"\n", NOT_FOUND},
	{"[HKEY_USERS\\.DEFAULT" INTERNET "\\Zones\\3]\n" FORBIDDEN, 3},
	{OWN("\\Zones\\3") ALLOWED "[HKEY_USERS\\.DEFAULT" INTERNET "\\Zones\\3]\n" FORBIDDEN, 0},
	{"[HKEY_CURRENT_USER" INTERNET "\\Zones\\3]\n" FORBIDDEN, NOT_FOUND},
	/* the account's value before the machine's, and the machine's where it has none */
	{OWN("\\Zones\\3") ALLOWED COMMON("\\Zones\\3") FORBIDDEN, 0},
	{OWN("") COMMON("\\Zones\\3") FORBIDDEN, 3},
	/* of an account of which the registry says nothing, the machine's value says nothing either */
	{COMMON("\\Zones\\3") FORBIDDEN, NOT_FOUND},
	{ONLY_MACHINE COMMON("\\Zones\\3") FORBIDDEN, 3},
	{ONLY_MACHINE OWN("\\Zones\\3") FORBIDDEN, NOT_FOUND},
	/* policies before all */
	{COMMON_POLICY("\\Zones\\3") FORBIDDEN OWN("\\Zones\\3") ALLOWED, 3},
	{COMMON_POLICY("\\Zones\\3") FORBIDDEN, 3},
	{OWN_POLICY("\\Zones\\3") FORBIDDEN OWN("\\Zones\\3") ALLOWED, 3},
	{OWN_POLICY("\\Zones\\3") FORBIDDEN COMMON_POLICY("\\Zones\\3") ALLOWED, 0},
	{ONLY_MACHINE OWN_POLICY("\\Zones\\3") FORBIDDEN COMMON("\\Zones\\3") ALLOWED, 0},
};

static void test_actions(void)
{
	for (size_t i = 0; i < sizeof(action_cases) / sizeof(action_cases[0]); i++) {
		struct zone_value value = {99, "untouched"};
		bool found = zones_action(arena, registry_of(action_cases[i].body), IDENTITY_SYSTEM, ZONE_INTERNET,
					  ZONE_FILE_DOWNLOAD, &value);
		if (found != (action_cases[i].number != NOT_FOUND))
			printf("row %zu: %s", i, action_cases[i].body);
		CHECK_INT(found, action_cases[i].number != NOT_FOUND);
		CHECK_INT(value.number, found ? action_cases[i].number : 99);
		CHECK((strcmp(value.place, "untouched") == 0) == !found);
	}
}

static void test_known(void)
{
	struct registry *registry = registry_of(COMMON("\\Zones\\3") FORBIDDEN);
	CHECK(!zones_are_known(registry, IDENTITY_SYSTEM) && !zones_are_known(registry, IDENTITY_USER));
	CHECK(zones_are_known(registry_of(ONLY_MACHINE), IDENTITY_SYSTEM));
	registry = registry_of(OWN("\\Zones\\3") FORBIDDEN);
	CHECK(zones_are_known(registry, IDENTITY_SYSTEM) && !zones_are_known(registry, IDENTITY_USER));
	registry_deny(registry, SYSTEM_HIVE INTERNET);
	CHECK(!zones_are_known(registry, IDENTITY_SYSTEM));
	CHECK(zones_are_known(registry_of("[HKEY_CURRENT_USER" INTERNET "]\n"), IDENTITY_USER));
}

static void test_hardened(void)
{
	struct zone_value value;
	CHECK(zones_are_hardened(arena, registry_of(HARDENED), IDENTITY_SYSTEM, &value));
	CHECK_TEXT(value.place, SYSTEM_HIVE INTERNET "\\ZoneMap\\IEHarden (z.reg:4)");
	CHECK(!zones_are_hardened(arena, registry_of(OWN("\\ZoneMap") "\"IEHarden\"=dword:0\n"), IDENTITY_SYSTEM,
				  &value));
	CHECK(!zones_are_hardened(arena, registry_of(HARDENED), IDENTITY_USER, &value));
	CHECK(!zones_are_hardened(arena, registry_of(OWN("")), IDENTITY_SYSTEM, &value));
}

int main(void)
{
	arena = arena_new();
	test_zones();
	test_long_names();
	test_place();
	test_actions();
	test_known();
	test_hardened();
	arena_free(arena);
	return check_summary();
}
