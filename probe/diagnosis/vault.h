#ifndef MARSPROBE_DIAGNOSIS_VAULT_H
#define MARSPROBE_DIAGNOSIS_VAULT_H

#include "probe/core/evidence.h"

/**
 * Judge the vault credentials file of a run, if it had one: adds findings of its own, which no path breaks by.
 *
 * Judged   at the time of the run, by the servers' clocks where two of them say that this machine's is wrong.
 * Sources  requirements.md 4 (kinds, 48 hours and 10 days, what makes the agent say 34513), 8 (which cloud has which names).
 * Pure     texts in report->arena. Says what else is to be done with summary and remedy, so that they are not filled in from causes.def.
 */
void vault_judge(struct report *report);

/** What the vault's tenant has to do with a finding: where a proxy opens the sign-in's TLS, a step is added to its remedy. */
void vault_add_tenant(struct report *report, struct finding *finding);

#endif
