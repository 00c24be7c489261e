/* Table D: what the name servers of this machine say, and what they leave unsaid. */

#include <string.h>

#include "probe/core/address.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/tag_view.h"

enum { EDE_BLOCKED = 15, EDE_PROHIBITED = 18, SLOW_LOOKUP_US = 500 * 1000 };

/* The name that has no address, and what the servers say of it; false where names are not the trouble. */
static bool broken(const struct view *view, struct dns_view *dns)
{
	const char *name = dns_broken_name(view);
	if (!name)
		return false;
	dns_view_make(view, name, dns);
	return true;
}

/* The usual case: every server that answers says the same. */
static bool all_say(const struct view *view, struct verdict *out, const char *cause, double confidence,
		    enum dns_outcome outcome)
{
	struct dns_view dns;
	if (!broken(view, &dns) || !dns_all(&dns, outcome))
		return false;
	verdict_set(view, out, cause, confidence);
	dns_add_evidence(view, out, &dns, outcome);
	return true;
}

bool rule_dns_no_servers(const struct view *view, struct verdict *out)
{
	const struct local_fact *resolvers = view_fact(view, "resolvers", NULL);
	if (!dns_broken_name(view) || !resolvers || !text_equal(resolvers->state, "absent"))
		return false;
	verdict_set(view, out, "dns_no_servers", 0.95);
	verdict_add_evidence(view, out, view_fact_observation(view, "resolvers", NULL));
	return true;
}

bool rule_dns_privatelink_dead_end(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		bool dead = server->outcome == DNS_SAYS_NXDOMAIN || server->outcome == DNS_SAYS_NODATA;
		if (server->control || !dead || !server->private_link)
			continue;
		found = true;
		verdict_set(view, out, "dns_privatelink_dead_end", 0.9);
		verdict_add_evidence(view, out, server->shown);
	}
	return found;
}

bool rule_dns_policy_filtered(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		/* REFUSED and "prohibited" is what is said to those whom a server does not serve (RFC 8914 4.19): no filter */
		bool by_list = server->ede == EDE_PROHIBITED && server->outcome == DNS_SAYS_REFUSED;
		if (server->control || server->ede < EDE_BLOCKED || server->ede > EDE_PROHIBITED || by_list)
			continue;
		found = true;
		verdict_set(view, out, "dns_policy_filtered", 0.9);
		verdict_add_evidence(view, out, server->shown);
	}
	return found;
}

bool rule_dns_nxdomain_local_only(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	if (!broken(view, &dns) || !dns_all(&dns, DNS_SAYS_NXDOMAIN) || dns_control(&dns) != DNS_SAYS_ADDRESS)
		return false;
	verdict_set(view, out, "dns_nxdomain_local_only", 0.9);
	dns_add_evidence(view, out, &dns, DNS_SAYS_NXDOMAIN);
	dns_add_evidence(view, out, &dns, DNS_SAYS_ADDRESS);
	return true;
}

bool rule_dns_nxdomain_everywhere(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	if (!broken(view, &dns) || !dns_all(&dns, DNS_SAYS_NXDOMAIN) || dns_control(&dns) == DNS_SAYS_ADDRESS)
		return false;
	bool has_control = dns_control(&dns) == DNS_SAYS_NXDOMAIN;
	verdict_set(view, out, "dns_nxdomain_everywhere", has_control ? 0.9 : 0.7);
	dns_add_evidence(view, out, &dns, DNS_SAYS_NXDOMAIN);
	if (!has_control)
		verdict_add_not_run(view, out, "the same name at a resolver outside (--control-resolver)");
	return true;
}

bool rule_dns_refused(const struct view *view, struct verdict *out)
{
	return all_say(view, out, "dns_refused", 0.95, DNS_SAYS_REFUSED);
}

bool rule_dns_servfail_upstream(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool proven = true, asked = true;
	if (!all_say(view, out, "dns_servfail_upstream", 0.7, DNS_SAYS_SERVFAIL) || !broken(view, &dns))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (server->control || server->outcome != DNS_SAYS_SERVFAIL)
			continue;
		proven &= server->unchecked && server->unchecked->failure == FAILURE_DNS_SERVFAIL;
		asked &= server->unchecked != NULL;
		verdict_add_evidence(view, out, server->unchecked);
	}
	out->confidence = proven ? 0.9 : 0.7;
	if (!asked)
		verdict_add_not_run(view, out, "the same question without DNSSEC checking (CD=1)");
	return true;
}

bool rule_dns_reply_malformed(const struct view *view, struct verdict *out)
{
	return all_say(view, out, "dns_reply_malformed", 0.85, DNS_SAYS_NONSENSE);
}

bool rule_dns_nodata(const struct view *view, struct verdict *out)
{
	return all_say(view, out, "dns_nodata", 0.9, DNS_SAYS_NODATA);
}

