#include "probe/engine/system_lookup.h"

#include <stdlib.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/engine/sockets.h"
#include "probe/os/os.h"

enum { SYSTEM_ADDRESSES_MAX = 64 };

/* Shared by the loop and the thread; whoever lets go last frees it. Under the lock: heard, refs and the answer. */
struct system_job {
	uv_mutex_t lock;
	unsigned refs;
	bool heard; /* the loop still waits, so async is open */
	uv_async_t async;
	char *name;
	/* the thread's answer: */
	int error;	  /* EAI_*, 0 for addresses */
	int system_error; /* where error is EAI_SYSTEM */
	struct address addresses[SYSTEM_ADDRESSES_MAX];
	size_t count;
	/* the loop's own: */
	struct arena *arena;
	struct observation *observation;
	int64_t run_started_us;
	system_job_done_cb done;
	void *user;
};

struct lookup_error {
	int code;
	const char *name;
	enum failure failure;
};

static const struct lookup_error lookup_errors[] = {
	{EAI_NONAME, "EAI_NONAME", FAILURE_DNS_NXDOMAIN},
	{EAI_AGAIN, "EAI_AGAIN", FAILURE_DNS_TEMPORARY},
	{EAI_FAIL, "EAI_FAIL", FAILURE_DNS_SERVFAIL},
	{EAI_FAMILY, "EAI_FAMILY", FAILURE_DNS_OTHER},
	{EAI_MEMORY, "EAI_MEMORY", FAILURE_DNS_OTHER},
	{EAI_BADFLAGS, "EAI_BADFLAGS", FAILURE_DNS_OTHER},
	{EAI_SERVICE, "EAI_SERVICE", FAILURE_DNS_OTHER},
#ifdef EAI_NODATA
	{EAI_NODATA, "EAI_NODATA", FAILURE_DNS_NO_ANSWER},
#endif
#ifdef EAI_ADDRFAMILY
	{EAI_ADDRFAMILY, "EAI_ADDRFAMILY", FAILURE_DNS_NO_ANSWER},
#endif
};

static void job_release(struct system_job *job)
{
	uv_mutex_lock(&job->lock);
	bool last = --job->refs == 0;
	uv_mutex_unlock(&job->lock);
	if (!last)
		return;
	uv_mutex_destroy(&job->lock);
	free(job->name);
	free(job);
}

/* ------------------------------------------------------------------ the thread */

static bool has_address(const struct system_job *job, const struct address *address)
{
	for (size_t i = 0; i < job->count; i++)
		if (address_equal(&job->addresses[i], address))
			return true;
	return false;
}

static void take_addresses(struct system_job *job, const struct addrinfo *list)
{
	struct address address;
	for (; list && job->count < SYSTEM_ADDRESSES_MAX; list = list->ai_next)
		if (socket_address_read(list->ai_addr, &address, NULL) && !has_address(job, &address))
			job->addresses[job->count++] = address;
}

static void job_run(void *argument)
{
	struct system_job *job = argument;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list = NULL;
	int error = getaddrinfo(job->name, NULL, &hints, &list);
	int system_error = os_socket_error();
	uv_mutex_lock(&job->lock);
	job->error = error;
	job->system_error = system_error;
	if (!error)
		take_addresses(job, list);
	if (job->heard)
		uv_async_send(&job->async);
	uv_mutex_unlock(&job->lock);
	if (!error)
		freeaddrinfo(list);
	job_release(job);
}

/* ------------------------------------------------------------------ the loop */

static void on_async_closed(uv_handle_t *handle)
{
	job_release(handle->data);
}

static void job_end(struct system_job *job, enum failure failure)
{
	struct observation *observation = job->observation;
	uv_mutex_lock(&job->lock);
	job->heard = false;
	uv_mutex_unlock(&job->lock);
	observation->failure = failure;
	observation->duration_us = os_monotonic_us() - job->run_started_us - observation->start_us;
	uv_close((uv_handle_t *)&job->async, on_async_closed);
	job->done(job, job->user);
}

static enum failure record_error(struct observation *observation, int error, int system_error)
{
	for (size_t i = 0; i < sizeof(lookup_errors) / sizeof(lookup_errors[0]); i++)
		if (lookup_errors[i].code == error) {
			observation->os_error = lookup_errors[i].name;
			return lookup_errors[i].failure;
		}
	observation->os_error = os_error_name(system_error);
	return os_error_kind(system_error) == OS_ERROR_TOO_MANY_FILES ? FAILURE_TOO_MANY_FILES : FAILURE_DNS_OTHER;
}

static void on_async(uv_async_t *async)
{
	struct system_job *job = async->data;
	struct observation *observation = job->observation;
	enum failure failure = FAILURE_NONE;
	char text[ADDRESS_TEXT_BYTES];
	uv_mutex_lock(&job->lock);
	if (job->error)
		failure = record_error(observation, job->error, job->system_error);
	for (size_t i = 0; i < job->count; i++)
		text_list_add(job->arena, &observation->lookup.addresses,
			      arena_strdup(job->arena, address_format(&job->addresses[i], text)));
	uv_mutex_unlock(&job->lock);
	if (!failure && !observation->lookup.addresses.count)
		failure = FAILURE_DNS_NO_ANSWER;
	job_end(job, failure);
}

struct system_job *system_job_start(uv_loop_t *loop, struct arena *arena, struct observation *observation,
				    int64_t run_started_us, system_job_done_cb done, void *user)
{
	struct system_job *job = xcalloc(1, sizeof(*job));
	uv_mutex_init(&job->lock);
	uv_async_init(loop, &job->async, on_async);
	job->async.data = job;
	job->name = xstrdup(observation->lookup.name);
	job->refs = 2;
	job->heard = true;
	job->arena = arena;
	job->observation = observation;
	job->run_started_us = run_started_us;
	job->done = done;
	job->user = user;
	observation->start_us = os_monotonic_us() - run_started_us;
	if (os_thread_detached(job_run, job))
		return job;
	job->refs = 1; /* nobody asks: say so from the loop, as an answer would come */
	job->error = EAI_MEMORY;
	uv_async_send(&job->async);
	return job;
}

void system_job_abandon(struct system_job *job, enum failure failure)
{
	job_end(job, failure);
}
