#ifndef MARSPROBE_PLAN_LOSS_H
#define MARSPROBE_PLAN_LOSS_H

#include "probe/plan/experiments.h"

/**
 * Where segments had to be sent again on connections that work: wish for some more handshakes with the same addresses. What a busy moment of this
 * machine did does not come again; a line that loses does.
 *
 * Asks     from LOSS_PERCENT of the segments on, of LOSS_SEGMENTS_LEAST or more; of fewer from LOSS_PERCENT_OF_FEW on.
 */
void loss_choose(struct experiment_plan *plan, const struct report *report);

enum { LOSS_PERCENT = 2, LOSS_PERCENT_OF_FEW = 8, LOSS_SEGMENTS_LEAST = 60, LOSS_RESENT_LEAST = 4 };

#endif
