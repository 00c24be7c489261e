#include "probe/engine/dns_query.h"

#include <stdlib.h>
#include <string.h>

#define CARES_NO_DEPRECATED /* the documented interface of 1.18 is what every version has */
#include <ares.h>
#include <ares_nameser.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/engine/dns_message.h"
#include "probe/engine/sockets.h"

enum {
	DNS_PORT = 53,
	EDNS_BYTES = 1232, /* no fragments on any path (DNS flag day 2020) */
	UDP_TRIES = 3,	   /* at 0, 1/7 and 3/7 of the time; the third waits 4/7 */
	UDP_TIME_PARTS = 7,
	MALFORMED_MAX = 8,    /* messages of one question that are looked at and are not our reply */
	MALFORMED_ENOUGH = 2, /* then the server, or what speaks for it, answers so to every try */
	TCP_PREFIX_BYTES = 2, /* RFC 1035 4.2.2 */
	TCP_STREAM_BYTES_MAX = TCP_PREFIX_BYTES + 65535,
	TCP_STREAM_BYTES_FIRST = 1024,
};

/* One socket of the channel. It outlives its closing until libuv lets go of the poll handle. */
struct link {
	struct link *next;
	struct dns_question *question;
	os_socket fd;
	uv_poll_t poll;
	bool has_poll;
	int events; /* what c-ares waits for: UV_READABLE, UV_WRITABLE */
};

struct dns_question {
	struct arena *arena;
	struct observation *observation;
	int64_t run_started_us, deadline_us; /* deadline on the monotonic clock */
	dns_question_done_cb done;
	void *user;
	uv_loop_t *loop;
	uv_timer_t timer;
	ares_channel channel; /* NULL where c-ares did not start */
	struct link *links;
	bool is_tcp, ended;
	uint16_t id; /* of the datagram sent last */
	/* what has come so far: */
	bool replied;	    /* a message that answers our question is in the observation */
	enum failure reply; /* what it says */
	int tries_at_reply;
	unsigned malformed;    /* messages that do not */
	int error;	       /* of a socket; no further one is opened then */
	bool closed_by_server; /* TCP: FIN before a whole message */
	bool given_up;	       /* c-ares has ended its query */
	int status;	       /* with this */
	uint8_t *stream;       /* TCP: the bytes so far */
	size_t stream_length, stream_capacity;
};

static void settle(struct dns_question *question);

/* ------------------------------------------------------------------ what came */

static void note_error(struct link *link, int error)
{
	struct dns_question *question = link->question;
	struct dns_query *query = &question->observation->dns;
	int queued = socket_take_errors(question->arena, link->fd, &query->icmp);
	if (!question->error)
		question->error = error ? error : queued;
	socket_source(question->arena, link->fd, &query->tuple);
}

static void take_message(struct link *link, const uint8_t *bytes, size_t length)
{
	struct dns_question *question = link->question;
	struct dns_query *query = &question->observation->dns;
	if (question->replied || question->malformed >= MALFORMED_MAX)
		return;
	enum failure failure = dns_message_read(question->arena, bytes, length, question->id, query);
	if (failure == FAILURE_DNS_MALFORMED) {
		question->malformed++;
		return;
	}
	question->replied = true;
	question->reply = failure;
	question->tries_at_reply = query->tries;
	socket_source(question->arena, link->fd, &query->tuple);
}

static void take_stream(struct link *link, const uint8_t *bytes, size_t length)
{
	struct dns_question *question = link->question;
	if (length > TCP_STREAM_BYTES_MAX - question->stream_length)
		length = TCP_STREAM_BYTES_MAX - question->stream_length;
	while (question->stream_capacity < question->stream_length + length) {
		size_t wanted = question->stream_capacity ? question->stream_capacity * 2 : TCP_STREAM_BYTES_FIRST;
		question->stream = xrealloc(question->stream, wanted);
		question->stream_capacity = wanted;
	}
	if (length)
		memcpy(question->stream + question->stream_length, bytes, length);
	question->stream_length += length;
	if (question->stream_length < TCP_PREFIX_BYTES)
		return;
	size_t message = (size_t)question->stream[0] << 8 | question->stream[1];
	if (question->stream_length >= TCP_PREFIX_BYTES + message)
		take_message(link, question->stream + TCP_PREFIX_BYTES, message);
}

/* ------------------------------------------------------------------ the sockets of c-ares */

