#include "probe/engine/sweep.h"

#include <uv.h>

#include "probe/core/arena.h"
#include "probe/engine/interrupts.h"
#include "probe/engine/sweep_try.h"
#include "probe/os/os.h"
#include "probe/plan/sweep_guard.h"
#include "probe/plan/sweep_pace.h"

enum {
	PROGRESS_EVERY_MS = 200,
	SENT_AT_ONCE = 128, /* in one turn of the loop: answers are not to wait for long, or they look late */
	PARALLEL_LEAST = 16,
	WINDOW_FIRST = 1024,
	WINDOW_LEAST = 64,	      /* if that is too many, there is a limit */
	STARVED_WAIT_US = 100 * 1000, /* until this system may have a socket again */
	FILES_KEPT = 64,	      /* for all else that this process has open */
	SAMPLE_MOST_US = 900 * 1000,  /* a later one may be the answer to what the system sent again: RFC 6298 3 */
	LONGEST_WAIT_US = 3 * 1000 * 1000,
	RATE_WINDOW_US = 1000 * 1000
};

/** Why a request is made. */
enum purpose { PURPOSE_ADDRESS, PURPOSE_CONTROL, PURPOSE_CHECK };

struct sweeper {
	struct report *report;
	struct sweep_part *parts;
	size_t part_count;
	const struct sweep_options *options;
	uv_loop_t loop;
	uv_signal_t signals[INTERRUPTS];
	uv_timer_t wake;
	int64_t started_us, progress_us;
	struct sweep_tries tries;
	unsigned parallel; /* as many as this system can have open */
	unsigned window;   /* in flight: without a rate as many as the way bears, which the guard's controls tell */

	enum { SENDING, PAUSING, CHECKING, OVER } state;
	const char *stopped;
	struct sweep_order order;
	int round;
	uint32_t total, known, open, silent; /* silent: in this round */
	int64_t first, later;		     /* answers by TCP: in the first round, in later ones */
	int64_t told_first, told_later;	     /* the same of ICMP errors, which devices send only so many of */
	struct sweep_rtt rtt;
	struct sweep_pacer pacer;
	struct sweep_guard guard;
	int64_t slowed_us; /* what was sent before says nothing of the window since */
	int64_t pause_until_us, check_at_us;
	unsigned checks_sent;
	int64_t window_us, window_sent, rate_seen; /* requests since then; of the last whole window, a second */
};

static struct sweep_part *locate(const struct sweeper *sweeper, uint32_t number, uint32_t *offset)
{
	struct sweep_part *part = sweeper->parts;
	while (number >= part->map.count)
		number -= part++->map.count;
	*offset = number;
	return part;
}

static bool is_known(const struct sweeper *sweeper, uint32_t number)
{
	uint32_t offset;
	const struct sweep_part *part = locate(sweeper, number, &offset);
	return sweep_map_state(&part->map, offset) != SWEEP_UNTRIED;
}

static void stop(struct sweeper *sweeper, const char *why)
{
	if (sweeper->state == OVER)
		return;
	sweeper->state = OVER;
	sweeper->stopped = why;
}

/* ------------------------------------------------------------------ the rate that was reached */

/* The window is over; too short a one tells nothing. */
static void rate_note(struct sweeper *sweeper, int64_t now)
{
	if (now - sweeper->window_us >= RATE_WINDOW_US / 10)
		sweeper->rate_seen = sweeper->window_sent * 1000000 / (now - sweeper->window_us);
	sweeper->window_us = now;
	sweeper->window_sent = 0;
}

static void rate_count(struct sweeper *sweeper, int64_t now)
{
	sweeper->window_sent++;
	if (now - sweeper->window_us >= RATE_WINDOW_US)
		rate_note(sweeper, now);
}

/* ------------------------------------------------------------------ the guard */

