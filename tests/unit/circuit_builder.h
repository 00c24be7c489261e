#ifndef MARSPROBE_TESTS_CIRCUIT_BUILDER_H
#define MARSPROBE_TESTS_CIRCUIT_BUILDER_H

/* Reports about a circuit for tests, from tables written as a few words. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/strbuf.h"
#include "probe/routes/coverage_make.h"

/** Routes, one a line: [-]PREFIX NEXT_HOP PATH,WITH,COMMAS [COMMUNITY...]. '-': not used; "." for an empty path; "eth1!" is a device. */
static inline void build_table(struct arena *arena, enum table_kind kind, const char *text, struct route_table *out)
{
	char *rest = arena_strdup(arena, text), *word_rest = NULL;
	*out = (struct route_table){.kind = kind, .format = "bgp_json"};
	out->source = kind == TABLE_CIRCUIT ? "circuit.json" : kind == TABLE_ROUTER ? "edge.json" : "this machine";
	for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct table_route route = {.best = *line != '-'};
		const char *prefix = strtok_r(line + !route.best, " ", &word_rest),
			   *hop = strtok_r(NULL, " ", &word_rest);
		char *path = strtok_r(NULL, " ", &word_rest);
		bool device = hop && strchr(hop, '!') != NULL;
		if (!prefix || !hop || !path || !route_prefix_parse(prefix, true, &route.prefix))
			continue;
		for (char *c = path; *c; c++)
			*c = *c == ',' || *c == '.' ? ' ' : *c;
		route.as_path = path + strspn(path, " ");
		if (device)
			route.device = arena_strndup(arena, hop, strlen(hop) - 1);
		else
			route.next_hop = hop;
		for (const char *one; (one = strtok_r(NULL, " ", &word_rest)) != NULL;)
			text_list_add(arena, &route.communities, one);
		out->routes = arena_grow(arena, out->routes, &out->capacity, out->count, sizeof(*out->routes));
		out->routes[out->count++] = route;
	}
}

/** What a test says of a circuit; NULL: no such table. */
struct circuit_case {
	const char *circuit, *router, *second_router, *machine;
	const char *hop, *interface;
	const char *inventory; /* "12076:55004 13.82.1.0/24 13.82.2.0/24\n..." */
};

static inline void build_inventory(struct arena *arena, const char *text, struct inventory *out)
{
	char *rest = arena_strdup(arena, text), *word_rest = NULL;
	*out = (struct inventory){.source = "communities.json"};
	for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct inventory_community one = {.value = strtok_r(line, " ", &word_rest)};
		struct prefix prefix;
		for (const char *word; (word = strtok_r(NULL, " ", &word_rest)) != NULL;)
			if (prefix_parse(word, &prefix))
				prefix_list_add(arena, &one.prefixes, &prefix);
		out->communities =
			arena_grow(arena, out->communities, &out->capacity, out->count, sizeof(*out->communities));
		out->communities[out->count++] = one;
	}
}

/** A report with that circuit, for East US, not judged. */
static inline struct report *build_circuit(const struct circuit_case *given)
{
	struct report *report = report_new();
	struct arena *arena = report->arena;
	struct route_table tables[4];
	struct inventory inventory;
	struct coverage_input input = {.region = "eus", .circuit_interface = given->interface, .tables = tables};
	if (given->hop)
		text_list_add(arena, &input.circuit_hops, given->hop);
	if (given->circuit)
		build_table(arena, TABLE_CIRCUIT, given->circuit, &tables[input.table_count++]);
	if (given->router)
		build_table(arena, TABLE_ROUTER, given->router, &tables[input.table_count++]);
	if (given->second_router) {
		build_table(arena, TABLE_ROUTER, given->second_router, &tables[input.table_count]);
		tables[input.table_count++].source = "edge2.json";
	}
	if (given->machine)
		build_table(arena, TABLE_MACHINE, given->machine, &tables[input.table_count++]);
	if (given->inventory) {
		build_inventory(arena, given->inventory, &inventory);
		input.inventory = &inventory;
	}
	report->coverage = arena_alloc(arena, sizeof(*report->coverage));
	coverage_make(arena, &input, report->coverage);
	return report;
}

#endif
