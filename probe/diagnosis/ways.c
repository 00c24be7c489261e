/* One way for each address that does not work: by its own walk, or like another one's that was confirmed for it. */

#include "probe/diagnosis/ways.h"

#include "probe/core/arena.h"
#include "probe/diagnosis/view.h"

static const double CONFIRMED_MOST = 0.8, LIKE_OTHERS = 0.7;

enum { HTTPS = 443, HTTP = 80 };

/* ------------------------------------------------------------------ parts of a way */

void way_show(struct way *way, const struct observation *seen)
{
	for (size_t i = 0; seen && i < way->shown_count; i++)
		if (way->shown[i] == seen)
			return;
	if (seen && way->shown_count < WAY_SHOWN_MAX)
		way->shown[way->shown_count++] = seen;
}

void way_show_hop(struct way *way, const struct walk_view *walk, int ttl)
{
	const struct walk_hop *hop = walk_view_hop(walk, ttl);
	if (hop)
		way_show(way, hop->seen);
}

/* Did any of the walks hear that hop? *address is who it is, NULL where nobody knows. */
static bool is_heard_at(const struct walks *walks, int ttl, const char **address)
{
	const struct walk_view *const all[] = {&walks->syn, &walks->control, &walks->udp, &walks->echo};
	bool heard = false;
	*address = NULL;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !*address; i++) {
		const struct walk_hop *hop = walk_view_hop(all[i], ttl);
		if (!hop || !hop->seen->ttl.expired)
			continue;
		heard = true;
		*address = hop->address;
	}
	return heard;
}

static const char *own_address(const struct walks *walks)
{
	return walks->syn.count ? walks->syn.hops[0].seen->ttl.tuple.src : NULL;
}

void way_set_place(const struct walks *walks, int ttl, struct way *way)
{
	const char *heard = NULL, *beyond = NULL;
	int at = ttl;
	while (at > 0 && !is_heard_at(walks, at, &heard))
		at--;
	for (int next = ttl + 1; next < WALK_HOPS_MAX && !beyond; next++)
		if (is_heard_at(walks, next, &beyond) && at && text_equal(beyond, heard))
			beyond = NULL; /* parallel ways meet it at other TTLs too */
	way->has_place = true;
	way->at = (struct place){.hop = at,
				 .last_heard = at ? heard : own_address(walks),
				 .first_silent = beyond ? beyond : way->address};
}

int way_far_ttl(const struct walks *walks, const struct walk_view **by)
{
	const struct walk_view *const all[] = {&walks->control, &walks->udp, &walks->echo};
	int far = NOT_MEASURED;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int reached = all[i]->reached_ttl;
		bool surer = reached != NOT_MEASURED && reached == far && (*by)->reached_by == WALK_REACHED_RST;
		if (reached <= far && !surer)
			continue;
		far = reached;
		*by = all[i];
	}
	return far;
}

const struct observation *way_connected(const struct report *report, const char *address, int port, bool same_port)
{
	const struct observation_list *list = &report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op != OP_TCP_CONNECT || !text_equal(one->tcp.tuple.dst, address) ||
		    (one->tcp.tuple.dst_port == port) != same_port || text_equal(one->experiment, "impossible_port"))
			continue;
		if (one->failure == FAILURE_NONE || one->failure == FAILURE_EOF)
			return one;
	}
	return NULL;
}

/* ------------------------------------------------------------------ by its own walk */

/* A control that leaves by another interface tells nothing of this way. */
static void leave_out(const struct walk_view *walk, struct walk_view *control)
{
	if (walk_view_leaves_alike(walk, control))
		return;
	control->count = 0;
	control->reached_ttl = control->last_heard_ttl = NOT_MEASURED;
	control->refused_by = NULL;
}

static bool read_walks(const struct report *report, const char *address, int port, struct walks *walks)
{
	bool walked = walk_view_make(report, address, port, "walk", "syn", &walks->syn);
	walk_view_make(report, address, port == HTTPS ? HTTP : HTTPS, "walk_control", "syn", &walks->control);
	walk_view_make(report, address, NOT_MEASURED, "walk_udp", "udp", &walks->udp);
	walk_view_make(report, address, NOT_MEASURED, "walk_echo", "echo", &walks->echo);
	leave_out(&walks->syn, &walks->control);
	leave_out(&walks->syn, &walks->udp);
	leave_out(&walks->syn, &walks->echo);
	return walked;
}

