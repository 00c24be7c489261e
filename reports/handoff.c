/* The hand-off: one Markdown document, with a section for each team that has something to change. */

#include <stdio.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/timestamp.h"
#include "reports/handoff_parts.h"
#include "reports/markdown.h"
#include "reports/text_parts.h"
#include "reports/writers.h"

enum { ADDRESSES_SHOWN = 8, END_BYTES = 300 };

static const enum owner owners[] = {OWNER_FIREWALL_TEAM, OWNER_PROXY_TEAM,   OWNER_DNS_TEAM,
				    OWNER_NETWORK_TEAM,	 OWNER_SERVER_ADMIN, OWNER_MICROSOFT};
enum { OWNERS = sizeof(owners) / sizeof(owners[0]) };

/* ------------------------------------------------------------------ what the parts share */

void sheet_say(struct sheet *sheet, enum say id, const struct fill *fills)
{
	say_with(sheet->out, id, fills, md_add_code);
}

void sheet_paragraph(struct sheet *sheet, enum say id, const struct fill *fills)
{
	strbuf_add_char(sheet->out, '\n');
	sheet_say(sheet, id, fills);
	strbuf_add_char(sheet->out, '\n');
}

void sheet_list(struct sheet *sheet, const struct text_list *list, size_t max)
{
	for (size_t i = 0; i < list->count && i < max; i++) {
		strbuf_add(sheet->out, i ? ", " : "");
		md_add_code(sheet->out, list->items[i]);
	}
	if (list->count > max) {
		strbuf_add_char(sheet->out, ' ');
		say_more(sheet->out, list->count - max);
	}
}

void sheet_table(struct sheet *sheet, enum say heading)
{
	const char *text = say_text(heading);
	strbuf_printf(sheet->out, "\n%s\n|", text);
	for (const char *bar = strchr(text + 1, '|'); bar; bar = strchr(bar + 1, '|'))
		strbuf_add(sheet->out, "---|");
	strbuf_add_char(sheet->out, '\n');
}

void sheet_cell(struct sheet *sheet, const char *value)
{
	strbuf_add_char(sheet->out, ' ');
	if (value)
		md_add_code(sheet->out, value);
	else
		strbuf_add_char(sheet->out, '-');
	strbuf_add(sheet->out, " |");
}

void sheet_more(struct sheet *sheet, size_t total)
{
	if (total > HANDOFF_ROWS_MAX)
		sheet_paragraph(sheet, SAY_HANDOFF_MORE,
				FILLS({"count", arena_printf(sheet->arena, "%zu", total - HANDOFF_ROWS_MAX)}));
}

const char *sheet_moment(struct sheet *sheet, int64_t at_ms)
{
	char text[TIMESTAMP_TEXT_BYTES];
	if (at_ms < 0 || !timestamp_format(at_ms, text))
		return NULL;
	return arena_printf(sheet->arena, "%.10s %.12s", text, text + 11);
}

const char *sheet_began(struct sheet *sheet, const struct observation *one)
{
	int64_t start_ms = sheet->report->run.started_at_ms;
	return start_ms < 0 || one->start_us < 0 ? NULL : sheet_moment(sheet, start_ms + one->start_us / 1000);
}

const char *sheet_end(struct sheet *sheet, const char *host, int port)
{
	char text[END_BYTES];
	if (!host || port == NOT_MEASURED)
		return host;
	return arena_strdup(sheet->arena, host_port_format(host, port, text, sizeof(text)));
}

const char *sheet_number(struct sheet *sheet, int number)
{
	return number == NOT_MEASURED ? NULL : arena_printf(sheet->arena, "%d", number);
}

/* ------------------------------------------------------------------ the head, of the document and of each section */

static void row(struct sheet *sheet, enum say label, const char *sentence)
{
	strbuf_printf(sheet->out, "| %s | ", say_text(label));
	md_add_text(sheet->out, sentence);
	strbuf_add(sheet->out, " |\n");
}

static void row_server(struct sheet *sheet)
{
	const struct report *report = sheet->report;
	strbuf_printf(sheet->out, "| %s | ", say_text(SAY_HANDOFF_HEAD_SERVER));
	md_add_code(sheet->out, report->host.name ? report->host.name : say_text(SAY_UNKNOWN));
	if (report->host.addresses.count) {
		strbuf_add(sheet->out, " (");
		sheet_list(sheet, &report->host.addresses, ADDRESSES_SHOWN);
		strbuf_add_char(sheet->out, ')');
	}
	strbuf_add(sheet->out, " |\n");
}

