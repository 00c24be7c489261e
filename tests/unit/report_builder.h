#ifndef MARSPROBE_TESTS_REPORT_BUILDER_H
#define MARSPROBE_TESTS_REPORT_BUILDER_H

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/diagnosis/diagnosis.h"

/* Small reports for tests of the diagnosis: a healthy server, to which a test adds what it is about. */

enum { SECOND_US = 1000 * 1000 };

static inline struct observation *build_fact(struct report *report, const char *fact, const char *subject,
					     const char *state, const char *value)
{
	struct observation *one = report_add_observation(report, OP_LOCAL_FACT);
	one->fact.fact = fact;
	one->fact.subject = subject;
	one->fact.state = state;
	if (value)
		text_list_add(report->arena, &one->fact.values, value);
	return one;
}

/** A server with IPv4, two name servers, both identities known, a right clock. */
static inline struct report *build_report(void)
{
	struct report *report = report_new();
	report->host.name = "server01";
	report->run.started_at_ms = 1769850307120;
	report->run.timeout_us = 5 * SECOND_US;
	text_list_add(report->arena, &report->host.addresses, "10.0.0.2");
	text_list_add(report->arena, &report->host.resolvers, "10.0.0.53");
	text_list_add(report->arena, &report->host.resolvers, "10.0.0.54");
	report->identities[0] = (struct identity){.id = IDENTITY_USER, .mode = MODE_RUN};
	report->identities[1] = (struct identity){.id = IDENTITY_SYSTEM, .mode = MODE_SETTINGS};
	report->identity_count = 2;
	build_fact(report, "interface", "eth0", "up", "10.0.0.2");
	build_fact(report, "default_route", "ipv4", "present", "10.0.0.1");
	build_fact(report, "default_route", "ipv6", "absent", NULL);
	return report;
}

/** Make the fact of that kind and subject say another state; its values go. */
static inline void build_state(struct report *report, const char *fact, const char *subject, const char *state)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		if (one->op != OP_LOCAL_FACT || strcmp(one->fact.fact, fact) != 0)
			continue;
		if (subject && strcmp(one->fact.subject, subject) != 0)
			continue;
		one->fact.state = state;
		one->fact.values.count = 0;
	}
}

static inline struct target *build_target(struct report *report, const char *host, int port)
{
	struct target *target = report_add_target(report);
	target->kind = TARGET_URL;
	target->name = target->host = host;
	target->port = port;
	target->url = arena_printf(report->arena, "%s://%s/", port == 443 ? "https" : "http", host);
	target->rule = host;
	target->service = "entra";
	target->required = true;
	return target;
}

/** The direct and effective path of the running user. */
static inline struct path *build_path(struct report *report, struct target *target)
{
	struct path *path = report_add_path(report);
	path->target = target;
	path->identity = IDENTITY_USER;
	path->route = (struct route){.kind = ROUTE_DIRECT, .via = "DIRECT"};
	path->effective = true;
	return path;
}

/** A path by the WinINET settings of an identity. */
static inline struct path *build_route(struct report *report, struct target *target, enum identity_id identity,
				       const char *via, bool effective)
{
	struct path *path = report_add_path(report);
	path->target = target;
	path->identity = identity;
	path->route = (struct route){.kind = ROUTE_WININET, .via = via, .source = "a registry key"};
	path->effective = effective;
	return path;
}

static inline struct observation *build_seen(struct report *report, struct path *path, enum op op, enum failure failure)
{
	struct observation *one = report_add_observation(report, op);
	path_list_add(report->arena, &one->paths, path);
	one->failure = failure;
	one->start_us = 1000;
	one->duration_us = failure == FAILURE_TIMEOUT ? 5 * SECOND_US : 20000;
	return one;
}

/** One question to one server; address NULL: none in the answer. type is A. */
static inline struct observation *build_query(struct report *report, struct path *path, const char *server,
					      enum failure failure, const char *address)
{
	struct observation *one = build_seen(report, path, OP_DNS_QUERY, failure);
	one->dns.tuple = (struct tuple){"udp", "10.0.0.2", server, 40000, 53};
	one->dns.server = server;
	one->dns.transport = "udp";
	one->dns.name = path->target->host;
	one->dns.type = "A";
	one->dns.tries = 1;
	if (address) {
		one->dns.rcode = 0;
		one->dns.answers = arena_alloc(report->arena, 2 * sizeof(*one->dns.answers));
		one->dns.answers[0] = (struct dns_answer){path->target->host, "A", address, 60};
		one->dns.answer_count = 1;
	}
	return one;
}

/** The system's own lookup; addresses NULL at the end. */
static inline struct observation *build_lookup(struct report *report, struct path *path, enum failure failure,
					       const char *const *addresses)
{
	struct observation *one = build_seen(report, path, OP_SYSTEM_LOOKUP, failure);
	one->lookup.name = path->target->host;
	for (; addresses && *addresses; addresses++)
		text_list_add(report->arena, &one->lookup.addresses, *addresses);
	return one;
}

