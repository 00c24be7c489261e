#ifndef MARSPROBE_DIAGNOSIS_PARTS_H
#define MARSPROBE_DIAGNOSIS_PARTS_H

/* The steps of diagnose(), in their order; none outside the diagnosis needs them. */

#include "probe/core/evidence.h"
#include "probe/diagnosis/view.h"

/** Fill path->stages from what was seen. */
void stages_judge(const struct view *view, struct path *path);

/**
 * Apply to a verdict what holds for all causes alike: no failure without a cause, caps of confidence, proof of origin before
 * Microsoft is blamed, a 407 for an identity that is not ours, stand-ins that nobody knows, names of an assumed region.
 */
void laws_apply(const struct view *view, struct verdict *verdict);

/** Is the verdict inconclusive only because a stand-in's name may not exist ("our list may be old"), or because silence in a range
 *  proves nothing? Then it makes no finding, and a range does not hold up readiness. */
bool verdict_is_excused(const struct view *view);

/** Does another target of the same allow-list rule pass on its effective path, so that this stand-in's failure does not count? */
bool rule_passes_otherwise(const struct view *view);

/** Does the failure of this path keep the server from being ready? */
bool path_blocks(const struct view *view);

/** report->findings from the verdicts of all paths. */
void findings_make(struct report *report, const struct view *views);

/** What a verdict's cause is about. */
struct subject {
	enum subject_kind kind;
	const char *value;
};
struct subject subject_of(const struct view *view);

/** What was seen, in a sentence or two for people, with names, numbers and addresses. */
const char *summary_of(const struct report *report, const struct finding *finding);

/** Where on the way it ends, as sentences that begin with a space; "" where that is not known. */
const char *place_in_words(const struct report *report, const struct finding *finding);

/** What hellos that differ in one thing, or smaller packets, showed beside that, and where hellos end: "; with the name X it passes ..."; "" where
 *  the finding is about nothing of that. */
const char *ladder_in_words(const struct report *report, const struct finding *finding);

/** The path that works by other settings, as the evidence of a cause about settings shows it; NULL: none is shown. */
const struct path *finding_other_way(const struct finding *finding);

/** One observation in words, without a final period; texts from the network are cut short. */
const char *observation_in_words(const struct report *report, const struct observation *observation);

/** Rows for a firewall's log, from the finding's paths. */
void flows_collect(struct report *report, const struct view *views, struct finding *finding);

/** report->readiness from findings and verdicts. */
void readiness_judge(struct report *report, const struct view *views);

/** Of a report of `marsprobe expressroute`, whose findings rest on report->coverage and the walks and on no path: its findings; and then
 *  readiness: covered, if nothing blocks and each service's prefixes are known to be carried. */
void coverage_findings(struct report *report);
void coverage_readiness(struct report *report);

#endif
