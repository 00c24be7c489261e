/* Whatever head a server or proxy sends: the limits hold, texts are UTF-8, cookies and credentials are not kept. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/utf8.h"
#include "probe/engine/transfer_state.h"
#include "tests/fuzz/must.h"

enum { INPUT_BYTES = 65536, REPLACEMENT_BYTES = 3 };

static void check_headers(const struct reply *reply)
{
	MUST(reply->headers.count <= REPLY_HEADERS_MAX);
	for (size_t i = 0; i < reply->headers.count; i++) {
		const struct header *header = &reply->headers.items[i];
		MUST(utf8_is_valid(header->value, strlen(header->value)));
		MUST(strlen(header->value) <= REPLY_VALUE_MAX * REPLACEMENT_BYTES);
		MUST(strcmp(header->name, "set-cookie") != 0 && strcmp(header->name, "proxy-authorization") != 0);
		MUST(strcmp(header->name, "location") != 0 || !strchr(header->value, '?'));
	}
}

static void check_reply(const struct reply *reply)
{
	MUST(reply->status == NOT_MEASURED || (reply->status >= 100 && reply->status <= 999));
	MUST(!reply->complete || reply->status != NOT_MEASURED);
	MUST(reply->schemes.count <= REPLY_SCHEMES_MAX);
	check_headers(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *at = (const char *)data, *end = at + (size < INPUT_BYTES ? size : INPUT_BYTES);
	struct reply reply;
	reply_reset(&reply);
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t length = line_end ? (size_t)(line_end + 1 - at) : (size_t)(end - at);
		reply_line(arena, &reply, at, length);
		at += length;
	}
	check_reply(&reply);
	arena_free(arena);
	return 0;
}
