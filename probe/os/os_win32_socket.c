/* What Windows tells about a socket: errors, ICMP messages, SIO_TCP_INFO. */

#include "probe/os/os_error.h"
#include "probe/os/os_win32.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ws2tcpip.h>

/* ------------------------------------------------------------------ errors */

#define NAME(code)          \
	{                   \
		code, #code \
	}
/* Winsock's own codes, and those of Win32 that the system's networking gives as well (winerror.h). */
const struct os_error_name os_error_names[] = {
	NAME(WSAEINTR),
	NAME(WSAEBADF),
	NAME(WSAEACCES),
	NAME(WSAEFAULT),
	NAME(WSAEINVAL),
	NAME(WSAEMFILE),
	NAME(WSAEWOULDBLOCK),
	NAME(WSAEINPROGRESS),
	NAME(WSAEALREADY),
	NAME(WSAENOTSOCK),
	NAME(WSAEDESTADDRREQ),
	NAME(WSAEMSGSIZE),
	NAME(WSAEPROTOTYPE),
	NAME(WSAENOPROTOOPT),
	NAME(WSAEPROTONOSUPPORT),
	NAME(WSAESOCKTNOSUPPORT),
	NAME(WSAEOPNOTSUPP),
	NAME(WSAEPFNOSUPPORT),
	NAME(WSAEAFNOSUPPORT),
	NAME(WSAEADDRINUSE),
	NAME(WSAEADDRNOTAVAIL),
	NAME(WSAENETDOWN),
	NAME(WSAENETUNREACH),
	NAME(WSAENETRESET),
	NAME(WSAECONNABORTED),
	NAME(WSAECONNRESET),
	NAME(WSAENOBUFS),
	NAME(WSAEISCONN),
	NAME(WSAENOTCONN),
	NAME(WSAESHUTDOWN),
	NAME(WSAETOOMANYREFS),
	NAME(WSAETIMEDOUT),
	NAME(WSAECONNREFUSED),
	NAME(WSAELOOP),
	NAME(WSAENAMETOOLONG),
	NAME(WSAEHOSTDOWN),
	NAME(WSAEHOSTUNREACH),
	NAME(WSAEPROCLIM),
	NAME(WSASYSNOTREADY),
	NAME(WSAVERNOTSUPPORTED),
	NAME(WSANOTINITIALISED),
	NAME(WSAEDISCON),
	NAME(WSAECANCELLED),
	NAME(WSAEINVALIDPROCTABLE),
	NAME(WSAEINVALIDPROVIDER),
	NAME(WSAEPROVIDERFAILEDINIT),
	NAME(WSASYSCALLFAILURE),
	NAME(WSASERVICE_NOT_FOUND),
	NAME(WSATYPE_NOT_FOUND),
	NAME(WSAEREFUSED),
	NAME(WSAHOST_NOT_FOUND),
	NAME(WSATRY_AGAIN),
	NAME(WSANO_RECOVERY),
	NAME(WSANO_DATA),
	NAME(ERROR_FILE_NOT_FOUND),
	NAME(ERROR_ACCESS_DENIED),
	NAME(ERROR_INVALID_HANDLE),
	NAME(ERROR_NOT_ENOUGH_MEMORY),
	NAME(ERROR_OUTOFMEMORY),
	NAME(ERROR_NOT_SUPPORTED),
	NAME(ERROR_NETNAME_DELETED),
	NAME(ERROR_INVALID_PARAMETER),
	NAME(ERROR_SEM_TIMEOUT),
	NAME(ERROR_INSUFFICIENT_BUFFER),
	NAME(ERROR_OPERATION_ABORTED),
	NAME(ERROR_IO_PENDING),
	NAME(ERROR_NOT_FOUND),
	NAME(ERROR_CONNECTION_REFUSED),
	NAME(ERROR_GRACEFUL_DISCONNECT),
	NAME(ERROR_NETWORK_UNREACHABLE),
	NAME(ERROR_HOST_UNREACHABLE),
	NAME(ERROR_PROTOCOL_UNREACHABLE),
	NAME(ERROR_PORT_UNREACHABLE),
	NAME(ERROR_CONNECTION_ABORTED),
	NAME(ERROR_NO_SYSTEM_RESOURCES),
	NAME(ERROR_TIMEOUT),
};

