#ifndef MARSPROBE_ROUTES_COVERAGE_MAKE_H
#define MARSPROBE_ROUTES_COVERAGE_MAKE_H

/* From tables of routes to what they say of the prefixes that are needed. Pure. */

#include "probe/core/coverage.h"
#include "probe/routes/inventory.h"
#include "probe/routes/required.h"
#include "probe/routes/route_table.h"

struct coverage_input {
	const char *region;
	struct text_list circuit_hops;
	const char *circuit_interface; /* NULL: not given */
	const struct route_table *tables;
	size_t table_count;
	const struct inventory *inventory; /* NULL: none */
	const struct service_prefixes *tags;
	size_t tag_count;
};

/**
 * Fill in everything but the hosts: which of the needed prefixes each table sends over the circuit, by the longest prefix of the routes that
 * are used, and which communities are there.
 *
 * Output   *out is overwritten. Texts are the arena's or the input's.
 * Cost     for each table the lengths of its prefixes (at most 161) times what it holds of the needed prefixes.
 */
void coverage_make(struct arena *arena, const struct coverage_input *input, struct coverage *out);

#endif
