/* The causes of PAC scripts: what proves each, and what is near to it and is not. */

#include "tests/unit/script_report.h"

/* ------------------------------------------------------------------ a script that gives nothing */

static void each_error_has_its_cause(void)
{
	static const struct {
		const char *error, *cause;
	} rows[] = {{"unreachable", "cfg_pac_unreachable"},	{"bad_address", "cfg_pac_unreachable"},
		    {"needs_auth", "cfg_pac_needs_auth"},	{"not_script", "cfg_pac_not_script"},
		    {"too_large", "cfg_pac_not_script"},	{"syntax", "cfg_pac_script_error"},
		    {"no_entry_point", "cfg_pac_script_error"}, {"timeout", "cfg_pac_script_error"},
		    {"memory", "cfg_pac_script_error"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = with_script(false);
		struct path *path = fallen_back(report, rows[i].error);
		search(report, path, "pac", rows[i].error);
		build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
		check_verdict(report, rows[i].cause, STATUS_FAIL);
		CHECK(build_also(&path->verdict, "tcp_syn_silent_unlocated"));
		CHECK_TEXT(report->findings[0]->subject, script_url);
		CHECK(strstr(report->findings[0]->summary, "what went wrong") != NULL);
		CHECK(path->verdict.confidence < 0.75);
		report_free(report);
	}
}

static void evaluation_fails(const char *error, const char *cause)
{
	struct report *report = with_script(false);
	struct path *path = fallen_back(report, error);
	search(report, path, "pac", NULL);
	struct observation *one = decision(report, path, NULL);
	one->decision.mechanism = "pac";
	one->decision.error = error;
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	end(report, cause, STATUS_FAIL);
}

static void users_proxy_makes_it_surer(void)
{
	struct report *report = with_script(false);
	struct path *path = fallen_back(report, "unreachable");
	search(report, path, "pac", "unreachable");
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	users_proxy(report, true);
	check_verdict(report, "cfg_pac_unreachable", STATUS_FAIL);
	CHECK(path->verdict.confidence > 0.85);
	CHECK(!build_also(&path->verdict, "cfg_proxy_missing_for_system"));
	CHECK(strstr(report->findings[0]->summary, "PROXY new.corp:3128, which works") != NULL);
	report_free(report);
}

static void what_comes_next_works(void)
{
	struct report *report = with_script(false);
	struct path *path = fallen_back(report, "unreachable");
	search(report, path, "pac", "unreachable");
	build_works(report, path, "20.190.128.1");
	check_verdict(report, "cfg_pac_unreachable", STATUS_WARN);
	CHECK(report->readiness.ready);
	CHECK_INT(report->findings[0]->status, STATUS_WARN);
	report_free(report);
}

/* The way that came in its place is open: this target fails for a reason of its own. */
static void what_comes_next_works_for_others(void)
{
	struct report *report = with_script(false);
	struct path *path = fallen_back(report, "unreachable");
	struct path *other =
		build_route(report, build_target(report, "blob.example", 443), IDENTITY_SYSTEM, "DIRECT", true);
	other->route = path->route;
	path_list_add(report->arena, &search(report, path, "pac", "unreachable")->paths, other);
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	build_works(report, other, "20.190.129.1");
	check_verdict(report, "tcp_syn_silent_unlocated", STATUS_FAIL);
	CHECK(build_also(&path->verdict, "cfg_pac_unreachable"));
	report_free(report);
}

/* Nobody answers a question: neither for the script's host nor for the target. */
static void dns_is_dead_altogether(void)
{
	struct report *report = with_script(false);
	struct path *path = fallen_back(report, "unreachable");
	search(report, path, "pac", "unreachable");
	build_lookup(report, path, FAILURE_DNS_TEMPORARY, NULL)->experiment = "pac_download";
	build_query(report, path, "10.0.0.53", FAILURE_TIMEOUT, NULL);
	build_query(report, path, "10.0.0.54", FAILURE_TIMEOUT, NULL);
	build_lookup(report, path, FAILURE_DNS_TEMPORARY, NULL);
	check_verdict(report, "dns_servers_silent", STATUS_FAIL);
	CHECK(build_also(&path->verdict, "cfg_pac_unreachable"));
	report_free(report);
}

static void deadline_cut_the_download(void)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, NULL, "pac");
	path->route.problem = "the PAC script decides, and it was not asked";
	search(report, path, "pac", "unreachable")->failure = FAILURE_DEADLINE;
	report->run.end_reason = END_DEADLINE;
	end(report, "meas_budget_cut_short", STATUS_INCONCLUSIVE);
}

static void given_script_breaks_and_nothing_is_behind_it(void)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, NULL, "pac");
	path->route.error = "syntax";
	search(report, path, "pac", "syntax")->script.found_by = "option";
	end(report, "cfg_pac_script_error", STATUS_FAIL);
}

