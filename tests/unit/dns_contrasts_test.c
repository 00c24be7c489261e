/* What is asked besides: for each experiment the evidence that calls for it, and what nearly does. */

#include "check.h"
#include "probe/plan/dns_contrasts.h"
#include "report_builder.h"

static const char *const LOGIN = "login.example.com";
static struct dns_contrasts wanted;

static struct report *report_with(struct path **path)
{
	struct report *report = build_report();
	report->run.id = "1a2b3c4d-0000-4000-8000-000000000000";
	*path = build_path(report, build_target(report, LOGIN, 443));
	build_target(report, "files.other.org", 443);
	return report;
}

static struct observation *own(struct report *report, struct path *path, const char *server, enum failure failure,
			       const char *address)
{
	struct observation *one = build_query(report, path, server, failure, address);
	one->dns.edns_bytes = DNS_EDNS_BYTES;
	if (failure == FAILURE_DNS_SERVFAIL)
		one->dns.rcode = 2;
	return one;
}

static void experiment_of(struct report *report, const char *id, const char *server)
{
	struct observation *one = report_add_observation(report, OP_DNS_QUERY);
	one->experiment = id;
	one->dns.server = server;
	one->dns.name = LOGIN;
}

static size_t count_of(const char *experiment)
{
	size_t count = 0;
	for (size_t i = 0; i < wanted.count; i++)
		count += strcmp(wanted.items[i].experiment, experiment) == 0;
	return count;
}

/* An empty one where there is none. */
static const struct dns_contrast *first_of(const char *experiment)
{
	static const struct dns_contrast none;
	for (size_t i = 0; i < wanted.count; i++)
		if (strcmp(wanted.items[i].experiment, experiment) == 0)
			return &wanted.items[i];
	return &none;
}

/* Put what is wanted into the report, as the engine does. */
static void ask_all(struct report *report)
{
	for (size_t i = 0; i < wanted.count; i++) {
		const struct dns_contrast *contrast = &wanted.items[i];
		struct observation *one =
			report_add_observation(report, contrast->address ? OP_TCP_CONNECT : OP_DNS_QUERY);
		one->experiment = contrast->experiment;
		if (contrast->address) {
			one->tcp.tuple.dst = contrast->address;
			continue;
		}
		one->dns.server = contrast->server;
		one->dns.name = contrast->name;
		one->dns.type = contrast->type;
		one->dns.transport = contrast->transport;
	}
}

