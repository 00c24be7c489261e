#include "probe/plan/plan.h"

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"

/*
 * Decisions that the contract leaves open:
 *
 *   - An identity that was not asked for is not in the report; one that was asked for and is not known is there as "unavailable".
 *   - The agent's proxy belongs to SYSTEM: no path is made for the user. SYSTEM's environment is known where the registry has it.
 *   - A route that was asked for by --route and has no settings to read is a path with a problem and no leg; by default it is left out.
 *   - Where a setting names several proxies, they are tried in turn, as Windows does: the next where one does not let itself be reached.
 *   - What only automatic detection named gets no credentials at all without --trust-wpad, given ones neither.
 *   - A route's via is NULL where nobody can tell (a script, automatic detection, unknown settings).
 *   - For a CIDR, settings are asked about its first address; the range's paths have a leg only where the answer is DIRECT.
 *   - The first of the routes given that has a path at all is the effective one.
 */
struct planner {
	struct report *report;
	const struct settings *settings;
	const struct plan_options *options;
	bool given_credentials, own_credentials;
	struct plan *plan;
};

static const struct proxy_setting *setting_of(const struct planner *planner, enum identity_id identity,
					      enum route_kind kind)
{
	return settings_find(planner->settings, identity, kind);
}

/* ------------------------------------------------------------------ identities */

static const char *system_why(const struct planner *planner)
{
	if (planner->settings->system_denied)
		return "this account may not read SYSTEM's settings (HKEY_USERS\\S-1-5-18): run the check from an "
		       "elevated prompt, or give its registry export by --registry";
	if (!planner->settings->system_known)
		return "nothing is known of SYSTEM's settings: give its registry export (HKEY_USERS\\S-1-5-18) "
		       "by --registry, or --agent-proxy";
	if (planner->options->system_why)
		return planner->options->system_why;
	return "SYSTEM's settings were applied by a process of another account: its own sign-in and trust store were "
	       "not tried";
}

static void identity_add(struct planner *planner, enum identity_id id)
{
	struct identity *identity = &planner->report->identities[planner->report->identity_count++];

	*identity = (struct identity){
		.id = id,
		.account = id == IDENTITY_SYSTEM ? "LocalSystem" : NULL,
		.mode = MODE_RUN,
		.wininet = setting_of(planner, id, ROUTE_WININET),
		.winhttp = setting_of(planner, id, ROUTE_WINHTTP),
		.agent = setting_of(planner, id, ROUTE_AGENT),
		.env = setting_of(planner, id, ROUTE_ENV),
	};
	if (id == IDENTITY_USER)
		return;
	if (planner->options->part != PLAN_ALL)
		return;
	identity->mode = planner->settings->system_known ? MODE_SETTINGS : MODE_UNAVAILABLE;
	identity->why = system_why(planner);
}

static void identities_fill(struct planner *planner)
{
	planner->report->identity_count = 0;
	if (planner->options->user)
		identity_add(planner, IDENTITY_USER);
	if (planner->options->system)
		identity_add(planner, IDENTITY_SYSTEM);
}

/* ------------------------------------------------------------------ routes */

struct route_choice {
	enum route_kind kind;
	const char *via;
};

static size_t route_choices(const struct planner *planner, struct route_choice *out, size_t max)
{
	static const enum route_kind preset[] = {ROUTE_DIRECT, ROUTE_WININET, ROUTE_AGENT};
	size_t count = 0;

	for (size_t i = 0; i < planner->options->route_count && count < max; i++)
		out[count++] = (struct route_choice){planner->options->routes[i].kind, planner->options->routes[i].via};
	if (planner->options->route_count > 0)
		return count;
	for (size_t i = 0; i < sizeof(preset) / sizeof(*preset) && count < max; i++)
		out[count++] = (struct route_choice){preset[i], NULL};
	return count;
}

/* Does that identity have this route at all? */
static bool route_applies(const struct planner *planner, enum identity_id identity, enum route_kind kind)
{
	const struct proxy_setting *setting = setting_of(planner, identity, kind);

	switch (kind) {
	case ROUTE_DIRECT:
	case ROUTE_PROXY:
		return true;
	case ROUTE_AGENT:
		return identity == IDENTITY_SYSTEM && (planner->options->routes_given || (setting && setting->found));
	case ROUTE_ENV:
		return setting || (planner->options->routes_given && identity == IDENTITY_USER);
	case ROUTE_WININET:
	case ROUTE_WINHTTP:
		return setting || planner->options->routes_given;
	}
	return false;
}

