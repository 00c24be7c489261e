#include "probe/settings/pac_inside.h"

#include <stdio.h>

#include "probe/core/utf8.h"

/* Duktape holds a character beyond U+FFFF as two surrogates of three bytes each (CESU-8), and lone surrogates too. */
enum { SURROGATE_BYTES = 3, HIGH_FIRST = 0xD800, LOW_FIRST = 0xDC00, LOW_LAST = 0xDFFF };

/* The surrogate that begins here, or 0. */
static uint32_t surrogate_at(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	if (length < SURROGATE_BYTES || bytes[0] != 0xED || bytes[1] < 0xA0 || bytes[1] > 0xBF ||
	    (bytes[2] & 0xC0) != 0x80)
		return 0;
	return 0xD000U | (bytes[1] & 0x3FU) << 6 | (bytes[2] & 0x3FU);
}

size_t pac_text_next(const char *text, size_t length, uint32_t *code)
{
	uint32_t first = surrogate_at(text, length);
	if (first == 0)
		return utf8_decode(text, length, code);
	uint32_t second = surrogate_at(text + SURROGATE_BYTES, length - SURROGATE_BYTES);
	if (first >= LOW_FIRST || second < LOW_FIRST) {
		*code = UTF8_REPLACEMENT;
		return SURROGATE_BYTES;
	}
	*code = 0x10000U + ((first - HIGH_FIRST) << 10) + (second - LOW_FIRST);
	return 2 * (size_t)SURROGATE_BYTES;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

void pac_character_add(struct strbuf *out, uint32_t code, enum pac_controls controls)
{
	if (controls == PAC_CONTROLS_ESCAPED && (code == '"' || code == '\\'))
		strbuf_add_char(out, '\\');
	if (!is_control(code) || (code == '\t' && controls == PAC_TABS_KEPT)) {
		utf8_add(out, code);
		return;
	}
	if (controls != PAC_CONTROLS_ESCAPED)
		utf8_add(out, UTF8_REPLACEMENT);
	else if (code == '\n' || code == '\t' || code == '\r')
		strbuf_add(out, code == '\n' ? "\\n" : code == '\t' ? "\\t" : "\\r");
	else
		strbuf_printf(out, "\\u%04x", (unsigned)code);
}

void pac_text_add(struct strbuf *out, const char *text, size_t length, enum pac_controls controls, size_t max)
{
	uint32_t code;
	for (size_t bytes; (bytes = pac_text_next(text, length, &code)) > 0; length -= bytes) {
		if (out->length >= max) {
			strbuf_add(out, "...");
			return;
		}
		pac_character_add(out, code, controls);
		text += bytes;
	}
}

/* A byte that is no UTF-8 would make Duktape take the text for one of its own keys: it goes as U+FFFD. */
void pac_push_text(duk_context *duk, const char *text)
{
	char *copy = duk_push_fixed_buffer(duk, strlen(text) * 3 + 1);
	size_t length = strlen(text), used = 0;
	uint32_t code;
	for (size_t bytes; (bytes = utf8_decode(text, length, &code)) > 0; length -= bytes) {
		uint32_t units[2] = {code, 0};
		if (code >= 0x10000) {
			units[0] = HIGH_FIRST + ((code - 0x10000) >> 10);
			units[1] = LOW_FIRST + ((code - 0x10000) & 0x3FF);
		}
		for (size_t i = 0; i < 2 && (i == 0 || units[i]); i++) {
			uint32_t unit = units[i];
			if (unit >= 0x800)
				copy[used++] = (char)(0xE0 | unit >> 12);
			if (unit >= 0x80)
				copy[used++] = (char)((unit >= 0x800 ? 0x80 : 0xC0) |
						      (unit >> 6 & (unit >= 0x800 ? 0x3F : 0x1F)));
			copy[used++] = (char)(unit >= 0x80 ? 0x80 | (unit & 0x3F) : unit);
		}
		text += bytes;
	}
	duk_push_lstring(duk, copy, used);
	duk_remove(duk, -2);
}
