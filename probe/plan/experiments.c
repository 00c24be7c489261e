#include "probe/plan/experiments.h"

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/walk_view.h"
#include "probe/plan/loss.h"
#include "probe/plan/reset_ttl.h"
#include "probe/plan/segment_size.h"
#include "probe/plan/wishes.h"

enum {
	HTTP_PORT = 80,
	HTTPS_PORT = 443,
	IMPOSSIBLE_PORT = 4, /* assigned to nobody (IANA's registry of service names and ports) */
	TTL_MOST = 30,
	OTHERS_MAX = 32,    /* of a group, beside the one that is examined in full */
	WALKS_MORE_MAX = 3, /* full walks to those that are not the same */
	LADDERS_MAX = 3,    /* targets of a group that climb the whole ladder */
	AGAIN_COUNT = 4,
	SMALL_SEGMENT_BYTES = 200,
	LARGE_HELLO_BYTES = 1200
};
enum { PATIENCE_US = 1000 * 1000, QUICK_US = 300 * 1000, ROUND_TRIPS = 4, UNKNOWN_SHARE = 3 };

const struct experiment_row *experiment_row(enum experiment experiment)
{
	static const struct experiment_row rows[] = {
#define EXPERIMENT(name, id, way, tells, needs, cost) {id, EXPERIMENT_##way, tells, needs, cost},
#include "probe/plan/experiments.def"
#undef EXPERIMENT
	};
	return &rows[experiment];
}

/* ------------------------------------------------------------------ symptoms */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcasecmp(a, b) == 0);
}

static bool same_way(const struct via *a, const struct via *b)
{
	return a->scheme == b->scheme &&
	       (a->scheme == VIA_DIRECT || (a->port == b->port && same_text(a->host, b->host)));
}

/* Of the connection itself: every name at the address has it. */
static bool is_of_connection(enum symptom_kind kind)
{
	return kind == SYMPTOM_SYN_SILENT || kind == SYMPTOM_SYN_REFUSED || kind == SYMPTOM_SYN_REJECTED;
}

static bool is_ipv6(const char *address)
{
	return strchr(address, ':') != NULL;
}

static bool same_group(const struct symptom *a, const struct symptom *b)
{
	return a->kind == b->kind && a->port == b->port && is_ipv6(a->address) == is_ipv6(b->address) &&
	       same_way(&a->via, &b->via);
}

static bool same_end(const struct symptom *a, const struct symptom *b)
{
	bool same_name = same_text(a->target->host, b->target->host);
	return a->port == b->port && strcmp(a->address, b->address) == 0 && same_way(&a->via, &b->via) &&
	       (same_name || (is_of_connection(a->kind) && is_of_connection(b->kind)));
}

static void paths_join(struct arena *arena, struct path_list *list, const struct path_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		if (!path_list_has(list, more->items[i]))
			path_list_add(arena, list, more->items[i]);
}

void symptom_note(struct experiment_plan *plan, const struct symptom *symptom)
{
	for (size_t i = 0; i < plan->symptom_count; i++) {
		struct symptom *known = plan->symptoms[i];
		if (!same_end(known, symptom))
			continue;
		paths_join(plan->arena, &known->paths, &symptom->paths);
		if (known->kind == symptom->kind || (is_of_connection(known->kind) && is_of_connection(symptom->kind)))
			return;
	}
	struct symptom *one = arena_alloc(plan->arena, sizeof(*one));
	*one = *symptom;
	one->paths = (struct path_list){0};
	paths_join(plan->arena, &one->paths, &symptom->paths);
	plan->symptoms = arena_grow(plan->arena, plan->symptoms, &plan->symptom_capacity, plan->symptom_count,
				    sizeof(struct symptom *));
	plan->symptoms[plan->symptom_count++] = one;
}

/* The first of its group, which is examined in full. */
static const struct symptom *first_of_group(const struct experiment_plan *plan, const struct symptom *symptom)
{
	for (size_t i = 0; i < plan->symptom_count; i++)
		if (same_group(plan->symptoms[i], symptom))
			return plan->symptoms[i];
	return symptom;
}

