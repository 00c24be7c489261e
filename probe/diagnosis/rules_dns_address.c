/* Table D: addresses that no service in the internet can have. */

#include <string.h>

#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/tag_view.h"

/* Do all configured servers that answer send such addresses and nothing public? Evidence is theirs and the control's, and
 * what the service tags say of these addresses. */
static bool all_send(const struct view *view, struct verdict *out, const char *cause, const struct dns_view *dns,
		     bool (*odd)(const struct dns_server *server))
{
	bool any = false, contrast = false;
	for (size_t i = 0; i < dns->count; i++) {
		const struct dns_server *server = &dns->servers[i];
		contrast |= server->control && server->sends_public;
		if (server->control || server->outcome != DNS_SAYS_ADDRESS)
			continue;
		if (!odd(server) || server->sends_public)
			return false;
		any = true;
	}
	if (!any)
		return false;
	bool documented = tags_document(view);
	verdict_set(view, out, cause, contrast ? 0.9 : documented ? 0.8 : 0.7);
	dns_add_evidence(view, out, dns, DNS_SAYS_ADDRESS);
	for (size_t i = 0; i < dns->count && documented; i++)
		tags_add_evidence(view, out, &dns->servers[i]);
	if (!contrast)
		verdict_add_not_run(view, out, "the same name at a resolver outside (--control-resolver)");
	return true;
}

static bool sends_sink(const struct dns_server *server)
{
	return server->sends_sink;
}

static bool sends_private(const struct dns_server *server)
{
	return server->sends_private && !server->private_link;
}

bool rule_dns_sinkholed(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	return dns.name && strcmp(dns.name, "localhost") != 0 && all_send(view, out, "dns_sinkholed", &dns, sends_sink);
}

/* For a service that has no private endpoints, no alias makes a private address right. */
static bool sends_private_by_any_alias(const struct dns_server *server)
{
	return server->sends_private;
}

/* Is it a public service's name, for which a private address is odd: one that a set describes as a service, or by an allow-list rule?
 * A host that somebody gave by hand may well live inside. */
static bool is_public_service(const struct target *target)
{
	bool has_rule = target->rule && target->host && strcmp(target->rule, target->host) != 0;
	return has_rule || (target->service && strcmp(target->service, "other") != 0);
}

bool rule_dns_rewritten_private(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	bool inside = dns_control(&dns) == DNS_SAYS_ADDRESS ? false : !is_public_service(view->target);
	for (size_t i = 0; i < dns.count; i++)
		inside |= dns.servers[i].control && dns.servers[i].sends_private;
	inside |= private_endpoint_is(view, "expected");
	bool is_sign_in = text_equal(view->target->service, "entra");
	return dns.name && !view->proxied && !inside &&
	       all_send(view, out, "dns_rewritten_private", &dns,
			is_sign_in ? sends_private_by_any_alias : sends_private);
}

bool rule_dns_aaaa_only_no_v6(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	dns_view_make(view, view->name, &dns);
	if (view->broke != STAGE_TCP || view_has_ipv6(view) || !dns_all(&dns, DNS_SAYS_ADDRESS))
		return false;
	for (size_t i = 0; i < dns.count; i++)
		if (dns.servers[i].sends_ipv4)
			return false;
	verdict_set(view, out, "dns_aaaa_only_no_v6", 0.9);
	dns_add_evidence(view, out, &dns, DNS_SAYS_ADDRESS);
	return true;
}
