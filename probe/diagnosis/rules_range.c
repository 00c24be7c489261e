/* Table R, of a whole range: what a sweep or an audit found. Silence alone is never a block: nobody may be listening there. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/range_view.h"
#include "probe/diagnosis/rules.h"

/* ------------------------------------------------------------------ by an audit */

static const struct audit_block *first_block(const struct view *view, enum audit_state state)
{
	const struct sweep_audit *audit = view->sweep ? view->sweep->audit : NULL;
	for (size_t i = 0; audit && i < audit->block_count; i++)
		if (audit->blocks[i].state == state)
			return &audit->blocks[i];
	return NULL;
}

/* Each is looked for among those that are there: a hostile report must not make that long. */
enum { EVIDENCE_SHOWN = 256, OBSERVATIONS_LOOKED_AT = 4096 };

static void show_blocks_of(const struct view *view, struct verdict *out, enum audit_state state)
{
	const struct sweep_audit *audit = view->sweep->audit;
	for (size_t i = 0; i < audit->block_count && out->evidence.count < EVIDENCE_SHOWN; i++)
		for (size_t k = 0;
		     audit->blocks[i].state == state && k < audit->blocks[i].evidence.count && k < EVIDENCE_SHOWN; k++)
			verdict_add_evidence(view, out, audit->blocks[i].evidence.items[k]);
}

/* What was sent to the blocked ones and to their neighbours, and the place of the first. */
static void show_blocks(const struct view *view, struct verdict *out, const struct audit_block *first)
{
	show_blocks_of(view, out, AUDIT_BLOCKED);
	show_blocks_of(view, out, AUDIT_PERMITTED);
	if (!first->last_heard)
		return;
	out->has_place = true;
	out->at = (struct place){first->hop, first->last_heard, first->refused ? NULL : first->first_silent};
}

/**
 * Does a filter drop a part of the range?
 *
 * Holds     when one block dies at a hop which its neighbours pass.
 * Abstains  without an audit; where nobody passes (the next rule).
 */
bool rule_ip_acl_for_prefix(const struct view *view, struct verdict *out)
{
	const struct audit_block *block = first_block(view, AUDIT_BLOCKED);
	if (!block || !first_block(view, AUDIT_PERMITTED))
		return false;
	show_blocks(view, out, block);
	return verdict_set(view, out, "ip_acl_for_prefix", block->last_heard ? 0.9 : 0.6);
}

static bool ran_out(const struct observation *one)
{
	return one->op == OP_TTL_PROBE && one->ttl.expired && one->ttl.from && one->ttl.tuple.dst;
}

/* What anything else in this run hears behind the hop where all of the range die; NULL: nothing. */
static const char *heard_behind(const struct view *view, const struct audit_block *block, struct verdict *out)
{
	const struct observation_list *seen = &view->report->observations;
	size_t count = seen->count < OBSERVATIONS_LOOKED_AT ? seen->count : OBSERVATIONS_LOOKED_AT;
	for (size_t i = 0; i < count; i++) {
		const struct observation *at = seen->items[i];
		if (!ran_out(at) || at->ttl.ttl != block->hop || !text_equal(at->ttl.from, block->last_heard))
			continue;
		for (size_t k = 0; k < count; k++) {
			const struct observation *behind = seen->items[k];
			if (!ran_out(behind) || behind->ttl.ttl <= block->hop ||
			    !text_equal(behind->ttl.tuple.dst, at->ttl.tuple.dst))
				continue;
			verdict_add_evidence(view, out, at);
			verdict_add_evidence(view, out, behind);
			return behind->ttl.from;
		}
	}
	return NULL;
}

/**
 * Is the whole range blocked?
 *
 * Holds       when no address of an audit passes the place where all of them die.
 * Confidence  proven where a device says so itself, or something else is heard behind that place: other traffic to the range, or another
 *             range. Else those behind may be mute, and it is suspected only.
 */
bool rule_ip_range_fully_blocked(const struct view *view, struct verdict *out)
{
	const struct audit_block *block = first_block(view, AUDIT_BLOCKED);
	if (!block || first_block(view, AUDIT_PERMITTED) || first_block(view, AUDIT_UNKNOWN))
		return false;
	show_blocks(view, out, block);
	if (out->has_place && !block->refused && !out->at.first_silent)
		out->at.first_silent = heard_behind(view, block, out);
	bool proven = block->refused || (out->has_place && out->at.first_silent);
	if (!proven)
		verdict_add_not_run(view, out,
				    "the same of a range that may be reached, in the same run, for contrast");
	return verdict_set(view, out, "ip_range_fully_blocked", proven ? 0.9 : 0.4);
}