/* The URL that settings are asked about. */
static bool url_of(struct arena *arena, const struct target *target, struct url *out)
{
	char text[ADDRESS_TEXT_BYTES + 16];
	struct prefix range;
	struct address first;

	if (target->url)
		return url_parse(arena, target->url, out);
	if (target->host) {
		size_t bytes = strlen(target->host) + sizeof("[]:-2147483648");
		char *authority = host_port_format(target->host, target->port, arena_alloc(arena, bytes), bytes);

		return url_parse(arena, arena_printf(arena, "https://%s/", authority), out);
	}
	if (!target->cidr || !prefix_parse(target->cidr, &range))
		return false;
	first = range.base;
	host_port_format(address_format(&first, arena_alloc(arena, ADDRESS_TEXT_BYTES)), target->port, text,
			 sizeof(text));
	return url_parse(arena, arena_printf(arena, "https://%s/", text), out);
}

static const char *unknown_settings(enum route_kind kind)
{
	switch (kind) {
	case ROUTE_WININET:
		return "no WinINET settings are known: give --registry FILE.reg";
	case ROUTE_WINHTTP:
		return "no WinHTTP settings are known: give --registry FILE.reg";
	case ROUTE_AGENT:
		return "the agent's own proxy is not known: give --agent-proxy URL";
	case ROUTE_ENV:
		return "the environment is not known";
	case ROUTE_DIRECT:
	case ROUTE_PROXY:
		return NULL;
	}
	return NULL;
}

/* Another process carries that path out. */
static bool is_elsewhere(const struct planner *planner, const struct path *path)
{
	return path->identity == IDENTITY_SYSTEM && planner->options->part == PLAN_WITHOUT_SYSTEM;
}

static void take_decision(struct arena *arena, const struct decision *decision, struct route *route)
{
	route->via = decision->undecided || decision->via.count == 0 ? NULL : decision->via.items[0];
	route->source = decision->source;
	route->rule = decision->rule;
	route->problem = decision->problem;
	route->mechanism = decision->mechanism;
	route->error = decision->error;
	route->list = (struct text_list){0};
	for (size_t i = 0; route->via && decision->via.count > 1 && i < decision->via.count; i++)
		if (!text_list_has(&route->list, decision->via.items[i]))
			text_list_add(arena, &route->list, decision->via.items[i]);
	if (!route->via && !route->problem)
		route->problem = "no proxy was named, and there is nothing to fall back on";
}

static void decide_by_setting(const struct planner *planner, struct path *path, struct route *route)
{
	struct arena *arena = planner->report->arena;
	const struct proxy_setting *setting = setting_of(planner, path->identity, route->kind);
	struct decision decision = {0};
	struct url url;

	if (!setting || (route->kind == ROUTE_AGENT && !setting->found)) {
		route->problem = unknown_settings(route->kind);
		return;
	}
	if (!url_of(arena, path->target, &url)) {
		route->problem = "the target has no URL that settings could be asked about";
		return;
	}
	settings_decide(arena, setting, &url, &decision);
	take_decision(arena, &decision, route);
	if (!decision.undecided || is_elsewhere(planner, path))
		return;
	struct plan_question *question = arena_alloc(arena, sizeof(*question));
	*question = (struct plan_question){.path = path, .setting = setting, .url = url};
	struct plan *plan = planner->plan;
	plan->questions = arena_grow(arena, plan->questions, &plan->question_capacity, plan->question_count,
				     sizeof(struct plan_question *));
	plan->questions[plan->question_count++] = question;
}

static void decide(const struct planner *planner, struct path *path, const struct route_choice *choice)
{
	struct route *route = &path->route;

	route->kind = choice->kind;
	switch (choice->kind) {
	case ROUTE_DIRECT:
		route->via = "DIRECT";
		route->source = planner->options->routes_given ? "--route direct" : "always tried";
		route->rule = "no settings are asked";
		return;
	case ROUTE_PROXY:
		route->via = choice->via;
		route->source = "--route proxy=";
		route->rule = "this proxy for every target";
		return;
	case ROUTE_WININET:
	case ROUTE_WINHTTP:
	case ROUTE_AGENT:
	case ROUTE_ENV:
		decide_by_setting(planner, path, route);
		return;
	}
}

