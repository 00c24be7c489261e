/* Where on the way it ends, in words. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/parts.h"

/* "hop 2 (198.18.0.1)" */
static const char *hop_in_words(struct arena *arena, const struct place *at)
{
	if (at->last_heard && at->hop != NOT_MEASURED)
		return arena_printf(arena, "hop %d (%s)", at->hop, at->last_heard);
	return at->last_heard ? at->last_heard : arena_printf(arena, "hop %d", at->hop);
}

/* "at hop 2 (198.18.0.1) on its way out, or between there and 198.18.0.6" */
static const char *between_in_words(struct arena *arena, const struct place *at)
{
	if (at->hop == 0)
		return arena_printf(arena, "between this server and %s", at->first_silent);
	return arena_printf(arena, "at %s on its way out, or between there and %s", hop_in_words(arena, at),
			    at->first_silent);
}

static const struct observation *probe_of(const struct finding *finding, const char *experiment, enum failure failure)
{
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct observation *one = finding->evidence.items[i];
		if (one->op == OP_TTL_PROBE && text_equal(one->experiment, experiment) && one->failure == failure)
			return one;
	}
	return NULL;
}

/* What was sent to the same address and got further. */
static const char *passing_in_words(const struct report *report, const struct finding *finding)
{
	static const char *const controls[] = {"walk_control", "walk_udp", "walk_echo"};
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		const struct observation *one = probe_of(finding, controls[i], FAILURE_NONE);
		if (one)
			return arena_printf(report->arena, "; %s", observation_in_words(report, one));
	}
	return "";
}

/* The TTL that draws the reset, and the one at which the address itself answers something else. */
static const char *distance_in_words(const struct report *report, const struct finding *finding)
{
	const struct observation *reset = NULL;
	for (size_t i = 0; i < finding->evidence.count && !reset; i++) {
		const struct observation *one = finding->evidence.items[i];
		if (one->op == OP_TTL_PROBE && text_equal(one->ttl.tcp, "rst"))
			reset = one;
	}
	if (!reset)
		return "";
	return arena_printf(report->arena, "%s%s", observation_in_words(report, reset),
			    passing_in_words(report, finding));
}

const struct place *finding_place(const struct finding *finding)
{
	for (size_t i = 0; i < finding->paths.count; i++) {
		const struct verdict *verdict = &finding->paths.items[i]->verdict;
		if (verdict->has_place && text_equal(verdict->cause, finding->cause))
			return &verdict->at;
	}
	return NULL;
}

const char *place_in_words(const struct report *report, const struct finding *finding)
{
	struct arena *arena = report->arena;
	const struct place *at = finding_place(finding);
	const char *cause = finding->cause;
	if (strcmp(cause, "tcp_refused_at_target") == 0)
		return arena_printf(arena, " It comes from as far as the address is: %s.",
				    distance_in_words(report, finding));
	if (!at || (!at->first_silent && at->hop == NOT_MEASURED))
		return "";
	if (strcmp(cause, "ip_forwarding_loop") == 0)
		return arena_printf(arena, " The circle begins at %s.", hop_in_words(arena, at));
	if (!at->first_silent)
		return arena_printf(arena, " It stands at hop %d.", at->hop);
	if (strcmp(cause, "tcp_refused_by_middlebox") == 0)
		return arena_printf(arena, " The reset is made %s: %s.", between_in_words(arena, at),
				    distance_in_words(report, finding));
	if (strcmp(cause, "tcp_synack_by_middlebox") == 0)
		return arena_printf(arena, " It stands %s.", between_in_words(arena, at));
	if (strcmp(cause, "ip_path_dies_all_protocols") == 0)
		return arena_printf(arena,
				    " It ends %s: TCP to other ports and other protocols are not heard beyond either.",
				    between_in_words(arena, at));
	return arena_printf(arena, " It ends %s%s.", between_in_words(arena, at), passing_in_words(report, finding));
}
