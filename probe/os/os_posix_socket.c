/* What Linux tells about a socket: errors, ICMP messages, TCP_INFO. */

#include "probe/os/os_error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ERROR_QUEUE_READS = 64 };

/* ------------------------------------------------------------------ errors */

#define NAME(code)          \
	{                   \
		code, #code \
	}
const struct os_error_name os_error_names[] = {
	NAME(EPERM),	    NAME(ENOENT),	NAME(EINTR),	       NAME(EIO),
	NAME(ENXIO),	    NAME(EBADF),	NAME(EAGAIN),	       NAME(ENOMEM),
	NAME(EACCES),	    NAME(EFAULT),	NAME(EBUSY),	       NAME(EEXIST),
	NAME(ENODEV),	    NAME(ENOTDIR),	NAME(EISDIR),	       NAME(EINVAL),
	NAME(ENFILE),	    NAME(EMFILE),	NAME(ENOTTY),	       NAME(EFBIG),
	NAME(ENOSPC),	    NAME(EROFS),	NAME(EPIPE),	       NAME(EDOM),
	NAME(ERANGE),	    NAME(ENAMETOOLONG), NAME(ENOSYS),	       NAME(ELOOP),
	NAME(ENONET),	    NAME(EPROTO),	NAME(EBADMSG),	       NAME(EOVERFLOW),
	NAME(EILSEQ),	    NAME(ENOTSOCK),	NAME(EDESTADDRREQ),    NAME(EMSGSIZE),
	NAME(EPROTOTYPE),   NAME(ENOPROTOOPT),	NAME(EPROTONOSUPPORT), NAME(EOPNOTSUPP),
	NAME(EPFNOSUPPORT), NAME(EAFNOSUPPORT), NAME(EADDRINUSE),      NAME(EADDRNOTAVAIL),
	NAME(ENETDOWN),	    NAME(ENETUNREACH),	NAME(ENETRESET),       NAME(ECONNABORTED),
	NAME(ECONNRESET),   NAME(ENOBUFS),	NAME(EISCONN),	       NAME(ENOTCONN),
	NAME(ESHUTDOWN),    NAME(ETIMEDOUT),	NAME(ECONNREFUSED),    NAME(EHOSTDOWN),
	NAME(EHOSTUNREACH), NAME(EALREADY),	NAME(EINPROGRESS),     NAME(ESTALE),
	NAME(EDQUOT),	    NAME(ECANCELED),	NAME(ENOKEY),	       NAME(EKEYREJECTED),
};

const size_t os_error_name_count = sizeof(os_error_names) / sizeof(os_error_names[0]);

int os_socket_error(void)
{
	return errno;
}

/* What Linux makes of ICMP: net/ipv4/icmp.c, icmp_err_convert; 3/2 gives ENOPROTOOPT, 3/7 EHOSTDOWN, 3/8 ENONET. */
const struct os_error_meaning os_error_meanings[] = {
	{0, OS_ERROR_NONE},
	{EINPROGRESS, OS_ERROR_IN_PROGRESS},
	{EALREADY, OS_ERROR_IN_PROGRESS},
	{EAGAIN, OS_ERROR_IN_PROGRESS},
	{ECONNREFUSED, OS_ERROR_REFUSED},
	{ECONNRESET, OS_ERROR_RESET},
	{EPIPE, OS_ERROR_CLOSED},
	{ECONNABORTED, OS_ERROR_ABORTED},
	{ETIMEDOUT, OS_ERROR_TIMED_OUT},
	{EHOSTUNREACH, OS_ERROR_HOST_UNREACHABLE},
	{EHOSTDOWN, OS_ERROR_HOST_UNREACHABLE},
	{ENONET, OS_ERROR_HOST_UNREACHABLE},
	{ENOPROTOOPT, OS_ERROR_HOST_UNREACHABLE},
	{ENETUNREACH, OS_ERROR_NET_UNREACHABLE},
	{ENETDOWN, OS_ERROR_NET_UNREACHABLE},
	{EPERM, OS_ERROR_PERMISSION},
	{EACCES, OS_ERROR_PERMISSION},
	{EADDRNOTAVAIL, OS_ERROR_ADDRESS_NOT_AVAILABLE},
	{EADDRINUSE, OS_ERROR_ADDRESS_NOT_AVAILABLE},
	{EMFILE, OS_ERROR_TOO_MANY_FILES},
	{ENFILE, OS_ERROR_TOO_MANY_FILES},
	{ENOBUFS, OS_ERROR_TOO_MANY_FILES},
	{EAFNOSUPPORT, OS_ERROR_BAD_FAMILY},
	{EPROTONOSUPPORT, OS_ERROR_BAD_FAMILY},
};

