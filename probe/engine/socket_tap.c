#include "probe/engine/transfer_state.h"

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/engine/hostile.h"
#include "probe/engine/sockets.h"

/* Whatever libcurl makes of a name: nothing but the address of this attempt is contacted. */
static bool is_pinned(const struct transfer *transfer, const struct address *address)
{
	struct address wanted;
	return address_parse(transfer->address, &wanted) && address_equal(&wanted, address) &&
	       !address_is_unspecified(address);
}

curl_socket_t socket_tap_open(struct transfer *transfer, const struct curl_sockaddr *peer)
{
	struct socket_facts *facts = &transfer->socket;
	struct sockaddr_storage end = {0};
	struct address address;
	char text[ADDRESS_TEXT_BYTES];
	int port = 0;
	*facts = (struct socket_facts){.tuple = {.proto = "tcp", .src_port = NOT_MEASURED, .dst_port = NOT_MEASURED}};
	facts->icmp = (struct icmp_error){.type = NOT_MEASURED, .code = NOT_MEASURED, .mtu = NOT_MEASURED};
	if (peer->addrlen > sizeof(end))
		return CURL_SOCKET_BAD;
	memcpy(&end, &peer->addr, peer->addrlen);
	if (!socket_address_read((const struct sockaddr *)&end, &address, &port) || !is_pinned(transfer, &address))
		return CURL_SOCKET_BAD;
	facts->tuple.dst = arena_strdup(transfer->arena, address_format(&address, text));
	facts->tuple.dst_port = port;
	facts->fd = socket_open(peer->family, peer->socktype, &facts->error);
	facts->open = facts->fd != -1;
	if (facts->open && transfer->hello.segment_bytes)
		facts->is_limited =
			os_socket_set_segment(facts->fd, peer->family == AF_INET6, transfer->hello.segment_bytes);
	return facts->open ? (curl_socket_t)facts->fd : CURL_SOCKET_BAD;
}

void socket_tap_note_source(struct transfer *transfer)
{
	struct socket_facts *facts = &transfer->socket;
	if (!facts->tuple.src && facts->open)
		socket_source(transfer->arena, facts->fd, &facts->tuple);
}

/* Never by SO_ERROR: reading it would take libcurl's error away. */
static bool is_connected(const struct socket_facts *facts)
{
	struct os_tcp_info info;
	struct sockaddr_storage end;
	socklen_t length = sizeof(end);
	if (os_socket_tcp_info(facts->fd, &info) && info.connected)
		return true;
	return getpeername((curl_socket_t)facts->fd, (struct sockaddr *)&end, &length) == 0;
}

/* Has the TCP handshake finished? Then the step after it is open. */
static void note_connected(struct transfer *transfer)
{
	struct socket_facts *facts = &transfer->socket;
	if (facts->connected || !facts->open || !is_connected(facts))
		return;
	facts->connected = true;
	transfer_advance(transfer, transfer_step_after(transfer, STEP_TCP));
}

/* The error of a connection that stood. An ICMP error does not end it, as it would not end the agent's: it is noted and taken away, so
 * that libcurl goes on. */
static void take_error(struct transfer *transfer)
{
	struct socket_facts *facts = &transfer->socket;
	int error = os_socket_take_error(facts->fd);
	if (error)
		facts->error = error;
	socket_take_icmp(transfer->arena, facts->fd, &facts->icmp);
}

/* On a connection that was reset the first try says so, a second one only that the pipe is broken. */
void socket_tap_note_error(struct transfer *transfer)
{
	long code = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &code);
	if (!transfer->socket.error && transfer->socket.connected && outcome_says_reset((int)code))
		transfer->socket.error = (int)code;
}

void socket_tap_measure(struct transfer *transfer)
{
	struct socket_facts *facts = &transfer->socket;
	if (!facts->open)
		return;
	socket_tap_note_source(transfer);
	if (os_socket_tcp_info(facts->fd, &facts->info))
		facts->has_info = true;
	if (facts->connected)
		return;
	note_connected(transfer);
}

