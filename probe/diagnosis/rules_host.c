/* Table H: what is wrong on this server, before anything leaves it. */

#include <string.h>

#include "probe/core/address.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"

enum { AT_ONCE_US = 500 * 1000, BY_A_CALL_US = 20 * 1000 };

/* Everything of the path that should have left the machine: its attempts, or if there are none the questions to name servers. */
static bool leaves_machine(const struct view *view)
{
	struct address address;
	bool any = false;
	for (size_t i = 0; i < view->tried_count; i++)
		any |= !address_parse(view->tried[i].attempt->address, &address) || !address_is_loopback(&address);
	return (any && view->broke == STAGE_TCP) || view->broke == STAGE_DNS;
}

typedef bool (*fact_is)(const struct local_fact *fact);

static bool any_interface(const struct view *view, fact_is is)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_LOCAL_FACT && text_equal(list->items[i]->fact.fact, "interface") &&
		    is(&list->items[i]->fact))
			return true;
	return false;
}

static void add_interfaces(const struct view *view, struct verdict *out)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_LOCAL_FACT && (text_equal(list->items[i]->fact.fact, "interface") ||
							    text_equal(list->items[i]->fact.fact, "default_route")))
			verdict_add_evidence(view, out, list->items[i]);
}

static bool is_up(const struct local_fact *fact)
{
	return text_equal(fact->state, "up");
}

static bool is_usable(const struct local_fact *fact)
{
	struct address address;
	for (size_t i = 0; is_up(fact) && i < fact->values.count; i++)
		if (address_parse(fact->values.items[i], &address) && !address_is_link_local(&address) &&
		    !address_is_loopback(&address))
			return true;
	return false;
}

/* Did anybody look at the machine at all? */
static bool machine_is_known(const struct view *view)
{
	return view_fact(view, "default_route", NULL) || view_fact(view, "interface", NULL);
}

/* A connection to elsewhere stood in this run: then an interface was up, whatever its flags said when they were read. */
static bool anybody_was_reached(const struct view *view)
{
	struct address address;
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_TCP_CONNECT && one->failure == FAILURE_NONE && one->tcp.tuple.dst &&
		    address_parse(one->tcp.tuple.dst, &address) && !address_is_loopback(&address))
			return true;
	}
	return false;
}

bool rule_host_no_interface_up(const struct view *view, struct verdict *out)
{
	if (!leaves_machine(view) || !machine_is_known(view) || any_interface(view, is_up) || anybody_was_reached(view))
		return false;
	verdict_set(view, out, "host_no_interface_up", 0.95);
	add_interfaces(view, out);
	return true;
}

bool rule_host_no_usable_address(const struct view *view, struct verdict *out)
{
	if (!leaves_machine(view) || !any_interface(view, is_up) || any_interface(view, is_usable))
		return false;
	verdict_set(view, out, "host_no_usable_address", 0.9);
	add_interfaces(view, out);
	return true;
}

/* ------------------------------------------------------------------ routes */

static bool route_is_absent(const struct view *view, const char *family)
{
	const struct local_fact *route = view_fact(view, "default_route", family);
	return route && text_equal(route->state, "absent");
}

static const char *family_of(const char *text)
{
	struct address address;
	return address_parse(text, &address) && address.family == 6 ? "ipv6" : "ipv4";
}

static bool lacks_route(const struct view *view, const struct tried *tried)
{
	const struct local_fact *route = view_fact(view, "default_route", family_of(tried->attempt->address));
	return tried->broke == STAGE_TCP && tried->attempt->failure == FAILURE_NETWORK_UNREACHABLE &&
	       !(tried->tcp && tried->tcp->tcp.icmp.from) && !(route && text_equal(route->state, "present"));
}

/* A server without a way for IPv6 is none that must have one: what became of its IPv4 then is the question, and the other way round. */
static bool is_routeless(const struct view *view, const struct tried *tried)
{
	if (!lacks_route(view, tried))
		return false;
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && !lacks_route(view, &view->tried[i]) &&
		    strcmp(family_of(view->tried[i].attempt->address), family_of(tried->attempt->address)) != 0)
			return false;
	return true;
}

/* Addresses of a range, by a version of IP that this server does without: what it is meant to reach works by the other. */
static bool is_of_unused_version(const struct view *view)
{
	bool others = false, works = false;
	if (view->target->kind != TARGET_CIDR || view->works || !view->tried_count)
		return false;
	const char *family = family_of(view->tried[0].attempt->address);
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other->target->kind == TARGET_CIDR || other->proxied)
			continue;
		works |= other->works > 0;
		for (size_t k = 0; k < other->tried_count; k++)
			others |= other->tried[k].broke == STAGE_NONE &&
				  strcmp(family_of(other->tried[k].attempt->address), family) == 0;
	}
	return works && !others;
}

