/* Commands that people copy to an elevated prompt: what they say for this machine, and what never gets into one. */

#include "check.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/command_word.h"
#include "report_builder.h"
#include "reports/report.h"

#define BITSADMIN "bitsadmin /util /setieproxy localsystem "

static struct arena *arena;

/* ------------------------------------------------------------------ words of a command line */

static const struct {
	const char *text, *word;
} words[] = {
	{"proxy.corp:3128", "proxy.corp:3128"},
	{"http://pac.corp/p-1_a.pac", "http://pac.corp/p-1_a.pac"},
	{"*.corp <local>", "\"*.corp <local>\""},
	{"http=a:1;https=b:2", "\"http=a:1;https=b:2\""},
	{"a:1,b:2", "\"a:1,b:2\""},
	{"[fd00::1]:3128", "\"[fd00::1]:3128\""},
	{"<-loopback>", "\"<-loopback>\""},
	{"", NULL},
	{"a\"b", NULL},
	{"a & calc", NULL},
	{"a|calc", NULL},
	{"a^b", NULL},
	{"%COMSPEC%", NULL},
	{"http://pac.corp/a%20b.pac", NULL},
	{"!x!", NULL},
	{"$(calc)", NULL},
	{"`calc`", NULL},
	{"a'b", NULL},
	{"(a)", NULL},
	{"{a}", NULL},
	{"a\\", NULL},
	{"a\nb", NULL},
	{"a\rb", NULL},
	{"a\tb", NULL},
	{"a\x7f", NULL},
	{"pr\xc3\xb6xy:80", NULL},
	{"\xe2\x80\x9c", NULL}, /* PowerShell takes typographic quotes for quotes */
	{"/reset", NULL},
	{"-File", NULL},
	{"user:***@proxy.corp:80", NULL},
	{"***", NULL},
	{"user@proxy.corp:80", NULL},
	{"http://pac.corp/p.pac?key=1", NULL},
	{"a#b", NULL},
	{"~", NULL},
};

static void test_words(void)
{
	char text[2] = "";
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CHECK_TEXT(command_word(arena, words[i].text), words[i].word);
	for (int c = 1; c < 256; c++) {
		text[0] = (char)c;
		const char *word = command_word(arena, text);
		bool safe = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			    strchr(".:_ ;,*[]=<>+", c);
		CHECK((word != NULL) == safe);
	}
	char *longest = arena_alloc(arena, COMMAND_WORD_MAX_BYTES + 2);
	memset(longest, 'a', COMMAND_WORD_MAX_BYTES);
	CHECK(command_word(arena, longest) != NULL);
	longest[COMMAND_WORD_MAX_BYTES] = 'a';
	CHECK(!command_word(arena, longest));
}

static const struct {
	const char *list, *wanted;
} proxy_lists[] = {
	{"proxy.corp:3128", "proxy.corp:3128"},
	{"a.corp:1;b.corp:2", "\"a.corp:1,b.corp:2\""},
	{"a.corp:1 b.corp:2", "\"a.corp:1,b.corp:2\""},
	{"http://PROXY.corp:3128", "proxy.corp:3128"},
	{"http=a.corp:1;https=a.corp:1", "a.corp:1"},
	{"ftp=f.corp:21;a.corp:1", "a.corp:1"},
	{"[fd00::1]:3128", "\"[fd00::1]:3128\""},
	{"http=a.corp:1;https=b.corp:2", NULL},
	{"http=a.corp:1", NULL}, /* https goes direct */
	{"socks=s.corp:1080", NULL},
	{"http://u:***@a.corp:1", NULL},
	{"", NULL},
	{"\"&calc:1", NULL},
	{NULL, NULL},
};

static const struct {
	const char *list, *wanted;
} bypass_lists[] = {
	{NULL, "NULL"},
	{"", "NULL"},
	{" ; ;", "NULL"},
	{"<local>", "\"<local>\""},
	{"*.corp;<local>", "\"*.corp <local>\""},
	{"a.corp; b.corp\tc.corp", "\"a.corp b.corp c.corp\""},
	{"intranet", "intranet"},
	{"a.corp;%PATH%", NULL},
	{"a\"b", NULL},
};

static void test_lists(void)
{
	for (size_t i = 0; i < sizeof(proxy_lists) / sizeof(proxy_lists[0]); i++)
		CHECK_TEXT(command_proxies(arena, PROXY_WININET, proxy_lists[i].list), proxy_lists[i].wanted);
	for (size_t i = 0; i < sizeof(bypass_lists) / sizeof(bypass_lists[0]); i++)
		CHECK_TEXT(command_bypass(arena, bypass_lists[i].list), bypass_lists[i].wanted);
}

