#ifndef MARSPROBE_ENGINE_TRUST_H
#define MARSPROBE_ENGINE_TRUST_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/os/os_stack.h"

/** The trust anchors of this run, loaded once and shared by all handshakes, in all threads. */
struct trust {
	X509_STORE *store;		/* has a lock of its own */
	struct text_list service_roots; /* sha256; see report->run */
	/* the loop's own: */
	bool of_system; /* the anchors are those of the system's own stack, which can be asked beside ours (os_stack.h) */
	struct text_list machine_roots, user_roots, fetched_roots; /* sha256, by where the system has them */
};

struct pem;

/** The system's anchors, and those of ca (or NULL) beside them; texts go into the arena. Errors: ca holds no certificate, or a damaged one. */
bool trust_open(struct trust *trust, struct arena *arena, const struct pem *ca, struct err *err);

/** Where the system keeps that anchor, as tls_handshake.root_store; NULL where it does not, or does not tell. */
const char *trust_root_store(const struct trust *trust, const char *sha256);

/** Add what the system's chain engine found above a leaf, the anchor last; true if that is one that the system had not had. */
bool trust_add_found(struct trust *trust, struct arena *arena, const struct os_chain *chain);

#endif
