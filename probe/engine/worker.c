#include "probe/engine/transfer.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/engine/transfer_state.h"

/** What the thread and its caller share. Each holds it once; the last to let go frees it. All but watch is under the lock. */
struct job {
	uv_mutex_t lock;
	atomic_int holders;
	struct worker *worker; /* NULL: abandoned, nobody waits any more */
	struct transfer_watch watch;
	struct arena *arena; /* the spec's texts and the trust's list; nothing of the report */
	struct trust trust;
	struct transfer_pool_options options;
	struct transfer_spec spec;
	struct target target;
	char *password;
	struct {
		char src[ADDRESS_TEXT_BYTES], dst[ADDRESS_TEXT_BYTES];
		int src_port, dst_port;
	} seen;
	int64_t connected_us; /* since the run began */
	struct transfer_result result;
};

/** The caller's side. It lives on the caller's loop. */
struct worker {
	struct job *job;
	uv_async_t finished;
	uv_timer_t patience;
	int open_handles;
	worker_done_cb done;
	void *user;
	int64_t started_us; /* since the run began */
};

static void password_wipe(struct job *job)
{
	if (job->password)
		OPENSSL_cleanse(job->password, strlen(job->password));
	free(job->password);
	job->password = NULL;
}

static void job_release(struct job *job)
{
	if (atomic_fetch_sub(&job->holders, 1) > 1)
		return;
	X509_STORE_free(job->trust.store);
	arena_free(job->result.arena);
	arena_free(job->arena);
	password_wipe(job);
	uv_mutex_destroy(&job->lock);
	free(job);
}

/* ------------------------------------------------------------------ in the thread */

static void on_connected(struct transfer_watch *watch, const struct tuple *tuple)
{
	struct job *job = watch->user;
	uv_mutex_lock(&job->lock);
	if (tuple->src)
		strncpy(job->seen.src, tuple->src, sizeof(job->seen.src) - 1);
	if (tuple->dst)
		strncpy(job->seen.dst, tuple->dst, sizeof(job->seen.dst) - 1);
	job->seen.src_port = tuple->src_port;
	job->seen.dst_port = tuple->dst_port;
	job->connected_us = os_monotonic_us() - job->options.run_started_us;
	uv_mutex_unlock(&job->lock);
}

static void on_transfer_done(struct transfer *transfer, void *user)
{
	struct job *job = user;
	uv_mutex_lock(&job->lock);
	job->result = *transfer_result(transfer);
	uv_mutex_unlock(&job->lock);
}

static void thread_run(void *argument)
{
	struct job *job = argument;
	uv_loop_t loop;
	if (uv_loop_init(&loop) == 0) {
		job->options.loop = &loop;
		struct transfer_pool *pool = transfer_pool_new(&job->options);
		if (pool) {
			job->spec.password = job->password;
			transfer_start_watched(pool, &job->spec, &job->watch, on_transfer_done, job);
			password_wipe(job); /* libcurl has its own copy */
			while (!job->result.arena && uv_run(&loop, UV_RUN_ONCE))
				;
			transfer_pool_close(pool);
			uv_run(&loop, UV_RUN_DEFAULT);
		}
		uv_loop_close(&loop);
	}
	uv_mutex_lock(&job->lock);
	if (job->worker)
		uv_async_send(&job->worker->finished);
	uv_mutex_unlock(&job->lock);
	job_release(job);
}

/* ------------------------------------------------------------------ on the caller's loop */

static void on_handle_closed(uv_handle_t *handle)
{
	struct worker *worker = handle->data;
	if (--worker->open_handles == 0)
		free(worker);
}

/* The one way out: the thread is told that nobody waits, whether it has finished or not. */
static void worker_end(struct worker *worker, struct transfer_result *result)
{
	struct job *job = worker->job;
	uv_mutex_lock(&job->lock);
	job->worker = NULL;
	uv_mutex_unlock(&job->lock);
	worker->done(worker, result, worker->user);
	job_release(job);
	uv_close((uv_handle_t *)&worker->finished, on_handle_closed);
	uv_close((uv_handle_t *)&worker->patience, on_handle_closed);
}

static struct observation *observe(struct transfer_result *result, enum op op, int64_t start_us, int64_t end_us)
{
	struct observation *observation = arena_alloc(result->arena, sizeof(*observation));
	observation_init(observation, op);
	observation->start_us = start_us;
	observation->duration_us = end_us - start_us;
	observation_list_add(result->arena, &result->observations, observation);
	return observation;
}

static struct tuple tuple_copy(struct job *job, struct arena *arena)
{
	struct tuple tuple = {.proto = "tcp", .src_port = NOT_MEASURED, .dst_port = NOT_MEASURED};
	if (job->seen.src[0]) {
		tuple.src = arena_strdup(arena, job->seen.src);
		tuple.src_port = job->seen.src_port;
	}
	if (job->seen.dst[0]) {
		tuple.dst = arena_strdup(arena, job->seen.dst);
		tuple.dst_port = job->seen.dst_port;
	}
	return tuple;
}

static void describe_exchange(const struct job *job, struct arena *arena, struct proxy_exchange *proxy)
{
	const struct via *via = &job->spec.via;
	const char *url = job->spec.url ? job->spec.url : job->target.url;
	bool by_http = via->scheme == VIA_HTTP || via->scheme == VIA_HTTPS;
	bool get = by_http && job->target.kind == TARGET_URL && strncmp(url, "http:", 5) == 0;
	proxy_tap_describe(arena, via, job->spec.auth, get ? url : NULL, job->target.host, job->target.port, proxy);
}

