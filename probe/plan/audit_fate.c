/* What the answers to an audit's packets mean: who passes, who dies where, and which TTL tells. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence_words.h"
#include "probe/core/prefix_set.h"
#include "probe/plan/audit_parts.h"

static bool is_expired(const struct audit_point *point, int ttl)
{
	return point->hops[ttl].answer == ANSWER_EXPIRED;
}

static bool same_sender(const struct audit_hop *a, const struct audit_hop *b)
{
	return a->from && b->from && strcmp(a->from, b->from) == 0;
}

/* The last hop that the TTL ran out at; 0: none. */
static int last_heard(const struct audit_point *point)
{
	int last = 0;
	for (int ttl = 1; ttl <= AUDIT_TTLS; ttl++)
		if (is_expired(point, ttl))
			last = ttl;
	return last;
}

static int first_with(const struct audit_point *point, enum audit_answer answer)
{
	for (int ttl = 1; ttl <= AUDIT_TTLS; ttl++)
		if (point->hops[ttl].answer == answer)
			return ttl;
	return NOT_MEASURED;
}

static bool is_public(const struct audit_hop *hop)
{
	struct address address;
	return hop->from && address_parse(hop->from, &address) && !address_is_private(&address) &&
	       !address_is_link_local(&address);
}

/* Another one that passes through the hop at which this one ends, and the next hop that it hears there; NULL: nobody does. */
static const struct audit_hop *next_hop(const struct audit *audit, const struct audit_point *point, int last)
{
	for (size_t i = 0; last && i < audit->point_count; i++) {
		const struct audit_point *other = &audit->points[i];
		if (other == point || !is_expired(other, last) || !same_sender(&other->hops[last], &point->hops[last]))
			continue;
		for (int ttl = last + 1; ttl <= AUDIT_TTLS; ttl++)
			if (is_expired(other, ttl))
				return &other->hops[ttl];
	}
	return NULL;
}

/* Has it passed a public hop before that one? The routers out there answer or not as they please: where one does not, nobody is stopped. */
static bool is_far_out(const struct audit_point *point, int last)
{
	for (int ttl = 1; ttl < last; ttl++)
		if (is_expired(point, ttl) && is_public(&point->hops[ttl]))
			return true;
	return false;
}

/* It ends where others only pass through. */
static bool was_stopped(const struct audit *audit, const struct audit_point *point)
{
	int last = last_heard(point);
	return !is_far_out(point, last) && next_hop(audit, point, last);
}

/* It ends beyond the enterprise: nobody may be listening there, but the way is free. */
static bool has_left(const struct audit *audit, const struct audit_point *point)
{
	int last = last_heard(point);
	return last && is_public(&point->hops[last]) && !was_stopped(audit, point);
}

bool audit_is_heard_at_ttl(const struct audit *audit, const struct audit_point *point)
{
	return audit->ttl != NOT_MEASURED && is_expired(point, audit->ttl);
}

enum audit_fate audit_fate(const struct audit *audit, const struct audit_point *point)
{
	if (audit->ttl == NOT_MEASURED)
		return first_with(point, ANSWER_REACHED) != NOT_MEASURED ? FATE_PASSES : FATE_UNKNOWN;
	if (first_with(point, ANSWER_REACHED) != NOT_MEASURED || last_heard(point) >= audit->ttl)
		return FATE_PASSES;
	if (first_with(point, ANSWER_REFUSED) != NOT_MEASURED)
		return FATE_REFUSED;
	if (point->hops[audit->ttl].answer != ANSWER_SILENCE)
		return FATE_UNKNOWN;
	return point->walked && has_left(audit, point) ? FATE_PASSES : FATE_DIES;
}

bool audit_fates_differ(const struct audit *audit, const struct audit_point *a, const struct audit_point *b)
{
	enum audit_fate one = audit_fate(audit, a), other = audit_fate(audit, b);
	if (one == FATE_UNKNOWN || other == FATE_UNKNOWN || one != other)
		return one != other && one != FATE_UNKNOWN && other != FATE_UNKNOWN;
	return one == FATE_REFUSED &&
	       !same_sender(&a->hops[first_with(a, ANSWER_REFUSED)], &b->hops[first_with(b, ANSWER_REFUSED)]);
}

