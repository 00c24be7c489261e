#include "probe/engine/transfer.h"

#include <stdlib.h>

#include "probe/core/arena.h"
#include "probe/engine/transfer_state.h"

enum { HOLD_STEP_MS = 10 };

/** One socket that libcurl has: opened here, watched here, closed here. It may outlive its transfer, where libcurl says goodbye to a
 *  TLS peer after the transfer's end. */
struct socket_tap {
	struct transfer_pool *pool;
	struct transfer *transfer; /* NULL once that has ended */
	struct socket_tap *next;
	curl_socket_t fd;
	uv_poll_t poll;
	bool watched; /* poll is initialised */
	bool closed;
	int wanted; /* UV_READABLE, UV_WRITABLE */
};

struct transfer_pool {
	struct transfer_pool_options options;
	CURLM *multi;
	uv_timer_t timer;
	struct socket_tap *taps;
	struct transfer *endings;
	bool closing;
};

static uv_once_t curl_once = UV_ONCE_INIT;
static CURLcode curl_started = CURLE_FAILED_INIT;

static void curl_start(void)
{
	curl_started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

const struct transfer_pool_options *pool_options(const struct transfer_pool *pool)
{
	return &pool->options;
}

/* ------------------------------------------------------------------ sockets */

static struct socket_tap *tap_find(const struct transfer_pool *pool, curl_socket_t fd)
{
	struct socket_tap *tap = pool->taps;
	while (tap && tap->fd != fd)
		tap = tap->next;
	return tap;
}

static struct socket_tap *tap_new(struct transfer_pool *pool, curl_socket_t fd)
{
	struct socket_tap *tap = xcalloc(1, sizeof(*tap));
	tap->pool = pool;
	tap->fd = fd;
	tap->next = pool->taps;
	pool->taps = tap;
	return tap;
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void tap_free(struct socket_tap *tap)
{
	struct socket_tap **at = &tap->pool->taps;
	while (*at != tap)
		at = &(*at)->next;
	*at = tap->next;
	tap->closed = true;
	if (tap->transfer)
		tap->transfer->tap = NULL;
	tap->transfer = NULL;
	if (tap->watched)
		uv_close((uv_handle_t *)&tap->poll, on_poll_closed);
	else
		free(tap);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void tap_watch(struct socket_tap *tap)
{
	if (!tap->watched) {
		if (uv_poll_init_socket(tap->pool->options.loop, &tap->poll, tap->fd) != 0)
			return;
		tap->poll.data = tap;
		tap->watched = true;
	}
	if (tap->wanted)
		uv_poll_start(&tap->poll, tap->wanted, on_poll);
	else
		uv_poll_stop(&tap->poll);
}

curl_socket_t pool_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = user;
	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (transfer->tap)
		transfer->tap->transfer = NULL;
	transfer->tap = NULL;
	transfer_reopen(transfer);
	curl_socket_t fd = socket_tap_open(transfer, address);
	if (fd == CURL_SOCKET_BAD)
		return fd;
	struct socket_tap *tap = tap_new(transfer->pool, fd);
	tap->transfer = transfer;
	transfer->tap = tap;
	return fd;
}

int pool_close_socket(void *user, curl_socket_t fd)
{
	struct transfer_pool *pool = user;
	struct socket_tap *tap = tap_find(pool, fd);
	if (tap) {
		if (tap->transfer)
			socket_tap_close(tap->transfer);
		tap_free(tap);
	}
	os_socket_close((os_socket)fd);
	return 0;
}

/* ------------------------------------------------------------------ what has ended */

static void transfers_collect(struct transfer_pool *pool)
{
	while (!pool->closing && pool->endings)
		transfer_end(pool->endings, (struct ending){0});
	int left = 0;
	for (CURLMsg *message = NULL; !pool->closing && (message = curl_multi_info_read(pool->multi, &left));) {
		struct transfer *transfer = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer_end(transfer, (struct ending){.by_curl = true, .code = code});
	}
}

static void pool_act(struct transfer_pool *pool, curl_socket_t fd, int flags)
{
	int running = 0;
	curl_multi_socket_action(pool->multi, fd, flags, &running);
}

static void on_hold_over(uv_timer_t *timer);

/* Stop watching the transfer's socket until release(), which lets libcurl look at it. */
static void hold(struct transfer *transfer)
{
	if (transfer->tap->watched)
		uv_poll_stop(&transfer->tap->poll);
	uv_timer_start(&transfer->hold_timer, on_hold_over, HOLD_STEP_MS, 0);
}

static void release(struct transfer *transfer)
{
	struct transfer_pool *pool = transfer->pool; /* the transfer may end */
	tap_watch(transfer->tap);
	pool_act(pool, transfer->tap->fd, CURL_CSELECT_IN);
	transfers_collect(pool);
}

/* libuv reports every POLLERR as UV_EBADF and stops watching. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct socket_tap *tap = poll->data;
	struct transfer_pool *pool = tap->pool;
	bool failed = status < 0;
	int flags = failed ? CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT : 0;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	if (tap->transfer) {
		enum look look = socket_tap_look(tap->transfer, failed || (events & UV_READABLE), failed);
		if (look == LOOK_ENDED)
			return;
		if (look == LOOK_HOLD) {
			hold(tap->transfer);
			return;
		}
	}
	pool_act(pool, tap->fd, flags);
	if (failed && !tap->closed)
		tap_watch(tap);
	transfers_collect(pool);
}

static void on_hold_over(uv_timer_t *timer)
{
	struct transfer *transfer = timer->data;
	if (!transfer->tap)
		return;
	enum look look = socket_tap_look(transfer, true, false);
	if (look == LOOK_HOLD)
		hold(transfer);
	else if (look == LOOK_GO_ON)
		release(transfer);
}

/* ------------------------------------------------------------------ libcurl's multi handle on the loop */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned)
{
	struct transfer_pool *pool = user;
	struct socket_tap *tap = tap_find(pool, fd);
	(void)easy;
	(void)assigned;
	if (what == CURL_POLL_REMOVE) {
		if (tap) {
			tap->wanted = 0;
			if (tap->watched)
				uv_poll_stop(&tap->poll);
		}
		return 0;
	}
	if (!tap)
		return 0;
	tap->wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	if (tap->transfer)
		socket_tap_note_source(tap->transfer);
	tap_watch(tap);
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct transfer_pool *pool = timer->data;
	pool_act(pool, CURL_SOCKET_TIMEOUT, 0);
	transfers_collect(pool);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *user)
{
	struct transfer_pool *pool = user;
	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&pool->timer);
	else
		uv_timer_start(&pool->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

bool pool_add(struct transfer_pool *pool, struct transfer *transfer)
{
	return curl_multi_add_handle(pool->multi, transfer->easy) == CURLM_OK;
}

void pool_remove(struct transfer_pool *pool, struct transfer *transfer)
{
	if (transfer->in_multi)
		curl_multi_remove_handle(pool->multi, transfer->easy);
	transfer->in_multi = false;
	if (transfer->tap)
		transfer->tap->transfer = NULL;
	transfer->tap = NULL;
}

void pool_end_soon(struct transfer_pool *pool, struct transfer *transfer)
{
	if (transfer->is_ending)
		return;
	transfer->is_ending = true;
	transfer->next_ending = pool->endings;
	pool->endings = transfer;
}

void pool_forget(struct transfer_pool *pool, struct transfer *transfer)
{
	if (!transfer->is_ending)
		return;
	struct transfer **at = &pool->endings;
	while (*at != transfer)
		at = &(*at)->next_ending;
	*at = transfer->next_ending;
	transfer->is_ending = false;
}

struct transfer_pool *transfer_pool_new(const struct transfer_pool_options *options)
{
	uv_once(&curl_once, curl_start);
	CURLM *multi = curl_started == CURLE_OK ? curl_multi_init() : NULL;
	if (!multi)
		return NULL;
	struct transfer_pool *pool = xcalloc(1, sizeof(*pool));
	pool->options = *options;
	pool->multi = multi;
	uv_timer_init(options->loop, &pool->timer);
	pool->timer.data = pool;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return pool;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void transfer_pool_close(struct transfer_pool *pool)
{
	pool->closing = true;
	curl_multi_cleanup(pool->multi);
	while (pool->taps)
		tap_free(pool->taps);
	uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
}
