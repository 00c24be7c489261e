#include "probe/settings/regfile.h"

#include <stdint.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"
#include "probe/settings/encoding.h"

#define EXPORT_ADVICE "export it with regedit (File, Export) or `reg export`"

enum {
	TYPE_DIGITS_MAX = 8,
	DWORD_DIGITS_MAX = 8,
	PATH_BYTES_MAX = 16 * 1024,
	SHOWN_BYTES_MAX = 60,
	NUL_SEARCH_BYTES = 4
};

/* A place in the decoded text. */
struct cursor {
	const char *at, *end;
};

struct parser {
	struct cursor text; /* what is left after the current line */
	unsigned line;	    /* number of the current line */
	unsigned version;   /* 4 or 5 */
	enum { KEY_NONE, KEY_OPEN, KEY_DELETED, KEY_DAMAGED } key;
	struct strbuf name, data;
	const struct regfile_sink *sink;
};

/* ------------------------------------------------------------------ bytes to text */

static bool starts_with(const void *bytes, size_t length, const char *start)
{
	return length >= strlen(start) && memcmp(bytes, start, strlen(start)) == 0;
}

/* Refuse what regedit could not read either, by its size and its first bytes. */
static bool check_encoding(const char *file, const unsigned char *bytes, size_t length, struct err *err)
{
	if (length == 0)
		return err_set(err, "%s:1: the file is empty; " EXPORT_ADVICE, file);
	if (length > REGFILE_BYTES_MAX)
		return err_set(err, "%s:1: larger than %d MiB; export only the key \"Internet Settings\"", file,
			       REGFILE_BYTES_MAX / 1024 / 1024);
	if (starts_with(bytes, length, "\xfe\xff"))
		return err_set(err, "%s:1: is UTF-16 big-endian, which regedit refuses; " EXPORT_ADVICE, file);
	if (starts_with(bytes, length, "\xff\xfe"))
		return length % 2 == 0 ||
		       err_set(err,
			       "%s:1: is UTF-16 of an odd number of bytes, so it was cut or changed; " EXPORT_ADVICE,
			       file);
	if (memchr(bytes, 0, length < NUL_SEARCH_BYTES ? length : NUL_SEARCH_BYTES))
		return err_set(
			err, "%s:1: looks like UTF-16 without a byte order mark, which regedit refuses; " EXPORT_ADVICE,
			file);
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

/* Version 5 without a mark is UTF-8 where it can be; REGEDIT4 is in the system's code page, of which we take the
 * Western one. */
static void decode(const unsigned char *bytes, size_t length, struct strbuf *out)
{
	if (starts_with(bytes, length, "\xff\xfe")) {
		encoding_add_utf16le(out, bytes + 2, length - 2);
		return;
	}
	if (starts_with(bytes, length, "\xef\xbb\xbf")) {
		encoding_add_utf8(out, bytes + 3, length - 3);
		return;
	}
	const char *text = (const char *)bytes;
	const char *first = skip_blanks(text, text + length);
	bool old = starts_with(first, length - (size_t)(first - text), "REGEDIT4");
	if (!old && utf8_is_valid(text, length))
		encoding_add_utf8(out, bytes, length);
	else
		encoding_add_cp1252(out, bytes, length);
}

/* ------------------------------------------------------------------ lines */

/* Line ends are CR, LF, or CR LF; the last line may lack one. */
static bool next_line(struct parser *parser, struct cursor *line)
{
	const char *at = parser->text.at, *end = parser->text.end;
	if (at == end)
		return false;
	line->at = at;
	while (at < end && *at != '\n' && *at != '\r')
		at++;
	line->end = at;
	if (at + 1 < end && at[0] == '\r' && at[1] == '\n')
		at++;
	parser->text.at = at < end ? at + 1 : end;
	parser->line++;
	return true;
}

static void drop(struct parser *parser, unsigned line, const char *reason)
{
	parser->sink->dropped(parser->sink->user, line, reason);
}

/* Nothing but blanks and a comment may stand here. */
static bool is_line_end(const char *at, const char *end)
{
	at = skip_blanks(at, end);
	return at == end || *at == ';';
}

/* ------------------------------------------------------------------ keys */

static bool same_word(const char *at, size_t length, const char *word)
{
	if (strlen(word) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		char upper = at[i] >= 'a' && at[i] <= 'z' ? (char)(at[i] - 'a' + 'A') : at[i];
		if (upper != word[i])
			return false;
	}
	return true;
}

static bool is_root(const char *at, size_t length)
{
	static const char *const roots[] = {"HKEY_CURRENT_USER",    "HKEY_LOCAL_MACHINE",  "HKEY_USERS",
					    "HKEY_CLASSES_ROOT",    "HKEY_CURRENT_CONFIG", "HKEY_DYN_DATA",
					    "HKEY_PERFORMANCE_DATA"};
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++)
		if (same_word(at, length, roots[i]))
			return true;
	return false;
}