static bool same_choice(const struct route_choice *a, const struct route_choice *b)
{
	return a->kind == b->kind && (a->kind != ROUTE_PROXY || strcmp(a->via, b->via) == 0);
}

/* The same route asked for twice is one. */
static bool already_chosen(const struct route_choice *choices, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (same_choice(&choices[i], &choices[index]))
			return true;
	return false;
}

/* ------------------------------------------------------------------ legs */

/* Whose credentials the path may offer to its proxy. */
static enum credentials credentials_of(const struct planner *planner, const struct path *path, const struct via *via)
{
	bool by_option = path->route.kind == ROUTE_AGENT || path->route.kind == ROUTE_PROXY;
	bool is_user = path->identity == IDENTITY_USER;

	bool only_detected = path->route.mechanism && strcmp(path->route.mechanism, "auto_detect") == 0;
	if (via->scheme == VIA_DIRECT || (only_detected && !planner->options->trust_wpad))
		return CREDENTIALS_NONE;
	if (planner->given_credentials && (by_option || is_user))
		return CREDENTIALS_GIVEN;
	bool own_process = is_user || planner->options->part == PLAN_AS_SYSTEM;
	return planner->own_credentials && own_process ? CREDENTIALS_OWN : CREDENTIALS_NONE;
}

static bool same_via(const struct via *a, const struct via *b)
{
	return a->scheme == b->scheme &&
	       (a->scheme == VIA_DIRECT || (a->port == b->port && strcmp(a->host, b->host) == 0));
}

/* Until a proxy asks for a sign-in, what may offer one sends the same as what may not. */
static bool leg_takes(const struct leg *leg, const struct via *via, enum credentials credentials)
{
	bool alike = leg->credentials == credentials || credentials == CREDENTIALS_NONE;
	return same_via(&leg->via, via) && (alike || (leg->credentials == CREDENTIALS_NONE && !leg->begun));
}

/* The leg that would send exactly the same, among those of the same target, or a new one. SYSTEM in mode "settings" is
 * carried out by this process, so the identity as such makes no difference to what is sent. */
static struct leg *leg_for(struct planner *planner, struct target *target, const struct via *via,
			   enum credentials credentials)
{
	struct plan *plan = planner->plan;
	struct leg *leg;

	for (size_t i = plan->count; i-- > 0;) /* those of the same target are mostly the last ones */
		if (plan->legs[i]->target == target && leg_takes(plan->legs[i], via, credentials))
			return plan->legs[i];
	leg = arena_alloc(planner->report->arena, sizeof(*leg));
	leg->target = target;
	leg->via = *via;
	leg->credentials = credentials;
	plan->legs = arena_grow(planner->report->arena, plan->legs, &plan->capacity, plan->count, sizeof(struct leg *));
	plan->legs[plan->count++] = leg;
	return leg;
}

static void leg_add(struct planner *planner, struct leg *leg, struct path *path, enum credentials credentials)
{
	if (credentials != leg->credentials && leg->credentials == CREDENTIALS_NONE) { /* the first that has some */
		leg->unsigned_paths = leg->paths;
		leg->paths = (struct path_list){0};
		leg->credentials = credentials;
	}
	path_list_add(planner->report->arena, credentials == leg->credentials ? &leg->paths : &leg->unsigned_paths,
		      path);
}

/* The leg on which this path goes that way; NULL: none. */
static struct leg *leg_join(struct planner *planner, struct path *path, const char *text)
{
	struct via via;
	if (!via_parse(planner->report->arena, text, &via)) {
		path->route.problem =
			arena_printf(planner->report->arena, "not a proxy that can be spoken to: %s", text);
		return NULL;
	}
	if (path->target->kind == TARGET_CIDR && via.scheme != VIA_DIRECT)
		return NULL;
	enum credentials credentials = credentials_of(planner, path, &via);
	struct leg *leg = leg_for(planner, path->target, &via, credentials);
	leg_add(planner, leg, path, credentials);
	return leg;
}

static struct leg *path_join(struct planner *planner, struct path *path)
{
	bool carried_out = planner->options->part != PLAN_DECISIONS && !is_elsewhere(planner, path);
	return path->route.via && carried_out ? leg_join(planner, path, path->route.via) : NULL;
}

/* ------------------------------------------------------------------ the effective path */

