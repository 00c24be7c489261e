#include <string.h>
#include <strings.h>

#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/ladder_view.h"
#include "probe/diagnosis/proxy_contrasts.h"
#include "probe/diagnosis/proxy_fault.h"
#include "probe/diagnosis/proxy_reply.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/rules_tcp.h"

/*
 * Table P: the proxy at work. Every rule here abstains on direct paths. The reply to a CONNECT is the proxy's own word; the answer to a plain
 * GET is the proxy's only with its mark (RFC 9110 9.3.6, 7.6.3). proxy_fault_of() finds the one fault of an attempt; the rules name it.
 */

/* ------------------------------------------------------------------ reaching it */

static const struct observation *lookup_of(const struct view *view, const char *name)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_SYSTEM_LOOKUP && !observation_is_of_decision(list->items[i]) &&
		    list->items[i]->lookup.name && strcasecmp(list->items[i]->lookup.name, name) == 0)
			return list->items[i];
	return NULL;
}

/** The proxy's host name has no address: nothing could be tried. The table D cause goes to `also`. */
bool rule_prx_name_unresolvable(const struct view *view, struct verdict *out)
{
	if (!view->proxied || !view->name || view->broke != STAGE_DNS)
		return false;
	const struct observation *lookup = lookup_of(view, view->name);
	if (!lookup || lookup->failure == FAILURE_NONE || lookup->failure == FAILURE_DEADLINE ||
	    lookup->failure == FAILURE_INTERRUPTED)
		return false;
	verdict_set(view, out, "prx_name_unresolvable", 0.9);
	verdict_add_evidence(view, out, lookup);
	return true;
}

/* A sign-in that could not even connect again says nothing against the connection that was there a moment before. */
static bool broke_at_tcp(const struct view *view, const struct tried *tried)
{
	return view->proxied && tried_failed(tried) && tried->broke == STAGE_TCP && tried->tcp &&
	       !earlier_challenge(tried);
}

static bool is_refused(const struct view *view, const struct tried *tried)
{
	bool on_the_way = tried->way && tried->way->end == WAY_REFUSED_NEAR; /* in the proxy's name */
	return broke_at_tcp(view, tried) && tried->tcp->failure == FAILURE_CONNECTION_REFUSED && !on_the_way &&
	       (!tried->tcp->tcp.icmp.from || text_equal(tried->tcp->tcp.icmp.from, tried->attempt->address));
}

/* What this server itself refuses is table H's. */
static bool is_unreachable(const struct view *view, const struct tried *tried)
{
	if (!broke_at_tcp(view, tried) || is_refused(view, tried))
		return false;
	enum failure failure = tried->tcp->failure;
	return failure == FAILURE_TIMEOUT || failure == FAILURE_HOST_UNREACHABLE ||
	       failure == FAILURE_NETWORK_UNREACHABLE || failure == FAILURE_CONNECTION_REFUSED ||
	       failure == FAILURE_CONNECTION_RESET || failure == FAILURE_CONNECTION_ABORTED;
}

/** RST (or port unreachable) from the proxy's own address. */
bool rule_prx_refused(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "prx_refused", 0.85, is_refused);
}

/* The place where a walk to the proxy ends; true: it was walked. */
static bool place_by_walk(const struct view *view, struct verdict *out)
{
	bool walked = false;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct way *way = view->tried[i].way;
		if (!is_unreachable(view, &view->tried[i]) || !way)
			continue;
		walked |= way->walked;
		if (!way->has_place || out->has_place)
			continue;
		out->has_place = true;
		out->at = way->at;
		verdict_show_way(view, out, way);
	}
	return walked || out->has_place;
}

/** TCP to the proxy gets no answer, or an ICMP error from elsewhere: then that device has named itself. */
bool rule_prx_unreachable(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "prx_unreachable", 0.85, is_unreachable))
		return false;
	for (size_t i = 0; i < view->tried_count && !out->has_place; i++) {
		const struct tried *tried = &view->tried[i];
		if (!is_unreachable(view, tried) || !tried->tcp->tcp.icmp.from)
			continue;
		out->has_place = true;
		out->at = (struct place){.hop = NOT_MEASURED, .last_heard = tried->tcp->tcp.icmp.from};
	}
	if (!out->has_place && !place_by_walk(view, out))
		verdict_add_not_run(view, out, "path walk by TTL to the proxy");
	return true;
}

static const struct proxy_exchange *exchange(const struct tried *tried)
{
	return &tried->proxy->proxy;
}

