#ifndef MARSPROBE_PLAN_SWEEP_GUARD_H
#define MARSPROBE_PLAN_SWEEP_GUARD_H

/*
 * Do failures begin to follow the rate? Firewalls count new connections, and some drop or shut out whoever makes too many; what a sweep
 * finds then is its own doing. So among the others it asks again who has answered already. Where these fall silent it pauses, and asks
 * some of them slowly: those who answer then were silenced by the rate. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
	GUARD_EVERY = 32,  /* one control among so many requests */
	GUARD_WINDOW = 16, /* controls that count */
	GUARD_CHECKS = 16, /* asked after a pause */
	GUARD_CHECK_GAP_MS = 100,
	GUARD_KNOWN_MAX = 256 /* who has answered, and may be asked again */
};

enum guard_answer {
	GUARD_FINE,
	GUARD_SUSPECT,	    /* pause for guard_pause_us(), then ask GUARD_CHECKS of the known ones, one by one */
	GUARD_RATE_LIMITED, /* after a pause they answer again: stop */
	GUARD_SILENCED	    /* nor after the longer pause: whoever shut us out, or the way is down: stop */
};

struct sweep_guard {
	uint32_t known[GUARD_KNOWN_MAX]; /* they have answered, by their number */
	unsigned known_count, known_next;
	unsigned sent;	 /* since the last control */
	uint32_t recent; /* the outcomes of the last controls, a bit each: 1 was silence */
	unsigned seen;	 /* of these */
	unsigned usual;	 /* failures in a window that are only loss, as a pause has shown */
	unsigned pauses; /* without an answer afterwards */
	unsigned checked, answered;
};

/** This one has answered. */
void guard_known(struct sweep_guard *guard, uint32_t number);

/** Is a control due now instead of the next address? Then *out is whom to ask. */
bool guard_wants_control(struct sweep_guard *guard, uint32_t *out);

/** What came of one. */
enum guard_answer guard_control(struct sweep_guard *guard, bool answered);

/** A round of asking again is over: how many answered at first, and how many only now. */
enum guard_answer guard_round(struct sweep_guard *guard, int64_t first, int64_t later);

/** The sweep goes slower now: what was seen counts no more. */
void guard_forget(struct sweep_guard *guard);

int64_t guard_pause_us(const struct sweep_guard *guard);

/** Whom to ask after the pause, one after the other. */
uint32_t guard_check_whom(struct sweep_guard *guard);
/** What came of one of them. FINE: there are more to come, or the failures were loss and the sweep may go on: see guard_checks_done(). */
enum guard_answer guard_checked(struct sweep_guard *guard, bool answered);
bool guard_checks_done(const struct sweep_guard *guard);

#endif
