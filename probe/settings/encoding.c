#include "probe/settings/encoding.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"

enum { CP1252_FIRST = 0x80, CP1252_COUNT = 0x20 };

/* Bytes 0x80 to 0x9f of Windows-1252 (Unicode's mapping table CP1252.TXT). */
static const uint16_t cp1252_high[CP1252_COUNT] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static void add_character(struct strbuf *out, uint32_t code)
{
	utf8_add(out, code ? code : UTF8_REPLACEMENT);
}

void encoding_add_utf8(struct strbuf *out, const void *bytes, size_t length)
{
	const char *at = bytes;
	while (length) {
		uint32_t code = 0;
		size_t step = utf8_decode(at, length, &code);
		add_character(out, code);
		at += step;
		length -= step;
	}
}

void encoding_add_cp1252(struct strbuf *out, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < length; i++) {
		bool mapped = at[i] >= CP1252_FIRST && at[i] < CP1252_FIRST + CP1252_COUNT;
		add_character(out, mapped ? cp1252_high[at[i] - CP1252_FIRST] : at[i]);
	}
}

void encoding_add_latin1(struct strbuf *out, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < length; i++)
		add_character(out, at[i]);
}

/* high: which of the two bytes is the high one. */
static uint32_t utf16_unit(const unsigned char *at, size_t high)
{
	return (uint32_t)at[high] << 8 | (uint32_t)at[1 - high];
}

static void add_utf16(struct strbuf *out, const void *bytes, size_t length, size_t high)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i + 1 < length; i += 2) {
		uint32_t unit = utf16_unit(at + i, high);
		uint32_t next = i + 3 < length ? utf16_unit(at + i + 2, high) : 0;
		if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) {
			add_character(out, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
			i += 2;
		} else {
			add_character(out, unit); /* a lone surrogate has no UTF-8 form */
		}
	}
}

void encoding_add_utf16le(struct strbuf *out, const void *bytes, size_t length)
{
	add_utf16(out, bytes, length, 1);
}

void encoding_add_utf16be(struct strbuf *out, const void *bytes, size_t length)
{
	add_utf16(out, bytes, length, 0);
}

/* ------------------------------------------------------------------ scripts */

typedef void (*add_bytes)(struct strbuf *out, const void *bytes, size_t length);

struct mark {
	const char *bytes;
	size_t length;
	add_bytes add;
};

static const struct mark marks[] = {
	{"\xef\xbb\xbf", 3, encoding_add_utf8},
	{"\xff\xfe", 2, encoding_add_utf16le},
	{"\xfe\xff", 2, encoding_add_utf16be},
};

static const struct mark *mark_of(const void *bytes, size_t length)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (length >= marks[i].length && memcmp(bytes, marks[i].bytes, marks[i].length) == 0)
			return &marks[i];
	return NULL;
}

/* NULL: unknown. */
static add_bytes charset_reader(const char *charset)
{
	static const struct {
		const char *name;
		add_bytes add;
	} known[] = {
		{"utf-8", encoding_add_utf8},	     {"utf8", encoding_add_utf8},
		{"utf-16le", encoding_add_utf16le},  {"utf-16be", encoding_add_utf16be},
		{"utf-16", encoding_add_utf16le},    {"unicode", encoding_add_utf16le},
		{"iso-8859-1", encoding_add_latin1}, {"iso8859-1", encoding_add_latin1},
		{"latin1", encoding_add_latin1},     {"us-ascii", encoding_add_latin1},
		{"ascii", encoding_add_latin1},	     {"windows-1252", encoding_add_cp1252},
		{"cp1252", encoding_add_cp1252},
	};
	for (size_t i = 0; charset && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(known[i].name, charset) == 0)
			return known[i].add;
	return NULL;
}

static bool leaves_order_open(const char *charset)
{
	return charset && (strcasecmp(charset, "utf-16") == 0 || strcasecmp(charset, "unicode") == 0);
}

void encoding_add_script(struct strbuf *out, const char *charset, const void *bytes, size_t length)
{
	const struct mark *mark = mark_of(bytes, length);
	add_bytes add = charset_reader(charset);
	if (mark && (!add || (leaves_order_open(charset) && mark->add != encoding_add_utf8)))
		add = mark->add;
	size_t skip = mark && add == mark->add ? mark->length : 0;
	if (!add)
		add = encoding_add_latin1;
	add(out, (const char *)bytes + skip, length - skip);
}

const char *encoding_clean(struct arena *arena, const char *text)
{
	if (!text)
		return NULL;
	struct strbuf clean;
	strbuf_init(&clean);
	encoding_add_utf8(&clean, text, strlen(text));
	const char *copy = arena_strndup(arena, clean.data, clean.length);
	strbuf_free(&clean);
	return copy;
}
