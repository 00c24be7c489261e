#ifndef MARSPROBE_OS_OS_WATCH_H
#define MARSPROBE_OS_OS_WATCH_H

#include "probe/os/os.h"

/* Thousands of connecting sockets, watched at the cost of one call each. */

struct os_watch;

/** One that is connected, or failed. */
struct os_watch_event {
	void *data;
	bool failed; /* the socket has an error to tell */
};

/** NULL where the system has nothing like it (Windows), or refuses: then each socket is watched by the loop itself. */
struct os_watch *os_watch_new(void);

/** A socket to the loop: it is readable while there are events to take. */
os_socket os_watch_handle(const struct os_watch *watch);

/** Tell once when this socket, on which connect() was called, is connected or failed; its close ends that. False: the system refuses. */
bool os_watch_add(struct os_watch *watch, os_socket fd, void *data);

/** Break its connection off, by a reset if one stands, so that connect() can be called on it once more: half of what a new socket costs.
 *  False: the system cannot; close it. */
bool os_watch_rewind(os_socket fd);

/** os_watch_add() for one that was rewound. What it had to tell before may still come: once, or never. */
bool os_watch_again(struct os_watch *watch, os_socket fd, void *data);

/** Take what has happened, at most max events; returns how many. */
size_t os_watch_take(struct os_watch *watch, struct os_watch_event *events, size_t max);

void os_watch_free(struct os_watch *watch);

#endif
