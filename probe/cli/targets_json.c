#include "probe/cli/targets_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"
#include "targets/targets.h"

/* NULL is null; a byte that is no UTF-8 (a file's name may hold any) becomes U+FFFD. */
static json_t *text_value(const char *text)
{
	struct strbuf clean;
	json_t *value;

	if (!text)
		return json_null();
	strbuf_init(&clean);
	utf8_add_clean(&clean, text, strlen(text));
	value = json_stringn(clean.data, clean.length);
	strbuf_free(&clean);
	return value;
}

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, text_value(text));
}

static json_t *expect_value(const struct expect *expect)
{
	json_t *object = json_object(), *statuses = json_array(), *headers = json_array();

	for (size_t i = 0; i < expect->status_count; i++)
		json_array_append_new(statuses, json_integer(expect->status[i]));
	for (size_t i = 0; i < expect->headers.count; i++)
		json_array_append_new(headers, text_value(expect->headers.items[i]));
	json_object_set_new(object, "status", statuses);
	json_object_set_new(object, "headers", headers);
	set_text(object, "body", expect->body);
	return object;
}

static json_t *target_value(const struct target *target)
{
	json_t *object = json_object();

	set_text(object, "id", target->id);
	set_text(object, "name", target->name);
	set_text(object, "url", target->url);
	set_text(object, "host", target->host);
	json_object_set_new(object, "port", json_integer(target->port));
	set_text(object, "cidr", target->cidr);
	set_text(object, "rule", target->rule);
	json_object_set_new(object, "required", json_boolean(target->required));
	json_object_set_new(object, "stand_in", json_boolean(target->stand_in));
	set_text(object, "service", target->service);
	json_object_set_new(object, "expect", expect_value(&target->expect));
	return object;
}

static json_t *set_value(const struct target_options *options, const struct target_set *set)
{
	json_t *object = json_object(), *targets = json_array();

	set_text(object, "name", set->name);
	set_text(object, "cloud", set->cloud);
	set_text(object, "region", set->uses_region ? targets_region(options, set->cloud) : NULL);
	for (size_t i = 0; i < set->count; i++)
		json_array_append_new(targets, target_value(set->targets[i]));
	json_object_set_new(object, "targets", targets);
	return object;
}

void targets_print_json(const struct target_options *options, const struct target_set *sets, size_t count,
			struct strbuf *out)
{
	json_t *document = json_object(), *list = json_array();
	char *text;

	set_text(document, "schema", "marsprobe/targets");
	set_text(document, "schema_version", "1.0.0");
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, set_value(options, &sets[i]));
	json_object_set_new(document, "sets", list);
	text = json_dumps(document, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	if (text)
		strbuf_printf(out, "%s\n", text);
	free(text);
	json_decref(document);
}
