/* What scripts said, in the order in which Windows asks them; and a script that stands in for the configured one. */
#include "tests/unit/settings_check.h"

static struct decision decide_with(const struct proxy_setting *setting, const struct script_answers *answers)
{
	struct url url;
	struct decision decision;
	CHECK(url_parse(arena, HOST, &url));
	settings_decide_with(arena, setting, &url, answers, &decision);
	return decision;
}

static struct script_answer answered(const char *via)
{
	struct text_list *list = arena_alloc(arena, sizeof(*list));
	text_list_add(arena, list, via);
	text_list_add(arena, list, "DIRECT");
	return (struct script_answer){
		.state = SCRIPT_ANSWERED, .script = "http://wpad/wpad.dat", .via = list, .rule = "line 3"};
}

static struct script_answer failed(const char *error)
{
	return (struct script_answer){.state = SCRIPT_FAILED, .error = error, .message = "what came is no script"};
}

/* Everything is on: detection, PAC address, static list. */
static const struct proxy_setting *all_on(void)
{
	static const struct proxy_setting setting = {.identity = IDENTITY_USER,
						     .kind = ROUTE_WININET,
						     .found = true,
						     .source = "blob",
						     .auto_detect = true,
						     .pac_enabled = true,
						     .pac_url = "http://pac/p.pac",
						     .proxy_enabled = true,
						     .proxy_server = "p:80"};
	static struct proxy_setting made;
	made = setting;
	made.order = (struct text_list){0};
	text_list_add(arena, &made.order, "auto_detect");
	text_list_add(arena, &made.order, "pac");
	text_list_add(arena, &made.order, "static");
	text_list_add(arena, &made.order, "direct");
	return &made;
}

static void test_order(void)
{
	struct script_answers answers = {.auto_detect = answered("PROXY a:1"), .pac = answered("PROXY b:2")};
	struct decision decision = decide_with(all_on(), &answers);
	CHECK_TEXT(joined(&decision.via), "PROXY a:1, DIRECT");
	CHECK_TEXT(decision.mechanism, "auto_detect");
	CHECK_TEXT(decision.rule, "line 3");
	CHECK(!decision.error && !decision.problem && !decision.undecided);
	answers.auto_detect = (struct script_answer){.state = SCRIPT_NONE};
	decision = decide_with(all_on(), &answers);
	CHECK_TEXT(joined(&decision.via), "PROXY b:2, DIRECT");
	CHECK_TEXT(decision.mechanism, "pac");
	CHECK(!decision.error && !decision.problem);
	answers.pac = failed("syntax");
	decision = decide_with(all_on(), &answers);
	CHECK_TEXT(joined(&decision.via), "PROXY p:80");
	CHECK_TEXT(decision.mechanism, "static");
	CHECK_TEXT(decision.error, "syntax");
	CHECK_TEXT(decision.problem,
		   "the PAC script `http://pac/p.pac` failed (syntax: what came is no script); so what comes next "
		   "decides: the only entry of ProxyServer");
	answers.auto_detect = failed("unreachable");
	decision = decide_with(all_on(), &answers);
	CHECK_TEXT(decision.error, "unreachable");
	CHECK(strstr(decision.problem, "unreachable") && strstr(decision.problem, "syntax"));
}

static void test_not_asked(void)
{
	struct script_answers answers = {.auto_detect = {.state = SCRIPT_NONE}};
	struct decision decision = decide_with(all_on(), &answers);
	CHECK(decision.undecided && strstr(decision.problem, "`http://pac/p.pac` decides, and it was not asked"));
	CHECK_TEXT(decision.mechanism, "pac");
	decision = decide_with(all_on(), NULL);
	CHECK(decision.undecided && strstr(decision.problem, "automatic detection (WPAD) decides"));
	CHECK_TEXT(decision.mechanism, "auto_detect");
}

/* --pac: in place of what is configured, with the static list behind it; with nothing behind it where nothing was found. */
static void test_use_pac(void)
{
	struct settings settings = read_registry(USER ON("p:80") "\"AutoConfigURL\"=\"http://old/\"\n");
	settings_use_pac(arena, &settings, "https://u:geheim@new/p.pac?token=geheim");
	const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
	CHECK_TEXT(joined(&user->order), "pac, static, direct");
	CHECK(!strstr(user->pac_url, "geheim") && strstr(user->pac_address, "token=geheim"));
	struct script_answers answers = {.pac = failed("exception")};
	struct decision decision = decide_with(user, &answers);
	CHECK_TEXT(joined(&decision.via), "PROXY p:80");
	const struct proxy_setting *system = wininet(&settings, IDENTITY_SYSTEM);
	CHECK(system->found && !settings.system_known);
	CHECK_TEXT(system->location, "--pac");
	decision = decide_with(system, &answers);
	CHECK_INT(decision.via.count, 0);
	CHECK_TEXT(decision.error, "exception");
	CHECK_TEXT(decision.mechanism, "pac");
	answers.pac = answered("SOCKS s:1080");
	decision = decide_with(system, &answers);
	CHECK_TEXT(joined(&decision.via), "SOCKS s:1080, DIRECT");
}

int main(void)
{
	arena = arena_new();
	test_order();
	test_not_asked();
	test_use_pac();
	arena_free(arena);
	return check_summary();
}
