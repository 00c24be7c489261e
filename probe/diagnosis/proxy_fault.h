#ifndef MARSPROBE_DIAGNOSIS_PROXY_FAULT_H
#define MARSPROBE_DIAGNOSIS_PROXY_FAULT_H

#include <stdbool.h>

#include "probe/diagnosis/proxy_reply.h"
#include "probe/diagnosis/view.h"

/** What is wrong with an attempt at or behind its proxy. */
enum fault {
	FAULT_NONE,
	FAULT_NOT_HTTP,
	FAULT_MALFORMED,
	FAULT_OTHER_PROTOCOL, /* HTTP where SOCKS was due */
	FAULT_CLOSED,
	FAULT_SCHEME_UNUSABLE,
	FAULT_REJECTED,
	FAULT_SIGN_IN,
	FAULT_DENIED,
	FAULT_BLOCK_PAGE,
	FAULT_METHOD,
	FAULT_OVERLOADED,
	FAULT_LOOP,
	FAULT_NO_NAME,
	FAULT_NAME_DOUBTFUL,
	FAULT_UPSTREAM_TIMED_OUT,
	FAULT_GATEWAY_TIMEOUT, /* 504 without a word more */
	FAULT_UPSTREAM_REFUSED,
	FAULT_UPSTREAM_UNSAID,
	FAULT_UNANSWERED,
	FAULT_OTHER_STATUS,
	FAULT_TUNNEL_DEAD
};

/** The one fault of an attempt; FAULT_NONE on direct paths, for what works, for TCP and the proxy's own TLS, and where another table knows. */
enum fault proxy_fault_of(const struct view *view, const struct tried *tried);

/** Whose word an answer to a GET is, with what the same proxy said to others in this run. */
enum proxy_mark proxy_mark_in_run(const struct view *view, const struct proxy_exchange *proxy);

/** The proxy's 407 in this attempt, be it on an earlier connection; NULL: none. */
const struct observation *earlier_challenge(const struct tried *tried);

/** Did that handshake end without a byte of an answer to its hello? */
bool tunnel_is_dead(const struct observation *tls);

/** Did the expected body begin as it should, and not come to its end? One that ended in order has its checksum. */
bool http_body_is_cut(const struct target *target, const struct http_exchange *http);

#endif
