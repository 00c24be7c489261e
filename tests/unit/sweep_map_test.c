#include "probe/core/sweep_map.h"

#include "probe/core/arena.h"
#include "tests/unit/check.h"

static const struct sweep_kind open_kind = {SWEEP_OPEN, NULL, NOT_MEASURED, NOT_MEASURED};
static const struct sweep_kind silent = {SWEEP_FILTERED, NULL, NOT_MEASURED, NOT_MEASURED};

static struct sweep_map map_of(struct arena *arena, const char *text)
{
	struct prefix range;
	struct sweep_map map = {0};
	CHECK(prefix_parse(text, &range));
	CHECK(sweep_map_init(arena, &range, &map));
	return map;
}

static void set_all(struct arena *arena, struct sweep_map *map, uint32_t first, uint32_t count,
		    const struct sweep_kind *kind)
{
	for (uint32_t i = first; i < first + count; i++)
		sweep_map_set(arena, map, i, kind);
}

static void test_limits(void)
{
	static const struct {
		const char *range;
		bool fits;
		uint32_t count;
	} rows[] = {
		{"20.190.128.0/18", true, 16384}, {"10.0.0.1/32", true, 1},	{"13.64.0.0/14", true, 262144},
		{"13.64.0.0/13", false, 0},	  {"0.0.0.0/0", false, 0},	{"2001:db8::/120", true, 256},
		{"2001:db8::/110", true, 262144}, {"2001:db8::/64", false, 0},	{"::/0", false, 0},
		{"2001:db8::/109", false, 0},	  {"20.190.128.0/31", true, 2},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct prefix range;
		struct sweep_map map = {0};
		CHECK(prefix_parse(rows[i].range, &range));
		CHECK_INT(sweep_map_init(arena, &range, &map), rows[i].fits);
		CHECK_INT(map.count, rows[i].count);
		arena_free(arena);
	}
}

static void test_an_odd_block_folds_into_its_prefixes(void)
{
	static const char *const wanted[] = {"10.0.0.0/30", "10.0.0.4/32",  "10.0.0.5/32",  "10.0.0.6/31",
					     "10.0.0.8/30", "10.0.0.12/32", "10.0.0.13/32", "10.0.0.14/31"};
	struct arena *arena = arena_new();
	struct sweep_map map = map_of(arena, "10.0.0.0/28");
	struct sweep sweep = {0};
	set_all(arena, &map, 0, 16, &open_kind);
	set_all(arena, &map, 5, 8, &silent);
	sweep_map_fold(arena, &map, &sweep);
	CHECK_INT(sweep.addresses, 16);
	CHECK_INT(sweep.counts[SWEEP_OPEN], 8);
	CHECK_INT(sweep.counts[SWEEP_FILTERED], 8);
	CHECK_INT(sweep.prefix_count, 8);
	for (size_t i = 0; i < 8 && i < sweep.prefix_count; i++) {
		CHECK_TEXT(sweep.prefixes[i].prefix, wanted[i]);
		CHECK_INT(sweep.prefixes[i].state, i >= 2 && i <= 5 ? SWEEP_FILTERED : SWEEP_OPEN);
	}
	arena_free(arena);
}

static void test_senders_are_told_apart(void)
{
	const struct sweep_kind kinds[] = {{SWEEP_PROHIBITED, "10.9.1.1", 3, 13},
					   {SWEEP_PROHIBITED, "10.9.1.2", 3, 13},
					   {SWEEP_PROHIBITED, "10.9.1.2", 3, 10}};
	struct arena *arena = arena_new();
	struct sweep_map map = map_of(arena, "10.0.0.0/30");
	struct sweep sweep = {0};
	for (uint32_t i = 0; i < 3; i++)
		sweep_map_set(arena, &map, i, &kinds[i]);
	sweep_map_fold(arena, &map, &sweep);
	CHECK_INT(sweep.prefix_count, 3);
	CHECK_TEXT(sweep.prefixes[1].from, "10.9.1.2");
	CHECK_INT(sweep.prefixes[2].icmp_code, 10);
	CHECK_INT(sweep.counts[SWEEP_UNTRIED], 1);
	arena_free(arena);
}

