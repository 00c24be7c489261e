#include "reports/writers.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/core/timestamp.h"
#include "reports/screen.h"
#include "reports/text_parts.h"
#include "targets/targets.h"

enum { LABEL_INDENT = 3, LABEL_COLUMNS = 10, TEXT_COLUMN = LABEL_INDENT + LABEL_COLUMNS };

void page_paint(struct page *page, enum paint paint, const char *text)
{
	static const char *const codes[] = {
		[PAINT_PLAIN] = "",	      [PAINT_STRONG] = "\033[1m", [PAINT_GOOD] = "\033[32m",
		[PAINT_CAUTION] = "\033[33m", [PAINT_BAD] = "\033[31m",
	};
	bool color = page->style->color && paint != PAINT_PLAIN;
	strbuf_printf(page->out, "%s%s%s", color ? codes[paint] : "", text, color ? "\033[0m" : "");
}

void page_heading(struct page *page, enum say heading)
{
	strbuf_add_char(page->out, '\n');
	page_paint(page, PAINT_STRONG, say_text(heading));
	strbuf_add_char(page->out, '\n');
}

void page_item(struct page *page, enum say label, const char *text)
{
	screen_add_blanks(page->out, LABEL_INDENT);
	screen_add_cell(page->out, say_text(label), LABEL_COLUMNS);
	screen_wrap(page->out, TEXT_COLUMN, TEXT_COLUMN, text);
}

void page_bullet(struct page *page, const char *text)
{
	strbuf_add(page->out, " - ");
	screen_wrap(page->out, 3, 3, text);
}

void say_more(struct strbuf *out, size_t count)
{
	char number[24];
	snprintf(number, sizeof(number), "%zu", count);
	say(out, SAY_AND_MORE, FILLS({"count", number}));
}

void say_target(struct strbuf *out, const struct target *target)
{
	strbuf_add(out, target->name ? target->name : say_text(SAY_UNKNOWN));
	bool has_port =
		target->name && target->host && strcmp(target->name, target->host) != 0; /* given as host:port */
	if (!has_port && target->port != 443 && target->port != NOT_MEASURED)
		strbuf_printf(out, ":%d", target->port);
}

/* ------------------------------------------------------------------ the answer */

static const struct finding *finding_by_id(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (strcmp(report->findings[i]->id, id) == 0)
			return report->findings[i];
	return NULL;
}

static void say_not_ready(struct strbuf *out, const struct report *report)
{
	const struct text_list *blocking = &report->readiness.blocking;
	const struct finding *first = finding_by_id(report, blocking->items[0]);
	if (!first || !first->summary) {
		say(out, SAY_WHY_NOT_READY_UNSAID, NULL);
		return;
	}
	char more[24];
	snprintf(more, sizeof(more), "%zu", blocking->count - 1);
	say(out, blocking->count > 1 ? SAY_WHY_NOT_READY_MORE : SAY_WHY_NOT_READY,
	    FILLS({"summary", first->summary}, {"count", more}));
}

static void say_inconclusive(struct strbuf *out, const struct report *report)
{
	size_t open = report->readiness.inconclusive.count;
	char count[24];
	snprintf(count, sizeof(count), "%zu", open);
	enum say why = open == 1 ? SAY_WHY_INCONCLUSIVE_ONE : open ? SAY_WHY_INCONCLUSIVE : SAY_WHY_NOTHING;
	if (report->run.end_reason == END_DEADLINE)
		why = SAY_WHY_DEADLINE;
	if (report->run.end_reason == END_INTERRUPTED)
		why = SAY_WHY_INTERRUPTED;
	say(out, why, FILLS({"count", count}));
}

static void say_ready(struct strbuf *out, const struct report *report)
{
	char count[24];
	snprintf(count, sizeof(count), "%zu", report->finding_count);
	enum say why = report->finding_count == 0   ? SAY_WHY_READY
		       : report->finding_count == 1 ? SAY_WHY_READY_WARN_ONE
						    : SAY_WHY_READY_WARN;
	say(out, why, FILLS({"count", count}));
}

enum say say_answer(struct strbuf *why, const struct report *report)
{
	if (report->coverage)
		return say_coverage_answer(why, report);
	if (report->readiness.ready) {
		say_ready(why, report);
		return report->finding_count ? SAY_ANSWER_READY_WARN : SAY_ANSWER_READY;
	}
	if (report->readiness.blocking.count > 0) {
		say_not_ready(why, report);
		return SAY_ANSWER_NOT_READY;
	}
	say_inconclusive(why, report);
	return SAY_ANSWER_INCONCLUSIVE;
}

