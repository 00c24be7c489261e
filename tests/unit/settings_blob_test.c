/* Settings in binary values: DefaultConnectionSettings against the plain values, and WinHttpSettings. */
#include "tests/unit/settings_check.h"

/* ------------------------------------------------------------------ the blob */

static struct settings with_blob(const char *values, const char *blob, const char *saved)
{
	return read_registry(
		arena_printf(arena, "%s%s%s", USER, values, connections("HKEY_CURRENT_USER", blob, saved)));
}

struct flag_case {
	unsigned flags;
	bool auto_detect, pac, enabled;
	const char *order, *via, *mechanism;
};

/* The strings stay in the blob when their flag is off. */
static const struct flag_case flag_cases[] = {
	{0x01, false, false, false, "direct", "DIRECT", "direct"},
	{0x03, false, false, true, "static, direct", "PROXY p:80", "static"},
	{0x02, false, false, true, "static, direct", "PROXY p:80", "static"},
	{0x05, false, true, false, "pac, direct", "DIRECT", "pac"},
	{0x07, false, true, true, "pac, static, direct", "PROXY p:80", "pac"},
	{0x09, true, false, false, "auto_detect, direct", "DIRECT", "auto_detect"},
	{0x0b, true, false, true, "auto_detect, static, direct", "PROXY p:80", "auto_detect"},
	{0x0d, true, true, false, "auto_detect, pac, direct", "DIRECT", "auto_detect"},
	{0x0f, true, true, true, "auto_detect, pac, static, direct", "PROXY p:80", "auto_detect"},
	{0xfffffff1, false, false, false, "direct", "DIRECT", "direct"},
};

static void test_blob_flags(void)
{
	for (size_t i = 0; i < sizeof(flag_cases) / sizeof(*flag_cases); i++) {
		const struct flag_case *one = &flag_cases[i];
		struct settings settings =
			with_blob("", ie_blob(one->flags, "p:80", "*.corp", "http://u:secret@pac/p.pac?t=secret"), "");
		const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
		bool large = one->flags > 0xff;
		CHECK(user->found && user->blob_found && !user->blob_malformed && !user->disagree);
		CHECK_TEXT(user->source, "blob");
		CHECK_TEXT(user->location,
			   "HKEY_CURRENT_USER" SETTINGS "\\Connections\\DefaultConnectionSettings (t.reg:5)");
		CHECK_INT(user->blob_version, 0x46);
		CHECK_INT(user->blob_counter, 7);
		CHECK_INT(user->blob_flags, large ? 0x7fffffff : (int)one->flags);
		if (large)
			continue;
		CHECK(user->auto_detect == one->auto_detect && user->pac_enabled == one->pac);
		CHECK(user->proxy_enabled == one->enabled);
		CHECK_TEXT(user->pac_url, "http://u:***@pac/p.pac");
		CHECK_TEXT(joined(&user->order), one->order);
		struct decision decision = decide(user, HOST);
		CHECK_TEXT(joined(&decision.via), one->via);
		CHECK_TEXT(decision.mechanism, one->mechanism);
		CHECK(decision.undecided == (one->auto_detect || one->pac));
		CHECK(!decision.undecided || strstr(decision.problem, one->via));
		CHECK(!decision.undecided || !strstr(decision.problem, "secret"));
		if (!one->enabled && !decision.undecided)
			CHECK_TEXT(decision.rule, "the proxy is switched off in DefaultConnectionSettings (flag 2)");
	}
}

static void test_undecided_words(void)
{
	struct settings settings = with_blob("", ie_blob(5, "", "", "http://pac/p.pac"), "");
	struct decision decision = decide(wininet(&settings, IDENTITY_USER), HOST);
	CHECK_TEXT(decision.rule, "the PAC script `http://pac/p.pac`");
	CHECK(strstr(decision.problem, "was not asked; if it gives nothing, it is DIRECT"));
	settings = with_blob("", ie_blob(0xf, "p:80", "", "http://pac/p.pac"), "");
	decision = decide(wininet(&settings, IDENTITY_USER), HOST);
	CHECK_TEXT(decision.rule, "automatic detection (WPAD) is switched on");
	CHECK(strstr(decision.problem, "`http://pac/p.pac`") && strstr(decision.problem, "PROXY p:80"));
	/* the flag without an address is no script */
	settings = with_blob("", ie_blob(5, "", "", ""), "");
	CHECK(!decide(wininet(&settings, IDENTITY_USER), HOST).undecided);
	settings = with_blob("", ie_blob(5, "", "", "file://c:/p.pac"), "");
	check_problem(wininet(&settings, IDENTITY_USER), "neither http nor https");
	/* without a blob the values alone decide */
	settings = read_registry(USER ON("p:80") "\"AutoConfigURL\"=\"HTTPS://pac/p.pac?x=1\"\n");
	const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
	CHECK(user->pac_enabled && !user->auto_detect && decide(user, HOST).undecided);
	CHECK_TEXT(user->pac_url, "HTTPS://pac/p.pac");
	check_problem(user, NULL);
	settings = read_registry(USER "\"AutoDetect\"=dword:1\n\"AutoConfigURL\"=\"\"\n");
	user = wininet(&settings, IDENTITY_USER);
	CHECK(!user->pac_enabled && user->auto_detect && decide(user, HOST).undecided);
}