const size_t os_error_meaning_count = sizeof(os_error_meanings) / sizeof(os_error_meanings[0]);

int os_socket_take_error(os_socket fd)
{
	int error = 0;
	socklen_t size = sizeof(error);
	return getsockopt((int)fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool os_socket_set_nonblocking(os_socket fd)
{
	int flags = fcntl((int)fd, F_GETFL);
	return flags >= 0 && fcntl((int)fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

void os_socket_close(os_socket fd)
{
	close((int)fd);
}

bool os_socket_set_min_ttl(os_socket fd, bool ipv6, int ttl)
{
	if (ipv6)
		return setsockopt((int)fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &ttl, sizeof(ttl)) == 0;
	return setsockopt((int)fd, IPPROTO_IP, IP_MINTTL, &ttl, sizeof(ttl)) == 0;
}

bool os_socket_set_segment(os_socket fd, bool ipv6, int bytes)
{
	(void)ipv6;
	return setsockopt((int)fd, IPPROTO_TCP, TCP_MAXSEG, &bytes, sizeof(bytes)) == 0;
}

bool os_socket_set_ttl(os_socket fd, bool ipv6, int ttl)
{
	if (ipv6)
		return setsockopt((int)fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl)) == 0;
	return setsockopt((int)fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) == 0;
}

bool os_socket_reset_on_close(os_socket fd)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	return setsockopt((int)fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0;
}

/* ------------------------------------------------------------------ ICMP */

bool os_socket_keep_icmp(os_socket fd, bool ipv6)
{
	int on = 1;
	if (ipv6)
		return setsockopt((int)fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)) == 0;
	return setsockopt((int)fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) == 0;
}

/** A control message of the error queue: the error, and behind it the address of whoever sent the ICMP message. */
struct queued_error {
	struct sock_extended_err error;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} offender;
};

static void format_offender(const struct queued_error *queued, char text[46])
{
	text[0] = '\0';
	if (queued->offender.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &queued->offender.v4.sin_addr, text, 46);
	else if (queued->offender.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &queued->offender.v6.sin6_addr, text, 46);
}

/** Is this control message an ICMP error? Local errors and time stamps stand in the same queue. */
static bool read_icmp(const struct cmsghdr *control, struct os_icmp *out)
{
	struct queued_error queued = {0};
	bool ours = (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
		    (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR);
	if (!ours || control->cmsg_len < CMSG_LEN(sizeof(queued.error)))
		return false;
	size_t length = control->cmsg_len - CMSG_LEN(0);
	memcpy(&queued, CMSG_DATA(control), length < sizeof(queued) ? length : sizeof(queued));
	const struct sock_extended_err *error = &queued.error;
	if (error->ee_origin != SO_EE_ORIGIN_ICMP && error->ee_origin != SO_EE_ORIGIN_ICMP6)
		return false;
	format_offender(&queued, out->from);
	out->type = error->ee_type;
	out->code = error->ee_code;
	out->mtu = error->ee_errno == EMSGSIZE ? (int)error->ee_info : -1;
	out->error = (int)error->ee_errno;
	return true;
}

bool os_socket_next_icmp(os_socket fd, struct os_icmp *out)
{
	union {
		char bytes[512];
		struct cmsghdr aligned;
	} control;
	char payload[1] = {0}; /* the head of the packet that caused the error; its ports are known already */
	for (int reads = 0; reads < ERROR_QUEUE_READS; reads++) {
		struct iovec data = {payload, sizeof(payload)};
		struct msghdr message = {
			.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
		if (recvmsg((int)fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return false;
		for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
			if (read_icmp(at, out))
				return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------------ TCP_INFO */

/* The kernel's own numbers (include/net/tcp_states.h); netinet/tcp.h has the names, but not the newer fields. */
enum {
	STATE_SYN_SENT = 2,
	STATE_SYN_RECV = 3,
	STATE_CLOSE = 7,
	STATE_CLOSE_WAIT = 8,
	STATE_LAST_ACK = 9,
	STATE_LISTEN = 10,
	STATE_CLOSING = 11,
	STATE_NEW_SYN_RECV = 12
};

/** Had the handshake finished? A closed socket no longer says so by its state, but the acknowledged SYN stays counted:
 *  bytes_acked is 0 after a refused SYN, and at least 1 after a reset later on. */
static bool was_connected(const struct tcp_info *info, bool counts_bytes)
{
	switch (info->tcpi_state) {
	case STATE_SYN_SENT:
	case STATE_SYN_RECV:
	case STATE_NEW_SYN_RECV:
	case STATE_LISTEN:
		return false;
	case STATE_CLOSE:
		return counts_bytes ? info->tcpi_bytes_acked > 0 : info->tcpi_rtt > 0;
	}
	return true;
}

/** The kernel counts the peer's FIN as a byte: "closed without a word" must be 0. Where data and a FIN came and the socket
 *  is closed already, one byte too many may be left. */
static int64_t received_bytes(const struct tcp_info *info)
{
	bool peer_closed = info->tcpi_state == STATE_CLOSE_WAIT || info->tcpi_state == STATE_LAST_ACK ||
			   info->tcpi_state == STATE_CLOSING;
	int64_t bytes = (int64_t)info->tcpi_bytes_received;
	if (bytes == 0 || info->tcpi_data_segs_in == 0)
		return 0;
	return peer_closed ? bytes - 1 : bytes;
}

/** The SYN, and what carried data: only these are sent again when they are lost. */
static int segments_with_data(const struct tcp_info *info, socklen_t size)
{
	bool counts = size >= offsetof(struct tcp_info, tcpi_data_segs_out) + sizeof(info->tcpi_data_segs_out);
	return counts ? (int)info->tcpi_data_segs_out + 1 : -1;
}

/** What was sent again, but for what had arrived already, as the peer says (RFC 2883): a busy machine answers late, and nothing was lost. */
static int needless_left_out(const struct tcp_info *info, socklen_t size)
{
	bool counts = size >= offsetof(struct tcp_info, tcpi_dsack_dups) + sizeof(info->tcpi_dsack_dups);
	int again = (int)info->tcpi_total_retrans, needless = counts ? (int)info->tcpi_dsack_dups : 0;
	return needless < again ? again - needless : 0;
}

bool os_socket_tcp_info(os_socket fd, struct os_tcp_info *out)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);
	memset(&info, 0, sizeof(info));
	if (getsockopt((int)fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	/* an older kernel fills less of it: the last counter used here came with Linux 4.6 */
	bool counts_bytes = size >= offsetof(struct tcp_info, tcpi_data_segs_out);
	out->rtt_us = info.tcpi_rtt > 0 ? (int64_t)info.tcpi_rtt : -1;
	out->retransmits = needless_left_out(&info, size);
	out->unacked = (int)info.tcpi_unacked;
	out->mss = (int)info.tcpi_snd_mss;
	out->segments = segments_with_data(&info, size);
	/* what was sent again is "in flight again", unless the way out refused it (a local filter gives EPERM, which connect() hides) */
	bool again = info.tcpi_state == STATE_SYN_SENT && info.tcpi_retransmits > 0;
	out->held_back = again ? info.tcpi_retrans == 0 : -1;
	out->bytes_acked = counts_bytes ? (int64_t)info.tcpi_bytes_acked : -1;
	out->bytes_received = counts_bytes ? received_bytes(&info) : -1;
	out->connected = was_connected(&info, counts_bytes);
	return true;
}
