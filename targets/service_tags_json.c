/* The two forms of files that say which prefixes belong to which service: Microsoft's service tags, and the endpoints of Microsoft 365. */

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/core/evidence_scan.h"
#include "probe/core/strbuf.h"
#include "targets/service_tags.h"

enum { STEPS_MAX = 8, DATE_DIGITS = 8 };

/* One file while it is read. */
struct source {
	struct arena *arena;
	const char *file, *text;
	size_t length;
	struct err *err;
	struct service_tags *tags;
	struct scan_step steps[STEPS_MAX]; /* from the top of the document to the value at hand */
	size_t depth;
	struct tag_prefix *all;
	size_t count, room;
};

/* ------------------------------------------------------------------ saying what is wrong */

static void enter(struct source *source, const char *key, size_t index)
{
	source->steps[source->depth++] = (struct scan_step){key, index};
}

static void leave(struct source *source)
{
	source->depth--;
}

/* "FILE:LINE: values[3].properties must be an object" */
static bool fail(struct source *source, const char *reason)
{
	struct strbuf place;

	strbuf_init(&place);
	for (size_t i = 0; i < source->depth; i++)
		if (source->steps[i].key)
			strbuf_printf(&place, "%s%s", i ? "." : "", source->steps[i].key);
		else
			strbuf_printf(&place, "[%zu]", source->steps[i].index);
	size_t line = scan_find_line(source->text, source->length, source->steps, source->depth);
	err_set(source->err, "%s:%zu: %s%s%s", source->file, line, place.data, place.length ? " " : "", reason);
	strbuf_free(&place);
	return false;
}

/* The same of a member of the value at hand. */
static bool fail_at(struct source *source, const char *key, const char *reason)
{
	enter(source, key, 0);
	fail(source, reason);
	leave(source);
	return false;
}

/* ------------------------------------------------------------------ values */

/* NULL is set for a member that is missing or null. */
static bool take_array(struct source *source, const json_t *object, const char *key, bool needed, json_t **out)
{
	*out = json_object_get(object, key);
	if (json_is_null(*out))
		*out = NULL;
	if ((*out && !json_is_array(*out)) || (needed && !*out))
		return fail_at(source, key, *out ? "must be an array" : "is missing");
	return true;
}

static bool take_text(struct source *source, const json_t *object, const char *key, bool needed, const char **out)
{
	json_t *value = json_object_get(object, key);

	if (value && !json_is_null(value) && !json_is_string(value))
		return fail_at(source, key, "must be a text");
	*out = json_string_value(value);
	return *out || !needed || fail_at(source, key, "is missing");
}

static bool take_number(struct source *source, const json_t *object, const char *key, bool needed, int64_t *out)
{
	json_t *value = json_object_get(object, key);

	*out = NOT_MEASURED;
	if (!value && !needed)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return fail_at(source, key, value ? "must be a whole number, 0 or more" : "is missing");
	*out = json_integer_value(value);
	return true;
}

/* Names go to terminals, and into lists with blanks between. */
static bool is_tag_name(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= SERVICE_TAG_NAME_BYTES_MAX;
}

/* One prefix; an address alone is the prefix of its whole length. */
static bool take_prefix(struct source *source, const json_t *value, uint32_t tag)
{
	const char *text = json_string_value(value);
	struct prefix prefix;

	if (!text || (!prefix_parse(text, &prefix) && !address_parse(text, &prefix.base)))
		return fail(source, text ? "is no prefix, such as 20.190.128.0/18 (address, length, and no bit set "
					   "behind it)"
					 : "must be a text");
	if (!strchr(text, '/'))
		prefix.length = prefix.base.family == 4 ? 32 : 128;
	source->all[source->count++] = tag_prefix_make(&prefix, tag);
	return true;
}

static bool take_prefixes(struct source *source, const char *key, const json_t *array, uint32_t tag)
{
	size_t count = json_array_size(array);
	bool taken = true;

	enter(source, key, 0);
	if (count > source->room - source->count)
		taken = fail(source, "are more prefixes than a file may have (1,000,000)");
	for (size_t i = 0; taken && i < count; i++) {
		enter(source, NULL, i);
		taken = take_prefix(source, json_array_get(array, i), tag);
		leave(source);
	}
	leave(source);
	source->tags->tags[tag].prefix_count = count;
	return taken;
}

