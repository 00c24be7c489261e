#include "reports/text_parts.h"

#include <string.h>

#include "probe/core/strbuf.h"
#include "reports/screen.h"

enum { TARGET_COLUMNS_MAX = 30, AS_COLUMNS = 7, ROUTE_COLUMNS = 8, WAYS_SHOWN = 12 };

/* ------------------------------------------------------------------ ways: each identity, route and proxy once */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_way(const struct path *a, const struct path *b)
{
	return a->identity == b->identity && a->route.kind == b->route.kind && same_text(a->route.via, b->route.via) &&
	       same_text(a->route.rule, b->route.rule) && same_text(a->route.problem, b->route.problem);
}

static void text_way(struct page *page, const struct path *path)
{
	const struct route *route = &path->route;
	struct strbuf line;
	strbuf_init(&line);
	strbuf_add(page->out, path->effective ? "* " : "  ");
	screen_add_cell(page->out, identity_text(path->identity), AS_COLUMNS);
	screen_add_cell(page->out, route_kind_text(route->kind), ROUTE_COLUMNS);
	if (route->problem)
		say(&line, SAY_WAY_PROBLEM, FILLS({"via", route->via}, {"problem", route->problem}));
	else if (route->rule)
		say(&line, SAY_WAY, FILLS({"via", route->via}, {"rule", route->rule}));
	else
		screen_add(&line, route->via ? route->via : say_text(SAY_UNKNOWN), SAY_VALUE_COLUMNS);
	size_t column = 2 + AS_COLUMNS + ROUTE_COLUMNS;
	screen_wrap(page->out, column, column, line.data);
	strbuf_free(&line);
}

void text_ways(struct page *page)
{
	const struct path *shown[WAYS_SHOWN];
	size_t count = 0;
	for (size_t i = 0; i < page->report->path_count && count < WAYS_SHOWN; i++) {
		const struct path *path = page->report->paths[i];
		bool known = false;
		for (size_t j = 0; j < count && !known; j++)
			known = same_way(shown[j], path) && (shown[j]->effective || !path->effective);
		if (!known)
			shown[count++] = path;
	}
	if (count == 0)
		return;
	page_heading(page, SAY_WAYS);
	for (size_t i = 0; i < count; i++)
		text_way(page, shown[i]);
}

/* ------------------------------------------------------------------ one row for each path */

static enum say cell_words(enum status status)
{
	switch (status) {
	case STATUS_PASS:
		return SAY_CELL_PASS;
	case STATUS_WARN:
		return SAY_CELL_WARN;
	case STATUS_FAIL:
		return SAY_CELL_FAIL;
	case STATUS_INCONCLUSIVE:
		return SAY_CELL_INCONCLUSIVE;
	case STATUS_SKIPPED:
	case STATUS_NOT_APPLICABLE:
		return SAY_CELL_NONE;
	}
	return SAY_CELL_NONE;
}

static enum paint cell_paint(enum status status)
{
	switch (status) {
	case STATUS_PASS:
		return PAINT_GOOD;
	case STATUS_WARN:
	case STATUS_INCONCLUSIVE:
		return PAINT_CAUTION;
	case STATUS_FAIL:
		return PAINT_BAD;
	case STATUS_SKIPPED:
	case STATUS_NOT_APPLICABLE:
		return PAINT_PLAIN;
	}
	return PAINT_PLAIN;
}

/* The stages' columns and the result's; with the others they make 80 at most. */
static const struct column {
	enum stage stage;
	enum say head;
	size_t columns;
} cells[] = {
	{STAGE_DNS, SAY_TABLE_DNS, 5}, {STAGE_TCP, SAY_TABLE_TCP, 5},	{STAGE_PROXY, SAY_TABLE_PROXY, 6},
	{STAGE_TLS, SAY_TABLE_TLS, 5}, {STAGE_HTTP, SAY_TABLE_HTTP, 5}, {STAGE_NONE, SAY_TABLE_RESULT, 6},
};
enum { CELLS = sizeof(cells) / sizeof(cells[0]) };

