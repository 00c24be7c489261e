#include "probe/engine/sockets.h"

#include <string.h>

#include "probe/core/arena.h"

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0 /* a system without it hands no sockets on to children unasked */
#endif
#ifndef SOCK_NONBLOCK
#define SOCK_NONBLOCK 0 /* a system without it is told afterwards */
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* a system without it has no SIGPIPE */
#endif

enum { ICMP_ERRORS_MAX = 32 }; /* taken at once: a flood must not hold the loop */

bool socket_address(const char *address, int port, struct sockaddr_storage *out, socklen_t *bytes)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	memset(out, 0, sizeof(*out));
	if (uv_ip4_addr(address, port, &v4) == 0) {
		memcpy(out, &v4, sizeof(v4));
		*bytes = sizeof(v4);
		return true;
	}
	if (uv_ip6_addr(address, port, &v6) != 0)
		return false;
	memcpy(out, &v6, sizeof(v6));
	*bytes = sizeof(v6);
	return true;
}

socklen_t socket_address_of(const struct address *address, int port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	memset(out, 0, sizeof(*out));
	if (address->family == 4) {
		memcpy(&v4.sin_addr, address->bytes, sizeof(v4.sin_addr));
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, address->bytes, sizeof(v6.sin6_addr));
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

bool socket_address_read(const struct sockaddr *from, struct address *out, int *port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint16_t network_port;
	*out = (struct address){0};
	if (from->sa_family == AF_INET) {
		memcpy(&v4, from, sizeof(v4));
		out->family = 4;
		memcpy(out->bytes, &v4.sin_addr, 4);
		network_port = v4.sin_port;
	} else if (from->sa_family == AF_INET6) {
		memcpy(&v6, from, sizeof(v6));
		out->family = 6;
		memcpy(out->bytes, &v6.sin6_addr, 16);
		network_port = v6.sin6_port;
	} else {
		return false;
	}
	if (port)
		*port = ntohs(network_port);
	return true;
}

os_socket socket_open(int family, int type, int *error)
{
	os_socket fd = (os_socket)socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1) {
		*error = os_socket_error();
		return -1;
	}
	if (!SOCK_NONBLOCK && !os_socket_set_nonblocking(fd)) {
		*error = os_socket_error();
		os_socket_close(fd);
		return -1;
	}
	os_socket_keep_icmp(fd, family == AF_INET6);
	return fd;
}

enum failure socket_failure(int error)
{
	switch (os_error_kind(error)) {
	case OS_ERROR_NONE:
		return FAILURE_NONE;
	case OS_ERROR_REFUSED:
		return FAILURE_CONNECTION_REFUSED;
	case OS_ERROR_RESET:
	case OS_ERROR_CLOSED:
		return FAILURE_CONNECTION_RESET;
	case OS_ERROR_ABORTED:
		return FAILURE_CONNECTION_ABORTED;
	case OS_ERROR_TIMED_OUT:
		return FAILURE_TIMEOUT;
	case OS_ERROR_HOST_UNREACHABLE:
		return FAILURE_HOST_UNREACHABLE;
	case OS_ERROR_NET_UNREACHABLE:
	case OS_ERROR_BAD_FAMILY: /* a system without IPv6 has no route for it either */
		return FAILURE_NETWORK_UNREACHABLE;
	case OS_ERROR_PERMISSION:
		return FAILURE_PERMISSION_DENIED;
	case OS_ERROR_ADDRESS_NOT_AVAILABLE:
		return FAILURE_ADDRESS_NOT_AVAILABLE;
	case OS_ERROR_TOO_MANY_FILES:
		return FAILURE_TOO_MANY_FILES;
	case OS_ERROR_IN_PROGRESS:
	case OS_ERROR_OTHER:
		break;
	}
	return FAILURE_UNKNOWN;
}

bool socket_would_block(int error)
{
	return os_error_kind(error) == OS_ERROR_IN_PROGRESS;
}

int socket_send(os_socket fd, const uint8_t *bytes, uint16_t length)
{
	return (int)send((uv_os_sock_t)fd, (const char *)bytes, length, MSG_NOSIGNAL);
}

void socket_source(struct arena *arena, os_socket fd, struct tuple *tuple)
{
	struct sockaddr_storage local = {0};
	socklen_t bytes = sizeof(local);
	struct address address;
	char text[ADDRESS_TEXT_BYTES];
	int port;
	if (getsockname((uv_os_sock_t)fd, (struct sockaddr *)&local, &bytes) != 0 ||
	    !socket_address_read((const struct sockaddr *)&local, &address, &port))
		return;
	if (port == 0 || address_is_unspecified(&address))
		return;
	tuple->src = arena_strdup(arena, address_format(&address, text));
	tuple->src_port = port;
}

struct tcp_facts socket_tcp_facts(const struct os_tcp_info *info)
{
	return (struct tcp_facts){
		.rtt_us = info->rtt_us,
		.retransmits = info->retransmits,
		.unacked = info->unacked,
		.mss = info->mss,
		.segments = info->segments,
		.held_back = info->held_back,
	};
}

int socket_take_icmp(struct arena *arena, os_socket fd, struct icmp_error *icmp)
{
	struct os_icmp got;
	int error = 0;
	for (unsigned i = 0; i < ICMP_ERRORS_MAX && os_socket_next_icmp(fd, &got); i++) {
		if (!error)
			error = got.error;
		if (icmp->from)
			continue;
		icmp->from = arena_strdup(arena, got.from);
		icmp->type = got.type;
		icmp->code = got.code;
		icmp->mtu = got.mtu;
	}
	return error;
}

int socket_take_errors(struct arena *arena, os_socket fd, struct icmp_error *icmp)
{
	int error = os_socket_take_error(fd); /* first: taking from the queue clears it */
	int queued = socket_take_icmp(arena, fd, icmp);
	return error ? error : queued;
}
