#include "probe/plan/audit.h"

#include <string.h>

#include "probe/core/evidence_words.h"
#include "probe/plan/audit_parts.h"

enum { AGAIN = 6, MISSING_BY_LOSS = 1 }; /* of those who have passed */
enum { DEEPER = 4 };			 /* than the deepest hop heard: some that answer nobody may be between */

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

bool audit_begin(struct audit *audit, const struct prefix *range)
{
	unsigned bits = (range->base.family == 4 ? 32u : 128u) - range->length;
	memset(audit, 0, sizeof(*audit));
	audit->range = *range;
	audit->ttl = NOT_MEASURED;
	if (bits > AUDIT_HOST_BITS_MAX)
		return false;
	audit->count = (uint32_t)1 << bits;
	return true;
}

/* ------------------------------------------------------------------ points */

static struct audit_point *point_find(struct audit *audit, uint32_t offset)
{
	for (size_t i = 0; i < audit->point_count; i++)
		if (audit->points[i].offset == offset)
			return &audit->points[i];
	return NULL;
}

/* The one of that address, a new one if need be; NULL where there is no room. */
static struct audit_point *point_at(struct audit *audit, uint32_t offset)
{
	size_t at = 0;
	while (at < audit->point_count && audit->points[at].offset < offset)
		at++;
	if (at < audit->point_count && audit->points[at].offset == offset)
		return &audit->points[at];
	if (audit->point_count == AUDIT_POINTS_MAX)
		return NULL;
	memmove(&audit->points[at + 1], &audit->points[at], (audit->point_count - at) * sizeof(audit->points[0]));
	audit->points[at] = (struct audit_point){.offset = offset};
	audit->point_count++;
	return &audit->points[at];
}

/* ------------------------------------------------------------------ asking */

/* What is silent is asked twice. */
static int packets_most(int from, int to)
{
	return 2 * (to - from + 1);
}

static bool ask(struct audit *audit, struct audit_ask *out, uint32_t offset, int from, int to)
{
	int most = packets_most(from, to);
	struct audit_point *point = audit->sent + most <= AUDIT_PROBES_MAX ? point_at(audit, offset) : NULL;
	if (!point) {
		audit->cut = true;
		audit->phase = AUDIT_DONE;
		return false;
	}
	*out = (struct audit_ask){offset, from, to, ASK_SYN};
	point->waiting = true;
	audit->sent += most;
	audit->open++;
	return true;
}

static uint32_t spread(const struct audit *audit, uint32_t index, uint32_t of)
{
	return (uint32_t)((uint64_t)audit->count * (2 * (uint64_t)index + 1) / (2 * (uint64_t)of));
}

static bool next_walk(struct audit *audit, struct audit_ask *out)
{
	while (audit->index < AUDIT_WALKS) {
		uint32_t offset = spread(audit, audit->index++, AUDIT_WALKS);
		if (!point_find(audit, offset))
			return ask(audit, out, offset, 1, min_int(audit->depth + DEEPER, AUDIT_TTLS));
	}
	return false;
}

/* Other traffic to an address where all connection requests die: does it get further? */
static bool next_control(struct audit *audit, struct audit_ask *out)
{
	static const enum audit_kind kinds[] = {ASK_UDP, ASK_OTHER_PORT};
	if (audit->index == sizeof(kinds) / sizeof(kinds[0]))
		return false;
	enum audit_kind kind = kinds[audit->index++];
	if (!ask(audit, out, audit->count / 2, 1, min_int(audit->ttl + DEEPER, AUDIT_TTLS)))
		return false;
	out->kind = kind;
	return true;
}

static uint32_t grid_size(const struct audit *audit)
{
	return audit->count < AUDIT_GRID ? audit->count : AUDIT_GRID;
}

static bool next_of_grid(struct audit *audit, struct audit_ask *out)
{
	while (audit->index < grid_size(audit)) {
		uint32_t offset = spread(audit, audit->index++, grid_size(audit));
		if (point_find(audit, offset))
			continue;
		if (!ask(audit, out, offset, audit->ttl, audit->ttl))
			return false;
		point_at(audit, offset)->of_grid = true;
		return true;
	}
	return false;
}

/* Routers send only so many ICMP errors a second. If the one that tells is silent for those too who have passed, nobody's silence tells. */
static bool next_again(struct audit *audit, struct audit_ask *out)
{
	size_t passing = 0, dying = 0, which = 0;
	for (size_t i = 0; i < audit->point_count; i++) {
		passing += audit_is_heard_at_ttl(audit, &audit->points[i]);
		dying += audit_fate(audit, &audit->points[i]) == FATE_DIES;
	}
	if (!dying || audit->index == AGAIN || audit->index >= passing)
		return false;
	uint32_t wanted = (uint32_t)(passing * audit->index++ / AGAIN);
	for (size_t i = 0; i < audit->point_count; i++) {
		if (!audit_is_heard_at_ttl(audit, &audit->points[i]) || which++ != wanted)
			continue;
		bool asked = ask(audit, out, audit->points[i].offset, audit->ttl, audit->ttl);
		out->kind = ASK_AGAIN;
		return asked;
	}
	return false;
}

