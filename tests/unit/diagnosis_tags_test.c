/* What a file of service tags adds to a verdict: evidence, and a cause where somebody else proves to be there; never a failure by itself. */

#include "tests/unit/verdict_check.h"

static const char INSIDE[] = "20.190.159.4", OUTSIDE[] = "203.0.113.9";

static void add_tags(struct report *report)
{
	struct tags_input *tags = arena_alloc(report->arena, sizeof(*tags));
	*tags = (struct tags_input){.file = "ServiceTags_Public_20260601.json", .change_number = 301};
	report->run.tags = tags;
	for (size_t i = 0; i < report->target_count; i++)
		text_list_add(report->arena, &report->targets[i]->tags, "AzureActiveDirectory");
	build_fact(report, "address_tags", INSIDE, "present", "AzureActiveDirectory");
	build_fact(report, "address_tags", OUTSIDE, "absent", NULL);
}

/* Both servers give that address; nothing was tried there so far. */
static struct path *resolved_to(struct report *report, const char *host, const char *address)
{
	struct path *path = build_path(report, build_target(report, host, 443));
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){address, NULL});
	build_query(report, path, "10.0.0.53", FAILURE_NONE, address);
	build_query(report, path, "10.0.0.54", FAILURE_NONE, address);
	return path;
}

/* Somebody's chain, which nobody trusts, at the address. */
static void build_stranger(struct report *report, struct path *path, const char *address, enum failure failure)
{
	static struct certificate chain[] = {{.subject = "CN=filter", .issuer = "CN=filter"}};
	struct observation *tls = build_tls(report, path, build_attempt(report, path, address, FAILURE_NONE), failure);
	tls->tls.progress = TLS_CERTIFICATE;
	tls->tls.chain = chain;
	tls->tls.chain_count = 1;
	tls->tls.verify = failure == FAILURE_SSL_INVALID_CERTIFICATE ? "expired" : "issuer_missing";
	tls->tls.verified_at_s = 1769850307;
}

static bool has_evidence(const struct verdict *verdict, const char *address)
{
	for (size_t i = 0; i < verdict->evidence.count; i++) {
		const struct observation *one = verdict->evidence.items[i];
		if (one->op == OP_LOCAL_FACT && strcmp(one->fact.fact, "address_tags") == 0 &&
		    strcmp(one->fact.subject, address) == 0)
			return true;
	}
	return false;
}

static const char REWRITTEN[] =
	"ServiceTags_Public_20260601.json, change 301, has 203.0.113.9 in no prefix of AzureActiveDirectory: the "
	"answer may have been rewritten";
static const char OLDER[] =
	"ServiceTags_Public_20260601.json, change 301, has 203.0.113.9 in no prefix of AzureActiveDirectory, and the "
	"service proves to be there: the file is older than the service";

static void an_address_inside_says_nothing(void)
{
	struct report *report = build_report();
	build_works(report, resolved_to(report, "login.example", INSIDE), INSIDE);
	add_tags(report);
	const struct verdict *verdict = judged(report);
	CHECK_INT(verdict->status, STATUS_PASS);
	CHECK_INT(verdict->also.count, 0);
	CHECK_INT(verdict->evidence.count, 0);
	report_free(report);
}

static void a_proven_address_outside_makes_the_file_old(void)
{
	struct report *report = build_report();
	build_works(report, resolved_to(report, "login.example", OUTSIDE), OUTSIDE);
	add_tags(report);
	const struct verdict *verdict = judged(report);
	CHECK_INT(verdict->status, STATUS_PASS);
	CHECK_TEXT(verdict->cause, NULL);
	CHECK(build_also(verdict, OLDER) && !build_also(verdict, REWRITTEN));
	CHECK_INT(report->finding_count, 0);
	report_free(report);
}

static void silence_outside_is_no_proof(void)
{
	struct report *report = build_report();
	build_attempt(report, resolved_to(report, "login.example", OUTSIDE), OUTSIDE, FAILURE_TIMEOUT);
	add_tags(report);
	const struct verdict *verdict = judged(report);
	CHECK_TEXT(verdict->cause, "tcp_syn_silent_unlocated");
	CHECK(build_also(verdict, REWRITTEN));
	CHECK(has_evidence(verdict, OUTSIDE));
	report_free(report);
}

/* The same without a file, with nothing documented, and behind a proxy. */
static void without_tags_nothing_changes(void)
{
	for (int i = 0; i < 3; i++) {
		struct report *report = build_report();
		struct path *path = resolved_to(report, "login.example", OUTSIDE);
		build_attempt(report, path, OUTSIDE, FAILURE_TIMEOUT);
		add_tags(report);
		if (i == 0)
			report->run.tags = NULL;
		else if (i == 1)
			path->target->tags.count = 0;
		else
			path->route = (struct route){.kind = ROUTE_WININET, .via = "PROXY proxy.corp:3128"};
		const struct verdict *verdict = judged(report);
		CHECK(!build_also(verdict, REWRITTEN));
		CHECK(!has_evidence(verdict, OUTSIDE));
		report_free(report);
	}
}

