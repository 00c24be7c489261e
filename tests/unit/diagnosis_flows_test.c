/* The flows of a finding: one row for each 5-tuple, as a firewall's log has it. */

#include "tests/unit/check.h"
#include "tests/unit/report_builder.h"

static struct report *report;

static struct path *start(const char *host, int port)
{
	report = build_report();
	return build_path(report, build_target(report, host, port));
}

static const struct flow *judge(size_t flows)
{
	diagnose(report);
	CHECK_INT(report->finding_count, 1);
	const struct finding *finding = report->finding_count ? report->findings[0] : NULL;
	CHECK_INT(finding ? finding->flow_count : 0, flows);
	return finding && finding->flow_count == flows ? finding->flows : NULL;
}

static struct observation *drop(struct path *path, const char *address, int retransmits)
{
	struct observation *one = build_last(build_attempt(report, path, address, FAILURE_TIMEOUT));
	one->tcp.has_tcp_info = retransmits != NOT_MEASURED;
	one->tcp.tcp_info.retransmits = retransmits;
	return one;
}

static void test_dropped_syn(void)
{
	struct path *path = start("login.windows.net", 443);
	const struct observation *one = drop(path, "20.190.128.1", 2);
	drop(path, "20.190.128.2", NOT_MEASURED);
	const struct flow *flows = judge(2);
	if (flows) {
		CHECK_TEXT(flows[0].tuple.src, "10.0.0.2");
		CHECK_INT(flows[0].tuple.src_port, one->tcp.tuple.src_port);
		CHECK_TEXT(flows[0].tuple.dst, "20.190.128.1");
		CHECK_TEXT(flows[0].fqdn, "login.windows.net");
		CHECK_TEXT(flows[0].sni, "login.windows.net"); /* what TLS would have asked for */
		CHECK_INT(flows[0].attempts, 3);
		CHECK_INT(flows[1].attempts, 1); /* nobody counted */
		CHECK_INT(flows[0].first_at_ms, report->run.started_at_ms + 1);
		CHECK_INT(flows[0].last_at_ms, report->run.started_at_ms + 5001);
		CHECK_TEXT(flows[0].outcome, "generic_timeout_error");
		CHECK_TEXT(flows[0].seen_from, "server");
	}
	report_free(report);
}

/* No TLS, and no name for it: there is nothing to ask for. */
static void test_without_sni(void)
{
	static const struct {
		const char *host;
		int port;
	} rows[] = {{"www.msftncsi.com", 80}, {"20.190.128.1", 443}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		drop(start(rows[i].host, rows[i].port), "20.190.128.1", 1);
		const struct flow *flows = judge(1);
		CHECK(flows && !flows[0].sni);
		report_free(report);
	}
}

/* Paths of two identities share their packets: they count once. */
static void test_shared_packets(void)
{
	struct path *path = start("login.windows.net", 443);
	drop(path, "20.190.128.1", 1);
	struct path *other = build_path(report, path->target);
	other->identity = IDENTITY_SYSTEM;
	other->effective = false;
	struct attempt *again = path_add_attempt(report, other);
	*again = *path->attempts[0];
	path_list_add(report->arena, &build_last(again)->paths, other);
	const struct flow *flows = judge(1);
	CHECK(flows && flows[0].attempts == 2);
	report_free(report);
}

/* The same 5-tuple, tried again later: one row, from the first to the last. */
static void test_same_tuple_again(void)
{
	struct path *path = start("login.windows.net", 443);
	drop(path, "20.190.128.1", 1);
	struct observation *later = drop(path, "20.190.128.1", 1);
	later->tcp.tuple.src_port = build_last(path->attempts[0])->tcp.tuple.src_port;
	later->start_us += 7 * SECOND_US;
	const struct flow *flows = judge(1);
	if (flows) {
		CHECK_INT(flows[0].attempts, 4);
		CHECK_INT(flows[0].first_at_ms, report->run.started_at_ms + 1);
		CHECK_INT(flows[0].last_at_ms, report->run.started_at_ms + 12001);
	}
	report_free(report);
}

/* A firewall knows the connection from its SYN on, not from the hello that was reset. */
static void test_begins_with_the_connect(void)
{
	struct path *path = start("login.windows.net", 443);
	struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
	struct observation *tls = build_tls(report, path, attempt, FAILURE_CONNECTION_RESET);
	tls->start_us += SECOND_US;
	const struct flow *flows = judge(1);
	if (flows) {
		CHECK_INT(flows[0].first_at_ms, report->run.started_at_ms + 1);
		CHECK_INT(flows[0].last_at_ms, report->run.started_at_ms + 1021);
		CHECK_TEXT(flows[0].sni, "login.windows.net");
	}
	report_free(report);
}

static void test_proxy(void)
{
	report = build_report();
	struct target *target = build_target(report, "login.windows.net", 443);
	struct path *path = build_route(report, target, IDENTITY_SYSTEM, "PROXY proxy.corp:3128", true);
	struct observation *one = drop(path, "10.0.0.80", 1);
	one->tcp.tuple.dst_port = path->attempts[0]->port = 3128;
	one->tcp.peer = "proxy";
	const struct flow *flows = judge(1);
	if (flows) {
		CHECK_TEXT(flows[0].fqdn, "proxy.corp");
		CHECK(!flows[0].sni);
		CHECK_INT(flows[0].tuple.dst_port, 3128);
	}
	report_free(report);
}

int main(void)
{
	test_dropped_syn();
	test_without_sni();
	test_shared_packets();
	test_same_tuple_again();
	test_begins_with_the_connect();
	test_proxy();
	return check_summary();
}