/** One address tried, with its connect; what follows is the test's. */
static inline struct attempt *build_attempt(struct report *report, struct path *path, const char *address,
					    enum failure failure)
{
	struct attempt *attempt = path_add_attempt(report, path);
	struct observation *one = build_seen(report, path, OP_TCP_CONNECT, failure);
	attempt->address = address;
	attempt->port = path->target->port;
	attempt->found_by = FOUND_BY_SYSTEM;
	attempt->failure = failure;
	one->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", address, 50000, attempt->port};
	one->tcp.tuple.src_port += (int)report->observations.count;
	one->tcp.peer = "target";
	observation_list_add(report->arena, &attempt->observations, one);
	return attempt;
}

/** The last observation of an attempt: its connect, until more is added. */
static inline struct observation *build_last(struct attempt *attempt)
{
	return attempt->observations.items[attempt->observations.count - 1];
}

/** A connect that a device rejects by ICMP. */
static inline struct attempt *build_rejected(struct report *report, struct path *path, const char *address,
					     enum failure failure, const char *from, int type, int code)
{
	struct attempt *attempt = build_attempt(report, path, address, failure);
	build_last(attempt)->tcp.icmp = (struct icmp_error){from, type, code, NOT_MEASURED};
	return attempt;
}

static inline struct observation *build_tls(struct report *report, struct path *path, struct attempt *attempt,
					    enum failure failure)
{
	struct observation *one = build_seen(report, path, OP_TLS_HANDSHAKE, failure);
	one->tls.tuple = attempt->observations.items[0]->tcp.tuple;
	one->tls.peer = "target";
	one->tls.sni = path->target->host;
	attempt->failure = failure;
	if (failure == FAILURE_NONE) {
		one->tls.progress = TLS_FINISHED;
		one->tls.verify = "ok";
		one->tls.name_matches = one->tls.root_public = one->tls.root_service = true;
		one->tls.root_sha256 = "aa";
	}
	observation_list_add(report->arena, &attempt->observations, one);
	return one;
}

static inline struct observation *build_http(struct report *report, struct path *path, struct attempt *attempt,
					     int status)
{
	struct observation *one = build_seen(report, path, OP_HTTP_EXCHANGE, FAILURE_NONE);
	one->http.tuple = attempt->observations.items[0]->tcp.tuple;
	one->http.method = "GET";
	one->http.url = path->target->url;
	one->http.status = status;
	attempt->failure = FAILURE_NONE;
	observation_list_add(report->arena, &attempt->observations, one);
	return one;
}

/** An address that works: connect, TLS where the target speaks it, 200. */
static inline struct attempt *build_works(struct report *report, struct path *path, const char *address)
{
	struct attempt *attempt = build_attempt(report, path, address, FAILURE_NONE);
	if (path->target->port == 443)
		build_tls(report, path, attempt, FAILURE_NONE);
	build_http(report, path, attempt, 200);
	return attempt;
}

/** A proxied attempt: connect to the proxy, and its answer to CONNECT (or to GET); 200 opens the tunnel and the rest works. */
static inline struct attempt *build_by_proxy(struct report *report, struct path *path, const char *proxy, int status)
{
	struct attempt *attempt = build_attempt(report, path, "10.0.0.80", FAILURE_NONE);
	bool opens = status == 200;
	struct observation *one =
		build_seen(report, path, OP_PROXY_EXCHANGE, opens ? FAILURE_NONE : FAILURE_PROXY_STATUS);
	attempt->port = 3128;
	build_last(attempt)->tcp.peer = "proxy";
	one->proxy.tuple = build_last(attempt)->tcp.tuple;
	one->proxy.proxy = proxy;
	one->proxy.protocol = "http";
	one->proxy.method = "CONNECT";
	one->proxy.request = arena_printf(report->arena, "%s:%d", path->target->host, path->target->port);
	one->proxy.status = status;
	attempt->failure = one->failure;
	observation_list_add(report->arena, &attempt->observations, one);
	if (opens) {
		build_tls(report, path, attempt, FAILURE_NONE)->tls.bytes_received = 4000;
		build_http(report, path, attempt, 200);
	}
	return attempt;
}

/** A static proxy in the WinINET settings of an identity. */
static inline struct proxy_setting *build_setting(struct report *report, enum identity_id identity,
						  const char *proxy_server)
{
	struct proxy_setting *setting = arena_alloc(report->arena, sizeof(*setting));
	setting->identity = identity;
	setting->kind = ROUTE_WININET;
	setting->found = proxy_server != NULL;
	setting->proxy_enabled = proxy_server != NULL;
	setting->proxy_server = proxy_server;
	report->identities[identity].wininet = setting;
	return setting;
}

/** Is a cause or remark in `also`? */
static inline bool build_also(const struct verdict *verdict, const char *text)
{
	for (size_t i = 0; i < verdict->also.count; i++)
		if (strcmp(verdict->also.items[i], text) == 0)
			return true;
	return false;
}

/** The finding of that cause, or NULL. */
static inline const struct finding *build_finding(const struct report *report, const char *cause)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (strcmp(report->findings[i]->cause, cause) == 0)
			return report->findings[i];
	return NULL;
}

#endif