static void judge(const struct report *report, const struct tried *tried, struct way *way)
{
	struct walks walks;
	way->walked = read_walks(report, way->address, way->port, &walks);
	const struct observation *through = way_connected(report, way->address, way->port, true);
	if (tried->broke != STAGE_TCP) {
		way_judge_answer(report, &walks, way);
	} else if (through || walks.syn.reached_by == WALK_REACHED_SYN_ACK) {
		way->end = WAY_FLAPS;
		way_show(way, through);
		way_show_hop(way, &walks.syn, walks.syn.reached_ttl);
	} else if (tried->tcp->failure == FAILURE_CONNECTION_REFUSED ||
		   tried->tcp->failure == FAILURE_CONNECTION_RESET) {
		way_judge_refusal(report, &walks, way);
	} else {
		way_judge_silence(report, &walks, way);
	}
}

/* ------------------------------------------------------------------ like another one's */

/* Heard at the same hop, from the same one, and silent at the next. */
static bool is_silent_alike(const struct way *like, const struct walk_view *confirm)
{
	const struct walk_hop *last = walk_view_hop(confirm, like->ttl);
	bool silent_beyond =
		walk_view_hop(confirm, like->ttl + 1) && confirm->reached_ttl == NOT_MEASURED && !confirm->refused_by;
	if (!silent_beyond || like->ttl == 0)
		return silent_beyond && confirm->last_heard_ttl == NOT_MEASURED;
	if (!last || confirm->last_heard_ttl != like->ttl)
		return false;
	return !last->address || !like->at.last_heard || text_equal(last->address, like->at.last_heard);
}

static bool is_confirmed(const struct way *like, const struct walk_view *confirm)
{
	switch (like->end) {
	case WAY_FILTERED:
	case WAY_DEAD:
		return is_silent_alike(like, confirm);
	case WAY_REFUSED_NEAR:
	case WAY_REFUSED_FAR:
		return confirm->reached_ttl == like->ttl && confirm->reached_by == WALK_REACHED_RST &&
		       (like->ttl == 1 || walk_view_hop(confirm, like->ttl - 1));
	case WAY_LOOPS:
		for (size_t i = 0; i < confirm->count; i++)
			if (text_equal(confirm->hops[i].address, like->at.last_heard))
				return true;
		return false;
	case WAY_UNKNOWN:
	case WAY_MUTED:
	case WAY_ANSWERED_NEAR:
	case WAY_FLAPS:
		break;
	}
	return false;
}

/* The other's walk told where; a few probes to this address told that it ends there too. */
static void take_like(struct way *way, const struct way *like, const struct walk_view *confirm)
{
	way->end = like->end;
	way->confidence = like->confidence < CONFIRMED_MOST ? like->confidence : CONFIRMED_MOST;
	way->has_place = like->has_place;
	way->at = like->at;
	if (text_equal(way->at.first_silent, like->address))
		way->at.first_silent = way->address;
	way->ttl = like->ttl;
	way_show_hop(way, confirm, like->ttl);
	way_show_hop(way, confirm, like->ttl + 1);
	for (size_t i = 0; i < like->shown_count && i < 2; i++)
		way_show(way, like->shown[i]);
}

/* ------------------------------------------------------------------ all of them */

struct ways {
	struct way **items;
	const struct tried **of; /* the first attempt that fared so */
	size_t count;
};

static struct way *find(const struct ways *ways, const char *address, int port)
{
	for (size_t i = 0; i < ways->count; i++)
		if (ways->items[i]->port == port && text_equal(ways->items[i]->address, address))
			return ways->items[i];
	return NULL;
}

static bool is_due(const struct tried *tried)
{
	return tried->broke >= STAGE_TCP && !tried->cut && tried->tcp && tried->attempt->address;
}

static void add_all(struct report *report, struct view *views, struct ways *ways)
{
	size_t most = 0;
	for (size_t i = 0; i < report->path_count; i++)
		most += views[i].tried_count;
	ways->items = arena_alloc(report->arena, (most + 1) * sizeof(*ways->items));
	ways->of = arena_alloc(report->arena, (most + 1) * sizeof(*ways->of));
	for (size_t i = 0; i < report->path_count; i++) {
		for (size_t k = 0; k < views[i].tried_count; k++) {
			struct tried *tried = &views[i].tried[k];
			if (!is_due(tried))
				continue;
			struct way *way = find(ways, tried->attempt->address, tried->attempt->port);
			if (!way) {
				way = arena_alloc(report->arena, sizeof(*way));
				*way = (struct way){.address = tried->attempt->address,
						    .port = tried->attempt->port,
						    .ttl = NOT_MEASURED,
						    .at.hop = NOT_MEASURED};
				ways->of[ways->count] = tried;
				ways->items[ways->count++] = way;
			}
			tried->way = way;
		}
	}
}

