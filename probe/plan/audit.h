#ifndef MARSPROBE_PLAN_AUDIT_H
#define MARSPROBE_PLAN_AUDIT_H

/*
 * May the addresses of a range be reached, although perhaps nobody listens there? Which packet with a TTL of its own tells most next. Pure.
 *
 * First some walks to addresses all over the range: they show the hops, and the TTL that tells what may pass (a hop answers it that is
 * beyond the place where others die). Then one packet with that TTL to one address in so many; and where two neighbours differ, the
 * boundary between them by bisection, with a walk to either side of it. A walk that ends where others only pass through was stopped
 * there; one that ends at a public hop of its own has left the enterprise, and its silence is the far end's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/address.h"
#include "probe/core/sweep.h"

struct arena;

enum {
	AUDIT_PROBES_MAX = 400,
	AUDIT_TTLS = 20,
	AUDIT_GRID = 64,
	AUDIT_WALKS = 5, /* after the first */
	AUDIT_POINTS_MAX = AUDIT_PROBES_MAX,
	AUDIT_HOST_BITS_MAX = 31
};

enum audit_answer { ANSWER_UNASKED, ANSWER_UNSENT, ANSWER_SILENCE, ANSWER_EXPIRED, ANSWER_REACHED, ANSWER_REFUSED };

struct audit_hop {
	enum audit_answer answer;
	const char *from; /* who sent an ICMP message, or NULL; lives as long as the audit */
};

enum audit_kind { ASK_SYN, ASK_OTHER_PORT, ASK_UDP, ASK_AGAIN };

/** What is to be sent: a packet with each of these TTLs. */
struct audit_ask {
	uint32_t offset; /* of the address in the range */
	int ttl_from, ttl_to;
	enum audit_kind kind;
};

/** An address that was asked, or is being asked. */
struct audit_point {
	uint32_t offset;
	struct audit_hop hops[AUDIT_TTLS + 1]; /* by TTL */
	bool walked;			       /* from TTL 1 on */
	bool of_grid;			       /* not chosen for its neighbours */
	bool waiting;
};

struct audit {
	struct prefix range;
	uint32_t count;				     /* addresses */
	struct audit_point points[AUDIT_POINTS_MAX]; /* in the order of their offsets */
	size_t point_count;
	struct audit_hop control[AUDIT_TTLS + 1]; /* of other traffic to the middle of the range */
	enum {
		AUDIT_FIRST,
		AUDIT_WALKING,
		AUDIT_CONTROLS,
		AUDIT_GRIDDING,
		AUDIT_AGAIN, /* those who have passed: do they still? */
		AUDIT_BOUNDARIES,
		AUDIT_AGAIN_LAST,
		AUDIT_DONE
	} phase;
	uint32_t index; /* what of the phase comes next */
	int depth, ttl; /* the highest TTL that was heard; the one that tells (NOT_MEASURED: none does) */
	int sent;	/* packets; of what is under way as many as it may take */
	size_t open;	/* asks that are under way */
	bool cut;
	int missing;   /* who had been heard at that TTL, and was not when asked again */
	bool rationed; /* the hop that tells does not answer any more: routers send only so many of these a second */
};

/** False where the range has more than 2^AUDIT_HOST_BITS_MAX addresses. */
bool audit_begin(struct audit *audit, const struct prefix *range);

/** What to send next; false: nothing before something that is under way has been told, or at all (audit_is_done()). */
bool audit_next(struct audit *audit, struct audit_ask *out);

/** What came of it, and how many packets it took: hops by TTL, those of the ask are read. Their texts must live as long as the audit. */
void audit_told(struct audit *audit, const struct audit_ask *ask, const struct audit_hop *hops, int packets);

bool audit_is_done(const struct audit *audit);
/** The time is over. */
void audit_stop(struct audit *audit);

/** The blocks, without their evidence. Memory: the arena's. */
struct sweep_audit *audit_result(struct arena *arena, struct audit *audit);

#endif