/* Without a rate our own haste is the first thing to give up. */
static bool slow_down(struct sweeper *sweeper)
{
	if (sweeper->options->rate > 0 || sweeper->window <= WINDOW_LEAST)
		return false;
	sweeper->window = sweeper->window / 2 > WINDOW_LEAST ? sweeper->window / 2 : WINDOW_LEAST;
	guard_forget(&sweeper->guard);
	sweeper->slowed_us = os_monotonic_us();
	return true;
}

static void follow_guard(struct sweeper *sweeper, enum guard_answer answer)
{
	switch (answer) {
	case GUARD_FINE:
		break;
	case GUARD_SUSPECT:
		if (sweeper->state == OVER || (sweeper->state == SENDING && slow_down(sweeper)))
			break;
		if (sweeper->state == SENDING)
			rate_note(sweeper, os_monotonic_us());
		sweeper->state = PAUSING;
		sweeper->pause_until_us = os_monotonic_us() + guard_pause_us(&sweeper->guard);
		break;
	case GUARD_RATE_LIMITED:
		stop(sweeper, "rate_limited");
		break;
	case GUARD_SILENCED:
		stop(sweeper, "silenced");
		break;
	}
}

static void check_over(struct sweeper *sweeper, bool answered)
{
	follow_guard(sweeper, guard_checked(&sweeper->guard, answered));
	if (sweeper->state != CHECKING || !guard_checks_done(&sweeper->guard))
		return;
	sweeper->state = SENDING;
	sweeper->window_us = os_monotonic_us();
}

static void control_over(struct sweeper *sweeper, const struct sweep_try *one, bool answered)
{
	if (sweeper->state == SENDING && one->sent_us > sweeper->slowed_us)
		follow_guard(sweeper, guard_control(&sweeper->guard, answered));
}

/* ------------------------------------------------------------------ answers */

/* An answer that is late is one: whoever was asked once more by then has answered twice. */
static void address_over(struct sweeper *sweeper, const struct sweep_try *one, const struct sweep_kind *kind)
{
	uint32_t offset;
	struct sweep_map *map = &locate(sweeper, one->number, &offset)->map;
	bool by_tcp = kind->state == SWEEP_OPEN || kind->state == SWEEP_REFUSED;
	if (kind->state == SWEEP_UNTRIED || sweep_map_state(map, offset) != SWEEP_UNTRIED)
		return;
	sweep_map_set(sweeper->report->arena, map, offset, kind);
	sweeper->known++;
	sweeper->open += kind->state == SWEEP_OPEN;
	if (one->late && one->round == sweeper->round)
		sweeper->silent--;
	int64_t *first = by_tcp ? &sweeper->first : &sweeper->told_first;
	int64_t *later = by_tcp ? &sweeper->later : &sweeper->told_later;
	*(one->round == 1 ? first : later) += 1;
	if (by_tcp)
		guard_known(&sweeper->guard, one->number);
}

static void on_try_over(struct sweep_try *one, const struct sweep_kind *kind, void *user)
{
	struct sweeper *sweeper = user;
	int64_t took_us = os_monotonic_us() - one->sent_us;
	bool by_tcp = kind->state == SWEEP_OPEN || kind->state == SWEEP_REFUSED;
	bool answered = kind->state != SWEEP_UNTRIED && kind->state != SWEEP_NOT_SENT;
	/* a router on the way is nearer than those who are asked: its word counts only as long as there is no other */
	if (took_us < SAMPLE_MOST_US && (by_tcp || (answered && !sweeper->first)))
		sweep_rtt_heard(&sweeper->rtt, took_us);
	sweeper->window += !one->late && sweeper->window < sweeper->parallel;
	switch ((enum purpose)one->purpose) {
	case PURPOSE_ADDRESS:
		address_over(sweeper, one, kind);
		break;
	case PURPOSE_CONTROL:
		if (!one->late)
			control_over(sweeper, one, by_tcp);
		break;
	case PURPOSE_CHECK:
		check_over(sweeper, by_tcp);
		break;
	}
}

