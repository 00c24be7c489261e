#ifndef MARSPROBE_DIAGNOSIS_DIAGNOSIS_H
#define MARSPROBE_DIAGNOSIS_DIAGNOSIS_H

#include "probe/core/evidence.h"

struct strbuf;

/** One row of causes.def. */
struct cause {
	const char *id;
	enum stage stage;
	enum owner owner;
	const char *title;  /* what it is, a few words: "The proxy refuses the connection" */
	const char *proof;  /* what must have been seen for it to be said */
	const char *remedy; /* lines separated by \n, each a step for the owner; with places for cause_words */
};

/** What stands for {subject}, {target}, {proxy}, {packet}, {mss} and {commands} in a remedy. */
struct cause_words {
	const char *subject; /* what the finding is about */
	const char *target;  /* what it strikes */
	const char *proxy;   /* host:port of the proxy by which it works */
	const char *packet;  /* "1400": the largest packet that gets through, in bytes */
	const char *mss;     /* "1360": the largest segment of TCP that fits into it */
	const char
		*commands; /* "{commands}": what makes it so; a finding has lines of its own there (remedy_system.h) */
};

/** Append the first length bytes of a remedy's text with its places filled in; none of the words is NULL. */
void cause_fill_in(struct strbuf *out, const char *text, size_t length, const struct cause_words *words);

/** The row of that id, or NULL. */
const struct cause *cause_find(const char *id);
/** All rows in the order of causes.md; *count is set. */
const struct cause *cause_all(size_t *count);

/**
 * Judge a report: fill every path's stages and verdict, the findings and readiness anew from the rest.
 *
 * Pure    reads no network, clock, environment or locale; earlier judgement in the report is discarded first.
 * Memory  report->arena.
 */
void diagnose(struct report *report);

/** The place where a finding's cause stands, as the first of its verdicts that knows one says; NULL: none knows. */
const struct place *finding_place(const struct finding *finding);

/** Exit status of `check` (contract.md section 1): 0 ready, 1 not ready, 3 inconclusive. */
int diagnose_exit_status(const struct report *report);

#endif
