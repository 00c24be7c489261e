#ifndef MARSPROBE_DIAGNOSIS_LADDER_VIEW_H
#define MARSPROBE_DIAGNOSIS_LADDER_VIEW_H

#include "probe/diagnosis/view.h"

/* The TLS ladder on one address: what became of hellos that differ from the usual one in a single thing each. Pure. */

enum rung_end {
	RUNG_MISSING, /* not tried, cut short, or its connection did not stand */
	RUNG_PASSED,  /* the far end answered in TLS: with a ServerHello, or an alert */
	RUNG_SILENT,  /* nothing came */
	RUNG_CLOSED,  /* reset or closed before a ServerHello */
	RUNG_OTHER    /* plain bytes came, or something that says nothing about hellos */
};

struct rung {
	const struct observation *seen; /* the handshake; of junk the connection; NULL: RUNG_MISSING */
	enum rung_end end;
};

struct ladder {
	struct rung own;	/* the attempt's own hello */
	struct rung again;	/* the same once more */
	struct rung no_sni;	/* without a name */
	struct rung other_name; /* with another target's name; of several the one that passed */
	struct rung large, segments, only_1_2, only_1_3;
	struct rung
		junk; /* bytes that are no TLS: PASSED where they were answered, SILENT where they were acknowledged, or at least not minded */
};

/** Climb the ladder at the address of that attempt; through a proxy, to the same target by the same address of the proxy. */
void ladder_make(const struct view *view, const struct tried *tried, struct ladder *out);

/** Silent or closed. */
bool rung_failed(const struct rung *rung);

/** Did the hello get there, as far as TCP tells? Of a connection to a proxy this is about the proxy. Both false: nobody knows. */
bool hello_arrived(const struct observation *handshake);
bool hello_was_lost(const struct observation *handshake);

/** An attempt that ended so after its hello: closed or reset; in silence; in silence after the first bytes of an answer. */
bool hello_is_closed(const struct view *view, const struct tried *tried);
bool hello_is_silent(const struct view *view, const struct tried *tried);
bool handshake_is_stalled(const struct view *view, const struct tried *tried);

/**
 * How large a packet may be, as handshakes with limited segments show (experiment "segment_size", TCP_MAXSEG).
 *
 * Units   bytes of a segment with its TCP options; a packet has PACKET_HEADERS_V4 or _V6 more.
 */
enum { PACKET_HEADERS_V4 = 40, PACKET_HEADERS_V6 = 60 };
struct packet_limit {
	int through_bytes, lost_bytes; /* the largest that got through, the smallest that did not; 0: none */
	const struct observation *through, *lost;
};

/** Of what leaves this server to that address (outwards), or of what comes back from it. False: size makes no difference, or was not tried. */
bool packet_limit_find(const struct observation_list *list, const char *address, int port, bool outwards,
		       struct packet_limit *out);

/** What of that size comes back to an attempt whose hello got there: by its own address, else, where none was asked there, by another one that was
 *  examined in its place. */
bool packet_limit_inwards(const struct view *view, const struct tried *tried, struct packet_limit *out);

/** Is the next size the first that is lost? */
bool packet_limit_is_exact(const struct packet_limit *limit);

/** The best known one of a direction, of whatever address. */
bool packet_limit_any(const struct observation_list *list, bool outwards, struct packet_limit *out);

/** The same from a finding's evidence, of whatever address and direction: the limit that is known best; false: none is there. */
bool packet_limit_shown(const struct observation_list *evidence, struct packet_limit *out);

/** The size of the largest packet that gets through, its headers included. */
int packet_limit_bytes(const struct packet_limit *limit);

/** Where hellos to the address of that attempt end, by the walk of hellos and that of SYNs; nothing is changed where they do not tell. */
void ladder_place(const struct view *view, const struct tried *tried, struct verdict *out);

/** Were the TTLs of that attempt's SYN-ACK and of the reset that answered its hello read from the packets? */
bool ladder_read_ttls(const struct view *view, const struct tried *tried);

/** Does a reset that answered the hello carry a TTL that the far end's own packets do not have (read, or found by IP_MINTTL)? The observation,
 *  or NULL. */
const struct observation *ladder_forged_reset(const struct view *view, const struct tried *tried);

#endif
