#include "probe/settings/pac_wire.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

enum { HEAD = 12, TYPES = 9 };

/* Of each type, 1 to 9: how many texts, and the largest number. */
static const struct {
	size_t texts;
	uint32_t number;
} shapes[TYPES + 1] = {
	[PAC_MESSAGE_SCRIPT] = {2, 0},	[PAC_MESSAGE_ASK] = {2, 0},	      [PAC_MESSAGE_NAMES] = {1, 0},
	[PAC_MESSAGE_READY] = {1, 0},	[PAC_MESSAGE_NO_SANDBOX] = {1, 0},    [PAC_MESSAGE_LOADED] = {4, 0},
	[PAC_MESSAGE_RESOLVE] = {1, 1}, [PAC_MESSAGE_CALL] = {2, 0x7fffffff}, [PAC_MESSAGE_ANSWER] = {4, 1},
};

/** A message of a type with its own shape, its texts "a", "bb", "ccc", "dddd". */
static struct pac_message of_type(enum pac_message_type type)
{
	static const char *const texts[] = {"a", "bb", "ccc", "dddd"};
	struct pac_message message = {.type = type, .number = shapes[type].number, .text_count = shapes[type].texts};
	for (size_t i = 0; i < message.text_count; i++)
		message.texts[i] = pac_text(texts[i], 100);
	return message;
}

static enum pac_read read_one(const struct strbuf *bytes, struct pac_message *out)
{
	size_t used = 0;
	enum pac_read read = pac_message_read(bytes->data, bytes->length, &used, out);
	CHECK(read != PAC_READ_ONE || used == bytes->length);
	return read;
}

static void each_type_comes_back_as_it_went(void)
{
	for (int type = 1; type <= TYPES; type++) {
		struct pac_message sent = of_type((enum pac_message_type)type), got;
		struct strbuf bytes;
		strbuf_init(&bytes);
		pac_message_write(&bytes, &sent);
		CHECK_INT(read_one(&bytes, &got), PAC_READ_ONE);
		CHECK(got.type == sent.type && got.number == sent.number && got.text_count == sent.text_count);
		for (size_t i = 0; i < sent.text_count; i++)
			CHECK(got.texts[i].length == i + 1 &&
			      memcmp(got.texts[i].bytes, sent.texts[i].bytes, i + 1) == 0);
		for (size_t length = 0; length < bytes.length; length++) {
			size_t used = 7;
			CHECK_INT(pac_message_read(bytes.data, length, &used, &got), PAC_READ_MORE);
			CHECK_INT(used, 7);
		}
		strbuf_free(&bytes);
	}
}

static void the_form_on_the_wire_is_fixed(void)
{
	static const char wanted[] = "\x19\0\0\0\7\1\0\0\1\0\0\0\x09\0\0\0proxy.lan";
	struct pac_message message = {.type = PAC_MESSAGE_RESOLVE, .number = 1, .text_count = 1};
	struct strbuf bytes;
	message.texts[0] = pac_text("proxy.lan", 100);
	strbuf_init(&bytes);
	pac_message_write(&bytes, &message);
	CHECK_INT(bytes.length, sizeof(wanted) - 1);
	CHECK(bytes.length == sizeof(wanted) - 1 && memcmp(bytes.data, wanted, bytes.length) == 0);
	strbuf_free(&bytes);
}

static void messages_follow_each_other(void)
{
	struct pac_message first = of_type(PAC_MESSAGE_CALL), second = of_type(PAC_MESSAGE_ANSWER), got;
	struct strbuf bytes;
	size_t used = 0, more = 0;
	strbuf_init(&bytes);
	pac_message_write(&bytes, &first);
	size_t length = bytes.length;
	pac_message_write(&bytes, &second);
	CHECK_INT(pac_message_read(bytes.data, bytes.length, &used, &got), PAC_READ_ONE);
	CHECK(used == length && got.type == PAC_MESSAGE_CALL);
	CHECK_INT(pac_message_read(bytes.data + used, bytes.length - used, &more, &got), PAC_READ_ONE);
	CHECK(used + more == bytes.length && got.type == PAC_MESSAGE_ANSWER);
	strbuf_free(&bytes);
}

