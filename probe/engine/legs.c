#include "probe/engine/legs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/engine/autoproxy.h"
#include "probe/engine/dns_experiments.h"
#include "probe/engine/experiments.h"
#include "probe/engine/system_stack.h"
#include "probe/engine/system_trust.h"
#include "probe/os/os.h"

enum { SAMPLE_PATIENCE_US = 1500 * 1000 };

static bool resolves_target_here(const struct leg *leg)
{
	return leg->via.scheme == VIA_SOCKS4 || leg->via.scheme == VIA_SOCKS5;
}

static bool names_done(const struct leg_state *leg)
{
	return (!leg->name || leg->name->lookup->done) && (!leg->target_name || leg->target_name->lookup->done);
}

/* The place of an address in its name's list; what the list does not have (samples) keeps its own order, behind. */
static size_t address_rank(const struct leg_state *leg, const char *address)
{
	const struct lookup *lookup = leg->name ? leg->name->lookup : NULL;
	for (size_t i = 0; lookup && i < lookup->count; i++)
		if (strcmp(lookup->addresses[i].address, address) == 0)
			return i;
	return SIZE_MAX;
}

static void sort_trials(struct leg_state *leg)
{
	for (size_t i = 1; i < leg->trial_count; i++) {
		struct trial *trial = leg->trials[i];
		size_t rank = address_rank(leg, trial->address);
		size_t k = i;
		for (; k > 0 && address_rank(leg, leg->trials[k - 1]->address) > rank; k--)
			leg->trials[k] = leg->trials[k - 1];
		leg->trials[k] = trial;
	}
}

static enum found_by finder(const struct leg_state *leg, const struct trial *trial)
{
	size_t rank = address_rank(leg, trial->address);
	if (trial->found_by != FOUND_BY_SERVER || rank == SIZE_MAX)
		return trial->found_by;
	return leg->name->lookup->addresses[rank].by_system ? FOUND_BY_SYSTEM : FOUND_BY_SERVER;
}

/* The own end of the last connection that had one. */
static const char *source_of(struct arena *arena, const struct observation_list *list)
{
	char text[ADDRESS_TEXT_BYTES + 16];
	for (size_t i = list->count; i-- > 0;) {
		const struct observation *observation = list->items[i];
		if (observation->op != OP_TCP_CONNECT || observation->experiment || !observation->tcp.tuple.src)
			continue;
		const struct tuple *tuple = &observation->tcp.tuple;
		return arena_strdup(arena, host_port_format(tuple->src, tuple->src_port, text, sizeof(text)));
	}
	return NULL;
}

static void write_attempt(struct path *path, const struct leg_state *leg, const struct trial *trial, bool is_signed)
{
	struct report *report = leg->run->report;
	struct attempt *attempt = path_add_attempt(report, path);
	bool is_direct = leg->leg->via.scheme == VIA_DIRECT;
	attempt->address = trial->address;
	attempt->port = is_direct ? leg->leg->target->port : leg->leg->via.port;
	bool early = !is_signed && trial->unsigned_end.ended;
	attempt->via = path->route.list.count > 1 ? via_format(report->arena, &leg->leg->via) : NULL;
	attempt->found_by = finder(leg, trial);
	attempt->started_at_ms = trial->started_at_ms;
	attempt->ended_at_ms = early ? trial->unsigned_end.ended_at_ms : trial->ended_at_ms;
	attempt->failure = early ? trial->unsigned_end.failure : trial->failure;
	attempt->observations = early ? trial->unsigned_end.observations : trial->observations;
	attempt->source = source_of(report->arena, &attempt->observations);
}

static void on_samples_late(uv_timer_t *timer)
{
	struct run *run = timer->data;
	for (size_t i = 0; i < run->leg_count; i++)
		for (size_t k = 0; k < run->legs[i]->trial_count; k++)
			if (run->legs[i]->trials[k]->begun)
				trial_cut(run->legs[i]->trials[k], FAILURE_TIMEOUT);
}

static bool has_worked(const struct leg_state *leg)
{
	for (size_t i = 0; i < leg->trial_count; i++)
		if (leg->trials[i]->failure == FAILURE_NONE)
			return true;
	return false;
}

