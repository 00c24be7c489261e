#ifndef MARSPROBE_DIAGNOSIS_DNS_VIEW_H
#define MARSPROBE_DIAGNOSIS_DNS_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/diagnosis/view.h"

/** How a server stands on a name, the better or more telling one first: of several answers the first counts. */
enum dns_outcome {
	DNS_SAYS_ADDRESS,
	DNS_SAYS_REFUSED,
	DNS_SAYS_SERVFAIL,
	DNS_SAYS_NONSENSE, /* malformed, or an rcode that no plain question deserves: FORMERR, NOTIMP, NOTAUTH ... */
	DNS_SAYS_OTHER,
	DNS_SAYS_NXDOMAIN,
	DNS_SAYS_NODATA,
	DNS_CUT_OFF,	 /* truncated over UDP, and nothing over TCP */
	DNS_REJECTS,	 /* port unreachable, or RST */
	DNS_UNREACHABLE, /* no way to the server: a router says so, or this machine has no route */
	DNS_SILENT,	 /* nothing came, not even an answer to ARP or a neighbour solicitation */
	DNS_UNFINISHED,	 /* deadline or Ctrl-C; or this system did not let the question out */
	DNS_NOT_ASKED
};

enum { DNS_SERVERS_MAX = 16 };

/** One server and one name, over both types and transports. */
struct dns_server {
	const char *server;
	bool control;
	struct {
		enum dns_outcome outcome;
		const struct observation *shown;
	} by_type[2];		  /* A, AAAA */
	enum dns_outcome outcome; /* the better of both; but that it has no AAAA says nothing while A is unanswered */
	const struct observation
		*shown;		      /* the query that decided outcome; about another name where outcome is borrowed */
	bool silent_type;	      /* questions of some type got no answer at all */
	bool udp_heard;		      /* a reply to some UDP question came */
	bool udp_cut_off;	      /* asked over UDP, and no reply came back: nothing, or an ICMP error */
	bool tcp_asked, tcp_answered; /* asked over TCP; a reply came, whatever it says */
	bool tcp_taken;		      /* a connection stood, and took the question */
	const struct observation *tcp_shown; /* that reply */
	const struct observation *truncated; /* an UDP answer that had TC */
	bool sends_private, sends_sink;	     /* some address in its answers is RFC 1918; is 0.0.0.0, :: or loopback */
	bool sends_public;
	bool sends_ipv4;
	bool private_link;	  /* a chain of aliases ends at a privatelink name */
	bool passes_private_link; /* some alias of it is one */
	int ede;		  /* RFC 8914 code of an answer without address, or NOT_MEASURED */
	/* The same question in other words, NULL where it was not asked: without EDNS, allowing 512 bytes alone, allowing 4096, without
	 * DNSSEC validation. The first two, and the same words beside them, are asked of a silent server once in the run, whatever the name. */
	const struct observation *plain, *small, *large, *unchecked;
	const struct observation *again;
	const struct observation
		*local; /* "localhost", which it knows without asking others: asked of a silent server */
};

/** It left the question open, and has the address as soon as it is asked the same again: what took too long, it has found out by then. */
bool dns_is_late(const struct dns_server *server);

/** It is there, and leaves the question open: it answers what it knows itself, and takes the question by TCP too. */
bool dns_is_stuck(const struct dns_server *server);

/** Did a reply with an rcode come? False for NULL. */
bool dns_replied(const struct observation *query);

/** What all servers say about a name. */
struct dns_view {
	const char *name;
	const struct observation *lookup;	    /* the system's own, or NULL */
	struct dns_server servers[DNS_SERVERS_MAX]; /* in the order in which they are configured */
	size_t count;
};

/**
 * Collect what was seen about a name, on behalf of paths. name NULL: nothing.
 *
 * A server that answered nothing in the whole run is one thing, whatever the name: where it was silent on this one, what it or the
 * way to it said of another name counts (systems limit the rate of their ICMP errors), and so does the one question over TCP.
 */
void dns_view_make(const struct view *view, const char *name, struct dns_view *out);

/** Did this machine itself give up, because nobody answers for the next hop's address (ARP, ND)? */
bool dns_is_neighbourless(const struct report *report, const struct observation *query);
/** Is that address one of this machine's own? */
bool address_is_own(const struct report *report, const char *address);

/** Was --private-endpoint given so ("expected", "none"), and is the target of a service that can have one (backup, storage), reached directly?
 *  The sign-in service has none: its public names pass "privatelink" too. */
bool private_endpoint_is(const struct view *view, const char *word);

/** The name that this path stumbles over: the first that has no address; NULL if names are not where it breaks. */
const char *dns_broken_name(const struct view *view);

/** Did any configured server (not the control) end so? */
bool dns_any(const struct dns_view *dns, enum dns_outcome outcome);
/** At least one configured server said so, and every other one that answered at all said the same. */
bool dns_all(const struct dns_view *dns, enum dns_outcome outcome);
/** A reply with an rcode came. */
bool dns_answered(enum dns_outcome outcome);
/** The control's outcome; DNS_NOT_ASKED without one. */
enum dns_outcome dns_control(const struct dns_view *dns);
/** The questions about dns->name that this server left without a reply, as evidence; transport NULL: over both. */
void dns_add_failed(const struct view *view, struct verdict *out, const struct dns_view *dns,
		    const struct dns_server *server, const char *transport);
/** Every query to configured servers with that outcome, as evidence. */
void dns_add_evidence(const struct view *view, struct verdict *out, const struct dns_view *dns,
		      enum dns_outcome outcome);

#endif
