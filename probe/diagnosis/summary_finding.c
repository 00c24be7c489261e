/* A finding in a sentence or two. */

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/parts.h"
#include "probe/diagnosis/range_view.h"

enum { SECONDS_PER_DAY = 86400, SECONDS_PER_HOUR = 3600, SECONDS_PER_MINUTE = 60 };

static bool is_of_script(const struct observation *one)
{
	return one->op == OP_PROXY_SCRIPT || one->op == OP_PROXY_DECISION;
}

static const struct observation *first_failed(const struct finding *finding, bool lookups)
{
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct observation *one = finding->evidence.items[i];
		if (one->failure != FAILURE_NONE && (one->op == OP_SYSTEM_LOOKUP) == lookups && !is_of_script(one))
			return one;
	}
	return NULL;
}

/* The observation that says most: the first that failed, else the first. What a script did is told apart. */
static const struct observation *telling(const struct finding *finding)
{
	const struct observation *one = first_failed(finding, false);
	if (!one && finding->evidence.count && is_of_script(finding->evidence.items[0]))
		one = first_failed(finding, true);
	return one || !finding->evidence.count ? one : finding->evidence.items[0];
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

const struct path *finding_other_way(const struct finding *finding)
{
	for (size_t i = 0; finding->stage == STAGE_SETTINGS && i < finding->evidence.count; i++) {
		const struct observation *one = finding->evidence.items[i];
		const struct path *path = one->paths.count ? one->paths.items[0] : NULL;
		bool is_of_way = observation_tuple(one) && one->op != OP_DNS_QUERY && !observation_is_of_decision(one);
		if (one->failure == FAILURE_NONE && is_of_way && path && !path_list_has(&finding->paths, path))
			return path;
	}
	return NULL;
}

/* "the user's wininet settings lead to PROXY proxy.corp:3128", "... lead direct". */
static const char *way_in_words(struct arena *arena, const struct path *path)
{
	const char *via = path->route.via ? path->route.via : "nowhere";
	bool direct = text_equal(via, "DIRECT");
	return arena_printf(arena, "%s %s settings lead %s%s",
			    path->identity == IDENTITY_SYSTEM ? "LocalSystem's" : "the user's",
			    route_kind_text(path->route.kind), direct ? "" : "to ", direct ? "direct" : via);
}

/* The way that fails beside the one that works. */
static const char *ways_in_words(const struct report *report, const struct finding *finding, const struct path *other)
{
	const struct path *broken = finding->paths.count ? finding->paths.items[0] : NULL;
	if (!broken || !other)
		return NULL;
	return arena_printf(report->arena, "%s, which fails, and %s, which works. Affected: %s",
			    way_in_words(report->arena, broken), way_in_words(report->arena, other),
			    names(report, finding));
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

static bool share_path(const struct observation *a, const struct observation *b)
{
	for (size_t i = 0; i < a->paths.count; i++)
		if (path_list_has(&b->paths, a->paths.items[i]))
			return true;
	return false;
}

/* What we met on the same way as the system's own stack met that; NULL: the finding has nothing of it. */
static const struct observation *our_side(const struct finding *finding, const struct observation *systems)
{
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct observation *one = finding->evidence.items[i];
		if (!one->experiment && share_path(one, systems))
			return one;
	}
	return NULL;
}

/* What we met, and then what the system's own stack met on the same way. */
static const char *stacks_in_words(const struct report *report, const struct finding *finding)
{
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct observation *systems = finding->evidence.items[i];
		const struct observation *ours =
			text_equal(systems->experiment, "system_stack") ? our_side(finding, systems) : NULL;
		if (ours)
			return arena_printf(report->arena, "%s; %s. Affected: %s", observation_in_words(report, ours),
					    observation_in_words(report, systems), names(report, finding));
	}
	return NULL;
}

/* What the script did, or why there is none. */
static const struct observation *of_script(const struct finding *finding)
{
	for (size_t i = 0; i < finding->evidence.count; i++)
		if (is_of_script(finding->evidence.items[i]))
			return finding->evidence.items[i];
	return NULL;
}

/* Where the DNS servers lead the wpad name. */
static const char *answers_in_words(const struct report *report, const struct finding *finding)
{
	const char *words = NULL;
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct observation *one = finding->evidence.items[i];
		if (one->op != OP_DNS_QUERY || !text_equal(one->experiment, "wpad"))
			continue;
		const char *answer = observation_in_words(report, one);
		words = words ? arena_printf(report->arena, "%s; %s", words, answer) : answer;
	}
	return words;
}

static const char *seen(const struct report *report, const struct finding *finding)
{
	const struct observation *one = telling(finding);
	const char *answers = answers_in_words(report, finding);
	if (text_equal(finding->cause, "cfg_wpad_hijacked") && answers)
		return arena_printf(report->arena, "%s. Affected: %s", answers, names(report, finding));
	const char *stacks = stacks_in_words(report, finding);
	if (stacks)
		return stacks;
	const char *ways = ways_in_words(report, finding, finding_other_way(finding));
	if (text_equal(finding->cause, "host_clock_skewed"))
		return clock_in_words(report);
	if (ways)
		return ways;
	if (!one || is_of_script(one))
		return arena_printf(report->arena, "%s%s", one ? "affected: " : "", names(report, finding));
	const char *words = observation_in_words(report, one);
	size_t more = one->op == OP_LOCAL_FACT ? 0 : more_like(finding, one);
	const char *tail = more ? arena_printf(report->arena, "; %zu more ended the same way", more) : "";
	return arena_printf(report->arena, "%s%s%s. Affected: %s", words, tail, ladder_in_words(report, finding),
			    names(report, finding));
}

const char *summary_of(const struct report *report, const struct finding *finding)
{
	const struct cause *cause = cause_find(finding->cause);
	const struct observation *script = of_script(finding);
	const char *range = range_in_words(report, finding);
	if (range)
		return arena_printf(report->arena, "%s: %s.", cause ? cause->title : finding->cause, range);
	const char *first = script ? observation_in_words(report, script) : NULL;
	return arena_printf(report->arena, "%s: %s%s%s.%s", cause ? cause->title : finding->cause, first ? first : "",
			    first ? "; " : "", seen(report, finding), place_in_words(report, finding));
}
