/* Rules about names that rest on another form of the question or another connection: each with a case that holds, and one that nearly does. */

#include "verdict_check.h"

static const char *const none[] = {NULL};
static const char *const HOST = "login.example";

/* One target that nothing is known of yet. */
static struct report *report_of(struct path **path)
{
	struct report *report = build_report();
	*path = build_path(report, build_target(report, HOST, 443));
	return report;
}

static struct observation *experiment(struct report *report, struct path *path, const char *id, const char *server,
				      enum failure failure, const char *address)
{
	struct observation *one = build_query(report, path, server, failure, address);
	one->experiment = id;
	if (failure != FAILURE_TIMEOUT && one->dns.rcode == NOT_MEASURED)
		one->dns.rcode = failure == FAILURE_DNS_SERVFAIL ? 2 : failure == FAILURE_DNS_NXDOMAIN ? 3 : 0;
	return one;
}

/* ------------------------------------------------------------------ the form of the question */

/* Both servers are silent over UDP, answer over TCP, and so on without EDNS and with 512 bytes. */
static struct report *silent(bool plain, bool small, bool lookup)
{
	struct path *path;
	struct report *report = report_of(&path);
	if (lookup)
		build_lookup(report, path, FAILURE_DNS_TEMPORARY, none);
	for (size_t i = 0; i < 2; i++) {
		const char *server = i ? "10.0.0.54" : "10.0.0.53";
		enum failure as_plain = plain ? FAILURE_NONE : FAILURE_TIMEOUT;
		enum failure as_small = small ? FAILURE_NONE : FAILURE_TIMEOUT;
		build_query(report, path, server, FAILURE_TIMEOUT, NULL);
		experiment(report, path, "dns_over_tcp", server, FAILURE_NONE, "20.190.128.1")->dns.transport = "tcp";
		experiment(report, path, "dns_again", server, FAILURE_TIMEOUT, NULL);
		experiment(report, path, "dns_plain", server, as_plain, plain ? "20.190.128.1" : NULL);
		experiment(report, path, "dns_edns_512", server, as_small, small ? "20.190.128.1" : NULL);
	}
	return report;
}

static void forms(void)
{
	expect(silent(true, false, true), "dns_edns_dropped", 0.8, 0.9, "only EDNS is lost");
	expect(silent(true, true, true), "dns_large_udp_dropped", 0.8, 0.9, "only what may be large is lost");
	expect(silent(false, true, true), "dns_large_udp_dropped", 0.8, 0.9, "as it is with EDNS");
	expect(silent(false, false, true), "dns_udp_blocked_tcp_ok", 0.9, 0.9, "all of UDP is lost");
	struct report *report = silent(true, false, false);
	CHECK(says_not_run(judged(report), "this system's own lookup: it may ask without EDNS"));
	expect(report, "dns_edns_dropped", 0.6, 0.6, "nobody knows how the system asks");
}

/* The server had to ask others first, and knows the answer by the time that it is asked again, in whatever form. */
static void a_slow_server_drops_nothing(void)
{
	struct report *report = silent(true, true, true);
	for (size_t i = 0; i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		if (!check_text(one->experiment, "dns_again"))
			continue;
		one->failure = FAILURE_NONE;
		one->dns.rcode = 0;
	}
	CHECK(strcmp(judged(report)->cause, "dns_large_udp_dropped") != 0);
	report_free(report);
}

/* The same firewall, and a system that asks without EDNS: a warning. */
static void forms_that_this_system_does_not_use(void)
{
	struct report *report = silent(true, false, false);
	struct path *path = report->paths[0];
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){"20.190.128.1", NULL});
	build_works(report, path, "20.190.128.1");
	CHECK_INT(judged(report)->status, STATUS_WARN);
	expect(report, "dns_edns_dropped", 0.8, 0.9, "unnoticed");
}

/* What was asked of one name holds for the others that are silent too. */
static void forms_hold_for_other_names(void)
{
	struct report *report = silent(true, false, true);
	struct path *second = build_path(report, build_target(report, "two.example", 443));
	build_lookup(report, second, FAILURE_DNS_TEMPORARY, none);
	build_query(report, second, "10.0.0.53", FAILURE_TIMEOUT, NULL);
	build_query(report, second, "10.0.0.54", FAILURE_TIMEOUT, NULL);
	diagnose(report);
	CHECK_TEXT(second->verdict.cause, "dns_edns_dropped");
	CHECK_INT(report->finding_count, 1);
	report_free(report);
}

