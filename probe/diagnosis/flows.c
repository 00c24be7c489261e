/* The failing flows of a finding, as a firewall's log knows them. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/parts.h"

enum { FLOWS_MAX = 1024 };

static bool same_tuple(const struct flow *flow, const struct tuple *tuple, const char *fqdn)
{
	return text_equal(flow->tuple.proto, tuple->proto) && text_equal(flow->tuple.src, tuple->src) &&
	       text_equal(flow->tuple.dst, tuple->dst) && flow->tuple.src_port == tuple->src_port &&
	       flow->tuple.dst_port == tuple->dst_port && text_equal(flow->fqdn, fqdn);
}

static bool is_known(const struct finding *finding, const struct flow *flow)
{
	for (size_t i = 0; i < finding->flow_count; i++)
		if (same_tuple(&finding->flows[i], &flow->tuple, flow->fqdn))
			return true;
	return false;
}

static void add(struct report *report, struct finding *finding, const struct flow *flow)
{
	if (finding->flow_count == FLOWS_MAX || is_known(finding, flow))
		return;
	finding->flows = arena_grow(report->arena, finding->flows, &finding->flow_capacity, finding->flow_count,
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

static struct flow flow_of(struct report *report, const struct view *view, const struct observation *observation)
{
	const struct tuple *tuple = observation_tuple(observation);
	int64_t start_ms = report->run.started_at_ms + observation->start_us / 1000;
	struct flow flow = {
		.tuple = *tuple,
		.fqdn = view->proxied ? view->via.host : view->target->host,
		.first_at_ms = start_ms,
		.last_at_ms = start_ms + observation->duration_us / 1000,
		.attempts = 1,
		.outcome = outcome_of(report, observation),
		.seen_from = "server",
	};
	if (observation->op == OP_DNS_QUERY) {
		flow.fqdn = observation->dns.name;
		flow.attempts = observation->dns.tries > 0 ? observation->dns.tries : 1;
	} else if (observation->op == OP_TLS_HANDSHAKE) {
		flow.sni = observation->tls.sni;
	}
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

static void add_upstream(struct report *report, const struct view *view, struct finding *finding,
			 const struct observation *observation)
{
	struct flow flow = flow_of(report, view, observation);
	flow.tuple = (struct tuple){.proto = "tcp", .src_port = NOT_MEASURED, .dst_port = view->target->port};
	flow.fqdn = view->target->host;
	flow.sni = is_https(view->target) ? view->target->host : NULL;
	flow.seen_from = "proxy";
	add(report, finding, &flow);
}

static void add_attempts(struct report *report, const struct view *view, struct finding *finding)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct observation *ended = tried_ended_by(&view->tried[i]);
		if (!tried_failed(&view->tried[i]) || !ended || !observation_tuple(ended))
			continue;
		if (is_upstream(finding->cause) || is_beyond_proxy(view, &view->tried[i], finding)) {
			add_upstream(report, view, finding, ended);
			continue;
		}
		struct flow flow = flow_of(report, view, ended);
		add(report, finding, &flow);
	}
}

static void add_questions(struct report *report, const struct view *view, struct finding *finding)
{
	const struct observation_list *evidence = &view->path->verdict.evidence;
	for (size_t i = 0; i < evidence->count; i++) {
		const struct observation *one = evidence->items[i];
		if (one->op != OP_DNS_QUERY || one->dns.control || one->failure == FAILURE_NONE)
			continue;
		struct flow flow = flow_of(report, view, one);
		add(report, finding, &flow);
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
	for (size_t i = 0; i < report->path_count; i++) {
		if (!path_list_has(&finding->paths, report->paths[i]))
			continue;
		if (finding->stage == STAGE_DNS || (finding->stage >= STAGE_TCP && views[i].broke == STAGE_DNS))
			add_questions(report, &views[i], finding);
		else if (finding->stage >= STAGE_TCP || may_open_direct(finding, &views[i]))
			add_attempts(report, &views[i], finding);
	}
}
