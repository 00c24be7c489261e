/* Where a connection request ends without an answer, told by walks and contrasts. */

#include "walk_check.h"

/* Walks of connection requests, of another port, and of datagrams: what they say together, and where it ends. */
static const struct {
	struct walked walked;
	const char *cause, *place;
} silences[] = {
	/* another port gets further */
	{{"10.1.0.1 - - -", "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", "10.1.0.1 - - -"},
	 "ip_acl_at_hop_port_specific",
	 "1 10.1.0.1 10.2.0.1"},
	/* only the far end itself is known behind it */
	{{"10.1.0.1 10.2.0.1 - -", "10.1.0.1 10.2.0.1 - syn_ack", NULL},
	 "ip_acl_at_hop_port_specific",
	 "2 10.2.0.1 " ONE},
	/* the next hop is mute, the one after is known */
	{{"10.1.0.1 - - - -", "10.1.0.1 - 10.3.0.1 rst", NULL}, "ip_acl_at_hop_port_specific", "1 10.1.0.1 10.3.0.1"},
	/* datagrams get further: a control as well as another port */
	{{"10.1.0.1 - - -", "10.1.0.1 - - -", "10.1.0.1 10.2.0.1 - -"},
	 "ip_acl_at_hop_port_specific",
	 "1 10.1.0.1 10.2.0.1"},
	/* a device forbids the other port aloud: it minds ports */
	{{"10.1.0.1 - - -", "10.1.0.1 !10.1.0.1 !10.1.0.1", NULL}, "ip_acl_at_hop_port_specific", "1 10.1.0.1 " ONE},
	/* not even the first hop is heard, and for another port it is */
	{{"- - - -", "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", NULL}, "ip_acl_at_hop_port_specific", "0 10.0.0.2 10.1.0.1"},
	/* nothing lies between, and another port answers */
	{{"- - - -", "rst", NULL}, "ip_acl_at_hop_port_specific", "0 10.0.0.2 " ONE},
	/* nothing gets further */
	{{"10.1.0.1 10.2.0.1 - -", "10.1.0.1 10.2.0.1 - -", "10.1.0.1 10.2.0.1 - -"},
	 "ip_path_dies_all_protocols",
	 "2 10.2.0.1 " ONE},
	{{"10.1.0.1 - -", NULL, "- - -"}, "ip_path_dies_all_protocols", "1 10.1.0.1 " ONE},
	/* the hops go round */
	{{"10.1.0.1 10.2.0.1 10.3.0.1 10.2.0.1 10.3.0.1", NULL, NULL}, "ip_forwarding_loop", "2 10.2.0.1 -"},
	/* nothing to compare with, or nothing that is heard */
	{{"10.1.0.1 - -", NULL, NULL}, "tcp_syn_silent_unlocated", NULL},
	{{"- - -", "- - -", "- - -"}, "tcp_syn_silent_unlocated", NULL},
	{{"- - -", "- - syn_ack", NULL}, "tcp_syn_silent_unlocated", NULL},
	/* datagrams hear hops, connection requests none: a system may not tell of these */
	{{"- - -", "- - -", "10.1.0.1 10.2.0.1 -"}, "tcp_syn_silent_unlocated", NULL},
	{{NULL, "10.1.0.1 10.2.0.1", NULL}, "tcp_syn_silent_unlocated", NULL},
};

static void silence_has_a_place(void)
{
	for (size_t i = 0; i < sizeof(silences) / sizeof(silences[0]); i++) {
		struct path *path;
		struct report *report = one_path(&path);
		build_attempt(report, path, ONE, FAILURE_TIMEOUT);
		build_walks(report, ONE, &silences[i].walked);
		diagnose(report);
		if (!check_text(path->verdict.cause, silences[i].cause))
			printf("in row %zu\n", i);
		CHECK_TEXT(path->verdict.cause, silences[i].cause);
		check_place(&path->verdict, silences[i].place);
		CHECK(path->verdict.evidence.count <= 8);
		report_free(report);
	}
}

static double confidence_of(enum failure failure, const struct walked *walked)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_attempt(report, path, ONE, failure);
	build_walks(report, ONE, walked);
	diagnose(report);
	double confidence = path->verdict.confidence;
	report_free(report);
	return confidence;
}

