/* Table C: a path that fails because of what some settings say, shown by another path that works by other settings. */

#include "probe/diagnosis/bypass_form.h"
#include "probe/diagnosis/contrast.h"
#include "probe/diagnosis/rules.h"

static bool has_static_proxy(const struct proxy_setting *setting)
{
	return setting && setting->found && setting->proxy_enabled && setting->proxy_server && setting->proxy_server[0];
}

/* What is wrong with a script stands in the same place, and has causes of its own. */
static bool has_doubtful_list(const struct view *view)
{
	const struct route *route = &view->path->route;
	return is_by_settings(view) && route->via && route->problem && !route->error;
}

bool rule_cfg_proxy_string_malformed(const struct view *view, struct verdict *out)
{
	if (!has_doubtful_list(view) || view_works(view))
		return false;
	verdict_set(view, out, "cfg_proxy_string_malformed", 0.9);
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]))
			verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
	return true;
}

/* Windows reads it as something, and that works: the next reader may not. */
bool rule_cfg_proxy_string_doubtful(const struct view *view, struct verdict *out)
{
	if (!has_doubtful_list(view) || !view_works(view))
		return false;
	return verdict_set(view, out, "cfg_proxy_string_malformed", 0.8);
}

/* A script that says DIRECT, or that nobody gets, is a setting too. Automatic detection that finds nothing is none. */
bool rule_cfg_proxy_missing_for_system(const struct view *view, struct verdict *out)
{
	const struct view *user = view_peer(view, IDENTITY_USER, ROUTE_WININET);
	const struct proxy_setting *own = view_setting(view, IDENTITY_SYSTEM, view->path->route.kind);
	if (view->path->identity != IDENTITY_SYSTEM || view->proxied || !is_by_settings(view) || view_works(view) ||
	    view->status == STATUS_INCONCLUSIVE)
		return false;
	if (has_static_proxy(own) || is_by_script(view) || view->path->route.error)
		return false;
	return user && user->proxied && view_works(user) &&
	       contrast_verdict(view, out, "cfg_proxy_missing_for_system", 0.9, user);
}

bool rule_cfg_proxy_differs_by_identity(const struct view *view, struct verdict *out)
{
	enum identity_id other_identity = view->path->identity == IDENTITY_USER ? IDENTITY_SYSTEM : IDENTITY_USER;
	const struct view *other = view_peer(view, other_identity, ROUTE_WININET);
	if (view->path->route.kind != ROUTE_WININET || view_works(view) || !view->proxied)
		return false;
	return other && other->proxied && works_otherwise(view, other) &&
	       contrast_verdict(view, out, "cfg_proxy_differs_by_identity", 0.9, other);
}

bool rule_cfg_winhttp_wininet_mismatch(const struct view *view, struct verdict *out)
{
	enum route_kind kind = view->path->route.kind;
	if ((kind != ROUTE_WININET && kind != ROUTE_WINHTTP) || view_works(view))
		return false;
	const struct view *other =
		view_peer(view, view->path->identity, kind == ROUTE_WININET ? ROUTE_WINHTTP : ROUTE_WININET);
	return works_otherwise(view, other) && contrast_verdict(view, out, "cfg_winhttp_wininet_mismatch", 0.85, other);
}

bool rule_cfg_agent_override_wrong(const struct view *view, struct verdict *out)
{
	const struct view *system = view_peer(view, IDENTITY_SYSTEM, ROUTE_WININET);
	if (view->path->route.kind != ROUTE_AGENT || view_works(view))
		return false;
	if (!works_otherwise(view, system))
		system = view_peer(view, IDENTITY_USER, ROUTE_WININET);
	return works_otherwise(view, system) && contrast_verdict(view, out, "cfg_agent_override_wrong", 0.9, system);
}

bool rule_cfg_bypass_sends_direct(const struct view *view, struct verdict *out)
{
	const struct proxy_setting *setting = view_setting(view, view->path->identity, view->path->route.kind);
	if (!is_by_settings(view) || is_by_script(view) || view->proxied || view_works(view) ||
	    view->path->route.problem || view->status == STATUS_INCONCLUSIVE)
		return false;
	if (!has_static_proxy(setting) || !setting->proxy_bypass || !setting->proxy_bypass[0])
		return false;
	const struct view *same = other_proxy_works(view), *other = same ? same : proxy_works_for_other(view);
	if (!other)
		return false;
	if (!same)
		verdict_add_not_run(view, out, "the bypassed name through the proxy");
	return contrast_verdict(view, out, "cfg_bypass_sends_direct", same ? 0.9 : 0.7, other);
}

/* What goes direct when its direct path is taken, and works so. */
static const struct view *direct_works(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other->target == view->target && !other->proxied && view_works(other))
			return other;
	}
	return NULL;
}

/** The proxy fails, the direct way works, and an entry would have led there if Windows honoured its form. */
bool rule_cfg_bypass_never_matches(const struct view *view, struct verdict *out)
{
	const char *entry = bypass_entry_meant(view);
	const struct view *other = entry ? direct_works(view) : NULL;
	if (!other || view_works(view) || view->status == STATUS_INCONCLUSIVE)
		return false;
	return contrast_verdict(view, out, "cfg_bypass_never_matches", 0.85, other);
}
