/* A finding in a sentence or two. */

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/parts.h"

enum { SECONDS_PER_DAY = 86400, SECONDS_PER_HOUR = 3600, SECONDS_PER_MINUTE = 60 };

/* The observation that says most: the first that failed, else the first. */
static const struct observation *telling(const struct finding *finding)
{
	const struct observation_list *evidence = &finding->evidence;
	for (size_t i = 0; i < evidence->count; i++)
		if (evidence->items[i]->failure != FAILURE_NONE && evidence->items[i]->op != OP_SYSTEM_LOOKUP)
			return evidence->items[i];
	return evidence->count ? evidence->items[0] : NULL;
}

/* More of the same kind that ended the same way. */
static size_t more_like(const struct finding *finding, const struct observation *one)
{
	size_t count = 0;
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct observation *other = finding->evidence.items[i];
		count += other != one && other->op == one->op && other->failure == one->failure &&
			 text_equal(other->experiment, one->experiment);
	}
	return count;
}

static const char *names(const struct report *report, const struct finding *finding)
{
	if (!finding->target_count)
		return "";
	if (finding->target_count == 1)
		return finding->targets[0]->name;
	return arena_printf(report->arena, "%s and %zu more", finding->targets[0]->name, finding->target_count - 1);
}

/* The way that works, as the evidence of a C cause shows it: "SYSTEM goes ... ; the user's ... works". */
static const char *other_way(const struct report *report, const struct finding *finding)
{
	const struct path *broken = finding->paths.count ? finding->paths.items[0] : NULL;
	for (size_t i = 0; broken && i < finding->evidence.count; i++) {
		const struct observation *one = finding->evidence.items[i];
		const struct path *path = one->paths.count ? one->paths.items[0] : NULL;
		if (one->failure != FAILURE_NONE || !path || path_list_has(&finding->paths, path))
			continue;
		return arena_printf(report->arena,
				    "%s, as %s by %s, goes %s and fails, while %s by %s goes %s and works",
				    names(report, finding), identity_text(broken->identity),
				    route_kind_text(broken->route.kind), broken->route.via,
				    identity_text(path->identity), route_kind_text(path->route.kind), path->route.via);
	}
	return NULL;
}

static const char *clock_in_words(const struct report *report)
{
	long long offset_s = llabs((long long)report->host.clock_offset_ms) / 1000;
	const char *way = report->host.clock_offset_ms < 0 ? "behind" : "ahead of";
	const char *by = offset_s >= SECONDS_PER_DAY
				 ? arena_printf(report->arena, "%lld days %lld h", offset_s / SECONDS_PER_DAY,
						offset_s % SECONDS_PER_DAY / SECONDS_PER_HOUR)
				 : arena_printf(report->arena, "%lld min", offset_s / SECONDS_PER_MINUTE);
	return arena_printf(report->arena, "this server's clock is %s %s those of %d servers that answered", by, way,
			    report->host.clock_witnesses);
}

static const char *seen(const struct report *report, const struct finding *finding)
{
	const struct observation *one = telling(finding);
	const char *other = finding->stage == STAGE_SETTINGS ? other_way(report, finding) : NULL;
	if (text_equal(finding->cause, "host_clock_skewed"))
		return clock_in_words(report);
	if (other)
		return other;
	if (!one)
		return names(report, finding);
	const char *words = observation_in_words(report, one);
	size_t more = one->op == OP_LOCAL_FACT ? 0 : more_like(finding, one);
	const char *tail = more ? arena_printf(report->arena, ", and %zu more like it", more) : "";
	return arena_printf(report->arena, "%s%s. It strikes %s", words, tail, names(report, finding));
}

const char *summary_of(const struct report *report, const struct finding *finding)
{
	const struct cause *cause = cause_find(finding->cause);
	return arena_printf(report->arena, "%s: %s.", cause ? cause->title : finding->cause, seen(report, finding));
}
