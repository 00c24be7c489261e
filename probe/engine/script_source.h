#ifndef MARSPROBE_ENGINE_SCRIPT_SOURCE_H
#define MARSPROBE_ENGINE_SCRIPT_SOURCE_H

#include "probe/core/evidence.h"
#include "probe/settings/settings.h"

struct run;

/** One PAC script, from the search for it to its answers: found, fetched, loaded into a process of its own, asked. */
struct script_source;

/**
 * A script that is to be had from an address (NULL: from where automatic detection finds it). Nothing is done before it is asked.
 *
 * Records  one proxy_script when it is known whether there is a script, and one proxy_decision for each URL.
 */
struct script_source *script_source_new(struct run *run, const char *address);

typedef void (*script_answered_cb)(const struct script_answer *answer, void *user);

/**
 * Ask for one URL on a path's behalf. The same URL is asked once, whoever wants to know.
 *
 * Calls    answered() once, from the loop after script_source_begin() or, if the answer is there, at once. Not at all once the source is cut.
 */
void script_source_ask(struct script_source *source, const struct url *url, struct path *path,
		       script_answered_cb answered, void *user);

/** Find the script, once all who are known to need it have asked: what it takes is recorded as theirs together. Later calls have no effect. */
void script_source_begin(struct script_source *source);

/** End what is under way: it is recorded with that failure, and nobody is called any more. */
void script_source_cut(struct script_source *source, enum failure failure);
/** Everybody has his answer: the process may go. */
void script_source_close(struct script_source *source);

#endif
