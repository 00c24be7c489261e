#include "probe/settings/settings.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/settings/agent.h"
#include "probe/settings/bypass.h"
#include "probe/settings/env.h"
#include "probe/settings/proxy_list.h"

/* Why nothing is looked up at all. */
static const char *off_rule(const struct proxy_setting *setting)
{
	if (setting->kind == ROUTE_WINHTTP)
		return "the proxy is switched off in WinHttpSettings";
	if (strcmp(setting->source, "blob") == 0)
		return "the proxy is switched off in DefaultConnectionSettings (flag 2)";
	return strcmp(setting->source, "none") == 0 ? "no proxy is set" : "ProxyEnable is 0";
}

/* What the static part of the settings says, whatever else is on. */
static void decide_static(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
			  struct decision *out)
{
	enum proxy_dialect dialect = setting->kind == ROUTE_WINHTTP ? PROXY_WINHTTP : PROXY_WININET;
	struct proxy_list list;
	struct proxy_choice choice;
	out->mechanism = setting->proxy_enabled ? "static" : "direct";
	if (!setting->proxy_enabled || bypass_matches(arena, dialect, setting->proxy_bypass, url, &out->rule)) {
		if (!setting->proxy_enabled)
			out->rule = off_rule(setting);
		text_list_add(arena, &out->via, "DIRECT");
		return;
	}
	proxy_list_parse(arena, dialect, setting->proxy_server, &list);
	proxy_list_choose(arena, &list, url->scheme, &choice);
	out->via = choice.via;
	out->rule = choice.rule;
	out->problem = choice.problem;
}

/* A script or automatic detection comes first, and nobody here can ask it: the rest is only what would hold
 * without it. */
static void say_undecided(struct arena *arena, const struct proxy_setting *setting, struct decision *out)
{
	const char *rest = out->via.items[0];
	const char *script = setting->pac_enabled ? arena_printf(arena, "the PAC script `%s`", setting->pac_url) : NULL;
	out->undecided = true;
	out->mechanism = setting->auto_detect ? "auto_detect" : "pac";
	out->rule = setting->auto_detect ? "automatic detection (WPAD) is switched on" : script;
	if (!setting->auto_detect)
		out->problem = arena_printf(
			arena, "%s decides, and this version cannot run it; if it cannot be loaded, it is %s", script,
			rest);
	else if (script)
		out->problem = arena_printf(
			arena,
			"automatic detection (WPAD) decides, or else %s, and this version can ask neither; "
			"if both give nothing, it is %s",
			script, rest);
	else
		out->problem =
			arena_printf(arena,
				     "automatic detection (WPAD) decides, and this version cannot ask it; if it finds "
				     "nothing, it is %s",
				     rest);
}

static void decide_windows(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
			   struct decision *out)
{
	decide_static(arena, setting, url, out);
	if (setting->auto_detect || setting->pac_enabled)
		say_undecided(arena, setting, out);
}

static void decide_absent(struct arena *arena, struct decision *out)
{
	out->mechanism = "direct";
	out->rule = "no such setting was found: direct";
	text_list_add(arena, &out->via, "DIRECT");
}

void settings_decide(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
		     struct decision *out)
{
	*out = (struct decision){0};
	if (!setting || !setting->found) {
		decide_absent(arena, out);
		out->source = setting ? setting->location : NULL;
		return;
	}
	out->source = setting->location;
	switch (setting->kind) {
	case ROUTE_WININET:
	case ROUTE_WINHTTP:
		decide_windows(arena, setting, url, out);
		break;
	case ROUTE_AGENT:
		agent_decide(arena, setting, out);
		break;
	case ROUTE_ENV:
		env_decide(arena, setting, url, out);
		break;
	case ROUTE_DIRECT:
	case ROUTE_PROXY:
		decide_absent(arena, out);
		break;
	}
}
