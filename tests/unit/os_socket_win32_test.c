/* What Windows tells about sockets and the machine's network, on the loopback. */

#include "probe/os/os_win32.h"

#include <stdlib.h>
#include <ws2tcpip.h>

#include "probe/os/os_echo.h"
#include "tests/unit/check.h"

enum { WAIT_MS = 5000 };

static void errors_have_names_and_kinds(void)
{
	static const struct {
		int code;
		const char *name;
		enum os_error_kind kind;
	} rows[] = {
		{WSAECONNREFUSED, "WSAECONNREFUSED", OS_ERROR_REFUSED},
		{WSAECONNRESET, "WSAECONNRESET", OS_ERROR_RESET},
		{WSAECONNABORTED, "WSAECONNABORTED", OS_ERROR_ABORTED},
		{WSAETIMEDOUT, "WSAETIMEDOUT", OS_ERROR_TIMED_OUT},
		{WSAEHOSTUNREACH, "WSAEHOSTUNREACH", OS_ERROR_HOST_UNREACHABLE},
		{WSAENETUNREACH, "WSAENETUNREACH", OS_ERROR_NET_UNREACHABLE},
		{WSAEACCES, "WSAEACCES", OS_ERROR_PERMISSION},
		{WSAEADDRNOTAVAIL, "WSAEADDRNOTAVAIL", OS_ERROR_ADDRESS_NOT_AVAILABLE},
		{WSAENOBUFS, "WSAENOBUFS", OS_ERROR_TOO_MANY_FILES},
		{WSAEAFNOSUPPORT, "WSAEAFNOSUPPORT", OS_ERROR_BAD_FAMILY},
		{WSAEWOULDBLOCK, "WSAEWOULDBLOCK", OS_ERROR_IN_PROGRESS},
		{WSAEMSGSIZE, "WSAEMSGSIZE", OS_ERROR_OTHER},
		{1231, "ERROR_NETWORK_UNREACHABLE", OS_ERROR_NET_UNREACHABLE},
		{1232, "ERROR_HOST_UNREACHABLE", OS_ERROR_HOST_UNREACHABLE},
		{1225, "ERROR_CONNECTION_REFUSED", OS_ERROR_REFUSED},
		{121, "ERROR_SEM_TIMEOUT", OS_ERROR_TIMED_OUT},
		{112, "E112", OS_ERROR_OTHER}, /* EINPROGRESS of the C library's errno is none of Winsock's */
		{-3, "E-3", OS_ERROR_OTHER},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_TEXT(os_error_name(rows[i].code), rows[i].name);
		check_one(os_error_kind(rows[i].code) == rows[i].kind, rows[i].name, __FILE__, __LINE__);
	}
}

/** A socket on the loopback that listens, or is only bound: then its port refuses. */
static SOCKET open_port(bool listens, struct sockaddr_in *address)
{
	int size = sizeof(*address);
	SOCKET fd = socket(AF_INET, SOCK_STREAM, 0);
	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(fd, (struct sockaddr *)address, size) == 0 && (!listens || listen(fd, 5) == 0));
	CHECK(getsockname(fd, (struct sockaddr *)address, &size) == 0);
	return fd;
}

/** Connect without blocking, and wait for the outcome. */
static SOCKET connect_to(const struct sockaddr_in *address)
{
	fd_set writable, failed;
	struct timeval limit = {WAIT_MS / 1000, 0};
	SOCKET fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(os_socket_set_nonblocking((os_socket)fd));
	os_socket_keep_icmp((os_socket)fd, false);
	CHECK(connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0);
	CHECK_INT(os_error_kind(os_socket_error()), OS_ERROR_IN_PROGRESS);
	FD_ZERO(&writable);
	FD_ZERO(&failed);
	writable.fd_count = failed.fd_count = 1;
	writable.fd_array[0] = failed.fd_array[0] = fd;
	CHECK(select(0, NULL, &writable, &failed, &limit) == 1);
	return fd;
}

static void a_refused_connection_says_so(void)
{
	struct sockaddr_in address;
	struct os_icmp icmp;
	struct os_tcp_info info;
	SOCKET bound = open_port(false, &address);
	SOCKET fd = connect_to(&address);
	if (os_socket_tcp_info((os_socket)fd, &info))
		CHECK(!info.connected);
	CHECK_INT(os_error_kind(os_socket_take_error((os_socket)fd)), OS_ERROR_REFUSED);
	CHECK(!os_socket_next_icmp((os_socket)fd, &icmp));
	os_socket_close((os_socket)fd);
	os_socket_close((os_socket)bound);
}

