#include "probe/engine/system_stack.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/blocking.h"
#include "probe/os/os.h"
#include "probe/os/os_stack.h"

enum { STACK_THREADS_MAX = 16, PATIENCE_SHARE = 5, ABANDON_AFTER_US = 500 * 1000 };

/** What the thread gets and gives: all its own. */
struct stack_job {
	char *url, *proxy;
	int timeout_ms;
	bool answered;
	struct os_http_answer answer;
};

/** One target by one way. */
struct stack_check {
	struct stack_check *next;
	struct run *run;
	const struct target *target;
	const char *via;   /* "DIRECT", "PROXY host:port" */
	const char *proxy; /* "http://host:port", or NULL */
	struct path_list paths;
	struct observation *observation; /* of the answer; NULL before it, or if there is none */
	uv_timer_t timer;		 /* until it is wanted; then until it is too late to ask */
	enum { CHECK_IDLE, CHECK_WANTED, CHECK_OPEN, CHECK_DONE } state;
	struct stack_job *job; /* the thread's */
	struct blocking *blocking;
	int64_t wanted_us, started_us;
	enum failure cut; /* why it was given up; NONE: it was too slow */
};

/* ------------------------------------------------------------------ the thread */

static void job_run(void *data)
{
	struct stack_job *job = data;
	struct os_http_request request = {.url = job->url, .proxy = job->proxy, .timeout_ms = job->timeout_ms};
	job->answered = os_http_get(&request, &job->answer);
}

static void job_free(void *data)
{
	struct stack_job *job = data;
	free(job->url);
	free(job->proxy);
	free(job);
}

/* ------------------------------------------------------------------ the answer */

static enum failure failure_of(enum os_http_problem problem)
{
	switch (problem) {
	case OS_HTTP_ANSWERED:
		return FAILURE_NONE;
	case OS_HTTP_TIMED_OUT:
		return FAILURE_TIMEOUT;
	case OS_HTTP_NAME_UNKNOWN:
		return FAILURE_DNS_OTHER;
	case OS_HTTP_CANNOT_CONNECT: /* refused, unreachable or silent: it does not say */
	case OS_HTTP_OTHER:
		break;
	case OS_HTTP_CLOSED:
		return FAILURE_CONNECTION_RESET;
	case OS_HTTP_UNKNOWN_AUTHORITY:
		return FAILURE_SSL_UNKNOWN_AUTHORITY;
	case OS_HTTP_WRONG_NAME:
		return FAILURE_SSL_INVALID_HOSTNAME;
	case OS_HTTP_BAD_CERTIFICATE:
		return FAILURE_SSL_INVALID_CERTIFICATE;
	case OS_HTTP_NO_HANDSHAKE:
		return FAILURE_SSL_FAILED_HANDSHAKE;
	case OS_HTTP_NO_HTTP:
		return FAILURE_HTTP_MALFORMED;
	}
	return FAILURE_UNKNOWN;
}

static struct observation *observe(struct stack_check *check)
{
	struct run *run = check->run;
	struct report *report = run->report;
	struct observation *observation = report_add_observation(report, OP_HTTP_EXCHANGE);
	observation->experiment = "system_stack";
	observation->start_us = check->started_us - run->started_us;
	observation->duration_us = os_monotonic_us() - check->started_us;
	observation->http.tuple.proto = "tcp";
	observation->http.method = "GET";
	observation->http.url = url_for_report(report->arena, check->target->url);
	observation->http.by_proxy = check->proxy && strncmp(check->target->url, "http:", 5) == 0;
	for (size_t i = 0; i < check->paths.count; i++)
		path_list_add(report->arena, &observation->paths, check->paths.items[i]);
	check->observation = observation;
	return observation;
}

static void record_answer(struct stack_check *check, const struct os_http_answer *answer)
{
	struct arena *arena = check->run->report->arena;
	struct observation *observation = observe(check);
	observation->failure = failure_of(answer->problem);
	if (answer->status)
		observation->http.status = answer->status;
	if (answer->name[0])
		observation->os_error = arena_strdup(arena, answer->name);
	if (answer->words[0])
		observation->http.error = arena_strdup(arena, answer->words);
}

static void record_silence(struct stack_check *check)
{
	struct observation *observation = observe(check);
	observation->failure = check->cut == FAILURE_NONE ? FAILURE_TIMEOUT : check->cut;
	if (check->cut == FAILURE_NONE)
		observation->http.error = "the system's own HTTP client did not come to an end in time";
}

static void checks_pump(struct run *run);

/* A thread that is abandoned may hang for long: it keeps its place among those that there may be. */
static void on_answer(enum blocking_end end, void *user)
{
	struct stack_check *check = user;
	struct run *run = check->run;
	check->state = CHECK_DONE;
	check->blocking = NULL;
	run->stack_checks_open--;
	if (end != BLOCKING_ABANDONED)
		run->stack_threads--;
	if (end == BLOCKING_ABANDONED)
		record_silence(check);
	else if (end == BLOCKING_FINISHED && check->job->answered)
		record_answer(check, &check->job->answer);
	checks_pump(run);
}

/* ------------------------------------------------------------------ asking */

/* What is left of a stage's time after a fifth of it: what ends in it, and some, ends with everything else. */
static int64_t share_us(const struct run *run)
{
	return run->options->timeout_us - run->options->timeout_us / PATIENCE_SHARE;
}

