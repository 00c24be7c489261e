#ifndef MARSPROBE_ENGINE_WALK_H
#define MARSPROBE_ENGINE_WALK_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "probe/core/evidence.h"

/* The path walk: packets with small TTLs, to learn from whom of the routers they come back. */

enum walk_kind {
	WALK_SYN,   /* connect() by TTL */
	WALK_HELLO, /* the payload by TTL, each on a connection of its own that was made without a limit */
	WALK_UDP,   /* datagrams to ports where nobody listens, WALK_UDP_PORT + TTL */
	WALK_ECHO   /* ICMP echo requests */
};

enum { WALK_TTL_FROM = 1, WALK_TTL_TO = 30, WALK_TTLS_MAX = 64, WALK_UDP_PORT = 33434 };

struct walk_spec {
	const char *address;	/* a literal */
	int port;		/* of WALK_SYN and WALK_HELLO */
	enum walk_kind kind;	/* */
	const char *experiment; /* static: goes into the observations */
	int ttl_from, ttl_to;	/* 0: WALK_TTL_FROM, WALK_TTL_TO; at most WALK_TTLS_MAX of them */
	unsigned
		flow; /* which set of source ports: the same number, address and port has the same ones again in this run */
	const uint8_t *payload; /* WALK_HELLO: what is sent; must live until done(); else NULL */
	size_t payload_bytes;	/* at most 65,535 */
	int64_t patience_us;	/* longest wait, both tries together; the second is after half of it, or after 0.9 s */
	const struct path_list *paths; /* whom the observations concern; or NULL. Read when the walk ends */
};

struct walk;
typedef void (*walk_done_cb)(struct walk *walk, void *user);

/**
 * Walk the path to one address: all TTLs at once, and once more for those that stay silent, as routers answer only so many packets a second.
 *
 * Records  one ttl_probe observation per TTL, in order of TTL, when it ends; none for TTLs above the first one that reached the far end. Where
 *          this system lets none of them out (no route, not allowed), the one that was refused stands for all.
 * Ends     once, through done(), from the loop and never inside walk_start(): when every TTL up to the first that reached the far end has
 *          answered, or has had 300 ms or three times the longest round trip since; where none reached it, a second (or three times the
 *          longest round trip) after the second try; at the latest when patience is over. The walk frees itself after done().
 * Limits   one socket for each TTL; WALK_ECHO on a system without sockets for it: one thread for each TTL.
 * Memory   report->arena; what spec points to must live until done(), spec itself need not.
 * Sources  ttl_probe of observation.h says what the answers mean. RFC 792, RFC 4443 (time exceeded), RFC 1812 5.3.1.
 */
struct walk *walk_start(uv_loop_t *loop, struct report *report, int64_t run_started_us, const struct walk_spec *spec,
			walk_done_cb done, void *user);

/** How many packets it has sent so far; the system may have sent more by itself, after a second. */
int walk_packets(const struct walk *walk);

/** What came of the packet with that TTL; NULL: none was sent, or it went beyond one that reached the far end. For done(). */
const struct observation *walk_seen(const struct walk *walk, int ttl);

/** Stop it now: what is still silent is recorded with that failure, done() is called before this returns. */
void walk_cancel(struct walk *walk, enum failure failure);

#endif