const size_t os_error_name_count = sizeof(os_error_names) / sizeof(os_error_names[0]);

int os_socket_error(void)
{
	return WSAGetLastError();
}

/* A packet filter of this machine's own gives WSAEACCES (Windows Filtering Platform: a block at the connect layer). */
const struct os_error_meaning os_error_meanings[] = {
	{0, OS_ERROR_NONE},
	{WSAEWOULDBLOCK, OS_ERROR_IN_PROGRESS},
	{WSAEINPROGRESS, OS_ERROR_IN_PROGRESS},
	{WSAEALREADY, OS_ERROR_IN_PROGRESS},
	{WSA_IO_PENDING, OS_ERROR_IN_PROGRESS},
	{WSAECONNREFUSED, OS_ERROR_REFUSED},
	{ERROR_CONNECTION_REFUSED, OS_ERROR_REFUSED},
	{ERROR_PORT_UNREACHABLE, OS_ERROR_REFUSED},
	{WSAECONNRESET, OS_ERROR_RESET},
	{ERROR_NETNAME_DELETED, OS_ERROR_RESET},
	{WSAESHUTDOWN, OS_ERROR_CLOSED}, /* what Wine makes of EPIPE */
	{WSAECONNABORTED, OS_ERROR_ABORTED},
	{ERROR_CONNECTION_ABORTED, OS_ERROR_ABORTED},
	{WSAETIMEDOUT, OS_ERROR_TIMED_OUT},
	{ERROR_SEM_TIMEOUT, OS_ERROR_TIMED_OUT},
	{ERROR_TIMEOUT, OS_ERROR_TIMED_OUT},
	{WSAEHOSTUNREACH, OS_ERROR_HOST_UNREACHABLE},
	{WSAEHOSTDOWN, OS_ERROR_HOST_UNREACHABLE},
	{WSAENETRESET, OS_ERROR_HOST_UNREACHABLE},
	{ERROR_HOST_UNREACHABLE, OS_ERROR_HOST_UNREACHABLE},
	{ERROR_PROTOCOL_UNREACHABLE, OS_ERROR_HOST_UNREACHABLE},
	{WSAENETUNREACH, OS_ERROR_NET_UNREACHABLE},
	{WSAENETDOWN, OS_ERROR_NET_UNREACHABLE},
	{ERROR_NETWORK_UNREACHABLE, OS_ERROR_NET_UNREACHABLE},
	{WSAEACCES, OS_ERROR_PERMISSION},
	{ERROR_ACCESS_DENIED, OS_ERROR_PERMISSION},
	{WSAEADDRNOTAVAIL, OS_ERROR_ADDRESS_NOT_AVAILABLE},
	{WSAEADDRINUSE, OS_ERROR_ADDRESS_NOT_AVAILABLE},
	{WSAEMFILE, OS_ERROR_TOO_MANY_FILES},
	{WSAENOBUFS, OS_ERROR_TOO_MANY_FILES},
	{ERROR_NO_SYSTEM_RESOURCES, OS_ERROR_TOO_MANY_FILES},
	{WSAEAFNOSUPPORT, OS_ERROR_BAD_FAMILY},
	{WSAEPFNOSUPPORT, OS_ERROR_BAD_FAMILY},
	{WSAEPROTONOSUPPORT, OS_ERROR_BAD_FAMILY},
};

const size_t os_error_meaning_count = sizeof(os_error_meanings) / sizeof(os_error_meanings[0]);

int os_socket_take_error(os_socket fd)
{
	int error = 0, size = sizeof(error);
	return getsockopt((SOCKET)fd, SOL_SOCKET, SO_ERROR, (char *)&error, &size) == 0 ? error : WSAGetLastError();
}

bool os_socket_set_nonblocking(os_socket fd)
{
	u_long on = 1;
	return ioctlsocket((SOCKET)fd, (long)FIONBIO, &on) == 0;
}

void os_socket_close(os_socket fd)
{
	closesocket((SOCKET)fd);
}

