#include "probe/core/evidence_json.h"

#include <locale.h>
#include <stdlib.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

#define START "{\"schema\": \"marsprobe/report\", \"schema_version\": \"1.0.0\""

static struct report *read_text(const char *json, struct err *err)
{
	struct report *report = NULL;
	err->text[0] = '\0';
	bool read = report_from_json(json, strlen(json), "x.json", &report, err);
	CHECK(read == (report != NULL));
	return report;
}

/* One document and the message that it must give. */
static void check_refused(const char *json, const char *wanted)
{
	struct err err;
	struct report *report = read_text(json, &err);
	CHECK(report == NULL);
	CHECK_TEXT(err.text, wanted);
	report_free(report);
}

static void test_what_is_refused_and_where(void)
{
	check_refused("", "x.json:1: not JSON: '[' or '{' expected near end of file");
	check_refused("{\n\"a\": \x1b[31m}", "x.json:2: not JSON: invalid token near '?'");
	check_refused("[]", "x.json:1: is not a report of marsprobe (schema \"marsprobe/report\")");
	check_refused("{\"schema\": \"marsprobe/report\", \"schema_version\": \"2.0.0\"}",
		      "x.json:1: has a schema_version that this program does not know (it knows 1.x)");
	check_refused("\xFF\xFE{", "x.json:1: the file is UTF-16; save it as UTF-8");
	check_refused(START ",\n\"paths\": 7}", "x.json:2: paths must be an array");
	check_refused(START ",\n\"targets\": [\n{\"id\": \"t1\", \"name\": \"a\"},\n{\"id\": \"t1\"}]}",
		      "x.json:4: targets[1] has the id of another one");
	check_refused(START ",\n\"targets\": [\n{\"id\": \"t1\",\n\"name\": \"a\",\n\"port\": 65536}]}",
		      "x.json:5: targets[0].port is a number out of range");
	check_refused(START ",\n\"targets\": [{\"id\": \"t1\", \"name\": [\"}\\\"\"],\n\"port\": 1}]}",
		      "x.json:2: targets[0].name must be a text");
	check_refused(START ",\n\"targets\": [{\"id\": \"t1\",\n \"url\": null}]}",
		      "x.json:2: targets[0].name is missing");
	check_refused(START ",\"paths\": [{\"id\": \"p1\",\n\"target\": \"t9\"}]}",
		      "x.json:2: paths[0].target must be the id of something in this report");
	check_refused(START ",\n\"run\": {\"started_at\": \"2026-02-30T00:00:00Z\"}}",
		      "x.json:2: run.started_at must be a time like 2026-01-31T09:05:07.120Z");
	check_refused(START ",\n\"run\": {\"duration_ms\": -1}}", "x.json:2: run.duration_ms is a number out of range");
	check_refused(START ",\"run\": {\n\"inputs\": {\n\"experiments\": 1}}}",
		      "x.json:3: run.inputs.experiments must be true or false");
	check_refused(START ",\n\"observations\": [{\"id\": \"o1\", \"op\": \"ping\"}]}",
		      "x.json:2: observations[0].op is none of the words that may stand here");
	check_refused(START ",\n\"readiness\": {\"blocking\": [\"f1\"]}}",
		      "x.json:2: readiness.blocking must be ids of things in this report");
	check_refused(START ",\n\"identities\": [{\"id\": \"user\"}, {\"id\": \"user\"}]}",
		      "x.json:2: identities must differ");
	check_refused(START ",\n\"identities\": [{\"id\": \"user\"}, {\"id\": \"system\"}, {}]}",
		      "x.json:2: identities has too many items");
	check_refused(START ",\n\"host\": {\"name\": \"a\\u0000b\"}}",
		      "x.json:2: not JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"'");
	check_refused(START ",\n\"run\": {}, \"run\": {}}", "x.json:2: not JSON: duplicate object key near '\"run\"'");
}

static void test_headers_must_be_texts(void)
{
	check_refused(START
		      ",\n\"observations\": [{\"id\": \"o1\", \"op\": \"http_exchange\", \"headers\": {\"a\": 1}}]}",
		      "x.json:2: observations[0].headers must have texts, or arrays of texts, as values");
	check_refused(START
		      ",\n\"observations\": [{\"id\": \"o1\", \"op\": \"http_exchange\", \"headers\": {\"a\": [1]}}]}",
		      "x.json:2: observations[0].headers must have texts, or arrays of texts, as values");
}

static void test_limits(void)
{
	enum { DEEP = 100 };
	char deep[DEEP + 1];
	memset(deep, '[', DEEP);
	deep[DEEP] = '\0';
	check_refused(deep, "x.json:1: nested too deep");
	size_t values = 4 * 1000 * 1000 + 2;
	char *many = malloc(values + 2);
	memset(many, ',', values);
	many[0] = '[';
	many[values] = '\0';
	check_refused(many, "x.json:1: too many values");
	free(many);
	size_t large = 64 * 1024 * 1024 + 1;
	char *blanks = malloc(large + 1);
	memset(blanks, ' ', large);
	blanks[large] = '\0';
	check_refused(blanks, "x.json:1: larger than 64 MiB");
	free(blanks);
}

static void test_missing_is_not_measured(void)
{
	struct err err;
	struct report *report =
		read_text("\xEF\xBB\xBF" START ", \"later\": {\"x\": [1, {}]}, \"targets\": [{\"id\": \"t1\", "
			  "\"name\": \"a\"}], \"paths\": [{\"id\": \"p1\", \"target\": \"t1\", \"identity\": "
			  "\"system\", \"route\": {\"kind\": \"direct\"}}], \"observations\": [{\"id\": \"o1\", "
			  "\"op\": \"tls_handshake\", \"failure\": \"of_a_later_version\"}]}",
			  &err);
	CHECK_TEXT(err.text, "");
	if (!report)
		return;
	CHECK_INT(report->run.duration_us, NOT_MEASURED);
	CHECK_INT(report->run.started_at_ms, NOT_MEASURED);
	CHECK_INT(report->targets[0]->port, NOT_MEASURED);
	CHECK_TEXT(report->targets[0]->url, NULL);
	CHECK_INT(report->paths[0]->verdict.status, STATUS_INCONCLUSIVE);
	CHECK_INT(report->paths[0]->verdict.at.hop, NOT_MEASURED);
	const struct observation *o = report->observations.items[0];
	CHECK_INT(o->failure, FAILURE_UNKNOWN);
	CHECK_INT(o->tls.alert, NOT_MEASURED);
	CHECK_INT(o->tls.bytes_acked, NOT_MEASURED);
	CHECK_INT(o->tls.verified_at_s, NOT_MEASURED);
	CHECK_INT(o->tls.tuple.src_port, NOT_MEASURED);
	CHECK_INT(o->start_us, NOT_MEASURED);
	report_free(report);
}

/* What the network may send goes through the document and stays what it was, or becomes U+FFFD. */
static const struct {
	const char *text, *json, *back;
} hostile[] = {
	{"plain", "\"plain\"", "plain"},
	{"a\"b\\c/d", "\"a\\\"b\\\\c/d\"", "a\"b\\c/d"},
	{"\x1b[31m\r\n\t\x01", "\"\\u001B[31m\\r\\n\\t\\u0001\"", "\x1b[31m\r\n\t\x01"},
	{"\xff\xfe", "\"\\uFFFD\\uFFFD\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
	{"a\xC0\xAF", "\"a\\uFFFD\\uFFFD\"", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
	{"\xED\xA0\x80", "\"\\uFFFD\\uFFFD\\uFFFD\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
	{"\xE2\x80\xAEtxt.exe", "\"\\u202Etxt.exe\"", "\xE2\x80\xAEtxt.exe"},
	{"\xC2\x9b"
	 "31m",
	 "\"\\u009B31m\"",
	 "\xC2\x9b"
	 "31m"},
	{"\xE8\xB3\x87\xF0\x9F\x92\xA5", "\"\\u8CC7\\uD83D\\uDCA5\"", "\xE8\xB3\x87\xF0\x9F\x92\xA5"},
	{"cut \xE8\xB3", "\"cut \\uFFFD\\uFFFD\"", "cut \xEF\xBF\xBD\xEF\xBF\xBD"},
	{"", "\"\"", ""},
};

static void check_hostile(const char *text, const char *json, const char *back)
{
	struct report *report = report_new(), *read = NULL;
	struct strbuf first, second;
	struct err err = {""};
	strbuf_init(&first);
	strbuf_init(&second);
	report->host.name = text;
	struct observation *o = report_add_observation(report, OP_HTTP_EXCHANGE);
	header_list_add(report->arena, &o->http.headers, text, text);
	report_to_json(report, &first);
	CHECK(!json || strstr(first.data, json) != NULL);
	CHECK(report_from_json(first.data, first.length, "x.json", &read, &err));
	if (read) {
		CHECK_TEXT(read->host.name, back);
		CHECK_INT(read->observations.items[0]->http.headers.count, 1);
		report_to_json(read, &second);
		CHECK_TEXT(second.data, first.data);
	}
	report_free(report);
	report_free(read);
	strbuf_free(&first);
	strbuf_free(&second);
}

static void test_hostile_text(void)
{
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		check_hostile(hostile[i].text, hostile[i].json, hostile[i].back);
	enum { LONG = 3 * 1000 * 1000 };
	char *text = malloc(LONG + 1);
	for (size_t i = 0; i < LONG; i++)
		text[i] = (char)(' ' + i % 90);
	text[LONG] = '\0';
	check_hostile(text, NULL, text);
	free(text);
}

/* Numbers are the same bytes whatever the locale, and come back to the microsecond. */
static void test_numbers(void)
{
	static const struct {
		int64_t us;
		const char *json;
	} rows[] = {
		{0, "\"duration_ms\": 0.0"},	{1, "\"duration_ms\": 0.001"},
		{1000, "\"duration_ms\": 1.0"}, {1201002, "\"duration_ms\": 1201.002"},
		{3, "\"duration_ms\": 0.003"},	{100, "\"duration_ms\": 0.1"},
		{-1, "\"duration_ms\": null"},	{86399999999, "\"duration_ms\": 86399999.999"},
	};
	bool comma = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = report_new(), *read = NULL;
		struct strbuf json;
		struct err err = {""};
		strbuf_init(&json);
		report->run.duration_us = rows[i].us;
		report_to_json(report, &json);
		CHECK(strstr(json.data, rows[i].json) != NULL);
		CHECK(report_from_json(json.data, json.length, "x.json", &read, &err));
		CHECK_INT(read ? read->run.duration_us : -2, rows[i].us);
		report_free(report);
		report_free(read);
		strbuf_free(&json);
	}
	setlocale(LC_ALL, "C");
	if (!comma)
		printf("note: no locale with a decimal comma here\n");
}

static void test_clock_is_null_without_witnesses(void)
{
	struct report *report = report_new();
	struct strbuf json;
	strbuf_init(&json);
	report_to_json(report, &json);
	CHECK(strstr(json.data, "\"offset_ms\": null") != NULL);
	report->host.clock_witnesses = 2;
	strbuf_truncate(&json, 0);
	report_to_json(report, &json);
	CHECK(strstr(json.data, "\"offset_ms\": 0,") != NULL);
	report_free(report);
	strbuf_free(&json);
}

int main(void)
{
	test_what_is_refused_and_where();
	test_headers_must_be_texts();
	test_limits();
	test_missing_is_not_measured();
	test_hostile_text();
	test_numbers();
	test_clock_is_null_without_witnesses();
	return check_summary();
}
