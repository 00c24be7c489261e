/* Which tags hold an address. Prefixes lie inside one another or apart, never across: so the last one that begins at or before an address holds
 * it, or one of those around it does. */

#include "targets/service_tags.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "targets/targets.h"

enum { WORD_BITS = 64, IPV4_SHIFT = 32 };

/* ------------------------------------------------------------------ numbers */

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word = 0;

	for (size_t i = 0; i < sizeof(word); i++)
		word = word << 8 | bytes[i];
	return word;
}

static void put_word(uint8_t *bytes, uint64_t word)
{
	for (size_t i = sizeof(word); i > 0; i--, word >>= 8)
		bytes[i - 1] = (uint8_t)word;
}

/* Do two numbers agree in their first bits (0 to 128)? */
static bool agree(uint64_t high, uint64_t low, const struct tag_node *node)
{
	unsigned bits = node->length;
	uint64_t differ_high = high ^ node->high, differ_low = low ^ node->low;

	if (bits == 0)
		return true;
	if (bits <= WORD_BITS)
		return differ_high >> (WORD_BITS - bits) == 0;
	return differ_high == 0 && differ_low >> (2 * WORD_BITS - bits) == 0;
}

struct tag_prefix tag_prefix_make(const struct prefix *prefix, uint32_t tag)
{
	return (struct tag_prefix){.high = word_at(prefix->base.bytes),
				   .low = word_at(prefix->base.bytes + sizeof(uint64_t)),
				   .tag = tag,
				   .family = prefix->base.family,
				   .length = prefix->length};
}

static struct prefix prefix_of(const struct service_tags *tags, size_t index)
{
	const struct tag_node *node = &tags->nodes[index];
	struct prefix prefix = {.base.family = index < tags->ipv6_from ? 4 : 6, .length = node->length};

	put_word(prefix.base.bytes, node->high);
	put_word(prefix.base.bytes + sizeof(uint64_t), node->low);
	return prefix;
}

/* ------------------------------------------------------------------ making the table */

static int compare(const void *left, const void *right)
{
	const struct tag_prefix *a = left, *b = right;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return (a->tag > b->tag) - (a->tag < b->tag);
}

static bool same_prefix(const struct tag_prefix *a, const struct tag_prefix *b)
{
	return a->family == b->family && a->high == b->high && a->low == b->low && a->length == b->length;
}

/* The smallest prefix before this one that holds it, among the last one and those around that. */
static uint32_t parent_of(const struct service_tags *tags, const struct tag_node *node, size_t family_from)
{
	uint32_t parent = tags->node_count > family_from ? (uint32_t)tags->node_count - 1 : TAG_NODE_NONE;

	while (parent != TAG_NODE_NONE && !agree(node->high, node->low, &tags->nodes[parent]))
		parent = tags->nodes[parent].parent;
	return parent;
}

/* A node for a prefix that the table does not have yet; its tags are added where members ends. */
static struct tag_node *add_node(struct service_tags *tags, const struct tag_prefix *one, size_t members,
				 size_t family_from)
{
	struct tag_node *node = &tags->nodes[tags->node_count];

	*node = (struct tag_node){
		.high = one->high, .low = one->low, .length = one->length, .first = (uint32_t)members};
	node->parent = parent_of(tags, node, family_from);
	tags->node_count++;
	tags->ipv6_from += one->family == 4;
	return node;
}

void service_tags_index(struct arena *arena, struct service_tags *tags, struct tag_prefix *all, size_t count)
{
	size_t family_from = 0, members = 0;
	struct tag_node *node = NULL;

	for (size_t i = 0; i < count; i++)
		all[i].rank = (uint32_t)tags->tags[all[i].tag].prefix_count;
	qsort(all, count, sizeof(*all), compare);
	tags->prefix_count = count;
	tags->nodes = arena_alloc(arena, (count + 1) * sizeof(*tags->nodes));
	tags->members = arena_alloc(arena, (count + 1) * sizeof(*tags->members));
	tags->node_count = tags->ipv6_from = 0;
	for (size_t i = 0; i < count; i++) {
		bool known = i > 0 && same_prefix(&all[i], &all[i - 1]);
		if (i > 0 && all[i].family != all[i - 1].family)
			family_from = tags->node_count;
		if (!known)
			node = add_node(tags, &all[i], members, family_from);
		if (known && all[i].tag == all[i - 1].tag)
			continue;
		tags->members[members++] = all[i].tag;
		node->count++;
	}
}

/* ------------------------------------------------------------------ asking it */

