/* Hidden proxies against delivery networks, and revocation lists that nobody can fetch. */

#include "probe/core/http_marks.h"
#include "verdict_check.h"

/* ------------------------------------------------------------------ marks */

static void marks(void)
{
	static const struct {
		const char *header, *value, *mark;
	} rows[] = {
		{"via", "1.1 gate.corp (squid/5.7)", "gate.corp (squid/5.7)"},
		{"via", "HTTP/1.1 gate.corp", "gate.corp"},
		{"via", "1.1 varnish, 1.1 gate.corp", "gate.corp"},
		{"via", "1.1 gate.corp, 1.1 varnish", "gate.corp"},
		{"via", "1.1 varnish", NULL},
		{"via", "1.1 abc.cloudfront.net (CloudFront)", NULL},
		{"via", "1.1 google", NULL},
		{"via", "nothing", NULL},
		{"via", "", NULL},
		{"via", " , ,", NULL},
		{"via", "1.1 ", NULL},
		{"x-cache", "MISS from gate.corp", "gate.corp"},
		{"x-cache", "TCP_HIT from a23.deploy.akamaitechnologies.com (AkamaiGHost)", NULL},
		{"x-cache", "HIT", NULL},
		{"x-cache", "HIT from ", NULL},
		{"x-squid-error", "ERR_ACCESS_DENIED 0", "squid"},
		{"age", "17", NULL},
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct header_list headers = {0};
		header_list_add(arena, &headers, rows[i].header, rows[i].value);
		CHECK_TEXT(http_proxy_mark(arena, &headers), rows[i].mark);
	}
	arena_free(arena);
}

/* ------------------------------------------------------------------ hidden proxies */

static struct path *plain(struct report *report, const char *host, const char *service, const char *via, int status)
{
	struct target *target = build_target(report, host, 80);
	struct path *path = build_path(report, target);
	struct attempt *attempt = build_attempt(report, path, "23.1.1.1", FAILURE_NONE);
	struct observation *http = build_http(report, path, attempt, status);
	target->service = service;
	if (via)
		header_list_add(report->arena, &http->http.headers, "via", via);
	return path;
}

static struct observation *wrong_address(struct report *report, bool matches)
{
	struct observation *one = report_add_observation(report, OP_HTTP_EXCHANGE);
	one->experiment = "http_wrong_address";
	one->http.status = matches ? 200 : 404;
	one->http.body_matches = matches;
	return one;
}

static void one_mark_everywhere_is_a_hidden_proxys(void)
{
	struct report *report = build_report();
	plain(report, "www.msftncsi.com", "ncsi", "1.1 gate (squid)", 200);
	plain(report, "crl3.digicert.com", "crl", "1.1 gate (squid)", 200);
	const struct verdict *verdict = judged(report);
	CHECK_TEXT(verdict->cause, "prx_transparent_present");
	CHECK_INT(verdict->status, STATUS_WARN);
	CHECK_INT(report->finding_count, 1);
	CHECK_TEXT(report->findings[0]->subject, "gate (squid)");
	CHECK(report->readiness.ready);
	report_free(report);
}

