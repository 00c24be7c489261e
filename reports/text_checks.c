#include <stdio.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "reports/screen.h"
#include "reports/text_parts.h"

enum { MARK_INDENT = 2, MARK_COLUMNS = 6, TEXT_COLUMN = MARK_INDENT + MARK_COLUMNS };

static const struct {
	const char *id;
	enum say title;
} titles[] = {
#define CHECK(id, cause, judge) {#id, SAY_CHECK_##id},
#include "probe/diagnosis/preflight.def"
#undef CHECK
};

static void say_title(struct strbuf *out, const struct check *check)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (strcmp(titles[i].id, check->id) == 0) {
			strbuf_add(out, say_text(titles[i].title));
			return;
		}
	say(out, SAY_CHECK_OTHER, FILLS({"id", check->id}));
}

static enum say mark_of(enum status status, enum paint *paint)
{
	*paint = PAINT_PLAIN;
	switch (status) {
	case STATUS_PASS:
		*paint = PAINT_GOOD;
		return SAY_CHECK_PASS;
	case STATUS_WARN:
		*paint = PAINT_CAUTION;
		return SAY_CHECK_WARN;
	case STATUS_FAIL:
		*paint = PAINT_BAD;
		return SAY_CHECK_FAIL;
	case STATUS_INCONCLUSIVE:
		return SAY_CHECK_OPEN;
	case STATUS_SKIPPED:
	case STATUS_NOT_APPLICABLE:
		return SAY_CHECK_NONE;
	}
	return SAY_CHECK_OPEN;
}

static void text_check(struct page *page, const struct check *check)
{
	enum paint paint;
	struct strbuf line, title;
	enum say mark = mark_of(check->status, &paint);
	strbuf_init(&line);
	strbuf_init(&title);
	say_title(&title, check);
	screen_add_blanks(page->out, MARK_INDENT);
	page_paint(page, paint, say_text(mark));
	screen_add_blanks(page->out, MARK_COLUMNS - strlen(say_text(mark)));
	say(&line, check->value ? SAY_CHECK_LINE : SAY_CHECK_LINE_SHORT,
	    FILLS({"title", title.data}, {"value", check->value}, {"because", check->because}));
	screen_wrap(page->out, TEXT_COLUMN, TEXT_COLUMN, line.data);
	if (check->source && check->status != STATUS_NOT_APPLICABLE) {
		strbuf_truncate(&line, 0);
		screen_add(&line, check->source, SAY_VALUE_COLUMNS);
		screen_add_blanks(page->out, TEXT_COLUMN);
		screen_wrap(page->out, TEXT_COLUMN, TEXT_COLUMN, line.data);
	}
	strbuf_free(&title);
	strbuf_free(&line);
}

static size_t count(const struct report *report, enum status status)
{
	size_t found = 0;
	for (size_t i = 0; i < report->check_count; i++)
		found += report->checks[i].status == status;
	return found;
}

void text_checks(struct page *page)
{
	const struct report *report = page->report;
	char passed[24], warned[24], failed[24], open[24];
	struct strbuf line;
	if (report->check_count == 0)
		return;
	snprintf(passed, sizeof(passed), "%zu", count(report, STATUS_PASS));
	snprintf(warned, sizeof(warned), "%zu", count(report, STATUS_WARN));
	snprintf(failed, sizeof(failed), "%zu", count(report, STATUS_FAIL));
	snprintf(open, sizeof(open), "%zu", count(report, STATUS_INCONCLUSIVE) + count(report, STATUS_NOT_APPLICABLE));
	strbuf_init(&line);
	say(&line, SAY_CHECKS_ANSWER,
	    FILLS({"passed", passed}, {"warned", warned}, {"failed", failed}, {"open", open}));
	strbuf_add(page->out, report->path_count ? "\n" : "");
	page_paint(page, PAINT_STRONG, say_text(SAY_CHECKS));
	strbuf_printf(page->out, ": %s\n\n", line.data);
	strbuf_free(&line);
	for (size_t i = 0; i < report->check_count; i++)
		text_check(page, &report->checks[i]);
}
