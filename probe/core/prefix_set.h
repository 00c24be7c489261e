#ifndef MARSPROBE_CORE_PREFIX_SET_H
#define MARSPROBE_CORE_PREFIX_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/address.h"

struct arena;

/** Addresses of one family, both ends included; first is not behind last. */
struct address_range {
	struct address first, last;
};

/**
 * A set of addresses of both families, and its arithmetic: what counts is which addresses are in it, not how they were written down.
 *
 * Form    sorted, disjoint, and no two ranges touch: equal sets have equal ranges. {0} is the empty set. Only the functions below write it.
 * Memory  in the arena that was given, and as long as that. A result shares nothing with what it was made from.
 */
struct prefix_set {
	struct address_range *ranges;
	size_t count, capacity;
};

/** What part of a range a set holds. */
enum cover { COVER_NONE, COVER_PART, COVER_WHOLE };

/** Prefixes in the order of their addresses. */
struct prefix_list {
	struct prefix *items;
	size_t count, capacity;
};

/** The first and the last address of a prefix. */
struct address_range prefix_range(const struct prefix *prefix);
struct address_range range_of_address(const struct address *address);

/** The set of many ranges or prefixes, in any order, that may overlap: for more than some hundred this is the fast way. */
struct prefix_set prefix_set_of_ranges(struct arena *arena, const struct address_range *ranges, size_t count);
struct prefix_set prefix_set_of_prefixes(struct arena *arena, const struct prefix *prefixes, size_t count);

/** Put one more into a set: as long as the set in the worst case, at once where it belongs at the end. */
void prefix_set_add(struct arena *arena, struct prefix_set *set, const struct address_range *range);
void prefix_set_add_prefix(struct arena *arena, struct prefix_set *set, const struct prefix *prefix);

/** In a or in b; in a and in b; in a and not in b. In the time that it takes to read both. */
struct prefix_set prefix_set_union(struct arena *arena, const struct prefix_set *a, const struct prefix_set *b);
struct prefix_set prefix_set_intersection(struct arena *arena, const struct prefix_set *a, const struct prefix_set *b);
struct prefix_set prefix_set_difference(struct arena *arena, const struct prefix_set *a, const struct prefix_set *b);

bool prefix_set_equal(const struct prefix_set *a, const struct prefix_set *b);

/** By bisection. */
bool prefix_set_contains(const struct prefix_set *set, const struct address *address);
enum cover prefix_set_covers(const struct prefix_set *set, const struct address_range *range);
enum cover prefix_set_covers_prefix(const struct prefix_set *set, const struct prefix *prefix);

/** How many addresses of that family (4, 6) it holds; UINT64_MAX for that many and more. */
uint64_t prefix_set_size(const struct prefix_set *set, uint8_t family);

/** The smallest list of CIDR prefixes (RFC 4632) that holds the same addresses, in their order. */
struct prefix_list prefix_set_prefixes(struct arena *arena, const struct prefix_set *set);

void prefix_list_add(struct arena *arena, struct prefix_list *list, const struct prefix *prefix);

#endif
