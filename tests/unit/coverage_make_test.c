#include "probe/routes/coverage_make.h"

#include <stdio.h>

#include "tests/unit/check.h"
#include "tests/unit/circuit_builder.h"

static void add_list(struct strbuf *out, const char *name, const struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		strbuf_printf(out, "%s%s", i ? "," : name, list->items[i]);
}

/** "TABLE: COVER missing ... elsewhere ... unused ... default" of one prefix, for each table. */
static const char *views_of(const struct report *report, const char *prefix)
{
	struct strbuf out;
	const struct coverage *coverage = report->coverage;
	strbuf_init(&out);
	for (size_t i = 0; i < coverage->prefix_count; i++)
		for (size_t k = 0; k < coverage->prefixes[i].view_count; k++) {
			const struct coverage_view *view = &coverage->prefixes[i].views[k];
			if (strcmp(coverage->prefixes[i].prefix, prefix) != 0)
				continue;
			strbuf_printf(&out, "%s%s: %s", out.length ? "; " : "",
				      table_kind_text(coverage->tables[view->table].kind), cover_text(view->circuit));
			add_list(&out, " missing ", &view->missing);
			add_list(&out, " elsewhere ", &view->elsewhere);
			add_list(&out, " unused ", &view->unused);
			strbuf_add(&out, view->default_only ? " default" : "");
		}
	const char *copy = arena_strdup(report->arena, out.data);
	strbuf_free(&out);
	return copy;
}

#define P18 "20.190.128.0/18"
static const struct {
	struct circuit_case given;
	const char *prefix, *wanted;
} cases[] = {
	{{.router = P18 " 203.0.113.2 12076,8075"}, P18, "router: whole"},
	{{.router = "20.190.128.0/19 203.0.113.2 12076,8075\n20.190.160.0/19 203.0.113.2 12076"}, P18, "router: whole"},
	{{.router = "20.190.0.0/16 203.0.113.2 12076"}, P18, "router: whole"},
	{{.router = "20.190.128.0/19 203.0.113.2 12076"}, P18, "router: part missing 20.190.160.0/19"},
	{{.router = "20.190.146.0/25 203.0.113.2 12076"},
	 P18,
	 "router: part missing "
	 "20.190.128.0/20,20.190.144.0/23,20.190.146.128/25,20.190.147.0/24,20.190.148.0/22,20.190.152.0/"
	 "21,20.190.160.0/19"},
	{{.router = "0.0.0.0/0 198.51.100.1 64510"}, P18, "router: none missing " P18 " default"},
	{{.router = "10.0.0.0/8 203.0.113.2 12076"}, P18, "router: none missing " P18},
	/* a longer prefix beats the circuit's, a preferred one beats its like */
	{{.router = P18 " 203.0.113.2 12076\n20.190.128.0/20 198.51.100.1 64510,8075"},
	 P18,
	 "router: part missing 20.190.128.0/20 elsewhere 20.190.128.0/20 unused 20.190.128.0/20"},
	{{.router = "-" P18 " 203.0.113.2 12076\n" P18 " 198.51.100.1 64510,8075"},
	 P18,
	 "router: none missing " P18 " elsewhere " P18 " unused " P18},
	{{.router = P18 " 203.0.113.2 12076\n-" P18 " 198.51.100.1 64510,8075"}, P18, "router: whole"},
	{{.router = "20.190.0.0/16 198.51.100.1 64510\n" P18 " 203.0.113.2 12076"}, P18, "router: whole"},
	/* the circuit is told by its AS, by a community, or by its hop */
	{{.router = P18 " 203.0.113.2 65001,12076"}, P18, "router: none missing " P18 " elsewhere " P18},
	{{.router = P18 " 203.0.113.2 65001,12076 12076:5060"}, P18, "router: whole"},
	{{.router = P18 " 203.0.113.2 65001,12076", .hop = "203.0.113.2"}, P18, "router: whole"},
	/* the circuit's own table */
	{{.circuit = P18 " 10.0.0.1 12076,8075\n198.51.100.0/24 203.0.113.1 64500"}, P18, "circuit: whole"},
	{{.circuit = P18 " 10.0.0.1 64500"}, P18, "circuit: none missing " P18}, /* ours: nonsense, and no coverage */
	{{.circuit = P18 " 10.0.0.1 ."}, P18, "circuit: whole"},
	/* this machine's: only where it has an end of the circuit */
	{{.machine = P18 " eth1! ."}, P18, "machine: none missing " P18 " elsewhere " P18},
	{{.machine = P18 " eth1! .", .interface = "eth1"}, P18, "machine: whole"},
	{{.machine = P18 " 203.0.113.2 .", .hop = "203.0.113.2"}, P18, "machine: whole"},
	{{.machine = "0.0.0.0/0 eth0! .", .interface = "eth1"}, P18, "machine: none missing " P18 " default"},
	{{.circuit = P18 " 10.0.0.1 12076", .router = "20.190.160.0/19 203.0.113.2 12076"},
	 P18,
	 "circuit: whole; router: part missing 20.190.128.0/19"},
	/* IPv6 */
	{{.router = "2603:1006::/32 2001:db8::2 12076"}, "2603:1006:2000::/48", "router: whole"},
	/* what the inventory lists */
	{{.router = "13.82.1.0/25 203.0.113.2 12076",
	  .inventory = "12076:55004 13.82.1.0/24\n12076:52004 52.239.0.0/17"},
	 "13.82.1.0/24",
	 "router: part missing 13.82.1.128/25"},
};