/* NULL if the path can be used, else why not. */
static const char *path_problem(const char *path, size_t length, bool deleted)
{
	const char *slash = memchr(path, '\\', length);
	size_t root_length = slash ? (size_t)(slash - path) : length;
	if (length > 0 && is_blank(*path))
		return "a key does not begin with a blank; its values are ignored";
	if (same_word(path, root_length, "HKCU") || same_word(path, root_length, "HKLM") ||
	    same_word(path, root_length, "HKU"))
		return "root keys are written in full in a file (HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, HKEY_USERS); "
		       "the values of this key are ignored";
	if (!is_root(path, root_length))
		return "this is no root key that Windows has; the values of this key are ignored";
	if (length > PATH_BYTES_MAX)
		return "the name of this key is too long; its values are ignored";
	if (deleted && !slash)
		return "a whole root key cannot be deleted";
	return NULL;
}

/* The last bracket of the line closes the key; what stands behind it does not count. */
static void parse_key(struct parser *parser, const char *at, const char *end)
{
	size_t length = (size_t)(end - at);
	while (length > 0 && at[length - 1] != ']')
		length--;
	parser->key = KEY_DAMAGED;
	if (length == 0) {
		drop(parser, parser->line, "this key has no closing bracket; its values are ignored");
		return;
	}
	length--;
	bool deleted = length > 0 && *at == '-';
	at += deleted;
	length -= deleted;
	const char *problem = path_problem(at, length, deleted);
	if (problem) {
		drop(parser, parser->line, problem);
		return;
	}
	parser->key = deleted ? KEY_DELETED : KEY_OPEN;
	strbuf_truncate(&parser->name, 0);
	strbuf_add_bytes(&parser->name, at, length);
	parser->sink->key(parser->sink->user, parser->line, parser->name.data, deleted);
}

/* ------------------------------------------------------------------ values */

/* Read a quoted text with \\ and \" in it, at behind the opening quote; NULL if it does not end, or has another
 * escape. */
