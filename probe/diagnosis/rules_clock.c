/* Table H, the clock of this server: told by the servers that answered, and by certificates that it misjudges. */

#include <stdlib.h>

#include "probe/diagnosis/rules.h"

enum { CLOCK_LIMIT_MS = 5 * 60 * 1000, CLOCK_WITNESSES = 2 };

static bool clock_is_wrong(const struct report *report)
{
	return report->host.clock_witnesses >= CLOCK_WITNESSES && llabs(report->host.clock_offset_ms) > CLOCK_LIMIT_MS;
}

/* Would every certificate of the chain be valid by the servers' clocks? True where no dates are known. */
static bool is_in_date_elsewhere(const struct report *report, const struct tls_handshake *tls)
{
	int64_t there_s = tls->verified_at_s - report->host.clock_offset_ms / 1000;
	for (size_t i = 0; tls->verified_at_s > 0 && i < tls->chain_count; i++)
		if (tls->chain[i].not_after_s > 0 &&
		    (there_s < tls->chain[i].not_before_s || there_s > tls->chain[i].not_after_s))
			return false;
	return true;
}

/* Validity was judged by a wrong clock, and would be judged otherwise by the right one. */
static bool is_out_of_date(const struct view *view, const struct tried *tried)
{
	const struct observation *tls = tried->proxy_tls && tried->broke == STAGE_PROXY ? tried->proxy_tls : tried->tls;
	return tls && tls->failure != FAILURE_NONE &&
	       (text_equal(tls->tls.verify, "expired") || text_equal(tls->tls.verify, "not_yet_valid")) &&
	       is_in_date_elsewhere(view->report, &tls->tls);
}

/* A single Date has a second witness in a certificate that is out of date here, and in date by that Date. */
static bool certificate_is_witness(const struct view *view, const struct tried *tried)
{
	return is_out_of_date(view, tried) && tried->tls && tried->tls->tls.chain_count &&
	       tried->tls->tls.verified_at_s > 0 && tried->tls->tls.chain[0].not_after_s > 0;
}

bool rule_host_clock_breaks(const struct view *view, struct verdict *out)
{
	if (clock_is_wrong(view->report))
		return verdict_if_any(view, out, "host_clock_skewed", 0.9, is_out_of_date);
	return view->report->host.clock_witnesses == 1 && llabs(view->report->host.clock_offset_ms) > CLOCK_LIMIT_MS &&
	       verdict_if_any(view, out, "host_clock_skewed", 0.7, certificate_is_witness);
}

/* Does some path break by it already? */
static bool clock_breaks_any(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++)
		for (size_t k = 0; k < view->all[i].tried_count; k++)
			if (tried_failed(&view->all[i].tried[k]) && is_out_of_date(view, &view->all[i].tried[k]))
				return true;
	return false;
}

/* Said of what still works only where nothing breaks by it: else the finding is there, and what works need not be doubted. */
bool rule_host_clock_skewed(const struct view *view, struct verdict *out)
{
	if (!clock_is_wrong(view->report) || clock_breaks_any(view))
		return false;
	verdict_set(view, out, "host_clock_skewed", view->report->host.clock_witnesses > CLOCK_WITNESSES ? 0.95 : 0.9);
	for (size_t i = 0; i < view->tried_count; i++)
		verdict_add_evidence(view, out, view->tried[i].http);
	return true;
}
