#ifndef MARSPROBE_SETTINGS_NRPT_H
#define MARSPROBE_SETTINGS_NRPT_H

#include <stdbool.h>

#include "probe/core/evidence.h"

struct arena;
struct registry;

/** What Windows' Name Resolution Policy Table says of one name. */
struct nrpt_rule {
	const char *
		name_space; /* ".corp.test" (all below it), "host.corp.test", "host" (any name that begins so), "." (all) */
	struct text_list servers;
};

/**
 * Find the rule that sends a name to DNS servers of its own ([MS-GPNRPT] 2.2.2; the rules of a policy hide the local ones).
 *
 * Rule    the most specific name space counts: a whole name, then a first label, then the longest suffix, then ".".
 * Returns false where no rule matches, or the one that does names no servers (an exception, or DNSSEC alone). *out is untouched then.
 */
bool nrpt_find(struct arena *arena, const struct registry *registry, const char *name, struct nrpt_rule *out);

#endif
