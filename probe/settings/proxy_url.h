#ifndef MARSPROBE_SETTINGS_PROXY_URL_H
#define MARSPROBE_SETTINGS_PROXY_URL_H

#include <stdbool.h>

struct arena;

/** A proxy that is given as one URL: by an environment variable, or to the agent. */
struct proxy_url {
	const char *via;     /* "PROXY host:port", "HTTPS ...", "SOCKS ...", "SOCKS5 ...", "SOCKS5H ..." */
	const char *problem; /* NULL, or a clause that follows the setting's name: "has no port: curl uses 1080" */
};

/**
 * Read "[scheme://][user[:password]@]host[:port]"; without a scheme it is an HTTP proxy.
 *
 * Ports   a missing one is default_http_port for http (curl uses 1080 there), 443 for https, 1080 for SOCKS; reader
 *         names who fills it in, for the problem.
 * Errors  false: it is no proxy URL; problem says why and via is NULL.
 */
bool proxy_url_parse(struct arena *arena, const char *text, const char *reader, int default_http_port,
		     struct proxy_url *out);

#endif
