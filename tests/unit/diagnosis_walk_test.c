/* Where a connection request ends, told by walks and contrasts. */

#include "check.h"
#include "walk_builder.h"

#define ONE "20.190.128.1"
#define OTHER "20.190.128.2"
enum { PORT = 443 };

static struct report *one_path(struct path **path)
{
	struct report *report = build_report();
	*path = build_path(report, build_target(report, "login.example", PORT));
	return report;
}

/* Walks of the failing port and its controls; NULL: none was made. */
struct walked {
	const char *syn, *control, *udp;
};

static void build_walks(struct report *report, const char *address, const struct walked *walked)
{
	if (walked->syn)
		build_walk(report, address, "walk", PORT, "syn", walked->syn);
	if (walked->control)
		build_walk(report, address, "walk_control", 80, "syn", walked->control);
	if (walked->udp)
		build_walk(report, address, "walk_udp", NOT_MEASURED, "udp", walked->udp);
}

static void check_place(const struct verdict *verdict, int hop, const char *last_heard, const char *first_silent)
{
	CHECK_INT(verdict->has_place, last_heard != NULL);
	if (!last_heard)
		return;
	CHECK_INT(verdict->at.hop, hop);
	CHECK_TEXT(verdict->at.last_heard, last_heard);
	CHECK_TEXT(verdict->at.first_silent, first_silent);
}

/* ------------------------------------------------------------------ silence */