/* They deny it in different words: then what the first of them says, which is asked first. */
bool rule_dns_first_word(const struct view *view, struct verdict *out)
{
	static const char *const causes[] = {[DNS_SAYS_REFUSED] = "dns_refused",
					     [DNS_SAYS_SERVFAIL] = "dns_servfail_upstream",
					     [DNS_SAYS_NONSENSE] = "dns_reply_malformed",
					     [DNS_SAYS_NXDOMAIN] = "dns_nxdomain_everywhere",
					     [DNS_SAYS_NODATA] = "dns_nodata"};
	struct dns_view dns;
	if (!broken(view, &dns) || dns_any(&dns, DNS_SAYS_ADDRESS))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (server->control || !dns_answered(server->outcome) || !causes[server->outcome])
			continue;
		bool outside = server->outcome == DNS_SAYS_NXDOMAIN && dns_control(&dns) == DNS_SAYS_ADDRESS;
		verdict_set(view, out, outside ? "dns_nxdomain_local_only" : causes[server->outcome], 0.5);
		verdict_add_evidence(view, out, server->shown);
		return true;
	}
	return false;
}

bool rule_dns_tcp_fallback_blocked(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns) || dns_any(&dns, DNS_SAYS_ADDRESS))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (server->control || !server->truncated || !server->tcp_asked || server->tcp_answered)
			continue;
		found = true;
		verdict_set(view, out, "dns_tcp_fallback_blocked", 0.9);
		verdict_add_evidence(view, out, server->shown);
		dns_add_failed(view, out, &dns, server, "tcp");
	}
	return found;
}

/* Every configured server whose answer is missing over UDP answers over TCP. */
bool rule_dns_udp_blocked_tcp_ok(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		bool by_udp = dns_replied(server->plain) || dns_replied(server->small);
		if (server->control || !server->udp_cut_off || !server->tcp_answered || by_udp)
			continue;
		found = true;
		verdict_set(view, out, "dns_udp_blocked_tcp_ok", 0.9);
		verdict_add_evidence(view, out, server->tcp_shown);
		dns_add_failed(view, out, &dns, server, "udp");
		verdict_add_evidence(view, out, dns.lookup);
	}
	return found;
}

static bool none_answered(const struct dns_view *dns)
{
	for (size_t i = 0; i < dns->count; i++)
		if (!dns->servers[i].control && dns_answered(dns->servers[i].outcome))
			return false;
	return true;
}

bool rule_dns_port_rejected(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	if (!broken(view, &dns) || !none_answered(&dns) || !dns_any(&dns, DNS_REJECTS))
		return false;
	verdict_set(view, out, "dns_port_rejected", 0.9);
	dns_add_evidence(view, out, &dns, DNS_REJECTS);
	return true;
}

bool rule_dns_servers_silent(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool tcp_too = true, taken = false;
	if (!broken(view, &dns) || !none_answered(&dns) || !dns_any(&dns, DNS_SILENT) || dns_any(&dns, DNS_REJECTS))
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (!server->control && (server->tcp_answered || dns_is_stuck(server)))
			return false;
		taken |= !server->control && server->tcp_taken;
		tcp_too &= server->control || server->outcome != DNS_SILENT || server->tcp_asked ||
			   dns_is_neighbourless(view->report, server->shown);
	}
	/* what takes the question by TCP may be slow, and not cut off */
	verdict_set(view, out, "dns_servers_silent", taken ? 0.5 : tcp_too ? 0.85 : 0.6);
	dns_add_evidence(view, out, &dns, DNS_SILENT);
	if (!tcp_too)
		verdict_add_not_run(view, out, "the same question over TCP");
	return true;
}

/* A server gives addresses and leaves the other type's question unanswered: the system's own lookup waits for both. */
bool rule_dns_one_type_silent(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool found = false;
	if (!broken(view, &dns) || !dns.lookup || dns.lookup->failure == FAILURE_NONE)
		return false;
	for (size_t i = 0; i < dns.count; i++) {
		const struct dns_server *server = &dns.servers[i];
		if (server->control || server->outcome != DNS_SAYS_ADDRESS)
			continue;
		if (!server->silent_type)
			return false;
		found = verdict_set(view, out, "dns_servers_silent", 0.5);
		dns_add_failed(view, out, &dns, server, NULL);
	}
	verdict_add_evidence(view, out, dns.lookup);
	return found;
}

/* ------------------------------------------------------------------ servers against each other */

/* An answer that cannot be right for a service in the internet. */
static bool is_wrong(const struct dns_server *server)
{
	bool odd = (server->sends_private && !server->private_link) || server->sends_sink;
	return server->outcome != DNS_SAYS_ADDRESS || (odd && !server->sends_public);
}

static bool is_right(const struct dns_server *server)
{
	return server->outcome == DNS_SAYS_ADDRESS && server->sends_public;
}

/* The first server that is contradicted by another configured one; NULL: they agree. by_tags: also by what the service tags say, which is
 * enough where the path does not work. */