struct disagreement_case {
	const char *values;
	const char *disagree; /* the value that is named, or NULL for none */
};

/* The blob says: p:80 is on, *.corp is bypassed. */
static const struct disagreement_case disagreement_cases[] = {
	{"", NULL},
	{ON("p:80") "\"ProxyOverride\"=\"*.corp\"\n", NULL},
	{ON("p:80"), NULL},
	{"\"ProxyServer\"=\"p:80\"\n", NULL},
	{ON("p:80") "\"AutoConfigURL\"=\"\"\n", NULL},
	{ON("p:80") "\"AutoDetect\"=dword:1\n", NULL},
	{"\"ProxyEnable\"=dword:0\n\"ProxyServer\"=\"p:80\"\n", "(ProxyEnable first)"},
	{ON("q:80"), "(ProxyServer first)"},
	{ON("P:80"), "(ProxyServer first)"},
	{ON("p:80") "\"ProxyOverride\"=\"\"\n", "(ProxyOverride first)"},
	{ON("p:80") "\"AutoConfigURL\"=\"http://pac/\"\n", "(AutoConfigURL first)"},
};

static void test_disagreement(void)
{
	for (size_t i = 0; i < sizeof(disagreement_cases) / sizeof(*disagreement_cases); i++) {
		const struct disagreement_case *one = &disagreement_cases[i];
		struct settings settings = with_blob(one->values, ie_blob(3, "p:80", "*.corp", ""), "");
		const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
		CHECK(user->disagree == (one->disagree != NULL));
		check_problem(user, one->disagree);
		check_decision(user, HOST, "PROXY p:80", "the only entry of ProxyServer");
		check_decision(user, "https://x.corp/", "DIRECT", "bypassed by `*.corp`");
	}
	struct settings settings =
		with_blob("\"ProxyEnable\"=dword:0\n\"ProxyServer\"=\"old:1\"\n\"AutoConfigURL\"=\"http://b/\"\n",
			  ie_blob(5, "p:80", "", "http://a/"), "");
	check_problem(wininet(&settings, IDENTITY_USER), "(AutoConfigURL first)");
	settings = with_blob("\"ProxyEnable\"=dword:0\n\"ProxyServer\"=\"old:1\"\n", ie_blob(1, "p:80", "", ""), "");
	check_problem(wininet(&settings, IDENTITY_USER), NULL);
}

static void test_pending_change(void)
{
	const char *blob = ie_blob(3, "p:80", "", ""), *saved = saved_blob(3, "p:80", "", "");
	struct settings settings = with_blob(ON("new:80"), blob, saved);
	check_problem(wininet(&settings, IDENTITY_USER), "pending change");
	CHECK(wininet(&settings, IDENTITY_USER)->disagree);
	check_decision(wininet(&settings, IDENTITY_USER), HOST, "PROXY p:80", "the only entry of ProxyServer");
	/* the values are what SavedLegacySettings says: the blob was changed later, and wins */
	settings = with_blob(ON("new:80"), blob, saved_blob(3, "new:80", "", ""));
	check_problem(wininet(&settings, IDENTITY_USER), "disagree");
	CHECK_INT(wininet(&settings, IDENTITY_USER)->problems.count, 1);
	/* nothing disagrees: what SavedLegacySettings says does not matter */
	settings = with_blob(ON("p:80"), blob, saved_blob(3, "new:80", "", ""));
	check_problem(wininet(&settings, IDENTITY_USER), NULL);
	/* and when it is damaged, nothing is known of a pending change */
	settings = with_blob(ON("new:80"), blob, "\"SavedLegacySettings\"=hex:46\n");
	check_problem(wininet(&settings, IDENTITY_USER), "SavedLegacySettings (t.reg:8) is damaged");
	CHECK_INT(wininet(&settings, IDENTITY_USER)->problems.count, 2);
}

