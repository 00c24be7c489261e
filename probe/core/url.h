#ifndef MARSPROBE_CORE_URL_H
#define MARSPROBE_CORE_URL_H

#include <stdbool.h>

struct arena;

/** An absolute URL taken apart (RFC 3986 3). Every text is in the arena that it was parsed into. */
struct url {
	const char *scheme;   /* lower case */
	const char *user;     /* NULL where there is none; percent-decoded */
	const char *password; /* NULL where there is none; percent-decoded; a secret */
	const char *host;     /* lower case, IPv6 without brackets, percent-decoded; never empty */
	int port;	      /* as written, or the scheme's own: http 80, https 443, socks* 1080; else -1 */
	bool port_given;
	const char *path; /* with query, without fragment; "/" where empty */
};

/**
 * Parse an absolute URL "scheme://[user[:password]@]host[:port][/path][?query][#fragment]".
 *
 * Errors  false: no scheme, no host, a bad port, a control character or blank, longer than 2048 bytes.
 */
bool url_parse(struct arena *arena, const char *text, struct url *out);

/** The URL without credentials, query and fragment: what may stand in a report. NULL for NULL; a text that does not parse
 *  gives "(unreadable URL)". */
const char *url_for_report(struct arena *arena, const char *text);

/**
 * Does host fall under an allow-list rule: "*.windows.net" (any depth below, not the bare suffix), ".windows.net" (the same),
 * or an exact name? Compares without case; a final dot is ignored.
 */
bool rule_matches_host(const char *rule, const char *host);

#endif
