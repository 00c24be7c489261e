#include "probe/engine/walk_probe.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/os/os_echo.h"

enum {
	ANSWER_BYTES = 512,
	TTL_UNLIMITED = 64,
	CALL_TENTHS = 8 /* of the patience: what the call itself waits, so that it is over before the run may be */
};

/* ICMP types. RFC 792; RFC 4443. */
enum {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP6_UNREACHABLE = 1,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129
};
enum { ICMP4_CODE_PORT = 3, ICMP6_CODE_PORT = 4 };

struct walk_socket {
	uv_poll_t poll;
	os_socket fd;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static bool is_kind(const struct walk_probe *probe, enum walk_kind kind)
{
	return probe->way->spec.kind == kind;
}

static int64_t now_us(const struct walk_probe *probe)
{
	return os_monotonic_us() - probe->way->run_started_us;
}

/* ------------------------------------------------------------------ the end */

static void on_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* A connection ends with a reset that gets to the far end: nothing half-open stays anywhere. */
static void socket_end(struct walk_probe *probe)
{
	struct walk_socket *socket = probe->socket;
	if (!socket)
		return;
	probe->socket = NULL;
	if (is_kind(probe, WALK_HELLO))
		os_socket_set_ttl(socket->fd, probe->way->ipv6, TTL_UNLIMITED);
	socket->poll.data = socket;
	uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
	os_socket_close(socket->fd);
}

/* The one place where a probe comes to its end. */
static void probe_over(struct walk_probe *probe, enum failure failure)
{
	probe->over = true;
	probe->seen->failure = failure;
	probe->seen->duration_us = now_us(probe) - probe->seen->start_us;
	socket_end(probe);
}

static void probe_answered(struct walk_probe *probe, enum failure failure)
{
	if (probe->over)
		return;
	probe_over(probe, failure);
	probe->way->over(probe, probe->way->user);
}

static void probe_reached(struct walk_probe *probe, const char *tcp)
{
	probe->seen->ttl.tcp = tcp;
	probe->reached = true;
	probe_answered(probe, FAILURE_NONE);
}

static void probe_expired(struct walk_probe *probe)
{
	probe->seen->ttl.expired = true;
	probe_answered(probe, FAILURE_NONE);
}

static void probe_refused_here(struct walk_probe *probe, int error)
{
	probe->refused_here = true;
	probe->seen->os_error = error ? os_error_name(error) : NULL;
	probe_answered(probe, error ? socket_failure(error) : FAILURE_UNKNOWN);
}

/* ------------------------------------------------------------------ what an answer means */

static bool is_from_far_end(const struct walk_probe *probe, const struct icmp_error *icmp)
{
	return strcmp(icmp->from, probe->way->dst) == 0;
}

static bool is_port_unreachable(const struct walk_probe *probe, const struct icmp_error *icmp)
{
	return probe->way->ipv6 ? icmp->type == ICMP6_UNREACHABLE && icmp->code == ICMP6_CODE_PORT
				: icmp->type == ICMP4_UNREACHABLE && icmp->code == ICMP4_CODE_PORT;
}

/** An ICMP message came, and is in the observation. error: what the system made of it. */
static void judge_icmp(struct walk_probe *probe, int error)
{
	struct ttl_probe *ttl = &probe->seen->ttl;
	bool ipv6 = probe->way->ipv6;
	ttl->from = ttl->icmp.from;
	if (is_kind(probe, WALK_HELLO) && !probe->hello_is_sent)
		probe_answered(probe, FAILURE_HOST_UNREACHABLE);
	else if (ttl->icmp.type == (ipv6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED))
		probe_expired(probe);
	else if (is_kind(probe, WALK_ECHO) && ttl->icmp.type == (ipv6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
		probe_reached(probe, NULL);
	else if (is_kind(probe, WALK_UDP) && is_port_unreachable(probe, &ttl->icmp) &&
		 is_from_far_end(probe, &ttl->icmp))
		probe_reached(probe, NULL);
	else if (socket_failure(error) == FAILURE_NETWORK_UNREACHABLE)
		probe_answered(probe, FAILURE_NETWORK_UNREACHABLE);
	else
		probe_answered(probe, FAILURE_HOST_UNREACHABLE);
}

/** An error without an ICMP message that could be had: on established connections, and where the system hands none out. */
static void judge_error(struct walk_probe *probe, int error)
{
	enum failure failure = socket_failure(error);
	bool connecting = is_kind(probe, WALK_HELLO) && !probe->hello_is_sent;
	bool ended = failure == FAILURE_CONNECTION_RESET || failure == FAILURE_CONNECTION_REFUSED;
	bool unreachable = failure == FAILURE_HOST_UNREACHABLE || failure == FAILURE_NETWORK_UNREACHABLE;
	probe->seen->os_error = os_error_name(error);
	if (unreachable && !connecting)
		probe_expired(probe);
	else if (ended && (is_kind(probe, WALK_SYN) || (is_kind(probe, WALK_HELLO) && !connecting)))
		probe_reached(probe, "rst");
	else
		probe_answered(probe, ended ? FAILURE_CONNECTION_REFUSED : failure);
}

/** Take errors from the socket; false: there is none. */
static bool take_errors(struct walk_probe *probe)
{
	struct ttl_probe *ttl = &probe->seen->ttl;
	int error = socket_take_errors(probe->way->arena, probe->socket->fd, &ttl->icmp);
	if (ttl->icmp.from)
		judge_icmp(probe, error);
	else if (error)
		judge_error(probe, error);
	return error != 0;
}

/** An echo reply's message, as far as it tells something. */
static void take_echo_reply(struct walk_probe *probe, const uint8_t *bytes, int got)
{
	struct icmp_error *icmp = &probe->seen->ttl.icmp;
	if (got < 2)
		return;
	*icmp = (struct icmp_error){.from = probe->way->dst, .type = bytes[0], .code = bytes[1], .mtu = NOT_MEASURED};
	judge_icmp(probe, 0);
}

/** Read what came; false: nothing did. */
static bool take_bytes(struct walk_probe *probe)
{
	uint8_t bytes[ANSWER_BYTES];
	int got = (int)recv((uv_os_sock_t)probe->socket->fd, (char *)bytes, sizeof(bytes), 0);
	int error = got < 0 ? os_socket_error() : 0;
	if (got < 0 && socket_would_block(error))
		return false;
	if (got < 0)
		judge_error(probe, error);
	else if (is_kind(probe, WALK_ECHO))
		take_echo_reply(probe, bytes, got);
	else
		probe_reached(probe, got > 0 || is_kind(probe, WALK_UDP) ? "data" : "fin");
	return true;
}

/* ------------------------------------------------------------------ sending */

static void listen_for_answer(struct walk_probe *probe)
{
	uv_poll_start(&probe->socket->poll, UV_READABLE, on_poll);
}

static void send_hello(struct walk_probe *probe)
{
	const struct walk_spec *spec = &probe->way->spec;
	os_socket fd = probe->socket->fd;
	probe->hello_is_sent = true;
	probe->seen->start_us = now_us(probe);
	if (!os_socket_set_ttl(fd, probe->way->ipv6, probe->seen->ttl.ttl) ||
	    socket_send(fd, spec->payload, (uint16_t)spec->payload_bytes) < 0)
		probe_refused_here(probe, os_socket_error());
	else
		listen_for_answer(probe);
}

static void on_connected(struct walk_probe *probe)
{
	if (is_kind(probe, WALK_SYN))
		probe_reached(probe, "syn_ack");
	else
		send_hello(probe);
}

static bool is_connecting(const struct walk_probe *probe)
{
	return is_kind(probe, WALK_SYN) || (is_kind(probe, WALK_HELLO) && !probe->hello_is_sent);
}

/* libuv gives POLLERR as UV_EBADF and stops polling: the socket itself says what it was. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct walk_probe *probe = poll->data;
	(void)events;
	if (take_errors(probe))
		return;
	if (is_connecting(probe) && status == 0)
		on_connected(probe);
	else if (is_connecting(probe))
		uv_poll_start(poll, UV_WRITABLE, on_poll);
	else if (!take_bytes(probe) || !probe->over)
		listen_for_answer(probe);
}

static int send_packet(struct walk_probe *probe)
{
	static const char datagram[] = "marsprobe";
	const uint8_t echo[8] = {[0] = probe->way->ipv6 ? ICMP6_ECHO : ICMP4_ECHO,
				 [7] = (uint8_t)probe->seen->ttl.ttl}; /* the sequence number: RFC 792 */
	if (is_kind(probe, WALK_UDP))
		return socket_send(probe->socket->fd, (const uint8_t *)datagram, sizeof(datagram) - 1);
	return socket_send(probe->socket->fd, echo, sizeof(echo));
}

/** The port of this TTL and flow, or the one that it had; the system chooses where that is taken. */
static void bind_port(const struct walk_probe *probe)
{
	const struct tuple *tuple = &probe->seen->ttl.tuple;
	struct sockaddr_storage own;
	socklen_t bytes;
	int port = tuple->src_port != NOT_MEASURED ? tuple->src_port : probe->way->base_port + probe->seen->ttl.ttl;
	if (!is_kind(probe, WALK_ECHO) && socket_address(probe->way->ipv6 ? "::" : "0.0.0.0", port, &own, &bytes))
		(void)!bind((uv_os_sock_t)probe->socket->fd, (const struct sockaddr *)&own, bytes);
}

static os_socket open_socket(const struct walk_probe *probe, int *error)
{
	int family = probe->way->ipv6 ? AF_INET6 : AF_INET;
	switch (probe->way->spec.kind) {
	case WALK_SYN:
	case WALK_HELLO:
		return socket_open(family, SOCK_STREAM, error);
	case WALK_UDP:
		return socket_open(family, SOCK_DGRAM, error);
	case WALK_ECHO:
		return os_echo_socket(probe->way->ipv6, error);
	}
	return -1;
}

/** A socket that is watched, with its port and its limit; false with the reason in *error. */
static bool socket_begin(struct walk_probe *probe, int *error)
{
	os_socket fd = open_socket(probe, error);
	if (fd == -1)
		return false;
	struct walk_socket *socket = xcalloc(1, sizeof(*socket));
	if (uv_poll_init_socket(probe->way->loop, &socket->poll, (uv_os_sock_t)fd) != 0) {
		free(socket);
		os_socket_close(fd);
		return false;
	}
	socket->fd = fd;
	socket->poll.data = probe;
	probe->socket = socket;
	bind_port(probe);
	if (is_kind(probe, WALK_SYN) || is_kind(probe, WALK_HELLO))
		os_socket_reset_on_close(fd);
	if (is_kind(probe, WALK_HELLO) || os_socket_set_ttl(fd, probe->way->ipv6, probe->seen->ttl.ttl))
		return true;
	*error = os_socket_error();
	return false;
}

static void packet_begin(struct walk_probe *probe)
{
	struct sockaddr_storage peer;
	socklen_t bytes;
	int error = 0, port = is_kind(probe, WALK_ECHO) ? 0 : probe->seen->ttl.tuple.dst_port;
	if (!socket_address(probe->way->dst, port, &peer, &bytes) || !socket_begin(probe, &error)) {
		probe_refused_here(probe, error);
		return;
	}
	os_socket fd = probe->socket->fd;
	if (connect((uv_os_sock_t)fd, (const struct sockaddr *)&peer, bytes) != 0)
		error = os_socket_error();
	socket_source(probe->way->arena, fd, &probe->seen->ttl.tuple);
	if (!error && !is_connecting(probe) && send_packet(probe) < 0)
		error = os_socket_error();
	if (error && !socket_would_block(error))
		probe_refused_here(probe, error);
	else
		uv_poll_start(&probe->socket->poll, is_connecting(probe) ? UV_WRITABLE : UV_READABLE, on_poll);
}

/* ------------------------------------------------------------------ an echo request by a call */

struct echo_job {
	char address[ADDRESS_TEXT_BYTES];
	int ttl, timeout_ms;
	bool supported;
	struct os_echo answer;
	struct walk_probe *probe; /* the loop's side only */
};

static void echo_work(void *data)
{
	struct echo_job *job = data;
	job->supported = os_echo_ask(job->address, job->ttl, job->timeout_ms, &job->answer);
}

static void echo_done(enum blocking_end end, void *user)
{
	struct echo_job *job = user;
	struct walk_probe *probe = job->probe;
	probe->call = NULL;
	if (end == BLOCKING_ABANDONED)
		return;
	if (end == BLOCKING_NO_THREAD || !job->supported || job->answer.error) {
		probe_refused_here(probe, job->answer.error);
		return;
	}
	if (!job->answer.answered)
		return;
	probe->seen->ttl.icmp = (struct icmp_error){.from = arena_strdup(probe->way->arena, job->answer.from),
						    .type = job->answer.type,
						    .code = job->answer.code,
						    .mtu = NOT_MEASURED};
	judge_icmp(probe, 0);
}

static void echo_begin(struct walk_probe *probe, int64_t patience_us)
{
	struct echo_job *job = xcalloc(1, sizeof(*job));
	memcpy(job->address, probe->way->dst, strlen(probe->way->dst) + 1);
	job->ttl = probe->seen->ttl.ttl;
	job->timeout_ms = (int)(patience_us / 1000 * CALL_TENTHS / 10);
	job->probe = probe;
	struct blocking_call call = {.work = echo_work,
				     .release = free,
				     .data = job,
				     .patience_us = patience_us,
				     .done = echo_done,
				     .user = job};
	probe->call = blocking_start(probe->way->loop, &call);
}

/* ------------------------------------------------------------------ */

static bool is_by_call(const struct walk_probe *probe)
{
	return is_kind(probe, WALK_ECHO) && !os_echo_by_socket();
}

void walk_probe_send(struct walk_probe *probe, int64_t patience_us)
{
	if (probe->over || (is_kind(probe, WALK_HELLO) && probe->socket)) /* TCP sends those bytes again by itself */
		return;
	if (probe->socket && take_errors(probe)) /* what came while the system held the socket woke nobody */
		return;
	socket_end(probe);
	if (probe->call)
		blocking_abandon(probe->call); /* it may have been answered just now */
	if (probe->over)
		return;
	probe->seen->start_us = now_us(probe);
	if (!probe->first_us)
		probe->first_us = probe->seen->start_us;
	if (is_by_call(probe))
		echo_begin(probe, patience_us);
	else
		packet_begin(probe);
}

void walk_probe_end(struct walk_probe *probe, enum failure failure)
{
	if (probe->call)
		blocking_abandon(probe->call);
	if (probe->over)
		return;
	if (probe->socket && take_errors(probe))
		return;
	if (!probe->hello_is_sent && probe->first_us)
		probe->seen->start_us = probe->first_us; /* both were in vain */
	probe_over(probe, failure);
}
