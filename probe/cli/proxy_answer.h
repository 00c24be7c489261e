#ifndef MARSPROBE_CLI_PROXY_ANSWER_H
#define MARSPROBE_CLI_PROXY_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence.h"

struct report_style;
struct settings;
struct strbuf;

/** Where one URL goes by one setting, as contract.md section 4 shows it. Texts are the report's. */
struct proxy_row {
	const struct path *path;
	const char *url; /* without credentials and query */
	const char *identity, *kind;
	struct text_list via; /* empty: nothing was named, and there is nothing to fall back on */
	const char *mechanism, *rule, *error;
	struct proxy_call *trace;
	size_t trace_count, trace_capacity;
};

/** What `marsprobe proxy` says. */
struct proxy_answer {
	const struct report *report;
	const struct proxy_setting **settings; /* all that were looked for */
	size_t setting_count, setting_capacity;
	struct proxy_row *rows; /* URL by URL; those of one URL by kind, the user's before SYSTEM's */
	size_t row_count, row_capacity;
};

/**
 * Take what was decided for the report's paths.
 *
 * Rows    of settings that are there. every: of those too that were looked for and not found, because they were asked for by name. Without
 *         every, who has no setting at all has the row of the environment, which then says DIRECT.
 * Memory  in the report's arena; settings must outlive *out.
 */
void proxy_answer_make(const struct report *report, const struct settings *settings, bool every,
		       struct proxy_answer *out);

/** What to compare a row of the user's with: SYSTEM's row of the same URL and kind; for wininet the agent's own, where it is known. NULL:
 *  there is none, or this row is SYSTEM's. */
const struct proxy_row *proxy_answer_counterpart(const struct proxy_answer *answer, const struct proxy_row *row);
bool proxy_answer_same_way(const struct proxy_row *a, const struct proxy_row *b);

/** Is this the way of the backup agent: SYSTEM's row of agent, or of wininet where nothing is known of agent? */
bool proxy_answer_is_agents(const struct proxy_answer *answer, const struct proxy_row *row);

/** Append the answer as one JSON document (contract.md section 4; reports/proxy.schema.json). */
void proxy_answer_json(const struct proxy_answer *answer, struct strbuf *out);

/** Append the answer for people. live: the settings are this machine's own, not an export's. */
void proxy_answer_text(const struct proxy_answer *answer, const struct report_style *style, bool live,
		       struct strbuf *out);

#endif
