#include "probe/diagnosis/view.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/text.h"
#include "probe/core/url.h"
#include "probe/diagnosis/dns_view.h"

enum { HOST_PORT_BYTES = 300 }; /* the longest name of DNS, brackets and a port, and some room */

bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (text_equal(text, *list))
			return true;
	return false;
}

bool text_is_ipv6(const char *text)
{
	struct address address;
	return address_parse(text, &address) && address.family == 6;
}

const char *host_port_text(struct arena *arena, const char *host, int port)
{
	char *text = arena_alloc(arena, HOST_PORT_BYTES);
	return host_port_format(host, port, text, HOST_PORT_BYTES);
}

bool is_https(const struct target *target)
{
	return target->url && strncasecmp(target->url, "https:", 6) == 0;
}

bool is_ncsi(const struct target *target)
{
	return target->expect.body && target->url && !is_https(target);
}

bool tried_failed(const struct tried *tried)
{
	return tried->judged && !tried->cut && tried->broke != STAGE_NONE;
}

bool route_script_not_run(const struct route *route)
{
	return text_equal(route->error, "no_sandbox");
}

bool view_works(const struct view *view)
{
	return view->status == STATUS_PASS || view->status == STATUS_WARN;
}

const struct tried *view_broken_at(const struct view *view, enum stage stage)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && view->tried[i].broke == stage)
			return &view->tried[i];
	return NULL;
}

const struct view *view_peer(const struct view *view, enum identity_id identity, enum route_kind kind)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other != view && other->target == view->target && other->path->identity == identity &&
		    other->path->route.kind == kind)
			return other;
	}
	return NULL;
}

bool view_same_proxy(const struct view *a, const struct view *b)
{
	return a->proxied && b->proxied && a->via.scheme == b->via.scheme && a->via.port == b->via.port &&
	       strcasecmp(a->via.host, b->via.host) == 0;
}

/* A byte of TLS or an answer that came from behind the proxy. What the socket received does not tell: the reply to CONNECT is in it. */
static bool tried_came_through(const struct tried *tried)
{
	const struct tls_handshake *tls = tried->tls ? &tried->tls->tls : NULL;
	if (tried->elsewhere)
		return false;
	if (tls && (tls->progress > TLS_HELLO_SENT || tls->plain_reply || tls->alert >= 0))
		return true;
	return tried->http && tried->broke == STAGE_NONE;
}

bool view_proxy_carried_other(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other == view || !view_same_proxy(view, other))
			continue;
		for (size_t k = 0; k < other->tried_count; k++)
			if (tried_came_through(&other->tried[k]))
				return true;
	}
	return false;
}

bool view_address_proven(const struct view *view, const char *address)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; address && i < list->count; i++) {
		const struct observation *observation = list->items[i];
		if (observation->op != OP_TLS_HANDSHAKE || !text_equal(observation->tls.tuple.dst, address) ||
		    observation_is_of_decision(observation))
			continue;
		if (tls_is_proven(view->report, observation) && text_equal(observation->tls.peer, "target"))
			return true;
	}
	return false;
}

struct observation *view_fact_observation(const struct view *view, const char *fact, const char *subject)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct local_fact *one = &list->items[i]->fact;
		if (list->items[i]->op != OP_LOCAL_FACT || !text_equal(one->fact, fact))
			continue;
		if (!subject || (one->subject && strcasecmp(one->subject, subject) == 0))
			return list->items[i];
	}
	return NULL;
}

const struct local_fact *view_fact(const struct view *view, const char *fact, const char *subject)
{
	const struct observation *observation = view_fact_observation(view, fact, subject);
	return observation ? &observation->fact : NULL;
}

const struct proxy_setting *report_setting(const struct report *report, enum identity_id identity, enum route_kind kind)
{
	for (size_t i = 0; i < report->identity_count; i++) {
		const struct identity *one = &report->identities[i];
		if (one->id != identity)
			continue;
		switch (kind) {
		case ROUTE_WININET:
			return one->wininet;
		case ROUTE_WINHTTP:
			return one->winhttp;
		case ROUTE_AGENT:
			return one->agent;
		case ROUTE_ENV:
			return one->env;
		case ROUTE_DIRECT:
		case ROUTE_PROXY:
			return NULL;
		}
	}
	return NULL;
}

const struct proxy_setting *view_setting(const struct view *view, enum identity_id identity, enum route_kind kind)
{
	return report_setting(view->report, identity, kind);
}

static bool is_global_ipv6(const char *text)
{
	struct address address;
	return address_parse(text, &address) && address.family == 6 && !address_is_loopback(&address) &&
	       !address_is_link_local(&address);
}

static bool report_has_global_ipv6(const struct report *report)
{
	bool looked = false;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *observation = report->observations.items[i];
		if (observation->op != OP_LOCAL_FACT || !text_equal(observation->fact.fact, "interface"))
			continue;
		looked = true;
		for (size_t k = 0; k < observation->fact.values.count; k++)
			if (text_equal(observation->fact.state, "up") &&
			    is_global_ipv6(observation->fact.values.items[k]))
				return true;
	}
	return !looked;
}

