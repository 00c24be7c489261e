/* What the system tells about sockets, on the loopback of a network namespace of this test's own. */

#include "probe/os/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/os/os_echo.h"
#include "probe/os/os_tcp_watch.h"
#include "tests/unit/check.h"

enum { PORT_OPEN = 7000, PORT_SHUT = 7001, WAIT_MS = 1000, SILENCE_MS = 1300, SETTLE_US = 20000 };

static const char *loopback; /* "127.0.0.1" or "::1": the checks run for both */

/** A namespace with nothing but a loopback that is up; false where this system gives none. */
static bool enter_namespace(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	request.ifr_flags = IFF_UP;
	bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return up;
}

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t fill_address(union any_address *out, const char *address, int port)
{
	memset(out, 0, sizeof(*out));
	if (strchr(address, ':')) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, address, &out->v6.sin6_addr);
		return sizeof(out->v6);
	}
	out->v4.sin_family = AF_INET;
	out->v4.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, address, &out->v4.sin_addr);
	return sizeof(out->v4);
}

static int make_socket(int type)
{
	int fd = socket(strchr(loopback, ':') ? AF_INET6 : AF_INET, type, 0);
	CHECK(fd >= 0);
	CHECK(os_socket_keep_icmp(fd, strchr(loopback, ':') != NULL));
	CHECK(os_socket_set_nonblocking(fd));
	return fd;
}

