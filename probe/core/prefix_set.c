#include "probe/core/prefix_set.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"

static unsigned family_bytes(const struct address *address)
{
	return address->family == 4 ? 4 : 16;
}

/** The address behind; false behind the last of its family, and *out is then untouched. */
static bool next_address(const struct address *address, struct address *out)
{
	struct address next = *address;
	for (unsigned i = family_bytes(address); i-- > 0;)
		if (++next.bytes[i] != 0) {
			*out = next;
			return true;
		}
	return false;
}

/** The address before; only asked where there is one. */
static struct address previous_address(const struct address *address)
{
	struct address previous = *address;
	for (unsigned i = family_bytes(address); i-- > 0;)
		if (previous.bytes[i]-- != 0)
			break;
	return previous;
}

static const struct address *later(const struct address *a, const struct address *b)
{
	return address_compare(a, b) < 0 ? b : a;
}

static const struct address *earlier(const struct address *a, const struct address *b)
{
	return address_compare(a, b) < 0 ? a : b;
}

struct address_range prefix_range(const struct prefix *prefix)
{
	struct address_range range = {prefix->base, prefix->base};
	for (unsigned i = 0; i < family_bytes(&prefix->base); i++) {
		unsigned kept = prefix->length > i * 8 ? prefix->length - i * 8u : 0;
		range.last.bytes[i] |= (uint8_t)(kept >= 8 ? 0 : 0xff >> kept);
	}
	return range;
}

struct address_range range_of_address(const struct address *address)
{
	return (struct address_range){*address, *address};
}

/* ------------------------------------------------------------------ building */

/** Does b begin inside a, or right behind it? a begins no later than b. */
static bool joins(const struct address_range *a, const struct address_range *b)
{
	struct address behind;
	if (a->first.family != b->first.family)
		return false;
	return !next_address(&a->last, &behind) || address_compare(&b->first, &behind) <= 0;
}

/** Put a range at the end that begins no earlier than the last one does. */
static void append(struct arena *arena, struct prefix_set *set, const struct address_range *range)
{
	struct address_range *end = set->count ? &set->ranges[set->count - 1] : NULL;
	if (end && joins(end, range)) {
		end->last = *later(&end->last, &range->last);
		return;
	}
	set->ranges = arena_grow(arena, set->ranges, &set->capacity, set->count, sizeof(*set->ranges));
	set->ranges[set->count++] = *range;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct address_range *left = a, *right = b;
	return address_compare(&left->first, &right->first);
}

struct prefix_set prefix_set_of_ranges(struct arena *arena, const struct address_range *ranges, size_t count)
{
	struct prefix_set set = {0};
	if (!count)
		return set;
	struct address_range *sorted = xmalloc(count * sizeof(*sorted));
	memcpy(sorted, ranges, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_ranges);
	for (size_t i = 0; i < count; i++)
		append(arena, &set, &sorted[i]);
	free(sorted);
	return set;
}

struct prefix_set prefix_set_of_prefixes(struct arena *arena, const struct prefix *prefixes, size_t count)
{
	if (!count)
		return (struct prefix_set){0};
	struct address_range *ranges = xmalloc(count * sizeof(*ranges));
	for (size_t i = 0; i < count; i++)
		ranges[i] = prefix_range(&prefixes[i]);
	struct prefix_set set = prefix_set_of_ranges(arena, ranges, count);
	free(ranges);
	return set;
}

void prefix_set_add(struct arena *arena, struct prefix_set *set, const struct address_range *range)
{
	if (!set->count || address_compare(&set->ranges[set->count - 1].first, &range->first) <= 0) {
		append(arena, set, range);
		return;
	}
	struct prefix_set one = {.ranges = (struct address_range[]){*range}, .count = 1};
	*set = prefix_set_union(arena, set, &one);
}

void prefix_set_add_prefix(struct arena *arena, struct prefix_set *set, const struct prefix *prefix)
{
	struct address_range range = prefix_range(prefix);
	prefix_set_add(arena, set, &range);
}

/* ------------------------------------------------------------------ arithmetic */

struct prefix_set prefix_set_union(struct arena *arena, const struct prefix_set *a, const struct prefix_set *b)
{
	struct prefix_set out = {0};
	size_t i = 0, k = 0;
	while (i < a->count || k < b->count) {
		bool from_a = k == b->count ||
			      (i < a->count && address_compare(&a->ranges[i].first, &b->ranges[k].first) <= 0);
		append(arena, &out, from_a ? &a->ranges[i++] : &b->ranges[k++]);
	}
	return out;
}

struct prefix_set prefix_set_intersection(struct arena *arena, const struct prefix_set *a, const struct prefix_set *b)
{
	struct prefix_set out = {0};
	for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
		const struct address_range *left = &a->ranges[i], *right = &b->ranges[k];
		struct address_range both = {*later(&left->first, &right->first), *earlier(&left->last, &right->last)};
		if (address_compare(&both.first, &both.last) <= 0)
			append(arena, &out, &both);
		if (address_compare(&left->last, &right->last) < 0)
			i++;
		else
			k++;
	}
	return out;
}