static void silence_has_a_place(void)
{
	static const struct {
		struct walked walked;
		const char *cause;
		int hop;
		const char *last_heard, *first_silent;
	} rows[] = {
		/* another port gets further */
		{{"10.1.0.1 - - -", "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", "10.1.0.1 - - -"},
		 "ip_acl_at_hop_port_specific",
		 1,
		 "10.1.0.1",
		 "10.2.0.1"},
		/* only the far end itself is known behind it */
		{{"10.1.0.1 10.2.0.1 - -", "10.1.0.1 10.2.0.1 - syn_ack", NULL},
		 "ip_acl_at_hop_port_specific",
		 2,
		 "10.2.0.1",
		 ONE},
		/* the next hop is mute, the one after is known */
		{{"10.1.0.1 - - - -", "10.1.0.1 - 10.3.0.1 rst", NULL},
		 "ip_acl_at_hop_port_specific",
		 1,
		 "10.1.0.1",
		 "10.3.0.1"},
		/* datagrams get further: a control as well as another port */
		{{"10.1.0.1 - - -", "10.1.0.1 - - -", "10.1.0.1 10.2.0.1 - -"},
		 "ip_acl_at_hop_port_specific",
		 1,
		 "10.1.0.1",
		 "10.2.0.1"},
		/* a device forbids the other port aloud: it minds ports */
		{{"10.1.0.1 - - -", "10.1.0.1 !10.1.0.1 !10.1.0.1", NULL},
		 "ip_acl_at_hop_port_specific",
		 1,
		 "10.1.0.1",
		 ONE},
		/* not even the first hop is heard, and for another port it is */
		{{"- - - -", "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", NULL},
		 "ip_acl_at_hop_port_specific",
		 0,
		 "10.0.0.2",
		 "10.1.0.1"},
		/* nothing lies between, and another port answers */
		{{"- - - -", "rst", NULL}, "ip_acl_at_hop_port_specific", 0, "10.0.0.2", ONE},
		/* nothing gets further */
		{{"10.1.0.1 10.2.0.1 - -", "10.1.0.1 10.2.0.1 - -", "10.1.0.1 10.2.0.1 - -"},
		 "ip_path_dies_all_protocols",
		 2,
		 "10.2.0.1",
		 ONE},
		{{"10.1.0.1 - -", NULL, "- - -"}, "ip_path_dies_all_protocols", 1, "10.1.0.1", ONE},
		/* the hops go round */
		{{"10.1.0.1 10.2.0.1 10.3.0.1 10.2.0.1 10.3.0.1", NULL, NULL},
		 "ip_forwarding_loop",
		 2,
		 "10.2.0.1",
		 NULL},
		/* nothing to compare with, or nothing that is heard */
		{{"10.1.0.1 - -", NULL, NULL}, "tcp_syn_silent_unlocated", -1, NULL, NULL},
		{{"- - -", "- - -", "- - -"}, "tcp_syn_silent_unlocated", -1, NULL, NULL},
		{{"- - -", "- - syn_ack", NULL}, "tcp_syn_silent_unlocated", -1, NULL, NULL},
		/* datagrams hear hops, connection requests none: a system may not tell of these */
		{{"- - -", "- - -", "10.1.0.1 10.2.0.1 -"}, "tcp_syn_silent_unlocated", -1, NULL, NULL},
		{{NULL, "10.1.0.1 10.2.0.1", NULL}, "tcp_syn_silent_unlocated", -1, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct path *path;
		struct report *report = one_path(&path);
		build_attempt(report, path, ONE, FAILURE_TIMEOUT);
		build_walks(report, ONE, &rows[i].walked);
		diagnose(report);
		if (!check_text(path->verdict.cause, rows[i].cause))
			printf("in row %zu\n", i);
		CHECK_TEXT(path->verdict.cause, rows[i].cause);
		check_place(&path->verdict, rows[i].hop, rows[i].last_heard, rows[i].first_silent);
		CHECK(path->verdict.evidence.count <= 8);
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
	check_place(&path->verdict, 1, "10.1.0.1", ONE);
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
	check_place(&path->verdict, 2, "10.2.0.1", NULL);
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
	check_place(&path->verdict, 1, "10.1.0.1", "10.2.0.1");
	CHECK_TEXT(report->findings[0]->subject, "proxy.corp:443");
	report_free(report);
}

/* ------------------------------------------------------------------ resets */

static void ttl_of(struct report *report, int port, int ttl, enum failure let_in)
{
	for (int floor = ttl; floor <= ttl + 1; floor++)
		build_connect(report, ONE, port, "reset_ttl", floor > ttl ? FAILURE_TIMEOUT : let_in)->tcp.min_ttl =
			floor;
}

static void rtt_of(struct report *report, int port, enum failure failure, int64_t rtt_us)
{
	build_connect(report, ONE, port, port == PORT ? "again" : "other_port", failure)->duration_us = rtt_us;
}

static void resets_come_from_somewhere(void)
{
	static const struct {
		struct walked walked;
		int reset_ttl, synack_ttl; /* 0: not known */
		int64_t reset_us, synack_us;
		const char *cause;
		int hop;
		const char *last_heard, *first_silent;
	} rows[] = {
		/* a smaller TTL draws it than the far end's own answer */
		{{"10.1.0.1 rst", "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", NULL},
		 0,
		 0,
		 0,
		 0,
		 "tcp_refused_by_middlebox",
		 1,
		 "10.1.0.1",
		 "10.2.0.1"},
		{{"rst", "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", NULL},
		 0,
		 0,
		 0,
		 0,
		 "tcp_refused_by_middlebox",
		 0,
		 "10.0.0.2",
		 "10.1.0.1"},
		{{"10.1.0.1 rst", "10.1.0.1 rst", "10.1.0.1 10.2.0.1 echo"},
		 0,
		 0,
		 0,
		 0,
		 "tcp_refused_by_middlebox",
		 1,
		 "10.1.0.1",
		 "10.2.0.1"},
		/* a muted hop before it */
		{{"10.1.0.1 - rst", "10.1.0.1 - 10.3.0.1 syn_ack", NULL},
		 0,
		 0,
		 0,
		 0,
		 "tcp_refused_by_middlebox",
		 1,
		 "10.1.0.1",
		 "10.3.0.1"},
		/* the same TTL draws both, and the reset has passed as many routers */
		{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
		 62,
		 62,
		 0,
		 0,
		 "tcp_refused_at_target",
		 -1,
		 NULL,
		 NULL},
		{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
		 253,
		 62,
		 0,
		 0,
		 "tcp_refused_at_target",
		 -1,
		 NULL,
		 NULL},
		/* only datagrams are answered: the reset has passed as many routers as lie before it */
		{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 echo"},
		 62,
		 0,
		 0,
		 0,
		 "tcp_refused_at_target",
		 -1,
		 NULL,
		 NULL},
		{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 echo"},
		 63,
		 0,
		 0,
		 0,
		 "tcp_refused_unlocated",
		 -1,
		 NULL,
		 NULL},
		/* the last router before it: fewer routers passed */
		{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
		 63,
		 62,
		 0,
		 0,
		 "tcp_refused_by_middlebox",
		 2,
		 "10.2.0.1",
		 ONE},
		/* a system that does not tell TTLs of packets */
		{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
		 0,
		 0,
		 0,
		 0,
		 "tcp_refused_at_target",
		 -1,
		 NULL,
		 NULL},
		/* and the same TTL, but much sooner */
		{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
		 0,
		 0,
		 5000,
		 60000,
		 "tcp_refused_by_middlebox",
		 2,
		 "10.2.0.1",
		 ONE},
		/* a busy moment is no distance */
		{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
		 62,
		 62,
		 5000,
		 60000,
		 "tcp_refused_at_target",
		 -1,
		 NULL,
		 NULL},
		/* without a walk: TTL and time alike, or not */
		{{NULL, NULL, NULL}, 62, 62, 20000, 21000, "tcp_refused_at_target", -1, NULL, NULL},
		{{NULL, NULL, NULL}, 64, 61, 2000, 3000, "tcp_refused_by_middlebox", -1, NULL, NULL},
		{{NULL, NULL, NULL}, 0, 0, 20000, 21000, "tcp_refused_unlocated", -1, NULL, NULL},
		{{NULL, NULL, NULL}, 0, 0, 0, 0, "tcp_refused_unlocated", -1, NULL, NULL},
		/* both ports are reset alike: nothing is known of the far end */
		{{"10.1.0.1 rst", "10.1.0.1 rst", "10.1.0.1 - - -"},
		 0,
		 0,
		 0,
		 0,
		 "tcp_refused_unlocated",
		 -1,
		 NULL,
		 NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct path *path;
		struct report *report = one_path(&path);
		build_attempt(report, path, ONE, FAILURE_CONNECTION_REFUSED);
		build_walks(report, ONE, &rows[i].walked);
		if (rows[i].reset_ttl)
			ttl_of(report, PORT, rows[i].reset_ttl, FAILURE_CONNECTION_REFUSED);
		if (rows[i].synack_ttl)
			ttl_of(report, 80, rows[i].synack_ttl, FAILURE_NONE);
		if (rows[i].reset_us) {
			rtt_of(report, PORT, FAILURE_CONNECTION_REFUSED, rows[i].reset_us);
			rtt_of(report, 80, FAILURE_NONE, rows[i].synack_us);
		}
		diagnose(report);
		if (!check_text(path->verdict.cause, rows[i].cause))
			printf("in row %zu\n", i);
		CHECK_TEXT(path->verdict.cause, rows[i].cause);
		check_place(&path->verdict, rows[i].hop, rows[i].last_heard, rows[i].first_silent);
		CHECK_INT(path->verdict.owner, OWNER_FIREWALL_TEAM); /* nobody has proved whose the address is */
		report_free(report);
	}
}

static void refused_at_an_address_that_proved_itself(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	struct target *odd = build_target(report, "login.example", 8443);
	struct path *refused = build_path(report, odd);
	odd->kind = TARGET_TCP;
	odd->url = NULL;
	build_works(report, path, ONE);
	build_attempt(report, refused, ONE, FAILURE_CONNECTION_REFUSED);
	build_walk(report, ONE, "walk", 8443, "syn", "10.1.0.1 10.2.0.1 rst");
	build_walk(report, ONE, "walk_control", 443, "syn", "10.1.0.1 10.2.0.1 syn_ack");
	diagnose(report);
	CHECK_TEXT(refused->verdict.cause, "tcp_refused_at_target");
	CHECK_INT(refused->verdict.owner, OWNER_MICROSOFT);
	report_free(report);
}

static void confirmed_resets_are_one_finding(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	struct path *second = build_path(report, build_target(report, "storage.example", PORT));
	build_attempt(report, path, ONE, FAILURE_CONNECTION_REFUSED);
	build_attempt(report, second, OTHER, FAILURE_CONNECTION_REFUSED);
	build_walks(report, ONE, &(struct walked){"10.1.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL});
	build_walk(report, OTHER, "walk_confirm", PORT, "syn", "10.1.0.1 rst");
	diagnose(report);
	CHECK_TEXT(second->verdict.cause, "tcp_refused_by_middlebox");
	CHECK_INT(report->finding_count, 1);
	CHECK_TEXT(report->findings[0]->subject, "10.1.0.1");
	report_free(report);
}

/* ------------------------------------------------------------------ accepted by somebody else */

/* Connected, and then silence after the hello. */
static struct report *silent_hello(struct path **path)
{
	struct report *report = one_path(path);
	struct attempt *attempt = build_attempt(report, *path, ONE, FAILURE_NONE);
	build_tls(report, *path, attempt, FAILURE_TIMEOUT);
	return report;
}

static void somebody_else_accepts(void)
{
	static const struct {
		enum failure impossible; /* NOT_SUPPORTED: it was not tried */
		struct walked walked;
		bool spoke;
		const char *cause;
	} rows[] = {
		{FAILURE_NONE, {NULL, NULL, NULL}, false, "tcp_synack_by_middlebox"},
		{FAILURE_CONNECTION_REFUSED, {NULL, NULL, NULL}, false, "tls_hello_silent_unlocated"},
		{FAILURE_TIMEOUT, {NULL, NULL, NULL}, false, "tls_hello_silent_unlocated"},
		{FAILURE_TIMEOUT,
		 {"10.1.0.1 syn_ack", "10.1.0.1 10.2.0.1 syn_ack", "10.1.0.1 10.2.0.1 echo"},
		 false,
		 "tcp_synack_by_middlebox"},
		{FAILURE_TIMEOUT,
		 {"10.1.0.1 10.2.0.1 syn_ack", NULL, "10.1.0.1 10.2.0.1 echo"},
		 false,
		 "tls_hello_silent_unlocated"},
		{FAILURE_NOT_SUPPORTED, {"10.1.0.1 syn_ack", NULL, NULL}, false, "tls_hello_silent_unlocated"},
		{FAILURE_NONE, {NULL, NULL, NULL}, true, "tls_hello_silent_unlocated"}, /* something came through it */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct path *path;
		struct report *report = silent_hello(&path);
		if (rows[i].impossible != FAILURE_NOT_SUPPORTED)
			build_connect(report, ONE, 4, "impossible_port", rows[i].impossible);
		if (rows[i].spoke)
			build_connect(report, ONE, PORT, "junk_byte", FAILURE_NONE)->tcp.bytes_received = 7;
		build_walks(report, ONE, &rows[i].walked);
		diagnose(report);
		CHECK_TEXT(path->verdict.cause, rows[i].cause);
		if (strcmp(rows[i].cause, "tcp_synack_by_middlebox") == 0)
			CHECK(build_also(&path->verdict, "tls_hello_silent_unlocated") ||
			      path->verdict.also.count == 0);
		report_free(report);
	}
}

static void nobody_is_blamed_where_it_works(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_works(report, path, ONE);
	build_connect(report, ONE, 4, "impossible_port", FAILURE_NONE);
	diagnose(report);
	CHECK_INT(path->verdict.status, STATUS_PASS);
	CHECK_INT(report->finding_count, 0);
	report_free(report);
}

/* ------------------------------------------------------------------ loss */

static struct attempt *build_counted(struct report *report, struct path *path, const char *address, int segments,
				     int resent)
{
	struct attempt *attempt = build_works(report, path, address);
	struct observation *tcp = attempt->observations.items[0];
	tcp->tcp.has_tcp_info = true;
	tcp->tcp.tcp_info.segments = segments;
	tcp->tcp.tcp_info.retransmits = resent;
	return attempt;
}

/* What a hundred segments of more handshakes came to. */
static void build_sample(struct report *report, int resent)
{
	struct observation *one = build_connect(report, "20.190.128.10", PORT, "loss_again", FAILURE_NONE);
	one->tcp.has_tcp_info = true;
	one->tcp.tcp_info.segments = 100;
	one->tcp.tcp_info.retransmits = resent;
}

static void loss_on_what_works(void)
{
	static const struct {
		int segments, resent[4], again;
		bool lossy;
	} rows[] = {
		{40, {2, 1, 1, 1}, 4, true},   {40, {2, 1, 1, 1}, 0, false}, /* a moment: it did not come again */
		{40, {2, 1, 1, 1}, -1, false},				     /* nor was it looked for */
		{40, {9, 0, 0, 0}, 4, false},				     /* one slow server */
		{40, {9, 1, 1, 0}, 4, false},				     /* and the others by chance */
		{10, {1, 1, 1, 1}, 4, false},				     /* too few to say */
		{10, {1, 1, 1, 0}, 20, false}, {10, {2, 1, 1, 1}, 9, true},  /* but where it is much */
		{400, {2, 1, 1, 1}, 4, false},				     /* less than two of a hundred */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct path *path;
		struct report *report = one_path(&path);
		for (int k = 0; k < 4; k++)
			build_counted(report, path, arena_printf(report->arena, "20.190.128.%d", 10 + k),
				      rows[i].segments, rows[i].resent[k]);
		if (rows[i].again >= 0)
			build_sample(report, rows[i].again);
		/* what never answers is sent again, and says nothing of loss */
		build_connect(report, ONE, PORT, "again", FAILURE_TIMEOUT)->tcp.has_tcp_info = true;
		diagnose(report);
		CHECK_INT(path->verdict.status, rows[i].lossy ? STATUS_WARN : STATUS_PASS);
		CHECK_TEXT(path->verdict.cause, rows[i].lossy ? "ip_loss_high" : NULL);
		CHECK_INT(report->finding_count, rows[i].lossy);
		if (rows[i].lossy && report->finding_count)
			CHECK_INT(report->findings[0]->subject_kind, SUBJECT_HOST);
		report_free(report);
	}
}

/* Silent the first time, and by other source ports not always. */
static void comes_and_goes(bool lossy, int passed, int passed_late, int lost, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	struct path *works = build_path(report, build_target(report, "storage.example", PORT));
	build_attempt(report, path, ONE, FAILURE_TIMEOUT);
	for (int k = 0; k < 4; k++)
		build_counted(report, works, arena_printf(report->arena, "20.190.128.%d", 10 + k), 40, lossy ? 2 : 0);
	if (lossy)
		build_sample(report, 3);
	for (int k = 0; k < passed + passed_late; k++)
		build_connect(report, ONE, PORT, "again", FAILURE_NONE)->duration_us = k < passed ? 20000 : 1020000;
	for (int k = 0; k < lost; k++)
		build_connect(report, ONE, PORT, "again", FAILURE_TIMEOUT);
	build_walks(report, ONE, &(struct walked){"10.1.0.1 - -", "10.1.0.1 10.2.0.1 syn_ack", NULL});
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	report_free(report);
}

/* Another address got through by the few probes that were to confirm: no address is blocked. */
static void confirmation_gets_through(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_works(report, path, "20.190.128.3");
	build_attempt(report, path, ONE, FAILURE_TIMEOUT);
	build_attempt(report, path, OTHER, FAILURE_TIMEOUT);
	build_walk(report, ONE, "walk", PORT, "syn", "10.1.0.1 - 10.3.0.1 syn_ack");
	build_walk(report, OTHER, "walk_confirm", PORT, "syn", ". . 10.3.0.1 syn_ack");
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "tcp_intermittent");
	CHECK_INT(path->verdict.status, STATUS_WARN);
	report_free(report);
}

static void refused_once_and_accepted_again(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_attempt(report, path, ONE, FAILURE_CONNECTION_REFUSED);
	build_connect(report, ONE, PORT, "again", FAILURE_NONE);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "tcp_intermittent");
	CHECK_INT(path->verdict.owner, OWNER_NETWORK_TEAM);
	report_free(report);
}

int main(void)
{
	silence_has_a_place();
	other_port_of_the_address_works();
	muted_hops_are_said();
	missing_rights_are_said();
	confirmed_addresses_are_one_finding();
	two_places_are_two_findings();
	some_addresses_die_at_a_hop();
	devices_that_named_themselves_have_a_hop();
	way_to_a_proxy_has_a_place();
	resets_come_from_somewhere();
	refused_at_an_address_that_proved_itself();
	confirmed_resets_are_one_finding();
	somebody_else_accepts();
	nobody_is_blamed_where_it_works();
	loss_on_what_works();
	confirmation_gets_through();
	refused_once_and_accepted_again();
	comes_and_goes(false, 2, 0, 2, "ip_ecmp_member_bad");
	comes_and_goes(true, 1, 1, 2, "ip_loss_high");
	comes_and_goes(false, 1, 1, 2, "tcp_intermittent");
	comes_and_goes(true, 0, 0, 4, "ip_acl_at_hop_port_specific");
	return check_summary();
}
