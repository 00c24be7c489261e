#ifndef MARSPROBE_DIAGNOSIS_WAYS_H
#define MARSPROBE_DIAGNOSIS_WAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence.h"
#include "probe/core/walk_view.h"

/*
 * Where on its way a connection request ends: what the walks to an address and their contrasts tell together. Pure.
 *
 * A router answers a packet whose TTL is over before it looks at its own filter. So a request that is last heard at hop H died there on its way
 * out, or between H and the next one; a reset that TTL n draws and TTL n - 1 does not comes from hop n - 1 or from what lies behind it.
 */

enum way_end {
	WAY_UNKNOWN,	   /* walked, and the place cannot be told */
	WAY_MUTED,	   /* no hop was heard, by whatever was sent */
	WAY_FILTERED,	   /* silent beyond a hop that something else sent to the same address passes */
	WAY_DEAD,	   /* silent beyond a hop that nothing sent to that address passes */
	WAY_LOOPS,	   /* the same hops over and over */
	WAY_REFUSED_NEAR,  /* the reset comes from nearer than the address */
	WAY_REFUSED_FAR,   /* the reset comes from as far as the address is */
	WAY_ANSWERED_NEAR, /* somebody on the way accepts connections in the address's name */
	WAY_FLAPS	   /* the same request to the same address got through from another source port */
};

enum { WAY_SHOWN_MAX = 8 };

struct way {
	const char *address;
	int port;
	enum way_end end;
	double confidence;
	bool has_place;
	struct place at; /* first_silent: the nearest one known to lie beyond; if none is, the address itself */
	int ttl;	 /* of the last hop heard (0: none), or that drew the reset; NOT_MEASURED where no walk tells */
	bool walked;	 /* by a walk of its own: other addresses may be compared with it */
	const struct observation *shown[WAY_SHOWN_MAX]; /* what tells it, a handful */
	size_t shown_count;
};

struct view;

/** The ways of all attempts that did not work, into tried->way of all views, report->path_count of them; in report->arena. */
void ways_find(struct report *report, struct view *views);

/* ------------------------------------------------------------------ for ways.c alone */

/** Every walk to one address: those of the failing port first. */
struct walks {
	struct walk_view syn, control, udp, echo;
};

/** No answer to the request. */
void way_judge_silence(const struct report *report, const struct walks *walks, struct way *way);
/** A reset. */
void way_judge_refusal(const struct report *report, const struct walks *walks, struct way *way);
/** Accepted, and then not a byte. */
void way_judge_answer(const struct report *report, const struct walks *walks, struct way *way);

/** Other connections to that address, to that port or to others: one that stands; NULL: none does. */
const struct observation *way_connected(const struct report *report, const char *address, int port, bool same_port);

/** Did anything at all come back on a connection to that address? */
bool way_has_spoken(const struct report *report, const char *address);
/** Was a connection tried to a port of it where nobody can listen? */
bool way_was_tested(const struct report *report, const char *address);

/** Add what was seen, once; NULL is ignored. */
void way_show(struct way *way, const struct observation *seen);
void way_show_hop(struct way *way, const struct walk_view *walk, int ttl);

/** The place is at that TTL or beyond it: who was heard there (or nearest before), and the nearest one known beyond. */
void way_set_place(const struct walks *walks, int ttl, struct way *way);

/** The highest TTL at which the address itself answered something that was sent to it, and by which walk; NOT_MEASURED: never. */
int way_far_ttl(const struct walks *walks, const struct walk_view **by);

#endif
