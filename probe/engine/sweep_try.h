#ifndef MARSPROBE_ENGINE_SWEEP_TRY_H
#define MARSPROBE_ENGINE_SWEEP_TRY_H

/* The connection requests of a sweep that are under way: their sockets, and what an answer means. For sweep.c alone. */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "probe/core/address.h"
#include "probe/core/sweep_map.h"
#include "probe/os/os.h"
#include "probe/os/os_watch.h"

struct sweep_tries;

struct sweep_try {
	uv_poll_t poll; /* where the loop watches each socket */
	os_socket fd;
	struct sweep_tries *tries;
	struct sweep_try *before, *behind; /* in the order of sending; of the free ones: behind alone */
	struct address address;
	int64_t sent_us;
	uint32_t number;
	unsigned char purpose, round;
	bool under_way;
	bool rewound; /* a free one: its socket is open, and may connect once more */
	bool late;    /* its time is over, but it is still listened to */
};

/** In the order of sending. */
struct sweep_queue {
	struct sweep_try *oldest, *newest;
	unsigned count;
};

struct sweep_tries {
	uv_loop_t *loop;
	/** It has been silent for the time-out: an answer is not waited for, but may come. */
	void (*lapsed)(struct sweep_try *one, void *user);
	/** What came, late or not; state UNTRIED: nothing any more. kind is gone after the call, and so is the try; it sends nothing. */
	void (*over)(struct sweep_try *one, const struct sweep_kind *kind, void *user);
	void *user;
	unsigned open_most; /* sockets */
	struct sweep_queue waiting, late;
	struct sweep_try *free;
	struct os_watch *watch; /* of all sockets; NULL: the loop watches each */
	uv_poll_t watch_poll;
};

/** Begin: loop, callbacks, user and open_most are set, the rest is zero. */
void sweep_tries_begin(struct sweep_tries *tries);

/** Send one; *sent holds address, number, purpose and round. over() may be called at once. False, without that call, where this system has
 *  no socket or port for it just now. */
bool sweep_try_send(struct sweep_tries *tries, const struct sweep_try *sent, int port);

/** Wait no longer for those that have been silent so long; returns how long until the next one may have. */
int64_t sweep_tries_expire(struct sweep_tries *tries, int64_t now_us, int64_t timeout_us);

/** Close all that are open, without a word. */
void sweep_tries_end(struct sweep_tries *tries);

#endif
