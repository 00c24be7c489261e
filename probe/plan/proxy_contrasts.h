#ifndef MARSPROBE_PLAN_PROXY_CONTRASTS_H
#define MARSPROBE_PLAN_PROXY_CONTRASTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/evidence.h"

/* Which extra requests would tell the causes at one proxy apart, from what became of the requests so far. Each is made once per proxy,
 * however many paths fail there, and none carries credentials. */

/** What became of one request through the proxy, so far. */
enum proxy_outcome {
	PROXY_NOT_REACHED, /* no connection to the proxy, or none yet */
	PROXY_WAITS,	   /* connected, and nothing came back yet */
	PROXY_NO_REPLY,	   /* closed without a status line, or bytes that are no HTTP */
	PROXY_SAYS_OTHER,  /* a status that no proxy's work explains: 400, 405 ... */
	PROXY_ASKS,	   /* 407, or what SOCKS has for it */
	PROXY_DENIES,	   /* 403, 451, SOCKS reply 2 */
	PROXY_BAD_GATEWAY, /* something behind it failed */
	PROXY_TUNNEL_OPEN, /* the tunnel stands, and nothing came through it yet */
	PROXY_TUNNEL_DEAD, /* it stood, and ended without a byte from beyond */
	PROXY_CARRIES	   /* something came from beyond */
};

struct proxy_request {
	const char *host;
	int port;
	const char *address; /* of the host, where a look-up of this run found it; else NULL */
	bool tunnel;	     /* CONNECT or SOCKS; else a GET with an absolute URL */
	bool signed_in;	     /* with credentials: the same without them would only be asked for a sign-in */
	int64_t since_us;    /* when it began */
	enum proxy_outcome outcome;
};

enum proxy_contrast {
	PROXY_CONTROL,	    /* a request to the proxy itself, which needs no upstream */
	PROXY_TLS,	    /* the same CONNECT inside TLS */
	PROXY_OTHER_TARGET, /* a tunnel to another target */
	PROXY_OTHER_PORT,   /* the same host, another port */
	PROXY_ADDRESS,	    /* the host's address instead of its name */
	PROXY_CONTRASTS
};
/** "proxy_control" ...: what observation.experiment says. */
const char *proxy_contrast_text(enum proxy_contrast contrast);

struct proxy_known {
	enum via_scheme scheme;
	const struct proxy_request *requests;
	size_t count;
	bool asked[PROXY_CONTRASTS];
	struct target *const *targets; /* of the run: whom we may contact */
	size_t target_count;
	int64_t now_us, patience_us; /* a request that is older and still waits is suspicious */
};

struct proxy_wish {
	enum proxy_contrast contrast;
	const char *host; /* whom to ask the proxy for; NULL: for itself */
	int port;
	bool tunnel;
	const struct target *target; /* PROXY_OTHER_TARGET: to be asked for as a whole; else NULL */
};

/** The contrasts that are worth making now, at most PROXY_CONTRASTS. Pure; texts are the requests' and targets' own. */
size_t proxy_contrasts_wanted(const struct proxy_known *known, struct proxy_wish *out);

#endif
