/* Table T, by contrast: from how far a reset comes, and who accepts connections. */

#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/rules_tcp.h"

bool rule_tcp_refused_at_target(const struct view *view, struct verdict *out)
{
	return verdict_by_way(view, out, "tcp_refused_at_target", WAY_REFUSED_FAR, tcp_is_refused);
}

static bool is_unanswered(const struct view *view, const struct tried *tried)
{
	return !view->proxied && tried->broke > STAGE_TCP;
}

/** A finished handshake proves nothing about the far side, as long as no byte came from there. */
bool rule_tcp_synack_by_middlebox(const struct view *view, struct verdict *out)
{
	return verdict_by_way(view, out, "tcp_synack_by_middlebox", WAY_ANSWERED_NEAR, is_unanswered);
}
