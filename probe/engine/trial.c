#include "probe/engine/legs.h"

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/dns_experiments.h"
#include "probe/engine/experiments.h"
#include "probe/engine/system_stack.h"
#include "probe/engine/system_trust.h"
#include "probe/os/os.h"

enum { BARE_CONNECT_LINGER_US = 1000 * 1000 };

struct transfer_spec trial_spec(const struct trial *trial, const char *url)
{
	const struct leg *leg = trial->leg->leg;
	struct transfer_spec spec = {
		.target = leg->target,
		.url = url,
		.via = leg->via,
		.address = trial->address,
	};
	if (trial->leg->target_name && trial->leg->target_name->lookup->count)
		spec.target_address = trial->leg->target_name->lookup->addresses[0].address;
	return spec;
}

static void observe(struct trial *trial, struct observation *observation)
{
	struct arena *arena = trial->run->report->arena;
	const struct leg *leg = trial->leg->leg;
	for (size_t i = 0; i < leg->paths.count; i++)
		path_list_add(arena, &observation->paths, leg->paths.items[i]);
	for (size_t i = 0; i < leg->unsigned_paths.count && !trial->unsigned_end.ended; i++)
		path_list_add(arena, &observation->paths, leg->unsigned_paths.items[i]);
	observation_list_add(arena, &trial->observations, observation);
}

void experiment_take(struct run *run, const struct transfer *transfer, const char *experiment,
		     const struct path_list *paths)
{
	struct arena *arena = run->report->arena;
	struct transfer_result result = *transfer_result(transfer);
	arena_adopt(arena, result.arena);
	for (size_t i = 0; i < result.observations.count; i++) {
		struct observation *observation = result.observations.items[i];
		report_take_observation(run->report, observation);
		observation->experiment = experiment;
		for (size_t k = 0; k < paths->count; k++)
			path_list_add(arena, &observation->paths, paths->items[k]);
	}
}

void trial_take(struct trial *trial, const struct transfer_result *result)
{
	struct report *report = trial->run->report;
	struct observation_list taken = result->observations;
	arena_adopt(report->arena, result->arena);
	for (size_t i = 0; i < taken.count; i++) {
		report_take_observation(report, taken.items[i]);
		observe(trial, taken.items[i]);
	}
	proxy_contrast_note(trial, result);
	wrong_address_note(trial, result);
	system_trust_take(trial, result);
}

static void on_transfer(struct transfer *transfer, void *user)
{
	struct trial *trial = user;
	struct transfer_result result = *transfer_result(transfer);
	trial->transfer = NULL;
	trial_take(trial, &result);
	experiments_note(trial, &result);
	trial_after(trial, &result);
}

void trial_transfer(struct trial *trial, const char *url)
{
	trial->url = url;
	if (login_transfer(trial))
		return;
	struct transfer_spec spec = trial_spec(trial, url);
	trial->transfer = transfer_start(trial->run->pool, &spec, on_transfer, trial);
}

static void on_sample(struct connect_probe *probe, void *user)
{
	struct trial *trial = user;
	(void)probe;
	trial->probe = NULL;
	trial_end(trial, trial->observations.items[0]->failure);
}

static void on_bare_connect(struct connect_probe *probe, void *user)
{
	struct trial *trial = user;
	(void)probe;
	trial->probe = NULL;
	trial_end(trial, trial->failure);
}

static struct connect_probe *connect_begin(struct trial *trial, const char *experiment, int64_t linger_us,
					   connect_done_cb done)
{
	struct run *run = trial->run;
	struct observation *observation = report_add_observation(run->report, OP_TCP_CONNECT);
	observation->experiment = experiment;
	observe(trial, observation);
	struct connect_spec spec = {.address = trial->address,
				    .port = trial->leg->leg->target->port,
				    .timeout_us = run->options->timeout_us,
				    .linger_us = linger_us};
	return connect_start(&run->loop, run->report->arena, observation, &spec, run->started_us, done, trial);
}

/* By the clock that never jumps, so that no attempt lies outside the run. */
static int64_t run_wall_ms(const struct run *run)
{
	return run->report->run.started_at_ms + (os_monotonic_us() - run->started_us) / 1000;
}

static void trial_begin(struct trial *trial)
{
	trial->begun = true;
	trial->started_at_ms = run_wall_ms(trial->run);
	trial->run->in_flight++;
	if (trial->leg->leg->target->kind == TARGET_CIDR) {
		trial->probe = connect_begin(trial, NULL, 0, on_sample);
		return;
	}
	proxy_contrast_begin(trial);
	system_stack_begin(trial);
	trial_transfer(trial, NULL);
}

