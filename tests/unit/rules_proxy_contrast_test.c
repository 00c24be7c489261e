/* Table P and its neighbours, where a contrast decides: what the experiments prove, what they disprove, and whom they are about. */

#include "verdict_check.h"

static const char VIA[] = "PROXY proxy.corp:3128";

/* What an experiment at the proxy had for an answer. */
static struct observation *contrast(struct report *report, const char *experiment, const char *method,
				    const char *request, int status)
{
	bool fine = strcmp(method, "GET") == 0 || status / 100 == 2;
	struct observation *one = report_add_observation(report, OP_PROXY_EXCHANGE);
	one->experiment = experiment;
	one->failure = fine ? FAILURE_NONE : FAILURE_PROXY_STATUS;
	one->proxy.proxy = PROXY;
	one->proxy.protocol = "http";
	one->proxy.method = method;
	one->proxy.request = request;
	one->proxy.status = status;
	return one;
}

static struct observation *contrast_tls(struct report *report, enum tls_progress progress, enum failure failure)
{
	struct observation *one = report_add_observation(report, OP_TLS_HANDSHAKE);
	one->experiment = "proxy_tls";
	one->failure = failure;
	one->tls.peer = "proxy";
	one->tls.progress = progress;
	one->tls.tuple = (struct tuple){"tcp", "10.0.0.2", "10.0.0.80", 50999, 3128};
	return one;
}

/* ------------------------------------------------------------------ TLS to the proxy */

static void tls_to_the_proxy(void)
{
	static const struct {
		enum failure failure;
		int status;
		bool asked;
		enum tls_progress progress;
		enum failure tls;
		int inside; /* status of CONNECT inside TLS; 0: none */
		const char *cause;
		double least, most;
	} rows[] = {
		{FAILURE_EOF, NOT_MEASURED, true, TLS_FINISHED, FAILURE_NONE, 200, "prx_wants_tls", 0.9, 0.9},
		{FAILURE_EOF, NOT_MEASURED, true, TLS_FINISHED, FAILURE_NONE, 407, "prx_wants_tls", 0.9, 0.9},
		{FAILURE_PROXY_MALFORMED, NOT_MEASURED, true, TLS_FINISHED, FAILURE_NONE, 503, "prx_wants_tls", 0.9,
		 0.9},
		{FAILURE_TIMEOUT, NOT_MEASURED, true, TLS_FINISHED, FAILURE_NONE, 200, "prx_wants_tls", 0.9, 0.9},
		{FAILURE_PROXY_STATUS, 400, true, TLS_FINISHED, FAILURE_NONE, 200, "prx_wants_tls", 0.9, 0.9},
		{FAILURE_EOF, NOT_MEASURED, true, TLS_CERTIFICATE, FAILURE_SSL_UNKNOWN_AUTHORITY, 0, "prx_wants_tls",
		 0.7, 0.7},
		{FAILURE_PROXY_STATUS, 400, true, TLS_FINISHED, FAILURE_NONE, 405, "prx_connect_not_allowed", 0.4, 0.5},
		{FAILURE_PROXY_MALFORMED, NOT_MEASURED, true, TLS_HELLO_SENT, FAILURE_SSL_FAILED_HANDSHAKE, 0,
		 "prx_not_http", 0.9, 1},
		{FAILURE_EOF, NOT_MEASURED, false, TLS_HELLO_SENT, FAILURE_NONE, 0, "prx_closes_silently", 0.8, 1},
		{FAILURE_PROXY_STATUS, 403, true, TLS_FINISHED, FAILURE_NONE, 200, "prx_acl_denied", 0.8, 1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		connect_says(&report, rows[i].failure, rows[i].status);
		if (rows[i].asked)
			contrast_tls(report, rows[i].progress, rows[i].tls);
		if (rows[i].inside)
			contrast(report, "proxy_tls", "CONNECT", "login.example:443", rows[i].inside);
		expect(report, rows[i].cause, rows[i].least, rows[i].most, rows[i].cause);
	}
}

static void tls_to_another_proxy_proves_nothing(void)
{
	struct report *report;
	connect_says(&report, FAILURE_EOF, NOT_MEASURED);
	contrast_tls(report, TLS_FINISHED, FAILURE_NONE)->tls.tuple.dst = "10.0.0.81";
	expect(report, "prx_closes_silently", 0.8, 1, "another address");
}

/* ------------------------------------------------------------------ ports */

/* A name at a port by the proxy; 403 is the proxy's own. */
static struct path *by_port(struct report *report, const char *host, int port, int status)
{
	struct path *path = path_by(report, VIA, host, port);
	if (status == 200 && port == 443) {
		build_by_proxy(report, path, PROXY, 200);
		return path;
	}
	struct proxy_exchange *proxy =
		refused_by(report, path, port == 80 || status == 200 ? FAILURE_NONE : FAILURE_PROXY_STATUS, status);
	if (status == 403)
		header_list_add(report->arena, &proxy->headers, "x-squid-error", "ERR_ACCESS_DENIED 0");
	if (port == 80)
		build_http(report, path, path->attempts[0], status);
	return path;
}

static const struct {
	const char *what;
	int more[3][2]; /* port, status of more names */
	const char *method, *request;
	int status; /* of the contrast; 0: not made */
	const char *cause;
	double least, most;
} ports[] = {
	{"the same host passes at 80", {{0}}, "GET", "http://a.example:80/", 200, "prx_port_not_allowed", 0.9, 0.9},
	{"it is tried there, and fails behind",
	 {{0}},
	 "GET",
	 "http://a.example:80/",
	 503,
	 "prx_port_not_allowed",
	 0.9,
	 0.9},
	{"it is denied there too",
	 {{80, 200}, {80, 200}, {443, 403}},
	 "GET",
	 "http://a.example:80/",
	 403,
	 "prx_acl_denied",
	 0.8,
	 1},
	{"another name passes at 443", {{443, 200}}, "GET", "http://a.example:80/", 200, "prx_acl_denied", 0.8, 1},
	{"the contrast was about the other port", {{0}}, "CONNECT", "a.example:443", 200, "prx_acl_denied", 0.8, 1},
	{"about a host that was never denied", {{0}}, "GET", "http://z.example:80/", 200, "prx_acl_denied", 0.8, 1},
	{"without it, two names at each port",
	 {{80, 200}, {80, 200}, {443, 403}},
	 NULL,
	 NULL,
	 0,
	 "prx_port_not_allowed",
	 0.6,
	 0.6},
	{"one of each is too few", {{80, 200}}, NULL, NULL, 0, "prx_acl_denied", 0.8, 1},
};

static void one_port_is_denied(void)
{
	static const char *const names[] = {"b.example", "c.example", "d.example"};
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		struct report *report = build_report();
		by_port(report, "a.example", 443, 403);
		for (size_t k = 0; k < 3 && ports[i].more[k][0]; k++)
			by_port(report, names[k], ports[i].more[k][0], ports[i].more[k][1]);
		if (ports[i].status)
			contrast(report, "proxy_other_port", ports[i].method, ports[i].request, ports[i].status);
		expect(report, ports[i].cause, ports[i].least, ports[i].most, ports[i].what);
	}
}

