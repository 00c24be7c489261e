/* Which cloud and which region a vault credentials file belongs to, and what of a target set it makes exact. */

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "targets/vault.h"

/* The first that fits counts. That login-us serves the US Government cloud: its old sign-in address. */
static const struct {
	const char *rule;
	const char *cloud;
} sign_in[] = {
	{"login-us.microsoftonline.com", "usgov"}, {"*.microsoftonline.com", "public"},
	{"login.windows.net", "public"},	   {"login.microsoft.com", "public"},
	{"*.microsoftonline.us", "usgov"},	   {"*.microsoftonline.cn", "china"},
	{"login.chinacloudapi.cn", "china"},
};

const char *vault_cloud_of_host(const char *host)
{
	for (size_t i = 0; host && i < sizeof(sign_in) / sizeof(sign_in[0]); i++)
		if (rule_matches_host(sign_in[i].rule, host))
			return sign_in[i].cloud;
	return NULL;
}

const char *vault_set_name(const struct vault_file *vault)
{
	static const char *const sets[][2] = {
		{"public", "mars-public"}, {"usgov", "mars-usgov"}, {"china", "mars-china"}};
	for (size_t i = 0; vault->cloud && i < sizeof(sets) / sizeof(sets[0]); i++)
		if (strcmp(sets[i][0], vault->cloud) == 0)
			return sets[i][1];
	return NULL;
}

/* The host of such an origin; "" for NULL. */
static const char *host_of(struct arena *arena, const char *origin)
{
	struct url url;
	return origin && url_parse(arena, origin, &url) ? url.host : "";
}

/* "pod01-id1.eus.backup.windowsazure.com" has the region's code in it. */
static const char *region_in_host(struct arena *arena, const char *host)
{
	const char *service = strstr(host, ".backup.windowsazure."), *start = service;
	while (service && start > host && start[-1] != '.')
		start--;
	const char *code = service ? arena_strndup(arena, start, (size_t)(service - start)) : NULL;
	return code && targets_region_valid(code) ? code : NULL;
}

void vault_place(struct arena *arena, struct vault_file *out)
{
	out->cloud = vault_cloud_of_host(host_of(arena, out->authority));
	out->region = region_in_host(arena, host_of(arena, out->endpoint));
	if (!out->region)
		out->region = targets_region_code(out->location);
}

/* ------------------------------------------------------------------ exact endpoints */

static struct target *target_of_host(const struct target_set *set, const char *host)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->targets[i]->kind == TARGET_URL && strcasecmp(set->targets[i]->host, host) == 0)
			return set->targets[i];
	return NULL;
}

/* A required target of that service whose rule covers the host too. */
static const struct target *like(const struct target_set *set, const char *service, const char *host)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct target *target = set->targets[i];
		if (target->kind == TARGET_URL && target->required && strcmp(target->service, service) == 0 &&
		    rule_matches_host(target->rule, host))
			return target;
	}
	return NULL;
}

static void use(struct arena *arena, struct target_set *set, const char *origin, const char *service)
{
	const char *host = host_of(arena, origin);
	struct target *target = target_of_host(set, host);
	const struct target *model = target ? NULL : like(set, service, host);
	if (!target && !model)
		return;
	if (!target) {
		target = arena_alloc(arena, sizeof(*target));
		*target = *model;
		target->id = arena_printf(arena, "vault-%s", service);
		target->url = arena_printf(arena, "%s/", origin);
		target->name = target->host = arena_strdup(arena, host);
		target->port = 443;
		target->regional = false;
		set->targets = arena_grow(arena, set->targets, &set->capacity, set->count, sizeof(struct target *));
		set->targets[set->count++] = target;
	}
	target->required = true;
	target->stand_in = false;
}

void vault_use_endpoints(struct arena *arena, const struct vault_file *vault, struct target_set *set)
{
	if (!vault->cloud || !set->cloud || strcmp(vault->cloud, set->cloud) != 0)
		return;
	if (vault->authority)
		use(arena, set, vault->authority, "entra");
	if (vault->endpoint && strstr(vault->endpoint, ".backup.windowsazure."))
		use(arena, set, vault->endpoint, "backup");
}
