/* Rules about routes, connections, settings and the run's own limits. */

#include "check.h"
#include "report_builder.h"

static struct report *one_path(struct path **path)
{
	struct report *report = build_report();
	*path = build_path(report, build_target(report, "login.example", 443));
	return report;
}

static void expect(struct report *report, enum status status, const char *cause)
{
	diagnose(report);
	CHECK_TEXT(report->paths[0]->verdict.cause, cause);
	CHECK_INT(report->paths[0]->verdict.status, status);
	report_free(report);
}

static void rejected(const char *from, int type, int code, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_rejected(report, path, "20.190.128.1", FAILURE_HOST_UNREACHABLE, from, type, code);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	bool named = strncmp(cause, "ip_", 3) == 0;
	CHECK_INT(path->verdict.has_place, named);
	if (named) {
		CHECK_TEXT(path->verdict.at.last_heard, from);
		CHECK_INT(report->findings[0]->subject_kind, SUBJECT_HOP);
		CHECK_TEXT(report->findings[0]->subject, from);
		CHECK(path->verdict.confidence >= 0.7);
	}
	report_free(report);
}

/* An error that is neither "no route" nor "forbidden". */
static void other_refusals(const char *from, int code, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_rejected(report, path, "20.190.128.1", FAILURE_UNKNOWN, from, 3, code);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	CHECK_TEXT(path->verdict.at.last_heard, from);
	report_free(report);
}

/* No way to the name servers: the device that says so is the finding, with the questions as flows. */
static void rejected_questions(int type, int code, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	for (size_t i = 0; i < 2; i++) {
		struct observation *query =
			build_query(report, path, i ? "10.0.0.53" : "10.0.0.54", FAILURE_HOST_UNREACHABLE, NULL);
		query->dns.icmp = (struct icmp_error){"10.9.1.1", type, code, NOT_MEASURED};
	}
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	CHECK_INT(report->finding_count, 1);
	CHECK_TEXT(report->findings[0]->subject, "10.9.1.1");
	CHECK_INT(report->findings[0]->flow_count, 2);
	report_free(report);
}

static void devices_that_name_themselves(void)
{
	rejected("10.9.1.1", 3, 13, "ip_admin_prohibited");
	rejected("10.9.1.1", 3, 10, "ip_admin_prohibited");
	rejected("10.9.1.1", 3, 9, "ip_admin_prohibited");
	rejected("10.9.1.1", 3, 0, "ip_no_route_from_router");
	rejected("10.9.1.1", 3, 1, "ip_no_route_from_router");
	rejected("10.9.1.1", 11, 0, "ip_forwarding_loop");
	rejected("10.0.0.2", 3, 1, "host_gateway_neighbour_dead"); /* our own address: no neighbour answered */
}

static void silence_and_refusal_are_not_located(void)
{
	static const struct {
		enum failure failure;
		const char *cause;
	} rows[] = {{FAILURE_TIMEOUT, "tcp_syn_silent_unlocated"},
		    {FAILURE_CONNECTION_REFUSED, "tcp_refused_unlocated"}};
	for (size_t i = 0; i < 2; i++) {
		struct path *path;
		struct report *report = one_path(&path);
		build_attempt(report, path, "20.190.128.1", rows[i].failure);
		build_attempt(report, path, "20.190.128.2", rows[i].failure);
		diagnose(report);
		CHECK_TEXT(path->verdict.cause, rows[i].cause);
		CHECK(path->verdict.confidence <= 0.5);
		CHECK_INT(path->verdict.evidence.count, 2);
		CHECK_INT(path->verdict.not_run.count, 2);
		CHECK_INT(report->findings[0]->flow_count, 2);
		report_free(report);
	}
}

