/* Table D: what only another question, or another connection, tells. */

#include <string.h>

#include "probe/core/dns_answers.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"

enum { EDE_BOGUS = 6, EDE_RRSIGS_MISSING = 10, TIMES_LONGER = 3 };

static bool broken(const struct view *view, struct dns_view *dns)
{
	const char *name = dns_broken_name(view);
	dns_view_make(view, name, dns);
	return name != NULL;
}

/* ------------------------------------------------------------------ the form of the question */

/* An OPT record alone makes the difference. */
static bool drops_edns(const struct dns_server *server)
{
	return !server->control && server->silent_type && !server->udp_heard && dns_replied(server->plain) &&
	       server->small && !dns_replied(server->small);
}

/* Replies that may be large do not arrive, and those that may not do. What took much longer than a reply did is lost. */
static bool loses_large(const struct dns_server *server)
{
	if (server->control)
		return false;
	if (server->silent_type && dns_replied(server->small)) /* beside it the usual question is still lost */
		return server->again && !dns_replied(server->again);
	return server->truncated && server->large && server->large->failure == FAILURE_TIMEOUT &&
	       server->large->duration_us > TIMES_LONGER * server->truncated->duration_us;
}

static void show_form(const struct view *view, struct verdict *out, const struct dns_view *dns,
		      const struct dns_server *server)
{
	verdict_add_evidence(view, out, server->large ? server->truncated : NULL);
	verdict_add_evidence(view, out, server->large);
	verdict_add_evidence(view, out, server->small);
	verdict_add_evidence(view, out, server->plain);
	if (!server->large)
		dns_add_failed(view, out, dns, server, "udp");
}

static bool form_matters(const struct view *view, struct verdict *out, const struct dns_view *dns, const char *cause,
			 bool (*is)(const struct dns_server *server))
{
	bool found = false;
	for (size_t i = 0; i < dns->count; i++) {
		if (!is(&dns->servers[i]))
			continue;
		if (!found)
			verdict_set(view, out, cause, 0.85);
		found = true;
		show_form(view, out, dns, &dns->servers[i]);
	}
	return found;
}

/* Whether the system's own look-ups have the form that is lost shows in that they fail; without them nobody knows. */
static bool form_breaks(const struct view *view, struct verdict *out, const char *cause,
			bool (*is)(const struct dns_server *server))
{
	struct dns_view dns;
	if (!broken(view, &dns) || !form_matters(view, out, &dns, cause, is))
		return false;
	verdict_add_evidence(view, out, dns.lookup);
	if (dns.lookup)
		return true;
	out->confidence = 0.6;
	verdict_add_not_run(view, out, "this system's own lookup: it may ask without EDNS");
	return true;
}

static bool form_is_odd(const struct view *view, struct verdict *out, const char *cause,
			bool (*is)(const struct dns_server *server))
{
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	return form_matters(view, out, &dns, cause, is);
}

bool rule_dns_edns_dropped(const struct view *view, struct verdict *out)
{
	return form_breaks(view, out, "dns_edns_dropped", drops_edns);
}

/** Names resolve, as this system asks in another form; the next program may not. */
bool rule_dns_edns_dropped_unnoticed(const struct view *view, struct verdict *out)
{
	return form_is_odd(view, out, "dns_edns_dropped", drops_edns);
}

bool rule_dns_large_udp_dropped(const struct view *view, struct verdict *out)
{
	return form_breaks(view, out, "dns_large_udp_dropped", loses_large);
}

bool rule_dns_large_udp_dropped_unnoticed(const struct view *view, struct verdict *out)
{
	return form_is_odd(view, out, "dns_large_udp_dropped", loses_large);
}

/* ------------------------------------------------------------------ validation */

static bool is_bogus(const struct dns_server *server)
{
	bool by_word = server->ede >= EDE_BOGUS && server->ede <= EDE_RRSIGS_MISSING; /* RFC 8914 4.7 to 4.11 */
	bool unchecked = server->unchecked && server->unchecked->failure == FAILURE_NONE;
	return !server->control && server->outcome == DNS_SAYS_SERVFAIL && (by_word || unchecked);
}

bool rule_dns_dnssec_bogus(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns) || !dns_all(&dns, DNS_SAYS_SERVFAIL))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (!is_bogus(server))
			continue;
		found = verdict_set(view, out, "dns_dnssec_bogus", 0.9);
		verdict_add_evidence(view, out, server->shown);
		verdict_add_evidence(view, out, server->unchecked);
	}
	return found;
}

static bool any_answered(const struct dns_view *dns)
{
	for (size_t i = 0; i < dns->count; i++)
		if (!dns->servers[i].control && dns_answered(dns->servers[i].outcome))
			return true;
	return false;
}

/** What no server answered in time it has when it is asked again: slow or lost once, and neither cut off nor unable. */
bool rule_dns_answers_late(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns) || any_answered(&dns))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		if (!dns_is_late(&dns.servers[i]))
			continue;
		found = verdict_set(view, out, "meas_late_reply", 0.6);
		out->status = STATUS_INCONCLUSIVE;
		verdict_add_evidence(view, out, dns.servers[i].again);
		dns_add_failed(view, out, &dns, &dns.servers[i], NULL);
	}
	return found;
}