/* Silence of a sampled address is no fault: once all else is done, and something of it works, nobody needs to wait for it much longer than
 * for one SYN sent again. */
static void samples_hurry(struct run *run)
{
	size_t names = 0, samples = 0;
	for (size_t i = 0; i < run->leg_count; i++) {
		bool is_range = run->legs[i]->leg->target->kind == TARGET_CIDR;
		names += !is_range && has_worked(run->legs[i]);
		samples += is_range && !run->legs[i]->done;
		if (!is_range && !run->legs[i]->done)
			return;
	}
	if (!names || !samples || run->samples_timer.data)
		return;
	int64_t left_us = SAMPLE_PATIENCE_US - (os_monotonic_us() - run->started_us);
	run->samples_timer.data = run;
	uv_timer_init(&run->loop, &run->samples_timer);
	uv_timer_start(&run->samples_timer, on_samples_late, left_us > 0 ? (uint64_t)(left_us / 1000) : 0, 0);
}

/* ------------------------------------------------------------------ lists of proxies */

/* The proxy; or the target, where the entry of the list is DIRECT. */
static bool was_reached(const struct trial *trial)
{
	for (size_t i = 0; i < trial->observations.count; i++) {
		const struct observation *one = trial->observations.items[i];
		if (one->op == OP_TCP_CONNECT && !one->experiment && one->failure == FAILURE_NONE)
			return true;
	}
	return false;
}

/* Only what does not let itself be reached is passed over: what a proxy refuses is its answer (wininet.md 4). */
static bool is_dead(const struct leg_state *leg)
{
	bool lacks_target = leg->target_name && !leg->target_name->lookup->count;
	if (lacks_target || leg->run->ending != FAILURE_NONE)
		return false;
	for (size_t i = 0; i < leg->trial_count; i++)
		if (was_reached(leg->trials[i]))
			return false;
	return true;
}

/* The leg has ended: on with the path to the next proxy of its list, or this is the one that it took. */
static void path_go_on(struct leg_state *leg, struct path *path)
{
	struct run *run = leg->run;
	if (path->route.list.count < 2)
		return;
	if (!is_dead(leg)) {
		path->route.via = via_format(run->report->arena, &leg->leg->via);
		return;
	}
	struct leg *next = plan_next(run->plan, path, &leg->leg->via);
	if (next)
		legs_join(run, next, path);
}

/* ------------------------------------------------------------------ the end of a leg */

static void write_attempts(const struct leg_state *leg, struct path *path, bool is_signed)
{
	for (size_t k = 0; k < leg->trial_count; k++)
		write_attempt(path, leg, leg->trials[k], is_signed);
}

void leg_check(struct leg_state *leg)
{
	if (leg->done || leg->trials_open || leg->chains_open || !names_done(leg))
		return;
	leg->done = true;
	sort_trials(leg);
	const struct path_list *lists[] = {&leg->leg->paths, &leg->leg->unsigned_paths};
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->count; i++)
			write_attempts(leg, lists[k]->items[i], k == 0);
	leg->run->legs_done++;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->count; i++)
			path_go_on(leg, lists[k]->items[i]);
	samples_hurry(leg->run);
}

static bool has_trial(const struct leg_state *leg, const char *address)
{
	for (size_t i = 0; i < leg->trial_count; i++)
		if (strcmp(leg->trials[i]->address, address) == 0)
			return true;
	return false;
}

/* SOCKS4 and SOCKS5 need an address of the target too before anything can be tried; the first one found serves. */
static void leg_feed(struct leg_state *leg)
{
	struct address literal;
	const struct lookup *lookup = leg->name->lookup;
	if (leg->run->ending != FAILURE_NONE || (leg->target_name && !leg->target_name->lookup->count))
		return;
	for (size_t i = 0; i < lookup->count; i++) {
		const char *address = lookup->addresses[i].address;
		bool is_literal = address_parse(lookup->name, &literal);
		if (!has_trial(leg, address))
			trial_add(leg, address, is_literal ? FOUND_BY_LITERAL : FOUND_BY_SERVER);
	}
}

