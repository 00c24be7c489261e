#ifndef MARSPROBE_REPORTS_REPORT_H
#define MARSPROBE_REPORTS_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct report;
struct strbuf;

/** How a people's report is shown; a machine's format ignores it. */
struct report_style {
	bool color;
	bool verbose; /* -v: every observation too */
};

/** One row of formats.def: a name and the writer, which is a total and pure function from report to bytes. */
struct report_format {
	const char *name;
	void (*write)(const struct report *report, const struct report_style *style, struct strbuf *out);
};

/** The format of that name, or NULL. */
const struct report_format *report_format_find(const char *name);
/** All formats, *count of them. */
const struct report_format *report_format_all(size_t *count);

#endif
