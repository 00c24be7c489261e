#include "probe/diagnosis/coverage_view.h"

#include <string.h>

#include "probe/core/walk_view.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443, WALKS = 3 };

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* ------------------------------------------------------------------ tables */

static int rank_of(const struct coverage_table *table)
{
	switch (table->kind) {
	case TABLE_CIRCUIT:
		return 1;
	case TABLE_MACHINE:
		return 2;
	case TABLE_ROUTER:
		return 3;
	}
	return 0;
}

const struct coverage_table *coverage_decider(const struct coverage *coverage)
{
	const struct coverage_table *best = NULL;
	for (size_t i = 0; i < coverage->table_count; i++) {
		const struct coverage_table *table = &coverage->tables[i];
		if (table->tells_way && (!best || rank_of(table) > rank_of(best)))
			best = table;
	}
	return best;
}

const struct coverage_view *coverage_view_of(const struct coverage *coverage, const struct coverage_table *table,
					     const struct coverage_prefix *prefix)
{
	for (size_t i = 0; table && i < prefix->view_count; i++)
		if (prefix->views[i].table == table - coverage->tables)
			return &prefix->views[i];
	return NULL;
}

bool coverage_counts(const struct coverage_table *decider, const struct coverage_prefix *prefix)
{
	return decider && (decider->has_ipv6 || !strchr(prefix->prefix, ':'));
}

/* ------------------------------------------------------------------ services */

static enum service_state by_prefixes(const struct coverage *coverage, const char *service)
{
	const struct coverage_table *decider = coverage_decider(coverage);
	enum service_state state = SERVICE_UNKNOWN;
	for (size_t i = 0; i < coverage->prefix_count; i++) {
		const struct coverage_prefix *prefix = &coverage->prefixes[i];
		const struct coverage_view *view = coverage_view_of(coverage, decider, prefix);
		if (!view || !prefix->required || strcmp(prefix->service, service) != 0)
			continue;
		if (view->circuit != COVER_WHOLE)
			return SERVICE_MISSING;
		state = SERVICE_COVERED;
	}
	return state;
}

/** The region's community holds all of Azure there. */
static enum service_state by_communities(const struct coverage *coverage, const char *service)
{
	bool any = false, unknown = false;
	for (size_t i = 0; i < coverage->community_count; i++) {
		const struct coverage_community *one = &coverage->communities[i];
		bool regional = strcmp(service, "entra") != 0 && strcmp(one->service, "region") == 0;
		if (!regional && strcmp(one->service, service) != 0)
			continue;
		any = true;
		unknown |= one->state == COMMUNITY_UNKNOWN;
		if (one->state == COMMUNITY_PRESENT || one->state == COMMUNITY_PART)
			return SERVICE_COVERED;
	}
	return any && !unknown ? SERVICE_MISSING : SERVICE_UNKNOWN;
}

static enum service_state by_walks(const struct report *report, const char *service)
{
	enum service_state state = SERVICE_UNKNOWN;
	for (size_t i = 0; i < report->coverage->host_count; i++) {
		const struct coverage_host *host = &report->coverage->hosts[i];
		struct coverage_walk walk;
		if (!host->by_circuit || strcmp(host->service, service) != 0)
			continue;
		for (size_t k = 0; k < host->addresses.count; k++) {
			if (!coverage_walk_make(report, host, host->addresses.items[k], &walk) ||
			    walk.took == TOOK_UNKNOWN)
				return SERVICE_UNKNOWN;
			if (walk.took == TOOK_OTHER) /* nobody knows in which region a vault's storage stands */
				return strcmp(service, "storage") == 0 ? SERVICE_UNKNOWN : SERVICE_MISSING;
			state = SERVICE_COVERED;
		}
	}
	return state;
}

enum service_state coverage_service(const struct report *report, const char *service)
{
	enum service_state state = by_prefixes(report->coverage, service);
	if (state == SERVICE_UNKNOWN)
		state = by_communities(report->coverage, service);
	return state == SERVICE_UNKNOWN ? by_walks(report, service) : state;
}

const struct coverage_community *coverage_community_of(const struct coverage *coverage, const char *service)
{
	for (size_t i = 0; i < coverage->community_count; i++)
		if (strcmp(coverage->communities[i].service, service) == 0)
			return &coverage->communities[i];
	return NULL;
}

/* ------------------------------------------------------------------ walks */

