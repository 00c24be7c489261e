#include <string.h>
#include <strings.h>

#include "probe/core/text.h"
#include "probe/diagnosis/proxy_fault.h"
#include "probe/diagnosis/rules.h"

/*
 * Table A: HTTP. An answer is the service's own only with proof of origin; a proxy's page is table P's. What is left is a page that something on
 * the way put in place of the answer.
 */

/* What the proxy is known to have said itself is no other's page. */
static bool broke_at_http(const struct view *view, const struct tried *tried)
{
	return tried_failed(tried) && tried->broke == STAGE_HTTP && tried->http &&
	       proxy_fault_of(view, tried) == FAULT_NONE;
}

static bool has_answer(const struct view *view, const struct tried *tried)
{
	return broke_at_http(view, tried) && tried->http->failure == FAILURE_NONE;
}

static int status_of(const struct view *view, const struct tried *tried)
{
	return has_answer(view, tried) ? tried->http->http.status : NOT_MEASURED;
}

static bool is_redirect(int status)
{
	return status >= 300 && status < 400;
}

/* ------------------------------------------------------------------ NCSI */

/* A redirect to a page of the same name was followed, and is one all the same. */
static bool was_redirected(const struct tried *tried)
{
	const struct observation_list *list = &tried->attempt->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_HTTP_EXCHANGE && is_redirect(list->items[i]->http.status))
			return true;
	return false;
}

static bool is_captive(const struct view *view, const struct tried *tried)
{
	int status = status_of(view, tried);
	return status == 511 || (is_ncsi(view->target) && status != NOT_MEASURED && was_redirected(tried));
}

/** The probe is redirected, or 511 (RFC 6585 6): a portal wants a sign-in first. */
bool rule_http_captive_portal(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_captive_portal", 0.85, is_captive);
}

static bool is_cut(const struct view *view, const struct tried *tried)
{
	int status = status_of(view, tried);
	return is_ncsi(view->target) && status >= 200 && status < 300 && !is_captive(view, tried) &&
	       http_body_is_cut(view->target, &tried->http->http);
}

static bool is_altered(const struct view *view, const struct tried *tried)
{
	int status = status_of(view, tried);
	return is_ncsi(view->target) && status >= 200 && status < 300 && !is_captive(view, tried) &&
	       !is_cut(view, tried);
}

bool rule_http_ncsi_altered(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_ncsi_altered", 0.85, is_altered);
}

/** The probe's body began as it should, and did not come to its end. */
bool rule_http_body_cut(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_body_cut", 0.6, is_cut);
}

/* ------------------------------------------------------------------ redirects */

/* Was one URL of the attempt asked for twice? */
static bool asked_twice(const struct tried *tried)
{
	const struct observation_list *list = &tried->attempt->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *hop = list->items[i];
		if (hop->op != OP_HTTP_EXCHANGE || !is_redirect(hop->http.status) || !hop->http.url)
			continue;
		for (size_t k = 0; k < i; k++)
			if (list->items[k]->op == OP_HTTP_EXCHANGE &&
			    text_equal(list->items[k]->http.url, hop->http.url))
				return true;
	}
	return false;
}

/* What some exchange of this run was answered at that URL: the next one's address, or NULL. */
static const char *redirect_at(const struct report *report, const char *url)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_HTTP_EXCHANGE && is_redirect(one->http.status) && text_equal(one->http.url, url))
			return header_find(&one->http.headers, "location");
	}
	return NULL;
}

/* Other hosts are not followed, but those that are targets too say where they lead: perhaps back here. */
static bool comes_back(const struct view *view, const struct tried *tried)
{
	const char *start = tried->http->http.url;
	const char *at = header_find(&tried->http->http.headers, "location");
	for (size_t hops = 0; start && at && hops < HTTP_HOPS_MAX; hops++) {
		if (strcmp(at, start) == 0)
			return true;
		at = redirect_at(view->report, at);
	}
	return false;
}

static bool runs_in_circles(const struct view *view, const struct tried *tried)
{
	return asked_twice(tried) || http_redirects(tried) > HTTP_HOPS_MAX || comes_back(view, tried);
}

static bool is_services_redirect(const struct view *view, const struct tried *tried)
{
	if (!is_redirect(status_of(view, tried)) || runs_in_circles(view, tried) || !tried_proves_origin(view, tried))
		return false;
	const char *host = http_location_host(view, &tried->http->http);
	return host && !host_is_listed(view, host);
}

static bool leads_astray(const struct view *view, const struct tried *tried)
{
	if (!is_redirect(status_of(view, tried)) || is_captive(view, tried) || is_services_redirect(view, tried))
		return false;
	const char *host = http_location_host(view, &tried->http->http);
	return runs_in_circles(view, tried) || (host && !host_is_listed(view, host));
}

/** The service itself, proven, sends us to a host outside the opened list. */
bool rule_http_redirect_needs_unlisted_host(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_redirect_needs_unlisted_host", 0.7, is_services_redirect);
}

bool rule_http_redirect_loop_or_foreign(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_redirect_loop_or_foreign", 0.8, leads_astray);
}

/* ------------------------------------------------------------------ the service's own refusals */

static bool is_throttled(const struct view *view, const struct tried *tried)
{
	int status = status_of(view, tried);
	return (status == 429 || (status == 503 && header_find(&tried->http->http.headers, "retry-after"))) &&
	       tried_proves_origin(view, tried);
}

