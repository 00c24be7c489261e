/* Table A: whose answer it is, and what a missing one proves. */

#include "verdict_check.h"

static const char BODY[] = "Microsoft NCSI";

static struct path *direct(struct report *report, const char *host, int port)
{
	struct path *path = build_path(report, build_target(report, host, port));
	text_list_add(report->arena, &path->target->expect.headers, "x-ms-request-id");
	text_list_add(report->arena, &report->run.allow_rules, "*.listed.example");
	return path;
}

/* The target was connected to, with a proven chain on 443, and answers so. */
static struct observation *answers(struct report *report, struct path *path, int status)
{
	struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
	if (path->target->port == 443)
		build_tls(report, path, attempt, FAILURE_NONE);
	return build_http(report, path, attempt, status);
}

static struct observation *one_answer(struct report **report, int port, int status)
{
	*report = build_report();
	return answers(*report, direct(*report, "login.example", port), status);
}

/* ------------------------------------------------------------------ NCSI */

static struct observation *ncsi_answers(struct report **report, int status, const char *body)
{
	struct observation *seen = one_answer(report, 80, status);
	(*report)->targets[0]->expect.body = BODY;
	seen->http.body_head = body;
	seen->http.body_sha256 = "bb";
	return seen;
}

static void connectivity_probes(void)
{
	static const struct {
		int status;
		const char *body, *cause;
		double least;
	} rows[] = {{302, "", "http_captive_portal", 0.8},
		    {307, "", "http_captive_portal", 0.8},
		    {511, "", "http_captive_portal", 0.8},
		    {200, "<html>Blocked by policy</html>", "http_ncsi_altered", 0.8},
		    {200, "", "http_ncsi_altered", 0.8},
		    {204, "", "http_ncsi_altered", 0.8},
		    {403, "", "http_block_page", 0.4},
		    {403, "Web filter: blocked", "http_block_page", 0.8},
		    {404, "", "http_block_page", 0.4},
		    {503, "", "http_block_page", 0.4}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		ncsi_answers(&report, rows[i].status, rows[i].body);
		CHECK_INT(judged(report)->also.count, 0);
		expect(report, rows[i].cause, rows[i].least, 1, rows[i].body);
	}
	struct report *report;
	ncsi_answers(&report, 200, BODY)->http.body_matches = true;
	CHECK_INT(judged(report)->status, STATUS_PASS);
	report_free(report);
}

/* The portal's page has the probe's own name. */
static void a_followed_redirect(void)
{
	struct report *report;
	ncsi_answers(&report, 302, "");
	build_http(report, report->paths[0], report->paths[0]->attempts[0], 200)->http.body_head =
		"<html>Sign in</html>";
	expect(report, "http_captive_portal", 0.8, 1, "followed");
}

static void a_body_cut_short(void)
{
	static const struct {
		const char *body, *error, *cause;
	} rows[] = {{"Microsoft", "transfer closed with 5 bytes remaining to read", "http_body_cut"},
		    {"", "the body did not come to its end in time", "http_body_cut"},
		    {NULL, "the body did not come to its end in time", "http_body_cut"},
		    {"<html>", "the body did not come to its end in time", "http_ncsi_altered"},
		    {"Microsoft", NULL, "http_ncsi_altered"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		struct observation *seen = ncsi_answers(&report, 200, rows[i].body);
		seen->http.error = rows[i].error;
		seen->http.body_sha256 = NULL;
		expect(report, rows[i].cause, 0.5, 1, rows[i].body ? rows[i].body : "(null)");
	}
}

/* ------------------------------------------------------------------ the service's own word */

static void proof_of_origin(void)
{
	static const struct {
		int status;
		bool header, retry_after;
		const char *cause;
		enum owner owner;
	} rows[] = {{403, true, false, "http_service_4xx_policy", OWNER_SERVER_ADMIN},
		    {404, true, false, "http_service_4xx_policy", OWNER_SERVER_ADMIN},
		    {429, true, false, "http_service_throttled", OWNER_MICROSOFT},
		    {429, true, true, "http_service_throttled", OWNER_MICROSOFT},
		    {503, true, true, "http_service_throttled", OWNER_MICROSOFT},
		    {503, true, false, "http_service_5xx", OWNER_MICROSOFT},
		    {500, true, false, "http_service_5xx", OWNER_MICROSOFT},
		    {403, false, false, "http_block_page", OWNER_FIREWALL_TEAM},
		    {404, false, false, "http_block_page", OWNER_FIREWALL_TEAM},
		    {429, false, true, "http_block_page", OWNER_FIREWALL_TEAM},
		    {503, false, true, "http_block_page", OWNER_FIREWALL_TEAM},
		    {500, false, false, "http_block_page", OWNER_FIREWALL_TEAM}};
	static int wanted[] = {200, 302};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		struct observation *seen = one_answer(&report, 443, rows[i].status);
		report->targets[0]->expect.status = wanted;
		report->targets[0]->expect.status_count = 2;
		if (rows[i].header)
			header_list_add(report->arena, &seen->http.headers, "x-ms-request-id", "1");
		if (rows[i].retry_after)
			header_list_add(report->arena, &seen->http.headers, "retry-after", "30");
		CHECK_INT(judged(report)->owner, rows[i].owner);
		CHECK_INT(report->paths[0]->verdict.also.count, 0);
		CHECK_INT(report->paths[0]->verdict.status, STATUS_FAIL);
		expect(report, rows[i].cause, rows[i].header ? 0.7 : 0.1, rows[i].header ? 1 : 0.5, "origin");
	}
}

