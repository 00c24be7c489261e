/* What is lost now and then. */

#include "walk_check.h"

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
	loss_on_what_works();
	confirmation_gets_through();
	refused_once_and_accepted_again();
	comes_and_goes(false, 2, 0, 2, "ip_ecmp_member_bad");
	comes_and_goes(true, 1, 1, 2, "ip_loss_high");
	comes_and_goes(false, 1, 1, 2, "tcp_intermittent");
	comes_and_goes(true, 0, 0, 4, "ip_acl_at_hop_port_specific");
	return check_summary();
}
