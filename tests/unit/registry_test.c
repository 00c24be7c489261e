/* Registry exports: every form of file, line and value that Windows takes or refuses. */
#include <stdlib.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/settings/regfile.h"
#include "probe/settings/registry.h"
#include "tests/unit/check.h"

#define V5 "Windows Registry Editor Version 5.00\r\n\r\n"
#define V4 "REGEDIT4\r\n\r\n"
#define KEY "HKEY_CURRENT_USER\\Software\\Test"
#define IN_KEY "[" KEY "]\n"

static struct arena *arena;

static struct registry *merge_bytes(const char *file, const void *bytes, size_t length, struct err *err)
{
	struct registry *registry = registry_new(arena);
	err->text[0] = '\0';
	return registry_merge(registry, file, bytes, length, err) ? registry : NULL;
}

static struct registry *merge(const char *text)
{
	struct err err;
	return merge_bytes("a.reg", text, strlen(text), &err);
}

static const char *text_of(const struct registry *registry, const char *name)
{
	const struct registry_value *value = registry ? registry_get(registry, KEY, name) : NULL;
	bool text = value && (value->type == REGISTRY_SZ || value->type == REGISTRY_EXPAND_SZ);
	CHECK(!text || strlen((const char *)value->data) == value->length);
	return text ? (const char *)value->data : NULL;
}

/* Type and bytes of a value as "type:hex", or NULL. */
static const char *bytes_of(const struct registry *registry, const char *name)
{
	const struct registry_value *value = registry ? registry_get(registry, KEY, name) : NULL;
	if (!value)
		return NULL;
	struct strbuf out;
	strbuf_init(&out);
	strbuf_printf(&out, "%x:", value->type);
	for (size_t i = 0; i < value->length; i++)
		strbuf_printf(&out, "%02x", value->data[i]);
	const char *copy = arena_strdup(arena, out.data);
	strbuf_free(&out);
	return copy;
}

/* ------------------------------------------------------------------ whole files */

static void check_refused(const void *bytes, size_t length, const char *wanted)
{
	struct err err;
	bool refused = merge_bytes("dir/x.reg", bytes, length, &err) == NULL;
	CHECK(refused);
	if (strncmp(err.text, "dir/x.reg:1: ", 13) != 0 || !strstr(err.text, wanted))
		printf("message \"%s\" lacks \"%s\"\n", err.text, wanted);
	CHECK(strncmp(err.text, "dir/x.reg:1: ", 13) == 0 && strstr(err.text, wanted));
}

static void test_refused_files(void)
{
	static const char *const texts[] = {
		"\n" V5 "REGEDIT4\n",
		"windows registry editor version 5.00\n",
		"WINDOWS REGISTRY EDITOR VERSION 5.00\n",
		"Windows Registry Editor Version 5.00 \n",
		"Windows Registry Editor Version 5.0\n",
		"Windows Registry Editor Version 4.00\n",
		"Windows Registry Editor Version 5.00x\n",
		"regedit4\n",
		"REGEDIT5\n",
		"REGEDIT 4\n",
		"REGEDIT4 x\n",
		"REGEDIT4FOO\n",
		";comment\nREGEDIT4\n",
		"[HKEY_CURRENT_USER\\Software]\n\"a\"=\"b\"\n",
		"{\"json\": 1}",
		"\xef\xbb\xbf\nREGEDIT4\n",
		"\x1b[31mred\x07\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		check_refused(texts[i], strlen(texts[i]), "no registry export");
		check_refused(texts[i], strlen(texts[i]), "`reg export`");
	}
	check_refused("", 0, "empty");
	check_refused("REGEDIT\r\nHKEY_CLASSES_ROOT\\x = y\r\n", 34, "Windows 3.1");
	check_refused("\xfe\xff\0W\0i", 6, "big-endian");
	check_refused("W\0i\0n\0d\0", 8, "without a byte order mark");
	check_refused("\0W\0i", 4, "without a byte order mark");
	check_refused("\xff\xfe"
		      "W\0i",
		      5, "odd number");
	check_refused("\xff\xfe", 2, "no registry export");
	check_refused("\xff\xfe\0\0W\0\0\0", 8, "no registry export");
	check_refused("\x1b[31mred", 8, "?[31mred");
	char *large = calloc(1, REGFILE_BYTES_MAX + 1);
	check_refused(large, REGFILE_BYTES_MAX + 1, "16 MiB");
	free(large);
}

static void test_first_lines(void)
{
	static const char *const texts[] = {
		"REGEDIT4",
		"REGEDIT4\r\n",
		"REGEDIT4\n",
		"REGEDIT4\r",
		" \t REGEDIT4\n",
		"Windows Registry Editor Version 5.00",
		"\tWindows Registry Editor Version 5.00\n",
		"\xef\xbb\xbfWindows Registry Editor Version 5.00\n",
		"\xef\xbb\xbf REGEDIT4\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		CHECK(merge(texts[i]) != NULL);
	}
}

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

