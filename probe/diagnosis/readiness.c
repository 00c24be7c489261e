/* Can this server register? Only the agent's own paths to what is required decide. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/parts.h"

enum { EXIT_READY = 0, EXIT_NOT_READY = 1, EXIT_INCONCLUSIVE = 3 };

/* What the effective paths go by. Ranges come last: they have direct paths only. */
static const char *basis_of(const struct report *report)
{
	const struct path *path = NULL;
	if (report->route_given)
		return "given";
	for (size_t i = 0; i < report->path_count; i++)
		if (report->paths[i]->effective && (!path || path->target->kind == TARGET_CIDR))
			path = report->paths[i];
	if (!path)
		return NULL;
	if (path->route.kind == ROUTE_AGENT)
		return "agent";
	if (path->identity == IDENTITY_SYSTEM)
		return "system/wininet";
	return path->route.kind == ROUTE_WININET ? "user/wininet" : "user/direct";
}

static bool is_open(const struct view *view)
{
	return view->path->effective && view->target->required && view->path->verdict.status == STATUS_INCONCLUSIVE &&
	       !rule_passes_otherwise(view) && !(verdict_is_excused(view) && view->target->kind == TARGET_CIDR);
}

static bool works(const struct verdict *verdict)
{
	return verdict->status == STATUS_PASS || verdict->status == STATUS_WARN;
}

void readiness_judge(struct report *report, const struct view *views)
{
	struct readiness *readiness = &report->readiness;
	if (report->sweep_count) { /* what was asked is not whether this server is ready */
		*readiness = (struct readiness){0};
		return;
	}
	bool any = false; /* without a single path that works, nothing says that the server is ready */
	*readiness = (struct readiness){.basis = basis_of(report)};
	for (size_t i = 0; i < report->finding_count; i++)
		if (report->findings[i]->status == STATUS_FAIL)
			text_list_add(report->arena, &readiness->blocking, report->findings[i]->id);
	for (size_t i = 0; i < report->path_count; i++) {
		any |= views[i].path->effective && works(&views[i].path->verdict);
		if (is_open(&views[i]))
			text_list_add(report->arena, &readiness->inconclusive, views[i].path->id);
	}
	for (size_t i = 0; !any && !readiness->blocking.count && i < report->path_count; i++)
		if (views[i].path->effective && views[i].path->verdict.status == STATUS_INCONCLUSIVE &&
		    !is_open(&views[i]))
			text_list_add(report->arena, &readiness->inconclusive, views[i].path->id);
	any |= report->check_count && !report->path_count; /* local checks alone */
	readiness->ready = any && !readiness->blocking.count && !readiness->inconclusive.count;
}

int diagnose_exit_status(const struct report *report)
{
	if (report->readiness.ready)
		return EXIT_READY;
	return report->readiness.blocking.count ? EXIT_NOT_READY : EXIT_INCONCLUSIVE;
}
