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

/* ------------------------------------------------------------------ the static part */

struct decider {
	const struct proxy_setting *setting;
	const struct bypass_list *bypass; /* NULL: for one URL alone, which is not worth an index */
	struct proxy_list proxies;
	struct proxy_choice http, https; /* what the list of proxies gives them */
	struct text_list direct;
};

static enum proxy_dialect dialect_of(const struct proxy_setting *setting)
{
	return setting->kind == ROUTE_WINHTTP ? PROXY_WINHTTP : PROXY_WININET;
}

static bool is_bypassed(const struct decider *decider, struct arena *arena, const struct url *url, const char **rule)
{
	const struct proxy_setting *setting = decider->setting;
	return decider->bypass ? bypass_find(decider->bypass, url, rule)
			       : bypass_matches(arena, dialect_of(setting), setting->proxy_bypass, url, rule);
}

static void choose_proxy(const struct decider *decider, struct arena *arena, const char *scheme,
			 struct proxy_choice *out)
{
	if (decider->bypass && strcmp(scheme, "https") == 0)
		*out = decider->https;
	else if (decider->bypass && strcmp(scheme, "http") == 0)
		*out = decider->http;
	else
		proxy_list_choose(arena, &decider->proxies, scheme, out);
}

/* What the static part of the settings says, whatever else is on. */
static void decide_static(const struct decider *decider, struct arena *arena, const struct url *url,
			  struct decision *out)
{
	const struct proxy_setting *setting = decider->setting;
	struct proxy_choice choice;
	out->mechanism = setting->proxy_enabled ? "static" : "direct";
	if (!setting->proxy_enabled || is_bypassed(decider, arena, url, &out->rule)) {
		if (!setting->proxy_enabled)
			out->rule = off_rule(setting);
		out->via = decider->direct;
		return;
	}
	choose_proxy(decider, arena, url->scheme, &choice);
	out->via = choice.via;
	out->rule = choice.rule;
	out->problem = choice.problem;
}

/* ------------------------------------------------------------------ scripts, which come first */

static const char *name_of_script(struct arena *arena, const struct proxy_setting *setting, bool detected,
				  const struct script_answer *answer)
{
	const char *address = detected ? answer->script : setting->pac_url;
	return address ? arena_printf(arena, "the PAC script `%s`%s", address,
				      detected ? ", found by automatic detection," : "")
		       : "automatic detection (WPAD)";
}

/* Nobody asked it: the rest is only what would hold without it. */
static void say_undecided(struct arena *arena, const struct proxy_setting *setting, bool detected, struct decision *out)
{
	const char *rest = out->via.count ? out->via.items[0] : "nothing";
	const struct script_answer none = {0};
	const char *script = name_of_script(arena, setting, detected, &none);
	out->undecided = true;
	out->mechanism = detected ? "auto_detect" : "pac";
	out->rule = detected ? "automatic detection (WPAD) is switched on" : script;
	out->problem =
		arena_printf(arena, "%s decides, and it was not asked; if it gives nothing, it is %s", script,
			     detected && setting->pac_enabled
				     ? arena_printf(arena, "the PAC script `%s`, or else %s", setting->pac_url, rest)
				     : rest);
}

static void add_problem(struct arena *arena, struct decision *out, const char *sentence)
{
	out->problem = out->problem ? arena_printf(arena, "%s; %s", out->problem, sentence) : sentence;
}

/* True: that mechanism has the last word. */
static bool decide_by_script(struct arena *arena, const struct proxy_setting *setting, bool detected,
			     const struct script_answer *answer, struct decision *out)
{
	const char *mechanism = detected ? "auto_detect" : "pac";
	switch (answer->state) {
	case SCRIPT_NOT_ASKED:
		say_undecided(arena, setting, detected, out);
		return true;
	case SCRIPT_ANSWERED:
		out->mechanism = mechanism;
		out->rule = answer->rule;
		out->problem = NULL;
		out->via = *answer->via;
		return true;
	case SCRIPT_FAILED:
		out->error = out->error ? out->error : answer->error;
		add_problem(arena, out,
			    arena_printf(arena, "%s failed (%s: %s)", name_of_script(arena, setting, detected, answer),
					 answer->error, answer->message ? answer->message : "no more is known"));
		return false;
	case SCRIPT_NONE:
		return false;
	}
	return false;
}

