/* Table S: whose certificate came, what is wrong with it, and how handshakes end. */

#include "verdict_check.h"

static struct path *direct(struct report *report, const char *host)
{
	return build_path(report, build_target(report, host, 443));
}

/* A handshake at an address that ended so; nothing more was seen. */
static struct tls_handshake *handshake(struct report *report, struct path *path, const char *address,
				       enum failure failure)
{
	struct attempt *attempt = build_attempt(report, path, address, FAILURE_NONE);
	return &build_tls(report, path, attempt, failure)->tls;
}

static struct tls_handshake *one(struct report **report, enum failure failure)
{
	*report = build_report();
	return handshake(*report, direct(*report, "login.example"), "20.190.128.1", failure);
}

static struct certificate *add_certificate(struct report *report, struct tls_handshake *tls, const char *subject,
					   const char *issuer)
{
	tls->chain = arena_grow(report->arena, tls->chain, &tls->chain_capacity, tls->chain_count, sizeof(*tls->chain));
	struct certificate *added = &tls->chain[tls->chain_count++];
	*added = (struct certificate){.subject = subject, .issuer = issuer, .is_ca = tls->chain_count > 1};
	tls->progress = TLS_CERTIFICATE;
	return added;
}

/* A handshake that delivered a leaf by that issuer, and was refused for it. */
static struct tls_handshake *leaf_by(struct report *report, struct path *path, const char *issuer, const char *verify)
{
	bool trust = strcmp(verify, "issuer_missing") == 0 || strncmp(verify, "self", 4) == 0;
	struct tls_handshake *tls = handshake(report, path, "20.190.128.1",
					      trust ? FAILURE_SSL_UNKNOWN_AUTHORITY : FAILURE_SSL_INVALID_CERTIFICATE);
	add_certificate(report, tls, "CN=leaf", issuer);
	tls->verify = verify;
	return tls;
}

/* Another name that verifies, under an intermediate of that house. */
static struct tls_handshake *verified(struct report *report, const char *host, const char *intermediate)
{
	struct path *path = direct(report, host);
	build_works(report, path, "20.190.128.9");
	struct tls_handshake *tls = &path->attempts[0]->observations.items[1]->tls;
	add_certificate(report, tls, "CN=other", intermediate)->issuer_o = "Service House";
	add_certificate(report, tls, intermediate, "CN=Root");
	tls->progress = TLS_FINISHED;
	return tls;
}

/* ------------------------------------------------------------------ interception */

/* The chain stands, and its root is trusted here and nobody's we know. */
static void make_foreign(struct report *report, struct tls_handshake *tls)
{
	add_certificate(report, tls, "CN=login.example", "CN=Corp Inspection CA");
	tls->root_sha256 = "ff";
	tls->root_subject = "CN=Corp Inspection CA";
	tls->root_service = tls->root_public = false;
}