static const struct dns_server *contradicted(const struct view *view, const struct dns_view *dns, bool by_tags)
{
	const struct dns_server *wrong = NULL;
	bool right = false;
	for (size_t i = 0; i < dns->count; i++) {
		const struct dns_server *server = &dns->servers[i];
		if (server->control || !dns_answered(server->outcome))
			continue;
		bool denied = by_tags && tags_deny_server(view, server);
		right |= is_right(server) && !denied;
		if ((is_wrong(server) || denied) && !wrong)
			wrong = server;
	}
	return right ? wrong : NULL;
}

static bool disagree(const struct view *view, struct verdict *out, const char *name, bool by_tags, double confidence)
{
	struct dns_view dns;
	dns_view_make(view, name, &dns);
	const struct dns_server *wrong = contradicted(view, &dns, by_tags);
	if (!wrong)
		return false;
	verdict_set(view, out, "dns_servers_disagree", confidence);
	verdict_add_evidence(view, out, wrong->shown);
	for (size_t i = 0; i < dns.count; i++)
		if (!dns.servers[i].control && is_right(&dns.servers[i]))
			verdict_add_evidence(view, out, dns.servers[i].shown);
	if (by_tags && tags_deny_server(view, wrong))
		tags_add_evidence(view, out, wrong);
	return true;
}

bool rule_dns_servers_disagree(const struct view *view, struct verdict *out)
{
	return disagree(view, out, view->name, false, 0.85);
}

/* The lookup fails, or gives the wrong server's addresses, while another server has the right ones. */
bool rule_dns_disagreement_breaks(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	const char *name = dns_broken_name(view);
	dns_view_make(view, name ? name : view->name, &dns);
	const struct dns_server *wrong = contradicted(view, &dns, true);
	bool misled = wrong && !name && wrong->outcome == DNS_SAYS_ADDRESS && !view_works(view);
	for (size_t i = 0; misled && i < view->tried_count; i++) {
		struct address address;
		if (view->tried[i].judged && address_parse(view->tried[i].attempt->address, &address))
			misled = address_is_private(&address) || address_is_loopback(&address) ||
				 address_is_unspecified(&address) || tags_deny(view, view->tried[i].attempt->address);
	}
	return (name || misled) && disagree(view, out, name ? name : view->name, true, 0.9);
}

static bool answers_with(const struct observation *query, const char *address)
{
	for (size_t i = 0; i < query->dns.answer_count; i++)
		if (text_equal(query->dns.answers[i].data, address))
			return true;
	return false;
}

/* The question about that name, to a configured server, whose answer has the one address and not the other (NULL: any); NULL: none. */
static const struct observation *query_with(const struct view *view, const char *address, const char *but_not)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *query = list->items[i];
		if (query->op == OP_DNS_QUERY && !query->dns.control && !observation_is_of_decision(query) &&
		    text_equal(query->dns.name, view->name) && answers_with(query, address) &&
		    !(but_not && answers_with(query, but_not)))
			return query;
	}
	return NULL;
}

/* An address that only a DNS server gave, not the system's own lookup, and that works; NULL: none. */
static const struct tried *working_contrast(const struct view *view)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (tried->attempt->found_by == FOUND_BY_SERVER && !tried->judged && !tried->cut &&
		    tried->broke == STAGE_NONE)
			return tried;
	}
	return NULL;
}

/** No address that this server uses works, and one that another configured server gives does: the first of them gives wrong ones. */
bool rule_dns_other_servers_address_works(const struct view *view, struct verdict *out)
{
	const struct tried *contrast = working_contrast(view);
	if (view->proxied || !contrast || view_works(view))
		return false;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!tried_failed(tried))
			continue;
		const struct observation *wrong = query_with(view, tried->attempt->address, contrast->attempt->address);
		if (!wrong)
			continue;
		verdict_set(view, out, "dns_servers_disagree", 0.8);
		verdict_add_evidence(view, out, wrong);
		verdict_add_evidence(view, out, query_with(view, contrast->attempt->address, NULL));
		verdict_add_evidence(view, out, tried_ended_by(tried));
		verdict_add_evidence(view, out, tried_ended_by(contrast));
		return true;
	}
	return false;
}

static bool first_server_is_dead(const struct dns_view *dns)
{
	return dns->count > 1 && !dns->servers[0].control && dns->servers[0].outcome == DNS_SILENT &&
	       dns_any(dns, DNS_SAYS_ADDRESS);
}

static bool dead_first(const struct view *view, struct verdict *out, const struct dns_view *dns, double confidence)
{
	verdict_set(view, out, "dns_first_server_dead_slow", confidence);
	verdict_add_evidence(view, out, dns->servers[0].shown);
	verdict_add_evidence(view, out, dns->lookup);
	return true;
}

/* The system's own lookup gave up while it waited for the first server. */
bool rule_dns_first_server_dead(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	return broken(view, &dns) && first_server_is_dead(&dns) && dead_first(view, out, &dns, 0.8);
}

bool rule_dns_first_server_dead_slow(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	if (!first_server_is_dead(&dns) || !dns.lookup || dns.lookup->duration_us < SLOW_LOOKUP_US)
		return false;
	return dead_first(view, out, &dns, 0.9);
}
