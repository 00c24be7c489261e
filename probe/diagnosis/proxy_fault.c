#include "probe/diagnosis/proxy_fault.h"

#include <string.h>
#include <strings.h>

#include "probe/diagnosis/proxy_reply.h"

const struct observation *earlier_challenge(const struct tried *tried)
{
	const struct observation_list *list = &tried->attempt->observations;
	for (size_t i = list->count; i-- > 0;)
		if (list->items[i]->op == OP_PROXY_EXCHANGE && list->items[i]->proxy.status == 407)
			return list->items[i];
	return NULL;
}

static const struct proxy_exchange *exchange(const struct tried *tried)
{
	return &tried->proxy->proxy;
}

static bool offers(const struct proxy_exchange *proxy, const char *scheme)
{
	for (size_t i = 0; i < proxy->schemes.count; i++)
		if (strcasecmp(proxy->schemes.items[i], scheme) == 0)
			return true;
	return false;
}

/* SYSTEM's WinINET and WinHTTP settings hold no user and no password: only the machine account by Negotiate or NTLM is left. */
static bool has_no_password(const struct view *view)
{
	enum route_kind kind = view->path->route.kind;
	return view->path->identity == IDENTITY_SYSTEM && (kind == ROUTE_WININET || kind == ROUTE_WINHTTP);
}

/* 407 (RFC 9110 15.5.8). */
static enum fault fault_of_challenge(const struct view *view, const struct proxy_exchange *proxy)
{
	if (has_no_password(view) && !offers(proxy, "negotiate") && !offers(proxy, "ntlm"))
		return FAULT_SCHEME_UNUSABLE;
	return proxy->auth_tried && !proxy->auth_problem ? FAULT_REJECTED : FAULT_SIGN_IN;
}

static enum fault fault_of_upstream(const struct proxy_exchange *proxy)
{
	switch (proxy_upstream(proxy)) {
	case UPSTREAM_NO_NAME:
		return FAULT_NO_NAME;
	case UPSTREAM_NAME_DOUBTFUL:
		return FAULT_NAME_DOUBTFUL;
	case UPSTREAM_TIMED_OUT:
		return FAULT_UPSTREAM_TIMED_OUT;
	case UPSTREAM_REFUSED:
		return FAULT_UPSTREAM_REFUSED;
	case UPSTREAM_NOT_CONNECTED:
	case UPSTREAM_UNSAID:
		break;
	}
	if (proxy->status == 503 && header_find(&proxy->headers, "retry-after"))
		return FAULT_OVERLOADED;
	return proxy->status == 504 ? FAULT_GATEWAY_TIMEOUT : FAULT_UPSTREAM_UNSAID;
}

/* Statuses that mean the same to a CONNECT and, with the proxy's mark, to a GET. */
static enum fault fault_of_error(const struct proxy_exchange *proxy)
{
	switch (proxy->status) {
	case 403:
	case 451:
		return FAULT_DENIED;
	case 429:
		return FAULT_OVERLOADED;
	case 508:
		return FAULT_LOOP;
	}
	bool by_gateway = proxy->status >= 500 && proxy->status != 501 && proxy->status != 505 && proxy->status != 511;
	return by_gateway ? fault_of_upstream(proxy) : FAULT_NONE;
}

static enum fault fault_of_connect(const struct view *view, const struct proxy_exchange *proxy)
{
	enum fault fault = fault_of_error(proxy);
	if (proxy->status == 407)
		return fault_of_challenge(view, proxy);
	if ((proxy->status >= 300 && proxy->status < 400) || proxy->status == 511)
		return FAULT_BLOCK_PAGE;
	if (proxy->status == 405 || proxy->status == 501)
		return FAULT_METHOD;
	if (proxy->status == 404 && proxy_upstream(proxy) == UPSTREAM_NO_NAME)
		return FAULT_NO_NAME;
	return fault == FAULT_NONE ? FAULT_OTHER_STATUS : fault;
}

/* RFC 1928 6; SOCKS4's 91 says nothing more than no, 92 and 93 are about who asks. */
static enum fault fault_of_socks(const struct proxy_exchange *proxy)
{
	switch (proxy->socks_reply) {
	case 2:
	case 92:
	case 93:
		return FAULT_DENIED;
	case 3:
	case 4:
	case 5:
		return FAULT_UPSTREAM_REFUSED;
	case 6:
		return FAULT_UPSTREAM_TIMED_OUT;
	case 7:
	case 8:
		return FAULT_METHOD;
	}
	if (proxy->socks_reply == NOT_MEASURED && proxy->auth_problem)
		return proxy->auth_tried ? FAULT_REJECTED : FAULT_SIGN_IN;
	return FAULT_UPSTREAM_UNSAID;
}

static enum fault fault_of_malformed(const struct proxy_exchange *proxy)
{
	bool http = proxy->first_bytes && strncasecmp(proxy->first_bytes, "HTTP", 4) == 0;
	if (proxy_method_is(proxy, "SOCKS"))
		return http ? FAULT_OTHER_PROTOCOL : FAULT_MALFORMED;
	return http ? FAULT_MALFORMED : FAULT_NOT_HTTP;
}

