#ifndef MARSPROBE_PLAN_SWEEP_PACE_H
#define MARSPROBE_PLAN_SWEEP_PACE_H

/* How fast a sweep goes, how long it waits, and how often it asks. Pure: the time comes in as an argument. */

#include <stdbool.h>
#include <stdint.h>

/* ------------------------------------------------------------------ waiting */

/** The time-out for an answer, from the round trips that were seen. Source: RFC 6298 2; but an answer is no retransmission's. */
struct sweep_rtt {
	int64_t srtt_us, var_us; /* smoothed round trip and its mean deviation; NOT_MEASURED: none was seen */
	int64_t most_us;	 /* longest wait */
};
enum { SWEEP_TIMEOUT_LEAST_US = 100 * 1000, SWEEP_TIMEOUT_FIRST_US = 1000 * 1000 };

struct sweep_rtt sweep_rtt_new(int64_t most_us);
void sweep_rtt_heard(struct sweep_rtt *rtt, int64_t sample_us);
/** How long to wait in that round (from 1). From the third on twice as long in each as in the one before (RFC 6298 5.5): somebody was lost. In
 *  the second not yet, as the first request is still listened to. */
int64_t sweep_rtt_timeout_us(const struct sweep_rtt *rtt, int round);

/* ------------------------------------------------------------------ sending */

/** So many a second, evenly: what was not sent in time is not made up for by a burst. */
struct sweep_pacer {
	double rate;	/* a second; 0: no limit */
	double allowed; /* that may be sent by last_us */
	int64_t last_us;
};
enum { SWEEP_BURST_MS = 10 }; /* what a late timer may make up for */

struct sweep_pacer sweep_pacer_new(double rate, int64_t now_us);
/** How many may be sent now, at most wanted; they count as sent. */
unsigned sweep_pacer_take(struct sweep_pacer *pacer, int64_t now_us, unsigned wanted);
/** How long until the next one may be sent. */
int64_t sweep_pacer_wait_us(const struct sweep_pacer *pacer, int64_t now_us);

/* ------------------------------------------------------------------ the order */

/**
 * Every number below count once, so that any stretch of the order is spread evenly over all of them: what a part of the range does is
 * then the same share at any time, and a share that changes with time is our own doing.
 */
struct sweep_order {
	uint32_t count, step, next, done;
};
struct sweep_order sweep_order_new(uint32_t count);
/** The next one; false at the end. */
bool sweep_order_next(struct sweep_order *order, uint32_t *out);

/** The last one that came is to come once more. */
void sweep_order_back(struct sweep_order *order, uint32_t number);
bool sweep_order_is_done(const struct sweep_order *order);

/* ------------------------------------------------------------------ asking again */

enum { SWEEP_ROUNDS_LEAST = 2, SWEEP_ROUNDS_MOST = 6 };

/** Share of packets pairs that get lost, from how many answered when asked first, and later only. */
double sweep_loss(int64_t first, int64_t later);

/** Are the silent ones to be asked once more, after that many rounds? As long as some of those who would answer may still be missing. */
bool sweep_asks_again(int rounds, int64_t first, int64_t later, int64_t silent);

/** How long it may still take, in round's middle: left of this round, silent so far of so many tried; NOT_MEASURED where nobody can know. */
int64_t sweep_left_us(double rate, int round, int64_t left, int64_t silent, int64_t timeout_us);

#endif
