#include "probe/routes/walk_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"

void json_walk_enter(struct json_walk *walk, const char *key, size_t index)
{
	if (walk->depth < JSON_WALK_DEPTH_MAX)
		walk->steps[walk->depth] = (struct scan_step){key, index};
	walk->depth++;
}

void json_walk_leave(struct json_walk *walk)
{
	walk->depth--;
}

void json_walk_fail(struct json_walk *walk, const char *reason)
{
	if (walk->failed)
		return;
	walk->failed = true;
	size_t depth = walk->depth < JSON_WALK_DEPTH_MAX ? walk->depth : JSON_WALK_DEPTH_MAX;
	size_t line = walk->first_line + scan_find_line(walk->text, walk->length, walk->steps, depth);
	err_set(walk->err, "%s:%zu: %s", walk->file, line, reason);
}

json_t *json_walk_member(json_t *object, const char *name)
{
	const char *key;
	json_t *value, *exact = json_object_get(object, name);
	if (exact)
		return json_is_null(exact) ? NULL : exact;
	json_object_foreach(object, key, value)
	{
		if (strcasecmp(key, name) == 0)
			return json_is_null(value) ? NULL : value;
	}
	return NULL;
}

const char *json_walk_text_of(json_t *object, const char *name)
{
	return json_string_value(json_walk_member(object, name));
}

static void walk_value(struct json_walk *walk, json_t *value)
{
	const char *key;
	json_t *item;
	if (walk->failed || walk->depth >= JSON_WALK_DEPTH_MAX)
		return;
	for (size_t i = 0; i < json_array_size(value) && !walk->failed; i++) {
		json_walk_enter(walk, NULL, i);
		walk_value(walk, json_array_get(value, i));
		json_walk_leave(walk);
	}
	if (!json_is_object(value) || walk->visit(walk, value))
		return;
	json_object_foreach(value, key, item)
	{
		json_walk_enter(walk, key, 0);
		walk_value(walk, item);
		json_walk_leave(walk);
	}
}

/* The library's message quotes the input, which a terminal must not obey. */
static void fail_syntax(struct json_walk *walk, const json_error_t *error)
{
	char reason[JSON_ERROR_TEXT_LENGTH];
	size_t length = 0;
	for (; error->text[length] && length + 1 < sizeof(reason); length++)
		reason[length] = error->text[length] >= ' ' && error->text[length] <= '~' ? error->text[length] : '?';
	reason[length] = '\0';
	walk->failed = true;
	err_set(walk->err, "%s:%zu: not JSON: %s", walk->file,
		walk->first_line + (size_t)(error->line > 0 ? error->line : 1), reason);
}

static size_t count_lines(const char *text, size_t length)
{
	size_t lines = 0;
	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

/** Read the document that begins there; returns its length, 0 with the error set. */
static size_t walk_document(struct json_walk *walk, const char *text, size_t length)
{
	json_error_t error;
	walk->text = text;
	walk->length = length;
	json_t *document = json_loadb(text, length, JSON_DISABLE_EOF_CHECK, &error);
	size_t used = document ? (size_t)error.position : 0;
	if (used) {
		walk->length = used;
		walk_value(walk, document);
	} else {
		fail_syntax(walk, &error);
	}
	json_decref(document);
	return used;
}

static bool begin(struct json_walk *walk, const char *file, const char *text, size_t length, struct err *err)
{
	size_t line;
	const char *reason;
	walk->file = file;
	walk->err = err;
	json_set_alloc_funcs(xmalloc, free);
	return scan_check_limits(text, length, &line, &reason) ||
	       err_set(err, "%s:%zu: %s", file, walk->first_line + line, reason);
}

bool json_walk_text(struct json_walk *walk, const char *file, const char *text, size_t length, struct err *err)
{
	size_t counted = 0;
	if (!begin(walk, file, text, length, err))
		return false;
	for (size_t at = strspn(text, " \t\r\n"); at < length && !walk->failed; at += strspn(text + at, " \t\r\n")) {
		walk->first_line += count_lines(text + counted, at - counted);
		counted = at;
		at += walk_document(walk, text + at, length - at);
	}
	return !walk->failed;
}

bool json_walk_behind(struct json_walk *walk, const char *word, const char *file, const char *text, size_t length,
		      struct err *err)
{
	size_t counted = 0;
	if (!begin(walk, file, text, length, err))
		return false;
	for (const char *at = text; !walk->failed && (at = text_find_nocase(at, word)) != NULL;) {
		at += strlen(word);
		at += strspn(at, " \t:");
		if (*at != '[')
			continue;
		walk->first_line += count_lines(text + counted, (size_t)(at - text) - counted);
		counted = (size_t)(at - text);
		at += walk_document(walk, at, length - counted);
	}
	return !walk->failed;
}
