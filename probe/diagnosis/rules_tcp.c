/* Tables R and T: what happens to a SYN, and to a connection on which nothing has been said yet. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/icmp_words.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/rules_tcp.h"

static const struct icmp_error *icmp_of(const struct tried *tried)
{
	return tried->broke == STAGE_TCP && tried->tcp && tried->tcp->tcp.icmp.from ? &tried->tcp->tcp.icmp : NULL;
}

/* An error of this machine's own is no device's word. */
static bool is_own_word(const struct view *view, const struct tuple *tuple, const struct icmp_error *icmp)
{
	return icmp->from && (address_is_own(view->report, icmp->from) || text_equal(tuple->src, icmp->from));
}

static bool is_prohibited(const struct view *view, const struct tried *tried)
{
	const struct icmp_error *icmp = icmp_of(tried);
	return icmp && !is_own_word(view, &tried->tcp->tcp.tuple, icmp) &&
	       icmp_says_prohibited(&tried->tcp->tcp.tuple, icmp);
}

static bool is_no_route(const struct view *view, const struct tried *tried)
{
	const struct icmp_error *icmp = icmp_of(tried);
	return icmp && !is_own_word(view, &tried->tcp->tcp.tuple, icmp) &&
	       icmp_says_no_route(&tried->tcp->tcp.tuple, icmp);
}

static bool is_expired(const struct view *view, const struct tried *tried)
{
	const struct icmp_error *icmp = icmp_of(tried);
	(void)view;
	return icmp && icmp_says_expired(&tried->tcp->tcp.tuple, icmp);
}

static void set_at(const struct view *view, struct verdict *out, const struct icmp_error *icmp)
{
	out->has_place = true;
	out->at = (struct place){.hop = hop_of_address(view->report, icmp->from), .last_heard = icmp->from};
}

/* The device that sent the ICMP error named itself: by its IPv4 address, if it has said so by that too, so that names with and without
 * IPv6 addresses name the same device. */
static void set_place(const struct view *view, struct verdict *out, tried_is is)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		const struct icmp_error *icmp = icmp_of(tried);
		if (!icmp || !tried_failed(tried) || !is(view, tried))
			continue;
		if (!out->has_place || (text_is_ipv6(out->at.last_heard) && !text_is_ipv6(icmp->from)))
			set_at(view, out, icmp);
	}
}

/* Without a name server that answers there is no address to try: then what devices say of the questions counts. */
static bool questions_end_so(const struct view *view, struct verdict *out, const char *cause,
			     bool (*says)(const struct tuple *tuple, const struct icmp_error *icmp))
{
	struct dns_view dns;
	const char *name = dns_broken_name(view);
	dns_view_make(view, name, &dns);
	for (size_t i = 0; i < dns.count; i++)
		if (!dns.servers[i].control && dns_answered(dns.servers[i].outcome))
			return false;
	bool found = false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct observation *shown = dns.servers[i].shown;
		if (dns.servers[i].control || dns.servers[i].outcome != DNS_UNREACHABLE || !shown->dns.icmp.from ||
		    is_own_word(view, &shown->dns.tuple, &shown->dns.icmp) ||
		    !says(&shown->dns.tuple, &shown->dns.icmp))
			continue;
		if (!found)
			verdict_set(view, out, cause, 0.95);
		if (!found)
			set_at(view, out, &shown->dns.icmp);
		found = true;
		verdict_add_evidence(view, out, shown);
	}
	return found;
}

bool rule_ip_admin_prohibited(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "ip_admin_prohibited", 0.95, is_prohibited))
		return questions_end_so(view, out, "ip_admin_prohibited", icmp_says_prohibited);
	set_place(view, out, is_prohibited);
	return true;
}

bool rule_ip_no_route_from_router(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "ip_no_route_from_router", 0.95, is_no_route))
		return questions_end_so(view, out, "ip_no_route_from_router", icmp_says_no_route);
	set_place(view, out, is_no_route);
	return true;
}

static bool is_loop(const struct view *view, const struct tried *tried)
{
	return tried->broke == STAGE_TCP && (is_expired(view, tried) || tcp_is_silent(view, tried));
}

/* A walk that shows the hops of the circle, or a request that came back because its life was over: no way is that long. */
bool rule_ip_forwarding_loop(const struct view *view, struct verdict *out)
{
	if (verdict_by_way(view, out, "ip_forwarding_loop", WAY_LOOPS, is_loop))
		return true;
	if (!verdict_if_any(view, out, "ip_forwarding_loop", 0.7, is_expired)) {
		if (!questions_end_so(view, out, "ip_forwarding_loop", icmp_says_expired))
			return false;
		out->confidence = 0.7;
	} else {
		set_place(view, out, is_expired);
	}
	verdict_add_not_run(view, out, "path walk by TTL");
	return true;
}

