#ifndef MARSPROBE_ENGINE_SYSTEM_RUN_H
#define MARSPROBE_ENGINE_SYSTEM_RUN_H

/* Both ends of a run that is shared by two processes: this one, and one that runs as SYSTEM (probe/os/os_system_run.h). */

#include <stdbool.h>
#include <stddef.h>

#include "probe/engine/handover.h"
#include "probe/os/os_system_run.h"

struct run;

/* ------------------------------------------------------------------ the process that was started by a person */

/** The other process, started and waiting for its order. */
struct system_run;

/** Start it; blocks for as long as a service may take to start. NULL, with the reason for people. Its memory is never freed: a
 *  thread may still look at it. */
struct system_run *system_run_start(char *reason, size_t reason_bytes);
/** Say what it is to do, once engine_run() sends the order. Copies everything. */
void system_run_prepare(struct system_run *system, const struct handover *handover);
/** Make sure that nothing of it is left: process, service, files. NULL is allowed. False, with what was left and where. */
bool system_run_end(struct system_run *system, char *reason, size_t reason_bytes);

/** For engine_run(): send the order, and let run->system_open be false once the answer is there, or none will come. */
void system_run_begin(struct run *run);
/** For engine_run(): the run is being cut short; what the other process has found so far is waited for, but not for long. */
void system_run_cut(struct run *run);
/** For engine_run(): put the answer into the report, or the reason why there is none. */
void system_run_absorb(struct run *run);

/* ------------------------------------------------------------------ the process that runs as SYSTEM */

/**
 * Wait for the order, have it carried out, send what was found.
 *
 * carry_out  fills handover->report, which holds the targets and inputs; *stop may be pressed while it runs. False with the reason.
 */
void system_run_serve(struct os_link *link,
		      bool (*carry_out)(struct handover *handover, struct engine_switch *stop, struct err *err));

#endif
