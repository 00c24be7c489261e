/* Table R, by walks along the path: the hop at which a connection request dies. */

#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/rules_tcp.h"

enum { WAYS_SHOWN = 2 };
static const double SURE = 0.8;

/* ------------------------------------------------------------------ asking ways */

bool way_ends(const struct tried *tried, enum way_end end)
{
	return tried->way && tried->way->end == end;
}

bool way_is_known(const struct tried *tried)
{
	return tried->way && tried->way->end != WAY_UNKNOWN && tried->way->end != WAY_MUTED;
}

void verdict_show_way(const struct view *view, struct verdict *out, const struct way *way)
{
	for (size_t i = 0; i < way->shown_count; i++)
		verdict_add_evidence(view, out, way->shown[i]);
}

static void take_place(struct verdict *out, const struct way *way)
{
	if (!way->has_place)
		return;
	if (out->has_place && !(text_is_ipv6(out->at.last_heard) && !text_is_ipv6(way->at.last_heard)))
		return;
	out->has_place = true;
	out->at = way->at;
}

static bool is_so(const struct view *view, const struct tried *tried, enum way_end end, tried_is is)
{
	return tried_failed(tried) && way_ends(tried, end) && is(view, tried);
}

bool verdict_by_way(const struct view *view, struct verdict *out, const char *cause, enum way_end end, tried_is is)
{
	double confidence = 0;
	size_t shown = 0;
	/* those with a walk of their own first: they show most */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < view->tried_count; i++) {
			const struct tried *tried = &view->tried[i];
			if (!is_so(view, tried, end, is) || tried->way->walked != (pass == 0))
				continue;
			if (tried->way->confidence > confidence)
				confidence = tried->way->confidence;
			verdict_add_evidence(view, out, tried_ended_by(tried));
			if (shown++ < WAYS_SHOWN)
				verdict_show_way(view, out, tried->way);
			take_place(out, tried->way);
		}
	}
	return shown && verdict_set(view, out, cause, confidence);
}

/* A device may answer some TTLs by "time exceeded" and later ones by a refusal: the first one tells how far it is. */
int hop_of_address(const struct report *report, const char *address)
{
	int hop = NOT_MEASURED;
	for (size_t i = 0; address && i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op != OP_TTL_PROBE || !text_equal(one->ttl.from, address))
			continue;
		if (hop == NOT_MEASURED || one->ttl.ttl < hop)
			hop = one->ttl.ttl;
	}
	return hop;
}

/* ------------------------------------------------------------------ rules */

bool rule_ip_acl_at_hop_port_specific(const struct view *view, struct verdict *out)
{
	if (!verdict_by_way(view, out, "ip_acl_at_hop_port_specific", WAY_FILTERED, tcp_is_silent))
		return false;
	if (out->has_place && out->at.hop == 0 && out->confidence < SURE)
		verdict_add_not_run(view, out, "whether this server's own packet filters let the request out");
	return true;
}

bool rule_ip_path_dies_all_protocols(const struct view *view, struct verdict *out)
{
	return verdict_by_way(view, out, "ip_path_dies_all_protocols", WAY_DEAD, tcp_is_silent);
}

/* Only where the place was wanted: a path without a located cause. */
bool remark_meas_icmp_muted(const struct view *view, struct verdict *out)
{
	return !view_works(view) && verdict_by_way(view, out, "meas_icmp_muted", WAY_MUTED, tcp_is_silent);
}

static const char *destination(const struct observation *one)
{
	const struct tuple *tuple = observation_tuple(one);
	return tuple ? tuple->dst : NULL;
}

static bool is_failed_address(const struct view *view, const char *address)
{
	for (size_t i = 0; address && i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && text_equal(view->tried[i].attempt->address, address) &&
		    view->tried[i].attempt->failure != FAILURE_PERMISSION_DENIED)
			return true;
	return false;
}

/* What this account may do is no fault of the network: it only says why something was not found out. */
bool remark_meas_privilege_missing(const struct view *view, struct verdict *out)
{
	const struct observation_list *list = &view->report->observations;
	if (view_works(view))
		return false;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (!one->experiment || one->failure != FAILURE_PERMISSION_DENIED ||
		    !is_failed_address(view, destination(one)))
			continue;
		verdict_add_evidence(view, out, one);
		return verdict_set(view, out, "meas_privilege_missing", 0.9);
	}
	return false;
}