/* ------------------------------------------------------------------ without a device that named itself */

/* An ICMP error that says neither "no route" nor "forbidden": port or protocol unreachable, or a host that denies itself. */
static bool is_other_refusal(const struct view *view, const struct tried *tried)
{
	const struct icmp_error *icmp = icmp_of(tried);
	return icmp && icmp_says_unreachable(&tried->tcp->tcp.tuple, icmp) &&
	       tried->attempt->failure != FAILURE_TIMEOUT && !is_prohibited(view, tried) && !is_no_route(view, tried);
}

bool tcp_is_refused(const struct view *view, const struct tried *tried)
{
	const struct icmp_error *icmp = icmp_of(tried);
	if (tried->broke != STAGE_TCP || (icmp && is_own_word(view, &tried->tcp->tcp.tuple, icmp)))
		return false;
	return tried->attempt->failure == FAILURE_CONNECTION_REFUSED ||
	       tried->attempt->failure == FAILURE_CONNECTION_RESET || is_other_refusal(view, tried);
}

bool tcp_is_silent(const struct view *view, const struct tried *tried)
{
	bool held_back = tried->tcp && tried->tcp->tcp.has_tcp_info && tried->tcp->tcp.tcp_info.held_back > 0;
	return tried->broke == STAGE_TCP && tried->attempt->failure == FAILURE_TIMEOUT && !held_back &&
	       view->target->kind != TARGET_CIDR;
}

/* "Port unreachable" from another address than the target's: what packet filters say by default, in their own name. */
static bool is_refused_aloud(const struct view *view, const struct tried *tried)
{
	const struct icmp_error *icmp = icmp_of(tried);
	return icmp && tcp_is_refused(view, tried) && icmp_says_port_unreachable(&tried->tcp->tcp.tuple, icmp) &&
	       !text_equal(icmp->from, tried->tcp->tcp.tuple.dst);
}

bool rule_tcp_refused_by_middlebox(const struct view *view, struct verdict *out)
{
	if (verdict_by_way(view, out, "tcp_refused_by_middlebox", WAY_REFUSED_NEAR, tcp_is_refused))
		return true;
	if (!verdict_if_any(view, out, "tcp_refused_by_middlebox", 0.9, is_refused_aloud))
		return false;
	set_place(view, out, is_refused_aloud);
	return true;
}

/* Localised beats unlocalised: nothing of the kind has a place. */
static bool is_unlocated(const struct view *view, struct verdict *out, const char *cause, tried_is is)
{
	const struct way *way = NULL;
	for (size_t i = 0; i < view->tried_count; i++) {
		if (!tried_failed(&view->tried[i]) || !is(view, &view->tried[i]))
			continue;
		if (way_is_known(&view->tried[i]))
			return false;
		if (!way || !way->walked)
			way = view->tried[i].way;
	}
	if (!verdict_if_any(view, out, cause, 0.5, is))
		return false;
	if (way && way->walked)
		verdict_show_way(view, out, way);
	else
		verdict_add_not_run(view, out, "path walk by TTL");
	if (!way || !way->walked)
		verdict_add_not_run(view, out, "same address on another port");
	return true;
}

static bool is_refused_by_nobody_known(const struct view *view, const struct tried *tried)
{
	return tcp_is_refused(view, tried) && !is_refused_aloud(view, tried);
}

bool rule_tcp_refused_unlocated(const struct view *view, struct verdict *out)
{
	if (!is_unlocated(view, out, "tcp_refused_unlocated", is_refused_by_nobody_known))
		return false;
	set_place(view, out, is_refused_by_nobody_known);
	return true;
}

bool rule_tcp_syn_silent_unlocated(const struct view *view, struct verdict *out)
{
	return is_unlocated(view, out, "tcp_syn_silent_unlocated", tcp_is_silent);
}

/* What got through from another port of ours is no block of an address. */
static bool is_address_block(const struct view *view, const struct tried *tried)
{
	return (tcp_is_refused(view, tried) || tcp_is_silent(view, tried)) && !way_ends(tried, WAY_FLAPS);
}

/* The place, if all failing addresses with a known one end there. */
static void place_address_block(const struct view *view, struct verdict *out)
{
	const struct way *first = NULL;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct way *way = view->tried[i].way;
		if (!tried_failed(&view->tried[i]) || !is_address_block(view, &view->tried[i]) || !way ||
		    !way->has_place)
			continue;
		if (first && !text_equal(first->at.last_heard, way->at.last_heard))
			return;
		first = first ? first : way;
	}
	if (!first)
		return;
	out->has_place = true;
	out->at = first->at;
	out->confidence = 0.9;
	verdict_show_way(view, out, first);
}