/* ------------------------------------------------------------------ the TTL that tells */

/* Beyond all places where walks were stopped, and where somebody is heard. */
static int beyond_the_stopped(const struct audit *audit)
{
	int least = NOT_MEASURED;
	for (size_t i = 0; i < audit->point_count; i++) {
		int last = last_heard(&audit->points[i]);
		bool reached = first_with(&audit->points[i], ANSWER_REACHED) != NOT_MEASURED;
		if (!reached && was_stopped(audit, &audit->points[i]) && last + 1 > least)
			least = last + 1;
	}
	for (int ttl = least; least != NOT_MEASURED && ttl <= AUDIT_TTLS; ttl++)
		for (size_t i = 0; i < audit->point_count; i++)
			if (is_expired(&audit->points[i], ttl))
				return ttl;
	return NOT_MEASURED;
}

/* The last one at which every walk that has left is heard. */
static int common_to_those_who_left(const struct audit *audit)
{
	for (int ttl = AUDIT_TTLS; ttl >= 1; ttl--) {
		size_t left = 0, heard = 0;
		for (size_t i = 0; i < audit->point_count; i++) {
			if (!has_left(audit, &audit->points[i]))
				continue;
			left++;
			heard += is_expired(&audit->points[i], ttl);
		}
		if (left && heard == left)
			return ttl;
	}
	return NOT_MEASURED;
}

static int deepest(const struct audit *audit)
{
	int last = 0;
	for (size_t i = 0; i < audit->point_count; i++)
		if (last_heard(&audit->points[i]) > last)
			last = last_heard(&audit->points[i]);
	return last;
}

bool audit_nobody_leaves(const struct audit *audit)
{
	for (size_t i = 0; i < audit->point_count; i++)
		if (has_left(audit, &audit->points[i]) || first_with(&audit->points[i], ANSWER_REACHED) != NOT_MEASURED)
			return false;
	return beyond_the_stopped(audit) == NOT_MEASURED;
}

/* A system that does not say who sent an ICMP error leaves only the number of hops, and paths may be of any length. */
static bool hops_are_named(const struct audit *audit)
{
	for (size_t i = 0; i < audit->point_count; i++)
		for (int ttl = 1; ttl <= AUDIT_TTLS; ttl++)
			if (is_expired(&audit->points[i], ttl) && audit->points[i].hops[ttl].from)
				return true;
	return false;
}

int audit_telling_ttl(const struct audit *audit)
{
	if (!hops_are_named(audit))
		return NOT_MEASURED;
	int ttl = beyond_the_stopped(audit);
	if (ttl == NOT_MEASURED)
		ttl = common_to_those_who_left(audit);
	if (ttl == NOT_MEASURED && deepest(audit))
		ttl = deepest(audit) + 1;
	return ttl <= AUDIT_TTLS ? ttl : NOT_MEASURED;
}

/* ------------------------------------------------------------------ blocks */

static enum audit_state state_of(enum audit_fate fate)
{
	return fate == FATE_PASSES ? AUDIT_PERMITTED : fate == FATE_UNKNOWN ? AUDIT_UNKNOWN : AUDIT_BLOCKED;
}

static const char *heard_by_control(const struct audit *audit, int last)
{
	for (int ttl = last + 1; last && ttl <= AUDIT_TTLS; ttl++)
		if (audit->control[ttl].answer == ANSWER_EXPIRED)
			return audit->control[ttl].from;
	return NULL;
}

/* The one of these that tells most of where they die: the first that was walked to, else the first. */
static const struct audit_point *telling(const struct audit_point *first, const struct audit_point *last)
{
	for (const struct audit_point *point = first; point <= last; point++)
		if (point->walked && last_heard(point))
			return point;
	return first;
}

