#include "probe/core/prefix_set.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

static struct arena *arena;

static struct prefix parse(const char *text)
{
	struct prefix prefix = {0};
	CHECK(prefix_parse(text, &prefix));
	return prefix;
}

/** "a/8 b-c d/16" as a set; put together one by one. */
static struct prefix_set set_of(const char *text)
{
	struct prefix_set set = {0};
	char *copy = arena_strdup(arena, text);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		char *dash = strchr(word, '-');
		struct address_range range;
		if (dash) {
			*dash = '\0';
			CHECK(address_parse(word, &range.first) && address_parse(dash + 1, &range.last));
		} else {
			struct prefix prefix = parse(word);
			range = prefix_range(&prefix);
		}
		prefix_set_add(arena, &set, &range);
	}
	return set;
}

static const char *text_of(const struct prefix_set *set)
{
	struct prefix_list list = prefix_set_prefixes(arena, set);
	struct strbuf text;
	char one[PREFIX_TEXT_BYTES];
	strbuf_init(&text);
	for (size_t i = 0; i < list.count; i++)
		strbuf_printf(&text, "%s%s", i ? " " : "", prefix_format(&list.items[i], one));
	const char *copy = arena_strdup(arena, text.data);
	strbuf_free(&text);
	return copy;
}

static const struct {
	const char *in, *out; /* any ranges; the smallest list of prefixes */
} lists[] = {
	{"", ""},
	{"0.0.0.0/0", "0.0.0.0/0"},
	{"::/0", "::/0"},
	{"0.0.0.0/0 ::/0", "0.0.0.0/0 ::/0"},
	{"0.0.0.0/32 255.255.255.255/32", "0.0.0.0/32 255.255.255.255/32"},
	{"255.255.255.255/32 ::/128", "255.255.255.255/32 ::/128"},
	{"0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0"},
	{"128.0.0.0/1 0.0.0.0/1", "0.0.0.0/0"},
	{"20.190.160.0/19 20.190.128.0/19", "20.190.128.0/18"},
	{"20.190.128.0/18 20.190.130.0/24 20.190.128.0/18", "20.190.128.0/18"},
	{"10.0.0.1-10.0.0.6", "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32"},
	{"0.0.0.1-255.255.255.255",
	 "0.0.0.1/32 0.0.0.2/31 0.0.0.4/30 0.0.0.8/29 0.0.0.16/28 0.0.0.32/27 0.0.0.64/26 0.0.0.128/25 0.0.1.0/24 "
	 "0.0.2.0/23 0.0.4.0/22 0.0.8.0/21 0.0.16.0/20 0.0.32.0/19 0.0.64.0/18 0.0.128.0/17 0.1.0.0/16 0.2.0.0/15 "
	 "0.4.0.0/14 0.8.0.0/13 0.16.0.0/12 0.32.0.0/11 0.64.0.0/10 0.128.0.0/9 1.0.0.0/8 2.0.0.0/7 4.0.0.0/6 "
	 "8.0.0.0/5 16.0.0.0/4 32.0.0.0/3 64.0.0.0/2 128.0.0.0/1"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127 8000::/1", "8000::/1"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffd-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffd/128 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
	{"2603:1006:2000::/48 2603:1006:2001::/48", "2603:1006:2000::/47"},
	{"2603:1006:2001::/48 2603:1006:2002::/48", "2603:1006:2001::/48 2603:1006:2002::/48"},
};

static void check_lists(void)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct prefix_set set = set_of(lists[i].in);
		CHECK_TEXT(text_of(&set), lists[i].out);
	}
}

static const struct {
	const char *a, *b, *both, *either, *without;
} sums[] = {
	{"20.190.128.0/18", "20.190.128.0/19", "20.190.128.0/19", "20.190.128.0/18", "20.190.160.0/19"},
	{"20.190.128.0/18 40.126.0.0/18", "0.0.0.0/0", "20.190.128.0/18 40.126.0.0/18", "0.0.0.0/0", ""},
	{"10.0.0.0/30", "10.0.0.1/32 10.0.0.2/32", "10.0.0.1/32 10.0.0.2/32", "10.0.0.0/30", "10.0.0.0/32 10.0.0.3/32"},
	{"0.0.0.0/0", "255.255.255.255/32", "255.255.255.255/32", "0.0.0.0/0", NULL},
	{"::/0", "8000::/1", "8000::/1", "::/0", "::/1"},
	{"::/0", "0.0.0.0/0", "", "0.0.0.0/0 ::/0", "::/0"},
	{"1.0.0.0/8", "2.0.0.0/8", "", "1.0.0.0-2.255.255.255", "1.0.0.0/8"},
	{"", "::/0", "", "::/0", ""},
};

