#ifndef MARSPROBE_PLAN_WISHES_H
#define MARSPROBE_PLAN_WISHES_H

/* The list of what is wished, for the files that choose. */

#include "probe/plan/experiments.h"

/** Add it, unless the same is there already. address NULL: that of the symptom. patience_us 0: enough for the way's round trips. */
void wish_once(struct experiment_plan *plan, const struct wish *wish);

/** Has that experiment been wished for this symptom? */
bool wish_made(const struct experiment_plan *plan, const struct symptom *about, enum experiment experiment);

/** Has it been wished, and has every one of it ended? */
bool wish_done(const struct experiment_plan *plan, const struct symptom *about, enum experiment experiment);

/** The same, of those to that port. */
bool wish_port_done(const struct experiment_plan *plan, const struct symptom *about, enum experiment experiment,
		    int port);

#endif
