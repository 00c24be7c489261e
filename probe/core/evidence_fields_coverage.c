#include "probe/core/coverage.h"
#include "probe/core/evidence_fields.h"

/* The words of each enum, behind one signature. */
#define WORDS(name, type)                                      \
	static const char *name##_word(const void *field)      \
	{                                                      \
		return name##_text(*(const type *)field);      \
	}                                                      \
	static bool name##_take(const char *text, void *field) \
	{                                                      \
		return name##_parse(text, (type *)field);      \
	}                                                      \
	static const struct field_words name##_words = {name##_word, name##_take}

WORDS(table_kind, enum table_kind);
WORDS(route_way, enum route_way);
WORDS(cover, enum cover);
WORDS(community_state, enum community_state);

static const struct field table_rows[] = {
	ROW("kind", WORD, coverage_table, kind, .words = &table_kind_words, .required = true),
	ROW("source", TEXT, coverage_table, source, .required = true),
	ROW("format", TEXT, coverage_table, format),
	ROW("routes", COUNT, coverage_table, routes),
	ROW("public_routes", COUNT, coverage_table, public_routes),
	ROW("circuit_routes", COUNT, coverage_table, circuit_routes),
	ROW("has_communities", BOOL, coverage_table, has_communities),
	ROW("tells_way", BOOL, coverage_table, tells_way),
	ROW("private_circuit", BOOL, coverage_table, private_circuit),
	ROW("has_default", BOOL, coverage_table, has_default),
	ROW("default_way", WORD, coverage_table, default_way, .words = &route_way_words),
	ROW("has_ipv6", BOOL, coverage_table, has_ipv6),
};
static const struct field_shape table_shape = SHAPE(table_rows, coverage_table);

static const struct field route_rows[] = {
	ROW("prefix", TEXT, coverage_route, prefix, .required = true),
	ROW("next_hop", TEXT, coverage_route, next_hop),
	ROW("as_path", TEXT, coverage_route, as_path),
	ROW("communities", TEXTS, coverage_route, communities),
	ROW("way", WORD, coverage_route, way, .words = &route_way_words),
	ROW("best", BOOL, coverage_route, best),
};
static const struct field_shape route_shape = SHAPE(route_rows, coverage_route);

static const struct field view_rows[] = {
	ROW("table", COUNT, coverage_view, table),
	ROW("circuit", WORD, coverage_view, circuit, .words = &cover_words, .required = true),
	ROW("missing", TEXTS, coverage_view, missing),
	ROW("elsewhere", TEXTS, coverage_view, elsewhere),
	ROW("unused", TEXTS, coverage_view, unused),
	ROW("default_only", BOOL, coverage_view, default_only),
	ROW("routes", LIST, coverage_view, routes, .shape = &route_shape,
	    GROWING(coverage_view, route_count, route_capacity)),
};
static const struct field_shape view_shape = SHAPE(view_rows, coverage_view);

static const struct field prefix_rows[] = {
	ROW("service", TEXT, coverage_prefix, service, .required = true),
	ROW("prefix", TEXT, coverage_prefix, prefix, .required = true),
	ROW("source", TEXT, coverage_prefix, source, .required = true),
	ROW("required", BOOL, coverage_prefix, required),
	ROW("views", LIST, coverage_prefix, views, .shape = &view_shape,
	    GROWING(coverage_prefix, view_count, view_capacity)),
};
static const struct field_shape prefix_shape = SHAPE(prefix_rows, coverage_prefix);

static const struct field community_rows[] = {
	ROW("value", TEXT, coverage_community, value, .required = true),
	ROW("service", TEXT, coverage_community, service, .required = true),
	ROW("name", TEXT, coverage_community, name, .required = true),
	ROW("state", WORD, coverage_community, state, .words = &community_state_words),
	ROW("routes", COUNT, coverage_community, routes),
	ROW("missing", TEXTS, coverage_community, missing),
};
static const struct field_shape community_shape = SHAPE(community_rows, coverage_community);

static const struct field host_rows[] = {
	ROW("host", TEXT, coverage_host, host, .required = true),
	ROW("port", PORT, coverage_host, port),
	ROW("service", TEXT, coverage_host, service, .required = true),
	ROW("by_circuit", BOOL, coverage_host, by_circuit),
	ROW("why", TEXT, coverage_host, why),
	ROW("addresses", TEXTS, coverage_host, addresses),
};
static const struct field_shape host_shape = SHAPE(host_rows, coverage_host);

static const struct field coverage_rows[] = {
	ROW("region", TEXT, coverage, region),
	ROW("region_name", TEXT, coverage, region_name),
	ROW("circuit_hops", TEXTS, coverage, circuit_hops),
	ROW("circuit_interface", TEXT, coverage, circuit_interface),
	ROW("tables", LIST, coverage, tables, .shape = &table_shape, GROWING(coverage, table_count, table_capacity)),
	ROW("prefixes", LIST, coverage, prefixes, .shape = &prefix_shape,
	    GROWING(coverage, prefix_count, prefix_capacity)),
	ROW("communities", LIST, coverage, communities, .shape = &community_shape,
	    GROWING(coverage, community_count, community_capacity)),
	ROW("own_prefixes", TEXTS, coverage, own_prefixes),
	ROW("own_routes", COUNT, coverage, own_count),
	ROW("both_ways", TEXTS, coverage, both_ways),
	ROW("hosts", LIST, coverage, hosts, .shape = &host_shape, GROWING(coverage, host_count, host_capacity)),
};
const struct field_shape coverage_shape = SHAPE(coverage_rows, coverage);