/* ------------------------------------------------------------------ naming a fault */

/* A relayed answer may be the origin's own word: then nobody is sure. */
static bool is_own_word(const struct view *view, const struct tried *tried)
{
	return !tried->proxy || proxy_mark_in_run(view, exchange(tried)) == MARK_OWN;
}

/* Does an attempt have that fault? Then it is the cause; as sure as given, but where only Via speaks for the proxy at most 0.5. */
static bool say(const struct view *view, struct verdict *out, enum fault fault, const char *cause, double confidence)
{
	bool any = false, own = false;
	for (size_t i = 0; i < view->tried_count; i++) {
		if (proxy_fault_of(view, &view->tried[i]) != fault)
			continue;
		any = true;
		own |= is_own_word(view, &view->tried[i]);
		verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
		if (view->tried[i].broke == STAGE_HTTP || view->tried[i].broke == STAGE_TLS)
			verdict_add_evidence(view, out, view->tried[i].proxy);
	}
	if (!any)
		return false;
	if (!own)
		verdict_add_not_run(view, out, "the same request without the proxy");
	return verdict_set(view, out, cause, own || confidence < 0.5 ? confidence : 0.5);
}

/* ------------------------------------------------------------------ what it speaks */

/* Nobody has asked the same port in TLS. */
static void note_tls_not_run(const struct view *view, struct verdict *out)
{
	if (proxy_contrast_inside_tls(view) == INSIDE_TLS_UNKNOWN)
		verdict_add_not_run(view, out, "TLS to the proxy");
	else
		verdict_add_evidence(view, out, proxy_contrast_tls(view));
}

/** The first bytes are not HTTP: TLS, SOCKS, a banner: the setting names a port of something else. */
bool rule_prx_not_http(const struct view *view, struct verdict *out)
{
	if (!say(view, out, FAULT_NOT_HTTP, "prx_not_http", 0.9))
		return false;
	note_tls_not_run(view, out);
	return true;
}

/** It begins like a reply, and is none. What answers SOCKS with HTTP is no SOCKS server; whether it is a proxy nobody has asked. */
bool rule_prx_reply_malformed(const struct view *view, struct verdict *out)
{
	if (say(view, out, FAULT_MALFORMED, "prx_reply_malformed", 0.85))
		return true;
	if (!say(view, out, FAULT_OTHER_PROTOCOL, "prx_reply_malformed", 0.5))
		return false;
	verdict_add_not_run(view, out, "the same port as an HTTP proxy");
	return true;
}

/** FIN or RST after the request, no status line. */
bool rule_prx_closes_silently(const struct view *view, struct verdict *out)
{
	if (!say(view, out, FAULT_CLOSED, "prx_closes_silently", 0.85))
		return false;
	if (view->via.scheme == VIA_HTTP)
		note_tls_not_run(view, out);
	return true;
}

/* ------------------------------------------------------------------ signing in */

bool rule_prx_auth_scheme_unusable(const struct view *view, struct verdict *out)
{
	return say(view, out, FAULT_SCHEME_UNUSABLE, "prx_auth_scheme_unusable", 0.85);
}

/** A whole exchange of credentials, and 407 again. */
bool rule_prx_auth_rejected(const struct view *view, struct verdict *out)
{
	return say(view, out, FAULT_REJECTED, "prx_auth_rejected", 0.9);
}

/** 407, and no credential was at hand (or the ticket for it could not be had). */
bool rule_prx_auth_none_sent(const struct view *view, struct verdict *out)
{
	if (!say(view, out, FAULT_SIGN_IN, "prx_auth_none_sent", 0.9))
		return false;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (proxy_fault_of(view, tried) != FAULT_SIGN_IN)
			continue;
		verdict_add_evidence(view, out, earlier_challenge(tried));
		if (tried->proxy && text_equal(exchange(tried)->auth_tried, "negotiate"))
			verdict_add_also(view, out, "prx_auth_kerberos_unavailable");
	}
	return true;
}

/* ------------------------------------------------------------------ its refusals */

/** 403 to CONNECT, or to a GET with the proxy's mark; SOCKS reply 2, "not allowed by ruleset" (RFC 1928 6). */
bool rule_prx_acl_denied(const struct view *view, struct verdict *out)
{
	return say(view, out, FAULT_DENIED, "prx_acl_denied", 0.9);
}

