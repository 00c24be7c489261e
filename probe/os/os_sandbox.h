#ifndef MARSPROBE_OS_OS_SANDBOX_H
#define MARSPROBE_OS_OS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A second process of this program that can do nothing but compute and talk on its two pipes: no file, no socket, no other process.
 * Linux: a seccomp filter that the process lays on itself. Windows: a restricted token of low integrity inside a job object, laid on it from
 * outside, and what it gives up itself.
 */

struct os_sandbox_limits {
	unsigned cpu_seconds;
	size_t memory_bytes; /* of the whole process */
};

struct os_sandboxed;

/**
 * Start this program with one argument; the process inherits nothing but in and out (descriptors of the C library, standard input and
 * output there). The caller closes its copies of both afterwards.
 *
 * Errors  NULL with the reason for people, also where a part of the sandbox that is laid on from outside cannot be had.
 */
struct os_sandboxed *os_sandbox_start(const char *argument, const struct os_sandbox_limits *limits, int in, int out,
				      char *reason, size_t reason_bytes);

/** End the process if it still runs, wait for it, free. NULL is allowed. Does not block for longer than the system takes to kill. */
void os_sandbox_end(struct os_sandboxed *sandboxed);

/**
 * In that process, before anything from outside is read: close the sandbox.
 *
 * Output  what: what it consists of, for people.
 * Errors  false with the reason: it does not stand, and nothing may be run.
 */
bool os_sandbox_enter(const struct os_sandbox_limits *limits, char *what, size_t what_bytes, char *reason,
		      size_t reason_bytes);

#endif
