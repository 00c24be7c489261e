/* Taking the paths of a report apart: which attempts count, where each one broke, and what that makes of the path. */

#include "probe/diagnosis/view.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/range_view.h"
#include "probe/diagnosis/ways.h"

static bool was_cut(enum failure failure)
{
	return failure == FAILURE_DEADLINE || failure == FAILURE_INTERRUPTED;
}

/* Sign-ins are part of the way; every other experiment is contrast. */
static bool is_baseline(const struct observation *observation)
{
	return !observation->experiment || strcmp(observation->experiment, "proxy_credentials") == 0;
}

static size_t last_connection(const struct observation_list *list)
{
	size_t last = 0;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_TCP_CONNECT && is_baseline(list->items[i]))
			last = i;
	return last;
}

static void take_apart(struct tried *tried)
{
	const struct observation_list *list = &tried->attempt->observations;
	for (size_t i = last_connection(list); i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (text_equal(one->experiment, "bare_connect"))
			tried->bare = one;
		if (!is_baseline(one))
			continue;
		if (one->op == OP_TCP_CONNECT)
			tried->tcp = one;
		else if (one->op == OP_PROXY_EXCHANGE)
			tried->proxy = one;
		else if (one->op == OP_TLS_HANDSHAKE && text_equal(one->tls.peer, "proxy"))
			tried->proxy_tls = one;
		else if (one->op == OP_TLS_HANDSHAKE)
			tried->tls = one;
		else if (one->op == OP_HTTP_EXCHANGE)
			tried->http = one;
	}
}

static bool failed(const struct observation *observation)
{
	return observation && observation->failure != FAILURE_NONE;
}

/* The stage that was due next when the attempt ended with a failure that no observation shows. */
static enum stage stage_due(const struct view *view, const struct tried *tried)
{
	if (!tried->tcp)
		return STAGE_TCP;
	if (view->proxied && !tried->proxy)
		return STAGE_PROXY;
	return is_https(view->target) && !tried->tls ? STAGE_TLS : STAGE_HTTP;
}

static enum stage stage_broken(const struct view *view, const struct tried *tried)
{
	/* whatever answered a SYN at a sampled address proves the way there; nobody promised a listener */
	bool answered =
		tried->attempt->failure == FAILURE_CONNECTION_REFUSED && tried->tcp && !tried->tcp->tcp.icmp.from;
	if (view->target->kind == TARGET_CIDR && answered)
		return STAGE_NONE;
	if (failed(tried->tcp))
		return STAGE_TCP;
	if (failed(tried->proxy_tls) || failed(tried->proxy))
		return STAGE_PROXY;
	if (failed(tried->tls) || (tried->tls && tls_root_is_foreign(view->report, &tried->tls->tls)))
		return STAGE_TLS;
	if (failed(tried->http) || (tried->http && !http_is_healthy(view, tried)))
		return STAGE_HTTP;
	bool unasked = view->target->kind == TARGET_URL && !tried->http;
	return unasked || tried->attempt->failure != FAILURE_NONE ? stage_due(view, tried) : STAGE_NONE;
}

const struct observation *tried_ended_by(const struct tried *tried)
{
	const struct observation_list *list = &tried->attempt->observations;
	switch (tried->broke) {
	case STAGE_TCP:
		return tried->tcp;
	case STAGE_PROXY:
		return failed(tried->proxy_tls) ? tried->proxy_tls : tried->proxy ? tried->proxy : tried->tcp;
	case STAGE_TLS:
		return tried->tls ? tried->tls : tried->tcp;
	case STAGE_HTTP:
		return tried->http ? tried->http : tried->tls ? tried->tls : tried->tcp;
	case STAGE_NONE:
	case STAGE_HOST:
	case STAGE_SETTINGS:
	case STAGE_DNS:
		break;
	}
	return list->count ? list->items[list->count - 1] : NULL;
}

/* ------------------------------------------------------------------ the path */

