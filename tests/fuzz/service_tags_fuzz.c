/* Whatever bytes: a file of service tags or endpoints is refused with a message that a terminal may show, or read; then what the table says of
 * an address is what a scan of all prefixes says, the longest first, and a tag's prefixes hold what the tag holds. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/core/utf8.h"
#include "targets/service_tags.h"
#include "tests/fuzz/must.h"

enum { NODES_TRIED = 64 };

static void check_shown(const char *text)
{
	size_t length = strlen(text);
	MUST(length > 0 && utf8_is_valid(text, length));
	for (size_t i = 0; i < length; i++)
		MUST((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static struct prefix prefix_at(const struct service_tags *tags, size_t index)
{
	const struct tag_node *node = &tags->nodes[index];
	struct prefix prefix = {.base.family = index < tags->ipv6_from ? 4 : 6, .length = node->length};
	for (int i = 0; i < 8; i++) {
		prefix.base.bytes[i] = (uint8_t)(node->high >> (56 - 8 * i));
		prefix.base.bytes[8 + i] = (uint8_t)(node->low >> (56 - 8 * i));
	}
	return prefix;
}

/* Is it a tag of some prefix that holds the address? */
static bool holds(const struct service_tags *tags, const struct service_tag *tag, const struct address *address)
{
	for (size_t i = 0; i < tags->node_count; i++) {
		struct prefix prefix = prefix_at(tags, i);
		const struct tag_node *node = &tags->nodes[i];
		for (size_t k = 0; k < node->count && prefix_contains(&prefix, address); k++)
			if (&tags->tags[tags->members[node->first + k]] == tag)
				return true;
	}
	return false;
}

static void check_address(const struct service_tags *tags, const struct address *address)
{
	const struct service_tag *found[SERVICE_TAGS_OF_ADDRESS_MAX];
	size_t count = service_tags_find(tags, address, found), held = 0;
	for (size_t i = 0; i < count; i++)
		MUST(holds(tags, found[i], address));
	for (size_t i = 0; i < tags->tag_count; i++)
		held += holds(tags, &tags->tags[i], address);
	MUST(held == count || (count == SERVICE_TAGS_OF_ADDRESS_MAX && held > count));
}

static void check_prefixes(struct arena *arena, const struct service_tags *tags, const struct service_tag *tag)
{
	struct prefix *prefixes = arena_alloc(arena, (tag->prefix_count + 1) * sizeof(*prefixes));
	size_t count = service_tags_prefixes(tags, tag, prefixes);
	MUST(count <= tag->prefix_count && (count > 0) == (tag->prefix_count > 0));
	for (size_t i = 0; i < count; i++) {
		MUST(holds(tags, tag, &prefixes[i].base));
		for (size_t k = 0; k < count; k++)
			MUST(k == i || !prefix_contains(&prefixes[k], &prefixes[i].base));
	}
}

static void check_table(struct arena *arena, const struct service_tags *tags)
{
	struct text_list expected = {0};
	for (size_t i = 0; i < tags->node_count && i < NODES_TRIED; i++) {
		struct prefix prefix = prefix_at(tags, i);
		struct address last = prefix.base;
		last.bytes[last.family == 4 ? 3 : 15] ^= 1;
		check_address(tags, &prefix.base);
		check_address(tags, &last);
	}
	for (size_t i = 0; i < tags->tag_count && i < NODES_TRIED; i++) {
		check_shown(tags->tags[i].name);
		check_prefixes(arena, tags, &tags->tags[i]);
		MUST(service_tags_of_region(tags, &tags->tags[i], "eus") != NULL);
	}
	service_tags_expected(arena, tags, "login.windows.net", &expected);
	for (size_t i = 0; i < expected.count; i++)
		MUST(service_tags_named(tags, expected.items[i]) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct service_tags tags = {0};
	struct err err = {""};
	if (service_tags_read(arena, "input_20260601.json", size ? (const char *)data : "", size, &tags, &err))
		check_table(arena, &tags);
	else
		check_shown(err.text);
	arena_free(arena);
	return 0;
}