/* A header that anybody can send proves nothing without the chain. */
static void headers_without_a_chain(void)
{
	struct report *report;
	struct observation *seen = one_answer(&report, 80, 503);
	header_list_add(report->arena, &seen->http.headers, "x-ms-request-id", "1");
	expect(report, "http_block_page", 0.1, 0.5, "plain HTTP");
	seen = one_answer(&report, 443, 503);
	header_list_add(report->arena, &seen->http.headers, "x-ms-request-id", "1");
	struct tls_handshake *tls = &report->paths[0]->attempts[0]->observations.items[1]->tls;
	tls->root_service = tls->root_public = false;
	tls->chain = arena_alloc(report->arena, sizeof(*tls->chain));
	tls->chain_count = 1;
	CHECK(!build_also(judged(report), "http_service_5xx"));
	expect(report, "tls_intercepted_trusted", 0.8, 1, "a foreign root");
}

static void pages(void)
{
	struct report *report;
	one_answer(&report, 443, 403)->http.body_head = "Access denied by FortiGuard";
	expect(report, "http_block_page", 0.1, 0.5, "under a proven chain");
	one_answer(&report, 80, 403)->http.body_head = "Access denied by FortiGuard";
	expect(report, "http_block_page", 0.8, 1, "on plain HTTP");
	one_answer(&report, 80, 403);
	expect(report, "http_block_page", 0.1, 0.5, "no words");
	one_answer(&report, 80, 200)->http.body_head = "<html>Access denied by FortiGuard</html>";
	expect(report, "http_block_page", 0.8, 1, "200 on plain HTTP");
	one_answer(&report, 80, 200)->http.body_head = "<html>Privacy policy</html>";
	expect(report, NULL, 0, 1, "200 and no filter's words");
}

/* A target that names no header of its service: any of Azure's own kind will do. */
static void headers_of_the_family(void)
{
	struct report *report;
	struct observation *seen = one_answer(&report, 443, 503);
	report->targets[0]->expect.headers.count = 0;
	header_list_add(report->arena, &seen->http.headers, "x-ms-version", "1");
	expect(report, "http_service_5xx", 0.7, 1, "x-ms-");
	seen = one_answer(&report, 443, 503);
	report->targets[0]->expect.headers.count = 0;
	header_list_add(report->arena, &seen->http.headers, "x-cache", "1");
	expect(report, "http_block_page", 0.1, 0.5, "any other");
}

static void healthy_errors(void)
{
	static int wanted[] = {404, 403, 400};
	for (size_t i = 0; i < 3; i++) {
		struct report *report;
		one_answer(&report, 443, wanted[i]);
		report->targets[0]->expect.status = &wanted[i];
		report->targets[0]->expect.status_count = 1;
		CHECK_INT(judged(report)->status, STATUS_PASS);
		CHECK_TEXT(report->paths[0]->verdict.cause, NULL);
		report_free(report);
	}
}

/* ------------------------------------------------------------------ redirects */

static void redirects(void)
{
	static const struct {
		int port;
		bool header;
		const char *location, *cause;
	} rows[] = {{80, false, "http://block.corp/", "http_redirect_loop_or_foreign"},
		    {80, true, "http://block.corp/", "http_redirect_loop_or_foreign"},
		    {443, true, "https://cdn.foreign.example/", "http_redirect_needs_unlisted_host"},
		    {443, false, "https://cdn.foreign.example/", "http_redirect_loop_or_foreign"}};
	static int wanted[] = {200};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		struct observation *seen = one_answer(&report, rows[i].port, 302);
		header_list_add(report->arena, &seen->http.headers, "location", rows[i].location);
		if (rows[i].header)
			header_list_add(report->arena, &seen->http.headers, "x-ms-request-id", "1");
		report->targets[0]->expect.status = wanted;
		report->targets[0]->expect.status_count = 1;
		CHECK_INT(judged(report)->also.count, 0);
		expect(report, rows[i].cause, 0.6, 1, rows[i].location);
	}
	struct report *report;
	struct observation *seen = one_answer(&report, 80, 302);
	header_list_add(report->arena, &seen->http.headers, "location", "http://other.listed.example/");
	CHECK_INT(judged(report)->status, STATUS_PASS);
	report_free(report);
}

/* Each hop an exchange of its own; all lead on within the target's own name. */
static struct report *hops(size_t count, bool same)
{
	struct report *report = build_report();
	struct path *path = direct(report, "login.example", 443);
	static int wanted[] = {200};
	path->target->expect.status = wanted;
	path->target->expect.status_count = 1;
	answers(report, path, 302);
	for (size_t i = 1; i < count; i++) {
		struct observation *hop = build_http(report, path, path->attempts[0], 302);
		hop->http.url = same ? path->target->url : arena_printf(report->arena, "https://login.example/%zu", i);
		header_list_add(report->arena, &hop->http.headers, "location", "https://login.example/on");
	}
	return report;
}

