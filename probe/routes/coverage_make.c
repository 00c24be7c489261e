#include "probe/routes/coverage_make.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "targets/targets.h"

enum { BITS_MAX = 128, AS_CIRCUIT = 12076 };

/** One table while it is looked at. */
struct table_work {
	struct arena *arena;
	const struct coverage_input *input;
	const struct route_table *table;
	struct coverage_table *out;
	const struct table_route **relevant; /* its routes for the needed prefixes, no default ones; longest first */
	enum route_way *ways;		     /* of all its routes */
	size_t relevant_count;
	struct prefix_set circuit, other; /* where its best routes send the needed addresses */
	struct prefix_set offered;	  /* what any route over the circuit leads to, used or not */
};

/* ------------------------------------------------------------------ one route */

/** The AS next to us; 0 where there is none. */
static unsigned long first_as(const struct table_route *route)
{
	return route->as_path ? strtoul(route->as_path, NULL, 10) : 0;
}

/** Microsoft's (12076, 8075, 8068 ...) and those that its private peering uses (65515-65520). */
static bool is_microsoft(unsigned long as)
{
	return as == AS_CIRCUIT || (as >= 8068 && as <= 8075) || (as >= 65515 && as <= 65520);
}

static bool is_default(const struct table_route *route)
{
	return route->prefix.length == 0;
}

static bool is_private(const struct table_route *route)
{
	const struct address *base = &route->prefix.base;
	return address_is_private(base) || address_is_link_local(base) || address_is_loopback(base) ||
	       base->bytes[0] == 0xff || (base->family == 4 && base->bytes[0] >= 224);
}

/** In the circuit's own table: a network that the customer announces there. */
static bool is_own(const struct table_work *work, const struct table_route *route)
{
	unsigned long as = first_as(route);
	return work->table->kind == TABLE_CIRCUIT && as != 0 && !is_microsoft(as);
}

static bool has_microsoft_community(const struct table_route *route)
{
	for (size_t i = 0; i < route->communities.count; i++)
		if (strncmp(route->communities.items[i], "12076:", 6) == 0)
			return true;
	return false;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static enum route_way way_of(const struct table_work *work, const struct table_route *route)
{
	const struct coverage_input *input = work->input;
	bool by_hop = coverage_is_hop(&input->circuit_hops, route->next_hop);
	switch (work->table->kind) {
	case TABLE_CIRCUIT:
		return is_own(work, route) || is_default(route) ? ROUTE_WAY_UNKNOWN : ROUTE_WAY_CIRCUIT;
	case TABLE_ROUTER:
		if (by_hop || first_as(route) == AS_CIRCUIT || has_microsoft_community(route))
			return ROUTE_WAY_CIRCUIT;
		return first_as(route) ? ROUTE_WAY_INTERNET : ROUTE_WAY_UNKNOWN;
	case TABLE_MACHINE:
		if (by_hop || same_text(route->device, input->circuit_interface))
			return ROUTE_WAY_CIRCUIT;
		return work->out->tells_way ? ROUTE_WAY_INTERNET : ROUTE_WAY_UNKNOWN;
	}
	return ROUTE_WAY_UNKNOWN;
}

/** This machine's routes tell the circuit only if it has an end here. */
static bool tells_way(const struct table_work *work)
{
	const struct route_table *table = work->table;
	if (table->kind != TABLE_MACHINE)
		return true;
	for (size_t i = 0; i < table->count; i++)
		if (coverage_is_hop(&work->input->circuit_hops, table->routes[i].next_hop))
			return true;
	return work->input->circuit_interface != NULL;
}

/* ------------------------------------------------------------------ one table */

static void count_route(struct table_work *work, const struct table_route *route, enum route_way way)
{
	struct coverage_table *out = work->out;
	if (is_default(route)) {
		if (route->best && (!out->has_default || way == ROUTE_WAY_CIRCUIT))
			out->default_way = way;
		out->has_default |= route->best;
		return;
	}
	out->public_routes += !is_private(route);
	out->circuit_routes += !is_private(route) && way == ROUTE_WAY_CIRCUIT;
	out->private_circuit |= is_private(route) && (way == ROUTE_WAY_CIRCUIT || work->table->kind == TABLE_CIRCUIT);
	out->has_communities |= way == ROUTE_WAY_CIRCUIT && has_microsoft_community(route);
	out->has_ipv6 |= way == ROUTE_WAY_CIRCUIT && route->prefix.base.family == 6 && !is_private(route);
}

static int compare_lengths(const void *a, const void *b)
{
	const struct table_route *left = *(const struct table_route *const *)a,
				 *right = *(const struct table_route *const *)b;
	if (left->prefix.length != right->prefix.length)
		return left->prefix.length > right->prefix.length ? -1 : 1;
	int order = address_compare(&left->prefix.base, &right->prefix.base);
	if (order)
		return order;
	if (left->best != right->best)
		return left->best ? -1 : 1;
	return left < right ? -1 : left > right; /* as they stand in the table */
}

static enum route_way known_way(const struct table_work *work, const struct table_route *route)
{
	return work->ways[route - work->table->routes];
}

static void find_relevant(struct table_work *work, const struct prefix_set *needed)
{
	const struct route_table *table = work->table;
	size_t capacity = 0;
	work->ways = arena_alloc(work->arena, (table->count + 1) * sizeof(*work->ways));
	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];
		work->ways[i] = way_of(work, route);
		count_route(work, route, work->ways[i]);
		if (is_default(route) || is_own(work, route) ||
		    prefix_set_covers_prefix(needed, &route->prefix) == COVER_NONE)
			continue;
		work->relevant = arena_grow(work->arena, work->relevant, &capacity, work->relevant_count,
					    sizeof(*work->relevant));
		work->relevant[work->relevant_count++] = route;
	}
	if (work->relevant_count)
		qsort(work->relevant, work->relevant_count, sizeof(*work->relevant), compare_lengths);
}

