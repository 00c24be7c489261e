#ifndef MARSPROBE_ROUTES_REQUIRED_H
#define MARSPROBE_ROUTES_REQUIRED_H

/* Which prefixes and communities the backup agent needs of a circuit. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/prefix_set.h"

struct arena;
struct coverage;
struct inventory;

/** Prefixes of one service, and who says that they are its own. */
struct service_prefixes {
	const char *service; /* "entra" | "backup" | "storage" */
	const char *source;
	struct prefix_list prefixes;
};

/**
 * Append the prefixes that are needed, without views: the documented ones of Entra in the public cloud (required), what Microsoft 365's set 56
 * has besides (recommended), and those of Backup and Storage in the region, from the service tags given, else from the inventory's communities.
 *
 * Input   tags: any number; inventory NULL: none. region: a code of targets/region.def.
 * Limits  REQUIRED_PREFIXES_MAX; what is beyond is left out.
 * Source  facts of the product's documents: the two /18s; Microsoft 365 URL and IP list, set 56.
 */
void required_prefixes(struct arena *arena, const struct service_prefixes *tags, size_t tag_count,
		       const struct inventory *inventory, const char *region, struct coverage *out);
enum { REQUIRED_PREFIXES_MAX = 4096 };

/** Append the communities that a circuit's route filter needs for that region, of unknown state. An unknown region has Entra's alone. */
void required_communities(struct arena *arena, const char *region, struct coverage *out);

/** The cloud that a region belongs to: "public" (also for a code that nobody knows), "usgov", "china", or "other" (closed or air-gapped). */
const char *region_cloud(const char *region);

/** "12076:55004" for 55 and "eus"; NULL for a region that the list does not have. */
const char *regional_community(struct arena *arena, int family, const char *region);

#endif
