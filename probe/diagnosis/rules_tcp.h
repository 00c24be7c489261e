#ifndef MARSPROBE_DIAGNOSIS_RULES_TCP_H
#define MARSPROBE_DIAGNOSIS_RULES_TCP_H

#include "probe/diagnosis/view.h"
#include "probe/diagnosis/ways.h"

/* What the rules about connections share. */

/** The connection request got no answer. At an address of a range nobody promised a listener: silence there says nothing. */
bool tcp_is_silent(const struct view *view, const struct tried *tried);

/** It was refused, and no device said by ICMP that it forbids it or has no route. */
bool tcp_is_refused(const struct view *view, const struct tried *tried);

/** Does the way of that attempt end so? */
bool way_ends(const struct tried *tried, enum way_end end);

/** Is it known where it ends, or that it does not end there for good? Then nothing is unlocated. */
bool way_is_known(const struct tried *tried);

/**
 * The rule of a located cause: holds if the way of a failed judged attempt that is such a one ends so. Confidence, place and evidence are the way's:
 * the place is that of an IPv4 address, if there is one, so that names with and without IPv6 addresses name the same device.
 */
bool verdict_by_way(const struct view *view, struct verdict *out, const char *cause, enum way_end end, tried_is is);

/** What shows it, of at most two ways. */
void verdict_show_way(const struct view *view, struct verdict *out, const struct way *way);

/** The hop at which walks of this run heard that address; NOT_MEASURED: none did. */
int hop_of_address(const struct report *report, const char *address);

#endif
