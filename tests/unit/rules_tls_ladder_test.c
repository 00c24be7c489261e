/* Table S, what becomes of hellos that differ in one thing; and table R, what the size of packets does. */

#include "verdict_check.h"

static const char HOST[] = "login.example", OTHER[] = "other.example", ADDRESS[] = "20.190.128.1";
enum { HELLO_BYTES = 300, LARGE_BYTES = 3100 };

/* How a hello ended. */
enum end { NOT_TRIED, PASSED, ALERT, SILENT, LOST, RESET, CLOSED, CUT };

static void end_so(struct observation *one, enum end end)
{
	static const enum failure failures[] = {
		[PASSED] = FAILURE_NONE,  [ALERT] = FAILURE_SSL_FAILED_HANDSHAKE, [SILENT] = FAILURE_TIMEOUT,
		[LOST] = FAILURE_TIMEOUT, [RESET] = FAILURE_CONNECTION_RESET,	  [CLOSED] = FAILURE_EOF,
		[CUT] = FAILURE_DEADLINE};
	one->failure = failures[end];
	one->tls.progress = end == PASSED ? TLS_FINISHED : TLS_HELLO_SENT;
	one->tls.bytes_acked = end == LOST ? 1 : one->tls.hello_bytes + 1;
	one->tls.bytes_received = end == PASSED ? 4000 : end == ALERT ? 7 : 0;
	if (end == ALERT)
		one->tls.alert = 112;
}

/* A report whose one path ends so after its hello. */
static struct report *struck(enum end end)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, HOST, 443));
	build_target(report, "neutral.example", 443); /* whose name may be said in a hello */
	struct attempt *attempt = build_attempt(report, path, ADDRESS, FAILURE_NONE);
	struct observation *one = build_tls(report, path, attempt, FAILURE_NONE);
	one->tls.hello_bytes = HELLO_BYTES;
	end_so(one, end);
	attempt->failure = one->failure;
	if (end == PASSED)
		build_http(report, path, attempt, 200);
	return report;
}

static struct observation *rung(struct report *report, const char *experiment, const char *sni, enum end end)
{
	struct observation *one = report_add_observation(report, OP_TLS_HANDSHAKE);
	one->experiment = experiment;
	one->tls.tuple = (struct tuple){"tcp", "10.0.0.2", ADDRESS, 51000 + (int)report->observations.count, 443};
	one->tls.peer = "target";
	one->tls.sni = sni;
	one->tls.hello_bytes = HELLO_BYTES;
	if (strcmp(experiment, "tls_segments") == 0)
		one->tls.segment_bytes = 200;
	end_so(one, end);
	return one;
}

static void climb(struct report *report, const char *experiment, const char *sni, enum end end)
{
	if (end != NOT_TRIED)
		rung(report, experiment, sni, end);
}

static struct tcp_connect *junk(struct report *report, enum end end)
{
	struct observation *one = report_add_observation(report, OP_TCP_CONNECT);
	one->experiment = "junk_byte";
	one->failure = end == RESET ? FAILURE_CONNECTION_RESET : end == CLOSED ? FAILURE_EOF : FAILURE_NONE;
	one->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", ADDRESS, 52000, 443};
	one->tcp.sent_bytes = 20;
	one->tcp.bytes_acked = end == LOST ? 1 : 21;
	one->tcp.bytes_received = end == PASSED ? 150 : 0;
	one->tcp.first_bytes = end == PASSED ? "HTTP/1.1 400 Bad Request" : NULL;
	return &one->tcp;
}

/* ------------------------------------------------------------------ names, all of TLS, a mute far end */