static void text_answer(struct page *page)
{
	struct strbuf why;
	strbuf_init(&why);
	enum say answer = say_answer(&why, page->report);
	const struct readiness *readiness = &page->report->readiness;
	enum paint paint = readiness->blocking.count				  ? PAINT_BAD
			   : readiness->ready && page->report->finding_count == 0 ? PAINT_GOOD
										  : PAINT_CAUTION;
	page_paint(page, paint, say_text(answer));
	strbuf_add(page->out, ": ");
	screen_wrap(page->out, strlen(say_text(answer)) + 2, LABEL_INDENT, why.data);
	strbuf_free(&why);
}

/* ------------------------------------------------------------------ the first lines */

bool say_region(struct strbuf *out, const struct report *report)
{
	const char *code = report->run.region;
	bool matters = report->run.region_used || !report->run.region_assumed;
	if (!code || !matters)
		return false;
	const char *name = targets_region_name(code);
	struct strbuf region;
	strbuf_init(&region);
	if (name)
		say(&region, SAY_REGION_NAMED, FILLS({"name", name}, {"code", code}));
	else
		strbuf_add(&region, code);
	const struct vault_file *vault = report->run.vault;
	bool is_vaults = vault && vault->region && strcmp(vault->region, code) == 0;
	say(out,
	    report->run.region_assumed ? SAY_REGION_ASSUMED
	    : is_vaults		       ? SAY_REGION_OF_VAULT
				       : SAY_REGION_GIVEN,
	    FILLS({"region", region.data}));
	strbuf_free(&region);
	return true;
}

static void text_region(struct page *page)
{
	struct strbuf line;
	strbuf_init(&line);
	if (say_region(&line, page->report))
		page_item(page, SAY_HEAD_REGION, line.data);
	strbuf_free(&line);
}

static void text_vault(struct page *page)
{
	const struct vault_file *vault = page->report->run.vault;
	char until[TIMESTAMP_TEXT_BYTES];
	struct strbuf line;
	if (!vault)
		return;
	strbuf_init(&line);
	say(&line, SAY_VAULT_LINE,
	    FILLS({"vault", vault->vault}, {"file", vault->file}, {"authority", vault->authority},
		  {"tenant", vault->tenant_id}));
	if (vault->not_after_s >= 0 && timestamp_format(vault->not_after_s * 1000, until)) {
		until[10] = ' ';
		until[16] = '\0';
		say(&line, SAY_VAULT_VALID, FILLS({"until", until}));
	}
	if (vault->certificate && strcmp(vault->certificate, "unreadable") == 0)
		say(&line, SAY_VAULT_LOCKED, FILLS({"encryption", vault->encryption}));
	page_item(page, SAY_HEAD_VAULT, line.data);
	strbuf_free(&line);
}

void text_run(struct page *page)
{
	const struct report *report = page->report;
	char started[TIMESTAMP_TEXT_BYTES] = "", seconds[40] = "";
	if (timestamp_format(report->run.started_at_ms, started)) {
		started[10] = ' ';
		started[19] = '\0';
	}
	int64_t us = report->run.duration_us;
	if (us >= 0)
		snprintf(seconds, sizeof(seconds), "%lld.%lld", (long long)(us / 1000000),
			 (long long)(us / 100000 % 10));
	struct strbuf line;
	strbuf_init(&line);
	say(&line, SAY_RUN_LINE,
	    FILLS({"started", *started ? started : NULL}, {"host", report->host.name},
		  {"seconds", *seconds ? seconds : NULL}, {"tool", report->tool.name},
		  {"version", report->tool.version}));
	page_item(page, SAY_HEAD_RUN, line.data);
	strbuf_free(&line);
}

static void text_head(struct page *page)
{
	const char *basis = page->report->readiness.basis;
	struct strbuf line;
	strbuf_init(&line);
	say(&line, say_basis(basis), FILLS({"basis", basis}));
	if (!page->report->coverage)
		page_item(page, SAY_HEAD_JUDGED, line.data);
	strbuf_free(&line);
	text_region(page);
	text_vault(page);
	text_run(page);
}

static void text_preflight(struct page *page)
{
	text_vault(page);
	text_checks(page);
	text_findings(page);
}

static void text_run_of_paths(struct page *page)
{
	text_answer(page);
	text_head(page);
	text_coverage_head(page);
	if (page->style->verbose)
		text_checks(page);
	text_findings(page);
	text_coverage(page);
	text_notes(page);
	text_ways(page);
	text_paths(page);
	if (page->style->verbose)
		text_observations(page);
}

void report_text(const struct report *report, const struct report_style *style, struct strbuf *out)
{
	struct page page = {report, style, out};
	if (report->sweep_count) /* it was not asked whether this server is ready */
		text_sweeps(&page);
	else if (report->check_count && !report->path_count && !report->coverage)
		text_preflight(&page);
	else
		text_run_of_paths(&page);
}
