#ifndef MARSPROBE_ENGINE_CONNECT_H
#define MARSPROBE_ENGINE_CONNECT_H

#include <stdint.h>
#include <uv.h>

#include "probe/core/evidence.h"

struct connect_probe;
typedef void (*connect_done_cb)(struct connect_probe *probe, void *user);

/** What to connect to, and what to do then. Texts and bytes are the caller's and outlive the probe. */
struct connect_spec {
	const char *address; /* a literal */
	int port;
	int64_t timeout_us; /* for the handshake */
	int64_t linger_us;  /* after it; 0: the handshake alone */
	int min_ttl; /* let nothing in with a smaller TTL (IP_MINTTL): from the start, or with a payload once the connection
			stands; 0: no such limit */
	const uint8_t *payload; /* sent as soon as the connection stands; NULL: nothing is sent */
	uint16_t payload_bytes;
};

/**
 * One TCP connection, watched for a while.
 *
 * Records  into observation (op tcp_connect, caller's, in the caller's arena): tuple, failure, os_error, icmp, tcp_info; min_ttl where the
 *          system took it, and failure NOT_SUPPORTED without a packet sent where it did not; with a payload sent_bytes, bytes_acked,
 *          bytes_received and first_bytes.
 *          With linger_us > 0 the connected socket is watched that long: a FIN or RST from the peer ends it with failure EOF or
 *          CONNECTION_RESET, its first bytes end it with failure NONE; nothing: failure NONE.
 *          duration_us is the handshake's, or goes on to the FIN or RST that ended the linger.
 * Ends     once, through done(), from the loop and never inside connect_start(). The probe frees itself after done() returns.
 */
struct connect_probe *connect_start(uv_loop_t *loop, struct arena *arena, struct observation *observation,
				    const struct connect_spec *spec, int64_t run_started_us, connect_done_cb done,
				    void *user);

/** Stop it now: what was seen is recorded with that failure, done() is called before this returns. */
void connect_cancel(struct connect_probe *probe, enum failure failure);

#endif
