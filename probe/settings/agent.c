#include "probe/settings/agent.h"

#include <stddef.h>

#include "probe/core/arena.h"
#include "probe/settings/encoding.h"
#include "probe/settings/mask.h"
#include "probe/settings/proxy_url.h"

enum { HTTP_PORT = 80 };

/* What is wrong with the address, as a sentence, or NULL. */
static const char *parse(struct arena *arena, const char *text, struct proxy_url *proxy)
{
	proxy_url_parse(arena, text, "a URL without one", HTTP_PORT, proxy);
	return proxy->problem ? arena_printf(arena, "the agent's proxy `%s` %s", text, proxy->problem) : NULL;
}

void agent_read(struct arena *arena, const char *proxy, struct proxy_setting *out)
{
	struct proxy_url parsed;
	*out = (struct proxy_setting){.identity = IDENTITY_SYSTEM,
				      .kind = ROUTE_AGENT,
				      .found = true,
				      .scope = "per-machine",
				      .source = "values",
				      .location = "--agent-proxy",
				      .proxy_enabled = true};
	out->proxy_server = mask_passwords(arena, encoding_clean(arena, proxy));
	const char *problem = parse(arena, out->proxy_server, &parsed);
	if (problem)
		text_list_add(arena, &out->problems, problem);
	text_list_add(arena, &out->order, "static");
}

void agent_decide(struct arena *arena, const struct proxy_setting *setting, struct decision *out)
{
	struct proxy_url proxy;
	out->mechanism = "static";
	out->rule = "the agent's own proxy";
	out->problem = parse(arena, setting->proxy_server, &proxy);
	text_list_add(arena, &out->via, proxy.via ? proxy.via : "DIRECT");
}