static struct report *sent_to_a_stranger(enum failure failure, bool file_fits)
{
	struct report *report = build_report();
	build_stranger(report, resolved_to(report, "login.example", OUTSIDE), OUTSIDE, failure);
	if (file_fits)
		build_works(report, resolved_to(report, "other.example", INSIDE), INSIDE);
	add_tags(report);
	return report;
}

static void a_stranger_outside_is_a_sinkhole(void)
{
	struct report *report = sent_to_a_stranger(FAILURE_SSL_UNKNOWN_AUTHORITY, true);
	const struct verdict *verdict = judged(report);
	CHECK(has_evidence(verdict, OUTSIDE));
	CHECK(says_not_run(verdict, "the same name at a resolver outside (--control-resolver)"));
	expect(report, "dns_sinkholed", 0.75, 0.75, "unknown authority");
	expect(sent_to_a_stranger(FAILURE_SSL_INVALID_HOSTNAME, true), "dns_sinkholed", 0.75, 0.75, "another's name");
	/* what the clock or its keeper spoiled says nothing of the place; and a file that knows nobody here may be another cloud's */
	report = sent_to_a_stranger(FAILURE_SSL_INVALID_CERTIFICATE, true);
	CHECK(strcmp(judged(report)->cause, "dns_sinkholed") != 0);
	report_free(report);
	report = sent_to_a_stranger(FAILURE_SSL_UNKNOWN_AUTHORITY, false);
	CHECK(strcmp(judged(report)->cause, "dns_sinkholed") != 0);
	report_free(report);
	/* somewhere in the cloud all the same: a test of the service's own, or an inspector's way */
	report = sent_to_a_stranger(FAILURE_SSL_UNKNOWN_AUTHORITY, true);
	build_state(report, "address_tags", OUTSIDE, "present");
	for (size_t i = 0; i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		if (one->op == OP_LOCAL_FACT && one->fact.subject && strcmp(one->fact.subject, OUTSIDE) == 0)
			text_list_add(report->arena, &one->fact.values, "AzureCloud");
	}
	CHECK(strcmp(judged(report)->cause, "dns_sinkholed") != 0);
	report_free(report);
}

static void a_control_inside_proves_it(void)
{
	struct report *report = build_report();
	struct path *path = resolved_to(report, "login.example", OUTSIDE);
	build_query(report, path, "192.0.2.53", FAILURE_NONE, INSIDE)->dns.control = true;
	build_attempt(report, path, OUTSIDE, FAILURE_TIMEOUT);
	add_tags(report);
	const struct verdict *verdict = judged(report);
	CHECK(has_evidence(verdict, OUTSIDE) && has_evidence(verdict, INSIDE));
	CHECK(!says_not_run(verdict, "the same name at a resolver outside (--control-resolver)"));
	CHECK_TEXT(report->findings[0]->subject, "10.0.0.53, 10.0.0.54");
	expect(report, "dns_sinkholed", 0.85, 0.85, "control inside");
	/* a control that gives the same supports nothing */
	report = build_report();
	path = resolved_to(report, "login.example", OUTSIDE);
	build_query(report, path, "192.0.2.53", FAILURE_NONE, OUTSIDE)->dns.control = true;
	build_attempt(report, path, OUTSIDE, FAILURE_TIMEOUT);
	add_tags(report);
	CHECK_TEXT(judged(report)->cause, "tcp_syn_silent_unlocated");
	report_free(report);
}

static void the_server_outside_is_the_wrong_one(void)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){OUTSIDE, NULL});
	build_query(report, path, "10.0.0.53", FAILURE_NONE, OUTSIDE);
	build_query(report, path, "10.0.0.54", FAILURE_NONE, INSIDE);
	build_attempt(report, path, OUTSIDE, FAILURE_TIMEOUT);
	add_tags(report);
	const struct verdict *verdict = judged(report);
	CHECK(has_evidence(verdict, OUTSIDE));
	CHECK_TEXT(report->findings[0]->subject, "10.0.0.53");
	expect(report, "dns_servers_disagree", 0.9, 0.9, "one of two outside");
}

/* What is odd without a file is surer with one. */
static void a_private_answer_is_no_documented_one(void)
{
	for (int i = 0; i < 2; i++) {
		struct report *report = build_report();
		build_attempt(report, resolved_to(report, "login.example", "10.9.9.9"), "10.9.9.9", FAILURE_TIMEOUT);
		add_tags(report);
		build_fact(report, "address_tags", "10.9.9.9", "absent", NULL);
		if (i == 0)
			report->run.tags = NULL;
		const struct verdict *verdict = judged(report);
		CHECK_INT(has_evidence(verdict, "10.9.9.9"), i);
		CHECK_INT(verdict->also.count, 1); /* the silence there */
		expect(report, "dns_rewritten_private", i ? 0.8 : 0.7, i ? 0.8 : 0.7, "private");
	}
}

int main(void)
{
	an_address_inside_says_nothing();
	a_proven_address_outside_makes_the_file_old();
	silence_outside_is_no_proof();
	without_tags_nothing_changes();
	a_stranger_outside_is_a_sinkhole();
	a_control_inside_proves_it();
	the_server_outside_is_the_wrong_one();
	a_private_answer_is_no_documented_one();
	return check_summary();
}
