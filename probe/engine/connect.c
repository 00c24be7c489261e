#include "probe/engine/connect.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/hostile.h"
#include "probe/engine/sockets.h"

enum { FIRST_BYTES_MAX = 64 };

struct connect_probe {
	uv_loop_t *loop;
	struct arena *arena;
	struct observation *observation;
	int64_t run_started_us;
	struct connect_spec spec;
	connect_done_cb done;
	void *user;
	os_socket fd; /* -1 without a socket */
	uv_poll_t poll;
	uv_timer_t timer;
	bool has_poll;
	bool unsupported;
	enum { PROBE_FAILED_AT_ONCE, PROBE_CONNECTING, PROBE_WATCHING, PROBE_ENDED } state;
	int64_t connected_us; /* duration of the handshake */
	int error;	      /* of the socket, 0 for none */
	unsigned open_handles;
};

static void on_closed(uv_handle_t *handle)
{
	struct connect_probe *probe = handle->data;
	if (--probe->open_handles == 0)
		free(probe);
}

static int64_t elapsed_us(const struct connect_probe *probe)
{
	return os_monotonic_us() - probe->run_started_us - probe->observation->start_us;
}

static void socket_record(struct connect_probe *probe)
{
	struct tcp_connect *tcp = &probe->observation->tcp;
	struct os_tcp_info info;
	if (!tcp->tuple.src)
		socket_source(probe->arena, probe->fd, &tcp->tuple);
	if (!os_socket_tcp_info(probe->fd, &info))
		return;
	tcp->has_tcp_info = true;
	tcp->tcp_info = socket_tcp_facts(&info);
	if (tcp->sent_bytes == NOT_MEASURED)
		return;
	tcp->bytes_acked = info.bytes_acked;
	tcp->bytes_received = info.bytes_received;
}

/* The end of every way. A linger that nothing disturbed does not count into the duration. */
static void finish(struct connect_probe *probe, enum failure failure)
{
	struct observation *observation = probe->observation;
	if (probe->state == PROBE_ENDED)
		return;
	bool was_connected = probe->state == PROBE_WATCHING;
	probe->state = PROBE_ENDED;
	observation->failure = failure;
	observation->duration_us = was_connected && failure == FAILURE_NONE ? probe->connected_us : elapsed_us(probe);
	if (probe->error)
		observation->os_error = os_error_name(probe->error);
	if (probe->fd != -1)
		socket_record(probe);
	if (probe->has_poll)
		uv_close((uv_handle_t *)&probe->poll, on_closed);
	uv_close((uv_handle_t *)&probe->timer, on_closed);
	if (probe->fd != -1) {
		os_socket_reset_on_close(probe->fd); /* what the peer did not take is not sent again and again */
		os_socket_close(probe->fd);
	}
	probe->done(probe, probe->user);
}

