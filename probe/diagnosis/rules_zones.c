/* What the registry says beside the proxy: SYSTEM's security zones (table C) and the connectivity probe (table H). It is the vendor's advice, and
 * keeps nothing from working that could be seen here: a warning on what the agent will use, never more. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/diagnosis/rules.h"

static const char internet[] = "3", restricted[] = "4";

static bool is_agents_own(const struct view *view)
{
	return view->path->effective && view->path->identity == IDENTITY_SYSTEM && view->target->url;
}

static const char *value_of(const struct local_fact *fact, size_t index)
{
	return fact && index < fact->values.count ? fact->values.items[index] : NULL;
}

/* What was written down of this target's own host; NULL: nothing worth it. */
static const struct observation *zone_of(const struct view *view)
{
	struct url url;
	struct arena *arena = view->report->arena;
	if (!url_parse(arena, view->target->url, &url))
		return NULL;
	return view_fact_observation(view, "zone_of_host", arena_printf(arena, "%s://%s", url.scheme, url.host));
}

/* Without Enhanced Security nobody misses an entry: what is not named is the Internet, and that is well. */
bool rule_cfg_zone_not_trusted(const struct view *view, struct verdict *out)
{
	const struct observation *found = is_agents_own(view) && view->target->required ? zone_of(view) : NULL;
	const char *zone = found ? value_of(&found->fact, 0) : NULL;
	const struct observation *hardened = view_fact_observation(view, "enhanced_security", NULL);
	if (!zone || (!text_equal(zone, restricted) && !(hardened && text_equal(zone, internet))))
		return false;
	verdict_set(view, out, "cfg_zone_not_trusted", text_equal(zone, restricted) ? 0.7 : 0.5);
	if (!text_equal(zone, restricted))
		verdict_add_evidence(view, out, hardened);
	verdict_add_evidence(view, out, found);
	return true;
}

/* The zone whose setting counts: the Internet, which the article names, or the one that the host falls into. What is restricted forbids it
 * always, and is a matter of the rule before. */
static bool forbids(const struct observation *one, const char *zone_of_host)
{
	if (one->op != OP_LOCAL_FACT || !text_equal(one->fact.fact, "zone_download") ||
	    !text_equal(one->fact.state, "forbidden"))
		return false;
	const char *zone = value_of(&one->fact, 0);
	return text_equal(zone, internet) || (text_equal(zone, zone_of_host) && !text_equal(zone, restricted));
}

bool rule_cfg_zone_download_forbidden(const struct view *view, struct verdict *out)
{
	const struct observation_list *list = &view->report->observations;
	const struct observation *found = is_agents_own(view) ? zone_of(view) : NULL;
	const char *zone = found ? value_of(&found->fact, 0) : internet;
	for (size_t i = 0; is_agents_own(view) && i < list->count; i++) {
		if (!forbids(list->items[i], zone))
			continue;
		verdict_set(view, out, "cfg_zone_download_forbidden", 0.6);
		verdict_add_evidence(view, out, list->items[i]);
		return true;
	}
	return false;
}

/* The probe's own addresses answer as they should: then it would find the internet, if it were let. */
bool rule_host_ncsi_probe_disabled(const struct view *view, struct verdict *out)
{
	const struct observation *off = view_fact_observation(view, "ncsi_probe", NULL);
	if (!off || !view->path->effective || !is_ncsi(view->target) || view->status != STATUS_PASS)
		return false;
	verdict_set(view, out, "host_ncsi_probe_disabled", 0.8);
	verdict_add_evidence(view, out, off);
	for (size_t i = 0; i < view->tried_count; i++)
		if (view->tried[i].judged && view->tried[i].http)
			verdict_add_evidence(view, out, view->tried[i].http);
	return true;
}
