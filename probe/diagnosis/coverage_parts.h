#ifndef MARSPROBE_DIAGNOSIS_COVERAGE_PARTS_H
#define MARSPROBE_DIAGNOSIS_COVERAGE_PARTS_H

/* What the findings about a circuit share; for coverage_*.c alone. */

#include "probe/core/evidence.h"
#include "probe/core/prefix_set.h"

/* Confidence: a table that a person gave us proves; a walk alone, and what Microsoft's table does not say, are less. */
#define COVERAGE_SURE 0.9
#define COVERAGE_LIKELY 0.7
#define COVERAGE_SUSPECTED 0.45

enum { COVERAGE_SESSION_PREFIXES = 200 }; /* that Microsoft takes of a customer on Microsoft peering */

/** A new finding of that cause, with the stage and owner of its row in causes.def. */
struct finding *coverage_finding(struct report *report, const char *cause, enum status status, double confidence);
void coverage_subject(struct finding *finding, enum subject_kind kind, const char *subject);

/** The addresses of a list of prefixes; a text that is none is passed over. */
struct prefix_set coverage_set(struct arena *arena, const struct text_list *list);

/** Findings about the way that packets take: the circuit is not used (unused: by the table already), answers do not come back. */
void coverage_find_ways(struct report *report, const struct coverage_table *decider, const struct prefix_set *unused);

#endif