static void take_errors(struct connect_probe *probe)
{
	int error = socket_take_errors(probe->arena, probe->fd, &probe->observation->tcp.icmp);
	if (!probe->error)
		probe->error = error;
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* ------------------------------------------------------------------ connected */

/* What ends a connection; an ICMP error on an established one (RFC 1122 4.2.3.9) only stays in the record. */
static bool is_end_of_connection(enum failure failure)
{
	return failure == FAILURE_CONNECTION_RESET || failure == FAILURE_CONNECTION_ABORTED ||
	       failure == FAILURE_CONNECTION_REFUSED || failure == FAILURE_TIMEOUT;
}

static void look_at_connection(struct connect_probe *probe)
{
	char bytes[FIRST_BYTES_MAX];
	probe->error = 0;
	int got = (int)recv((uv_os_sock_t)probe->fd, bytes, sizeof(bytes), MSG_PEEK);
	int error = got < 0 ? os_socket_error() : 0;
	if (got > 0) { /* a living service */
		probe->observation->tcp.first_bytes = hostile_bytes(probe->arena, bytes, (size_t)got);
		finish(probe, FAILURE_NONE);
	} else if (got == 0) {
		finish(probe, FAILURE_EOF);
	} else if (!socket_would_block(error) && is_end_of_connection(socket_failure(error))) {
		probe->error = error;
		finish(probe, socket_failure(error));
	} else {
		uv_poll_start(&probe->poll, UV_READABLE, on_poll);
	}
}

static void watch(struct connect_probe *probe, int status)
{
	if (status < 0)
		take_errors(probe);
	if (is_end_of_connection(socket_failure(probe->error)))
		finish(probe, socket_failure(probe->error));
	else
		look_at_connection(probe);
}

static void on_linger_over(uv_timer_t *timer)
{
	finish(timer->data, FAILURE_NONE);
}

/* ------------------------------------------------------------------ connecting */

static bool limit_ttl(struct connect_probe *probe)
{
	if (!probe->spec.min_ttl)
		return true;
	bool ipv6 = strchr(probe->spec.address, ':') != NULL;
	probe->unsupported = !os_socket_set_min_ttl(probe->fd, ipv6, probe->spec.min_ttl);
	if (!probe->unsupported)
		probe->observation->tcp.min_ttl = probe->spec.min_ttl;
	return !probe->unsupported;
}

static void payload_send(struct connect_probe *probe)
{
	if (!probe->spec.payload || !limit_ttl(probe))
		return;
	int sent = socket_send(probe->fd, probe->spec.payload, probe->spec.payload_bytes);
	probe->observation->tcp.sent_bytes = sent > 0 ? sent : 0;
}

static void on_connected(struct connect_probe *probe)
{
	probe->state = PROBE_WATCHING;
	probe->connected_us = elapsed_us(probe);
	if (probe->spec.linger_us <= 0) {
		finish(probe, FAILURE_NONE);
		return;
	}
	payload_send(probe);
	uv_update_time(probe->loop);
	uv_timer_start(&probe->timer, on_linger_over, (uint64_t)((probe->spec.linger_us + 999) / 1000), 0);
	uv_poll_start(&probe->poll, UV_READABLE, on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct connect_probe *probe = poll->data;
	(void)events;
	if (probe->state == PROBE_WATCHING) {
		watch(probe, status);
		return;
	}
	take_errors(probe); /* libuv gives POLLERR as UV_EBADF and stops polling: the socket itself says what it was */
	if (probe->error)
		finish(probe, socket_failure(probe->error));
	else if (status == 0)
		on_connected(probe);
	else
		uv_poll_start(&probe->poll, UV_WRITABLE, on_poll);
}

/* An ICMP error that came while the system held the socket waits in the queue without waking anybody. */
static void on_timeout(uv_timer_t *timer)
{
	struct connect_probe *probe = timer->data;
	if (probe->fd != -1)
		take_errors(probe);
	finish(probe, probe->error ? socket_failure(probe->error) : FAILURE_TIMEOUT);
}

static void connect_begin(struct connect_probe *probe)
{
	struct sockaddr_storage peer;
	socklen_t bytes = 0;
	probe->state = PROBE_FAILED_AT_ONCE;
	if (!socket_address(probe->spec.address, probe->spec.port, &peer, &bytes))
		return;
	probe->fd = socket_open(peer.ss_family, SOCK_STREAM, &probe->error);
	if (probe->fd == -1 || (!probe->spec.payload && !limit_ttl(probe)))
		return;
	if (connect((uv_os_sock_t)probe->fd, (const struct sockaddr *)&peer, bytes) != 0) {
		int error = os_socket_error();
		if (!socket_would_block(error)) {
			probe->error = error;
			return;
		}
	}
	socket_source(probe->arena, probe->fd, &probe->observation->tcp.tuple);
	if (uv_poll_init_socket(probe->loop, &probe->poll, (uv_os_sock_t)probe->fd) != 0)
		return;
	probe->poll.data = probe;
	probe->has_poll = true;
	probe->open_handles++;
	probe->state = PROBE_CONNECTING;
	uv_poll_start(&probe->poll, UV_WRITABLE, on_poll);
}

static void on_failed_at_once(uv_timer_t *timer)
{
	struct connect_probe *probe = timer->data;
	if (probe->unsupported)
		finish(probe, FAILURE_NOT_SUPPORTED);
	else
		finish(probe, probe->error ? socket_failure(probe->error) : FAILURE_UNKNOWN);
}

struct connect_probe *connect_start(uv_loop_t *loop, struct arena *arena, struct observation *observation,
				    const struct connect_spec *spec, int64_t run_started_us, connect_done_cb done,
				    void *user)
{
	struct connect_probe *probe = xcalloc(1, sizeof(*probe));
	probe->loop = loop;
	probe->arena = arena;
	probe->observation = observation;
	probe->run_started_us = run_started_us;
	probe->spec = *spec;
	probe->done = done;
	probe->user = user;
	probe->fd = -1;
	uv_timer_init(loop, &probe->timer);
	probe->timer.data = probe;
	probe->open_handles = 1;
	observation->start_us = os_monotonic_us() - run_started_us;
	observation->tcp.tuple.proto = "tcp";
	observation->tcp.tuple.dst = arena_strdup(arena, spec->address);
	observation->tcp.tuple.dst_port = spec->port;
	connect_begin(probe);
	uv_update_time(loop);
	if (probe->state == PROBE_FAILED_AT_ONCE)
		uv_timer_start(&probe->timer, on_failed_at_once, 0, 0);
	else
		uv_timer_start(&probe->timer, on_timeout, (uint64_t)((spec->timeout_us + 999) / 1000), 0);
	return probe;
}

void connect_cancel(struct connect_probe *probe, enum failure failure)
{
	finish(probe, failure);
}
