#include "probe/core/evidence_reader.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/core/evidence_fields.h"
#include "probe/core/strbuf.h"
#include "probe/core/timestamp.h"

/* 30 years: beyond that milliseconds with three decimals would lose digits */
static const double MS_MAX = 1e12;

/* ------------------------------------------------------------------ where we are, and what is wrong there */

void reader_enter(struct reader *r, const char *key, size_t index)
{
	if (r->depth < READER_STEPS_MAX)
		r->steps[r->depth] = (struct scan_step){key, index};
	r->depth++;
}

void reader_leave(struct reader *r)
{
	r->depth--;
}

void reader_fail(struct reader *r, const char *reason)
{
	if (r->failed)
		return;
	r->failed = true;
	size_t depth = r->depth < READER_STEPS_MAX ? r->depth : READER_STEPS_MAX;
	struct strbuf where;
	strbuf_init(&where);
	for (size_t i = 0; i < depth; i++) {
		if (r->steps[i].key)
			strbuf_printf(&where, "%s%s", i ? "." : "", r->steps[i].key);
		else
			strbuf_printf(&where, "[%zu]", r->steps[i].index);
	}
	size_t line = scan_find_line(r->text, r->length, r->steps, depth);
	err_set(r->err, "%s:%zu: %s%s%s", r->name, line, where.data, where.length ? " " : "", reason);
	strbuf_free(&where);
}

/* ------------------------------------------------------------------ plain values; json NULL: missing or null */

static const char *read_text(struct reader *r, json_t *json)
{
	if (!json)
		return NULL;
	if (json_is_string(json))
		return arena_strdup(r->report->arena, json_string_value(json));
	reader_fail(r, "must be a text");
	return NULL;
}

static bool read_bool(struct reader *r, json_t *json)
{
	if (json && !json_is_boolean(json))
		reader_fail(r, "must be true or false");
	return json_is_true(json);
}

static int64_t read_integer(struct reader *r, json_t *json, int64_t least, int64_t most, int64_t missing)
{
	if (!json)
		return missing;
	if (!json_is_integer(json)) {
		reader_fail(r, "must be a whole number");
		return missing;
	}
	int64_t value = json_integer_value(json);
	if (value >= least && value <= most)
		return value;
	reader_fail(r, "is a number out of range");
	return missing;
}

static double read_number(struct reader *r, json_t *json, double most)
{
	if (!json_is_number(json)) {
		reader_fail(r, "must be a number");
		return 0;
	}
	double value = json_number_value(json);
	if (value >= 0 && value <= most)
		return value;
	reader_fail(r, "is a number out of range");
	return 0;
}

static int64_t read_us(struct reader *r, json_t *json)
{
	return json ? (int64_t)(read_number(r, json, MS_MAX) * 1000 + 0.5) : NOT_MEASURED;
}

static int64_t read_at(struct reader *r, json_t *json)
{
	int64_t at_ms = NOT_MEASURED;
	if (json && (!json_is_string(json) || !timestamp_parse(json_string_value(json), &at_ms)))
		reader_fail(r, "must be a time like 2026-01-31T09:05:07.120Z");
	return at_ms;
}

/* Whole seconds: a certificate has no others. Rounded down, before 1970 too. */
static int64_t read_at_s(struct reader *r, json_t *json)
{
	if (!json)
		return NOT_MEASURED;
	int64_t at_ms = read_at(r, json);
	return at_ms / 1000 - (at_ms % 1000 < 0);
}

static void read_word(struct reader *r, const struct field *field, json_t *json, void *at)
{
	/* the enums of evidence.h have the size of an int, and 0 is what a missing word means */
	memset(at, 0, sizeof(enum stage));
	if (json && (!json_is_string(json) || !field->words->take(json_string_value(json), at)))
		reader_fail(r, "is none of the words that may stand here");
}

/* ------------------------------------------------------------------ lists */

void read_array(struct reader *r, json_t *json, size_t *count)
{
	*count = json_array_size(json);
	if (json && !json_is_array(json))
		reader_fail(r, "must be an array");
}

