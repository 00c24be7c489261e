#ifndef MARSPROBE_ENGINE_TRACE_H
#define MARSPROBE_ENGINE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"

/* The engine's part of `marsprobe trace`: every way of walking the path to one name, in the same moment. */

enum { TRACE_ADDRESSES_MAX = 4 };

struct trace_options {
	const char *host; /* a name or a literal */
	int port, control_port;
	int64_t timeout_us;	      /* of a DNS question, and of a walk */
	const char *const *resolvers; /* "ip" or "ip:port", NULL at the end; NULL: the configured ones */
};

struct trace_result {
	const char *addresses[TRACE_ADDRESSES_MAX]; /* that were walked to */
	size_t count;
	enum failure lookup_failure; /* why there is no address; else NONE */
};

/**
 * Look the name up, and walk to at most TRACE_ADDRESSES_MAX of its addresses.
 *
 * Records  the look-up's observations, and for each address the walks "walk" (port), "walk_control" (control_port), "walk_udp" and
 *          "walk_echo"; report->run's times. The network's failures are observations.
 * Errors   false only where the loop does not start.
 * Threads  leaves blocked helper threads behind: end the process with os_exit().
 */
bool trace_run(struct report *report, const struct trace_options *options, struct trace_result *out, struct err *err);

#endif
