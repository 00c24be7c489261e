#ifndef MARSPROBE_ENGINE_CIRCUIT_WALK_H
#define MARSPROBE_ENGINE_CIRCUIT_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"

/* The engine's part of `marsprobe expressroute`: which way do the agent's hosts take from here? */

enum { CIRCUIT_ADDRESSES_MAX = 2 }; /* walked to, of each host; IPv4 first */

struct circuit_walk_options {
	int64_t timeout_us;	      /* of a DNS question, and of a walk */
	const char *const *resolvers; /* "ip" or "ip:port", NULL at the end; NULL: the configured ones */
};

/**
 * Look up every host of report->coverage and walk to its addresses, all at once; their `addresses` are filled in.
 *
 * Records  the look-ups' observations; for each address a local_fact "best_route", and the walks "walk" (the host's port), "walk_control"
 *          (80, or 443 where that is the host's port) and "walk_echo"; report->run's times.
 * Errors   false only where the loop does not start.
 * Threads  leaves blocked helper threads behind: end the process with os_exit().
 */
bool circuit_walk_run(struct report *report, const struct circuit_walk_options *options, struct err *err);

#endif