static int open_listener(int backlog)
{
	union any_address address;
	int on = 1, fd = socket(strchr(loopback, ':') ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	socklen_t size = fill_address(&address, loopback, PORT_OPEN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	CHECK(bind(fd, &address.any, size) == 0 && listen(fd, backlog) == 0);
	return fd;
}

/** Start to connect and wait for the outcome, or wait_ms. */
static int connect_to(int port, int wait_ms)
{
	union any_address address;
	int fd = make_socket(SOCK_STREAM);
	socklen_t size = fill_address(&address, loopback, port);
	if (connect(fd, &address.any, size) != 0)
		CHECK_INT(os_error_kind(os_socket_error()), OS_ERROR_IN_PROGRESS);
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	poll(&wait, 1, wait_ms);
	return fd;
}

static struct os_tcp_info info_of(int fd)
{
	struct os_tcp_info info = {0};
	CHECK(os_socket_tcp_info(fd, &info));
	return info;
}

static void a_refused_connection_was_never_connected(void)
{
	struct os_icmp icmp;
	int fd = connect_to(PORT_SHUT, WAIT_MS);
	struct os_tcp_info info = info_of(fd);
	CHECK(!info.connected);
	CHECK_INT(info.bytes_acked, 0);
	CHECK_INT(info.rtt_us, -1);
	CHECK(!os_socket_next_icmp(fd, &icmp));
	CHECK_INT(os_socket_take_error(fd), ECONNREFUSED);
	CHECK_INT(os_socket_take_error(fd), 0);
	CHECK(!info_of(fd).connected);
	os_socket_close(fd);
}

static void a_reset_connection_was_connected(void)
{
	struct linger reset = {.l_onoff = 1};
	int listener = open_listener(5), fd = connect_to(PORT_OPEN, WAIT_MS), served = accept(listener, NULL, NULL);
	CHECK(info_of(fd).connected);
	CHECK(info_of(fd).rtt_us > 0);
	CHECK(info_of(fd).mss > 500);
	CHECK_INT(info_of(fd).bytes_acked, 1);
	setsockopt(served, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(served);
	usleep(SETTLE_US);
	CHECK(info_of(fd).connected);
	CHECK_INT(info_of(fd).bytes_acked, 1);
	CHECK_INT(os_socket_take_error(fd), ECONNRESET);
	CHECK(info_of(fd).connected);
	os_socket_close(fd);
	close(listener);
}

static void what_was_sent_and_acknowledged_is_counted(void)
{
	int listener = open_listener(5), fd = connect_to(PORT_OPEN, WAIT_MS), served = accept(listener, NULL, NULL);
	CHECK(send(fd, "hello", 5, 0) == 5 && send(served, "welcome", 7, 0) == 7);
	usleep(SETTLE_US);
	CHECK_INT(info_of(fd).bytes_acked, 6);
	CHECK_INT(info_of(fd).bytes_received, 7);
	CHECK_INT(info_of(fd).unacked, 0);
	close(served); /* with "hello" unread: a reset */
	usleep(SETTLE_US);
	CHECK_INT(os_socket_take_error(fd), ECONNRESET);
	CHECK_INT(info_of(fd).bytes_acked, 6);
	os_socket_close(fd);
	close(listener);
}

static void a_connection_that_the_peer_closes_was_connected(void)
{
	int listener = open_listener(5), fd = connect_to(PORT_OPEN, WAIT_MS), served = accept(listener, NULL, NULL);
	close(served);
	usleep(SETTLE_US);
	CHECK(info_of(fd).connected);
	CHECK_INT(info_of(fd).bytes_received, 0);
	CHECK_INT(os_socket_take_error(fd), 0);
	shutdown(fd, SHUT_RDWR);
	usleep(SETTLE_US);
	CHECK(info_of(fd).connected);
	CHECK_INT(info_of(fd).bytes_received, 0);
	os_socket_close(fd);
	close(listener);
}

static void the_peers_farewell_is_no_byte(void)
{
	int listener = open_listener(5), fd = connect_to(PORT_OPEN, WAIT_MS), served = accept(listener, NULL, NULL);
	CHECK_INT(send(served, "bye", 3, 0), 3);
	close(served);
	usleep(SETTLE_US);
	CHECK_INT(info_of(fd).bytes_received, 3);
	os_socket_close(fd);
	close(listener);
}

/** A listener with a full queue drops further SYNs without a word. */
static void a_dropped_syn_is_sent_again(void)
{
	int listener = open_listener(0), first = connect_to(PORT_OPEN, WAIT_MS), fd = connect_to(PORT_OPEN, SILENCE_MS);
	struct os_tcp_info info = info_of(fd);
	CHECK(info_of(first).connected);
	CHECK(!info.connected);
	CHECK_INT(info.unacked, 1);
	CHECK(info.retransmits >= 1);
	CHECK_INT(info.bytes_acked, 0);
	CHECK_INT(os_socket_take_error(fd), 0);
	os_socket_close(fd);
	os_socket_close(first);
	close(listener);
}

static void an_icmp_error_names_its_sender(void)
{
	union any_address address;
	struct os_icmp icmp = {.mtu = 7};
	bool ipv6 = strchr(loopback, ':') != NULL;
	int fd = make_socket(SOCK_DGRAM);
	socklen_t size = fill_address(&address, loopback, PORT_SHUT);
	CHECK(connect(fd, &address.any, size) == 0 && send(fd, "x", 1, 0) == 1);
	usleep(SETTLE_US);
	CHECK(os_socket_next_icmp(fd, &icmp));
	CHECK_TEXT(icmp.from, loopback);
	CHECK_INT(icmp.type, ipv6 ? 1 : 3); /* port unreachable */
	CHECK_INT(icmp.code, ipv6 ? 4 : 3);
	CHECK_INT(icmp.mtu, -1);
	CHECK_INT(icmp.error, ECONNREFUSED);
	CHECK(!os_socket_next_icmp(fd, &icmp));
	os_socket_close(fd);
}

/** What a socket sends has the TTL that was set; nothing lets a packet of TTL 1 pass on a loopback, but the option tells. */
static void the_ttl_is_set(void)
{
	bool ipv6 = strchr(loopback, ':') != NULL;
	int fd = make_socket(SOCK_STREAM), ttl = 0;
	socklen_t size = sizeof(ttl);
	CHECK(os_socket_set_ttl(fd, ipv6, 7));
	CHECK(getsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, &size) == 0);
	CHECK_INT(ttl, 7);
	CHECK(!os_socket_set_ttl(fd, ipv6, 256));
	os_socket_close(fd);
	CHECK(!os_socket_set_ttl(fd, ipv6, 7));
	CHECK(!os_socket_reset_on_close(fd));
}

static void a_close_can_be_a_reset(void)
{
	char byte;
	int listener = open_listener(5), fd = connect_to(PORT_OPEN, WAIT_MS), served = accept(listener, NULL, NULL);
	CHECK(os_socket_reset_on_close(fd));
	os_socket_close(fd);
	usleep(SETTLE_US);
	CHECK(recv(served, &byte, 1, 0) == -1);
	CHECK_INT(os_socket_error(), ECONNRESET);
	close(served);
	close(listener);
}

static void an_echo_request_is_answered_where_it_is_allowed(void)
{
	union any_address address;
	bool ipv6 = strchr(loopback, ':') != NULL;
	unsigned char request[8] = {ipv6 ? 128 : 8, [7] = 1}, reply[64];
	int error = 0, file = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
	bool allowed = file >= 0 && write(file, "0 0", 3) == 3;
	os_socket fd = os_echo_socket(ipv6, &error);
	close(file);
	CHECK(os_echo_by_socket());
	CHECK(!os_echo_ask(loopback, 1, 1, &(struct os_echo){0}));
	if (!allowed || fd == -1) {
		CHECK(fd == -1 && os_error_kind(error) == OS_ERROR_PERMISSION);
		return;
	}
	socklen_t size = fill_address(&address, loopback, 0);
	CHECK(connect((int)fd, &address.any, size) == 0 && send((int)fd, request, sizeof(request), 0) == 8);
	usleep(SETTLE_US);
	CHECK_INT(recv((int)fd, reply, sizeof(reply), 0), 8);
	CHECK_INT(reply[0], ipv6 ? 129 : 0);
	os_socket_close(fd);
}

static void what_is_no_tcp_socket_has_no_tcp_info(void)
{
	struct os_tcp_info info;
	struct os_icmp icmp;
	int fd = make_socket(SOCK_DGRAM);
	CHECK(!os_socket_tcp_info(fd, &info));
	os_socket_close(fd);
	CHECK(!os_socket_tcp_info(fd, &info));
	CHECK(!os_socket_next_icmp(fd, &icmp));
	CHECK(!os_socket_set_nonblocking(fd));
	CHECK_INT(os_socket_take_error(fd), EBADF);
}

static void answers_can_be_watched(void)
{
	os_socket fds[OS_TCP_WATCHES_MAX];
	struct os_tcp_packet packet;
	size_t count = os_tcp_watch_open(fds);
	int accepted = 0, refused = 0;
	int listener = open_listener(5), shut = connect_to(PORT_SHUT, WAIT_MS), open = connect_to(PORT_OPEN, WAIT_MS);
	CHECK_INT(count, 2);
	CHECK_INT(send(open, "a", 1, 0), 1); /* the filter keeps this and its answer out */
	for (size_t i = 0; i < count; i++) {
		while (os_tcp_watch_next(fds[i], &packet)) {
			CHECK(packet.syn != packet.rst && !packet.fin);
			CHECK_TEXT(packet.from, loopback);
			CHECK_INT(packet.ttl, 64);
			accepted += packet.from_port == PORT_OPEN && packet.syn && packet.ack;
			refused += packet.from_port == PORT_SHUT && packet.rst;
		}
		os_socket_close(fds[i]);
	}
	CHECK_INT(accepted, 1);
	CHECK_INT(refused, 1);
	os_socket_close(shut);
	os_socket_close(open);
	os_socket_close(listener);
}

static void the_namespace_has_a_loopback_and_no_way_out(void)
{
	static struct os_interface interfaces[OS_INTERFACES_MAX];
	char gateway[46] = "unset";
	size_t count = os_interfaces(interfaces);
	const struct os_interface *lo = NULL;
	for (size_t i = 0; i < count; i++) { /* a kernel may add tunnel devices of its own */
		if (strcmp(interfaces[i].name, "lo") == 0)
			lo = &interfaces[i];
	}
	CHECK(lo && lo->up && lo->loopback && lo->address_count >= 1);
	CHECK_TEXT(lo ? lo->addresses[0] : NULL, "127.0.0.1");
	CHECK_INT(os_default_route(4, gateway), 0);
	CHECK_TEXT(gateway, "");
	CHECK_INT(os_default_route(6, gateway), 0);
}

static bool has_ipv6(void)
{
	static struct os_interface interfaces[OS_INTERFACES_MAX];
	size_t count = os_interfaces(interfaces);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < interfaces[i].address_count; j++) {
			if (strcmp(interfaces[i].addresses[j], "::1") == 0)
				return true;
		}
	}
	return false;
}

static void check_family(const char *address)
{
	loopback = address;
	a_refused_connection_was_never_connected();
	a_reset_connection_was_connected();
	what_was_sent_and_acknowledged_is_counted();
	a_connection_that_the_peer_closes_was_connected();
	the_peers_farewell_is_no_byte();
	a_dropped_syn_is_sent_again();
	an_icmp_error_names_its_sender();
	the_ttl_is_set();
	a_close_can_be_a_reset();
	an_echo_request_is_answered_where_it_is_allowed();
	what_is_no_tcp_socket_has_no_tcp_info();
	answers_can_be_watched();
}

int main(void)
{
	if (!enter_namespace()) {
		printf("no network namespace here: not tested\n");
		return check_summary();
	}
	the_namespace_has_a_loopback_and_no_way_out();
	check_family("127.0.0.1");
	if (has_ipv6())
		check_family("::1");
	return check_summary();
}
