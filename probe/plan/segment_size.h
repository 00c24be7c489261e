#ifndef MARSPROBE_PLAN_SEGMENT_SIZE_H
#define MARSPROBE_PLAN_SEGMENT_SIZE_H

#include "probe/plan/experiments.h"

/** What is added to a hello so that it fills segments of an Ethernet's size. */
enum { FULL_HELLO_BYTES = 2800 };

/**
 * Wish for handshakes with smaller segments, in rounds, until the largest one that gets through is known to the byte.
 *
 * Asks     where a hello, or the large one, was not answered. The large one's own segments fill the way out, the server's chain the way back: so the
 *          same hello that failed is said again.
 * Source   RFC 8899 (packetization layer path MTU discovery), with TCP_MAXSEG as the search's variable.
 */
void segment_size_choose(struct experiment_plan *plan, const struct report *report, const struct symptom *about);

/**
 * On a way that works: wish for one hello that fills packets. Where it gets no answer, for two more and the usual one beside them, so that a
 * moment's haste of this machine or a lost packet is not taken for a filter, and for the size that gets through.
 */
void large_hello_choose(struct experiment_plan *plan, const struct report *report, const struct symptom *about);

/** The first of these hellos alone. */
void large_hello_begin(struct experiment_plan *plan, const struct symptom *about);

/** Wish for one handshake in the smallest of those segments: is it the same here? */
void segment_size_confirm(struct experiment_plan *plan, const struct symptom *about);

#endif
