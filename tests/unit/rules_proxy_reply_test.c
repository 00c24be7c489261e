/* Table P: what the words of a proxy's reply prove. */

#include "verdict_check.h"

/* ------------------------------------------------------------------ statuses */

struct answer {
	int status;
	const char *header, *value, *body;
	const char *cause;
	double least, most;
};

static void connect_is_answered(const struct answer *row)
{
	struct report *report;
	struct proxy_exchange *proxy = connect_says(&report, FAILURE_PROXY_STATUS, row->status);
	if (row->header)
		header_list_add(report->arena, &proxy->headers, row->header, row->value);
	proxy->body_head = row->body;
	const struct verdict *verdict = judged(report);
	if (verdict->also.count)
		printf("%d %s: also %s\n", row->status, row->body ? row->body : "", verdict->also.items[0]);
	CHECK_INT(verdict->also.count, 0); /* one fault is not two */
	CHECK_INT(verdict->evidence.count, 1);
	CHECK_INT(verdict->stage, STAGE_PROXY);
	expect(report, row->cause, row->least, row->most, row->body ? row->body : row->header ? row->value : "bare");
}

static void answers_to_connect(void)
{
	static const struct answer rows[] = {
		{403, NULL, NULL, NULL, "prx_acl_denied", 0.8, 1},
		{451, NULL, NULL, NULL, "prx_acl_denied", 0.8, 1},
		{403, "server", "nginx", NULL, "prx_acl_denied", 0.8, 1},
		{302, "location", "http://block.corp/", NULL, "prx_block_page", 0.8, 1},
		{307, NULL, NULL, "<html>", "prx_block_page", 0.8, 1},
		{511, NULL, NULL, NULL, "prx_block_page", 0.8, 1},
		{405, NULL, NULL, NULL, "prx_connect_not_allowed", 0.8, 1},
		{501, "server", "SimpleHTTP/0.6 Python/3.11", NULL, "prx_connect_not_allowed", 0.8, 1},
		{400, "server", "nginx", "The plain HTTP request was sent to HTTPS port", "prx_connect_not_allowed",
		 0.1, 0.49},
		{404, "server", "nginx", NULL, "prx_connect_not_allowed", 0.1, 0.49},
		{401, "www-authenticate", "basic", NULL, "prx_connect_not_allowed", 0.1, 0.49},
		{404, NULL, NULL, "<h1>No such domain</h1>", "prx_dns_failed", 0.8, 1},
		{429, NULL, NULL, NULL, "prx_overloaded", 0.8, 1},
		{503, "retry-after", "30", NULL, "prx_overloaded", 0.8, 1},
		{503, "retry-after", "30", "Connection refused", "prx_upstream_refused", 0.8, 1},
		{508, NULL, NULL, NULL, "prx_chain_loop", 0.8, 1},
		{500, NULL, NULL, NULL, "prx_upstream_refused", 0.1, 0.49},
		{502, NULL, NULL, NULL, "prx_upstream_refused", 0.1, 0.49},
		{503, NULL, NULL, NULL, "prx_upstream_refused", 0.1, 0.49},
		{504, NULL, NULL, NULL, "prx_upstream_timeout", 0.5, 0.79},
		{504, NULL, NULL, "<h1>504 Gateway Time-out</h1>", "prx_upstream_timeout", 0.8, 1},
		{503, NULL, NULL, "No server is available to handle this request.", "prx_upstream_refused", 0.1, 0.49},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		connect_is_answered(&rows[i]);
}

static void answers_about_the_upstream(void)
{
	static const char squid[] = "x-squid-error", status[] = "proxy-status";
	static const struct answer rows[] = {
		{503, squid, "ERR_DNS_FAIL 0", NULL, "prx_dns_failed", 0.8, 1},
		{503, squid, "ERR_CONNECT_FAIL 111", NULL, "prx_upstream_refused", 0.8, 1},
		{503, squid, "ERR_CONNECT_FAIL 113", NULL, "prx_upstream_refused", 0.8, 1},
		{503, squid, "ERR_CONNECT_FAIL 110", NULL, "prx_upstream_timeout", 0.8, 1},
		{503, squid, "ERR_CONNECT_FAIL 60", NULL, "prx_upstream_timeout", 0.8, 1}, /* BSD */
		{503, squid, "ERR_CONNECT_FAIL 0", NULL, "prx_upstream_refused", 0.1, 0.49},
		{503, squid, "ERR_CONNECT_FAIL 111", "dns.example", "prx_upstream_refused", 0.8, 1},
		{500, squid, "ERR_CANNOT_FORWARD 0", NULL, "prx_dns_failed", 0.1, 0.49},
		{504, squid, "ERR_READ_TIMEOUT 0", NULL, "prx_upstream_timeout", 0.8, 1},
		{502, status, "corp; error=dns_error; rcode=NXDOMAIN", NULL, "prx_dns_failed", 0.8, 1},
		{502, status, "corp; error=connection_refused", NULL, "prx_upstream_refused", 0.8, 1},
		{504, status, "corp; error=connection_timeout", NULL, "prx_upstream_timeout", 0.8, 1},
		{502, NULL, NULL, "DNS lookup failure for: login.example", "prx_dns_failed", 0.8, 1},
		{502, NULL, NULL, "Network Error (dns_unresolved_hostname)", "prx_dns_failed", 0.8, 1},
		{502, NULL, NULL, "Could not resolve host", "prx_dns_failed", 0.8, 1},
		{500, NULL, NULL, "[Errno -2] Name or service not known", "prx_dns_failed", 0.8, 1},
		{502, NULL, NULL, "Host Not Found or connection failed", "prx_dns_failed", 0.1,
		 0.49}, /* 3proxy: which? */
		{502, NULL, NULL, "Unable to connect: no such host", "prx_dns_failed", 0.8, 1},
		{502, NULL, NULL, "upstream dns.example: connection refused", "prx_upstream_refused", 0.8, 1},
		{502, NULL, NULL, "[Errno 111] Connection refused", "prx_upstream_refused", 0.8, 1},
		{503, NULL, NULL, "Network is unreachable", "prx_upstream_refused", 0.8, 1},
		{502, NULL, NULL, "Operation timed out", "prx_upstream_timeout", 0.8, 1},
		{500, NULL, NULL, "<h1>Unable to connect</h1>", "prx_upstream_refused", 0.1, 0.49}, /* tinyproxy */
		{503, NULL, NULL, "Call the helpdesk to resolve this", "prx_upstream_refused", 0.1, 0.49},
		{503, NULL, NULL, "cannot reach dns.example.com", "prx_upstream_refused", 0.1, 0.49},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		connect_is_answered(&rows[i]);
}

/* Squid knows no way: names are to blame where nobody here knows the name either. */
static void nobody_knows_the_name(void)
{
	struct report *report;
	struct proxy_exchange *proxy = connect_says(&report, FAILURE_PROXY_STATUS, 500);
	header_list_add(report->arena, &proxy->headers, "x-squid-error", "ERR_CANNOT_FORWARD 0");
	build_query(report, report->paths[0], "10.0.0.53", FAILURE_DNS_NXDOMAIN, NULL);
	expect(report, "prx_dns_failed", 0.55, 0.7, "denied here too");
	proxy = connect_says(&report, FAILURE_PROXY_STATUS, 500);
	header_list_add(report->arena, &proxy->headers, "x-squid-error", "ERR_CANNOT_FORWARD 0");
	build_query(report, report->paths[0], "10.0.0.53", FAILURE_NONE, "20.190.128.1");
	expect(report, "prx_dns_failed", 0.1, 0.49, "known here");
}

/* ------------------------------------------------------------------ GET by the proxy */

static void get_is_answered(const struct answer *row, const char *body)
{
	struct report *report = build_report();
	struct path *path = path_by(report, "PROXY proxy.corp:3128", "www.ncsi.example", 80);
	path->target->expect.body = body;
	struct proxy_exchange *proxy = refused_by(report, path, FAILURE_NONE, row->status);
	if (row->header)
		header_list_add(report->arena, &proxy->headers, row->header, row->value);
	proxy->body_head = row->body;
	struct observation *seen = build_http(report, path, path->attempts[0], row->status);
	seen->http.headers = proxy->headers;
	seen->http.body_head = row->body;
	expect(report, row->cause, row->least, row->most, row->header ? row->value : "GET without a mark");
}

static void answers_to_get(void)
{
	static const char squid[] = "x-squid-error";
	static const struct answer any[] = {
		{403, squid, "ERR_ACCESS_DENIED 0", NULL, "prx_acl_denied", 0.8, 1},
		{403, "server", "tinyproxy/1.11.1", NULL, "prx_acl_denied", 0.8, 1},
		{403, NULL, NULL, "<title>ERROR</title> generated by Squid", "prx_acl_denied", 0.8, 1},
		{403, "via", "1.1 proxy (squid)", NULL, "prx_acl_denied", 0.4, 0.5}, /* the origin's own, maybe */
		{403, "server", "nginx", NULL, "http_block_page", 0.1, 0.8},
		{502, "server", "nginx", NULL, "http_block_page", 0.1, 0.8},
		{503, squid, "ERR_DNS_FAIL 0", NULL, "prx_dns_failed", 0.8, 1},
		{503, squid, "ERR_CONNECT_FAIL 110", NULL, "prx_upstream_timeout", 0.8, 1},
		{503, "via", "1.1 proxy", NULL, "prx_upstream_refused", 0.1, 0.49},
		{429, "via", "1.1 proxy", NULL, "prx_overloaded", 0.1, 0.5},
		{405, "via", "1.1 proxy", NULL, "http_block_page", 0.1, 0.8},
	};
	static const struct answer ncsi[] = {
		{200, "via", "1.1 proxy", "<html>blocked</html>", "prx_block_page", 0.5, 0.85},
		{200, "via", "1.1 proxy", "", "prx_block_page", 0.5, 0.85},
		{302, "server", "squid/5.7", "", "prx_block_page", 0.8, 1},
		{200, NULL, NULL, "<html>blocked</html>", "http_ncsi_altered", 0.8, 1},
		{302, NULL, NULL, "", "http_captive_portal", 0.8, 1},
		{511, NULL, NULL, "", "http_captive_portal", 0.8, 1},
		{511, "via", "1.1 proxy", "", "http_captive_portal", 0.8, 1},
	};
	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		get_is_answered(&any[i], NULL);
	for (size_t i = 0; i < sizeof(ncsi) / sizeof(ncsi[0]); i++)
		get_is_answered(&ncsi[i], "Microsoft NCSI");
}

/* What the proxy is known to have written itself is nobody else's page. */
static void one_page_has_one_author(void)
{
	struct report *report = build_report();
	struct path *path = path_by(report, "PROXY proxy.corp:3128", "crl.example", 80);
	struct proxy_exchange *proxy = refused_by(report, path, FAILURE_NONE, 403);
	header_list_add(report->arena, &proxy->headers, "server", "squid");
	struct observation *seen = build_http(report, path, path->attempts[0], 403);
	seen->http.headers = proxy->headers;
	seen->http.body_head = "Access denied by policy";
	CHECK_INT(judged(report)->also.count, 0);
	expect(report, "prx_acl_denied", 0.8, 1, "squid");
}

int main(void)
{
	answers_to_connect();
	answers_about_the_upstream();
	nobody_knows_the_name();
	answers_to_get();
	one_page_has_one_author();
	return check_summary();
}
