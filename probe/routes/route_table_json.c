/* Routes in JSON: Azure's {network, nextHop, path}, and FRR's {"routes": {PREFIX: [...]}} and {"prefix": ..., "paths": [...]}. */

#include <jansson.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/routes/route_table.h"
#include "probe/routes/walk_json.h"

struct json_routes {
	struct route_reader *reader;
	bool understood; /* something that holds routes was seen, though it may be empty */
};

static size_t line_of(const struct json_walk *walk)
{
	size_t depth = walk->depth < JSON_WALK_DEPTH_MAX ? walk->depth : JSON_WALK_DEPTH_MAX;
	return walk->first_line + scan_find_line(walk->text, walk->length, walk->steps, depth);
}

static void add(struct json_walk *walk, const struct table_route *route)
{
	struct json_routes *routes = walk->user;
	if (routes->reader->table->count < ROUTES_MAX)
		route_reader_add(routes->reader, 0, route);
	else
		walk->failed = !route_reader_add(routes->reader, line_of(walk), route);
}

/* ------------------------------------------------------------------ Azure */

static bool visit_azure(struct json_walk *walk, json_t *object)
{
	struct json_routes *routes = walk->user;
	struct arena *arena = routes->reader->arena;
	const char *network = json_walk_text_of(object, "network"), *path = json_walk_text_of(object, "path");
	if (!network || !json_walk_member(object, "nextHop"))
		return false;
	struct table_route route = {.best = true,
				    .next_hop = arena_strdup(arena, json_walk_text_of(object, "nextHop")),
				    .as_path = arena_strdup(arena, path ? path : "")};
	routes->reader->table->format = "azure_json";
	if (route_prefix_parse(network, false, &route.prefix))
		add(walk, &route);
	else
		json_walk_fail(walk, "\"network\" is no prefix such as 20.190.128.0/18");
	return true;
}

/* ------------------------------------------------------------------ FRR */

/** "12076 8075", or {"string": "12076 8075"}; "Local" is the router's own. */
static const char *path_text(struct arena *arena, json_t *path)
{
	const char *text = json_string_value(json_object_get(path, "path"));
	json_t *aspath = json_object_get(path, "aspath");
	if (!text)
		text = json_is_object(aspath) ? json_string_value(json_object_get(aspath, "string"))
					      : json_string_value(aspath);
	return arena_strdup(arena, text && strcmp(text, "Local") != 0 ? text : "");
}

static const char *next_hop(struct arena *arena, json_t *path)
{
	json_t *hops = json_object_get(path, "nexthops"), *first = NULL;
	for (size_t i = 0; i < json_array_size(hops); i++) {
		json_t *hop = json_array_get(hops, i);
		if (!first || json_is_true(json_object_get(hop, "used")))
			first = hop;
	}
	return arena_strdup(arena, json_string_value(json_object_get(first, "ip")));
}

/** bestpath is true, or {"overall": true}, or a member of the path's own table. */
static bool is_best(json_t *path)
{
	json_t *best = json_object_get(path, "bestpath");
	return json_is_true(best) || json_is_true(json_object_get(best, "overall")) ||
	       json_is_true(json_object_get(path, "multipath"));
}

/** {"string": "12076:5060 12076:51004", "list": [...]}, or the text alone. */
static void read_communities(struct arena *arena, json_t *path, struct route_table *table, struct table_route *route)
{
	json_t *community = json_object_get(path, "community");
	const char *text = json_is_object(community) ? json_string_value(json_object_get(community, "string"))
						     : json_string_value(community);
	if (text)
		route_add_communities(arena, &route->communities, text);
	/* the short form never has them: only what has some, or is the long form, can lack one */
	table->has_communities |= community || json_is_object(json_object_get(path, "aspath"));
}

static void read_path(struct json_walk *walk, const char *prefix, json_t *path)
{
	struct route_reader *reader = ((struct json_routes *)walk->user)->reader;
	struct table_route route = {.best = is_best(path),
				    .as_path = path_text(reader->arena, path),
				    .next_hop = next_hop(reader->arena, path)};
	const char *own = json_string_value(json_object_get(path, "network"));
	read_communities(reader->arena, path, reader->table, &route);
	if (!json_is_object(path))
		json_walk_fail(walk, "a path that is no object");
	else if (route_prefix_parse(prefix, true, &route.prefix) ||
		 (own && route_prefix_parse(own, true, &route.prefix)))
		add(walk, &route);
	else
		json_walk_fail(walk, "no prefix such as 20.190.128.0/18");
}

/** The paths of one prefix: an array, or an object that has them. */
static void read_paths(struct json_walk *walk, const char *prefix, json_t *paths)
{
	if (json_is_object(paths) && json_is_array(json_object_get(paths, "paths")))
		paths = json_object_get(paths, "paths");
	if (!json_is_array(paths))
		json_walk_fail(walk, "must be an array of paths");
	for (size_t i = 0; i < json_array_size(paths) && !walk->failed; i++) {
		json_walk_enter(walk, NULL, i);
		read_path(walk, prefix, json_array_get(paths, i));
		json_walk_leave(walk);
	}
}

static void read_routes(struct json_walk *walk, json_t *routes)
{
	const char *prefix;
	json_t *paths;
	json_walk_enter(walk, "routes", 0);
	json_object_foreach(routes, prefix, paths)
	{
		if (walk->failed)
			break;
		json_walk_enter(walk, prefix, 0);
		read_paths(walk, prefix, paths);
		json_walk_leave(walk);
	}
	json_walk_leave(walk);
}

static bool visit_frr(struct json_walk *walk, json_t *object)
{
	struct route_table *table = ((struct json_routes *)walk->user)->reader->table;
	json_t *routes = json_object_get(object, "routes"), *paths = json_object_get(object, "paths");
	const char *prefix = json_string_value(json_object_get(object, "prefix"));
	if (json_is_object(routes)) {
		table->format = "bgp_json";
		read_routes(walk, routes);
	} else if (prefix && json_is_array(paths)) {
		table->format = "bgp_json";
		json_walk_enter(walk, "paths", 0);
		read_paths(walk, prefix, paths);
		json_walk_leave(walk);
	} else {
		return false;
	}
	return true;
}

static bool visit(struct json_walk *walk, json_t *object)
{
	struct json_routes *routes = walk->user;
	bool taken = visit_azure(walk, object) || visit_frr(walk, object);
	routes->understood |= taken || json_is_array(json_walk_member(object, "value"));
	return taken;
}

bool route_table_read_json(struct route_reader *reader)
{
	struct json_routes routes = {.reader = reader};
	struct json_walk walk = {.visit = visit, .user = &routes};
	reader->table->format = "azure_json";
	if (!json_walk_text(&walk, reader->file, reader->text, reader->length, reader->err))
		return false;
	if (routes.understood || strspn(reader->text, "[] \t\r\n") == reader->length)
		return true;
	return route_reader_fail(reader, 1,
				 "JSON without routes: neither network and nextHop (`az network express-route "
				 "list-route-tables`) nor routes or paths (FRR's `show bgp ipv4 unicast json`)");
}