/* Ended before it gave way: no whole reply, or one that says no. */
static enum fault fault_of_exchange(const struct view *view, const struct tried *tried)
{
	const struct proxy_exchange *proxy = exchange(tried);
	bool begun = proxy->status != NOT_MEASURED;
	if (tried->proxy->failure == FAILURE_PROXY_STATUS)
		return fault_of_connect(view, proxy);
	if (tried->proxy->failure == FAILURE_SOCKS_REFUSED)
		return fault_of_socks(proxy);
	if (tried->proxy->failure == FAILURE_PROXY_MALFORMED)
		return fault_of_malformed(proxy);
	if (tried->proxy->failure == FAILURE_EOF || tried->proxy->failure == FAILURE_CONNECTION_RESET)
		return begun ? FAULT_MALFORMED : FAULT_CLOSED;
	if (tried->proxy->failure != FAILURE_TIMEOUT && tried->proxy->failure != FAILURE_UNKNOWN)
		return FAULT_NONE;
	if (proxy->auth_tried && proxy->auth_problem) /* it ended on this machine */
		return FAULT_SIGN_IN;
	if (tried->proxy->failure == FAILURE_UNKNOWN)
		return FAULT_NONE;
	return begun ? FAULT_MALFORMED : FAULT_UNANSWERED;
}

bool http_body_is_cut(const struct target *target, const struct http_exchange *http)
{
	const char *head = http->body_head ? http->body_head : "";
	return target->expect.body && http->error && !http->body_sha256 &&
	       strncmp(target->expect.body, head, strlen(head)) == 0;
}

/* The same to a CONNECT of another target, which is never the origin's word: a refusal, or a page where a tunnel was due. */
static bool refuses_alike(const struct tried *tried, int status)
{
	if (!tried->proxy || tried->elsewhere || !proxy_method_is(exchange(tried), "CONNECT") ||
	    exchange(tried)->status != status)
		return false;
	return status >= 300 || (tried->tls && tried->tls->tls.plain_reply);
}

enum proxy_mark proxy_mark_in_run(const struct view *view, const struct proxy_exchange *proxy)
{
	enum proxy_mark mark = proxy_mark_of(proxy);
	for (size_t i = 0; mark != MARK_OWN && i < view->all_count; i++)
		for (size_t k = 0; view_same_proxy(view, &view->all[i]) && k < view->all[i].tried_count; k++)
			if (refuses_alike(&view->all[i].tried[k], proxy->status))
				return MARK_OWN;
	return mark;
}

/* The answer to a GET came through the proxy, and is not the target's: a refusal with the proxy's mark, or a page that leads away. */
static enum fault fault_of_answer(const struct view *view, const struct tried *tried)
{
	const struct proxy_exchange *proxy = exchange(tried);
	if (!proxy_method_is(proxy, "GET") || !tried->http || proxy_mark_in_run(view, proxy) == MARK_NONE)
		return FAULT_NONE;
	if (proxy->status == 200 && http_body_is_cut(view->target, &tried->http->http))
		return FAULT_NONE;
	bool said_alike = proxy_mark_of(proxy) != MARK_OWN && proxy_mark_in_run(view, proxy) == MARK_OWN;
	if (proxy->status < 200 || proxy->status >= 400)
		return said_alike ? fault_of_connect(view, proxy) : fault_of_error(proxy);
	const char *host = http_location_host(view, &tried->http->http);
	bool leads_away = host && !host_is_listed(view, host);
	return view->target->expect.body || leads_away || (proxy->status < 300 && proxy_reply_is_html(proxy))
		       ? FAULT_BLOCK_PAGE
		       : FAULT_NONE;
}

bool tunnel_is_dead(const struct observation *tls)
{
	bool ended = tls->failure == FAILURE_TIMEOUT || tls->failure == FAILURE_CONNECTION_RESET ||
		     tls->failure == FAILURE_EOF;
	return ended && tls->tls.progress == TLS_HELLO_SENT && !tls->tls.plain_reply && tls->tls.alert < 0;
}

/* The tunnel stands: HTML in place of TLS is a page of the proxy's; nothing at all, a tunnel that leads nowhere. */
static enum fault fault_of_tunnel(const struct tried *tried)
{
	if (!tried->tls || tried->proxy->failure != FAILURE_NONE || tried->tls->tls.progress != TLS_HELLO_SENT)
		return FAULT_NONE;
	const char *plain = tried->tls->tls.plain_reply;
	if (text_has(plain, "<html") || text_has(plain, "<!doctype") ||
	    (!tried->tls->tls.chain_count && tried->tls->tls.alert < 0 && proxy_reply_is_html(exchange(tried))))
		return FAULT_BLOCK_PAGE;
	return tunnel_is_dead(tried->tls) ? FAULT_TUNNEL_DEAD : FAULT_NONE;
}

enum fault proxy_fault_of(const struct view *view, const struct tried *tried)
{
	if (!view->proxied || !tried_failed(tried))
		return FAULT_NONE;
	if (tried->broke == STAGE_TCP && earlier_challenge(tried))
		return FAULT_SIGN_IN;
	if (!tried->proxy)
		return FAULT_NONE;
	if (tried->broke == STAGE_PROXY)
		return fault_of_exchange(view, tried);
	if (tried->broke == STAGE_TLS)
		return fault_of_tunnel(tried);
	return tried->broke == STAGE_HTTP ? fault_of_answer(view, tried) : FAULT_NONE;
}
