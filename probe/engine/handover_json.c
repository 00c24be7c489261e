#include "probe/engine/handover.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence_json.h"
#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"

enum { RESOLVERS_MAX = 64 };

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* A bundle of anchors may have comments in any encoding. */
static json_t *pem_to_json(const struct pem *pem)
{
	if (!pem)
		return json_null();
	struct strbuf clean;
	strbuf_init(&clean);
	utf8_add_clean(&clean, pem->text, pem->length);
	json_t *json = json_stringn(clean.data, clean.length);
	strbuf_free(&clean);
	return json;
}

/* A password is bytes, in whatever encoding its file has: a character for each, up to U+00FF. */
static json_t *bytes_to_json(const char *bytes)
{
	if (!bytes)
		return json_null();
	struct strbuf wide;
	strbuf_init(&wide);
	for (; *bytes; bytes++)
		utf8_add(&wide, (unsigned char)*bytes);
	json_t *json = json_stringn(wide.data, wide.length);
	strbuf_free(&wide);
	return json;
}

static json_t *pac_to_json(const struct pac_given *pac)
{
	if (!pac)
		return json_null();
	json_t *json = json_pack("{s:s}", "name", pac->name);
	if (pac->text)
		json_object_set_new(json, "text", json_stringn(pac->text, pac->length));
	return json;
}

/* With their queries, which no report shows: {"wininet": ..., "winhttp": ...}. */
static json_t *pac_addresses_to_json(const struct report *report)
{
	json_t *json = json_object();
	for (size_t i = 0; i < report->identity_count; i++) {
		const struct identity *one = &report->identities[i];
		if (one->id != IDENTITY_SYSTEM)
			continue;
		json_object_set_new(json, "wininet", text_or_null(one->wininet ? one->wininet->pac_address : NULL));
		json_object_set_new(json, "winhttp", text_or_null(one->winhttp ? one->winhttp->pac_address : NULL));
	}
	return json;
}

static json_t *routes_to_json(const struct plan_options *plan)
{
	json_t *routes = json_array();
	for (size_t i = 0; i < plan->route_count; i++)
		json_array_append_new(routes, json_pack("{s:s, s:o}", "kind", route_kind_text(plan->routes[i].kind),
							"via", text_or_null(plan->routes[i].via)));
	return routes;
}

static json_t *resolvers_to_json(const char *const *resolvers)
{
	json_t *list = json_array();
	for (; resolvers && *resolvers; resolvers++)
		json_array_append_new(list, json_string(*resolvers));
	return list;
}

void handover_to_json(const struct handover *handover, struct strbuf *out)
{
	const struct engine_options *engine = &handover->engine;
	struct strbuf report;
	strbuf_init(&report);
	report_to_json(handover->report, &report);
	json_t *json =
		json_pack("{s:s%, s:o, s:b, s:b, s:o, s:o, s:I, s:I, s:i, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
			  "report", report.data, report.length, "routes", routes_to_json(&handover->plan),
			  "routes_given", handover->plan.routes_given, "trust_wpad", handover->plan.trust_wpad,
			  "resolvers", resolvers_to_json(engine->resolvers), "control_resolver",
			  text_or_null(engine->control_resolver), "timeout_us", (json_int_t)engine->timeout_us,
			  "deadline_us", (json_int_t)engine->deadline_us, "parallel", (int)engine->parallel,
			  "experiments", engine->experiments, "proxy_user", text_or_null(engine->proxy_user),
			  "proxy_password", bytes_to_json(engine->proxy_password), "agent_proxy",
			  text_or_null(handover->agent_proxy), "agent_source", text_or_null(handover->agent_source),
			  "ca", pem_to_json(engine->ca), "settings_given", handover->settings_given, "pac",
			  pac_to_json(engine->pac), "pac_addresses", pac_addresses_to_json(handover->report));
	strbuf_free(&report);
	char *text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	strbuf_add(out, text ? text : "");
	free(text);
}

/* ------------------------------------------------------------------ reading */

static const char *text_of(struct arena *arena, json_t *json, const char *name)
{
	return arena_strdup(arena, json_string_value(json_object_get(json, name)));
}

/* The reverse of bytes_to_json(). */
static const char *bytes_of(struct arena *arena, json_t *json, const char *name)
{
	json_t *item = json_object_get(json, name);
	const char *wide = json_string_value(item);
	if (!wide)
		return NULL;
	const char *end = wide + json_string_length(item);
	char *bytes = arena_alloc(arena, (size_t)(end - wide) + 1), *to = bytes;
	for (uint32_t code = 0; wide < end; *to++ = (char)code)
		wide += utf8_decode(wide, (size_t)(end - wide), &code);
	return bytes;
}