static void what_kills_the_hello(void)
{
	static const struct {
		const char *what;
		enum end own, again, no_sni, other, segments, versions, junk;
		const char *cause;
		double least, most;
	} rows[] = {
		{"another name passes", RESET, RESET, RESET, PASSED, 0, 0, 0, "tls_sni_reset", 0.9, 0.9},
		{"another name passes", CLOSED, 0, 0, PASSED, 0, 0, 0, "tls_sni_reset", 0.85, 0.85},
		{"another name passes", LOST, LOST, LOST, PASSED, 0, 0, 0, "tls_sni_dropped", 0.9, 0.9},
		{"another name passes, this one is acknowledged", SILENT, SILENT, SILENT, PASSED, 0, 0, 0,
		 "tls_sni_dropped", 0.7, 0.7},
		{"one version alone passes", LOST, LOST, LOST, LOST, LOST, PASSED, PASSED, "tls_hello_silent_unlocated",
		 0.1, 0.5},
		{"one version alone passes", RESET, RESET, RESET, RESET, RESET, ALERT, PASSED,
		 "tls_hello_reset_unlocated", 0.1, 0.5},
		{"another name is known to nobody", LOST, LOST, LOST, ALERT, 0, 0, 0, "tls_sni_dropped", 0.9, 0.9},
		{"no name passes", LOST, LOST, PASSED, LOST, 0, 0, PASSED, "tls_sni_dropped", 0.9, 0.9},
		{"another name arrives at least", LOST, LOST, LOST, SILENT, LOST, LOST, PASSED, "tls_sni_dropped", 0.9,
		 0.9},
		{"a foreign name is reset too", RESET, RESET, 0, RESET, 0, 0, 0, "tls_hello_reset_unlocated", 0.1, 0.5},
		{"it comes and goes", RESET, PASSED, 0, PASSED, 0, 0, 0, "tls_hello_reset_unlocated", 0.1, 0.5},
		{"the contrast was cut", SILENT, 0, CUT, CUT, 0, 0, 0, "tls_hello_silent_unlocated", 0.1, 0.5},
		{"junk is answered", LOST, LOST, LOST, LOST, LOST, LOST, PASSED, "tls_any_hello_killed", 0.8, 0.8},
		{"junk is acknowledged", LOST, LOST, LOST, LOST, LOST, LOST, SILENT, "tls_any_hello_killed", 0.8, 0.8},
		{"junk is closed upon", LOST, LOST, LOST, LOST, LOST, LOST, CLOSED, "tls_any_hello_killed", 0.8, 0.8},
		{"junk is answered", RESET, RESET, RESET, RESET, RESET, RESET, PASSED, "tls_any_hello_killed", 0.8,
		 0.8},
		{"junk is left alone", RESET, 0, RESET, RESET, 0, 0, SILENT, "tls_any_hello_killed", 0.8, 0.8},
		{"a hello in pieces passes", RESET, RESET, RESET, RESET, PASSED, RESET, PASSED, "tls_any_hello_killed",
		 0.8, 0.8},
		{"junk is reset too", RESET, RESET, RESET, RESET, 0, 0, RESET, "tls_hello_reset_unlocated", 0.1, 0.5},
		{"junk is closed upon too", CLOSED, CLOSED, CLOSED, CLOSED, 0, 0, CLOSED, "tls_hello_reset_unlocated",
		 0.1, 0.5},
		{"junk is lost too", LOST, LOST, LOST, LOST, LOST, LOST, LOST, "tls_hello_silent_unlocated", 0.1, 0.5},
		{"a name was not tried", LOST, LOST, LOST, 0, LOST, LOST, PASSED, "tls_hello_silent_unlocated", 0.1,
		 0.5},
		{"size was not tried", SILENT, SILENT, SILENT, SILENT, 0, 0, PASSED, "tls_hello_silent_unlocated", 0.1,
		 0.5},
		{"all is taken in silence", SILENT, SILENT, SILENT, SILENT, SILENT, SILENT, SILENT,
		 "tls_timeout_after_hello", 0.4, 0.4},
		{"a version passes", SILENT, SILENT, SILENT, SILENT, SILENT, PASSED, SILENT,
		 "tls_hello_silent_unlocated", 0.1, 0.5},
		{"versions were not tried", SILENT, SILENT, SILENT, SILENT, SILENT, 0, SILENT,
		 "tls_hello_silent_unlocated", 0.1, 0.5},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = struck(rows[i].own);
		climb(report, "tls_required_name", HOST, rows[i].again);
		climb(report, "tls_no_sni", NULL, rows[i].no_sni);
		climb(report, "tls_other_name", OTHER, rows[i].other);
		climb(report, "tls_segments", HOST, rows[i].segments);
		climb(report, "tls_1_2", HOST, rows[i].versions);
		climb(report, "tls_1_3", HOST, rows[i].versions);
		if (rows[i].junk)
			junk(report, rows[i].junk);
		CHECK_INT(judged(report)->owner, OWNER_FIREWALL_TEAM);
		expect(report, rows[i].cause, rows[i].least, rows[i].most, rows[i].what);
	}
}

