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

/** The system's anchors, and ca_file's beside them. Errors: the file cannot be read or holds no certificate. */
bool trust_open(struct trust *trust, const char *ca_file, struct err *err);

#endif
