#include "probe/engine/hostile.h"

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"

static const char hex[] = "0123456789abcdef";

const char *hostile_text(struct arena *arena, const char *bytes, size_t length)
{
	struct strbuf text;
	strbuf_init(&text);
	for (size_t i = 0; i < length;) {
		uint32_t code = UTF8_REPLACEMENT;
		size_t used = utf8_decode(bytes + i, length - i, &code);
		utf8_add(&text, code ? code : UTF8_REPLACEMENT);
		i += used ? used : 1;
	}
	const char *clean = arena_strndup(arena, text.data, text.length);
	strbuf_free(&text);
	return clean;
}

const char *hostile_bytes(struct arena *arena, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	char *text = arena_alloc(arena, length * 4 + 1);
	char *out = text;
	for (size_t i = 0; i < length; i++) {
		if (in[i] >= 0x20 && in[i] < 0x7f && in[i] != '\\') {
			*out++ = (char)in[i];
			continue;
		}
		*out++ = '\\';
		*out++ = 'x';
		*out++ = hex[in[i] >> 4];
		*out++ = hex[in[i] & 15];
	}
	return text;
}

const char *hex_text(struct arena *arena, const unsigned char *bytes, size_t length)
{
	char *text = arena_alloc(arena, length * 2 + 1);
	for (size_t i = 0; i < length; i++) {
		text[i * 2] = hex[bytes[i] >> 4];
		text[i * 2 + 1] = hex[bytes[i] & 15];
	}
	return text;
}
