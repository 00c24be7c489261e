#ifndef MARSPROBE_ENGINE_CERTIFICATE_H
#define MARSPROBE_ENGINE_CERTIFICATE_H

#include <openssl/ssl.h>

#include "probe/core/evidence.h"
#include "probe/engine/trust.h"

enum {
	CHAIN_CERTIFICATES_MAX = 10,
	CERTIFICATE_NAMES_MAX = 16,
	CERTIFICATE_SOURCES_MAX = 8,
	CERTIFICATE_TEXT_MAX = 512
};

/** Write down the chain as it was sent (leaf first) and the leaf's names. NULL certificates are passed over. */
void certificate_chain_record(struct arena *arena, STACK_OF(X509) * sent, struct tls_handshake *tls);

/**
 * Verify a chain as it was sent against the run's anchors, as a TLS server's (RFC 5280 6), and its leaf against the host (RFC 6125).
 *
 * Records  verify, name_matches, root_*, verified_at_s.
 * Returns  X509_V_OK only if both hold; else the error, the chain's before the name's.
 */
int certificate_verify(struct arena *arena, const struct trust *trust, STACK_OF(X509) * sent, const char *host,
		       int security_level, struct tls_handshake *tls);

/** The failure that a result of certificate_verify() stands for. */
enum failure certificate_failure(int error);

/** The sha256 of the DER form as 64 lower-case hex digits. */
const char *certificate_sha256(struct arena *arena, const X509 *certificate);

#endif