static void on_address(struct lookup *lookup, const char *address, void *user)
{
	struct name_state *name = user;
	(void)address;
	name->lookup = lookup;
	for (size_t i = 0; i < name->leg_count; i++)
		leg_feed(name->legs[i]);
}

static void on_name_done(struct lookup *lookup, void *user)
{
	struct name_state *name = user;
	name->lookup = lookup;
	for (size_t i = 0; i < name->leg_count; i++)
		leg_check(name->legs[i]);
	dns_experiments_note_name(name->run);
}

const char *run_address_of(const struct run *run, const char *host)
{
	for (size_t i = 0; i < run->name_count; i++)
		if (strcasecmp(run->names[i]->lookup->name, host) == 0 && run->names[i]->lookup->count)
			return run->names[i]->lookup->addresses[0].address;
	return NULL;
}

static struct name_state *name_of(struct run *run, const char *text)
{
	struct arena *arena = run->report->arena;
	for (size_t i = 0; i < run->name_count; i++)
		if (strcmp(run->names[i]->lookup->name, text) == 0)
			return run->names[i];
	struct name_state *name = arena_alloc(arena, sizeof(*name));
	name->run = run;
	name->lookup = lookup_start(&run->resolver, text, on_address, on_name_done, name);
	run->names = arena_grow(arena, run->names, &run->name_capacity, run->name_count, sizeof(struct name_state *));
	run->names[run->name_count++] = name;
	return name;
}

static void add_paths(struct arena *arena, struct path_list *list, const struct path_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		if (!path_list_has(list, more->items[i]))
			path_list_add(arena, list, more->items[i]);
}

/* A leg that comes later shares what was asked about the name before. */
static void share_lookup(const struct name_state *name, const struct leg_state *leg)
{
	struct report *report = leg->run->report;
	const struct path *with = name->leg_count ? name->legs[0]->leg->paths.items[0] : NULL;
	for (size_t i = 0; with && i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		const char *about = one->op == OP_DNS_QUERY	  ? one->dns.name
				    : one->op == OP_SYSTEM_LOOKUP ? one->lookup.name
								  : NULL;
		if (about && strcasecmp(about, name->lookup->name) == 0 && path_list_has(&one->paths, with) &&
		    !observation_is_of_decision(one)) {
			add_paths(report->arena, &one->paths, &leg->leg->paths);
			add_paths(report->arena, &one->paths, &leg->leg->unsigned_paths);
		}
	}
}

static struct name_state *join_name(struct leg_state *leg, const char *text)
{
	struct arena *arena = leg->run->report->arena;
	struct name_state *name = name_of(leg->run, text);
	share_lookup(name, leg);
	name->legs = arena_grow(arena, name->legs, &name->leg_capacity, name->leg_count, sizeof(struct leg_state *));
	name->legs[name->leg_count++] = leg;
	add_paths(arena, &name->lookup->paths, &leg->leg->paths);
	add_paths(arena, &name->lookup->paths, &leg->leg->unsigned_paths);
	return name;
}

static void leg_start(struct leg_state *leg)
{
	struct leg *plan = leg->leg;
	struct prefix prefix;
	char text[ADDRESS_TEXT_BYTES];
	plan->begun = true;
	if (plan->target->kind == TARGET_CIDR) {
		bool known = prefix_parse(plan->target->cidr, &prefix);
		for (unsigned i = 0; known && i < SAMPLES_PER_CIDR; i++) {
			struct address sample = prefix_sample(&prefix, i, SAMPLES_PER_CIDR);
			if (!has_trial(leg, address_format(&sample, text)))
				trial_add(leg, text, FOUND_BY_SAMPLE);
		}
		leg_check(leg);
		return;
	}
	leg->name = join_name(leg, plan->via.scheme == VIA_DIRECT ? plan->target->host : plan->via.host);
	if (resolves_target_here(plan))
		leg->target_name = join_name(leg, plan->target->host);
	leg_feed(leg); /* what is known of the names already */
	leg_check(leg);
}