/* What was not run for want of a sandbox says nothing of the script, nor does what was tried without it. */
static void no_sandbox(bool works)
{
	struct report *report = with_script(false);
	struct path *path = fallen_back(report, "no_sandbox");
	search(report, path, "pac", "no_sandbox");
	if (works)
		build_works(report, path, "20.190.128.1");
	else
		build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	check_verdict(report, NULL, STATUS_INCONCLUSIVE);
	CHECK_INT(path->verdict.stage, STAGE_SETTINGS);
	CHECK(build_also(&path->verdict, path->route.problem));
	CHECK_INT(report->finding_count, 0);
	report_free(report);
}

/* A machine account has a ticket, but no password. */
static void sign_in(const char *schemes, enum identity_mode mode, enum status status)
{
	struct report *report = with_script(false);
	struct path *path = fallen_back(report, "needs_auth");
	report->identities[IDENTITY_SYSTEM].mode = mode;
	search(report, path, "pac", "needs_auth");
	struct observation *answer = build_seen(report, path, OP_HTTP_EXCHANGE, FAILURE_NONE);
	answer->experiment = "pac_download";
	answer->http.status = 401;
	header_list_add(report->arena, &answer->http.headers, "www-authenticate", schemes);
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	check_verdict(report, "cfg_pac_needs_auth", status);
	CHECK(status == STATUS_FAIL || path->verdict.confidence < 0.5);
	report_free(report);
}

/* ------------------------------------------------------------------ a script that says DIRECT */

static void says_direct(bool users_works, double least)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, "DIRECT", "pac");
	search(report, path, "pac", NULL);
	call(report, decision(report, path, "DIRECT"), "dnsDomainIs(\"login.example\", \".example\")", "true");
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	users_proxy(report, users_works);
	check_verdict(report, "cfg_pac_returns_direct", STATUS_FAIL);
	CHECK(path->verdict.confidence >= least);
	CHECK(!build_also(&path->verdict, "cfg_proxy_missing_for_system"));
	CHECK(strstr(report->findings[0]->summary, "dnsDomainIs") != NULL);
	CHECK(report->findings[0]->flow_count == 1);
	report_free(report);
}

static void direct_is_open(void)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, "DIRECT", "pac");
	search(report, path, "pac", NULL);
	decision(report, path, "DIRECT");
	build_works(report, path, "20.190.128.1");
	end(report, NULL, STATUS_PASS);
}

/* Others get out directly, and no proxy is known: the firewall lets this one not pass. */
static void direct_is_open_for_others(void)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, "DIRECT", "pac");
	struct path *other =
		build_route(report, build_target(report, "blob.example", 443), IDENTITY_SYSTEM, "DIRECT", true);
	decision(report, path, "DIRECT");
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	build_works(report, other, "20.190.129.1");
	end(report, "tcp_syn_silent_unlocated", STATUS_FAIL);
}

/* The service itself answers badly: the way is not shut. */
static void direct_leads_to_a_bad_answer(void)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, "DIRECT", "pac");
	decision(report, path, "DIRECT");
	struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
	build_tls(report, path, attempt, FAILURE_NONE);
	build_http(report, path, attempt, 500);
	diagnose(report);
	CHECK(path->verdict.status != STATUS_PASS);
	CHECK(!check_text(path->verdict.cause, "cfg_pac_returns_direct"));
	report_free(report);
}

static void bypass_list_is_not_blamed_for_a_script(void)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, "DIRECT", "pac");
	struct proxy_setting *setting = script_setting(report, IDENTITY_SYSTEM, false);
	setting->proxy_enabled = true;
	setting->proxy_server = "new.corp:3128";
	setting->proxy_bypass = "*.example";
	decision(report, path, "DIRECT");
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	users_proxy(report, true);
	check_verdict(report, "cfg_pac_returns_direct", STATUS_FAIL);
	CHECK(!build_also(&path->verdict, "cfg_bypass_sends_direct"));
	report_free(report);
}

/* ------------------------------------------------------------------ lists */

static struct path *path_by_list(struct report *report, const char *taken)
{
	struct path *path = system_path(report, taken, "pac");
	text_list_add(report->arena, &path->route.list, bad);
	text_list_add(report->arena, &path->route.list, good);
	decision(report, path, "PROXY old.corp:3128; PROXY new.corp:3128");
	return path;
}

static void first_is_dead(bool second_works, const char *cause, enum status status)
{
	struct report *report = with_script(false);
	struct path *path = path_by_list(report, second_works ? good : bad);
	struct attempt *first = build_attempt(report, path, "10.0.0.79", FAILURE_CONNECTION_REFUSED);
	first->via = bad;
	if (second_works)
		build_by_proxy(report, path, "new.corp:3128", 200)->via = good;
	else
		build_attempt(report, path, "10.0.0.80", FAILURE_CONNECTION_REFUSED)->via = good;
	check_verdict(report, cause, status);
	CHECK_TEXT(report->findings[0]->subject, "old.corp:3128");
	report_free(report);
}

