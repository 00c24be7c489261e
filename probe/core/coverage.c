#include "probe/core/coverage.h"

#include <string.h>

/* The words of an enum whose members are 0, 1, 2 ...; -1: not one of them. */
static int find_word(const char *const *words, int count, const char *text)
{
	for (int i = 0; i < count; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

#define WORDS(name, type, ...)                                                   \
	static const char *const name##_words[] = {__VA_ARGS__};                 \
	const char *name##_text(type value)                                      \
	{                                                                        \
		return name##_words[value];                                      \
	}                                                                        \
	bool name##_parse(const char *text, type *out)                           \
	{                                                                        \
		int count = (int)(sizeof(name##_words) / sizeof(*name##_words)); \
		int found = find_word(name##_words, count, text);                \
		if (found >= 0)                                                  \
			*out = (type)found;                                      \
		return found >= 0;                                               \
	}

WORDS(table_kind, enum table_kind, [TABLE_CIRCUIT] = "circuit", [TABLE_ROUTER] = "router", [TABLE_MACHINE] = "machine")
WORDS(route_way, enum route_way, [ROUTE_WAY_UNKNOWN] = "unknown", [ROUTE_WAY_CIRCUIT] = "circuit",
      [ROUTE_WAY_INTERNET] = "internet")
WORDS(cover, enum cover, [COVER_NONE] = "none", [COVER_PART] = "part", [COVER_WHOLE] = "whole")
WORDS(community_state, enum community_state, [COMMUNITY_UNKNOWN] = "unknown", [COMMUNITY_ABSENT] = "absent",
      [COMMUNITY_PART] = "part", [COMMUNITY_PRESENT] = "present")

bool coverage_is_hop(const struct text_list *hops, const char *address)
{
	struct address wanted, hop;
	if (!address || !address_parse(address, &wanted))
		return false;
	for (size_t i = 0; i < hops->count; i++)
		if (address_parse(hops->items[i], &hop) && address_equal(&hop, &wanted))
			return true;
	return false;
}
