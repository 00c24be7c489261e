/* `az network express-route list-route-tables -o table`, and what PowerShell prints of Get-AzExpressRouteCircuitRouteTable. */

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"
#include "probe/routes/route_table.h"

enum column { COLUMN_NETWORK, COLUMN_NEXT_HOP, COLUMN_PATH, COLUMN_OTHER };
enum { COLUMNS_MAX = 16 };

/** Where the columns of a table begin; each ends where the next one begins. */
struct columns {
	enum column kinds[COLUMNS_MAX];
	size_t starts[COLUMNS_MAX];
	size_t count;
};

static enum column column_named(const char *word, size_t length)
{
	static const struct {
		const char *name;
		enum column kind;
	} names[] = {{"Network", COLUMN_NETWORK}, {"NextHop", COLUMN_NEXT_HOP}, {"Path", COLUMN_PATH}};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (length == strlen(names[i].name) && text_find_nocase(word, names[i].name) == word)
			return names[i].kind;
	return COLUMN_OTHER;
}

/** Is it the line with the names? */
static bool read_heading(const char *line, struct columns *out)
{
	bool network = false, next_hop = false;
	*out = (struct columns){.count = 0};
	for (const char *at = line + strspn(line, " \t"); *at && out->count < COLUMNS_MAX;) {
		size_t length = strcspn(at, " \t");
		enum column kind = column_named(at, length);
		network |= kind == COLUMN_NETWORK;
		next_hop |= kind == COLUMN_NEXT_HOP;
		out->kinds[out->count] = kind;
		out->starts[out->count++] = (size_t)(at - line);
		at += length;
		at += strspn(at, " \t");
	}
	return network && next_hop;
}

static const char *trimmed(struct arena *arena, const char *text, size_t length)
{
	while (length && (*text == ' ' || *text == '\t'))
		text++, length--;
	while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	return arena_strndup(arena, text, length);
}

/** Put one cell into the route; false: no prefix. */
static bool take_cell(struct arena *arena, struct table_route *route, enum column kind, const char *text, size_t length)
{
	switch (kind) {
	case COLUMN_NETWORK:
		return route_prefix_parse(trimmed(arena, text, length), false, &route->prefix);
	case COLUMN_NEXT_HOP:
		route->next_hop = trimmed(arena, text, length);
		return true;
	case COLUMN_PATH:
		route->as_path = trimmed(arena, text, length);
		return true;
	case COLUMN_OTHER:
		break;
	}
	return true;
}

/* A cell may be empty, so the columns' places decide, and not the number of words. */
static bool read_row(struct route_reader *reader, const struct columns *columns, const char *line, size_t number)
{
	struct table_route route = {.best = true, .as_path = ""};
	size_t length = strlen(line);
	for (size_t i = 0; i < columns->count; i++) {
		size_t start = columns->starts[i] < length ? columns->starts[i] : length;
		size_t end =
			i + 1 < columns->count && columns->starts[i + 1] < length ? columns->starts[i + 1] : length;
		if (!take_cell(reader->arena, &route, columns->kinds[i], line + start, end - start))
			return route_reader_fail(reader, number,
						 "no prefix such as 20.190.128.0/18 in the column Network");
	}
	return route_reader_add(reader, number, &route);
}

static bool read_table(struct route_reader *reader)
{
	char line[ROUTE_LINE_BYTES_MAX];
	struct columns columns = {.count = 0}, heading;
	size_t at = 0, number = 0;
	while (route_reader_line(reader, &at, &number, line)) {
		bool blank = line[strspn(line, " \t-")] == '\0';
		if (read_heading(line, &heading))
			columns = heading;
		else if (!blank && columns.count && !read_row(reader, &columns, line, number))
			return false;
	}
	return true;
}

/** "Key : value"; NULL for another line. */
static const char *value_of(const char *line, enum column *kind)
{
	const char *name = line + strspn(line, " \t");
	size_t length = strcspn(name, " \t:");
	const char *colon = name + length + strspn(name + length, " \t");
	if (!length || *colon != ':')
		return NULL;
	*kind = column_named(name, length);
	return colon + 1;
}

/** Each route begins with its Network, as PowerShell's class has it first. */
static bool read_list(struct route_reader *reader)
{
	char line[ROUTE_LINE_BYTES_MAX];
	size_t at = 0, number = 0;
	enum column kind = COLUMN_OTHER;
	while (route_reader_line(reader, &at, &number, line)) {
		struct route_table *table = reader->table;
		struct table_route route = {.best = true, .as_path = ""};
		const char *value = value_of(line, &kind);
		if (!value || (kind != COLUMN_NETWORK && !table->count))
			continue;
		if (!take_cell(reader->arena, kind == COLUMN_NETWORK ? &route : &table->routes[table->count - 1], kind,
			       value, strlen(value)))
			return route_reader_fail(reader, number, "no prefix such as 20.190.128.0/18 behind Network");
		if (kind == COLUMN_NETWORK && !route_reader_add(reader, number, &route))
			return false;
	}
	return reader->table->count || route_reader_fail(reader, number, "no route in it");
}

bool route_table_read_azure_text(struct route_reader *reader)
{
	char line[ROUTE_LINE_BYTES_MAX];
	struct columns columns;
	size_t at = 0, number = 0;
	reader->table->format = "azure_text";
	while (route_reader_line(reader, &at, &number, line))
		if (read_heading(line, &columns))
			return read_table(reader);
	return read_list(reader);
}