/** A page of the proxy's own in place of the tunnel or of the answer. */
bool rule_prx_block_page(const struct view *view, struct verdict *out)
{
	return say(view, out, FAULT_BLOCK_PAGE, "prx_block_page", 0.85);
}

bool rule_prx_connect_not_allowed(const struct view *view, struct verdict *out)
{
	return say(view, out, FAULT_METHOD, "prx_connect_not_allowed", 0.85);
}

bool rule_prx_overloaded(const struct view *view, struct verdict *out)
{
	return say(view, out, FAULT_OVERLOADED, "prx_overloaded", 0.85);
}

bool rule_prx_chain_loop(const struct view *view, struct verdict *out)
{
	return say(view, out, FAULT_LOOP, "prx_chain_loop", 0.8);
}

/** Any other answer to CONNECT: it is no proxy for this, whatever it is. */
bool rule_prx_other_status(const struct view *view, struct verdict *out)
{
	if (!say(view, out, FAULT_OTHER_STATUS, "prx_connect_not_allowed", 0.45))
		return false;
	note_tls_not_run(view, out);
	return true;
}

/* ------------------------------------------------------------------ what is behind it */

/* Was the address tried instead of the name? Then it failed too, or another rule has spoken. */
static void note_address_not_run(const struct view *view, struct verdict *out)
{
	if (proxy_contrast_by_address(view) == BY_ADDRESS_UNKNOWN)
		verdict_add_not_run(view, out, "CONNECT to the address instead of the name");
	else
		verdict_add_evidence(view, out, proxy_contrast_reply(view, "proxy_address"));
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

/** The proxy says that it could not look the name up; or it has no way to a name that nobody here can look up either. */
bool rule_prx_dns_failed(const struct view *view, struct verdict *out)
{
	if (say(view, out, FAULT_NO_NAME, "prx_dns_failed", 0.85))
		return true;
	if (proxy_contrast_by_address(view) == BY_ADDRESS_FAILS ||
	    !say(view, out, FAULT_NAME_DOUBTFUL, "prx_dns_failed", name_is_denied_here(view) ? 0.6 : 0.45))
		return false;
	note_address_not_run(view, out);
	return true;
}

/* What the proxy said to the request that was for itself (experiment "proxy_control"); NULL: it was not asked. */
static const struct observation *control_request(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	const struct observation *last = NULL;
	for (size_t i = 0; i < list->count; i++)
		if (text_equal(list->items[i]->experiment, "proxy_control") &&
		    path_list_has(&list->items[i]->paths, view->path))
			last = list->items[i];
	return last;
}

static bool control_was_answered(const struct view *view)
{
	const struct observation *control = control_request(view);
	return control && control->op == OP_HTTP_EXCHANGE && control->failure != FAILURE_TIMEOUT;
}

/* Did the same proxy answer anything else in this run, be it with a refusal? */
static bool proxy_answered_other(const struct view *view)
{
	if (control_was_answered(view))
		return true;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		for (size_t k = 0; other != view && view_same_proxy(view, other) && k < other->tried_count; k++) {
			const struct observation *proxy = other->tried[k].elsewhere ? NULL : other->tried[k].proxy;
			if (proxy && (proxy->failure == FAILURE_NONE || proxy->failure == FAILURE_PROXY_STATUS ||
				      proxy->failure == FAILURE_SOCKS_REFUSED))
				return true;
		}
	}
	return false;
}

/** A marker of it, or 504; or CONNECT unanswered while the same proxy answered another request of this run. */
bool rule_prx_upstream_timeout(const struct view *view, struct verdict *out)
{
	if (say(view, out, FAULT_UPSTREAM_TIMED_OUT, "prx_upstream_timeout", 0.85))
		return true;
	bool said = say(view, out, FAULT_GATEWAY_TIMEOUT, "prx_upstream_timeout", 0.7);
	if (!said && (!proxy_answered_other(view) || !say(view, out, FAULT_UNANSWERED, "prx_upstream_timeout", 0.7)))
		return false;
	if (!said && control_was_answered(view))
		verdict_add_evidence(view, out, control_request(view));
	note_address_not_run(view, out);
	return true;
}

/** Nothing that this proxy was asked in this run was answered, not even what needs no upstream: overloaded, or no proxy at all. */
bool rule_prx_silent(const struct view *view, struct verdict *out)
{
	const struct observation *control = control_request(view);
	if (proxy_answered_other(view) || !say(view, out, FAULT_UNANSWERED, "prx_overloaded", control ? 0.5 : 0.4))
		return false;
	if (control)
		verdict_add_evidence(view, out, control);
	else
		verdict_add_not_run(view, out, "a request to the proxy itself");
	note_tls_not_run(view, out);
	return true;
}