/* Nothing in time. A control that is late has met a crowded way: that is enough to know. */
static void on_try_lapsed(struct sweep_try *one, void *user)
{
	struct sweeper *sweeper = user;
	sweeper->window += sweeper->window < sweeper->parallel;
	switch ((enum purpose)one->purpose) {
	case PURPOSE_ADDRESS:
		sweeper->silent++;
		break;
	case PURPOSE_CONTROL:
		control_over(sweeper, one, false);
		break;
	case PURPOSE_CHECK:
		break;
	}
}

/* ------------------------------------------------------------------ sending */

/* False where this system can have no more sockets just now. */
static bool send_to(struct sweeper *sweeper, uint32_t number, enum purpose purpose)
{
	uint32_t offset;
	struct sweep_part *part = locate(sweeper, number, &offset);
	struct sweep_try one = {.address = sweep_map_address(&part->map, offset),
				.number = number,
				.purpose = (unsigned char)purpose,
				.round = (unsigned char)sweeper->round};
	if (!sweep_try_send(&sweeper->tries, &one, part->target->port))
		return false;
	part->connects++;
	if (purpose != PURPOSE_CHECK)
		rate_count(sweeper, os_monotonic_us());
	return true;
}

/* The next address of the round that nobody knows of; false at its end. */
static bool next_unknown(struct sweeper *sweeper, uint32_t *number)
{
	while (sweep_order_next(&sweeper->order, number))
		if (!is_known(sweeper, *number))
			return true;
	return false;
}

/* False at the round's end, and where this system has no socket for it: then there may be fewer at once. */
static bool send_one(struct sweeper *sweeper)
{
	uint32_t number;
	if (!sweep_order_is_done(&sweeper->order) && guard_wants_control(&sweeper->guard, &number))
		return send_to(sweeper, number, PURPOSE_CONTROL);
	if (!next_unknown(sweeper, &number))
		return false;
	if (send_to(sweeper, number, PURPOSE_ADDRESS))
		return true;
	sweep_order_back(&sweeper->order, number);
	sweeper->parallel =
		sweeper->tries.waiting.count > PARALLEL_LEAST ? sweeper->tries.waiting.count : PARALLEL_LEAST;
	return false;
}

static void round_over(struct sweeper *sweeper)
{
	if (sweeper->round > 1)
		follow_guard(sweeper, guard_round(&sweeper->guard, sweeper->first, sweeper->later));
	if (sweeper->state != SENDING)
		return; /* it is over anew when the doubt is gone */
	if (!sweep_asks_again(sweeper->round, sweeper->first, sweeper->later, sweeper->silent) &&
	    !sweep_asks_again(sweeper->round, sweeper->told_first, sweeper->told_later, sweeper->silent)) {
		sweeper->state = OVER;
		return;
	}
	sweeper->round++;
	sweeper->silent = 0;
	sweeper->order = sweep_order_new(sweeper->total);
}