/** It answers its own names at once and leaves this one open: its way to others is what fails, before it says so. */
bool rule_dns_servers_stuck(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns) || any_answered(&dns))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		if (!dns_is_stuck(&dns.servers[i]))
			continue;
		found = verdict_set(view, out, "dns_servfail_upstream", 0.8);
		verdict_add_evidence(view, out, dns.servers[i].local);
		dns_add_failed(view, out, &dns, &dns.servers[i], NULL);
	}
	return found;
}

/* ------------------------------------------------------------------ the chain of aliases */

/* The reply has aliases, and a denial instead of the address at their end. */
static bool stops_at_alias(const struct dns_server *server)
{
	bool denies = server->outcome == DNS_SAYS_NXDOMAIN || server->outcome == DNS_SAYS_REFUSED ||
		      server->outcome == DNS_SAYS_SERVFAIL || server->outcome == DNS_SAYS_NODATA;
	return !server->control && denies && server->shown->dns.answer_count && !server->private_link;
}

bool rule_dns_cname_hop_blocked(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns) || dns_control(&dns) != DNS_SAYS_ADDRESS || dns_any(&dns, DNS_SAYS_ADDRESS))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (!server->control && dns_answered(server->outcome) && !stops_at_alias(server))
			return false;
	}
	for (size_t i = 0; i < dns.count; i++) {
		if (!stops_at_alias(&dns.servers[i]) && !dns.servers[i].control)
			continue;
		found |= !dns.servers[i].control;
		verdict_add_evidence(view, out, dns.servers[i].shown);
	}
	return found && verdict_set(view, out, "dns_cname_hop_blocked", 0.85);
}

/* ------------------------------------------------------------------ invented addresses */

/* An address at which this path failed, and which that answer holds; NULL: none. */
static const struct tried *failed_at(const struct view *view, const struct dns_query *query)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && dns_gives(query, view->tried[i].attempt->address))
			return &view->tried[i];
	return NULL;
}

/* What a server says of names that nobody has. */
struct invented {
	const struct observation *first;
	size_t asked, same; /* questions; of these, answered with the address */
};

static struct invented inventions(const struct report *report, const char *server, const char *address)
{
	struct invented out = {0};
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (!dns_is_experiment(one, "dns_random_name", server) || !dns_replied(one))
			continue;
		out.asked++;
		if (!dns_gives(&one->dns, address))
			continue;
		out.same++;
		out.first = out.first ? out.first : one;
	}
	return out;
}

/* Some other name gets another address from it: what exists comes through. */
static bool knows_others(const struct report *report, const char *server, const char *address)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (dns_is_own_question(one, server, NULL) && one->failure == FAILURE_NONE && one->dns.answer_count &&
		    !dns_gives(&one->dns, address))
			return true;
	}
	return false;
}

static bool control_gives(const struct report *report, const char *name, const char *address)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_DNS_QUERY && one->dns.control && text_equal(one->dns.name, name) &&
		    dns_gives(&one->dns, address))
			return true;
	}
	return false;
}

/* Names of two organisations that nobody has get the address which this one has: a filter for the one would not fit the other. */
bool rule_dns_nxdomain_wildcarded(const struct view *view, struct verdict *out)
{
	const struct report *report = view->report;
	bool found = false;
	for (size_t i = 0; i < report->observations.count && !view->proxied; i++) {
		const struct observation *own = report->observations.items[i];
		const struct tried *tried =
			dns_is_own_question(own, NULL, view->name) ? failed_at(view, &own->dns) : NULL;
		if (!tried)
			continue;
		const char *address = tried->attempt->address;
		struct invented seen = inventions(report, own->dns.server, address);
		if (!seen.same || seen.same < seen.asked || control_gives(report, view->name, address) ||
		    (!knows_others(report, own->dns.server, address) && dns_address_is_odd(address)))
			continue;
		verdict_set(view, out, "dns_nxdomain_wildcarded", seen.same > 1 ? 0.9 : 0.6);
		found = true;
		verdict_add_evidence(view, out, seen.first);
		verdict_add_evidence(view, out, own);
	}
	return found;
}

/* ------------------------------------------------------------------ a search suffix */

static bool servers_give(const struct report *report, const char *name, const char *address)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (dns_is_own_question(one, NULL, name) && dns_gives(&one->dns, address))
			return true;
	}
	return false;
}

static const struct observation *lookup_of(const struct view *view)
{
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	return dns.lookup;
}

/* This system's own lookup gives an address that no server has for the name, and one has for this name, or for another, with a suffix
 * behind it. */
