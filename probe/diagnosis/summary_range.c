/* What was found of a range, in a sentence. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"
#include "probe/diagnosis/range_view.h"
#include "probe/diagnosis/view.h"

enum { SHOWN = 4 };

static const char *some_of(struct arena *arena, const struct text_list *list)
{
	const char *words = NULL;
	for (size_t i = 0; i < list->count && i < SHOWN; i++)
		words = words ? arena_printf(arena, "%s, %s", words, list->items[i]) : list->items[i];
	if (list->count > SHOWN)
		words = arena_printf(arena, "%s and %zu more", words, list->count - SHOWN);
	return words ? words : "nothing";
}

static const char *block_in_words(struct arena *arena, const struct audit_block *block)
{
	const char *what = some_of(arena, &block->prefixes);
	const char *dies = block->prefixes.count > 1 ? "die" : "dies";
	if (!block->last_heard)
		return arena_printf(arena, "%s %s on the way out", what, dies);
	if (block->refused)
		return arena_printf(arena, "%s %s rejected by %s", what, block->prefixes.count > 1 ? "are" : "is",
				    block->last_heard);
	if (!block->first_silent)
		return arena_printf(arena, "%s %s at %s on %s way out, or behind it", what, dies, block->last_heard,
				    block->prefixes.count > 1 ? "their" : "its");
	return arena_printf(arena, "%s %s at %s on %s way out, or before %s", what, dies, block->last_heard,
			    block->prefixes.count > 1 ? "their" : "its", block->first_silent);
}

static const char *audit_in_words(struct arena *arena, const struct sweep *sweep)
{
	const char *words = NULL;
	size_t shown = 0;
	for (size_t i = 0; i < sweep->audit->block_count; i++) {
		const struct audit_block *block = &sweep->audit->blocks[i];
		if (block->state != AUDIT_BLOCKED || shown++ >= SHOWN)
			continue;
		const char *one = block_in_words(arena, block);
		words = words ? arena_printf(arena, "%s; %s", words, one) : one;
	}
	if (shown > SHOWN)
		words = arena_printf(arena, "%s; and %zu more blocks", words, shown - SHOWN);
	return words;
}

static const char *stopped_in_words(struct arena *arena, const struct sweep *sweep)
{
	return arena_printf(
		arena, "the sweep of %s stopped with %lld of %lld addresses known: who had answered fell silent%s",
		sweep->target->name, (long long)(sweep->addresses - sweep->counts[SWEEP_UNTRIED]),
		(long long)sweep->addresses,
		text_equal(sweep->stopped, "silenced") ? ", and stayed so" : ", and answered again after a pause");
}

static const char *sweep_in_words(struct arena *arena, const struct sweep *sweep, const struct finding *finding)
{
	if (text_equal(finding->cause, "meas_self_rate_limited") && !sweep->audit)
		return stopped_in_words(arena, sweep);
	if (sweep->audit)
		return audit_in_words(arena, sweep);
	struct text_list struck = range_struck(arena, sweep);
	const struct place *at = finding_place(finding);
	return arena_printf(arena, "%s, as %s says", some_of(arena, &struck),
			    at && at->last_heard ? at->last_heard : "this system");
}

const char *range_in_words(const struct report *report, const struct finding *finding)
{
	const char *words = NULL;
	for (size_t i = 0; i < finding->target_count; i++) {
		const struct sweep *sweep = sweep_of(report, finding->targets[i]);
		const char *one = sweep ? sweep_in_words(report->arena, sweep, finding) : NULL;
		if (one)
			words = words ? arena_printf(report->arena, "%s; %s", words, one) : one;
	}
	return words;
}
