/* What a cause is about: findings are grouped by it. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/diagnosis/bypass_form.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/parts.h"
#include "probe/diagnosis/range_view.h"
#include "probe/diagnosis/revocation.h"
#include "probe/diagnosis/transparent.h"

static struct subject this_host(const struct view *view)
{
	return (struct subject){SUBJECT_HOST, view->report->host.name ? view->report->host.name : "this server"};
}

static struct subject the_name(const struct view *view, const char *name)
{
	if (view->target->kind == TARGET_CIDR)
		return (struct subject){SUBJECT_PREFIX, view->target->cidr};
	return (struct subject){SUBJECT_NAME, name ? name : view->target->name};
}

static struct subject the_proxy(const struct view *view)
{
	struct transparent found;
	if (!view->via.host && transparent_find(view, &found) && found.name)
		return (struct subject){SUBJECT_PROXY, found.name};
	if (!view->via.host)
		return this_host(view);
	return (struct subject){SUBJECT_PROXY, host_port_text(view->report->arena, view->via.host, view->via.port)};
}

/* ------------------------------------------------------------------ settings */

/* Of a setting that a local fact shows: where it stands, the last of the fact's values. */
static const char *place_in_evidence(const struct view *view)
{
	const struct observation_list *evidence = &view->path->verdict.evidence;
	const struct observation *one = evidence->count ? evidence->items[0] : NULL;
	if (!one || one->op != OP_LOCAL_FACT || !one->fact.values.count)
		return NULL;
	return one->fact.values.items[one->fact.values.count - 1];
}

/* The script's own address, where the evidence names it. */
static const char *script_in_evidence(const struct view *view)
{
	const struct observation_list *evidence = &view->path->verdict.evidence;
	for (size_t i = 0; i < evidence->count; i++) {
		const struct observation *one = evidence->items[i];
		if (one->op == OP_PROXY_SCRIPT && one->script.url)
			return one->script.url;
		if (one->op == OP_PROXY_DECISION && one->decision.script)
			return one->decision.script;
	}
	return NULL;
}

static const char *entry_that_never_matches(const struct view *view)
{
	const char *entry = bypass_entry_meant(view);
	return entry ? arena_printf(view->report->arena, "entry `%s` of the bypass list", entry) : NULL;
}

/* The first of the script's list, which did not let itself be reached. */
static struct subject the_first_proxy(const struct view *view)
{
	struct via via;
	const struct text_list *list = &view->path->route.list;
	bool known = list->count && via_parse(view->report->arena, list->items[0], &via) && via.host;
	return known ? (struct subject){SUBJECT_PROXY, host_port_text(view->report->arena, via.host, via.port)}
		     : the_proxy(view);
}

static struct subject the_wpad_name(const struct view *view)
{
	struct url url;
	const char *script = script_in_evidence(view);
	bool known = script && url_parse(view->report->arena, script, &url);
	return (struct subject){SUBJECT_NAME, known ? url.host : "wpad"};
}

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static struct subject the_setting(const struct view *view)
{
	const struct route *route = &view->path->route;
	const char *cause = view->path->verdict.cause;
	const struct proxy_setting *env = view_setting(view, IDENTITY_SYSTEM, ROUTE_ENV);
	const char *value = strcmp(cause, "cfg_bypass_sends_direct") == 0 ? route->rule : NULL;
	if (strcmp(cause, "cfg_pac_first_proxy_dead") == 0)
		return the_first_proxy(view);
	if (strcmp(cause, "cfg_wpad_hijacked") == 0)
		return the_wpad_name(view);
	if (begins(cause, "cfg_pac_"))
		value = script_in_evidence(view);
	if (strcmp(cause, "cfg_bypass_never_matches") == 0)
		value = entry_that_never_matches(view);
	if (strcmp(cause, "cfg_env_shadows_system") == 0 && env)
		value = env->location;
	if (begins(cause, "cfg_zone_"))
		value = place_in_evidence(view);
	if (!value)
		value = route->source;
	if (!value)
		value = arena_printf(view->report->arena, "%s proxy settings of %s", route_kind_text(route->kind),
				     identity_text(view->path->identity));
	return (struct subject){SUBJECT_SETTING, value};
}

/* ------------------------------------------------------------------ names */

static bool server_is_in_evidence(const struct verdict *verdict, const char *server)
{
	for (size_t i = 0; i < verdict->evidence.count; i++) {
		const struct observation *one = verdict->evidence.items[i];
		if (one->op == OP_DNS_QUERY && !one->dns.control && text_equal(one->dns.server, server))
			return true;
	}
	return false;
}

