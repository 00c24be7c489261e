#include <string.h>
#include <strings.h>

#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"

/*
 * Table P: the proxy at work. Every rule here abstains on direct paths. The reply to a CONNECT is the proxy's own word; the answer to a plain
 * GET is the proxy's only with its mark (RFC 9110 9.3.6, 7.6.3).
 */

static const struct proxy_exchange *exchange(const struct tried *tried)
{
	return tried->proxy ? &tried->proxy->proxy : NULL;
}

static bool broke_at_proxy(const struct tried *tried)
{
	return tried_failed(tried) && tried->broke == STAGE_PROXY && tried->proxy;
}

static bool has_text(const char *text, const char *part)
{
	return text && strcasestr(text, part) != NULL;
}

static bool has_any(const char *text, const char *const *parts)
{
	for (; *parts; parts++)
		if (has_text(text, *parts))
			return true;
	return false;
}

/* The squid error's name ("ERR_CONNECT_FAIL 111"), or NULL. */
static const char *squid_error(const struct proxy_exchange *proxy)
{
	return header_find(&proxy->headers, "x-squid-error");
}

static bool has_proxy_mark(const struct proxy_exchange *proxy)
{
	static const char *const makers[] = {"squid",	 "tinyproxy",  "bluecoat", "blue coat", "mcafee",
					     "zscaler",	 "forcepoint", "websense", "sophos",	"barracuda",
					     "fortinet", "ironport",   "privoxy",  NULL};
	return strcmp(proxy->method, "GET") != 0 || squid_error(proxy) || header_find(&proxy->headers, "via") ||
	       header_find(&proxy->headers, "proxy-agent") || has_any(header_find(&proxy->headers, "server"), makers);
}

static bool status_is(const struct tried *tried, int status)
{
	const struct proxy_exchange *proxy = exchange(tried);
	return tried_failed(tried) && proxy && proxy->status == status && has_proxy_mark(proxy);
}

/* ------------------------------------------------------------------ reaching it */

static const struct observation *lookup_of(const struct view *view, const char *name)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_SYSTEM_LOOKUP && strcasecmp(list->items[i]->lookup.name, name) == 0)
			return list->items[i];
	return NULL;
}

/** The proxy's host name has no address: nothing could be tried. The table D cause goes to `also`. */
bool rule_prx_name_unresolvable(const struct view *view, struct verdict *out)
{
	if (!view->proxied || !view->name || view->tried_count)
		return false;
	const struct observation *lookup = lookup_of(view, view->name);
	if (lookup && lookup->failure == FAILURE_NONE)
		return false;
	verdict_set(view, out, "prx_name_unresolvable", 0.9);
	verdict_add_evidence(view, out, lookup);
	return true;
}

static bool broke_at_tcp(const struct tried *tried)
{
	return tried_failed(tried) && tried->broke == STAGE_TCP && tried->tcp;
}

static bool is_refused(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_tcp(tried) && tried->tcp->failure == FAILURE_CONNECTION_REFUSED &&
	       (!tried->tcp->tcp.icmp.from || strcmp(tried->tcp->tcp.icmp.from, tried->attempt->address) == 0);
}

static bool is_unreachable(const struct view *view, const struct tried *tried)
{
	return broke_at_tcp(tried) && !is_refused(view, tried);
}

/** RST (or port unreachable) from the proxy's own address. */
bool rule_prx_refused(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_refused", 0.85, is_refused);
}

/** TCP to the proxy gets no answer, or an ICMP error from elsewhere. */
bool rule_prx_unreachable(const struct view *view, struct verdict *out)
{
	if (!view->proxied || !verdict_if_any(view, out, "prx_unreachable", 0.85, is_unreachable))
		return false;
	verdict_add_not_run(view, out, "path walk by TTL to the proxy");
	return true;
}

/* ------------------------------------------------------------------ what it speaks */

static bool looks_like_http(const char *bytes)
{
	return bytes && strncasecmp(bytes, "HTTP", 4) == 0;
}

static bool is_other_protocol(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_proxy(tried) && tried->proxy->failure == FAILURE_PROXY_MALFORMED &&
	       !looks_like_http(exchange(tried)->first_bytes);
}

static bool is_malformed(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_proxy(tried) && tried->proxy->failure == FAILURE_PROXY_MALFORMED &&
	       looks_like_http(exchange(tried)->first_bytes);
}

/** The first bytes are not HTTP: TLS, SOCKS, a banner: the setting names a port of something else. */
bool rule_prx_not_http(const struct view *view, struct verdict *out)
{
	if (!view->proxied || !verdict_if_any(view, out, "prx_not_http", 0.9, is_other_protocol))
		return false;
	verdict_add_not_run(view, out, "TLS to the proxy");
	return true;
}

