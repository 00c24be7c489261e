#include "probe/core/utf8.h"

#include "probe/core/strbuf.h"

/* How many bytes a first byte announces; 0 for one that cannot come first. */
static size_t announced_bytes(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xC2 && first <= 0xDF)
		return 2;
	if (first >= 0xE0 && first <= 0xEF)
		return 3;
	if (first >= 0xF0 && first <= 0xF4)
		return 4;
	return 0;
}

static bool is_character(uint32_t code, size_t bytes)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	bool surrogate = code >= 0xD800 && code <= 0xDFFF;
	return code >= least[bytes] && code <= 0x10FFFF && !surrogate;
}

size_t utf8_decode(const char *text, size_t length, uint32_t *code)
{
	*code = UTF8_REPLACEMENT;
	if (length == 0)
		return 0;
	unsigned char first = (unsigned char)text[0];
	size_t bytes = announced_bytes(first);
	if (bytes == 0 || bytes > length)
		return 1;
	if (bytes == 1) {
		*code = first;
		return 1;
	}
	uint32_t value = first & (0x7FU >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		unsigned char next = (unsigned char)text[i];
		if ((next & 0xC0) != 0x80)
			return 1;
		value = value << 6 | (next & 0x3FU);
	}
	if (!is_character(value, bytes))
		return 1;
	*code = value;
	return bytes;
}

void utf8_add(struct strbuf *out, uint32_t code)
{
	if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		code = UTF8_REPLACEMENT;
	if (code < 0x80) {
		strbuf_add_char(out, (char)code);
		return;
	}
	size_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
	char form[4];
	for (size_t i = bytes; i-- > 1; code >>= 6)
		form[i] = (char)(0x80 | (code & 0x3F));
	form[0] = (char)(lead[bytes] | code);
	strbuf_add_bytes(out, form, bytes);
}

void utf8_add_clean(struct strbuf *out, const char *text, size_t length)
{
	while (length > 0) {
		uint32_t code;
		size_t bytes = utf8_decode(text, length, &code);
		utf8_add(out, code);
		text += bytes;
		length -= bytes;
	}
}

bool utf8_is_valid(const char *text, size_t length)
{
	while (length > 0) {
		uint32_t code;
		size_t bytes = utf8_decode(text, length, &code);
		/* a real U+FFFD takes three bytes */
		if (code == UTF8_REPLACEMENT && bytes == 1)
			return false;
		text += bytes;
		length -= bytes;
	}
	return true;
}
