/* Table P: what a proxy's behaviour proves, and what it does not. */

#include "verdict_check.h"

/* ------------------------------------------------------------------ bytes that are no reply */

static void garbage(void)
{
	static const struct {
		const char *via, *first_bytes, *cause;
		double least;
	} rows[] = {
		{"PROXY proxy.corp:3128", "220 smtp ready\\x0d\\x0a", "prx_not_http", 0.8},
		{"PROXY proxy.corp:3128", "\\x15\\x03\\x01\\x00\\x02\\x02(", "prx_not_http", 0.8},
		{"PROXY proxy.corp:3128", "\\x05\\x00", "prx_not_http", 0.8},
		{"PROXY proxy.corp:3128", NULL, "prx_not_http", 0.8},
		{"PROXY proxy.corp:3128", "HTTP/1.1 banana\\x0d\\x0a", "prx_reply_malformed", 0.8},
		{"PROXY proxy.corp:3128", "http 200", "prx_reply_malformed", 0.8},
		{"SOCKS5 proxy.corp:3128", "\\x04\\x01", "prx_reply_malformed", 0.8},
		{"SOCKS5 proxy.corp:3128", "HTTP/1.1 400 Bad Request", "prx_reply_malformed", 0.5},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		struct path *path = path_by(report, rows[i].via, "login.example", 443);
		refused_by(report, path, FAILURE_PROXY_MALFORMED, NOT_MEASURED)->first_bytes = rows[i].first_bytes;
		expect(report, rows[i].cause, rows[i].least, 1, rows[i].first_bytes ? rows[i].first_bytes : "(null)");
	}
}

static void closed_or_cut_short(void)
{
	struct report *report;
	connect_says(&report, FAILURE_EOF, NOT_MEASURED);
	expect(report, "prx_closes_silently", 0.8, 1, "FIN");
	connect_says(&report, FAILURE_CONNECTION_RESET, NOT_MEASURED);
	expect(report, "prx_closes_silently", 0.8, 1, "RST");
	connect_says(&report, FAILURE_EOF, 200);
	expect(report, "prx_reply_malformed", 0.8, 1, "FIN within the head");
	connect_says(&report, FAILURE_TIMEOUT, 200);
	expect(report, "prx_reply_malformed", 0.8, 1, "a head without end");
}

/* ------------------------------------------------------------------ reaching it */

static struct report *connect_ends(enum failure failure, const char *icmp_from)
{
	struct report *report = build_report();
	struct path *path = path_by(report, "PROXY 10.0.0.80:3128", "login.example", 443);
	build_rejected(report, path, "10.0.0.80", failure, icmp_from, 3, 13);
	return report;
}

static void reaching_the_proxy(void)
{
	expect(connect_ends(FAILURE_CONNECTION_REFUSED, NULL), "prx_refused", 0.8, 1, "RST");
	expect(connect_ends(FAILURE_CONNECTION_REFUSED, "10.0.0.80"), "prx_refused", 0.8, 1, "its own ICMP");
	expect(connect_ends(FAILURE_CONNECTION_REFUSED, "10.0.0.1"), "prx_unreachable", 0.8, 1, "another's ICMP");
	expect(connect_ends(FAILURE_TIMEOUT, NULL), "prx_unreachable", 0.8, 1, "silence");
	struct report *report = connect_ends(FAILURE_HOST_UNREACHABLE, "10.0.0.1");
	CHECK(judged(report)->has_place);
	CHECK_TEXT(report->paths[0]->verdict.at.last_heard, "10.0.0.1");
	CHECK(build_also(&report->paths[0]->verdict, "ip_admin_prohibited"));
	expect(report, "prx_unreachable", 0.8, 1, "prohibited");
	report = connect_ends(FAILURE_PERMISSION_DENIED, NULL);
	CHECK(!build_also(judged(report), "prx_unreachable"));
	expect(report, "host_firewall_blocks", 0.5, 1, "this server's own firewall");
}

