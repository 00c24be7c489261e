#include "probe/engine/audit_run.h"

#include <string.h>
#include <uv.h>

#include "probe/core/arena.h"
#include "probe/core/walk_view.h"
#include "probe/engine/interrupts.h"
#include "probe/engine/missing_apis.h"
#include "probe/engine/walk.h"
#include "probe/os/os.h"
#include "probe/plan/audit.h"

enum {
	ASKS_AT_ONCE = 32,
	PATIENCE_LEAST_US = 600 * 1000,
	PATIENCE_MOST_US = 1800 * 1000, /* each of two tries ends before the system sends it again by itself */
	PATIENCE_ROUND_TRIPS = 6
};
enum { OTHER_PORT = 80, HTTPS_PORT = 443 };

struct auditor {
	struct report *report;
	const struct audit_options *options;
	uv_loop_t loop;
	uv_signal_t signals[INTERRUPTS];
	uv_timer_t pace, deadline;
	int64_t started_us, next_us; /* when the next packet may be sent */
	int64_t longest_us;	     /* round trip heard */
	bool first;		     /* nothing has come yet: the longest wait */
	const char *stopped;
	/* of the range at hand: */
	struct target *target;
	const struct path_list *paths;
	struct audit *audit;
	size_t walks_open;
};

/** One walk that is under way. */
struct asked {
	struct auditor *auditor;
	struct audit_ask ask;
	const char *address;
};

/* ------------------------------------------------------------------ what came */

static const char *experiment_of(enum audit_kind kind)
{
	static const char *const names[] = {
		[ASK_SYN] = "walk", [ASK_AGAIN] = "walk", [ASK_OTHER_PORT] = "walk_control", [ASK_UDP] = "walk_udp"};
	return names[kind];
}

static int port_of(const struct auditor *auditor, enum audit_kind kind)
{
	switch (kind) {
	case ASK_SYN:
	case ASK_AGAIN:
		return auditor->target->port;
	case ASK_OTHER_PORT:
		return auditor->target->port == HTTPS_PORT ? OTHER_PORT : HTTPS_PORT;
	case ASK_UDP:
		break;
	}
	return NOT_MEASURED;
}

static struct audit_hop hop_of(const struct observation *seen)
{
	if (!seen)
		return (struct audit_hop){ANSWER_UNASKED, NULL};
	struct walk_hop hop = walk_hop_of(seen);
	enum audit_answer answer = hop.reached			      ? ANSWER_REACHED
				   : hop.refused		      ? ANSWER_REFUSED
				   : hop.heard			      ? ANSWER_EXPIRED
				   : seen->failure == FAILURE_TIMEOUT ? ANSWER_SILENCE
								      : ANSWER_UNSENT;
	return (struct audit_hop){answer, hop.address};
}

static void on_walked(struct walk *walk, void *user)
{
	struct asked *asked = user;
	struct auditor *auditor = asked->auditor;
	struct audit_hop hops[AUDIT_TTLS + 1] = {0};
	bool unsent = false; /* what this system does not let out once, it lets out never */
	for (int ttl = asked->ask.ttl_from; ttl <= asked->ask.ttl_to; ttl++) {
		const struct observation *seen = walk_seen(walk, ttl);
		hops[ttl] = hop_of(seen);
		unsent |= hops[ttl].answer == ANSWER_UNSENT;
		if (unsent)
			hops[ttl].answer = ANSWER_UNSENT;
		if (hops[ttl].answer >= ANSWER_EXPIRED && seen->duration_us > auditor->longest_us)
			auditor->longest_us = seen->duration_us;
	}
	auditor->walks_open--;
	auditor->first = false;
	audit_told(auditor->audit, &asked->ask, hops, walk_packets(walk));
}

/* ------------------------------------------------------------------ sending */

