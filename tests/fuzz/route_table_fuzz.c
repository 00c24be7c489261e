/* Tables of routes that anybody may have written: one is read or gives a message, what is read is whole, and its coverage and judgement hold. */
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/routes/coverage_make.h"
#include "tests/fuzz/must.h"

static void check_table(const struct route_table *table)
{
	MUST(table->format != NULL);
	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];
		struct address_range range = prefix_range(&route->prefix);
		MUST(route->prefix.base.family == 4 ? route->prefix.length <= 32
						    : route->prefix.base.family == 6 && route->prefix.length <= 128);
		MUST(address_equal(&range.first, &route->prefix.base)); /* no host bits */
		MUST(route->communities.count <= ROUTE_COMMUNITIES_MAX);
	}
}

/** What is missing of a prefix lies in it, and with what is not missing makes it whole. */
static void check_view(struct arena *arena, const struct coverage_prefix *needed, const struct coverage_view *view)
{
	struct prefix prefix, one;
	struct prefix_set missing = {0};
	MUST(prefix_parse(needed->prefix, &prefix));
	for (size_t i = 0; i < view->missing.count; i++) {
		MUST(prefix_parse(view->missing.items[i], &one) && prefix_contains(&prefix, &one.base));
		prefix_set_add_prefix(arena, &missing, &one);
	}
	struct prefix_set whole = prefix_set_of_prefixes(arena, &prefix, 1);
	enum cover wanted = !missing.count ? COVER_WHOLE : prefix_set_equal(&missing, &whole) ? COVER_NONE : COVER_PART;
	MUST(view->circuit == wanted);
	MUST(view->route_count <= COVERAGE_ROUTES_MAX);
}

static void check_coverage(const struct route_table *table)
{
	struct report *report = report_new();
	struct coverage_input input = {.region = "eus", .tables = table, .table_count = 1};
	text_list_add(report->arena, &input.circuit_hops, "203.0.113.2");
	report->coverage = arena_alloc(report->arena, sizeof(*report->coverage));
	coverage_make(report->arena, &input, report->coverage);
	for (size_t i = 0; i < report->coverage->prefix_count; i++)
		for (size_t k = 0; k < report->coverage->prefixes[i].view_count; k++)
			check_view(report->arena, &report->coverage->prefixes[i],
				   &report->coverage->prefixes[i].views[k]);
	diagnose(report);
	MUST(!report->readiness.ready || !report->readiness.blocking.count);
	report_free(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct route_table table;
	struct err err = {{0}};
	const char *text = arena_strndup(arena, (const char *)data, size);

	if (route_table_read(arena, size % 2 ? TABLE_ROUTER : TABLE_CIRCUIT, "fuzz", text, size, &table, &err)) {
		check_table(&table);
		check_coverage(&table);
	} else {
		MUST(strncmp(err.text, "fuzz:", strlen("fuzz:")) == 0);
	}
	arena_free(arena);
	return 0;
}
