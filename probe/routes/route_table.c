#include "probe/routes/route_table.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"

bool route_reader_fail(struct route_reader *reader, size_t line, const char *reason)
{
	return err_set(reader->err, "%s:%zu: %s", reader->file, line, reason);
}

bool route_reader_add(struct route_reader *reader, size_t line, const struct table_route *route)
{
	struct route_table *table = reader->table;
	if (table->count == ROUTES_MAX)
		return route_reader_fail(reader, line,
					 "more than 2,000,000 routes: give the routes of the circuit alone, such as "
					 "those of its BGP neighbour");
	table->routes =
		arena_grow(reader->arena, table->routes, &table->capacity, table->count, sizeof(*table->routes));
	table->routes[table->count++] = *route;
	return true;
}

bool route_reader_line(const struct route_reader *reader, size_t *at, size_t *number, char line[ROUTE_LINE_BYTES_MAX])
{
	if (*at >= reader->length)
		return false;
	const char *start = reader->text + *at;
	const char *end = memchr(start, '\n', reader->length - *at);
	size_t length = end ? (size_t)(end - start) : reader->length - *at;
	*at += length + (end != NULL);
	(*number)++;
	if (length && start[length - 1] == '\r')
		length--;
	if (length >= ROUTE_LINE_BYTES_MAX)
		length = ROUTE_LINE_BYTES_MAX - 1;
	memcpy(line, start, length);
	line[length] = '\0';
	return true;
}

/* ------------------------------------------------------------------ words that the forms share */

static uint8_t class_length(const struct address *address)
{
	uint8_t first = address->bytes[0];
	if (address_is_unspecified(address))
		return 0;
	return first < 128 ? 8 : first < 192 ? 16 : 24;
}

static void cut_host_bits(struct prefix *prefix)
{
	for (unsigned i = 0; i < sizeof(prefix->base.bytes); i++) {
		unsigned kept = prefix->length > i * 8 ? prefix->length - i * 8u : 0;
		prefix->base.bytes[i] &= (uint8_t)(kept >= 8 ? 0xff : 0xff00u >> kept);
	}
}

bool route_prefix_parse(const char *text, bool classful, struct prefix *out)
{
	char address[ADDRESS_TEXT_BYTES];
	struct prefix prefix = {0};
	size_t length = strcspn(text, "/");
	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (!address_parse(address, &prefix.base))
		return false;
	unsigned most = prefix.base.family == 4 ? 32 : 128, bits = 0;
	const char *digit = text + length;
	if (*digit == '\0') {
		prefix.length = (uint8_t)(classful && prefix.base.family == 4 ? class_length(&prefix.base) : most);
	} else {
		for (digit++; *digit >= '0' && *digit <= '9' && bits <= most; digit++)
			bits = bits * 10 + (unsigned)(*digit - '0');
		if (*digit || digit == text + length + 1 || bits > most)
			return false;
		prefix.length = (uint8_t)bits;
	}
	cut_host_bits(&prefix);
	*out = prefix;
	return true;
}

/** A decimal number up to limit; NULL if there is none. */
static const char *read_number(const char *text, const char *end, uint64_t limit, uint64_t *out)
{
	uint64_t value = 0;
	const char *at = text;
	for (; at < end && *at >= '0' && *at <= '9' && value <= limit; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	*out = value;
	return at > text && value <= limit ? at : NULL;
}

void route_add_community(struct arena *arena, struct text_list *list, const char *text, size_t length)
{
	const char *end = text + length;
	uint64_t high = 0, low = 0;
	if (list->count >= ROUTE_COMMUNITIES_MAX)
		return;
	const char *at = read_number(text, end, 0xffffffff, &high);
	if (at && at == end) {
		low = high & 0xffff;
		high >>= 16;
	} else if (!at || *at != ':' || high > 0xffff || read_number(at + 1, end, 0xffff, &low) != end) {
		return;
	}
	text_list_add(arena, list, arena_printf(arena, "%u:%u", (unsigned)high, (unsigned)low));
}

void route_add_communities(struct arena *arena, struct text_list *list, const char *text)
{
	while (*text) {
		text += strspn(text, " \t,");
		size_t length = strcspn(text, " \t,");
		if (length)
			route_add_community(arena, list, text, length);
		text += length;
	}
}

/* ------------------------------------------------------------------ which form is it? */

typedef bool (*form_reader)(struct route_reader *reader);

/** The form that one of the first lines tells; NULL where none does. */
static form_reader find_form(const struct route_reader *reader)
{
	enum { LINES_LOOKED_AT = 400 };
	char line[ROUTE_LINE_BYTES_MAX];
	size_t at = 0, number = 0;
	while (number < LINES_LOOKED_AT && route_reader_line(reader, &at, &number, line)) {
		if (text_find_nocase(line, "routing table entry for"))
			return route_table_read_bgp_detail;
		if (text_find_nocase(line, "Network") && text_find_nocase(line, "Next Hop"))
			return route_table_read_bgp_text;
		const char *network = text_find_nocase(line, "Network");
		if (network && (text_find_nocase(line, "NextHop") || strspn(line, " \t") == (size_t)(network - line)))
			return route_table_read_azure_text;
	}
	return NULL;
}

bool route_table_read(struct arena *arena, enum table_kind kind, const char *file, const char *text, size_t length,
		      struct route_table *out, struct err *err)
{
	struct route_reader reader = {arena, file, text, length, out, err};
	*out = (struct route_table){.kind = kind, .source = file};
	if (length >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0))
		return route_reader_fail(&reader, 1, "the file is UTF-16; save it as UTF-8");
	if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		reader.text += 3;
		reader.length -= 3;
	}
	if (reader.length > ROUTE_FILE_BYTES_MAX)
		return route_reader_fail(&reader, 1, "longer than 64 MiB: give the routes of the circuit alone");
	if (memchr(reader.text, '\0', reader.length))
		return route_reader_fail(&reader, 1, "not a text file (a NUL byte in it)");
	size_t blanks = strspn(reader.text, " \t\r\n");
	if (blanks == reader.length)
		return route_reader_fail(&reader, 1, "the file is empty");
	if (reader.text[blanks] == '{' || reader.text[blanks] == '[')
		return route_table_read_json(&reader);
	form_reader form = find_form(&reader);
	if (form)
		return form(&reader);
	return route_reader_fail(&reader, 1,
				 "no table of routes: neither JSON, nor a line with the columns Network and Next Hop "
				 "(`show ip bgp`) or NextHop (`az network express-route list-route-tables -o table`)");
}
