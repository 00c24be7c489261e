/* Our own stack beside the system's: where they differ, whose anchors are missing, who trusts an inspector. */

#include "verdict_check.h"

static struct path *direct(struct report *report, const char *host)
{
	return build_path(report, build_target(report, host, 443));
}

/* What the system's own HTTP client got on that path. */
static struct observation *system_get(struct report *report, struct path *path, enum failure failure, int status)
{
	struct observation *one = build_seen(report, path, OP_HTTP_EXCHANGE, failure);
	one->experiment = "system_stack";
	one->http.method = "GET";
	one->http.url = path->target->url;
	if (failure == FAILURE_NONE)
		one->http.status = status;
	else
		one->os_error = "ERROR_WINHTTP_SECURE_FAILURE";
	return one;
}

static struct tls_handshake *tls_of(struct path *path)
{
	return &path->attempts[0]->observations.items[1]->tls;
}

static void expect_pass(struct report *report, const char *what)
{
	CHECK_INT(judged(report)->status, STATUS_PASS);
	if (report->paths[0]->verdict.cause)
		printf("%s: %s\n", what, report->paths[0]->verdict.cause);
	CHECK_TEXT(report->paths[0]->verdict.cause, NULL);
	report_free(report);
}

/* ------------------------------------------------------------------ ours fails */

static struct report *fails_by(enum failure failure, enum failure systems, int status)
{
	struct report *report = build_report();
	struct path *path = direct(report, "login.example");
	struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
	build_tls(report, path, attempt, failure);
	system_get(report, path, systems, status);
	return report;
}

static void system_gets_on(void)
{
	struct report *report = fails_by(FAILURE_CONNECTION_RESET, FAILURE_NONE, 200);
	tls_of(report->paths[0])->progress = TLS_SERVER_HELLO;
	CHECK_INT(judged(report)->status, STATUS_INCONCLUSIVE);
	CHECK(build_also(judged(report), "tls_cut_mid_handshake"));
	CHECK_INT(report->paths[0]->verdict.evidence.count, 2);
	CHECK(build_finding(report, "meas_stack_disagrees") != NULL);
	CHECK(strstr(build_finding(report, "meas_stack_disagrees")->summary, "the system's own HTTP client") != NULL);
	expect(report, "meas_stack_disagrees", 0.5, 0.7, "200 for the system");
	expect(fails_by(FAILURE_CONNECTION_RESET, FAILURE_CONNECTION_RESET, 0), "tls_hello_reset_unlocated", 0.1, 0.5,
	       "both");
	expect(fails_by(FAILURE_CONNECTION_RESET, FAILURE_NONE, 403), "tls_hello_reset_unlocated", 0.1, 0.5,
	       "a refusal is no better");
	expect(fails_by(FAILURE_CONNECTION_RESET, FAILURE_DEADLINE, 0), "tls_hello_reset_unlocated", 0.1, 0.5,
	       "not asked to the end");
}

/* One finding of two targets: the sentence is about one of them. */
static void one_target_in_the_sentence(void)
{
	struct report *report = build_report();
	struct path *works = direct(report, "works.example"), *fails = direct(report, "login.example");
	build_works(report, works, "20.190.128.2");
	system_get(report, works, FAILURE_SSL_FAILED_HANDSHAKE, 0);
	build_tls(report, fails, build_attempt(report, fails, "20.190.128.1", FAILURE_NONE), FAILURE_CONNECTION_RESET);
	system_get(report, fails, FAILURE_NONE, 200);
	judged(report);
	const struct finding *finding = build_finding(report, "meas_stack_disagrees");
	CHECK(finding && finding->target_count == 2);
	CHECK(finding && strstr(finding->summary, "GET https://login.example"));
	CHECK(finding && !strstr(finding->summary, "GET https://works.example"));
	report_free(report);
}

static void system_gets_on_by_an_old_version(void)
{
	struct report *report = fails_by(FAILURE_SSL_FAILED_HANDSHAKE, FAILURE_NONE, 200);
	tls_of(report->paths[0])->alert = 70;
	expect(report, "tls_version_refused", 0.1, 1, "TLS 1.1 is no way out");
}

