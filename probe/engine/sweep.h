#ifndef MARSPROBE_ENGINE_SWEEP_H
#define MARSPROBE_ENGINE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/core/sweep_map.h"

/* The engine's part of `marsprobe sweep`: a connection request to every address of some ranges. */

struct sweep_progress {
	uint32_t total, known, open, silent; /* addresses; silent: at every try so far */
	int round;
	int64_t elapsed_us, left_us; /* left_us NOT_MEASURED: nobody can know */
	bool paused;
};

/** A range to be swept. */
struct sweep_part {
	struct target *target;
	struct sweep_map map; /* what is known already is not asked again */
	int64_t connects;
};

struct sweep_options {
	double rate;							     /* new connections a second; 0: no limit */
	unsigned parallel;						     /* requests in flight */
	int64_t timeout_us;						     /* longest wait for one answer */
	int64_t deadline_us;						     /* longest run; 0: none */
	void (*progress)(const struct sweep_progress *progress, void *user); /* or NULL; some times a second */
	void *progress_user;
};

/**
 * Ask every address of the parts whose state is not known, at most SWEEP_ROUNDS_MOST times, in an order that spreads over all of them.
 *
 * Records  one sweep each in the report, folded; run times and end_reason.
 * Ends     when nobody is left to be asked; at the deadline or SIGINT, or where failures follow the rate (sweep->stopped): addresses
 *          that were silent by then are untried again.
 * Errors   false only where the loop does not start.
 */
bool sweep_run(struct report *report, struct sweep_part *parts, size_t count, const struct sweep_options *options,
	       struct err *err);

#endif
