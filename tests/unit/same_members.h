#ifndef MARSPROBE_TESTS_SAME_MEMBERS_H
#define MARSPROBE_TESTS_SAME_MEMBERS_H

#include "probe/core/evidence.h"
#include "tests/unit/same.h"

/* Members of a report that an option or a command of its own adds, compared field by field. */

static inline void same_tags(const struct tags_input *a, const struct tags_input *b)
{
	CHECK(a && b);
	SAME_TEXT(a, b, file);
	SAME_TEXT(a, b, form);
	SAME_TEXT(a, b, cloud);
	SAME_TEXT(a, b, date);
	SAME(a, b, change_number);
	SAME(a, b, tags);
	SAME(a, b, prefixes);
	CHECK_INT(b->list_count, a->list_count);
	SAME_TEXT(a, b, lists[0].tag);
	SAME(a, b, lists[0].change_number);
	same_texts(&a->lists[0].prefixes, &b->lists[0].prefixes);
}

static inline void same_vault(const struct vault_file *a, const struct vault_file *b)
{
	CHECK(b != NULL);
	if (!b)
		return;
	SAME_TEXT(a, b, file);
	SAME_TEXT(a, b, kind);
	SAME_TEXT(a, b, version);
	SAME_TEXT(a, b, vault);
	SAME_TEXT(a, b, location);
	SAME_TEXT(a, b, tenant_id);
	SAME_TEXT(a, b, authority);
	SAME_TEXT(a, b, endpoint);
	SAME_TEXT(a, b, cloud);
	SAME_TEXT(a, b, region);
	SAME_TEXT(a, b, certificate);
	SAME_TEXT(a, b, encryption);
	SAME_TEXT(a, b, subject);
	SAME_TEXT(a, b, thumbprint);
	SAME(a, b, not_before_s);
	SAME(a, b, not_after_s);
}

static inline void same_prefix(const struct coverage_prefix *a, const struct coverage_prefix *b)
{
	const struct coverage_view *view = a->views, *view2 = b->views;
	const struct coverage_route *route = view->routes, *route2 = view2->routes;
	SAME_TEXT(a, b, service);
	SAME_TEXT(a, b, prefix);
	SAME_TEXT(a, b, source);
	SAME(a, b, required);
	SAME(a, b, view_count);
	SAME(view, view2, table);
	SAME(view, view2, circuit);
	same_texts(&view->missing, &view2->missing);
	same_texts(&view->elsewhere, &view2->elsewhere);
	same_texts(&view->unused, &view2->unused);
	SAME(view, view2, default_only);
	SAME(view, view2, route_count);
	SAME_TEXT(route, route2, prefix);
	SAME_TEXT(route, route2, next_hop);
	SAME_TEXT(route, route2, as_path);
	same_texts(&route->communities, &route2->communities);
	SAME(route, route2, way);
	SAME(route, route2, best);
}

static inline void same_coverage(const struct coverage *a, const struct coverage *b)
{
	SAME_TEXT(a, b, region);
	SAME_TEXT(a, b, region_name);
	same_texts(&a->circuit_hops, &b->circuit_hops);
	SAME_TEXT(a, b, circuit_interface);
	SAME(a, b, table_count);
	SAME(a, b, tables->kind);
	SAME_TEXT(a, b, tables->source);
	SAME_TEXT(a, b, tables->format);
	SAME(a, b, tables->routes);
	SAME(a, b, tables->public_routes);
	SAME(a, b, tables->circuit_routes);
	SAME(a, b, tables->has_communities);
	SAME(a, b, tables->tells_way);
	SAME(a, b, tables->private_circuit);
	SAME(a, b, tables->has_default);
	SAME(a, b, tables->default_way);
	SAME(a, b, tables->has_ipv6);
	SAME(a, b, prefix_count);
	same_prefix(a->prefixes, b->prefixes);
	SAME(a, b, community_count);
	SAME_TEXT(a, b, communities->value);
	SAME_TEXT(a, b, communities->service);
	SAME_TEXT(a, b, communities->name);
	SAME(a, b, communities->state);
	SAME(a, b, communities->routes);
	same_texts(&a->communities->missing, &b->communities->missing);
	same_texts(&a->own_prefixes, &b->own_prefixes);
	SAME(a, b, own_count);
	same_texts(&a->both_ways, &b->both_ways);
	SAME(a, b, host_count);
	SAME_TEXT(a, b, hosts->host);
	SAME(a, b, hosts->port);
	SAME_TEXT(a, b, hosts->service);
	SAME(a, b, hosts->by_circuit);
	SAME_TEXT(a, b, hosts->why);
	same_texts(&a->hosts->addresses, &b->hosts->addresses);
}

static inline void same_block(const struct audit_block *a, const struct audit_block *b)
{
	SAME_TEXT(a, b, first);
	SAME_TEXT(a, b, last);
	same_texts(&a->prefixes, &b->prefixes);
	SAME(a, b, state);
	SAME(a, b, refused);
	SAME(a, b, hop);
	SAME_TEXT(a, b, last_heard);
	SAME_TEXT(a, b, first_silent);
	SAME_TEXT(a, b, evidence.items[0]->id);
}

static inline void same_sweep(const struct sweep *a, const struct sweep *b)
{
	SAME_TEXT(a, b, target->id);
	SAME(a, b, addresses);
	for (int i = 0; i < SWEEP_STATES; i++)
		SAME(a, b, counts[i]);
	SAME(a, b, connects);
	SAME(a, b, loss * 1000);
	SAME(a, b, tries);
	SAME(a, b, rtt_us);
	SAME(a, b, timeout_us);
	SAME(a, b, rate);
	SAME(a, b, rate_seen);
	SAME_TEXT(a, b, stopped);
	SAME(a, b, prefix_count);
	for (size_t i = 0; i < a->prefix_count; i++) {
		SAME_TEXT(a, b, prefixes[i].prefix);
		SAME(a, b, prefixes[i].state);
		SAME_TEXT(a, b, prefixes[i].from);
		SAME(a, b, prefixes[i].icmp_type);
		SAME(a, b, prefixes[i].icmp_code);
	}
	SAME(a, b, audit->probes);
	SAME(a, b, audit->ttl);
	SAME_TEXT(a, b, audit->beyond);
	SAME(a, b, audit->step);
	SAME(a, b, audit->cut);
	SAME(a, b, audit->rationed);
	same_block(&a->audit->blocks[0], &b->audit->blocks[0]);
}

static inline void same_checks(const struct report *report, const struct report *back)
{
	CHECK_INT(back->check_count, 1);
	SAME_TEXT(report, back, checks[0].id);
	SAME(report, back, checks[0].status);
	SAME_TEXT(report, back, checks[0].value);
	SAME_TEXT(report, back, checks[0].source);
	SAME_TEXT(report, back, checks[0].because);
	SAME_TEXT(report, back, checks[0].cause);
}

#endif