static void row_tested(struct sheet *sheet)
{
	const struct report *report = sheet->report;
	strbuf_printf(sheet->out, "| %s | ", say_text(SAY_HANDOFF_HEAD_TESTED));
	sheet_say(sheet, SAY_HANDOFF_TESTED,
		  FILLS({"from", sheet_moment(sheet, report->run.started_at_ms)},
			{"to", sheet_moment(sheet, report->run.ended_at_ms)}, {"tool", report->tool.name},
			{"version", report->tool.version}));
	strbuf_add(sheet->out, " |\n");
}

/* Whether this server is ready, and by whose settings: a sweep was not asked that. */
static void rows_of_check(struct sheet *sheet)
{
	const char *basis = sheet->report->readiness.basis;
	struct strbuf line, why;
	strbuf_init(&line);
	strbuf_init(&why);
	say(&line, say_basis(basis), FILLS({"basis", basis}));
	if (!sheet->report->coverage)
		row(sheet, SAY_HEAD_JUDGED, line.data);
	strbuf_truncate(&line, 0);
	if (say_region(&line, sheet->report))
		row(sheet, SAY_HEAD_REGION, line.data);
	enum say answer = say_answer(&why, sheet->report);
	strbuf_printf(sheet->out, "| %s | **%s**: ", say_text(SAY_HANDOFF_HEAD_RESULT), say_text(answer));
	md_add_text(sheet->out, why.data);
	strbuf_add(sheet->out, " |\n");
	strbuf_free(&why);
	strbuf_free(&line);
}

static void head(struct sheet *sheet)
{
	strbuf_add(sheet->out, "\n| | |\n|---|---|\n");
	row_server(sheet);
	row_tested(sheet);
	if (!sheet->report->sweep_count)
		rows_of_check(sheet);
}

/* ------------------------------------------------------------------ sections */

static size_t findings_of(const struct report *report, enum owner owner)
{
	size_t count = 0;
	for (size_t i = 0; i < report->finding_count; i++)
		count += report->findings[i]->owner == owner;
	return count;
}

static void list_of_sections(struct sheet *sheet)
{
	bool first = true;
	strbuf_printf(sheet->out, "| %s | ", say_text(SAY_HANDOFF_HEAD_SECTIONS));
	for (size_t i = 0; i < OWNERS; i++) {
		size_t count = findings_of(sheet->report, owners[i]);
		if (!count)
			continue;
		strbuf_printf(sheet->out, "%s%s (%zu)", first ? "" : ", ", say_text(say_owner(owners[i])), count);
		first = false;
	}
	strbuf_printf(sheet->out, "%s |\n", first ? say_text(SAY_NONE) : "");
}

static void section(struct sheet *sheet, enum owner owner)
{
	size_t number = 0;
	if (!findings_of(sheet->report, owner))
		return;
	strbuf_add(sheet->out, "\n---\n\n## ");
	say(sheet->out, SAY_HANDOFF_FOR, FILLS({"owner", say_text(say_owner(owner))}));
	strbuf_add_char(sheet->out, '\n');
	sheet_paragraph(sheet, SAY_HANDOFF_SECTION, NULL);
	head(sheet);
	for (size_t i = 0; i < sheet->report->finding_count; i++)
		if (sheet->report->findings[i]->owner == owner)
			handoff_finding(sheet, sheet->report->findings[i], ++number);
}

void report_handoff(const struct report *report, const struct report_style *style, struct strbuf *out)
{
	struct sheet sheet = {report, out, arena_new()};
	(void)style;
	strbuf_add(out, "# ");
	sheet_say(&sheet, SAY_HANDOFF_TITLE, FILLS({"host", report->host.name}));
	strbuf_add_char(out, '\n');
	sheet_paragraph(&sheet, SAY_HANDOFF_WHAT, NULL);
	head(&sheet);
	list_of_sections(&sheet);
	if (!report->finding_count)
		sheet_paragraph(&sheet, SAY_HANDOFF_NOTHING, NULL);
	for (size_t i = 0; i < OWNERS; i++)
		section(&sheet, owners[i]);
	arena_free(sheet.arena);
}
