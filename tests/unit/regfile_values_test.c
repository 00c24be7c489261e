/* Registry exports: every form of a value, in every encoding and with every line end that Windows takes. */
#include "tests/unit/registry_check.h"

/* ------------------------------------------------------------------ encodings */

static size_t to_utf16(const char *ascii, unsigned char *out)
{
	size_t used = 0;
	out[used++] = 0xff;
	out[used++] = 0xfe;
	for (; *ascii; ascii++) {
		out[used++] = (unsigned char)*ascii;
		out[used++] = *ascii == '#' ? 0x04 : 0; /* a '#' becomes U+0423 */
	}
	return used;
}

static void test_encodings(void)
{
	unsigned char wide[1024];
	struct err err;
	size_t length = to_utf16(V5 IN_KEY "\"a\"=\"x#\"\r\n\"s\"=\"1234\"\r\n", wide);
	struct registry *registry = merge_bytes("w.reg", wide, length, &err);
	CHECK_TEXT(text_of(registry, "a"), "x\xd0\xa3");
	/* U+1F600 as a pair, then the same halves alone, and a NUL */
	unsigned char pair[] = {0x3d, 0xd8, 0x00, 0xde, 0x3d, 0xd8, 'A', 0};
	memcpy(wide + length - 14, pair, sizeof(pair));
	registry = merge_bytes("w.reg", wide, length, &err);
	CHECK_TEXT(text_of(registry, "s"), "\xf0\x9f\x98\x80\xef\xbf\xbd"
					   "A");
	CHECK_TEXT(text_of(merge(V5 IN_KEY "\"a\"=\"\xc3\xa9\""), "a"), "\xc3\xa9");
	CHECK_TEXT(text_of(merge("\xef\xbb\xbf" V5 IN_KEY "\"a\"=\"\xc3\xa9\""), "a"), "\xc3\xa9");
	CHECK_TEXT(text_of(merge("\xef\xbb\xbf" V5 IN_KEY "\"a\"=\"\xc3(\""), "a"), "\xef\xbf\xbd(");
	CHECK_TEXT(text_of(merge(V5 IN_KEY "\"a\"=\"\xe9\""), "a"), "\xc3\xa9");
	CHECK_TEXT(text_of(merge(V4 IN_KEY "\"a\"=\"\xc3\xa9\x80\x81\""), "a"), "\xc3\x83\xc2\xa9\xe2\x82\xac\xc2\x81");
	static const char nul[] = V4 IN_KEY "\"a\"=\"x\0y\"";
	CHECK_TEXT(text_of(merge_bytes("n.reg", nul, sizeof(nul) - 1, &err), "a"), "x\xef\xbf\xbdy");
	static const char nul_5[] = V5 IN_KEY "\"a\"=\"x\0y\"";
	CHECK_TEXT(text_of(merge_bytes("n.reg", nul_5, sizeof(nul_5) - 1, &err), "a"), "x\xef\xbf\xbdy");
}

/* What regedit writes, what people save with an editor, and what old scripts write: the same text gives the same values. */
static void test_same_text(void)
{
	static const char lines[] =
		"[HKEY_CURRENT_USER\\Software\\Test]\r\n\"b\"=\"*.caf\xe9;<local>\" ; c\r\n\"\xe9\"=\"\\\\\"\r\n";
	unsigned char wide[1024] = {0xff, 0xfe};
	struct strbuf utf8;
	struct err err;
	size_t used = 2;
	strbuf_init(&utf8);
	const char *text = arena_printf(arena, "%s%s", V5, lines);
	for (const char *at = text; *at; at++, used += 2) {
		wide[used] = (unsigned char)*at;
		strbuf_add(&utf8, *at == '\xe9' ? "\xc3\xa9" : (const char[]){*at, '\0'});
	}
	const struct registry *const forms[] = {merge_bytes("w.reg", wide, used, &err), merge(text), merge(utf8.data),
						merge(arena_printf(arena, "\xef\xbb\xbf%s", utf8.data)),
						merge(arena_printf(arena, "%s%s", V4, lines))};
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		CHECK_TEXT(text_of(forms[i], "b"), "*.caf\xc3\xa9;<local>");
		CHECK_TEXT(text_of(forms[i], "\xc3\xa9"), "\\");
		CHECK(forms[i] && !registry_problems(forms[i])[0]);
	}
	strbuf_free(&utf8);
}