static void circles(void)
{
	expect(hops(2, true), "http_redirect_loop_or_foreign", 0.8, 1, "the same twice");
	expect(hops(9, false), "http_redirect_loop_or_foreign", 0.8, 1, "without end");
	expect(hops(3, false), "http_block_page", 0.1, 0.5, "a few");
	struct report *report = hops(9, true); /* a redirect is expected, but not one to itself */
	report->targets[0]->expect.status_count = 0;
	expect(report, "http_redirect_loop_or_foreign", 0.8, 1, "expected");
}

/* Two targets that send to each other: neither is followed to the other. */
static void circle_of_two_hosts(void)
{
	static int wanted[] = {200};
	static const char *const hosts[] = {"a.listed.example", "b.listed.example"};
	struct report *report = build_report();
	for (size_t i = 0; i < 2; i++) {
		struct path *path = direct(report, hosts[i], 443);
		path->target->expect.status = wanted;
		path->target->expect.status_count = 1;
		struct observation *seen = answers(report, path, 302);
		seen->http.url = arena_printf(report->arena, "https://%s/", hosts[i]);
		header_list_add(report->arena, &seen->http.headers, "location",
				arena_printf(report->arena, "https://%s/", hosts[1 - i]));
	}
	expect(report, "http_redirect_loop_or_foreign", 0.8, 1, "two hosts");
}

/* ------------------------------------------------------------------ no answer */

static struct attempt *ends(struct report **report, int port, enum failure failure)
{
	struct observation *seen = one_answer(report, port, NOT_MEASURED);
	struct attempt *attempt = (*report)->paths[0]->attempts[0];
	seen->failure = attempt->failure = failure;
	return attempt;
}

static void cut_at_the_request(void)
{
	static const enum failure ways[] = {FAILURE_CONNECTION_RESET, FAILURE_EOF};
	for (size_t i = 0; i < 2; i++) {
		struct report *report;
		ends(&report, 80, ways[i]);
		CHECK(says_not_run(judged(report), "another Host on the same address"));
		expect(report, "http_reset_on_request", 0.1, 0.5, "alone");
		ends(&report, 80, ways[i]);
		answers(report, direct(report, "other.example", 80), 200);
		CHECK_INT(judged(report)->evidence.count, 2);
		expect(report, "http_reset_on_request", 0.8, 1, "another host passes");
		ends(&report, 80, ways[i]);
		answers(report, direct(report, "other.example", 443), 200);
		expect(report, "http_reset_on_request", 0.1, 0.5, "another kind of connection");
	}
}

static void silence(void)
{
	struct report *report;
	ends(&report, 443, FAILURE_TIMEOUT);
	CHECK_INT(judged(report)->owner, OWNER_MICROSOFT);
	expect(report, "http_silent_after_request", 0.5, 1, "under a proven chain");
	ends(&report, 80, FAILURE_TIMEOUT);
	CHECK_INT(judged(report)->owner, OWNER_FIREWALL_TEAM);
	expect(report, "http_silent_after_request", 0.1, 0.4, "nobody proved to be there");
	struct tcp_connect *tcp = &ends(&report, 443, FAILURE_TIMEOUT)->observations.items[0]->tcp;
	tcp->has_tcp_info = true;
	tcp->tcp_info.unacked = 1;
	CHECK_INT(judged(report)->owner, OWNER_FIREWALL_TEAM);
	expect(report, "http_silent_after_request", 0.1, 0.4, "the request did not arrive");
	ends(&report, 80, FAILURE_HTTP_MALFORMED);
	expect(report, "http_block_page", 0.1, 0.4, "no HTTP");
}

static void a_cut_attempt_says_nothing(void)
{
	struct report *report;
	ends(&report, 443, FAILURE_DEADLINE);
	report->run.end_reason = END_DEADLINE;
	expect(report, "meas_budget_cut_short", 0.8, 1, "deadline");
}

static void without_any_text(void)
{
	static const int statuses[] = {200, 302, 403, 429, 503, 511, NOT_MEASURED};
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct report *report;
		struct observation *seen = one_answer(&report, i % 2 ? 80 : 443, statuses[i]);
		seen->http.url = seen->http.method = seen->http.body_head = NULL;
		header_list_add(report->arena, &seen->http.headers, "location", NULL);
		answers(report, direct(report, "other.example", 80), 200);
		report->targets[0]->host = NULL;
		report->targets[1]->url = NULL;
		diagnose(report);
		CHECK_INT(report->path_count, 2);
		report_free(report);
	}
}

int main(void)
{
	connectivity_probes();
	a_followed_redirect();
	a_body_cut_short();
	proof_of_origin();
	headers_without_a_chain();
	pages();
	healthy_errors();
	redirects();
	circles();
	circle_of_two_hosts();
	headers_of_the_family();
	cut_at_the_request();
	silence();
	a_cut_attempt_says_nothing();
	without_any_text();
	return check_summary();
}
