#ifndef MARSPROBE_CORE_WALK_VIEW_H
#define MARSPROBE_CORE_WALK_VIEW_H

/* A walk along the path, read from its ttl_probe observations. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence.h"

enum { WALK_HOPS_MAX = 64 };

/** One TTL of a walk: the best of its observations (an answer from the far end, else one from a hop, else a refusal, else silence). */
struct walk_hop {
	int ttl;
	const struct observation *seen;
	bool heard;	     /* somebody answered: the TTL ran out there, or as below */
	bool reached;	     /* the far end answered, or somebody who spoke for it */
	bool refused;	     /* an ICMP "unreachable" came */
	const char *address; /* who sent an ICMP message; NULL where nobody did, or where the system does not say who */
};

enum walk_reach {
	WALK_REACHED_NOT,
	WALK_REACHED_SYN_ACK,
	WALK_REACHED_RST,
	WALK_REACHED_DATA,
	WALK_REACHED_FIN,
	WALK_REACHED_ICMP
};

struct walk_view {
	struct walk_hop hops[WALK_HOPS_MAX]; /* by TTL, lowest first */
	size_t count;			     /* 0: no such walk was made, or this system sent nothing */
	enum failure not_sent;		     /* why this system sent nothing (count is 0 then); NONE */

	int reached_ttl; /* the lowest TTL that reached the far end, or who spoke for it; NOT_MEASURED: none did */
	enum walk_reach reached_by;	   /* what came from there */
	const struct walk_hop *refused_by; /* the lowest one that an ICMP "unreachable" answered; NULL: none */

	int last_heard_ttl; /* the highest TTL below reached_ttl and refused_by that ran out at a hop; NOT_MEASURED: none did */
	const char *last_heard; /* that hop's address; NULL where unknown */
	int first_silent_ttl; /* last_heard_ttl + 1 (the first TTL if none was heard), if all from there on is silent; else NOT_MEASURED */
	const char
		*first_silent; /* the nearest one that controls to the same address hear there or beyond; NULL: none */
	int known_silent_ttl;  /* where it is heard */

	bool deaf; /* this system tells programs of no router (an older Windows, TCP and UDP): the silence of hops says nothing; echo may */
	bool muted; /* nothing was heard from any hop at all: nothing can be said of where */
	bool loops; /* a hop answers again after another one had, and the far end was not reached */
	bool ends_early; /* hops were heard, and all that was heard ends before the far end: nobody reached it, nobody refused */
};

/**
 * Read the walk with that experiment to that address and port.
 *
 * Takes    sent: "syn", "udp", "echo", "hello", or NULL for any; port NOT_MEASURED for any (walk_udp, walk_echo).
 * Output   false where no such walk is in the report; *out is then empty. It points into the report.
 */
bool walk_view_make(const struct report *report, const char *address, int port, const char *experiment,
		    const char *sent, struct walk_view *out);

/** What one packet of a walk tells by itself. */
struct walk_hop walk_hop_of(const struct observation *seen);

/** Fill in first_silent from another walk to the same address: the nearest that it hears there or beyond. */
void walk_view_compare(struct walk_view *walk, const struct walk_view *control);

/** Were both sent from the same address of ours? By another interface packets go another way. */
bool walk_view_leaves_alike(const struct walk_view *one, const struct walk_view *other);

/** The hop of that TTL, NULL if there is none. */
const struct walk_hop *walk_view_hop(const struct walk_view *walk, int ttl);

/**
 * Does the control get past the place where the walk ends? True: it was heard at a higher TTL than the walk's last, or reached the far end,
 * and the walk did not.
 */
bool walk_view_passes(const struct walk_view *control, const struct walk_view *walk);

#endif