bool rule_tcp_partial_address_block(const struct view *view, struct verdict *out)
{
	if (!view->works || !verdict_if_any(view, out, "tcp_partial_address_block", 0.8, is_address_block))
		return false;
	for (size_t i = 0; i < view->tried_count; i++)
		if (view->tried[i].judged && view->tried[i].broke == STAGE_NONE)
			verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
	place_address_block(view, out);
	if (out->has_place)
		return true;
	verdict_add_not_run(view, out, "path walk by TTL");
	verdict_add_not_run(view, out, "same address on another port");
	verdict_add_not_run(view, out, "the failing addresses a second time");
	return true;
}

/* ------------------------------------------------------------------ connected, and closed unasked */

static bool is_bare(const struct tried *tried, enum failure failure)
{
	return tried->broke > STAGE_TCP && tried->bare && tried->bare->failure == failure;
}

static bool is_bare_fin(const struct view *view, const struct tried *tried)
{
	(void)view;
	return is_bare(tried, FAILURE_EOF);
}

static bool is_bare_reset(const struct view *view, const struct tried *tried)
{
	(void)view;
	return is_bare(tried, FAILURE_CONNECTION_RESET);
}

static bool add_bare(const struct view *view, struct verdict *out, enum failure failure)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && is_bare(&view->tried[i], failure))
			verdict_add_evidence(view, out, view->tried[i].bare);
	return true;
}

bool rule_tcp_fin_on_accept(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tcp_fin_on_accept", 0.8, is_bare_fin) && add_bare(view, out, FAILURE_EOF);
}

bool rule_tcp_reset_idle_established(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "tcp_reset_idle_established", 0.8, is_bare_reset) &&
	       add_bare(view, out, FAILURE_CONNECTION_RESET);
}

/* ------------------------------------------------------------------ port 80 against 443 */

/* Do both break the same way: rejected by a device that says so (IPv4 and IPv6 then fail by different errors), or by the same failure? */
static bool breaks_alike(const struct view *view, const struct view *other)
{
	const struct tried *one = view_broken_at(view, STAGE_TCP), *two = view_broken_at(other, STAGE_TCP);
	if (!one || !two || !icmp_of(one) != !icmp_of(two))
		return false;
	return icmp_of(one) || one->attempt->failure == two->attempt->failure;
}

/* Does some 443 address of the same IP version work? What is open by IPv6 alone says nothing of a port that was tried by IPv4. */
static bool works_by_same_version(const struct view *view, const struct view *other)
{
	const struct tried *broken = view_broken_at(view, STAGE_TCP);
	for (size_t i = 0; broken && i < other->tried_count; i++) {
		const struct tried *tried = &other->tried[i];
		if (tried->judged && !tried->cut && tried->broke == STAGE_NONE &&
		    text_is_ipv6(tried->attempt->address) == text_is_ipv6(broken->attempt->address))
			return true;
	}
	return false;
}

/* Was it a device or a silence on the way that ended it, not this machine? */
static bool ends_on_the_way(const struct view *view)
{
	const struct tried *broken = view->broke == STAGE_TCP ? view_broken_at(view, STAGE_TCP) : NULL;
	return broken && (tcp_is_refused(view, broken) || tcp_is_silent(view, broken) || is_prohibited(view, broken) ||
			  is_no_route(view, broken) || is_expired(view, broken));
}

static bool goes_alike(const struct view *view, const struct view *other)
{
	return !other->proxied && other->path->identity == view->path->identity &&
	       other->path->route.kind == view->path->route.kind && other->target->kind != TARGET_CIDR;
}

bool rule_http_port80_only_blocked(const struct view *view, struct verdict *out)
{
	size_t on_80 = 0;
	const struct view *passes = NULL;
	if (view->proxied || view->target->port != 80 || !ends_on_the_way(view) || view->works)
		return false;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (!goes_alike(view, other))
			continue;
		if (other->target->port == 443 && other->works && !passes && works_by_same_version(view, other))
			passes = other;
		if (other->target->port != 80 || other->broke == STAGE_DNS)
			continue;
		if (other->works || !breaks_alike(view, other))
			return false;
		on_80++;
	}
	if (!passes)
		return false;
	verdict_set(view, out, "http_port80_only_blocked", on_80 > 1 ? 0.85 : 0.5);
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]))
			verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
	verdict_add_evidence(view, out, tried_ended_by(&passes->tried[0]));
	return true;
}