/** A mark of a refused or unreachable upstream; SOCKS replies 3 to 5. */
bool rule_prx_upstream_refused(const struct view *view, struct verdict *out)
{
	return say(view, out, FAULT_UPSTREAM_REFUSED, "prx_upstream_refused", 0.85);
}

/** The gateway failed, and does not say how: only suspected. */
bool rule_prx_gateway_error(const struct view *view, struct verdict *out)
{
	bool address_fails = proxy_contrast_by_address(view) == BY_ADDRESS_FAILS;
	bool unsaid = say(view, out, FAULT_UPSTREAM_UNSAID, "prx_upstream_refused", address_fails ? 0.6 : 0.45);
	if (!unsaid && !(address_fails && say(view, out, FAULT_NAME_DOUBTFUL, "prx_upstream_refused", 0.6)))
		return false;
	note_address_not_run(view, out);
	return true;
}

/* ------------------------------------------------------------------ the tunnel */

/* What tunnels through that address of the proxy did for the other names of this run. */
struct tunnels {
	bool carried; /* some brought bytes from beyond, for whatever name */
	bool dead;    /* another name's ended like this one */
};

/* The handshake with another target through that address of the proxy (experiment "proxy_other_target"). */
static const struct observation *other_tunnel(const struct view *view, const char *address)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = list->count; i-- > 0;) {
		const struct observation *one = list->items[i];
		if (one->op == OP_TLS_HANDSHAKE && text_equal(one->experiment, "proxy_other_target") &&
		    text_equal(one->tls.peer, "target") && text_equal(one->tls.tuple.dst, address) &&
		    one->tls.tuple.dst_port == view->via.port)
			return one;
	}
	return NULL;
}

static struct tunnels tunnels_by(const struct view *view, const char *address)
{
	struct tunnels found = {0};
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		for (size_t k = 0; view_same_proxy(view, other) && k < other->tried_count; k++) {
			const struct tried *tried = &other->tried[k];
			if (!tried->tls || tried->elsewhere || !text_equal(tried->attempt->address, address))
				continue;
			bool other_name = !text_equal(other->target->host, view->target->host);
			found.dead |= other_name && proxy_fault_of(other, tried) == FAULT_TUNNEL_DEAD;
			found.carried |= !tunnel_is_dead(tried->tls) && !tried->cut;
		}
	}
	const struct observation *contrast = other_tunnel(view, address);
	found.dead |= contrast && tunnel_is_dead(contrast);
	found.carried |= contrast && !tunnel_is_dead(contrast) && contrast->failure != FAILURE_DEADLINE &&
			 contrast->failure != FAILURE_INTERRUPTED;
	return found;
}

/* Without the proxy the same hello dies the same death: then it is not the tunnel. */
static bool dies_directly_too(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		for (size_t k = 0; other->target == view->target && !other->proxied && k < other->tried_count; k++)
			if (tried_failed(&other->tried[k]) && other->tried[k].tls &&
			    tunnel_is_dead(other->tried[k].tls))
				return true;
	}
	return false;
}

/** 200 to CONNECT, then nothing or a reset on the hello, and no tunnel by this address of the proxy ever carried a byte: with other names
 *  too, it is proven. */
bool rule_prx_tunnel_dead(const struct view *view, struct verdict *out)
{
	bool any = false, others = false;
	for (size_t i = 0; i < view->tried_count; i++) {
		if (proxy_fault_of(view, &view->tried[i]) != FAULT_TUNNEL_DEAD)
			continue;
		struct tunnels found = tunnels_by(view, view->tried[i].attempt->address);
		struct ladder ladder;
		ladder_make(view, &view->tried[i], &ladder);
		bool carried =
			found.carried || ladder.other_name.end == RUNG_PASSED || ladder.no_sni.end == RUNG_PASSED;
		any |= !carried;
		others |= !carried && (found.dead || rung_failed(&ladder.other_name));
	}
	if (!any || dies_directly_too(view) ||
	    !say(view, out, FAULT_TUNNEL_DEAD, "prx_tunnel_dead", others ? 0.85 : 0.55))
		return false;
	if (!others)
		verdict_add_not_run(view, out, "another SNI through the same proxy");
	return true;
}
