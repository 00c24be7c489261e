/* Table R: connections that get through now and then, and segments that had to be sent again. */

#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/rules_tcp.h"

static const double LOSS_MEASURED = 0.8, LOSS_EXPLAINS = 0.7, MEMBER_BAD = 0.75, COMES_AND_GOES = 0.6;

enum {
	LOSS_PERCENT = 2,
	SEGMENTS_LEAST = 100, /* fewer say nothing of a hundredth */
	RESENT_LEAST = 4,
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
	if (!most || loss->segments < SEGMENTS_LEAST || loss->resent < RESENT_LEAST ||
	    loss->addresses < ADDRESSES_LEAST)
		return false;
	return (loss->resent - most->retransmits) * 100 >= LOSS_PERCENT * (loss->segments - most->segments);
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
	return tcp_is_silent(view, tried) && way_ends(tried, WAY_FLAPS);
}

/* Flows of one address: which ports always fail, and which get through at once. */
struct flows_seen {
	int lost, lost_again, passed, passed_late;
};

/* Three requests in four seconds, as all systems send: one port that loses each of them loses by rule. */
static bool lost_all(const struct observation *one)
{
	return one->tcp.has_tcp_info ? one->tcp.tcp_info.retransmits >= 2 : one->duration_us > 3000000;
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

static bool is_flow(const struct observation *one, const struct attempt *attempt)
{
	return one->op == OP_TCP_CONNECT && (!one->experiment || text_equal(one->experiment, "again")) &&
	       text_equal(one->tcp.tuple.dst, attempt->address) && one->tcp.tuple.dst_port == attempt->port;
}

/* Each port's fate is settled with its first packet, whatever is sent again: then a hash of the ports chooses the line. */
static bool goes_by_port(const struct view *view, const struct attempt *attempt)
{
	struct flows_seen seen = {0};
	for (size_t i = 0; i < view->report->observations.count; i++)
		if (is_flow(view->report->observations.items[i], attempt))
			count_flow(&seen, view->report->observations.items[i]);
	return seen.lost >= 2 && seen.lost_again >= 1 && seen.passed >= 2 && seen.passed_late == 0;
}

static bool is_member_bad(const struct view *view, const struct tried *tried)
{
	return flaps(view, tried) && goes_by_port(view, tried->attempt);
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
