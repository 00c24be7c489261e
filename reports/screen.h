#ifndef MARSPROBE_REPORTS_SCREEN_H
#define MARSPROBE_REPORTS_SCREEN_H

#include <stddef.h>
#include <stdint.h>

struct strbuf;

enum { SCREEN_COLUMNS = 80 };

/**
 * Append a text that may be hostile so that no terminal obeys it: the one way for data into a people's report.
 *
 * Escapes  control characters (C0, DEL, C1) as \xNN; direction marks, invisible and line-breaking characters, tags as \uNNNN;
 *          bytes that are no UTF-8 become U+FFFD. Nothing that is left moves the cursor, hides or reorders what follows.
 * Limits   at most columns wide; what is longer is cut and ends in "...".
 */
void screen_add(struct strbuf *out, const char *text, size_t columns);

/** Columns that a terminal uses for a text that screen_add() made (UAX #11: wide and fullwidth are 2, combining marks 0). */
size_t screen_width(const char *text);

/** screen_add(), and blanks up to columns. */
void screen_add_cell(struct strbuf *out, const char *text, size_t columns);

void screen_add_blanks(struct strbuf *out, size_t count);

/**
 * Append text as lines of at most SCREEN_COLUMNS, broken at blanks; a word that fits on no line is broken inside.
 *
 * Input   text of screen_add() or our own. column: where the cursor stands now; indent: blanks before each line after the first;
 *         both at most half of SCREEN_COLUMNS.
 * Output  several blanks become one; ends with a newline.
 */
void screen_wrap(struct strbuf *out, size_t column, size_t indent, const char *text);

#endif