static void add_cell(struct page *page, enum status status, size_t columns)
{
	const char *words = say_text(cell_words(status));
	page_paint(page, cell_paint(status), words);
	screen_add_blanks(page->out, columns - screen_width(words));
}

static enum status stage_status(const struct path *path, enum stage stage)
{
	for (size_t i = 0; i < path->stage_count; i++)
		if (path->stages[i].stage == stage)
			return path->stages[i].status;
	return STATUS_SKIPPED;
}

static void end_row(struct page *page)
{
	while (page->out->length && page->out->data[page->out->length - 1] == ' ')
		strbuf_truncate(page->out, page->out->length - 1);
	strbuf_add_char(page->out, '\n');
}

static void add_target(struct strbuf *out, const struct target *target, size_t columns)
{
	struct strbuf name;
	strbuf_init(&name);
	say_target(&name, target);
	/* the port stays when the name is cut */
	const char *port = name.data + (target->name ? strlen(target->name) : name.length);
	size_t port_columns = strlen(port);
	size_t before = out->length;
	screen_add(out, target->name ? target->name : name.data, columns - port_columns);
	strbuf_add(out, port);
	screen_add_blanks(out, columns - screen_width(out->data + before));
	strbuf_free(&name);
}

static void text_row(struct page *page, const struct path *path, size_t target_columns)
{
	strbuf_add(page->out, path->effective ? "* " : "  ");
	add_target(page->out, path->target, target_columns);
	strbuf_add_char(page->out, ' ');
	screen_add_cell(page->out, identity_text(path->identity), AS_COLUMNS);
	screen_add_cell(page->out, route_kind_text(path->route.kind), ROUTE_COLUMNS);
	for (size_t i = 0; i < CELLS; i++) {
		bool result = cells[i].stage == STAGE_NONE;
		add_cell(page, result ? path->verdict.status : stage_status(path, cells[i].stage), cells[i].columns);
	}
	end_row(page);
}

static size_t target_columns(const struct report *report)
{
	size_t widest = strlen(say_text(SAY_TABLE_TARGET));
	struct strbuf name, safe;
	strbuf_init(&name);
	strbuf_init(&safe);
	for (size_t i = 0; i < report->path_count; i++) {
		strbuf_truncate(&name, 0);
		strbuf_truncate(&safe, 0);
		say_target(&name, report->paths[i]->target);
		screen_add(&safe, name.data, TARGET_COLUMNS_MAX);
		size_t width = screen_width(safe.data);
		widest = width > widest ? width : widest;
	}
	strbuf_free(&name);
	strbuf_free(&safe);
	return widest;
}

void text_paths(struct page *page)
{
	static const enum say legend[] = {SAY_LEGEND_STAR, SAY_LEGEND_CELLS, SAY_LEGEND_COLUMNS, SAY_LEGEND_AS,
					  SAY_LEGEND_ROUTES};
	if (page->report->path_count == 0)
		return;
	page_heading(page, SAY_TABLE);
	size_t columns = target_columns(page->report);
	screen_add_blanks(page->out, 2);
	screen_add_cell(page->out, say_text(SAY_TABLE_TARGET), columns + 1);
	screen_add_cell(page->out, say_text(SAY_TABLE_IDENTITY), AS_COLUMNS);
	screen_add_cell(page->out, say_text(SAY_TABLE_ROUTE), ROUTE_COLUMNS);
	for (size_t i = 0; i < CELLS; i++)
		screen_add_cell(page->out, say_text(cells[i].head), cells[i].columns);
	end_row(page);
	for (size_t i = 0; i < page->report->path_count; i++)
		text_row(page, page->report->paths[i], columns);
	strbuf_add_char(page->out, '\n');
	for (size_t i = 0; i < sizeof(legend) / sizeof(legend[0]); i++) {
		screen_add_blanks(page->out, 2);
		screen_wrap(page->out, 2, 2, say_text(legend[i]));
	}
}
