#ifndef MARSPROBE_REPORTS_HANDOFF_PARTS_H
#define MARSPROBE_REPORTS_HANDOFF_PARTS_H

#include <stdint.h>

#include "probe/core/evidence.h"
#include "reports/handoff_allow.h"
#include "reports/text_say.h"

struct strbuf;

/** One hand-off being written. */
struct sheet {
	const struct report *report;
	struct strbuf *out;
	struct arena *arena; /* the document's own */
};

enum { HANDOFF_ROWS_MAX = 64 };

/** Append a sentence of the catalogue, what is filled in as code spans. */
void sheet_say(struct sheet *sheet, enum say id, const struct fill *fills);
/** Append an empty line and such a sentence, and end the line. */
void sheet_paragraph(struct sheet *sheet, enum say id, const struct fill *fills);
/** Append the items of a list as code spans with commas, at most max of them, then "and N more". */
void sheet_list(struct sheet *sheet, const struct text_list *list, size_t max);
/** Begin a table: an empty line, the heading row, and the line below it. */
void sheet_table(struct sheet *sheet, enum say heading);
/** Append a cell of a row: " value |", as a code span, or "-" where value is NULL. A row begins with "|" and ends with a newline. */
void sheet_cell(struct sheet *sheet, const char *value);
/** Append "And N more." where a table was cut at HANDOFF_ROWS_MAX. */
void sheet_more(struct sheet *sheet, size_t total);
/** "2026-11-22 19:33:29.650" in the document's arena; NULL outside the years 0000 to 9999 and for what is unknown (below 0). */
const char *sheet_moment(struct sheet *sheet, int64_t at_ms);
/** The moment at which an observation began; NULL where unknown. */
const char *sheet_began(struct sheet *sheet, const struct observation *one);
/** "host:port", in the document's arena; host alone where the port is unknown; NULL without a host. */
const char *sheet_end(struct sheet *sheet, const char *host, int port);
/** A number as text, NULL for NOT_MEASURED. */
const char *sheet_number(struct sheet *sheet, int number);

/* The parts of one finding; each writes nothing where it has nothing to say. number counts findings inside the section. */
void handoff_finding(struct sheet *sheet, const struct finding *finding, size_t number);
void handoff_flows(struct sheet *sheet, const struct finding *finding);
void handoff_rules(struct sheet *sheet, const struct finding *finding);
void handoff_requests(struct sheet *sheet, const struct finding *finding);
void handoff_chains(struct sheet *sheet, const struct finding *finding);
void handoff_questions(struct sheet *sheet, const struct finding *finding);
void handoff_walk(struct sheet *sheet, const struct finding *finding);

/* The rule in one notation each, for all that a finding needs. prefix of names: letters, digits, '_'. */
void handoff_nft(struct sheet *sheet, const struct allow *allows, size_t count, const char *name);
void handoff_azure(struct sheet *sheet, const struct allow *allows, size_t count, const char *name);
void handoff_csv(struct sheet *sheet, const struct allow *allows, size_t count);

#endif
