/* WinINET settings as plain registry values: of the user, of SYSTEM, of the machine; and what they decide for a URL. */
#include "tests/unit/settings_check.h"

/* ------------------------------------------------------------------ plain values */

static void test_plain_values(void)
{
	struct settings settings = read_registry(USER ON("proxy:8080") "\"ProxyOverride\"=\"*.corp;<local>\"\n");
	const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
	CHECK(user->found && user->proxy_enabled && !user->pac_enabled && !user->auto_detect && !user->blob_found);
	CHECK_TEXT(user->scope, "per-user");
	CHECK_TEXT(user->source, "values");
	CHECK_TEXT(user->location, "HKEY_CURRENT_USER" SETTINGS " (t.reg:5)");
	CHECK_TEXT(user->proxy_server, "proxy:8080");
	CHECK_TEXT(user->proxy_bypass, "*.corp;<local>");
	CHECK_TEXT(joined(&user->order), "static, direct");
	check_problem(user, NULL);
	check_decision(user, HOST, "PROXY proxy:8080", "the only entry of ProxyServer");
	check_decision(user, "http://x.corp/", "DIRECT", "bypassed by `*.corp`");
	check_decision(user, "http://server/", "DIRECT", "bypassed by `<local>`");
	check_decision(user, "http://localhost/", "DIRECT", "implicit bypass of loopback names");
	CHECK_TEXT(decide(user, HOST).mechanism, "static");
	CHECK_TEXT(decide(user, HOST).source, user->location);
	CHECK_TEXT(decide(user, HOST).problem, NULL);
	const struct proxy_setting *system = wininet(&settings, IDENTITY_SYSTEM);
	CHECK(!system->found && !settings.system_known);
	check_problem(system, NULL);
	check_decision(system, HOST, "DIRECT", "no such setting was found: direct");
}

struct plain_case {
	const char *body, *via, *rule;
	const char *problem;  /* a part of one of the setting's, or NULL for none */
	const char *unusable; /* a part of the decision's, or NULL for none */
};