static void some_addresses_of_a_name(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_works(report, path, "20.190.128.1");
	build_attempt(report, path, "20.190.128.2", FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_INT(path->verdict.status, STATUS_WARN);
	CHECK_TEXT(path->verdict.cause, "tcp_partial_address_block");
	CHECK(build_also(&path->verdict, "tcp_syn_silent_unlocated"));
	CHECK_INT(report->findings[0]->status, STATUS_WARN);
	CHECK_INT(report->findings[0]->flow_count, 1);
	CHECK_INT(diagnose_exit_status(report), 0);
	report_free(report);
}

/* What only another server's answer gave is contrast, unless the system's own lookup was not made. */
static void addresses_of_other_servers(void)
{
	for (int looked_up = 0; looked_up < 2; looked_up++) {
		struct path *path;
		struct report *report = one_path(&path);
		if (looked_up)
			build_lookup(report, path, FAILURE_NONE, (const char *const[]){"20.190.128.1", NULL});
		build_works(report, path, "20.190.128.1");
		build_attempt(report, path, "20.190.128.2", FAILURE_TIMEOUT)->found_by = FOUND_BY_SERVER;
		expect(report, looked_up ? STATUS_PASS : STATUS_WARN, looked_up ? NULL : "tcp_partial_address_block");
	}
}

static void closed_unasked(enum failure bare, const char *cause, enum owner owner)
{
	struct path *path;
	struct report *report = one_path(&path);
	struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
	build_tls(report, path, attempt, FAILURE_CONNECTION_RESET);
	struct observation *one = build_seen(report, path, OP_TCP_CONNECT, bare);
	one->experiment = "bare_connect";
	one->tcp.tuple = attempt->observations.items[0]->tcp.tuple;
	observation_list_add(report->arena, &attempt->observations, one);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	CHECK_INT(path->verdict.owner, owner);
	report_free(report);
}

static void port_80(bool https_works, bool all_alike, const char *cause)
{
	struct report *report = build_report();
	struct path *first = build_path(report, build_target(report, "ncsi.example", 80));
	struct path *second = build_path(report, build_target(report, "crl.example", 80));
	struct path *https = build_path(report, build_target(report, "login.example", 443));
	build_attempt(report, first, "13.107.4.52", FAILURE_TIMEOUT);
	build_attempt(report, second, "13.107.4.53", all_alike ? FAILURE_TIMEOUT : FAILURE_CONNECTION_REFUSED);
	if (https_works)
		build_works(report, https, "20.190.128.1");
	else
		build_attempt(report, https, "20.190.128.1", FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_TEXT(first->verdict.cause, cause);
	if (strcmp(cause, "http_port80_only_blocked") == 0) {
		CHECK_INT(report->finding_count, 1);
		CHECK_INT(first->verdict.stage, STAGE_HTTP);
		CHECK(build_also(&first->verdict, "tcp_syn_silent_unlocated"));
	}
	report_free(report);
}

/* ------------------------------------------------------------------ ranges */

static struct path *range_path(struct report *report)
{
	struct target *target = build_target(report, NULL, 443);
	target->kind = TARGET_CIDR;
	target->url = NULL;
	target->name = target->cidr = target->rule = "20.190.128.0/18";
	return build_path(report, target);
}

static void ranges(void)
{
	struct path *login, *range;
	struct report *report = one_path(&login);
	build_works(report, login, "20.190.128.1");
	range = range_path(report);
	build_attempt(report, range, "20.190.150.1", FAILURE_TIMEOUT)->found_by = FOUND_BY_SAMPLE;
	diagnose(report);
	CHECK_INT(range->verdict.status, STATUS_PASS); /* by the address that the name resolves to */
	report_free(report);

	report = build_report();
	range = range_path(report);
	build_attempt(report, range, "20.190.150.1", FAILURE_TIMEOUT)->found_by = FOUND_BY_SAMPLE;
	diagnose(report);
	CHECK_INT(range->verdict.status, STATUS_INCONCLUSIVE);
	CHECK_TEXT(range->verdict.cause, NULL);
	CHECK_INT(report->finding_count, 0);
	CHECK_INT(diagnose_exit_status(report), 3); /* nothing else says that anything works */
	report_free(report);

	report = build_report();
	range = range_path(report);
	build_attempt(report, range, "20.190.150.1", FAILURE_CONNECTION_REFUSED)->found_by = FOUND_BY_SAMPLE;
	diagnose(report);
	CHECK_INT(range->verdict.status, STATUS_PASS); /* somebody inside answered */
	report_free(report);

	report = build_report();
	range = range_path(report);
	build_rejected(report, range, "20.190.150.1", FAILURE_HOST_UNREACHABLE, "10.9.1.1", 3, 13);
	expect(report, STATUS_FAIL, "ip_admin_prohibited");
}

/* ------------------------------------------------------------------ limits */

static void cut_short(enum end_reason reason, enum failure failure, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	report->run.end_reason = reason;
	build_attempt(report, path, "20.190.128.1", failure);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	CHECK_INT(path->verdict.status, STATUS_INCONCLUSIVE);
	CHECK_INT(report->readiness.inconclusive.count, 1);
	CHECK_INT(diagnose_exit_status(report), 3);
	report_free(report);
	/* what is known already is said all the same */
	report = one_path(&path);
	report->run.end_reason = reason;
	build_works(report, path, "20.190.128.1");
	build_attempt(report, path, "20.190.128.2", failure);
	diagnose(report);
	CHECK_INT(path->verdict.status, STATUS_PASS);
	report_free(report);
}

int main(void)
{
	devices_that_name_themselves();
	other_refusals("10.9.1.1", 2, "tcp_refused_unlocated");
	other_refusals("10.9.1.1", 3, "tcp_refused_by_middlebox"); /* port unreachable, in a filter's own name */
	other_refusals("20.190.128.1", 3, "tcp_refused_unlocated");
	other_refusals("20.190.128.1", 1, "tcp_refused_unlocated");
	rejected_questions(3, 13, "ip_admin_prohibited");
	rejected_questions(3, 1, "ip_no_route_from_router");
	rejected_questions(11, 0, "ip_forwarding_loop");
	silence_and_refusal_are_not_located();
	some_addresses_of_a_name();
	addresses_of_other_servers();
	closed_unasked(FAILURE_EOF, "tcp_fin_on_accept", OWNER_FIREWALL_TEAM); /* no proof that it is Microsoft's */
	closed_unasked(FAILURE_CONNECTION_RESET, "tcp_reset_idle_established", OWNER_FIREWALL_TEAM);
	closed_unasked(FAILURE_NONE, "tls_hello_reset_unlocated", OWNER_FIREWALL_TEAM);
	port_80(true, true, "http_port80_only_blocked");
	port_80(true, false, "tcp_syn_silent_unlocated");
	port_80(false, true, "tcp_syn_silent_unlocated");
	ranges();
	cut_short(END_DEADLINE, FAILURE_DEADLINE, "meas_budget_cut_short");
	cut_short(END_INTERRUPTED, FAILURE_INTERRUPTED, "meas_interrupted");
	return check_summary();
}
