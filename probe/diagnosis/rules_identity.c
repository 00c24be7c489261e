/* Table H, the part about the other account: could the test be run as SYSTEM at all? */

#include "probe/diagnosis/rules.h"

static const double SURE = 0.95;

static bool is_about_system(const struct view *view, const char *state)
{
	const struct local_fact *fact = view_fact(view, "system_run", NULL);
	return view->path->identity == IDENTITY_SYSTEM && fact && text_equal(fact->state, state);
}

/* It was started and never answered: what SYSTEM's paths would have shown, nobody knows. */
bool rule_host_identity_cannot_start(const struct view *view, struct verdict *out)
{
	bool lost = view->identity && view->identity->mode == MODE_UNAVAILABLE;
	if (!lost || view->path->attempt_count || !is_about_system(view, "started"))
		return false;
	verdict_set(view, out, "host_identity_cannot_start", SURE);
	out->status = STATUS_INCONCLUSIVE;
	verdict_add_evidence(view, out, view_fact_observation(view, "system_run", NULL));
	verdict_add_also(view, out, view->identity->why);
	verdict_add_not_run(view, out, "the run as SYSTEM");
	return true;
}

/* It could not be started: SYSTEM's settings were applied by this account, which shows less. */
bool rule_host_identity_by_settings_only(const struct view *view, struct verdict *out)
{
	if (!is_about_system(view, "failed"))
		return false;
	verdict_add_evidence(view, out, view_fact_observation(view, "system_run", NULL));
	return verdict_set(view, out, "host_identity_cannot_start", SURE);
}
