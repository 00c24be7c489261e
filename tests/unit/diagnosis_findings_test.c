/* From verdicts to findings and readiness: what counts, what is grouped, what stays silent. */

#include "check.h"
#include "report_builder.h"

static void one_dead_proxy_is_one_finding(void)
{
	static const char *const hosts[] = {"a.example", "b.example", "c.example"};
	struct report *report = build_report();
	for (size_t i = 0; i < 3; i++) {
		struct target *target = build_target(report, hosts[i], 443);
		struct path *path = build_route(report, target, IDENTITY_USER, "PROXY proxy.corp:3128", true);
		build_attempt(report, path, "10.0.0.80", FAILURE_CONNECTION_REFUSED);
	}
	diagnose(report);
	CHECK_INT(report->finding_count, 1);
	const struct finding *finding = report->findings[0];
	CHECK_TEXT(finding->cause, "prx_refused");
	CHECK_TEXT(finding->subject, "proxy.corp:3128");
	CHECK_INT(finding->subject_kind, SUBJECT_PROXY);
	CHECK_INT(finding->target_count, 3);
	CHECK_INT(finding->paths.count, 3);
	CHECK(finding->remedy.count > 0);
	CHECK(strstr(finding->remedy.items[0], "proxy.corp:3128") != NULL);
	CHECK(strchr(finding->remedy.items[0], '{') == NULL);
	CHECK_TEXT(report->readiness.blocking.items[0], "f1");
	CHECK_TEXT(report->readiness.basis, "user/wininet");
	report_free(report);
}

/* The server is meant to use a proxy: a direct way that is shut is no news. */
static void shut_direct_way_beside_a_good_proxy(void)
{
	struct report *report = build_report();
	struct target *target = build_target(report, "login.example", 443);
	struct path *proxied = build_route(report, target, IDENTITY_USER, "PROXY proxy.corp:3128", true);
	struct path *direct = build_path(report, target);
	direct->effective = false;
	build_by_proxy(report, proxied, "proxy.corp:3128", 200);
	build_attempt(report, direct, "20.190.128.1", FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_INT(direct->verdict.status, STATUS_FAIL);
	CHECK_INT(report->finding_count, 0);
	CHECK(report->readiness.ready);
	CHECK_INT(diagnose_exit_status(report), 0);
	report_free(report);
}

static void contrast_joins_the_finding_that_is_there(void)
{
	struct report *report = build_report();
	struct target *target = build_target(report, "login.example", 443);
	struct path *effective = build_route(report, target, IDENTITY_USER, "PROXY proxy.corp:3128", true);
	struct path *contrast = build_route(report, target, IDENTITY_SYSTEM, "PROXY proxy.corp:3128", false);
	build_attempt(report, effective, "10.0.0.80", FAILURE_CONNECTION_REFUSED);
	build_attempt(report, contrast, "10.0.0.80", FAILURE_CONNECTION_REFUSED);
	diagnose(report);
	CHECK_INT(report->finding_count, 1);
	CHECK_INT(report->findings[0]->paths.count, 2);
	CHECK_INT(report->findings[0]->target_count, 1);
	report_free(report);
}

static void recommended_targets_only_warn(void)
{
	struct report *report = build_report();
	struct path *good = build_path(report, build_target(report, "login.example", 443));
	struct path *crl = build_path(report, build_target(report, "crl.example", 443));
	crl->target->required = false;
	build_works(report, good, "20.190.128.1");
	build_attempt(report, crl, "13.107.4.52", FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_INT(report->findings[0]->status, STATUS_WARN);
	CHECK_INT(diagnose_exit_status(report), 0);
	report_free(report);
}

static void what_blocks_stands_first(void)
{
	struct report *report = build_report();
	struct path *crl = build_path(report, build_target(report, "crl.example", 443));
	struct path *login = build_path(report, build_target(report, "login.example", 443));
	crl->target->required = false;
	build_attempt(report, crl, "13.107.4.52", FAILURE_TIMEOUT);
	build_attempt(report, login, "20.190.128.1", FAILURE_CONNECTION_REFUSED);
	diagnose(report);
	CHECK_INT(report->finding_count, 2);
	CHECK_TEXT(report->findings[0]->id, "f1");
	CHECK_TEXT(report->findings[0]->cause, "tcp_refused_unlocated");
	CHECK_INT(report->readiness.blocking.count, 1);
	report_free(report);
}

/* Two stand-ins of one wildcard. */
static struct report *stand_ins(void)
{
	struct report *report = build_report();
	for (int i = 0; i < 2; i++) {
		struct path *path = build_path(report, build_target(report, i ? "b.example" : "a.example", 443));
		path->target->rule = "*.example";
		path->target->stand_in = true;
	}
	return report;
}

static void wildcard_passes_by_one_stand_in(void)
{
	struct report *report = stand_ins();
	build_attempt(report, report->paths[0], "20.190.128.1", FAILURE_TIMEOUT);
	build_works(report, report->paths[1], "20.190.128.2");
	diagnose(report);
	CHECK_INT(report->paths[0]->verdict.status, STATUS_FAIL);
	CHECK_INT(report->findings[0]->status, STATUS_WARN);
	CHECK_INT(diagnose_exit_status(report), 0);
	report_free(report);
	report = stand_ins();
	build_attempt(report, report->paths[0], "20.190.128.1", FAILURE_TIMEOUT);
	build_attempt(report, report->paths[1], "20.190.128.2", FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_INT(report->findings[0]->status, STATUS_FAIL);
	CHECK_INT(report->findings[0]->target_count, 2);
	CHECK_INT(diagnose_exit_status(report), 1);
	report_free(report);
}

static void unknown_stand_in(bool other_works)
{
	struct report *report = stand_ins();
	build_query(report, report->paths[0], "10.0.0.53", FAILURE_DNS_NXDOMAIN, NULL);
	build_query(report, report->paths[0], "10.0.0.54", FAILURE_DNS_NXDOMAIN, NULL);
	if (other_works)
		build_works(report, report->paths[1], "20.190.128.2");
	else
		build_query(report, report->paths[1], "10.0.0.53", FAILURE_DNS_NXDOMAIN, NULL);
	diagnose(report);
	CHECK_INT(report->paths[0]->verdict.status, STATUS_INCONCLUSIVE);
	CHECK_TEXT(report->paths[0]->verdict.cause, "dns_nxdomain_everywhere");
	CHECK_INT(report->finding_count, 0);
	CHECK_INT(diagnose_exit_status(report), other_works ? 0 : 3);
	report_free(report);
}

static void assumed_region_only_warns(bool assumed)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "pod.example", 443));
	path->target->regional = true;
	report->run.region_assumed = assumed;
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_INT(path->verdict.status, assumed ? STATUS_WARN : STATUS_FAIL);
	CHECK_INT(diagnose_exit_status(report), assumed ? 0 : 1);
	report_free(report);
}