static struct link *link_of(struct dns_question *question, ares_socket_t fd)
{
	struct link *link = question->links;
	while (link && link->fd != (os_socket)fd)
		link = link->next;
	return link;
}

static ares_socket_t on_socket(int family, int type, int protocol, void *user)
{
	struct dns_question *question = user;
	(void)protocol;
	if (question->error || question->closed_by_server || question->replied)
		return ARES_SOCKET_BAD; /* it would only try again what is decided */
	os_socket fd = socket_open(family, type, &question->error);
	if (fd == -1)
		return ARES_SOCKET_BAD;
	struct link *link = xcalloc(1, sizeof(*link));
	link->question = question;
	link->fd = fd;
	link->next = question->links;
	question->links = link;
	return (ares_socket_t)fd;
}

static int on_connect(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t bytes, void *user)
{
	struct dns_question *question = user;
	if (connect(fd, address, bytes) == 0)
		return 0;
	int error = os_socket_error();
	struct link *link = link_of(question, fd);
	if (link && !socket_would_block(error))
		note_error(link, error);
	return -1;
}

static ares_ssize_t on_recvfrom(ares_socket_t fd, void *buffer, size_t bytes, int flags, struct sockaddr *from,
				ares_socklen_t *from_bytes, void *user)
{
	struct dns_question *question = user;
	struct link *link = link_of(question, fd);
	uint16_t room = bytes > UINT16_MAX ? UINT16_MAX : (uint16_t)bytes;
	ares_ssize_t got = recvfrom(fd, buffer, room, flags, from, from_bytes);
	if (!link)
		return got;
	if (got < 0) {
		int error = os_socket_error();
		if (!socket_would_block(error))
			note_error(link, error);
		return got;
	}
	if (!question->is_tcp)
		take_message(link, buffer, (size_t)got);
	else if (got > 0)
		take_stream(link, buffer, (size_t)got);
	else if (room > 0)
		question->closed_by_server = true;
	return got;
}

static void note_sent(struct dns_question *question, const uint8_t *bytes, size_t length)
{
	size_t prefix = question->is_tcp ? TCP_PREFIX_BYTES : 0;
	if (length < prefix + 2)
		return;
	question->id = (uint16_t)(bytes[prefix] << 8 | bytes[prefix + 1]);
	question->observation->dns.tries++;
}

/* struct iovec as c-ares uses it; on Windows it is private to c-ares. */
struct part {
	void *base;
	size_t length;
};

static ares_ssize_t on_sendv(ares_socket_t fd, const struct iovec *parts, int count, void *user)
{
	struct dns_question *question = user;
	struct link *link = link_of(question, fd);
	uint8_t message[1024] = {0}; /* a question is far smaller: 12 + 255 + 4, and EDNS */
	uint16_t length = 0;
	for (int i = 0; i < count; i++) {
		struct part part;
		memcpy(&part, (const char *)parts + (size_t)i * sizeof(part), sizeof(part));
		size_t fits = sizeof(message) - length;
		size_t taken = part.length < fits ? part.length : fits;
		memcpy(message + length, part.base, taken);
		length = (uint16_t)(length + taken);
	}
	ares_ssize_t sent = socket_send((os_socket)fd, message, length);
	int error = sent < 0 ? os_socket_error() : 0;
	if (sent >= 0)
		note_sent(question, message, length);
	else if (link && !socket_would_block(error))
		note_error(link, error);
	return sent;
}

static void on_link_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int on_close(ares_socket_t fd, void *user)
{
	struct dns_question *question = user;
	struct link **at = &question->links;
	while (*at && (*at)->fd != (os_socket)fd)
		at = &(*at)->next;
	struct link *link = *at;
	if (!link)
		return -1;
	*at = link->next;
	if (link->has_poll)
		uv_close((uv_handle_t *)&link->poll, on_link_closed);
	os_socket_close(link->fd);
	if (!link->has_poll)
		free(link);
	return 0;
}

static const struct ares_socket_functions socket_functions = {
	.asocket = on_socket,
	.aclose = on_close,
	.aconnect = on_connect,
	.arecvfrom = on_recvfrom,
	.asendv = on_sendv,
};

/* ------------------------------------------------------------------ the loop */

static void on_poll(uv_poll_t *poll, int status, int events);

static void link_watch(struct link *link)
{
	if (!link->has_poll)
		return;
	if (link->events)
		uv_poll_start(&link->poll, link->events, on_poll);
	else
		uv_poll_stop(&link->poll);
}

