#include "reports/markdown.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "reports/screen.h"

static const char after_words[] = ".,;:)!?'\"";
static const char before_words[] = "('\"";

/* Text of screen_add(), with the characters of unwanted as \xNN. */
static void add_without(struct strbuf *out, const char *text, size_t length, const char *unwanted)
{
	for (size_t i = 0; i < length; i++) {
		if (strchr(unwanted, text[i]))
			strbuf_printf(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
		else
			strbuf_add_char(out, text[i]);
	}
}

/* Two code spans side by side would be none. */
static void add_span(struct strbuf *out, const char *text, size_t length)
{
	if (out->length && out->data[out->length - 1] == '`')
		strbuf_add_char(out, ' ');
	strbuf_add_char(out, '`');
	add_without(out, text, length, "`|");
	strbuf_add_char(out, '`');
}

void md_add_code(struct strbuf *out, const char *text)
{
	struct strbuf safe;
	strbuf_init(&safe);
	screen_add(&safe, text, MD_VALUE_COLUMNS);
	if (safe.length == strspn(safe.data, " ")) {
		strbuf_truncate(&safe, 0);
		strbuf_add(&safe, "\"\"");
	}
	add_span(out, safe.data, safe.length);
	strbuf_free(&safe);
}

static bool is_letter(char c)
{
	return isalpha((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* A word that means nothing to Markdown: letters, or a number; a dot only in numbers, as names are better seen as such. */
static bool is_plain(const char *word, size_t length, bool is_first)
{
	bool is_number = true, is_word = true;
	size_t dots = 0;
	for (size_t i = 0; i < length; i++) {
		bool digit = isdigit((unsigned char)word[i]);
		dots += word[i] == '.';
		is_number &= (digit || word[i] == '.') && dots <= 1;
		is_word &= digit || is_letter(word[i]) || word[i] == '-' || word[i] == '\'';
	}
	if (!length || !(is_letter(word[0]) || isdigit((unsigned char)word[0])))
		return false;
	return is_first ? is_word && is_letter(word[0]) : is_word || is_number;
}

static void add_word(struct strbuf *out, const char *word, size_t length, bool is_first)
{
	size_t before = 0, after = 0;
	while (before < length && strchr(before_words, word[before]))
		before++;
	while (before + after < length && strchr(after_words, word[length - after - 1]))
		after++;
	const char *core = word + before;
	size_t core_length = length - before - after;
	if (!core_length) {
		add_span(out, word, length);
		return;
	}
	strbuf_add_bytes(out, word, before);
	if (is_plain(core, core_length, is_first))
		strbuf_add_bytes(out, core, core_length);
	else
		add_span(out, core, core_length);
	strbuf_add_bytes(out, core + core_length, after);
}

/* What stands between a backtick and the next; 0: there is no such thing. */
static size_t enclosed(const char *text)
{
	const char *end = *text == '`' ? strchr(text + 1, '`') : NULL;
	return end ? (size_t)(end - text - 1) : 0;
}

void md_add_text(struct strbuf *out, const char *text)
{
	struct strbuf safe;
	strbuf_init(&safe);
	screen_add(&safe, text, MD_TEXT_COLUMNS);
	const char *at = safe.data + strspn(safe.data, " ");
	for (bool is_first = true; *at; is_first = false) {
		size_t inside = enclosed(at);
		size_t length = inside ? inside + 2 : strcspn(at, " ");
		if (inside)
			add_span(out, at + 1, inside);
		else
			add_word(out, at, length, is_first);
		at += length;
		length = inside ? strspn(at, after_words) : 0;
		strbuf_add_bytes(out, at, length);
		at += length;
		if (*at == ' ')
			strbuf_add_char(out, ' ');
		at += strspn(at, " ");
	}
	strbuf_free(&safe);
}

void md_add_fenced(struct strbuf *out, const char *text)
{
	struct strbuf safe;
	strbuf_init(&safe);
	screen_add(&safe, text, MD_LINE_COLUMNS);
	add_without(out, safe.data, safe.length, "`");
	strbuf_free(&safe);
}

void csv_add_field(struct strbuf *out, const char *text)
{
	struct strbuf safe;
	strbuf_init(&safe);
	screen_add(&safe, text, MD_VALUE_COLUMNS);
	strbuf_add_char(out, '"');
	if (safe.data[0] && strchr("=+-@", safe.data[0]))
		strbuf_add_char(out, '\'');
	for (const char *at = safe.data; *at; at++) {
		if (*at == '"')
			strbuf_add_char(out, '"');
		add_without(out, at, 1, "`");
	}
	strbuf_add_char(out, '"');
	strbuf_free(&safe);
}