static size_t place_in_group(const struct experiment_plan *plan, const struct symptom *symptom)
{
	size_t place = 0;
	for (size_t i = 0; i < plan->symptom_count && plan->symptoms[i] != symptom; i++)
		place += same_group(plan->symptoms[i], symptom);
	return place;
}

/* ------------------------------------------------------------------ walks */

static int other_port(int port)
{
	return port == HTTPS_PORT ? HTTP_PORT : HTTPS_PORT;
}

static void wish_walk(struct experiment_plan *plan, const struct symptom *about, enum experiment experiment, int port,
		      int from, int to)
{
	struct wish wish = {.experiment = experiment, .about = about, .port = port, .ttl_from = from, .ttl_to = to};
	wish_once(plan, &wish);
}

/* How far it gets, and how far others get. */
static void wish_walks(struct experiment_plan *plan, const struct symptom *about)
{
	wish_walk(plan, about, EXPERIMENT_WALK, about->port, 1, TTL_MOST);
	wish_walk(plan, about, EXPERIMENT_WALK_CONTROL, other_port(about->port), 1, TTL_MOST);
	wish_walk(plan, about, EXPERIMENT_WALK_UDP, 0, 1, TTL_MOST);
}

static bool read_walk(const struct report *report, const struct symptom *about, enum experiment experiment,
		      struct walk_view *out)
{
	return walk_view_make(report, about->address, about->port, experiment_row(experiment)->id, "syn", out);
}

/* Where TCP names nobody although packets expire on the way, echo requests may. */
static void wish_echo(struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	struct walk_view walk;
	bool nameless = false;
	if (!wish_done(plan, about, EXPERIMENT_WALK) || !read_walk(report, about, EXPERIMENT_WALK, &walk))
		return;
	for (size_t i = 0; i < walk.count; i++)
		nameless |= walk.hops[i].heard && !walk.hops[i].reached && !walk.hops[i].address;
	if (nameless || walk.muted)
		wish_walk(plan, about, EXPERIMENT_WALK_ECHO, 0, 1, TTL_MOST);
}

/* It got there this time: then the outcome may be a matter of the source port. */
static void wish_flow(struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	struct walk_view walk;
	if (!wish_done(plan, about, EXPERIMENT_WALK) || !read_walk(report, about, EXPERIMENT_WALK, &walk) ||
	    walk.reached_by != WALK_REACHED_SYN_ACK)
		return;
	for (unsigned flow = 1; flow <= 2; flow++) {
		struct wish wish = {.experiment = EXPERIMENT_WALK_FLOW,
				    .about = about,
				    .port = about->port,
				    .ttl_from = 1,
				    .ttl_to = TTL_MOST,
				    .flow = flow};
		wish_once(plan, &wish);
	}
}

/* The TTLs that show whether another address ends where the first one does; false: the first one's walk does not say. */
static bool confirming_ttls(const struct walk_view *first, int *from, int *to)
{
	if (first->reached_ttl != NOT_MEASURED) {
		*to = first->reached_ttl;
		*from = *to > 1 ? *to - 1 : 1;
		return true;
	}
	if (first->last_heard_ttl == NOT_MEASURED)
		return false;
	*from = first->last_heard_ttl > 1 ? first->last_heard_ttl - 1 : 1;
	*to = first->last_heard_ttl + 2;
	return true;
}

/* Heard at the same hop, and the same beyond it. */
static bool ends_alike(const struct walk_view *first, const struct walk_view *other)
{
	const struct walk_hop *last = walk_view_hop(other, first->last_heard_ttl);
	bool same_hop = first->last_heard_ttl == NOT_MEASURED ||
			(last && last->heard && same_text(last->address, first->last_heard));
	return same_hop && first->reached_ttl == other->reached_ttl && first->reached_by == other->reached_by &&
	       first->last_heard_ttl == other->last_heard_ttl;
}

