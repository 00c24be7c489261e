#include "reports/screen.h"

#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

static struct strbuf out;

static const struct {
	const char *text, *shown;
} escapes[] = {
	{"plain, with \\ and \"", "plain, with \\ and \""},
	{"\x1b[2J", "\\x1b[2J"},
	{"a\nb\r\tc\x7f", "a\\x0ab\\x0d\\x09c\\x7f"},
	{"\xC2\x9b"
	 "2J",
	 "\\x9b2J"},
	{"\xE2\x80\xAEgpj.exe", "\\u202egpj.exe"},
	{"\xE2\x81\xA6x\xE2\x81\xA9", "\\u2066x\\u2069"},
	{"\xE2\x80\x8B\xEF\xBB\xBF", "\\u200b\\ufeff"},
	{"\xE2\x80\xA8", "\\u2028"},
	{"\xF3\xA0\x81\xA1", "\\U0e0061"},
	{"\xD8\x9C", "\\u061c"},
	{"\xff", "\xEF\xBF\xBD"},
	{"\xE8\xB3\x87\xE8\xA8\x8A", "\xE8\xB3\x87\xE8\xA8\x8A"},
	{"M\xC3\xBCller", "M\xC3\xBCller"},
};

static const struct {
	const char *text;
	size_t columns;
} widths[] = {
	{"", 0},	  {"abc", 3},	       {"M\xC3\xBCller", 6},	{"\xE8\xB3\x87\xE8\xA8\x8A", 4},
	{"e\xCC\x81", 1}, {"\xEF\xBC\xA1", 2}, {"\xF0\x9F\x92\xA5", 2},
};

static void check_cell(const char *text, size_t columns, const char *wanted)
{
	strbuf_truncate(&out, 0);
	screen_add_cell(&out, text, columns);
	CHECK_TEXT(out.data, wanted);
}

static void check_wrapped(size_t column, size_t indent, const char *text, const char *wanted)
{
	strbuf_truncate(&out, 0);
	screen_wrap(&out, column, indent, text);
	CHECK_TEXT(out.data, wanted);
}

static void test_cells(void)
{
	check_cell("ab", 4, "ab  ");
	check_cell("abcd", 4, "abcd");
	check_cell("abcdefg", 6, "abc...");
	check_cell("\xE8\xB3\x87\xE8\xA8\x8A", 6, "\xE8\xB3\x87\xE8\xA8\x8A  ");
	check_cell("\xE8\xB3\x87\xE8\xA8\x8A\xE9\x96\x80", 5, "\xE8\xB3\x87...");
	check_cell("\xE8\xB3\x87\xE8\xA8\x8A\xE9\x96\x80", 4, "... ");
	check_cell("\x1b\x1b", 7, "\\x1b...");
}

#define TEN "0123456789"

static void test_wrapping(void)
{
	check_wrapped(0, 2, "a  b ", "a b\n");
	check_wrapped(0, 2, "", "\n");
	check_wrapped(0, 2, TEN TEN TEN TEN TEN TEN TEN " 012345678 x",
		      TEN TEN TEN TEN TEN TEN TEN " 012345678\n  x\n");
	check_wrapped(11, 2, TEN TEN TEN TEN TEN TEN " 01234567 x", TEN TEN TEN TEN TEN TEN " 01234567\n  x\n");
	check_wrapped(0, 2, TEN TEN TEN TEN TEN TEN TEN TEN TEN " x",
		      TEN TEN TEN TEN TEN TEN TEN TEN "\n  " TEN " x\n");
}

/* No pile of marks, however high, and no text, however long, leaves its columns. */
static void test_floods(void)
{
	struct strbuf flood;
	strbuf_init(&flood);
	for (size_t i = 0; i < 5000; i++)
		strbuf_add(&flood, "\xCC\x81");
	strbuf_truncate(&out, 0);
	screen_add(&out, flood.data, 20);
	CHECK(out.length < 200);
	strbuf_truncate(&flood, 0);
	for (size_t i = 0; i < 5000; i++)
		strbuf_add(&flood, "\xE8\xB3\x87");
	strbuf_truncate(&out, 0);
	screen_add(&out, flood.data, 20);
	CHECK_INT(screen_width(out.data), 19);
	strbuf_free(&flood);
}

int main(void)
{
	strbuf_init(&out);
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		strbuf_truncate(&out, 0);
		screen_add(&out, escapes[i].text, SCREEN_COLUMNS);
		CHECK_TEXT(out.data, escapes[i].shown);
		screen_add(&out, "", SCREEN_COLUMNS);
		/* what was made safe once stays as it is */
		check_cell(escapes[i].shown, screen_width(escapes[i].shown), escapes[i].shown);
	}
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		CHECK_INT(screen_width(widths[i].text), widths[i].columns);
	test_cells();
	test_wrapping();
	test_floods();
	strbuf_free(&out);
	return check_summary();
}