static void larger_than_asked(int64_t reply_us, const char *cause)
{
	struct path *path;
	struct report *report = report_of(&path);
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){"20.190.128.1", NULL});
	struct observation *cut = build_query(report, path, "10.0.0.53", FAILURE_NONE, NULL);
	cut->dns.truncated = true;
	cut->dns.rcode = 0;
	cut->duration_us = reply_us;
	build_query(report, path, "10.0.0.53", FAILURE_NONE, "20.190.128.1")->dns.transport = "tcp";
	report->observations.items[report->observations.count - 1]->duration_us = reply_us;
	experiment(report, path, "dns_edns_4096", "10.0.0.53", FAILURE_TIMEOUT, NULL)->duration_us = SECOND_US;
	build_works(report, path, "20.190.128.1");
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	report_free(report);
}

static void a_type_without_answer_is_no_denial(void)
{
	struct path *path;
	struct report *report = report_of(&path);
	build_lookup(report, path, FAILURE_DNS_TEMPORARY, none);
	build_query(report, path, "10.0.0.53", FAILURE_TIMEOUT, NULL);
	build_query(report, path, "10.0.0.53", FAILURE_DNS_NO_ANSWER, NULL)->dns.type = "AAAA";
	expect(report, "dns_servers_silent", 0.6, 0.85, "the AAAA has been denied, the A not answered");
}

/* ------------------------------------------------------------------ validation */

static struct report *servfail(enum failure unchecked)
{
	struct path *path;
	struct report *report = report_of(&path);
	build_lookup(report, path, FAILURE_DNS_TEMPORARY, none);
	build_query(report, path, "10.0.0.53", FAILURE_DNS_SERVFAIL, NULL)->dns.rcode = 2;
	if (unchecked != FAILURE_DEADLINE)
		experiment(report, path, "dns_checking_disabled", "10.0.0.53", unchecked,
			   unchecked == FAILURE_NONE ? "20.190.128.1" : NULL);
	return report;
}

static void validation(void)
{
	static const char no_cd[] = "the same question without DNSSEC checking (CD=1)";
	expect(servfail(FAILURE_NONE), "dns_dnssec_bogus", 0.9, 0.9, "given unchecked");
	expect(servfail(FAILURE_DNS_SERVFAIL), "dns_servfail_upstream", 0.9, 0.9, "fails unchecked too");
	expect(servfail(FAILURE_TIMEOUT), "dns_servfail_upstream", 0.7, 0.7, "nobody knows");
	struct report *report = servfail(FAILURE_DEADLINE);
	CHECK(says_not_run(judged(report), no_cd));
	report->observations.items[report->observations.count - 1]->dns.ede = 7;
	expect(report, "dns_dnssec_bogus", 0.9, 0.9, "the server says that a signature has expired");
	report = servfail(FAILURE_DEADLINE);
	report->observations.items[report->observations.count - 1]->dns.ede = 22;
	expect(report, "dns_servfail_upstream", 0.7, 0.7, "the server says that it reaches no authority");
	report = servfail(FAILURE_DNS_SERVFAIL);
	struct path *second = build_path(report, build_target(report, "two.example", 443));
	build_lookup(report, second, FAILURE_DNS_TEMPORARY, none);
	build_query(report, second, "10.0.0.53", FAILURE_DNS_SERVFAIL, NULL)->dns.rcode = 2;
	diagnose(report);
	CHECK(second->verdict.confidence > 0.8); /* it was asked of the first name */
	report_free(report);
}

/* A server that is silent on the name; local: how it answers "localhost"; sent: did it take the question by TCP? */
static struct report *stuck(enum failure local, bool sent)
{
	struct path *path;
	struct report *report = report_of(&path);
	build_lookup(report, path, FAILURE_DNS_TEMPORARY, none);
	build_query(report, path, "10.0.0.53", FAILURE_TIMEOUT, NULL);
	struct observation *tcp = experiment(report, path, "dns_over_tcp", "10.0.0.53", FAILURE_TIMEOUT, NULL);
	tcp->dns.transport = "tcp";
	tcp->dns.tries = sent;
	experiment(report, path, "dns_local_name", "10.0.0.53", local, local == FAILURE_NONE ? "127.0.0.1" : NULL)
		->dns.name = "localhost";
	return report;
}

