#include "probe/diagnosis/proxy_contrasts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/diagnosis/proxy_reply.h"

static bool is_at_proxy(const struct view *view, const struct observation *one)
{
	const char *proxy = host_port_text(view->report->arena, view->via.host, view->via.port);
	return one->op == OP_PROXY_EXCHANGE && one->proxy.proxy && strcasecmp(one->proxy.proxy, proxy) == 0;
}

const struct observation *proxy_contrast_reply(const struct view *view, const char *experiment)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = list->count; view->proxied && i-- > 0;)
		if (text_equal(list->items[i]->experiment, experiment) && is_at_proxy(view, list->items[i]))
			return list->items[i];
	return NULL;
}

/* ------------------------------------------------------------------ TLS */

static bool is_tried_address(const struct view *view, const struct tuple *tuple)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (!view->tried[i].elsewhere && text_equal(view->tried[i].attempt->address, tuple->dst))
			return tuple->dst_port == view->via.port;
	return false;
}

const struct observation *proxy_contrast_tls(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = list->count; view->proxied && i-- > 0;) {
		const struct observation *one = list->items[i];
		if (one->op == OP_TLS_HANDSHAKE && text_equal(one->experiment, "proxy_tls") &&
		    text_equal(one->tls.peer, "proxy") && is_tried_address(view, &one->tls.tuple))
			return one;
	}
	return NULL;
}

enum inside_tls proxy_contrast_inside_tls(const struct view *view)
{
	const struct observation *tls = proxy_contrast_tls(view);
	const struct observation *reply = proxy_contrast_reply(view, "proxy_tls");
	if (!tls)
		return INSIDE_TLS_UNKNOWN;
	if (tls->tls.progress < TLS_SERVER_HELLO)
		return INSIDE_TLS_NOTHING;
	if (!reply || reply->proxy.status == NOT_MEASURED)
		return INSIDE_TLS_SPEAKS;
	int status = reply->proxy.status;
	bool by_proxy = status / 100 == 2 || status == 403 || status == 407 || (status >= 502 && status <= 504);
	return by_proxy ? INSIDE_TLS_PROXY : INSIDE_TLS_OTHER;
}

/* ------------------------------------------------------------------ names and addresses */

bool name_has_address(const struct report *report, const char *name, const char *address)
{
	for (size_t i = 0; name && i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_SYSTEM_LOOKUP && one->lookup.name && strcasecmp(one->lookup.name, name) == 0 &&
		    text_list_has(&one->lookup.addresses, address))
			return true;
		if (one->op != OP_DNS_QUERY || !one->dns.name || strcasecmp(one->dns.name, name) != 0)
			continue;
		for (size_t k = 0; k < one->dns.answer_count; k++)
			if (text_equal(one->dns.answers[k].data, address))
				return true;
	}
	return false;
}

bool view_has_fault(const struct view *view, enum fault fault)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (proxy_fault_of(view, &view->tried[i]) == fault)
			return true;
	return false;
}

static enum fault first_fault(const struct view *view)
{
	enum fault fault = FAULT_NONE;
	for (size_t i = 0; i < view->tried_count && fault == FAULT_NONE; i++)
		fault = proxy_fault_of(view, &view->tried[i]);
	return fault;
}

/* What a request was for: "host:port", or a URL. */
static bool request_parse(const struct view *view, const char *request, struct url *out)
{
	struct arena *arena = view->report->arena;
	bool is_url = request && strstr(request, "://");
	return request && url_parse(arena, is_url ? request : arena_printf(arena, "http://%s/", request), out);
}

/* Azure's own, which no proxy sends. */
static bool is_services(const struct proxy_exchange *proxy)
{
	for (size_t i = 0; i < proxy->headers.count; i++)
		if (strncasecmp(proxy->headers.items[i].name, "x-ms-", strlen("x-ms-")) == 0)
			return true;
	return false;
}

