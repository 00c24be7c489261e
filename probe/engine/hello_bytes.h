#ifndef MARSPROBE_ENGINE_HELLO_BYTES_H
#define MARSPROBE_ENGINE_HELLO_BYTES_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/arena.h"

/** Make a context's hellos small and classical, as the agent's system says hello. False: the library refuses. */
bool hello_make_classical(SSL_CTX *ctx);

/** Put a post-quantum key share in front, where the library knows one (X25519MLKEM768, draft-ietf-tls-ecdhe-mlkem): about 1,200 bytes more. */
void hello_add_post_quantum(SSL_CTX *ctx);

/**
 * The ClientHello that a handshake for that name starts with: one TLS record, ready to be sent on a connection (RFC 8446 4.1.2, 5.1).
 *
 * sni      NULL or an address literal: without the name (RFC 6066 3)
 * Memory   the bytes are the arena's.
 * Errors   NULL: the library refuses.
 */
const uint8_t *hello_bytes(struct arena *arena, const char *sni, size_t *length);

#endif
