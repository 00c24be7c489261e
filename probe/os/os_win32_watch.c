#include "probe/os/os_watch.h"

/* Here the loop itself watches a socket at the cost of one call (libuv asks \Device\Afd). */

struct os_watch *os_watch_new(void)
{
	return NULL;
}

os_socket os_watch_handle(const struct os_watch *watch)
{
	(void)watch;
	return -1;
}

bool os_watch_add(struct os_watch *watch, os_socket fd, void *data)
{
	(void)watch, (void)fd, (void)data;
	return false;
}

bool os_watch_rewind(os_socket fd)
{
	(void)fd;
	return false;
}

bool os_watch_again(struct os_watch *watch, os_socket fd, void *data)
{
	(void)watch, (void)fd, (void)data;
	return false;
}

size_t os_watch_take(struct os_watch *watch, struct os_watch_event *events, size_t max)
{
	(void)watch, (void)events, (void)max;
	return 0;
}

void os_watch_free(struct os_watch *watch)
{
	(void)watch;
}
