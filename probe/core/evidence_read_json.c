#include "probe/core/evidence_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/core/evidence_fields.h"
#include "probe/core/evidence_reader.h"

enum { ID_MAX_BYTES = 64 };

static void read_fields(struct reader *r, const struct field_shape *shape, json_t *json, void *holder);

/* ------------------------------------------------------------------ references */

/* The item of a list of the report that a text names; false, and an error, if there is none. */
static bool read_reference(struct reader *r, const char *list, json_t *json, size_t *index)
{
	const char *id = json_string_value(json);
	json_t *found = id ? json_object_get(json_object_get(r->ids, list), id) : NULL;
	if (!found) {
		reader_fail(r, "must be the id of something in this report");
		return false;
	}
	*index = (size_t)json_integer_value(found);
	return true;
}

static void read_targets(struct reader *r, json_t *json, struct finding *finding)
{
	size_t count, index;
	read_array(r, json, &count);
	for (size_t i = 0; i < count && !r->failed; i++) {
		reader_enter(r, NULL, i);
		finding->targets = arena_grow(r->report->arena, finding->targets, &finding->target_capacity,
					      finding->target_count, sizeof(struct target *));
		if (read_reference(r, "targets", json_array_get(json, i), &index))
			finding->targets[finding->target_count++] = r->report->targets[index];
		reader_leave(r);
	}
}

static void read_paths(struct reader *r, json_t *json, struct path_list *list)
{
	size_t count, index;
	read_array(r, json, &count);
	for (size_t i = 0; i < count && !r->failed; i++) {
		reader_enter(r, NULL, i);
		if (read_reference(r, "paths", json_array_get(json, i), &index))
			path_list_add(r->report->arena, list, r->report->paths[index]);
		reader_leave(r);
	}
}

static void read_observations(struct reader *r, json_t *json, struct observation_list *list)
{
	size_t count, index;
	read_array(r, json, &count);
	for (size_t i = 0; i < count && !r->failed; i++) {
		reader_enter(r, NULL, i);
		if (read_reference(r, "observations", json_array_get(json, i), &index))
			observation_list_add(r->report->arena, list, r->report->observations.items[index]);
		reader_leave(r);
	}
}

/* ------------------------------------------------------------------ structs */

static void read_object(struct reader *r, const struct field_shape *shape, json_t *json, void *item)
{
	if (json && !json_is_object(json))
		reader_fail(r, "must be an object");
	else
		read_fields(r, shape, json, item);
}

static void read_items(struct reader *r, const struct field_shape *shape, json_t *json, char *items)
{
	for (size_t i = 0; i < json_array_size(json) && !r->failed; i++) {
		reader_enter(r, NULL, i);
		read_object(r, shape, json_array_get(json, i), items + i * shape->bytes);
		reader_leave(r);
	}
}

static size_t *size_at(void *holder, size_t offset)
{
	return (size_t *)(void *)((char *)holder + offset);
}

static void put_pointer(void *at, const void *pointer)
{
	memcpy(at, &pointer, sizeof(pointer));
}

static void *get_pointer(const void *at)
{
	void *pointer;
	memcpy(&pointer, at, sizeof(pointer));
	return pointer;
}

static void read_pointer(struct reader *r, const struct field *field, json_t *json, void *at)
{
	void *item = json ? arena_alloc(r->report->arena, field->shape->bytes) : NULL;
	if (item)
		read_object(r, field->shape, json, item);
	put_pointer(at, item);
}

static void read_list(struct reader *r, const struct field *field, json_t *json, void *holder)
{
	size_t count;
	read_array(r, json, &count);
	char *items = count ? arena_alloc(r->report->arena, count * field->shape->bytes) : NULL;
	read_items(r, field->shape, json, items);
	put_pointer((char *)holder + field->offset, items);
	*size_at(holder, field->count_offset) = *size_at(holder, field->capacity_offset) = count;
}

static void read_fixed_array(struct reader *r, const struct field *field, json_t *json, void *holder)
{
	size_t count;
	read_array(r, json, &count);
	if (count > field->max) {
		reader_fail(r, "has too many items");
		return;
	}
	read_items(r, field->shape, json, (char *)holder + field->offset);
	*size_at(holder, field->count_offset) = count;
}

/* Memory for count items and an array that points to them. */
static void allocate_items(struct reader *r, const struct field *field, size_t count, void *holder)
{
	char *array = count ? arena_alloc(r->report->arena, count * sizeof(void *)) : NULL;
	for (size_t i = 0; i < count; i++)
		put_pointer(array + i * sizeof(void *), arena_alloc(r->report->arena, field->shape->bytes));
	put_pointer((char *)holder + field->offset, array);
	*size_at(holder, field->count_offset) = *size_at(holder, field->capacity_offset) = count;
}