/* Where the far end itself, the way back or this server may be it, a filter on the way out is not proven. */
static void what_else_may_be_it_counts(void)
{
	const enum failure silent = FAILURE_TIMEOUT, refused = FAILURE_CONNECTION_REFUSED;
	CHECK(confidence_of(silent, &(struct walked){"10.1.0.1 - -", "10.1.0.1 10.2.0.1 syn_ack", NULL}) >= 0.8);
	CHECK(confidence_of(silent, &(struct walked){"10.1.0.1 - -", "10.1.0.1 syn_ack", NULL}) < 0.8);
	CHECK(confidence_of(refused, &(struct walked){"10.1.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL}) >= 0.8);
	CHECK(confidence_of(refused, &(struct walked){"rst", "10.1.0.1 10.2.0.1 syn_ack", NULL}) < 0.8);
}

/* No hop hears the request: whether this system let it out at all is known only where it counts that. */
static void own_filter_may_keep_it(void)
{
	for (int counts = 0; counts < 2; counts++) {
		struct path *path;
		struct report *report = one_path(&path);
		struct tcp_connect *tcp = &build_last(build_attempt(report, path, ONE, FAILURE_TIMEOUT))->tcp;
		tcp->has_tcp_info = true;
		tcp->tcp_info.held_back = counts ? 0 : NOT_MEASURED;
		build_walks(report, ONE, &(struct walked){"- - -", "10.1.0.1 10.2.0.1 syn_ack", NULL});
		diagnose(report);
		CHECK_TEXT(path->verdict.cause, "ip_acl_at_hop_port_specific");
		CHECK((path->verdict.confidence >= 0.8) == counts);
		CHECK_INT(path->verdict.not_run.count, !counts);
		report_free(report);
	}
}

/* A port of the same address that works is a control too, whoever asked. */
static void other_port_of_the_address_works(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	struct path *http = build_path(report, build_target(report, "login.example", 80));
	build_attempt(report, path, ONE, FAILURE_TIMEOUT);
	build_works(report, http, ONE);
	build_walks(report, ONE, &(struct walked){"10.1.0.1 - -", NULL, "10.1.0.1 - -"});
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "ip_acl_at_hop_port_specific");
	CHECK_TEXT(path->verdict.at.first_silent, ONE);
	report_free(report);
}

static void muted_hops_are_said(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	struct path *second = build_path(report, build_target(report, "storage.example", PORT));
	build_attempt(report, path, ONE, FAILURE_TIMEOUT);
	build_attempt(report, second, OTHER, FAILURE_TIMEOUT);
	build_walks(report, ONE, &(struct walked){"- - -", "- - syn_ack", "- - echo"});
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "tcp_syn_silent_unlocated");
	CHECK(build_also(&path->verdict, "meas_icmp_muted"));
	CHECK(build_also(&second->verdict, "meas_icmp_muted"));
	CHECK(path->verdict.confidence <= 0.5);
	CHECK_INT(report->finding_count, 1);
	CHECK_TEXT(report->findings[0]->cause, "tcp_syn_silent_unlocated");
	report_free(report);
}

static void missing_rights_are_said(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	struct path *works = build_path(report, build_target(report, "storage.example", PORT));
	build_attempt(report, path, ONE, FAILURE_TIMEOUT);
	build_works(report, works, OTHER);
	build_walks(report, ONE, &(struct walked){"10.1.0.1 - -", "10.1.0.1 10.2.0.1 syn_ack", "x x x"});
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "ip_acl_at_hop_port_specific");
	CHECK(build_also(&path->verdict, "meas_privilege_missing"));
	CHECK_INT(works->verdict.status, STATUS_PASS);
	report_free(report);
}

/* Other addresses that were only confirmed are the same finding. */
static void confirmed_addresses_are_one_finding(void)
{
	static const struct {
		const char *confirm, *cause;
		size_t findings;
	} rows[] = {
		{"10.1.0.1 - -", "ip_acl_at_hop_port_specific", 1},
		{"? - -", "ip_acl_at_hop_port_specific", 1},
		{"10.1.0.1 10.2.0.1 -", "tcp_syn_silent_unlocated", 2}, /* gets further */
		{"10.1.0.9 - -", "tcp_syn_silent_unlocated", 2},	/* by another hop */
		{"10.1.0.1 rst", "tcp_syn_silent_unlocated", 2},	/* is not silent at all */
		{"10.1.0.1", "tcp_syn_silent_unlocated", 2},		/* was not asked beyond */
		{"- - -", "tcp_syn_silent_unlocated", 2},
		{NULL, "tcp_syn_silent_unlocated", 2},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct path *path;
		struct report *report = one_path(&path);
		struct path *second = build_path(report, build_target(report, "storage.example", PORT));
		build_attempt(report, path, ONE, FAILURE_TIMEOUT);
		build_attempt(report, second, OTHER, FAILURE_TIMEOUT);
		build_walks(report, ONE, &(struct walked){"10.1.0.1 - -", "10.1.0.1 10.2.0.1 syn_ack", NULL});
		if (rows[i].confirm)
			build_walk(report, OTHER, "walk_confirm", PORT, "syn", rows[i].confirm);
		diagnose(report);
		CHECK_TEXT(path->verdict.cause, "ip_acl_at_hop_port_specific");
		CHECK_TEXT(second->verdict.cause, rows[i].cause);
		CHECK_INT(report->finding_count, rows[i].findings);
		if (rows[i].findings == 1) {
			CHECK_TEXT(report->findings[0]->subject, "10.1.0.1");
			CHECK_INT(report->findings[0]->subject_kind, SUBJECT_HOP);
			CHECK_INT(report->findings[0]->target_count, 2);
			CHECK(strstr(report->findings[0]->summary, "hop 1 (10.1.0.1)") != NULL);
		}
		report_free(report);
	}
}

