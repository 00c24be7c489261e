/* Who resets a connection request, and who accepts it in the place of the far end. */

#include "walk_check.h"

/* ------------------------------------------------------------------ resets */

static void ttl_of(struct report *report, int port, int ttl, enum failure let_in)
{
	for (int floor = ttl; floor <= ttl + 1; floor++)
		build_connect(report, ONE, port, "reset_ttl", floor > ttl ? FAILURE_TIMEOUT : let_in)->tcp.min_ttl =
			floor;
}

/* By an account that may look at packets. */
static void ttl_read(struct report *report, int port, int ttl, enum failure failure)
{
	struct observation *one = build_connect(report, ONE, port, port == PORT ? "again" : "other_port", failure);
	one->duration_us = NOT_MEASURED;
	if (failure == FAILURE_NONE)
		one->tcp.syn_ack_ttl = ttl;
	else
		one->tcp.reset_ttl = ttl;
}

static void rtt_of(struct report *report, int port, enum failure failure, int64_t rtt_us)
{
	build_connect(report, ONE, port, port == PORT ? "again" : "other_port", failure)->duration_us = rtt_us;
}

/* What the walks, the TTLs and the times of both say. */
static const struct {
	struct walked walked;
	struct {
		int reset, syn_ack; /* 0: not known */
	} ttl;
	struct {
		int64_t reset, syn_ack; /* 0: not known */
	} us;
	const char *cause, *place;
} resets[] = {
	/* a smaller TTL draws it than the far end's own answer */
	{{"10.1.0.1 rst", "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", NULL},
	 {0, 0},
	 {0, 0},
	 "tcp_refused_by_middlebox",
	 "1 10.1.0.1 10.2.0.1"},
	{{"rst", "10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", NULL},
	 {0, 0},
	 {0, 0},
	 "tcp_refused_by_middlebox",
	 "0 10.0.0.2 10.1.0.1"},
	{{"10.1.0.1 rst", "10.1.0.1 rst", "10.1.0.1 10.2.0.1 echo"},
	 {0, 0},
	 {0, 0},
	 "tcp_refused_by_middlebox",
	 "1 10.1.0.1 10.2.0.1"},
	/* the two ports are led by different ways, whose lengths do not compare */
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.9.0.1 10.2.0.1 syn_ack", NULL},
	 {62, 62},
	 {0, 0},
	 "tcp_refused_unlocated",
	 NULL},
	/* a muted hop before it */
	{{"10.1.0.1 - rst", "10.1.0.1 - 10.3.0.1 syn_ack", NULL},
	 {0, 0},
	 {0, 0},
	 "tcp_refused_by_middlebox",
	 "1 10.1.0.1 10.3.0.1"},
	/* the same TTL draws both, and the reset has passed as many routers */
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL}, {62, 62}, {0, 0}, "tcp_refused_at_target", NULL},
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
	 {253, 62},
	 {0, 0},
	 "tcp_refused_at_target",
	 NULL},
	/* only datagrams are answered: the reset has passed as many routers as lie before it */
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 echo"},
	 {62, 0},
	 {0, 0},
	 "tcp_refused_at_target",
	 NULL},
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 echo"},
	 {63, 0},
	 {0, 0},
	 "tcp_refused_unlocated",
	 NULL},
	/* the last router before it: fewer routers passed */
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
	 {63, 62},
	 {0, 0},
	 "tcp_refused_by_middlebox",
	 "2 10.2.0.1 " ONE},
	/* a system that does not tell TTLs of packets */
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL}, {0, 0}, {0, 0}, "tcp_refused_at_target", NULL},
	/* and the same TTL, but much sooner */
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
	 {0, 0},
	 {5000, 60000},
	 "tcp_refused_by_middlebox",
	 "2 10.2.0.1 " ONE},
	/* a busy moment is no distance */
	{{"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL},
	 {62, 62},
	 {5000, 60000},
	 "tcp_refused_at_target",
	 NULL},
	/* without a walk: TTL and time alike, or not */
	{{NULL, NULL, NULL}, {62, 62}, {20000, 21000}, "tcp_refused_at_target", NULL},
	{{NULL, NULL, NULL}, {64, 61}, {2000, 3000}, "tcp_refused_by_middlebox", NULL},
	{{NULL, NULL, NULL}, {0, 0}, {20000, 21000}, "tcp_refused_unlocated", NULL},
	{{NULL, NULL, NULL}, {0, 0}, {0, 0}, "tcp_refused_unlocated", NULL},
	/* both ports are reset alike: nothing is known of the far end */
	{{"10.1.0.1 rst", "10.1.0.1 rst", "10.1.0.1 - - -"}, {0, 0}, {0, 0}, "tcp_refused_unlocated", NULL},
};

static void resets_come_from_somewhere(void)
{
	for (size_t k = 0; k < 2 * sizeof(resets) / sizeof(resets[0]); k++) {
		size_t i = k / 2;
		void (*ttl_known)(struct report *, int, int, enum failure) = k % 2 ? ttl_read : ttl_of;
		struct path *path;
		struct report *report = one_path(&path);
		build_attempt(report, path, ONE, FAILURE_CONNECTION_REFUSED);
		build_walks(report, ONE, &resets[i].walked);
		if (resets[i].ttl.reset)
			ttl_known(report, PORT, resets[i].ttl.reset, FAILURE_CONNECTION_REFUSED);
		if (resets[i].ttl.syn_ack)
			ttl_known(report, 80, resets[i].ttl.syn_ack, FAILURE_NONE);
		if (resets[i].us.reset) {
			rtt_of(report, PORT, FAILURE_CONNECTION_REFUSED, resets[i].us.reset);
			rtt_of(report, 80, FAILURE_NONE, resets[i].us.syn_ack);
		}
		diagnose(report);
		if (!check_text(path->verdict.cause, resets[i].cause))
			printf("in row %zu\n", i);
		CHECK_TEXT(path->verdict.cause, resets[i].cause);
		check_place(&path->verdict, resets[i].place);
		CHECK_INT(path->verdict.owner, OWNER_FIREWALL_TEAM); /* nobody has proved whose the address is */
		report_free(report);
	}
}

/* Resets with several TTLs: parallel lines, or several who answer. */
static void resets_that_differ_say_nothing(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_attempt(report, path, ONE, FAILURE_CONNECTION_REFUSED);
	build_walks(report, ONE, &(struct walked){"10.1.0.1 10.2.0.1 rst", "10.1.0.1 10.2.0.1 syn_ack", NULL});
	ttl_read(report, PORT, 62, FAILURE_CONNECTION_REFUSED);
	ttl_read(report, PORT, 64, FAILURE_CONNECTION_REFUSED);
	ttl_read(report, 80, 62, FAILURE_NONE);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "tcp_refused_unlocated");
	report_free(report);
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

int main(void)
{
	resets_come_from_somewhere();
	resets_that_differ_say_nothing();
	refused_at_an_address_that_proved_itself();
	confirmed_resets_are_one_finding();
	somebody_else_accepts();
	nobody_is_blamed_where_it_works();
	return check_summary();
}