/* Rungs at another address, or with a name that is not the target's, are no contrast. */
static void rungs_of_somebody_else(void)
{
	struct report *report = struck(SILENT);
	rung(report, "tls_other_name", OTHER, PASSED)->tls.tuple.dst = "20.190.128.2";
	expect(report, "tls_hello_silent_unlocated", 0.1, 0.5, "another address");
	report = struck(SILENT);
	rung(report, "tls_other_name", OTHER, PASSED)->tls.tuple.dst_port = 8443;
	expect(report, "tls_hello_silent_unlocated", 0.1, 0.5, "another port");
	report = struck(SILENT);
	rung(report, "tls_other_name", "LOGIN.example", PASSED);
	expect(report, "tls_hello_silent_unlocated", 0.1, 0.5, "the same name");
}

static struct report *silent_to_everything(void)
{
	struct report *report = struck(SILENT);
	static const char *const same_name[] = {"tls_required_name", "tls_segments", "tls_1_2", "tls_1_3"};
	for (size_t i = 0; i < 4; i++)
		rung(report, same_name[i], HOST, SILENT);
	rung(report, "tls_no_sni", NULL, SILENT);
	rung(report, "tls_other_name", OTHER, SILENT);
	junk(report, SILENT);
	return report;
}

/* Somebody who takes connections to any port is no mute far end. */
static void a_device_that_accepts_everything(void)
{
	struct report *report = silent_to_everything();
	struct observation *one = report_add_observation(report, OP_TCP_CONNECT);
	one->experiment = "impossible_port";
	one->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", ADDRESS, 53000, 4};
	one->failure = FAILURE_NONE;
	diagnose(report);
	CHECK(!check_text(report->paths[0]->verdict.cause, "tls_timeout_after_hello"));
	report_free(report);
}

/* A system that does not limit segments says the usual hello, and that shows nothing of sizes. */
static void segments_that_were_not_limited(void)
{
	struct report *report = struck(SILENT);
	rung(report, "tls_no_sni", NULL, SILENT);
	rung(report, "tls_other_name", OTHER, SILENT);
	rung(report, "tls_segments", HOST, SILENT)->tls.segment_bytes = NOT_MEASURED;
	rung(report, "segment_size", HOST, SILENT)->tls.segment_bytes = NOT_MEASURED;
	junk(report, PASSED);
	CHECK(says_not_run(judged(report), "smaller segments"));
	expect(report, "tls_hello_silent_unlocated", 0.1, 0.5, "not limited");
}

/* Microsoft is asked only where its own machine is proven to be there. */
static void a_mute_far_end_that_is_the_services_own(void)
{
	struct report *report = silent_to_everything();
	struct observation *proof = rung(report, "", HOST, PASSED); /* at some time in this run */
	proof->tls.root_sha256 = "aa";
	proof->tls.root_public = true;
	CHECK_INT(judged(report)->owner, OWNER_MICROSOFT);
	expect(report, "tls_timeout_after_hello", 0.7, 0.8, "proven");
}

/* ------------------------------------------------------------------ who resets, and where */

static void ttl_row(struct report *report, int min_ttl, bool says_hello, enum failure failure)
{
	struct observation *one = report_add_observation(report, OP_TCP_CONNECT);
	one->experiment = "reset_ttl";
	one->failure = failure;
	one->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", ADDRESS, 54000, 443};
	one->tcp.min_ttl = min_ttl;
	if (says_hello)
		one->tcp.sent_bytes = HELLO_BYTES;
}