static void two_places_are_two_findings(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	struct path *second = build_path(report, build_target(report, "storage.example", PORT));
	build_attempt(report, path, ONE, FAILURE_TIMEOUT);
	build_attempt(report, second, OTHER, FAILURE_TIMEOUT);
	build_walks(report, ONE, &(struct walked){"10.1.0.1 - -", "10.1.0.1 10.2.0.1 syn_ack", NULL});
	build_walks(report, OTHER, &(struct walked){"10.1.0.1 10.2.0.1 -", "10.1.0.1 10.2.0.1 syn_ack", NULL});
	diagnose(report);
	CHECK_TEXT(path->verdict.at.last_heard, "10.1.0.1");
	CHECK_TEXT(second->verdict.at.last_heard, "10.2.0.1");
	CHECK_INT(report->finding_count, 2);
	report_free(report);
}

static void some_addresses_die_at_a_hop(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_works(report, path, OTHER);
	build_attempt(report, path, ONE, FAILURE_TIMEOUT);
	build_walks(report, ONE, &(struct walked){"10.1.0.1 - -", "10.1.0.1 - -", "10.1.0.1 - -"});
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "tcp_partial_address_block");
	CHECK(build_also(&path->verdict, "ip_path_dies_all_protocols"));
	check_place(&path->verdict, "1 10.1.0.1 " ONE);
	CHECK_TEXT(report->findings[0]->subject, "login.example");
	report_free(report);
}

/* A device that named itself stands where a walk heard it. */
static void devices_that_named_themselves_have_a_hop(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_rejected(report, path, ONE, FAILURE_HOST_UNREACHABLE, "10.2.0.1", 3, 13);
	build_walks(report, ONE, &(struct walked){"10.1.0.1 10.2.0.1 !10.2.0.1 !10.2.0.1", NULL, NULL});
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "ip_admin_prohibited");
	check_place(&path->verdict, "2 10.2.0.1 -");
	CHECK(strstr(report->findings[0]->summary, "hop 2") != NULL);
	report_free(report);
}

/* The way to a proxy: the proxy's cause stays, with its place. */
static void way_to_a_proxy_has_a_place(void)
{
	struct report *report = build_report();
	struct path *path = build_route(report, build_target(report, "login.example", PORT), IDENTITY_USER,
					"PROXY proxy.corp:443", true);
	struct attempt *attempt = build_attempt(report, path, ONE, FAILURE_TIMEOUT);
	build_last(attempt)->tcp.peer = "proxy";
	build_walks(report, ONE, &(struct walked){"10.1.0.1 - -", "10.1.0.1 10.2.0.1 syn_ack", NULL});
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "prx_unreachable");
	CHECK(build_also(&path->verdict, "ip_acl_at_hop_port_specific"));
	check_place(&path->verdict, "1 10.1.0.1 10.2.0.1");
	CHECK_TEXT(report->findings[0]->subject, "proxy.corp:443");
	report_free(report);
}

/* A reset in the proxy's name is none of the proxy's; one that comes from as far as the proxy is. */
static void way_to_a_proxy_is_refused(const char *walk, const char *cause, const char *place)
{
	struct report *report = build_report();
	struct path *path = build_route(report, build_target(report, "login.example", PORT), IDENTITY_USER,
					"PROXY proxy.corp:443", true);
	struct attempt *attempt = build_attempt(report, path, ONE, FAILURE_CONNECTION_REFUSED);
	build_last(attempt)->tcp.peer = "proxy";
	build_walks(report, ONE, &(struct walked){walk, "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", NULL});
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	check_place(&path->verdict, place);
	report_free(report);
}

int main(void)
{
	silence_has_a_place();
	what_else_may_be_it_counts();
	own_filter_may_keep_it();
	other_port_of_the_address_works();
	muted_hops_are_said();
	missing_rights_are_said();
	confirmed_addresses_are_one_finding();
	two_places_are_two_findings();
	some_addresses_die_at_a_hop();
	devices_that_named_themselves_have_a_hop();
	way_to_a_proxy_has_a_place();
	way_to_a_proxy_is_refused("10.1.0.1 rst", "prx_unreachable", "1 10.1.0.1 10.2.0.1");
	way_to_a_proxy_is_refused("10.1.0.1 10.2.0.1 10.3.0.1 rst", "prx_refused", NULL);
	return check_summary();
}