static void silent_or_stuck(void)
{
	expect(stuck(FAILURE_NONE, true), "dns_servfail_upstream", 0.8, 0.8, "it knows itself, and nobody else");
	expect(stuck(FAILURE_DNS_NXDOMAIN, true), "dns_servfail_upstream", 0.8, 0.8, "in other words");
	expect(stuck(FAILURE_NONE, false), "dns_servers_silent", 0.85, 0.85, "TCP is shut, and this name is dropped");
	expect(stuck(FAILURE_TIMEOUT, true), "dns_servers_silent", 0.5, 0.5, "slow, or dropped");
	expect(stuck(FAILURE_TIMEOUT, false), "dns_servers_silent", 0.85, 0.85, "nothing comes back");
}

/* The same server, asked the same again while it is silent: what it says then. */
static struct report *asked_again(enum failure again)
{
	struct report *report = stuck(FAILURE_NONE, true);
	experiment(report, report->paths[0], "dns_again", "10.0.0.53", again,
		   again == FAILURE_NONE ? "20.190.128.1" : NULL);
	return report;
}

static void slow_or_stuck(void)
{
	struct report *report = asked_again(FAILURE_NONE);
	CHECK_INT(judged(report)->status, STATUS_INCONCLUSIVE);
	CHECK_TEXT(report->paths[0]->verdict.cause, "meas_late_reply");
	CHECK_INT(diagnose_exit_status(report), 3);
	report_free(report);
	expect(asked_again(FAILURE_DNS_SERVFAIL), "dns_servfail_upstream", 0.8, 0.8, "it gives up in the end");
	expect(asked_again(FAILURE_TIMEOUT), "dns_servfail_upstream", 0.8, 0.8, "nothing comes then, either");
}

static void different_words(void)
{
	struct path *path;
	struct report *report = report_of(&path);
	build_lookup(report, path, FAILURE_DNS_OTHER, none);
	build_query(report, path, "10.0.0.53", FAILURE_DNS_REFUSED, NULL)->dns.ede = 18;
	build_query(report, path, "10.0.0.54", FAILURE_DNS_NXDOMAIN, NULL);
	expect(report, "dns_refused", 0.5, 0.5, "the first has the first word; and its reason is no filter");
}

/* ------------------------------------------------------------------ invented addresses */

/* The server gives this address, which fails, for the target; and these for names that nobody has (NULL: denied). */
static struct report *invented(const char *address, const char *one, const char *two)
{
	struct path *path;
	struct report *report = report_of(&path);
	const char *const random[] = {one, two};
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){address, NULL});
	build_query(report, path, "10.0.0.53", FAILURE_NONE, address);
	build_attempt(report, path, address, FAILURE_TIMEOUT);
	for (size_t i = 0; i < 2; i++)
		experiment(report, path, "dns_random_name", "10.0.0.53",
			   random[i] ? FAILURE_NONE : FAILURE_DNS_NXDOMAIN, random[i])
			->dns.name = i ? "marsprobe-1.other.org" : "marsprobe-1.example";
	return report;
}

static void add_other_name(struct report *report)
{
	struct path *path = build_path(report, build_target(report, "files.other.org", 443));
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){"20.190.128.7", NULL});
	build_query(report, path, "10.0.0.53", FAILURE_NONE, "20.190.128.7");
	build_works(report, path, "20.190.128.7");
}

static void inventions(void)
{
	struct report *report = invented("10.9.9.9", "10.9.9.9", "10.9.9.9");
	add_other_name(report);
	expect(report, "dns_nxdomain_wildcarded", 0.9, 0.9, "names that exist come through");
	expect(invented("10.9.9.9", "10.9.9.9", "10.9.9.9"), "dns_rewritten_private", 0.7, 0.9,
	       "it says so of all names: they are rewritten, not invented");
	expect(invented("20.1.1.1", "20.1.1.1", "20.1.1.1"), "dns_nxdomain_wildcarded", 0.9, 0.9, "a search page");
	report = invented("10.9.9.9", "10.9.9.9", NULL);
	add_other_name(report);
	expect(report, "dns_rewritten_private", 0.7, 0.9, "a filter for one domain");
	report = invented("10.9.9.9", "10.9.9.8", "10.9.9.8");
	add_other_name(report);
	expect(report, "dns_rewritten_private", 0.7, 0.9, "a wildcard, but not this name's address");
	report = invented("20.1.1.1", "20.1.1.1", "20.1.1.1");
	build_query(report, report->paths[0], "9.9.9.9", FAILURE_NONE, "20.1.1.1")->dns.control = true;
	expect(report, "tcp_syn_silent_unlocated", 0.5, 0.5, "the control gives it too: it is the name's own");
}

/* ------------------------------------------------------------------ a search suffix */