static int64_t patience_us(const struct auditor *auditor)
{
	int64_t patience = PATIENCE_ROUND_TRIPS * auditor->longest_us;
	int64_t most =
		auditor->options->timeout_us < PATIENCE_MOST_US ? auditor->options->timeout_us : PATIENCE_MOST_US;
	if (auditor->first || patience > most)
		return most;
	return patience > PATIENCE_LEAST_US ? patience : PATIENCE_LEAST_US;
}

static void send_one(struct auditor *auditor, const struct audit_ask *ask)
{
	struct arena *arena = auditor->report->arena;
	struct asked *asked = arena_alloc(arena, sizeof(*asked));
	struct address address = address_add(&auditor->audit->range.base, ask->offset);
	char text[ADDRESS_TEXT_BYTES];
	*asked = (struct asked){auditor, *ask, arena_strdup(arena, address_format(&address, text))};
	struct walk_spec spec = {.address = asked->address,
				 .port = port_of(auditor, ask->kind),
				 .kind = ask->kind == ASK_UDP ? WALK_UDP : WALK_SYN,
				 .experiment = experiment_of(ask->kind),
				 .ttl_from = ask->ttl_from,
				 .ttl_to = ask->ttl_to,
				 .patience_us = patience_us(auditor),
				 .paths = auditor->paths};
	int packets = ask->ttl_to - ask->ttl_from + 1;
	if (auditor->options->rate > 0)
		auditor->next_us += (int64_t)(packets / auditor->options->rate * 1e6);
	auditor->walks_open++;
	walk_start(&auditor->loop, auditor->report, auditor->started_us, &spec, on_walked, asked);
}

static void send_some(struct auditor *auditor)
{
	struct audit_ask ask;
	int64_t now = os_monotonic_us();
	if (auditor->next_us < now)
		auditor->next_us = now;
	while (auditor->walks_open < ASKS_AT_ONCE && auditor->next_us <= now && audit_next(auditor->audit, &ask)) {
		send_one(auditor, &ask);
		if (!auditor->options->progress)
			continue;
		struct audit_progress progress = {auditor->target->name, auditor->audit->sent,
						  now - auditor->started_us};
		auditor->options->progress(&progress, auditor->options->progress_user);
	}
}

/* ------------------------------------------------------------------ the loop */

