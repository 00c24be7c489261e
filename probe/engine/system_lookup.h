#ifndef MARSPROBE_ENGINE_SYSTEM_LOOKUP_H
#define MARSPROBE_ENGINE_SYSTEM_LOOKUP_H

#include <stdint.h>
#include <uv.h>

#include "probe/core/evidence.h"

/** One getaddrinfo() in a thread of its own. */
struct system_job;
typedef void (*system_job_done_cb)(struct system_job *job, void *user);

/**
 * Ask the operating system for observation->lookup.name, which the caller has filled in (op system_lookup).
 *
 * Records  addresses in the system's order without doubles (at most 64), failure, os_error ("EAI_AGAIN") and times.
 * Ends     once, through done(), from the loop and never inside system_job_start(). The job frees itself after done() returns.
 * Limits   none of its own: getaddrinfo() cannot be stopped, so the caller abandons it.
 * Memory   arena, which must live as long as observation; touched on the loop's thread only.
 */
struct system_job *system_job_start(uv_loop_t *loop, struct arena *arena, struct observation *observation,
				    int64_t run_started_us, system_job_done_cb done, void *user);

/** Wait for it no longer: recorded with that failure, done() is called before this returns; the thread ends when it can, unheard. */
void system_job_abandon(struct system_job *job, enum failure failure);

#endif
