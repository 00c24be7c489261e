#include "probe/core/text.h"

#include "tests/unit/check.h"

static void parts_are_found_whatever_their_case(void)
{
	const char *text = "The DNS name, dns";
	CHECK(text_find_nocase(text, "dns") == text + 4);
	CHECK(text_find_nocase(text, "NAME, D") == text + 8);
	CHECK(text_find_nocase(text, "") == text);
	CHECK(text_find_nocase(text, "dnsx") == NULL);
	CHECK(text_find_nocase("", "a") == NULL);
	CHECK_TEXT(text_find_nocase("", ""), "");
	CHECK(text_find_nocase("\xc3\x84", "\xc3\xa4") == NULL); /* ASCII alone */
}

static void words_are_cut_off_a_line(void)
{
	char line[] = " \t10.0.0.1  one\ttwo ";
	char *rest = line;
	CHECK_TEXT(text_next_word(&rest, " \t"), "10.0.0.1");
	CHECK_TEXT(text_next_word(&rest, " \t"), "one");
	CHECK_TEXT(text_next_word(&rest, " \t"), "two");
	CHECK_TEXT(text_next_word(&rest, " \t"), NULL);
	CHECK_TEXT(text_next_word(&rest, " \t"), NULL);
	char blank[] = "   ", last[] = "last";
	rest = blank;
	CHECK_TEXT(text_next_word(&rest, " "), NULL);
	rest = last;
	CHECK_TEXT(text_next_word(&rest, " "), "last");
	CHECK_TEXT(text_next_word(&rest, " "), NULL);
	rest = NULL;
	CHECK_TEXT(text_next_word(&rest, " "), NULL);
}

int main(void)
{
	parts_are_found_whatever_their_case();
	words_are_cut_off_a_line();
	return check_summary();
}