static void test_line_ends(void)
{
	CHECK_TEXT(text_of(merge("REGEDIT4\r\r[" KEY "]\r\"a\"=\"1\"\r\"b\"=\"2\""), "b"), "2");
	CHECK_TEXT(text_of(merge("REGEDIT4\n[" KEY "]\n\"a\"=\"1\"\n\n\n\"b\"=\"2\""), "b"), "2");
	CHECK_TEXT(text_of(merge("REGEDIT4\r\n[" KEY "]\r\n\"a\"=\"1\"\r\n\"b\"=\"2\"\r\n"), "a"), "1");
}

/* ------------------------------------------------------------------ values */

struct value_case {
	const char *line;   /* behind a key; ASCII */
	const char *wanted; /* "type:hex" of the value "a", or NULL where the line is dropped */
};

static const struct value_case value_cases[] = {
	/* texts */
	{"\"a\"=\"\"", "1:"},
	{"\"a\"=\"x\"", "1:78"},
	{"  \t\"a\"\t =  \t\"x\"  \t", "1:78"},
	{"\"a\"=\"x\" ;comment", "1:78"},
	{"\"a\"=\"x\";\"b\"=\"y\"", "1:78"},
	{"\"a\"=\"x\"#comment", NULL},
	{"\"a\"=\"x\" #comment", NULL},
	{"\"a\"=\"x;y#z\"", "1:783b79237a"},
	{"\"a\"=\"\\\\\\\"\"", "1:5c22"},
	{"\"a\"=\"\\0\"", NULL},
	{"\"a\"=\"\\n\"", NULL},
	{"\"a\"=\"x\\\"", NULL},
	{"\"a\"=\"x\\", NULL},
	{"\"a\"=\"x", NULL},
	{"\"a\"=\"x\"y\"", NULL},
	{"\"a\"=\"x\"\"y\"", NULL},
	{"\"a\"=x\"", NULL},
	{"\"a\"=x", NULL},
	{"\"a\"=", NULL},
	{"\"a\"=;\"x\"", NULL},
	{"\"a\"", NULL},
	{"\"a", NULL},
	{"a\"=\"x\"", NULL},
	{"a=\"x\"", NULL},
	{"\"a=x\"", NULL},
	/* numbers */
	{"\"a\"=dword:1", "4:01000000"},
	{"\"a\"=dword:4444", "4:44440000"},
	{"\"a\"=dword:12345678", "4:78563412"},
	{"\"a\"=dword:ABCDEF09", "4:09efcdab"},
	{"\"a\"=dword: \t00000008\t", "4:08000000"},
	{"\"a\"=dword:1234;5678", "4:34120000"},
	{"\"a\"=dword:1234 ;5678", "4:34120000"},
	{"\"a\"=dword:1234#5678", NULL},
	{"\"a\"=dword:", NULL},
	{"\"a\"=dword:hello", NULL},
	{"\"a\"=dword:123456789", NULL},
	{"\"a\"=dword:000000001", NULL},
	{"\"a\"=dword:0x123", NULL},
	{"\"a\"=dword:123 456", NULL},
	{"\"a\"=dword:12345678 abc", NULL},
	{"\"a\"=dword:1234\\\n5678", NULL},
	/* bytes */
	{"\"a\"=hex:", "3:"},
	{"\"a\"=hex:aa,BB,c,11", "3:aabb0c11"},
	{"\"a\"=hex:aa,bb,", "3:aabb"},
	{"\"a\"=hex:aa,bb ;comment", "3:aabb"},
	{"\"a\"=hex:aa,bb,;comment", "3:aabb"},
	{"\"a\"=hex:aa,bb #comment", NULL},
	{"\"a\"=hex:aa,,bb", NULL},
	{"\"a\"=hex:,aa", NULL},
	{"\"a\"=hex:aa,100", NULL},
	{"\"a\"=hex:aa,gg", NULL},
	{"\"a\"=hex:aa bb", NULL},
	{"\"a\"=hex aa", NULL},
	{"\"a\"=hex", NULL},
	{"\"a\"=hexagon", NULL},
	{"\"a\"=HEX:aa", NULL},
	{"\"a\"=hex(0):41,00", "0:4100"},
	{"\"a\"=hex(3):41,00", "3:4100"},
	{"\"a\"=hex(4):01,00,00,00", "4:01000000"},
	{"\"a\"=hex(4):", "4:"},
	{"\"a\"=hex(7):41,00,00", "7:410000"},
	{"\"a\"=hex(b):01,00,00,00,00,00,00,00", "b:0100000000000000"},
	{"\"a\"=hex(ffffffff):41", "ffffffff:41"},
	{"\"a\"=hex(100000000):41", NULL},
	{"\"a\"=hex(0x2):41", NULL},
	{"\"a\"=hex():41", NULL},
	{"\"a\"=hex(2:41", NULL},
	{"\"a\"=hex(2", NULL},
	{"\"a\"=hex(2)41", NULL},
	{"\"a\"=hex(1):41,00,42,00,00,00", "1:4142"},
	{"\"a\"=hex(1):41,00,42,00", "1:4142"},
	{"\"a\"=hex(1):41,00,42", "1:41"},
	{"\"a\"=hex(1):41,00,00,00,42,00", "1:41"},
	{"\"a\"=hex(1):", "1:"},
	{"\"a\"=hex(2):41,42,00", "2:4142"},
	{"\"a\"=hex(2):41,42", "2:4142"},
	{"\"a\"=hex(2):e9,00,42", "2:c3a9"},
	/* continuations */
	{"\"a\"=hex:aa,\\\nbb", "3:aabb"},
	{"\"a\"=hex:aa,  \\  \n  bb", "3:aabb"},
	{"\"a\"=hex:aa,\\;comment\n  bb,\\ ;c\n cc", "3:aabbcc"},
	{"\"a\"=hex:\\\n  aa,bb", "3:aabb"},
	{"\"a\"=hex:aa,\\\n\n \t\n;comment\n  ;comment\nbb", "3:aabb"},
	{"\"a\"=hex:aa,\\\r\n  bb,\\\r\n  cc", "3:aabbcc"},
	{"\"a\"=hex:aa,\\\nbb,\ncc", "3:aabb"},
	{"\"a\"=hex:aa,\\", "3:aa"},
	{"\"a\"=hex:aa,\\\n;c", "3:aa"},
	{"\"a\"=hex:aa\\\nbb", NULL},
	{"\"a\"=hex:aa\\", NULL},
	{"\"a\"=hex:aa,\\#comment\nbb", NULL},
	{"\"a\"=hex:aa,\\\n#comment\nbb", NULL},
	{"\"a\"=hex:aa,\\\n,bb", NULL},
	{"\"a\"=hex:aa,\\\n \\\nbb", NULL},
	{"\"a\"=hex:aa,\\bb", NULL},
	{"\"a\"=hex:aa,\\\\\nbb", NULL},
	{"\"a\"=hex:,\\\naa", NULL},
	{"\"a\"=hex:a\\\na,bb", NULL},
	{"\"a\"=\"x \\\ny\"", NULL},
	{"\"\\\na\"=\"x\"", NULL},
	{",\"a\"=\"x\"", NULL},
	/* comments */
	{"#\"a\"=\"x\"", NULL},
	{";\"a\"=\"x\"", NULL},
	{"  #\"a\"=\"x\"", NULL},
	{"#c\\\n\"a\"=\"x\"", "1:78"},
	{";c\\\n\"a\"=\"x\"", "1:78"},
	/* later lines win, deletes */
	{"\"a\"=\"x\"\n\"A\"=\"y\"", "1:79"},
	{"\"a\"=\"x\"\n\"a\"=dword:zz", "1:78"},
	{"\"a\"=\"x\"\n\"a\"=-", NULL},
	{"\"a\"=\"x\"\n\"a\" =  - ;c", NULL},
	{"\"a\"=\"x\"\n\"a\"=- #c", "1:78"},
	{"\"a\"=\"x\"\n\"a\"=-\"y\"", "1:78"},
	{"\"a\"=-\n\"a\"=\"x\"", "1:78"},
	{"\"a\"=\"x\"\n\"b\"=-\n\"a\"=-\n\"a\"=\"z\"", "1:7a"},
	{"\"a\"=\"x\"\n[-" KEY "]", NULL},
	{"\"a\"=\"x\"\n[-" KEY "]\n\"a\"=\"y\"", NULL},
	{"\"a\"=\"x\"\n[-" KEY "]\n" IN_KEY "\"a\"=\"y\"", "1:79"},
	{"\"a\"=\"x\"\n[-HKEY_CURRENT_USER\\Software]", NULL},
	{"\"a\"=\"x\"\n[-HKEY_CURRENT_USER]", "1:78"},
	{"\"a\"=\"x\"\n[-HKEY_CURRENT_USER\\Other]", "1:78"},
	{"\"a\"=\"x\"\n[- " KEY "]", "1:78"},
	{"\"a\"=\"x\"\n[ -" KEY "]", "1:78"},
	/* a value that swallows the next line */
	{"\"b\"=hex:aa,\\\n\"a\"=\"x\"", NULL},
	{"\"b\"=hex:aa\\\n\"a\"=\"x\"", "1:78"},
	{"\"b\"=hex:aa,\\\n#c\n\"a\"=\"x\"", "1:78"},
	{"\"b\"=hex:aa,\\\n;c\n\"a\"=\"x\"", NULL},
	/* keys */
	{"[hkey_current_user\\SOFTWARE\\test]\n\"a\"=\"x\"", "1:78"},
	{"[" KEY "\\]\n\"a\"=\"x\"", "1:78"},
	{"[HKEY_CURRENT_USER\\\\Software\\\\Test\\\\]\n\"a\"=\"x\"", "1:78"},
	{"\t [" KEY "] behind\n\"a\"=\"x\"", "1:78"},
	{"[" KEY "]]\n\"a\"=\"x\"", NULL},
	{"[" KEY " ]\n\"a\"=\"x\"", NULL},
	{"[" KEY "\n\"a\"=\"x\"", NULL},
	{"[ " KEY "]\n\"a\"=\"x\"", NULL},
	{"[]\n\"a\"=\"x\"", NULL},
	{"[-]\n\"a\"=\"x\"", NULL},
	{"[\n\"a\"=\"x\"", NULL},
	{"[HKEY_CURRENT_USERS\\Software\\Test]\n\"a\"=\"x\"", NULL},
	{"[HKCU\\Software\\Test]\n\"a\"=\"x\"", NULL},
	{"[Software\\Test]\n\"a\"=\"x\"\njunk", NULL},
};

