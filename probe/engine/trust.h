#ifndef MARSPROBE_ENGINE_TRUST_H
#define MARSPROBE_ENGINE_TRUST_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"

/** The trust anchors of this run, loaded once and shared by all handshakes (read only after trust_open(), so threads may share it). */
struct trust {
	X509_STORE *store;
	struct text_list service_roots; /* sha256; see report->run */
};

struct pem;

/** The system's anchors, and those of ca (or NULL) beside them. Errors: it holds no certificate, or a damaged one. */
bool trust_open(struct trust *trust, const struct pem *ca, struct err *err);

#endif
