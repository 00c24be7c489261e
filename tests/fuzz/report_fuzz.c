/* Whatever bytes: a report is refused with a message that a terminal may show, or read; then writing, reading and writing it again
 * gives the same bytes, no format lets a control character through, and it can be judged: twice with the same outcome, which
 * can be written and read like any other. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/core/evidence_json.h"
#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"
#include "probe/diagnosis/diagnosis.h"
#include "reports/report.h"
#include "tests/fuzz/must.h"

static void check_shown(const char *text, size_t length)
{
	MUST(strlen(text) == length);
	MUST(utf8_is_valid(text, length));
	for (size_t i = 0; i < length; i++)
		MUST(text[i] == '\n' || (unsigned char)text[i] >= ' ');
}

static void check_round_trip(const struct report *report)
{
	struct strbuf first, second;
	struct report *again = NULL;
	struct err err = {""};
	strbuf_init(&first);
	strbuf_init(&second);
	report_to_json(report, &first);
	MUST(report_from_json(first.data, first.length, "again", &again, &err));
	report_to_json(again, &second);
	MUST(strcmp(first.data, second.data) == 0);
	report_free(again);
	strbuf_free(&first);
	strbuf_free(&second);
}

static void check_formats(const struct report *report)
{
	struct report_style style = {.color = false, .verbose = true};
	size_t count;
	const struct report_format *formats = report_format_all(&count);
	for (size_t i = 0; i < count; i++) {
		struct strbuf out;
		strbuf_init(&out);
		formats[i].write(report, &style, &out);
		check_shown(out.data, out.length);
		strbuf_free(&out);
	}
}

/* Judging anew says the same: it rests on nothing that an earlier judgement left. */
static void check_judgement(struct report *report)
{
	struct strbuf first, second;
	strbuf_init(&first);
	strbuf_init(&second);
	diagnose(report);
	report_to_json(report, &first);
	diagnose(report);
	report_to_json(report, &second);
	MUST(strcmp(first.data, second.data) == 0);
	strbuf_free(&first);
	strbuf_free(&second);
	check_round_trip(report);
	check_formats(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report *report = NULL;
	struct err err = {""};
	if (!report_from_json(size ? (const char *)data : "", size, "input", &report, &err)) {
		MUST(report == NULL && err.text[0]);
		check_shown(err.text, strlen(err.text));
		return 0;
	}
	check_round_trip(report);
	check_formats(report);
	check_judgement(report);
	report_free(report);
	return 0;
}