static void read_texts(struct reader *r, json_t *json, struct text_list *list)
{
	size_t count;
	read_array(r, json, &count);
	for (size_t i = 0; i < count && !r->failed; i++) {
		json_t *item = json_array_get(json, i);
		reader_enter(r, NULL, i);
		if (json_is_string(item))
			text_list_add(r->report->arena, list, json_string_value(item));
		else
			reader_fail(r, "must be a text");
		reader_leave(r);
	}
}

static void read_statuses(struct reader *r, json_t *json, struct expect *expect)
{
	size_t count;
	read_array(r, json, &count);
	for (size_t i = 0; i < count && !r->failed; i++) {
		reader_enter(r, NULL, i);
		expect->status = arena_grow(r->report->arena, expect->status, &expect->status_capacity,
					    expect->status_count, sizeof(*expect->status));
		expect->status[expect->status_count++] = (int)read_integer(r, json_array_get(json, i), 0, INT_MAX, 0);
		reader_leave(r);
	}
}

static void read_header(struct reader *r, const char *name, json_t *value, struct header_list *list)
{
	if (json_is_string(value)) {
		header_list_add(r->report->arena, list, name, json_string_value(value));
		return;
	}
	if (!json_is_array(value))
		reader_fail(r, "must have texts, or arrays of texts, as values");
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *text = json_string_value(json_array_get(value, i));
		if (text)
			header_list_add(r->report->arena, list, name, text);
		else
			reader_fail(r, "must have texts, or arrays of texts, as values");
	}
}

static void read_headers(struct reader *r, json_t *json, struct header_list *list)
{
	if (json && !json_is_object(json))
		reader_fail(r, "must be an object");
	const char *name;
	json_t *value;
	json_object_foreach(json, name, value) read_header(r, name, value, list);
}

static void read_libraries(struct reader *r, json_t *json)
{
	struct report *report = r->report;
	size_t max = sizeof(report->tool.libraries) / sizeof(report->tool.libraries[0]);
	if (json && !json_is_object(json))
		reader_fail(r, "must be an object");
	if (json_object_size(json) > max)
		reader_fail(r, "has too many members");
	const char *name;
	json_t *version;
	json_object_foreach(json, name, version)
	{
		if (r->failed)
			return;
		struct library *library = &report->tool.libraries[report->tool.library_count++];
		library->name = arena_strdup(report->arena, name);
		library->version = read_text(r, json_is_null(version) ? NULL : version);
	}
}

/* ------------------------------------------------------------------ one field */

void read_plain_field(struct reader *r, const struct field *field, json_t *json, void *at)
{
	enum field_kind kind = field->kind;
	if (kind == FIELD_TEXT)
		*(const char **)at = read_text(r, json);
	else if (kind == FIELD_BOOL)
		*(bool *)at = read_bool(r, json);
	else if (kind == FIELD_INT)
		*(int *)at = (int)read_integer(r, json, 0, INT_MAX, NOT_MEASURED);
	else if (kind == FIELD_PORT)
		*(int *)at = (int)read_integer(r, json, 0, 65535, NOT_MEASURED);
	else if (kind == FIELD_COUNT)
		*(int *)at = (int)read_integer(r, json, 0, INT_MAX, 0);
	else if (kind == FIELD_INT64)
		*(int64_t *)at = read_integer(r, json, 0, INT64_MAX, NOT_MEASURED);
	else if (kind == FIELD_SIGNED)
		*(int64_t *)at = read_integer(r, json, INT64_MIN, INT64_MAX, 0);
	else if (kind == FIELD_US)
		*(int64_t *)at = read_us(r, json);
	else if (kind == FIELD_AT_MS)
		*(int64_t *)at = read_at(r, json);
	else if (kind == FIELD_AT_S)
		*(int64_t *)at = read_at_s(r, json);
	else if (kind == FIELD_SHARE)
		*(double *)at = json ? read_number(r, json, 1) : 0;
	else if (kind == FIELD_WORD)
		read_word(r, field, json, at);
}

void read_collection_field(struct reader *r, const struct field *field, json_t *json, void *at)
{
	if (field->kind == FIELD_TEXTS)
		read_texts(r, json, at);
	else if (field->kind == FIELD_STATUSES)
		read_statuses(r, json, (struct expect *)(void *)((char *)at - field->offset));
	else if (field->kind == FIELD_HEADERS)
		read_headers(r, json, at);
	else if (field->kind == FIELD_LIBRARIES)
		read_libraries(r, json);
}
