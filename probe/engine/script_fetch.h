#ifndef MARSPROBE_ENGINE_SCRIPT_FETCH_H
#define MARSPROBE_ENGINE_SCRIPT_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/evidence.h"
#include "probe/engine/resolve.h"
#include "probe/engine/transfer.h"

/** The download of one PAC script. */
struct script_fetch;

struct script_fetch_result {
	/** NULL: a script came. Else "unreachable" (no name, no connection, no answer, an HTTP error), "needs_auth" (401 or 407), "not_script"
	 *  (an answer without the text FindProxyForURL: an HTML page, nothing ...), "too_large", "bad_address" (not http: or https:). */
	const char *error;
	const char *message; /* for people: what exactly, in one sentence without a final stop; NULL without an error */
	enum failure failure; /* of the observation that ended it */
	const char *
		text; /* the script as UTF-8 (wininet.md 4.4: charset of the header, BOM, else ISO-8859-1), with a terminator */
	size_t length;
	const char *mime;   /* media type of the answer, lower case, without parameters; NULL if it had none */
	const char *sha256; /* of the bytes as they came */
	int status;	    /* HTTP, or NOT_MEASURED */
};

struct script_fetch_options {
	struct report *report;
	struct resolver *resolver;
	struct transfer_pool *pool;
	const char *url;	       /* as configured, with its query */
	const struct path_list *paths; /* whom it concerns; the observations get them */
	void (*done)(struct script_fetch *fetch, const struct script_fetch_result *result, void *user);
	void *user;
};

/**
 * Fetch a script as Windows does (wininet.md 4.4): directly, never through a proxy, without credentials, one address after another.
 *
 * Records  the steps as observations of their own (dns_query, system_lookup, tcp_connect, tls_handshake, http_exchange) with experiment
 *          "pac_download", for options->paths.
 * Follows  at most 8 redirects to http: or https:, on any host that the server names (as Windows does), each recorded.
 * Calls    done() once, from the loop, never inside this function; texts of the result live in report->arena.
 */
struct script_fetch *script_fetch_start(const struct script_fetch_options *options);

/** End it now: done() is called before this returns, with error "unreachable" and that failure. */
void script_fetch_cancel(struct script_fetch *fetch, enum failure failure);

#endif
