#ifndef MARSPROBE_OS_OS_TCP_WATCH_H
#define MARSPROBE_OS_OS_TCP_WATCH_H

#include "probe/os/os.h"

/* Copies of the TCP packets that come in, for whoever has the rights: the TTL of an answer, read and not asked for. */

enum { OS_TCP_WATCHES_MAX = 16 };

struct os_tcp_packet {
	char from[46]; /* the sender's address */
	int from_port, to_port;
	int ttl; /* as it came in; for IPv6 the hop limit */
	bool syn, ack, rst, fin;
};

/**
 * Open non-blocking sockets that get these copies from now on; returns how many, 0 where this account may not or the system cannot.
 *
 * Linux    raw(7), one socket for IPv4 and one for IPv6; needs CAP_NET_RAW. A filter lets through what has SYN or RST set, and nothing else.
 * Windows  SIO_RCVALL, one socket for each IPv4 address of this server (what comes by IPv6 has no header there); needs elevation. They get
 *          every packet in and out.
 */
size_t os_tcp_watch_open(os_socket fds[OS_TCP_WATCHES_MAX]);

/** The next packet of one of them that has SYN or RST set; others, and what is no whole TCP header, are passed over. False when there is
 *  none (left). */
bool os_tcp_watch_next(os_socket fd, struct os_tcp_packet *out);

/** Read the head of an IPv4 packet (RFC 791 3.1) that carries TCP (RFC 9293 3.1); false for anything else, for a later fragment, and where
 *  bytes are missing. */
bool os_tcp_packet_read(const uint8_t *bytes, size_t length, struct os_tcp_packet *out);

/** Read a TCP header: ports and flags; the rest of *out is left. False where bytes are missing. */
bool os_tcp_header_read(const uint8_t *bytes, size_t length, struct os_tcp_packet *out);

#endif