static void resets_by_their_ttl(void)
{
	static const struct {
		const char *what;
		int hello_min_ttl;
		enum failure hello;
		double confidence;
	} rows[] = {{"above the far end's", 62, FAILURE_CONNECTION_RESET, 0.95},
		    {"below the far end's", 61, FAILURE_NONE, 0.95},
		    {"the far end's own", 61, FAILURE_CONNECTION_RESET, 0.85},
		    {"none comes from above", 62, FAILURE_NONE, 0.85}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = struck(RESET);
		rung(report, "tls_other_name", OTHER, PASSED);
		ttl_row(report, 48, false, FAILURE_NONE);
		ttl_row(report, 61, false, FAILURE_NONE);
		ttl_row(report, 62, false, FAILURE_TIMEOUT);
		ttl_row(report, 64, false, FAILURE_TIMEOUT);
		ttl_row(report, rows[i].hello_min_ttl, true, rows[i].hello);
		expect(report, "tls_sni_reset", rows[i].confidence, rows[i].confidence, rows[i].what);
	}
}

/* No experiment is needed where the packets themselves could be looked at. */
static void resets_by_the_ttls_that_were_read(void)
{
	static const struct {
		int syn_ack_ttl, reset_ttl;
		double confidence;
	} rows[] = {{61, 62, 0.95}, {61, 60, 0.95}, {61, 61, 0.85}, {61, NOT_MEASURED, 0.85}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = struck(RESET);
		rung(report, "tls_other_name", OTHER, PASSED);
		for (size_t k = 0; k < report->observations.count; k++) {
			struct observation *one = report->observations.items[k];
			if (one->op != OP_TCP_CONNECT || one->experiment)
				continue;
			one->tcp.syn_ack_ttl = rows[i].syn_ack_ttl;
			one->tcp.reset_ttl = rows[i].reset_ttl;
		}
		expect(report, "tls_sni_reset", rows[i].confidence, rows[i].confidence, "read");
	}
}

static void hop(struct report *report, const char *experiment, const char *sent, int ttl, const char *from,
		const char *tcp)
{
	struct observation *one = report_add_observation(report, OP_TTL_PROBE);
	one->experiment = experiment;
	one->failure = from || tcp ? FAILURE_NONE : FAILURE_TIMEOUT;
	one->ttl.tuple = (struct tuple){"tcp", "10.0.0.2", ADDRESS, 55000 + ttl, 443};
	one->ttl.ttl = ttl;
	one->ttl.sent = sent;
	one->ttl.tcp = tcp;
	one->ttl.expired = from != NULL;
	if (from && strcmp(sent, "hello") != 0) /* on a connection that stands nobody says who reported */
		one->ttl.from = one->ttl.icmp.from = from;
}

static void where_the_hello_ends(void)
{
	for (int reset = 0; reset < 2; reset++) {
		struct report *report = struck(reset ? RESET : LOST);
		rung(report, "tls_other_name", OTHER, PASSED);
		hop(report, "walk", "syn", 1, "10.0.0.1", NULL);
		hop(report, "walk", "syn", 2, "10.9.0.1", NULL);
		hop(report, "walk", "syn", 3, "10.9.0.2", NULL);
		hop(report, "walk", "syn", 4, NULL, "syn_ack");
		hop(report, "walk_hello", "hello", 1, "somebody", NULL);
		hop(report, "walk_hello", "hello", 2, "somebody", NULL);
		hop(report, "walk_hello", "hello", 3, NULL, reset ? "rst" : NULL);
		const struct verdict *verdict = judged(report);
		CHECK(verdict->has_place);
		CHECK_INT(verdict->at.hop, 2);
		CHECK_TEXT(verdict->at.last_heard, "10.9.0.1");
		CHECK_TEXT(verdict->at.first_silent, "10.9.0.2");
		CHECK(report->finding_count == 1 && strstr(report->findings[0]->summary, "hop 2 (10.9.0.1)"));
		CHECK(strstr(report->findings[0]->summary, "with the name other.example") != NULL);
		report_free(report);
	}
}

