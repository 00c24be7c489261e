/* How long service tags take: to load, against what the JSON library takes for the same bytes alone, and to look up, against a plain scan of all
 * prefixes. A file may be given; else one of the size of the real one is made. Exit status 1 when one is missed. Sends nothing. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/core/strbuf.h"
#include "probe/os/os.h"
#include "targets/service_tags.h"

enum {
	TAGS = 3200,
	PREFIXES_OF_TAG = 33,
	ROUNDS = 5,
	ADDRESSES = 4096,
	LOOK_UPS = 1000 * 1000,
	SCANS = 200,
	LOAD_WANTED_MS = 150,
	LOAD_TIMES_WANTED = 3,
	LOOK_UP_WANTED_NS = 1000,
	LOOK_UP_GAIN_WANTED = 100,
};

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Numbers that look like chance and are the same in every run. */
static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Prefixes as real ones are: of all lengths, some inside others, a third of them IPv6. */
static void add_prefix(struct strbuf *out, uint32_t *state)
{
	uint32_t a = next(state), b = next(state);
	if (a % 3 == 0)
		strbuf_printf(out, "\"2603:%x:%x::/%u\"", 0x1000 + (b & 0x7f), (b >> 7) & 0xffff, 48 + a % 5);
	else
		strbuf_printf(out, "\"%u.%u.%u.%u/%u\"", 13 + (b & 7) * 7, (b >> 3) & 0xff, (b >> 11) & 0xff,
			      (a & 0xf) << 4, 28 + a % 3);
}

static void make_file(struct strbuf *out)
{
	uint32_t state = 7;
	strbuf_add(out, "{\n  \"changeNumber\": 301,\n  \"cloud\": \"Public\",\n  \"values\": [");
	for (int i = 0; i < TAGS; i++) {
		strbuf_printf(
			out,
			"%s\n    {\n      \"name\": \"Service%d.Region%d\",\n      \"id\": \"Service%d.Region%d\",\n"
			"      \"properties\": {\n        \"changeNumber\": 3,\n        \"region\": \"region%d\",\n"
			"        \"regionId\": %d,\n        \"platform\": \"Azure\",\n        \"systemService\": "
			"\"Service%d\",\n        \"addressPrefixes\": [",
			i ? "," : "", i / 40, i % 40, i / 40, i % 40, i % 40, i % 40, i / 40);
		for (int k = 0; k < PREFIXES_OF_TAG; k++) {
			strbuf_printf(out, "%s\n          ", k ? "," : "");
			add_prefix(out, &state);
		}
		strbuf_add(out, "\n        ],\n        \"networkFeatures\": null\n      }\n    }");
	}
	strbuf_add(out, "\n  ]\n}\n");
}

/* ------------------------------------------------------------------ loading */

static double parse_ms(const char *text, size_t length)
{
	double start = now_s();
	json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	json_decref(document);
	return (now_s() - start) * 1e3;
}