static void sign_in_of_an_account_that_is_not_ours(enum identity_id identity)
{
	struct report *report = build_report();
	struct target *target = build_target(report, "login.example", 443);
	struct path *path = build_route(report, target, identity, "PROXY proxy.corp:3128", true);
	struct attempt *attempt = build_by_proxy(report, path, "proxy.corp:3128", 407);
	text_list_add(report->arena, &build_last(attempt)->proxy.schemes, "negotiate");
	bool system = identity == IDENTITY_SYSTEM;
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "prx_auth_none_sent");
	CHECK_INT(path->verdict.status, system ? STATUS_INCONCLUSIVE : STATUS_FAIL);
	CHECK_INT(path->verdict.confidence < 0.5, system);
	CHECK_INT(report->findings[0]->status, system ? STATUS_WARN : STATUS_FAIL);
	CHECK_INT(diagnose_exit_status(report), system ? 3 : 1);
	report_free(report);
}

static void stages_say_where_and_why_not(void)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	diagnose(report);
	static const enum status wanted[] = {STATUS_NOT_APPLICABLE, STATUS_PASS,    STATUS_FAIL,
					     STATUS_NOT_APPLICABLE, STATUS_SKIPPED, STATUS_SKIPPED};
	CHECK_INT(path->stage_count, 6);
	for (size_t i = 0; i < 6; i++) {
		CHECK_INT(path->stages[i].stage, STAGE_SETTINGS + i);
		CHECK_INT(path->stages[i].status, wanted[i]);
		bool left_out = wanted[i] == STATUS_SKIPPED || wanted[i] == STATUS_NOT_APPLICABLE;
		CHECK_INT(path->stages[i].because != NULL, left_out);
	}
	CHECK_INT(path->stages[2].duration_us, 5 * SECOND_US);
	report_free(report);
}

static void judging_twice_gives_the_same(void)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	diagnose(report);
	diagnose(report);
	CHECK_INT(report->finding_count, 1);
	CHECK_TEXT(report->findings[0]->id, "f1");
	CHECK_INT(path->stage_count, 6);
	CHECK_INT(path->verdict.evidence.count, 1);
	CHECK_INT(report->readiness.blocking.count, 1);
	report_free(report);
}

static void every_cause_is_complete(void)
{
	size_t count;
	const struct cause *causes = cause_all(&count);
	CHECK_INT(count, 190);
	for (size_t i = 0; i < count; i++) {
		const struct cause *cause = &causes[i];
		CHECK(cause_find(cause->id) == cause);
		CHECK(cause->title[0] && cause->proof[0] && cause->remedy[0]);
		CHECK(cause->stage != STAGE_NONE && cause->owner != OWNER_NONE);
		CHECK(cause->title[strlen(cause->title) - 1] != '.');
	}
	CHECK(!cause_find("no_such_cause"));
	CHECK(!cause_find(NULL));
}

int main(void)
{
	one_dead_proxy_is_one_finding();
	shut_direct_way_beside_a_good_proxy();
	contrast_joins_the_finding_that_is_there();
	recommended_targets_only_warn();
	what_blocks_stands_first();
	wildcard_passes_by_one_stand_in();
	unknown_stand_in(true);
	unknown_stand_in(false);
	assumed_region_only_warns(true);
	assumed_region_only_warns(false);
	sign_in_of_an_account_that_is_not_ours(IDENTITY_USER);
	sign_in_of_an_account_that_is_not_ours(IDENTITY_SYSTEM);
	stages_say_where_and_why_not();
	judging_twice_gives_the_same();
	every_cause_is_complete();
	return check_summary();
}
