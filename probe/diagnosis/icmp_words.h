#ifndef MARSPROBE_DIAGNOSIS_ICMP_WORDS_H
#define MARSPROBE_DIAGNOSIS_ICMP_WORDS_H

#include <stdbool.h>

#include "probe/core/evidence.h"

/* What an ICMP error says of the packets of a tuple (RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1). */

/** A device forbids them. */
bool icmp_says_prohibited(const struct tuple *tuple, const struct icmp_error *icmp);

/** A router, not the far end itself, has no way there. */
bool icmp_says_no_route(const struct tuple *tuple, const struct icmp_error *icmp);

/** Their life was over before they arrived (RFC 792, RFC 4443 3.3). */
bool icmp_says_expired(const struct tuple *tuple, const struct icmp_error *icmp);

/** Not to be reached, whatever the reason. */
bool icmp_says_unreachable(const struct tuple *tuple, const struct icmp_error *icmp);

/** Port unreachable: nothing listens there, or a packet filter says so. */
bool icmp_says_port_unreachable(const struct tuple *tuple, const struct icmp_error *icmp);

#endif
