#ifndef MARSPROBE_ENGINE_TCP_WATCH_H
#define MARSPROBE_ENGINE_TCP_WATCH_H

/* With the rights for it: what TTL the answers to our connections had (tcp_connect.syn_ack_ttl and reset_ttl). */

#include <uv.h>

#include "probe/core/evidence.h"

struct tcp_watch;

/** Begin to take note of incoming SYN-ACKs and resets. NULL where this account may not, or the system cannot (os_tcp_watch.h); it lives as
 *  long as the loop, which is never closed. */
struct tcp_watch *tcp_watch_start(uv_loop_t *loop);

/** Write what has come by now into the report's connections. An answer is there before the connection's own socket tells of it. NULL: nothing. */
void tcp_watch_write(struct tcp_watch *watch, struct report *report);

#endif
