#include "probe/core/walk_view.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* ------------------------------------------------------------------ one TTL */

struct walk_hop walk_hop_of(const struct observation *seen)
{
	const struct ttl_probe *ttl = &seen->ttl;
	struct walk_hop hop = {.ttl = ttl->ttl, .seen = seen, .address = ttl->from};
	bool unreachable = seen->failure == FAILURE_HOST_UNREACHABLE || seen->failure == FAILURE_NETWORK_UNREACHABLE;
	hop.reached = seen->failure == FAILURE_NONE && !ttl->expired;
	hop.refused = unreachable && ttl->icmp.from;
	hop.heard = ttl->expired || hop.reached || hop.refused;
	return hop;
}

/** Silence is an answer of a kind, and so is a walk that was cut; what this system did not send tells nothing of the path. */
static bool was_sent(const struct observation *seen)
{
	return walk_hop_of(seen).heard || seen->failure == FAILURE_TIMEOUT || seen->failure == FAILURE_DEADLINE ||
	       seen->failure == FAILURE_INTERRUPTED;
}

static int worth(const struct walk_hop *hop)
{
	return hop->reached ? 3 : hop->refused ? 1 : hop->heard ? 2 : 0;
}

static void take(struct walk_view *walk, const struct observation *seen)
{
	struct walk_hop hop = walk_hop_of(seen);
	size_t at = 0;
	if (!was_sent(seen)) {
		walk->not_sent = seen->failure;
		return;
	}
	while (at < walk->count && walk->hops[at].ttl < hop.ttl)
		at++;
	if (at < walk->count && walk->hops[at].ttl == hop.ttl) {
		if (worth(&hop) > worth(&walk->hops[at]))
			walk->hops[at] = hop;
		return;
	}
	if (walk->count == WALK_HOPS_MAX)
		return;
	memmove(&walk->hops[at + 1], &walk->hops[at], (walk->count - at) * sizeof(hop));
	walk->hops[at] = hop;
	walk->count++;
}

/* ------------------------------------------------------------------ what they tell together */

static enum walk_reach reach_of(const struct walk_hop *hop)
{
	static const struct {
		const char *tcp;
		enum walk_reach reach;
	} words[] = {{"syn_ack", WALK_REACHED_SYN_ACK},
		     {"rst", WALK_REACHED_RST},
		     {"data", WALK_REACHED_DATA},
		     {"fin", WALK_REACHED_FIN}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (same_text(hop->seen->ttl.tcp, words[i].tcp))
			return words[i].reach;
	return WALK_REACHED_ICMP;
}

/** Up to the first that is no hop any more. */
static void find_ends(struct walk_view *walk)
{
	for (size_t i = 0; i < walk->count; i++) {
		const struct walk_hop *hop = &walk->hops[i];
		if (hop->reached) {
			walk->reached_ttl = hop->ttl;
			walk->reached_by = reach_of(hop);
			return;
		}
		if (hop->refused && !walk->refused_by)
			walk->refused_by = hop;
		if (hop->seen->ttl.expired && !walk->refused_by) {
			walk->last_heard_ttl = hop->ttl;
			walk->last_heard = hop->address;
		}
	}
}

/** Does the hop at that place answer again, after another one had? */
static bool comes_again(const struct walk_view *walk, size_t at)
{
	const char *address = walk->hops[at].address;
	bool other = false;
	for (size_t i = at + 1; address && i < walk->count; i++) {
		if (!walk->hops[i].seen->ttl.expired || !walk->hops[i].address)
			continue;
		if (!same_text(walk->hops[i].address, address))
			other = true;
		else if (other)
			return true;
	}
	return false;
}

static bool has_loop(const struct walk_view *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		if (walk->hops[i].seen->ttl.expired && comes_again(walk, i))
			return true;
	return false;
}

/** Can nobody hear routers here but by echo requests? missing_api of struct local_fact. */
static bool hears_only_echo(const struct report *report)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *seen = report->observations.items[i];
		if (seen->op == OP_LOCAL_FACT && same_text(seen->fact.fact, "missing_api") &&
		    same_text(seen->fact.subject, "TCP_FAIL_CONNECT_ON_ICMP_ERROR"))
			return true;
	}
	return false;
}

