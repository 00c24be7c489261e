#ifndef MARSPROBE_ENGINE_AUDIT_RUN_H
#define MARSPROBE_ENGINE_AUDIT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"

/* The engine's part of `marsprobe sweep --audit`: packets with small TTLs to some addresses of a range (probe/plan/audit.h says which). */

struct audit_progress {
	const char *range;
	int probes;
	int64_t elapsed_us;
};

struct audit_options {
	double rate;							     /* packets a second; 0: no limit */
	int64_t timeout_us;						     /* longest walk */
	int64_t deadline_us;						     /* longest run; 0: none */
	void (*progress)(const struct audit_progress *progress, void *user); /* or NULL; for each packet */
	void *progress_user;
};

/**
 * Audit the targets' ranges, one after the other, at most AUDIT_PROBES_MAX packets each.
 *
 * Records  their walks ("walk", "walk_control", "walk_udp") as observations, and one sweep each, with its audit; run times and end_reason.
 * Ends     at the deadline and SIGINT too: the rest is unknown then.
 * Errors   false only where the loop does not start, or a range is too large (then nothing was sent).
 */
bool audit_run(struct report *report, struct target *const *targets, size_t count, const struct audit_options *options,
	       struct err *err);

#endif
