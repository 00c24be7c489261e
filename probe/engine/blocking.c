#include "probe/engine/blocking.h"

#include <stdbool.h>
#include <stdlib.h>

#include "probe/core/arena.h"
#include "probe/os/os.h"

/* The loop's side holds it once, the thread once; the last to let go frees it. Under the lock: heard, end, holders. */
struct blocking {
	struct blocking_call call;
	uv_mutex_t lock;
	unsigned holders;
	bool heard; /* the loop still waits: finished_async is open */
	enum blocking_end end;
	uv_async_t finished_async;
	uv_timer_t patience;
	int open_handles;
};

static void blocking_release(struct blocking *blocking)
{
	uv_mutex_lock(&blocking->lock);
	bool last = --blocking->holders == 0;
	uv_mutex_unlock(&blocking->lock);
	if (!last)
		return;
	blocking->call.release(blocking->call.data);
	uv_mutex_destroy(&blocking->lock);
	free(blocking);
}

static void thread_run(void *argument)
{
	struct blocking *blocking = argument;
	blocking->call.work(blocking->call.data);
	uv_mutex_lock(&blocking->lock);
	blocking->end = BLOCKING_FINISHED;
	if (blocking->heard)
		uv_async_send(&blocking->finished_async);
	uv_mutex_unlock(&blocking->lock);
	blocking_release(blocking);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct blocking *blocking = handle->data;
	if (--blocking->open_handles == 0)
		blocking_release(blocking);
}

static void blocking_end(struct blocking *blocking)
{
	uv_mutex_lock(&blocking->lock);
	blocking->heard = false;
	enum blocking_end end = blocking->end;
	uv_mutex_unlock(&blocking->lock);
	blocking->call.done(end, blocking->call.user);
	uv_close((uv_handle_t *)&blocking->finished_async, on_handle_closed);
	uv_close((uv_handle_t *)&blocking->patience, on_handle_closed);
}

static void on_finished(uv_async_t *async)
{
	blocking_end(async->data);
}

static void on_patience_over(uv_timer_t *timer)
{
	blocking_end(timer->data);
}

void blocking_abandon(struct blocking *blocking)
{
	blocking_end(blocking);
}

struct blocking *blocking_start(uv_loop_t *loop, const struct blocking_call *call)
{
	struct blocking *blocking = xcalloc(1, sizeof(*blocking));
	blocking->call = *call;
	uv_mutex_init(&blocking->lock);
	uv_async_init(loop, &blocking->finished_async, on_finished);
	uv_timer_init(loop, &blocking->patience);
	blocking->finished_async.data = blocking;
	blocking->patience.data = blocking;
	blocking->open_handles = 2;
	blocking->holders = 2;
	blocking->heard = true;
	blocking->end = BLOCKING_ABANDONED;
	uv_update_time(loop);
	int64_t patience_us = call->patience_us > 0 ? call->patience_us : 0;
	uv_timer_start(&blocking->patience, on_patience_over, (uint64_t)(patience_us / 1000), 0);
	if (os_thread_detached(thread_run, blocking))
		return blocking;
	blocking->holders = 1;
	blocking->end = BLOCKING_NO_THREAD;
	uv_async_send(&blocking->finished_async);
	return blocking;
}