/* The servers of the evidence, in the order in which they are configured. */
static const char *servers_of(const struct view *view)
{
	const struct verdict *verdict = &view->path->verdict;
	const struct text_list *configured = &view->report->host.resolvers;
	struct strbuf text;
	strbuf_init(&text);
	for (size_t i = 0; i < configured->count; i++)
		if (server_is_in_evidence(verdict, configured->items[i]))
			strbuf_printf(&text, "%s%s", text.length ? ", " : "", configured->items[i]);
	for (size_t i = 0; !text.length && i < verdict->evidence.count; i++)
		if (verdict->evidence.items[i]->op == OP_DNS_QUERY && !verdict->evidence.items[i]->dns.control)
			strbuf_add(&text, verdict->evidence.items[i]->dns.server);
	const char *servers = text.length ? arena_strdup(view->report->arena, text.data) : NULL;
	strbuf_free(&text);
	return servers;
}

static const char *first_server(const struct view *view)
{
	const struct observation_list *evidence = &view->path->verdict.evidence;
	for (size_t i = 0; i < evidence->count; i++)
		if (evidence->items[i]->op == OP_DNS_QUERY)
			return evidence->items[i]->dns.server;
	return NULL;
}

/* Were several names asked for, and no configured server had an address of any? Then it is about no name. */
static bool servers_know_nothing(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	bool others = false;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op != OP_DNS_QUERY || one->dns.control || observation_is_of_decision(one))
			continue;
		if (one->failure == FAILURE_NONE && one->dns.answer_count)
			return false;
		others |= !text_equal(one->dns.name, view->name);
	}
	return others;
}

/* What stood behind the name that was looked up. */
static struct subject the_suffix(const struct view *view)
{
	const struct observation_list *evidence = &view->path->verdict.evidence;
	const struct observation *one = evidence->count ? evidence->items[0] : NULL;
	const char *host = one && one->paths.count ? one->paths.items[0]->target->host : NULL;
	bool known = host && one->op == OP_DNS_QUERY && strlen(one->dns.name) > strlen(host) + 1;
	return the_name(view, known ? one->dns.name + strlen(host) + 1 : view->name);
}

static struct subject the_resolver(const struct view *view)
{
	static const char *const about_names[] = {"dns_nxdomain_everywhere",  "dns_nodata",
						  "dns_privatelink_dead_end", "dns_privatelink_leaks_public",
						  "dns_privatelink_stale",    "dns_cname_hop_blocked",
						  "dns_aaaa_only_no_v6",      NULL};
	static const char *const about_all[] = {"dns_nxdomain_everywhere", "dns_nodata", NULL};
	static const char *const about_one_server[] = {"dns_servers_disagree", "dns_first_server_dead_slow", NULL};
	const char *cause = view->path->verdict.cause;
	if (strcmp(cause, "dns_no_servers") == 0)
		return this_host(view);
	if (strcmp(cause, "dns_suffix_appended_capture") == 0)
		return the_suffix(view);
	if (text_is_one_of(cause, about_names) && !(text_is_one_of(cause, about_all) && servers_know_nothing(view)))
		return the_name(view, view->name);
	const char *servers = text_is_one_of(cause, about_one_server) ? first_server(view) : servers_of(view);
	return servers ? (struct subject){SUBJECT_RESOLVER, servers} : the_name(view, view->name);
}

/* ------------------------------------------------------------------ connections, TLS, HTTP */

/* Do several targets break so, and none that goes the same way (with a port: to the same port) works? Then it is not about any name. */
static bool strikes_all(const struct view *view, bool same_port)
{
	size_t alike = 0;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other->proxied != view->proxied || !other->path->effective || other->target->kind == TARGET_CIDR ||
		    (same_port && other->target->port != view->target->port))
			continue;
		if (other->works)
			return false;
		alike += text_equal(other->path->verdict.cause, view->path->verdict.cause);
	}
	return alike > 1;
}

static bool strikes_everything(const struct view *view)
{
	return strikes_all(view, false) || strikes_all(view, true);
}

static bool attempt_is_to(const struct view *view, const char *address)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (text_equal(view->tried[i].attempt->address, address))
			return true;
	return false;
}

/* The hop that was heard last. Where not even the first one was: the one that others reach. */
static const char *hop_of(const struct view *view)
{
	const struct place *at = &view->path->verdict.at;
	if (at->hop == 0)
		return at->first_silent;
	return at->last_heard || at->hop < 0 ? at->last_heard : arena_printf(view->report->arena, "hop %d", at->hop);
}