/* The answer to a GET: a redirect to a host that nobody knows may be the service's or lead to a page of the proxy's. */
static enum other_port get_was(const struct view *view, const struct proxy_exchange *proxy)
{
	struct url url;
	const char *location = header_find(&proxy->headers, "location");
	bool leads_away = location && url_parse(view->report->arena, location, &url) && !host_is_listed(view, url.host);
	if (is_services(proxy))
		return OTHER_PORT_PASSES;
	if (leads_away)
		return OTHER_PORT_UNKNOWN;
	bool refused = proxy->status == 400 || proxy->status == 403 || proxy->status == 405 || proxy->status == 451 ||
		       proxy->status == 501;
	return refused ? OTHER_PORT_DENIED : OTHER_PORT_PASSES;
}

/* Let through, or refused? One that fails behind the proxy was let through. */
static enum other_port reply_was(const struct view *view, const struct observation *reply)
{
	const struct proxy_exchange *proxy = &reply->proxy;
	bool failed_behind = proxy->status >= 502 && proxy->status <= 504;
	if (reply->failure == FAILURE_NONE && proxy_method_is(proxy, "GET") && !failed_behind)
		return get_was(view, proxy);
	if (reply->failure == FAILURE_SOCKS_REFUSED)
		failed_behind = proxy->socks_reply >= 3 && proxy->socks_reply <= 6;
	else if (reply->failure != FAILURE_NONE && reply->failure != FAILURE_PROXY_STATUS)
		return OTHER_PORT_UNKNOWN;
	return reply->failure == FAILURE_NONE || failed_behind ? OTHER_PORT_PASSES : OTHER_PORT_DENIED;
}

bool view_was_let_out(const struct view *view)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		bool tunnel = tried->proxy && tried->proxy->failure == FAILURE_NONE &&
			      !proxy_method_is(&tried->proxy->proxy, "GET");
		if (!tried->elsewhere && tried->proxy && (tunnel || tried->broke == STAGE_NONE))
			return true;
	}
	return false;
}

bool proxy_lets_names_out(const struct view *view)
{
	struct address literal;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (view_same_proxy(view, other) && view_was_let_out(other) && other->target->host &&
		    !address_parse(other->target->host, &literal))
			return true;
	}
	return false;
}

/* Of this path's own name; or of another's that failed alike, where the proxy gets nowhere by any name. */
static bool address_counts(const struct view *view, enum fault fault, const char *address)
{
	if (name_has_address(view->report, view->target->host, address))
		return true;
	for (size_t i = 0; !proxy_lets_names_out(view) && i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (view_same_proxy(view, other) && first_fault(other) == fault &&
		    name_has_address(view->report, other->target->host, address))
			return true;
	}
	return false;
}

enum by_address proxy_contrast_by_address(const struct view *view)
{
	const struct observation *reply = proxy_contrast_reply(view, "proxy_address");
	enum fault fault = first_fault(view);
	struct url url;
	if (!reply || fault == FAULT_NONE || !request_parse(view, reply->proxy.request, &url))
		return BY_ADDRESS_UNKNOWN;
	bool is_no = reply->failure == FAILURE_PROXY_STATUS && reply->proxy.status < 500;
	if (!address_counts(view, fault, url.host) || is_no || reply->failure == FAILURE_DEADLINE ||
	    reply->failure == FAILURE_INTERRUPTED)
		return BY_ADDRESS_UNKNOWN;
	return reply->failure == FAILURE_NONE ? BY_ADDRESS_PASSES : BY_ADDRESS_FAILS;
}

/* ------------------------------------------------------------------ ports */

enum other_port proxy_contrast_other_port(const struct view *view)
{
	const struct observation *reply = proxy_contrast_reply(view, "proxy_other_port");
	struct url url;
	if (!reply || !request_parse(view, reply->proxy.request, &url) || url.port == view->target->port)
		return OTHER_PORT_UNKNOWN;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (!view_same_proxy(view, other) || other->target->port != view->target->port ||
		    !other->target->host || strcasecmp(other->target->host, url.host) != 0 ||
		    !view_has_fault(other, FAULT_DENIED))
			continue;
		return reply_was(view, reply);
	}
	return OTHER_PORT_UNKNOWN;
}