/* Where the system does not count bytes nor limit segments, an answer in packets that are too large looks the same. */
static void who_counts_no_bytes_does_not_know(void)
{
	struct report *report = struck(SILENT);
	rung(report, "tls_no_sni", NULL, SILENT);
	rung(report, "tls_other_name", "other.example", SILENT);
	rung(report, "tls_required_name", HOST, SILENT);
	junk(report, PASSED);
	for (size_t k = 0; k < report->observations.count; k++)
		if (report->observations.items[k]->op == OP_TLS_HANDSHAKE)
			report->observations.items[k]->tls.bytes_acked = NOT_MEASURED;
	CHECK_TEXT(judged(report)->cause, "tls_hello_silent_unlocated");
	report_free(report);
}

/* ------------------------------------------------------------------ large hellos, and the size of packets */

static void size_row(struct report *report, int segment_bytes, bool large, enum end end)
{
	struct observation *one = rung(report, "segment_size", HOST, PASSED);
	one->tls.segment_bytes = segment_bytes;
	one->tls.hello_bytes = large ? LARGE_BYTES : HELLO_BYTES;
	end_so(one, end);
}

static void large_hello(struct report *report, enum end end)
{
	struct observation *one = rung(report, "tls_large_hello", HOST, PASSED);
	one->tls.hello_bytes = LARGE_BYTES;
	end_so(one, end);
}

static void on_a_path_that_works(void)
{
	static const struct {
		const char *what;
		enum end large, below, above;
		const char *cause;
	} rows[] = {{"it passes", PASSED, 0, 0, NULL},
		    {"it is refused in TLS", ALERT, 0, 0, NULL},
		    {"it is reset", RESET, 0, 0, "tls_large_hello_killed"},
		    {"it arrives, and nothing comes", SILENT, 0, 0, "tls_large_hello_killed"},
		    {"it is lost, whatever its segments", LOST, LOST, LOST, "tls_large_hello_killed"},
		    {"it is lost, but for small segments", LOST, PASSED, LOST, "ip_pmtu_blackhole_egress"},
		    {"it arrives in small segments, unanswered", LOST, SILENT, LOST, "ip_pmtu_blackhole_egress"},
		    {"it was lost once", LOST, PASSED, PASSED, NULL},
		    {"it is lost, and segments were not tried", LOST, 0, 0, NULL},
		    {"it was cut", CUT, 0, 0, NULL}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = struck(PASSED);
		large_hello(report, rows[i].large);
		rung(report, "tls_required_name", HOST, PASSED);
		if (rows[i].below)
			size_row(report, 1360, true, rows[i].below);
		if (rows[i].above)
			size_row(report, 1361, true, rows[i].above);
		CHECK_INT(judged(report)->status, rows[i].cause ? STATUS_WARN : STATUS_PASS);
		CHECK_INT(diagnose_exit_status(report), 0);
		if (!check_text(report->paths[0]->verdict.cause, rows[i].cause))
			printf("%s\n", rows[i].what);
		CHECK_TEXT(report->paths[0]->verdict.cause, rows[i].cause);
		report_free(report);
	}
}

/* One large hello without an answer, and nothing said beside it: a lost packet, or a machine that was busy. */
static void a_moment_is_no_filter(void)
{
	static const enum end ends[] = {RESET, SILENT, LOST};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (int again = 0; again < 3; again++) {
			struct report *report = struck(PASSED);
			large_hello(report, ends[i]);
			if (again == 1) /* the usual one is not answered either */
				rung(report, "tls_required_name", HOST, SILENT);
			if (again == 2) { /* the large one is, the second time */
				large_hello(report, PASSED);
				rung(report, "tls_required_name", HOST, PASSED);
			}
			CHECK_INT(judged(report)->status, STATUS_PASS);
			report_free(report);
		}
}

static bool has_step(const struct finding *finding, const char *text)
{
	for (size_t i = 0; i < finding->remedy.count; i++)
		if (strstr(finding->remedy.items[i], text))
			return true;
	return false;
}