/** The addresses of the best routes from first to before end that lead by the circuit, or by another way. */
static struct prefix_set set_of(const struct table_work *work, size_t first, size_t end, bool circuit)
{
	struct prefix *prefixes = xmalloc((end - first) * sizeof(*prefixes));
	size_t count = 0;
	for (size_t i = first; i < end; i++)
		if (work->relevant[i]->best && (known_way(work, work->relevant[i]) == ROUTE_WAY_CIRCUIT) == circuit)
			prefixes[count++] = work->relevant[i]->prefix;
	struct prefix_set set = prefix_set_of_prefixes(work->arena, prefixes, count);
	free(prefixes);
	return set;
}

/* Longest prefix first: what a longer one has taken, a shorter one does not get. Of two best routes with one prefix (multipath) the
 * circuit's counts. */
static void follow_routes(struct table_work *work)
{
	struct arena *arena = work->arena;
	struct prefix_set taken = {0};
	for (size_t first = 0, end; first < work->relevant_count; first = end) {
		for (end = first; end < work->relevant_count &&
				  work->relevant[end]->prefix.length == work->relevant[first]->prefix.length;)
			end++;
		struct prefix_set circuit = set_of(work, first, end, true), other = set_of(work, first, end, false);
		circuit = prefix_set_difference(arena, &circuit, &taken);
		taken = prefix_set_union(arena, &taken, &circuit);
		other = prefix_set_difference(arena, &other, &taken);
		taken = prefix_set_union(arena, &taken, &other);
		work->circuit = prefix_set_union(arena, &work->circuit, &circuit);
		work->other = prefix_set_union(arena, &work->other, &other);
	}
}

/* ------------------------------------------------------------------ one table's view of one prefix */

static void add_set(struct arena *arena, struct text_list *list, const struct prefix_set *set)
{
	char text[PREFIX_TEXT_BYTES];
	struct prefix_list prefixes = prefix_set_prefixes(arena, set);
	for (size_t i = 0; i < prefixes.count; i++)
		text_list_add(arena, list, arena_strdup(arena, prefix_format(&prefixes.items[i], text)));
}

static void add_route(struct table_work *work, struct coverage_view *view, const struct table_route *route)
{
	char text[PREFIX_TEXT_BYTES];
	struct arena *arena = work->arena;
	if (view->route_count == COVERAGE_ROUTES_MAX)
		return;
	view->routes = arena_grow(arena, view->routes, &view->route_capacity, view->route_count, sizeof(*view->routes));
	view->routes[view->route_count++] = (struct coverage_route){
		.prefix = arena_strdup(arena, prefix_format(&route->prefix, text)),
		.next_hop = route->next_hop && *route->next_hop ? route->next_hop : route->device,
		.as_path = route->as_path,
		.communities = route->communities,
		.way = known_way(work, route),
		.best = route->best};
}

