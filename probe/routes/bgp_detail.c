/* `show ip bgp PREFIX`: one prefix with all that is known of its paths, communities too. Cisco IOS and FRR print nearly the same:
 *
 * BGP routing table entry for 20.190.128.0/18, version 3
 * Paths: (2 available, best #1, table default)
 *   Advertised to non peer-group peers:
 *   203.0.113.2
 *   12076 8075
 *     203.0.113.2 from 203.0.113.2 (203.0.113.2)
 *       Origin IGP, valid, external, best (First path received)
 *       Community: 12076:5060 12076:51004
 */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"
#include "probe/routes/route_table.h"

struct detail_state {
	struct prefix prefix;
	bool has_prefix;
	char last[ROUTE_LINE_BYTES_MAX]; /* the line before: the AS path, if a next hop follows */
};

static bool read_prefix(struct route_reader *reader, struct detail_state *state, const char *text, size_t number)
{
	char word[PREFIX_TEXT_BYTES];
	text += strspn(text, " \t");
	size_t length = strcspn(text, " \t,");
	state->has_prefix = length < sizeof(word);
	if (state->has_prefix) {
		memcpy(word, text, length);
		word[length] = '\0';
		state->has_prefix = route_prefix_parse(word, true, &state->prefix);
	}
	return state->has_prefix ||
	       route_reader_fail(reader, number, "no prefix such as 20.190.128.0/18 behind \"entry for\"");
}

/** "12076 8075, (received & used)" -> "12076 8075"; "Local" -> "". */
static const char *path_of(struct arena *arena, const char *line)
{
	const char *start = line + strspn(line, " \t");
	size_t length = strspn(start, "0123456789 {}()");
	while (length && start[length - 1] == ' ')
		length--;
	return arena_strndup(arena, start, length);
}

/** "    203.0.113.2(edge1) from edge1(203.0.113.2) (203.0.113.2)", "    203.0.113.2 from 203.0.113.2 (203.0.113.2)", "    0.0.0.0 from 0.0.0.0", "203.0.113.2 (metric 20) from ...". */
static bool is_next_hop(const char *line, char hop[ADDRESS_TEXT_BYTES])
{
	struct address address;
	const char *start = line + strspn(line, " \t");
	size_t length = strcspn(start, " \t,(");
	if (start == line || length >= ADDRESS_TEXT_BYTES || !strstr(start, " from "))
		return false;
	memcpy(hop, start, length);
	hop[length] = '\0';
	return address_parse(hop, &address);
}

static bool read_line(struct route_reader *reader, struct detail_state *state, const char *line, size_t number)
{
	struct route_table *table = reader->table;
	char hop[ADDRESS_TEXT_BYTES];
	const char *entry = text_find_nocase(line, "routing table entry for"), *community;
	struct table_route *last = table->count ? &table->routes[table->count - 1] : NULL;
	if (entry)
		return read_prefix(reader, state, entry + strlen("routing table entry for"), number);
	if (!state->has_prefix)
		return true;
	if (is_next_hop(line, hop)) {
		struct table_route route = {.prefix = state->prefix,
					    .next_hop = arena_strdup(reader->arena, hop),
					    .as_path = path_of(reader->arena, state->last)};
		return route_reader_add(reader, number, &route);
	}
	community = strstr(line, "Community: ");
	if (!last)
		return true;
	if (community && strspn(line, " \t") == (size_t)(community - line))
		route_add_communities(reader->arena, &last->communities, community + strlen("Community: "));
	else if (strstr(line, "Origin ") && strstr(line, ", best"))
		last->best = true;
	return true;
}

bool route_table_read_bgp_detail(struct route_reader *reader)
{
	struct detail_state state = {.has_prefix = false};
	char line[ROUTE_LINE_BYTES_MAX];
	size_t at = 0, number = 0;
	reader->table->format = "bgp_detail";
	reader->table->has_communities = true;
	while (route_reader_line(reader, &at, &number, line)) {
		if (!read_line(reader, &state, line, number))
			return false;
		memcpy(state.last, line, sizeof(line));
	}
	return true;
}
