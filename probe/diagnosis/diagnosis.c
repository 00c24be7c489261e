#include "probe/diagnosis/diagnosis.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/parts.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/view.h"

static struct verdict verdict_new(enum status status)
{
	return (struct verdict){.status = status, .at.hop = NOT_MEASURED};
}

/* Ask one rule; keep its answer if it is the first, else its id. */
static void ask(const struct view *view, const struct rule *rule, struct verdict *verdict)
{
	struct verdict answer = verdict_new(view->status == STATUS_PASS ? STATUS_WARN : view->status);
	if ((rule->kind == RULE_FALLBACK && verdict->cause) || !rule->holds(view, &answer))
		return;
	if (rule->kind == RULE_REMARK && answer.status == STATUS_PASS) {
		for (size_t i = 0; i < answer.also.count; i++)
			verdict_add_also(view, verdict, answer.also.items[i]);
		for (size_t i = 0; i < answer.not_run.count; i++)
			verdict_add_not_run(view, verdict, answer.not_run.items[i]);
		for (size_t i = 0; i < answer.evidence.count; i++)
			verdict_add_evidence(view, verdict, answer.evidence.items[i]);
	} else if (verdict->cause || (rule->kind == RULE_REMARK && view->status != STATUS_PASS)) {
		/* a remark is no explanation of a path that does not work */
		if (!text_equal(verdict->cause, answer.cause))
			verdict_add_also(view, verdict, answer.cause);
	} else {
		for (size_t i = 0; i < verdict->also.count; i++)
			verdict_add_also(view, &answer, verdict->also.items[i]);
		*verdict = answer;
	}
}

static void ask_all(const struct view *view, bool remarks, struct verdict *verdict)
{
	size_t count;
	const struct rule_table *const *tables = rules_in_order(view->proxied, &count);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < tables[i]->count; k++)
			if ((tables[i]->rules[k].kind == RULE_REMARK) == remarks)
				ask(view, &tables[i]->rules[k], verdict);
}

static struct verdict path_verdict(const struct view *view)
{
	struct verdict verdict = verdict_new(view->status);
	if (view->status != STATUS_PASS)
		ask_all(view, false, &verdict);
	ask_all(view, true, &verdict);
	return verdict;
}

static void forget_judgement(struct report *report)
{
	report->findings = NULL;
	report->finding_count = report->finding_capacity = 0;
	report->checks = NULL;
	report->check_count = report->check_capacity = 0;
	report->readiness = (struct readiness){0};
	for (size_t i = 0; i < report->path_count; i++) {
		report->paths[i]->stage_count = 0;
		report->paths[i]->verdict = verdict_new(STATUS_INCONCLUSIVE);
	}
}

void diagnose(struct report *report)
{
	forget_judgement(report);
	if (report->coverage) {
		coverage_findings(report);
		coverage_readiness(report);
		return;
	}
	const struct view *views = view_all(report);
	for (size_t i = 0; i < report->path_count; i++) {
		struct verdict verdict = path_verdict(&views[i]);
		laws_apply(&views[i], &verdict);
		report->paths[i]->verdict = verdict;
		stages_judge(&views[i], report->paths[i]);
	}
	findings_make(report, views);
	readiness_judge(report, views);
}