static void read_pointers(struct reader *r, const struct field *field, json_t *json, void *holder)
{
	size_t count;
	read_array(r, json, &count);
	/* what others refer to was allocated before the first reference was read */
	if (!get_pointer((char *)holder + field->offset))
		allocate_items(r, field, count, holder);
	const char *array = get_pointer((char *)holder + field->offset);
	for (size_t i = 0; i < count && !r->failed; i++) {
		reader_enter(r, NULL, i);
		read_object(r, field->shape, json_array_get(json, i), get_pointer(array + i * sizeof(void *)));
		reader_leave(r);
	}
}

/* ------------------------------------------------------------------ fields */

static void read_one_target(struct reader *r, json_t *json, void *at)
{
	size_t index;
	if (json && read_reference(r, "targets", json, &index))
		put_pointer(at, r->report->targets[index]);
}

static void read_list_field(struct reader *r, const struct field *field, json_t *json, void *holder)
{
	if (field->kind == FIELD_LIST)
		read_list(r, field, json, holder);
	else if (field->kind == FIELD_ARRAY)
		read_fixed_array(r, field, json, holder);
	else
		read_pointers(r, field, json, holder);
}

static void read_field(struct reader *r, const struct field *field, json_t *json, void *holder)
{
	void *at = (char *)holder + field->offset;
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_BOOL:
	case FIELD_INT:
	case FIELD_PORT:
	case FIELD_COUNT:
	case FIELD_INT64:
	case FIELD_SIGNED:
	case FIELD_US:
	case FIELD_AT_MS:
	case FIELD_AT_S:
	case FIELD_SHARE:
	case FIELD_WORD:
		read_plain_field(r, field, json, at);
		break;
	case FIELD_TEXTS:
	case FIELD_STATUSES:
	case FIELD_HEADERS:
	case FIELD_LIBRARIES:
		read_collection_field(r, field, json, at);
		break;
	case FIELD_OBJECT:
		read_object(r, field->shape, json, at);
		break;
	case FIELD_POINTER:
		read_pointer(r, field, json, at);
		break;
	case FIELD_LIST:
	case FIELD_ARRAY:
	case FIELD_POINTERS:
		read_list_field(r, field, json, holder);
		break;
	case FIELD_TARGET:
		read_one_target(r, json, at);
		break;
	case FIELD_TARGETS:
		read_targets(r, json, holder);
		break;
	case FIELD_PATHS:
		read_paths(r, json, at);
		break;
	case FIELD_OBSERVATIONS:
		read_observations(r, json, at);
		break;
	case FIELD_OF_ITS_OP:
		break;
	}
}

/* Every field of the shape; json NULL: the object is missing, and so is each of them. */
static void read_fields(struct reader *r, const struct field_shape *shape, json_t *json, void *holder)
{
	for (size_t i = 0; i < shape->count && !r->failed; i++) {
		const struct field *field = &shape->fields[i];
		if (field->kind == FIELD_OF_ITS_OP) {
			read_fields(r, observation_shape(((const struct observation *)holder)->op), json, holder);
			continue;
		}
		json_t *value = json_object_get(json, field->name);
		if (json_is_null(value))
			value = NULL;
		reader_enter(r, field->name, 0);
		if (json && !value && field->required)
			reader_fail(r, "is missing");
		else
			read_field(r, field, value, holder);
		if (value && field->mark)
			field->mark(holder);
		reader_leave(r);
	}
}

/* ------------------------------------------------------------------ the document */

static void read_id(struct reader *r, json_t *item, json_t *ids, size_t index)
{
	json_t *json = json_object_get(item, "id");
	const char *id = json_string_value(json);
	reader_enter(r, NULL, index);
	if (!json_is_object(item)) {
		reader_fail(r, "must be an object");
	} else if (!id || json_string_length(json) == 0 || json_string_length(json) > ID_MAX_BYTES) {
		reader_fail(r, "must have an id, a text of 1 to 64 bytes");
	} else if (json_object_get(ids, id)) {
		reader_fail(r, "has the id of another one");
	} else {
		json_object_set_new(ids, id, json_integer((json_int_t)index));
	}
	reader_leave(r);
}

