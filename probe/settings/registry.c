#include "probe/settings/registry.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/settings/regfile.h"

enum { BUCKET_COUNT = 1 << 16, ENTRIES_MAX = 500 * 1000, PROBLEMS_MAX = 100 };

/* A key or a value. Keys form a tree: what is below a deleted key can no longer be reached, so that deleting costs
 * the same for any tree. */
struct entry {
	struct entry *next_in_bucket;
	const struct entry *parent;
	bool is_value;
	const char *name;
	struct registry_value value; /* of a value */
	struct entry *first_child;   /* of a key: subkeys */
	struct entry *sibling;
	bool gone;   /* deleted, but still in its parent's list */
	bool denied; /* of a key: may not be read */
};

struct registry {
	struct arena *arena;
	struct entry root; /* above HKEY_CURRENT_USER and the like */
	struct entry **buckets;
	size_t entry_count;			/* ever made */
	const char *problems[PROBLEMS_MAX + 2]; /* with the line that says "more", and NULL */
	size_t problem_count;
};

/* A merge in progress. */
struct merge {
	struct registry *registry;
	const char *file;
	struct entry *key; /* the latest; NULL if it could not be made */
	bool full;
};

struct registry *registry_new(struct arena *arena)
{
	struct registry *registry = arena_alloc(arena, sizeof(*registry));
	registry->arena = arena;
	registry->buckets = arena_alloc(arena, BUCKET_COUNT * sizeof(*registry->buckets));
	return registry;
}

/* ------------------------------------------------------------------ the table */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(const char *name, const char *text, size_t length)
{
	size_t i = 0;
	while (i < length && name[i] && lower(name[i]) == lower(text[i]))
		i++;
	return i == length && name[i] == '\0';
}

/* FNV-1a over the parent, the kind and the name without case. Addresses differ from run to run, so no file can be
 * made to collide. */
static struct entry **bucket_of(const struct registry *registry, const struct entry *parent, bool is_value,
				const char *name, size_t length)
{
	uint64_t hash = 14695981039346656037u ^ (uint64_t)(uintptr_t)parent;
	hash = (hash ^ is_value) * 1099511628211u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)lower(name[i])) * 1099511628211u;
	return &registry->buckets[(hash ^ hash >> 32) % BUCKET_COUNT];
}

static struct entry *find(const struct registry *registry, const struct entry *parent, bool is_value, const char *name,
			  size_t length)
{
	struct entry *entry = *bucket_of(registry, parent, is_value, name, length);
	while (entry &&
	       !(entry->parent == parent && entry->is_value == is_value && same_name(entry->name, name, length)))
		entry = entry->next_in_bucket;
	return entry;
}

/* NULL when the table is full. */
static struct entry *find_or_add(struct registry *registry, struct entry *parent, bool is_value, const char *name,
				 size_t length)
{
	struct entry *entry = find(registry, parent, is_value, name, length);
	if (entry || registry->entry_count == ENTRIES_MAX)
		return entry;
	struct entry **bucket = bucket_of(registry, parent, is_value, name, length);
	entry = arena_alloc(registry->arena, sizeof(*entry));
	*entry = (struct entry){.next_in_bucket = *bucket, .parent = parent, .is_value = is_value};
	entry->name = arena_strndup(registry->arena, name, length);
	*bucket = entry;
	registry->entry_count++;
	if (!is_value) {
		entry->sibling = parent->first_child;
		parent->first_child = entry;
	}
	return entry;
}

static void take_out(struct registry *registry, struct entry *entry)
{
	struct entry **link = bucket_of(registry, entry->parent, entry->is_value, entry->name, strlen(entry->name));
	while (*link != entry)
		link = &(*link)->next_in_bucket;
	*link = entry->next_in_bucket;
	entry->gone = true;
}

/* ------------------------------------------------------------------ paths */

/* The next name of a path; empty ones between backslashes do not count, as in Windows. False at the end. */
static bool next_name(const char **path, size_t *length)
{
	const char *at = *path + strspn(*path, "\\");
	*path = at;
	*length = strcspn(at, "\\");
	return *length > 0;
}

