/* Table M: what this run could not find out. */

#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"

/* Something of the path ended so; or nothing of it was begun before the run ended so. */
static bool ended_by(const struct view *view, struct verdict *out, enum failure failure, enum end_reason reason)
{
	const struct observation_list *list = &view->report->observations;
	bool cut = view->report->run.end_reason == reason && view->judged == 0;
	for (size_t i = 0; i < view->tried_count; i++)
		cut |= view->tried[i].judged && view->tried[i].attempt->failure == failure;
	if (!cut)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->failure == failure && path_list_has(&list->items[i]->paths, view->path))
			verdict_add_evidence(view, out, list->items[i]);
	return true;
}

bool rule_meas_budget_cut_short(const struct view *view, struct verdict *out)
{
	if (view->status != STATUS_INCONCLUSIVE || !ended_by(view, out, FAILURE_DEADLINE, END_DEADLINE))
		return false;
	verdict_add_not_run(view, out, "what was unfinished at the deadline (--deadline)");
	return verdict_set(view, out, "meas_budget_cut_short", 0.95);
}

bool rule_meas_interrupted(const struct view *view, struct verdict *out)
{
	if (view->status != STATUS_INCONCLUSIVE || !ended_by(view, out, FAILURE_INTERRUPTED, END_INTERRUPTED))
		return false;
	verdict_add_not_run(view, out, "what was unfinished when the run was stopped");
	return verdict_set(view, out, "meas_interrupted", 0.95);
}

/* The servers have addresses, and the system's own lookup says that there are none: the agent goes by the lookup. */
bool rule_meas_stack_disagrees(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	const char *name = dns_broken_name(view);
	dns_view_make(view, name, &dns);
	bool failed = dns.lookup && dns.lookup->failure != FAILURE_NONE && dns.lookup->failure != FAILURE_DEADLINE &&
		      dns.lookup->failure != FAILURE_INTERRUPTED;
	if (!failed || !dns_all(&dns, DNS_SAYS_ADDRESS))
		return false;
	verdict_set(view, out, "meas_stack_disagrees", 0.6);
	out->status = STATUS_INCONCLUSIVE;
	dns_add_evidence(view, out, &dns, DNS_SAYS_ADDRESS);
	return true;
}