/* Closed without a byte: was it our hello or request, or would any connection have been closed? A silent connection tells. */
static bool wants_bare_connect(const struct trial *trial, const struct transfer_result *result)
{
	bool closed = result->failure == FAILURE_CONNECTION_RESET || result->failure == FAILURE_EOF;
	return trial->run->options->experiments && closed && trial->leg->leg->via.scheme == VIA_DIRECT &&
	       (result->stage == STAGE_TLS || result->stage == STAGE_HTTP);
}

static bool is_expected_status(const struct target *target, const struct transfer_result *result)
{
	const struct observation_list *list = &result->observations;
	if (!list->count || list->items[list->count - 1]->op != OP_HTTP_EXCHANGE)
		return false;
	int status = list->items[list->count - 1]->http.status;
	for (size_t i = 0; i < target->expect.status_count; i++)
		if (target->expect.status[i] == status)
			return true;
	return false;
}

/* A redirect is followed on the same host only: other hosts are not ours to contact, and the Location is evidence enough. An expected one
 * needs no following, unless it leads nowhere but to itself. */
static bool wants_redirect(struct trial *trial, const struct transfer_result *result)
{
	struct url url;
	const struct target *target = trial->leg->leg->target;
	if (!result->location || trial->redirects >= REDIRECTS_MAX)
		return false;
	if (is_expected_status(target, result) && strcmp(result->location, target->url) != 0)
		return false;
	return url_parse(trial->run->report->arena, result->location, &url) && strcmp(url.host, target->host) == 0;
}

/* The leg goes on with credentials: what may not offer them stays where it is. */
static void end_unsigned(struct trial *trial)
{
	trial->unsigned_end.ended = true;
	trial->unsigned_end.ended_at_ms = run_wall_ms(trial->run);
	trial->unsigned_end.failure = trial->failure;
	trial->unsigned_end.observations = trial->observations;
}

void trial_after(struct trial *trial, const struct transfer_result *result)
{
	struct run *run = trial->run;
	trial->failure = result->failure;
	if (run->ending != FAILURE_NONE) {
		trial_end(trial, result->failure);
		return;
	}
	if (system_trust_is_asked(trial, result))
		return;
	if (login_is_wanted(run->report->arena, result) && trial->leg->leg->credentials != CREDENTIALS_NONE &&
	    !trial->login) {
		const struct observation_list *list = &result->observations;
		end_unsigned(trial);
		login_ask(trial, &list->items[list->count - 1]->proxy.schemes, result->failure);
	} else if (wants_redirect(trial, result)) {
		trial->redirects++;
		trial_transfer(trial, result->location);
	} else if (wants_bare_connect(trial, result)) {
		int64_t linger = run->options->timeout_us < BARE_CONNECT_LINGER_US ? run->options->timeout_us
										   : BARE_CONNECT_LINGER_US;
		trial->probe = connect_begin(trial, "bare_connect", linger, on_bare_connect);
	} else {
		trial_end(trial, result->failure);
	}
}

/* Begin queued trials while --parallel allows. */
static void trials_pump(struct run *run)
{
	while (run->queue_head && run->ending == FAILURE_NONE && run->in_flight < run->parallel) {
		struct trial *trial = run->queue_head;
		run->queue_head = trial->next_queued;
		if (!run->queue_head)
			run->queue_tail = NULL;
		trial_begin(trial);
	}
}

void trial_add(struct leg_state *leg, const char *address, enum found_by found_by)
{
	struct run *run = leg->run;
	struct arena *arena = run->report->arena;
	struct trial *trial = arena_alloc(arena, sizeof(*trial));
	trial->run = run;
	trial->leg = leg;
	trial->address = arena_strdup(arena, address);
	trial->found_by = found_by;
	leg->trials = arena_grow(arena, leg->trials, &leg->trial_capacity, leg->trial_count, sizeof(struct trial *));
	leg->trials[leg->trial_count++] = trial;
	leg->trials_open++;
	if (run->queue_tail)
		run->queue_tail->next_queued = trial;
	else
		run->queue_head = trial;
	run->queue_tail = trial;
	trials_pump(run);
}

void trial_end(struct trial *trial, enum failure failure)
{
	struct run *run = trial->run;
	trial->failure = failure;
	trial->ended = true;
	trial->ended_at_ms = run_wall_ms(run);
	if (trial->begun)
		run->in_flight--;
	else
		trial->started_at_ms = trial->ended_at_ms;
	trial->leg->trials_open--;
	system_stack_note(trial);
	leg_check(trial->leg);
	dns_experiments_note_trial(trial);
	trials_pump(run);
}

void trial_cut(struct trial *trial, enum failure failure)
{
	if (trial->ended)
		return;
	if (trial->transfer)
		transfer_cancel(trial->transfer, failure);
	else if (trial->probe)
		connect_cancel(trial->probe, failure);
	else if (trial->worker)
		worker_cancel(trial->worker, failure);
	else
		trial_end(trial, failure);
}
