#include "probe/core/evidence_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/evidence_fields.h"
#include "probe/core/strbuf.h"
#include "probe/core/timestamp.h"
#include "probe/core/utf8.h"

/* 15 digits give back every decimal of up to 15 digits as it was written: microseconds as milliseconds, for 30 years. */
enum { INDENT = 2, REAL_DIGITS = 15 };

static void write_fields(json_t *object, const struct field_shape *shape, const void *holder);

static json_t *text_to_json(const char *text)
{
	if (!text)
		return json_null();
	json_t *json = json_string(text);
	if (json)
		return json;
	/* jansson takes UTF-8 only */
	struct strbuf clean;
	strbuf_init(&clean);
	utf8_add_clean(&clean, text, strlen(text));
	json = json_stringn_nocheck(clean.data, clean.length);
	strbuf_free(&clean);
	return json;
}

static json_t *int_to_json(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *us_to_json(int64_t us)
{
	return us < 0 ? json_null() : json_real((double)us / 1000.0);
}

static json_t *at_to_json(int64_t at_ms)
{
	char text[TIMESTAMP_TEXT_BYTES];
	return text_to_json(timestamp_format(at_ms, text));
}

static json_t *at_s_to_json(int64_t at_s)
{
	if (at_s == NOT_MEASURED || at_s > INT64_MAX / 1000 || at_s < INT64_MIN / 1000)
		return json_null();
	return at_to_json(at_s * 1000);
}

static json_t *share_to_json(double share)
{
	if (!(share > 0))
		return json_real(0);
	return json_real(share < 1 ? (double)(int)(share * 1000 + 0.5) / 1000 : 1);
}

static json_t *texts_to_json(const struct text_list *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, text_to_json(list->items[i] ? list->items[i] : ""));
	return array;
}

static json_t *statuses_to_json(const struct expect *expect)
{
	json_t *array = json_array();
	for (size_t i = 0; i < expect->status_count; i++)
		json_array_append_new(array, json_integer(expect->status[i]));
	return array;
}

/* Repeated fields stay apart: joined with commas they would not be what was seen (RFC 9110 5.3). */
static json_t *headers_to_json(const struct header_list *list)
{
	json_t *object = json_object();
	for (size_t i = 0; i < list->count; i++) {
		json_t *name = text_to_json(list->items[i].name ? list->items[i].name : "");
		const char *key = json_string_value(name);
		json_t *value = text_to_json(list->items[i].value ? list->items[i].value : "");
		json_t *before = json_object_get(object, key);
		if (json_is_array(before)) {
			json_array_append_new(before, value);
		} else if (before) {
			json_t *both = json_array();
			json_array_append(both, before);
			json_array_append_new(both, value);
			json_object_set_new(object, key, both);
		} else {
			json_object_set_new(object, key, value);
		}
		json_decref(name);
	}
	return object;
}

static json_t *libraries_to_json(const struct report *report)
{
	json_t *object = json_object();
	for (size_t i = 0; i < report->tool.library_count; i++)
		json_object_set_new(object, report->tool.libraries[i].name,
				    text_to_json(report->tool.libraries[i].version));
	return object;
}

static json_t *targets_to_json(struct target *const *targets, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, text_to_json(targets[i]->id));
	return array;
}

static json_t *paths_to_json(const struct path_list *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, text_to_json(list->items[i]->id));
	return array;
}

static json_t *observations_to_json(const struct observation_list *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, text_to_json(list->items[i]->id));
	return array;
}

static json_t *struct_to_json(const struct field_shape *shape, const void *item)
{
	if (!item)
		return json_null();
	json_t *object = json_object();
	write_fields(object, shape, item);
	return object;
}

static size_t count_at(const void *holder, size_t offset)
{
	return *(const size_t *)(const void *)((const char *)holder + offset);
}

static json_t *items_to_json(const struct field *field, const void *holder, const char *items)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count_at(holder, field->count_offset); i++)
		json_array_append_new(array, struct_to_json(field->shape, items + i * field->shape->bytes));
	return array;
}

/* A pointer to whatever type stands there. */
static const void *pointer_at(const void *at)
{
	const void *pointer;
	memcpy(&pointer, at, sizeof(pointer));
	return pointer;
}