static void first_works(void)
{
	struct report *report = with_script(false);
	struct path *path = path_by_list(report, bad);
	build_by_proxy(report, path, "old.corp:3128", 200)->via = bad;
	end(report, NULL, STATUS_PASS);
}

/* A refusal is an answer: what comes later in the list is not tried. */
static void first_says_no(void)
{
	struct report *report = with_script(false);
	struct path *path = path_by_list(report, bad);
	build_by_proxy(report, path, "old.corp:3128", 403)->via = bad;
	end(report, "prx_acl_denied", STATUS_FAIL);
}

static void second_says_no(void)
{
	struct report *report = with_script(false);
	struct path *path = path_by_list(report, good);
	build_attempt(report, path, "10.0.0.79", FAILURE_CONNECTION_REFUSED)->via = bad;
	build_by_proxy(report, path, "new.corp:3128", 403)->via = good;
	check_verdict(report, "prx_acl_denied", STATUS_FAIL);
	CHECK(!build_also(&path->verdict, "prx_refused"));
	CHECK_TEXT(report->findings[0]->subject, "new.corp:3128");
	report_free(report);
}

/* ------------------------------------------------------------------ a script that asks DNS */

static struct observation *asked(struct report *report, struct path *path, const char *name, enum failure failure)
{
	struct observation *question = build_query(report, path, "10.0.0.53", failure, NULL);
	struct observation *lookup = build_lookup(report, path, failure, NULL);
	question->experiment = lookup->experiment = "pac_dns";
	question->dns.name = lookup->lookup.name = name;
	return lookup;
}

static void depends_on_dns(const char *name, enum failure failure, bool users_works, const char *cause)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, "DIRECT", "pac");
	struct observation *said = decision(report, path, "DIRECT");
	call(report, said, "isInNet(\"site.corp\", \"10.0.0.0\", \"255.0.0.0\")", "false");
	asked(report, path, name, failure);
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	users_proxy(report, users_works);
	end(report, cause, STATUS_FAIL);
}

/* The look-up fails, and the proxy that the script then names refuses: DNS is not to blame. */
static void proxy_named_all_the_same(void)
{
	struct report *report = with_script(false);
	struct path *path = system_path(report, bad, "pac");
	call(report, decision(report, path, bad), "dnsResolve(\"site.corp\")", "null");
	asked(report, path, "site.corp", FAILURE_DNS_SERVFAIL);
	build_attempt(report, path, "10.0.0.79", FAILURE_CONNECTION_REFUSED);
	end(report, "prx_refused", STATUS_FAIL);
}

static void scripts_that_give_nothing(void)
{
	each_error_has_its_cause();
	evaluation_fails("exception", "cfg_pac_script_error");
	evaluation_fails("bad_return", "cfg_pac_script_error");
	evaluation_fails("too_large", "cfg_pac_script_error");
	users_proxy_makes_it_surer();
	what_comes_next_works();
	what_comes_next_works_for_others();
	dns_is_dead_altogether();
	deadline_cut_the_download();
	given_script_breaks_and_nothing_is_behind_it();
	no_sandbox(true);
	no_sandbox(false);
	sign_in("basic", MODE_SETTINGS, STATUS_FAIL);
	sign_in("negotiate, ntlm", MODE_SETTINGS, STATUS_INCONCLUSIVE);
	sign_in("negotiate", MODE_RUN, STATUS_FAIL);
}

static void scripts_that_answer(void)
{
	says_direct(true, 0.9);
	says_direct(false, 0.5);
	direct_is_open();
	direct_is_open_for_others();
	direct_leads_to_a_bad_answer();
	bypass_list_is_not_blamed_for_a_script();
	first_is_dead(true, "cfg_pac_first_proxy_dead", STATUS_WARN);
	first_is_dead(false, "prx_refused", STATUS_FAIL);
	first_works();
	first_says_no();
	second_says_no();
	depends_on_dns("site.corp", FAILURE_DNS_SERVFAIL, true, "cfg_pac_depends_on_client_dns");
	depends_on_dns("site.corp", FAILURE_TIMEOUT, true, "cfg_pac_depends_on_client_dns");
	depends_on_dns("site.corp", FAILURE_DNS_NXDOMAIN, true, "cfg_pac_depends_on_client_dns");
	depends_on_dns("site.corp", FAILURE_DNS_SERVFAIL, false, "cfg_pac_returns_direct");
	depends_on_dns("other.corp", FAILURE_DNS_SERVFAIL, true, "cfg_pac_returns_direct");
	depends_on_dns("site.corp", FAILURE_NONE, true, "cfg_pac_returns_direct");
	proxy_named_all_the_same();
}

int main(void)
{
	scripts_that_give_nothing();
	scripts_that_answer();
	return check_summary();
}