static double load_ms(const char *file, const char *text, size_t length, struct arena **arena, struct service_tags *out)
{
	struct err err;
	double start = now_s();
	arena_free(*arena);
	*arena = arena_new();
	if (!service_tags_read(*arena, file, text, length, out, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return (now_s() - start) * 1e3;
}

/* The best of a few rounds, turn by turn: what else the machine does is not the file's. */
static bool bench_load(const char *file, const char *text, size_t length, struct arena **arena,
		       struct service_tags *out)
{
	double bare = 1e9, whole = 1e9;
	for (int i = 0; i < ROUNDS; i++) {
		double one = parse_ms(text, length), other = load_ms(file, text, length, arena, out);
		bare = one < bare ? one : bare;
		whole = other < whole ? other : whole;
	}
	printf("%zu tags with %zu prefixes, %zu bytes, loaded, best of %d: %.1f ms (wanted below %d ms), %.2f times "
	       "what the JSON library takes to "
	       "parse it (wanted below %d times %.1f ms)\n",
	       out->tag_count, out->prefix_count, length, ROUNDS, whole, LOAD_WANTED_MS, whole / bare,
	       LOAD_TIMES_WANTED, bare);
	return whole < LOAD_WANTED_MS && whole < LOAD_TIMES_WANTED * bare;
}

/* ------------------------------------------------------------------ looking up */

/* Half of them inside some prefix, half anywhere. */
static void make_addresses(const struct service_tags *tags, struct address *out)
{
	uint32_t state = 11;
	for (size_t i = 0; i < ADDRESSES; i++) {
		const struct tag_node *node = &tags->nodes[next(&state) % tags->node_count];
		bool ipv6 = (size_t)(node - tags->nodes) >= tags->ipv6_from;
		out[i] = (struct address){.family = ipv6 ? 6 : 4};
		for (int k = 0; k < (ipv6 ? 8 : 4); k++)
			out[i].bytes[k] = (uint8_t)(node->high >> (56 - 8 * k));
		if (i % 2)
			out[i].bytes[2] ^= (uint8_t)next(&state);
	}
}

static bool holds(const struct tag_node *node, bool ipv6, const struct address *address)
{
	struct prefix prefix = {.base.family = ipv6 ? 6 : 4, .length = node->length};
	for (int k = 0; k < 8; k++) {
		prefix.base.bytes[k] = (uint8_t)(node->high >> (56 - 8 * k));
		prefix.base.bytes[8 + k] = (uint8_t)(node->low >> (56 - 8 * k));
	}
	return prefix_contains(&prefix, address);
}

/* How many prefixes hold it, one after another. */
static size_t scan(const struct service_tags *tags, const struct address *address)
{
	size_t count = 0;
	for (size_t i = 0; i < tags->node_count; i++)
		count += holds(&tags->nodes[i], i >= tags->ipv6_from, address) ? tags->nodes[i].count : 0;
	return count;
}

static bool bench_look_up(const struct service_tags *tags)
{
	const struct service_tag *found[SERVICE_TAGS_OF_ADDRESS_MAX];
	struct address *addresses = xcalloc(ADDRESSES, sizeof(*addresses));
	size_t total = 0, wrong = 0;
	make_addresses(tags, addresses);
	double start = now_s();
	for (size_t i = 0; i < LOOK_UPS; i++)
		total += service_tags_find(tags, &addresses[i % ADDRESSES], found);
	double looked = (now_s() - start) * 1e9 / LOOK_UPS;
	start = now_s();
	for (size_t i = 0; i < SCANS; i++)
		wrong += (scan(tags, &addresses[i]) > 0) != (service_tags_find(tags, &addresses[i], found) > 0);
	double scanned = (now_s() - start) * 1e9 / SCANS;
	printf("which tags hold an address: %.0f ns (wanted below %d ns), %.2f tags each; a scan of all prefixes takes "
	       "%.0f times as long (wanted "
	       "more than %d); %zu wrong\n",
	       looked, LOOK_UP_WANTED_NS, (double)total / LOOK_UPS, scanned / looked, LOOK_UP_GAIN_WANTED, wrong);
	free(addresses);
	return looked < LOOK_UP_WANTED_NS && scanned > LOOK_UP_GAIN_WANTED * looked && wrong == 0;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct service_tags tags;
	struct strbuf made;
	char reason[256];
	strbuf_init(&made);
	size_t length = 0;
	char *given = argc > 1 ? os_read_file(argv[1], SERVICE_TAGS_BYTES_MAX, &length, reason, sizeof(reason)) : NULL;
	if (argc > 1 && !given) {
		fprintf(stderr, "%s: %s\n", argv[1], reason);
		return 1;
	}
	if (!given)
		make_file(&made);
	bool met = bench_load(given ? argv[1] : "made", given ? given : made.data, given ? length : made.length, &arena,
			      &tags);
	met = bench_look_up(&tags) && met;
	free(given);
	strbuf_free(&made);
	arena_free(arena);
	return met ? 0 : 1;
}
