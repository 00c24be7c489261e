/* `show ip bgp`, `show bgp ipv4 unicast`, `show bgp ipv6 unicast`: the table that Cisco IOS has and FRR has taken over.
 *
 *    Network          Next Hop            Metric LocPrf Weight Path
 * *> 20.190.128.0/18  203.0.113.2              0             0 12076 8075 i
 * *                   198.51.100.1                           0 64510 8075 i
 *
 * A line without a network is one more path to the one before; a network that is too long for its column has a line of its own. Numbers that
 * end before the column Path are metric, preference and weight, and any of them may be missing: only the place tells them from the path. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"
#include "probe/routes/route_table.h"

struct bgp_columns {
	size_t network, next_hop, metric, path;
};

static bool read_heading(const char *line, struct bgp_columns *out)
{
	const char *network = text_find_nocase(line, "Network"), *hop = text_find_nocase(line, "Next Hop");
	const char *metric = hop ? text_find_nocase(hop, "Metric") : NULL,
		   *path = hop ? text_find_nocase(hop, "Path") : NULL;
	if (!network || !hop || !metric || !path || hop < network || path < metric)
		return false;
	*out = (struct bgp_columns){(size_t)(network - line), (size_t)(hop - line), (size_t)(metric - line),
				    (size_t)(path - line)};
	return true;
}

/** The marks in front of the network: '>' the one that is used, '=' one of several that are used (multipath). */
static bool is_best(const char *line, size_t marks)
{
	return memchr(line, '>', marks) || memchr(line, '=', marks);
}

/** A path's row has '*' (valid) among its marks, or another status, or blanks; anything else is a line of text. */
static bool has_marks(const char *line, size_t marks)
{
	size_t length = strspn(line, " *>=sdhirSRNVIm");
	return length >= marks && line[0] != '\0';
}

/** AS numbers (RFC 6793, RFC 5396), sets in braces and confederations in brackets, and then the origin, which is left out. */
static const char *read_path(struct arena *arena, const char *text)
{
	const char *start = text + strspn(text, " \t");
	size_t length = strlen(start);
	while (length && strchr(" \t", start[length - 1]))
		length--;
	if (length && strchr("ie?", start[length - 1]) && (length == 1 || start[length - 2] == ' '))
		length--;
	while (length && start[length - 1] == ' ')
		length--;
	return arena_strndup(arena, start, length);
}

/** What is read so far of a prefix whose paths follow. */
struct bgp_state {
	struct bgp_columns columns;
	struct prefix prefix;
	bool has_columns, has_prefix, pending_best;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/** The word at or behind a place, up to another one. */
static const char *word_at(struct arena *arena, const char *line, size_t from, size_t to)
{
	size_t length = strlen(line);
	from = least(from, length);
	to = least(to, length);
	while (from < to && line[from] == ' ')
		from++;
	size_t word = 0;
	while (from + word < length && line[from + word] != ' ')
		word++;
	return from < to && word ? arena_strndup(arena, line + from, word) : NULL;
}

/** FRR puts a neighbour's name behind its address: "203.0.113.2(edge1)". Cut off what is no part of the address; false: it is none. */
static bool is_address(struct arena *arena, const char **hop)
{
	struct address address;
	*hop = arena_strndup(arena, *hop, strcspn(*hop, "(@<"));
	return address_parse(*hop, &address);
}

/** The start of the AS path: the first word that begins where the column does, or behind. */
static const char *path_part(const char *line, size_t next_hop, size_t column)
{
	size_t at = least(next_hop, strlen(line));
	at += strcspn(line + at, " ");
	for (at += strspn(line + at, " "); line[at] && at < column; at += strspn(line + at, " "))
		at += strcspn(line + at, " ");
	return line + at;
}

/** A next hop of IPv6 is wider than its column: what belongs behind it stands in the next line. */
static void take_rest(struct route_reader *reader, const struct bgp_columns *columns, const char *line)
{
	struct route_table *table = reader->table;
	struct table_route *last = table->count ? &table->routes[table->count - 1] : NULL;
	if (last && last->as_path[0] == '\0')
		last->as_path = read_path(reader->arena, path_part(line, columns->next_hop, columns->path));
}

static bool read_row(struct route_reader *reader, struct bgp_state *state, const char *line, size_t number)
{
	const struct bgp_columns *columns = &state->columns;
	size_t marks = columns->network;
	const char *network = word_at(reader->arena, line, marks, columns->next_hop);
	const char *hop = word_at(reader->arena, line, columns->next_hop, columns->metric);
	bool best = is_best(line, least(marks, strlen(line)));
	if (network) {
		if (!route_prefix_parse(network, true, &state->prefix))
			return route_reader_fail(reader, number,
						 "no prefix such as 20.190.128.0/18 in the column Network");
		state->has_prefix = true;
		state->pending_best = best;
		if (strlen(network) > columns->next_hop - marks || !hop)
			return true; /* its paths stand in the next lines */
	}
	if (!hop) {
		take_rest(reader, columns, line);
		return true;
	}
	if (!state->has_prefix || !is_address(reader->arena, &hop))
		return route_reader_fail(reader, number, "no address in the column Next Hop");
	struct table_route route = {
		.prefix = state->prefix,
		.next_hop = hop,
		.best = best || state->pending_best,
		.as_path = read_path(reader->arena, path_part(line, columns->next_hop, columns->path))};
	state->pending_best = false;
	return route_reader_add(reader, number, &route);
}

bool route_table_read_bgp_text(struct route_reader *reader)
{
	char line[ROUTE_LINE_BYTES_MAX];
	struct bgp_state state = {.has_columns = false};
	struct bgp_columns heading;
	size_t at = 0, number = 0;
	reader->table->format = "bgp_text";
	while (route_reader_line(reader, &at, &number, line)) {
		if (read_heading(line, &heading)) {
			state = (struct bgp_state){.columns = heading, .has_columns = true};
			continue;
		}
		if (line[strspn(line, " \t")] == '\0')
			continue;
		/* what stands before the table, and behind it ("Displayed 4 routes and 6 total paths"), is no row */
		if (state.has_columns && has_marks(line, state.columns.network) &&
		    !read_row(reader, &state, line, number))
			return false;
	}
	return true;
}
