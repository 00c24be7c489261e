#include "probe/settings/settings.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/settings/agent.h"
#include "probe/settings/env.h"
#include "probe/settings/mask.h"
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

static void use_pac(struct arena *arena, struct proxy_setting *setting, const char *address)
{
	bool alone = !setting->found;
	setting->auto_detect = false;
	setting->pac_enabled = true;
	setting->pac_address = arena_strdup(arena, address);
	setting->pac_url = mask_url(arena, address);
	if (alone) {
		setting->found = true;
		setting->location = "--pac";
	}
	setting->order = (struct text_list){0};
	text_list_add(arena, &setting->order, "pac");
	if (setting->proxy_enabled)
		text_list_add(arena, &setting->order, "static");
	if (!alone)
		text_list_add(arena, &setting->order, "direct");
}

void settings_use_pac(struct arena *arena, struct settings *settings, const char *address)
{
	for (int identity = IDENTITY_USER; identity <= IDENTITY_SYSTEM; identity++) {
		if (settings_find(settings, (enum identity_id)identity, ROUTE_WININET))
			continue;
		*add_item(arena, settings) = (struct proxy_setting){
			.identity = (enum identity_id)identity,
			.kind = ROUTE_WININET,
			.scope = "per-user",
			.source = "none",
		};
	}
	for (size_t i = 0; i < settings->count; i++)
		if (settings->items[i].kind == ROUTE_WININET)
			use_pac(arena, &settings->items[i], address);
}
