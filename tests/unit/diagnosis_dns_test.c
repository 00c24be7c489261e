/* Rules about names: for each a case that holds, and one that nearly does. */

#include "check.h"
#include "report_builder.h"

static const char *const none[] = {NULL};

/* One target whose two servers answer so, and whose system lookup fails. */
static struct report *unresolved(enum failure first, enum failure second)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	build_lookup(report, path, FAILURE_DNS_OTHER, none);
	build_query(report, path, "10.0.0.53", first, first == FAILURE_NONE ? "20.190.128.1" : NULL);
	build_query(report, path, "10.0.0.54", second, second == FAILURE_NONE ? "20.190.128.1" : NULL);
	return report;
}

static void check_cause(struct report *report, const char *cause, const char *subject)
{
	diagnose(report);
	const struct verdict *verdict = &report->paths[0]->verdict;
	CHECK_TEXT(verdict->cause, cause);
	CHECK_INT(verdict->status, STATUS_FAIL);
	CHECK_INT(verdict->stage, STAGE_DNS);
	CHECK(verdict->evidence.count > 0);
	CHECK_INT(report->finding_count, 1);
	if (report->finding_count)
		CHECK_TEXT(report->findings[0]->subject, subject);
	CHECK_INT(diagnose_exit_status(report), 1);
	report_free(report);
}

static void both_say(enum failure failure, const char *cause, const char *subject)
{
	check_cause(unresolved(failure, failure), cause, subject);
}

static void servers_of_one_mind(void)
{
	const char *both = "10.0.0.53, 10.0.0.54";
	both_say(FAILURE_DNS_REFUSED, "dns_refused", both);
	both_say(FAILURE_DNS_SERVFAIL, "dns_servfail_upstream", both);
	both_say(FAILURE_DNS_MALFORMED, "dns_reply_malformed", both);
	both_say(FAILURE_DNS_FORMERR, "dns_reply_malformed", both);
	both_say(FAILURE_DNS_NOTIMP, "dns_reply_malformed", both);
	both_say(FAILURE_DNS_NO_ANSWER, "dns_nodata", "login.example");
	both_say(FAILURE_DNS_NXDOMAIN, "dns_nxdomain_everywhere", "login.example");
	both_say(FAILURE_TIMEOUT, "dns_servers_silent", both);
	both_say(FAILURE_CONNECTION_REFUSED, "dns_port_rejected", both);
}

static void one_silent_server_does_not_hide_what_the_other_says(void)
{
	check_cause(unresolved(FAILURE_TIMEOUT, FAILURE_DNS_REFUSED), "dns_refused", "10.0.0.54");
	check_cause(unresolved(FAILURE_TIMEOUT, FAILURE_CONNECTION_REFUSED), "dns_port_rejected", "10.0.0.54");
	check_cause(unresolved(FAILURE_TIMEOUT, FAILURE_NONE), "dns_first_server_dead_slow", "10.0.0.53");
	check_cause(unresolved(FAILURE_DNS_NXDOMAIN, FAILURE_NONE), "dns_servers_disagree", "10.0.0.53");
}

static void no_servers(void)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	report->host.resolvers.count = 0;
	build_fact(report, "resolvers", NULL, "absent", NULL);
	build_lookup(report, path, FAILURE_DNS_TEMPORARY, none);
	check_cause(report, "dns_no_servers", "server01");
}

/* What was asked to find a PAC script says nothing of a path: neither of other names nor of the same one. */
static void questions_of_detection_and_download_are_no_paths(void)
{
	static const char *const address[] = {"20.190.128.1", NULL};
	struct report *report = unresolved(FAILURE_DNS_NXDOMAIN, FAILURE_DNS_NXDOMAIN);
	struct path *path = report->paths[0];
	struct observation *wpad = build_query(report, path, "10.0.0.53", FAILURE_DNS_NXDOMAIN, NULL);
	wpad->dns.name = "wpad.corp.example";
	wpad->experiment = "wpad";
	build_query(report, path, "10.0.0.53", FAILURE_NONE, "20.190.128.1")->experiment = "pac_download";
	build_query(report, path, "10.0.0.54", FAILURE_DEADLINE, NULL)->experiment = "pac_dns";
	struct observation *lookup = build_lookup(report, path, FAILURE_NONE, address);
	lookup->experiment = "pac_download";
	lookup->duration_us = 3600LL * 1000 * 1000;
	diagnose(report);
	CHECK(path->stages[1].duration_us < lookup->duration_us);
	check_cause(report, "dns_nxdomain_everywhere", "login.example");
}