/* libuv stops polling at POLLERR and says UV_EBADF: look what it is; a reply that has come as well counts more than the error. */
static void look_at_error(struct link *link)
{
	struct dns_question *question = link->question;
	ares_socket_t fd = (ares_socket_t)link->fd;
	note_error(link, 0);
	ares_process_fd(question->channel, fd, question->error ? ARES_SOCKET_BAD : fd);
	link = link_of(question, fd);
	if (link)
		link_watch(link);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct link *link = poll->data;
	struct dns_question *question = link->question;
	ares_socket_t fd = (ares_socket_t)link->fd;
	if (status < 0)
		look_at_error(link);
	else
		ares_process_fd(question->channel, events & UV_READABLE ? fd : ARES_SOCKET_BAD,
				events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
	settle(question);
}

/* c-ares tells what it waits for, the first time right after connect(). */
static void on_socket_state(void *user, ares_socket_t fd, int readable, int writable)
{
	struct dns_question *question = user;
	struct link *link = link_of(question, fd);
	if (!link)
		return;
	link->events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
	if (!link->has_poll) {
		if (!link->events || uv_poll_init_socket(question->loop, &link->poll, fd) != 0)
			return;
		link->poll.data = link;
		link->has_poll = true;
	}
	if (!question->observation->dns.tuple.src)
		socket_source(question->arena, link->fd, &question->observation->dns.tuple);
	link_watch(link);
}

static void on_answer(void *user, int status, int timeouts, unsigned char *bytes, int length)
{
	struct dns_question *question = user;
	(void)timeouts, (void)bytes, (void)length; /* on_recvfrom() has seen the message as it came */
	question->given_up = true;
	question->status = status;
}

static void on_timer(uv_timer_t *timer)
{
	struct dns_question *question = timer->data;
	if (question->channel)
		ares_process_fd(question->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	settle(question);
}

static void timer_arm(struct dns_question *question, int64_t now_us)
{
	int64_t wait_ms = (question->deadline_us - now_us + 999) / 1000;
	struct timeval most = {.tv_sec = 3600}, next;
	if (question->channel && ares_timeout(question->channel, &most, &next)) {
		int64_t next_ms = (int64_t)next.tv_sec * 1000 + next.tv_usec / 1000 + 1;
		wait_ms = next_ms < wait_ms ? next_ms : wait_ms;
	}
	uv_update_time(question->loop);
	uv_timer_start(&question->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* ------------------------------------------------------------------ the end */

static void on_timer_closed(uv_handle_t *handle)
{
	struct dns_question *question = handle->data;
	free(question->stream);
	free(question);
}

static void finish(struct dns_question *question, enum failure failure)
{
	struct observation *observation = question->observation;
	if (question->ended)
		return;
	question->ended = true;
	observation->failure = failure;
	observation->duration_us = os_monotonic_us() - question->run_started_us - observation->start_us;
	if (question->error && !question->replied)
		observation->os_error = os_error_name(question->error);
	if (question->channel)
		ares_destroy(question->channel); /* closes its sockets */
	question->channel = NULL;
	uv_close((uv_handle_t *)&question->timer, on_timer_closed);
	question->done(question, question->user);
}

/* c-ares ended the query by itself, without a reply that we could use and without an error that we have seen. */
static enum failure status_failure(const struct dns_question *question)
{
	switch (question->status) {
	case ARES_ETIMEOUT:
		return FAILURE_TIMEOUT;
	case ARES_ECONNREFUSED:
		return FAILURE_CONNECTION_REFUSED;
	case ARES_EBADNAME:
	case ARES_EBADQUERY:
	case ARES_ENOTFOUND: /* names that must not be asked for (RFC 7686) */
		return FAILURE_DNS_OTHER;
	}
	return FAILURE_UNKNOWN;
}

static bool is_malformed_for_good(const struct dns_question *question)
{
	unsigned enough = question->is_tcp || question->given_up ? 1 : MALFORMED_ENOUGH;
	return question->malformed >= enough;
}

/* c-ares has put the question anew after a refusal: without EDNS after FORMERR (RFC 6891 7), with the server's cookie (RFC 7873 5.3). */
static void forget_refusal(struct dns_question *question)
{
	struct dns_query *query = &question->observation->dns;
	if (!question->replied || question->given_up || query->tries == question->tries_at_reply)
		return;
	question->replied = false;
	query->rcode = query->ede = NOT_MEASURED;
	query->answer_count = 0;
}

/* Has the question ended with what came? Else wait on. Called at the end of each event, never from within c-ares. */
static void settle(struct dns_question *question)
{
	int64_t now_us = os_monotonic_us();
	if (question->ended)
		return;
	forget_refusal(question);
	if (question->replied)
		finish(question, question->reply);
	else if (question->error)
		finish(question, socket_failure(question->error));
	else if (is_malformed_for_good(question))
		finish(question, FAILURE_DNS_MALFORMED);
	else if (question->closed_by_server)
		finish(question, FAILURE_EOF);
	else if (question->given_up && question->status != ARES_ETIMEOUT)
		finish(question, status_failure(question));
	else if (now_us >= question->deadline_us || (question->given_up && !question->links))
		finish(question, question->malformed ? FAILURE_DNS_MALFORMED : FAILURE_TIMEOUT);
	else
		timer_arm(question, now_us);
}

/* ------------------------------------------------------------------ the start */

static void library_start(void)
{
	ares_library_init(ARES_LIB_INIT_ALL);
}

static bool channel_open(struct dns_question *question, int64_t timeout_us)
{
	static uv_once_t once = UV_ONCE_INIT;
	int timeout_ms = timeout_us / 1000 > INT32_MAX / 2 ? INT32_MAX / 2 : (int)(timeout_us / 1000);
	char lookups[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_IGNTC | ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
			 ARES_FLAG_EDNS | (question->is_tcp ? ARES_FLAG_USEVC : 0),
		.timeout = question->is_tcp ? timeout_ms + 1 : timeout_ms / UDP_TIME_PARTS + 1,
		.tries = question->is_tcp ? 1 : UDP_TRIES,
		.ndots = 1,
		.lookups = lookups,
		.ednspsz = EDNS_BYTES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = question,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS |
		   ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS | ARES_OPT_SERVERS | ARES_OPT_NOROTATE;
	uv_once(&once, library_start);
	question->status = ares_init_options(&question->channel, &options, mask);
	if (question->status != ARES_SUCCESS) {
		question->channel = NULL;
		return false;
	}
	ares_set_socket_functions(question->channel, &socket_functions, question);
	question->status = ares_set_servers_ports_csv(question->channel, question->observation->dns.server);
	return question->status == ARES_SUCCESS;
}

/* False: the text names no server. */
static bool destination_record(struct arena *arena, struct dns_query *query)
{
	char host[64];
	int port;
	struct address address;
	query->tuple.proto = query->transport;
	if (!host_port_split(query->server, host, sizeof(host), &port) || !address_parse(host, &address))
		return false;
	query->tuple.dst = arena_strdup(arena, host);
	query->tuple.dst_port = port == -1 ? DNS_PORT : port;
	return true;
}

struct dns_question *dns_question_start(uv_loop_t *loop, struct arena *arena, struct observation *observation,
					int64_t run_started_us, int64_t timeout_us, dns_question_done_cb done,
					void *user)
{
	struct dns_question *question = xcalloc(1, sizeof(*question));
	int64_t now_us = os_monotonic_us();
	question->arena = arena;
	question->observation = observation;
	question->run_started_us = run_started_us;
	question->deadline_us = now_us + timeout_us;
	question->done = done;
	question->user = user;
	question->loop = loop;
	question->is_tcp = strcmp(observation->dns.transport, "tcp") == 0;
	uv_timer_init(loop, &question->timer);
	question->timer.data = question;
	observation->start_us = now_us - run_started_us;
	observation->dns.tries = 0;
	if (destination_record(arena, &observation->dns) && channel_open(question, timeout_us))
		ares_query(question->channel, observation->dns.name, ns_c_in,
			   strcmp(observation->dns.type, "AAAA") == 0 ? ns_t_aaaa : ns_t_a, on_answer, question);
	else
		question->given_up = true;
	if (question->error || question->given_up)
		uv_timer_start(&question->timer, on_timer, 0, 0);
	else
		timer_arm(question, now_us);
	return question;
}

bool dns_question_is_silent(const struct dns_question *question)
{
	return !question->replied && !question->error && !question->malformed && question->stream_length == 0 &&
	       !question->observation->dns.icmp.from;
}

void dns_question_cancel(struct dns_question *question, enum failure failure)
{
	finish(question, failure);
}
