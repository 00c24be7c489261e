#ifndef MARSPROBE_DIAGNOSIS_PROXY_REPLY_H
#define MARSPROBE_DIAGNOSIS_PROXY_REPLY_H

#include <stdbool.h>

#include "probe/core/evidence.h"

/* What the reply of a proxy says, in the words of many makers. Every text may be NULL, and is hostile. */

bool proxy_method_is(const struct proxy_exchange *proxy, const char *method);

/** The text has the part, without regard to case; NULL has none. */
bool text_has(const char *text, const char *part);

/** Whose word is the answer? */
enum proxy_mark {
	MARK_NONE,	/* nothing shows that the proxy had a hand in it */
	MARK_PASSED_ON, /* Via: it came through a proxy, which may have written it or not (RFC 9110 7.6.3) */
	MARK_OWN	/* a reply to CONNECT, an error header or a Server header of a proxy, its maker's page */
};
enum proxy_mark proxy_mark_of(const struct proxy_exchange *proxy);

/** What it says about the machine behind it. */
enum upstream {
	UPSTREAM_UNSAID,
	UPSTREAM_NO_NAME, /* the name could not be looked up */
	UPSTREAM_NAME_DOUBTFUL, /* names are mentioned; or squid had no address to go to, and no reason (ERR_CANNOT_FORWARD) */
	UPSTREAM_TIMED_OUT,
	UPSTREAM_REFUSED, /* or there is no route to it */
	UPSTREAM_NOT_CONNECTED
};
enum upstream proxy_upstream(const struct proxy_exchange *proxy);

bool proxy_reply_is_html(const struct proxy_exchange *proxy);

#endif