static int64_t min_us(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Send what may be sent; returns how long nothing more is to be sent. */
static int64_t send_some(struct sweeper *sweeper, int64_t now)
{
	unsigned most = sweeper->window < sweeper->parallel ? sweeper->window : sweeper->parallel;
	unsigned room = most > sweeper->tries.waiting.count ? most - sweeper->tries.waiting.count : 0;
	unsigned count = sweep_pacer_take(&sweeper->pacer, now, room < SENT_AT_ONCE ? room : SENT_AT_ONCE);
	unsigned sent = 0;
	while (sent < count && sweeper->state == SENDING && send_one(sweeper))
		sent++;
	if (sweeper->state == SENDING && sweep_order_is_done(&sweeper->order) && !sweeper->tries.waiting.count) {
		round_over(sweeper);
		return 0;
	}
	if (sweep_order_is_done(&sweeper->order) || sweeper->tries.waiting.count >= most)
		return sweeper->tries.waiting.count ? LONGEST_WAIT_US : 0;
	if (sent < count)
		return STARVED_WAIT_US;
	return sweep_pacer_wait_us(&sweeper->pacer, now);
}

static int64_t check_some(struct sweeper *sweeper, int64_t now)
{
	if (sweeper->checks_sent == GUARD_CHECKS)
		return LONGEST_WAIT_US;
	if (now >= sweeper->check_at_us) {
		sweeper->check_at_us = now + GUARD_CHECK_GAP_MS * 1000;
		sweeper->checks_sent++;
		if (!send_to(sweeper, guard_check_whom(&sweeper->guard), PURPOSE_CHECK))
			check_over(sweeper, false);
	}
	return sweeper->check_at_us - now;
}

static int64_t pause_some(struct sweeper *sweeper, int64_t now)
{
	if (now < sweeper->pause_until_us || sweeper->tries.waiting.count)
		return sweeper->pause_until_us > now ? sweeper->pause_until_us - now : LONGEST_WAIT_US;
	sweeper->state = CHECKING;
	sweeper->checks_sent = 0;
	sweeper->check_at_us = now;
	return 0;
}

/* ------------------------------------------------------------------ the loop */

static void show_progress(struct sweeper *sweeper, int64_t now)
{
	if (!sweeper->options->progress || now - sweeper->progress_us < PROGRESS_EVERY_MS * 1000)
		return;
	sweeper->progress_us = now;
	struct sweep_progress progress = {.total = sweeper->total,
					  .known = sweeper->known,
					  .open = sweeper->open,
					  .silent = sweeper->silent,
					  .round = sweeper->round,
					  .elapsed_us = now - sweeper->started_us,
					  .paused = sweeper->state != SENDING};
	progress.left_us =
		sweep_left_us(sweeper->options->rate, sweeper->round, sweeper->order.count - sweeper->order.done,
			      sweeper->silent, sweep_rtt_timeout_us(&sweeper->rtt, sweeper->round));
	sweeper->options->progress(&progress, sweeper->options->progress_user);
}

/* It may fire before the loop waits for sockets, which would then be for ever. */
static void on_wake(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void on_interrupt(uv_signal_t *signal, int number)
{
	(void)number;
	struct sweeper *sweeper = signal->data;
	if (sweeper->state != OVER)
		sweeper->report->run.end_reason = END_INTERRUPTED;
	stop(sweeper, "interrupted");
}

static void deadline_look(struct sweeper *sweeper, int64_t now)
{
	if (!sweeper->options->deadline_us || now - sweeper->started_us < sweeper->options->deadline_us)
		return;
	if (sweeper->state != OVER)
		sweeper->report->run.end_reason = END_DEADLINE;
	stop(sweeper, "deadline");
}

/* One turn: end what waits too long, send what may be sent, and sleep until the next of either, or an answer. */
static void turn(struct sweeper *sweeper)
{
	int64_t now = os_monotonic_us(), wait = 0;
	int64_t next = sweep_tries_expire(&sweeper->tries, now, sweep_rtt_timeout_us(&sweeper->rtt, sweeper->round));
	if (sweeper->state == SENDING)
		wait = send_some(sweeper, now);
	else if (sweeper->state == PAUSING)
		wait = pause_some(sweeper, now);
	else if (sweeper->state == CHECKING)
		wait = check_some(sweeper, now);
	deadline_look(sweeper, now);
	show_progress(sweeper, now);
	if (sweeper->state == OVER)
		return;
	wait = min_us(wait, next);
	if (sweeper->options->progress)
		wait = min_us(wait, PROGRESS_EVERY_MS * 1000);
	if (sweeper->options->deadline_us)
		wait = min_us(wait, sweeper->started_us + sweeper->options->deadline_us - now);
	uv_update_time(&sweeper->loop);
	uv_timer_start(&sweeper->wake, on_wake, wait > 0 ? (uint64_t)((wait + 999) / 1000) : 0, 0);
	uv_run(&sweeper->loop, UV_RUN_ONCE);
}

/* ------------------------------------------------------------------ the end and the start */

/* Silent at every try. */
static void mark_silent(struct sweeper *sweeper, struct sweep_map *map)
{
	const struct sweep_kind filtered = {SWEEP_FILTERED, NULL, NOT_MEASURED, NOT_MEASURED};
	for (uint32_t i = 0; i < map->count; i++)
		if (sweep_map_state(map, i) == SWEEP_UNTRIED)
			sweep_map_set(sweeper->report->arena, map, i, &filtered);
}

static void record(struct sweeper *sweeper, struct sweep_part *part)
{
	struct sweep *sweep = report_add_sweep(sweeper->report, part->target);
	if (!sweeper->stopped)
		mark_silent(sweeper, &part->map);
	sweep->connects = part->connects;
	sweep->loss = sweep_loss(sweeper->first, sweeper->later);
	sweep->tries = sweeper->round;
	sweep->rtt_us = sweeper->rtt.srtt_us;
	sweep->timeout_us = sweep_rtt_timeout_us(&sweeper->rtt, 1);
	sweep->rate = (int64_t)sweeper->options->rate;
	sweep->rate_seen = sweeper->rate_seen;
	sweep->stopped = sweeper->stopped;
	sweep_map_fold(sweeper->report->arena, &part->map, sweep);
}

static void count_known(struct sweeper *sweeper)
{
	for (size_t i = 0; i < sweeper->part_count; i++) {
		const struct sweep_map *map = &sweeper->parts[i].map;
		sweeper->total += map->count;
		for (uint32_t k = 0; k < map->count; k++)
			sweeper->known += sweep_map_state(map, k) != SWEEP_UNTRIED;
	}
}

bool sweep_run(struct report *report, struct sweep_part *parts, size_t count, const struct sweep_options *options,
	       struct err *err)
{
	struct sweeper *sweeper = xcalloc(1, sizeof(*sweeper)); /* never freed, as its loop knows of the signals */
	size_t files = os_files_max();
	sweeper->report = report;
	sweeper->parts = parts;
	sweeper->part_count = count;
	sweeper->options = options;
	sweeper->started_us = sweeper->window_us = os_monotonic_us();
	sweeper->rate_seen = NOT_MEASURED;
	report->run.started_at_ms = os_wall_us() / 1000;
	report->run.end_reason = END_COMPLETE;
	int failed = uv_loop_init(&sweeper->loop);
	if (failed)
		return err_set(err, "the event loop does not start: %s", uv_strerror(failed));
	interrupts_start(&sweeper->loop, sweeper->signals, on_interrupt, sweeper);
	uv_timer_init(&sweeper->loop, &sweeper->wake);
	unsigned open_most = files > 2 * FILES_KEPT ? (unsigned)files - FILES_KEPT : FILES_KEPT;
	sweeper->tries = (struct sweep_tries){.loop = &sweeper->loop,
					      .lapsed = on_try_lapsed,
					      .over = on_try_over,
					      .user = sweeper,
					      .open_most = open_most};
	sweep_tries_begin(&sweeper->tries);
	sweeper->parallel = options->parallel < open_most ? options->parallel : open_most;
	sweeper->window = options->rate > 0 ? sweeper->parallel : WINDOW_FIRST;
	sweeper->rtt = sweep_rtt_new(min_us(options->timeout_us, LONGEST_WAIT_US));
	sweeper->pacer = sweep_pacer_new(options->rate, sweeper->started_us);
	count_known(sweeper);
	sweeper->order = sweep_order_new(sweeper->total);
	sweeper->round = 1;
	while (sweeper->state != OVER)
		turn(sweeper);
	sweep_tries_end(&sweeper->tries);
	if (sweeper->rate_seen == NOT_MEASURED)
		rate_note(sweeper, os_monotonic_us());
	for (size_t i = 0; i < count; i++)
		record(sweeper, &parts[i]);
	report->run.duration_us = os_monotonic_us() - sweeper->started_us;
	report->run.ended_at_ms = report->run.started_at_ms + report->run.duration_us / 1000;
	return true;
}