bool rule_prx_reply_malformed(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_reply_malformed", 0.85, is_malformed);
}

static bool is_closed(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_proxy(tried) &&
	       (tried->proxy->failure == FAILURE_EOF || tried->proxy->failure == FAILURE_CONNECTION_RESET);
}

/** FIN or RST after the request, no status line. */
bool rule_prx_closes_silently(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_closes_silently", 0.85, is_closed);
}

/* ------------------------------------------------------------------ 407 (RFC 9110 15.5.8) */

static bool asks_for_sign_in(const struct tried *tried)
{
	const struct proxy_exchange *proxy = exchange(tried);
	return broke_at_proxy(tried) && (proxy->status == 407 || proxy->auth_tried);
}

static bool is_rejected(const struct view *view, const struct tried *tried)
{
	(void)view;
	const struct proxy_exchange *proxy = exchange(tried);
	return asks_for_sign_in(tried) && proxy->status == 407 && proxy->auth_tried && !proxy->auth_problem;
}

static bool offers(const struct proxy_exchange *proxy, const char *scheme)
{
	for (size_t i = 0; i < proxy->schemes.count; i++)
		if (strcasecmp(proxy->schemes.items[i], scheme) == 0)
			return true;
	return false;
}

/* SYSTEM's WinINET and WinHTTP settings hold no user and no password: only the machine account by Negotiate or NTLM is left. */
static bool is_unusable(const struct view *view, const struct tried *tried)
{
	enum route_kind kind = view->path->route.kind;
	return view->path->identity == IDENTITY_SYSTEM && kind != ROUTE_AGENT && kind != ROUTE_PROXY &&
	       asks_for_sign_in(tried) && !offers(exchange(tried), "negotiate") && !offers(exchange(tried), "ntlm");
}

static bool is_none_sent(const struct view *view, const struct tried *tried)
{
	return asks_for_sign_in(tried) && !is_rejected(view, tried) && !is_unusable(view, tried);
}

bool rule_prx_auth_scheme_unusable(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_auth_scheme_unusable", 0.85, is_unusable);
}

/** A whole exchange of credentials, and 407 again. */
bool rule_prx_auth_rejected(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_auth_rejected", 0.9, is_rejected);
}

/** 407, and no credential was at hand (or the ticket for it could not be had). */
bool rule_prx_auth_none_sent(const struct view *view, struct verdict *out)
{
	if (!view->proxied || !verdict_if_any(view, out, "prx_auth_none_sent", 0.9, is_none_sent))
		return false;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct proxy_exchange *proxy = exchange(&view->tried[i]);
		if (proxy && proxy->auth_tried && strcmp(proxy->auth_tried, "negotiate") == 0)
			verdict_add_also(view, out, "prx_auth_kerberos_unavailable");
	}
	return true;
}

/* ------------------------------------------------------------------ its refusals */

static bool is_denied(const struct view *view, const struct tried *tried)
{
	(void)view;
	const struct proxy_exchange *proxy = exchange(tried);
	bool by_rule =
		broke_at_proxy(tried) && tried->proxy->failure == FAILURE_SOCKS_REFUSED && proxy->socks_reply == 2;
	return by_rule || status_is(tried, 403);
}

/** 403 to CONNECT, or to a GET with the proxy's mark; SOCKS reply 2, "not allowed by ruleset" (RFC 1928 6). */
bool rule_prx_acl_denied(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_acl_denied", 0.9, is_denied);
}

static bool is_html(const struct proxy_exchange *proxy)
{
	return has_text(header_find(&proxy->headers, "content-type"), "html") || has_text(proxy->body_head, "<html");
}

static bool is_block_page(const struct view *view, const struct tried *tried)
{
	const struct proxy_exchange *proxy = exchange(tried);
	if (!tried_failed(tried) || !proxy || !has_proxy_mark(proxy))
		return false;
	if (strcmp(proxy->method, "CONNECT") == 0)
		return (proxy->status >= 300 && proxy->status < 400) || (proxy->status == 200 && is_html(proxy));
	if (tried->broke != STAGE_HTTP || !tried->http || proxy->status < 200 || proxy->status >= 400)
		return false;
	const char *host = http_location_host(view, &tried->http->http);
	return view->target->expect.body || (host && !host_is_listed(view, host)) ||
	       (proxy->status < 300 && is_html(proxy));
}

/** A page of the proxy's own in place of the tunnel or of the answer. */
bool rule_prx_block_page(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_block_page", 0.85, is_block_page);
}