bool view_has_ipv6(const struct view *view)
{
	const struct local_fact *route = view_fact(view, "default_route", "ipv6");
	return report_has_global_ipv6(view->report) && !(route && text_equal(route->state, "absent"));
}

/* ------------------------------------------------------------------ proof of origin, healthy answers */

bool tls_root_is_foreign(const struct report *report, const struct tls_handshake *tls)
{
	if (!tls->root_sha256 || tls->root_service)
		return false;
	return report->run.service_roots_given || !tls->root_public;
}

bool tls_is_proven(const struct report *report, const struct observation *tls)
{
	return tls && tls->failure == FAILURE_NONE && tls->tls.root_sha256 && !tls_root_is_foreign(report, &tls->tls);
}

/* The service's headers, as the target names them; where it names none, those that only Azure's services send. */
static bool has_service_header(const struct target *target, const struct header_list *headers)
{
	for (size_t k = 0; !target->expect.headers.count && k < headers->count; k++)
		if (strncasecmp(headers->items[k].name, "x-ms-", 5) == 0)
			return true;
	for (size_t i = 0; i < target->expect.headers.count; i++)
		for (size_t k = 0; k < headers->count; k++)
			if (strcasecmp(headers->items[k].name, target->expect.headers.items[i]) == 0)
				return true;
	return false;
}

bool tried_proves_origin(const struct view *view, const struct tried *tried)
{
	return tried->http && tls_is_proven(view->report, tried->tls) &&
	       has_service_header(view->target, &tried->http->http.headers);
}

const char *http_location_host(const struct view *view, const struct http_exchange *http)
{
	struct url url;
	const char *location = header_find(&http->headers, "location");
	return location && url_parse(view->report->arena, location, &url) ? url.host : NULL;
}

bool host_is_listed(const struct view *view, const char *host)
{
	const struct report *report = view->report;
	for (size_t i = 0; i < report->target_count; i++)
		if (report->targets[i]->host && strcasecmp(report->targets[i]->host, host) == 0)
			return true;
	for (size_t i = 0; i < report->run.allow_rules.count; i++)
		if (rule_matches_host(report->run.allow_rules.items[i], host))
			return true;
	return false;
}

static bool status_is_expected(const struct expect *expect, int status)
{
	for (size_t i = 0; i < expect->status_count; i++)
		if (expect->status[i] == status)
			return true;
	return false;
}

size_t http_redirects(const struct tried *tried)
{
	const struct observation_list *list = &tried->attempt->observations;
	size_t hops = 0;
	for (size_t i = 0; i < list->count; i++)
		hops += list->items[i]->op == OP_HTTP_EXCHANGE && list->items[i]->http.status / 100 == 3;
	return hops;
}

/* A page, not a file, and one in the words of a filter. */
static bool is_filters_page(const struct http_exchange *http)
{
	static const char *const words[] = {"access denied", "has been blocked", "is blocked", "page blocked",
					    "blocked by",    "fortiguard",	 "zscaler",    "palo alto",
					    "blue coat",     "sophos",		 "barracuda",  "cisco umbrella",
					    "forcepoint",    "websense",	 "check point"};
	const char *type = header_find(&http->headers, "content-type");
	bool is_page = http->body_head &&
		       ((type && text_find_nocase(type, "html")) || text_find_nocase(http->body_head, "<html"));
	for (size_t i = 0; is_page && i < sizeof(words) / sizeof(words[0]); i++)
		if (text_find_nocase(http->body_head, words[i]))
			return true;
	return false;
}

/* Without a list of statuses. On plain HTTP nothing proves an origin: there a redirect away is no healthy answer, and of the errors only
 * those that a server gives for a bare "/" and a filter does not. */
static bool status_is_plausible(const struct view *view, const struct tried *tried)
{
	const struct http_exchange *http = &tried->http->http;
	const char *away = http_location_host(view, http);
	if (tls_is_proven(view->report, tried->tls))
		return http->status < 400 ||
		       (http->status < 500 && http->status != 429 &&
			(tried_proves_origin(view, tried) || !view->target->expect.headers.count));
	if (http->status >= 300 && http->status < 400)
		return !away || host_is_listed(view, away);
	if (http->status < 300)
		return !is_filters_page(http);
	return !view->proxied && (http->status == 400 || http->status == 404);
}

bool http_is_healthy(const struct view *view, const struct tried *tried)
{
	const struct expect *expect = &view->target->expect;
	if (!tried->http || tried->http->failure != FAILURE_NONE)
		return false;
	if (expect->body && !tried->http->http.body_matches)
		return false;
	if (tried->http->http.status / 100 == 3 && http_redirects(tried) > HTTP_HOPS_MAX)
		return false;
	return expect->status_count ? status_is_expected(expect, tried->http->http.status)
				    : status_is_plausible(view, tried);
}