/* ------------------------------------------------------------------ the two forms */

/* {"name", "properties": {"changeNumber", "region", "addressPrefixes": []}} */
static bool take_tag(struct source *source, const json_t *item, uint32_t index)
{
	struct service_tag *tag = &source->tags->tags[index];
	const json_t *properties = json_object_get(item, "properties");
	const char *name, *region;
	json_t *prefixes;

	if (!json_is_object(item))
		return fail(source, "must be an object");
	if (!take_text(source, item, "name", true, &name))
		return false;
	if (!is_tag_name(name))
		return fail_at(source, "name", "is no tag's name (at most 128 characters of ASCII without blanks)");
	if (!json_is_object(properties))
		return fail_at(source, "properties", properties ? "must be an object" : "is missing");
	tag->name = arena_strdup(source->arena, name);
	enter(source, "properties", 0);
	bool taken = take_number(source, properties, "changeNumber", false, &tag->change_number) &&
		     take_text(source, properties, "region", false, &region) &&
		     take_array(source, properties, "addressPrefixes", true, &prefixes) &&
		     take_prefixes(source, "addressPrefixes", prefixes, index);
	leave(source);
	tag->regional = taken && region && *region;
	return taken;
}

static bool take_hosts(struct source *source, const json_t *array, struct service_tag *tag)
{
	bool taken = true;

	enter(source, "urls", 0);
	if (json_array_size(array) > SERVICE_TAG_HOSTS_MAX)
		taken = fail(source, "are more names than a set may have (4,096)");
	for (size_t i = 0; taken && i < json_array_size(array); i++) {
		const char *host = json_string_value(json_array_get(array, i));
		enter(source, NULL, i);
		if (!host || !is_tag_name(host))
			taken = fail(source, "is no host's name (at most 128 characters of ASCII)");
		else
			text_list_add(source->arena, &tag->hosts, arena_strdup(source->arena, host));
		leave(source);
	}
	leave(source);
	return taken;
}

/* {"id", "serviceArea", "urls": [], "ips": []}; what is empty is left out */
static bool take_endpoints(struct source *source, const json_t *item, uint32_t index)
{
	struct service_tag *tag = &source->tags->tags[index];
	json_t *hosts, *prefixes;
	const char *area;
	int64_t id;

	if (!json_is_object(item))
		return fail(source, "must be an object");
	if (!take_number(source, item, "id", true, &id) || !take_text(source, item, "serviceArea", true, &area) ||
	    !take_array(source, item, "urls", false, &hosts) || !take_array(source, item, "ips", false, &prefixes))
		return false;
	tag->name = arena_printf(source->arena, "Microsoft365.%s.%lld", area, (long long)id);
	tag->change_number = NOT_MEASURED;
	if (!is_tag_name(tag->name))
		return fail_at(source, "serviceArea", "is no name (at most 100 characters of ASCII without blanks)");
	return take_hosts(source, hosts, tag) && take_prefixes(source, "ips", prefixes, index);
}

/* ------------------------------------------------------------------ the whole */

/* Room for every prefix that may be there: an array's items are counted, whatever they are. */
static size_t count_prefixes(const json_t *items, bool endpoints)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const json_t *holder = endpoints ? item : json_object_get(item, "properties");
		count += json_array_size(json_object_get(holder, endpoints ? "ips" : "addressPrefixes"));
	}
	return count < SERVICE_TAGS_PREFIXES_MAX ? count : SERVICE_TAGS_PREFIXES_MAX;
}

static int compare_names(const void *left, const void *right)
{
	const struct service_tag *a = *(const struct service_tag *const *)left,
				 *b = *(const struct service_tag *const *)right;
	int order = strcasecmp(a->name, b->name);

	return order ? order : (a > b) - (a < b);
}

/* Two tags of one name would be one tag half of the time. */
static bool check_names(struct source *source)
{
	const struct service_tags *tags = source->tags;
	const struct service_tag **sorted = xmalloc((tags->tag_count + 1) * sizeof(*sorted));
	const char *twice = NULL;

	for (size_t i = 0; i < tags->tag_count; i++)
		sorted[i] = &tags->tags[i];
	qsort(sorted, tags->tag_count, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < tags->tag_count && !twice; i++)
		if (strcasecmp(sorted[i - 1]->name, sorted[i]->name) == 0)
			twice = sorted[i]->name;
	free(sorted);
	return !twice || err_set(source->err, "%s: two tags have the name %s", source->file, twice);
}

