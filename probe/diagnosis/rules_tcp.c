/* Tables R and T: what happens to a SYN, and to a connection on which nothing has been said yet. */

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/diagnosis/rules.h"

/* RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1. */
enum {
	ICMP4_UNREACHABLE = 3,
	ICMP4_NET = 0,
	ICMP4_HOST = 1,
	ICMP4_NET_PROHIBITED = 9,
	ICMP4_HOST_PROHIBITED = 10,
	ICMP4_FILTERED = 13,
	ICMP6_UNREACHABLE = 1,
	ICMP6_NO_ROUTE = 0,
	ICMP6_PROHIBITED = 1,
	ICMP6_ADDRESS = 3,
	ICMP6_SOURCE_POLICY = 5,
	ICMP6_REJECT_ROUTE = 6
};

static const struct icmp_error *icmp_of(const struct tried *tried)
{
	return tried->broke == STAGE_TCP && tried->tcp && tried->tcp->tcp.icmp.from ? &tried->tcp->tcp.icmp : NULL;
}

static bool is_ipv6(const char *text)
{
	struct address address;
	return address_parse(text, &address) && address.family == 6;
}

static bool is_own_address(const struct view *view, const struct tried *tried, const char *address)
{
	const struct text_list *own = &view->report->host.addresses;
	for (size_t i = 0; i < own->count; i++)
		if (text_equal(own->items[i], address))
			return true;
	return text_equal(tried->tcp->tcp.tuple.src, address);
}

static bool is_prohibited(const struct view *view, const struct tried *tried)
{
	const struct icmp_error *icmp = icmp_of(tried);
	(void)view;
	if (!icmp)
		return false;
	if (is_ipv6(tried->attempt->address))
		return icmp->type == ICMP6_UNREACHABLE &&
		       (icmp->code == ICMP6_PROHIBITED || icmp->code == ICMP6_SOURCE_POLICY ||
			icmp->code == ICMP6_REJECT_ROUTE);
	return icmp->type == ICMP4_UNREACHABLE && (icmp->code == ICMP4_NET_PROHIBITED ||
						   icmp->code == ICMP4_HOST_PROHIBITED || icmp->code == ICMP4_FILTERED);
}

static bool is_no_route(const struct view *view, const struct tried *tried)
{
	const struct icmp_error *icmp = icmp_of(tried);
	if (!icmp || strcmp(icmp->from, tried->attempt->address) == 0 || is_own_address(view, tried, icmp->from))
		return false;
	if (is_ipv6(tried->attempt->address))
		return icmp->type == ICMP6_UNREACHABLE && (icmp->code == ICMP6_NO_ROUTE || icmp->code == ICMP6_ADDRESS);
	return icmp->type == ICMP4_UNREACHABLE && (icmp->code == ICMP4_NET || icmp->code == ICMP4_HOST);
}

/* The device that sent the ICMP error named itself. */
static void set_place(const struct view *view, struct verdict *out, tried_is is)
{
	for (size_t i = 0; i < view->tried_count && !out->has_place; i++) {
		const struct tried *tried = &view->tried[i];
		if (!tried_failed(tried) || !is(view, tried) || !icmp_of(tried))
			continue;
		out->has_place = true;
		out->at = (struct place){.hop = NOT_MEASURED, .last_heard = icmp_of(tried)->from};
	}
}

bool rule_ip_admin_prohibited(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "ip_admin_prohibited", 0.95, is_prohibited))
		return false;
	set_place(view, out, is_prohibited);
	return true;
}

bool rule_ip_no_route_from_router(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "ip_no_route_from_router", 0.95, is_no_route))
		return false;
	set_place(view, out, is_no_route);
	return true;
}

/* ------------------------------------------------------------------ without a device that named itself */

static bool is_refused(const struct view *view, const struct tried *tried)
{
	(void)view;
	return tried->broke == STAGE_TCP && (tried->attempt->failure == FAILURE_CONNECTION_REFUSED ||
					     tried->attempt->failure == FAILURE_CONNECTION_RESET);
}

/* At an address of a range nobody promised a listener: silence there says nothing. */
static bool is_silent(const struct view *view, const struct tried *tried)
{
	return tried->broke == STAGE_TCP && tried->attempt->failure == FAILURE_TIMEOUT &&
	       view->target->kind != TARGET_CIDR;
}

static void name_contrasts(const struct view *view, struct verdict *out)
{
	verdict_add_not_run(view, out, "path walk by TTL");
	verdict_add_not_run(view, out, "same address on another port");
}

bool rule_tcp_refused_unlocated(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "tcp_refused_unlocated", 0.5, is_refused))
		return false;
	set_place(view, out, is_refused);
	name_contrasts(view, out);
	return true;
}

bool rule_tcp_syn_silent_unlocated(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "tcp_syn_silent_unlocated", 0.5, is_silent))
		return false;
	name_contrasts(view, out);
	return true;
}

static bool is_refused_or_silent(const struct view *view, const struct tried *tried)
{
	return is_refused(view, tried) || is_silent(view, tried);
}

bool rule_tcp_partial_address_block(const struct view *view, struct verdict *out)
{
	if (!view->works || !verdict_if_any(view, out, "tcp_partial_address_block", 0.8, is_refused_or_silent))
		return false;
	for (size_t i = 0; i < view->tried_count; i++)
		if (view->tried[i].judged && view->tried[i].broke == STAGE_NONE)
			verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
	name_contrasts(view, out);
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

static bool goes_alike(const struct view *view, const struct view *other)
{
	return !other->proxied && other->path->identity == view->path->identity &&
	       other->path->route.kind == view->path->route.kind && other->target->kind != TARGET_CIDR;
}

bool rule_http_port80_only_blocked(const struct view *view, struct verdict *out)
{
	size_t on_80 = 0;
	const struct view *passes = NULL;
	if (view->proxied || view->target->port != 80 || view->broke != STAGE_TCP || view->works)
		return false;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (!goes_alike(view, other))
			continue;
		if (other->target->port == 443 && other->works && !passes)
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