static void same_status(void)
{
	for (int same = 0; same < 2; same++) {
		struct report *report;
		connect_says(&report, FAILURE_PROXY_STATUS, 407)->schemes = (struct text_list){0};
		system_get(report, report->paths[0], FAILURE_NONE, same ? 407 : 200);
		judged(report);
		CHECK_INT(build_also(&report->paths[0]->verdict, "meas_stack_disagrees"), false);
		CHECK_INT(check_text(report->paths[0]->verdict.cause, "meas_stack_disagrees"), !same);
		report_free(report);
	}
}

static void one_address_of_two(void)
{
	struct report *report = fails_by(FAILURE_CONNECTION_RESET, FAILURE_NONE, 200);
	build_works(report, report->paths[0], "20.190.128.2");
	CHECK_INT(judged(report)->status, STATUS_WARN);
	CHECK(!check_text(report->paths[0]->verdict.cause, "meas_stack_disagrees"));
	report_free(report);
}

static struct tls_handshake *refused_chain(struct report **report, const char *verify, const char *system_verify)
{
	*report = build_report();
	struct path *path = direct(*report, "login.example");
	struct attempt *attempt = build_attempt(*report, path, "20.190.128.1", FAILURE_NONE);
	struct tls_handshake *tls = &build_tls(*report, path, attempt, FAILURE_SSL_UNKNOWN_AUTHORITY)->tls;
	tls->verify = verify;
	tls->system_verify = system_verify;
	tls->progress = TLS_CERTIFICATE;
	tls->chain_count = 2;
	tls->chain = arena_alloc((*report)->arena, 2 * sizeof(*tls->chain));
	tls->chain[0] = (struct certificate){.subject = "CN=login.example", .issuer = "CN=Issuing CA"};
	tls->chain[1] = (struct certificate){.subject = "CN=Issuing CA", .issuer = "CN=Some Root", .is_ca = true};
	return tls;
}

static void chain_engine_takes_it(void)
{
	struct report *report;
	refused_chain(&report, "other: CA md too weak", "ok");
	report->paths[0]->attempts[0]->observations.items[1]->failure = FAILURE_SSL_INVALID_CERTIFICATE;
	expect(report, "meas_stack_disagrees", 0.5, 0.7, "weak for us alone");
	refused_chain(&report, "ok", "ok"); /* of an address it did not look at the name */
	report->paths[0]->attempts[0]->observations.items[1]->failure = FAILURE_SSL_INVALID_HOSTNAME;
	expect(report, "tls_name_mismatch", 0.1, 1, "the name is not the chain");
}

/* ------------------------------------------------------------------ ours works */

static struct report *works_with(enum failure systems, int status)
{
	struct report *report = build_report();
	struct path *path = direct(report, "login.example");
	build_works(report, path, "20.190.128.1");
	tls_of(path)->root_store = "machine";
	system_get(report, path, systems, status);
	return report;
}

static void system_fails(void)
{
	struct report *report = works_with(FAILURE_SSL_FAILED_HANDSHAKE, 0);
	CHECK_INT(judged(report)->status, STATUS_INCONCLUSIVE);
	CHECK(!report->readiness.ready);
	expect(report, "meas_stack_disagrees", 0.5, 0.7, "the system's handshake fails");
	report = works_with(FAILURE_TIMEOUT, 0);
	build_attempt(report, report->paths[0], "20.190.128.2", FAILURE_TIMEOUT);
	CHECK_INT(judged(report)->status, STATUS_WARN);
	CHECK(!build_also(&report->paths[0]->verdict, "meas_stack_disagrees"));
	report_free(report);
	expect_pass(works_with(FAILURE_NONE, 200), "both");
	expect_pass(works_with(FAILURE_NONE, 407), "without our credentials");
	expect_pass(works_with(FAILURE_INTERRUPTED, 0), "not asked to the end");
}

/* The system's client is given less time than all our stages together. */
static void system_is_late_on_a_slow_way(void)
{
	for (int slow = 0; slow < 2; slow++) {
		struct report *report = works_with(FAILURE_TIMEOUT, 0);
		struct attempt *attempt = report->paths[0]->attempts[0];
		attempt->ended_at_ms = attempt->started_at_ms + (slow ? 3000 : 300);
		report->observations.items[report->observations.count - 1]->duration_us = 4500 * 1000;
		if (slow)
			expect_pass(report, "late as we were");
		else
			expect(report, "meas_stack_disagrees", 0.5, 0.7, "late for itself");
	}
}

