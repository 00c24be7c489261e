#ifndef MARSPROBE_CORE_SWEEP_MAP_H
#define MARSPROBE_CORE_SWEEP_MAP_H

/* What is known of each address of a range, in a byte each; and the same, folded into prefixes of one behaviour. Pure. */

#include "probe/core/address.h"
#include "probe/core/sweep.h"

/* A named limit: what is more is no check of a way any more. Four times the largest range that the documents name for these services. */
enum { SWEEP_ADDRESSES_MAX = 1 << 18, SWEEP_KINDS_MAX = 200 };

/** One behaviour. */
struct sweep_kind {
	enum sweep_state state;
	const char *from; /* as in struct sweep_prefix */
	int icmp_type, icmp_code;
};

struct sweep_map {
	struct prefix range;
	uint32_t count;	  /* addresses in it */
	uint8_t *kind_of; /* by their offset in the range: an index of kinds; 0: untried */
	struct sweep_kind kinds[SWEEP_KINDS_MAX];
	size_t kind_count;
};

/** All of it untried. False where the range has more than SWEEP_ADDRESSES_MAX addresses. Memory: the arena's. */
bool sweep_map_init(struct arena *arena, const struct prefix *range, struct sweep_map *out);

/**
 * This is how the address at that offset behaves.
 *
 * Memory  kind->from is copied into the arena where it is new. With more than SWEEP_KINDS_MAX senders the later ones are not told apart.
 */
void sweep_map_set(struct arena *arena, struct sweep_map *map, uint32_t offset, const struct sweep_kind *kind);

enum sweep_state sweep_map_state(const struct sweep_map *map, uint32_t offset);

/** The address at that offset. */
struct address sweep_map_address(const struct sweep_map *map, uint32_t offset);

/** Fill in addresses, counts and prefixes: the smallest list of prefixes with one behaviour each. Memory: the arena's. */
void sweep_map_fold(struct arena *arena, const struct sweep_map *map, struct sweep *out);

/** Take what an earlier report knows of these addresses; prefixes outside the range and bad texts count for nothing. */
void sweep_map_take(struct arena *arena, struct sweep_map *map, const struct sweep *known);

#endif
