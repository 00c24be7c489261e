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

enum { CURL_HTTP_PROXY_PORT = 1080, ENV_PROBLEMS_MAX = 16, VALUE_BYTES_MAX = 64 * 1024 };

/* In the order in which curl asks for them, once http and https have been told apart. */
static const char *const proxy_names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

/* ------------------------------------------------------------------ reading */

/* The value of a variable, NULL if it is unset or empty. */
static const char *value_of(const char *const *environment, const char *name)
{
	size_t length = strlen(name);
	for (; *environment; environment++) {
		const char *text = *environment;
		if (strncmp(text, name, length) == 0 && text[length] == '=')
			return text[length + 1] ? text + length + 1 : NULL;
	}
	return NULL;
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

static void add_variable(struct arena *arena, struct proxy_setting *setting, const char *name, const char *value)
{
	struct proxy_url proxy;
	const char *shown = shown_value(arena, value);
	bool first = !setting->proxy_server;
	setting->proxy_server =
		arena_printf(arena, "%s%s%s=%s", first ? "" : setting->proxy_server, first ? "" : " ", name, shown);
	setting->location = arena_printf(arena, "%s %s", setting->location, name);
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

void env_read(struct arena *arena, const char *const *environment, struct proxy_setting *out)
{
	*out = (struct proxy_setting){
		.identity = IDENTITY_USER, .kind = ROUTE_ENV, .scope = "per-user", .source = "none"};
	out->location = "environment:";
	for (size_t i = 0; i < sizeof(proxy_names) / sizeof(*proxy_names); i++) {
		const char *value = value_of(environment, proxy_names[i]);
		if (value)
			add_variable(arena, out, proxy_names[i], value);
	}
	const char *no_proxy = value_of(environment, "no_proxy");
	no_proxy = no_proxy ? no_proxy : value_of(environment, "NO_PROXY");
	if (no_proxy) {
		out->proxy_bypass = mask_passwords(
			arena,
			encoding_clean(arena, arena_strndup(arena, no_proxy, strnlen(no_proxy, VALUE_BYTES_MAX))));
		out->location = arena_printf(arena, "%s no_proxy", out->location);
		check_no_proxy(arena, out);
	}
	if (value_of(environment, "HTTP_PROXY") && !value_of(environment, "http_proxy"))
		add_problem(arena, out, "`HTTP_PROXY` is ignored: for http only the lower-case name counts");
	out->found = out->proxy_server != NULL;
	out->proxy_enabled = out->found;
	if (out->found) {
		out->source = "values";
		text_list_add(arena, &out->order, "static");
	} else {
		out->location = "environment";
	}
	text_list_add(arena, &out->order, "direct");
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
