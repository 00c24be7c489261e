#include "probe/engine/sweep_try.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/sockets.h"

enum {
	NOTHING_DUE_US = 60 * 1000 * 1000,
	ICMP_READS_MAX = 8,
	READY_AT_ONCE = 256,
	LISTENED_TO_US = 900 * 1000 /* then the system sends it again by itself (RFC 6298 2: after a second) */
};

static const struct sweep_kind silence = {SWEEP_UNTRIED, NULL, NOT_MEASURED, NOT_MEASURED};

/* ------------------------------------------------------------------ the queues */

static struct sweep_queue *queue_of(struct sweep_try *one)
{
	return one->late ? &one->tries->late : &one->tries->waiting;
}

static void queue_add(struct sweep_try *one)
{
	struct sweep_queue *queue = queue_of(one);
	one->before = queue->newest;
	one->behind = NULL;
	*(queue->newest ? &queue->newest->behind : &queue->oldest) = one;
	queue->newest = one;
	queue->count++;
}

static void queue_remove(struct sweep_try *one)
{
	struct sweep_queue *queue = queue_of(one);
	*(one->before ? &one->before->behind : &queue->oldest) = one->behind;
	*(one->behind ? &one->behind->before : &queue->newest) = one->before;
	queue->count--;
}

static void try_give_back(struct sweep_try *one)
{
	one->behind = one->tries->free;
	one->tries->free = one;
}

static void on_closed(uv_handle_t *handle)
{
	try_give_back(handle->data);
}

/* It must not be used after that. */
static void try_close(struct sweep_try *one)
{
	queue_remove(one);
	one->under_way = false;
	if (!one->tries->watch)
		uv_close((uv_handle_t *)&one->poll, on_closed);
	os_socket_close(one->fd);
	if (one->tries->watch)
		try_give_back(one);
}

/* The same, but the socket is kept for the next one, if the system can do so. */
static void try_rewind(struct sweep_try *one)
{
	if (!one->tries->watch || !os_watch_rewind(one->fd)) {
		try_close(one);
		return;
	}
	queue_remove(one);
	one->under_way = false;
	one->rewound = true;
	try_give_back(one);
}

/* Behind an error more of its kind may wait in the socket's queue. */
static void try_over(struct sweep_try *one, const struct sweep_kind *kind)
{
	one->tries->over(one, kind, one->tries->user);
	if (kind->state == SWEEP_OPEN || kind->state == SWEEP_UNTRIED)
		try_rewind(one);
	else
		try_close(one);
}

/* ------------------------------------------------------------------ what an answer means */

/* RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1. A port that a router calls unreachable is one that it does not let pass. */
static bool is_prohibition(bool ipv6, const struct os_icmp *icmp)
{
	if (ipv6)
		return icmp->type == 1 && (icmp->code == 1 || icmp->code >= 4);
	return icmp->type == 3 && (icmp->code == 3 || icmp->code == 9 || icmp->code == 10 || icmp->code == 13);
}

static bool is_from_itself(const struct sweep_try *one, const struct os_icmp *icmp)
{
	struct address from;
	return address_parse(icmp->from, &from) && address_equal(&from, &one->address);
}

static void icmp_over(struct sweep_try *one, const struct os_icmp *icmp)
{
	struct sweep_kind kind = {SWEEP_UNREACHABLE, icmp->from, icmp->type, icmp->code};
	if (is_from_itself(one, icmp))
		kind = (struct sweep_kind){SWEEP_REFUSED, NULL, icmp->type, icmp->code};
	else if (is_prohibition(one->address.family == 6, icmp))
		kind.state = SWEEP_PROHIBITED;
	try_over(one, &kind);
}

/* An error without an ICMP message that could be had. */
static struct sweep_kind kind_of_error(int error)
{
	struct sweep_kind kind = silence;
	switch (os_error_kind(error)) {
	case OS_ERROR_REFUSED:
	case OS_ERROR_RESET:
	case OS_ERROR_CLOSED:
	case OS_ERROR_ABORTED:
		kind.state = SWEEP_REFUSED;
		break;
	case OS_ERROR_HOST_UNREACHABLE:
	case OS_ERROR_NET_UNREACHABLE:
	case OS_ERROR_BAD_FAMILY:
		kind.state = SWEEP_UNREACHABLE;
		break;
	case OS_ERROR_PERMISSION:
	case OS_ERROR_OTHER:
		kind.state = SWEEP_NOT_SENT;
		break;
	case OS_ERROR_NONE:
	case OS_ERROR_IN_PROGRESS:
	case OS_ERROR_TIMED_OUT:
	case OS_ERROR_ADDRESS_NOT_AVAILABLE:
	case OS_ERROR_TOO_MANY_FILES:
		break;
	}
	return kind;
}

/* Does the socket tell of a failure? Then the try is over. */
static bool take_failure(struct sweep_try *one, bool look)
{
	struct os_icmp icmp;
	int error = os_socket_take_error(one->fd);
	if (!error && !look)
		return false;
	for (int i = 0; i < ICMP_READS_MAX && os_socket_next_icmp(one->fd, &icmp); i++) {
		if (!icmp.error)
			continue;
		icmp_over(one, &icmp);
		return true;
	}
	if (!error)
		return false;
	struct sweep_kind kind = kind_of_error(error);
	try_over(one, &kind);
	return true;
}

/* The socket is connected, or has an error to tell. False: neither, after all. */
static bool try_ready(struct sweep_try *one, bool failed)
{
	static const struct sweep_kind open = {SWEEP_OPEN, NULL, NOT_MEASURED, NOT_MEASURED};
	if (take_failure(one, failed))
		return true;
	if (failed)
		return false;
	try_over(one, &open);
	return true;
}