/* The last prefix of that family that begins at or before the address; TAG_NODE_NONE: there is none. */
static uint32_t last_before(const struct service_tags *tags, bool ipv6, uint64_t high, uint64_t low)
{
	size_t first = ipv6 ? tags->ipv6_from : 0, end = ipv6 ? tags->node_count : tags->ipv6_from, from = first;

	while (first < end) {
		size_t middle = first + (end - first) / 2;
		const struct tag_node *node = &tags->nodes[middle];
		if (node->high < high || (node->high == high && node->low <= low))
			first = middle + 1;
		else
			end = middle;
	}
	return first > from ? (uint32_t)first - 1 : TAG_NODE_NONE;
}

static size_t add_found(const struct service_tags *tags, const struct tag_node *node,
			const struct service_tag *out[SERVICE_TAGS_OF_ADDRESS_MAX], size_t count)
{
	for (size_t i = 0; i < node->count && count < SERVICE_TAGS_OF_ADDRESS_MAX; i++) {
		const struct service_tag *tag = &tags->tags[tags->members[node->first + i]];
		size_t known = 0;
		while (known < count && out[known] != tag)
			known++;
		out[known] = tag;
		count += known == count;
	}
	return count;
}

size_t service_tags_find(const struct service_tags *tags, const struct address *address,
			 const struct service_tag *out[SERVICE_TAGS_OF_ADDRESS_MAX])
{
	uint64_t high = word_at(address->bytes), low = word_at(address->bytes + sizeof(uint64_t));
	size_t count = 0;

	for (uint32_t at = last_before(tags, address->family == 6, high, low); at != TAG_NODE_NONE;
	     at = tags->nodes[at].parent)
		if (agree(high, low, &tags->nodes[at]))
			count = add_found(tags, &tags->nodes[at], out, count);
	return count;
}

const struct service_tag *service_tags_named(const struct service_tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->tag_count; i++)
		if (strcasecmp(tags->tags[i].name, name) == 0)
			return &tags->tags[i];
	return NULL;
}

static bool has_member(const struct service_tags *tags, const struct tag_node *node, uint32_t tag)
{
	for (size_t i = 0; i < node->count; i++)
		if (tags->members[node->first + i] == tag)
			return true;
	return false;
}

size_t service_tags_prefixes(const struct service_tags *tags, const struct service_tag *tag, struct prefix *out)
{
	uint32_t wanted = (uint32_t)(tag - tags->tags);
	size_t count = 0;

	for (size_t i = 0; i < tags->node_count; i++) {
		uint32_t around = tags->nodes[i].parent;
		if (!has_member(tags, &tags->nodes[i], wanted))
			continue;
		while (around != TAG_NODE_NONE && !has_member(tags, &tags->nodes[around], wanted))
			around = tags->nodes[around].parent;
		if (around == TAG_NODE_NONE)
			out[count++] = prefix_of(tags, i);
	}
	return count;
}

/* ------------------------------------------------------------------ services */

const struct service *service_of_host(const char *host)
{
	enum { OTHER, SIGN_IN };
	static const struct service services[] = {
#define SERVICE(ending, tag, sign_in) {ending, tag, sign_in},
#include "targets/services.def"
#undef SERVICE
	};
	size_t length = host ? strlen(host) : 0;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		size_t end = strlen(services[i].ending);
		if (length >= end && strcasecmp(host + length - end, services[i].ending) == 0)
			return &services[i];
	}
	return NULL;
}

static bool names_host(const struct service_tag *tag, const char *host)
{
	for (size_t i = 0; i < tag->hosts.count; i++)
		if (rule_matches_host(tag->hosts.items[i], host))
			return true;
	return false;
}

void service_tags_expected(struct arena *arena, const struct service_tags *tags, const char *host,
			   struct text_list *out)
{
	const struct service *service = service_of_host(host);
	const struct service_tag *named = service ? service_tags_named(tags, service->tag) : NULL;

	if (named && named->prefix_count)
		text_list_add(arena, out, named->name);
	for (size_t i = 0; host && i < tags->tag_count; i++)
		if (tags->tags[i].prefix_count && names_host(&tags->tags[i], host))
			text_list_add(arena, out, tags->tags[i].name);
}

/* "JapanEast" for "Japan East". */
static bool is_region(const char *word, const char *name)
{
	for (; *name; name++) {
		if (*name == ' ')
			continue;
		if (!*word || strncasecmp(word++, name, 1) != 0)
			return false;
	}
	return *word == '\0';
}

const struct service_tag *service_tags_of_region(const struct service_tags *tags, const struct service_tag *tag,
						 const char *region)
{
	const char *name = targets_region_name(region);
	size_t length = strlen(tag->name);

	for (size_t i = 0; name && i < tags->tag_count; i++) {
		const struct service_tag *part = &tags->tags[i];
		if (part->regional && strncasecmp(part->name, tag->name, length) == 0 && part->name[length] == '.' &&
		    is_region(part->name + length + 1, name))
			return part;
	}
	return tag;
}
