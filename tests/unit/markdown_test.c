#include "reports/markdown.h"

#include <stddef.h>

#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

/* ------------------------------------------------------------------ data, each way of writing it */

struct row {
	const char *data, *wanted;
};

static void check_rows(void (*add)(struct strbuf *, const char *), const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct strbuf out;
		strbuf_init(&out);
		add(&out, rows[i].data);
		CHECK_TEXT(out.data, rows[i].wanted);
		strbuf_free(&out);
	}
}

#define CHECK_ROWS(add, rows) check_rows((add), (rows), sizeof(rows) / sizeof((rows)[0]))

static void test_code(void)
{
	static const struct row rows[] = {
		{"login.microsoftonline.com", "`login.microsoftonline.com`"},
		{"", "`\"\"`"},
		{"  ", "`\"\"`"},
		{"a|b", "`a\\x7cb`"},
		{"`; [x](http://evil)", "`\\x60; [x](http://evil)`"},
		{"```\n# heading", "`\\x60\\x60\\x60\\x0a# heading`"},
		{"<script>alert(1)</script>", "`<script>alert(1)</script>`"},
		{"\033[31mred", "`\\x1b[31mred`"},
		{"moc.\xe2\x80\xae"
		 "evil",
		 "`moc.\\u202eevil`"},
	};
	CHECK_ROWS(md_add_code, rows);
}

static void test_text(void)
{
	static const struct row rows[] = {
		{"No answer came for 2.0 s (at once).", "No answer came for 2.0 s (at once)."},
		{"Allow login.windows.net, please", "Allow `login.windows.net`, please"},
		{"See https://evil.example/ and www.evil.example",
		 "See `https://evil.example/` and `www.evil.example`"},
		{"Write to root@evil.example!", "Write to `root@evil.example`!"},
		{"A [link](http://evil) or ![x](y)", "A `[link](http://evil`) or `![x](y`)"},
		{"An <img src=x onerror=y> tag", "An `<img` `src=x` `onerror=y>` tag"},
		{"Bars | and ** and __ and ~~", "Bars `\\x7c` and `**` and `__` and `~~`"},
		{"# no heading", "`#` no heading"},
		{"- no item", "`-` no item"},
		{"1. no list", "`1`. no list"},
		{"Run `netsh winhttp show proxy`.", "Run `netsh winhttp show proxy`."},
		{"An odd ` one", "An odd `\\x60` one"},
		{"Two `a``b` spans", "Two `a` `b` spans"},
		{"Of &amp; and \\ too", "Of `&amp`; and `\\` too"},
		{"One\nline", "`One\\x0aline`"},
		{"Right to left: \xe2\x80\xaeX", "Right to left: `\\u202eX`"},
		{"", ""},
	};
	CHECK_ROWS(md_add_text, rows);
}

static void test_fenced(void)
{
	static const struct row rows[] = {
		{"reg add \"HKU\\S-1-5-18\" /v X", "reg add \"HKU\\S-1-5-18\" /v X"},
		{"```\n<script>", "\\x60\\x60\\x60\\x0a<script>"},
		{"a\r\nb\tc", "a\\x0d\\x0ab\\x09c"},
	};
	CHECK_ROWS(md_add_fenced, rows);
}

static void test_csv(void)
{
	static const struct row rows[] = {
		{"10.0.0.2", "\"10.0.0.2\""},
		{"say \"hi\"", "\"say \"\"hi\"\"\""},
		{"a,b\nc", "\"a,b\\x0ac\""},
		{"=cmd|'/c calc'!A0", "\"'=cmd|'/c calc'!A0\""},
		{"+1", "\"'+1\""},
		{"-1", "\"'-1\""},
		{"@SUM(A1)", "\"'@SUM(A1)\""},
		{"\t=1", "\"\\x09=1\""},
		{"`", "\"\\x60\""},
	};
	CHECK_ROWS(csv_add_field, rows);
}

static void test_long_data_is_cut(void)
{
	struct strbuf out, data;
	strbuf_init(&out);
	strbuf_init(&data);
	for (int i = 0; i < 5000; i++)
		strbuf_add(&data, "x");
	md_add_code(&out, data.data);
	CHECK_INT(out.length, MD_VALUE_COLUMNS + 2);
	CHECK(strstr(out.data, "...`") != NULL);
	strbuf_free(&data);
	strbuf_free(&out);
}

int main(void)
{
	test_code();
	test_text();
	test_fenced();
	test_csv();
	test_long_data_is_cut();
	return check_summary();
}
