#ifndef MARSPROBE_ENGINE_SYSTEM_TRUST_H
#define MARSPROBE_ENGINE_SYSTEM_TRUST_H

#include "probe/engine/legs.h"

/*
 * The system's own judgement of each chain beside ours (os_chain_verify()), where it has a chain engine: on threads of our own, each
 * chain for each host once, given up after a stage's time. It may know anchors that it fetches on demand; the agent's stack would get
 * them too, so what it finds is taken over and the trial is made again.
 */

/** A handshake delivered a chain: ask. user is the run. */
void system_trust_chain_came(const struct sent_chain *chain, void *user);

/** A trial takes over a transfer's observations: where the roots are kept, and what the system says, is written into them. The leg waits for that. */
void system_trust_take(struct trial *trial, const struct transfer_result *result);

/** Did the trial end at a chain that we refuse for want of an anchor, and may the system have it? Then true: trial_after() is called once
 *  it has said no, or another transfer made once it has said yes. */
bool system_trust_is_asked(struct trial *trial, const struct transfer_result *result);

/** Wait for no answer any more: trials end as they stand. After run->ending was set. */
void system_trust_cut(struct run *run);

#endif
