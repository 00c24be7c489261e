/* Echo requests on Windows: a call that every user may make. */

#include "probe/os/os_echo.h"
#include "probe/os/os_win32.h"

#include <stdio.h>
#include <string.h>
#include <ws2tcpip.h>
/* in this order */
#include <iphlpapi.h>
/* and this */
#include <icmpapi.h>

enum { REPLY_BYTES = 512, DATA_BYTES = 8 };

bool os_echo_by_socket(void)
{
	return false;
}

os_socket os_echo_socket(bool ipv6, int *error)
{
	(void)ipv6;
	*error = WSAEPROTONOSUPPORT;
	return -1;
}

/* What a status stands for. ipexport.h; the numbers of IPv6 are the same ones under other names. */
struct meaning {
	ULONG status;
	signed char type4, code4, type6, code6;
};

enum { ECHO_REPLY6 = -127 }; /* 129 */

static const struct meaning meanings[] = {
	{IP_SUCCESS, 0, 0, ECHO_REPLY6, 0},	{IP_TTL_EXPIRED_TRANSIT, 11, 0, 3, 0},
	{IP_TTL_EXPIRED_REASSEM, 11, 1, 3, 1},	{IP_DEST_NET_UNREACHABLE, 3, 0, 1, 0},
	{IP_DEST_HOST_UNREACHABLE, 3, 1, 1, 3}, {IP_DEST_PROT_UNREACHABLE, 3, 2, 1, 1}, /* IPv6: IP_DEST_PROHIBITED */
	{IP_DEST_PORT_UNREACHABLE, 3, 3, 1, 4},
};

static bool take_status(ULONG status, bool ipv6, struct os_echo *out)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].status != status)
			continue;
		out->answered = true;
		out->type = ipv6 ? (unsigned char)meanings[i].type6 : meanings[i].type4;
		out->code = ipv6 ? meanings[i].code6 : meanings[i].code4;
		return true;
	}
	return false;
}

/** Nothing came: silence, or why nothing was sent. */
static void take_error(DWORD error, struct os_echo *out)
{
	out->error = error == IP_REQ_TIMED_OUT || error == ERROR_SEM_TIMEOUT || error == ERROR_TIMEOUT ? 0 : (int)error;
}

static void ask4(const struct in_addr *to, int ttl, int timeout_ms, struct os_echo *out)
{
	union {
		ICMP_ECHO_REPLY reply;
		unsigned char bytes[REPLY_BYTES];
	} answer;
	unsigned char data[DATA_BYTES] = {0};
	IP_OPTION_INFORMATION options = {.Ttl = (UCHAR)ttl};
	HANDLE icmp = IcmpCreateFile();
	if (icmp == INVALID_HANDLE_VALUE) {
		out->error = (int)GetLastError();
		return;
	}
	memset(&answer, 0, sizeof(answer));
	DWORD count = IcmpSendEcho2(icmp, NULL, NULL, NULL, to->s_addr, data, sizeof(data), &options, &answer,
				    sizeof(answer), (DWORD)timeout_ms);
	DWORD error = GetLastError();
	IcmpCloseHandle(icmp);
	struct in_addr from = {.s_addr = answer.reply.Address};
	if (count > 0 && take_status(answer.reply.Status, false, out))
		inet_ntop(AF_INET, &from, out->from, sizeof(out->from));
	else
		take_error(count > 0 ? answer.reply.Status : error, out);
}

/* ICMPV6_ECHO_REPLY of ipexport.h, which not every compiler's headers have. */
struct echo_reply6 {
	struct __attribute__((packed)) {
		USHORT port;
		ULONG flow;
		USHORT address[8];
		ULONG scope;
	} from;
	ULONG status;
	UINT round_trip_ms;
};

static void ask6(const struct in6_addr *to, int ttl, int timeout_ms, struct os_echo *out)
{
	union {
		struct echo_reply6 reply;
		unsigned char bytes[REPLY_BYTES];
	} answer;
	struct sockaddr_in6 source = {.sin6_family = AF_INET6}, peer = {.sin6_family = AF_INET6, .sin6_addr = *to};
	unsigned char data[DATA_BYTES] = {0};
	IP_OPTION_INFORMATION options = {.Ttl = (UCHAR)ttl};
	HANDLE icmp = Icmp6CreateFile();
	if (icmp == INVALID_HANDLE_VALUE) {
		out->error = (int)GetLastError();
		return;
	}
	memset(&answer, 0, sizeof(answer));
	DWORD count = Icmp6SendEcho2(icmp, NULL, NULL, NULL, &source, &peer, data, sizeof(data), &options, &answer,
				     sizeof(answer), (DWORD)timeout_ms);
	DWORD error = GetLastError();
	IcmpCloseHandle(icmp);
	struct in6_addr from;
	memcpy(&from, answer.reply.from.address, sizeof(from));
	if (count > 0 && take_status(answer.reply.status, true, out))
		inet_ntop(AF_INET6, &from, out->from, sizeof(out->from));
	else
		take_error(count > 0 ? answer.reply.status : error, out);
}

bool os_echo_ask(const char *address, int ttl, int timeout_ms, struct os_echo *out)
{
	struct in_addr v4;
	struct in6_addr v6;
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &v4) == 1)
		ask4(&v4, ttl, timeout_ms, out);
	else if (inet_pton(AF_INET6, address, &v6) == 1)
		ask6(&v6, ttl, timeout_ms, out);
	else
		out->error = WSAEAFNOSUPPORT;
	return true;
}
