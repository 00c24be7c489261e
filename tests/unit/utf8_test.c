#include "probe/core/utf8.h"

#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

static const struct {
	const char *text;
	uint32_t code;
	size_t bytes;
} rows[] = {
	{"a", 'a', 1},
	{"\xC3\xA9", 0xE9, 2},
	{"\xE8\xB3\x87", 0x8CC7, 3},
	{"\xF0\x9F\x92\xA5", 0x1F4A5, 4},
	{"\xF4\x8F\xBF\xBF", 0x10FFFF, 4},
	{"\xEF\xBF\xBD", UTF8_REPLACEMENT, 3},
	{"\x80", UTF8_REPLACEMENT, 1},
	{"\xC1\x81", UTF8_REPLACEMENT, 1},
	{"\xE0\x80\xAF", UTF8_REPLACEMENT, 1},
	{"\xED\xA0\x80", UTF8_REPLACEMENT, 1},
	{"\xF4\x90\x80\x80", UTF8_REPLACEMENT, 1},
	{"\xF8\x88\x80\x80\x80", UTF8_REPLACEMENT, 1},
	{"\xE8\xB3", UTF8_REPLACEMENT, 1},
	{"\xE8\xB3z", UTF8_REPLACEMENT, 1},
	{"", UTF8_REPLACEMENT, 0},
};

int main(void)
{
	struct strbuf out;
	strbuf_init(&out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t code;
		size_t bytes = utf8_decode(rows[i].text, strlen(rows[i].text), &code);
		CHECK_INT(bytes, rows[i].bytes);
		CHECK_INT(code, rows[i].code);
		bool whole = bytes == strlen(rows[i].text) && (code != UTF8_REPLACEMENT || bytes != 1);
		CHECK(utf8_is_valid(rows[i].text, strlen(rows[i].text)) == whole);
		strbuf_truncate(&out, 0);
		utf8_add(&out, code);
		if (whole && bytes)
			CHECK_TEXT(out.data, rows[i].text);
	}
	strbuf_truncate(&out, 0);
	utf8_add(&out, 0xD800);
	utf8_add(&out, 0x110000);
	CHECK_TEXT(out.data, "\xEF\xBF\xBD\xEF\xBF\xBD");
	strbuf_truncate(&out, 0);
	utf8_add_clean(&out,
		       "a\xFF"
		       "b",
		       3);
	CHECK_TEXT(out.data, "a\xEF\xBF\xBD"
			     "b");
	strbuf_free(&out);
	return check_summary();
}
