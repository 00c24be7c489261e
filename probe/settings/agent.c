#include "probe/settings/agent.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

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

void agent_read(struct arena *arena, const char *proxy, const char *source, struct proxy_setting *out)
{
	struct proxy_url parsed;
	*out = (struct proxy_setting){.identity = IDENTITY_SYSTEM,
				      .kind = ROUTE_AGENT,
				      .found = proxy != NULL,
				      .scope = "per-machine",
				      .source = proxy ? "values" : "none",
				      .location = source ? source : "--agent-proxy",
				      .proxy_enabled = proxy != NULL};
	text_list_add(arena, &out->order, proxy ? "static" : "direct");
	if (!proxy)
		return;
	out->proxy_server = mask_passwords(arena, encoding_clean(arena, proxy));
	const char *problem = parse(arena, out->proxy_server, &parsed);
	if (problem)
		text_list_add(arena, &out->problems, problem);
}

/* The value of a line "name=value", without blanks at its end; NULL if there is none or it is empty. */
static const char *line_value(struct arena *arena, const char *text, const char *name)
{
	size_t length = strlen(name);
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		if (strncmp(text, name, length) != 0 || text[length] != '=')
			continue;
		const char *value = text + length + 1;
		size_t bytes = strcspn(value, "\r\n");
		while (bytes && value[bytes - 1] == ' ')
			bytes--;
		return bytes ? arena_strndup(arena, value, bytes) : NULL;
	}
	return NULL;
}

bool agent_parse_answer(struct arena *arena, const char *text, const char **proxy)
{
	const char *enabled = line_value(arena, text, "enabled"), *server = line_value(arena, text, "server");
	const char *port = line_value(arena, text, "port");
	*proxy = NULL;
	if (enabled && strcasecmp(enabled, "False") == 0)
		return true;
	if (!enabled || strcasecmp(enabled, "True") != 0 || !server || !port ||
	    port[strspn(port, "0123456789")] != '\0')
		return false;
	size_t length = strlen(server);
	bool slash = server[length - 1] == '/';
	*proxy = arena_printf(arena, "%s%.*s:%s", strstr(server, "://") ? "" : "http://", (int)(length - slash), server,
			      port);
	return true;
}

void agent_decide(struct arena *arena, const struct proxy_setting *setting, struct decision *out)
{
	struct proxy_url proxy;
	out->mechanism = "static";
	out->rule = "the agent's own proxy";
	out->problem = parse(arena, setting->proxy_server, &proxy);
	text_list_add(arena, &out->via, proxy.via ? proxy.via : "DIRECT");
}