/* ------------------------------------------------------------------ findings */

static const char new_via[] = "PROXY new.corp:3128";

/* SYSTEM's own way fails, another works. */
struct scene {
	struct report *report;
	struct path *system, *other;
	struct proxy_setting *user;
};

static struct scene scene_of(const char *users_proxy, const char *systems_proxy)
{
	struct scene scene = {.report = build_report()};
	struct target *target = build_target(scene.report, "login.example", 443);
	scene.user = build_setting(scene.report, IDENTITY_USER, users_proxy);
	scene.user->location = "HKCU\\Internet Settings";
	build_setting(scene.report, IDENTITY_SYSTEM, systems_proxy);
	scene.system = build_route(scene.report, target, IDENTITY_SYSTEM,
				   systems_proxy ? "PROXY old.corp:3128" : "DIRECT", true);
	scene.other = build_route(scene.report, target, IDENTITY_USER, new_via, false);
	build_attempt(scene.report, scene.system, "10.0.0.79", FAILURE_TIMEOUT);
	build_by_proxy(scene.report, scene.other, "new.corp:3128", 200);
	return scene;
}

static bool says(const struct finding *finding, const char *part)
{
	for (size_t i = 0; finding && i < finding->remedy.count; i++)
		if (strstr(finding->remedy.items[i], part))
			return true;
	return false;
}

static void show(const struct finding *finding)
{
	for (size_t i = 0; finding && i < finding->remedy.count; i++)
		printf("  %s\n", finding->remedy.items[i]);
}

/* The remedy of that finding says the one and not the other (NULL: whatever). Frees the report. */
static void end(struct scene *scene, const char *cause, const char *wanted, const char *unwanted)
{
	diagnose(scene->report);
	const struct finding *finding = build_finding(scene->report, cause);
	bool right = finding && says(finding, wanted) && !(unwanted && says(finding, unwanted));
	if (!right) {
		printf("%s: wanted \"%s\", not \"%s\"\n", cause, wanted, unwanted ? unwanted : "");
		show(finding);
	}
	CHECK(right);
	CHECK(!says(finding, "{commands}") && !says(finding, "***"));
	report_free(scene->report);
}

static void expect_for_user(const char *server, const char *bypass, const char *wanted, const char *unwanted)
{
	struct scene scene = scene_of(server, NULL);
	scene.user->proxy_bypass = bypass;
	end(&scene, "cfg_proxy_missing_for_system", wanted, unwanted);
}

static void test_static(void)
{
	static const char no_command[] = "bitsadmin /util /setieproxy";
	expect_for_user("new.corp:3128", NULL, BITSADMIN "MANUAL_PROXY new.corp:3128 NULL", "reg ");
	expect_for_user("new.corp:3128", "*.corp;<local>", BITSADMIN "MANUAL_PROXY new.corp:3128 \"*.corp <local>\"",
			NULL);
	expect_for_user("new.corp:3128;next.corp:8080", NULL,
			BITSADMIN "MANUAL_PROXY \"new.corp:3128,next.corp:8080\" NULL", NULL);
	expect_for_user("http=a.corp:1;https=new.corp:3128", "<local>",
			"/v ProxyServer /t REG_SZ /d \"http=a.corp:1;https=new.corp:3128\" /f", no_command);
	expect_for_user("http=a.corp:1;https=new.corp:3128", "<local>", "/v ProxyOverride /t REG_SZ /d \"<local>\" /f",
			"reg copy");
	expect_for_user("http=a.corp:1;https=new.corp:3128", NULL, "/v ProxyOverride /t REG_SZ /d \"\" /f", NULL);
	expect_for_user("new.corp:3128", "a.corp\" & calc & \"", "bypass list at HKCU\\Internet Settings", no_command);
	expect_for_user("new.corp:3128", "a.corp;%PATH%", "not safe in a command", "%PATH%");
	expect_for_user("https=new.corp:3128;http=a&calc:1;x=\"", NULL, "proxy list at HKCU\\Internet Settings",
			"calc");
	expect_for_user("http://corpuser:***@new.corp:3128", NULL, "type user and password in that dialog", no_command);
	expect_for_user("new.corp:3128", NULL, "a PAC script cannot work through the agent's own setting", NULL);
	expect_for_user("new.corp:3128", NULL, "asks for a sign-in cannot work through LocalSystem's settings", NULL);
}