static bool is_method_refused(const struct view *view, const struct tried *tried)
{
	(void)view;
	const struct proxy_exchange *proxy = exchange(tried);
	bool by_socks =
		broke_at_proxy(tried) && tried->proxy->failure == FAILURE_SOCKS_REFUSED && proxy->socks_reply == 7;
	return by_socks || status_is(tried, 405) || status_is(tried, 501);
}

bool rule_prx_connect_not_allowed(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_connect_not_allowed", 0.85, is_method_refused);
}

static bool is_overloaded(const struct view *view, const struct tried *tried)
{
	(void)view;
	const struct proxy_exchange *proxy = exchange(tried);
	return status_is(tried, 429) || (status_is(tried, 503) && header_find(&proxy->headers, "retry-after"));
}

bool rule_prx_overloaded(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_overloaded", 0.85, is_overloaded);
}

static bool is_loop(const struct view *view, const struct tried *tried)
{
	(void)view;
	return status_is(tried, 508);
}

bool rule_prx_chain_loop(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_chain_loop", 0.8, is_loop);
}

/* ------------------------------------------------------------------ what is behind it */

static bool is_gateway_status(const struct tried *tried)
{
	return status_is(tried, 500) || status_is(tried, 502) || status_is(tried, 503) || status_is(tried, 504);
}

static bool is_dns_failure(const struct view *view, const struct tried *tried)
{
	static const char *const marks[] = {
		"dns", "resolve", "name or service not known", "host not found", "no such host", "unknown host", NULL};
	(void)view;
	const struct proxy_exchange *proxy = exchange(tried);
	return is_gateway_status(tried) &&
	       (has_text(squid_error(proxy), "ERR_DNS_FAIL") ||
		(!has_text(squid_error(proxy), "ERR_CONNECT_FAIL") && has_any(proxy->body_head, marks)));
}

/* Squid's answer to a CONNECT for which it found no address at all: without a word about names, and with no errno. */
static bool is_forwarding_failure(const struct view *view, const struct tried *tried)
{
	(void)view;
	return is_gateway_status(tried) && has_text(squid_error(exchange(tried)), "ERR_CANNOT_FORWARD 0");
}

/* Do the servers that this host asks fail to give an address for it, too? */
static bool name_is_denied_here(const struct view *view)
{
	struct dns_view dns;
	dns_view_make(view, view->target->host, &dns);
	return !dns_any(&dns, DNS_SAYS_ADDRESS) &&
	       (dns_any(&dns, DNS_SAYS_NXDOMAIN) || dns_any(&dns, DNS_SAYS_NODATA) ||
		dns_any(&dns, DNS_SAYS_SERVFAIL) || dns_any(&dns, DNS_SAYS_REFUSED));
}

/** The proxy says that it could not look the name up; or it knows no way to a name that nobody here can look up either. */
bool rule_prx_dns_failed(const struct view *view, struct verdict *out)
{
	if (!view->proxied)
		return false;
	if (verdict_if_any(view, out, "prx_dns_failed", 0.85, is_dns_failure))
		return true;
	return name_is_denied_here(view) && verdict_if_any(view, out, "prx_dns_failed", 0.6, is_forwarding_failure);
}

/* Squid writes the errno of its connect() behind the error's name; Linux: 110 timed out, 111 refused, 113 no route to host. */
static bool is_upstream_timeout(const struct view *view, const struct tried *tried)
{
	(void)view;
	const struct proxy_exchange *proxy = exchange(tried);
	bool by_socks =
		broke_at_proxy(tried) && tried->proxy->failure == FAILURE_SOCKS_REFUSED && proxy->socks_reply == 6;
	return by_socks || status_is(tried, 504) ||
	       (is_gateway_status(tried) &&
		(has_text(squid_error(proxy), "ERR_CONNECT_FAIL 110") || has_text(squid_error(proxy), "TIMEOUT") ||
		 has_text(proxy->body_head, "timed out")));
}

static bool is_unanswered(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_proxy(tried) && tried->proxy->failure == FAILURE_TIMEOUT && !exchange(tried)->auth_tried;
}

/* Did the same proxy answer anything else in this run, be it with a refusal? */
static bool proxy_answered_other(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		for (size_t k = 0; other != view && view_same_proxy(view, other) && k < other->tried_count; k++) {
			const struct observation *proxy = other->tried[k].proxy;
			if (proxy && proxy->failure != FAILURE_TIMEOUT && proxy->proxy.status != NOT_MEASURED)
				return true;
		}
	}
	return view_proxy_carried_other(view);
}