static void a_redirect_says_little(void)
{
	struct report *report = build_report();
	by_port(report, "a.example", 443, 403);
	struct observation *one = contrast(report, "proxy_other_port", "GET", "http://a.example:80/", 302);
	header_list_add(report->arena, &one->proxy.headers, "location", "http://policy.corp/blocked");
	CHECK_TEXT(judged(report)->cause, "prx_acl_denied");
	header_list_add(report->arena, &one->proxy.headers, "x-ms-request-id", "1");
	expect(report, "prx_port_not_allowed", 0.9, 0.9, "the service's own redirect");
}

/* ------------------------------------------------------------------ addresses */

static void the_address_instead_of_the_name(void)
{
	static const struct {
		const char *what;
		enum failure failure;
		int status;
		const char *request, *found; /* the contrast's, and the address that a look-up gave */
		int by_address;		     /* 0: no answer in time */
		const char *cause;
		double least, most;
	} rows[] = {
		{"the address passes", FAILURE_PROXY_STATUS, 502, "20.1.1.1:443", "20.1.1.1", 200, "prx_dns_failed",
		 0.9, 0.9},
		{"silent by name", FAILURE_TIMEOUT, NOT_MEASURED, "20.1.1.1:443", "20.1.1.1", 200, "prx_dns_failed",
		 0.85, 0.85},
		{"504 by name", FAILURE_PROXY_STATUS, 504, "20.1.1.1:443", "20.1.1.1", 200, "prx_dns_failed", 0.85,
		 0.85},
		{"it fails as the name", FAILURE_PROXY_STATUS, 502, "20.1.1.1:443", "20.1.1.1", 502,
		 "prx_upstream_refused", 0.6, 0.6},
		{"addresses are denied", FAILURE_PROXY_STATUS, 502, "20.1.1.1:443", "20.1.1.1", 403,
		 "prx_upstream_refused", 0.4, 0.5},
		{"of another name", FAILURE_PROXY_STATUS, 502, "20.9.9.9:443", "20.1.1.1", 200, "prx_upstream_refused",
		 0.4, 0.5},
		{"no answer", FAILURE_PROXY_STATUS, 502, "20.1.1.1:443", "20.1.1.1", 0, "prx_upstream_refused", 0.6,
		 0.6},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		connect_says(&report, rows[i].failure, rows[i].status);
		const char *addresses[] = {rows[i].found, NULL};
		build_lookup(report, report->paths[0], FAILURE_NONE, addresses);
		struct observation *one =
			contrast(report, "proxy_address", "CONNECT", rows[i].request, rows[i].by_address);
		if (!rows[i].by_address) {
			one->failure = FAILURE_TIMEOUT;
			one->proxy.status = NOT_MEASURED;
		}
		expect(report, rows[i].cause, rows[i].least, rows[i].most, rows[i].what);
	}
}

