#include "probe/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/autoproxy.h"
#include "probe/engine/dns_experiments.h"
#include "probe/engine/experiments.h"
#include "probe/engine/interrupts.h"
#include "probe/engine/legs.h"
#include "probe/engine/machine.h"
#include "probe/engine/system_run.h"
#include "probe/engine/system_trust.h"
#include "probe/os/os.h"

enum { PROGRESS_EVERY_MS = 100 };

static void run_cut(struct run *run, enum end_reason reason, enum failure failure)
{
	if (run->ending != FAILURE_NONE)
		return;
	run->report->run.end_reason = reason;
	legs_cut(run, failure);
	system_run_cut(run);
}

static void on_deadline(uv_timer_t *timer)
{
	run_cut(timer->data, END_DEADLINE, FAILURE_DEADLINE);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	run_cut(handle->data, END_INTERRUPTED, FAILURE_INTERRUPTED);
}

/* ------------------------------------------------------------------ the switch */

struct engine_switch {
	uv_mutex_t lock;
	bool pressed;
	bool attached; /* a loop listens to async */
	uv_async_t async;
};

struct engine_switch *engine_switch_new(void)
{
	struct engine_switch *stop = xcalloc(1, sizeof(*stop));
	uv_mutex_init(&stop->lock);
	return stop;
}

void engine_switch_press(struct engine_switch *stop)
{
	uv_mutex_lock(&stop->lock);
	stop->pressed = true;
	if (stop->attached)
		uv_async_send(&stop->async);
	uv_mutex_unlock(&stop->lock);
}

static void on_switch(uv_async_t *async)
{
	run_cut(async->data, END_INTERRUPTED, FAILURE_INTERRUPTED);
}

/* Like the loop that it belongs to, the handle is never closed. */
static void switch_attach(struct run *run)
{
	struct engine_switch *stop = run->options->stop;
	if (!stop || uv_async_init(&run->loop, &stop->async, on_switch) != 0)
		return;
	stop->async.data = run;
	uv_mutex_lock(&stop->lock);
	stop->attached = true;
	if (stop->pressed)
		uv_async_send(&stop->async);
	uv_mutex_unlock(&stop->lock);
}

/* ------------------------------------------------------------------ the run */

static void on_progress(uv_timer_t *timer)
{
	struct run *run = timer->data;
	struct engine_progress progress = {
		.paths_total = run->leg_count,
		.paths_done = run->legs_done,
		.in_flight = run->in_flight,
		.elapsed_us = os_monotonic_us() - run->started_us,
	};
	run->options->progress(&progress, run->options->progress_user);
}

static void resolver_prepare(struct run *run)
{
	struct resolver *resolver = &run->resolver;
	resolver->loop = &run->loop;
	resolver->report = run->report;
	resolver->run_started_us = run->started_us;
	resolver->timeout_us = run->options->timeout_us;
	resolver->experiments = run->options->experiments;
	resolver->control = run->options->control_resolver;
	resolver_use(resolver, run->options->resolvers);
}

/* Half of the sockets that we may have is for look-ups and workers: our own haste must not look like a fault of this server. */
static unsigned parallel_of(const struct engine_options *options)
{
	size_t most = os_files_max() / 2;
	if (options->parallel <= most)
		return options->parallel;
	return most ? (unsigned)most : 1;
}

static bool run_open(struct run *run, struct err *err)
{
	int failed = uv_loop_init(&run->loop);
	if (failed)
		return err_set(err, "the event loop does not start: %s", uv_strerror(failed));
	/* before anything slow, such as reading the trust anchors: they take effect when the loop runs */
	interrupts_start(&run->loop, run->signals, on_signal, run);
	if (!trust_open(&run->trust, run->report->arena, run->options->ca, err))
		return false;
	run->trust.service_roots = run->report->run.service_roots;
	run->pool_options = (struct transfer_pool_options){
		.loop = &run->loop,
		.trust = &run->trust,
		.run_started_us = run->started_us,
		.timeout_us = run->options->timeout_us,
		.keep_chains = run->trust.of_system,
		.chain_came = system_trust_chain_came,
		.chain_user = run,
	};
	run->pool = transfer_pool_new(&run->pool_options);
	if (!run->pool)
		return err_set(err, "libcurl does not start");
	resolver_prepare(run);
	return true;
}

static void timers_start(struct run *run)
{
	uv_timer_init(&run->loop, &run->deadline_timer);
	run->deadline_timer.data = run;
	uv_timer_start(&run->deadline_timer, on_deadline, (uint64_t)(run->options->deadline_us / 1000), 0);
	uv_timer_init(&run->loop, &run->progress_timer);
	run->progress_timer.data = run;
	if (run->options->progress)
		uv_timer_start(&run->progress_timer, on_progress, PROGRESS_EVERY_MS, PROGRESS_EVERY_MS);
}

static void times_write(struct run *run)
{
	struct report *report = run->report;
	report->run.duration_us = os_monotonic_us() - run->started_us;
	report->run.ended_at_ms = report->run.started_at_ms + report->run.duration_us / 1000;
	report_measure_clock(report);
}

bool engine_run(struct report *report, struct plan *plan, const struct engine_options *options, struct err *err)
{
	/* Never freed, and its loop never closed: a helper thread that hangs in a library may still look at it. */
	struct run *run = xcalloc(1, sizeof(*run));
	run->report = report;
	run->plan = plan;
	run->options = options;
	run->parallel = parallel_of(options);
	run->started_us = os_monotonic_us();
	report->run.started_at_ms = os_wall_us() / 1000;
	report->run.end_reason = END_COMPLETE;
	if (!run_open(run, err))
		return false; /* nor here: its loop knows of the signals */
	switch_attach(run);
	timers_start(run);
	system_run_begin(run);
	autoproxy_start(run);
	dns_experiments_start(run);
	experiments_start(run);
	legs_start(run);
	local_facts_record(run);
	machine_facts_record(run);
	while ((run->questions_open || run->system_proxy || run->legs_done < run->leg_count || run->resolver.open ||
		run->contrasts_open || run->dns_experiments_open || experiments_open(run) || run->stack_checks_open ||
		run->system_open) &&
	       uv_run(&run->loop, UV_RUN_ONCE))
		;
	uv_timer_stop(&run->progress_timer);
	experiments_finish(run);
	system_run_absorb(run);
	machine_routes_record(run);
	times_write(run);
	return true;
}