static size_t walks_of_group(const struct experiment_plan *plan, const struct symptom *symptom)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->wish_count; i++)
		count += plan->wishes[i]->experiment == EXPERIMENT_WALK && same_group(plan->wishes[i]->about, symptom);
	return count;
}

/* Does this address fail at the same place as the first one? If not, it is another fault, and walked in full. */
static void compare_with_first(struct experiment_plan *plan, const struct report *report, const struct symptom *first,
			       const struct symptom *symptom)
{
	struct walk_view walk, own;
	int from, to;
	if (!wish_done(plan, first, EXPERIMENT_WALK) || !read_walk(report, first, EXPERIMENT_WALK, &walk) ||
	    !confirming_ttls(&walk, &from, &to) || place_in_group(plan, symptom) > OTHERS_MAX)
		return;
	wish_walk(plan, symptom, EXPERIMENT_WALK_CONFIRM, symptom->port, from, to);
	if (!wish_done(plan, symptom, EXPERIMENT_WALK_CONFIRM) ||
	    !read_walk(report, symptom, EXPERIMENT_WALK_CONFIRM, &own) || ends_alike(&walk, &own))
		return;
	if (walks_of_group(plan, symptom) <= WALKS_MORE_MAX || wish_made(plan, symptom, EXPERIMENT_WALK))
		wish_walks(plan, symptom);
}

/* ------------------------------------------------------------------ connections */

static void wish_connects(struct experiment_plan *plan, const struct symptom *about, enum experiment experiment,
			  int port, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct wish wish = {.experiment = experiment, .about = about, .port = port, .flow = i};
		wish_once(plan, &wish);
	}
}

/* ------------------------------------------------------------------ the ladder */

static void wish_hello(struct experiment_plan *plan, const struct symptom *about, enum experiment experiment,
		       const struct wish *hello)
{
	struct wish wish = *hello;
	wish.experiment = experiment;
	wish.about = about;
	wish.port = about->port;
	wish_once(plan, &wish);
}

static bool has_symptom(const struct experiment_plan *plan, const struct target *target)
{
	for (size_t i = 0; i < plan->symptom_count; i++)
		if (same_text(plan->symptoms[i]->target->host, target->host))
			return true;
	return false;
}

/* Another target's name, and nobody else's: one without a symptom if there is any. NULL: there is no other. */
static const char *neutral_name(const struct experiment_plan *plan, const struct report *report,
				const struct symptom *about)
{
	const char *any = NULL;
	for (size_t i = 0; i < report->target_count; i++) {
		const struct target *target = report->targets[i];
		bool is_https = target->url && strncmp(target->url, "https:", 6) == 0;
		if (!is_https || same_text(target->host, about->target->host))
			continue;
		if (!has_symptom(plan, target))
			return target->host;
		any = any ? any : target->host;
	}
	return any;
}

static void wish_short_ladder(struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	const char *neutral = neutral_name(plan, report, about);
	if (about->via.scheme == VIA_DIRECT)
		wish_connects(plan, about, EXPERIMENT_JUNK_BYTE, about->port, 1);
	wish_hello(plan, about, EXPERIMENT_TLS_NO_SNI, &(struct wish){.sni = ""});
	if (neutral)
		wish_hello(plan, about, EXPERIMENT_TLS_OTHER_NAME, &(struct wish){.sni = neutral});
}

static void wish_ladder(struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	wish_short_ladder(plan, report, about);
	wish_hello(plan, about, EXPERIMENT_TLS_REQUIRED_NAME, &(struct wish){0});
	wish_hello(plan, about, EXPERIMENT_TLS_LARGE_HELLO, &(struct wish){.extra_bytes = LARGE_HELLO_BYTES});
	wish_hello(plan, about, EXPERIMENT_TLS_SEGMENTS, &(struct wish){.segment_bytes = SMALL_SEGMENT_BYTES});
	wish_hello(plan, about, EXPERIMENT_TLS_1_2, &(struct wish){0});
	wish_hello(plan, about, EXPERIMENT_TLS_1_3, &(struct wish){0});
}