static void judge(struct walk_view *walk, bool hears_routers)
{
	find_ends(walk);
	walk->deaf = !hears_routers && walk->last_heard_ttl == NOT_MEASURED && !walk->refused_by;
	if (walk->deaf)
		return;
	bool open = walk->reached_ttl == NOT_MEASURED && !walk->refused_by;
	bool heard = walk->last_heard_ttl != NOT_MEASURED;
	walk->loops = open && has_loop(walk);
	walk->ends_early = open && heard && !walk->loops;
	walk->muted = !heard && !walk->refused_by && walk->reached_ttl != walk->hops[0].ttl;
	if (!open)
		return;
	int silent = heard ? walk->last_heard_ttl + 1 : walk->hops[0].ttl;
	if (walk_view_hop(walk, silent))
		walk->first_silent_ttl = silent;
}

/* ------------------------------------------------------------------ */

static bool is_of_walk(const struct observation *seen, const char *address, int port, const char *experiment,
		       const char *sent)
{
	if (seen->op != OP_TTL_PROBE || !same_text(seen->experiment, experiment))
		return false;
	const struct ttl_probe *ttl = &seen->ttl;
	return same_text(ttl->tuple.dst, address) && (port == NOT_MEASURED || ttl->tuple.dst_port == port) &&
	       (!sent || same_text(ttl->sent, sent)) && ttl->ttl != NOT_MEASURED;
}

bool walk_view_make(const struct report *report, const char *address, int port, const char *experiment,
		    const char *sent, struct walk_view *out)
{
	*out = (struct walk_view){.not_sent = FAILURE_NONE,
				  .reached_ttl = NOT_MEASURED,
				  .last_heard_ttl = NOT_MEASURED,
				  .first_silent_ttl = NOT_MEASURED,
				  .known_silent_ttl = NOT_MEASURED};
	for (size_t i = 0; i < report->observations.count; i++)
		if (is_of_walk(report->observations.items[i], address, port, experiment, sent))
			take(out, report->observations.items[i]);
	if (!out->count)
		return false;
	out->not_sent = FAILURE_NONE;
	judge(out, same_text(out->hops[0].seen->ttl.sent, "echo") || !hears_only_echo(report));
	return true;
}

bool walk_view_leaves_alike(const struct walk_view *one, const struct walk_view *other)
{
	const char *a = one->count ? one->hops[0].seen->ttl.tuple.src : NULL;
	const char *b = other->count ? other->hops[0].seen->ttl.tuple.src : NULL;
	return !a || !b || same_text(a, b);
}

const struct walk_hop *walk_view_hop(const struct walk_view *walk, int ttl)
{
	for (size_t i = 0; i < walk->count; i++)
		if (walk->hops[i].ttl == ttl)
			return &walk->hops[i];
	return NULL;
}

void walk_view_compare(struct walk_view *walk, const struct walk_view *control)
{
	if (walk->first_silent_ttl == NOT_MEASURED || !walk_view_leaves_alike(walk, control))
		return;
	for (size_t i = 0; i < control->count; i++) {
		const struct walk_hop *hop = &control->hops[i];
		const char *who = hop->reached ? hop->seen->ttl.tuple.dst : hop->address;
		bool nearer = walk->known_silent_ttl == NOT_MEASURED || hop->ttl < walk->known_silent_ttl;
		bool mute = walk->last_heard_ttl == NOT_MEASURED && hop->reached && hop->ttl > walk->first_silent_ttl;
		if (hop->ttl < walk->first_silent_ttl || !nearer || !who || same_text(who, walk->last_heard) || mute ||
		    !(hop->reached || hop->seen->ttl.expired))
			continue;
		walk->first_silent = who;
		walk->known_silent_ttl = hop->ttl;
	}
}

bool walk_view_passes(const struct walk_view *control, const struct walk_view *walk)
{
	return walk->reached_ttl == NOT_MEASURED && walk_view_leaves_alike(walk, control) &&
	       (control->reached_ttl != NOT_MEASURED ||
		(!walk->deaf && control->last_heard_ttl > walk->last_heard_ttl));
}