/* ------------------------------------------------------------------ boundaries */

/* Before a boundary is looked for one more packet must have been lost; and the two that stand at it are walked to. */
static bool wants_walk(const struct audit *audit, const struct audit_point *point, bool touching)
{
	bool dies = audit_fate(audit, point) == FATE_DIES;
	return !point->walked && (touching || (dies && point->of_grid));
}

static bool next_at_boundary(struct audit *audit, struct audit_ask *out)
{
	for (size_t i = 0; i + 1 < audit->point_count; i++) {
		const struct audit_point *left = &audit->points[i], *right = left + 1;
		bool touching = right->offset - left->offset == 1;
		if (left->waiting || right->waiting || !audit_fates_differ(audit, left, right))
			continue;
		if (wants_walk(audit, left, touching))
			return ask(audit, out, left->offset, 1, audit->ttl);
		if (wants_walk(audit, right, touching))
			return ask(audit, out, right->offset, 1, audit->ttl);
		if (!touching)
			return ask(audit, out, left->offset + (right->offset - left->offset) / 2, audit->ttl,
				   audit->ttl);
	}
	return false;
}

/* ------------------------------------------------------------------ phases */

static bool next_in_phase(struct audit *audit, struct audit_ask *out)
{
	switch (audit->phase) {
	case AUDIT_FIRST:
		return audit->index++ == 0 && ask(audit, out, audit->count / 2, 1, AUDIT_TTLS);
	case AUDIT_WALKING:
		return next_walk(audit, out);
	case AUDIT_CONTROLS:
		return next_control(audit, out);
	case AUDIT_GRIDDING:
		return next_of_grid(audit, out);
	case AUDIT_AGAIN:
	case AUDIT_AGAIN_LAST:
		return next_again(audit, out);
	case AUDIT_BOUNDARIES:
		return next_at_boundary(audit, out);
	case AUDIT_DONE:
		break;
	}
	return false;
}

/* All of the phase has been told. */
static void phase_over(struct audit *audit)
{
	audit->index = 0;
	switch (audit->phase) {
	case AUDIT_FIRST:
		audit->phase = AUDIT_WALKING;
		break;
	case AUDIT_WALKING:
		audit->ttl = audit_telling_ttl(audit);
		audit->phase = audit->ttl == NOT_MEASURED   ? AUDIT_DONE
			       : audit_nobody_leaves(audit) ? AUDIT_CONTROLS
							    : AUDIT_GRIDDING;
		break;
	case AUDIT_CONTROLS:
		audit->phase = AUDIT_GRIDDING;
		break;
	case AUDIT_GRIDDING:
		audit->phase = AUDIT_AGAIN;
		break;
	case AUDIT_AGAIN:
		audit->phase = audit->rationed ? AUDIT_DONE : AUDIT_BOUNDARIES;
		break;
	case AUDIT_BOUNDARIES:
		audit->phase = AUDIT_AGAIN_LAST;
		break;
	case AUDIT_AGAIN_LAST:
	case AUDIT_DONE:
		audit->phase = AUDIT_DONE;
		break;
	}
}

bool audit_next(struct audit *audit, struct audit_ask *out)
{
	while (audit->phase != AUDIT_DONE) {
		if (next_in_phase(audit, out))
			return true;
		if (audit->open || audit->phase == AUDIT_DONE)
			return false;
		phase_over(audit);
	}
	return false;
}

bool audit_is_done(const struct audit *audit)
{
	return audit->phase == AUDIT_DONE && !audit->open;
}

void audit_stop(struct audit *audit)
{
	audit->cut |= audit->phase != AUDIT_DONE;
	audit->phase = AUDIT_DONE;
}

/* ------------------------------------------------------------------ what came */

static bool tells_more(const struct audit_hop *hop, const struct audit_hop *known)
{
	return hop->answer > known->answer;
}

void audit_told(struct audit *audit, const struct audit_ask *ask, const struct audit_hop *hops, int packets)
{
	struct audit_point *point = point_find(audit, ask->offset);
	audit->open--;
	audit->sent += packets - packets_most(ask->ttl_from, ask->ttl_to);
	if (!point)
		return;
	point->waiting = false;
	if (ask->kind == ASK_AGAIN) {
		audit->missing += hops[ask->ttl_from].answer == ANSWER_SILENCE;
		audit->rationed = audit->missing > MISSING_BY_LOSS;
		return;
	}
	if (ask->kind == ASK_SYN && ask->ttl_from == 1)
		point->walked = true;
	for (int ttl = ask->ttl_from; ttl <= ask->ttl_to; ttl++) {
		struct audit_hop *known = ask->kind == ASK_SYN ? &point->hops[ttl] : &audit->control[ttl];
		bool heard = hops[ttl].answer >= ANSWER_EXPIRED;
		if (tells_more(&hops[ttl], known))
			*known = hops[ttl];
		if (heard && ask->kind == ASK_SYN && ttl > audit->depth)
			audit->depth = ttl;
	}
}