static bool falls_back_on_nothing(const struct proxy_setting *setting)
{
	for (size_t i = 0; i < setting->order.count; i++)
		if (strcmp(setting->order.items[i], "direct") == 0 || strcmp(setting->order.items[i], "static") == 0)
			return false;
	return setting->pac_enabled || setting->auto_detect;
}

static void decide_windows(const struct decider *decider, struct arena *arena, const struct url *url,
			   const struct script_answers *answers, struct decision *out)
{
	const struct proxy_setting *setting = decider->setting;
	decide_static(decider, arena, url, out);
	if (falls_back_on_nothing(setting)) {
		out->via = (struct text_list){0};
		out->mechanism = "pac";
		out->rule = "there is nothing else to fall back on";
	}
	bool decided = setting->auto_detect && decide_by_script(arena, setting, true, &answers->auto_detect, out);
	decided = decided || (setting->pac_enabled && decide_by_script(arena, setting, false, &answers->pac, out));
	if (!decided && out->error)
		add_problem(arena, out,
			    out->via.count ? arena_printf(arena, "so what comes next decides: %s", out->rule)
					   : out->rule);
}

static void decide_absent(struct arena *arena, struct decision *out)
{
	out->mechanism = "direct";
	out->rule = "no such setting was found: direct";
	text_list_add(arena, &out->via, "DIRECT");
}

void decider_decide(const struct decider *decider, struct arena *arena, const struct url *url,
		    const struct script_answers *answers, struct decision *out)
{
	static const struct script_answers not_asked = {0};
	const struct proxy_setting *setting = decider->setting;
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
		decide_windows(decider, arena, url, answers ? answers : &not_asked, out);
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

/* ------------------------------------------------------------------ one URL, many URLs */

static bool has_lists(const struct proxy_setting *setting)
{
	return setting && setting->found && (setting->kind == ROUTE_WININET || setting->kind == ROUTE_WINHTTP);
}

static void decider_init(struct arena *arena, const struct proxy_setting *setting, struct decider *out)
{
	*out = (struct decider){.setting = setting};
	if (!has_lists(setting))
		return;
	text_list_add(arena, &out->direct, "DIRECT");
	if (setting->proxy_enabled)
		proxy_list_parse(arena, dialect_of(setting), setting->proxy_server, &out->proxies);
}

/* Whoever adds to a copy of a full list gets a list of his own. */
static void fill_up(struct text_list *list)
{
	list->capacity = list->count;
}

const struct decider *decider_new(struct arena *arena, const struct proxy_setting *setting)
{
	struct decider *decider = arena_alloc(arena, sizeof(*decider));
	decider_init(arena, setting, decider);
	if (!has_lists(setting))
		return decider;
	decider->bypass = bypass_compile(arena, dialect_of(setting), setting->proxy_bypass);
	proxy_list_choose(arena, &decider->proxies, "http", &decider->http);
	proxy_list_choose(arena, &decider->proxies, "https", &decider->https);
	fill_up(&decider->direct);
	fill_up(&decider->http.via);
	fill_up(&decider->https.via);
	return decider;
}

void settings_decide_with(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
			  const struct script_answers *answers, struct decision *out)
{
	struct decider once;
	decider_init(arena, setting, &once);
	decider_decide(&once, arena, url, answers, out);
}

void settings_decide(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
		     struct decision *out)
{
	settings_decide_with(arena, setting, url, NULL, out);
}
