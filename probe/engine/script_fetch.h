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
	/** For people, without a final stop: what exactly went wrong. Without an error: NULL, or a remark on the script that came (Windows may not
	 *  take its media type). */
	const char *message;
	enum failure failure; /* of the step that ended it; NONE where an answer came, whatever it says */
	const char *
		text; /* the script as UTF-8 (wininet.md 4.4: charset of the header, BOM, else ISO-8859-1), with a terminator */
	size_t length;
	int64_t bytes;	    /* of the body as it came, or NOT_MEASURED */
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
 * Fetch a script as Windows does (wininet.md 4.4): directly, never through a proxy, without credentials, from one address after another of
 * those that count (struct resolved_address), until one answers.
 *
 * Records  the steps as observations of their own (dns_query, system_lookup, tcp_connect, tls_handshake, http_exchange) with experiment
 *          "pac_download", for options->paths.
 * Follows  at most 8 redirects to http: or https:, on any host that the server names (as Windows does), each recorded; not from https:
 *          to http:, which WinHTTP does not follow either unless it is told to.
 * Limits   the resolver's and the pool's timeout for each step; no address is begun later than three of them after the start.
 * Calls    done() once, from the loop, never inside this function; texts of the result live in report->arena. A look-up may record on after
 *          done(), and is in resolver->open as long.
 */
struct script_fetch *script_fetch_start(const struct script_fetch_options *options);

/** End it now: done() is called before this returns, with error "unreachable" and that failure. No effect after done(). */
void script_fetch_cancel(struct script_fetch *fetch, enum failure failure);

#endif
