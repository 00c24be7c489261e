#ifndef MARSPROBE_DIAGNOSIS_PREFLIGHT_H
#define MARSPROBE_DIAGNOSIS_PREFLIGHT_H

#include "probe/core/evidence.h"

/**
 * Judge the facts "preflight" of a report, if it has any: fills report->checks, a row of preflight.def each, and adds a finding for each that
 * warns or fails.
 *
 * Sources  requirements.md 10 (thresholds), 7 (TLS), 9 (zones).
 * Pure     texts in report->arena.
 */
void preflight_judge(struct report *report);

#endif
