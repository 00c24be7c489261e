#include "probe/routes/machine_routes.h"

#include <stdio.h>
#include <stdlib.h>

#include "probe/core/arena.h"
#include "probe/os/os_machine.h"

struct machine_reader {
	struct arena *arena;
	struct route_table *table;
	uint32_t *metrics; /* of each route, until the best are known */
	size_t metrics_capacity;
};

static void take(const struct os_route_row *row, void *user)
{
	struct machine_reader *reader = user;
	struct route_table *table = reader->table;
	char text[PREFIX_TEXT_BYTES + 16];
	struct table_route route = {.best = true};
	snprintf(text, sizeof(text), "%s/%d", row->network, row->length);
	if (table->count == ROUTES_MAX || !route_prefix_parse(text, false, &route.prefix))
		return;
	route.next_hop = row->next_hop[0] ? arena_strdup(reader->arena, row->next_hop) : NULL;
	route.device = arena_strdup(reader->arena, row->device);
	reader->metrics = arena_grow(reader->arena, reader->metrics, &reader->metrics_capacity, table->count,
				     sizeof(*reader->metrics));
	reader->metrics[table->count] = row->metric;
	table->routes =
		arena_grow(reader->arena, table->routes, &table->capacity, table->count, sizeof(*table->routes));
	table->routes[table->count++] = route;
}

/** For the order: a route and its metric. */
struct ranked {
	struct table_route *route;
	uint32_t metric;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;
	int order = address_compare(&left->route->prefix.base, &right->route->prefix.base);
	if (order)
		return order;
	if (left->route->prefix.length != right->route->prefix.length)
		return left->route->prefix.length < right->route->prefix.length ? -1 : 1;
	return left->metric < right->metric ? -1 : left->metric > right->metric;
}

static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->length == b->length && address_equal(&a->base, &b->base);
}

/** Of several routes to one network those with the lowest metric are used. */
static void find_best(struct machine_reader *reader)
{
	size_t count = reader->table->count;
	struct ranked *order = xmalloc((count + 1) * sizeof(*order)), *first = order;
	for (size_t i = 0; i < count; i++)
		order[i] = (struct ranked){&reader->table->routes[i], reader->metrics[i]};
	qsort(order, count, sizeof(*order), compare);
	for (size_t i = 0; i < count; i++) {
		if (!same_prefix(&order[i].route->prefix, &first->route->prefix))
			first = &order[i];
		order[i].route->best = order[i].metric == first->metric;
	}
	free(order);
}

bool machine_routes(struct arena *arena, struct route_table *out)
{
	struct machine_reader reader = {.arena = arena, .table = out};
	*out = (struct route_table){.kind = TABLE_MACHINE, .source = "this machine", .format = "system"};
	if (!os_routes(take, &reader))
		return false;
	find_best(&reader);
	return true;
}