static void check_sums(void)
{
	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++) {
		struct prefix_set a = set_of(sums[i].a), b = set_of(sums[i].b);
		struct prefix_set both = prefix_set_intersection(arena, &a, &b),
				  either = prefix_set_union(arena, &a, &b);
		struct prefix_set without = prefix_set_difference(arena, &a, &b), wanted = set_of(sums[i].either);
		CHECK_TEXT(text_of(&both), sums[i].both);
		CHECK(prefix_set_equal(&either, &wanted));
		if (sums[i].without)
			CHECK_TEXT(text_of(&without), sums[i].without);
		else
			CHECK_INT(prefix_set_size(&without, 4), 0xffffffff);
	}
}

static const struct {
	const char *set, *prefix;
	enum cover cover;
} covers[] = {
	{"20.190.128.0/19 20.190.160.0/19", "20.190.128.0/18", COVER_WHOLE},
	{"20.190.128.0/19", "20.190.128.0/18", COVER_PART},
	{"20.190.191.255/32", "20.190.128.0/18", COVER_PART},
	{"20.190.192.0/32 20.190.127.255/32", "20.190.128.0/18", COVER_NONE},
	{"0.0.0.0/0", "255.255.255.255/32", COVER_WHOLE},
	{"0.0.0.0/32", "0.0.0.0/0", COVER_PART},
	{"0.0.0.0/0", "::/0", COVER_NONE},
	{"::/0", "ffff::/16", COVER_WHOLE},
	{"", "::/0", COVER_NONE},
};

static void check_covers(void)
{
	for (size_t i = 0; i < sizeof(covers) / sizeof(*covers); i++) {
		struct prefix_set set = set_of(covers[i].set);
		struct prefix prefix = parse(covers[i].prefix);
		CHECK_INT(prefix_set_covers_prefix(&set, &prefix), covers[i].cover);
	}
}

static void check_sizes(void)
{
	struct prefix_set all = set_of("0.0.0.0/0 ::/0"), half = set_of("::/64"), less = set_of("::/65 1::/66");
	CHECK(prefix_set_size(&all, 4) == (uint64_t)1 << 32);
	CHECK(prefix_set_size(&all, 6) == UINT64_MAX);
	CHECK(prefix_set_size(&half, 6) == UINT64_MAX);
	CHECK(prefix_set_size(&half, 4) == 0);
	CHECK(prefix_set_size(&less, 6) == ((uint64_t)1 << 63) + ((uint64_t)1 << 62));
	struct prefix_set two = set_of("::/65 2::/65"), short_of = set_of("::-::ffff:ffff:ffff:fffd");
	CHECK(prefix_set_size(&two, 6) == UINT64_MAX);
	CHECK(prefix_set_size(&short_of, 6) == UINT64_MAX - 1);
}

/* ------------------------------------------------------------------ against a set that one can see through: one flag for each address */

enum { ADDRESSES = 64, ROUNDS = 400, RANGES_MAX = 8 };

static uint32_t state = 12345;

static unsigned any(unsigned limit)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 16) % limit;
}

