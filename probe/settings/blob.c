#include "probe/settings/blob.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/settings/encoding.h"

struct reader {
	const unsigned char *at;
	size_t left; /* bytes */
};

static bool read_number(struct reader *reader, uint32_t *out)
{
	if (reader->left < 4)
		return false;
	const unsigned char *at = reader->at;
	*out = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
	reader->at += 4;
	reader->left -= 4;
	return true;
}

static bool read_int(struct reader *reader, int *out)
{
	uint32_t number = 0;
	bool read = read_number(reader, &number);
	*out = number > INT_MAX ? INT_MAX : (int)number;
	return read;
}

/* A length and that many characters. Blobs written by hand count a NUL at the end: the text ends at the first one. */
static bool read_text(struct arena *arena, struct reader *reader, const char **out)
{
	uint32_t length = 0;
	if (!read_number(reader, &length) || length > reader->left)
		return false;
	const unsigned char *end = memchr(reader->at, 0, length);
	struct strbuf text;
	strbuf_init(&text);
	encoding_add_cp1252(&text, reader->at, end ? (size_t)(end - reader->at) : length);
	*out = arena_strndup(arena, text.data, text.length);
	strbuf_free(&text);
	reader->at += length;
	reader->left -= length;
	return true;
}

static bool version_known(enum blob_kind kind, int version)
{
	bool connection = version == 0x3c || version == 0x46;
	return connection || (kind == BLOB_WINHTTP && (version == 0x18 || version == 0x28));
}

bool blob_parse(struct arena *arena, enum blob_kind kind, const void *bytes, size_t length, struct blob *out,
		const char **problem)
{
	struct reader reader = {bytes, length};
	*out = (struct blob){.proxy = "", .bypass = "", .pac = ""};
	*problem = "it ends before its flags";
	if (!read_int(&reader, &out->version) || !read_int(&reader, &out->counter) || !read_int(&reader, &out->flags))
		return false;
	*problem = arena_printf(arena, "its version 0x%X is not one that is known", (unsigned)out->version);
	if (!version_known(kind, out->version))
		return false;
	*problem = "the length of its proxy list reaches beyond its end";
	if (!read_text(arena, &reader, &out->proxy))
		return false;
	*problem = "the length of its bypass list reaches beyond its end";
	if (!read_text(arena, &reader, &out->bypass))
		return false;
	*problem = "the length of its PAC address reaches beyond its end";
	if (out->version >= 0x3c && !read_text(arena, &reader, &out->pac))
		return false;
	*problem = NULL;
	return true;
}