static void check_begin(struct stack_check *check)
{
	struct run *run = check->run;
	int64_t left_us = check->wanted_us + share_us(run) - os_monotonic_us();
	struct stack_job *job = xcalloc(1, sizeof(*job));
	job->url = xstrdup(check->target->url);
	job->proxy = check->proxy ? xstrdup(check->proxy) : NULL;
	job->timeout_ms = left_us > 1000 ? (int)(left_us / 1000) : 1;
	struct blocking_call call = {
		.work = job_run,
		.release = job_free,
		.data = job,
		.patience_us = left_us + ABANDON_AFTER_US,
		.done = on_answer,
		.user = check,
	};
	uv_timer_stop(&check->timer);
	check->job = job;
	check->state = CHECK_OPEN;
	check->started_us = os_monotonic_us();
	run->stack_threads++;
	check->blocking = blocking_start(&run->loop, &call);
}

static void checks_pump(struct run *run)
{
	for (struct stack_check *one = run->stack_checks; one; one = one->next)
		if (one->state == CHECK_WANTED && run->ending == FAILURE_NONE && run->stack_threads < STACK_THREADS_MAX)
			check_begin(one);
}

/* Every thread was in use for so long that too little time is left: it is never asked. */
static void check_drop(struct stack_check *check)
{
	check->state = CHECK_DONE;
	check->run->stack_checks_open--;
}

static void on_time_over(uv_timer_t *timer)
{
	check_drop(timer->data);
}

static void check_want(struct stack_check *check)
{
	struct run *run = check->run;
	if (check->state != CHECK_IDLE || run->ending != FAILURE_NONE)
		return;
	run->stack_checks_open++;
	check->state = CHECK_WANTED;
	check->wanted_us = os_monotonic_us();
	uv_timer_start(&check->timer, on_time_over, (uint64_t)(share_us(run) / 2000), 0);
	checks_pump(run);
}

static void on_patience_over(uv_timer_t *timer)
{
	check_want(timer->data);
}

static bool is_compared(const struct trial *trial)
{
	const struct run *run = trial->run;
	enum via_scheme scheme = trial->leg->leg->via.scheme;
	return run->trust.of_system && run->options->experiments && trial->leg->leg->target->kind == TARGET_URL &&
	       (scheme == VIA_DIRECT || scheme == VIA_HTTP);
}

static struct stack_check *check_of(struct trial *trial)
{
	struct run *run = trial->run;
	struct arena *arena = run->report->arena;
	const struct leg *leg = trial->leg->leg;
	const char *via = via_format(arena, &leg->via);
	for (struct stack_check *check = run->stack_checks; check; check = check->next)
		if (check->target == leg->target && strcmp(check->via, via) == 0)
			return check;
	struct stack_check *check = arena_alloc(arena, sizeof(*check));
	check->run = run;
	check->target = leg->target;
	check->via = via;
	if (leg->via.scheme == VIA_HTTP) /* "PROXY host:port" */
		check->proxy = arena_printf(arena, "http://%s", via + strlen("PROXY "));
	check->next = run->stack_checks;
	run->stack_checks = check;
	uv_timer_init(&run->loop, &check->timer);
	check->timer.data = check;
	return check;
}

/* An answer that is there already is about paths that come later too. */
static void join(struct arena *arena, struct stack_check *check, struct path *path)
{
	if (path_list_has(&check->paths, path))
		return;
	path_list_add(arena, &check->paths, path);
	if (check->observation)
		path_list_add(arena, &check->observation->paths, path);
}

void system_stack_begin(struct trial *trial)
{
	if (!is_compared(trial))
		return;
	struct stack_check *check = check_of(trial);
	struct arena *arena = trial->run->report->arena;
	const struct path_list *lists[] = {&trial->leg->leg->paths, &trial->leg->leg->unsigned_paths};
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->count; i++)
			join(arena, check, lists[k]->items[i]);
	if (check->state == CHECK_IDLE && !uv_is_active((uv_handle_t *)&check->timer))
		uv_timer_start(&check->timer, on_patience_over,
			       (uint64_t)(trial->run->options->timeout_us / 1000 / PATIENCE_SHARE), 0);
}

/* An answer that the target's own expectations, or its status alone, call a refusal. */
static bool is_refused(const struct trial *trial)
{
	const struct observation_list *list = &trial->observations;
	const struct observation *last = list->count ? list->items[list->count - 1] : NULL;
	const struct expect *expect = &trial->leg->leg->target->expect;
	if (!last || last->op != OP_HTTP_EXCHANGE)
		return true;
	for (size_t i = 0; i < expect->status_count; i++)
		if (expect->status[i] == last->http.status)
			return false;
	return expect->status_count || last->http.status >= 400;
}

void system_stack_note(struct trial *trial)
{
	struct run *run = trial->run;
	if (!trial->begun || !is_compared(trial))
		return;
	struct stack_check *check = check_of(trial);
	bool failed = trial->failure != FAILURE_NONE || is_refused(trial);
	if (failed || !run->stack_healthy)
		check_want(check);
	else if (check->state == CHECK_IDLE)
		uv_timer_stop(&check->timer);
	run->stack_healthy |= !failed;
}

void system_stack_cut(struct run *run, enum failure failure)
{
	for (struct stack_check *check = run->stack_checks; check; check = check->next) {
		uv_timer_stop(&check->timer);
		check->cut = failure;
		if (check->blocking)
			blocking_abandon(check->blocking);
		else if (check->state == CHECK_WANTED)
			check_drop(check);
	}
}
