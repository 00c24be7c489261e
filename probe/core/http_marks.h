#ifndef MARSPROBE_CORE_HTTP_MARKS_H
#define MARSPROBE_CORE_HTTP_MARKS_H

#include "probe/core/observation.h"

/**
 * The name that a proxy on the way, not the service's own delivery network, left in the headers of an answer; NULL: none did.
 *
 * Source   Via (RFC 9110 7.6.3), the one nearest to us; squid's X-Cache ("MISS from proxy.corp") and X-Squid-Error.
 * Memory   arena. The text is the network's: data, and hostile.
 */
const char *http_proxy_mark(struct arena *arena, const struct header_list *headers);

#endif