static void packets_vanish_on_the_way_in(void)
{
	static const enum tls_progress stops[] = {TLS_HELLO_SENT, TLS_SERVER_HELLO};
	for (size_t i = 0; i < 2; i++) {
		struct report *report = struck(SILENT);
		report->paths[0]->attempts[0]->observations.items[1]->tls.progress = stops[i];
		rung(report, "tls_no_sni", NULL, SILENT);
		rung(report, "tls_other_name", OTHER, ALERT); /* it is small */
		size_row(report, 536, false, PASSED);
		size_row(report, 1340, false, PASSED);
		size_row(report, 1360, false, PASSED);
		size_row(report, 1361, false, SILENT);
		size_row(report, 1440, false, SILENT);
		CHECK_INT(judged(report)->owner, OWNER_NETWORK_TEAM);
		CHECK_INT(report->paths[0]->verdict.also.count, 0);
		CHECK(strstr(report->findings[0]->summary, "packets of up to 1400 bytes pass, larger ones vanish"));
		CHECK(has_step(report->findings[0], "Clamp the MSS to 1360 (IPv6: 1340)"));
		expect(report, "ip_pmtu_blackhole_ingress", 0.95, 0.95, "to the byte");
	}
	struct report *report = struck(SILENT);
	size_row(report, 536, false, PASSED);
	CHECK(strstr(judged(report)->cause, "ingress") != NULL);
	CHECK(strstr(report->findings[0]->summary, "packets of up to 576 bytes pass, those above a larger size") !=
	      NULL);
	expect(report, "ip_pmtu_blackhole_ingress", 0.85, 0.85, "one size");
	report = struck(LOST);
	size_row(report, 536, false, PASSED);
	expect(report, "tls_hello_silent_unlocated", 0.1, 0.5, "a hello that was lost is no matter of what comes back");
	report = struck(SILENT);
	size_row(report, 200, false,
		 PASSED); /* then the hello is split: a device that cannot read it so lets it pass */
	expect(report, "tls_hello_silent_unlocated", 0.1, 0.5, "only a split hello passes");
}

static void packets_vanish_both_ways(void)
{
	struct report *report = struck(SILENT);
	large_hello(report, LOST);
	size_row(report, 1360, false, PASSED);
	size_row(report, 1361, false, SILENT);
	size_row(report, 1360, true, PASSED);
	size_row(report, 1361, true, LOST);
	CHECK(build_also(judged(report), "ip_pmtu_blackhole_ingress"));
	expect(report, "ip_pmtu_blackhole_egress", 0.95, 0.95, "both ways");
}

/* The address of another target was examined in place of this one. */
static void packets_vanish_by_another_address(void)
{
	struct report *report = struck(SILENT);
	size_row(report, 1360, false, PASSED);
	size_row(report, 1361, false, SILENT);
	struct path *path = build_path(report, build_target(report, OTHER, 443));
	struct attempt *attempt = build_attempt(report, path, "20.190.128.7", FAILURE_NONE);
	struct observation *one = build_tls(report, path, attempt, FAILURE_TIMEOUT);
	one->tls.hello_bytes = HELLO_BYTES;
	end_so(one, SILENT);
	diagnose(report);
	CHECK_TEXT(report->paths[1]->verdict.cause, "ip_pmtu_blackhole_ingress");
	report_free(report);
}

/* A name that is filtered, on a way that loses full packets on top of it: the path fails by the name. */
static void a_filtered_name_before_what_only_backups_would_meet(void)
{
	struct report *report = struck(LOST);
	rung(report, "tls_other_name", OTHER, PASSED);
	large_hello(report, LOST);
	size_row(report, 1360, true, LOST);
	expect(report, "tls_sni_dropped", 0.8, 1, "a filtered name");
}

/* ------------------------------------------------------------------ through a proxy */

