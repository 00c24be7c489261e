/* Table R, the size of packets: full ones vanish on the way, smaller ones pass, and no router says so. */

#include "probe/core/arena.h"
#include "probe/diagnosis/ladder_view.h"
#include "probe/diagnosis/rules.h"

static bool limit_at(const struct view *view, const struct tried *tried, bool outwards, struct packet_limit *out)
{
	return packet_limit_find(&view->report->observations, tried->attempt->address, tried->attempt->port, outwards,
				 out);
}

/* To the byte, or only between two of the sizes that were tried? */
static double confidence_of(const struct packet_limit *limit)
{
	return packet_limit_is_exact(limit) ? 0.95 : 0.85;
}

static bool say(const struct view *view, struct verdict *out, const char *cause, const struct packet_limit *limit)
{
	verdict_set(view, out, cause, confidence_of(limit));
	verdict_add_evidence(view, out, limit->lost);
	verdict_add_evidence(view, out, limit->through);
	return true;
}

/* An attempt that got no further than its hello or the first bytes of an answer. */
static bool is_stuck(const struct view *view, const struct tried *tried)
{
	return !view->proxied && tried->tls && (hello_is_silent(view, tried) || handshake_is_stalled(view, tried));
}

/* Smaller packets bring the whole answer. */
static bool is_cured(const struct view *view, const struct tried *tried, struct packet_limit *in)
{
	return is_stuck(view, tried) && packet_limit_inwards(view, tried, in);
}

/* Of what leaves this server: to the address itself, else to one that was examined in its place. */
static bool limit_out(const struct view *view, const struct tried *tried, struct packet_limit *out)
{
	if (limit_at(view, tried, true, out))
		return out->lost;
	return packet_limit_any(&view->report->observations, true, out) && out->lost;
}

/** The way out: full packets of ours are never acknowledged. Where the way back is shut for them too, that shows first; here it comes second. */
bool rule_ip_pmtu_blackhole_egress(const struct view *view, struct verdict *out)
{
	struct packet_limit in, limit;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!is_cured(view, tried, &in) || !limit_out(view, tried, &limit))
			continue;
		verdict_add_evidence(view, out, tried_ended_by(tried));
		return say(view, out, "ip_pmtu_blackhole_egress", &limit);
	}
	return false;
}

bool rule_ip_pmtu_blackhole_ingress(const struct view *view, struct verdict *out)
{
	struct packet_limit limit;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!is_cured(view, tried, &limit))
			continue;
		verdict_add_evidence(view, out, tried_ended_by(tried));
		return say(view, out, "ip_pmtu_blackhole_ingress", &limit);
	}
	return false;
}

/** All that this check sends is small and passes; what a backup sends is not. */
bool remark_ip_pmtu_blackhole_egress(const struct view *view, struct verdict *out)
{
	struct packet_limit limit;
	for (size_t i = 0; !view->proxied && i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		struct ladder ladder;
		if (!tried->judged || tried->cut || !limit_at(view, tried, true, &limit) || !limit.lost)
			continue;
		ladder_make(view, tried, &ladder);
		if (ladder.again.end != RUNG_PASSED || ladder.large.end != RUNG_SILENT ||
		    !hello_was_lost(ladder.large.seen))
			continue;
		verdict_add_also(view, out,
				 "registration sends little and passes; backups send full packets, and would hang");
		return say(view, out, "ip_pmtu_blackhole_egress", &limit);
	}
	return false;
}
