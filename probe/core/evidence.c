#include "probe/core/evidence.h"

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"

/* Makes room in a list (items, count, capacity) and gives the place of one more item. */
#define LIST_NEXT(arena, list)                                                                                         \
	((list)->items = arena_grow((arena), (list)->items, &(list)->capacity, (list)->count, sizeof(*(list)->items)), \
	 &(list)->items[(list)->count++])

void text_list_add(struct arena *arena, struct text_list *list, const char *text)
{
	*LIST_NEXT(arena, list) = arena_strdup(arena, text);
}

bool text_list_has(const struct text_list *list, const char *text)
{
	for (size_t i = 0; text && i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

void header_list_add(struct arena *arena, struct header_list *list, const char *name, const char *value)
{
	char *lower = arena_strdup(arena, name);
	for (char *at = lower; at && *at; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
	*LIST_NEXT(arena, list) = (struct header){.name = lower, .value = arena_strdup(arena, value)};
}

const char *header_find(const struct header_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return list->items[i].value;
	}
	return NULL;
}

void path_list_add(struct arena *arena, struct path_list *list, struct path *path)
{
	*LIST_NEXT(arena, list) = path;
}

void observation_list_add(struct arena *arena, struct observation_list *list, struct observation *observation)
{
	*LIST_NEXT(arena, list) = observation;
}

bool path_list_has(const struct path_list *list, const struct path *path)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == path)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ route.via */

static const struct {
	enum via_scheme scheme;
	const char *word;
} via_words[] = {
	{VIA_HTTP, "PROXY"},	{VIA_HTTPS, "HTTPS"},	{VIA_SOCKS4, "SOCKS"},
	{VIA_SOCKS4, "SOCKS4"}, {VIA_SOCKS5, "SOCKS5"}, {VIA_SOCKS5H, "SOCKS5H"},
};
enum { VIA_WORDS = sizeof(via_words) / sizeof(via_words[0]) };

bool via_parse(struct arena *arena, const char *text, struct via *out)
{
	const char *blank = text ? strchr(text, ' ') : NULL;
	if (!text)
		return false;
	if (strcmp(text, "DIRECT") == 0) {
		*out = (struct via){.scheme = VIA_DIRECT, .port = NOT_MEASURED};
		return true;
	}
	size_t length = blank ? (size_t)(blank - text) : 0, word = 0;
	while (word < VIA_WORDS &&
	       !(strlen(via_words[word].word) == length && memcmp(via_words[word].word, text, length) == 0))
		word++;
	if (!blank || word == VIA_WORDS)
		return false;
	size_t host_bytes = strlen(blank);
	char *host = arena_alloc(arena, host_bytes);
	int port = -1;
	if (!host_port_split(blank + 1, host, host_bytes, &port) || port < 0)
		return false;
	*out = (struct via){.scheme = via_words[word].scheme, .host = host, .port = port};
	return true;
}

const char *via_format(struct arena *arena, const struct via *via)
{
	size_t word = 0;
	while (word < VIA_WORDS && via_words[word].scheme != via->scheme)
		word++;
	if (word == VIA_WORDS || !via->host)
		return "DIRECT";
	size_t bytes = strlen(via->host) + sizeof("[]:-2147483648");
	return arena_printf(arena, "%s %s", via_words[word].word,
			    host_port_format(via->host, via->port, arena_alloc(arena, bytes), bytes));
}

/* ------------------------------------------------------------------ the report and its items */

struct report *report_new(void)
{
	struct arena *arena = arena_new();
	struct report *report = arena_alloc(arena, sizeof(*report));
	report->arena = arena;
	return report;
}

void report_free(struct report *report)
{
	if (report)
		arena_free(report->arena);
}

struct target *report_add_target(struct report *report)
{
	struct target *target = arena_alloc(report->arena, sizeof(*target));
	report->targets = arena_grow(report->arena, report->targets, &report->target_capacity, report->target_count,
				     sizeof(*report->targets));
	report->targets[report->target_count++] = target;
	target->id = arena_printf(report->arena, "t%zu", report->target_count);
	target->port = NOT_MEASURED;
	return target;
}

struct path *report_add_path(struct report *report)
{
	struct path *path = arena_alloc(report->arena, sizeof(*path));
	report->paths = arena_grow(report->arena, report->paths, &report->path_capacity, report->path_count,
				   sizeof(*report->paths));
	report->paths[report->path_count++] = path;
	path->id = arena_printf(report->arena, "p%zu", report->path_count);
	path->verdict.at.hop = NOT_MEASURED;
	return path;
}

struct finding *report_add_finding(struct report *report)
{
	struct finding *finding = arena_alloc(report->arena, sizeof(*finding));
	report->findings = arena_grow(report->arena, report->findings, &report->finding_capacity, report->finding_count,
				      sizeof(*report->findings));
	report->findings[report->finding_count++] = finding;
	finding->id = arena_printf(report->arena, "f%zu", report->finding_count);
	return finding;
}

struct sweep *report_add_sweep(struct report *report, struct target *target)
{
	report->sweeps = arena_grow(report->arena, report->sweeps, &report->sweep_capacity, report->sweep_count,
				    sizeof(*report->sweeps));
	struct sweep *sweep = &report->sweeps[report->sweep_count++];
	*sweep = (struct sweep){
		.target = target, .rtt_us = NOT_MEASURED, .timeout_us = NOT_MEASURED, .rate_seen = NOT_MEASURED};
	return sweep;
}

struct attempt *path_add_attempt(struct report *report, struct path *path)
{
	struct attempt *attempt = arena_alloc(report->arena, sizeof(*attempt));
	path->attempts = arena_grow(report->arena, path->attempts, &path->attempt_capacity, path->attempt_count,
				    sizeof(struct attempt *));
	path->attempts[path->attempt_count++] = attempt;
	attempt->port = NOT_MEASURED;
	attempt->started_at_ms = attempt->ended_at_ms = NOT_MEASURED;
	return attempt;
}

int tcp_answer_ttl(const struct tcp_connect *tcp)
{
	return tcp->syn_ack_ttl != NOT_MEASURED ? tcp->syn_ack_ttl : tcp->reset_ttl;
}

bool observation_is_of_decision(const struct observation *observation)
{
	static const char *const experiments[] = {"wpad", "pac_download", "pac_dns"};
	for (size_t i = 0; observation->experiment && i < sizeof(experiments) / sizeof(experiments[0]); i++)
		if (strcmp(observation->experiment, experiments[i]) == 0)
			return true;
	switch (observation->op) {
	case OP_PROXY_SCRIPT:
	case OP_PROXY_DECISION:
		return true;
	case OP_LOCAL_FACT:
		return observation->fact.fact && strcmp(observation->fact.fact, "proxy_answer") == 0;
	case OP_DNS_QUERY:
	case OP_SYSTEM_LOOKUP:
	case OP_TCP_CONNECT:
	case OP_TTL_PROBE:
	case OP_PROXY_EXCHANGE:
	case OP_TLS_HANDSHAKE:
	case OP_HTTP_EXCHANGE:
		return false;
	}
	return false;
}

void report_take_observation(struct report *report, struct observation *observation)
{
	observation_list_add(report->arena, &report->observations, observation);
	observation->id = arena_printf(report->arena, "o%zu", report->observations.count);
}

struct observation *report_add_observation(struct report *report, enum op op)
{
	struct observation *observation = arena_alloc(report->arena, sizeof(*observation));
	observation_init(observation, op);
	report_take_observation(report, observation);
	return observation;
}

const struct place *finding_place(const struct finding *finding)
{
	for (size_t i = 0; i < finding->paths.count; i++) {
		const struct verdict *verdict = &finding->paths.items[i]->verdict;
		if (verdict->has_place && verdict->cause && finding->cause &&
		    strcmp(verdict->cause, finding->cause) == 0)
			return &verdict->at;
	}
	return NULL;
}

static const struct tuple tuple_unknown = {.src_port = NOT_MEASURED, .dst_port = NOT_MEASURED};
static const struct icmp_error icmp_absent = {.type = NOT_MEASURED, .code = NOT_MEASURED, .mtu = NOT_MEASURED};
static const struct tcp_facts tcp_facts_unknown = {NOT_MEASURED, NOT_MEASURED, NOT_MEASURED,
						   NOT_MEASURED, NOT_MEASURED, NOT_MEASURED};

void observation_init(struct observation *observation, enum op op)
{
	memset(observation, 0, sizeof(*observation));
	observation->op = op;
	switch (op) {
	case OP_DNS_QUERY:
		observation->dns.tuple = tuple_unknown;
		observation->dns.icmp = icmp_absent;
		observation->dns.rcode = observation->dns.ede = observation->dns.edns_bytes = NOT_MEASURED;
		break;
	case OP_TCP_CONNECT:
		observation->tcp.tuple = tuple_unknown;
		observation->tcp.icmp = icmp_absent;
		observation->tcp.tcp_info = tcp_facts_unknown;
		observation->tcp.min_ttl = NOT_MEASURED;
		observation->tcp.syn_ack_ttl = observation->tcp.reset_ttl = NOT_MEASURED;
		observation->tcp.sent_bytes = NOT_MEASURED;
		observation->tcp.bytes_acked = observation->tcp.bytes_received = NOT_MEASURED;
		break;
	case OP_TTL_PROBE:
		observation->ttl.tuple = tuple_unknown;
		observation->ttl.icmp = icmp_absent;
		observation->ttl.ttl = NOT_MEASURED;
		break;
	case OP_PROXY_EXCHANGE:
		observation->proxy.tuple = tuple_unknown;
		observation->proxy.status = observation->proxy.socks_reply = NOT_MEASURED;
		break;
	case OP_TLS_HANDSHAKE:
		observation->tls.tuple = tuple_unknown;
		observation->tls.alert = observation->tls.alert_sent = NOT_MEASURED;
		observation->tls.verified_at_s = NOT_MEASURED;
		observation->tls.bytes_acked = observation->tls.bytes_received = NOT_MEASURED;
		observation->tls.hello_bytes = NOT_MEASURED;
		observation->tls.segment_bytes = NOT_MEASURED;
		break;
	case OP_HTTP_EXCHANGE:
		observation->http.tuple = tuple_unknown;
		observation->http.status = NOT_MEASURED;
		observation->http.body_bytes = observation->http.bytes_acked = NOT_MEASURED;
		break;
	case OP_PROXY_SCRIPT:
		observation->script.bytes = observation->script.status = NOT_MEASURED;
		break;
	case OP_SYSTEM_LOOKUP:
	case OP_LOCAL_FACT:
	case OP_PROXY_DECISION:
		break;
	}
}