static void control_tells_local_from_everywhere(void)
{
	struct report *report = unresolved(FAILURE_DNS_NXDOMAIN, FAILURE_DNS_NXDOMAIN);
	build_query(report, report->paths[0], "9.9.9.9", FAILURE_NONE, "20.190.128.1")->dns.control = true;
	check_cause(report, "dns_nxdomain_local_only", "10.0.0.53, 10.0.0.54");
	report = unresolved(FAILURE_DNS_NXDOMAIN, FAILURE_DNS_NXDOMAIN);
	build_query(report, report->paths[0], "9.9.9.9", FAILURE_DNS_NXDOMAIN, NULL)->dns.control = true;
	check_cause(report, "dns_nxdomain_everywhere", "login.example");
}

static void silent_over_tcp_too_is_proven(void)
{
	struct report *report = unresolved(FAILURE_TIMEOUT, FAILURE_TIMEOUT);
	diagnose(report);
	CHECK(report->paths[0]->verdict.confidence < 0.8);
	CHECK_INT(report->paths[0]->verdict.not_run.count, 1);
	report_free(report);
	report = unresolved(FAILURE_TIMEOUT, FAILURE_TIMEOUT);
	for (int i = 0; i < 2; i++) {
		struct observation *one =
			build_query(report, report->paths[0], i ? "10.0.0.54" : "10.0.0.53", FAILURE_TIMEOUT, NULL);
		one->dns.transport = "tcp";
		one->dns.tries = 0; /* no connection, no question */
		one->experiment = "dns_over_tcp";
	}
	diagnose(report);
	CHECK(report->paths[0]->verdict.confidence >= 0.8);
	CHECK_INT(report->paths[0]->verdict.not_run.count, 0);
	report_free(report);
}

static void transports(void)
{
	struct report *report = unresolved(FAILURE_TIMEOUT, FAILURE_TIMEOUT);
	build_query(report, report->paths[0], "10.0.0.53", FAILURE_NONE, "20.190.128.1")->dns.transport = "tcp";
	check_cause(report, "dns_udp_blocked_tcp_ok", "10.0.0.53");
	report = unresolved(FAILURE_TIMEOUT, FAILURE_NONE);
	struct observation *cut = report->observations.items[report->observations.count - 1];
	cut->dns.truncated = true;
	cut->dns.answer_count = 0;
	build_query(report, report->paths[0], "10.0.0.54", FAILURE_TIMEOUT, NULL)->dns.transport = "tcp";
	check_cause(report, "dns_tcp_fallback_blocked", "10.0.0.54");
}

static void policy_and_private_link(void)
{
	struct report *report = unresolved(FAILURE_DNS_NXDOMAIN, FAILURE_DNS_NXDOMAIN);
	report->observations.items[report->observations.count - 1]->dns.ede = 17;
	check_cause(report, "dns_policy_filtered", "10.0.0.54");
	report = unresolved(FAILURE_DNS_NXDOMAIN, FAILURE_DNS_NXDOMAIN);
	report->observations.items[report->observations.count - 1]->dns.ede =
		22; /* no reachable authority: no policy */
	check_cause(report, "dns_nxdomain_everywhere", "login.example");
	for (int ends = 0; ends < 2; ends++) {
		report = unresolved(FAILURE_DNS_NXDOMAIN, FAILURE_DNS_NXDOMAIN);
		struct dns_query *query = &report->observations.items[report->observations.count - 1]->dns;
		query->answers = arena_alloc(report->arena, 2 * sizeof(*query->answers));
		query->answers[0] = (struct dns_answer){"login.example", "CNAME", "x.privatelink.example", 60};
		query->answers[1] = (struct dns_answer){"x.privatelink.example", "CNAME", "y.example", 60};
		query->answer_count = ends ? 1 : 2;
		check_cause(report, ends ? "dns_privatelink_dead_end" : "dns_nxdomain_everywhere", "login.example");
	}
}

/* A path whose servers all give that address, where a connection then fails. */
static struct report *resolved_to(const char *address, const char *service)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	path->target->service = service;
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){address, NULL});
	build_query(report, path, "10.0.0.53", FAILURE_NONE, address);
	build_query(report, path, "10.0.0.54", FAILURE_NONE, address);
	build_attempt(report, path, address, FAILURE_TIMEOUT);
	return report;
}

static void wrong_addresses(void)
{
	check_cause(resolved_to("0.0.0.0", "entra"), "dns_sinkholed", "10.0.0.53, 10.0.0.54");
	check_cause(resolved_to("127.0.0.1", "other"), "dns_sinkholed", "10.0.0.53, 10.0.0.54");
	check_cause(resolved_to("10.9.9.9", "entra"), "dns_rewritten_private", "10.0.0.53, 10.0.0.54");
	/* a host of one's own may well have a private address */
	struct report *report = resolved_to("10.9.9.9", "other");
	diagnose(report);
	CHECK_TEXT(report->paths[0]->verdict.cause, "tcp_syn_silent_unlocated");
	report_free(report);
}