static void test_line_ends(void)
{
	CHECK_TEXT(text_of(merge("REGEDIT4\r\r[" KEY "]\r\"a\"=\"1\"\r\"b\"=\"2\""), "b"), "2");
	CHECK_TEXT(text_of(merge("REGEDIT4\n[" KEY "]\n\"a\"=\"1\"\n\n\n\"b\"=\"2\""), "b"), "2");
	CHECK_TEXT(text_of(merge("REGEDIT4\r\n[" KEY "]\r\n\"a\"=\"1\"\r\n\"b\"=\"2\"\r\n"), "a"), "1");
}

/* ------------------------------------------------------------------ values */

struct value_case {
	const char *line;   /* behind a key, in a file of version 4 */
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

static void test_values(void)
{
	for (size_t i = 0; i < sizeof(value_cases) / sizeof(*value_cases); i++) {
		const struct value_case *one = &value_cases[i];
		struct registry *registry = merge(arena_printf(arena, V4 IN_KEY "%s", one->line));
		const char *got = bytes_of(registry, "a");
		if (!check_text(got, one->wanted))
			printf("line <<%s>>\n", one->line);
		CHECK_TEXT(got, one->wanted);
	}
}

static void test_names(void)
{
	struct registry *registry = merge(V5 IN_KEY "@=\"default\"\n\"q\\\"\\\\=\"=\"x\"\n\"\"=\"also default\"\n"
						    "\"  a  \"=\"y\"\n\"E\"=hex(2):25,00,41,00,00,00\n");
	CHECK_TEXT(text_of(registry, ""), "also default");
	CHECK_TEXT(text_of(registry, "Q\"\\="), "x");
	CHECK_TEXT(text_of(registry, "  a  "), "y");
	CHECK_TEXT(text_of(registry, "e"), "%A");
	CHECK_TEXT(text_of(merge(V5 IN_KEY "\t@\t=\t\"x\"\t\n"), ""), "x");
	CHECK_TEXT(text_of(merge(V5 IN_KEY "@=\"x\"\n@=-\n"), ""), NULL);
	CHECK_TEXT(registry_get(registry, KEY, "E")->where, "a.reg:8");
	CHECK_TEXT(registry_get(registry, "HKCU\\software\\TEST", "q\"\\=")->name, "q\"\\=");
}

/* ------------------------------------------------------------------ problems, files, asking */

struct problem_case {
	const char *line, *wanted;
};

static const struct problem_case problem_cases[] = {
	{"\"a\"=dword:zz", "a.reg:4: a dword has"},
	{"\"a\"=\"x", "a.reg:4: the text in quotes"},
	{"\"a\"=hex:zz", "a.reg:4: these are not bytes"},
	{"\n\n\"a\"=hex:aa,\\\nzz\n", "a.reg:6: these are not bytes"},
	{"\"a\"=hex(x):zz", "a.reg:4: the type in hex"},
	{"\"a\"=hex", "a.reg:4: hex without"},
	{"\"a\"=what", "a.reg:4: no data"},
	{"\"a\"", "a.reg:4: the name is not closed"},
	{"junk", "a.reg:4: neither"},
	{"[HKCU\\x]", "written in full"},
	{"[HKLM\\x]", "written in full"},
	{"[HKU]", "written in full"},
	{"[HKEY_NOWHERE\\x]", "no root key"},
	{"[x", "no closing bracket"},
	{"[ HKEY_USERS\\x]", "blank"},
	{"[-HKEY_USERS]", "whole root"},
	{"[-HKEY_USERS\\x]\n\"a\"=\"b\"", "a.reg:5: a value under a deleted key"},
};

static void test_problems(void)
{
	for (size_t i = 0; i < sizeof(problem_cases) / sizeof(*problem_cases); i++) {
		struct registry *registry = merge(arena_printf(arena, V4 IN_KEY "%s", problem_cases[i].line));
		const char *got = registry_problems(registry)[0];
		if (!got || !strstr(got, problem_cases[i].wanted))
			printf("got \"%s\", wanted \"%s\"\n", got ? got : "(null)", problem_cases[i].wanted);
		CHECK(got && strstr(got, problem_cases[i].wanted));
		CHECK(got && !registry_problems(registry)[1]);
	}
	CHECK(strstr(registry_problems(merge(V4 "\"a\"=\"b\""))[0], "before the first key"));
	CHECK(!registry_problems(merge(V4 IN_KEY "\"a\"=\"b\""))[0]);
	struct strbuf text;
	strbuf_init(&text);
	strbuf_add(&text, V4 IN_KEY "[");
	for (int i = 0; i < 20 * 1000; i++)
		strbuf_add_char(&text, 'x');
	strbuf_add(&text, "]\n[HKEY_USERS\\");
	for (int i = 0; i < 20 * 1000; i++)
		strbuf_add_char(&text, 'x');
	strbuf_add(&text, "]\n" IN_KEY);
	for (int i = 0; i < 500; i++)
		strbuf_add(&text, "junk\n");
	struct registry *registry = merge(text.data);
	size_t count = 0;
	while (registry_problems(registry)[count])
		count++;
	CHECK_INT(count, 101);
	CHECK(strstr(registry_problems(registry)[1], "too long"));
	CHECK(strstr(registry_problems(registry)[100], "more lines"));
	strbuf_free(&text);
}

static void test_several_files(void)
{
	struct registry *registry = registry_new(arena);
	struct err err;
	static const char one[] = V5 "[HKEY_USERS\\S-1-5-18\\A]\n\"x\"=\"1\"\n\"y\"=\"1\"\n[HKEY_USERS\\S-1-5-18\\B]\n";
	static const char two[] = V4 "[hkey_users\\s-1-5-18\\a]\n\"X\"=\"2\"\n[-HKEY_USERS\\S-1-5-18\\B]\n";
	CHECK(registry_merge(registry, "one.reg", one, sizeof(one) - 1, &err));
	CHECK(registry_has_key(registry, "HKU\\S-1-5-18\\B"));
	CHECK(registry_merge(registry, "two.reg", two, sizeof(two) - 1, &err));
	CHECK_TEXT(registry_get(registry, "HKU\\S-1-5-18\\A", "x")->where, "two.reg:4");
	CHECK_TEXT((const char *)registry_get(registry, "HKEY_USERS\\S-1-5-18\\A", "x")->data, "2");
	CHECK_TEXT(registry_get(registry, "HKU\\S-1-5-18\\A", "y")->where, "one.reg:5");
	CHECK(!registry_has_key(registry, "HKU\\S-1-5-18\\B"));
	CHECK(registry_has_key(registry, "HKU\\S-1-5-18"));
	CHECK(registry_has_key(registry, "HKEY_USERS"));
	CHECK(!registry_has_key(registry, "HKU\\S-1-5-18\\A\\x"));
	CHECK(!registry_has_key(registry, "HKLM"));
	CHECK(!registry_has_key(registry, ""));
	CHECK(!registry_get(registry, "HKCU\\A", "x"));
	CHECK(!registry_merge(registry, "bad.reg", "bad", 3, &err));
	CHECK_TEXT((const char *)registry_get(registry, "HKU\\S-1-5-18\\A", "x")->data, "2");
}

static void test_numbers(void)
{
	uint32_t number = 7;
	const struct registry *registry =
		merge(V5 IN_KEY "\"n\"=dword:01020304\r\n\"short\"=hex(4):01,02\r\n\"text\"=\"1\"\r\n");
	CHECK(registry != NULL);
	CHECK(!registry_dword(registry_get(registry, KEY, "short"), &number));
	CHECK(!registry_dword(registry_get(registry, KEY, "text"), &number));
	CHECK(!registry_dword(registry_get(registry, KEY, "none"), &number));
	CHECK_INT(number, 7);
	CHECK(registry_dword(registry_get(registry, KEY, "n"), &number));
	CHECK_INT(number, 0x01020304);
}

static void test_subkeys(void)
{
	struct registry *registry = merge(V5 "[HKEY_USERS\\A\\x]\n[HKEY_USERS\\B]\n[HKEY_USERS\\C]\n[-HKEY_USERS\\B]\n"
					     "[HKEY_USERS\\D]\n[-HKEY_USERS\\D]\n[HKEY_USERS\\D]\n");
	int seen = 0, steps = 0;
	for (const char *name = NULL; (name = registry_next_subkey(registry, "HKU", name)) && steps < 10; steps++)
		seen |= 1 << (*name - 'A');
	CHECK_INT(steps, 3);
	CHECK_INT(seen, 1 | 4 | 8);
	CHECK(!registry_next_subkey(registry, "HKU\\nothing", NULL));
	CHECK(!registry_next_subkey(registry, "HKU", "nothing"));
	CHECK(!registry_next_subkey(registry, "HKU\\C", NULL));
}

/* More keys than any export needs: the rest is dropped, with one problem, and what was there stays. */
static void test_table_full(void)
{
	struct strbuf text;
	strbuf_init(&text);
	strbuf_add(&text, V4 IN_KEY "\"a\"=\"x\"\n[HKEY_USERS");
	for (int key = 0; key < 75; key++) {
		for (int depth = 0; depth < 7000; depth++)
			strbuf_add(&text, "\\d");
		strbuf_printf(&text, "]\n[HKEY_USERS\\%d", key);
	}
	strbuf_add(&text, "]\n\"v\"=\"w\"\n[HKEY_USERS\\new]\n\"v\"=\"w\"\n");
	struct registry *registry = merge(text.data);
	CHECK_TEXT(text_of(registry, "a"), "x");
	CHECK(registry_problems(registry)[0] && strstr(registry_problems(registry)[0], "too many keys"));
	CHECK(registry_problems(registry)[0] && !registry_problems(registry)[1]);
	CHECK(!registry_has_key(registry, "HKEY_USERS\\new"));
	strbuf_free(&text);
}

int main(void)
{
	arena = arena_new();
	test_refused_files();
	test_first_lines();
	test_encodings();
	test_line_ends();
	test_values();
	test_names();
	test_problems();
	test_several_files();
	test_numbers();
	test_subkeys();
	test_table_full();
	arena_free(arena);
	return check_summary();
}