/** 504 or a time-out marker; or CONNECT unanswered while the same proxy answered another request of this run. */
bool rule_prx_upstream_timeout(const struct view *view, struct verdict *out)
{
	if (!view->proxied)
		return false;
	if (verdict_if_any(view, out, "prx_upstream_timeout", 0.85, is_upstream_timeout))
		return true;
	if (!proxy_answered_other(view))
		return false;
	if (!verdict_if_any(view, out, "prx_upstream_timeout", 0.7, is_unanswered))
		return false;
	verdict_add_not_run(view, out, "CONNECT to the address instead of the name");
	return true;
}

/** Nothing that this proxy was asked in this run was answered: overloaded, or no proxy at all. Nobody can know from here. */
bool rule_prx_silent(const struct view *view, struct verdict *out)
{
	if (!view->proxied || proxy_answered_other(view) ||
	    !verdict_if_any(view, out, "prx_overloaded", 0.4, is_unanswered))
		return false;
	verdict_add_not_run(view, out, "a request to the proxy itself");
	return true;
}

static bool is_upstream_refused(const struct view *view, const struct tried *tried)
{
	static const char *const marks[] = {"refused",		 "unreachable",	      "no route to host",
					    "unable to connect", "could not connect", NULL};
	(void)view;
	const struct proxy_exchange *proxy = exchange(tried);
	bool by_socks = broke_at_proxy(tried) && tried->proxy->failure == FAILURE_SOCKS_REFUSED &&
			proxy->socks_reply >= 3 && proxy->socks_reply <= 5;
	return by_socks || (is_gateway_status(tried) &&
			    (has_text(squid_error(proxy), "ERR_CONNECT_FAIL") || has_any(proxy->body_head, marks)));
}

static bool is_gateway_error(const struct view *view, const struct tried *tried)
{
	(void)view;
	bool by_socks = broke_at_proxy(tried) && tried->proxy->failure == FAILURE_SOCKS_REFUSED;
	return is_gateway_status(tried) || by_socks;
}

/** 502 or 503 with a mark of a refused or unreachable upstream; SOCKS replies 3 to 5. Without a mark: only suspected. */
bool rule_prx_upstream_refused(const struct view *view, struct verdict *out)
{
	if (!view->proxied)
		return false;
	if (verdict_if_any(view, out, "prx_upstream_refused", 0.85, is_upstream_refused))
		return true;
	if (!verdict_if_any(view, out, "prx_upstream_refused", 0.45, is_gateway_error))
		return false;
	verdict_add_not_run(view, out, "CONNECT to the address instead of the name");
	return true;
}

static bool is_other_status(const struct view *view, const struct tried *tried)
{
	(void)view;
	return broke_at_proxy(tried) && tried->proxy->failure == FAILURE_PROXY_STATUS;
}

/** Any other answer to CONNECT: it is no proxy for this, whatever it is. */
bool rule_prx_other_status(const struct view *view, struct verdict *out)
{
	return view->proxied && verdict_if_any(view, out, "prx_connect_not_allowed", 0.45, is_other_status);
}

/* ------------------------------------------------------------------ the tunnel */

static bool is_dead_tunnel(const struct view *view, const struct tried *tried)
{
	(void)view;
	if (!tried_failed(tried) || tried->broke != STAGE_TLS || !tried->proxy || !tried->tls)
		return false;
	const struct observation *tls = tried->tls;
	bool ended = tls->failure == FAILURE_TIMEOUT || tls->failure == FAILURE_CONNECTION_RESET ||
		     tls->failure == FAILURE_EOF;
	return tried->proxy->failure == FAILURE_NONE && ended && tls->tls.progress == TLS_HELLO_SENT &&
	       !tls->tls.plain_reply;
}

/* Another name through the same proxy that is not this target. */
static bool has_other_tunnel(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++)
		if (view_same_proxy(view, &view->all[i]) && view->all[i].target != view->target &&
		    view_broken_at(&view->all[i], STAGE_TLS))
			return true;
	return false;
}

/** 200 to CONNECT, then nothing or a reset on the hello, and no tunnel of this proxy ever carried a byte: with other names too, it is proven. */
bool rule_prx_tunnel_dead(const struct view *view, struct verdict *out)
{
	if (!view->proxied || view_proxy_carried_other(view))
		return false;
	bool others = has_other_tunnel(view);
	if (!verdict_if_any(view, out, "prx_tunnel_dead", others ? 0.85 : 0.55, is_dead_tunnel))
		return false;
	if (!others)
		verdict_add_not_run(view, out, "another SNI through the same proxy");
	return true;
}