/* libuv gives POLLERR as UV_EBADF and stops polling. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)events;
	if (!try_ready(poll->data, status < 0))
		uv_poll_start(poll, UV_WRITABLE, on_poll);
}

static void on_watch(uv_poll_t *poll, int status, int events)
{
	struct os_watch_event ready[READY_AT_ONCE];
	struct sweep_tries *tries = poll->data;
	(void)status, (void)events;
	size_t count = os_watch_take(tries->watch, ready, READY_AT_ONCE);
	for (size_t i = 0; i < count; i++) {
		struct sweep_try *one = ready[i].data;
		if (one->under_way)
			try_ready(one, ready[i].failed);
	}
}

void sweep_tries_begin(struct sweep_tries *tries)
{
	tries->watch = os_watch_new();
	if (!tries->watch)
		return;
	if (uv_poll_init(tries->loop, &tries->watch_poll, (int)os_watch_handle(tries->watch)) == 0) {
		tries->watch_poll.data = tries;
		uv_poll_start(&tries->watch_poll, UV_READABLE, on_watch);
		return;
	}
	os_watch_free(tries->watch);
	tries->watch = NULL;
}

/* ------------------------------------------------------------------ sending */

static bool is_want_of_sockets(int error)
{
	enum os_error_kind kind = os_error_kind(error);
	return kind == OS_ERROR_TOO_MANY_FILES || kind == OS_ERROR_ADDRESS_NOT_AVAILABLE;
}

static struct sweep_try *try_new(struct sweep_tries *tries, const struct sweep_try *sent)
{
	struct sweep_try *one = tries->free;
	if (one)
		tries->free = one->behind;
	else
		one = xcalloc(1, sizeof(*one));
	if (one->rewound && one->address.family != sent->address.family) {
		os_socket_close(one->fd);
		one->rewound = false;
	}
	one->tries = tries;
	one->address = sent->address;
	one->number = sent->number;
	one->purpose = sent->purpose;
	one->round = sent->round;
	one->late = false;
	one->sent_us = os_monotonic_us();
	return one;
}

/* A socket, to be watched by itself where that is needed; false where there is none. */
static bool socket_begin(struct sweep_try *one)
{
	int error;
	if (one->rewound)
		return true;
	one->fd = socket_open(one->address.family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM, &error);
	if (one->fd == -1)
		return false;
	if (!one->tries->watch && uv_poll_init_socket(one->tries->loop, &one->poll, (uv_os_sock_t)one->fd) != 0) {
		os_socket_close(one->fd);
		return false;
	}
	os_socket_reset_on_close(one->fd);
	one->poll.data = one;
	return true;
}

static bool socket_watch(struct sweep_try *one, bool rewound)
{
	if (one->tries->watch)
		return (rewound ? os_watch_again : os_watch_add)(one->tries->watch, one->fd, one);
	return uv_poll_start(&one->poll, UV_WRITABLE, on_poll) == 0;
}

/* An ICMP error that came while the system held the socket waits in its queue without waking anybody. */
static void try_expire(struct sweep_try *one)
{
	if (!take_failure(one, true))
		try_over(one, &silence);
}

bool sweep_try_send(struct sweep_tries *tries, const struct sweep_try *sent, int port)
{
	struct sockaddr_storage peer;
	socklen_t bytes = socket_address_of(&sent->address, port, &peer);
	int error = 0;
	if (tries->waiting.count + tries->late.count >= tries->open_most && tries->late.oldest)
		try_expire(tries->late.oldest);
	struct sweep_try *one = try_new(tries, sent);
	if (!socket_begin(one)) {
		try_give_back(one);
		return false;
	}
	bool rewound = one->rewound;
	one->rewound = false;
	one->under_way = true;
	queue_add(one);
	if (connect((uv_os_sock_t)one->fd, (const struct sockaddr *)&peer, bytes) != 0)
		error = os_socket_error();
	struct sweep_kind kind = kind_of_error(error);
	if (is_want_of_sockets(error) || (kind.state == SWEEP_UNTRIED && !socket_watch(one, rewound))) {
		try_close(one);
		return false;
	}
	if (kind.state != SWEEP_UNTRIED)
		try_over(one, &kind);
	return true;
}

/* ------------------------------------------------------------------ waiting */

int64_t sweep_tries_expire(struct sweep_tries *tries, int64_t now_us, int64_t timeout_us)
{
	int64_t listened_us = timeout_us > LISTENED_TO_US ? timeout_us : LISTENED_TO_US, next_us = NOTHING_DUE_US;
	for (struct sweep_try *one; (one = tries->waiting.oldest) && now_us - one->sent_us >= timeout_us;) {
		queue_remove(one);
		one->late = true;
		queue_add(one);
		tries->lapsed(one, tries->user);
	}
	while (tries->late.oldest && now_us - tries->late.oldest->sent_us >= listened_us)
		try_expire(tries->late.oldest);
	if (tries->late.oldest)
		next_us = tries->late.oldest->sent_us + listened_us - now_us;
	if (tries->waiting.oldest && tries->waiting.oldest->sent_us + timeout_us - now_us < next_us)
		next_us = tries->waiting.oldest->sent_us + timeout_us - now_us;
	return next_us;
}

void sweep_tries_end(struct sweep_tries *tries)
{
	while (tries->waiting.oldest)
		try_close(tries->waiting.oldest);
	while (tries->late.oldest)
		try_close(tries->late.oldest);
	for (struct sweep_try *one = tries->free; one; one = one->behind)
		if (one->rewound)
			os_socket_close(one->fd);
}