/* More senders than can be told apart: the state of none is lost. */
static void test_many_senders(void)
{
	struct arena *arena = arena_new();
	struct sweep_map map = map_of(arena, "10.0.0.0/22");
	struct sweep sweep = {0};
	for (uint32_t i = 0; i < map.count; i++) {
		struct sweep_kind kind = {SWEEP_UNREACHABLE, arena_printf(arena, "10.%u.0.1", i), 3, 1};
		sweep_map_set(arena, &map, i, i % 2 ? &kind : &open_kind);
	}
	sweep_map_fold(arena, &map, &sweep);
	CHECK_INT(sweep.counts[SWEEP_UNREACHABLE], 512);
	CHECK_INT(sweep.counts[SWEEP_OPEN], 512);
	CHECK(sweep_map_state(&map, 1023) == SWEEP_UNREACHABLE && map.kind_count <= SWEEP_KINDS_MAX);
	arena_free(arena);
}

/* What a report holds goes back to the same addresses, and nothing else. */
static void check_taken(const char *range)
{
	struct arena *arena = arena_new();
	struct sweep_map map = map_of(arena, range), again = map_of(arena, range);
	const struct sweep_kind rejected = {SWEEP_PROHIBITED, "10.9.1.1", 3, 13};
	struct sweep sweep = {0}, later = {0};
	set_all(arena, &map, 3, 30, &open_kind);
	set_all(arena, &map, 64, 64, &rejected);
	sweep_map_fold(arena, &map, &sweep);
	sweep_map_take(arena, &again, &sweep);
	for (uint32_t i = 0; i < map.count; i++)
		if (sweep_map_state(&map, i) != sweep_map_state(&again, i))
			CHECK_INT(i, UINT32_MAX);
	sweep_map_fold(arena, &again, &later);
	CHECK_INT(later.prefix_count, sweep.prefix_count);
	CHECK_INT(later.counts[SWEEP_PROHIBITED], 64);
	CHECK_INT(later.counts[SWEEP_UNTRIED], (int64_t)map.count - 94);
	arena_free(arena);
}

static void test_what_is_no_part_of_it_is_not_taken(void)
{
	static struct sweep_prefix prefixes[] = {{"10.0.1.0/24", SWEEP_OPEN, NULL, 0, 0},
						 {"10.0.0.0/23", SWEEP_OPEN, NULL, 0, 0},
						 {"2001:db8::/126", SWEEP_OPEN, NULL, 0, 0},
						 {"nonsense", SWEEP_OPEN, NULL, 0, 0},
						 {NULL, SWEEP_OPEN, NULL, 0, 0},
						 {"10.0.0.8/31", SWEEP_UNTRIED, NULL, 0, 0},
						 {"10.0.0.255/32", SWEEP_REFUSED, NULL, 0, 0}};
	const struct sweep known = {.prefixes = prefixes, .prefix_count = sizeof(prefixes) / sizeof(prefixes[0])};
	struct arena *arena = arena_new();
	struct sweep_map map = map_of(arena, "10.0.0.0/24");
	struct sweep sweep = {0};
	sweep_map_take(arena, &map, &known);
	sweep_map_fold(arena, &map, &sweep);
	CHECK_INT(sweep.counts[SWEEP_UNTRIED], 255);
	CHECK_INT(sweep.counts[SWEEP_REFUSED], 1);
	arena_free(arena);
}

int main(void)
{
	test_limits();
	test_an_odd_block_folds_into_its_prefixes();
	test_senders_are_told_apart();
	test_many_senders();
	check_taken("10.0.0.0/24");
	check_taken("2001:db8::ff00/120");
	check_taken("20.190.128.0/25");
	test_what_is_no_part_of_it_is_not_taken();
	return check_summary();
}
