#include "probe/diagnosis/tls_tried.h"

#include <string.h>

bool tls_same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

bool tls_with_proxy_broke(const struct tried *tried)
{
	return tried->broke == STAGE_PROXY && tried->proxy_tls && tried->proxy_tls->failure != FAILURE_NONE;
}

const struct observation *tls_handshake_of(const struct tried *tried)
{
	return tls_with_proxy_broke(tried) ? tried->proxy_tls : tried->tls;
}

bool tls_broke(const struct tried *tried)
{
	return tried_failed(tried) && (tried->broke == STAGE_TLS || tls_with_proxy_broke(tried)) &&
	       tls_handshake_of(tried);
}

bool tls_if_any(const struct view *view, struct verdict *out, const char *cause, double confidence, tried_is is)
{
	bool by_proxy = false;
	for (size_t i = 0; i < view->tried_count; i++)
		by_proxy |= tls_broke(&view->tried[i]) && tls_with_proxy_broke(&view->tried[i]) &&
			    is(view, &view->tried[i]);
	if (!verdict_if_any(view, out, cause, confidence, is))
		return false;
	if (by_proxy)
		out->owner = OWNER_PROXY_TEAM;
	return true;
}
