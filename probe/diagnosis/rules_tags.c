/* Table D: addresses that the file of service tags does not know for the name. */

#include "probe/core/arena.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/tag_view.h"

/* Somebody else's certificate. One that is only too old says nothing of where it is. */
static bool is_foreign(const struct view *view, const struct tried *tried)
{
	return tried->tls && tried->tls->tls.chain_count &&
	       (tried->tls->failure == FAILURE_SSL_UNKNOWN_AUTHORITY ||
		tried->tls->failure == FAILURE_SSL_INVALID_HOSTNAME ||
		tls_root_is_foreign(view->report, &tried->tls->tls));
}

/* Every address that was tried is in no tag of the file at all, and somebody else answers at one of them. */
static bool is_a_stranger(const struct view *view)
{
	bool found = false;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		const struct observation *fact = tag_fact(view, tried->attempt->address);
		if (!tried->judged || tried->cut)
			continue;
		if (!fact || fact->fact.values.count || !tags_deny(view, tried->attempt->address))
			return false;
		found |= is_foreign(view, tried);
	}
	return found;
}

/* Has the file the addresses of some other target of this run? Else it may be another cloud's. */
static bool file_fits(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++)
		for (size_t k = 0; k < view->all[i].tried_count; k++)
			if (tags_hold(&view->all[i], view->all[i].tried[k].attempt->address))
				return true;
	return false;
}

/* Do the configured servers give addresses, and only such as the tags do not have for the name; and what does the control give? */
static bool all_outside(const struct view *view, const struct dns_view *dns, bool *control)
{
	bool any = false;
	*control = false;
	for (size_t i = 0; i < dns->count; i++) {
		const struct dns_server *server = &dns->servers[i];
		if (server->control)
			*control = tags_hold_server(view, server);
		else if (server->outcome == DNS_SAYS_ADDRESS && !tags_deny_server(view, server))
			return false;
		any |= !server->control && server->outcome == DNS_SAYS_ADDRESS;
	}
	return any;
}

/**
 * Is the name sent to an address that is not the service's?
 *
 * Holds     when every address that the configured servers give is in none of the documented tags, nothing works there, and either the control
 *           gives documented ones, or somebody else's certificate is shown at an address of no tag at all, while the file knows other targets.
 * Abstains  on silence alone: the file may be older than the address.
 */
bool rule_dns_sent_outside_tags(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	bool control;
	dns_view_make(view, view->name, &dns);
	if (view_works(view) || !all_outside(view, &dns, &control) ||
	    !(control || (is_a_stranger(view) && file_fits(view))))
		return false;
	verdict_set(view, out, "dns_sinkholed", control ? 0.85 : 0.75);
	dns_add_evidence(view, out, &dns, DNS_SAYS_ADDRESS);
	for (size_t i = 0; i < dns.count; i++)
		tags_add_evidence(view, out, &dns.servers[i]);
	if (!control)
		verdict_add_not_run(view, out, "the same name at a resolver outside (--control-resolver)");
	return true;
}

/* The first address that this server used for the target and that is so. */
static const char *used_address(const struct view *view, bool (*is)(const struct view *view, const char *address))
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (view->tried[i].judged && is(view, view->tried[i].attempt->address))
			return view->tried[i].attempt->address;
	return NULL;
}

/** An address outside the tags supports whatever else is wrong; alone it is no failure. */
bool rule_dns_outside_tags(const struct view *view, struct verdict *out)
{
	const char *address = used_address(view, tags_deny);
	if (!address)
		return false;
	out->status = STATUS_PASS;
	verdict_add_also(view, out,
			 arena_printf(view->report->arena, "%s: the answer may have been rewritten",
				      tags_in_words(view, address)));
	for (size_t i = 0; i < view->tried_count && view->status != STATUS_PASS; i++)
		if (view->tried[i].judged && tags_deny(view, view->tried[i].attempt->address))
			verdict_add_evidence(view, out, tag_fact(view, view->tried[i].attempt->address));
	return true;
}

/** The service proves to stand at an address that the tags do not have. */
bool rule_dns_tags_older(const struct view *view, struct verdict *out)
{
	const char *address = used_address(view, tags_are_older);
	if (!address)
		return false;
	out->status = STATUS_PASS;
	verdict_add_also(view, out,
			 arena_printf(view->report->arena,
				      "%s, and the service proves to be there: the file is older than the service",
				      tags_in_words(view, address)));
	return true;
}
