/* Is what the writer writes what reports/report.schema.json says? Runs from the top folder, with tests/check-schema, which is a Python program;
 * on Windows the same writer gives the same bytes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/core/evidence_json.h"
#include "probe/core/strbuf.h"
#include "tests/unit/check.h"
#include "tests/unit/full_report.h"

enum { SCHEMA_BYTES_MAX = 1024 * 1024 };

/** The exit status of check-schema for that document. */
static int check_document(const char *json, bool quiet)
{
	char file[] = "/tmp/report_schema_posix_test.XXXXXX";
	int fd = mkstemp(file);
	if (fd < 0)
		return -1;
	ssize_t written = write(fd, json, strlen(json));
	close(fd);
	char command[256];
	snprintf(command, sizeof(command), "tests/check-schema reports/report.schema.json %s%s", file,
		 quiet ? " >/dev/null" : "");
	int status = written == (ssize_t)strlen(json) ? system(command) : -1;
	unlink(file);
	return status;
}

static void test_full_and_empty_reports_fit(void)
{
	struct report *reports[] = {full_report(), report_new()};
	for (size_t i = 0; i < 2; i++) {
		struct strbuf json;
		strbuf_init(&json);
		report_to_json(reports[i], &json);
		CHECK_INT(check_document(json.data, false), 0);
		report_free(reports[i]);
		strbuf_free(&json);
	}
}

/* One text of the full report replaced: the document must no longer fit. */
static void check_replaced(const char *old, const char *new)
{
	struct report *report = full_report();
	struct strbuf json, changed;
	strbuf_init(&json);
	strbuf_init(&changed);
	report_to_json(report, &json);
	const char *at = strstr(json.data, old);
	CHECK(at != NULL);
	if (at) {
		strbuf_add_bytes(&changed, json.data, (size_t)(at - json.data));
		strbuf_add(&changed, new);
		strbuf_add(&changed, at + strlen(old));
		CHECK(check_document(changed.data, true) != 0);
	}
	report_free(report);
	strbuf_free(&json);
	strbuf_free(&changed);
}

static void test_what_does_not_fit_is_found(void)
{
	check_replaced("\"experiments\": true", "\"experiments\": 1");
	check_replaced("\"socks_reply\"", "\"socks_answer\"");
	check_replaced("\"cause\": \"tls_sni_reset\"", "\"cause\": \"TLS reset\"");
}

static void test_every_failure_is_listed(void)
{
	FILE *file = fopen("reports/report.schema.json", "r");
	char *schema = calloc(1, SCHEMA_BYTES_MAX);
	CHECK(file && schema && fread(schema, 1, SCHEMA_BYTES_MAX - 1, file) > 0);
	char quoted[64];
	for (enum failure failure = FAILURE_NONE + 1; schema && failure <= FAILURE_UNKNOWN; failure++) {
		snprintf(quoted, sizeof(quoted), "\"%s\"", failure_text(failure));
		CHECK(strstr(schema, quoted) != NULL);
	}
	free(schema);
	if (file)
		fclose(file);
}

int main(void)
{
	test_full_and_empty_reports_fit();
	test_what_does_not_fit_is_found();
	test_every_failure_is_listed();
	return check_summary();
}