/* Winsock has nothing like it. */
bool os_socket_set_min_ttl(os_socket fd, bool ipv6, int ttl)
{
	(void)fd;
	(void)ipv6;
	(void)ttl;
	return false;
}

/* Winsock lets nobody set TCP_MAXSEG. ws2ipdef.h: an upper bound of the packet's size for one socket, since Windows 10 1803; the numbers are the
 * same for both families. A header without options has 40 or 60 bytes. */
enum { USER_MTU_OPTION = 76, HEADERS_V4_BYTES = 40, HEADERS_V6_BYTES = 60 };

bool os_socket_set_segment(os_socket fd, bool ipv6, int bytes)
{
	DWORD mtu = (DWORD)(bytes + (ipv6 ? HEADERS_V6_BYTES : HEADERS_V4_BYTES));
	return setsockopt((SOCKET)fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, USER_MTU_OPTION, (const char *)&mtu,
			  sizeof(mtu)) == 0;
}

bool os_socket_set_ttl(os_socket fd, bool ipv6, int ttl)
{
	DWORD hops = (DWORD)ttl;
	if (ipv6)
		return setsockopt((SOCKET)fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, (const char *)&hops, sizeof(hops)) == 0;
	return setsockopt((SOCKET)fd, IPPROTO_IP, IP_TTL, (const char *)&hops, sizeof(hops)) == 0;
}

bool os_socket_reset_on_close(os_socket fd)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	return setsockopt((SOCKET)fd, SOL_SOCKET, SO_LINGER, (const char *)&at_once, sizeof(at_once)) == 0;
}

/* ------------------------------------------------------------------ ICMP */

/* Options of IPPROTO_TCP since build 19041, and what the second one gives (ws2ipdef.h; WSAGetIcmpErrorInfo() of ws2tcpip.h is a
 * getsockopt() with it). An older system answers WSAENOPROTOOPT. They are for sockets that connect; UDP has neither. */
enum { FAIL_CONNECT_ON_ICMP_ERROR = 18, ICMP_ERROR_INFO_OPTION = 19 };

struct icmp_error_info {
	SOCKADDR_INET source;
	int protocol; /* enum IPPROTO */
	uint8_t type, code;
};

bool os_socket_keep_icmp(os_socket fd, bool ipv6)
{
	DWORD on = TRUE;
	(void)ipv6;
	return setsockopt((SOCKET)fd, IPPROTO_TCP, FAIL_CONNECT_ON_ICMP_ERROR, (const char *)&on, sizeof(on)) == 0;
}

/** What connect() makes of such a message. RFC 792 and RFC 1812 5.2.7.1 (type 3), RFC 4443 3.1 (type 1). */
static int error_of_icmp(bool ipv6, int type, int code)
{
	if (ipv6 && type == 1)
		return code == 0 ? WSAENETUNREACH : code == 4 ? WSAECONNREFUSED : WSAEHOSTUNREACH;
	if (!ipv6 && type == 3 && (code == 2 || code == 3))
		return WSAECONNREFUSED;
	if (!ipv6 && type == 3 && (code == 0 || code == 6 || code == 9 || code == 11))
		return WSAENETUNREACH;
	return WSAEHOSTUNREACH;
}

static void format_source(const SOCKADDR_INET *source, char text[46])
{
	text[0] = '\0';
	if (source->si_family == AF_INET)
		inet_ntop(AF_INET, &source->Ipv4.sin_addr, text, 46);
	else if (source->si_family == AF_INET6)
		inet_ntop(AF_INET6, &source->Ipv6.sin6_addr, text, 46);
}