static void name_place(const struct audit *audit, const struct audit_point *point, struct audit_block *block)
{
	int refused = first_with(point, ANSWER_REFUSED), heard = last_heard(point);
	const struct audit_hop *next = next_hop(audit, point, heard);
	if (refused != NOT_MEASURED) {
		block->refused = true;
		block->last_heard = point->hops[refused].from;
		block->hop = heard && same_sender(&point->hops[heard], &point->hops[refused]) ? heard : NOT_MEASURED;
	} else if (heard) {
		block->hop = heard;
		block->last_heard = point->hops[heard].from;
		block->first_silent = next ? next->from : heard_by_control(audit, heard);
	}
}

static void block_add(struct arena *arena, struct sweep_audit *result, const struct audit *audit,
		      const struct audit_block *block, uint32_t first, uint32_t last)
{
	char text[ADDRESS_TEXT_BYTES], prefix[PREFIX_TEXT_BYTES];
	struct address_range range = {address_add(&audit->range.base, first), address_add(&audit->range.base, last)};
	struct prefix_set set = prefix_set_of_ranges(arena, &range, 1);
	struct prefix_list list = prefix_set_prefixes(arena, &set);
	result->blocks = arena_grow(arena, result->blocks, &result->block_capacity, result->block_count,
				    sizeof(*result->blocks));
	struct audit_block *one = &result->blocks[result->block_count++];
	*one = *block;
	one->first = arena_strdup(arena, address_format(&range.first, text));
	one->last = arena_strdup(arena, address_format(&range.last, text));
	for (size_t i = 0; i < list.count; i++)
		text_list_add(arena, &one->prefixes, arena_strdup(arena, prefix_format(&list.items[i], prefix)));
}

/* Does the block of that point go on with the next one? What is not known belongs to what is around it. */
static bool goes_on(const struct audit *audit, size_t i)
{
	const struct audit_point *here = &audit->points[i], *next = here + 1;
	return i + 1 < audit->point_count && audit_fate(audit, here) == audit_fate(audit, next) &&
	       !audit_fates_differ(audit, here, next);
}

static void add_blocks(struct arena *arena, struct sweep_audit *result, struct audit *audit)
{
	uint32_t begin = 0;
	for (size_t first = 0, last; first < audit->point_count; first = last + 1) {
		for (last = first; goes_on(audit, last);)
			last++;
		const struct audit_point *ends = &audit->points[last];
		bool is_last = last + 1 == audit->point_count;
		uint32_t gap = is_last ? 1 : ends[1].offset - ends->offset;
		uint32_t end = is_last ? audit->count - 1 : ends->offset + (gap - 1) / 2;
		struct audit_block block = {.state = state_of(audit_fate(audit, ends)), .hop = NOT_MEASURED};
		if (block.state == AUDIT_BLOCKED)
			name_place(audit, telling(&audit->points[first], ends), &block);
		block_add(arena, result, audit, &block, begin, end);
		audit->cut |= gap > 1;
		begin = end + 1;
	}
}

static const char *who_answers(const struct audit *audit)
{
	for (size_t i = 0; audit->ttl != NOT_MEASURED && i < audit->point_count; i++)
		if (is_expired(&audit->points[i], audit->ttl))
			return audit->points[i].hops[audit->ttl].from;
	return NULL;
}

struct sweep_audit *audit_result(struct arena *arena, struct audit *audit)
{
	const struct audit_block unknown = {.state = AUDIT_UNKNOWN, .hop = NOT_MEASURED};
	struct sweep_audit *result = arena_alloc(arena, sizeof(*result));
	if (audit->rationed)
		block_add(arena, result, audit, &unknown, 0, audit->count - 1);
	else
		add_blocks(arena, result, audit);
	result->rationed = audit->rationed;
	result->probes = audit->sent;
	result->ttl = audit->ttl;
	result->beyond = who_answers(audit);
	result->step = (int64_t)audit->count / (audit->count < AUDIT_GRID ? (int64_t)audit->count : AUDIT_GRID);
	result->cut = audit->cut;
	return result;
}