/* What a server, or the way to it, says of one name counts for those on which it is silent: systems limit their ICMP errors. */
static void one_word_for_all_names(bool over_tcp, const char *cause)
{
	struct report *report = build_report();
	struct path *first = build_path(report, build_target(report, "login.example", 443));
	struct path *second = build_path(report, build_target(report, "two.example", 443));
	for (size_t i = 0; i < 2; i++) {
		const char *server = i ? "10.0.0.54" : "10.0.0.53";
		build_query(report, first, server, over_tcp ? FAILURE_TIMEOUT : FAILURE_CONNECTION_REFUSED, NULL);
		build_query(report, second, server, FAILURE_TIMEOUT, NULL);
		if (over_tcp)
			build_query(report, first, server, FAILURE_NONE, "20.190.128.1")->dns.transport = "tcp";
	}
	build_lookup(report, first, FAILURE_DNS_TEMPORARY, none);
	build_lookup(report, second, FAILURE_DNS_TEMPORARY, none);
	diagnose(report);
	CHECK_TEXT(first->verdict.cause, cause);
	CHECK_TEXT(second->verdict.cause, cause);
	CHECK_INT(report->finding_count, 1);
	CHECK_INT(report->findings[0]->flow_count, 4);
	report_free(report);
}

static void lookup_fails_alone(void)
{
	struct report *report = unresolved(FAILURE_NONE, FAILURE_NONE);
	diagnose(report);
	CHECK_TEXT(report->paths[0]->verdict.cause, "meas_stack_disagrees");
	CHECK_INT(report->paths[0]->verdict.status, STATUS_INCONCLUSIVE);
	CHECK_INT(diagnose_exit_status(report), 3);
	report_free(report);
}

/* Every name denied by every server is one fault of the servers; a name among others that exist is its own. */
static void denied(bool other_is_known, size_t findings, const char *subject)
{
	struct report *report = build_report();
	for (size_t i = 0; i < 2; i++) {
		struct path *path = build_path(report, build_target(report, i ? "two.example" : "login.example", 443));
		bool known = i == 1 && other_is_known;
		build_lookup(report, path, known ? FAILURE_NONE : FAILURE_DNS_NXDOMAIN,
			     known ? (const char *const[]){"20.190.128.1", NULL} : none);
		build_query(report, path, "10.0.0.53", known ? FAILURE_NONE : FAILURE_DNS_NXDOMAIN,
			    known ? "20.190.128.1" : NULL);
		if (known)
			build_works(report, path, "20.190.128.1");
	}
	diagnose(report);
	CHECK_INT(report->finding_count, findings);
	CHECK_TEXT(report->findings[0]->subject, subject);
	report_free(report);
}

static void other_type_unanswered(void)
{
	struct report *report = unresolved(FAILURE_NONE, FAILURE_NONE);
	for (size_t i = 0; i < 2; i++)
		build_query(report, report->paths[0], i ? "10.0.0.54" : "10.0.0.53", FAILURE_TIMEOUT, NULL)->dns.type =
			"AAAA";
	check_cause(report, "dns_servers_silent", "10.0.0.53, 10.0.0.54");
}

static void works_in_spite_of_a_server(enum failure failure, int64_t lookup_us, const char *cause)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){"20.190.128.1", NULL})->duration_us = lookup_us;
	build_query(report, path, "10.0.0.53", failure, NULL);
	build_query(report, path, "10.0.0.54", FAILURE_NONE, "20.190.128.1");
	build_works(report, path, "20.190.128.1");
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	CHECK_INT(path->verdict.status, cause ? STATUS_WARN : STATUS_PASS);
	CHECK_INT(diagnose_exit_status(report), 0);
	report_free(report);
}

int main(void)
{
	servers_of_one_mind();
	one_silent_server_does_not_hide_what_the_other_says();
	no_servers();
	questions_of_detection_and_download_are_no_paths();
	control_tells_local_from_everywhere();
	silent_over_tcp_too_is_proven();
	transports();
	policy_and_private_link();
	wrong_addresses();
	one_word_for_all_names(false, "dns_port_rejected");
	one_word_for_all_names(true, "dns_udp_blocked_tcp_ok");
	other_type_unanswered();
	lookup_fails_alone();
	denied(false, 1, "10.0.0.53");
	denied(true, 1, "login.example");
	works_in_spite_of_a_server(FAILURE_TIMEOUT, 5 * SECOND_US, "dns_first_server_dead_slow");
	works_in_spite_of_a_server(FAILURE_TIMEOUT, 20000, NULL); /* somebody's cache answered: nobody waits */
	works_in_spite_of_a_server(FAILURE_DNS_NXDOMAIN, 20000, "dns_servers_disagree");
	return check_summary();
}