/** What a message reads as with one byte of it changed. */
static enum pac_read with_byte(enum pac_message_type type, size_t at, int value)
{
	struct pac_message message = of_type(type), got;
	struct strbuf bytes;
	size_t used = 0;
	strbuf_init(&bytes);
	pac_message_write(&bytes, &message);
	bytes.data[at] = (char)value;
	enum pac_read read = pac_message_read(bytes.data, bytes.length, &used, &got);
	strbuf_free(&bytes);
	return read;
}

static void what_no_message_can_be_is_damaged(void)
{
	for (int type = 1; type <= TYPES; type++) {
		enum pac_message_type kind = (enum pac_message_type)type;
		CHECK_INT(with_byte(kind, 4, 0), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, 4, TYPES + 1), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, 4, 255), PAC_READ_DAMAGED);
		for (int count = 0; count < 256; count++)
			if ((size_t)count != shapes[type].texts)
				CHECK_INT(with_byte(kind, 5, count), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, 6, 1), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, 7, 1), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, 11, 0x80), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, 9, 1), type == PAC_MESSAGE_CALL ? PAC_READ_ONE : PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, HEAD, 2), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, HEAD, 0), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, HEAD + 3, 0xff), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, 0, HEAD), PAC_READ_DAMAGED);
		CHECK_INT(with_byte(kind, 3, 1), PAC_READ_DAMAGED);
	}
}

static void a_length_is_judged_before_its_bytes_come(void)
{
	struct pac_message message = of_type(PAC_MESSAGE_ANSWER), got;
	struct strbuf bytes;
	size_t used = 0;
	strbuf_init(&bytes);
	pac_message_write(&bytes, &message);
	memcpy(bytes.data, "\0\0\x40\0", 4); /* PAC_MESSAGE_BYTES_MAX */
	CHECK_INT(pac_message_read(bytes.data, HEAD, &used, &got), PAC_READ_MORE);
	memcpy(bytes.data, "\1\0\x40\0", 4);
	CHECK_INT(pac_message_read(bytes.data, HEAD, &used, &got), PAC_READ_DAMAGED);
	CHECK_INT(pac_message_read(bytes.data, HEAD - 1, &used, &got), PAC_READ_MORE);
	strbuf_free(&bytes);
}

static void texts_are_cut_between_characters(void)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
	static const size_t wanted[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
	for (size_t max = 0; max < sizeof(wanted) / sizeof(wanted[0]); max++)
		CHECK_INT(pac_text(text, max).length, wanted[max]);
	CHECK_INT(pac_text(NULL, 5).length, 0);
	CHECK(pac_text(NULL, 5).bytes != NULL);
	CHECK_INT(pac_text("\x80\x80\x80", 2).length, 0);
}

static void texts_are_compared_and_copied(void)
{
	const struct pac_text text = {"memory?", 6}, with_nul = {"ab\0cd", 5};
	CHECK(pac_text_is(&text, "memory"));
	CHECK(!pac_text_is(&text, "memory?") && !pac_text_is(&text, "memor") && !pac_text_is(&text, ""));
	CHECK(!pac_text_is(&with_nul, "ab"));
	char *copy = pac_text_dup(&text), *cut = pac_text_dup(&with_nul);
	CHECK_TEXT(copy, "memory");
	CHECK_TEXT(cut, "ab");
	free(copy);
	free(cut);
}

int main(void)
{
	each_type_comes_back_as_it_went();
	the_form_on_the_wire_is_fixed();
	messages_follow_each_other();
	what_no_message_can_be_is_damaged();
	a_length_is_judged_before_its_bytes_come();
	texts_are_cut_between_characters();
	texts_are_compared_and_copied();
	return check_summary();
}