static const struct plain_case plain_cases[] = {
	{USER "\"ProxyEnable\"=dword:0\n\"ProxyServer\"=\"proxy:80\"\n", "DIRECT", "ProxyEnable is 0", NULL, NULL},
	{USER "\"ProxyServer\"=\"proxy:80\"\n", "DIRECT", "ProxyEnable is 0", NULL, NULL},
	{USER "\"ProxyEnable\"=dword:2\n\"ProxyServer\"=\"proxy:80\"\n", "PROXY proxy:80",
	 "the only entry of ProxyServer", NULL, NULL},
	{USER "\"proxyenable\"=dword:01000000\n\"PROXYSERVER\"=\"proxy:80\"\n", "PROXY proxy:80",
	 "the only entry of ProxyServer", NULL, NULL},
	{USER "\"ProxyEnable\"=\"1\"\n\"ProxyServer\"=\"proxy:80\"\n", "DIRECT", "ProxyEnable is 0",
	 "ProxyEnable (t.reg:4) is not of type REG_DWORD", NULL},
	{USER "\"ProxyEnable\"=hex(4):01,00\n\"ProxyServer\"=\"proxy:80\"\n", "DIRECT", "ProxyEnable is 0", "REG_DWORD",
	 NULL},
	{USER "\"ProxyEnable\"=dword:1\n", "DIRECT", "ProxyServer is empty: direct", "names no proxy",
	 "names no proxy"},
	{USER ON(""), "DIRECT", "ProxyServer is empty: direct", "names no proxy", "names no proxy"},
	{USER "\"ProxyEnable\"=dword:1\n\"ProxyServer\"=dword:1\n", "DIRECT", "ProxyServer is empty: direct",
	 "ProxyServer (t.reg:5) is not of type REG_SZ", "names no proxy"},
	{USER "\"ProxyEnable\"=dword:1\n\"ProxyServer\"=hex(1):70,00,3a,00,38,00,30,00,00,00\n", "PROXY p:80",
	 "the only entry of ProxyServer", NULL, NULL},
	{USER "\"ProxyEnable\"=dword:1\n\"ProxyServer\"=hex(2):70,00,3a,00,38,00,30,00,00,00\n", "DIRECT",
	 "ProxyServer is empty: direct", "REG_SZ", "names no proxy"},
	{USER, "DIRECT", "no proxy is set", NULL, NULL},
	{USER ON("proxy"), "PROXY proxy:80", "the only entry of ProxyServer", "has no port", "has no port"},
	{USER ON("http=a:1"), "DIRECT", "no `https=` entry in ProxyServer: direct", "no entry for https",
	 "no entry for https"},
	{USER ON("p:1") "\"ProxyOverride\"=\"10.0.0.0/8\"\n", "PROXY p:1", "the only entry of ProxyServer", "CIDR",
	 NULL},
	{USER ON("http=a:1") "\"ProxyOverride\"=\"*.example\"\n", "DIRECT", "bypassed by `*.example`", "no entry",
	 NULL},
	{WOW ON("proxy:80"), "DIRECT", "no such setting was found: direct", NULL, NULL},
	{MACHINE ON("proxy:80"), "DIRECT", "no such setting was found: direct", NULL, NULL},
	{POLICY "\"ProxySettingsPerUser\"=dword:1\n" MACHINE ON("m:80") USER ON("u:80"), "PROXY u:80",
	 "the only entry of ProxyServer", NULL, NULL},
	{POLICY "\"ProxySettingsPerUser\"=\"0\"\n" MACHINE ON("m:80") USER ON("u:80"), "PROXY u:80",
	 "the only entry of ProxyServer", "ProxySettingsPerUser (t.reg:4) is not of type REG_DWORD", NULL},
	{USER ON("user:secret@p:80"), "PROXY p:80", "the only entry of ProxyServer", "entry `user:***@p:80`",
	 "user name"},
	{USER ON("socks=s"), "SOCKS s:1080", "entry `socks=` of ProxyServer", NULL, NULL},
	{"[" SID SETTINGS "]\n" ON("p:80"), "PROXY p:80", "the only entry of ProxyServer", NULL, NULL},
	{"[HKEY_USERS\\S-1-12-1-5-6-7-8" SETTINGS "]\n" ON("p:80"), "PROXY p:80", "the only entry of ProxyServer", NULL,
	 NULL},
	{"[" SID SETTINGS "]\n" ON("p:80") "[" SID "_Classes" SETTINGS "]\n" ON("q:80") "[HKEY_USERS\\S-1-5-20" SETTINGS
											"]\n",
	 "PROXY p:80", "the only entry of ProxyServer", NULL, NULL},
	{"[" SID SETTINGS "]\n" ON("p:80") "[" SID "2" SETTINGS "]\n" ON("q:80"), "DIRECT",
	 "no such setting was found: direct", "settings of 2 users", NULL},
	{"[" SID SETTINGS "]\n" ON("p:80") "[" SID "2" SETTINGS "]\n" ON("q:80") USER ON("u:80"), "PROXY u:80",
	 "the only entry of ProxyServer", NULL, NULL},
	{"[HKEY_USERS\\S-1-5-19" SETTINGS "]\n" ON("p:80"), "DIRECT", "no such setting was found: direct", NULL, NULL},
};

static void test_plain_cases(void)
{
	for (size_t i = 0; i < sizeof(plain_cases) / sizeof(*plain_cases); i++) {
		const struct plain_case *one = &plain_cases[i];
		int failed = checks_failed;
		struct settings settings = read_registry(one->body);
		const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
		check_decision(user, HOST, one->via, one->rule);
		check_problem(user, one->problem);
		const char *unusable = decide(user, HOST).problem;
		CHECK(one->unusable ? unusable && strstr(unusable, one->unusable) : !unusable);
		CHECK(!strstr(user->proxy_server ? user->proxy_server : "", "secret"));
		CHECK(!strstr(joined(&user->problems), "secret"));
		if (failed != checks_failed)
			printf("<<%s>>: %s\n", one->body, unusable ? unusable : "");
	}
}

static void test_long_texts(void)
{
	struct strbuf body;
	strbuf_init(&body);
	strbuf_add(&body, USER ON("p:80") "\"ProxyOverride\"=\"a");
	for (int i = 0; i < 40000; i++)
		strbuf_add(&body, "\xc3\xa9");
	strbuf_add(&body, ";*\"\n");
	struct settings settings = read_registry(body.data);
	const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
	CHECK_INT(strlen(user->proxy_bypass), 65535);
	check_problem(user, "longer than 65536 bytes");
	check_decision(user, HOST, "PROXY p:80", "the only entry of ProxyServer");
	strbuf_free(&body);
}