/* The thread does not answer: what its notes say, and that the sign-in did not come to an end. */
static struct transfer_result result_without_thread(struct worker *worker, enum failure failure)
{
	struct job *job = worker->job;
	struct transfer_result result = {.arena = arena_new(), .failure = failure};
	int64_t now_us = os_monotonic_us() - job->options.run_started_us;
	uv_mutex_lock(&job->lock);
	int64_t connected_us = job->connected_us;
	struct tuple tuple = tuple_copy(job, result.arena);
	uv_mutex_unlock(&job->lock);
	struct observation *tcp =
		observe(&result, OP_TCP_CONNECT, worker->started_us, connected_us ? connected_us : now_us);
	tcp->tcp.tuple = tuple;
	tcp->tcp.peer = job->spec.via.scheme == VIA_DIRECT ? "target" : "proxy";
	result.stage = STAGE_TCP;
	if (!connected_us) {
		tcp->failure = failure;
		return result;
	}
	struct observation *exchange = observe(&result, OP_PROXY_EXCHANGE, connected_us, now_us);
	exchange->failure = failure;
	exchange->proxy.tuple = tuple;
	describe_exchange(job, result.arena, &exchange->proxy);
	if (failure == FAILURE_TIMEOUT)
		exchange->proxy.auth_problem = "the sign-in did not come to an end on this machine";
	result.stage = STAGE_PROXY;
	return result;
}

static void abandon(struct worker *worker, enum failure failure)
{
	struct transfer_result result = result_without_thread(worker, failure);
	worker_end(worker, &result);
}

static void on_finished(uv_async_t *async)
{
	struct worker *worker = async->data;
	struct job *job = worker->job;
	uv_mutex_lock(&job->lock);
	struct transfer_result result = job->result;
	job->result.arena = NULL; /* the caller's from here */
	uv_mutex_unlock(&job->lock);
	if (result.arena)
		worker_end(worker, &result);
	else
		abandon(worker, FAILURE_UNKNOWN);
}

static void on_patience_over(uv_timer_t *timer)
{
	struct worker *worker = timer->data;
	struct job *job = worker->job;
	int64_t patience_us = job->options.timeout_us + ABANDON_AFTER_US;
	int64_t left_us = atomic_load(&job->watch.step_started_us) + patience_us - os_monotonic_us();
	if (left_us > 0)
		uv_timer_start(timer, on_patience_over, (uint64_t)(left_us / 1000) + 1, 0);
	else
		abandon(worker, FAILURE_TIMEOUT);
}

/* ------------------------------------------------------------------ start */

static void trust_copy(struct job *job, const struct trust *trust)
{
	X509_STORE_up_ref(trust->store);
	job->trust.store = trust->store;
	for (size_t i = 0; i < trust->service_roots.count; i++)
		text_list_add(job->arena, &job->trust.service_roots,
			      arena_strdup(job->arena, trust->service_roots.items[i]));
	job->options.trust = &job->trust;
}

/* Nothing of the caller's may be touched by a thread that outlives it: only what a transfer reads is copied. */
static void spec_copy(struct job *job, const struct transfer_spec *spec)
{
	struct arena *arena = job->arena;
	const struct target *target = spec->target;
	job->target.kind = target->kind;
	job->target.url = arena_strdup(arena, target->url);
	job->target.host = arena_strdup(arena, target->host);
	job->target.port = target->port;
	job->target.expect.body = arena_strdup(arena, target->expect.body);
	job->spec.target = &job->target;
	job->spec.url = arena_strdup(arena, spec->url);
	job->spec.via = spec->via;
	job->spec.via.host = arena_strdup(arena, spec->via.host);
	job->spec.address = arena_strdup(arena, spec->address);
	job->spec.target_address = arena_strdup(arena, spec->target_address);
	job->spec.auth = spec->auth;
	job->spec.user = arena_strdup(arena, spec->user);
	job->spec.keep_body_bytes = spec->keep_body_bytes;
	job->password = spec->password ? xstrdup(spec->password) : NULL;
}

static struct job *job_new(const struct transfer_pool_options *options, const struct transfer_spec *spec)
{
	struct job *job = xcalloc(1, sizeof(*job));
	uv_mutex_init(&job->lock);
	job->arena = arena_new();
	job->options = *options;
	job->options.chain_came = NULL; /* not from another thread */
	job->options.chain_user = NULL;
	trust_copy(job, options->trust);
	spec_copy(job, spec);
	job->watch.connected = on_connected;
	job->watch.user = job;
	atomic_init(&job->watch.step, STEP_TCP);
	atomic_init(&job->watch.step_started_us, os_monotonic_us());
	atomic_init(&job->holders, 2);
	return job;
}

struct worker *worker_start(const struct transfer_pool_options *options, const struct transfer_spec *spec,
			    worker_done_cb done, void *user)
{
	struct worker *worker = xcalloc(1, sizeof(*worker));
	worker->job = job_new(options, spec);
	worker->job->worker = worker;
	worker->done = done;
	worker->user = user;
	worker->started_us = os_monotonic_us() - options->run_started_us;
	uv_async_init(options->loop, &worker->finished, on_finished);
	uv_timer_init(options->loop, &worker->patience);
	worker->finished.data = worker;
	worker->patience.data = worker;
	worker->open_handles = 2;
	uv_timer_start(&worker->patience, on_patience_over, (uint64_t)((options->timeout_us + ABANDON_AFTER_US) / 1000),
		       0);
	if (os_thread_detached(thread_run, worker->job))
		return worker;
	atomic_fetch_sub(&worker->job->holders, 1);
	uv_async_send(&worker->finished); /* no thread: ends as unknown */
	return worker;
}

void worker_cancel(struct worker *worker, enum failure failure)
{
	abandon(worker, failure);
}
