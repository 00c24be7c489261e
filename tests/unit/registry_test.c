/* Registry exports: which files are refused, names, damaged lines with their place, several files, and asking. The forms of
 * values are in regfile_values_test.c. */
#include <stdlib.h>

#include "probe/settings/regfile.h"
#include "tests/unit/registry_check.h"

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

/* ------------------------------------------------------------------ names */

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
	test_names();
	test_problems();
	test_several_files();
	test_numbers();
	test_subkeys();
	test_table_full();
	arena_free(arena);
	return check_summary();
}
