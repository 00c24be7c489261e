#include "reports/screen.h"

#include <stdbool.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"

enum { MARKS_MAX = 4 };

struct range {
	uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

#define IN(ranges, code) in_ranges((ranges), sizeof(ranges) / sizeof((ranges)[0]), (code))

/* Unicode's control, format, line and paragraph separator and tag characters, and the blank Hangul fillers. */
static bool is_unsafe(uint32_t code)
{
	static const struct range unsafe[] = {
		{0x0000, 0x001F}, {0x007F, 0x009F},   {0x00AD, 0x00AD},	  {0x034F, 0x034F}, {0x061C, 0x061C},
		{0x115F, 0x1160}, {0x17B4, 0x17B5},   {0x180B, 0x180F},	  {0x200B, 0x200F}, {0x2028, 0x202E},
		{0x2060, 0x206F}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},	  {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
		{0xFFF0, 0xFFFB}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
	};
	return IN(unsafe, code);
}

/* East Asian wide and fullwidth blocks (UAX #11), and the emoji that terminals show wide. */
static bool is_wide(uint32_t code)
{
	static const struct range wide[] = {
		{0x1100, 0x115F},   {0x231A, 0x231B},	{0x2329, 0x232A},   {0x23E9, 0x23EC},	{0x2E80, 0x303E},
		{0x3041, 0x33FF},   {0x3400, 0x4DBF},	{0x4E00, 0x9FFF},   {0xA000, 0xA4CF},	{0xA960, 0xA97F},
		{0xAC00, 0xD7A3},   {0xF900, 0xFAFF},	{0xFE10, 0xFE19},   {0xFE30, 0xFE6F},	{0xFF00, 0xFF60},
		{0xFFE0, 0xFFE6},   {0x16FE0, 0x18DFF}, {0x1B000, 0x1B2FF}, {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF},
		{0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1F64F}, {0x1F680, 0x1F6FF},
		{0x1F7E0, 0x1F7EB}, {0x1F90C, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
	};
	return IN(wide, code);
}

static bool is_combining(uint32_t code)
{
	static const struct range combining[] = {
		{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
		{0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x0E31, 0x0E31},
		{0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF},
		{0x302A, 0x302D}, {0x3099, 0x309A}, {0xFE20, 0xFE2F},
	};
	return IN(combining, code);
}

static size_t code_width(uint32_t code)
{
	if (is_combining(code))
		return 0;
	return is_wide(code) ? 2 : 1;
}

static void add_escape(struct strbuf *out, uint32_t code)
{
	if (code < 0x100)
		strbuf_printf(out, "\\x%02x", (unsigned)code);
	else
		strbuf_printf(out, code < 0x10000 ? "\\u%04x" : "\\U%06x", (unsigned)code);
}

static size_t shown_width(uint32_t code)
{
	if (!is_unsafe(code))
		return code_width(code);
	return code < 0x100 ? 4 : code < 0x10000 ? 6 : 8;
}

/* Append text, escaped, up to columns wide; returns what did not fit. */
static const char *add_columns(struct strbuf *out, const char *text, size_t columns)
{
	size_t left = strlen(text);
	size_t marks = 0;
	while (left > 0) {
		uint32_t code;
		size_t bytes = utf8_decode(text, left, &code);
		size_t width = shown_width(code);
		/* a pile of combining marks takes no column, and yet must not grow without end */
		marks = width == 0 ? marks + 1 : 0;
		if (marks > MARKS_MAX)
			width = 1;
		if (width > columns)
			return text;
		columns -= width;
		if (is_unsafe(code))
			add_escape(out, code);
		else
			utf8_add(out, code);
		text += bytes;
		left -= bytes;
	}
	return text;
}

void screen_add(struct strbuf *out, const char *text, size_t columns)
{
	size_t before = out->length;
	if (*add_columns(out, text, columns) == '\0')
		return;
	strbuf_truncate(out, before);
	add_columns(out, text, columns > 3 ? columns - 3 : 0);
	strbuf_add(out, "...");
}

size_t screen_width(const char *text)
{
	size_t left = strlen(text);
	size_t columns = 0;
	while (left > 0) {
		uint32_t code;
		size_t bytes = utf8_decode(text, left, &code);
		columns += code_width(code);
		text += bytes;
		left -= bytes;
	}
	return columns;
}

void screen_add_blanks(struct strbuf *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strbuf_add_char(out, ' ');
}

void screen_add_cell(struct strbuf *out, const char *text, size_t columns)
{
	size_t before = out->length;
	screen_add(out, text, columns);
	size_t width = screen_width(out->data + before);
	screen_add_blanks(out, width < columns ? columns - width : 0);
}

/* Where screen_wrap() is writing. */
struct cursor {
	struct strbuf *out;
	size_t column, indent;
	bool line_empty; /* nothing but the indent */
};

static void next_line(struct cursor *cursor)
{
	strbuf_add_char(cursor->out, '\n');
	screen_add_blanks(cursor->out, cursor->indent);
	cursor->column = cursor->indent;
	cursor->line_empty = true;
}

static void add_word(struct cursor *cursor, const char *word)
{
	size_t width = screen_width(word);
	size_t blank = cursor->line_empty ? 0 : 1;
	if (blank && cursor->column + blank + width > SCREEN_COLUMNS) {
		next_line(cursor);
		blank = 0;
	}
	screen_add_blanks(cursor->out, blank);
	cursor->column += blank;
	cursor->line_empty = false;
	for (; cursor->column + width > SCREEN_COLUMNS; width = screen_width(word)) {
		word = add_columns(cursor->out, word, SCREEN_COLUMNS - cursor->column);
		next_line(cursor);
		cursor->line_empty = false;
	}
	strbuf_add(cursor->out, word);
	cursor->column += width;
}

void screen_wrap(struct strbuf *out, size_t column, size_t indent, const char *text)
{
	struct cursor cursor = {out, column, indent, true};
	struct strbuf word;
	strbuf_init(&word);
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t bytes = strcspn(text, " ");
		strbuf_truncate(&word, 0);
		strbuf_add_bytes(&word, text, bytes);
		add_word(&cursor, word.data);
		text += bytes;
	}
	strbuf_free(&word);
	strbuf_add_char(out, '\n');
}
