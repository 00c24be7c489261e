#ifndef MARSPROBE_ENGINE_DNS_MESSAGE_H
#define MARSPROBE_ENGINE_DNS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "probe/core/evidence.h"

enum {
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_AAAA = 28,
	DNS_ANSWERS_MAX = 128, /* records of one reply that are kept */
	DNS_CHAIN_MAX = 32,    /* CNAMEs of one reply that are followed */
};

/**
 * Read a reply message (RFC 1035 4.1) to the question query->name, query->type, which was asked under that id.
 *
 * Output   query->rcode (with the upper bits of EDNS, RFC 6891 6.1.3), answers, truncated and ede (RFC 8914); texts go into arena. The tuple,
 *          server and transport stay as they are. Names have their unusual bytes escaped (RFC 1035 5.1), no final dot.
 * Returns  DNS_MALFORMED: not to be parsed, no reply, another id or another question; the fields above are then unmeasured.
 *          Another rcode than NOERROR: its failure. NONE for a truncated reply over UDP, whatever it holds.
 *          DNS_NO_ANSWER: NOERROR, and no address of the type at the end of the CNAME chain. Else NONE.
 * Limits   at most DNS_ANSWERS_MAX answers are kept. Broken authority and additional sections are passed over, as resolvers do.
 * Pure     bytes come from the network and may hold anything.
 */
enum failure dns_message_read(struct arena *arena, const uint8_t *bytes, size_t length, uint16_t id,
			      struct dns_query *query);

/** The name that the CNAME chain of the answers ends in, the question's own name included; never NULL unless query->name is. */
const char *dns_chain_end(const struct dns_query *query);

/** The address of one answer: its data where it is of the question's type and belongs to the end of the chain; else NULL. */
const char *dns_answer_address(const struct dns_query *query, const char *chain_end, size_t index);

#endif