static void silence_once_per_server(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	struct path *second = build_path(report, build_target(report, "two.example.com", 443));
	own(report, path, "10.0.0.53", FAILURE_NONE, NULL); /* still open */
	own(report, second, "10.0.0.53", FAILURE_NONE, NULL);
	dns_contrasts_of_questions(report, LOGIN, false, &wanted);
	CHECK_INT(wanted.count, 0);
	dns_contrasts_of_questions(report, LOGIN, true, &wanted);
	CHECK_INT(wanted.count, 5);
	CHECK_INT(first_of("dns_again")->edns_bytes, DNS_EDNS_BYTES);
	CHECK_TEXT(first_of("dns_local_name")->name, "localhost");
	CHECK_TEXT(first_of("dns_over_tcp")->transport, "tcp");
	CHECK_INT(first_of("dns_over_tcp")->edns_bytes, DNS_EDNS_BYTES);
	CHECK_INT(first_of("dns_plain")->edns_bytes, NOT_MEASURED);
	CHECK_INT(first_of("dns_edns_512")->edns_bytes, 512);
	ask_all(report);
	dns_contrasts_of_questions(report, LOGIN, true, &wanted);
	CHECK_INT(wanted.count, 0);
	dns_contrasts_of_questions(report, "two.example.com", true, &wanted);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

static void silence_of_one_type(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	own(report, path, "10.0.0.53", FAILURE_TIMEOUT, NULL);
	struct observation *other = own(report, path, "10.0.0.53", FAILURE_DNS_NO_ANSWER, NULL);
	other->dns.type = "AAAA";
	other->dns.rcode = 0;
	dns_contrasts_of_questions(report, LOGIN, true, &wanted);
	CHECK_INT(count_of("dns_over_tcp"), 0);
	CHECK_INT(count_of("dns_plain"), 1);
	CHECK_TEXT(first_of("dns_edns_512")->type, "A");
	report_free(report);
}

/* One type was silent at first; then a name of which nothing comes: only what has not been asked yet, and once. */
static void silence_that_grows(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	struct path *second = build_path(report, build_target(report, "two.example.com", 443));
	experiment_of(report, "dns_plain", "10.0.0.53");
	experiment_of(report, "dns_edns_512", "10.0.0.53");
	experiment_of(report, "dns_again", "10.0.0.53");
	own(report, second, "10.0.0.53", FAILURE_TIMEOUT, NULL);
	own(report, second, "10.0.0.53", FAILURE_TIMEOUT, NULL)->dns.type = "AAAA";
	dns_contrasts_of_questions(report, "two.example.com", true, &wanted);
	CHECK_INT(wanted.count, 2);
	CHECK_INT(count_of("dns_over_tcp"), 1);
	CHECK_INT(count_of("dns_local_name"), 1);
	report_free(report);
}

static void what_is_answered_or_no_silence_is_not_asked_again(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	own(report, path, "10.0.0.53", FAILURE_NONE, "20.190.128.1");
	own(report, path, "10.0.0.54", FAILURE_CONNECTION_REFUSED, NULL)->dns.icmp.from = "10.0.0.54";
	own(report, path, "9.9.9.9", FAILURE_TIMEOUT, NULL)->dns.control = true;
	own(report, path, "10.0.0.55", FAILURE_TIMEOUT, NULL)->experiment = "wpad";
	dns_contrasts_of_questions(report, LOGIN, true, &wanted);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

static void a_cut_off_reply(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	struct observation *cut = own(report, path, "10.0.0.53", FAILURE_NONE, NULL);
	cut->dns.truncated = true;
	cut->dns.rcode = 0;
	dns_contrasts_of_questions(report, LOGIN, false, &wanted);
	CHECK_INT(wanted.count, 1);
	CHECK_INT(first_of("dns_edns_4096")->edns_bytes, 4096);
	cut->dns.edns_bytes = NOT_MEASURED; /* the server knows no EDNS */
	dns_contrasts_of_questions(report, LOGIN, false, &wanted);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

static void servfail_of_few_names(void)
{
	static const char *const names[] = {"a.example", "b.example", "c.example", "d.example"};
	struct path *path;
	struct report *report = report_with(&path);
	for (size_t i = 0; i < 4; i++) {
		struct path *other = build_path(report, build_target(report, names[i], 443));
		own(report, other, "10.0.0.53", FAILURE_DNS_SERVFAIL, NULL);
		own(report, other, "10.0.0.53", FAILURE_DNS_SERVFAIL, NULL)->dns.type = "AAAA";
		dns_contrasts_of_questions(report, names[i], false, &wanted);
		CHECK_INT(wanted.count, i < 3);
		CHECK(!wanted.count || first_of("dns_checking_disabled")->checking_disabled);
		ask_all(report);
	}
	report_free(report);
}

/* ------------------------------------------------------------------ addresses */

static void of_addresses(struct report *report, const char *suffix, int64_t now_us)
{
	struct text_list suffixes = {0};
	if (suffix)
		text_list_add(report->arena, &suffixes, suffix);
	dns_contrasts_of_addresses(report, &suffixes, now_us, &wanted);
}

static void an_odd_address(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	own(report, path, "10.0.0.53", FAILURE_NONE, "10.9.9.9");
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 2);
	CHECK_TEXT(wanted.items[0].name, "marsprobe-1a2b3c4d.example.com");
	CHECK_TEXT(wanted.items[1].name, "marsprobe-1a2b3c4d.other.org");
	CHECK_TEXT(wanted.items[1].about, LOGIN);
	ask_all(report);
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

static void an_address_that_fails_or_stays_unheard(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	struct observation *answer = own(report, path, "10.0.0.53", FAILURE_NONE, "20.190.128.1");
	int64_t known_us = answer->start_us + answer->duration_us;
	of_addresses(report, NULL, known_us + DNS_PATIENCE_US - 1);
	CHECK_INT(wanted.count, 0);
	of_addresses(report, NULL, known_us + DNS_PATIENCE_US);
	CHECK_INT(wanted.count, 2);
	struct attempt *attempt = build_works(report, path, "20.190.128.1");
	of_addresses(report, NULL, known_us + DNS_PATIENCE_US);
	CHECK_INT(wanted.count, 0);
	build_tls(report, path, attempt, FAILURE_SSL_INVALID_HOSTNAME);
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 2);
	report_free(report);
}

static void an_altered_page(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	path->target->port = 80;
	path->target->url = "http://login.example.com/";
	path->target->expect.body = "Microsoft Connect Test";
	own(report, path, "10.0.0.53", FAILURE_NONE, "20.190.128.1");
	struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
	struct observation *page = build_http(report, path, attempt, 200);
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 2);
	page->http.body_matches = true;
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

/* Neither a top-level domain nor what nobody asked us to reach. */
static void names_below_which_is_asked(void)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "aka.ms", 443));
	build_target(report, "10.1.2.3", 443);
	own(report, path, "10.0.0.53", FAILURE_NONE, "10.9.9.9");
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 1);
	CHECK_TEXT(wanted.items[0].name, "marsprobe-run.aka.ms");
	report->observations.items[report->observations.count - 1]->dns.name = "proxy.corp.test";
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

