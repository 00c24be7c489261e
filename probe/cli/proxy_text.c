#include <stdio.h>
#include <string.h>

#include "probe/cli/proxy_answer.h"
#include "probe/core/strbuf.h"
#include "reports/report.h"
#include "reports/screen.h"
#include "reports/text_parts.h"

enum { MARK_COLUMNS = 2, KIND_COLUMNS = 9, WHO_COLUMNS = 8, VIA_COLUMN = MARK_COLUMNS + KIND_COLUMNS + WHO_COLUMNS };
enum { LINE_COLUMNS = 100, VIA_COLUMNS_MAX = 40, NUMBER_BYTES = 32 };

static const char *ms_text(int64_t us, char text[NUMBER_BYTES])
{
	snprintf(text, NUMBER_BYTES,
		 us < 1000    ? "%.2f"
		 : us < 10000 ? "%.1f"
			      : "%.0f",
		 us < 0 ? 0 : (double)us / 1000.0);
	return text;
}

static const char *count_text(size_t count, char text[NUMBER_BYTES])
{
	snprintf(text, NUMBER_BYTES, "%zu", count);
	return text;
}

static enum say say_who(enum identity_id id)
{
	return id == IDENTITY_SYSTEM ? SAY_ASKED_SYSTEM : SAY_ASKED_USER;
}

/* A sentence in the column where the ways stand. */
static void add_line(struct page *page, enum say sentence, const struct fill *fills)
{
	struct strbuf line;
	strbuf_init(&line);
	say(&line, sentence, fills);
	screen_add_blanks(page->out, VIA_COLUMN);
	screen_wrap(page->out, VIA_COLUMN, VIA_COLUMN, line.data);
	strbuf_free(&line);
}

/* A sentence for itself. */
static void add_note(struct page *page, enum say sentence, const struct fill *fills)
{
	struct strbuf line;
	strbuf_init(&line);
	say(&line, sentence, fills);
	screen_wrap(page->out, 0, 0, line.data);
	strbuf_free(&line);
}

static void add_head(struct page *page, bool star, const char *kind, enum say who)
{
	screen_add_cell(page->out, star ? "*" : "", MARK_COLUMNS);
	screen_add_cell(page->out, kind, KIND_COLUMNS);
	screen_add_cell(page->out, say_text(who), WHO_COLUMNS);
}

/* ------------------------------------------------------------------ ways */

static void say_via(struct strbuf *out, const struct proxy_row *row)
{
	for (size_t i = 0; i < row->via.count; i++) {
		strbuf_add(out, i ? say_text(SAY_ASKED_THEN) : "");
		screen_add(out, row->via.items[i], SAY_VALUE_COLUMNS);
	}
	if (!row->via.count)
		strbuf_add(out, say_text(row->path->route.error ? SAY_ASKED_NO_WAY : SAY_UNKNOWN));
}

static bool is_mechanism(const struct proxy_row *row, const char *mechanism)
{
	return row->mechanism && strcmp(row->mechanism, mechanism) == 0;
}

static void say_rule(struct strbuf *out, const struct proxy_row *row)
{
	if (row->via.count && is_mechanism(row, "auto_detect"))
		say(out, SAY_ASKED_BY_DETECTED, FILLS({"rule", row->rule}));
	else
		screen_add(out, row->rule ? row->rule : "", SAY_VALUE_COLUMNS);
}

/* Way and rule on one line, where they fit. */
static void add_way(struct page *page, const char *via, const char *rule, size_t via_columns)
{
	size_t width = screen_width(via);
	size_t rule_column = VIA_COLUMN + (width > via_columns ? width : via_columns) + 2;
	if (*rule && rule_column + screen_width(rule) <= LINE_COLUMNS) {
		strbuf_add(page->out, via);
		screen_add_blanks(page->out, rule_column - VIA_COLUMN - width);
		strbuf_printf(page->out, "%s\n", rule);
		return;
	}
	screen_wrap(page->out, VIA_COLUMN, VIA_COLUMN, via);
	if (!*rule)
		return;
	screen_add_blanks(page->out, VIA_COLUMN);
	screen_wrap(page->out, VIA_COLUMN, VIA_COLUMN, rule);
}

