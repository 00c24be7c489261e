#include "probe/plan/loss.h"

#include "probe/plan/wishes.h"

enum { HANDSHAKES_EACH = 6 }; /* of a way that loses one packet in fifty some are lost then */

/* Of the paths' own connections to targets, where they stood. */
static bool is_suspicious(const struct report *report)
{
	int segments = 0, resent = 0;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		const struct tcp_facts *facts = &one->tcp.tcp_info;
		if (one->op != OP_TCP_CONNECT || one->experiment || one->failure != FAILURE_NONE ||
		    !one->tcp.has_tcp_info || facts->segments <= 0 || facts->retransmits < 0)
			continue;
		segments += facts->segments;
		resent += facts->retransmits;
	}
	int percent = segments < LOSS_SEGMENTS_LEAST ? LOSS_PERCENT_OF_FEW : LOSS_PERCENT;
	return resent >= LOSS_RESENT_LEAST && resent * 100 >= percent * segments;
}

void loss_choose(struct experiment_plan *plan, const struct report *report)
{
	if (!plan->healthy_count || !is_suspicious(report))
		return;
	for (size_t i = 0; i < plan->healthy_count; i++)
		for (unsigned k = 0; k < HANDSHAKES_EACH; k++) {
			struct wish wish = {.experiment = EXPERIMENT_LOSS_AGAIN,
					    .about = plan->healthy[i],
					    .port = plan->healthy[i]->port,
					    .flow = k};
			wish_once(plan, &wish);
		}
}
