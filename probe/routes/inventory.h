#ifndef MARSPROBE_ROUTES_INVENTORY_H
#define MARSPROBE_ROUTES_INVENTORY_H

/* Which prefixes stand behind a BGP community: `az network route-filter rule list-service-communities`, `Get-AzBgpServiceCommunity |
 * ConvertTo-Json -Depth 5`, and the REST answer, whose inner lists stand below "properties". Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/address.h"
#include "probe/core/err.h"
#include "probe/core/prefix_set.h"

struct arena;

enum { INVENTORY_COMMUNITIES_MAX = 20000, INVENTORY_PREFIXES_MAX = 1000000 };

struct inventory_community {
	const char *value; /* "12076:51004" */
	const char *name;  /* "Azure East US"; may be NULL */
	struct prefix_list prefixes;
};

struct inventory {
	const char *source; /* the file */
	struct inventory_community *communities;
	size_t count, capacity;
	size_t prefix_count; /* of all together */
};

/**
 * Read the inventory: length bytes of JSON, and a terminator that length does not count.
 *
 * Memory  in the arena.
 * Errors  false with "FILE:LINE: reason": no JSON, no community in it, a prefix that is none, more than the limits.
 */
bool inventory_read(struct arena *arena, const char *file, const char *text, size_t length, struct inventory *out,
		    struct err *err);

/** The community of that value, NULL if there is none. */
const struct inventory_community *inventory_find(const struct inventory *inventory, const char *value);

#endif
