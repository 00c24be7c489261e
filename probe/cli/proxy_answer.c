#include "probe/cli/proxy_answer.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/settings/settings.h"

/* ------------------------------------------------------------------ which rows there are */

static bool has_any(const struct settings *settings, enum identity_id identity)
{
	for (size_t i = 0; i < settings->count; i++)
		if (settings->items[i].identity == identity && settings->items[i].found)
			return true;
	return false;
}

static bool is_row(const struct path *path, const struct settings *settings, bool every)
{
	const struct proxy_setting *setting = settings_find(settings, path->identity, path->route.kind);
	if (!setting)
		return false;
	return setting->found || every || (setting->kind == ROUTE_ENV && !has_any(settings, path->identity));
}

/* ------------------------------------------------------------------ what is in a row */

/* For the contract, who resolves the name is no part of the way. */
static const char *plain_via(struct arena *arena, const char *via)
{
	static const char by_proxy[] = "SOCKS5H ";
	size_t length = strlen(by_proxy);
	return strncmp(via, by_proxy, length) == 0 ? arena_printf(arena, "SOCKS5 %s", via + length) : via;
}

static struct text_list via_of(struct arena *arena, const struct route *route)
{
	struct text_list via = {0};
	for (size_t i = 0; i < route->list.count; i++)
		text_list_add(arena, &via, plain_via(arena, route->list.items[i]));
	if (!via.count && route->via)
		text_list_add(arena, &via, plain_via(arena, route->via));
	return via;
}

/* In the words of the contract; the report has finer ones for what did not come. */
static const char *error_of(const struct route *route)
{
	static const char *const finer[][2] = {
		{"needs_auth", "unreachable"}, {"bad_address", "unreachable"}, {"not_script", "syntax"}};
	for (size_t i = 0; route->error && i < sizeof(finer) / sizeof(finer[0]); i++)
		if (strcmp(route->error, finer[i][0]) == 0)
			return finer[i][1];
	if (!route->error && !route->via) /* the run ended before the script had its say */
		return "timeout";
	return route->error;
}

static void add_calls(struct arena *arena, const struct proxy_decision *decision, struct proxy_row *row)
{
	for (size_t i = 0; i < decision->call_count; i++) {
		row->trace = arena_grow(arena, row->trace, &row->trace_capacity, row->trace_count, sizeof(*row->trace));
		row->trace[row->trace_count++] = decision->calls[i];
	}
}

static void add_row(struct proxy_answer *answer, const struct path *path)
{
	struct arena *arena = answer->report->arena;
	answer->rows = arena_grow(arena, answer->rows, &answer->row_capacity, answer->row_count, sizeof(*answer->rows));
	struct proxy_row *row = &answer->rows[answer->row_count++];
	*row = (struct proxy_row){
		.path = path,
		.url = url_for_report(arena, path->target->url),
		.identity = identity_text(path->identity),
		.kind = route_kind_text(path->route.kind),
		.via = via_of(arena, &path->route),
		.mechanism = path->route.mechanism,
		.rule = path->route.rule,
		.error = error_of(&path->route),
	};
	const struct observation_list *seen = &answer->report->observations;
	for (size_t i = 0; i < seen->count; i++)
		if (seen->items[i]->op == OP_PROXY_DECISION && path_list_has(&seen->items[i]->paths, path))
			add_calls(arena, &seen->items[i]->decision, row);
}

/* ------------------------------------------------------------------ the whole */

static bool was_asked(const struct report *report, const struct proxy_setting *setting)
{
	for (size_t i = 0; i < report->path_count; i++)
		if (report->paths[i]->identity == setting->identity && report->paths[i]->route.kind == setting->kind)
			return true;
	return false;
}

static void add_settings_of_kind(const struct settings *settings, enum route_kind kind, struct proxy_answer *out)
{
	struct arena *arena = out->report->arena;
	for (size_t i = 0; i < settings->count; i++) {
		const struct proxy_setting *setting = &settings->items[i];
		if (setting->kind != kind || !was_asked(out->report, setting))
			continue;
		out->settings = arena_grow(arena, out->settings, &out->setting_capacity, out->setting_count,
					   sizeof(*out->settings));
		out->settings[out->setting_count++] = setting;
	}
}

static void add_rows_of_kind(const struct target *target, enum route_kind kind, const struct settings *settings,
			     bool every, struct proxy_answer *out)
{
	for (size_t i = 0; i < out->report->path_count; i++) {
		const struct path *path = out->report->paths[i];
		if (path->target == target && path->route.kind == kind && is_row(path, settings, every))
			add_row(out, path);
	}
}

void proxy_answer_make(const struct report *report, const struct settings *settings, bool every,
		       struct proxy_answer *out)
{
	static const enum route_kind kinds[] = {ROUTE_WININET, ROUTE_WINHTTP, ROUTE_AGENT, ROUTE_ENV};
	static const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
	*out = (struct proxy_answer){.report = report};
	for (size_t k = 0; k < kind_count; k++)
		add_settings_of_kind(settings, kinds[k], out);
	for (size_t t = 0; t < report->target_count; t++)
		for (size_t k = 0; k < kind_count; k++)
			add_rows_of_kind(report->targets[t], kinds[k], settings, every, out);
}

static const struct proxy_row *system_row(const struct proxy_answer *answer, const struct target *target,
					  enum route_kind kind)
{
	for (size_t i = 0; i < answer->row_count; i++) {
		const struct path *path = answer->rows[i].path;
		if (path->identity == IDENTITY_SYSTEM && path->target == target && path->route.kind == kind)
			return &answer->rows[i];
	}
	return NULL;
}

/* The backup agent's way to that URL: its own setting, or else SYSTEM's WinINET. */
static const struct proxy_row *agents_row(const struct proxy_answer *answer, const struct target *target)
{
	const struct proxy_row *own = system_row(answer, target, ROUTE_AGENT);
	return own ? own : system_row(answer, target, ROUTE_WININET);
}

const struct proxy_row *proxy_answer_counterpart(const struct proxy_answer *answer, const struct proxy_row *row)
{
	const struct path *path = row->path;
	if (path->identity != IDENTITY_USER)
		return NULL;
	return path->route.kind == ROUTE_WININET ? agents_row(answer, path->target)
						 : system_row(answer, path->target, path->route.kind);
}

bool proxy_answer_same_way(const struct proxy_row *a, const struct proxy_row *b)
{
	bool same = a->via.count == b->via.count;
	for (size_t i = 0; same && i < a->via.count; i++)
		same = strcmp(a->via.items[i], b->via.items[i]) == 0;
	return same;
}

bool proxy_answer_is_agents(const struct proxy_answer *answer, const struct proxy_row *row)
{
	return row == agents_row(answer, row->path->target);
}