static bool read_routes(struct arena *arena, json_t *json, struct plan_options *plan)
{
	size_t index;
	json_t *item;
	json_array_foreach(json_object_get(json, "routes"), index, item)
	{
		const char *kind = json_string_value(json_object_get(item, "kind"));
		if (index == sizeof(plan->routes) / sizeof(plan->routes[0]) || !kind ||
		    !route_kind_parse(kind, &plan->routes[index].kind))
			return false;
		plan->routes[index].via = text_of(arena, item, "via");
		plan->route_count = index + 1;
	}
	plan->routes_given = json_is_true(json_object_get(json, "routes_given"));
	plan->trust_wpad = json_is_true(json_object_get(json, "trust_wpad"));
	return true;
}

static const char *const *read_resolvers(struct arena *arena, json_t *json)
{
	size_t index;
	json_t *item, *list = json_object_get(json, "resolvers");
	if (!json_array_size(list))
		return NULL;
	const char **resolvers = arena_alloc(arena, (RESOLVERS_MAX + 1) * sizeof(*resolvers));
	json_array_foreach(list, index, item)
	{
		if (index < RESOLVERS_MAX)
			resolvers[index] = arena_strdup(arena, json_string_value(item));
	}
	return resolvers;
}

static void read_engine(struct arena *arena, json_t *json, struct engine_options *engine)
{
	const char *ca = text_of(arena, json, "ca");
	engine->timeout_us = json_integer_value(json_object_get(json, "timeout_us"));
	engine->deadline_us = json_integer_value(json_object_get(json, "deadline_us"));
	engine->parallel = (unsigned)json_integer_value(json_object_get(json, "parallel"));
	engine->experiments = json_is_true(json_object_get(json, "experiments"));
	engine->resolvers = read_resolvers(arena, json);
	engine->control_resolver = text_of(arena, json, "control_resolver");
	engine->proxy_user = text_of(arena, json, "proxy_user");
	engine->proxy_password = bytes_of(arena, json, "proxy_password");
	if (!ca)
		return;
	struct pem *pem = arena_alloc(arena, sizeof(*pem));
	*pem = (struct pem){"--ca-file", ca, strlen(ca)};
	engine->ca = pem;
}

static void read_pac(struct arena *arena, json_t *json, struct engine_options *engine)
{
	const char *name = text_of(arena, json, "name");
	json_t *text = json_object_get(json, "text");
	if (!name)
		return;
	struct pac_given *pac = arena_alloc(arena, sizeof(*pac));
	pac->name = name;
	pac->length = json_string_length(text);
	if (json_is_string(text))
		pac->text = memcpy(arena_alloc(arena, pac->length + 1), json_string_value(text), pac->length);
	engine->pac = pac;
}

static const struct proxy_setting *with_address(struct arena *arena, const struct proxy_setting *setting, json_t *json,
						const char *name)
{
	const char *address = text_of(arena, json, name);
	if (!setting || !address)
		return setting;
	struct proxy_setting *copy = arena_alloc(arena, sizeof(*copy));
	*copy = *setting;
	copy->pac_address = address;
	return copy;
}

static void read_pac_addresses(struct report *report, json_t *json)
{
	for (size_t i = 0; i < report->identity_count; i++) {
		struct identity *one = &report->identities[i];
		if (one->id != IDENTITY_SYSTEM)
			continue;
		one->wininet = with_address(report->arena, one->wininet, json, "wininet");
		one->winhttp = with_address(report->arena, one->winhttp, json, "winhttp");
	}
}

bool handover_from_json(const char *text, size_t length, struct handover *out, struct err *err)
{
	json_error_t error;
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	json_t *document = json_object_get(json, "report");
	*out = (struct handover){0};
	bool read =
		json_is_string(document) && report_from_json(json_string_value(document), json_string_length(document),
							     "report", &out->report, err);
	if (!json_is_string(document))
		err_set(err, "the order of the other process is not complete");
	if (read) {
		struct arena *arena = out->report->arena;
		read_engine(arena, json, &out->engine);
		read_pac(arena, json_object_get(json, "pac"), &out->engine);
		read_pac_addresses(out->report, json_object_get(json, "pac_addresses"));
		out->agent_proxy = text_of(arena, json, "agent_proxy");
		out->agent_source = text_of(arena, json, "agent_source");
		out->settings_given = json_is_true(json_object_get(json, "settings_given"));
		read = read_routes(arena, json, &out->plan) ||
		       err_set(err, "the order of the other process names an unknown route");
	}
	json_decref(json);
	return read;
}