static void test_views(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct report *report = build_circuit(&cases[i].given);
		CHECK_TEXT(views_of(report, cases[i].prefix), cases[i].wanted);
		report_free(report);
	}
}

/** "unknown absent present part": Entra, region, Storage, Backup. */
static const char *states_of(const struct report *report)
{
	struct strbuf out;
	strbuf_init(&out);
	for (size_t i = 0; i < report->coverage->community_count; i++)
		strbuf_printf(&out, "%s%s", i ? " " : "", community_state_text(report->coverage->communities[i].state));
	const char *copy = arena_strdup(report->arena, out.data);
	strbuf_free(&out);
	return copy;
}

#define LISTED "12076:5060 20.190.128.0/18 40.126.0.0/18\n12076:55004 13.82.1.0/24\n12076:52004 52.239.0.0/17"
static const struct {
	struct circuit_case given;
	const char *wanted;
} states[] = {
	{{.router = P18 " 203.0.113.2 12076"}, "unknown unknown unknown unknown"},
	{{.router = P18 " 203.0.113.2 12076 12076:5060"}, "present absent absent absent"},
	{{.router = P18 " 203.0.113.2 12076 12076:5060", .inventory = LISTED}, "part absent absent absent"},
	{{.circuit = P18 " 203.0.113.2 12076\n13.82.0.0/16 10.0.0.1 12076", .inventory = LISTED},
	 "part unknown absent present"},
	{{.machine = P18 " eth1! .", .inventory = LISTED}, "unknown unknown unknown unknown"},
	{{.router = P18 " 198.51.100.1 64510 64510:100"}, "unknown unknown unknown unknown"},
};

static void test_states(void)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		struct report *report = build_circuit(&states[i].given);
		CHECK_TEXT(states_of(report), states[i].wanted);
		report_free(report);
	}
}

static void test_tables(void)
{
	struct report *report = build_circuit(
		&(struct circuit_case){.circuit = "198.51.100.0/25 203.0.113.1 64500\n198.51.100.128/25 203.0.113.1 "
						  "64500\n10.1.0.0/16 203.0.113.1 64500\n" P18 " 10.0.0.1 12076",
				       .router = "0.0.0.0/0 198.51.100.1 64510\n10.50.0.0/16 203.0.113.2 "
						 "12076\n10.51.0.0/16 203.0.113.2 12076"});
	const struct coverage *coverage = report->coverage;
	const struct coverage_table *circuit = &coverage->tables[0], *router = &coverage->tables[1];
	CHECK_INT(circuit->routes, 4);
	CHECK_INT(circuit->public_routes, 3);
	CHECK_INT(circuit->circuit_routes, 1);
	CHECK(!circuit->private_circuit && !circuit->has_default && circuit->tells_way);
	CHECK_INT(router->circuit_routes, 0);
	CHECK(router->private_circuit && router->has_default && router->default_way == ROUTE_WAY_INTERNET);
	CHECK_INT(coverage->own_count, 3);
	CHECK_INT(coverage->own_prefixes.count, 1);
	CHECK_TEXT(coverage->own_prefixes.items[0], "198.51.100.0/24");
	CHECK_TEXT(coverage->region_name, "East US");
	report_free(report);
}

static void test_both_ways(void)
{
	struct report *report = build_circuit(&(struct circuit_case){
		.router = P18 " 203.0.113.2 12076\n-" P18 " 198.51.100.1 64510,8075\n40.126.0.0/18 203.0.113.2 12076"});
	CHECK_INT(report->coverage->both_ways.count, 1);
	CHECK_TEXT(report->coverage->both_ways.items[0], P18);
	report_free(report);
}

/** Every code of the list is one of the regions. */
static void test_regions(void)
{
	struct arena *arena = arena_new();
	CHECK_TEXT(regional_community(arena, 55, "eus"), "12076:55004");
	CHECK_TEXT(regional_community(arena, 51, "NWW"), "12076:51043");
	CHECK(regional_community(arena, 51, "sdc") == NULL && regional_community(arena, 51, NULL) == NULL);
	CHECK_TEXT(region_cloud("UGV"), "usgov");
	CHECK_TEXT(region_cloud("sha2"), "china");
	CHECK_TEXT(region_cloud("xyz"), "public");
	struct coverage gov = {.region = "ugv"}, china = {.region = "bjb"};
	required_prefixes(arena, NULL, 0, NULL, "ugv", &gov);
	required_communities(arena, "ugv", &gov);
	CHECK_INT(gov.prefix_count, 0);
	CHECK_INT(gov.community_count, 2);
	CHECK_TEXT(gov.communities[0].value, "12076:5160");
	CHECK_TEXT(gov.communities[1].value, "12076:51105");
	required_communities(arena, "bjb", &china);
	CHECK_INT(china.community_count, 0);
	arena_free(arena);
}

int main(void)
{
	test_views();
	test_states();
	test_tables();
	test_both_ways();
	test_regions();
	return check_summary();
}