/** Append what is left of one range without those of b from *k on; *k moves to the first that may matter to the next range. */
static void append_rest(struct arena *arena, struct prefix_set *out, struct address_range rest,
			const struct prefix_set *b, size_t *k)
{
	for (; *k < b->count; (*k)++) {
		const struct address_range *cut = &b->ranges[*k];
		if (address_compare(&cut->last, &rest.first) < 0)
			continue;
		if (address_compare(&rest.last, &cut->first) < 0)
			break;
		if (address_compare(&rest.first, &cut->first) < 0) {
			struct address_range before = {rest.first, previous_address(&cut->first)};
			append(arena, out, &before);
		}
		if (address_compare(&rest.last, &cut->last) <= 0)
			return;
		next_address(&cut->last, &rest.first); /* there is one: rest.last lies behind */
	}
	append(arena, out, &rest);
}

struct prefix_set prefix_set_difference(struct arena *arena, const struct prefix_set *a, const struct prefix_set *b)
{
	struct prefix_set out = {0};
	size_t k = 0;
	for (size_t i = 0; i < a->count; i++)
		append_rest(arena, &out, a->ranges[i], b, &k);
	return out;
}

/* ------------------------------------------------------------------ questions */

bool prefix_set_equal(const struct prefix_set *a, const struct prefix_set *b)
{
	bool equal = a->count == b->count;
	for (size_t i = 0; equal && i < a->count; i++)
		equal = address_equal(&a->ranges[i].first, &b->ranges[i].first) &&
			address_equal(&a->ranges[i].last, &b->ranges[i].last);
	return equal;
}

/** The first range that does not end before the address; NULL behind all. */
static const struct address_range *find_range(const struct prefix_set *set, const struct address *address)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (address_compare(&set->ranges[middle].last, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count ? &set->ranges[low] : NULL;
}

bool prefix_set_contains(const struct prefix_set *set, const struct address *address)
{
	const struct address_range *found = find_range(set, address);
	return found && address_compare(&found->first, address) <= 0;
}

enum cover prefix_set_covers(const struct prefix_set *set, const struct address_range *range)
{
	const struct address_range *found = find_range(set, &range->first);
	if (!found || address_compare(&range->last, &found->first) < 0)
		return COVER_NONE;
	bool whole =
		address_compare(&found->first, &range->first) <= 0 && address_compare(&range->last, &found->last) <= 0;
	return whole ? COVER_WHOLE : COVER_PART;
}

enum cover prefix_set_covers_prefix(const struct prefix_set *set, const struct prefix *prefix)
{
	struct address_range range = prefix_range(prefix);
	return prefix_set_covers(set, &range);
}

/** The lower 64 bits of last - first, or UINT64_MAX where the difference is no less than that. */
static uint64_t distance(const struct address_range *range)
{
	uint64_t high = 0, low = 0;
	unsigned borrow = 0;
	for (unsigned i = 16; i-- > 0;) {
		unsigned shift = (15 - i) % 8 * 8;
		unsigned digit = 256u + range->last.bytes[i] - range->first.bytes[i] - borrow;
		borrow = digit < 256;
		*(i < 8 ? &high : &low) |= (uint64_t)(digit & 0xff) << shift;
	}
	if (range->first.family == 4) /* its four bytes come first */
		return high >> 32;
	return high ? UINT64_MAX : low;
}

uint64_t prefix_set_size(const struct prefix_set *set, uint8_t family)
{
	uint64_t size = 0;
	for (size_t i = 0; i < set->count; i++) {
		if (set->ranges[i].first.family != family)
			continue;
		uint64_t less_one = distance(&set->ranges[i]);
		if (less_one >= UINT64_MAX - 1 - size)
			return UINT64_MAX;
		size += less_one + 1;
	}
	return size;
}

/* ------------------------------------------------------------------ as prefixes */

void prefix_list_add(struct arena *arena, struct prefix_list *list, const struct prefix *prefix)
{
	list->items = arena_grow(arena, list->items, &list->capacity, list->count, sizeof(*list->items));
	list->items[list->count++] = *prefix;
}

/** Is the bit-th bit (0 is the most significant) set? */
static bool has_bit(const struct address *address, unsigned bit)
{
	return (address->bytes[bit / 8] >> (7 - bit % 8)) & 1;
}

/** The largest prefix that begins where the range does, and does not reach beyond it. */
static struct prefix first_prefix(const struct address_range *range)
{
	struct prefix best = {range->first, (uint8_t)(family_bytes(&range->first) * 8)};
	while (best.length > 0 && !has_bit(&range->first, best.length - 1u)) {
		struct prefix larger = {range->first, (uint8_t)(best.length - 1)};
		struct address_range covered = prefix_range(&larger);
		if (address_compare(&range->last, &covered.last) < 0)
			break;
		best = larger;
	}
	return best;
}

struct prefix_list prefix_set_prefixes(struct arena *arena, const struct prefix_set *set)
{
	struct prefix_list list = {0};
	for (size_t i = 0; i < set->count; i++) {
		struct address_range rest = set->ranges[i];
		bool more = true;
		while (more) {
			struct prefix prefix = first_prefix(&rest);
			struct address_range covered = prefix_range(&prefix);
			prefix_list_add(arena, &list, &prefix);
			more = address_compare(&covered.last, &rest.last) < 0 &&
			       next_address(&covered.last, &rest.first);
		}
	}
	return list;
}