static bool is_unreachable_unsaid(const struct tried *tried)
{
	return tried->broke == STAGE_TCP && tried->tcp && !tried->tcp->tcp.icmp.from &&
	       (tried->attempt->failure == FAILURE_HOST_UNREACHABLE ||
		tried->attempt->failure == FAILURE_NETWORK_UNREACHABLE);
}

/* Where the system does not show who sent an ICMP error, a router's word looks like this server's own. */
static bool senders_are_hidden(const struct view *view)
{
	return view_fact(view, "missing_api", "TCP_FAIL_CONNECT_ON_ICMP_ERROR") != NULL;
}

/* The table has an entry for the target, and it says "unreachable": that is known at once, a dead neighbour only after a while. */
static bool is_refused_by_route(const struct view *view, const struct tried *tried)
{
	const struct local_fact *route = view_fact(view, "best_route", tried->attempt->address);
	bool says_absent = route && text_equal(route->state, "absent");
	return is_unreachable_unsaid(tried) && tried->tcp->duration_us < AT_ONCE_US &&
	       (says_absent || !senders_are_hidden(view));
}

/* A word to an open question: it names no cause. */
bool remark_host_unreachable_by_whom(const struct view *view, struct verdict *out)
{
	bool any = false;
	for (size_t i = 0; i < view->tried_count; i++)
		any |= view->tried[i].judged && is_unreachable_unsaid(&view->tried[i]);
	if (!any || !senders_are_hidden(view))
		return false;
	verdict_add_also(
		view, out,
		"this server, or a router on the way, said that the address cannot be reached; this version of "
		"Windows does not tell who");
	out->status = STATUS_PASS;
	return true;
}

/* No route to the servers themselves, whatever the default route is: connect() failed, and no router had a word in it. */
static bool servers_are_routeless(const struct dns_view *dns)
{
	bool any = false;
	for (size_t i = 0; i < dns->count; i++) {
		const struct dns_server *server = &dns->servers[i];
		if (server->control)
			continue;
		if (server->outcome != DNS_UNREACHABLE || server->shown->dns.icmp.from ||
		    server->shown->failure != FAILURE_NETWORK_UNREACHABLE)
			return false;
		any = true;
	}
	return any;
}

/* Without any address: no server was heard, and there is no way to one. A stub on this machine answers for others. */
static bool names_are_routeless(const struct view *view, struct dns_view *dns)
{
	struct address address;
	if (view->broke != STAGE_DNS)
		return false;
	dns_view_make(view, dns_broken_name(view), dns);
	if (!route_is_absent(view, "ipv4") || !route_is_absent(view, "ipv6"))
		return servers_are_routeless(dns);
	for (size_t i = 0; i < dns->count; i++) {
		bool here = address_parse(dns->servers[i].server, &address) && address_is_loopback(&address);
		if (dns_answered(dns->servers[i].outcome) && !here)
			return false;
	}
	return dns->count > 0;
}

bool rule_host_no_default_route(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	if (is_of_unused_version(view))
		return false;
	bool names = names_are_routeless(view, &dns);
	if (names) {
		verdict_set(view, out, "host_no_default_route", dns_any(&dns, DNS_UNREACHABLE) ? 0.95 : 0.8);
		dns_add_evidence(view, out, &dns, DNS_UNREACHABLE);
	} else if (!verdict_if_any(view, out, "host_no_default_route", 0.95, is_routeless)) {
		return verdict_if_any(view, out, "host_no_default_route", 0.6, is_refused_by_route);
	}
	if (!view_fact(view, "default_route", NULL))
		out->confidence = 0.7;
	verdict_add_evidence(view, out, view_fact_observation(view, "default_route", "ipv4"));
	verdict_add_evidence(view, out, view_fact_observation(view, "default_route", "ipv6"));
	return true;
}

/* The ICMP error that this machine itself sent, or NULL. */
static const struct icmp_error *own_icmp(const struct view *view, const struct tuple *tuple,
					 const struct icmp_error *icmp)
{
	bool own = icmp->from && (text_equal(tuple->src, icmp->from) || address_is_own(view->report, icmp->from));
	return own ? icmp : NULL;
}

/* Host (RFC 792) or address (RFC 4443 3.1) unreachable: what a system tells itself when nobody answers for an address. */
static bool says_unreachable(const struct tuple *tuple, const struct icmp_error *icmp)
{
	bool is_v6 = strcmp(family_of(tuple->dst), "ipv6") == 0;
	return is_v6 ? icmp->type == 1 && (icmp->code == 0 || icmp->code == 3) : icmp->type == 3 && icmp->code <= 1;
}

