#include "probe/core/sweep_map.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/prefix_set.h"

static unsigned host_bits(const struct prefix *range)
{
	return (range->base.family == 4 ? 32u : 128u) - range->length;
}

bool sweep_map_init(struct arena *arena, const struct prefix *range, struct sweep_map *out)
{
	unsigned bits = host_bits(range);
	if (bits >= 32 || (uint32_t)1 << bits > SWEEP_ADDRESSES_MAX)
		return false;
	*out = (struct sweep_map){.range = *range, .count = (uint32_t)1 << bits, .kind_count = 1};
	out->kind_of = arena_alloc(arena, out->count);
	return true;
}

static bool same_kind(const struct sweep_kind *a, const struct sweep_kind *b)
{
	bool same_from = a->from == b->from || (a->from && b->from && strcmp(a->from, b->from) == 0);
	return a->state == b->state && same_from && a->icmp_type == b->icmp_type && a->icmp_code == b->icmp_code;
}

/* The index of that behaviour, SWEEP_KINDS_MAX where there is no room for a new one. */
static size_t index_of(struct arena *arena, struct sweep_map *map, const struct sweep_kind *kind)
{
	for (size_t i = 1; i < map->kind_count; i++)
		if (same_kind(&map->kinds[i], kind))
			return i;
	/* one place for each state is kept, for those whose sender has no place any more */
	if (map->kind_count + (kind->from ? SWEEP_STATES : 0) >= SWEEP_KINDS_MAX)
		return SWEEP_KINDS_MAX;
	map->kinds[map->kind_count] = *kind;
	map->kinds[map->kind_count].from = arena_strdup(arena, kind->from);
	return map->kind_count++;
}

void sweep_map_set(struct arena *arena, struct sweep_map *map, uint32_t offset, const struct sweep_kind *kind)
{
	const struct sweep_kind nameless = {kind->state, NULL, NOT_MEASURED, NOT_MEASURED};
	size_t index = index_of(arena, map, kind);
	map->kind_of[offset] = (uint8_t)(index < SWEEP_KINDS_MAX ? index : index_of(arena, map, &nameless));
}

enum sweep_state sweep_map_state(const struct sweep_map *map, uint32_t offset)
{
	return map->kinds[map->kind_of[offset]].state;
}

struct address sweep_map_address(const struct sweep_map *map, uint32_t offset)
{
	return address_add(&map->range.base, offset);
}

/* ------------------------------------------------------------------ folding */

static void fold_run(struct arena *arena, const struct sweep_map *map, uint32_t first, uint32_t last, struct sweep *out)
{
	const struct sweep_kind *kind = &map->kinds[map->kind_of[first]];
	struct arena *scratch = arena_new();
	struct address_range range = {sweep_map_address(map, first), sweep_map_address(map, last)};
	struct prefix_set set = prefix_set_of_ranges(scratch, &range, 1);
	struct prefix_list list = prefix_set_prefixes(scratch, &set);
	char text[PREFIX_TEXT_BYTES];
	for (size_t i = 0; i < list.count; i++) {
		out->prefixes = arena_grow(arena, out->prefixes, &out->prefix_capacity, out->prefix_count,
					   sizeof(*out->prefixes));
		out->prefixes[out->prefix_count++] =
			(struct sweep_prefix){arena_strdup(arena, prefix_format(&list.items[i], text)), kind->state,
					      kind->from, kind->icmp_type, kind->icmp_code};
	}
	arena_free(scratch);
}

void sweep_map_fold(struct arena *arena, const struct sweep_map *map, struct sweep *out)
{
	out->addresses = map->count;
	memset(out->counts, 0, sizeof(out->counts));
	out->prefixes = NULL;
	out->prefix_count = out->prefix_capacity = 0;
	for (uint32_t first = 0, next; first < map->count; first = next) {
		for (next = first + 1; next < map->count && map->kind_of[next] == map->kind_of[first];)
			next++;
		out->counts[map->kinds[map->kind_of[first]].state] += next - first;
		if (map->kind_of[first])
			fold_run(arena, map, first, next - 1, out);
	}
}

/* ------------------------------------------------------------------ taking */

/* Where the prefix begins in the range; false where it is not inside. */
static bool offset_in(const struct sweep_map *map, const struct prefix *prefix, uint32_t *out)
{
	unsigned bits = host_bits(&map->range);
	size_t bytes = map->range.base.family == 4 ? 4 : 16;
	uint32_t low = 0;
	if (prefix->length < map->range.length || !prefix_contains(&map->range, &prefix->base))
		return false;
	for (size_t i = bytes - 4; i < bytes; i++)
		low = low << 8 | prefix->base.bytes[i];
	*out = low & (((uint32_t)1 << bits) - 1);
	return true;
}

void sweep_map_take(struct arena *arena, struct sweep_map *map, const struct sweep *known)
{
	for (size_t i = 0; i < known->prefix_count; i++) {
		const struct sweep_prefix *one = &known->prefixes[i];
		struct sweep_kind kind = {one->state, one->from, one->icmp_type, one->icmp_code};
		struct prefix prefix;
		uint32_t first;
		if (!one->prefix || one->state == SWEEP_UNTRIED || !prefix_parse(one->prefix, &prefix) ||
		    !offset_in(map, &prefix, &first))
			continue;
		for (uint32_t k = 0; k < (uint32_t)1 << host_bits(&prefix); k++)
			sweep_map_set(arena, map, first + k, &kind);
	}
}
