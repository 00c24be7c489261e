#ifndef MARSPROBE_REPORTS_MARKDOWN_H
#define MARSPROBE_REPORTS_MARKDOWN_H

/*
 * Data into a Markdown document (CommonMark 0.31, GitHub's tables and autolinks), so that it can neither break what is around it nor make
 * a link, an image or HTML, nor reach a terminal (screen.h). The one way for data into the hand-off.
 */

struct strbuf;

/** Append data as a code span; a backtick becomes \x60 and a bar \x7c, so that it also fits a table's cell. Cut after MD_VALUE_COLUMNS. */
void md_add_code(struct strbuf *out, const char *text);
enum { MD_VALUE_COLUMNS = 300 };

/**
 * Append a sentence that may hold data: plain words as they are, what `backticks` enclose and every word that could mean something to
 * Markdown as code spans. Cut after MD_TEXT_COLUMNS. Not for the beginning of a line.
 */
void md_add_text(struct strbuf *out, const char *text);
enum { MD_TEXT_COLUMNS = 1500 };

/** Append data to a line inside a fenced block: one line, and no backtick that could close the fence. Cut after MD_LINE_COLUMNS. */
void md_add_fenced(struct strbuf *out, const char *text);
enum { MD_LINE_COLUMNS = 10000 };

/**
 * Append one field of a comma-separated file (RFC 4180), always quoted.
 *
 * Escapes  quotes are doubled; control characters as screen.h does; a field that a spreadsheet would take for a formula (it begins with
 *          = + - @) gets an apostrophe in front; backticks become \x60, as the file may stand in a fenced block.
 */
void csv_add_field(struct strbuf *out, const char *text);

#endif