static struct report *suffixed(const char *used, const char *with_suffix, bool denied)
{
	struct path *path;
	struct report *report = report_of(&path);
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){used, NULL});
	build_query(report, path, "10.0.0.53", denied ? FAILURE_DNS_NXDOMAIN : FAILURE_NONE,
		    denied ? NULL : "20.190.128.1");
	build_attempt(report, path, used, FAILURE_CONNECTION_REFUSED);
	experiment(report, path, "dns_suffix", "10.0.0.53", FAILURE_NONE, with_suffix)->dns.name =
		"login.example.lan.test";
	return report;
}

static void suffixes(void)
{
	struct report *report = suffixed("10.9.9.9", "10.9.9.9", true);
	judged(report);
	CHECK_TEXT(report->findings[0]->subject, "lan.test");
	expect(report, "dns_suffix_appended_capture", 0.9, 0.9, "the servers deny the name itself");
	expect(suffixed("10.9.9.9", "10.9.9.9", false), "dns_suffix_appended_capture", 0.9, 0.9,
	       "the suffix is tried first");
	expect(suffixed("10.9.9.9", "10.9.9.8", false), "meas_stack_disagrees", 0.6, 0.6, "another address");
	expect(suffixed("10.9.9.9", "10.9.9.8", true), "meas_stack_disagrees", 0.6, 0.6,
	       "nobody knows where it is from");
	expect(suffixed("20.190.128.9", "10.9.9.8", true), "tcp_refused_unlocated", 0.5, 0.5,
	       "it may be the right one");
	expect(suffixed("20.190.128.1", "20.190.128.1", false), "tcp_refused_unlocated", 0.5, 0.5,
	       "the servers give it for the name itself");
	report = suffixed("10.9.9.9", "10.9.9.9", false);
	struct path *second = build_path(report, build_target(report, "two.example", 443));
	build_lookup(report, second, FAILURE_NONE, (const char *const[]){"10.9.9.9", NULL});
	build_query(report, second, "10.0.0.53", FAILURE_NONE, "20.190.128.2");
	build_attempt(report, second, "10.9.9.9", FAILURE_CONNECTION_REFUSED);
	diagnose(report);
	CHECK_TEXT(second->verdict.cause, "dns_suffix_appended_capture"); /* which was not asked with the suffix */
	CHECK_INT(report->finding_count, 1);
	report_free(report);
}

/* ------------------------------------------------------------------ private link */

static struct observation *linked(struct report *report, struct path *path, const char *address)
{
	struct observation *one = build_query(report, path, "10.0.0.53", FAILURE_NONE, address);
	one->dns.answers[1] = (struct dns_answer){"x.privatelink.example", "A", address, 60};
	one->dns.answers[0] = (struct dns_answer){HOST, "CNAME", "x.privatelink.example", 60};
	one->dns.answer_count = 2;
	return one;
}

/* A private address where nobody answers; public_is: how a connection to the public one ended, DEADLINE: there was none. */
static struct report *stale(enum failure public_is)
{
	struct path *path;
	struct report *report = report_of(&path);
	path->target->service = "backup";
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){"10.7.0.4", NULL});
	linked(report, path, "10.7.0.4");
	build_attempt(report, path, "10.7.0.4", FAILURE_TIMEOUT);
	if (public_is == FAILURE_DEADLINE)
		return report;
	build_query(report, path, "9.9.9.9", FAILURE_NONE, "20.190.128.1")->dns.control = true;
	struct observation *one = build_seen(report, path, OP_TCP_CONNECT, public_is);
	one->experiment = "public_address";
	one->tcp.peer = "target";
	one->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", "20.190.128.1", 50001, 443};
	return report;
}

static void stale_endpoint(void)
{
	static const char missing[] = "a connection to the public address of the name (needs --control-resolver)";
	struct report *report = stale(FAILURE_NONE);
	CHECK(!says_not_run(judged(report), missing));
	expect(report, "dns_privatelink_stale", 0.8, 0.9, "the public address works");
	expect(stale(FAILURE_TIMEOUT), "tcp_syn_silent_unlocated", 0.5, 0.5, "nor does the public one answer");
	report = stale(FAILURE_DEADLINE);
	CHECK(says_not_run(judged(report), missing));
	expect(report, "tcp_syn_silent_unlocated", 0.5, 0.5, "without a control");
}

static void leak(const char *expected, const char *service, const char *address, bool works, const char *cause)
{
	struct path *path;
	struct report *report = report_of(&path);
	report->run.private_endpoint = expected;
	path->target->service = service;
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){address, NULL});
	linked(report, path, address);
	if (works)
		build_works(report, path, address);
	else
		build_attempt(report, path, address, FAILURE_TIMEOUT);
	CHECK_INT(judged(report)->status, works ? (cause ? STATUS_WARN : STATUS_PASS) : STATUS_FAIL);
	expect(report, cause, cause ? 0.5 : 1, cause ? 0.9 : 1, "a leak");
}

