#ifndef MARSPROBE_REPORTS_TEXT_PARTS_H
#define MARSPROBE_REPORTS_TEXT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/core/evidence.h"
#include "reports/report.h"
#include "reports/text_say.h"

struct strbuf;

/** One text report being written. */
struct page {
	const struct report *report;
	const struct report_style *style;
	struct strbuf *out;
};

enum paint { PAINT_PLAIN, PAINT_STRONG, PAINT_GOOD, PAINT_CAUTION, PAINT_BAD };

/** Append text in a colour, where the style wants colour. */
void page_paint(struct page *page, enum paint paint, const char *text);
/** An empty line and a heading. */
void page_heading(struct page *page, enum say heading);
/** "   Label      text ...": wrapped, with the text in one column. label SAY_NOTHING goes on under the one before. */
void page_item(struct page *page, enum say label, const char *text);
/** " - text", wrapped. */
void page_bullet(struct page *page, const char *text);
/** The words of a sentence that ends in "and {count} more". */
void say_more(struct strbuf *out, size_t count);

/* The parts, in their order; each writes nothing where there is nothing to say. */
void text_checks(struct page *page);
void text_coverage_head(struct page *page); /* of a report about a circuit; so is the next but one */
void text_findings(struct page *page);
void text_coverage(struct page *page);
void text_notes(struct page *page);
void text_ways(struct page *page);
void text_paths(struct page *page);
void text_observations(struct page *page);
/** When it ran, for how long, where, and by which version. */
void text_run(struct page *page);
/** The whole text of a report of sweeps. */
void text_sweeps(struct page *page);

/** "09:05:07.120", UTC, of an offset from the start of the run; "--:--:--.---" where unknown. */
void say_time_of_day(struct strbuf *out, const struct report *report, int64_t offset_us);
/** The answer, READY and so on, and why in a sentence. */
enum say say_answer(struct strbuf *why, const struct report *report);
/** The same of a report about a circuit. */
enum say say_coverage_answer(struct strbuf *why, const struct report *report);
/** Which region's names were tested; false, and nothing said, where no name depends on it. */
bool say_region(struct strbuf *out, const struct report *report);
/** What an observation saw, in one or a few plain sentences. */
void say_observation(struct strbuf *out, const struct observation *observation);
/** The items of a list with commas, at most max of them, then "and N more"; "none" for an empty one. */
void say_list(struct strbuf *out, const struct text_list *list, size_t max);
/** "login.microsoftonline.com", with the port where it is not 443. Data, not yet escaped. */
void say_target(struct strbuf *out, const struct target *target);

#endif
