/* Table R: connections that get through now and then, and segments that had to be sent again. */

#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/rules_tcp.h"
#include "probe/plan/loss.h"

static const double LOSS_MEASURED = 0.8, LOSS_EXPLAINS = 0.7, MEMBER_BAD = 0.75, COMES_AND_GOES = 0.6;

enum {
	RESENT_AGAIN_LEAST = 2,
	ADDRESSES_LEAST = 3, /* else it is about these servers, and not about the way */
	SHOWN = 4
};

/* ------------------------------------------------------------------ loss on connections that work */

struct loss {
	int segments, resent, addresses;
	const struct observation *shown[SHOWN];
};

/* Only what works is counted: what is sent to somebody who never answers is sent again without a loss. Paths share connections: once each. */
static bool is_counted(const struct view *view, const struct tried *tried)
{
	if (tried->broke != STAGE_NONE || tried->cut || !tried->tcp || !tried->tcp->tcp.has_tcp_info)
		return false;
	const struct tcp_facts *facts = &tried->tcp->tcp.tcp_info;
	bool first = tried->tcp->paths.count && tried->tcp->paths.items[0] == view->path;
	return first && facts->segments > 0 && facts->retransmits >= 0;
}

static bool has_address(const struct loss *loss, int shown, const char *address)
{
	for (int i = 0; i < shown; i++)
		if (text_equal(loss->shown[i]->tcp.tuple.dst, address))
			return true;
	return false;
}

static void count(struct loss *loss, const struct observation *tcp)
{
	int shown = loss->addresses < SHOWN ? loss->addresses : SHOWN;
	loss->segments += tcp->tcp.tcp_info.segments;
	loss->resent += tcp->tcp.tcp_info.retransmits;
	if (tcp->tcp.tcp_info.retransmits == 0 || has_address(loss, shown, tcp->tcp.tuple.dst))
		return;
	if (loss->addresses < SHOWN)
		loss->shown[loss->addresses] = tcp;
	loss->addresses++;
}

/* More handshakes with addresses that work lost as much: it was no moment's haste of this machine. */
static bool is_lossy_again(const struct report *report, int percent)
{
	int segments = 0, resent = 0;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op != OP_TCP_CONNECT || !text_equal(one->experiment, "loss_again") || !one->tcp.has_tcp_info ||
		    one->tcp.tcp_info.segments <= 0)
			continue;
		segments += one->tcp.tcp_info.segments;
		resent += one->tcp.tcp_info.retransmits;
		resent += one->failure == FAILURE_TIMEOUT && !one->tcp.tcp_info.retransmits; /* not waited for */
	}
	return resent >= RESENT_AGAIN_LEAST && resent * 100 >= percent * segments;
}

/* Of all direct connections of the run. The one that had most sent again is left out of the sum: its server may be slow. */
static bool is_lossy(const struct view *view, struct loss *loss)
{
	const struct tcp_facts *most = NULL;
	*loss = (struct loss){0};
	for (size_t i = 0; i < view->all_count; i++) {
		for (size_t k = 0; !view->all[i].proxied && k < view->all[i].tried_count; k++) {
			const struct tried *tried = &view->all[i].tried[k];
			if (!is_counted(&view->all[i], tried))
				continue;
			count(loss, tried->tcp);
			if (!most || tried->tcp->tcp.tcp_info.retransmits > most->retransmits)
				most = &tried->tcp->tcp.tcp_info;
		}
	}
	if (!most || loss->resent < LOSS_RESENT_LEAST || loss->addresses < ADDRESSES_LEAST)
		return false;
	int percent = loss->segments < LOSS_SEGMENTS_LEAST ? LOSS_PERCENT_OF_FEW : LOSS_PERCENT;
	return (loss->resent - most->retransmits) * 100 >= percent * (loss->segments - most->segments) &&
	       is_lossy_again(view->report, percent);
}

static bool say_loss(const struct view *view, struct verdict *out, const struct loss *loss, double confidence)
{
	for (int i = 0; i < loss->addresses && i < SHOWN; i++)
		verdict_add_evidence(view, out, loss->shown[i]);
	return verdict_set(view, out, "ip_loss_high", confidence);
}

bool remark_ip_loss_high(const struct view *view, struct verdict *out)
{
	struct loss loss;
	return !view->proxied && is_lossy(view, &loss) && say_loss(view, out, &loss, LOSS_MEASURED);
}

/* ------------------------------------------------------------------ what got through from another port of ours */