static void suffixes_where_no_server_gives_the_address(void)
{
	static const char *const found[] = {"10.9.9.9", NULL};
	struct path *path;
	struct report *report = report_with(&path);
	build_lookup(report, path, FAILURE_NONE, found);
	struct observation *open = own(report, path, "10.0.0.53", FAILURE_NONE, NULL);
	of_addresses(report, "lan.test", 0);
	CHECK_INT(wanted.count, 0); /* it may still give it */
	open->failure = FAILURE_DNS_NXDOMAIN;
	open->dns.rcode = 3;
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 0);
	of_addresses(report, "lan.test", 0);
	CHECK_INT(wanted.count, 2); /* both configured servers */
	CHECK_TEXT(wanted.items[0].name, "login.example.com.lan.test");
	ask_all(report);
	of_addresses(report, "lan.test", 0);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

static void no_suffix_where_the_hosts_file_or_rotation_explains_it(void)
{
	static const char *const private[] = {"10.9.9.9", NULL}, *const public[] = {"20.190.128.2", NULL};
	struct path *path;
	struct report *report = report_with(&path);
	build_lookup(report, path, FAILURE_NONE, private);
	own(report, path, "10.0.0.53", FAILURE_DNS_NXDOMAIN, NULL)->dns.rcode = 3;
	build_fact(report, "hosts_file", LOGIN, "present", "10.9.9.9");
	of_addresses(report, "lan.test", 0);
	CHECK_INT(wanted.count, 0);
	report_free(report);
	report = report_with(&path);
	build_lookup(report, path, FAILURE_NONE, public);
	own(report, path, "10.0.0.53", FAILURE_NONE, "20.190.128.1"); /* another of many, and both work */
	build_works(report, path, "20.190.128.1");
	build_works(report, path, "20.190.128.2");
	of_addresses(report, "lan.test", 0);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

static void the_public_address_behind_a_private_link(void)
{
	struct path *path;
	struct report *report = report_with(&path);
	struct dns_query *query = &own(report, path, "10.0.0.53", FAILURE_NONE, "10.7.0.4")->dns;
	query->answers[1] = query->answers[0];
	query->answers[0] = (struct dns_answer){LOGIN, "CNAME", "login.privatelink.example.com", 60};
	query->answer_count = 2;
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 0); /* nothing is wrong yet, and there is no control */
	build_attempt(report, path, "10.7.0.4", FAILURE_TIMEOUT);
	of_addresses(report, NULL, 0);
	CHECK_INT(count_of("public_address"), 0);
	own(report, path, "9.9.9.9", FAILURE_NONE, "20.190.128.1")->dns.control = true;
	of_addresses(report, NULL, 0);
	CHECK_INT(count_of("public_address"), 1);
	CHECK_TEXT(first_of("public_address")->address, "20.190.128.1");
	CHECK_INT(first_of("public_address")->port, 443);
	ask_all(report);
	of_addresses(report, NULL, 0);
	CHECK_INT(wanted.count, 0);
	report_free(report);
}

int main(void)
{
	silence_once_per_server();
	silence_of_one_type();
	silence_that_grows();
	what_is_answered_or_no_silence_is_not_asked_again();
	a_cut_off_reply();
	servfail_of_few_names();
	an_odd_address();
	an_address_that_fails_or_stays_unheard();
	an_altered_page();
	names_below_which_is_asked();
	suffixes_where_no_server_gives_the_address();
	no_suffix_where_the_hosts_file_or_rotation_explains_it();
	the_public_address_behind_a_private_link();
	return check_summary();
}
