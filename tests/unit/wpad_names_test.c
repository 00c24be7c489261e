/* Which names are asked for when a PAC script is looked for in DNS, and which never. */

#include "probe/settings/wpad_names.h"

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "tests/unit/check.h"

#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10
#define L63 L60 "klm"
#define L64 L60 "klmn"
#define L240 L60 "." L60 "." L60 "." L60
#define DEVOLVED(top) "wpad." L60 "." L60 "." L60 "." top " wpad." L60 "." L60 "." top " wpad." L60 "." top

struct names_case {
	const char *suffixes; /* separated by blanks */
	const char *names;
};

static const struct names_case cases[] = {
	/* down to what can be registered */
	{"dept.branch.example.com", "wpad.dept.branch.example.com wpad.branch.example.com wpad.example.com"},
	{"example.com", "wpad.example.com"},
	{"a.corp.co.uk", "wpad.a.corp.co.uk wpad.corp.co.uk"},
	{"a.b.corp.com.au", "wpad.a.b.corp.com.au wpad.b.corp.com.au wpad.corp.com.au"},
	{"x.co.jp.example.com", "wpad.x.co.jp.example.com wpad.co.jp.example.com wpad.jp.example.com wpad.example.com"},
	/* never before a public suffix */
	{"com", ""},
	{"co.uk", ""},
	{"dev", ""},
	{"arpa", ""},
	{"xn--p1ai", ""},
	{"firma.xn--p1ai", "wpad.firma.xn--p1ai"},
	/* of the private section too, and nothing above it */
	{"github.io", ""},
	{"a.b.github.io", "wpad.a.b.github.io wpad.b.github.io"},
	{"azurewebsites.net", ""},
	{"hash.bx.internal.cloudapp.net",
	 "wpad.hash.bx.internal.cloudapp.net wpad.bx.internal.cloudapp.net wpad.internal.cloudapp.net"},
	{"site.s3.amazonaws.com", "wpad.site.s3.amazonaws.com"},
	/* wildcards, and their exceptions */
	{"ck", ""},
	{"co.ck", ""},
	{"a.corp.co.ck", "wpad.a.corp.co.ck wpad.corp.co.ck"},
	{"www.ck", "wpad.www.ck"},
	{"office.kawasaki.jp", ""},
	{"a.city.kawasaki.jp", "wpad.a.city.kawasaki.jp wpad.city.kawasaki.jp"},
	/* below no suffix that the list knows: two labels, or the one that there is */
	{"corp.local", "wpad.corp.local"},
	{"a.b.corp.local", "wpad.a.b.corp.local wpad.b.corp.local wpad.corp.local"},
	{"dept.corp.example", "wpad.dept.corp.example wpad.corp.example"},
	{"lab", "wpad.lab"},
	{"internal", "wpad.internal"},
	{"a.internal", "wpad.a.internal"},
	/* in order, none twice */
	{"b.corp.example a.corp.example", "wpad.b.corp.example wpad.corp.example wpad.a.corp.example"},
	{"lab corp.example lab corp.example. CORP.EXAMPLE", "wpad.lab wpad.corp.example"},
	{"com corp.example", "wpad.corp.example"},
	/* as people write it */
	{"Dept.CORP.Example.", "wpad.dept.corp.example wpad.corp.example"},
	{"CO.UK.", ""},
	{"_msdcs.corp.example", "wpad._msdcs.corp.example wpad.corp.example"},
	{"corp-1.example", "wpad.corp-1.example"},
	/* no domains */
	{"", ""},
	{".", ""},
	{"..", ""},
	{"corp.example..", ""},
	{".corp.example", ""},
	{"corp..example", ""},
	{"10.0.0.1", ""},
	{"10.1", ""},
	{"42", ""},
	{"corp.example.42", ""},
	{"2001:db8::1", ""},
	{"[::1]", ""},
	{"corp.example:80", ""},
	{"corp.example/x", ""},
	{"corp.example\n", ""},
	{"corp\\.example", ""},
	{"*.example", ""},
	{"%41.example", ""},
	{"b\xc3\xbc"
	 "ro.example",
	 ""},
	{"\xff\xfe.example", ""},
	/* lengths */
	{L63 ".example", "wpad." L63 ".example"},
	{L64 ".example", ""},
	{"a." L64, ""},
	/* 248 characters and "wpad." are the longest name; of the longest domain only the rest is asked for */
	{L240 ".abcd", "wpad." L240 ".abcd " DEVOLVED("abcd")},
	{L240 ".abcde", DEVOLVED("abcde")},
	{L240 ".abcdefghi", DEVOLVED("abcdefghi")},
	{L240 ".abcdefghi.", DEVOLVED("abcdefghi")},
	{L240 "." L10, ""},
};

static struct arena *arena;

/** The names for these suffixes, separated by blanks. */
static const char *names_of(const char *suffixes)
{
	struct text_list list = {0}, names = {0};
	char *rest = arena_strdup(arena, suffixes);
	const char *joined = "";
	while (rest) {
		char *word = rest;
		rest = strchr(rest, ' ');
		if (rest)
			*rest++ = '\0';
		text_list_add(arena, &list, word);
	}
	wpad_names(arena, &list, &names);
	for (size_t i = 0; i < names.count; i++)
		joined = arena_printf(arena, "%s%s%s", joined, i ? " " : "", names.items[i]);
	return joined;
}

static void names_follow_from_the_suffixes(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK_TEXT(names_of(cases[i].suffixes), cases[i].names);
}

static void without_a_suffix_nothing_is_asked_for(void)
{
	struct text_list none = {0}, names = {0};
	wpad_names(arena, &none, &names);
	wpad_names(arena, NULL, &names);
	CHECK_INT(names.count, 0);
}

/** More suffixes and more labels than anybody has. */
static void the_limits_hold(void)
{
	struct text_list many = {0}, late = {0}, names = {0}, few = {0};
	for (int i = 0; i < 100; i++)
		text_list_add(arena, &many, arena_printf(arena, "s%d.corp.example", i));
	wpad_names(arena, &many, &names);
	CHECK_INT(names.count, WPAD_NAMES_MAX);
	CHECK_TEXT(names.items[0], "wpad.s0.corp.example");
	for (int i = 0; i < WPAD_SUFFIXES_MAX; i++)
		text_list_add(arena, &late, "com");
	text_list_add(arena, &late, "corp.example");
	wpad_names(arena, &late, &few);
	CHECK_INT(few.count, 0);
	few = names = (struct text_list){0};
	text_list_add(arena, &few, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z");
	wpad_names(arena, &few, &names);
	CHECK_INT(names.count, WPAD_NAMES_MAX);
	CHECK_TEXT(names.items[WPAD_NAMES_MAX - 1], "wpad.p.q.r.s.t.u.v.w.x.y.z");
}

static void a_text_without_end_is_no_name(void)
{
	static char text[100000];
	struct text_list list = {0}, names = {0};
	memset(text, 'a', sizeof(text) - 1);
	text_list_add(arena, &list, text);
	for (size_t i = 1; i < sizeof(text) - 1; i += 2)
		text[i] = '.';
	text_list_add(arena, &list, text);
	wpad_names(arena, &list, &names);
	CHECK_INT(names.count, 0);
}

int main(void)
{
	arena = arena_new();
	names_follow_from_the_suffixes();
	without_a_suffix_nothing_is_asked_for();
	the_limits_hold();
	a_text_without_end_is_no_name();
	arena_free(arena);
	return check_summary();
}
