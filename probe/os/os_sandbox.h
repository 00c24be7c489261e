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
 * Environment  empty, but for the time zone.
 * Lives        not longer than this process; on Linux not longer than the calling thread.
 * Blocks       until the system has loaded it, some milliseconds.
 * Errors       NULL with the reason for people, also where a part of the sandbox that is laid on from outside cannot be had.
 */
struct os_sandboxed *os_sandbox_start(const char *argument, const struct os_sandbox_limits *limits, int in, int out,
				      char *reason, size_t reason_bytes);

/** What a sandboxed process ended by. */
enum os_sandbox_end {
	OS_SANDBOX_KILLED,    /* by os_sandbox_end() */
	OS_SANDBOX_EXITED,    /* by itself */
	OS_SANDBOX_CPU_TIME,  /* its limit of computing time */
	OS_SANDBOX_MEMORY,    /* the system had no memory for it */
	OS_SANDBOX_FORBIDDEN, /* it tried what the sandbox forbids */
	OS_SANDBOX_CRASHED,
};

struct os_sandbox_death {
	enum os_sandbox_end end;
	int status;   /* what it exited with, for EXITED */
	char how[96]; /* for people: "exit status 4", "signal 31, Bad system call" */
};

/**
 * End the process if it still runs, wait for it, free. NULL is allowed. Does not block for longer than the system takes to kill.
 *
 * Input    is_ending: its end of a pipe was seen closed, so that it is about to end by itself: wait a moment for the true reason.
 */
struct os_sandbox_death os_sandbox_end(struct os_sandboxed *sandboxed, bool is_ending);

/**
 * In that process, before anything from outside is read: close the sandbox.
 *
 * Output  what: what it consists of, for people, and what of it this system does not enforce.
 * Errors  false with the reason: it does not stand, and nothing may be run.
 */
bool os_sandbox_enter(const struct os_sandbox_limits *limits, char *what, size_t what_bytes, char *reason,
		      size_t reason_bytes);

/** In that process: wait for bytes on standard input; how many, 0 at their end and on any error. */
size_t os_sandbox_read(void *into, size_t bytes);

/** In that process: write all of it to standard output; false if nobody reads any more. */
bool os_sandbox_write(const void *bytes, size_t length);

#endif
