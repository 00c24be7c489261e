/* Whatever bytes, the first one choosing the kind: a blob is refused with a reason, or read within its bounds; the
 * shortest blob that can be read is the one that ends behind its texts. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/utf8.h"
#include "probe/settings/blob.h"
#include "tests/fuzz/must.h"

enum { HEAD_BYTES = 12 };

static size_t length_at(const uint8_t *data)
{
	return (size_t)data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16 | (size_t)data[3] << 24;
}

/** The bytes up to the end of the last text; only for a blob that can be read. */
static size_t used_bytes(const uint8_t *data, const struct blob *blob)
{
	size_t used = HEAD_BYTES, texts = blob->version >= 0x3c ? 3 : 2;
	for (size_t i = 0; i < texts; i++)
		used += 4 + length_at(data + used);
	return used;
}

static void check_text(const char *text)
{
	MUST(text && utf8_is_valid(text, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct blob blob, again;
	const char *problem = NULL;
	if (size == 0)
		data = (const uint8_t *)"";
	enum blob_kind kind = size && data[0] == 'w' ? BLOB_WINHTTP : BLOB_CONNECTION;
	data += size > 0;
	size -= size > 0;
	bool read = blob_parse(arena, kind, data, size, &blob, &problem);
	MUST(read == (problem == NULL));
	check_text(blob.proxy);
	check_text(blob.bypass);
	check_text(blob.pac);
	MUST(blob.version >= 0 && blob.counter >= 0 && blob.flags >= 0);
	if (read) {
		size_t used = used_bytes(data, &blob);
		MUST(used <= size);
		MUST(blob_parse(arena, kind, data, used, &again, &problem));
		MUST(strcmp(blob.proxy, again.proxy) == 0 && strcmp(blob.pac, again.pac) == 0);
		MUST(!blob_parse(arena, kind, data, used - 1, &again, &problem) && problem);
	}
	arena_free(arena);
	return 0;
}
