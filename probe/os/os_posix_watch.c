#include "probe/os/os_watch.h"

#include <stdlib.h>
#include <sys/epoll.h>
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

bool os_watch_add(struct os_watch *watch, os_socket fd, void *data)
{
	struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.ptr = data};
	return epoll_ctl(watch->fd, EPOLL_CTL_ADD, (int)fd, &event) == 0;
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
