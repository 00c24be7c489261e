#include "probe/settings/env.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/settings/encoding.h"
#include "probe/settings/mask.h"
#include "probe/settings/proxy_url.h"
#include "probe/settings/registry.h"

#define MACHINE_KEY "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
#define SYSTEM_KEY "HKEY_USERS\\S-1-5-18\\Environment"

enum { CURL_HTTP_PROXY_PORT = 1080, ENV_PROBLEMS_MAX = 16, VALUE_BYTES_MAX = 64 * 1024 };

/* In the order in which curl asks for them, once http and https have been told apart. */
static const char *const proxy_names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

/* ------------------------------------------------------------------ reading */

/* Where variables come from: a process's environment, or the two keys that a service of Windows gets its own from. */
struct source {
	const char *const *environment; /* NULL: the registry */
	bool ignores_case;
	const struct registry *registry;
};

static bool same_start(const char *text, const char *name, size_t length, bool ignores_case)
{
	return (ignores_case ? strncasecmp(text, name, length) : strncmp(text, name, length)) == 0;
}

static const char *in_environment(const struct source *source, const char *name)
{
	size_t length = strlen(name);
	for (const char *const *at = source->environment; *at; at++)
		if (same_start(*at, name, length, source->ignores_case) && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

/* SYSTEM's own variable hides the machine's. A reference to another one (%NAME%) stays as it is. */
static const struct registry_value *in_registry(const struct registry *registry, const char *name, const char **key)
{
	static const char *const keys[] = {SYSTEM_KEY, MACHINE_KEY};
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct registry_value *value = registry_get(registry, keys[i], name);
		*key = keys[i];
		if (value && (value->type == REGISTRY_SZ || value->type == REGISTRY_EXPAND_SZ) && value->length)
			return value;
	}
	return NULL;
}

/* The value of a variable, NULL if it is unset or empty. */
static const char *value_of(const struct source *source, const char *name)
{
	const char *key;
	if (source->environment) {
		const char *value = in_environment(source, name);
		return value && *value ? value : NULL;
	}
	const struct registry_value *value = in_registry(source->registry, name, &key);
	return value ? (const char *)value->data : NULL;
}

/* "environment: https_proxy no_proxy", or the keys of the registry with the variables of each. */
static void add_location(struct arena *arena, const struct source *source, const char *name,
			 struct proxy_setting *setting)
{
	const char *key;
	if (source->environment) {
		setting->location =
			arena_printf(arena, "%s %s", setting->location ? setting->location : "environment:", name);
		return;
	}
	const struct registry_value *value = in_registry(source->registry, name, &key);
	const char *before = setting->location;
	setting->location = arena_printf(arena, "%s%s%s\\%s (%s)", before ? before : "", before ? ", " : "", key,
					 value->name, value->where);
}

static void add_problem(struct arena *arena, struct proxy_setting *setting, const char *problem)
{
	if (setting->problems.count < ENV_PROBLEMS_MAX)
		text_list_add(arena, &setting->problems, problem);
}

/* Well-formed, without its password, and without blanks, so that it can stand in a list. */
static const char *shown_value(struct arena *arena, const char *value)
{
	struct strbuf out;
	strbuf_init(&out);
	const char *masked = mask_passwords(
		arena, encoding_clean(arena, arena_strndup(arena, value, strnlen(value, VALUE_BYTES_MAX))));
	for (const char *at = masked; *at; at++) {
		if ((unsigned char)*at <= ' ')
			strbuf_printf(&out, "%%%02X", (unsigned)(unsigned char)*at);
		else
			strbuf_add_char(&out, *at);
	}
	const char *shown = arena_strndup(arena, out.data, out.length);
	strbuf_free(&out);
	return shown;
}

static void add_variable(struct arena *arena, const struct source *source, const char *name,
			 struct proxy_setting *setting)
{
	struct proxy_url proxy;
	const char *value = value_of(source, name);
	if (!value)
		return;
	const char *shown = shown_value(arena, value);
	bool first = !setting->proxy_server;
	setting->proxy_server =
		arena_printf(arena, "%s%s%s=%s", first ? "" : setting->proxy_server, first ? "" : " ", name, shown);
	add_location(arena, source, name, setting);
	if (!proxy_url_parse(arena, shown, "curl", CURL_HTTP_PROXY_PORT, &proxy) || proxy.problem)
		add_problem(arena, setting, arena_printf(arena, "`%s` %s", name, proxy.problem));
}

/* Take the next entry of a no_proxy list: separated by commas and blanks. False at its end. */
static bool next_entry(struct arena *arena, const char **list, const char **out)
{
	*list += strspn(*list, ", \t");
	size_t length = strcspn(*list, ", \t");
	*out = arena_strndup(arena, *list, length);
	*list += length;
	return length > 0;
}

static void check_no_proxy(struct arena *arena, struct proxy_setting *setting)
{
	const char *list = setting->proxy_bypass, *entry = NULL;
	if (strcmp(list, "*") == 0)
		return;
	while (next_entry(arena, &list, &entry))
		if (strchr(entry, '*'))
			add_problem(arena, setting,
				    arena_printf(arena,
						 "entry `%s` of `no_proxy` never matches: curl knows `*` only alone",
						 entry));
}

static void read_bypass(struct arena *arena, const struct source *source, struct proxy_setting *out)
{
	const char *name = value_of(source, "no_proxy") ? "no_proxy" : "NO_PROXY";
	const char *value = value_of(source, name);
	if (!value)
		return;
	value = encoding_clean(arena, arena_strndup(arena, value, strnlen(value, VALUE_BYTES_MAX)));
	out->proxy_bypass = mask_passwords(arena, value);
	add_location(arena, source, "no_proxy", out);
	check_no_proxy(arena, out);
}

static void read_source(struct arena *arena, const struct source *source, const char *absent, struct proxy_setting *out)
{
	for (size_t i = 0; i < sizeof(proxy_names) / sizeof(*proxy_names); i++)
		if (!source->ignores_case || proxy_names[i][0] >= 'a')
			add_variable(arena, source, proxy_names[i], out);
	read_bypass(arena, source, out);
	if (!source->ignores_case && value_of(source, "HTTP_PROXY") && !value_of(source, "http_proxy"))
		add_problem(arena, out, "`HTTP_PROXY` is ignored: for http only the lower-case name counts");
	out->found = out->proxy_server != NULL;
	out->proxy_enabled = out->found;
	out->source = out->found ? "values" : "none";
	if (out->found)
		text_list_add(arena, &out->order, "static");
	else
		out->location = absent;
	text_list_add(arena, &out->order, "direct");
}

void env_read(struct arena *arena, const char *const *environment, bool ignores_case, enum identity_id identity,
	      struct proxy_setting *out)
{
	const struct source source = {.environment = environment, .ignores_case = ignores_case};
	*out = (struct proxy_setting){.identity = identity, .kind = ROUTE_ENV, .scope = "per-user"};
	read_source(arena, &source, "environment", out);
}

bool env_is_in_registry(const struct registry *registry)
{
	return registry_has_key(registry, MACHINE_KEY) && !registry_is_denied(registry, MACHINE_KEY);
}

void env_read_registry(struct arena *arena, const struct registry *registry, struct proxy_setting *out)
{
	const struct source source = {.registry = registry, .ignores_case = true};
	*out = (struct proxy_setting){.identity = IDENTITY_SYSTEM, .kind = ROUTE_ENV, .scope = "per-machine"};
	read_source(arena, &source, MACHINE_KEY, out);
}

/* ------------------------------------------------------------------ no_proxy */

static bool same_tail(const char *host, size_t host_length, const char *tail, size_t tail_length)
{
	return tail_length <= host_length && strncasecmp(host + host_length - tail_length, tail, tail_length) == 0;
}

static size_t without_final_dot(const char *text)
{
	size_t length = strlen(text);
	return length && text[length - 1] == '.' ? length - 1 : length;
}

/* A name matches itself and everything below it; a dot in front, or at either end, makes no difference. */
static bool name_matches(const char *entry, const char *host)
{
	entry += *entry == '.';
	size_t length = without_final_dot(entry), host_length = without_final_dot(host);
	if (!length || !same_tail(host, host_length, entry, length))
		return false;
	return host_length == length || host[host_length - length - 1] == '.';
}

/* "10.1.2.3", "10.0.0.0/8" (host bits are allowed), "fd00::/8". */
static bool address_matches(struct arena *arena, const char *entry, const struct address *host)
{
	struct prefix prefix = {.length = host->family == 4 ? 32 : 128};
	const char *slash = strchr(entry, '/');
	unsigned bits = 0;
	if (!address_parse(arena_strndup(arena, entry, strcspn(entry, "/")), &prefix.base) ||
	    prefix.base.family != host->family)
		return false;
	for (const char *at = slash ? slash + 1 : ""; *at; at++) {
		bits = bits * 10 + (unsigned)(*at - '0');
		if (*at < '0' || *at > '9' || bits > prefix.length)
			return false;
	}
	if (bits) /* curl takes /0 for the whole address */
		prefix.length = (uint8_t)bits;
	return prefix_contains(&prefix, host);
}

/* The entry of no_proxy that holds for the host, or NULL. */
static const char *find_bypass(struct arena *arena, const char *list, const char *host)
{
	struct address address;
	const char *entry = NULL;
	bool literal = address_parse(host, &address);
	if (!list || strcmp(list, "*") == 0)
		return list;
	while (next_entry(arena, &list, &entry))
		if (literal ? address_matches(arena, entry, &address) : name_matches(entry, host))
			return entry;
	return NULL;
}

/* ------------------------------------------------------------------ deciding */

/* The value of a name in "name=value name=value", or NULL. */
static const char *listed_value(struct arena *arena, const char *list, const char *name)
{
	size_t name_length = strlen(name);
	for (size_t length; list && *list; list += length + strspn(list + length, " ")) {
		length = strcspn(list, " ");
		if (length > name_length && list[name_length] == '=' && strncmp(list, name, name_length) == 0)
			return arena_strndup(arena, list + name_length + 1, length - name_length - 1);
	}
	return NULL;
}

/* Which variable serves the scheme, and its value; NULL if none does. */
static const char *serving_variable(struct arena *arena, const char *list, const char *scheme, const char **value)
{
	for (size_t i = 0; i < sizeof(proxy_names) / sizeof(*proxy_names); i++) {
		const char *name = proxy_names[i];
		size_t length = strcspn(name, "_");
		bool all = strncasecmp(name, "all", length) == 0;
		bool own = strlen(scheme) == length && strncasecmp(name, scheme, length) == 0;
		*value = all || own ? listed_value(arena, list, name) : NULL;
		if (*value)
			return name;
	}
	return NULL;
}

void env_decide(struct arena *arena, const struct proxy_setting *setting, const struct url *url, struct decision *out)
{
	struct proxy_url proxy;
	const char *value = NULL;
	const char *name = serving_variable(arena, setting->proxy_server, url->scheme, &value);
	const char *bypass = name ? find_bypass(arena, setting->proxy_bypass, url->host) : NULL;
	out->mechanism = "static";
	if (!name) {
		out->rule = arena_printf(arena, "neither `%s_proxy` nor `all_proxy` is set: direct", url->scheme);
		out->mechanism = "direct";
	} else if (bypass) {
		out->rule = arena_printf(arena, "bypassed by `no_proxy` entry `%s`", bypass);
	} else {
		out->rule = arena_printf(arena, "`%s`", name);
		if (!proxy_url_parse(arena, value, "curl", CURL_HTTP_PROXY_PORT, &proxy) || proxy.problem)
			out->problem = arena_printf(arena, "`%s` %s", name, proxy.problem);
		if (proxy.via)
			text_list_add(arena, &out->via, proxy.via);
	}
	if (!out->via.count)
		text_list_add(arena, &out->via, "DIRECT");
}
