#ifndef MARSPROBE_PLAN_RESET_TTL_H
#define MARSPROBE_PLAN_RESET_TTL_H

/* The TTL of a reset against that of a SYN-ACK: asked for by connections that let in nothing with a smaller one (IP_MINTTL), and not at all where
 * the program could read it from the packets. */

#include "probe/plan/experiments.h"

/** A connection is refused: the TTL of the reset, and of what another port of the same address answers. */
void reset_ttl_choose(struct experiment_plan *plan, const struct report *report, const struct symptom *about,
		      int other_port);

/** A hello is reset. Once the SYN-ACK's TTL is known: whatever comes with a greater one to the hello is not from the same end. */
void reset_ttl_after_hello(struct experiment_plan *plan, const struct report *report, const struct symptom *about);

#endif