static void leaks(void)
{
	leak("expected", "backup", "20.190.128.1", true, "dns_privatelink_leaks_public");
	leak("expected", "storage", "20.190.128.1", false, "dns_privatelink_leaks_public");
	leak("expected", "entra", "20.190.128.1", true, NULL);
	leak("none", "backup", "20.190.128.1", true, NULL);
	leak(NULL, "backup", "20.190.128.1", false, "tcp_syn_silent_unlocated");
	leak("expected", "backup", "10.7.0.4", true, NULL);
	leak("none", "storage", "10.7.0.4", false, "dns_privatelink_stale");
	leak("none", "backup", "10.7.0.4", false, "dns_privatelink_stale");
	leak(NULL, "backup", "10.7.0.4", false, "tcp_syn_silent_unlocated");
	/* the sign-in service has no private endpoint, whatever the alias is called */
	leak("expected", "entra", "10.7.0.4", false, "dns_rewritten_private");
	leak("none", "entra", "10.7.0.4", false, "dns_rewritten_private");
}

/* Custom DNS may give the endpoint's address for the public name itself: right where endpoints are expected. */
static void private_answers_without_an_alias(void)
{
	static const char *const expected[] = {"expected", "none", NULL};
	for (size_t i = 0; i < 3; i++) {
		struct path *path;
		struct report *report = report_of(&path);
		report->run.private_endpoint = expected[i];
		path->target->service = "storage";
		build_lookup(report, path, FAILURE_NONE, (const char *const[]){"10.7.0.4", NULL});
		build_query(report, path, "10.0.0.53", FAILURE_NONE, "10.7.0.4");
		build_attempt(report, path, "10.7.0.4", FAILURE_TIMEOUT);
		expect(report, i == 0 ? "tcp_syn_silent_unlocated" : "dns_rewritten_private", 0.5, 0.7, "no alias");
	}
}

static void an_endpoint_that_is_not_expected_is_told(void)
{
	static const char remark[] = "a private endpoint answers, and none is expected (--private-endpoint none)";
	for (int i = 0; i < 2; i++) {
		struct path *path;
		struct report *report = report_of(&path);
		report->run.private_endpoint = i ? "none" : "expected";
		path->target->service = "backup";
		build_lookup(report, path, FAILURE_NONE, (const char *const[]){"10.7.0.4", NULL});
		linked(report, path, "10.7.0.4");
		build_works(report, path, "10.7.0.4");
		CHECK_INT(judged(report)->status, STATUS_PASS);
		CHECK_INT(build_also(judged(report), remark), i);
		report_free(report);
	}
}

/* ------------------------------------------------------------------ aliases */

static void alias(bool has_chain, bool control, const char *cause)
{
	struct path *path;
	struct report *report = report_of(&path);
	build_lookup(report, path, FAILURE_DNS_NXDOMAIN, none);
	struct observation *one = build_query(report, path, "10.0.0.53", FAILURE_DNS_NXDOMAIN, NULL);
	one->dns.rcode = 3;
	if (has_chain) {
		one->dns.answers = arena_alloc(report->arena, sizeof(*one->dns.answers));
		one->dns.answers[0] = (struct dns_answer){HOST, "CNAME", "x.trafficmanager.example", 60};
		one->dns.answer_count = 1;
	}
	if (control)
		build_query(report, path, "9.9.9.9", FAILURE_NONE, "20.190.128.1")->dns.control = true;
	expect(report, cause, 0.7, 0.9, "an alias");
}

int main(void)
{
	forms();
	a_slow_server_drops_nothing();
	forms_that_this_system_does_not_use();
	forms_hold_for_other_names();
	larger_than_asked(20000, "dns_large_udp_dropped");
	larger_than_asked(SECOND_US / 2, NULL); /* the way is slow: a second was too short */
	a_type_without_answer_is_no_denial();
	validation();
	silent_or_stuck();
	slow_or_stuck();
	different_words();
	inventions();
	suffixes();
	stale_endpoint();
	leaks();
	private_answers_without_an_alias();
	an_endpoint_that_is_not_expected_is_told();
	alias(true, true, "dns_cname_hop_blocked");
	alias(false, true, "dns_nxdomain_local_only");
	alias(true, false, "dns_nxdomain_everywhere");
	return check_summary();
}
