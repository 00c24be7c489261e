#ifndef MARSPROBE_ENGINE_SOCKETS_H
#define MARSPROBE_ENGINE_SOCKETS_H

/* What all sockets (of look-ups, bare connections and libcurl) have in common. */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "probe/core/address.h"
#include "probe/core/evidence.h"
#include "probe/os/os.h"

/** A literal and a port as a socket address; false for a text that is no literal. */
bool socket_address(const char *address, int port, struct sockaddr_storage *out, socklen_t *bytes);

/** An address and a port as a socket address; returns its length. */
socklen_t socket_address_of(const struct address *address, int port, struct sockaddr_storage *out);

/** The inverse: the address and, unless port is NULL, the port; false for another family than IPv4 and IPv6. */
bool socket_address_read(const struct sockaddr *from, struct address *out, int *port);

/** A new non-blocking socket that keeps its ICMP errors; -1 with the reason in *error. type: SOCK_STREAM or SOCK_DGRAM. */
os_socket socket_open(int family, int type, int *error);

/** What a socket error says; FAILURE_NONE for 0. */
enum failure socket_failure(int error);

/** Is it only "not now"? */
bool socket_would_block(int error);

/** send() without SIGPIPE: bytes taken, or -1 with the reason in os_socket_error(). */
int socket_send(os_socket fd, const uint8_t *bytes, uint16_t length);

/** Fill in src and src_port from the socket; they stay as they are where the system does not know them yet. */
void socket_source(struct arena *arena, os_socket fd, struct tuple *tuple);

/** What the system counted, in the report's terms. */
struct tcp_facts socket_tcp_facts(const struct os_tcp_info *info);

/** Take the queue of ICMP errors: *icmp is the first one, unless it holds one already. Returns the first one's error number, 0 for none. */
int socket_take_icmp(struct arena *arena, os_socket fd, struct icmp_error *icmp);

/**
 * Take what the socket has to say about its failure: SO_ERROR and the queue of ICMP errors.
 *
 * Output   *icmp as by socket_take_icmp().
 * Returns  the error's number, 0 if there is none; an ICMP error counts where the system reports no other.
 */
int socket_take_errors(struct arena *arena, os_socket fd, struct icmp_error *icmp);

#endif
