#include "probe/settings/encoding.h"

#include <stdint.h>
#include <string.h>

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

static uint32_t utf16_unit(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

void encoding_add_utf16le(struct strbuf *out, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i + 1 < length; i += 2) {
		uint32_t unit = utf16_unit(at + i);
		uint32_t next = i + 3 < length ? utf16_unit(at + i + 2) : 0;
		if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) {
			add_character(out, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
			i += 2;
		} else {
			add_character(out, unit); /* a lone surrogate has no UTF-8 form */
		}
	}
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
