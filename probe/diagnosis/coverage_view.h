#ifndef MARSPROBE_DIAGNOSIS_COVERAGE_VIEW_H
#define MARSPROBE_DIAGNOSIS_COVERAGE_VIEW_H

/* What report->coverage and the walks tell when they are read together. Pure; the findings and the writers ask here. */

#include <stdbool.h>

#include "probe/core/evidence.h"

/** The table that decides: a router's before this machine's, and that before the circuit's own. NULL: none tells which way is the circuit's. */
const struct coverage_table *coverage_decider(const struct coverage *coverage);

/** What that table says of a prefix; NULL: nothing. table NULL gives NULL. */
const struct coverage_view *coverage_view_of(const struct coverage *coverage, const struct coverage_table *table,
					     const struct coverage_prefix *prefix);

/** Is it to be judged? A prefix of IPv6 only where the circuit carries IPv6 at all. */
bool coverage_counts(const struct coverage_table *decider, const struct coverage_prefix *prefix);

enum service_state { SERVICE_UNKNOWN, SERVICE_COVERED, SERVICE_MISSING };

/**
 * Does the circuit carry "entra", "backup" or "storage"?
 *
 * By the prefixes that are required, else by the communities that the circuit's routes have (the region's own stands for both), else by the
 * way that packets took.
 */
enum service_state coverage_service(const struct report *report, const char *service);

/** The community that selects the service in a route filter; NULL: the region has none in our list. */
const struct coverage_community *coverage_community_of(const struct coverage *coverage, const char *service);

/** Which way packets to an address took. */
enum took { TOOK_UNKNOWN, TOOK_CIRCUIT, TOOK_OTHER };

struct coverage_walk {
	enum took took;
	const struct observation *proof; /* what shows it; NULL for TOOK_UNKNOWN */
	const struct observation *last;	 /* the hop heard farthest away, whatever was sent; NULL: none */
	bool answered; /* the far end answered a connection request or an echo, or somebody spoke for it */
	bool silent;   /* packets were sent, hops were heard, and nothing came from the far end or against it */
};

/** Read the walks to one address of a host; false: none was made. */
bool coverage_walk_make(const struct report *report, const struct coverage_host *host, const char *address,
			struct coverage_walk *out);

/** A host that is to go over the circuit, and of whose addresses one answers nothing at all; NULL: none. */
const struct coverage_host *coverage_silent_host(const struct report *report);

#endif