static void of_several_addresses_another_may_be_meant(void)
{
	struct report *report;
	const char *addresses[] = {"20.1.1.1", "20.1.1.2", NULL};
	connect_says(&report, FAILURE_TIMEOUT, NOT_MEASURED);
	build_lookup(report, report->paths[0], FAILURE_NONE, addresses);
	contrast(report, "proxy_address", "CONNECT", "20.1.1.1:443", 200);
	CHECK(judged(report)->confidence > 0.8);
	by_port(report, "b.example", 443, 200);
	expect(report, "prx_dns_failed", 0.5, 0.5, "one of two, and another name passes");
	/* and what holds for one name says nothing of another, where some pass */
	report = build_report();
	const char *one[] = {"20.1.1.1", NULL};
	refused_by(report, path_by(report, VIA, "b.example", 443), FAILURE_TIMEOUT, NOT_MEASURED);
	struct path *path = path_by(report, VIA, "a.example", 443);
	refused_by(report, path, FAILURE_TIMEOUT, NOT_MEASURED);
	build_lookup(report, path, FAILURE_NONE, one);
	contrast(report, "proxy_address", "CONNECT", "20.1.1.1:443", 200);
	CHECK_TEXT(judged(report)->cause, "prx_dns_failed");
	by_port(report, "c.example", 443, 200);
	expect(report, "prx_upstream_timeout", 0.5, 0.8, "of another name");
}

static void literals(void)
{
	const char *addresses[] = {"20.1.1.1", NULL};
	struct report *report = build_report();
	by_port(report, "20.1.1.1", 443, 403);
	struct path *path = by_port(report, "a.example", 443, 200);
	CHECK_TEXT(judged(report)->cause, "prx_ip_literal_denied");
	CHECK(says_not_run(&report->paths[0]->verdict, "a name of the same address"));
	build_lookup(report, path, FAILURE_NONE, addresses);
	CHECK(judged(report)->confidence > 0.85);
	by_port(report, "20.1.1.9", 443, 200);
	expect(report, "prx_acl_denied", 0.8, 1, "another address passes");
	report = build_report();
	by_port(report, "20.1.1.1", 443, 403);
	by_port(report, "a.example", 443, 403);
	expect(report, "prx_acl_denied", 0.8, 1, "names are denied too");
}

/* ------------------------------------------------------------------ another target */

static struct observation *other_tunnel(struct report *report, enum failure failure)
{
	struct observation *one = report_add_observation(report, OP_TLS_HANDSHAKE);
	one->experiment = "proxy_other_target";
	one->failure = failure;
	one->tls.peer = "target";
	one->tls.sni = "other.example";
	one->tls.progress = failure == FAILURE_NONE ? TLS_FINISHED : TLS_HELLO_SENT;
	one->tls.tuple = (struct tuple){"tcp", "10.0.0.2", "10.0.0.80", 50998, 3128};
	return one;
}

static struct report *dead_tunnel(void)
{
	struct report *report = build_report();
	struct path *path = path_by(report, VIA, "login.example", 443);
	struct attempt *attempt = build_by_proxy(report, path, PROXY, 200);
	struct observation *tls = attempt->observations.items[attempt->observations.count - 2];
	attempt->observations.count--;
	attempt->failure = tls->failure = FAILURE_CONNECTION_RESET;
	tls->tls.progress = TLS_HELLO_SENT;
	tls->tls.verify = tls->tls.root_sha256 = NULL;
	return report;
}

static void another_target_through_the_same_proxy(void)
{
	struct report *report = dead_tunnel();
	CHECK(says_not_run(judged(report), "another SNI through the same proxy"));
	expect(report, "prx_tunnel_dead", 0.5, 0.6, "alone");
	report = dead_tunnel();
	other_tunnel(report, FAILURE_CONNECTION_RESET);
	expect(report, "prx_tunnel_dead", 0.85, 0.85, "the other's is dead too");
	report = dead_tunnel();
	other_tunnel(report, FAILURE_NONE);
	expect(report, "tls_hello_reset_unlocated", 0, 0.5, "the other's carries");
}

int main(void)
{
	tls_to_the_proxy();
	tls_to_another_proxy_proves_nothing();
	one_port_is_denied();
	a_redirect_says_little();
	the_address_instead_of_the_name();
	of_several_addresses_another_may_be_meant();
	literals();
	another_target_through_the_same_proxy();
	return check_summary();
}