/* It may fire before the loop waits for sockets, which would then be for ever. */
static void on_pace(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void stop(struct auditor *auditor, enum end_reason reason, const char *why)
{
	if (auditor->stopped)
		return;
	auditor->report->run.end_reason = reason;
	auditor->stopped = why;
}

static void on_deadline(uv_timer_t *timer)
{
	stop(timer->data, END_DEADLINE, "deadline");
	uv_stop(timer->loop);
}

static void on_interrupt(uv_signal_t *signal, int number)
{
	(void)number;
	stop(signal->data, END_INTERRUPTED, "interrupted");
}

static void wait_a_turn(struct auditor *auditor)
{
	int64_t now = os_monotonic_us(), wait = auditor->next_us > now ? auditor->next_us - now : 0;
	uv_update_time(&auditor->loop);
	if (auditor->walks_open < ASKS_AT_ONCE && wait > 0)
		uv_timer_start(&auditor->pace, on_pace, (uint64_t)((wait + 999) / 1000), 0);
	uv_run(&auditor->loop, UV_RUN_ONCE);
}

static bool is_in(const struct audit_block *block, const struct observation *one, struct address *out)
{
	struct address first, last;
	return one->op == OP_TTL_PROBE && address_parse(one->ttl.tuple.dst, out) &&
	       address_parse(block->first, &first) && address_parse(block->last, &last) &&
	       address_compare(&first, out) <= 0 && address_compare(out, &last) <= 0;
}

/* The walks to its outermost addresses, and what was sent beside connection requests. */
static void add_evidence(struct report *report, struct audit_block *block)
{
	struct address first = {0}, last = {0}, address;
	const struct observation_list *seen = &report->observations;
	for (size_t i = 0; i < seen->count; i++) {
		if (!is_in(block, seen->items[i], &address) || seen->items[i]->ttl.ttl != 1)
			continue;
		if (!first.family || address_compare(&address, &first) < 0)
			first = address;
		if (!last.family || address_compare(&address, &last) > 0)
			last = address;
	}
	for (size_t i = 0; i < seen->count; i++) {
		struct observation *one = seen->items[i];
		bool shown = is_in(block, one, &address) &&
			     (address_equal(&address, &first) || address_equal(&address, &last) ||
			      strcmp(one->experiment, experiment_of(ASK_SYN)) != 0);
		if (shown)
			observation_list_add(report->arena, &block->evidence, one);
	}
}

static void record(struct auditor *auditor)
{
	struct report *report = auditor->report;
	struct sweep *sweep = report_add_sweep(report, auditor->target);
	struct sweep_audit *result = audit_result(report->arena, auditor->audit);
	for (size_t i = 0; i < result->block_count; i++)
		add_evidence(report, &result->blocks[i]);
	sweep->addresses = sweep->counts[SWEEP_UNTRIED] = auditor->audit->count;
	sweep->connects = result->probes;
	sweep->rate = (int64_t)auditor->options->rate;
	sweep->stopped = auditor->stopped;
	sweep->audit = result;
}

static const struct path_list *paths_of(struct report *report, const struct target *target)
{
	struct path_list *list = arena_alloc(report->arena, sizeof(*list));
	for (size_t i = 0; i < report->path_count; i++)
		if (report->paths[i]->target == target)
			path_list_add(report->arena, list, report->paths[i]);
	return list;
}

static void audit_one(struct auditor *auditor)
{
	while (!auditor->stopped && !audit_is_done(auditor->audit)) {
		send_some(auditor);
		if (!audit_is_done(auditor->audit))
			wait_a_turn(auditor);
	}
	if (auditor->stopped)
		audit_stop(auditor->audit);
	record(auditor);
}

bool audit_run(struct report *report, struct target *const *targets, size_t count, const struct audit_options *options,
	       struct err *err)
{
	struct auditor *auditor = xcalloc(1, sizeof(*auditor)); /* never freed, as its loop knows of the signals */
	struct audit *audits = arena_alloc(report->arena, (count + 1) * sizeof(*audits));
	struct prefix range;
	for (size_t i = 0; i < count; i++)
		if (!prefix_parse(targets[i]->cidr, &range) || !audit_begin(&audits[i], &range))
			return err_set(err, "%s: an audit takes ranges of at most 2^%d addresses", targets[i]->cidr,
				       AUDIT_HOST_BITS_MAX);
	auditor->report = report;
	auditor->options = options;
	auditor->started_us = os_monotonic_us();
	report->run.started_at_ms = os_wall_us() / 1000;
	report->run.end_reason = END_COMPLETE;
	int failed = uv_loop_init(&auditor->loop);
	if (failed)
		return err_set(err, "the event loop does not start: %s", uv_strerror(failed));
	os_files_max(); /* some hundred sockets are to be open at once */
	missing_apis_record(report);
	interrupts_start(&auditor->loop, auditor->signals, on_interrupt, auditor);
	uv_timer_init(&auditor->loop, &auditor->pace);
	uv_timer_init(&auditor->loop, &auditor->deadline);
	auditor->deadline.data = auditor;
	if (options->deadline_us)
		uv_timer_start(&auditor->deadline, on_deadline, (uint64_t)(options->deadline_us / 1000), 0);
	for (size_t i = 0; i < count; i++) {
		auditor->target = targets[i];
		auditor->audit = &audits[i];
		auditor->paths = paths_of(report, targets[i]);
		auditor->first = true;
		audit_one(auditor);
	}
	report->run.duration_us = os_monotonic_us() - auditor->started_us;
	report->run.ended_at_ms = report->run.started_at_ms + report->run.duration_us / 1000;
	return true;
}