static void find_offered(struct table_work *work)
{
	struct prefix_list list = {0};
	for (size_t i = 0; i < work->relevant_count; i++)
		if (known_way(work, work->relevant[i]) == ROUTE_WAY_CIRCUIT)
			prefix_list_add(work->arena, &list, &work->relevant[i]->prefix);
	work->offered = prefix_set_of_prefixes(work->arena, list.items, list.count);
}

/** Does one of the two hold the other? */
static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, &b->base) || prefix_contains(b, &a->base);
}

/** The routes for it; says whether the circuit and another way both have some. */
static bool add_routes(struct table_work *work, const struct prefix *prefix, struct coverage_view *view)
{
	bool circuit = false, other = false;
	for (size_t i = 0; i < work->relevant_count; i++) {
		const struct table_route *route = work->relevant[i];
		if (!overlap(&route->prefix, prefix))
			continue;
		circuit |= known_way(work, route) == ROUTE_WAY_CIRCUIT;
		other |= known_way(work, route) == ROUTE_WAY_INTERNET;
		add_route(work, view, route);
	}
	return circuit && other;
}

static void add_view(struct table_work *work, int table, struct coverage *coverage, struct coverage_prefix *needed)
{
	struct arena *arena = work->arena;
	struct coverage_view view = {.table = table};
	struct prefix prefix;
	if (!prefix_parse(needed->prefix, &prefix))
		return;
	struct prefix_set whole = prefix_set_of_prefixes(arena, &prefix, 1);
	struct prefix_set missing = prefix_set_difference(arena, &whole, &work->circuit);
	struct prefix_set elsewhere = prefix_set_intersection(arena, &missing, &work->other);
	struct prefix_set unused = prefix_set_intersection(arena, &missing, &work->offered);
	view.circuit = prefix_set_covers_prefix(&work->circuit, &prefix);
	add_set(arena, &view.missing, &missing);
	add_set(arena, &view.elsewhere, &elsewhere);
	add_set(arena, &view.unused, &unused);
	if (add_routes(work, &prefix, &view) && !text_list_has(&coverage->both_ways, needed->prefix))
		text_list_add(arena, &coverage->both_ways, needed->prefix);
	view.default_only = !view.route_count && work->out->has_default;
	needed->views =
		arena_grow(arena, needed->views, &needed->view_capacity, needed->view_count, sizeof(*needed->views));
	needed->views[needed->view_count++] = view;
}

/* ------------------------------------------------------------------ communities, our own prefixes */

static void count_communities(const struct table_work *work, struct coverage *coverage)
{
	for (size_t i = 0; i < work->table->count; i++)
		for (size_t k = 0; work->ways[i] == ROUTE_WAY_CIRCUIT && k < coverage->community_count; k++)
			coverage->communities[k].routes +=
				text_list_has(&work->table->routes[i].communities, coverage->communities[k].value);
}

static void find_own(const struct table_work *work, struct coverage *coverage, struct prefix_set *own)
{
	int count = 0;
	for (size_t i = 0; i < work->table->count; i++) {
		const struct table_route *route = &work->table->routes[i];
		if (!is_own(work, route) || is_default(route))
			continue;
		count++;
		if (!is_private(route))
			prefix_set_add_prefix(work->arena, own, &route->prefix);
	}
	/* the two lines of a circuit have a session and a table each */
	coverage->own_count = count > coverage->own_count ? count : coverage->own_count;
}

/** What the inventory lists of a community, and the circuit does not carry. */
static void compare_inventory(struct arena *arena, const struct inventory *inventory, const struct prefix_set *circuit,
			      struct coverage_community *community)
{
	const struct inventory_community *listed = inventory ? inventory_find(inventory, community->value) : NULL;
	if (!listed || !listed->prefixes.count)
		return;
	struct prefix_set all = prefix_set_of_prefixes(arena, listed->prefixes.items, listed->prefixes.count);
	struct prefix_set missing = prefix_set_difference(arena, &all, circuit);
	add_set(arena, &community->missing, &missing);
	if (!missing.count)
		community->state = COMMUNITY_PRESENT;
	else
		community->state = prefix_set_equal(&missing, &all) ? COMMUNITY_ABSENT : COMMUNITY_PART;
}