/* --ca-file is trusted by this program alone, and on purpose. */
static void root_that_was_given(void)
{
	struct report *report = works_with(FAILURE_SSL_UNKNOWN_AUTHORITY, 0);
	tls_of(report->paths[0])->root_store = NULL;
	tls_of(report->paths[0])->system_verify = "untrusted_root";
	expect_pass(report, "--ca-file");
	report = works_with(FAILURE_SSL_UNKNOWN_AUTHORITY, 0);
	expect(report, "meas_stack_disagrees", 0.5, 0.7, "an anchor of the machine's");
}

static void chain_engine_refuses(void)
{
	static const char *const words[] = {"untrusted_root", "revoked", "name_mismatch"};
	for (size_t i = 0; i < 3; i++) {
		struct report *report = works_with(FAILURE_NONE, 200);
		tls_of(report->paths[0])->system_verify = words[i];
		CHECK_INT(judged(report)->status, STATUS_INCONCLUSIVE);
		expect(report, "meas_stack_disagrees", 0.5, 0.7, words[i]);
	}
	struct report *report = works_with(FAILURE_NONE, 200);
	tls_of(report->paths[0])->system_verify = "ok";
	expect_pass(report, "both");
}

/* ------------------------------------------------------------------ roots */

static void missing_root(void)
{
	struct report *report;
	struct tls_handshake *tls = refused_chain(&report, "self_signed_root", "untrusted_root");
	tls->chain[1].sha256 = "abcd";
	text_list_add(report->arena, &report->run.service_roots, "abcd");
	expect(report, "host_root_ca_missing", 0.8, 0.9, "the service's root came along");
	tls = refused_chain(&report, "issuer_missing", "issuer_missing");
	tls->chain[1].issuer_o = "DigiCert Inc";
	tls->chain[1].issuer_cn = "DigiCert Global Root G2";
	expect(report, "host_root_ca_missing", 0.5, 0.7, "by its name");
	tls = refused_chain(&report, "issuer_missing", NULL);
	tls->chain[1].issuer_o = "DigiCert Inc";
	tls->chain[1].issuer_cn = "DigiCert Global Root G2";
	expect(report, "tls_intermediate_missing", 0.5, 0.7, "the system was not asked");
	refused_chain(&report, "issuer_missing", "untrusted_root");
	expect(report, "tls_intercepted_untrusted", 0.5, 0.9, "nobody's root");
}

static struct path *foreign_root(struct report *report, enum identity_id identity, const char *store)
{
	struct target *target = build_target(report, "login.example", 443);
	struct path *path = build_route(report, target, identity, "DIRECT", true);
	build_works(report, path, "20.190.128.1");
	struct tls_handshake *tls = tls_of(path);
	tls->chain_count = 1;
	tls->chain = arena_alloc(report->arena, sizeof(*tls->chain));
	tls->chain[0] = (struct certificate){.subject = "CN=login.example", .issuer = "CN=Corp CA"};
	tls->root_sha256 = "ff";
	tls->root_service = tls->root_public = false;
	tls->root_store = store;
	return path;
}

static void trusted_by_the_user_alone(void)
{
	struct report *report = build_report();
	foreign_root(report, IDENTITY_USER, "user");
	CHECK(build_also(judged(report), "tls_intercepted_trusted"));
	expect(report, "tls_intercepted_trusted_user_only", 0.8, 1, "the user's store");
	report = build_report();
	foreign_root(report, IDENTITY_SYSTEM, "user");
	expect(report, "tls_intercepted_trusted_user_only", 0.1, 0.49, "SYSTEM by settings");
	report = build_report();
	foreign_root(report, IDENTITY_USER, "machine");
	CHECK(!build_also(judged(report), "tls_intercepted_trusted_user_only"));
	expect(report, "tls_intercepted_trusted", 0.8, 1, "the machine's store");
	report = build_report();
	foreign_root(report, IDENTITY_SYSTEM, "user");
	for (size_t i = 0; i < report->identity_count; i++)
		report->identities[i].mode = MODE_RUN;
	expect(report, "tls_intercepted_trusted", 0.8, 1, "SYSTEM's own store, in its own process");
}

int main(void)
{
	system_gets_on();
	one_target_in_the_sentence();
	system_gets_on_by_an_old_version();
	same_status();
	one_address_of_two();
	chain_engine_takes_it();
	system_fails();
	system_is_late_on_a_slow_way();
	root_that_was_given();
	chain_engine_refuses();
	missing_root();
	trusted_by_the_user_alone();
	return check_summary();
}