static void test_damaged_blobs(void)
{
	static const char *const lines[] = {
		"\"DefaultConnectionSettings\"=hex:\n",
		"\"DefaultConnectionSettings\"=hex:46,00,00,00,01,00,00,00,03,00,00\n",
		"\"DefaultConnectionSettings\"=hex:47,00,00,00,01,00,00,00,03,00,00,00,00,00,00,00,00,00,00,00,00,00,"
		"00,00\n",
		"\"DefaultConnectionSettings\"=hex:28,00,00,00,01,00,00,00,03,00,00,00,00,00,00,00,00,00,00,00,00,00,"
		"00,00\n",
		"\"DefaultConnectionSettings\"=hex:46,00,00,00,01,00,00,00,03,00,00,00\n",
		"\"DefaultConnectionSettings\"=hex:46,00,00,00,01,00,00,00,03,00,00,00,02,00,00,00,70\n",
		"\"DefaultConnectionSettings\"=hex:46,00,00,00,01,00,00,00,03,00,00,00,ff,ff,ff,ff,70\n",
		"\"DefaultConnectionSettings\"=hex:46,00,00,00,01,00,00,00,03,00,00,00,01,00,00,00,70\n",
		"\"DefaultConnectionSettings\"=hex:46,00,00,00,01,00,00,00,03,00,00,00,01,00,00,00,70,00,00,00,00\n",
		"\"DefaultConnectionSettings\"=\"text\"\n",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct settings settings = with_blob(ON("v:80"), lines[i], "");
		const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
		CHECK(user->blob_found && user->blob_malformed && !user->disagree);
		CHECK_TEXT(user->source, "values");
		check_problem(user, "DefaultConnectionSettings (t.reg:7) is damaged: ");
		check_decision(user, HOST, "PROXY v:80", "the only entry of ProxyServer");
	}
	struct settings settings = with_blob("", lines[0], "");
	CHECK_TEXT(wininet(&settings, IDENTITY_USER)->source, "none");
	check_decision(wininet(&settings, IDENTITY_USER), HOST, "DIRECT", "no proxy is set");
}

static void test_blob_texts(void)
{
	struct settings settings =
		with_blob("", blob_line("DefaultConnectionSettings", 0x3c, 3, "p:80", "*.caf\xe9", ""), "");
	CHECK_TEXT(wininet(&settings, IDENTITY_USER)->proxy_bypass, "*.caf\xc3\xa9");
	CHECK_INT(wininet(&settings, IDENTITY_USER)->blob_version, 0x3c);
	/* a NUL that was counted, and no tail */
	settings = with_blob(
		"",
		"\"DefaultConnectionSettings\"=hex:46,00,00,00,ff,ff,ff,ff,03,00,00,00,05,00,00,00,70,3a,38,30,"
		"00,00,00,00,00,00,00,00,00\n",
		"");
	const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
	CHECK_INT(user->blob_counter, 0x7fffffff);
	check_decision(user, HOST, "PROXY p:80", "the only entry of ProxyServer");
}

static void test_winhttp(void)
{
	const char *key = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet "
			  "Settings\\Connections]\n";
	static const unsigned versions[] = {0x18, 0x28};
	for (size_t i = 0; i < 2; i++) {
		struct settings settings = read_registry(arena_printf(
			arena, "%s%s", key, blob_line("WinHttpSettings", versions[i], 3, "w:80", "10.*;*.corp", NULL)));
		CHECK(!settings.system_known);
		for (int identity = IDENTITY_USER; identity <= IDENTITY_SYSTEM; identity++) {
			const struct proxy_setting *setting =
				settings_find(&settings, (enum identity_id)identity, ROUTE_WINHTTP);
			CHECK(setting && setting->found && setting->proxy_enabled && !setting->blob_malformed);
			CHECK_TEXT(setting->scope, "per-machine");
			check_problem(setting, "has a `*` inside");
			check_decision(setting, HOST, "PROXY w:80", "the only entry of WinHttpSettings");
			check_decision(setting, "https://x.corp/", "DIRECT", "bypassed by `*.corp`");
		}
	}
	struct settings settings = read_registry(
		arena_printf(arena, "%s%s", key, blob_line("WinHttpSettings", 0x28, 1, "w:80", "", NULL)));
	const struct proxy_setting *setting = settings_find(&settings, IDENTITY_USER, ROUTE_WINHTTP);
	check_decision(setting, HOST, "DIRECT", "the proxy is switched off in WinHttpSettings");
	settings = read_registry(arena_printf(arena, "%s\"WinHttpSettings\"=hex:28,00\n", key));
	setting = settings_find(&settings, IDENTITY_USER, ROUTE_WINHTTP);
	CHECK(setting->found && setting->blob_malformed);
	check_problem(setting, "WinHttpSettings (t.reg:4) is damaged");
	check_decision(setting, HOST, "DIRECT", "the proxy is switched off in WinHttpSettings");
	settings = read_registry(USER ON("p:80"));
	setting = settings_find(&settings, IDENTITY_SYSTEM, ROUTE_WINHTTP);
	CHECK(setting && !setting->found);
	check_decision(setting, HOST, "DIRECT", "no such setting was found: direct");
}

int main(void)
{
	arena = arena_new();
	test_blob_flags();
	test_undecided_words();
	test_disagreement();
	test_pending_change();
	test_damaged_blobs();
	test_blob_texts();
	test_winhttp();
	arena_free(arena);
	return check_summary();
}