static bool flaps(const struct view *view, const struct tried *tried)
{
	return (tcp_is_silent(view, tried) || tcp_is_refused(view, tried)) && way_ends(tried, WAY_FLAPS);
}

/* Flows of one address: which ports always fail, and which get through at once. */
struct flows_seen {
	int lost, lost_again, passed, passed_late;
};

/* A port that loses the request and each one sent again (after a second, as all systems do) loses by rule. */
static bool lost_all(const struct observation *one)
{
	return one->tcp.has_tcp_info ? one->tcp.tcp_info.retransmits > 0 : one->duration_us > 1500000;
}

static bool passed_at_once(const struct observation *one)
{
	return one->duration_us < 900000;
}

static void count_flow(struct flows_seen *seen, const struct observation *one)
{
	if (one->failure == FAILURE_TIMEOUT) {
		seen->lost++;
		seen->lost_again += lost_all(one);
	} else if (one->failure == FAILURE_NONE) {
		seen->passed++;
		seen->passed_late += !passed_at_once(one);
	}
}

static bool is_flow(const struct observation *one, const struct tuple *to)
{
	return one->op == OP_TCP_CONNECT && (!one->experiment || text_equal(one->experiment, "again")) &&
	       text_equal(one->tcp.tuple.dst, to->dst) && one->tcp.tuple.dst_port == to->dst_port;
}

/* A walk's probes are flows too, each from a port of its own, where their TTL is enough to arrive; silent ones were sent twice. */
static void count_probes(const struct view *view, const struct tuple *to, struct flows_seen *seen)
{
	const struct observation_list *list = &view->report->observations;
	int enough = WALK_HOPS_MAX;
	for (size_t i = 0; i < list->count; i++) {
		const struct ttl_probe *ttl = &list->items[i]->ttl;
		if (list->items[i]->op == OP_TTL_PROBE && ttl->tcp && text_equal(ttl->tuple.dst, to->dst) &&
		    ttl->ttl < enough)
			enough = ttl->ttl;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct ttl_probe *ttl = &list->items[i]->ttl;
		if (list->items[i]->op != OP_TTL_PROBE || !text_equal(ttl->sent, "syn") || ttl->ttl < enough ||
		    !text_equal(ttl->tuple.dst, to->dst) || ttl->tuple.dst_port != to->dst_port)
			continue;
		bool lost = list->items[i]->failure == FAILURE_TIMEOUT;
		seen->lost += lost;
		seen->lost_again += lost;
		seen->passed += text_equal(ttl->tcp, "syn_ack");
	}
}

/* Each port's fate is settled with its first packet, whatever is sent again: then a hash of the ports chooses the line. */
static bool goes_by_port(const struct view *view, const struct tuple *to)
{
	struct flows_seen seen = {0};
	for (size_t i = 0; i < view->report->observations.count; i++)
		if (is_flow(view->report->observations.items[i], to))
			count_flow(&seen, view->report->observations.items[i]);
	count_probes(view, to, &seen);
	return seen.lost >= 2 && seen.lost_again >= 1 && seen.passed >= 2 && seen.passed_late == 0;
}

/* One address is tried often enough to show it for all that come and go. */
static bool is_member_bad(const struct view *view, const struct tried *tried)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; flaps(view, tried) && i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_TCP_CONNECT && text_equal(one->experiment, "again") &&
		    one->tcp.tuple.dst_port == tried->attempt->port && goes_by_port(view, &one->tcp.tuple))
			return true;
	}
	return false;
}

static void show_flaps(const struct view *view, struct verdict *out)
{
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && flaps(view, &view->tried[i]))
			verdict_show_way(view, out, view->tried[i].way);
}

bool rule_ip_ecmp_member_bad(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "ip_ecmp_member_bad", MEMBER_BAD, is_member_bad))
		return false;
	show_flaps(view, out);
	return true;
}

bool rule_ip_loss_high(const struct view *view, struct verdict *out)
{
	struct loss loss;
	if (view->proxied || !is_lossy(view, &loss) || !verdict_if_any(view, out, "ip_loss_high", LOSS_EXPLAINS, flaps))
		return false;
	show_flaps(view, out);
	return say_loss(view, out, &loss, LOSS_EXPLAINS);
}

/* Neither the ports nor a measured loss explain it. */
bool rule_tcp_intermittent(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "tcp_intermittent", COMES_AND_GOES, flaps))
		return false;
	show_flaps(view, out);
	return true;
}