static void a_connection_is_counted_where_the_system_counts(void)
{
	struct sockaddr_in address;
	struct os_tcp_info info;
	char byte = 'x';
	SOCKET listener = open_port(true, &address);
	SOCKET fd = connect_to(&address), served = accept(listener, NULL, NULL);
	CHECK_INT(os_socket_take_error((os_socket)fd), 0);
	CHECK(send(fd, &byte, 1, 0) == 1 && recv(served, &byte, 1, 0) == 1);
	Sleep(300);
	if (os_socket_tcp_info((os_socket)fd, &info)) {
		CHECK(info.connected);
		CHECK_INT(info.bytes_acked, 2); /* and the SYN */
		CHECK_INT(info.bytes_received, 0);
		CHECK_INT(info.unacked, 0);
	} else {
		printf("note: this system has no SIO_TCP_INFO: not tested\n");
	}
	os_socket_close((os_socket)fd);
	os_socket_close((os_socket)served);
	os_socket_close((os_socket)listener);
}

static void the_ttl_is_set(void)
{
	DWORD ttl = 0;
	int size = sizeof(ttl);
	SOCKET fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(os_socket_set_ttl((os_socket)fd, false, 7));
	CHECK(getsockopt(fd, IPPROTO_IP, IP_TTL, (char *)&ttl, &size) == 0);
	CHECK_INT(ttl, 7);
	os_socket_close((os_socket)fd);
	CHECK(!os_socket_set_ttl((os_socket)fd, false, 7));
	CHECK(!os_socket_reset_on_close((os_socket)fd));
}

static void a_close_can_be_a_reset(void)
{
	struct sockaddr_in address;
	char byte;
	SOCKET listener = open_port(true, &address), fd = connect_to(&address), served = accept(listener, NULL, NULL);
	CHECK(os_socket_reset_on_close((os_socket)fd));
	os_socket_close((os_socket)fd);
	int got = recv(served, &byte, 1, 0);
	bool is_wine = os_function_find(L"ntdll.dll", "wine_get_version") != NULL;
	CHECK_INT(got, is_wine ? 0 : -1); /* Wine calls a reset an orderly end */
	if (!is_wine)
		CHECK_INT(os_error_kind(os_socket_error()), OS_ERROR_RESET);
	os_socket_close((os_socket)served);
	os_socket_close((os_socket)listener);
}

static void an_echo_request_is_answered(void)
{
	struct os_echo echo;
	int error = 0;
	CHECK(!os_echo_by_socket());
	CHECK_INT(os_echo_socket(false, &error), -1);
	CHECK(os_echo_ask("no address", 1, 10, &echo) && !echo.answered && echo.error != 0);
	CHECK(os_echo_ask("127.0.0.1", 1, WAIT_MS, &echo));
	if (echo.error) {
		printf("note: echo requests are not allowed here (%s): not tested\n", os_error_name(echo.error));
		return;
	}
	CHECK(echo.answered);
	CHECK_TEXT(echo.from, "127.0.0.1");
	CHECK_INT(echo.type, 0);
	CHECK_INT(echo.code, 0);
}

static void what_is_no_socket_answers_nothing(void)
{
	struct os_tcp_info info;
	struct os_icmp icmp;
	SOCKET fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(!os_socket_tcp_info((os_socket)fd, &info));
	os_socket_close((os_socket)fd);
	CHECK(!os_socket_tcp_info((os_socket)fd, &info));
	CHECK(!os_socket_next_icmp((os_socket)fd, &icmp));
	CHECK(!os_socket_set_nonblocking((os_socket)fd));
	CHECK_INT(os_socket_take_error((os_socket)fd), WSAENOTSOCK);
}

/** May run on any machine: what is there has to make sense, and agree with itself. */
static void the_network_is_described(void)
{
	static struct os_interface list[OS_INTERFACES_MAX];
	char servers[16][64], one[1][64], gateway[46] = "unset";
	struct in6_addr bytes;
	bool loopback = false;
	size_t count = os_interfaces(list), server_count = os_resolvers(servers, 16);
	for (size_t i = 0; i < count; i++) {
		CHECK(list[i].name[0] != '\0');
		for (size_t k = 0; k < list[i].address_count; k++) {
			int family = strchr(list[i].addresses[k], ':') ? AF_INET6 : AF_INET;
			CHECK_INT(inet_pton(family, list[i].addresses[k], &bytes), 1);
			loopback = loopback || (list[i].loopback && strcmp(list[i].addresses[k], "127.0.0.1") == 0);
		}
	}
	CHECK(loopback);
	CHECK(server_count <= 16);
	for (size_t i = 0; i < server_count; i++)
		CHECK(strncmp(servers[i], "fec0:", 5) != 0);
	CHECK(os_resolvers(one, 1) <= 1 && os_resolvers(one, 0) == 0);
	if (os_default_route(4, gateway) != 1)
		CHECK_TEXT(gateway, "");
	CHECK(os_default_route(6, gateway) <= 1);
}

int main(void)
{
	os_start();
	errors_have_names_and_kinds();
	a_refused_connection_says_so();
	a_connection_is_counted_where_the_system_counts();
	the_ttl_is_set();
	a_close_can_be_a_reset();
	an_echo_request_is_answered();
	what_is_no_socket_answers_nothing();
	the_network_is_described();
	return check_summary();
}
