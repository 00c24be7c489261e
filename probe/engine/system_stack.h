#ifndef MARSPROBE_ENGINE_SYSTEM_STACK_H
#define MARSPROBE_ENGINE_SYSTEM_STACK_H

#include "probe/engine/legs.h"

/*
 * Experiment "system_stack": where the system has an HTTP client of its own (os_http_get()), one GET by it for each target and way that
 * fails with us, and for one that works. The backup agent uses that client: a difference is a fault of our measurement, or of this
 * system's settings. Direct or by an HTTP proxy only; never with credentials.
 */

/** A trial begins: if nothing is heard of it for a fifth of a stage's time, ask, so that the answer ends with the others. */
void system_stack_begin(struct trial *trial);
/** A trial has ended: ask if it failed, or is the first one that works. */
void system_stack_note(struct trial *trial);
/** Wait for no answer any more: what is open is recorded with that failure. */
void system_stack_cut(struct run *run, enum failure failure);

#endif
