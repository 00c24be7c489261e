#ifndef MARSPROBE_ENGINE_BLOCKING_H
#define MARSPROBE_ENGINE_BLOCKING_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** A call that may block, in a thread of its own. */
struct blocking;

struct blocking_call {
	void (*work)(void *data);    /* in the thread */
	void (*release)(void *data); /* frees data, once nobody needs it; in either thread */
	void *data;		     /* nothing in it may be the caller's: the thread may outlive the run */
	int64_t patience_us;	     /* below 0 is none */
	/* On the loop, once, never inside blocking_start(). Finished: work() has returned, and data may be read until done() returns.
	 * Else the thread was abandoned, or there was none: hands off data. */
	void (*done)(bool finished, void *user);
	void *user;
};

/** Start it. Ends through done(): when work() has returned, or when patience is over. */
struct blocking *blocking_start(uv_loop_t *loop, const struct blocking_call *call);

/** Wait no longer: done() is called before this returns. */
void blocking_abandon(struct blocking *blocking);

#endif