/** Where the 64 addresses lie: at either end of a family, over the borders of bytes, and in the middle. */
static const char *const bases[] = {
	"0.0.0.0", "255.255.255.192", "10.0.0.224", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffc0", "2001:db8::ffe0"};

static struct address at(const char *base, unsigned offset)
{
	struct address address;
	CHECK(address_parse(base, &address));
	for (unsigned i = address.family == 4 ? 4 : 16; i-- > 0 && offset;) {
		offset += address.bytes[i];
		address.bytes[i] = (uint8_t)offset;
		offset >>= 8;
	}
	return address;
}

struct model {
	bool in[ADDRESSES];
};

static struct prefix_set some_set(const char *base, struct model *model)
{
	struct address_range ranges[RANGES_MAX];
	unsigned count = any(RANGES_MAX + 1);
	struct prefix_set one_by_one = {0};
	*model = (struct model){0};
	for (unsigned i = 0; i < count; i++) {
		unsigned first = any(ADDRESSES), last = first + any(any(2) ? 4 : ADDRESSES - first);
		last = last < ADDRESSES ? last : ADDRESSES - 1;
		ranges[i] = (struct address_range){at(base, first), at(base, last)};
		prefix_set_add(arena, &one_by_one, &ranges[i]);
		memset(&model->in[first], true, last - first + 1);
	}
	struct prefix_set set = prefix_set_of_ranges(arena, ranges, count);
	CHECK(prefix_set_equal(&set, &one_by_one));
	return set;
}

static bool same(const char *base, const struct prefix_set *set, const bool in[ADDRESSES])
{
	bool equal = true;
	unsigned size = 0;
	for (unsigned i = 0; i < ADDRESSES; i++) {
		struct address address = at(base, i);
		equal = equal && prefix_set_contains(set, &address) == in[i];
		size += in[i];
	}
	for (size_t i = 1; i < set->count; i++)
		equal = equal && address_compare(&set->ranges[i - 1].last, &set->ranges[i].first) < 0;
	return equal && prefix_set_size(set, at(base, 0).family) == size;
}

/** The fewest prefixes for a stretch of flags, by halving: a stretch that is full is one, an empty one none. */
static size_t fewest(const bool *in, unsigned length)
{
	unsigned set = 0;
	for (unsigned i = 0; i < length; i++)
		set += in[i];
	if (set == 0 || set == length)
		return set > 0;
	return fewest(in, length / 2) + fewest(in + length / 2, length / 2);
}

static void check_round(const char *base)
{
	struct model a, b, both, either, without;
	struct prefix_set left = some_set(base, &a), right = some_set(base, &b);
	for (unsigned i = 0; i < ADDRESSES; i++) {
		both.in[i] = a.in[i] && b.in[i];
		either.in[i] = a.in[i] || b.in[i];
		without.in[i] = a.in[i] && !b.in[i];
	}
	struct prefix_set intersection = prefix_set_intersection(arena, &left, &right);
	struct prefix_set sum = prefix_set_union(arena, &left, &right);
	struct prefix_set difference = prefix_set_difference(arena, &left, &right);
	CHECK(same(base, &left, a.in) && same(base, &right, b.in));
	CHECK(same(base, &intersection, both.in));
	CHECK(same(base, &sum, either.in));
	CHECK(same(base, &difference, without.in));
	struct prefix_list list = prefix_set_prefixes(arena, &sum);
	struct prefix_set again = prefix_set_of_prefixes(arena, list.items, list.count);
	CHECK(prefix_set_equal(&again, &sum));
	/* 64 addresses from a multiple of 32 on: of two halves that are full only those of a multiple of 64 are one prefix */
	size_t least = fewest(either.in, ADDRESSES / 2) + fewest(either.in + ADDRESSES / 2, ADDRESSES / 2);
	bool aligned = at(base, 0).bytes[at(base, 0).family == 4 ? 3 : 15] % ADDRESSES == 0;
	CHECK_INT(list.count, aligned ? fewest(either.in, ADDRESSES) : least);
	unsigned first = any(ADDRESSES), last = first + any(ADDRESSES - first), held = 0;
	for (unsigned i = first; i <= last; i++)
		held += a.in[i];
	struct address_range asked = {at(base, first), at(base, last)};
	CHECK_INT(prefix_set_covers(&left, &asked), held == 0		       ? COVER_NONE
						    : held == last - first + 1 ? COVER_WHOLE
									       : COVER_PART);
}

int main(void)
{
	arena = arena_new();
	check_lists();
	check_sums();
	check_covers();
	check_sizes();
	for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++)
		for (unsigned round = 0; round < ROUNDS; round++)
			check_round(bases[i]);
	arena_free(arena);
	return check_summary();
}
