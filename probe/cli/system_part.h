#ifndef MARSPROBE_CLI_SYSTEM_PART_H
#define MARSPROBE_CLI_SYSTEM_PART_H

#include <stdbool.h>

#include "probe/cli/options.h"
#include "probe/engine/engine.h"
#include "probe/plan/plan.h"

struct os_link;
struct settings_input;
struct system_run;

/** How SYSTEM's part of a check is carried out. */
struct system_part {
	struct system_run *run; /* a process of its own, or NULL */
	enum plan_part part;	/* what is left for this process */
	const char *
		state; /* as in "system_run" of struct local_fact; NULL: no such process was wanted, or there can be none here */
	const char *reason; /* of "failed" and "not_elevated" */
	const char *why;    /* for plan_options.system_why */
};

/** Start a process that runs as SYSTEM if it is wanted and allowed; says on stderr what that leaves in the event log. Where exports are given
 *  and say nothing of SYSTEM, there is nothing that it could go by. */
void system_part_start(struct arena *arena, const struct options *options, const struct settings *settings,
		       struct system_part *out);
/** Hand over the same plan, and what is known of the agent's own settings. */
void system_part_prepare(const struct system_part *part, const struct options *options,
			 const struct settings_input *settings, struct report *report,
			 const struct engine_options *engine);
/** See that nothing is left of it; says on stderr what could not be removed. */
void system_part_end(const struct system_part *part);

/** What the process that runs as SYSTEM does: os_system_child_run()'s work. */
void system_part_serve(struct os_link *link, void *user);

#endif