/* The system keeps the one error that ended connect(). The option itself remembers that it was taken: off is "no more to come". */
bool os_socket_next_icmp(os_socket fd, struct os_icmp *out)
{
	struct icmp_error_info info;
	DWORD on = FALSE, off = FALSE;
	int on_size = sizeof(on), size = sizeof(info);
	memset(&info, 0, sizeof(info));
	if (getsockopt((SOCKET)fd, IPPROTO_TCP, FAIL_CONNECT_ON_ICMP_ERROR, (char *)&on, &on_size) != 0 || !on)
		return false;
	if (getsockopt((SOCKET)fd, IPPROTO_TCP, ICMP_ERROR_INFO_OPTION, (char *)&info, &size) != 0 ||
	    info.source.si_family == 0)
		return false;
	if (setsockopt((SOCKET)fd, IPPROTO_TCP, FAIL_CONNECT_ON_ICMP_ERROR, (const char *)&off, sizeof(off)) != 0)
		return false;
	format_source(&info.source, out->from);
	out->type = info.type;
	out->code = info.code;
	out->mtu = -1;
	out->error = error_of_icmp(info.source.si_family == AF_INET6, info.type, info.code);
	return true;
}

/* ------------------------------------------------------------------ SIO_TCP_INFO */

/* From Windows 10 1703 and Server 2019 on (mstcpip.h, TCP_INFO_v0); Server 2016 and Wine answer WSAEOPNOTSUPP. */
static const DWORD tcp_info_code = IOC_INOUT | IOC_VENDOR | 39;

enum tcp_state {
	STATE_CLOSED,
	STATE_LISTEN,
	STATE_SYN_SENT,
	STATE_SYN_RCVD,
	STATE_ESTABLISHED,
};

struct tcp_info {
	int32_t state; /* enum tcp_state, and more after ESTABLISHED */
	uint32_t mss;
	uint64_t connection_time_ms;
	uint8_t timestamps_enabled;
	uint32_t rtt_us, min_rtt_us, bytes_in_flight, cwnd, snd_wnd, rcv_wnd, rcv_buf;
	uint64_t bytes_out, bytes_in;
	uint32_t bytes_reordered, bytes_retrans, fast_retrans, dup_acks_in, timeout_episodes;
	uint8_t syn_retrans;
};

/** Had the handshake finished? A closed connection no longer says so by its state. */
static bool was_connected(const struct tcp_info *info)
{
	if (info->state == STATE_CLOSED)
		return info->bytes_out > 0 || info->bytes_in > 0 || info->rtt_us > 0;
	return info->state >= STATE_ESTABLISHED;
}

/** What the peer has acknowledged, the SYN as one. Whether bytes_out counts what was sent again is not written down: with nothing in flight all
 *  of it has arrived either way, and with something in flight this is the lesser of the two. A closed connection has forgotten what was. */
static int64_t acknowledged_bytes(const struct tcp_info *info, bool connected)
{
	if (!connected)
		return info->state == STATE_CLOSED ? -1 : 0;
	if (info->state == STATE_CLOSED)
		return -1;
	int64_t bytes = (int64_t)info->bytes_out;
	if (info->bytes_in_flight > 0)
		bytes -= (int64_t)info->bytes_in_flight + info->bytes_retrans;
	return 1 + (bytes > 0 ? bytes : 0);
}

/** In segments, as far as that can be told: the SYN, or what fills the bytes in flight. */
static int segments_in_flight(const struct tcp_info *info)
{
	if (info->state == STATE_SYN_SENT)
		return 1;
	return info->mss ? (int)((info->bytes_in_flight + info->mss - 1) / info->mss) : 0;
}

bool os_socket_tcp_info(os_socket fd, struct os_tcp_info *out)
{
	struct tcp_info info;
	DWORD version = 0, bytes = 0;
	memset(&info, 0, sizeof(info));
	if (WSAIoctl((SOCKET)fd, tcp_info_code, &version, sizeof(version), &info, sizeof(info), &bytes, NULL, NULL) !=
	    0)
		return false;
	bool connected = was_connected(&info);
	out->rtt_us = connected && info.rtt_us > 0 ? (int64_t)info.rtt_us : -1;
	out->retransmits = (int)(info.syn_retrans + info.timeout_episodes + info.fast_retrans);
	out->unacked = segments_in_flight(&info);
	out->mss = (int)info.mss;
	out->segments = -1;
	out->held_back = -1;
	out->bytes_acked = acknowledged_bytes(&info, connected);
	out->bytes_received = (int64_t)info.bytes_in;
	out->connected = connected;
	return true;
}