static const char *parse_quoted(const char *at, const char *end, struct strbuf *out)
{
	strbuf_truncate(out, 0);
	for (; at < end && *at != '"'; at++) {
		if (*at == '\\') {
			at++;
			if (at == end || (*at != '\\' && *at != '"'))
				return NULL;
		}
		strbuf_add_char(out, *at);
	}
	return at < end ? at + 1 : NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Read 1 to digits_max hexadecimal digits; NULL if there are none or more. */
static const char *parse_number(const char *at, const char *end, int digits_max, uint32_t *out)
{
	uint32_t value = 0;
	int digits = 0;
	for (; at < end && hex_digit(*at) >= 0; at++, digits++) {
		if (digits == digits_max)
			return NULL;
		value = value << 4 | (uint32_t)hex_digit(*at);
	}
	*out = value;
	return digits ? at : NULL;
}

enum piece { PIECE_LAST, PIECE_CONTINUES, PIECE_BAD };

/* What stands behind a byte's comma, or at the start: the end of the value, a continuation mark, or the next byte
 * (then *more). */
static enum piece after_comma(const char *at, const char *end, bool *more)
{
	*more = false;
	if (is_line_end(at, end))
		return PIECE_LAST;
	if (*at == '\\')
		return is_line_end(at + 1, end) ? PIECE_CONTINUES : PIECE_BAD;
	*more = true;
	return PIECE_LAST;
}

/* One line of comma-separated bytes. A continuation needs a comma before it, except where no byte was read yet at
 * all. */
static enum piece parse_bytes(const char *at, const char *end, bool first, struct strbuf *out)
{
	bool more = false;
	at = skip_blanks(at, end);
	enum piece piece = after_comma(at, end, &more);
	if (piece == PIECE_CONTINUES && !first)
		return PIECE_BAD;
	while (more) {
		uint32_t byte = 0;
		at = parse_number(at, end, 2, &byte);
		if (!at)
			return PIECE_BAD;
		strbuf_add_char(out, (char)(unsigned char)byte);
		at = skip_blanks(at, end);
		if (is_line_end(at, end))
			return PIECE_LAST;
		if (*at != ',')
			return PIECE_BAD;
		at = skip_blanks(at + 1, end);
		piece = after_comma(at, end, &more);
	}
	return piece;
}

/* The bytes of a hex value, over as many lines as it takes. Blank lines and ; lines may stand between them; a #
 * line, or one that is not bytes, breaks the value and is used up. A file that ends behind a continuation mark
 * ends the value. */
static bool parse_hex(struct parser *parser, const char *at, const char *end)
{
	struct cursor line;
	strbuf_truncate(&parser->data, 0);
	enum piece piece = parse_bytes(at, end, true, &parser->data);
	while (piece == PIECE_CONTINUES && next_line(parser, &line)) {
		if (!is_line_end(line.at, line.end))
			piece = parse_bytes(line.at, line.end, false, &parser->data);
	}
	return piece != PIECE_BAD;
}

/* A NUL ends a text in the registry, whatever follows. Only hex(2) of REGEDIT4 is 8-bit: hex(1) is stored as it
 * stands. */
static void hex_to_text(struct parser *parser, unsigned type)
{
	struct strbuf text;
	const char *data = parser->data.data;
	size_t length = parser->data.length, used = 0;
	strbuf_init(&text);
	if (parser->version == 4 && type == REGISTRY_EXPAND_SZ) {
		encoding_add_cp1252(&text, data, strlen(data));
	} else {
		while (used + 1 < length && (data[used] || data[used + 1]))
			used += 2;
		encoding_add_utf16le(&text, data, used);
	}
	strbuf_free(&parser->data);
	parser->data = text;
}

static const char *parse_typed_hex(struct parser *parser, const char *at, const char *end, unsigned *type)
{
	uint32_t number = REGISTRY_BINARY;
	if (at < end && *at == '(') {
		at = parse_number(at + 1, end, TYPE_DIGITS_MAX, &number);
		if (!at || at == end || *at++ != ')')
			return "the type in hex(...) is not a hexadecimal number";
	}
	if (at == end || *at != ':')
		return "hex without a colon";
	if (!parse_hex(parser, at + 1, end))
		return "these are not bytes, or a line of them is damaged";
	*type = number;
	if (number == REGISTRY_SZ || number == REGISTRY_EXPAND_SZ)
		hex_to_text(parser, number);
	return NULL;
}

static const char *parse_dword(struct parser *parser, const char *at, const char *end, unsigned *type)
{
	uint32_t number = 0;
	at = parse_number(skip_blanks(at, end), end, DWORD_DIGITS_MAX, &number);
	if (!at || !is_line_end(at, end))
		return "a dword has 1 to 8 hexadecimal digits and nothing behind them";
	strbuf_truncate(&parser->data, 0);
	for (int i = 0; i < 4; i++, number >>= 8)
		strbuf_add_char(&parser->data, (char)(unsigned char)(number & 0xff));
	*type = REGISTRY_DWORD;
	return NULL;
}

/* Read what stands behind the equals sign; NULL if it is a value, else why it is none. */
static const char *parse_data(struct parser *parser, const char *at, const char *end, unsigned *type)
{
	size_t left = (size_t)(end - at);
	if (at < end && *at == '"') {
		at = parse_quoted(at + 1, end, &parser->data);
		*type = REGISTRY_SZ;
		return at && is_line_end(at, end) ? NULL : "the text in quotes does not end, or something follows it";
	}
	if (starts_with(at, left, "dword:"))
		return parse_dword(parser, at + strlen("dword:"), end, type);
	if (starts_with(at, left, "hex"))
		return parse_typed_hex(parser, at + strlen("hex"), end, type);
	return "no data that a registry file can hold (\"text\", dword:, hex:, hex(n): or -)";
}

/* Read the name and the equals sign; NULL if they are damaged. */
static const char *parse_name(struct parser *parser, const char *at, const char *end)
{
	strbuf_truncate(&parser->name, 0);
	if (*at == '@')
		at++;
	else
		at = parse_quoted(at + 1, end, &parser->name);
	at = at ? skip_blanks(at, end) : NULL;
	if (!at || at == end || *at != '=')
		return NULL;
	return skip_blanks(at + 1, end);
}

static void parse_value(struct parser *parser, const char *at, const char *end)
{
	unsigned line = parser->line, type = REGISTRY_NONE;
	at = parse_name(parser, at, end);
	bool deleted = at && at < end && *at == '-' && is_line_end(at + 1, end);
	const char *problem = !at ? "the name is not closed by a quote and an equals sign" : NULL;
	if (!problem && !deleted)
		problem = parse_data(parser, at, end, &type);
	if (parser->key == KEY_DAMAGED)
		return; /* said at the key already; the lines of the value are used up */
	if (!problem && parser->key != KEY_OPEN)
		problem = parser->key == KEY_DELETED ? "a value under a deleted key" : "a value before the first key";
	if (problem) {
		drop(parser, line, problem);
	} else if (deleted) {
		parser->sink->value_deleted(parser->sink->user, parser->name.data);
	} else {
		struct registry_value value = {.name = parser->name.data,
					       .type = type,
					       .data = (const unsigned char *)parser->data.data,
					       .length = parser->data.length};
		parser->sink->value(parser->sink->user, line, &value);
	}
}

static void parse_line(struct parser *parser, const char *at, const char *end)
{
	at = skip_blanks(at, end);
	if (at == end || *at == ';' || *at == '#')
		return;
	if (*at == '[')
		parse_key(parser, at + 1, end);
	else if (*at == '"' || *at == '@')
		parse_value(parser, at, end);
	else if (parser->key != KEY_DAMAGED)
		drop(parser, parser->line, "neither a key nor a value nor a comment");
}

/* ------------------------------------------------------------------ the file */

/* Up to SHOWN_BYTES_MAX of a hostile line, so that a message can quote it. */
static void show_line(const struct cursor *line, char shown[SHOWN_BYTES_MAX + 1])
{
	size_t length = (size_t)(line->end - line->at);
	length = length < SHOWN_BYTES_MAX ? length : SHOWN_BYTES_MAX;
	for (size_t i = 0; i < length; i++)
		shown[i] = line->at[i] >= ' ' && line->at[i] <= '~' ? line->at[i] : '?';
	shown[length] = '\0';
}

/* Windows wants the first line to the letter; only blanks before it are allowed. */
static bool parse_first_line(const char *file, struct parser *parser, struct err *err)
{
	struct cursor line = {"", ""};
	char shown[SHOWN_BYTES_MAX + 1];
	next_line(parser, &line);
	const char *at = skip_blanks(line.at, line.end);
	size_t length = (size_t)(line.end - at);
	static const char version_4[] = "REGEDIT4", version_5[] = "Windows Registry Editor Version 5.00";
	bool is_4 = length == strlen(version_4) && starts_with(at, length, version_4);
	bool is_5 = length == strlen(version_5) && starts_with(at, length, version_5);
	parser->version = is_4 ? 4 : 5;
	if (is_4 || is_5)
		return true;
	show_line(&line, shown);
	if (strcmp(shown, "REGEDIT") == 0)
		return err_set(
			err, "%s:1: is a registry file of Windows 3.1, which has no settings of today; " EXPORT_ADVICE,
			file);
	return err_set(err, "%s:1: is no registry export: the first line is \"%s\", not \"%s\"; " EXPORT_ADVICE, file,
		       shown, version_5);
}

bool regfile_parse(const char *file, const void *bytes, size_t length, const struct regfile_sink *sink, struct err *err)
{
	if (!check_encoding(file, bytes, length, err))
		return false;
	struct strbuf text;
	struct cursor line;
	struct parser parser = {.sink = sink};
	strbuf_init(&text);
	strbuf_init(&parser.name);
	strbuf_init(&parser.data);
	decode(bytes, length, &text);
	parser.text = (struct cursor){text.data, text.data + text.length};
	bool usable = parse_first_line(file, &parser, err);
	while (usable && next_line(&parser, &line))
		parse_line(&parser, line.at, line.end);
	strbuf_free(&text);
	strbuf_free(&parser.name);
	strbuf_free(&parser.data);
	return usable;
}