/* Which of the group's targets it is, by name: addresses of one name climb once. */
static size_t ladder_place(const struct experiment_plan *plan, const struct symptom *symptom, bool *is_first)
{
	size_t place = 0;
	*is_first = true;
	for (size_t i = 0; i < plan->symptom_count && plan->symptoms[i] != symptom; i++) {
		const struct symptom *one = plan->symptoms[i];
		if (!same_group(one, symptom))
			continue;
		place++;
		if (same_text(one->target->host, symptom->target->host))
			*is_first = false;
	}
	return place;
}

static void examine_place(struct experiment_plan *plan, const struct symptom *about)
{
	if (about->via.scheme != VIA_DIRECT)
		return;
	wish_connects(plan, about, EXPERIMENT_IMPOSSIBLE_PORT, IMPOSSIBLE_PORT, 1);
	wish_connects(plan, about, EXPERIMENT_OTHER_PORT, other_port(about->port), 1);
	wish_walks(plan, about);
}

/* No further than the connection requests got. */
static void wish_hello_walk(struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	struct walk_view walk;
	if (!wish_done(plan, about, EXPERIMENT_WALK) || !read_walk(report, about, EXPERIMENT_WALK, &walk))
		return;
	int far_end = walk.reached_ttl == NOT_MEASURED ? TTL_MOST : walk.reached_ttl + 1;
	wish_hello(plan, about, EXPERIMENT_WALK_HELLO,
		   &(struct wish){.sni = about->target->host, .ttl_from = 1, .ttl_to = far_end});
}

static void examine_hello(struct experiment_plan *plan, const struct report *report, const struct symptom *symptom)
{
	bool is_first;
	size_t place = ladder_place(plan, symptom, &is_first);
	if (!is_first || place > OTHERS_MAX || !symptom->is_tls)
		return;
	if (place > 0)
		segment_size_confirm(plan, symptom);
	if (place >= LADDERS_MAX) {
		wish_short_ladder(plan, report, symptom);
		return;
	}
	wish_ladder(plan, report, symptom);
	if (place > 0 || symptom->via.scheme != VIA_DIRECT)
		return;
	examine_place(plan, symptom);
	wish_hello_walk(plan, report, symptom);
	if (symptom->kind == SYMPTOM_HELLO_CLOSED)
		reset_ttl_after_hello(plan, report, symptom);
	if (symptom->kind == SYMPTOM_HELLO_SILENT)
		segment_size_choose(plan, report, symptom);
}

/* ------------------------------------------------------------------ by kind */

static void examine_syn(struct experiment_plan *plan, const struct report *report, const struct symptom *symptom)
{
	const struct symptom *first = first_of_group(plan, symptom);
	if (symptom != first) {
		compare_with_first(plan, report, first, symptom);
		return;
	}
	wish_walks(plan, symptom);
	wish_echo(plan, report, symptom);
	if (symptom->kind == SYMPTOM_SYN_REJECTED)
		return;
	wish_connects(plan, symptom, EXPERIMENT_AGAIN, symptom->port, AGAIN_COUNT);
	wish_flow(plan, report, symptom);
	if (symptom->kind == SYMPTOM_SYN_SILENT)
		return;
	wish_connects(plan, symptom, EXPERIMENT_OTHER_PORT, other_port(symptom->port), 1);
	reset_ttl_choose(plan, report, symptom, other_port(symptom->port));
}