static void confirm_from_others(const struct report *report, const struct ways *ways, struct way *way)
{
	struct walk_view confirm;
	if (!walk_view_make(report, way->address, way->port, "walk_confirm", "syn", &confirm))
		return;
	if (confirm.reached_by == WALK_REACHED_SYN_ACK) {
		way->end = WAY_FLAPS;
		way_show_hop(way, &confirm, confirm.reached_ttl);
		return;
	}
	for (size_t i = 0; i < ways->count; i++) {
		const struct way *like = ways->items[i];
		if (like == way || !like->walked || like->port != way->port ||
		    text_is_ipv6(like->address) != text_is_ipv6(way->address) || !is_confirmed(like, &confirm))
			continue;
		take_like(way, like, &confirm);
		return;
	}
}

/* Where another address came and went, and nothing tells where this one ends, it is taken for the same. */
static void flap_like_others(const struct ways *ways, struct way *way)
{
	for (size_t i = 0; i < ways->count && way->end == WAY_UNKNOWN; i++) {
		const struct way *like = ways->items[i];
		if (like->end != WAY_FLAPS || like->port != way->port ||
		    text_is_ipv6(like->address) != text_is_ipv6(way->address))
			continue;
		way->end = WAY_FLAPS;
		way_show(way, like->shown[0]);
	}
}

/* Where the walk to another address heard nobody, there is nothing to compare with. */
static void mute_like_others(const struct report *report, const struct ways *ways, struct way *way)
{
	struct walk_view confirm;
	if (way->walked || walk_view_make(report, way->address, way->port, "walk_confirm", "syn", &confirm))
		return;
	for (size_t i = 0; i < ways->count; i++)
		if (ways->items[i]->walked && ways->items[i]->end == WAY_MUTED &&
		    text_is_ipv6(ways->items[i]->address) == text_is_ipv6(way->address))
			way->end = WAY_MUTED;
}

/* A device that answers for one address does so for the others to which nothing was sent that could show it. */
static void answer_like_others(const struct report *report, const struct ways *ways, size_t index)
{
	struct way *way = ways->items[index];
	if (way->walked || way_was_tested(report, way->address) || way_has_spoken(report, way->address))
		return;
	for (size_t i = 0; i < ways->count; i++) {
		const struct way *like = ways->items[i];
		if (like->end != WAY_ANSWERED_NEAR || like->port != way->port ||
		    text_is_ipv6(like->address) != text_is_ipv6(way->address))
			continue;
		*way = (struct way){.address = way->address,
				    .port = way->port,
				    .end = like->end,
				    .confidence = LIKE_OTHERS,
				    .has_place = like->has_place,
				    .at = like->at,
				    .ttl = like->ttl,
				    .shown = {like->shown[0]},
				    .shown_count = like->shown_count > 0};
		return;
	}
}

static void compare(const struct report *report, const struct ways *ways, size_t index)
{
	const struct tried *tried = ways->of[index];
	if (tried->broke != STAGE_TCP) {
		answer_like_others(report, ways, index);
		return;
	}
	confirm_from_others(report, ways, ways->items[index]);
	if (ways->items[index]->end == WAY_UNKNOWN && tried->tcp->failure == FAILURE_TIMEOUT)
		mute_like_others(report, ways, ways->items[index]);
	if (tried->tcp->failure == FAILURE_TIMEOUT)
		flap_like_others(ways, ways->items[index]);
}

void ways_find(struct report *report, struct view *views)
{
	struct ways ways = {0};
	bool any = false;
	for (size_t i = 0; i < report->observations.count && !any; i++)
		any = report->observations.items[i]->experiment != NULL;
	if (!any)
		return;
	add_all(report, views, &ways);
	for (size_t i = 0; i < ways.count; i++)
		judge(report, ways.of[i], ways.items[i]);
	for (size_t i = 0; i < ways.count; i++)
		if (ways.items[i]->end == WAY_UNKNOWN)
			compare(report, &ways, i);
}
