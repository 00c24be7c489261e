#include "probe/engine/dns_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/dns_message.h"
#include "probe/engine/sockets.h"

enum {
	MALFORMED_MAX = 8,    /* messages of one question that are looked at and are not our reply */
	TCP_PREFIX_BYTES = 2, /* RFC 1035 4.2.2 */
	TCP_STREAM_BYTES_MAX = TCP_PREFIX_BYTES + 65535,
	TCP_STREAM_BYTES_FIRST = 1024,
	HEADER_BYTES = 12,
	FLAG_CHECKING_DISABLED = 0x10, /* in the fourth byte */
};

/* ------------------------------------------------------------------ what came */

static void note_error(struct dns_link *link, int error)
{
	struct dns_question *question = link->question;
	struct dns_query *query = &question->observation->dns;
	int queued = socket_take_errors(question->arena, link->fd, &query->icmp);
	if (!question->error)
		question->error = error ? error : queued;
	socket_source(question->arena, link->fd, &query->tuple);
}

static void take_message(struct dns_link *link, const uint8_t *bytes, size_t length)
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
	if (query->ede == NOT_MEASURED && failure != FAILURE_NONE && question->refusal_ede)
		query->ede = question->refusal_ede;
	question->replied = true;
	question->reply = failure;
	question->tries_at_reply = query->tries;
	socket_source(question->arena, link->fd, &query->tuple);
}

static void take_stream(struct dns_link *link, const uint8_t *bytes, size_t length)
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

static struct dns_link *link_of(struct dns_question *question, ares_socket_t fd)
{
	struct dns_link *link = question->links;
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
	struct dns_link *link = xcalloc(1, sizeof(*link));
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
	struct dns_link *link = link_of(question, fd);
	if (link && !question->is_tcp && socket_would_block(error))
		error = EADDRNOTAVAIL; /* a datagram waits for nothing: Linux says so when it has no local port left */
	if (link && !socket_would_block(error))
		note_error(link, error);
	return -1;
}

static ares_ssize_t on_recvfrom(ares_socket_t fd, void *buffer, size_t bytes, int flags, struct sockaddr *from,
				ares_socklen_t *from_bytes, void *user)
{
	struct dns_question *question = user;
	struct dns_link *link = link_of(question, fd);
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

/* The header of the question, behind the prefix that TCP has (RFC 1035 4.1.1, 4.2.2); NULL: too short to be one. */
static uint8_t *header_of(const struct dns_question *question, uint8_t *bytes, size_t length)
{
	size_t prefix = question->is_tcp ? TCP_PREFIX_BYTES : 0;
	return length < prefix + HEADER_BYTES ? NULL : bytes + prefix;
}

/* c-ares has no option for CD (RFC 4035 3.2.2). */
static void set_flags(const struct dns_question *question, uint8_t *bytes, size_t length)
{
	uint8_t *header = header_of(question, bytes, length);
	if (header && question->observation->dns.checking_disabled)
		header[3] |= FLAG_CHECKING_DISABLED;
}

static void note_sent(struct dns_question *question, uint8_t *bytes, size_t length)
{
	const uint8_t *header = header_of(question, bytes, length);
	struct dns_query *query = &question->observation->dns;
	if (!header)
		return;
	question->id = (uint16_t)(header[0] << 8 | header[1]);
	query->tries++;
	if (header[10] == 0 &&
	    header[11] == 0) /* no additional record: without OPT, also where c-ares has given it up */
		query->edns_bytes = NOT_MEASURED;
}

/* struct iovec as c-ares uses it; on Windows it is private to c-ares. */
struct part {
	void *base;
	size_t length;
};

static ares_ssize_t on_sendv(ares_socket_t fd, const struct iovec *parts, int count, void *user)
{
	struct dns_question *question = user;
	struct dns_link *link = link_of(question, fd);
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
	set_flags(question, message, length);
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
	struct dns_link **at = &question->links;
	while (*at && (*at)->fd != (os_socket)fd)
		at = &(*at)->next;
	struct dns_link *link = *at;
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

const struct ares_socket_functions dns_link_functions = {
	.asocket = on_socket,
	.aclose = on_close,
	.aconnect = on_connect,
	.arecvfrom = on_recvfrom,
	.asendv = on_sendv,
};

/* ------------------------------------------------------------------ the loop */

static void on_poll(uv_poll_t *poll, int status, int events);

static void link_watch(struct dns_link *link)
{
	if (!link->has_poll)
		return;
	if (link->events)
		uv_poll_start(&link->poll, link->events, on_poll);
	else
		uv_poll_stop(&link->poll);
}

/* libuv stops polling at POLLERR and says UV_EBADF: look what it is; a reply that has come as well counts more than the error. */
static void look_at_error(struct dns_link *link)
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
	struct dns_link *link = poll->data;
	struct dns_question *question = link->question;
	ares_socket_t fd = (ares_socket_t)link->fd;
	if (status < 0)
		look_at_error(link);
	else
		ares_process_fd(question->channel, events & UV_READABLE ? fd : ARES_SOCKET_BAD,
				events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
	dns_question_settle(question);
}

void dns_link_watch(void *user, ares_socket_t fd, int readable, int writable)
{
	struct dns_question *question = user;
	struct dns_link *link = link_of(question, fd);
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
