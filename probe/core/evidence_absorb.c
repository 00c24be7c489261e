#include "probe/core/evidence_absorb.h"

#include <string.h>

#include "probe/core/arena.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool fits(const struct report *into, const struct report *from, enum identity_id identity)
{
	if (into->target_count != from->target_count || from->identity_count != 1 || from->identities[0].id != identity)
		return false;
	for (size_t i = 0; i < from->target_count; i++)
		if (!same_text(into->targets[i]->name, from->targets[i]->name) ||
		    into->targets[i]->kind != from->targets[i]->kind)
			return false;
	for (size_t i = 0; i < from->path_count; i++)
		if (from->paths[i]->identity != identity || !from->paths[i]->target)
			return false;
	return true;
}

static size_t target_index(const struct report *report, const struct target *target)
{
	size_t index = 0;
	while (index < report->target_count && report->targets[index] != target)
		index++;
	return index;
}

/* Target by target, the user's paths first: the order in which a plan makes them. */
static bool comes_before(const struct report *report, const struct path *a, const struct path *b)
{
	size_t first = target_index(report, a->target), second = target_index(report, b->target);
	return first != second ? first < second : a->identity < b->identity;
}

static void sort_paths(struct report *report)
{
	for (size_t i = 1; i < report->path_count; i++) {
		struct path *moving = report->paths[i];
		size_t at = i;
		for (; at > 0 && comes_before(report, moving, report->paths[at - 1]); at--)
			report->paths[at] = report->paths[at - 1];
		report->paths[at] = moving;
	}
	for (size_t i = 0; i < report->path_count; i++)
		report->paths[i]->id = arena_printf(report->arena, "p%zu", i + 1);
}

static void replace_paths(struct report *into, struct report *from, enum identity_id identity)
{
	size_t kept = 0;
	for (size_t i = 0; i < into->path_count; i++)
		if (into->paths[i]->identity != identity)
			into->paths[kept++] = into->paths[i];
	into->path_count = kept;
	for (size_t i = 0; i < from->path_count; i++) {
		struct path *path = from->paths[i];
		path->target = into->targets[target_index(from, path->target)];
		into->paths = arena_grow(into->arena, into->paths, &into->path_capacity, into->path_count,
					 sizeof(*into->paths));
		into->paths[into->path_count++] = path;
	}
	sort_paths(into);
}

static void take_observations(struct report *into, const struct observation_list *list, enum identity_id identity,
			      int64_t shift_us)
{
	for (size_t i = 0; i < list->count; i++) {
		struct observation *observation = list->items[i];
		bool of_machine = observation->op == OP_LOCAL_FACT && !observation->paths.count;
		if (of_machine && !same_text(observation->fact.subject, identity_text(identity)))
			continue;
		if (observation->start_us != NOT_MEASURED)
			observation->start_us += shift_us;
		report_take_observation(into, observation);
	}
}

bool report_absorb(struct report *into, struct report *from, enum identity_id identity, struct err *err)
{
	int64_t shift_us = (from->run.started_at_ms - into->run.started_at_ms) * 1000;
	arena_adopt(into->arena, from->arena);
	if (!fits(into, from, identity))
		return err_set(err, "what %s's process found is not about the same targets", identity_text(identity));
	replace_paths(into, from, identity);
	take_observations(into, &from->observations, identity, shift_us > 0 ? shift_us : 0);
	for (size_t i = 0; i < into->identity_count; i++)
		if (into->identities[i].id == identity)
			into->identities[i] = from->identities[0];
	if (into->run.end_reason == END_COMPLETE)
		into->run.end_reason = from->run.end_reason;
	return true;
}