/* The full name of a root that is given short, or NULL. */
static const char *long_root(const char *name, size_t length)
{
	static const char *const names[][2] = {
		{"HKCU", "HKEY_CURRENT_USER"}, {"HKLM", "HKEY_LOCAL_MACHINE"}, {"HKU", "HKEY_USERS"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (same_name(names[i][0], name, length))
			return names[i][1];
	return NULL;
}

static struct entry *find_key(const struct registry *registry, const char *path)
{
	size_t length = 0;
	if (!next_name(&path, &length))
		return NULL;
	const char *root = long_root(path, length);
	struct entry *key = root ? find(registry, &registry->root, false, root, strlen(root))
				 : find(registry, &registry->root, false, path, length);
	for (path += length; key && next_name(&path, &length); path += length)
		key = find(registry, key, false, path, length);
	return key;
}

static struct entry *make_key(struct registry *registry, const char *path)
{
	struct entry *key = &registry->root;
	for (size_t length = 0; key && next_name(&path, &length); path += length)
		key = find_or_add(registry, key, false, path, length);
	return key;
}

/* Copies value and where; false when the table is full. */
static bool store(struct registry *registry, struct entry *key, const struct registry_value *value, const char *where)
{
	struct entry *entry = key ? find_or_add(registry, key, true, value->name, strlen(value->name)) : NULL;
	if (!entry)
		return false;
	entry->value = *value;
	entry->value.name = entry->name;
	entry->value.data =
		(const unsigned char *)arena_strndup(registry->arena, (const char *)value->data, value->length);
	entry->value.where = where;
	return true;
}

/* ------------------------------------------------------------------ merging */

static void add_problem(struct registry *registry, const char *problem)
{
	if (registry->problem_count < PROBLEMS_MAX)
		registry->problems[registry->problem_count++] = problem;
	else
		registry->problems[PROBLEMS_MAX] = "more lines were dropped";
}

static void on_dropped(void *user, unsigned line, const char *reason)
{
	struct merge *merge = user;
	add_problem(merge->registry, arena_printf(merge->registry->arena, "%s:%u: %s", merge->file, line, reason));
}

static void on_full(struct merge *merge, unsigned line)
{
	if (!merge->full)
		on_dropped(merge, line,
			   "too many keys and values; what is new from here on is ignored. Export only the key "
			   "\"Internet Settings\"");
	merge->full = true;
}

static void on_key(void *user, unsigned line, const char *path, bool deleted)
{
	struct merge *merge = user;
	merge->key = NULL;
	if (deleted) {
		struct entry *key = find_key(merge->registry, path);
		if (key)
			take_out(merge->registry, key);
		return;
	}
	merge->key = make_key(merge->registry, path);
	if (!merge->key)
		on_full(merge, line);
}

static void on_value(void *user, unsigned line, const struct registry_value *value)
{
	struct merge *merge = user;
	const char *where = arena_printf(merge->registry->arena, "%s:%u", merge->file, line);
	if (!store(merge->registry, merge->key, value, where))
		on_full(merge, line);
}

static void on_value_deleted(void *user, const char *name)
{
	struct merge *merge = user;
	struct entry *entry = merge->key ? find(merge->registry, merge->key, true, name, strlen(name)) : NULL;
	if (entry)
		take_out(merge->registry, entry);
}

bool registry_merge(struct registry *registry, const char *file, const void *bytes, size_t length, struct err *err)
{
	struct merge merge = {.registry = registry, .file = file};
	const struct regfile_sink sink = {.key = on_key,
					  .value = on_value,
					  .value_deleted = on_value_deleted,
					  .dropped = on_dropped,
					  .user = &merge};
	return regfile_parse(file, bytes, length, &sink, err);
}

void registry_put(struct registry *registry, const char *key, const struct registry_value *value)
{
	struct entry *entry = make_key(registry, key);
	bool stored =
		entry && (!value->name || store(registry, entry, value, arena_strdup(registry->arena, value->where)));
	if (!stored && !registry->problem_count)
		add_problem(registry, "the registry has more keys and values than this program reads");
}

void registry_deny(struct registry *registry, const char *key)
{
	struct entry *entry = make_key(registry, key);
	if (entry)
		entry->denied = true;
}

/* ------------------------------------------------------------------ asking */

const struct registry_value *registry_get(const struct registry *registry, const char *key, const char *name)
{
	const struct entry *parent = find_key(registry, key);
	const struct entry *entry = parent ? find(registry, parent, true, name, strlen(name)) : NULL;
	return entry ? &entry->value : NULL;
}

bool registry_dword(const struct registry_value *value, uint32_t *out)
{
	if (!value || value->type != REGISTRY_DWORD || value->length != 4)
		return false;
	*out = value->data[0] | (uint32_t)value->data[1] << 8 | (uint32_t)value->data[2] << 16 |
	       (uint32_t)value->data[3] << 24;
	return true;
}

bool registry_has_key(const struct registry *registry, const char *key)
{
	return find_key(registry, key) != NULL;
}

bool registry_is_denied(const struct registry *registry, const char *key)
{
	const struct entry *entry = find_key(registry, key);
	return entry && entry->denied;
}

const char *registry_next_subkey(const struct registry *registry, const char *key, const char *after)
{
	const struct entry *parent = find_key(registry, key);
	const struct entry *child = NULL;
	if (parent && after) {
		child = find(registry, parent, false, after, strlen(after));
		child = child ? child->sibling : NULL;
	} else if (parent) {
		child = parent->first_child;
	}
	while (child && child->gone)
		child = child->sibling;
	return child ? child->name : NULL;
}

const char *const *registry_problems(const struct registry *registry)
{
	return registry->problems;
}