static struct observation *tunnel_rung(struct report *report, const char *experiment, const char *sni,
				       const char *request, enum end end)
{
	struct observation *one = rung(report, experiment, sni, end);
	struct observation *asked = report_add_observation(report, OP_PROXY_EXCHANGE);
	one->tls.tuple.dst = "10.0.0.80";
	one->tls.tuple.dst_port = 3128;
	asked->experiment = experiment;
	asked->proxy.tuple = one->tls.tuple;
	asked->proxy.request = request;
	asked->proxy.method = "CONNECT";
	asked->proxy.status = 200;
	return one;
}

static void through_a_tunnel(void)
{
	static const struct {
		const char *what, *request;
		enum end own, other, no_sni;
		const char *cause;
		enum owner owner;
		double least, most;
	} rows[] = {
		{"another name passes", "login.example:443", SILENT, PASSED, SILENT, "tls_sni_dropped",
		 OWNER_FIREWALL_TEAM, 0.85, 1},
		{"another name passes", "login.example:443", RESET, PASSED, RESET, "tls_sni_reset", OWNER_FIREWALL_TEAM,
		 0.85, 1},
		{"no name passes", "login.example:443", RESET, RESET, PASSED, "tls_sni_reset", OWNER_FIREWALL_TEAM,
		 0.85, 1},
		{"another name dies too", "login.example:443", SILENT, SILENT, SILENT, "prx_tunnel_dead",
		 OWNER_PROXY_TEAM, 0.85, 1},
		{"the other tunnel leads elsewhere", "other.example:443", SILENT, PASSED, PASSED, "prx_tunnel_dead",
		 OWNER_PROXY_TEAM, 0.5, 0.6},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		struct path *path = path_by(report, "PROXY proxy.corp:3128", HOST, 443);
		struct attempt *attempt = build_by_proxy(report, path, PROXY, 200);
		attempt->observations.count--; /* no answer by HTTP */
		end_so(build_last(attempt), rows[i].own);
		attempt->failure = build_last(attempt)->failure;
		tunnel_rung(report, "tls_other_name", OTHER, rows[i].request, rows[i].other);
		tunnel_rung(report, "tls_no_sni", NULL, rows[i].request, rows[i].no_sni);
		CHECK_INT(judged(report)->owner, rows[i].owner);
		CHECK(report->finding_count == 1 && report->findings[0]->flow_count == 1);
		CHECK_TEXT(report->findings[0]->flows[0].seen_from, "proxy");
		expect(report, rows[i].cause, rows[i].least, rows[i].most, rows[i].what);
	}
}

/* ------------------------------------------------------------------ hostile reports */

static void without_any_text(void)
{
	static const char *const experiments[] = {"tls_no_sni",	     "tls_other_name", "tls_required_name",
						  "tls_large_hello", "tls_segments",   "segment_size"};
	struct report *report = struck(SILENT);
	for (size_t i = 0; i < sizeof(experiments) / sizeof(experiments[0]); i++) {
		struct observation *one = rung(report, experiments[i], NULL, i % 2 ? PASSED : SILENT);
		one->tls.tuple = (struct tuple){.src_port = NOT_MEASURED, .dst_port = 443};
		one->tls.segment_bytes = i ? 500 : NOT_MEASURED;
		one->tls.hello_bytes = i > 3 ? NOT_MEASURED : LARGE_BYTES;
		one->tls.peer = NULL;
	}
	junk(report, PASSED)->tuple.dst = NULL;
	report->paths[0]->attempts[0]->observations.items[1]->tls.sni = NULL;
	expect(report, "tls_hello_silent_unlocated", 0.1, 0.5, "no texts");
}

int main(void)
{
	what_kills_the_hello();
	rungs_of_somebody_else();
	a_device_that_accepts_everything();
	segments_that_were_not_limited();
	a_mute_far_end_that_is_the_services_own();
	resets_by_their_ttl();
	resets_by_the_ttls_that_were_read();
	where_the_hello_ends();
	who_counts_no_bytes_does_not_know();
	on_a_path_that_works();
	a_moment_is_no_filter();
	packets_vanish_on_the_way_in();
	packets_vanish_both_ways();
	packets_vanish_by_another_address();
	a_filtered_name_before_what_only_backups_would_meet();
	through_a_tunnel();
	without_any_text();
	return check_summary();
}
