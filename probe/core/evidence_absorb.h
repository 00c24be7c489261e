#ifndef MARSPROBE_CORE_EVIDENCE_ABSORB_H
#define MARSPROBE_CORE_EVIDENCE_ABSORB_H

#include <stdbool.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"

/**
 * Put what another process found for one identity in the place of that identity's paths.
 *
 * Takes    from's paths of that identity with their attempts and observations, and its identity entry. Of what it says of the machine
 *          as a whole only facts whose subject is the identity: the rest is known here already.
 * Numbers  paths and observations anew; times are counted from the start of into's run (both clocks are this machine's).
 * Memory   everything of from belongs to into afterwards; from is not to be used or freed any more, also on error.
 * Errors   false, and into is as it was, where from is not about the same targets, or is about another identity too.
 */
bool report_absorb(struct report *into, struct report *from, enum identity_id identity, struct err *err);

#endif
