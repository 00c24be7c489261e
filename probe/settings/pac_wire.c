#include "probe/settings/pac_wire.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"

enum { HEAD_BYTES = 12, LENGTH_BYTES = 4, TYPE_AT = 4, COUNT_AT = 5, ZERO_AT = 6, NUMBER_AT = 8 };

/** What a message of each type looks like. */
static const struct shape {
	uint8_t text_count;
	uint32_t number_max;
} shapes[] = {
	[PAC_MESSAGE_SCRIPT] = {2, 0},	[PAC_MESSAGE_ASK] = {2, 0},	     [PAC_MESSAGE_NAMES] = {1, 0},
	[PAC_MESSAGE_READY] = {1, 0},	[PAC_MESSAGE_NO_SANDBOX] = {1, 0},   [PAC_MESSAGE_LOADED] = {4, 0},
	[PAC_MESSAGE_RESOLVE] = {1, 1}, [PAC_MESSAGE_CALL] = {2, INT32_MAX}, [PAC_MESSAGE_ANSWER] = {4, 1},
};

/** NULL for a type that there is not. */
static const struct shape *shape_of(unsigned type)
{
	return type >= PAC_MESSAGE_SCRIPT && type < sizeof(shapes) / sizeof(shapes[0]) ? &shapes[type] : NULL;
}

static void add_number(struct strbuf *out, uint32_t number)
{
	for (int shift = 0; shift < 32; shift += 8)
		strbuf_add_char(out, (char)(unsigned char)(number >> shift & 0xff));
}

static uint32_t number_at(const char *bytes)
{
	const unsigned char *at = (const unsigned char *)bytes;
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void pac_message_write(struct strbuf *out, const struct pac_message *message)
{
	size_t whole = HEAD_BYTES;
	for (size_t i = 0; i < message->text_count; i++)
		whole += LENGTH_BYTES + message->texts[i].length;
	add_number(out, (uint32_t)whole);
	strbuf_add_char(out, (char)message->type);
	strbuf_add_char(out, (char)message->text_count);
	strbuf_add_bytes(out, "\0\0", 2);
	add_number(out, message->number);
	for (size_t i = 0; i < message->text_count; i++)
		add_number(out, (uint32_t)message->texts[i].length);
	for (size_t i = 0; i < message->text_count; i++)
		strbuf_add_bytes(out, message->texts[i].bytes, message->texts[i].length);
}

/** The lengths add up to the whole, each text where the one before ends. */
static enum pac_read read_texts(const char *bytes, size_t whole, struct pac_message *out)
{
	size_t at = HEAD_BYTES + out->text_count * LENGTH_BYTES;
	for (size_t i = 0; i < out->text_count; i++) {
		size_t length = number_at(bytes + HEAD_BYTES + i * LENGTH_BYTES);
		if (at > whole || length > whole - at)
			return PAC_READ_DAMAGED;
		out->texts[i] = (struct pac_text){bytes + at, length};
		at += length;
	}
	return at == whole ? PAC_READ_ONE : PAC_READ_DAMAGED;
}

enum pac_read pac_message_read(const char *bytes, size_t length, size_t *used, struct pac_message *out)
{
	struct pac_message message = {.text_count = 0};
	if (length < HEAD_BYTES)
		return PAC_READ_MORE;
	size_t whole = number_at(bytes);
	unsigned type = (unsigned char)bytes[TYPE_AT];
	const struct shape *shape = shape_of(type);
	message.type = (enum pac_message_type)type;
	message.text_count = (unsigned char)bytes[COUNT_AT];
	message.number = number_at(bytes + NUMBER_AT);
	if (!shape || message.text_count != shape->text_count || message.number > shape->number_max ||
	    bytes[ZERO_AT] != 0 || bytes[ZERO_AT + 1] != 0)
		return PAC_READ_DAMAGED;
	if (whole > PAC_MESSAGE_BYTES_MAX || whole < HEAD_BYTES + message.text_count * LENGTH_BYTES)
		return PAC_READ_DAMAGED;
	if (length < whole)
		return PAC_READ_MORE;
	if (read_texts(bytes, whole, &message) != PAC_READ_ONE)
		return PAC_READ_DAMAGED;
	*out = message;
	*used = whole;
	return PAC_READ_ONE;
}

/** Does a character of UTF-8 go on at this byte? */
static bool goes_on(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

struct pac_text pac_text(const char *text, size_t max)
{
	size_t length = text ? strlen(text) : 0;
	if (length > max) {
		length = max;
		while (length > 0 && goes_on(text[length]))
			length--;
	}
	return (struct pac_text){text ? text : "", length};
}

bool pac_text_is(const struct pac_text *text, const char *wanted)
{
	return text->length == strlen(wanted) && memcmp(text->bytes, wanted, text->length) == 0;
}

char *pac_text_dup(const struct pac_text *text)
{
	const char *nul = memchr(text->bytes, '\0', text->length);
	size_t length = nul ? (size_t)(nul - text->bytes) : text->length;
	char *copy = xmalloc(length + 1);
	memcpy(copy, text->bytes, length);
	copy[length] = '\0';
	return copy;
}