void socket_tap_write(struct transfer *transfer)
{
	const struct socket_facts *facts = &transfer->socket;
	if (!transfer->tcp || !facts->tuple.dst)
		return;
	struct tcp_connect *tcp = &transfer->tcp->tcp;
	tcp->tuple = facts->tuple;
	tcp->icmp = facts->icmp;
	tcp->has_tcp_info = facts->has_info;
	if (facts->has_info)
		tcp->tcp_info = socket_tcp_facts(&facts->info);
}

void socket_tap_close(struct transfer *transfer)
{
	struct socket_facts *facts = &transfer->socket;
	char byte;
	socket_tap_measure(transfer);
	socket_take_icmp(transfer->arena, facts->fd, &facts->icmp);
	if (facts->connected && recv((curl_socket_t)facts->fd, &byte, 1, MSG_PEEK) == 0)
		facts->eof = true;
	facts->open = false;
	socket_tap_write(transfer);
}

static bool is_step_peeked(const struct transfer *transfer)
{
	switch (transfer->step) {
	case STEP_PROXY:
		return !transfer->reply_looked_at && transfer->via.scheme != VIA_HTTPS;
	case STEP_TLS_PROXY:
	case STEP_TLS:
		return !transfer->tls_looked_at;
	case STEP_HTTP:
		return transfer->reply.status == NOT_MEASURED;
	case STEP_TCP:
	case STEP_DONE:
		break;
	}
	return false;
}

/* A TLS record starts with its type (handshake or alert, RFC 8446 5.1) and the major version 3. */
static void look_at_hello_reply(struct transfer *transfer, const unsigned char *bytes, size_t length)
{
	bool tunnelled_in_tls = transfer->step == STEP_TLS && transfer->via.scheme == VIA_HTTPS;
	struct observation *observation = tls_tap_open_observation(transfer);
	transfer->tls_looked_at = true;
	bool is_tls = (bytes[0] == 0x16 || bytes[0] == 0x15) && (length < 2 || bytes[1] == 3);
	if (is_tls || tunnelled_in_tls || !observation)
		return;
	if (length > FIRST_BYTES_MAX)
		length = FIRST_BYTES_MAX;
	observation->tls.plain_reply = hostile_bytes(transfer->arena, bytes, length);
}

size_t socket_tap_peek(struct transfer *transfer, void *bytes, size_t max)
{
	struct socket_facts *facts = &transfer->socket;
	if (!facts->open)
		return 0;
	ssize_t got = recv((curl_socket_t)facts->fd, bytes, max < UINT16_MAX ? (uint16_t)max : UINT16_MAX, MSG_PEEK);
	if (got == 0)
		facts->eof = true;
	if (got < 0 && os_error_kind(os_socket_error()) == OS_ERROR_RESET)
		facts->error = os_socket_error();
	return got > 0 ? (size_t)got : 0;
}

static enum look peek(struct transfer *transfer)
{
	char bytes[PEEK_BYTES_MAX + 1];
	size_t got = socket_tap_peek(transfer, bytes, PEEK_BYTES_MAX);
	if (!got)
		return LOOK_GO_ON;
	bytes[got] = '\0';
	if (transfer->step == STEP_PROXY)
		return proxy_tap_look(transfer, bytes, got);
	if (transfer->step == STEP_TLS_PROXY || transfer->step == STEP_TLS)
		look_at_hello_reply(transfer, (const unsigned char *)bytes, got);
	return LOOK_GO_ON;
}

enum look socket_tap_look(struct transfer *transfer, bool readable, bool failed)
{
	note_connected(transfer);
	if (!transfer->socket.connected)
		return LOOK_GO_ON;
	if (failed)
		take_error(transfer);
	if (!readable || !is_step_peeked(transfer))
		return LOOK_GO_ON;
	return peek(transfer);
}