/* Allocate all that is referred to by id, so that references can be read in any order. */
static void read_ids(struct reader *r, json_t *document)
{
	for (size_t i = 0; i < report_shape.count && !r->failed; i++) {
		const struct field *field = &report_shape.fields[i];
		if (field->kind != FIELD_POINTERS)
			continue;
		json_t *list = json_object_get(document, field->name);
		json_t *ids = json_object();
		json_object_set_new(r->ids, field->name, ids);
		reader_enter(r, field->name, 0);
		size_t count;
		read_array(r, json_is_null(list) ? NULL : list, &count);
		for (size_t j = 0; j < count && !r->failed; j++)
			read_id(r, json_array_get(list, j), ids, j);
		if (!r->failed)
			allocate_items(r, field, count, r->report);
		reader_leave(r);
	}
}

/* A path that was never judged is no pass. */
static void mark_unjudged(struct reader *r, json_t *document)
{
	json_t *paths = json_object_get(document, "paths");
	for (size_t i = 0; i < r->report->path_count; i++)
		if (!json_is_object(json_object_get(json_array_get(paths, i), "verdict")))
			r->report->paths[i]->verdict.status = STATUS_INCONCLUSIVE;
}

/* The ids in readiness stay texts; they must name something all the same. */
static void check_ids(struct reader *r, const struct text_list *list, const char *member, const char *names)
{
	reader_enter(r, "readiness", 0);
	reader_enter(r, member, 0);
	for (size_t i = 0; i < list->count; i++)
		if (!json_object_get(json_object_get(r->ids, names), list->items[i]))
			reader_fail(r, "must be ids of things in this report");
	reader_leave(r);
	reader_leave(r);
}

static void check_identities(struct reader *r)
{
	const struct report *report = r->report;
	reader_enter(r, "identities", 0);
	if (report->identity_count == 2 && report->identities[0].id == report->identities[1].id)
		reader_fail(r, "must differ");
	reader_leave(r);
}

static void check_schema(struct reader *r, json_t *document)
{
	const char *schema = json_string_value(json_object_get(document, "schema"));
	const char *version = json_string_value(json_object_get(document, "schema_version"));
	if (!schema || strcmp(schema, "marsprobe/report") != 0)
		reader_fail(r, "is not a report of marsprobe (schema \"marsprobe/report\")");
	else if (!version || strncmp(version, "1.", 2) != 0)
		reader_fail(r, "has a schema_version that this program does not know (it knows 1.x)");
}

static void read_document(struct reader *r, json_t *document)
{
	check_schema(r, document);
	read_ids(r, document);
	if (!r->failed)
		read_fields(r, &report_shape, document, r->report);
	if (r->failed)
		return;
	mark_unjudged(r, document);
	check_identities(r);
	check_ids(r, &r->report->readiness.blocking, "blocking", "findings");
	check_ids(r, &r->report->readiness.inconclusive, "inconclusive", "paths");
}

/* The library's message quotes the input, which a terminal must not obey. */
static bool syntax_error(const char *name, const json_error_t *error, struct err *err)
{
	char reason[JSON_ERROR_TEXT_LENGTH];
	size_t length = 0;
	for (; error->text[length] && length + 1 < sizeof(reason); length++)
		reason[length] = error->text[length] >= ' ' && error->text[length] <= '~' ? error->text[length] : '?';
	reason[length] = '\0';
	return err_set(err, "%s:%d: not JSON: %s", name, error->line > 0 ? error->line : 1, reason);
}

/* Editors and shells on Windows like to put a mark first, or to write UTF-16. */
static bool skip_byte_order_mark(const char **text, size_t *length)
{
	if (*length >= 3 && memcmp(*text, "\xEF\xBB\xBF", 3) == 0) {
		*text += 3;
		*length -= 3;
	}
	return *length < 2 || (memcmp(*text, "\xFF\xFE", 2) != 0 && memcmp(*text, "\xFE\xFF", 2) != 0);
}

bool report_from_json(const char *text, size_t length, const char *name, struct report **out, struct err *err)
{
	size_t line;
	const char *reason;
	if (!skip_byte_order_mark(&text, &length))
		return err_set(err, "%s:1: the file is UTF-16; save it as UTF-8", name);
	if (!scan_check_limits(text, length, &line, &reason))
		return err_set(err, "%s:%zu: %s", name, line, reason);
	json_set_alloc_funcs(xmalloc, free);
	json_error_t error;
	json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		return syntax_error(name, &error, err);
	struct reader reader = {.text = text, .name = name, .length = length, .err = err};
	reader.report = report_new();
	reader.ids = json_object();
	read_document(&reader, document);
	json_decref(reader.ids);
	json_decref(document);
	if (reader.failed)
		report_free(reader.report);
	else
		*out = reader.report;
	return !reader.failed;
}
