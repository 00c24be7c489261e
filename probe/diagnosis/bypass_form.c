#include "probe/diagnosis/bypass_form.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/settings/bypass.h"

/* A literal host counts as its own address; else what direct paths to the target tried. */
static bool is_target_inside(const struct view *view, const struct prefix *prefix)
{
	struct address address;
	if (address_parse(view->target->host, &address))
		return prefix_contains(prefix, &address);
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		for (size_t k = 0; other->target == view->target && !other->proxied && k < other->tried_count; k++)
			if (address_parse(other->tried[k].attempt->address, &address) &&
			    prefix_contains(prefix, &address))
				return true;
	}
	return false;
}

static bool is_range_with_target(const struct view *view, const char *entry)
{
	struct prefix prefix;
	return strchr(entry, '/') && prefix_parse(entry, &prefix) && is_target_inside(view, &prefix);
}

/* "windows.net" and ".windows.net" for all below it. */
static bool is_domain_above_target(const struct view *view, const char *entry)
{
	const char *domain = entry[0] == '.' ? entry + 1 : entry, *host = view->target->host;
	size_t length = strlen(host), tail = strlen(domain);
	return strchr(domain, '.') && length > tail && host[length - tail - 1] == '.' &&
	       strcasecmp(host + length - tail, domain) == 0;
}

/* A URL down to its path ("https://host.example/"): without the path it would match. */
static bool is_url_of_target(const struct view *view, enum proxy_dialect dialect, const char *entry)
{
	struct url url;
	const char *rule, *scheme = strstr(entry, "://"), *host = scheme ? scheme + 3 : entry;
	size_t length = strcspn(host, "/");
	if (!host[length] || !length || !url_parse(view->report->arena, view->target->url, &url))
		return false;
	const char *bare = arena_strndup(view->report->arena, entry, (size_t)(host - entry) + length);
	return bypass_matches(view->report->arena, dialect, bare, &url, &rule);
}

static bool is_meant(const struct view *view, enum proxy_dialect dialect, const char *entry)
{
	return is_range_with_target(view, entry) || is_domain_above_target(view, entry) ||
	       is_url_of_target(view, dialect, entry);
}

const char *bypass_entry_meant(const struct view *view)
{
	static const char separators[] = "; \t\r\n\v\f";
	const struct route *route = &view->path->route;
	const struct proxy_setting *setting = view_setting(view, view->path->identity, route->kind);
	bool is_static = !route->mechanism || strcmp(route->mechanism, "static") == 0;
	bool by_list = route->kind == ROUTE_WININET || route->kind == ROUTE_WINHTTP;
	if (!by_list || !is_static || !view->proxied || !view->target->url || !setting || !setting->proxy_bypass)
		return NULL;
	enum proxy_dialect dialect = route->kind == ROUTE_WINHTTP ? PROXY_WINHTTP : PROXY_WININET;
	for (const char *at = setting->proxy_bypass; *at;) {
		at += strspn(at, separators);
		size_t length = strcspn(at, separators);
		const char *entry = arena_strndup(view->report->arena, at, length);
		if (length && is_meant(view, dialect, entry))
			return entry;
		at += length;
	}
	return NULL;
}
