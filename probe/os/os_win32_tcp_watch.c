/* Copies of TCP packets by SIO_RCVALL (mstcpip.h). It wants a socket that is bound to an address of this server, and an account that is
 * elevated; another gets WSAEACCES. */

#include "probe/os/os_win32.h"

#include <ws2tcpip.h>
/* in this order */
#include <mstcpip.h>

#include <stdlib.h>
#include <string.h>

#include "probe/os/os_tcp_watch.h"

enum { HEAD_BYTES = 128, READS_MAX = 1024, KEPT_BYTES = 1 << 20 };

/* At the level of IP: the adapter itself goes on dropping what is not for this server. */
static SOCKET watch_open(const char *address)
{
	struct sockaddr_in local = {.sin_family = AF_INET};
	DWORD level = RCVALL_IPLEVEL, bytes = 0;
	int kept = KEPT_BYTES;
	if (inet_pton(AF_INET, address, &local.sin_addr) != 1)
		return INVALID_SOCKET;
	SOCKET fd = socket(AF_INET, SOCK_RAW, IPPROTO_IP);
	if (fd == INVALID_SOCKET)
		return INVALID_SOCKET;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, (const char *)&kept, sizeof(kept));
	if (bind(fd, (const struct sockaddr *)&local, sizeof(local)) == 0 &&
	    WSAIoctl(fd, SIO_RCVALL, &level, sizeof(level), NULL, 0, &bytes, NULL, NULL) == 0 &&
	    os_socket_set_nonblocking((os_socket)fd))
		return fd;
	closesocket(fd);
	return INVALID_SOCKET;
}

size_t os_tcp_watch_open(os_socket fds[OS_TCP_WATCHES_MAX])
{
	size_t count = 0;
	struct os_interface *list = calloc(OS_INTERFACES_MAX, sizeof(*list));
	size_t interfaces = list ? os_interfaces(list) : 0;
	for (size_t i = 0; i < interfaces; i++) {
		for (size_t k = 0; list[i].up && !list[i].loopback && k < list[i].address_count; k++) {
			SOCKET fd = count < OS_TCP_WATCHES_MAX ? watch_open(list[i].addresses[k]) : INVALID_SOCKET;
			if (fd != INVALID_SOCKET)
				fds[count++] = (os_socket)fd;
		}
	}
	free(list);
	return count;
}

/* Of a packet that does not fit Winsock gives the beginning, and an error. */
bool os_tcp_watch_next(os_socket fd, struct os_tcp_packet *out)
{
	uint8_t bytes[HEAD_BYTES];
	for (int reads = 0; reads < READS_MAX; reads++) {
		int got = recv((SOCKET)fd, (char *)bytes, sizeof(bytes), 0);
		if (got < 0 && WSAGetLastError() != WSAEMSGSIZE)
			return false;
		if (got < 0)
			got = sizeof(bytes);
		memset(out, 0, sizeof(*out));
		if (os_tcp_packet_read(bytes, (size_t)got, out) && (out->syn || out->rst))
			return true;
	}
	return false;
}
