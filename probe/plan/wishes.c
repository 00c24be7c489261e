#include "probe/plan/wishes.h"

#include <string.h>

#include "probe/core/arena.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_wish(const struct wish *a, const struct wish *b)
{
	return a->experiment == b->experiment && a->about == b->about && a->port == b->port && a->flow == b->flow &&
	       a->min_ttl == b->min_ttl && a->says_hello == b->says_hello && a->segment_bytes == b->segment_bytes &&
	       a->extra_bytes == b->extra_bytes && same_text(a->sni, b->sni);
}

void wish_once(struct experiment_plan *plan, const struct wish *wish)
{
	for (size_t i = 0; i < plan->wish_count; i++)
		if (same_wish(plan->wishes[i], wish))
			return;
	struct wish *one = arena_alloc(plan->arena, sizeof(*one));
	*one = *wish;
	if (!one->address)
		one->address = wish->about->address;
	if (!one->patience_us)
		one->patience_us = plan->patience_us;
	plan->wishes =
		arena_grow(plan->arena, plan->wishes, &plan->wish_capacity, plan->wish_count, sizeof(struct wish *));
	plan->wishes[plan->wish_count++] = one;
}

bool wish_made(const struct experiment_plan *plan, const struct symptom *about, enum experiment experiment)
{
	for (size_t i = 0; i < plan->wish_count; i++)
		if (plan->wishes[i]->about == about && plan->wishes[i]->experiment == experiment)
			return true;
	return false;
}

bool wish_done(const struct experiment_plan *plan, const struct symptom *about, enum experiment experiment)
{
	for (size_t i = 0; i < plan->wish_count; i++)
		if (plan->wishes[i]->about == about && plan->wishes[i]->experiment == experiment &&
		    !plan->wishes[i]->done)
			return false;
	return wish_made(plan, about, experiment);
}

bool wish_port_done(const struct experiment_plan *plan, const struct symptom *about, enum experiment experiment,
		    int port)
{
	for (size_t i = 0; i < plan->wish_count; i++) {
		const struct wish *wish = plan->wishes[i];
		if (wish->about == about && wish->experiment == experiment && wish->port == port && !wish->done)
			return false;
	}
	return wish_made(plan, about, experiment);
}