static struct leg_state *leg_add(struct run *run, struct leg *plan)
{
	struct arena *arena = run->report->arena;
	struct leg_state *leg = arena_alloc(arena, sizeof(*leg));
	leg->leg = plan;
	leg->run = run;
	run->legs = arena_grow(arena, run->legs, &run->leg_capacity, run->leg_count, sizeof(struct leg_state *));
	run->legs[run->leg_count++] = leg;
	return leg;
}

static struct leg_state *state_of(const struct run *run, const struct leg *plan)
{
	for (size_t i = run->leg_count; i-- > 0;)
		if (run->legs[i]->leg == plan)
			return run->legs[i];
	return NULL;
}

static bool has_observation(const struct observation_list *list, const struct observation *one)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i] == one)
			return true;
	return false;
}

static bool is_in_attempt(const struct path *path, const struct observation *one)
{
	for (size_t i = 0; i < path->attempt_count; i++)
		if (has_observation(&path->attempts[i]->observations, one))
			return true;
	return false;
}

static bool is_name_of(const struct leg_state *leg, const char *name)
{
	return (leg->name && strcasecmp(leg->name->lookup->name, name) == 0) ||
	       (leg->target_name && strcasecmp(leg->target_name->lookup->name, name) == 0);
}

/* The leg's own, among what its first path has: that may have gone by other legs before and after. What came after a sign-in is not of
 * those without credentials. */
static bool is_of_leg(const struct leg_state *leg, const struct observation *one, bool is_signed)
{
	if (observation_is_of_decision(one))
		return false;
	for (size_t i = 0; i < leg->trial_count; i++) {
		const struct trial *trial = leg->trials[i];
		if (has_observation(&trial->observations, one))
			return is_signed || !trial->unsigned_end.ended ||
			       has_observation(&trial->unsigned_end.observations, one);
	}
	if (one->op == OP_DNS_QUERY || one->op == OP_SYSTEM_LOOKUP)
		return is_name_of(leg, one->op == OP_DNS_QUERY ? one->dns.name : one->lookup.name);
	return !is_in_attempt(leg->leg->paths.items[0], one);
}

/* What was seen for the leg's first path was seen for this one too. */
static void share_observations(const struct leg_state *leg, struct path *path)
{
	struct report *report = leg->run->report;
	const struct path *with = leg->leg->paths.items[0];
	bool is_signed = path_list_has(&leg->leg->paths, path);
	for (size_t i = 0; i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		if (path_list_has(&one->paths, with) && !path_list_has(&one->paths, path) &&
		    is_of_leg(leg, one, is_signed))
			path_list_add(report->arena, &one->paths, path);
	}
	struct path_list alone = {.items = &path, .count = 1};
	if (leg->name)
		add_paths(report->arena, &leg->name->lookup->paths, &alone);
	if (leg->target_name)
		add_paths(report->arena, &leg->target_name->lookup->paths, &alone);
}

void legs_join(struct run *run, struct leg *plan, struct path *path)
{
	struct leg_state *leg = state_of(run, plan);
	if (run->ending != FAILURE_NONE)
		return;
	if (!leg) {
		leg_start(leg_add(run, plan));
		return;
	}
	share_observations(leg, path);
	if (!leg->done)
		return;
	write_attempts(leg, path, path_list_has(&plan->paths, path));
	path_go_on(leg, path);
}

void legs_start(struct run *run)
{
	for (size_t i = 0; i < run->plan->count; i++)
		leg_start(leg_add(run, run->plan->legs[i]));
}

void legs_cut(struct run *run, enum failure failure)
{
	run->ending = failure;
	autoproxy_cut(run, failure);
	run->queue_head = run->queue_tail = NULL;
	login_cut(run, failure);
	experiments_cut(run, failure);
	proxy_contrast_cut(run, failure);
	wrong_address_cut(run, failure);
	dns_experiments_cut(run, failure);
	system_trust_cut(run);
	system_stack_cut(run, failure);
	for (size_t i = 0; i < run->name_count; i++)
		if (!run->names[i]->lookup->done)
			lookup_cancel(run->names[i]->lookup, failure);
	lookups_cut(&run->resolver, failure);
	for (size_t i = 0; i < run->leg_count; i++)
		for (size_t k = 0; k < run->legs[i]->trial_count; k++)
			trial_cut(run->legs[i]->trials[k], failure);
}
