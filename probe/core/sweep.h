#ifndef MARSPROBE_CORE_SWEEP_H
#define MARSPROBE_CORE_SWEEP_H

/* What `marsprobe sweep` found out of a range: the report's member `sweeps` (evidence.h is the report that it is part of). */

#include "probe/core/evidence_words.h"
#include "probe/core/observation.h"

struct target;

/** What became of a connection request to an address. */
enum sweep_state {
	SWEEP_UNTRIED,	   /* nobody knows yet */
	SWEEP_OPEN,	   /* it was accepted */
	SWEEP_REFUSED,	   /* a reset came; or the address itself sent an ICMP error */
	SWEEP_FILTERED,	   /* silence, at every try */
	SWEEP_PROHIBITED,  /* a device says by ICMP that it forbids it: 3/3, 3/9, 3/10, 3/13, IPv6 1/1, 1/4, 1/5, 1/6 */
	SWEEP_UNREACHABLE, /* a device says by ICMP that there is no way; or this system says so, and nobody is named */
	SWEEP_NOT_SENT	   /* this system did not let it out */
};
enum { SWEEP_STATES = SWEEP_NOT_SENT + 1 };

const char *sweep_state_text(enum sweep_state state);
bool sweep_state_parse(const char *text, enum sweep_state *out);

/** Addresses that behave alike. */
struct sweep_prefix {
	const char *prefix;
	enum sweep_state state;
	const char *from; /* who sent the ICMP error; NULL: none came, or the system does not say who */
	int icmp_type, icmp_code;
};

/** May addresses be reached, although perhaps nobody listens there? By requests whose TTL runs out beyond the firewall. */
enum audit_state {
	AUDIT_UNKNOWN,	 /* not told apart: too few hops answer, or the probes were used up */
	AUDIT_PERMITTED, /* a hop beyond the place where others die, or the address itself, has answered */
	AUDIT_BLOCKED	 /* silence beyond a hop which the others pass */
};

const char *audit_state_text(enum audit_state state);
bool audit_state_parse(const char *text, enum audit_state *out);

/** A block of neighbouring addresses of one fate; they need not be one prefix. */
struct audit_block {
	const char *first, *last;
	struct text_list prefixes; /* the smallest list of prefixes that holds them */
	enum audit_state state;
	bool refused;		/* by an ICMP error of last_heard */
	int hop;		/* the TTL of last_heard; NOT_MEASURED */
	const char *last_heard; /* where it dies on its way out; NULL: unknown */
	const char *
		first_silent; /* or before this one, which the neighbours hear; NULL: unknown, or last_heard said so itself */
	struct observation_list evidence; /* the probes of its first and last address */
};

struct sweep_audit {
	int probes;	    /* packets with a TTL of their own that were sent for it, at most */
	int ttl;	    /* of those that tell permitted from blocked; NOT_MEASURED: none does */
	const char *beyond; /* who answers them; NULL */
	int64_t step; /* one address in so many was asked, and between two of another fate every boundary was looked for */
	bool cut;     /* the probes or the time were used up: boundaries may be off by what lies between two probes */
	bool rationed; /* who answers has stopped to: routers send only so many such answers a second, and silence tells nothing then */
	struct audit_block *blocks;
	size_t block_count, block_capacity;
};

/** One range. */
struct sweep {
	struct target *target; /* the range and the port */
	int64_t addresses;
	int64_t counts[SWEEP_STATES]; /* their sum is addresses */
	int64_t connects;	      /* connection requests in all */
	double loss;		      /* share of those who answered that did so only when asked again */
	int tries;		      /* of a silent address */
	int64_t rtt_us, timeout_us;   /* the last estimate; NOT_MEASURED */
	int64_t rate;		      /* what was allowed, a second; 0: no limit */
	int64_t rate_seen;	      /* what was sent, a second, in the last while; NOT_MEASURED */
	const char *stopped; /* NULL: it went through; else "interrupted", "deadline", "rate_limited", "silenced" */
	struct sweep_prefix *prefixes; /* in the order of their addresses; untried ones are left out */
	size_t prefix_count, prefix_capacity;
	const struct sweep_audit *audit; /* NULL: not asked for */
};

#endif
