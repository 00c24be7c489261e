/* Scripts made UTF-8: by the charset that came with them, by their byte order mark, or as ISO-8859-1. */

#include "probe/settings/encoding.h"

#include "probe/core/strbuf.h"
#include "tests/unit/check.h"

static const struct {
	const char *charset, *bytes;
	size_t length;
	const char *wanted;
} cases[] = {
	/* neither charset nor mark: ISO-8859-1, even where it would be good UTF-8 */
	{NULL, "abc", 3, "abc"},
	{NULL, "", 0, ""},
	{NULL, "\xe4\x80", 2, "\xc3\xa4\xc2\x80"},
	{NULL, "\xc3\xa4", 2, "\xc3\x83\xc2\xa4"},
	{NULL, "a\0b", 3,
	 "a\xef\xbf\xbd"
	 "b"},
	/* the mark */
	{NULL, "\xef\xbb\xbf\xc3\xa4", 5, "\xc3\xa4"},
	{NULL,
	 "\xff\xfe"
	 "a\0\xe4\0",
	 6, "a\xc3\xa4"},
	{NULL, "\xfe\xff\0a\0\xe4", 6, "a\xc3\xa4"},
	{NULL, "\xff\xfe\x3d\xd8\x00\xde", 6, "\xf0\x9f\x98\x80"},
	{NULL, "\xfe\xff\xd8\x3d\xde\x00", 6, "\xf0\x9f\x98\x80"},
	{NULL, "\xfe\xff\xd8\x3d\0a", 6,
	 "\xef\xbf\xbd"
	 "a"},
	{NULL,
	 "\xff\xfe"
	 "a\0b",
	 5, "a"},
	{NULL, "\xef\xbb", 2, "\xc3\xaf\xc2\xbb"},
	{NULL, "\xff\xfe", 2, ""},
	/* the charset comes before the mark */
	{"UTF-8", "\xc3\xa4", 2, "\xc3\xa4"},
	{"utf-8", "\xef\xbb\xbf\xc3\xa4", 5, "\xc3\xa4"},
	{"utf-8", "\xe4", 1, "\xef\xbf\xbd"},
	{"iso-8859-1", "\xe4\x80", 2, "\xc3\xa4\xc2\x80"},
	{"ISO-8859-1", "\xef\xbb\xbf", 3, "\xc3\xaf\xc2\xbb\xc2\xbf"},
	{"us-ascii", "a", 1, "a"},
	{"Windows-1252", "\x80\xe4", 2, "\xe2\x82\xac\xc3\xa4"},
	{"utf-16", "a\0b\0", 4, "ab"},
	{"utf-16", "\xfe\xff\0a", 4, "a"},
	{"utf-16",
	 "\xff\xfe"
	 "a\0",
	 4, "a"},
	{"UTF-16BE", "\0a", 2, "a"},
	{"utf-16be", "\xfe\xff\0a", 4, "a"},
	{"utf-16le", "a\0", 2, "a"},
	/* one that nobody here knows is none */
	{"big5", "\xe4", 1, "\xc3\xa4"},
	{"big5", "\xef\xbb\xbf\xc3\xa4", 5, "\xc3\xa4"},
	{"", "a", 1, "a"},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf out;
		strbuf_init(&out);
		encoding_add_script(&out, cases[i].charset, cases[i].bytes, cases[i].length);
		if (strcmp(out.data, cases[i].wanted) != 0)
			printf("case %zu:\n", i);
		CHECK_TEXT(out.data, cases[i].wanted);
		CHECK_INT(out.length, strlen(cases[i].wanted));
		strbuf_free(&out);
	}
	return check_summary();
}