/* The text with those line ends, in place of LF and CR LF. */
static const char *with_line_ends(const char *text, const char *end)
{
	struct strbuf out;
	strbuf_init(&out);
	for (; *text; text++) {
		if (*text == '\n')
			strbuf_add(&out, end);
		else if (*text != '\r')
			strbuf_add_char(&out, *text);
	}
	const char *copy = arena_strdup(arena, out.data);
	strbuf_free(&out);
	return copy;
}

static struct registry *merge_wide(const char *text)
{
	struct err err;
	size_t length = strlen(text);
	unsigned char *wide = arena_alloc(arena, 2 * length + 2);
	memcpy(wide, "\xff\xfe", 2);
	for (size_t i = 0; i < length; i++)
		wide[2 * i + 2] = (unsigned char)text[i];
	return merge_bytes("w.reg", wide, 2 * length + 2, &err);
}

static void check_value(const struct registry *registry, const struct value_case *one, const char *form)
{
	const char *got = bytes_of(registry, "a");
	if (!check_text(got, one->wanted))
		printf("line <<%s>> in %s\n", one->line, form);
	CHECK_TEXT(got, one->wanted);
}

/* Only hex(2) differs between the versions: in 4 it is 8-bit. */
static void test_values(void)
{
	static const char *const ends[] = {"\n", "\r\n", "\r"};
	for (size_t i = 0; i < sizeof(value_cases) / sizeof(*value_cases); i++) {
		const struct value_case *one = &value_cases[i];
		bool old_only = strstr(one->line, "hex(2):") != NULL;
		const char *text_4 = arena_printf(arena, V4 IN_KEY "%s", one->line);
		const char *text_5 = arena_printf(arena, V5 IN_KEY "%s", one->line);
		for (size_t j = 0; j < sizeof(ends) / sizeof(*ends); j++) {
			check_value(merge(with_line_ends(text_4, ends[j])), one, "version 4");
			if (old_only)
				continue;
			check_value(merge(with_line_ends(text_5, ends[j])), one, "version 5, UTF-8");
			check_value(merge_wide(with_line_ends(text_5, ends[j])), one, "version 5, UTF-16");
		}
	}
}

