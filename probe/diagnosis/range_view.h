#ifndef MARSPROBE_DIAGNOSIS_RANGE_VIEW_H
#define MARSPROBE_DIAGNOSIS_RANGE_VIEW_H

#include "probe/core/evidence.h"

/* What a sweep or an audit says of its range as a whole. */

/** The sweep of that target, or NULL. */
const struct sweep *sweep_of(const struct report *report, const struct target *target);

/** PASS: it lets itself be reached; WARN: a part does not; FAIL: nothing of it does; INCONCLUSIVE: silence says neither. */
enum status sweep_status(const struct sweep *sweep);

/** The prefixes that are blocked, or rejected by a device: in the order of their addresses. */
struct text_list range_struck(struct arena *arena, const struct sweep *sweep);

/** What the finding's sweeps saw, in words without a final period; NULL: it rests on none. */
const char *range_in_words(const struct report *report, const struct finding *finding);

#endif
