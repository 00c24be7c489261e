/* Whatever bytes: the reader takes a message, wants more, or refuses; what it takes is within its bounds and is written again as the same bytes;
 * and it never takes a message before its last byte is there, nor changes its mind about a beginning that it has refused. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/settings/pac_wire.h"
#include "tests/fuzz/must.h"

enum { CUTS = 64 };

static void check_texts(const struct pac_message *message, const char *bytes, size_t used)
{
	MUST(message->text_count <= PAC_MESSAGE_TEXTS_MAX);
	for (size_t i = 0; i < message->text_count; i++) {
		const struct pac_text *text = &message->texts[i];
		MUST(text->bytes >= bytes && text->bytes + text->length <= bytes + used);
		char *copy = pac_text_dup(text);
		MUST(strlen(copy) <= text->length && memcmp(copy, text->bytes, strlen(copy)) == 0);
		MUST(pac_text_is(text, copy) == (strlen(copy) == text->length));
		free(copy);
	}
}

static void check_written_again(const struct pac_message *message, const char *bytes, size_t used)
{
	struct strbuf out;
	strbuf_init(&out);
	pac_message_write(&out, message);
	MUST(out.length == used && memcmp(out.data, bytes, used) == 0);
	strbuf_free(&out);
}

/** From a copy of that size, so that a read beyond it is seen. */
static enum pac_read read_cut(const char *bytes, size_t length)
{
	struct pac_message message;
	size_t used = 0;
	char *exact = malloc(length ? length : 1);
	MUST(exact);
	memcpy(exact, bytes, length);
	enum pac_read read = pac_message_read(exact, length, &used, &message);
	free(exact);
	return read;
}

/** Shorter beginnings of what was read: all of it, or some of it where it is long. */
static void check_beginnings(const char *bytes, size_t length, enum pac_read whole)
{
	bool refused = false;
	for (size_t i = 0; i < CUTS; i++) {
		enum pac_read read = read_cut(bytes, length < CUTS ? (i < length ? i : length) : length * i / CUTS);
		MUST(whole != PAC_READ_ONE || read == PAC_READ_MORE || length < CUTS);
		MUST(whole != PAC_READ_MORE || read == PAC_READ_MORE);
		MUST(!refused || read == PAC_READ_DAMAGED);
		refused = read == PAC_READ_DAMAGED;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = size ? (const char *)data : "";
	for (size_t at = 0; at <= size;) {
		struct pac_message message;
		size_t used = 0;
		enum pac_read read = pac_message_read(bytes + at, size - at, &used, &message);
		check_beginnings(bytes + at, read == PAC_READ_ONE ? used : size - at, read);
		if (read != PAC_READ_ONE)
			break;
		MUST(used > 0 && used <= size - at);
		check_texts(&message, bytes + at, used);
		check_written_again(&message, bytes + at, used);
		at += used;
	}
	return 0;
}
