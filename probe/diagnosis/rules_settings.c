/* Table C: a path that fails because of what some settings say, shown by another path that works by other settings. */

#include <string.h>
#include <strings.h>

#include "probe/diagnosis/rules.h"

enum { CONTRAST_SHOWN = 2 };

static bool is_by_settings(const struct view *view)
{
	switch (view->path->route.kind) {
	case ROUTE_WININET:
	case ROUTE_WINHTTP:
	case ROUTE_AGENT:
	case ROUTE_ENV:
		return true;
	case ROUTE_DIRECT:
	case ROUTE_PROXY:
		return false;
	}
	return false;
}

static bool has_static_proxy(const struct proxy_setting *setting)
{
	return setting && setting->found && setting->proxy_enabled && setting->proxy_server && setting->proxy_server[0];
}

/* Does the other path go another way, and work? */
static bool works_otherwise(const struct view *view, const struct view *other)
{
	if (!other || !view_works(other))
		return false;
	return view->proxied != other->proxied || (view->proxied && !view_same_proxy(view, other));
}

/* Some of what failed here, and of what worked there. */
static bool contrast(const struct view *view, struct verdict *out, const char *cause, double confidence,
		     const struct view *other)
{
	size_t failed = 0, worked = 0;
	verdict_set(view, out, cause, confidence);
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && failed++ < CONTRAST_SHOWN)
			verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
	for (size_t i = 0; i < other->tried_count && worked < CONTRAST_SHOWN; i++)
		if (other->tried[i].judged && other->tried[i].broke == STAGE_NONE && ++worked)
			verdict_add_evidence(view, out, tried_ended_by(&other->tried[i]));
	return true;
}

bool rule_cfg_proxy_string_malformed(const struct view *view, struct verdict *out)
{
	bool decided = view->path->route.via != NULL;
	if (!is_by_settings(view) || !decided || !view->path->route.problem || view_works(view))
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
	bool decided = view->path->route.via != NULL;
	if (!is_by_settings(view) || !decided || !view->path->route.problem || !view_works(view))
		return false;
	return verdict_set(view, out, "cfg_proxy_string_malformed", 0.8);
}

bool rule_cfg_proxy_missing_for_system(const struct view *view, struct verdict *out)
{
	const struct view *user = view_peer(view, IDENTITY_USER, ROUTE_WININET);
	if (view->path->identity != IDENTITY_SYSTEM || view->proxied || !is_by_settings(view) || view_works(view) ||
	    view->status == STATUS_INCONCLUSIVE)
		return false;
	if (has_static_proxy(view_setting(view, IDENTITY_SYSTEM, view->path->route.kind)))
		return false;
	return user && user->proxied && view_works(user) &&
	       contrast(view, out, "cfg_proxy_missing_for_system", 0.9, user);
}

bool rule_cfg_proxy_differs_by_identity(const struct view *view, struct verdict *out)
{
	enum identity_id other_identity = view->path->identity == IDENTITY_USER ? IDENTITY_SYSTEM : IDENTITY_USER;
	const struct view *other = view_peer(view, other_identity, ROUTE_WININET);
	if (view->path->route.kind != ROUTE_WININET || view_works(view) || !view->proxied)
		return false;
	return other && other->proxied && works_otherwise(view, other) &&
	       contrast(view, out, "cfg_proxy_differs_by_identity", 0.9, other);
}

bool rule_cfg_winhttp_wininet_mismatch(const struct view *view, struct verdict *out)
{
	enum route_kind kind = view->path->route.kind;
	if ((kind != ROUTE_WININET && kind != ROUTE_WINHTTP) || view_works(view))
		return false;
	const struct view *other =
		view_peer(view, view->path->identity, kind == ROUTE_WININET ? ROUTE_WINHTTP : ROUTE_WININET);
	return works_otherwise(view, other) && contrast(view, out, "cfg_winhttp_wininet_mismatch", 0.85, other);
}

bool rule_cfg_agent_override_wrong(const struct view *view, struct verdict *out)
{
	const struct view *system = view_peer(view, IDENTITY_SYSTEM, ROUTE_WININET);
	if (view->path->route.kind != ROUTE_AGENT || view_works(view))
		return false;
	if (!works_otherwise(view, system))
		system = view_peer(view, IDENTITY_USER, ROUTE_WININET);
	return works_otherwise(view, system) && contrast(view, out, "cfg_agent_override_wrong", 0.9, system);
}

/* The proxy of the same settings: for this target by another route, or at least for another target. */
static const struct view *proxy_that_works(const struct view *view, bool *same_target)
{
	const struct view *any = NULL;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		bool alike = other->path->identity == view->path->identity &&
			     other->path->route.kind == view->path->route.kind;
		if (!other->proxied || !view_works(other))
			continue;
		if (other->target == view->target) {
			*same_target = true;
			return other;
		}
		if (alike && !any)
			any = other;
	}
	*same_target = false;
	return any;
}

bool rule_cfg_bypass_sends_direct(const struct view *view, struct verdict *out)
{
	bool same_target;
	const struct proxy_setting *setting = view_setting(view, view->path->identity, view->path->route.kind);
	if (!is_by_settings(view) || view->proxied || view_works(view) || view->path->route.problem ||
	    view->status == STATUS_INCONCLUSIVE)
		return false;
	if (!has_static_proxy(setting) || !setting->proxy_bypass || !setting->proxy_bypass[0])
		return false;
	const struct view *other = proxy_that_works(view, &same_target);
	if (!other)
		return false;
	contrast(view, out, "cfg_bypass_sends_direct", same_target ? 0.9 : 0.7, other);
	if (!same_target)
		verdict_add_not_run(view, out, "the bypassed name through the proxy");
	return true;
}