static json_t *pointers_to_json(const struct field *field, const void *holder, const char *pointers)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count_at(holder, field->count_offset); i++)
		json_array_append_new(array, struct_to_json(field->shape, pointer_at(pointers + i * sizeof(void *))));
	return array;
}

static json_t *field_to_json(const struct field *field, const void *holder)
{
	const void *at = (const char *)holder + field->offset;
	if (field->present && !field->present(holder, field->offset))
		return json_null();
	switch (field->kind) {
	case FIELD_TEXT:
		return text_to_json(*(const char *const *)at);
	case FIELD_TEXTS:
		return texts_to_json(at);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)at);
	case FIELD_INT:
	case FIELD_PORT:
		return int_to_json(*(const int *)at);
	case FIELD_COUNT:
		return json_integer(*(const int *)at);
	case FIELD_INT64:
		return int_to_json(*(const int64_t *)at);
	case FIELD_SIGNED:
		return json_integer(*(const int64_t *)at);
	case FIELD_US:
		return us_to_json(*(const int64_t *)at);
	case FIELD_AT_MS:
		return *(const int64_t *)at < 0 ? json_null() : at_to_json(*(const int64_t *)at);
	case FIELD_AT_S:
		return at_s_to_json(*(const int64_t *)at);
	case FIELD_SHARE:
		return share_to_json(*(const double *)at);
	case FIELD_WORD:
		return text_to_json(field->words->word(at));
	case FIELD_STATUSES:
		return statuses_to_json(holder);
	case FIELD_OBJECT:
		return struct_to_json(field->shape, at);
	case FIELD_POINTER:
		return struct_to_json(field->shape, pointer_at(at));
	case FIELD_LIST:
		return items_to_json(field, holder, pointer_at(at));
	case FIELD_ARRAY:
		return items_to_json(field, holder, at);
	case FIELD_POINTERS:
		return pointers_to_json(field, holder, pointer_at(at));
	case FIELD_HEADERS:
		return headers_to_json(at);
	case FIELD_LIBRARIES:
		return libraries_to_json(holder);
	case FIELD_TARGET:
		return text_to_json((*(const struct target *const *)at)->id);
	case FIELD_TARGETS:
		return targets_to_json(*(struct target *const *const *)at, count_at(holder, field->count_offset));
	case FIELD_PATHS:
		return paths_to_json(at);
	case FIELD_OBSERVATIONS:
		return observations_to_json(at);
	case FIELD_OF_ITS_OP:
		break;
	}
	return json_null();
}

/** A list without items, a pointer to nothing. */
static bool is_empty(const struct field *field, const void *holder)
{
	if (field->kind == FIELD_POINTER)
		return !pointer_at((const char *)holder + field->offset);
	return !count_at(holder, field->count_offset);
}

static void write_fields(json_t *object, const struct field_shape *shape, const void *holder)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		if (field->kind == FIELD_OF_ITS_OP)
			write_fields(object, observation_shape(((const struct observation *)holder)->op), holder);
		else if (!field->left_out || !is_empty(field, holder))
			json_object_set_new(object, field->name, field_to_json(field, holder));
	}
}

static int add_bytes(const char *bytes, size_t length, void *out)
{
	strbuf_add_bytes(out, bytes, length);
	return 0;
}

void document_to_json(const char *schema, const char *version, const struct field_shape *shape, const void *holder,
		      struct strbuf *out)
{
	json_set_alloc_funcs(xmalloc, free);
	json_t *document = json_object();
	json_object_set_new(document, "schema", json_string(schema));
	json_object_set_new(document, "schema_version", json_string(version));
	write_fields(document, shape, holder);
	/* ASCII alone: a terminal that shows the document must not obey what is in it (C1 controls, direction marks) */
	json_dump_callback(document, add_bytes, out,
			   JSON_INDENT(INDENT) | JSON_REAL_PRECISION(REAL_DIGITS) | JSON_ENSURE_ASCII);
	strbuf_add_char(out, '\n');
	json_decref(document);
}

void report_to_json(const struct report *report, struct strbuf *out)
{
	document_to_json("marsprobe/report", "1.0.0", &report_shape, report, out);
}