/* ------------------------------------------------------------------ SYSTEM and machine-wide */

static void test_system(void)
{
	struct settings settings = read_registry(SYSTEM ON("s:80") USER ON("u:80"));
	CHECK(settings.system_known);
	check_decision(wininet(&settings, IDENTITY_SYSTEM), HOST, "PROXY s:80", "the only entry of ProxyServer");
	check_decision(wininet(&settings, IDENTITY_USER), HOST, "PROXY u:80", "the only entry of ProxyServer");

	settings = read_registry(ALIAS ON("d:80"));
	CHECK(settings.system_known);
	check_decision(wininet(&settings, IDENTITY_SYSTEM), HOST, "PROXY d:80", "the only entry of ProxyServer");
	CHECK(!wininet(&settings, IDENTITY_USER)->found);

	settings = read_registry(ALIAS ON("d:80") SYSTEM ON("s:80"));
	check_decision(wininet(&settings, IDENTITY_SYSTEM), HOST, "PROXY s:80", "the only entry of ProxyServer");
	check_problem(wininet(&settings, IDENTITY_SYSTEM), "their ProxyServer differ (t.reg:8, t.reg:5)");

	settings = read_registry(ALIAS ON("s:80") SYSTEM ON("s:80"));
	check_problem(wininet(&settings, IDENTITY_SYSTEM), NULL);

	settings = read_registry("[HKEY_USERS\\S-1-5-18\\Software]\n");
	CHECK(settings.system_known && !wininet(&settings, IDENTITY_SYSTEM)->found);
	check_problem(wininet(&settings, IDENTITY_SYSTEM), "not the key Internet Settings");
}

static void test_machine_wide(void)
{
	static const char policy[] = POLICY "\"ProxySettingsPerUser\"=dword:00000000\n";
	struct settings settings = read_registry(
		arena_printf(arena, "%s%s%s%s", policy, MACHINE ON("m:80"), USER ON("u:80"), SYSTEM ON("s:80")));
	CHECK(settings.system_known);
	for (int identity = IDENTITY_USER; identity <= IDENTITY_SYSTEM; identity++) {
		const struct proxy_setting *setting = wininet(&settings, (enum identity_id)identity);
		CHECK_TEXT(setting->scope, "per-machine");
		CHECK(strncmp(setting->location, "HKEY_LOCAL_MACHINE\\", 19) == 0);
		check_decision(setting, HOST, "PROXY m:80", "the only entry of ProxyServer");
	}
	const char *blob = connections("HKEY_LOCAL_MACHINE", ie_blob(3, "b:80", "", ""), "");
	settings = read_registry(arena_printf(arena, "%s%s%s", policy, MACHINE, blob));
	CHECK(settings.system_known);
	check_decision(wininet(&settings, IDENTITY_SYSTEM), HOST, "PROXY b:80", "the only entry of ProxyServer");
	settings = read_registry(policy);
	CHECK(settings.system_known && !wininet(&settings, IDENTITY_SYSTEM)->found);
	check_problem(wininet(&settings, IDENTITY_SYSTEM), "machine-wide");
	check_problem(wininet(&settings, IDENTITY_USER), "machine-wide");
}

static void test_nothing(void)
{
	struct settings settings;
	settings_read(&(struct settings_input){.arena = arena}, &settings);
	CHECK_INT(settings.count, 0);
	CHECK(!settings.system_known);
	CHECK(!settings_find(&settings, IDENTITY_USER, ROUTE_WININET));
	check_decision(NULL, HOST, "DIRECT", "no such setting was found: direct");
	CHECK_TEXT(decide(NULL, HOST).source, NULL);
	const struct proxy_setting direct = {.found = true, .kind = ROUTE_DIRECT};
	check_decision(&direct, HOST, "DIRECT", "no such setting was found: direct");
}

int main(void)
{
	arena = arena_new();
	test_plain_values();
	test_plain_cases();
	test_long_texts();
	test_system();
	test_machine_wide();
	test_nothing();
	arena_free(arena);
	return check_summary();
}