static void inspected_and_trusted(void)
{
	static const struct {
		enum failure failure;
		const char *verify;
	} rows[] = {{FAILURE_NONE, "ok"},
		    {FAILURE_SSL_INVALID_HOSTNAME, "ok"},
		    {FAILURE_SSL_INVALID_CERTIFICATE, "expired"},
		    {FAILURE_SSL_INVALID_CERTIFICATE, "not_yet_valid"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		struct tls_handshake *tls = one(&report, rows[i].failure);
		make_foreign(report, tls);
		tls->verify = rows[i].verify;
		if (rows[i].failure == FAILURE_NONE)
			build_http(report, report->paths[0], report->paths[0]->attempts[0], 200);
		CHECK_INT(judged(report)->status, STATUS_FAIL);
		CHECK_INT(report->paths[0]->verdict.owner, OWNER_PROXY_TEAM);
		expect(report, "tls_intercepted_trusted", 0.8, 1, rows[i].verify);
	}
}

/* A wrong clock explains dates, whoever signed. */
static void clock_before_certificates(void)
{
	struct report *report;
	struct tls_handshake *tls = one(&report, FAILURE_SSL_INVALID_CERTIFICATE);
	make_foreign(report, tls);
	tls->verify = "not_yet_valid";
	report->host.clock_witnesses = 2;
	report->host.clock_offset_ms = -86400000;
	CHECK(build_also(judged(report), "tls_intercepted_trusted"));
	expect(report, "host_clock_skewed", 0.8, 1, "two witnesses");
}

/* The hosts file leads elsewhere, and there another certificate waits. */
static void hosts_file_before_certificates(void)
{
	struct report *report;
	one(&report, FAILURE_SSL_INVALID_HOSTNAME)->verify = "ok";
	build_fact(report, "hosts_file", "login.example", "present", "20.190.128.1");
	build_lookup(report, report->paths[0], FAILURE_NONE, (const char *const[]){"20.190.128.1", NULL});
	build_query(report, report->paths[0], "10.0.0.53", FAILURE_NONE, "20.190.128.9");
	CHECK(build_also(judged(report), "tls_name_mismatch"));
	expect(report, "host_hosts_file_override", 0.8, 1, "hosts file");
}

static void other_public_roots(void)
{
	for (int given = 0; given < 2; given++) {
		struct report *report = build_report();
		build_works(report, direct(report, "login.example"), "20.190.128.1");
		struct tls_handshake *tls = &report->paths[0]->attempts[0]->observations.items[1]->tls;
		add_certificate(report, tls, "CN=login.example", "CN=Another Public CA");
		tls->root_service = false;
		report->run.service_roots_given = given == 1;
		CHECK_INT(judged(report)->status, given ? STATUS_FAIL : STATUS_PASS);
		CHECK_TEXT(report->paths[0]->verdict.cause, given ? "tls_intercepted_trusted" : NULL);
		CHECK_INT(report->paths[0]->verdict.also.count, given ? 0 : 1);
		CHECK_INT(report->finding_count, given);
		CHECK_INT(diagnose_exit_status(report), given);
		report_free(report);
	}
}

/* What only its settings say of SYSTEM's trust is never sure. */
static void trust_of_another_identity(void)
{
	struct report *report = build_report();
	struct target *target = build_target(report, "login.example", 443);
	struct path *path = build_route(report, target, IDENTITY_SYSTEM, "DIRECT", true);
	struct tls_handshake *tls = handshake(report, path, "20.190.128.1", FAILURE_NONE);
	make_foreign(report, tls);
	expect(report, "tls_intercepted_trusted", 0.1, 0.49, "SYSTEM by settings");
}

static void inspected_and_untrusted(void)
{
	struct report *report = build_report();
	struct tls_handshake *tls = leaf_by(report, direct(report, "login.example"), "CN=Corp CA", "self_signed_root");
	add_certificate(report, tls, "CN=Corp CA", "CN=Corp CA");
	expect(report, "tls_intercepted_untrusted", 0.8, 0.85, "its root came along");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Corp CA", "issuer_missing");
	expect(report, "tls_intercepted_untrusted", 0.5, 0.6, "leaf alone");
	report = build_report();
	tls = leaf_by(report, direct(report, "login.example"), "CN=Corp Sub CA", "issuer_missing");
	add_certificate(report, tls, "CN=Corp Sub CA", "CN=Corp CA")->has_aia = true;
	expect(report, "tls_intercepted_untrusted", 0.5, 0.6, "an intermediate that nobody knows");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Corp CA", "issuer_missing");
	leaf_by(report, direct(report, "other.example"), "CN=Corp CA", "issuer_missing");
	expect(report, "tls_intercepted_untrusted", 0.9, 1, "for another name too");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Corp CA", "issuer_missing");
	verified(report, "other.example", "CN=Issuing CA");
	expect(report, "tls_intercepted_untrusted", 0.5, 0.6, "some names only");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Corp CA 2", "issuer_missing")->chain[0].has_aia = true;
	tls = verified(report, "login.example", "CN=Issuing CA");
	expect(report, "tls_intercepted_untrusted", 0.9, 1, "the same name has another certificate elsewhere");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Corp CA", "other: CA signature digest too weak");
	expect(report, "tls_intercepted_untrusted", 0.1, 0.4, "a weak chain");
}

/* ------------------------------------------------------------------ incomplete chains, devices */

static void missing_intermediates(void)
{
	struct report *report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Issuing CA", "issuer_missing");
	verified(report, "other.example", "CN=Issuing CA");
	expect(report, "tls_intermediate_missing", 0.9, 1, "another chain has it");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Issuing CA 7", "issuer_missing")->chain[0].has_aia = true;
	CHECK(says_not_run(judged(report), "fetching the issuer's certificate (AIA)"));
	expect(report, "tls_intermediate_missing", 0.6, 0.8, "the leaf says where");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Issuing CA 7", "issuer_missing")->chain[0].issuer_o =
		"Microsoft Corporation";
	expect(report, "tls_intermediate_missing", 0.6, 0.8, "a known house");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=Issuing CA 7", "issuer_missing")->chain[0].issuer_o =
		"Service House";
	verified(report, "other.example", "CN=Issuing CA 8");
	expect(report, "tls_intermediate_missing", 0.5, 0.6, "the house of others that verify");
	report = build_report();
	struct tls_handshake *tls = leaf_by(report, direct(report, "login.example"), "CN=Issuing CA", "issuer_missing");
	add_certificate(report, tls, "CN=Issuing CA", "CN=New Root")->issuer_o = "Microsoft Corporation";
	expect(report, "tls_intermediate_missing", 0.5, 0.7, "the upper one is missing");
	report = build_report();
	tls = leaf_by(report, direct(report, "login.example"), "CN=Corp TLS Inspection CA", "issuer_missing");
	tls->chain[0].has_aia = true;
	expect(report, "tls_intercepted_untrusted", 0.5, 0.6, "an inspector by name");
}

static void appliances(void)
{
	struct report *report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=leaf", "self_signed_leaf");
	CHECK(!build_also(judged(report), "tls_intercepted_untrusted"));
	expect(report, "tls_self_signed_appliance", 0.8, 1, "its own name");
	report = build_report();
	leaf_by(report, direct(report, "login.example"), "CN=leaf", "self_signed_leaf")->name_matches = true;
	expect(report, "tls_self_signed_appliance", 0.5, 0.7, "made for the name");
}

/* ------------------------------------------------------------------ dates and names */

static void dates(void)
{
	static const struct {
		const char *verify, *cause;
	} rows[] = {{"expired", "tls_cert_expired"}, {"not_yet_valid", "tls_cert_not_yet_valid"}};
	for (size_t i = 0; i < 2; i++) {
		struct report *report = build_report();
		leaf_by(report, direct(report, "login.example"), "CN=CA", rows[i].verify);
		CHECK(says_not_run(judged(report), "this server's clock against another's"));
		CHECK_INT(report->paths[0]->verdict.owner, OWNER_FIREWALL_TEAM); /* nobody proved to be the service */
		expect(report, rows[i].cause, 0.1, 0.4, "clock unknown");
		report = build_report();
		leaf_by(report, direct(report, "login.example"), "CN=CA", rows[i].verify);
		build_works(report, direct(report, "other.example"), "20.190.128.1");
		report->host.clock_witnesses = 1;
		CHECK_INT(judged(report)->owner, OWNER_MICROSOFT);
		expect(report, rows[i].cause, 0.8, 1, "the service's own address");
		report = build_report();
		leaf_by(report, direct(report, "login.example"), "CN=CA", rows[i].verify);
		report->host.clock_witnesses = 1;
		report->host.clock_offset_ms = 86400000;
		CHECK(says_not_run(judged(report), "this server's clock against another's"));
		expect(report, rows[i].cause, 0.1, 0.4, "one witness against the clock");
	}
}

static void names(void)
{
	struct report *report;
	struct tls_handshake *tls = one(&report, FAILURE_SSL_INVALID_HOSTNAME);
	tls->verify = "ok";
	tls->root_sha256 = "aa";
	tls->root_public = true;
	expect(report, "tls_name_mismatch", 0.8, 1, "a good chain for another name");
}

/* ------------------------------------------------------------------ alerts */

static void alerts(void)
{
	static const struct {
		int alert, alert_sent;
		enum tls_progress progress;
		const char *version, *cause;
	} rows[] = {{40, -1, TLS_HELLO_SENT, NULL, "tls_no_common_cipher"},
		    {71, -1, TLS_HELLO_SENT, NULL, "tls_no_common_cipher"},
		    {40, -1, TLS_CERTIFICATE, "TLSv1.2", "tls_alert_other"}, /* it wants a client certificate */
		    {116, -1, TLS_FINISHED, "TLSv1.3", "tls_alert_other"},
		    {70, -1, TLS_HELLO_SENT, NULL, "tls_version_refused"},
		    {-1, 70, TLS_SERVER_HELLO, "TLSv1", "tls_version_refused"},
		    {-1, -1, TLS_SERVER_HELLO, "TLSv1.1", "tls_version_refused"},
		    {80, -1, TLS_HELLO_SENT, NULL, "tls_alert_other"},
		    {112, -1, TLS_HELLO_SENT, NULL, "tls_alert_other"},
		    {48, -1, TLS_CERTIFICATE, "TLSv1.2", "tls_alert_other"},
		    {-1, 50, TLS_HELLO_SENT, NULL, "tls_alert_other"},
		    {-1, 40, TLS_SERVER_HELLO, "TLSv1.2", "tls_alert_other"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		struct tls_handshake *tls = one(&report, FAILURE_SSL_FAILED_HANDSHAKE);
		tls->alert = rows[i].alert;
		tls->alert_sent = rows[i].alert_sent;
		tls->progress = rows[i].progress;
		tls->version = rows[i].version;
		CHECK_INT(judged(report)->owner, OWNER_FIREWALL_TEAM);
		CHECK_INT(report->paths[0]->verdict.also.count, 0);
		expect(report, rows[i].cause, 0.1, 0.4, "whoever answered has not proved to be the service");
		tls = one(&report, FAILURE_SSL_FAILED_HANDSHAKE);
		tls->alert = rows[i].alert;
		tls->alert_sent = rows[i].alert_sent;
		tls->progress = rows[i].progress;
		tls->version = rows[i].version;
		build_works(report, direct(report, "other.example"), "20.190.128.1");
		CHECK_INT(judged(report)->owner, OWNER_MICROSOFT);
		expect(report, rows[i].cause, 0.5, 1, "proved to be the service");
	}
}

static void plain_replies(void)
{
	struct report *report;
	one(&report, FAILURE_SSL_FAILED_HANDSHAKE)->plain_reply = "HTTP/1.1 400 Bad Request";
	CHECK_INT(judged(report)->also.count, 0);
	expect(report, "tls_plain_reply", 0.8, 1, "HTTP");
	one(&report, FAILURE_SSL_FAILED_HANDSHAKE)->alert_sent = 70; /* no bytes of another protocol: an old server */
	expect(report, "tls_version_refused", 0.1, 1, "TLS");
}

/* ------------------------------------------------------------------ cut and silent */

static void cut(void)
{
	static const struct {
		enum failure failure;
		enum tls_progress progress;
		int64_t bytes_received;
		const char *cause;
		double least, most;
	} rows[] = {{FAILURE_CONNECTION_RESET, TLS_SERVER_HELLO, 900, "tls_cut_mid_handshake", 0.8, 1},
		    {FAILURE_EOF, TLS_CERTIFICATE, 3000, "tls_cut_mid_handshake", 0.8, 1},
		    {FAILURE_TIMEOUT, TLS_SERVER_HELLO, 1400, "tls_cut_mid_handshake", 0.1, 0.49},
		    {FAILURE_TIMEOUT, TLS_HELLO_SENT, 1400, "tls_cut_mid_handshake", 0.1, 0.49},
		    {FAILURE_CONNECTION_RESET, TLS_HELLO_SENT, 0, "tls_hello_reset_unlocated", 0.1, 0.5},
		    {FAILURE_EOF, TLS_HELLO_SENT, 7, "tls_hello_reset_unlocated", 0.1, 0.5},
		    {FAILURE_TIMEOUT, TLS_HELLO_SENT, 0, "tls_hello_silent_unlocated", 0.1, 0.5},
		    {FAILURE_TIMEOUT, TLS_HELLO_SENT, NOT_MEASURED, "tls_hello_silent_unlocated", 0.1, 0.5}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		struct tls_handshake *tls = one(&report, rows[i].failure);
		tls->progress = rows[i].progress;
		tls->bytes_received = rows[i].bytes_received;
		CHECK_INT(judged(report)->owner, OWNER_FIREWALL_TEAM);
		expect(report, rows[i].cause, rows[i].least, rows[i].most, failure_text(rows[i].failure));
	}
}

/* Two names on one address, and one of them dies at its hello. */
static void by_name(void)
{
	static const struct {
		enum failure failure;
		const char *cause, *without;
	} rows[] = {{FAILURE_CONNECTION_RESET, "tls_sni_reset", "tls_hello_reset_unlocated"},
		    {FAILURE_EOF, "tls_sni_reset", "tls_hello_reset_unlocated"},
		    {FAILURE_TIMEOUT, "tls_sni_dropped", "tls_hello_silent_unlocated"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		one(&report, rows[i].failure);
		build_works(report, direct(report, "other.example"), "20.190.128.1");
		CHECK_INT(judged(report)->evidence.count, 2);
		CHECK_INT(report->paths[0]->verdict.not_run.count, 0);
		expect(report, rows[i].cause, 0.8, 1, "the same address");
		one(&report, rows[i].failure);
		build_works(report, direct(report, "other.example"), "20.190.128.2");
		CHECK(says_not_run(judged(report), "another SNI on the same address"));
		expect(report, rows[i].without, 0.1, 0.5, "another address");
		one(&report, rows[i].failure);
		build_works(report, direct(report, "LOGIN.example"), "20.190.128.1");
		expect(report, rows[i].without, 0.1, 0.5, "the same name");
	}
}

/* ------------------------------------------------------------------ an https: proxy's own TLS */

static struct tls_handshake *proxys_tls(struct report **report, enum failure failure)
{
	*report = build_report();
	struct target *target = build_target(*report, "login.example", 443);
	struct path *path = build_route(*report, target, IDENTITY_USER, "HTTPS proxy.corp:3129", true);
	struct tls_handshake *tls = handshake(*report, path, "10.0.0.80", failure);
	tls->peer = "proxy";
	tls->sni = "proxy.corp";
	return tls;
}

static void tls_with_the_proxy(void)
{
	static const struct {
		enum failure failure;
		const char *verify, *plain, *cause;
		enum owner owner;
		double most;
	} rows[] = {{FAILURE_SSL_INVALID_CERTIFICATE, "expired", NULL, "tls_cert_expired", OWNER_PROXY_TEAM, 0.5},
		    {FAILURE_SSL_INVALID_HOSTNAME, "ok", NULL, "tls_name_mismatch", OWNER_PROXY_TEAM, 1},
		    {FAILURE_SSL_UNKNOWN_AUTHORITY, "self_signed_leaf", NULL, "tls_self_signed_appliance",
		     OWNER_PROXY_TEAM, 1},
		    {FAILURE_SSL_UNKNOWN_AUTHORITY, "issuer_missing", NULL, "tls_intercepted_untrusted",
		     OWNER_PROXY_TEAM, 0.45},
		    {FAILURE_SSL_FAILED_HANDSHAKE, NULL, "HTTP/1.1 400 Bad Request", "tls_plain_reply",
		     OWNER_PROXY_TEAM, 1},
		    {FAILURE_EOF, NULL, NULL, "tls_hello_reset_unlocated", OWNER_FIREWALL_TEAM, 0.5},
		    {FAILURE_TIMEOUT, NULL, NULL, "tls_hello_silent_unlocated", OWNER_FIREWALL_TEAM, 0.5}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report;
		struct tls_handshake *tls = proxys_tls(&report, rows[i].failure);
		tls->plain_reply = rows[i].plain;
		if (rows[i].verify)
			add_certificate(report, tls, "CN=proxy.corp", "CN=Corp CA");
		tls->verify = rows[i].verify;
		CHECK_INT(judged(report)->owner, rows[i].owner);
		CHECK_INT(report->paths[0]->verdict.status, STATUS_FAIL);
		expect(report, rows[i].cause, 0.1, rows[i].most, rows[i].cause);
	}
}

/* Its own house's root is no interception of the target's TLS. */
static void a_proxy_under_a_company_root(void)
{
	struct report *report = build_report();
	struct target *target = build_target(report, "login.example", 443);
	struct path *path = build_route(report, target, IDENTITY_USER, "HTTPS proxy.corp:3128", true);
	struct attempt *attempt = build_by_proxy(report, path, "proxy.corp:3128", 200);
	struct observation *own = build_seen(report, path, OP_TLS_HANDSHAKE, FAILURE_NONE);
	own->tls.peer = "proxy";
	own->tls.root_sha256 = "ff";
	own->tls.progress = TLS_FINISHED;
	observation_list_add(report->arena, &attempt->observations, own);
	CHECK_INT(judged(report)->status, STATUS_PASS);
	report_free(report);
}

/* ------------------------------------------------------------------ hostile reports */

static void without_any_text(void)
{
	static const enum failure ends[] = {FAILURE_NONE,
					    FAILURE_TIMEOUT,
					    FAILURE_EOF,
					    FAILURE_SSL_UNKNOWN_AUTHORITY,
					    FAILURE_SSL_INVALID_CERTIFICATE,
					    FAILURE_SSL_INVALID_HOSTNAME,
					    FAILURE_SSL_FAILED_HANDSHAKE};
	for (size_t i = 0; i < 2 * sizeof(ends) / sizeof(ends[0]); i++) {
		struct report *report;
		struct tls_handshake *tls = one(&report, ends[i / 2]);
		build_works(report, direct(report, "other.example"), "20.190.128.1");
		tls->sni = tls->peer = tls->tuple.dst = tls->root_subject = NULL;
		tls->verify = i % 2 ? "issuer_missing" : NULL;
		add_certificate(report, tls, NULL, NULL);
		add_certificate(report, &report->paths[1]->attempts[0]->observations.items[1]->tls, NULL, NULL);
		diagnose(report);
		CHECK_INT(report->path_count, 2);
		report_free(report);
	}
}

int main(void)
{
	inspected_and_trusted();
	clock_before_certificates();
	hosts_file_before_certificates();
	other_public_roots();
	trust_of_another_identity();
	inspected_and_untrusted();
	missing_intermediates();
	appliances();
	dates();
	names();
	alerts();
	plain_replies();
	cut();
	by_name();
	tls_with_the_proxy();
	a_proxy_under_a_company_root();
	without_any_text();
	return check_summary();
}
