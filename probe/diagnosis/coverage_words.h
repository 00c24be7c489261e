#ifndef MARSPROBE_DIAGNOSIS_COVERAGE_WORDS_H
#define MARSPROBE_DIAGNOSIS_COVERAGE_WORDS_H

/* What is said of a circuit that does not carry what it should: sentences, and steps that somebody can do. Pure; texts in report->arena. */

#include "probe/core/evidence.h"
#include "probe/core/prefix_set.h"

struct arena;

/** "Microsoft Entra ID", "Azure Backup", "Azure Storage". */
const char *service_in_words(const char *service);

/** "20.190.128.0/18, 40.126.0.0/18 and 3 more". */
const char *prefixes_in_words(struct arena *arena, const struct prefix_set *set);

/** "12076:5060 (Microsoft Entra ID), 12076:51004 (Azure in East US)": all that the route filter needs. */
const char *communities_in_words(const struct report *report);

/** What a service lacks over the circuit. */
struct lack {
	const char *service;
	struct prefix_set prefixes;		    /* not routed over the circuit at all */
	bool default_only;			    /* nothing but a default route leads to them */
	bool elsewhere;				    /* another route leads to them */
	const struct coverage_table *table;	    /* the one that decides */
	const struct coverage_table *offered_by;    /* the circuit's own table, if it has them; NULL */
	const struct coverage_community *community; /* that selects the service; NULL: not known */
	bool selected; /* the route filter has it: a route carries it, or another prefix of the service comes whole */
};

const char *lack_summary(const struct report *report, const struct lack *lack);
void lack_remedy(const struct report *report, const struct lack *lack, struct text_list *out);

/** To the network team: put the community into the route filter of Microsoft peering. */
void community_remedy(const struct report *report, const struct coverage_community *community, struct text_list *out);

#endif
