/* Rules about proxy settings: one path fails, another by other settings works. */

#include "check.h"
#include "report_builder.h"

static const char old_proxy[] = "PROXY old.corp:3128", new_proxy[] = "PROXY new.corp:3128";

static struct report *with_settings(const char *user, const char *system)
{
	struct report *report = build_report();
	build_target(report, "login.example", 443);
	build_setting(report, IDENTITY_USER, user);
	build_setting(report, IDENTITY_SYSTEM, system);
	return report;
}

static void end(struct report *report, const char *cause)
{
	diagnose(report);
	CHECK_TEXT(report->paths[0]->verdict.cause, cause);
	CHECK_INT(report->paths[0]->verdict.status, STATUS_FAIL);
	report_free(report);
}

static void proxy_missing_for_system(bool users_works, const char *cause)
{
	struct report *report = with_settings("new.corp:3128", NULL);
	struct target *target = report->targets[0];
	struct path *system = build_route(report, target, IDENTITY_SYSTEM, "DIRECT", true);
	struct path *user = build_route(report, target, IDENTITY_USER, new_proxy, false);
	build_attempt(report, system, "20.190.128.1", FAILURE_TIMEOUT);
	build_by_proxy(report, user, "new.corp:3128", users_works ? 200 : 503);
	diagnose(report);
	CHECK_TEXT(system->verdict.cause, cause);
	if (users_works) {
		CHECK_INT(system->verdict.stage, STAGE_SETTINGS);
		CHECK(build_also(&system->verdict, "tcp_syn_silent_unlocated"));
		CHECK(strstr(report->findings[0]->summary, "PROXY new.corp:3128") != NULL);
		CHECK(strstr(report->findings[0]->remedy.items[0], " new.corp:3128") != NULL);
	}
	report_free(report);
}

static void proxies_differ(bool other_works, const char *cause)
{
	struct report *report = with_settings("new.corp:3128", "old.corp:3128");
	struct target *target = report->targets[0];
	struct path *system = build_route(report, target, IDENTITY_SYSTEM, old_proxy, true);
	struct path *user = build_route(report, target, IDENTITY_USER, new_proxy, false);
	build_attempt(report, system, "10.0.0.79", FAILURE_CONNECTION_REFUSED);
	build_by_proxy(report, user, "new.corp:3128", other_works ? 200 : 503);
	diagnose(report);
	CHECK_TEXT(system->verdict.cause, cause);
	CHECK(!other_works || build_also(&system->verdict, "prx_refused"));
	report_free(report);
}

static void agents_own_proxy(void)
{
	struct report *report = with_settings(NULL, "new.corp:3128");
	struct target *target = report->targets[0];
	struct path *agent = build_route(report, target, IDENTITY_SYSTEM, old_proxy, true);
	struct path *system = build_route(report, target, IDENTITY_SYSTEM, new_proxy, false);
	agent->route.kind = ROUTE_AGENT;
	build_attempt(report, agent, "10.0.0.79", FAILURE_CONNECTION_REFUSED);
	build_by_proxy(report, system, "new.corp:3128", 200);
	end(report, "cfg_agent_override_wrong");
}

static void winhttp_against_wininet(void)
{
	struct report *report = with_settings(NULL, "old.corp:3128");
	struct target *target = report->targets[0];
	struct path *wininet = build_route(report, target, IDENTITY_SYSTEM, old_proxy, true);
	struct path *winhttp = build_route(report, target, IDENTITY_SYSTEM, new_proxy, false);
	winhttp->route.kind = ROUTE_WINHTTP;
	build_attempt(report, wininet, "10.0.0.79", FAILURE_CONNECTION_REFUSED);
	build_by_proxy(report, winhttp, "new.corp:3128", 200);
	end(report, "cfg_winhttp_wininet_mismatch");
}

static void bypass(const char *entries, const char *cause)
{
	struct report *report = with_settings(NULL, "new.corp:3128");
	struct target *other = build_target(report, "blob.example", 443);
	struct path *path = build_route(report, report->targets[0], IDENTITY_SYSTEM, "DIRECT", true);
	struct path *proxied = build_route(report, other, IDENTITY_SYSTEM, new_proxy, true);
	build_setting(report, IDENTITY_SYSTEM, "new.corp:3128")->proxy_bypass = entries;
	path->route.rule = "entry `*.example` of ProxyOverride";
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	build_by_proxy(report, proxied, "new.corp:3128", 200);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	if (entries)
		CHECK_TEXT(report->findings[0]->subject, "entry `*.example` of ProxyOverride");
	report_free(report);
}

static void malformed(bool works)
{
	struct report *report = with_settings(NULL, "new.corp");
	struct path *path = build_route(report, report->targets[0], IDENTITY_SYSTEM, "PROXY new.corp:80", true);
	path->route.problem = "no port is given";
	if (works)
		build_by_proxy(report, path, "new.corp:80", 200);
	else
		build_attempt(report, path, "10.0.0.79", FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "cfg_proxy_string_malformed");
	CHECK_INT(path->verdict.status, works ? STATUS_WARN : STATUS_FAIL);
	report_free(report);
}

static void undecided_route(void)
{
	struct report *report = with_settings(NULL, NULL);
	struct path *path = build_route(report, report->targets[0], IDENTITY_SYSTEM, NULL, true);
	path->route.problem = "a PAC script decides";
	diagnose(report);
	CHECK_INT(path->verdict.status, STATUS_INCONCLUSIVE);
	CHECK_INT(path->verdict.stage, STAGE_SETTINGS);
	CHECK_TEXT(path->verdict.cause, NULL);
	CHECK_INT(diagnose_exit_status(report), 3);
	report_free(report);
}

int main(void)
{
	proxy_missing_for_system(true, "cfg_proxy_missing_for_system");
	proxy_missing_for_system(false, "tcp_syn_silent_unlocated");
	proxies_differ(true, "cfg_proxy_differs_by_identity");
	proxies_differ(false, "prx_refused");
	agents_own_proxy();
	winhttp_against_wininet();
	bypass("*.example", "cfg_bypass_sends_direct");
	bypass(NULL, "tcp_syn_silent_unlocated");
	malformed(false);
	malformed(true);
	undecided_route();
	return check_summary();
}