static bool has_system_lookup(const struct view *view)
{
	for (size_t i = 0; view->name && i < view->report->observations.count; i++) {
		const struct observation *one = view->report->observations.items[i];
		if (one->op == OP_SYSTEM_LOOKUP && !observation_is_of_decision(one) &&
		    text_equal(one->lookup.name, view->name))
			return true;
	}
	return false;
}

/* IPv6 that this machine does not have is no fault while there is IPv4. */
static bool is_ipv6_without_way(const struct tried *tried)
{
	enum failure failure = tried->attempt->failure;
	return text_is_ipv6(tried->attempt->address) &&
	       (failure == FAILURE_NETWORK_UNREACHABLE || failure == FAILURE_ADDRESS_NOT_AVAILABLE) &&
	       !(tried->tcp && tried->tcp->tcp.icmp.from);
}

static void excuse_ipv6(struct view *view)
{
	bool has_ipv4 = false;
	for (size_t i = 0; i < view->tried_count; i++)
		has_ipv4 |= view->tried[i].judged && !text_is_ipv6(view->tried[i].attempt->address);
	if (!has_ipv4 || view_has_ipv6(view))
		return;
	for (size_t i = 0; i < view->tried_count; i++)
		if (is_ipv6_without_way(&view->tried[i]))
			view->tried[i].judged = false;
}

/* Where several are to be tried in turn: was it at another entry than the one that the path went by? */
static bool went_another_way(const struct view *view, const struct attempt *attempt)
{
	struct via tried, taken;
	struct arena *arena = view->report->arena;
	if (!attempt->via || !via_parse(arena, attempt->via, &tried) ||
	    !via_parse(arena, view->path->route.via, &taken))
		return false;
	return tried.scheme != taken.scheme || tried.port != taken.port ||
	       strcasecmp(tried.host ? tried.host : "", taken.host ? taken.host : "") != 0;
}

static void try_all(struct view *view)
{
	bool by_server_counts = !has_system_lookup(view);
	const struct path *path = view->path;
	view->tried_count = path->attempt_count;
	view->tried = arena_alloc(view->report->arena, (path->attempt_count + 1) * sizeof(*view->tried));
	for (size_t i = 0; i < path->attempt_count; i++) {
		struct tried *tried = &view->tried[i];
		tried->attempt = path->attempts[i];
		take_apart(tried);
		tried->elsewhere = went_another_way(view, tried->attempt) || route_script_not_run(&view->path->route);
		tried->judged = (tried->attempt->found_by != FOUND_BY_SERVER || by_server_counts) && !tried->elsewhere;
		tried->cut = was_cut(tried->attempt->failure);
		tried->broke = stage_broken(view, tried);
	}
	excuse_ipv6(view);
}

static void count_all(struct view *view)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!tried->judged)
			continue;
		if (tried->cut) {
			view->cut++;
			continue;
		}
		view->judged++;
		if (tried->broke == STAGE_NONE)
			view->works++;
		else if (view->broke == STAGE_NONE || tried->broke < view->broke)
			view->broke = tried->broke;
	}
}

/* Was anything looked up or tried for this path that was not cut short? */
static bool lookup_was_cut(const struct view *view)
{
	const char *name = view->name ? view->name : view->target_name;
	for (size_t i = 0; name && i < view->report->observations.count; i++) {
		const struct observation *one = view->report->observations.items[i];
		bool about = (one->op == OP_SYSTEM_LOOKUP && text_equal(one->lookup.name, name)) ||
			     (one->op == OP_DNS_QUERY && text_equal(one->dns.name, name));
		if (about && !observation_is_of_decision(one) && was_cut(one->failure))
			return true;
	}
	return false;
}

static bool is_decided(const struct view *view)
{
	struct via via;
	return via_parse(view->report->arena, view->path->route.via, &via) && !route_script_not_run(&view->path->route);
}

