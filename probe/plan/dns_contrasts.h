#ifndef MARSPROBE_PLAN_DNS_CONTRASTS_H
#define MARSPROBE_PLAN_DNS_CONTRASTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/evidence.h"

/*
 * Which questions about names would tell two causes apart: evidence in, questions out. Each is asked at most once per server and run (about
 * checking and suffixes: of a few names), never of the control; what has been asked is in the report.
 */

/** What the look-ups' own questions allow a reply over UDP to have: no fragments on any path (DNS flag day 2020). */
enum { DNS_EDNS_BYTES = 1232 };

enum { DNS_PATIENCE_US = 1000 * 1000 };

/** One attempt: a question to a server, or (address) a connection. */
struct dns_contrast {
	const char *experiment;
	const char *about; /* the name that it is about, one that was looked up */
	const char *server, *transport, *type, *name;
	int edns_bytes; /* NOT_MEASURED: without EDNS */
	bool checking_disabled;
	const char *address; /* NULL: a question */
	int port;
};

enum { DNS_CONTRASTS_MAX = 24 };

struct dns_contrasts {
	struct dns_contrast items[DNS_CONTRASTS_MAX];
	size_t count;
};

/**
 * About the questions of one look-up.
 *
 *   dns_plain, dns_edns_512  no answer: the same without EDNS, and allowing small replies alone. silence_counts: it has been waited for
 *                            long enough
 *   dns_again                and once more as it was, beside them: the server may have found the answer meanwhile
 *   dns_over_tcp             no answer to any question about the name: the same by TCP
 *   dns_local_name           and "localhost", which a server knows without asking others
 *   dns_edns_4096            a reply was cut off at DNS_EDNS_BYTES: do larger ones come through, in fragments?
 *   dns_checking_disabled    SERVFAIL: the same without DNSSEC validation (RFC 4035 3.2.2)
 *
 * Pure    the report's observations alone decide; texts are theirs.
 */
void dns_contrasts_of_questions(const struct report *report, const char *name, bool silence_counts,
				struct dns_contrasts *out);

/**
 * About what the addresses that DNS gave turned out to be.
 *
 *   dns_random_name  an address is private or leads nowhere, or what is there does not serve the name: does the server invent addresses?
 *                    One name below the parent of the target's name, and one below that of an unrelated target.
 *   dns_suffix       this system uses an address that no server gives for the name: with a search suffix behind it, perhaps?
 *   public_address   nobody answers at the private address behind a privatelink alias, and the control knows a public one: a connection there
 *
 * Input   suffixes: this machine's, in its order. now_us since the start of the run: an address that has been known for DNS_PATIENCE_US, and
 *         nothing has been heard from it, is suspicious too.
 * Pure    as above; new texts go into report->arena.
 */
void dns_contrasts_of_addresses(const struct report *report, const struct text_list *suffixes, int64_t now_us,
				struct dns_contrasts *out);

#endif