static bool take_items(struct source *source, const char *key, const json_t *items, bool endpoints)
{
	size_t count = json_array_size(items);
	bool taken = true;

	if (key)
		enter(source, key, 0);
	if (count > SERVICE_TAGS_MAX)
		taken = fail(source, "has more tags than a file may have (32,768)");
	if (count == 0)
		taken = fail(source, "is empty: there is no tag");
	source->tags->tags = arena_alloc(source->arena, (taken ? count : 1) * sizeof(*source->tags->tags));
	source->tags->tag_count = taken ? count : 0;
	source->room = count_prefixes(items, endpoints);
	source->all = xmalloc((source->room + 1) * sizeof(*source->all));
	for (size_t i = 0; taken && i < count; i++) {
		enter(source, NULL, i);
		taken = endpoints ? take_endpoints(source, json_array_get(items, i), (uint32_t)i)
				  : take_tag(source, json_array_get(items, i), (uint32_t)i);
		leave(source);
	}
	if (key)
		leave(source);
	taken = taken && check_names(source);
	if (taken)
		service_tags_index(source->arena, source->tags, source->all, source->count);
	free(source->all);
	return taken;
}

static bool take_document(struct source *source, const json_t *document)
{
	const char *cloud = NULL;
	json_t *values;

	source->tags->change_number = NOT_MEASURED;
	source->tags->form = json_is_array(document) ? "microsoft365" : "service_tags";
	if (json_is_array(document))
		return take_items(source, NULL, document, true);
	if (!json_object_get(document, "values"))
		return fail(source, "neither service tags (an object with \"values\") nor Microsoft 365 endpoints (an "
				    "array of sets)");
	if (!take_number(source, document, "changeNumber", true, &source->tags->change_number) ||
	    !take_text(source, document, "cloud", false, &cloud) ||
	    !take_array(source, document, "values", true, &values))
		return false;
	if (cloud && !is_tag_name(cloud))
		return fail_at(source, "cloud", "is no name of a cloud");
	source->tags->cloud = arena_strdup(source->arena, cloud);
	return take_items(source, "values", values, false);
}

/* The library's message quotes the input, which a terminal must not obey. */
static bool syntax_error(const char *file, json_error_t *error, struct err *err)
{
	for (char *c = error->text; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	return err_set(err, "%s:%d: not JSON: %s", file, error->line > 0 ? error->line : 1, error->text);
}

/* ServiceTags_Public_20260601.json: the day it was published stands nowhere else. */
static const char *date_of(struct arena *arena, const char *name)
{
	static const char digits[] = "0123456789";
	const char *at = strrchr(name, '_');

	if (!at || strspn(++at, digits) != DATE_DIGITS || memcmp(at, "20", 2) != 0)
		return NULL;
	return arena_printf(arena, "%.4s-%.2s-%.2s", at, at + 4, at + 6);
}

static const char *last_part(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/' || *path == '\\')
			name = path + 1;
	return name;
}

bool service_tags_read(struct arena *arena, const char *file, const char *text, size_t length, struct service_tags *out,
		       struct err *err)
{
	struct service_tags tags = {0};
	size_t line, mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	const char *reason;
	json_error_t error;

	text += mark;
	length -= mark;
	if (length > SERVICE_TAGS_BYTES_MAX)
		return err_set(err, "%s: larger than 32 MiB", file);
	if (!scan_check_limits(text, length, &line, &reason))
		return err_set(err, "%s:%zu: %s", file, line, reason);
	json_set_alloc_funcs(xmalloc, free);
	json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		return syntax_error(file, &error, err);
	struct source source = {
		.arena = arena, .file = file, .text = text, .length = length, .err = err, .tags = &tags};
	bool taken = take_document(&source, document);
	json_decref(document);
	if (!taken)
		return false;
	tags.file = arena_strdup(arena, last_part(file));
	tags.date = date_of(arena, tags.file);
	*out = tags;
	return true;
}
