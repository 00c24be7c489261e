/* The failing flows of a finding, as a firewall's log knows them. */

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/diagnosis/parts.h"

enum { FLOWS_MAX = 1024 };

/* The flows of one finding, and the observations that they were made of: paths share what they saw, and it counts once. */
struct collection {
	struct report *report;
	struct finding *finding;
	const struct observation **seen;
	size_t seen_count, seen_capacity;
};

static bool same_tuple(const struct flow *flow, const struct tuple *tuple, const char *fqdn)
{
	return text_equal(flow->tuple.proto, tuple->proto) && text_equal(flow->tuple.src, tuple->src) &&
	       text_equal(flow->tuple.dst, tuple->dst) && flow->tuple.src_port == tuple->src_port &&
	       flow->tuple.dst_port == tuple->dst_port && text_equal(flow->fqdn, fqdn);
}

static struct flow *find(const struct finding *finding, const struct flow *flow)
{
	for (size_t i = 0; i < finding->flow_count; i++)
		if (same_tuple(&finding->flows[i], &flow->tuple, flow->fqdn))
			return &finding->flows[i];
	return NULL;
}

static void add_tries(struct flow *known, const struct flow *flow)
{
	known->attempts += flow->attempts;
	if (flow->first_at_ms < known->first_at_ms)
		known->first_at_ms = flow->first_at_ms;
	if (flow->last_at_ms > known->last_at_ms)
		known->last_at_ms = flow->last_at_ms;
}

static bool is_new(struct collection *all, const struct observation *observation)
{
	for (size_t i = 0; i < all->seen_count; i++)
		if (all->seen[i] == observation)
			return false;
	all->seen = arena_grow(all->report->arena, all->seen, &all->seen_capacity, all->seen_count, sizeof(*all->seen));
	all->seen[all->seen_count++] = observation;
	return true;
}

/* One row per 5-tuple: what was tried again on the same one is counted there. */
static void add(struct collection *all, const struct observation *observation, const struct flow *flow)
{
	struct finding *finding = all->finding;
	struct flow *known = find(finding, flow);
	if (!is_new(all, observation))
		return;
	if (known) {
		add_tries(known, flow);
		return;
	}
	if (finding->flow_count == FLOWS_MAX)
		return;
	finding->flows = arena_grow(all->report->arena, finding->flows, &finding->flow_capacity, finding->flow_count,
				    sizeof(*finding->flows));
	finding->flows[finding->flow_count++] = *flow;
}

/* The failure's word; an answer that is no failure of the wire goes by its status. */
static const char *outcome_of(struct report *report, const struct observation *observation)
{
	int status = observation->op == OP_HTTP_EXCHANGE    ? observation->http.status
		     : observation->op == OP_PROXY_EXCHANGE ? observation->proxy.status
							    : NOT_MEASURED;
	if (observation->failure != FAILURE_NONE && status == NOT_MEASURED)
		return failure_text(observation->failure);
	return status != NOT_MEASURED ? arena_printf(report->arena, "http_status_%d", status) : "answered";
}

/* What the wire carried for it: datagrams of a question, SYNs that got no answer, else one connection. */
static int packets_of(const struct observation *observation)
{
	if (observation->op == OP_DNS_QUERY)
		return observation->dns.tries > 0 ? observation->dns.tries : 1;
	const struct tcp_connect *tcp = observation->op == OP_TCP_CONNECT ? &observation->tcp : NULL;
	bool counted = tcp && observation->failure == FAILURE_TIMEOUT && tcp->has_tcp_info;
	return counted && tcp->tcp_info.retransmits > 0 ? 1 + tcp->tcp_info.retransmits : 1;
}

/* The name that TLS asks for on this flow, or would have asked for had it come so far; NULL: it is no TLS, or an address (RFC 6066 3). */
static const char *sni_of(const struct view *view, const struct observation *observation)
{
	struct address address;
	if (observation->op == OP_TLS_HANDSHAKE)
		return observation->tls.sni;
	bool to_proxy = view->proxied && observation->op != OP_HTTP_EXCHANGE;
	const char *host = to_proxy ? view->via.host : view->target->host;
	bool tls = to_proxy ? view->via.scheme == VIA_HTTPS : is_https(view->target);
	bool asks = observation->op != OP_DNS_QUERY && tls && host && !address_parse(host, &address);
	return asks ? host : NULL;
}

