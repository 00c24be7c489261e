#include "probe/os/os_watch.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256 };

struct os_watch {
	int fd;
};

struct os_watch *os_watch_new(void)
{
	struct os_watch *watch = malloc(sizeof(*watch));
	if (!watch)
		return NULL;
	watch->fd = epoll_create1(EPOLL_CLOEXEC);
	if (watch->fd != -1)
		return watch;
	free(watch);
	return NULL;
}

os_socket os_watch_handle(const struct os_watch *watch)
{
	return watch->fd;
}

static bool control(struct os_watch *watch, int what, os_socket fd, void *data)
{
	struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.ptr = data};
	return epoll_ctl(watch->fd, what, (int)fd, &event) == 0;
}

bool os_watch_add(struct os_watch *watch, os_socket fd, void *data)
{
	return control(watch, EPOLL_CTL_ADD, fd, data);
}

bool os_watch_again(struct os_watch *watch, os_socket fd, void *data)
{
	return control(watch, EPOLL_CTL_MOD, fd, data);
}

/* connect(2): "by connecting to an address with the sa_family member of sockaddr set to AF_UNSPEC". One that was connecting keeps an error. */
bool os_watch_rewind(os_socket fd)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	if (connect((int)fd, &nobody, sizeof(nobody)) != 0)
		return false;
	os_socket_take_error(fd);
	return true;
}

size_t os_watch_take(struct os_watch *watch, struct os_watch_event *events, size_t max)
{
	struct epoll_event ready[EVENTS_AT_ONCE];
	int count = epoll_wait(watch->fd, ready, max < EVENTS_AT_ONCE ? (int)max : EVENTS_AT_ONCE, 0);
	for (int i = 0; i < count; i++)
		events[i] = (struct os_watch_event){ready[i].data.ptr, (ready[i].events & (EPOLLERR | EPOLLHUP)) != 0};
	return count > 0 ? (size_t)count : 0;
}

void os_watch_free(struct os_watch *watch)
{
	if (!watch)
		return;
	close(watch->fd);
	free(watch);
}
