#include "probe/routes/inventory.h"

#include <jansson.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/routes/route_table.h"
#include "probe/routes/walk_json.h"

struct inventory_reader {
	struct arena *arena;
	struct inventory *out;
};

static void read_prefix(struct json_walk *walk, struct inventory_community *community, json_t *item)
{
	struct inventory_reader *reader = walk->user;
	const char *text = json_string_value(item);
	struct prefix prefix;
	if (reader->out->prefix_count == INVENTORY_PREFIXES_MAX) {
		json_walk_fail(walk, "more than 1,000,000 prefixes");
	} else if (!text || !route_prefix_parse(text, false, &prefix)) {
		json_walk_fail(walk, "is no prefix such as 20.190.128.0/18");
	} else {
		prefix_list_add(reader->arena, &community->prefixes, &prefix);
		reader->out->prefix_count++;
	}
}

static const char *copy(struct arena *arena, const char *text)
{
	return arena_strdup(arena, text);
}

static void read_community(struct json_walk *walk, const char *value, const char *name, json_t *prefixes)
{
	struct inventory_reader *reader = walk->user;
	struct inventory *out = reader->out;
	if (out->count == INVENTORY_COMMUNITIES_MAX) {
		json_walk_fail(walk, "more than 20,000 communities");
		return;
	}
	out->communities =
		arena_grow(reader->arena, out->communities, &out->capacity, out->count, sizeof(*out->communities));
	struct inventory_community *community = &out->communities[out->count++];
	*community =
		(struct inventory_community){.value = copy(reader->arena, value), .name = copy(reader->arena, name)};
	json_walk_enter(walk, "communityPrefixes", 0);
	for (size_t i = 0; i < json_array_size(prefixes) && !walk->failed; i++) {
		json_walk_enter(walk, NULL, i);
		read_prefix(walk, community, json_array_get(prefixes, i));
		json_walk_leave(walk);
	}
	json_walk_leave(walk);
}

static bool visit(struct json_walk *walk, json_t *object)
{
	const char *value = json_walk_text_of(object, "communityValue");
	json_t *prefixes = json_walk_member(object, "communityPrefixes");
	if (!value)
		return false;
	if (prefixes && !json_is_array(prefixes))
		json_walk_fail(walk, "communityPrefixes must be an array of prefixes");
	else
		read_community(walk, value, json_walk_text_of(object, "communityName"), prefixes);
	return true;
}

bool inventory_read(struct arena *arena, const char *file, const char *text, size_t length, struct inventory *out,
		    struct err *err)
{
	struct inventory_reader reader = {arena, out};
	struct json_walk walk = {.visit = visit, .user = &reader};
	*out = (struct inventory){.source = file};
	if (length >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0))
		return err_set(err, "%s:1: the file is UTF-16; save it as UTF-8", file);
	if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		length -= 3;
	}
	size_t blanks = strspn(text, " \t\r\n");
	bool json = blanks < length && (text[blanks] == '[' || text[blanks] == '{');
	/* without ConvertTo-Json PowerShell prints a list of properties, and only their values are JSON */
	if (!(json ? json_walk_text(&walk, file, text, length, err)
		   : json_walk_behind(&walk, "BgpCommunities", file, text, length, err)))
		return false;
	if (out->count)
		return true;
	return err_set(err,
		       "%s:1: no communityValue in it: give the JSON of `az network route-filter rule "
		       "list-service-communities`",
		       file);
}

const struct inventory_community *inventory_find(const struct inventory *inventory, const char *value)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (strcmp(inventory->communities[i].value, value) == 0)
			return &inventory->communities[i];
	return NULL;
}