/* In the same /24 or /64 as one of ours: a neighbour itself, most likely, not behind the gateway. */
static bool is_near(const struct view *view, const char *server)
{
	struct address far, near;
	if (!address_parse(server, &far))
		return true;
	for (size_t i = 0; i < view->report->host.addresses.count; i++)
		if (address_parse(view->report->host.addresses.items[i], &near) && near.family == far.family &&
		    memcmp(near.bytes, far.bytes, far.family == 4 ? 3 : 8) == 0)
			return true;
	return false;
}

/* Did anybody answer it, be it by an error? What this machine tells itself is no answer. */
static bool is_answered(const struct view *view, const struct observation *one)
{
	const struct tuple *tuple = observation_tuple(one);
	const struct icmp_error *icmp = one->op == OP_TCP_CONNECT ? &one->tcp.icmp
					: one->op == OP_DNS_QUERY ? &one->dns.icmp
					: one->op == OP_TTL_PROBE ? &one->ttl.icmp
								  : NULL;
	if (icmp && icmp->from)
		return !own_icmp(view, tuple, icmp);
	return one->failure == FAILURE_NONE || one->failure == FAILURE_CONNECTION_REFUSED ||
	       one->failure == FAILURE_CONNECTION_RESET;
}

/* Was anybody heard who is no neighbour? Or does this machine forbid something: then what it holds back is no matter of the next hop. */
static bool next_hop_works(const struct view *view, const struct tuple *ours)
{
	struct address address;
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		const struct tuple *tuple = observation_tuple(one);
		if (!tuple || !tuple->dst || strcmp(family_of(tuple->dst), family_of(ours->dst)) != 0)
			continue;
		if (tuple->src && ours->src && !text_equal(tuple->src, ours->src))
			continue; /* by another interface, and so by another next hop */
		if (one->failure == FAILURE_PERMISSION_DENIED && !text_equal(tuple->proto, "icmp"))
			return true; /* echo requests may be a matter of rights */
		bool behind = address_parse(tuple->dst, &address) && !address_is_loopback(&address) &&
			      !is_near(view, tuple->dst);
		if (behind && is_answered(view, one))
			return true;
	}
	return false;
}

static bool is_held_back(const struct tried *tried)
{
	return tried->tcp && tried->tcp->tcp.has_tcp_info && tried->tcp->tcp.tcp_info.held_back > 0;
}

/* EHOSTUNREACH without a router's word, or with our own: nobody answers for the next hop's address (RFC 826, RFC 4861 7.2.2). */
static bool is_neighbourless(const struct view *view, const struct tried *tried)
{
	if (tried->broke != STAGE_TCP || !tried->tcp)
		return false;
	if (is_held_back(tried)) /* it waits for the next hop's address, which takes some seconds to fail */
		return !next_hop_works(view, &tried->tcp->tcp.tuple);
	if (tried->attempt->failure != FAILURE_HOST_UNREACHABLE)
		return false;
	const struct tcp_connect *tcp = &tried->tcp->tcp;
	if (!tcp->icmp.from) /* a router's word may look so, where senders are hidden and others get past the gateway */
		return tried->tcp->duration_us >= AT_ONCE_US &&
		       !(senders_are_hidden(view) && anybody_was_reached(view));
	return own_icmp(view, &tcp->tuple, &tcp->icmp) && says_unreachable(&tcp->tuple, &tcp->icmp);
}

/* No server was heard, and the questions to those behind the gateway did not get as far as that. */
static bool servers_are_behind_dead_gateway(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool any = false;
	dns_view_make(view, dns_broken_name(view), &dns);
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (server->control)
			continue;
		if (dns_answered(server->outcome) || server->outcome == DNS_REJECTS)
			return false;
		any |= server->shown && dns_is_neighbourless(view->report, server->shown) &&
		       !is_near(view, server->shown->dns.tuple.dst);
	}
	for (size_t i = 0; any && i < dns.count; i++)
		if (!dns.servers[i].control && dns.servers[i].shown &&
		    dns_is_neighbourless(view->report, dns.servers[i].shown))
			verdict_add_evidence(view, out, dns.servers[i].shown);
	return any && verdict_set(view, out, "host_gateway_neighbour_dead", 0.5);
}

bool rule_host_gateway_neighbour_dead(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "host_gateway_neighbour_dead", 0.6, is_neighbourless) &&
	    !servers_are_behind_dead_gateway(view, out))
		return false;
	verdict_add_not_run(view, out, "the neighbour table's entry for the next hop");
	return true;
}

/* ------------------------------------------------------------------ what the system refuses */

/* Linux gives EACCES for some ICMPv6 errors too: those are a device's word, not this system's. */
static bool is_device_word(const struct tried *tried)
{
	return tried->tcp && tried->tcp->tcp.icmp.from;
}

