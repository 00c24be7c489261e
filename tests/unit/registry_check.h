#ifndef MARSPROBE_TESTS_REGISTRY_CHECK_H
#define MARSPROBE_TESTS_REGISTRY_CHECK_H

/* What the tests of registry exports share: merging a text, and asking for a value of KEY. main() makes the arena. */

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/settings/registry.h"
#include "tests/unit/check.h"

#define V5 "Windows Registry Editor Version 5.00\r\n\r\n"
#define V4 "REGEDIT4\r\n\r\n"
#define KEY "HKEY_CURRENT_USER\\Software\\Test"
#define IN_KEY "[" KEY "]\n"

static struct arena *arena;

static inline struct registry *merge_bytes(const char *file, const void *bytes, size_t length, struct err *err)
{
	struct registry *registry = registry_new(arena);
	err->text[0] = '\0';
	return registry_merge(registry, file, bytes, length, err) ? registry : NULL;
}

static inline struct registry *merge(const char *text)
{
	struct err err;
	return merge_bytes("a.reg", text, strlen(text), &err);
}

static inline const char *text_of(const struct registry *registry, const char *name)
{
	const struct registry_value *value = registry ? registry_get(registry, KEY, name) : NULL;
	bool text = value && (value->type == REGISTRY_SZ || value->type == REGISTRY_EXPAND_SZ);
	CHECK(!text || strlen((const char *)value->data) == value->length);
	return text ? (const char *)value->data : NULL;
}

/* Type and bytes of a value as "type:hex", or NULL. */
static inline const char *bytes_of(const struct registry *registry, const char *name)
{
	const struct registry_value *value = registry ? registry_get(registry, KEY, name) : NULL;
	if (!value)
		return NULL;
	struct strbuf out;
	strbuf_init(&out);
	strbuf_printf(&out, "%x:", value->type);
	for (size_t i = 0; i < value->length; i++)
		strbuf_printf(&out, "%02x", value->data[i]);
	const char *copy = arena_strdup(arena, out.data);
	strbuf_free(&out);
	return copy;
}

#endif