static void the_proxys_name(void)
{
	static const struct {
		enum failure failure;
		const char *cause;
	} rows[] = {{FAILURE_DNS_NXDOMAIN, "prx_name_unresolvable"},
		    {FAILURE_TIMEOUT, "prx_name_unresolvable"},
		    {FAILURE_DEADLINE, "meas_budget_cut_short"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		struct path *path = path_by(report, "PROXY proxy.corp:3128", "login.example", 443);
		build_lookup(report, path, rows[i].failure, NULL)->lookup.name = "proxy.corp";
		report->run.end_reason = rows[i].failure == FAILURE_DEADLINE ? END_DEADLINE : END_COMPLETE;
		expect(report, rows[i].cause, 0.8, 1, "name");
	}
	/* an address that only a name server gave is contrast: nothing was tried that counts */
	struct report *report = build_report();
	struct path *path = path_by(report, "PROXY proxy.corp:3128", "login.example", 443);
	build_lookup(report, path, FAILURE_DNS_NXDOMAIN, NULL)->lookup.name = "proxy.corp";
	build_by_proxy(report, path, PROXY, 200)->found_by = FOUND_BY_SERVER;
	expect(report, "prx_name_unresolvable", 0.8, 1, "only by a server");
}

/* ------------------------------------------------------------------ 407 */

struct challenge {
	enum identity_id identity;
	enum route_kind kind;
	const char *schemes[3];
	const char *auth_tried, *auth_problem;
	const char *cause;
};

static struct report *challenged(const struct challenge *row)
{
	struct report *report = build_report();
	struct path *path = path_by(report, "PROXY proxy.corp:3128", "login.example", 443);
	path->identity = row->identity;
	path->route.kind = row->kind;
	struct proxy_exchange *proxy = refused_by(report, path, FAILURE_PROXY_STATUS, 407);
	for (size_t i = 0; i < 3 && row->schemes[i]; i++)
		text_list_add(report->arena, &proxy->schemes, row->schemes[i]);
	proxy->auth_tried = row->auth_tried;
	proxy->auth_problem = row->auth_problem;
	return report;
}

static void signing_in_as_user(void)
{
	static const struct challenge rows[] = {
		{IDENTITY_USER, ROUTE_WININET, {"negotiate", "ntlm"}, NULL, NULL, "prx_auth_none_sent"},
		{IDENTITY_USER, ROUTE_WININET, {"basic"}, NULL, NULL, "prx_auth_none_sent"},
		{IDENTITY_USER, ROUTE_WININET, {NULL}, NULL, NULL, "prx_auth_none_sent"},
		{IDENTITY_USER, ROUTE_WININET, {"basic"}, "basic", NULL, "prx_auth_rejected"},
		{IDENTITY_SYSTEM, ROUTE_AGENT, {"basic"}, "basic", NULL, "prx_auth_rejected"},
		{IDENTITY_USER, ROUTE_WININET, {"negotiate"}, "negotiate", "no ticket", "prx_auth_none_sent"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = challenged(&rows[i]);
		const struct verdict *verdict = judged(report);
		CHECK_INT(verdict->status, STATUS_FAIL);
		CHECK_INT(build_also(verdict, "prx_auth_kerberos_unavailable"), rows[i].auth_problem != NULL);
		CHECK_INT(verdict->also.count, rows[i].auth_problem != NULL);
		CHECK_INT(diagnose_exit_status(report), 1);
		/* SYSTEM by settings alone: never sure */
		expect(report, rows[i].cause, rows[i].identity == IDENTITY_USER ? 0.8 : 0.1, 1, "407");
	}
}

/* By settings alone nobody knows what the machine account could do. */
static void signing_in_as_system(void)
{
	static const struct challenge rows[] = {
		{IDENTITY_SYSTEM, ROUTE_WININET, {"negotiate", "basic"}, NULL, NULL, "prx_auth_none_sent"},
		{IDENTITY_SYSTEM, ROUTE_WININET, {"NTLM"}, NULL, NULL, "prx_auth_none_sent"},
		{IDENTITY_SYSTEM, ROUTE_WININET, {"basic", "digest"}, NULL, NULL, "prx_auth_scheme_unusable"},
		{IDENTITY_SYSTEM, ROUTE_WINHTTP, {"basic"}, NULL, NULL, "prx_auth_scheme_unusable"},
		{IDENTITY_SYSTEM, ROUTE_AGENT, {"basic"}, NULL, NULL, "prx_auth_none_sent"}, /* it has a password */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = challenged(&rows[i]);
		const struct verdict *verdict = judged(report);
		CHECK_INT(verdict->status, STATUS_INCONCLUSIVE);
		CHECK(says_not_run(verdict, "machine account"));
		CHECK(!report->readiness.ready);
		CHECK_INT(report->readiness.inconclusive.count, 1);
		CHECK_INT(diagnose_exit_status(report), 3);
		expect(report, rows[i].cause, 0.1, 0.49, "407 for SYSTEM");
	}
	struct report *report = challenged(&rows[2]);
	report->identities[1].mode = MODE_RUN;
	CHECK_INT(judged(report)->status, STATUS_FAIL);
	expect(report, "prx_auth_scheme_unusable", 0.8, 1, "a run as SYSTEM");
}

/* Signed in, and then refused: the credentials were good. */
static void after_signing_in(void)
{
	static const struct {
		int status;
		enum failure failure;
		const char *cause;
	} rows[] = {{403, FAILURE_PROXY_STATUS, "prx_acl_denied"},
		    {504, FAILURE_PROXY_STATUS, "prx_upstream_timeout"},
		    {NOT_MEASURED, FAILURE_TIMEOUT, "prx_overloaded"},
		    {NOT_MEASURED, FAILURE_EOF, "prx_closes_silently"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		connect_says(&report, rows[i].failure, rows[i].status)->auth_tried = "ntlm";
		CHECK(!build_also(judged(report), "prx_auth_none_sent"));
		expect(report, rows[i].cause, 0.1, 1, "signed in");
	}
}

/* The system had no credentials to make an answer of: nobody has refused any. */
static void sign_in_ends_here(void)
{
	for (int told = 0; told < 2; told++) {
		struct report *report;
		struct proxy_exchange *proxy = connect_says(&report, FAILURE_UNKNOWN, NOT_MEASURED);
		proxy->auth_tried = "ntlm";
		proxy->auth_problem = told ? "SSPI: could not get auth info" : NULL;
		expect(report, told ? "prx_auth_none_sent" : NULL, 0, 1, "no word from the proxy");
	}
}

/* The ticket was waited for in vain; the connection that asked for it is not to blame. */
static void a_silent_key_server(void)
{
	struct report *report;
	struct proxy_exchange *proxy = connect_says(&report, FAILURE_TIMEOUT, NOT_MEASURED);
	proxy->auth_tried = "negotiate";
	proxy->auth_problem = "the sign-in did not come to an end on this machine";
	CHECK(build_also(judged(report), "prx_auth_kerberos_unavailable"));
	expect(report, "prx_auth_none_sent", 0.8, 1, "no ticket");
	connect_says(&report, FAILURE_PROXY_STATUS, 407);
	struct attempt *attempt = report->paths[0]->attempts[0];
	struct observation *again = build_seen(report, report->paths[0], OP_TCP_CONNECT, FAILURE_TIMEOUT);
	again->experiment = "proxy_credentials";
	attempt->failure = FAILURE_TIMEOUT;
	observation_list_add(report->arena, &attempt->observations, again);
	CHECK(!build_also(judged(report), "prx_unreachable"));
	expect(report, "prx_auth_none_sent", 0.8, 1, "not even connected");
}

/* ------------------------------------------------------------------ SOCKS */

static void socks_replies(void)
{
	static const struct {
		int reply;
		const char *problem, *tried;
		const char *cause;
		double least, most;
	} rows[] = {{2, NULL, NULL, "prx_acl_denied", 0.8, 1},
		    {3, NULL, NULL, "prx_upstream_refused", 0.8, 1},
		    {5, NULL, NULL, "prx_upstream_refused", 0.8, 1},
		    {6, NULL, NULL, "prx_upstream_timeout", 0.8, 1},
		    {7, NULL, NULL, "prx_connect_not_allowed", 0.8, 1},
		    {1, NULL, NULL, "prx_upstream_refused", 0.1, 0.49},
		    {91, NULL, NULL, "prx_upstream_refused", 0.1, 0.49},
		    {93, NULL, NULL, "prx_acl_denied", 0.8, 1},
		    {NOT_MEASURED, "wants a user name", NULL, "prx_auth_none_sent", 0.8, 1},
		    {NOT_MEASURED, "wants a user name", "basic", "prx_auth_rejected", 0.8, 1},
		    {NOT_MEASURED, NULL, NULL, "prx_upstream_refused", 0.1, 0.49}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		struct path *path = path_by(report, "SOCKS5H proxy.corp:3128", "login.example", 443);
		struct proxy_exchange *proxy = refused_by(report, path, FAILURE_SOCKS_REFUSED, NOT_MEASURED);
		proxy->socks_reply = rows[i].reply;
		proxy->auth_problem = rows[i].problem;
		proxy->auth_tried = rows[i].tried;
		CHECK_INT(judged(report)->also.count, 0);
		expect(report, rows[i].cause, rows[i].least, rows[i].most, "SOCKS");
	}
}

/* ------------------------------------------------------------------ no answer */

static void unanswered(void)
{
	struct report *report;
	connect_says(&report, FAILURE_TIMEOUT, NOT_MEASURED);
	CHECK(says_not_run(judged(report), "a request to the proxy itself"));
	expect(report, "prx_overloaded", 0.1, 0.49, "silent to all");
	connect_says(&report, FAILURE_TIMEOUT, NOT_MEASURED);
	refused_by(report, path_by(report, "PROXY proxy.corp:3128", "other.example", 443), FAILURE_PROXY_STATUS, 403);
	expect(report, "prx_upstream_timeout", 0.5, 0.79, "another was refused");
	connect_says(&report, FAILURE_TIMEOUT, NOT_MEASURED);
	build_by_proxy(report, path_by(report, "PROXY proxy.corp:3128", "other.example", 443), PROXY, 200);
	expect(report, "prx_upstream_timeout", 0.5, 0.79, "another was let through");
	connect_says(&report, FAILURE_TIMEOUT, NOT_MEASURED);
	build_by_proxy(report, path_by(report, "PROXY other.corp:3128", "other.example", 443), PROXY, 200);
	expect(report, "prx_overloaded", 0.1, 0.49, "another proxy answered");
	connect_says(&report, FAILURE_TIMEOUT, NOT_MEASURED);
	refused_by(report, path_by(report, "PROXY proxy.corp:3128", "other.example", 443), FAILURE_EOF, NOT_MEASURED);
	expect(report, "prx_overloaded", 0.1, 0.49, "another was closed: no answer");
}

/* ------------------------------------------------------------------ tunnels */

/* The CONNECT was granted; the hello ends so. */
static struct tls_handshake *tunnel_ends(struct report *report, struct path *path, enum failure failure)
{
	struct attempt *attempt = build_by_proxy(report, path, PROXY, 200);
	attempt->observations.count--;
	struct observation *seen = build_last(attempt);
	seen->failure = attempt->failure = failure;
	seen->tls.progress = TLS_HELLO_SENT;
	seen->tls.root_sha256 = seen->tls.verify = NULL;
	seen->tls.bytes_received = 39; /* the reply to CONNECT, nothing more */
	return &seen->tls;
}

static struct report *dead_tunnel(enum failure failure)
{
	struct report *report = build_report();
	tunnel_ends(report, path_by(report, "PROXY proxy.corp:3128", "login.example", 443), failure);
	return report;
}

static struct path *second(struct report *report, const char *host)
{
	return path_by(report, "PROXY proxy.corp:3128", host, 443);
}

static void dead_tunnels(void)
{
	static const enum failure ends[] = {FAILURE_TIMEOUT, FAILURE_CONNECTION_RESET, FAILURE_EOF};
	for (size_t i = 0; i < 3; i++) {
		struct report *report = dead_tunnel(ends[i]);
		CHECK(says_not_run(judged(report), "another SNI through the same proxy"));
		expect(report, "prx_tunnel_dead", 0.5, 0.6, "alone");
		report = dead_tunnel(ends[i]);
		tunnel_ends(report, second(report, "other.example"), ends[i]);
		expect(report, "prx_tunnel_dead", 0.8, 1, "with another name");
		report = dead_tunnel(ends[i]);
		tunnel_ends(report, second(report, "login.example"), ends[i]);
		expect(report, "prx_tunnel_dead", 0.5, 0.6, "with the same name");
	}
}

static void tunnels_that_are_not_dead(void)
{
	struct report *report = dead_tunnel(FAILURE_CONNECTION_RESET);
	build_by_proxy(report, second(report, "other.example"), PROXY, 200);
	expect(report, "tls_hello_reset_unlocated", 0.1, 0.5, "another name passes");
	report = dead_tunnel(FAILURE_TIMEOUT);
	struct tls_handshake *tls = tunnel_ends(report, second(report, "other.example"), FAILURE_SSL_FAILED_HANDSHAKE);
	tls->alert = 40;
	expect(report, "tls_hello_silent_unlocated", 0.1, 0.5, "another name brought an alert");
	report = dead_tunnel(FAILURE_CONNECTION_RESET);
	struct path *direct = build_path(report, report->targets[0]);
	direct->effective = false;
	struct attempt *attempt = build_attempt(report, direct, "20.190.128.1", FAILURE_NONE);
	build_tls(report, direct, attempt, FAILURE_CONNECTION_RESET);
	expect(report, "tls_hello_reset_unlocated", 0.1, 0.5, "it dies without the proxy too");
	report = dead_tunnel(FAILURE_TIMEOUT);
	report->paths[0]->attempts[0]->failure = FAILURE_DEADLINE;
	report->run.end_reason = END_DEADLINE;
	expect(report, "meas_budget_cut_short", 0.8, 1, "cut");
}

static void pages_in_the_tunnel(void)
{
	static const struct {
		const char *plain, *content_type, *cause;
	} rows[] = {{"<html><body>blocked", NULL, "prx_block_page"},
		    {"<!DOCTYPE html>", NULL, "prx_block_page"},
		    {NULL, "text/html; charset=utf-8", "prx_block_page"},
		    {"HTTP/1.1 403 Forbidden", NULL, "tls_plain_reply"},
		    {"SSH-2.0-x", NULL, "tls_plain_reply"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		struct tls_handshake *tls =
			tunnel_ends(report, second(report, "login.example"), FAILURE_SSL_FAILED_HANDSHAKE);
		tls->plain_reply = rows[i].plain;
		struct observation_list *list = &report->paths[0]->attempts[0]->observations;
		if (rows[i].content_type)
			header_list_add(report->arena, &list->items[1]->proxy.headers, "content-type",
					rows[i].content_type);
		expect(report, rows[i].cause, 0.8, 1, rows[i].plain ? rows[i].plain : rows[i].content_type);
	}
	struct report *report = build_report();
	struct attempt *attempt = build_by_proxy(report, second(report, "login.example"), PROXY, 200);
	header_list_add(report->arena, &attempt->observations.items[1]->proxy.headers, "content-type", "text/html");
	CHECK_INT(judged(report)->status, STATUS_PASS); /* a careless proxy, but the tunnel works */
	report_free(report);
}

/* ------------------------------------------------------------------ other tables */

static void direct_paths_have_no_proxy(void)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	build_attempt(report, path, "20.190.128.1", FAILURE_CONNECTION_REFUSED);
	expect(report, "tcp_refused_unlocated", 0.1, 0.5, "direct");
}

/* The user's own proxy works, SYSTEM's does not: what differs is the setting. */
static void settings_come_first(void)
{
	struct report *report = build_report();
	struct target *target = build_target(report, "login.example", 443);
	struct path *system = build_route(report, target, IDENTITY_SYSTEM, "PROXY old.corp:8080", true);
	struct path *user = build_route(report, target, IDENTITY_USER, "PROXY proxy.corp:3128", false);
	refused_by(report, system, FAILURE_PROXY_STATUS, 403);
	build_by_proxy(report, user, PROXY, 200);
	CHECK(build_also(judged(report), "prx_acl_denied"));
	expect(report, "cfg_proxy_differs_by_identity", 0.5, 1, "settings");
}

/* A report read from a file may lack every text. */
static void without_any_text(void)
{
	static const enum failure ends[] = {FAILURE_NONE,	  FAILURE_TIMEOUT,	   FAILURE_EOF,
					    FAILURE_PROXY_STATUS, FAILURE_PROXY_MALFORMED, FAILURE_SOCKS_REFUSED};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct report *report;
		struct proxy_exchange *proxy = connect_says(&report, ends[i], 503);
		proxy->method = proxy->proxy = proxy->protocol = proxy->request = NULL;
		header_list_add(report->arena, &proxy->headers, "x-error", NULL);
		report->targets[0]->host = report->targets[0]->url = NULL;
		struct observation *tls = build_tls(report, report->paths[0], report->paths[0]->attempts[0], ends[i]);
		tls->tls.sni = tls->tls.peer = tls->tls.verify = tls->tls.tuple.dst = NULL;
		build_lookup(report, report->paths[0], FAILURE_TIMEOUT, NULL)->lookup.name = NULL;
		diagnose(report);
		CHECK_INT(report->path_count, 1);
		report_free(report);
	}
}

int main(void)
{
	garbage();
	closed_or_cut_short();
	reaching_the_proxy();
	the_proxys_name();
	sign_in_ends_here();
	signing_in_as_user();
	signing_in_as_system();
	after_signing_in();
	a_silent_key_server();
	socks_replies();
	unanswered();
	dead_tunnels();
	tunnels_that_are_not_dead();
	pages_in_the_tunnel();
	direct_paths_have_no_proxy();
	settings_come_first();
	without_any_text();
	return check_summary();
}