static void examine(struct experiment_plan *plan, const struct report *report, const struct symptom *symptom)
{
	bool is_first = first_of_group(plan, symptom) == symptom;
	switch (symptom->kind) {
	case SYMPTOM_SYN_SILENT:
	case SYMPTOM_SYN_REFUSED:
	case SYMPTOM_SYN_REJECTED:
		examine_syn(plan, report, symptom);
		return;
	case SYMPTOM_HELLO_SILENT:
	case SYMPTOM_HELLO_CLOSED:
		examine_hello(plan, report, symptom);
		return;
	case SYMPTOM_HANDSHAKE_STALLED:
		if (is_first && symptom->via.scheme == VIA_DIRECT)
			segment_size_choose(plan, report, symptom);
		wish_hello(plan, symptom, EXPERIMENT_TLS_REQUIRED_NAME, &(struct wish){0});
		return;
	case SYMPTOM_HANDSHAKE_CUT:
		wish_hello(plan, symptom, EXPERIMENT_TLS_1_2, &(struct wish){0});
		wish_hello(plan, symptom, EXPERIMENT_TLS_1_3, &(struct wish){0});
		return;
	case SYMPTOM_CLOSED_UNASKED:
	case SYMPTOM_REQUEST_SILENT:
	case SYMPTOM_REQUEST_CLOSED:
		if (is_first)
			examine_place(plan, symptom);
		return;
	}
}

void symptom_none(struct experiment_plan *plan, const struct symptom *healthy)
{
	size_t of_host = 0;
	for (size_t i = 0; i < plan->healthy_count; i++) {
		if (strcmp(plan->healthy[i]->address, healthy->address) == 0)
			return;
		of_host += same_text(plan->healthy[i]->target->host, healthy->target->host);
	}
	if (plan->healthy_count == HEALTHY_MAX || of_host == HEALTHY_PER_HOST)
		return;
	struct symptom *one = arena_alloc(plan->arena, sizeof(*one));
	*one = *healthy;
	one->paths = (struct path_list){0};
	one->is_acknowledged = false; /* nothing was said that got no answer */
	paths_join(plan->arena, &one->paths, &healthy->paths);
	plan->healthy[plan->healthy_count++] = one;
}

/* What stood when it was noted may have failed since. */
static const struct symptom *first_without_symptom(const struct experiment_plan *plan)
{
	for (size_t i = 0; i < plan->healthy_count; i++) {
		bool struck = false;
		for (size_t k = 0; k < plan->symptom_count; k++)
			struck |= same_end(plan->symptoms[k], plan->healthy[i]);
		if (!struck)
			return plan->healthy[i];
	}
	return NULL;
}

/* Two of different hosts at once: what the first one's host meets may come to light late. */
static void large_hellos_choose(struct experiment_plan *plan, const struct report *report)
{
	const struct symptom *well = first_without_symptom(plan);
	if (!well)
		return;
	for (size_t i = 0; i < plan->healthy_count; i++) {
		if (same_text(plan->healthy[i]->target->host, plan->healthy[0]->target->host))
			continue;
		large_hello_begin(plan, plan->healthy[i]);
		break;
	}
	large_hello_choose(plan, report, well);
}

static int64_t at_least(int64_t us, int64_t least_us, int64_t most_us)
{
	us = us < least_us ? least_us : us;
	return us > most_us ? most_us : us;
}

/* Some round trips of the slowest connection that stood. */
static void times_choose(struct experiment_plan *plan, const struct report *report)
{
	int64_t rtt_us = plan->rtt_us;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_TCP_CONNECT && one->failure == FAILURE_NONE && one->duration_us > rtt_us)
			rtt_us = one->duration_us;
	}
	int64_t unknown_us =
		plan->timeout_us / UNKNOWN_SHARE; /* of a slow way an answer may come after the second try */
	int64_t least_us = !rtt_us && unknown_us > PATIENCE_US ? unknown_us : PATIENCE_US;
	plan->patience_us = at_least(ROUND_TRIPS * rtt_us, least_us, plan->timeout_us);
	plan->quick_us = at_least(ROUND_TRIPS * rtt_us, QUICK_US, plan->timeout_us);
}

void experiments_choose(struct experiment_plan *plan, const struct report *report)
{
	times_choose(plan, report);
	large_hellos_choose(plan, report);
	loss_choose(plan, report);
	for (size_t i = 0; i < plan->symptom_count; i++)
		examine(plan, report, plan->symptoms[i]);
}