/* Of version 5: in hex(1) and hex(2) a text is UTF-16LE up to its NUL; every other type is bytes. */
static const struct value_case version_5_cases[] = {
	{"\"a\"=hex(2):41,00,42,00,00,00", "2:4142"},
	{"\"a\"=hex(2):25,00,41,00,\\\n  25,00,00,00", "2:254125"},
	{"\"a\"=hex(2):e9,00,ac,20", "2:c3a9e282ac"},
	{"\"a\"=hex(2):3d,d8,00,de,00,00", "2:f09f9880"},
	{"\"a\"=hex(2):3d,d8,00,00", "2:efbfbd"},
	{"\"a\"=hex(2):41", "2:"},
	{"\"a\"=hex(2):", "2:"},
	{"\"a\"=hex(2):00,00,41,00", "2:"},
	{"\"a\"=hex(1):41,00,0d,00,0a,00,42,00,00,00", "1:410d0a42"},
	{"\"a\"=hex(7):41,00,00,00,42,00,00,00,00,00", "7:41000000420000000000"},
	{"\"a\"=hex(02):41,00", "2:41"},
	{"\"a\"=hex(5):00,00,00,01", "5:00000001"},
	{"\"a\"=hex(8):01", "8:01"},
	{"\"a\"=hex(9):01", "9:01"},
	{"\"a\"=hex(a):01", "a:01"},
	{"\"a\"=hex(B):01,02", "b:0102"},
};

static void test_version_5(void)
{
	for (size_t i = 0; i < sizeof(version_5_cases) / sizeof(*version_5_cases); i++) {
		const char *text = arena_printf(arena, V5 IN_KEY "%s", version_5_cases[i].line);
		check_value(merge(text), &version_5_cases[i], "UTF-8");
		check_value(merge_wide(text), &version_5_cases[i], "UTF-16");
	}
}

int main(void)
{
	arena = arena_new();
	test_encodings();
	test_same_text();
	test_line_ends();
	test_values();
	test_version_5();
	arena_free(arena);
	return check_summary();
}