static void judge(struct view *view)
{
	if (view->judged + view->cut == 0) {
		bool cut = lookup_was_cut(view);
		bool looked_up = (view->name || view->target_name) && is_decided(view);
		view->broke = !is_decided(view) ? STAGE_SETTINGS : looked_up ? STAGE_DNS : STAGE_NONE;
		view->status = looked_up && !cut ? STATUS_FAIL : STATUS_INCONCLUSIVE;
	} else if (view->works) {
		view->status = view->works == view->judged ? STATUS_PASS : STATUS_WARN;
	} else {
		view->status = view->cut ? STATUS_INCONCLUSIVE : STATUS_FAIL;
	}
}

/* ------------------------------------------------------------------ ranges */

static bool answered_inside(const struct prefix *prefix, const struct tried *tried)
{
	struct address address;
	if (!tried->tcp || !address_parse(tried->attempt->address, &address) || !prefix_contains(prefix, &address))
		return false;
	return tried->tcp->failure == FAILURE_NONE ||
	       (tried->tcp->failure == FAILURE_CONNECTION_REFUSED && !tried->tcp->tcp.icmp.from);
}

/* Does some direct path of the report, this one's samples too, hear anybody inside? */
static bool range_answers(const struct view *view, const struct prefix *prefix)
{
	for (size_t i = 0; i < view->all_count; i++)
		for (size_t k = 0; !view->all[i].proxied && k < view->all[i].tried_count; k++)
			if (answered_inside(prefix, &view->all[i].tried[k]))
				return true;
	return false;
}

/* Silence is no fault where nobody is known to listen; what is said aloud (an ICMP error, this machine's refusal) is. */
static bool range_is_refused(const struct view *view)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && view->tried[i].attempt->failure != FAILURE_TIMEOUT)
			return true;
	return false;
}

static void judge_range(struct view *view)
{
	struct prefix prefix;
	if (view->sweep && !view->proxied) {
		view->status = sweep_status(view->sweep);
		view->broke = view->status == STATUS_PASS ? STAGE_NONE : STAGE_TCP;
	} else if (view->proxied || !view->target->cidr || !prefix_parse(view->target->cidr, &prefix)) {
		view->status = STATUS_INCONCLUSIVE;
		view->broke = STAGE_NONE;
	} else if (range_answers(view, &prefix)) {
		view->status = STATUS_PASS;
		view->broke = STAGE_NONE;
	} else {
		view->status = range_is_refused(view) ? STATUS_FAIL : STATUS_INCONCLUSIVE;
	}
}

/* ------------------------------------------------------------------ building */

static const char *name_or_null(const char *host)
{
	struct address address;
	return !host || address_parse(host, &address) ? NULL : host;
}

static const struct identity *identity_of(const struct report *report, enum identity_id id)
{
	for (size_t i = 0; i < report->identity_count; i++)
		if (report->identities[i].id == id)
			return &report->identities[i];
	return NULL;
}

static void view_build(struct view *view, struct report *report, const struct path *path)
{
	view->report = report;
	view->path = path;
	view->target = path->target;
	view->sweep = sweep_of(report, path->target);
	view->identity = identity_of(report, path->identity);
	if (!via_parse(report->arena, path->route.via, &view->via))
		view->via = (struct via){.scheme = VIA_DIRECT, .port = NOT_MEASURED};
	view->proxied = view->via.scheme != VIA_DIRECT;
	if (path->target->kind != TARGET_CIDR)
		view->name = name_or_null(view->proxied ? view->via.host : path->target->host);
	if (view->via.scheme == VIA_SOCKS4 || view->via.scheme == VIA_SOCKS5)
		view->target_name = name_or_null(path->target->host);
	try_all(view);
	count_all(view);
	judge(view);
}

struct view *view_all(struct report *report)
{
	struct view *views = arena_alloc(report->arena, (report->path_count + 1) * sizeof(*views));
	for (size_t i = 0; i < report->path_count; i++) {
		view_build(&views[i], report, report->paths[i]);
		views[i].all = views;
		views[i].all_count = report->path_count;
	}
	for (size_t i = 0; i < report->path_count; i++)
		if (views[i].target->kind == TARGET_CIDR)
			judge_range(&views[i]);
	ways_find(report, views);
	return views;
}