static void add_call(struct page *page, const struct proxy_call *call)
{
	char line[NUMBER_BYTES];
	if (call->line > 0)
		add_line(page, SAY_ASKED_CALL,
			 FILLS({"line", count_text((size_t)call->line, line)}, {"call", call->call},
			       {"result", call->result}));
	else
		add_line(page, SAY_ASKED_CALL_SOMEWHERE, FILLS({"call", call->call}, {"result", call->result}));
}

/* Everything that the scripts of this row were seen to do. */
static void add_trace(struct page *page, const struct proxy_row *row)
{
	const struct observation_list *seen = &page->report->observations;
	char ms[NUMBER_BYTES];
	for (size_t i = 0; i < seen->count; i++) {
		const struct observation *o = seen->items[i];
		if (o->op != OP_PROXY_DECISION || !path_list_has(&o->paths, row->path))
			continue;
		for (size_t k = 0; k < o->decision.call_count; k++)
			add_call(page, &o->decision.calls[k]);
		const char *entry = o->decision.entry_point ? o->decision.entry_point : "FindProxyForURL";
		add_line(page, o->decision.error ? SAY_ASKED_BROKE : SAY_ASKED_RETURNED,
			 FILLS({"entry", entry}, {"ms", ms_text(o->duration_us, ms)},
			       {"message", o->decision.message ? o->decision.message : o->decision.error},
			       {"result", o->decision.result ? o->decision.result : ""}));
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Would it say word for word what the row before it says, and at length? */
static bool is_repeated(const struct proxy_row *row, const struct proxy_row *before)
{
	const struct route *route = &row->path->route, *other = &before->path->route;
	bool short_one = !route->problem && !is_mechanism(row, "pac") && !is_mechanism(row, "auto_detect");
	return !short_one && before->path->target == row->path->target && route->kind == other->kind &&
	       proxy_answer_same_way(row, before) && same_text(row->mechanism, before->mechanism) &&
	       same_text(row->rule, before->rule) && same_text(route->problem, other->problem);
}

static void add_row(struct page *page, const struct proxy_answer *answer, size_t index, size_t via_columns)
{
	const struct proxy_row *row = &answer->rows[index], *before = index ? row - 1 : NULL;
	bool first = !before || before->path->target != row->path->target || strcmp(before->kind, row->kind) != 0;
	bool repeated = before && is_repeated(row, before);
	struct strbuf via, rule;
	strbuf_init(&via);
	strbuf_init(&rule);
	say_via(&via, row);
	if (repeated)
		say(&rule, SAY_ASKED_SAME, NULL);
	else
		say_rule(&rule, row);
	add_head(page, proxy_answer_is_agents(answer, row), first ? row->kind : "", say_who(row->path->identity));
	add_way(page, via.data, rule.data, via_columns);
	if (row->path->route.problem && !repeated)
		add_line(page, SAY_ASKED_PROBLEM, FILLS({"problem", row->path->route.problem}));
	if (page->style->verbose && !repeated)
		add_trace(page, row);
	strbuf_free(&via);
	strbuf_free(&rule);
}

static size_t widest_via(const struct proxy_answer *answer)
{
	size_t widest = 0;
	for (size_t i = 0; i < answer->row_count; i++) {
		struct strbuf via;
		strbuf_init(&via);
		say_via(&via, &answer->rows[i]);
		size_t width = screen_width(via.data);
		if (width <= VIA_COLUMNS_MAX && width > widest)
			widest = width;
		strbuf_free(&via);
	}
	return widest;
}

static void add_rows(struct page *page, const struct proxy_answer *answer)
{
	size_t via_columns = widest_via(answer);
	for (size_t i = 0; i < answer->row_count; i++) {
		if (i == 0 || answer->rows[i - 1].path->target != answer->rows[i].path->target) {
			struct strbuf url;
			strbuf_init(&url);
			screen_add(&url, answer->rows[i].url, SAY_VALUE_COLUMNS);
			strbuf_add(page->out, i ? "\n" : "");
			page_paint(page, PAINT_STRONG, url.data);
			strbuf_add_char(page->out, '\n');
			strbuf_free(&url);
		}
		add_row(page, answer, i, via_columns);
	}
}

/* ------------------------------------------------------------------ settings */

static void say_order(struct strbuf *out, const struct proxy_setting *setting)
{
	for (size_t i = 0; i < setting->order.count; i++) {
		const char *step = setting->order.items[i];
		strbuf_add(out, i ? ", " : "");
		if (strcmp(step, "auto_detect") == 0)
			say(out, SAY_ASKED_BY_DETECTION, NULL);
		else if (strcmp(step, "pac") == 0)
			say(out, SAY_ASKED_BY_PAC, FILLS({"url", setting->pac_url}));
		else if (strcmp(step, "static") == 0)
			say(out, SAY_ASKED_BY_LIST,
			    FILLS({"list", setting->proxy_server ? setting->proxy_server : ""}));
		else
			say(out, SAY_ASKED_DIRECT, NULL);
	}
}

static void add_values(struct page *page, const struct proxy_setting *setting)
{
	struct strbuf order;
	strbuf_init(&order);
	say_order(&order, setting);
	bool only_direct = setting->order.count == 1 && strcmp(setting->order.items[0], "direct") == 0;
	add_line(page, only_direct ? SAY_ASKED_ONLY : SAY_ASKED_TRIED, FILLS({"order", order.data}));
	if (setting->proxy_enabled && setting->proxy_bypass && *setting->proxy_bypass)
		add_line(page, SAY_ASKED_BYPASS, FILLS({"list", setting->proxy_bypass}));
	strbuf_free(&order);
}

/* Bytes of a key's name with its place in a file that go on this line: it is broken behind a backslash, or before the place. */
static size_t line_bytes(const char *text, size_t columns)
{
	size_t best = 0;
	if (screen_width(text) <= columns)
		return strlen(text);
	for (size_t i = 1; text[i] && i < columns; i++)
		if (text[i - 1] == '\\' || (text[i - 1] == ' ' && text[i] == '('))
			best = i;
	return best ? best : strlen(text);
}

static void add_place(struct page *page, const struct proxy_setting *setting)
{
	struct strbuf place;
	strbuf_init(&place);
	say(&place, setting->found ? SAY_ASKED_READ : SAY_ASKED_NOT_SET, FILLS({"location", setting->location}));
	for (const char *at = place.data; *at;) {
		size_t bytes = line_bytes(at, LINE_COLUMNS - VIA_COLUMN);
		screen_add_blanks(page->out, at == place.data ? 0 : VIA_COLUMN);
		strbuf_add_bytes(page->out, at, at[bytes - 1] == ' ' ? bytes - 1 : bytes);
		strbuf_add_char(page->out, '\n');
		at += bytes;
	}
	strbuf_free(&place);
}

/* The machine's one setting serves both. */
static bool is_shared(const struct proxy_setting *a, const struct proxy_setting *b)
{
	return a != b && a->kind == b->kind && a->found == b->found && a->scope && b->scope &&
	       strcmp(a->scope, "per-machine") == 0 && strcmp(b->scope, "per-machine") == 0;
}

static const struct proxy_setting *twin_of(const struct proxy_answer *answer, size_t index)
{
	for (size_t i = 0; i < answer->setting_count; i++)
		if (is_shared(answer->settings[i], answer->settings[index]))
			return answer->settings[i];
	return NULL;
}

static void add_setting(struct page *page, const struct proxy_answer *answer, size_t index)
{
	const struct proxy_setting *setting = answer->settings[index], *twin = twin_of(answer, index);
	if (twin && setting->identity == IDENTITY_SYSTEM)
		return;
	add_head(page, false, route_kind_text(setting->kind), twin ? SAY_ASKED_BOTH : say_who(setting->identity));
	add_place(page, setting);
	if (setting->found)
		add_values(page, setting);
	for (size_t i = 0; i < setting->problems.count; i++)
		add_line(page, SAY_ASKED_PROBLEM, FILLS({"problem", setting->problems.items[i]}));
}

/* ------------------------------------------------------------------ scripts */

static bool is_shown(const struct page *page, const struct observation *o)
{
	return o->op == OP_PROXY_SCRIPT || (page->style->verbose && o->experiment);
}

static void add_scripts(struct page *page)
{
	const struct observation_list *seen = &page->report->observations;
	bool any = false;
	for (size_t i = 0; i < seen->count; i++) {
		struct strbuf text;
		char ms[NUMBER_BYTES];
		if (!is_shown(page, seen->items[i]))
			continue;
		if (!any)
			page_heading(page, SAY_ASKED_SCRIPTS);
		any = true;
		strbuf_init(&text);
		say_observation(&text, seen->items[i]);
		screen_add_blanks(page->out, MARK_COLUMNS);
		struct strbuf line;
		strbuf_init(&line);
		say(&line, SAY_ASKED_TOOK,
		    FILLS({"text", text.data}, {"ms", ms_text(seen->items[i]->duration_us, ms)}));
		screen_wrap(page->out, MARK_COLUMNS, MARK_COLUMNS, line.data);
		strbuf_free(&line);
		strbuf_free(&text);
	}
}

/* ------------------------------------------------------------------ last words */

static bool has_row(const struct proxy_answer *answer, enum identity_id identity, enum route_kind kind)
{
	for (size_t i = 0; i < answer->row_count; i++)
		if (answer->rows[i].path->identity == identity && answer->rows[i].path->route.kind == kind)
			return true;
	return false;
}

static bool was_asked(const struct proxy_answer *answer, enum identity_id identity)
{
	for (size_t i = 0; i < answer->report->identity_count; i++)
		if (answer->report->identities[i].id == identity)
			return true;
	return false;
}

static void add_notes(struct page *page, const struct proxy_answer *answer, bool live)
{
	if (answer->report->run.end_reason == END_DEADLINE)
		add_note(page, SAY_ASKED_DEADLINE, NULL);
	if (answer->report->run.end_reason == END_INTERRUPTED)
		add_note(page, SAY_ASKED_INTERRUPTED, NULL);
	bool agents = has_row(answer, IDENTITY_SYSTEM, ROUTE_AGENT) || has_row(answer, IDENTITY_SYSTEM, ROUTE_WININET);
	bool traced = false;
	for (size_t i = 0; i < answer->row_count; i++)
		traced = traced || answer->rows[i].trace_count;
	if (traced && !page->style->verbose)
		add_note(page, SAY_ASKED_MORE, NULL);
	if (was_asked(answer, IDENTITY_USER) && !has_row(answer, IDENTITY_USER, ROUTE_WININET) &&
	    !answer->report->route_given)
		add_note(page, SAY_ASKED_UNKNOWN_USER, NULL);
	if (was_asked(answer, IDENTITY_SYSTEM) && !agents && !answer->report->route_given)
		add_note(page, SAY_ASKED_UNKNOWN_SYSTEM, NULL);
	if (live && agents)
		add_note(page, SAY_ASKED_LIVE, NULL);
	if (agents)
		add_note(page, SAY_ASKED_STAR, NULL);
}

/* Where the user's ways and those of SYSTEM differ, by one kind of settings. False: they cannot be compared. */
static bool add_difference(struct page *page, const struct proxy_answer *answer, enum route_kind kind)
{
	const struct proxy_row *first = NULL, *other = NULL;
	size_t differing = 0, total = 0;
	char count[NUMBER_BYTES], of[NUMBER_BYTES];
	for (size_t i = 0; i < answer->row_count; i++) {
		const struct proxy_row *row = &answer->rows[i], *system = proxy_answer_counterpart(answer, row);
		if (row->path->route.kind != kind || !system)
			continue;
		total++;
		if (proxy_answer_same_way(row, system))
			continue;
		differing++;
		first = first ? first : row;
		other = other ? other : system;
	}
	if (!first)
		return total > 0;
	struct strbuf user, system;
	strbuf_init(&user);
	strbuf_init(&system);
	say_via(&user, first);
	say_via(&system, other);
	add_note(page, total == 1 ? SAY_ASKED_DIFFER : SAY_ASKED_DIFFER_SOME,
		 FILLS({"kind", other->kind}, {"own", first->kind}, {"user", user.data}, {"system", system.data},
		       {"url", first->url}, {"count", count_text(differing, count)}, {"total", count_text(total, of)}));
	strbuf_free(&user);
	strbuf_free(&system);
	return true;
}

void proxy_answer_text(const struct proxy_answer *answer, const struct report_style *style, bool live,
		       struct strbuf *out)
{
	static const enum route_kind kinds[] = {ROUTE_WININET, ROUTE_WINHTTP, ROUTE_ENV};
	struct page page = {answer->report, style, out};
	add_rows(&page, answer);
	if (answer->setting_count)
		page_heading(&page, SAY_ASKED_SETTINGS);
	for (size_t i = 0; i < answer->setting_count; i++)
		add_setting(&page, answer, i);
	add_scripts(&page);
	strbuf_add_char(out, '\n');
	size_t before = out->length;
	add_notes(&page, answer, live);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (add_difference(&page, answer, kinds[i]))
			break;
	if (out->length == before)
		strbuf_truncate(out, before - 1);
}
