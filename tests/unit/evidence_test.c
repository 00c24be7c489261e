#include "probe/core/evidence.h"

#include <string.h>

#include "probe/core/arena.h"
#include "tests/unit/check.h"

static struct arena *arena;

/* ------------------------------------------------------------------ words */

/** All words of an enum, in its order, read back on the way; ends at the first value after the last word. */
#define ALL_WORDS(type, name, first)                                                                           \
	static const char *all_##name(void)                                                                    \
	{                                                                                                      \
		const char *words = "";                                                                        \
		type value = (type)99, untouched = (type)99;                                                   \
		for (int i = first; name##_text((type)i); i++) {                                               \
			CHECK(name##_parse(name##_text((type)i), &value) && value == (type)i);                 \
			words = arena_printf(arena, "%s%s%s", words, *words ? " " : "", name##_text((type)i)); \
		}                                                                                              \
		CHECK(!name##_parse("no such word", &untouched) && !name##_parse("", &untouched) &&            \
		      !name##_parse(NULL, &untouched) && untouched == (type)99);                               \
		CHECK(name##_text((type)-1) == NULL && name##_text((type)99) == NULL);                         \
		return words;                                                                                  \
	}
ALL_WORDS(enum stage, stage, 1)
ALL_WORDS(enum status, status, 0)
ALL_WORDS(enum owner, owner, 1)
ALL_WORDS(enum identity_id, identity, 0)
ALL_WORDS(enum identity_mode, identity_mode, 0)
ALL_WORDS(enum route_kind, route_kind, 0)
ALL_WORDS(enum op, op, 0)
ALL_WORDS(enum end_reason, end_reason, 0)
ALL_WORDS(enum tls_progress, tls_progress, 0)
ALL_WORDS(enum found_by, found_by, 0)
ALL_WORDS(enum subject_kind, subject_kind, 0)

static void words_are_those_of_the_report(void)
{
	CHECK_TEXT(stage_text(STAGE_NONE), NULL);
	CHECK_TEXT(owner_text(OWNER_NONE), NULL);
	CHECK_TEXT(all_stage(), "host settings dns tcp proxy tls http");
	CHECK_TEXT(all_status(), "pass warn fail inconclusive skipped not_applicable");
	CHECK_TEXT(all_owner(), "server-admin dns-team firewall-team proxy-team network-team microsoft");
	CHECK_TEXT(all_identity(), "user system");
	CHECK_TEXT(all_identity_mode(), "run settings unavailable");
	CHECK_TEXT(all_route_kind(), "direct wininet winhttp agent env proxy");
	CHECK_TEXT(
		all_op(),
		"dns_query system_lookup tcp_connect ttl_probe proxy_exchange tls_handshake http_exchange local_fact "
		"proxy_script proxy_decision");
	CHECK_TEXT(all_end_reason(), "complete deadline interrupted");
	CHECK_TEXT(all_tls_progress(), "hello_sent server_hello certificate finished");
	CHECK_TEXT(all_found_by(), "system server literal sample");
	CHECK_TEXT(all_subject_kind(), "proxy resolver hop prefix name issuer setting host");
}

static void failures_are_read_back(void)
{
	CHECK_TEXT(failure_text(FAILURE_NONE), NULL);
	CHECK_TEXT(failure_text((enum failure)999), NULL);
	CHECK_TEXT(failure_text(FAILURE_TIMEOUT), "generic_timeout_error");
	CHECK_TEXT(failure_text(FAILURE_SSL_FAILED_HANDSHAKE), "ssl_failed_handshake");
	CHECK_INT(failure_parse(NULL), FAILURE_NONE);
	CHECK_INT(failure_parse("something new"), FAILURE_UNKNOWN);
	CHECK_INT(failure_parse(""), FAILURE_UNKNOWN);
	for (int i = FAILURE_NONE; i <= FAILURE_UNKNOWN; i++)
		CHECK_INT(failure_parse(failure_text((enum failure)i)), i);
}

/* ------------------------------------------------------------------ lists */

static void lists_keep_what_is_added(void)
{
	struct text_list texts = {0};
	char changing[8] = "first";
	text_list_add(arena, &texts, changing);
	changing[0] = 'X'; /* a copy is kept */
	for (int i = 1; i < 100; i++)
		text_list_add(arena, &texts, arena_printf(arena, "item %d", i));
	CHECK_INT(texts.count, 100);
	CHECK_TEXT(texts.items[0], "first");
	CHECK_TEXT(texts.items[99], "item 99");
	struct header_list headers = {0};
	CHECK_TEXT(header_find(&headers, "via"), NULL);
	header_list_add(arena, &headers, "Via", "1.1 a");
	header_list_add(arena, &headers, "X-Cache", "MISS");
	header_list_add(arena, &headers, "via", "1.1 b");
	CHECK_TEXT(headers.items[0].name, "via");
	CHECK_TEXT(header_find(&headers, "via"), "1.1 a");
	CHECK_TEXT(header_find(&headers, "x-cache"), "MISS");
	CHECK_TEXT(header_find(&headers, "x-cach"), NULL);
}

/* ------------------------------------------------------------------ via */

static const char *via_again(const char *text)
{
	struct via via = {.port = 7};
	if (!via_parse(arena, text, &via)) {
		CHECK_INT(via.port, 7);
		return NULL;
	}
	return arena_printf(arena, "%d %s", via.scheme, via_format(arena, &via));
}

static void via_is_read_and_written(void)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{"DIRECT", "0 DIRECT"},
		{"PROXY proxy.corp:3128", "1 PROXY proxy.corp:3128"},
		{"HTTPS proxy.corp:443", "2 HTTPS proxy.corp:443"},
		{"SOCKS s:1080", "3 SOCKS s:1080"},
		{"SOCKS4 s:1080", "3 SOCKS s:1080"},
		{"SOCKS5 10.0.0.1:1", "4 SOCKS5 10.0.0.1:1"},
		{"SOCKS5H [2001:db8::1]:1080", "5 SOCKS5H [2001:db8::1]:1080"},
		{"direct", NULL},
		{"DIRECT ", NULL},
		{"DIRECT a:1", NULL},
		{"PROXY", NULL},
		{"PROXY ", NULL},
		{"PROXY a", NULL},
		{"PROXY a:", NULL},
		{"PROXY a:0", NULL},
		{"PROXY  a:1", NULL},
		{"PROXY a:1 ", NULL},
		{"PROXY a:1;DIRECT", NULL},
		{"PROX a:1", NULL},
		{"PROXY2 a:1", NULL},
		{"FTP a:1", NULL},
		{" a:1", NULL},
		{"PROXY http://a:1", NULL},
		{"PROXY u:p@a:1", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_one_text(via_again(rows[i].text), rows[i].wanted, rows[i].text, __FILE__, __LINE__);
	CHECK_TEXT(via_again(NULL), NULL);
}

/* ------------------------------------------------------------------ the report's items */

static void items_get_ids_and_know_what_is_unmeasured(void)
{
	struct report *report = report_new();
	for (int i = 0; i < 20; i++) {
		report_add_target(report);
		report_add_path(report);
		report_add_finding(report);
		report_add_observation(report, OP_LOCAL_FACT);
	}
	CHECK_TEXT(report->targets[0]->id, "t1");
	CHECK_TEXT(report->targets[19]->id, "t20");
	CHECK_TEXT(report->paths[19]->id, "p20");
	CHECK_TEXT(report->findings[19]->id, "f20");
	CHECK_TEXT(report->observations.items[19]->id, "o20");
	CHECK_INT(report->targets[3]->port, NOT_MEASURED);
	CHECK_INT(report->paths[3]->verdict.at.hop, NOT_MEASURED);
	struct attempt *attempt = path_add_attempt(report, report->paths[0]);
	CHECK(report->paths[0]->attempt_count == 1 && report->paths[0]->attempts[0] == attempt);
	CHECK_INT(attempt->port, NOT_MEASURED);
	CHECK_INT(attempt->ended_at_ms, NOT_MEASURED);
	struct observation *made = arena_alloc(report->arena, sizeof(*made));
	observation_init(made, OP_DNS_QUERY);
	CHECK_TEXT(made->id, NULL);
	report_take_observation(report, made);
	CHECK_TEXT(made->id, "o21");
	CHECK_INT(report->observations.count, 21);
	struct path_list paths = {0};
	path_list_add(report->arena, &paths, report->paths[1]);
	CHECK(path_list_has(&paths, report->paths[1]) && !path_list_has(&paths, report->paths[2]));
	report_free(report);
	report_free(NULL);
}

static void observations_begin_unmeasured(void)
{
	struct observation o;
	memset(&o, 0x55, sizeof(o));
	observation_init(&o, OP_DNS_QUERY);
	CHECK(o.dns.rcode == -1 && o.dns.ede == -1 && o.dns.icmp.type == -1 && o.dns.tuple.src_port == -1);
	CHECK(o.dns.tries == 0 && !o.dns.answers && !o.experiment && o.failure == FAILURE_NONE);
	observation_init(&o, OP_TCP_CONNECT);
	CHECK(o.tcp.tuple.dst_port == -1 && o.tcp.icmp.mtu == -1 && o.tcp.tcp_info.rtt_us == -1 &&
	      o.tcp.tcp_info.mss == -1 && o.tcp.tcp_info.segments == -1);
	CHECK(o.tcp.syn_ack_ttl == -1 && o.tcp.reset_ttl == -1);
	CHECK(o.tcp.min_ttl == -1 && o.tcp.sent_bytes == -1 && o.tcp.bytes_acked == -1 && o.tcp.bytes_received == -1);
	observation_init(&o, OP_TTL_PROBE);
	CHECK(o.ttl.ttl == -1 && o.ttl.icmp.code == -1 && !o.ttl.from);
	observation_init(&o, OP_PROXY_EXCHANGE);
	CHECK(o.proxy.status == -1 && o.proxy.socks_reply == -1 && o.proxy.tuple.src_port == -1);
	observation_init(&o, OP_TLS_HANDSHAKE);
	CHECK(o.tls.alert == -1 && o.tls.alert_sent == -1 && o.tls.bytes_acked == -1 && o.tls.bytes_received == -1);
	CHECK(o.tls.verified_at_s == -1 && o.tls.progress == TLS_HELLO_SENT);
	CHECK(o.tls.hello_bytes == -1 && o.tls.segment_bytes == -1);
	observation_init(&o, OP_HTTP_EXCHANGE);
	CHECK(o.http.status == -1 && o.http.body_bytes == -1 && o.http.bytes_acked == -1);
	observation_init(&o, OP_SYSTEM_LOOKUP);
	CHECK(o.op == OP_SYSTEM_LOOKUP && o.lookup.addresses.count == 0);
	observation_init(&o, OP_LOCAL_FACT);
	CHECK(o.op == OP_LOCAL_FACT && !o.fact.fact);
}

/* ------------------------------------------------------------------ the clock */

/* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 5.6.7 */
static const int64_t example_ms = 784111777000;

static struct report *clock_report(int64_t ours_ms)
{
	struct report *report = report_new();
	report->run.started_at_ms = ours_ms;
	return report;
}

static struct observation *origin_says(struct report *report, const char *address, const char *date)
{
	struct observation *o = report_add_observation(report, OP_HTTP_EXCHANGE);
	o->http.tuple.dst = address;
	o->http.url = arena_printf(report->arena, "https://host%zu.example/", report->observations.count);
	if (date)
		header_list_add(report->arena, &o->http.headers, "Date", date);
	return o;
}

static void proxy_says(struct report *report, const char *address, const char *date)
{
	struct observation *o = report_add_observation(report, OP_PROXY_EXCHANGE);
	o->proxy.tuple.dst = address;
	header_list_add(report->arena, &o->proxy.headers, "Date", date);
}

/** "WITNESSES OFFSET_MS", and the report is gone. */
static const char *measured(struct report *report)
{
	report_measure_clock(report);
	CHECK_TEXT(report->host.clock_source, report->host.clock_witnesses ? "http-date" : NULL);
	const char *text =
		arena_printf(arena, "%d %lld", report->host.clock_witnesses, (long long)report->host.clock_offset_ms);
	report_free(report);
	return text;
}

static void one_clock_is_read(void)
{
	struct report *report = clock_report(example_ms + 500);
	origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 08:49:37 GMT");
	CHECK_TEXT(measured(report), "1 0");

	report = clock_report(example_ms + 500 + 3600000);
	origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 08:49:37 GMT");
	CHECK_TEXT(measured(report), "1 3600000");

	report = clock_report(example_ms + 500); /* the middle of the exchange counts */
	struct observation *o = origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 08:49:47 GMT");
	o->start_us = 9000000;
	o->duration_us = 2000000;
	CHECK_TEXT(measured(report), "1 0");

	report = clock_report(example_ms + 500); /* a cache kept it for 100 seconds */
	o = origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 08:47:57 GMT");
	header_list_add(report->arena, &o->http.headers, "Age", "100");
	CHECK_TEXT(measured(report), "1 0");
}

/** Some caches keep the Date of the answer, some write a new one beside its Age. */
static void a_cached_answer_accuses_only_beyond_its_age(void)
{
	static const struct {
		int64_t ahead_ms;
		const char *age, *measured;
	} rows[] = {{500, "391", "0 0"},
		    {500, "200", "1 0"},
		    {500 + 391000, "391", "0 0"},
		    {500 + 3600000, "391", "1 3209000"},
		    {500 - 3600000, "391", "1 -3600000"},
		    {500 + 3600000, "0", "1 3600000"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = clock_report(example_ms + rows[i].ahead_ms);
		struct observation *o = origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 08:49:37 GMT");
		header_list_add(report->arena, &o->http.headers, "Age", rows[i].age);
		check_one_text(measured(report), rows[i].measured, rows[i].age, __FILE__, __LINE__);
	}
}

static void what_is_no_date_is_no_witness(void)
{
	static const char *const dates[] = {
		NULL,
		"",
		"yesterday",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 GMT+1",
		"Sun, 06 Foo 1994 08:49:37 GMT",
		"Sun, 06 anF 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1969 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
	};
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		struct report *report = clock_report(example_ms);
		origin_says(report, "20.0.0.1", dates[i]);
		check_one_text(measured(report), "0 0", dates[i] ? dates[i] : "no header", __FILE__, __LINE__);
	}
	CHECK_TEXT(measured(clock_report(example_ms)), "0 0");
}

static void leap_days_count(void)
{
	struct report *report = clock_report(1709208000500); /* 2024-02-29T12:00:00.5Z */
	origin_says(report, "20.0.0.1", "Thu, 29 Feb 2024 12:00:00 GMT");
	CHECK_TEXT(measured(report), "1 0");
	report = clock_report(1709294400500);
	origin_says(report, "20.0.0.1", "Fri, 01 Mar 2024 12:00:00 GMT");
	CHECK_TEXT(measured(report), "1 0");
	report = clock_report(4107585600500); /* 2100 has no 29 February */
	origin_says(report, "20.0.0.1", "Mon, 01 Mar 2100 12:00:00 GMT");
	CHECK_TEXT(measured(report), "1 0");
}

static void witnesses_are_distinct_responders(void)
{
	struct report *report = clock_report(example_ms + 500);
	for (int i = 0; i < 3; i++)
		origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 08:49:37 GMT");
	CHECK_TEXT(measured(report), "1 0");

	report = clock_report(example_ms + 500);
	origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 08:49:37 GMT");
	origin_says(report, "20.0.0.2", "Sun, 06 Nov 1994 08:49:39 GMT");
	proxy_says(report, "10.0.0.9", "Sun, 06 Nov 1994 08:49:38 GMT");
	proxy_says(report, "10.0.0.9", "Sun, 06 Nov 1994 08:49:38 GMT");
	CHECK_TEXT(measured(report), "3 -1000");
}

/** Through a tunnel the address is the proxy's; what the proxy itself forwards may be its own words. */
static void origins_behind_a_proxy_go_by_name(void)
{
	for (int forwarded = 0; forwarded < 2; forwarded++) {
		struct report *report = clock_report(example_ms + 500);
		struct path *path = report_add_path(report);
		path->route.via = "PROXY proxy.corp:3128";
		proxy_says(report, "10.0.0.9", "Sun, 06 Nov 1994 08:49:37 GMT");
		for (int i = 0; i < 2; i++) {
			struct observation *o = origin_says(report, "10.0.0.9", "Sun, 06 Nov 1994 08:49:37 GMT");
			path_list_add(report->arena, &o->paths, path);
			o->http.by_proxy = forwarded;
		}
		CHECK_TEXT(measured(report), forwarded ? "1 0" : "3 0");
	}
}

static void the_largest_group_that_agrees_decides(void)
{
	struct report *report = clock_report(example_ms + 500);
	origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 06:49:37 GMT");
	origin_says(report, "20.0.0.2", "Sun, 06 Nov 1994 06:49:57 GMT");
	origin_says(report, "20.0.0.3", "Sun, 06 Nov 1994 06:50:37 GMT");
	origin_says(report, "20.0.0.4", "Sun, 06 Nov 1994 08:49:37 GMT");
	origin_says(report, "20.0.0.5", "Sun, 06 Nov 1994 08:49:37 GMT");
	CHECK_TEXT(measured(report), "3 7180000");

	report = clock_report(example_ms + 500); /* one against one: the one that accuses us least */
	origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 06:49:37 GMT");
	origin_says(report, "20.0.0.2", "Sun, 06 Nov 1994 08:49:38 GMT");
	origin_says(report, "20.0.0.3", "Sun, 06 Nov 1994 18:49:37 GMT");
	CHECK_TEXT(measured(report), "1 -1000");

	report = clock_report(example_ms + 500);
	origin_says(report, "20.0.0.1", "Sun, 06 Nov 1994 08:49:37 GMT");
	origin_says(report, "20.0.0.2", "Sun, 06 Nov 1994 08:50:38 GMT"); /* 61 s apart */
	CHECK_TEXT(measured(report), "1 0");
}

static void many_witnesses_are_no_trouble(void)
{
	struct report *report = clock_report(example_ms + 500);
	for (int i = 0; i < 1000; i++)
		origin_says(report, arena_printf(report->arena, "20.0.%d.%d", i / 256, i % 256),
			    "Sun, 06 Nov 1994 08:49:37 GMT");
	CHECK_TEXT(measured(report), "256 0");
}

int main(void)
{
	arena = arena_new();
	words_are_those_of_the_report();
	failures_are_read_back();
	lists_keep_what_is_added();
	via_is_read_and_written();
	items_get_ids_and_know_what_is_unmeasured();
	observations_begin_unmeasured();
	one_clock_is_read();
	a_cached_answer_accuses_only_beyond_its_age();
	what_is_no_date_is_no_witness();
	leap_days_count();
	witnesses_are_distinct_responders();
	origins_behind_a_proxy_go_by_name();
	the_largest_group_that_agrees_decides();
	many_witnesses_are_no_trouble();
	arena_free(arena);
	return check_summary();
}