static const struct {
	enum identity_id identity;
	enum route_kind kind;
	const char *basis;
} preference[] = {
	{IDENTITY_SYSTEM, ROUTE_AGENT, "agent"},
	{IDENTITY_SYSTEM, ROUTE_WININET, "system/wininet"},
	{IDENTITY_USER, ROUTE_WININET, "user/wininet"},
	{IDENTITY_USER, ROUTE_DIRECT, "user/direct"},
	/* SYSTEM alone was asked for, and no WinINET setting of its is known: WinINET without a setting goes direct. */
	{IDENTITY_SYSTEM, ROUTE_DIRECT, "system/wininet"},
};

/* The path of the target whose paths begin at first; NULL if there is none. */
static struct path *path_find(const struct report *report, size_t first, enum identity_id identity,
			      const struct route_choice *choice)
{
	for (size_t i = first; i < report->path_count; i++) {
		struct path *path = report->paths[i];
		struct route_choice own = {path->route.kind, path->route.via};

		if (path->identity == identity && same_choice(&own, choice))
			return path;
	}
	return NULL;
}

static struct path *effective_given(const struct report *report, size_t first, const struct route_choice *choices,
				    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct path *path = path_find(report, first, IDENTITY_SYSTEM, &choices[i]);

		if (!path)
			path = path_find(report, first, IDENTITY_USER, &choices[i]);
		if (path)
			return path;
	}
	return NULL;
}

static struct path *effective_preset(const struct report *report, size_t first, const char **basis)
{
	for (size_t i = 0; i < sizeof(preference) / sizeof(*preference); i++) {
		struct route_choice choice = {preference[i].kind, NULL};
		struct path *path = path_find(report, first, preference[i].identity, &choice);

		*basis = preference[i].basis;
		if (path)
			return path;
	}
	return NULL;
}

static void mark_effective(struct planner *planner, size_t first, const struct route_choice *choices, size_t count)
{
	struct report *report = planner->report;
	const char *basis = "given";
	struct path *path = planner->options->routes_given ? effective_given(report, first, choices, count)
							   : effective_preset(report, first, &basis);

	if (!path)
		return;
	path->effective = true;
	report->readiness.basis = basis;
}

/* ------------------------------------------------------------------ the plan */

static void paths_add(struct planner *planner, struct target *target, enum identity_id identity,
		      const struct route_choice *choices, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (already_chosen(choices, i) || !route_applies(planner, identity, choices[i].kind))
			continue;
		struct path *path = report_add_path(planner->report);
		path->target = target;
		path->identity = identity;
		decide(planner, path, &choices[i]);
		path_join(planner, path);
	}
}

void plan_make(struct report *report, const struct settings *settings, const struct plan_options *options,
	       bool given_credentials, bool own_credentials, struct plan *out)
{
	struct planner *planner = arena_alloc(report->arena, sizeof(*planner));
	struct route_choice choices[sizeof(options->routes) / sizeof(*options->routes)];

	*planner = (struct planner){report, settings, options, given_credentials, own_credentials, out};
	size_t count = route_choices(planner, choices, sizeof(choices) / sizeof(*choices));
	*out = (struct plan){.planner = planner};
	report->route_given = options->routes_given;
	identities_fill(planner);
	for (size_t t = 0; t < report->target_count; t++) {
		size_t first_path = report->path_count;

		for (size_t i = 0; i < report->identity_count; i++)
			if (report->identities[i].mode != MODE_UNAVAILABLE)
				paths_add(planner, report->targets[t], report->identities[i].id, choices, count);
		mark_effective(planner, first_path, choices, count);
	}
}

struct leg *plan_answer(struct plan *plan, struct plan_question *question)
{
	struct decision decision;
	struct arena *arena = plan->planner->report->arena;
	settings_decide_with(arena, question->setting, &question->url, &question->answers, &decision);
	take_decision(arena, &decision, &question->path->route);
	return path_join(plan->planner, question->path);
}

struct leg *plan_next(struct plan *plan, struct path *path, const struct via *dead)
{
	const struct text_list *list = &path->route.list;
	struct via via;
	for (size_t i = 0; i + 1 < list->count; i++)
		if (via_parse(plan->planner->report->arena, list->items[i], &via) && same_via(&via, dead))
			return leg_join(plan->planner, path, list->items[i + 1]);
	return NULL;
}