static void test_copied_blob(void)
{
	struct scene scene = scene_of("http=a.corp:1;https=new.corp:3128", NULL);
	scene.user->blob_found = true;
	end(&scene, "cfg_proxy_missing_for_system", "reg copy \"HKCU\\Software", NULL);
}

static void test_script(void)
{
	static const struct {
		const char *url, *wanted, *unwanted;
	} rows[] = {
		{"http://pac.corp/p.pac", BITSADMIN "AUTOSCRIPT http://pac.corp/p.pac", "MANUAL_PROXY"},
		{"http://pac.corp/p.pac&calc", "address of the PAC script at HKCU\\Internet Settings", "calc"},
		{"http://u:***@pac.corp/p.pac", "not safe in a command", "pac.corp"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene scene = scene_of("new.corp:3128", NULL);
		scene.user->pac_enabled = true;
		scene.user->pac_url = rows[i].url;
		scene.other->route.mechanism = "pac";
		end(&scene, "cfg_proxy_missing_for_system", rows[i].wanted, rows[i].unwanted);
	}
	struct scene scene = scene_of("new.corp:3128", NULL);
	scene.user->auto_detect = true;
	scene.other->route.mechanism = "auto_detect";
	end(&scene, "cfg_proxy_missing_for_system", BITSADMIN "AUTODETECT", NULL);
	scene = scene_of("new.corp:3128", NULL);
	scene.user->auto_detect = scene.user->pac_enabled = true;
	scene.user->pac_url = "http://pac.corp/p.pac";
	scene.other->route.mechanism = "static"; /* both found nothing */
	end(&scene, "cfg_proxy_missing_for_system", BITSADMIN "MANUAL_PROXY new.corp:3128 NULL", NULL);
}

static void test_sign_in(void)
{
	struct scene scene = scene_of("new.corp:3128", NULL);
	struct observation *one = scene.other->attempts[0]->observations.items[1];
	text_list_add(scene.report->arena, &one->proxy.schemes, "basic");
	one->proxy.auth_tried = "basic";
	end(&scene, "cfg_proxy_missing_for_system", "The proxy new.corp:3128 asks for a user and a password",
	    "bitsadmin /util /setieproxy");
}

static void test_other_causes(void)
{
	struct scene scene = scene_of("new.corp:3128", "old.corp:3128");
	scene.user->proxy_bypass = "<local>";
	end(&scene, "cfg_proxy_differs_by_identity", BITSADMIN "MANUAL_PROXY new.corp:3128 \"<local>\"", NULL);

	scene = scene_of("new.corp:3128", "old.corp:3128");
	build_setting(scene.report, IDENTITY_SYSTEM, "old.corp:3128")->scope = "per-machine";
	end(&scene, "cfg_proxy_differs_by_identity", "ProxySettingsPerUser is 0", BITSADMIN);

	scene = scene_of("new.corp:3128", "old.corp:3128"); /* the user's is the one that fails: nothing is SYSTEM's */
	scene.system->identity = IDENTITY_USER;
	scene.other->identity = IDENTITY_SYSTEM;
	end(&scene, "cfg_proxy_differs_by_identity", "Correct or remove", BITSADMIN);

	scene = scene_of(NULL, "old.corp:3128"); /* not one entry of the old list means anything */
	scene.system->route.problem = "no port is given";
	end(&scene, "cfg_proxy_string_malformed", BITSADMIN "MANUAL_PROXY new.corp:3128 NULL", NULL);
}

static void test_winhttp(void)
{
	static const char netsh[] = "netsh winhttp set proxy proxy-server=";
	struct scene scene = scene_of(NULL, "http=a.corp:1;https=new.corp:3128");
	struct proxy_setting *own = build_setting(scene.report, IDENTITY_SYSTEM, "http=a.corp:1;https=new.corp:3128");
	own->proxy_bypass = "*.corp;<local>";
	scene.system->route.kind = ROUTE_WINHTTP;
	scene.other->identity = IDENTITY_SYSTEM;
	end(&scene, "cfg_winhttp_wininet_mismatch",
	    "netsh winhttp set proxy proxy-server=\"http=a.corp:1;https=new.corp:3128\" bypass-list=\"*.corp;<local>\"",
	    BITSADMIN);

	scene = scene_of(NULL, "a%b");
	scene.system->route.kind = ROUTE_WINHTTP;
	scene.other->identity = IDENTITY_SYSTEM;
	end(&scene, "cfg_winhttp_wininet_mismatch", "not safe in a command", netsh);

	scene = scene_of(NULL, "new.corp:3128"); /* a script said so */
	scene.system->route.kind = ROUTE_WINHTTP;
	scene.other->identity = IDENTITY_SYSTEM;
	scene.other->route.mechanism = "pac";
	end(&scene, "cfg_winhttp_wininet_mismatch", "netsh winhttp set proxy proxy-server=new.corp:3128",
	    "bypass-list");

	scene = scene_of(NULL, "old.corp:3128"); /* the other way round: WinINET is the one that fails */
	struct proxy_setting *winhttp = arena_alloc(scene.report->arena, sizeof(*winhttp));
	*winhttp = (struct proxy_setting){.identity = IDENTITY_SYSTEM,
					  .kind = ROUTE_WINHTTP,
					  .found = true,
					  .proxy_enabled = true,
					  .proxy_server = "new.corp:3128"};
	scene.report->identities[1].winhttp = winhttp;
	scene.other->identity = IDENTITY_SYSTEM;
	scene.other->route.kind = ROUTE_WINHTTP;
	end(&scene, "cfg_winhttp_wininet_mismatch", BITSADMIN "MANUAL_PROXY new.corp:3128 NULL", netsh);
}

static void test_agent(void)
{
	struct scene scene = scene_of("new.corp:3128", "old.corp:3128");
	scene.system->route.kind = ROUTE_AGENT;
	end(&scene, "cfg_agent_override_wrong", "Set-OBMachineSetting -ProxyServer \"http://new.corp\" -ProxyPort 3128",
	    BITSADMIN);
	scene = scene_of("new.corp:3128", "old.corp:3128");
	scene.system->route.kind = ROUTE_AGENT;
	scene.other->identity = IDENTITY_SYSTEM;
	end(&scene, "cfg_agent_override_wrong", "Set-OBMachineSetting -NoProxy", "-ProxyServer");
}

static void bypass(const char *entries, const char *wanted)
{
	struct scene scene = scene_of(NULL, "new.corp:3128");
	struct target *blob = build_target(scene.report, "blob.example", 443);
	build_setting(scene.report, IDENTITY_SYSTEM, "new.corp:3128")->proxy_bypass = entries;
	scene.system->route.via = "DIRECT";
	scene.other->identity = IDENTITY_SYSTEM;
	scene.other->target = blob;
	end(&scene, "cfg_bypass_sends_direct", wanted, "\"*.example");
}

static void test_bypass(void)
{
	bypass("*.corp;*.example;<local>", BITSADMIN "MANUAL_PROXY new.corp:3128 \"*.corp <local>\"");
	bypass("*.example", BITSADMIN "MANUAL_PROXY new.corp:3128 NULL");
	bypass("login.*;http://*.example;x.example:443",
	       BITSADMIN "MANUAL_PROXY new.corp:3128 \"http://*.example x.example:443\"");
}

/* What is to be copied stands alone and whole in its line, and nothing else gets a line of its own. */
static void test_printed(void)
{
	struct strbuf text;
	struct scene scene = scene_of("new.corp:3128", NULL);
	scene.user->proxy_bypass = "first.corp second.corp third.corp fourth.corp fifth.corp sixth.corp";
	diagnose(scene.report);
	strbuf_init(&text);
	report_format_find("text")->write(scene.report, &(struct report_style){0}, &text);
	CHECK(strstr(text.data,
		     " " BITSADMIN "MANUAL_PROXY new.corp:3128 \"first.corp second.corp third.corp fourth.corp "
		     "fifth.corp sixth.corp\"\n") != NULL);
	report_free(scene.report);

	scene = scene_of("new.corp:3128", NULL);
	scene.user->proxy_bypass = "%";
	scene.user->location = "x.reg\nformat c:\r\n";
	diagnose(scene.report);
	const struct finding *finding = build_finding(scene.report, "cfg_proxy_missing_for_system");
	CHECK(says(finding, "x.reg format c:") && !says(finding, "\nformat"));
	report_free(scene.report);

	scene = scene_of("new.corp:3128", "old.corp:3128");
	scene.system->route.source = "x.reg\n> format c:";
	diagnose(scene.report);
	finding = build_finding(scene.report, "cfg_proxy_differs_by_identity");
	CHECK(says(finding, "x.reg > format c:") && !says(finding, "\nformat") && !says(finding, "\n>"));
	report_free(scene.report);
	strbuf_free(&text);
}

int main(void)
{
	arena = arena_new();
	test_words();
	test_lists();
	test_static();
	test_copied_blob();
	test_script();
	test_sign_in();
	test_other_causes();
	test_winhttp();
	test_agent();
	test_bypass();
	test_printed();
	arena_free(arena);
	return check_summary();
}
