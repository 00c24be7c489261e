#ifndef MARSPROBE_ENGINE_CONNECT_H
#define MARSPROBE_ENGINE_CONNECT_H

#include <stdint.h>
#include <uv.h>

#include "probe/core/evidence.h"

struct connect_probe;
typedef void (*connect_done_cb)(struct connect_probe *probe, void *user);

/**
 * One TCP connection without a byte of ours, watched for a while.
 *
 * Records  into observation (op tcp_connect, caller's, in the caller's arena): tuple, failure, os_error, icmp, tcp_info.
 *          With linger_us > 0 the connected socket is watched that long, and a FIN or RST from the peer that comes without our having
 *          sent anything ends it with failure EOF or CONNECTION_RESET; nothing: failure NONE.
 *          duration_us is the handshake's, or goes on to the FIN or RST that ended the linger.
 * Ends     once, through done(), from the loop and never inside connect_start(). The probe frees itself after done() returns.
 * Limits   timeout_us for the handshake, linger_us after it.
 */
struct connect_probe *connect_start(uv_loop_t *loop, struct arena *arena, struct observation *observation,
				    const char *address, int port, int64_t run_started_us, int64_t timeout_us,
				    int64_t linger_us, connect_done_cb done, void *user);

/** Stop it now: what was seen is recorded with that failure, done() is called before this returns. */
void connect_cancel(struct connect_probe *probe, enum failure failure);

#endif