static void what_is_not_enough(void)
{
	static const struct {
		const char *what, *host, *service, *via;
	} rows[] = {
		{"of one house", "crl4.digicert.com", "ocsp", "1.1 gate (squid)"},
		{"of one service", "crl.microsoft.com", "ncsi", "1.1 gate (squid)"},
		{"another mark", "crl3.digicert.com", "crl", "1.1 fence (squid)"},
		{"no mark", "crl3.digicert.com", "crl", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		bool same_house = i == 0;
		plain(report, same_house ? "crl3.digicert.com" : "www.msftncsi.com", same_house ? "crl" : "ncsi",
		      "1.1 gate (squid)", 200);
		plain(report, rows[i].host, rows[i].service, rows[i].via, 200);
		if (!check_text(judged(report)->cause, NULL))
			printf("%s\n", rows[i].what);
		CHECK_TEXT(report->paths[0]->verdict.cause, NULL);
		wrong_address(report, false);
		CHECK_TEXT(judged(report)->cause, NULL);
		wrong_address(report, true);
		CHECK_TEXT(judged(report)->cause, "prx_transparent_present");
		CHECK(report->paths[0]->verdict.confidence > 0.85);
		report_free(report);
	}
}

static void it_breaks_what_it_answers(void)
{
	struct report *report = build_report();
	struct path *path = plain(report, "www.msftncsi.com", "ncsi", "1.1 gate (squid)", 403);
	plain(report, "crl3.digicert.com", "crl", "1.1 gate (squid)", 200);
	path->target->expect.body = "Microsoft NCSI";
	CHECK_TEXT(judged(report)->cause, "prx_transparent_present");
	CHECK_INT(report->paths[0]->verdict.status, STATUS_FAIL);
	/* a portal's redirect is a portal's */
	path->attempts[0]->observations.items[1]->http.status = 302;
	expect(report, "http_captive_portal", 0.8, 1, "a portal");
	/* TLS and proxied paths are another matter */
	report = build_report();
	build_works(report, build_path(report, build_target(report, "login.example", 443)), "20.1.1.1");
	wrong_address(report, true);
	CHECK_TEXT(judged(report)->cause, NULL);
	report_free(report);
}

/* ------------------------------------------------------------------ revocation */

static void names_revocation(struct report *report, struct path *path, const char *const *hosts)
{
	struct attempt *attempt = build_works(report, path, "20.1.1.1");
	struct tls_handshake *tls = &attempt->observations.items[1]->tls;
	tls->chain = arena_alloc(report->arena, sizeof(*tls->chain));
	tls->chain_count = 1;
	for (; *hosts; hosts++)
		text_list_add(report->arena, &tls->chain[0].revocation_hosts, *hosts);
}

static struct path *list_at(struct report *report, const char *host, enum failure failure)
{
	struct path *path = build_path(report, build_target(report, host, 80));
	path->target->required = false;
	struct attempt *attempt = build_attempt(report, path, "23.1.1.1", failure);
	if (failure == FAILURE_NONE)
		build_http(report, path, attempt, 200);
	return path;
}

static void revocation_lists(void)
{
	static const struct {
		const char *what;
		enum failure crl, ocsp;
		const char *cause;
	} rows[] = {
		{"all fail", FAILURE_TIMEOUT, FAILURE_CONNECTION_REFUSED, "tls_revocation_blocked"},
		{"one is left", FAILURE_TIMEOUT, FAILURE_NONE, NULL},
		{"nobody knows", FAILURE_TIMEOUT, FAILURE_DEADLINE, NULL},
		{"all is well", FAILURE_NONE, FAILURE_NONE, NULL},
	};
	static const char *const hosts[] = {"CRL.example", "ocsp.example", "elsewhere.example", NULL};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		names_revocation(report, build_path(report, build_target(report, "login.example", 443)), hosts);
		list_at(report, "crl.example", rows[i].crl);
		list_at(report, "ocsp.example", rows[i].ocsp);
		if (!check_text(judged(report)->cause, rows[i].cause))
			printf("%s\n", rows[i].what);
		CHECK_TEXT(report->paths[0]->verdict.cause, rows[i].cause);
		CHECK_INT(report->paths[0]->verdict.status, rows[i].cause ? STATUS_WARN : STATUS_PASS);
		const struct finding *finding = build_finding(report, "tls_revocation_blocked");
		CHECK(!finding == !rows[i].cause);
		CHECK(!finding || check_text(finding->subject, "crl.example"));
		report_free(report);
	}
}

static void hosts_that_nobody_asked_for_tell_nothing(void)
{
	static const char *const hosts[] = {"elsewhere.example", NULL};
	struct report *report = build_report();
	names_revocation(report, build_path(report, build_target(report, "login.example", 443)), hosts);
	list_at(report, "crl.example", FAILURE_TIMEOUT);
	CHECK_TEXT(judged(report)->cause, NULL);
	report_free(report);
}

int main(void)
{
	marks();
	one_mark_everywhere_is_a_hidden_proxys();
	what_is_not_enough();
	it_breaks_what_it_answers();
	revocation_lists();
	hosts_that_nobody_asked_for_tell_nothing();
	return check_summary();
}
