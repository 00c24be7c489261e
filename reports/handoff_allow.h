#ifndef MARSPROBE_REPORTS_HANDOFF_ALLOW_H
#define MARSPROBE_REPORTS_HANDOFF_ALLOW_H

#include "probe/core/evidence.h"

/* What has to be allowed so that a finding's flows pass: data for rules, in every notation. Whatever stands in here was checked: an address
 * is one in canonical text, a name holds letters, digits and the marks of a name alone. So it needs no escaping in a rule. */

enum allow_kind { ALLOW_SERVICE, ALLOW_RESOLVER, ALLOW_PROXY };

/** The prefixes of one service tag, by the file that the run was given. */
struct allow_list {
	const char *tag; /* letters, digits, '.', '-', '_' */
	struct text_list prefixes;
};

enum { ALLOWS_MAX = 8, ALLOW_SEEN_MAX = 256, ALLOW_LISTS_MAX = 8 };

/** Flows to one protocol and port. */
struct allow {
	enum allow_kind kind;
	const char *proto; /* "tcp" | "udp" */
	int port;
	bool https;
	bool by_proxy;		  /* the proxy's own connection: sources are empty, and nobody here knows them */
	struct text_list sources; /* addresses */
	struct text_list rules;	  /* allow-list entries, names */
	struct text_list tagless; /* those of them for which no service tag is known */
	struct text_list tags, prefixes;
	struct allow_list lists
		[ALLOW_LISTS_MAX]; /* of a file of service tags; for these targets prefixes then has nothing built in */
	size_t list_count;
	struct text_list seen;	       /* addresses; of a resolver or a proxy its own */
	struct text_list seen_tagless; /* those of them that no service tag stands for */
};

/** The other prefixes that the sign-in service is known to use beside the documented ones, for people. */
extern const char allow_more_prefixes[];

/** Sort a finding's flows by protocol and port; at most ALLOWS_MAX, the rest is left out. Texts go into the arena. Returns how many. */
size_t allow_collect(struct arena *arena, const struct report *report, const struct finding *finding,
		     struct allow allows[ALLOWS_MAX]);

/** The addresses of that family (4 or 6) in a list of addresses or prefixes. */
struct text_list allow_family(struct arena *arena, const struct text_list *list, int family);

/** The addresses that none of the prefixes holds. */
struct text_list allow_outside(struct arena *arena, const struct text_list *addresses,
			       const struct text_list *prefixes);

#endif