bool rule_dns_suffix_appended_capture(const struct view *view, struct verdict *out)
{
	const struct observation_list *list = &view->report->observations;
	bool found = false;
	for (size_t i = 0; i < list->count && view->name; i++) {
		const struct observation *one = list->items[i];
		const struct tried *tried =
			dns_is_experiment(one, "dns_suffix", NULL) ? failed_at(view, &one->dns) : NULL;
		if (!tried || tried->attempt->found_by != FOUND_BY_SYSTEM ||
		    servers_give(view->report, view->name, tried->attempt->address))
			continue;
		bool own = path_list_has(&one->paths, view->path);
		if (!found || own)
			verdict_set(view, out, "dns_suffix_appended_capture", own ? 0.9 : 0.8);
		found = true;
		verdict_add_evidence(view, out, one);
		verdict_add_evidence(view, out, lookup_of(view));
		verdict_add_evidence(view, out, tried_ended_by(tried));
	}
	return found;
}

/* Only this system's own lookup gave it, and it is none of a service in the internet. */
static bool is_of_lookup_alone(const struct view *view, const struct tried *tried)
{
	return tried->attempt->found_by == FOUND_BY_SYSTEM && dns_address_is_odd(tried->attempt->address) &&
	       !servers_give(view->report, view->name, tried->attempt->address);
}

/** The servers answer, and this system uses inner addresses for the name that none of them has: where those come from nobody has seen. */
bool rule_dns_lookup_alone(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	dns_view_make(view, view->name, &dns);
	if (view->proxied || view_works(view) || !any_answered(&dns))
		return false;
	for (size_t i = 0; i < view->tried_count; i++) {
		if (!view->tried[i].judged)
			continue;
		if (!tried_failed(&view->tried[i]) || !is_of_lookup_alone(view, &view->tried[i]))
			return false;
		verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
		found = true;
	}
	if (!found)
		return false;
	out->status = STATUS_INCONCLUSIVE;
	verdict_add_evidence(view, out, dns.lookup);
	for (size_t i = 0; i < dns.count; i++)
		if (!dns.servers[i].control && dns_answered(dns.servers[i].outcome))
			verdict_add_evidence(view, out, dns.servers[i].shown);
	verdict_add_not_run(view, out,
			    "where the lookup has the address from: a search suffix, a cache, another way to ask");
	return verdict_set(view, out, "meas_stack_disagrees", 0.6);
}

/* ------------------------------------------------------------------ private link */

/* The server that sends this path to a private address behind a privatelink alias, where it fails; NULL: none. */
static const struct dns_server *private_server(const struct view *view, const struct dns_view *dns)
{
	for (size_t i = 0; i < dns->count; i++) {
		const struct dns_server *server = &dns->servers[i];
		if (!server->control && server->private_link && server->sends_private && !server->sends_public &&
		    view->broke == STAGE_TCP && !view->proxied && failed_at(view, &server->shown->dns))
			return server;
	}
	return NULL;
}

/* A connection to the public address that the control has for the name; NULL: none was tried. */
static const struct observation *public_connection(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_TCP_CONNECT && text_equal(one->experiment, "public_address") &&
		    control_gives(view->report, view->name, one->tcp.tuple.dst))
			return one;
	}
	return NULL;
}

bool rule_dns_privatelink_stale(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	const struct dns_server *server = private_server(view, &dns);
	const struct observation *public = server ? public_connection(view) : NULL;
	bool works = public && public->failure == FAILURE_NONE;
	if (!works && !(server && private_endpoint_is(view, "none")))
		return false;
	verdict_set(view, out, "dns_privatelink_stale", works ? 0.85 : 0.7);
	verdict_add_evidence(view, out, server->shown);
	verdict_add_evidence(view, out, tried_ended_by(failed_at(view, &server->shown->dns)));
	verdict_add_evidence(view, out, public);
	return true;
}

/** Nobody answers at the private address, and nobody knows whether the public one would: said beside the cause. */
bool rule_dns_privatelink_unproven(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	if (!private_server(view, &dns) || public_connection(view))
		return false;
	out->status = STATUS_PASS;
	verdict_add_not_run(view, out, "a connection to the public address of the name (needs --control-resolver)");
	return true;
}

/** A private endpoint answers where none is expected: it works, and somebody may wonder why. */
bool rule_dns_privatelink_not_expected(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	if (!private_endpoint_is(view, "none") || !view_works(view))
		return false;
	dns_view_make(view, view->name, &dns);
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (server->control || !server->private_link || !server->sends_private)
			continue;
		out->status = STATUS_PASS;
		verdict_add_also(view, out,
				 "a private endpoint answers, and none is expected (--private-endpoint none)");
		return true;
	}
	return false;
}

static bool leaks_public(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!private_endpoint_is(view, "expected"))
		return false;
	dns_view_make(view, view->name, &dns);
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (server->control || !server->passes_private_link || !server->sends_public || server->sends_private)
			continue;
		found = verdict_set(view, out, "dns_privatelink_leaks_public", 0.9);
		verdict_add_evidence(view, out, server->shown);
	}
	return found;
}

bool rule_dns_privatelink_leaks_public(const struct view *view, struct verdict *out)
{
	return leaks_public(view, out);
}

/** It works, by the way that was not meant. */
bool rule_dns_privatelink_leaks_public_unnoticed(const struct view *view, struct verdict *out)
{
	return leaks_public(view, out);
}
