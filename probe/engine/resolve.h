#ifndef MARSPROBE_ENGINE_RESOLVE_H
#define MARSPROBE_ENGINE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "probe/core/evidence.h"

/** What all look-ups of a run share. The caller owns it; it outlives them. */
struct resolver {
	uv_loop_t *loop;
	struct report *report;	/* observations go here */
	int64_t run_started_us; /* os_monotonic_us() at the start of the run */
	int64_t timeout_us;	/* of the stage */
	bool experiments;
	bool system_lookup;	  /* false with --resolver: then those servers' answers count */
	struct text_list servers; /* "ip" or "ip:port", in order */
	const char *control;	  /* or NULL */
	struct lookup *open; /* the look-ups' own, NULL at first: those that are not done; lookups_cut() ends them */
};

/** Set servers and system_lookup: those of given ("ip" or "ip:port", NULL at the end), or with NULL the system's own. report is set already. */
void resolver_use(struct resolver *resolver, const char *const *given);

struct resolved_address {
	const char *address;
	bool by_system; /* it counts: the system's own lookup gave it (or, without one, any configured server) */
};

/** One name being looked up. Readable at any time from the loop. */
struct lookup {
	const char *name;
	struct path_list paths; /* whom its observations concern; the caller may add until the first callback */
	struct resolved_address *addresses; /* by_system ones first, in the system's order, once it has answered */
	size_t count, capacity;
	enum failure failure; /* once settled or done, where no address counts: why not; else NONE */
	bool done;
};

typedef void (*lookup_address_cb)(struct lookup *lookup, const char *address, void *user);
typedef void (*lookup_done_cb)(struct lookup *lookup, void *user);

/**
 * Look a name up in every way at once: the system's own lookup in a thread of its own, and A and AAAA at each configured server (and the
 * control) by c-ares, over UDP, over TCP after a truncated answer, and what dns_contrasts_of_questions() asks besides.
 *
 * Records  one system_lookup, and one dns_query per question, server and transport, each for lookup->paths.
 * Calls    address() for each new address as soon as anyone but the control gave it; done() once, when everything has answered or the time
 *          is over. Both from the loop, never inside lookup_start(). A literal gives its address and records nothing.
 * Limits   timeout_us per question; the system's lookup may take twice that where a later server has already answered (it waits for a
 *          dead first server), and is abandoned then. At most 16 addresses are handed on, the rest is listed in the observations.
 * Memory   report->arena.
 */
struct lookup *lookup_start(struct resolver *resolver, const char *name, lookup_address_cb address, lookup_done_cb done,
			    void *user);

struct lookup_options {
	const char *name;
	const char *
		experiment; /* what the observations are for, where that is no path's own way; then nothing is asked besides; or NULL */
	int64_t timeout_us;	   /* per question; 0: the resolver's */
	lookup_address_cb address; /* as above, or NULL */
	lookup_done_cb
		settled; /* or NULL: once, before done(), unless it is cut: the system's lookup has ended, or (without one) an address came */
	lookup_done_cb done; /* or NULL */
	void *user;
};

/** lookup_start() for somebody who need not wait for the slowest server: it records on until it is done by itself. */
struct lookup *lookup_start_with(struct resolver *resolver, const struct lookup_options *options);

/** End all that are open, whoever started them. None may start another in its done(). */
void lookups_cut(struct resolver *resolver, enum failure failure);

/** End it now: open questions are recorded with that failure; done() is called before this returns. */
void lookup_cancel(struct lookup *lookup, enum failure failure);

#endif
