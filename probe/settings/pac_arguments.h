#ifndef MARSPROBE_SETTINGS_PAC_ARGUMENTS_H
#define MARSPROBE_SETTINGS_PAC_ARGUMENTS_H

#include <stdbool.h>

struct arena;
struct url;

/**
 * What a PAC script is given for a URL (wininet.md 4.2).
 *
 * Output  *url_text: without credentials and fragment; of https (and wss) without path and query too, "https://host/"; a port as it was
 *         written. *host: in lower case, without port and brackets. Both in the arena.
 * Errors  false where the host is no UTF-8 (escapes stood for it): no script can be asked. Nothing is written then.
 */
bool pac_arguments(struct arena *arena, const struct url *url, const char **url_text, const char **host);

#endif
