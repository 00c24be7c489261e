#include "probe/diagnosis/contrast.h"

enum { CONTRAST_SHOWN = 2 };

bool is_by_settings(const struct view *view)
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

bool is_by_script(const struct view *view)
{
	static const char *const scripts[] = {"auto_detect", "pac", NULL};
	return view->path->route.via && text_is_one_of(view->path->route.mechanism, scripts);
}

bool works_otherwise(const struct view *view, const struct view *other)
{
	if (!other || !view_works(other))
		return false;
	return view->proxied != other->proxied || (view->proxied && !view_same_proxy(view, other));
}

const struct view *other_proxy_works(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other->target == view->target && other->proxied && works_otherwise(view, other))
			return other;
	}
	return NULL;
}

const struct view *proxy_works_for_other(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other->proxied && other->path->identity == view->path->identity &&
		    other->path->route.kind == view->path->route.kind && works_otherwise(view, other))
			return other;
	}
	return NULL;
}

void contrast_show(const struct view *view, struct verdict *out, const struct view *other)
{
	size_t failed = 0, worked = 0;
	for (size_t i = 0; i < view->tried_count; i++)
		if (tried_failed(&view->tried[i]) && failed++ < CONTRAST_SHOWN)
			verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
	for (size_t i = 0; other && i < other->tried_count && worked < CONTRAST_SHOWN; i++)
		if (other->tried[i].judged && other->tried[i].broke == STAGE_NONE && ++worked)
			verdict_add_evidence(view, out, tried_ended_by(&other->tried[i]));
}

bool contrast_verdict(const struct view *view, struct verdict *out, const char *cause, double confidence,
		      const struct view *other)
{
	contrast_show(view, out, other);
	return verdict_set(view, out, cause, confidence);
}
