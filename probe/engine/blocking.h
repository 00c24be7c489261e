#ifndef MARSPROBE_ENGINE_BLOCKING_H
#define MARSPROBE_ENGINE_BLOCKING_H

#include <stdint.h>
#include <uv.h>

/** A call that may block, in a thread of its own. */
struct blocking;

enum blocking_end {
	BLOCKING_FINISHED,  /* work() has returned: data may be read until done() returns */
	BLOCKING_ABANDONED, /* the thread is still at it: hands off data */
	BLOCKING_NO_THREAD, /* the system gave none: nothing was asked */
};

struct blocking_call {
	void (*work)(void *data);    /* in the thread */
	void (*release)(void *data); /* frees data, once nobody needs it; in either thread */
	void *data;		     /* nothing in it may be the caller's: the thread may outlive the run */
	int64_t patience_us;	     /* below 0 is none */
	/* On the loop, once, never inside blocking_start(). */
	void (*done)(enum blocking_end end, void *user);
	void *user;
};

/** Start it. Ends through done(): when work() has returned, or when patience is over. */
struct blocking *blocking_start(uv_loop_t *loop, const struct blocking_call *call);

/** Wait no longer: done() is called before this returns. */
void blocking_abandon(struct blocking *blocking);

#endif
