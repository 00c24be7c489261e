#ifndef MARSPROBE_PLAN_WRONG_ADDRESS_H
#define MARSPROBE_PLAN_WRONG_ADDRESS_H

#include "probe/core/evidence.h"

/* The experiment "http_wrong_address": a plain HTTP request, sent to the address of a service that cannot answer it. A right answer then came
 * from something in between that goes by the Host header. Made once per run. */

/** Is it worth making after this answer, or none, to a plain HTTP request without a proxy? Where a proxy's mark is in it, or it is not healthy. */
bool wrong_address_wanted(struct arena *arena, const struct target *target, const struct observation *http);

/** What to ask for, and whose address to send it to: the sign-in service has its addresses for itself, while delivery networks may serve each
 *  other's names. False: the run has no two such targets. */
bool wrong_address_choose(struct target *const *targets, size_t count, struct target **what, struct target **where);

#endif
