#ifndef MARSPROBE_DIAGNOSIS_TLS_TRIED_H
#define MARSPROBE_DIAGNOSIS_TLS_TRIED_H

#include <stdbool.h>

#include "probe/diagnosis/view.h"

/* The handshake of an attempt, for the rules of table S: that with the target, or with an https: proxy where that is what failed. */

/** Was it TLS with the proxy itself that failed? */
bool tls_with_proxy_broke(const struct tried *tried);

/** The handshake that counts for an attempt, or NULL. */
const struct observation *tls_handshake_of(const struct tried *tried);

/** Did a judged attempt fail at it? Then there is one. */
bool tls_broke(const struct tried *tried);

/** As verdict_if_any(); a fault of the proxy's own TLS is the proxy team's to mend. */
bool tls_if_any(const struct view *view, struct verdict *out, const char *cause, double confidence, tried_is is);

/** Equal, and not both missing. */
bool tls_same_text(const char *a, const char *b);

#endif
