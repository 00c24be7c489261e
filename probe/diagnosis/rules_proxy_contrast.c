#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/diagnosis/proxy_contrasts.h"
#include "probe/diagnosis/proxy_reply.h"
#include "probe/diagnosis/rules.h"

/* Table P, where only a contrast at the same proxy proves the cause. */

static bool has_fault(const struct view *view, const struct tried *tried, const enum fault *faults, size_t count)
{
	enum fault fault = proxy_fault_of(view, tried);
	for (size_t i = 0; i < count; i++)
		if (fault == faults[i])
			return true;
	return false;
}

/* ------------------------------------------------------------------ TLS to the proxy */

/* What a port that waits for a ClientHello makes of a plain request: an alert, the end, 400, or nothing. */
static bool may_want_tls(const struct view *view, const struct tried *tried)
{
	static const enum fault symptoms[] = {FAULT_NOT_HTTP, FAULT_CLOSED, FAULT_UNANSWERED, FAULT_OTHER_STATUS,
					      FAULT_METHOD};
	if (!view->proxied || view->via.scheme != VIA_HTTP || !tried_failed(tried) || tried->elsewhere)
		return false;
	bool bad_request = tried->proxy && tried->proxy->proxy.status == 400;
	return bad_request || has_fault(view, tried, symptoms, sizeof(symptoms) / sizeof(symptoms[0]));
}

/** The plain request gets nothing of a proxy's; inside TLS the same port answers CONNECT, or at least shows a certificate. */
bool rule_prx_wants_tls(const struct view *view, struct verdict *out)
{
	enum inside_tls inside = proxy_contrast_inside_tls(view);
	bool proven = inside == INSIDE_TLS_PROXY;
	if ((!proven && inside != INSIDE_TLS_SPEAKS) ||
	    !verdict_if_any(view, out, "prx_wants_tls", proven ? 0.9 : 0.7, may_want_tls))
		return false;
	verdict_add_evidence(view, out, proxy_contrast_tls(view));
	verdict_add_evidence(view, out, proxy_contrast_reply(view, "proxy_tls"));
	if (!proven)
		verdict_add_not_run(view, out, "CONNECT inside TLS, as the proxy's certificate was not accepted");
	return true;
}

/* ------------------------------------------------------------------ ports */

static bool is_denied(const struct view *view, const struct tried *tried)
{
	return proxy_fault_of(view, tried) == FAULT_DENIED;
}

/* By the proxy's own word, not by what a server behind it may have said. */
static bool is_denied_by_proxy(const struct view *view)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (is_denied(view, &view->tried[i]) &&
		    proxy_mark_in_run(view, &view->tried[i].proxy->proxy) == MARK_OWN)
			return true;
	return false;
}

/* Names by the same proxy: how many were let out at this path's port, how many denied there, and how many let out at others. */
struct ports {
	size_t here, denied_here, elsewhere;
};

static struct ports ports_of(const struct view *view)
{
	struct ports ports = {0};
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		bool counts = view_same_proxy(view, other) && other->path->identity == view->path->identity;
		if (!counts)
			continue;
		bool same = other->target->port == view->target->port;
		ports.here += same && view_was_let_out(other);
		ports.denied_here += same && is_denied_by_proxy(other);
		ports.elsewhere += !same && view_was_let_out(other);
	}
	return ports;
}

/** Everything to this port is denied, and the same host passes at another one; without that contrast, several names at each are a hint. */
bool rule_prx_port_not_allowed(const struct view *view, struct verdict *out)
{
	enum other_port contrast = proxy_contrast_other_port(view);
	if (!is_denied_by_proxy(view) || contrast == OTHER_PORT_DENIED)
		return false;
	struct ports ports = ports_of(view);
	bool proven = contrast == OTHER_PORT_PASSES;
	if (ports.here || (!proven && (ports.denied_here < 2 || ports.elsewhere < 2)))
		return false;
	verdict_if_any(view, out, "prx_port_not_allowed", proven ? 0.9 : 0.6, is_denied);
	if (proven)
		verdict_add_evidence(view, out, proxy_contrast_reply(view, "proxy_other_port"));
	else
		verdict_add_not_run(view, out, "another port of the same host");
	return true;
}

/* ------------------------------------------------------------------ addresses */

static bool is_literal(const struct view *view)
{
	struct address address;
	return view->target->host && address_parse(view->target->host, &address);
}

/** An address is denied, and a name of the same address passes by the same proxy; other names are a hint. */
bool rule_prx_ip_literal_denied(const struct view *view, struct verdict *out)
{
	const struct view *by_name = NULL;
	bool same = false;
	if (!view->proxied || !is_literal(view) || !is_denied_by_proxy(view))
		return false;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (!view_same_proxy(view, other) || other->target->port != view->target->port ||
		    !view_was_let_out(other))
			continue;
		if (is_literal(other))
			return false;
		bool is_same = name_has_address(view->report, other->target->host, view->target->host);
		if (!by_name || (is_same && !same))
			by_name = other;
		same |= is_same;
	}
	if (!by_name)
		return false;
	verdict_if_any(view, out, "prx_ip_literal_denied", same ? 0.9 : 0.5, is_denied);
	for (size_t i = 0; i < by_name->tried_count; i++)
		verdict_add_evidence(view, out, by_name->tried[i].proxy);
	if (!same)
		verdict_add_not_run(view, out, "a name of the same address");
	return true;
}

/* A word about the name, or none about why. */
static bool is_about_the_name(const struct view *view, const struct tried *tried)
{
	static const enum fault faults[] = {FAULT_NO_NAME, FAULT_NAME_DOUBTFUL, FAULT_UPSTREAM_UNSAID,
					    FAULT_OTHER_STATUS};
	return has_fault(view, tried, faults, sizeof(faults) / sizeof(faults[0]));
}

static bool waited_in_vain(const struct view *view, const struct tried *tried)
{
	static const enum fault faults[] = {FAULT_UNANSWERED, FAULT_GATEWAY_TIMEOUT};
	return has_fault(view, tried, faults, sizeof(faults) / sizeof(faults[0]));
}

/* Of several addresses the proxy may have waited for another one, unless it does so for every name. */
static bool may_wait_for_another(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	if (!proxy_lets_names_out(view))
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_SYSTEM_LOOKUP && list->items[i]->lookup.addresses.count > 1 &&
		    text_equal(list->items[i]->lookup.name, view->target->host))
			return true;
	return false;
}

/** The proxy reaches the host by its address, and by its name it does not: it cannot look the name up. */
bool rule_prx_dns_failed_by_contrast(const struct view *view, struct verdict *out)
{
	if (proxy_contrast_by_address(view) != BY_ADDRESS_PASSES)
		return false;
	double confidence = may_wait_for_another(view) ? 0.5 : 0.85;
	if (!verdict_if_any(view, out, "prx_dns_failed", 0.9, is_about_the_name) &&
	    !verdict_if_any(view, out, "prx_dns_failed", confidence, waited_in_vain))
		return false;
	verdict_add_evidence(view, out, proxy_contrast_reply(view, "proxy_address"));
	return true;
}
