/* Many sockets behind one, with real connections on the loopback interface. */

#include "probe/os/os_watch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/check.h"

enum { WAIT_MS = 2000 };

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A port where somebody listens, or where nobody does. */
static int listener(int *port)
{
	struct sockaddr_in own = loopback(0);
	socklen_t bytes = sizeof(own);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(fd, (const struct sockaddr *)&own, sizeof(own)) == 0 && listen(fd, 8) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&own, &bytes) == 0);
	*port = ntohs(own.sin_port);
	return fd;
}

static void begin(int fd, int port)
{
	struct sockaddr_in peer = loopback(port);
	(void)!connect(fd, (const struct sockaddr *)&peer, sizeof(peer));
}

/* The one event that comes; data NULL: none did. */
static struct os_watch_event wait_for(struct os_watch *watch)
{
	struct os_watch_event events[4] = {{NULL, false}};
	struct pollfd ready = {.fd = (int)os_watch_handle(watch), .events = POLLIN};
	if (poll(&ready, 1, WAIT_MS) != 1 || os_watch_take(watch, events, 4) != 1)
		return (struct os_watch_event){NULL, false};
	return events[0];
}

static bool is_connected(int fd)
{
	struct sockaddr_in peer;
	socklen_t bytes = sizeof(peer);
	return getpeername(fd, (struct sockaddr *)&peer, &bytes) == 0;
}

int main(void)
{
	int open_port, shut_port;
	int open_fd = listener(&open_port), shut_fd = listener(&shut_port);
	struct os_watch *watch = os_watch_new();
	struct os_watch_event event;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
	    other = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	close(shut_fd);
	CHECK(watch != NULL);

	begin(fd, open_port);
	CHECK(os_watch_add(watch, fd, &fd));
	event = wait_for(watch);
	CHECK(event.data == &fd && !event.failed && is_connected(fd));
	CHECK(os_watch_take(watch, &event, 1) == 0); /* told once */

	CHECK(os_watch_rewind(fd) && !is_connected(fd));
	begin(fd, open_port);
	CHECK(os_watch_again(watch, fd, &event));
	event = wait_for(watch);
	CHECK(event.data == &event && !event.failed && is_connected(fd));

	begin(other, shut_port);
	CHECK(os_watch_add(watch, other, &other));
	event = wait_for(watch);
	CHECK(event.data == &other && event.failed && os_socket_take_error(other) != 0);

	close(other);
	close(fd);
	close(open_fd);
	os_watch_free(watch);
	os_watch_free(NULL);
	return check_summary();
}
