#ifndef MARSPROBE_CLI_TRACE_ANSWER_H
#define MARSPROBE_CLI_TRACE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence.h"
#include "probe/core/walk_view.h"

struct report_style;
struct strbuf;

enum trace_walk { TRACE_WALK, TRACE_CONTROL, TRACE_UDP, TRACE_ECHO, TRACE_WALKS };

/** What the walks to one address tell. */
struct trace_path {
	const char *address;
	int port;
	struct walk_view walks[TRACE_WALKS];
	/* of the walk to the port: */
	const char *reached_by; /* "syn_ack" | "rst"; NULL */
	int reached_ttl, last_heard_ttl, first_silent_ttl;
	const char *refused_by, *last_heard, *first_silent;
	bool muted, deaf, loops;
	const char *says; /* the same in a sentence, for people; without a full stop */
};

/** What `marsprobe trace` says. */
struct trace_answer {
	const struct report *report;
	const char *host;
	int port, control_port;
	int64_t started_at_ms;
	enum failure lookup_failure; /* why there are no paths; NONE */
	struct trace_path *paths;
	size_t path_count, path_capacity;
	struct observation **probes; /* all of them, in the order of the report */
	size_t probe_count, probe_capacity;
};

/** Fill in paths and probes from the report, for these addresses; the other members are set already. Memory: the report's arena. */
void trace_answer_make(struct trace_answer *answer, const char *const *addresses, size_t count);

/** Append the answer as one JSON document (reports/trace.schema.json). */
void trace_answer_json(const struct trace_answer *answer, struct strbuf *out);

/** Append the answer for people. */
void trace_answer_text(const struct trace_answer *answer, const struct report_style *style, struct strbuf *out);

#endif