/* A question about the name, or the system's own lookup, that no device on the way had a word in. */
static bool is_question(const struct view *view, const struct observation *one, const char *name)
{
	if (observation_is_of_decision(one))
		return false;
	if (one->op == OP_SYSTEM_LOOKUP)
		return text_equal(one->lookup.name, name);
	return one->op == OP_DNS_QUERY && text_equal(one->dns.name, name) &&
	       (!one->dns.icmp.from || own_icmp(view, &one->dns.tuple, &one->dns.icmp));
}

/* A connect that the system refused by itself; or, where no connect was made, such a question to a name server. */
static bool refused_here(const struct view *view, struct verdict *out, const char *cause, enum failure failure)
{
	const char *name = dns_broken_name(view);
	bool any = false;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!tried_failed(tried) || tried->broke != STAGE_TCP || tried->attempt->failure != failure ||
		    is_device_word(tried))
			continue;
		/* what is forbidden here is so at once; later it may be a router's word */
		bool late = senders_are_hidden(view) && tried->tcp && tried->tcp->duration_us >= BY_A_CALL_US;
		any = verdict_set(view, out, cause, late ? 0.5 : 0.9);
		verdict_add_evidence(view, out, tried->tcp);
	}
	for (size_t i = 0; name && i < view->report->observations.count; i++) {
		const struct observation *one = view->report->observations.items[i];
		if (one->failure != failure || !is_question(view, one, name))
			continue;
		any = verdict_set(view, out, cause, 0.9);
		verdict_add_evidence(view, out, one);
	}
	return any;
}

/* This machine rejected it in its own name, or never let a packet of it out. */
static bool is_blocked_here(const struct view *view, const struct tried *tried)
{
	if (tried->broke != STAGE_TCP || !tried->tcp)
		return false;
	const struct tcp_connect *tcp = &tried->tcp->tcp;
	const struct icmp_error *icmp = own_icmp(view, &tcp->tuple, &tcp->icmp);
	if (is_held_back(tried) && next_hop_works(view, &tcp->tuple))
		return true;
	return icmp && !says_unreachable(&tcp->tuple, icmp);
}

bool rule_host_firewall_blocks(const struct view *view, struct verdict *out)
{
	if (refused_here(view, out, "host_firewall_blocks", FAILURE_PERMISSION_DENIED))
		return true;
	if (!verdict_if_any(view, out, "host_firewall_blocks", 0.85, is_blocked_here))
		return false;
	verdict_add_not_run(view, out, "the rules of this server's own firewall");
	return true;
}

bool rule_host_socket_or_handle_limit(const struct view *view, struct verdict *out)
{
	return refused_here(view, out, "host_socket_or_handle_limit", FAILURE_TOO_MANY_FILES);
}

static bool is_portless(const struct view *view, const struct tried *tried)
{
	bool no_ipv6 = strcmp(family_of(tried->attempt->address), "ipv6") == 0 && !view_has_ipv6(view);
	return tried->broke == STAGE_TCP && tried->attempt->failure == FAILURE_ADDRESS_NOT_AVAILABLE && !no_ipv6;
}

bool rule_host_ephemeral_ports_exhausted(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "host_ephemeral_ports_exhausted", 0.7, is_portless) &&
	    !refused_here(view, out, "host_ephemeral_ports_exhausted", FAILURE_ADDRESS_NOT_AVAILABLE))
		return false;
	out->confidence = 0.7;
	verdict_add_not_run(view, out, "count of the local ports in use");
	return true;
}

/* ------------------------------------------------------------------ IPv6 */

/* Of the judged attempts all by IPv6 fail and all by IPv4 work. */
static bool only_ipv6_fails(const struct view *view)
{
	size_t v4 = 0, v6 = 0;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		bool is_v6 = strcmp(family_of(tried->attempt->address), "ipv6") == 0;
		if (!tried->judged || tried->cut)
			continue;
		if (tried_failed(tried) != is_v6)
			return false;
		v6 += is_v6;
		v4 += !is_v6;
	}
	return v4 && v6;
}

bool rule_host_ipv6_preferred_broken(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	if (!only_ipv6_fails(view))
		return false;
	dns_view_make(view, view->name, &dns);
	const struct text_list *order = dns.lookup ? &dns.lookup->lookup.addresses : NULL;
	if (order && order->count && strcmp(family_of(order->items[0]), "ipv6") != 0)
		return false;
	verdict_set(view, out, "host_ipv6_preferred_broken", order && order->count ? 0.9 : 0.7);
	verdict_add_evidence(view, out, dns.lookup);
	for (size_t i = 0; i < view->tried_count; i++)
		if (view->tried[i].judged)
			verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
	return true;
}