/** circuit NULL: no table tells what goes over it. */
static void judge_communities(struct arena *arena, const struct coverage_input *input, const struct prefix_set *circuit,
			      struct coverage *out)
{
	bool shown = false;
	for (size_t i = 0; i < out->table_count; i++)
		shown |= out->tables[i].has_communities;
	for (size_t i = 0; i < out->community_count; i++) {
		struct coverage_community *one = &out->communities[i];
		if (circuit)
			compare_inventory(arena, input->inventory, circuit, one);
		if (one->routes)
			one->state = one->state == COMMUNITY_PART ? COMMUNITY_PART : COMMUNITY_PRESENT;
		else if (shown)
			one->state = COMMUNITY_ABSENT;
	}
}

/* ------------------------------------------------------------------ the whole */

/** All addresses that the arithmetic is about: the needed prefixes, and what the inventory lists of the needed communities. */
static struct prefix_set needed_addresses(struct arena *arena, const struct coverage_input *input,
					  const struct coverage *coverage)
{
	struct prefix_list list = {0};
	struct prefix prefix;
	for (size_t i = 0; i < coverage->prefix_count; i++)
		if (prefix_parse(coverage->prefixes[i].prefix, &prefix))
			prefix_list_add(arena, &list, &prefix);
	for (size_t i = 0; input->inventory && i < coverage->community_count; i++) {
		const struct inventory_community *one =
			inventory_find(input->inventory, coverage->communities[i].value);
		for (size_t k = 0; one && k < one->prefixes.count; k++)
			prefix_list_add(arena, &list, &one->prefixes.items[k]);
	}
	return prefix_set_of_prefixes(arena, list.items, list.count);
}

static void look_at(struct table_work *work, const struct prefix_set *needed, struct coverage *out)
{
	int index = (int)(work->out - out->tables);
	*work->out = (struct coverage_table){.kind = work->table->kind,
					     .source = work->table->source,
					     .format = work->table->format,
					     .routes = (int)work->table->count};
	work->out->tells_way = tells_way(work);
	find_relevant(work, needed);
	work->out->private_circuit = work->out->private_circuit && !work->out->circuit_routes;
	follow_routes(work);
	find_offered(work);
	for (size_t i = 0; i < out->prefix_count; i++)
		add_view(work, index, out, &out->prefixes[i]);
	count_communities(work, out);
}

/** The nearest to this server that can tell decides what the circuit carries for it. */
static bool counts_more(const struct coverage_table *table, const struct coverage_table *best)
{
	static const int rank[] = {[TABLE_CIRCUIT] = 1, [TABLE_MACHINE] = 2, [TABLE_ROUTER] = 3};
	return table->tells_way && (!best || rank[table->kind] > rank[best->kind]);
}

void coverage_make(struct arena *arena, const struct coverage_input *input, struct coverage *out)
{
	struct prefix_set own = {0}, circuit = {0};
	const struct coverage_table *best = NULL;
	*out = (struct coverage){.region = input->region,
				 .region_name = targets_region_name(input->region),
				 .circuit_hops = input->circuit_hops,
				 .circuit_interface = input->circuit_interface};
	required_prefixes(arena, input->tags, input->tag_count, input->inventory, input->region, out);
	required_communities(arena, input->region, out);
	struct prefix_set needed = needed_addresses(arena, input, out);
	out->tables = arena_alloc(arena, (input->table_count + 1) * sizeof(*out->tables));
	out->table_count = out->table_capacity = input->table_count;
	for (size_t i = 0; i < input->table_count; i++) {
		struct table_work work = {
			.arena = arena, .input = input, .table = &input->tables[i], .out = &out->tables[i]};
		look_at(&work, &needed, out);
		find_own(&work, out, &own);
		if (counts_more(work.out, best)) {
			best = work.out;
			circuit = work.circuit;
		}
	}
	add_set(arena, &out->own_prefixes, &own);
	judge_communities(arena, input, best ? &circuit : NULL, out);
}