/* The part of the range that is struck. */
static struct subject the_range(const struct view *view)
{
	enum { SHOWN = 8 };
	struct arena *arena = view->report->arena;
	struct text_list struck = range_struck(arena, view->sweep);
	const char *text = NULL;
	for (size_t i = 0; i < struck.count && i < SHOWN; i++)
		text = text ? arena_printf(arena, "%s, %s", text, struck.items[i]) : struck.items[i];
	if (struck.count > SHOWN)
		text = arena_printf(arena, "%s and %zu more", text, struck.count - SHOWN);
	return (struct subject){SUBJECT_PREFIX, text ? text : view->target->cidr};
}

static struct subject the_way(const struct view *view)
{
	if (view->sweep && (text_equal(view->path->verdict.cause, "ip_acl_for_prefix") ||
			    text_equal(view->path->verdict.cause, "ip_range_fully_blocked")))
		return the_range(view);
	const struct verdict *verdict = &view->path->verdict;
	const char *hop = verdict->has_place ? hop_of(view) : NULL;
	bool about_name = text_equal(verdict->cause, "tcp_partial_address_block");
	if (hop && !about_name && !(verdict->at.hop == 0 && attempt_is_to(view, hop)))
		return (struct subject){SUBJECT_HOP, hop};
	if (view->proxied && view->broke == STAGE_TCP)
		return the_proxy(view);
	if (text_equal(verdict->cause, "ip_loss_high"))
		return this_host(view);
	return strikes_everything(view) ? this_host(view) : the_name(view, view->target->host);
}

static const char *issuer_in(const struct observation *one)
{
	if (one->op != OP_TLS_HANDSHAKE)
		return NULL;
	const struct tls_handshake *tls = &one->tls;
	if (tls->chain_count && tls->chain[0].issuer_cn)
		return tls->chain[0].issuer_cn;
	return tls->chain_count && tls->chain[0].issuer ? tls->chain[0].issuer : tls->root_subject;
}

static struct subject the_issuer(const struct view *view)
{
	const struct observation_list *evidence = &view->path->verdict.evidence;
	for (size_t i = 0; i < evidence->count; i++)
		if (issuer_in(evidence->items[i]))
			return (struct subject){SUBJECT_ISSUER, issuer_in(evidence->items[i])};
	return the_name(view, view->target->host);
}

static struct subject the_session(const struct view *view)
{
	const char *cause = view->path->verdict.cause;
	if (strncmp(cause, "tls_intercepted", sizeof("tls_intercepted") - 1) == 0 ||
	    strcmp(cause, "tls_self_signed_appliance") == 0)
		return the_issuer(view);
	if (strcmp(cause, "tls_revocation_blocked") == 0)
		return the_name(view, revocation_blocked_host(view));
	return strikes_everything(view) ? this_host(view) : the_name(view, view->target->host);
}

/* Where a page that is not the service's sends its visitors. */
static const char *redirect_host(const struct view *view)
{
	const struct observation_list *evidence = &view->path->verdict.evidence;
	for (size_t i = 0; i < evidence->count; i++) {
		const struct observation *one = evidence->items[i];
		const char *host = one->op == OP_HTTP_EXCHANGE ? http_location_host(view, &one->http) : NULL;
		if (host && !host_is_listed(view, host))
			return host;
	}
	return NULL;
}

static struct subject the_answer(const struct view *view)
{
	static const char *const by_others[] = {"http_block_page", "http_captive_portal",
						"http_redirect_loop_or_foreign", NULL};
	const char *cause = view->path->verdict.cause;
	if (strcmp(cause, "http_port80_only_blocked") == 0)
		return this_host(view);
	const char *elsewhere = text_is_one_of(cause, by_others) ? redirect_host(view) : NULL;
	if (!elsewhere && strikes_everything(view))
		return this_host(view);
	return the_name(view, elsewhere ? elsewhere : view->target->host);
}

struct subject subject_of(const struct view *view)
{
	switch (view->path->verdict.stage) {
	case STAGE_SETTINGS:
		return the_setting(view);
	case STAGE_DNS:
		return the_resolver(view);
	case STAGE_TCP:
		return the_way(view);
	case STAGE_PROXY:
		return the_proxy(view);
	case STAGE_TLS:
		return the_session(view);
	case STAGE_HTTP:
		return the_answer(view);
	case STAGE_NONE:
	case STAGE_HOST:
		break;
	}
	if (text_equal(view->path->verdict.cause, "host_hosts_file_override") ||
	    text_equal(view->path->verdict.cause, "host_nrpt_rule_redirects"))
		return the_name(view, view->name);
	return this_host(view);
}