/* ------------------------------------------------------------------ by a sweep */

static bool says_so(const struct view *view, struct verdict *out, const char *cause, enum sweep_state state)
{
	for (size_t i = 0; view->sweep && i < view->sweep->prefix_count; i++) {
		const struct sweep_prefix *one = &view->sweep->prefixes[i];
		if (one->state != state || !one->from)
			continue;
		out->has_place = true;
		out->at = (struct place){NOT_MEASURED, one->from, NULL};
		return verdict_set(view, out, cause, 0.95);
	}
	return false;
}

/* Some of it is rejected aloud: whoever sent the ICMP error said so. */
bool rule_range_prohibited(const struct view *view, struct verdict *out)
{
	return says_so(view, out, "ip_admin_prohibited", SWEEP_PROHIBITED);
}

bool rule_range_unreachable(const struct view *view, struct verdict *out)
{
	return says_so(view, out, "ip_no_route_from_router", SWEEP_UNREACHABLE);
}

/* ------------------------------------------------------------------ limits */

/* Routers that say nothing, or not so often, leave an audit without an answer. */
bool rule_range_muted(const struct view *view, struct verdict *out)
{
	const struct audit_block *block = first_block(view, AUDIT_UNKNOWN);
	if (!block || view->sweep->stopped || first_block(view, AUDIT_BLOCKED) || first_block(view, AUDIT_PERMITTED))
		return false;
	show_blocks_of(view, out, AUDIT_UNKNOWN);
	out->status = STATUS_INCONCLUSIVE;
	return verdict_set(view, out, view->sweep->audit->rationed ? "meas_self_rate_limited" : "meas_icmp_muted", 0.9);
}

bool rule_meas_self_rate_limited(const struct view *view, struct verdict *out)
{
	bool limited = view->sweep && text_equal(view->sweep->stopped, "rate_limited");
	bool silenced = view->sweep && text_equal(view->sweep->stopped, "silenced");
	if (!limited && !silenced)
		return false;
	out->status = STATUS_INCONCLUSIVE;
	verdict_add_not_run(view, out, "the rest of the sweep (--resume, with a smaller --rate)");
	return verdict_set(view, out, "meas_self_rate_limited", limited ? 0.9 : 0.5);
}

/* ------------------------------------------------------------------ what others ask */

const struct sweep *sweep_of(const struct report *report, const struct target *target)
{
	for (size_t i = 0; i < report->sweep_count; i++)
		if (report->sweeps[i].target == target)
			return &report->sweeps[i];
	return NULL;
}

static enum status audit_status(const struct sweep_audit *audit)
{
	size_t of[AUDIT_BLOCKED + 1] = {0};
	for (size_t i = 0; i < audit->block_count; i++)
		of[audit->blocks[i].state]++;
	if (of[AUDIT_BLOCKED])
		return of[AUDIT_PERMITTED] ? STATUS_WARN : of[AUDIT_UNKNOWN] ? STATUS_INCONCLUSIVE : STATUS_FAIL;
	return of[AUDIT_PERMITTED] ? STATUS_PASS : STATUS_INCONCLUSIVE;
}

enum status sweep_status(const struct sweep *sweep)
{
	const int64_t *counts = sweep->counts;
	bool rejected = counts[SWEEP_PROHIBITED] + counts[SWEEP_UNREACHABLE] + counts[SWEEP_NOT_SENT] > 0;
	if (sweep->stopped)
		return STATUS_INCONCLUSIVE;
	if (sweep->audit)
		return audit_status(sweep->audit);
	if (counts[SWEEP_OPEN] + counts[SWEEP_REFUSED] > 0)
		return rejected ? STATUS_WARN : STATUS_PASS;
	return rejected ? STATUS_FAIL : STATUS_INCONCLUSIVE;
}

static bool is_rejected(const struct sweep_prefix *one)
{
	return one->state == SWEEP_PROHIBITED || one->state == SWEEP_UNREACHABLE;
}

struct text_list range_struck(struct arena *arena, const struct sweep *sweep)
{
	struct text_list list = {0};
	const struct sweep_audit *audit = sweep->audit;
	for (size_t i = 0; audit && i < audit->block_count; i++)
		for (size_t k = 0; audit->blocks[i].state == AUDIT_BLOCKED && k < audit->blocks[i].prefixes.count; k++)
			text_list_add(arena, &list, audit->blocks[i].prefixes.items[k]);
	for (size_t i = 0; !audit && i < sweep->prefix_count; i++)
		if (is_rejected(&sweep->prefixes[i]))
			text_list_add(arena, &list, sweep->prefixes[i].prefix);
	return list;
}