static bool is_service_5xx(const struct view *view, const struct tried *tried)
{
	return status_of(view, tried) >= 500 && tried_proves_origin(view, tried) && !is_throttled(view, tried);
}

static bool is_service_4xx(const struct view *view, const struct tried *tried)
{
	int status = status_of(view, tried);
	return status >= 400 && status < 500 && tried_proves_origin(view, tried) && !is_throttled(view, tried);
}

bool rule_http_service_throttled(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_service_throttled", 0.85, is_throttled);
}

bool rule_http_service_5xx(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_service_5xx", 0.85, is_service_5xx);
}

bool rule_http_service_4xx_policy(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_service_4xx_policy", 0.7, is_service_4xx);
}

/* ------------------------------------------------------------------ pages of others */

static bool is_filter_page(const struct http_exchange *http)
{
	static const char *const words[] = {"blocked",	  "block page", "access denied", "forbidden by", "policy",
					    "web filter", "url filter", "category",	 "fortiguard",	 "zscaler",
					    "blue coat",  "palo alto",	"sophos",	 "barracuda",	 "umbrella",
					    "forcepoint", "websense",	"check point"};
	for (size_t i = 0; http->body_head && i < sizeof(words) / sizeof(words[0]); i++)
		if (text_find_nocase(http->body_head, words[i]))
			return true;
	return false;
}

/* Nothing above explains it. */
static bool is_page(const struct view *view, const struct tried *tried)
{
	int status = status_of(view, tried);
	bool is_probe = is_ncsi(view->target) && status >= 200 && status < 400;
	return status != NOT_MEASURED && !is_probe && !is_captive(view, tried) && !leads_astray(view, tried) &&
	       !tried_proves_origin(view, tried);
}

static bool is_marked_page(const struct view *view, const struct tried *tried)
{
	return is_page(view, tried) && is_filter_page(&tried->http->http);
}

/* Under a verified chain of the service's only its own machines can write: there even a filter's words are no proof. */
static bool is_forged(const struct view *view, const struct tried *tried)
{
	return is_marked_page(view, tried) && !tls_is_proven(view->report, tried->tls);
}

/** An answer that the service would not give and that carries no proof of being its own. */
bool rule_http_block_page(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_block_page", 0.8, is_forged) ||
	       verdict_if_any(view, out, "http_block_page", 0.5, is_marked_page);
}

/** The same without a filter's words in it. */
bool rule_http_unproven_page(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_block_page", 0.5, is_page);
}

static bool is_no_http(const struct view *view, const struct tried *tried)
{
	return broke_at_http(view, tried) && tried->http->failure == FAILURE_HTTP_MALFORMED;
}

/** Something that is no HTTP came back: nearest to a page of somebody else. */
bool rule_http_malformed(const struct view *view, struct verdict *out)
{
	return verdict_if_any(view, out, "http_block_page", 0.3, is_no_http);
}

/* ------------------------------------------------------------------ no answer at all */

static bool is_reset(const struct view *view, const struct tried *tried)
{
	return broke_at_http(view, tried) &&
	       (tried->http->failure == FAILURE_CONNECTION_RESET || tried->http->failure == FAILURE_EOF);
}

static bool is_silent(const struct view *view, const struct tried *tried)
{
	return broke_at_http(view, tried) && tried->http->failure == FAILURE_TIMEOUT;
}

/* What we sent was never acknowledged: it may not have arrived. */
static bool is_unacknowledged(const struct view *view, const struct tried *tried)
{
	return is_silent(view, tried) && tried->tcp && tried->tcp->tcp.has_tcp_info &&
	       tried->tcp->tcp.tcp_info.unacked > 0;
}

static bool is_acknowledged(const struct view *view, const struct tried *tried)
{
	return is_silent(view, tried) && !is_unacknowledged(view, tried);
}

/* The answer of another host on the same kind of connection and the same kind of way; NULL: none. */
static const struct observation *other_host_answered(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		bool alike = other->proxied == view->proxied && is_https(other->target) == is_https(view->target);
		if (!alike || text_equal(other->target->host, view->target->host))
			continue;
		for (size_t k = 0; k < other->tried_count; k++)
			if (other->tried[k].judged && other->tried[k].broke == STAGE_NONE && other->tried[k].http)
				return other->tried[k].http;
	}
	return NULL;
}

/** RST or FIN right after the request bytes. With another host passing on the same kind of connection it is the name that was cut. */
bool rule_http_reset_on_request(const struct view *view, struct verdict *out)
{
	const struct observation *contrast = other_host_answered(view);
	if (!verdict_if_any(view, out, "http_reset_on_request", contrast ? 0.8 : 0.5, is_reset))
		return false;
	verdict_add_evidence(view, out, contrast);
	if (!contrast)
		verdict_add_not_run(view, out, "another Host on the same address");
	return true;
}

bool rule_http_silent_after_request(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "http_silent_after_request", 0.7, is_acknowledged))
		return false;
	verdict_add_not_run(view, out, "smaller segments");
	return true;
}

/** The request was not even acknowledged: the far end has not been heard to have it, so nothing is said against it. */
bool rule_http_unacknowledged(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "http_silent_after_request", 0.3, is_unacknowledged))
		return false;
	out->owner = OWNER_FIREWALL_TEAM;
	verdict_add_not_run(view, out, "smaller segments");
	return true;
}
