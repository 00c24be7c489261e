#include "probe/settings/settings.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/settings/agent.h"
#include "probe/settings/env.h"
#include "probe/settings/wininet.h"

static struct proxy_setting *add_item(struct arena *arena, struct settings *settings)
{
	settings->items =
		arena_grow(arena, settings->items, &settings->capacity, settings->count, sizeof(*settings->items));
	return &settings->items[settings->count++];
}

void settings_read(const struct settings_input *input, struct settings *out)
{
	struct arena *arena = input->arena;
	*out = (struct settings){0};
	for (int identity = IDENTITY_USER; input->registry && identity <= IDENTITY_SYSTEM; identity++) {
		wininet_read(arena, input->registry, (enum identity_id)identity, add_item(arena, out));
		winhttp_read(arena, input->registry, (enum identity_id)identity, add_item(arena, out));
	}
	if (input->environment)
		env_read(arena, input->environment, input->environment_ignores_case, input->environment_of,
			 add_item(arena, out));
	bool own = input->environment && input->environment_of == IDENTITY_SYSTEM;
	if (!own && input->registry && env_is_in_registry(input->registry))
		env_read_registry(arena, input->registry, add_item(arena, out));
	if (input->agent_proxy || input->agent_source)
		agent_read(arena, input->agent_proxy, input->agent_source, add_item(arena, out));
	out->system_known = input->agent_proxy || (input->registry && wininet_knows_system(input->registry));
	out->system_denied = input->registry && wininet_is_system_denied(input->registry);
}

const struct proxy_setting *settings_find(const struct settings *settings, enum identity_id identity,
					  enum route_kind kind)
{
	for (size_t i = 0; i < settings->count; i++)
		if (settings->items[i].identity == identity && settings->items[i].kind == kind)
			return &settings->items[i];
	return NULL;
}