static const struct observation *route_fact(const struct report *report, const char *address)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_LOCAL_FACT && same_text(one->fact.fact, "best_route") &&
		    same_text(one->fact.subject, address) && one->fact.values.count >= 2)
			return one;
	}
	return NULL;
}

/** By this machine's own choice of interface and next hop. */
static void take_route(const struct report *report, const char *address, struct coverage_walk *out)
{
	const struct coverage *coverage = report->coverage;
	const struct observation *fact = route_fact(report, address);
	if (!fact)
		return;
	if (coverage->circuit_interface) {
		out->took =
			same_text(fact->fact.values.items[0], coverage->circuit_interface) ? TOOK_CIRCUIT : TOOK_OTHER;
		out->proof = fact;
	} else if (coverage_is_hop(&coverage->circuit_hops, fact->fact.values.items[1])) {
		out->took = TOOK_CIRCUIT;
		out->proof = fact;
	}
}

/** How far away the circuit's hop is, as any walk heard it; 0: none did. */
static int circuit_ttl(const struct report *report)
{
	int nearest = 0;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_TTL_PROBE && coverage_is_hop(&report->coverage->circuit_hops, one->ttl.from) &&
		    (!nearest || one->ttl.ttl < nearest))
			nearest = one->ttl.ttl;
	}
	return nearest;
}

/** Is every hop of the whole way known, so that one who is not among them is not on it? */
static bool knows_every_hop(const struct walk_view *walk)
{
	if (walk->reached_ttl == NOT_MEASURED)
		return false;
	for (int ttl = 1; ttl < walk->reached_ttl; ttl++) {
		const struct walk_hop *hop = walk_view_hop(walk, ttl);
		if (!hop || !hop->address)
			return false;
	}
	return true;
}

/** By the hops that were heard. */
static void take_hops(const struct report *report, const struct walk_view *walk, struct coverage_walk *out)
{
	int place = circuit_ttl(report);
	const struct walk_hop *there = place ? walk_view_hop(walk, place) : NULL;
	for (size_t i = 0; i < walk->count; i++)
		if (coverage_is_hop(&report->coverage->circuit_hops, walk->hops[i].address)) {
			out->took = TOOK_CIRCUIT;
			out->proof = walk->hops[i].seen;
			return;
		}
	if (out->took != TOOK_UNKNOWN)
		return;
	if (there && there->address && !there->reached) {
		out->took = TOOK_OTHER;
		out->proof = there->seen;
	} else if (knows_every_hop(walk) && walk->reached_ttl > 1) {
		out->took = TOOK_OTHER;
		out->proof = walk_view_hop(walk, walk->reached_ttl - 1)->seen;
	}
}

static void take_walk(const struct report *report, const struct walk_view *walk, struct coverage_walk *out)
{
	const struct walk_hop *last = walk_view_hop(walk, walk->last_heard_ttl);
	if (report->coverage->circuit_hops.count)
		take_hops(report, walk, out);
	out->answered |= walk->reached_ttl != NOT_MEASURED;
	out->silent &= walk->reached_ttl == NOT_MEASURED && !walk->refused_by;
	if (last && last->seen && (!out->last || last->ttl > out->last->ttl.ttl))
		out->last = last->seen;
}

bool coverage_walk_make(const struct report *report, const struct coverage_host *host, const char *address,
			struct coverage_walk *out)
{
	const struct {
		const char *experiment;
		int port;
	} walks[WALKS] = {{"walk", host->port},
			  {"walk_control", host->port == HTTP_PORT ? HTTPS_PORT : HTTP_PORT},
			  {"walk_echo", NOT_MEASURED}};
	bool any = false;
	*out = (struct coverage_walk){.silent = true};
	take_route(report, address, out);
	for (size_t i = 0; i < WALKS; i++) {
		struct walk_view walk;
		if (!walk_view_make(report, address, walks[i].port, walks[i].experiment, NULL, &walk) || !walk.count)
			continue;
		any = true;
		take_walk(report, &walk, out);
	}
	out->silent = out->silent && any && out->last;
	return any || out->proof;
}

const struct coverage_host *coverage_silent_host(const struct report *report)
{
	for (size_t i = 0; i < report->coverage->host_count; i++) {
		const struct coverage_host *host = &report->coverage->hosts[i];
		struct coverage_walk walk;
		for (size_t k = 0; host->by_circuit && k < host->addresses.count; k++)
			if (coverage_walk_make(report, host, host->addresses.items[k], &walk) && walk.silent)
				return host;
	}
	return NULL;
}