static struct flow flow_of(struct report *report, const struct view *view, const struct observation *observation)
{
	int64_t start_ms = report->run.started_at_ms + observation->start_us / 1000;
	struct flow flow = {
		.tuple = *observation_tuple(observation),
		.fqdn = view->proxied ? view->via.host : view->target->host,
		.sni = sni_of(view, observation),
		.first_at_ms = start_ms,
		.last_at_ms = start_ms + observation->duration_us / 1000,
		.attempts = packets_of(observation),
		.outcome = outcome_of(report, observation),
		.seen_from = "server",
	};
	if (observation->op == OP_DNS_QUERY)
		flow.fqdn = observation->dns.name;
	return flow;
}

/* A proxy's own connection to the target: what it sends from is its own affair, and the server's tuple is not the blocked one. */
static bool is_upstream(const char *cause)
{
	static const char *const causes[] = {"prx_upstream_timeout", "prx_upstream_refused", "prx_dns_failed",
					     "prx_tunnel_dead", NULL};
	return text_is_one_of(cause, causes);
}

/* A tunnel stood, or the proxy passed an answer on: what failed is beyond the proxy. Who opens TLS may be the proxy itself. */
static bool is_beyond_proxy(const struct view *view, const struct tried *tried, const struct finding *finding)
{
	return view->proxied && (finding->stage == STAGE_TLS || finding->stage == STAGE_HTTP) &&
	       (tried->broke == STAGE_TLS || tried->broke == STAGE_HTTP) &&
	       strncmp(finding->cause, "tls_intercepted", strlen("tls_intercepted")) != 0;
}

static void add_upstream(struct collection *all, const struct view *view, const struct observation *observation)
{
	struct address address;
	struct flow flow = flow_of(all->report, view, observation);
	const char *host = view->target->host;
	flow.tuple = (struct tuple){.proto = "tcp", .src_port = NOT_MEASURED, .dst_port = view->target->port};
	flow.fqdn = host;
	flow.sni = is_https(view->target) && host && !address_parse(host, &address) ? host : NULL;
	flow.attempts = 1;
	flow.seen_from = "proxy";
	add(all, observation, &flow);
}

static void add_attempts(struct collection *all, const struct view *view)
{
	const struct finding *finding = all->finding;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct observation *ended = tried_ended_by(&view->tried[i]);
		if (!tried_failed(&view->tried[i]) || !ended || !observation_tuple(ended))
			continue;
		if (is_upstream(finding->cause) || is_beyond_proxy(view, &view->tried[i], finding)) {
			add_upstream(all, view, ended);
			continue;
		}
		struct flow flow = flow_of(all->report, view, ended);
		/* a firewall knows the connection from its first packet on, however far it came */
		if (view->tried[i].tcp)
			flow.first_at_ms = all->report->run.started_at_ms + view->tried[i].tcp->start_us / 1000;
		add(all, ended, &flow);
	}
}

static void add_questions(struct collection *all, const struct view *view)
{
	const struct observation_list *evidence = &view->path->verdict.evidence;
	for (size_t i = 0; i < evidence->count; i++) {
		const struct observation *one = evidence->items[i];
		if (one->op != OP_DNS_QUERY || one->dns.control || one->failure == FAILURE_NONE)
			continue;
		struct flow flow = flow_of(all->report, view, one);
		add(all, one, &flow);
	}
}

/* Opening the direct way is one of the two remedies: then it is a firewall's matter too. */
static bool may_open_direct(const struct finding *finding, const struct view *view)
{
	static const char *const causes[] = {"cfg_wpad_not_found", "cfg_pac_returns_direct", NULL};
	return text_is_one_of(finding->cause, causes) && !view->proxied;
}

void flows_collect(struct report *report, const struct view *views, struct finding *finding)
{
	struct collection all = {.report = report, .finding = finding};
	for (size_t i = 0; i < report->path_count; i++) {
		if (!path_list_has(&finding->paths, report->paths[i]))
			continue;
		if (finding->stage == STAGE_DNS || (finding->stage >= STAGE_TCP && views[i].broke == STAGE_DNS))
			add_questions(&all, &views[i]);
		else if (finding->stage >= STAGE_TCP || may_open_direct(finding, &views[i]))
			add_attempts(&all, &views[i]);
	}
}
