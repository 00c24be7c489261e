/* A connection request without an answer: where it was heard last, and what else gets further. */

#include "probe/diagnosis/icmp_words.h"
#include "probe/diagnosis/view.h"
#include "probe/diagnosis/ways.h"

static const double FILTERED = 0.9, FILTERED_AT_THE_END = 0.65, FILTERED_OR_KEPT = 0.65, DEAD_BY_ONE = 0.7,
		    DEAD_BY_MORE = 0.85, LOOPS = 0.95;

/* A walk of the same packets that are lost: heard from any hop. */
static bool hears_hops(const struct walk_view *walk)
{
	return walk->last_heard_ttl != NOT_MEASURED;
}

static bool is_prohibited(const struct walk_view *walk)
{
	const struct ttl_probe *refused = walk->refused_by ? &walk->refused_by->seen->ttl : NULL;
	return refused && icmp_says_prohibited(&refused->tuple, &refused->icmp);
}

/* What gets further than the failing port: TCP to another port before datagrams and echo requests. */
static const struct walk_view *what_passes(const struct walks *walks)
{
	const struct walk_view *const all[] = {&walks->control, &walks->udp, &walks->echo};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]->count && (walk_view_passes(all[i], &walks->syn) || is_prohibited(all[i])))
			return all[i];
	return NULL;
}

static void show_end(struct way *way, const struct walk_view *walk)
{
	way_show_hop(way, walk, way->ttl);
	way_show_hop(way, walk, way->ttl + 1);
}

/* The nearest sign that it gets further. */
static void show_passing(struct way *way, const struct walk_view *control)
{
	for (size_t i = 0; i < control->count; i++) {
		if (control->hops[i].ttl <= way->ttl || !control->hops[i].heard)
			continue;
		way_show(way, control->hops[i].seen);
		return;
	}
}

/* Does any router behind that hop hear what passes? Else the far end, or the way back, may be what drops the request. */
static bool is_heard_beyond(const struct walks *walks, int ttl)
{
	const struct walk_view *const all[] = {&walks->control, &walks->udp, &walks->echo};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]->count && (all[i]->last_heard_ttl > ttl || is_prohibited(all[i])))
			return true;
	return false;
}

/* Does this system count what it does not let out? */
static bool counts_held_back(const struct report *report)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_TCP_CONNECT && one->tcp.has_tcp_info && one->tcp.tcp_info.held_back != NOT_MEASURED)
			return true;
	}
	return false;
}

static double sure_of_filter(const struct report *report, const struct walks *walks, int ttl)
{
	if (!is_heard_beyond(walks, ttl))
		return FILTERED_AT_THE_END;
	/* heard by nobody: a packet filter of this server's may be what keeps it */
	return ttl == 0 && !counts_held_back(report) ? FILTERED_OR_KEPT : FILTERED;
}

static void judge_end(const struct report *report, const struct walks *walks, struct way *way)
{
	const struct walk_view *passing = what_passes(walks);
	const struct observation *other = way_connected(report, way->address, way->port, false);
	int controls = (walks->control.count > 0) + (walks->udp.count > 0) + (walks->echo.count > 0);
	way->ttl = hears_hops(&walks->syn) ? walks->syn.last_heard_ttl : 0;
	if (passing || other) {
		way->end = WAY_FILTERED;
		way->confidence = sure_of_filter(report, walks, way->ttl);
	} else if (controls) {
		way->end = WAY_DEAD;
		way->confidence = controls > 1 ? DEAD_BY_MORE : DEAD_BY_ONE;
	} else {
		return;
	}
	way_set_place(walks, way->ttl, way);
	show_end(way, &walks->syn);
	if (passing)
		show_passing(way, passing);
	else if (other)
		way_show(way, other);
	if (way->end != WAY_DEAD)
		return;
	way_show_hop(way, &walks->control, way->ttl + 1);
	way_show_hop(way, &walks->udp, way->ttl + 1);
	way_show_hop(way, &walks->echo, way->ttl + 1);
}

/* The first hop that answers again after another one has. */
static void judge_loop(const struct walks *walks, struct way *way)
{
	const struct walk_view *walk = &walks->syn;
	way->end = WAY_LOOPS;
	way->confidence = LOOPS;
	for (size_t i = 0; i < walk->count && !way->has_place; i++) {
		const struct walk_hop *hop = &walk->hops[i];
		for (size_t k = i + 2; hop->address && k < walk->count && !way->has_place; k++) {
			if (!text_equal(walk->hops[k].address, hop->address))
				continue;
			way->ttl = hop->ttl;
			way->has_place = true;
			way->at = (struct place){.hop = hop->ttl, .last_heard = hop->address};
			way_show(way, hop->seen);
			way_show(way, walk->hops[i + 1].seen);
			way_show(way, walk->hops[k].seen);
		}
	}
}

static bool hears_nobody(const struct walks *walks)
{
	return !hears_hops(&walks->syn) && !hears_hops(&walks->control) && !hears_hops(&walks->udp) &&
	       !hears_hops(&walks->echo);
}

void way_judge_silence(const struct report *report, const struct walks *walks, struct way *way)
{
	const struct walk_view *walk = &walks->syn;
	if (!walk->count || walk->reached_ttl != NOT_MEASURED || walk->refused_by)
		return;
	if (walk->loops) {
		judge_loop(walks, way);
	} else if (hears_hops(walk) || hears_hops(&walks->control) || walks->control.reached_ttl == 1) {
		/* where not even the first hop is heard, that says something only if it is heard by the same kind of packet */
		judge_end(report, walks, way);
	} else if (hears_nobody(walks)) {
		way->end = WAY_MUTED;
		way_show(way, walk->hops[0].seen);
		way_show(way, walk->hops[walk->count - 1].seen);
	}
}
