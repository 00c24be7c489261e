#include "probe/engine/script_names.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/engine/legs.h"
#include "probe/os/os.h"

struct script_name {
	struct script_name *next;
	struct script_names *names;
	const char *name;
	struct lookup *lookup;
	bool settled;
};

static void give(struct script_names *names, const struct script_name *name)
{
	struct strbuf list;
	strbuf_init(&list);
	for (size_t i = 0; i < name->lookup->count; i++) {
		const struct resolved_address *one = &name->lookup->addresses[i];
		if (one->by_system && (names->both || !strchr(one->address, ':')))
			strbuf_printf(&list, "%s%s", list.length ? ";" : "", one->address);
	}
	names->wanted = NULL;
	names->came(list.length ? list.data : NULL, names->user);
	strbuf_free(&list);
}

static void on_settled(struct lookup *lookup, void *user)
{
	struct script_name *name = user;
	name->lookup = lookup;
	name->settled = true;
	if (name->names->wanted == name)
		give(name->names, name);
}

static void on_done(struct lookup *lookup, void *user)
{
	const struct script_name *name = user;
	if (!name->settled)
		on_settled(lookup, user);
}

static bool is_one_of(const char *text, const char *a, const char *b)
{
	return text && (strcmp(text, a) == 0 || strcmp(text, b) == 0);
}

void script_names_share_way(struct report *report, const struct path *with, struct path *path)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		if (is_one_of(one->experiment, "wpad", "pac_download") && path_list_has(&one->paths, with) &&
		    !path_list_has(&one->paths, path))
			path_list_add(report->arena, &one->paths, path);
	}
}

static bool is_question(const struct observation *one, const char *name)
{
	const char *about = one->op == OP_DNS_QUERY	  ? one->dns.name
			    : one->op == OP_SYSTEM_LOOKUP ? one->lookup.name
							  : "";
	return is_one_of(one->experiment, "pac_dns", "pac_dns") && strcmp(about, name) == 0;
}

/* It was asked about on another path's behalf; what is still open gets its paths when it ends. */
static void share(const struct script_name *name, struct path *path)
{
	struct report *report = name->names->run->report;
	struct path_list *paths = &name->lookup->paths;
	if (path_list_has(paths, path))
		return;
	for (size_t i = 0; i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		if (is_question(one, name->name) && path_list_has(&one->paths, paths->items[0]) &&
		    !path_list_has(&one->paths, path))
			path_list_add(report->arena, &one->paths, path);
	}
	path_list_add(report->arena, paths, path);
}

static struct script_name *name_of(struct script_names *names, const char *text, const struct path_list *paths)
{
	struct arena *arena = names->run->report->arena;
	for (struct script_name *one = names->list; one; one = one->next)
		if (strcmp(one->name, text) == 0) {
			for (size_t i = 0; i < paths->count; i++)
				share(one, paths->items[i]);
			return one;
		}
	struct script_name *name = arena_alloc(arena, sizeof(*name));
	name->names = names;
	name->name = arena_strdup(arena, text);
	struct lookup_options options = {
		.name = name->name, .experiment = "pac_dns", .settled = on_settled, .done = on_done, .user = name};
	name->lookup = lookup_start_with(&names->run->resolver, &options);
	for (size_t i = 0; i < paths->count; i++)
		path_list_add(arena, &name->lookup->paths, paths->items[i]);
	name->next = names->list;
	names->list = name;
	return name;
}

void script_names_want(struct script_names *names, const char *text, bool both, const struct path_list *paths)
{
	struct script_name *name = name_of(names, text, paths);
	names->wanted = name;
	names->both = both;
	if (name->settled)
		give(names, name);
}

void script_names_forget(struct script_names *names)
{
	names->wanted = NULL;
}

static void add_own(struct strbuf *out, const struct os_interface *one, bool v6)
{
	for (size_t k = 0; k < one->address_count && one->up && !one->loopback; k++) {
		const char *address = one->addresses[k];
		bool is_v6 = strchr(address, ':') != NULL;
		bool is_link_local = strncmp(address, "fe80:", 5) == 0 || strncmp(address, "169.254.", 8) == 0;
		if (is_v6 == v6 && !is_link_local)
			strbuf_printf(out, "%s%s", out->length ? ";" : "", address);
	}
}

const char *script_names_own(struct arena *arena)
{
	struct os_interface *interfaces = xcalloc(OS_INTERFACES_MAX, sizeof(*interfaces));
	struct strbuf own;
	strbuf_init(&own);
	size_t count = os_interfaces(interfaces);
	for (int v6 = 0; v6 < 2; v6++)
		for (size_t i = 0; i < count; i++)
			add_own(&own, &interfaces[i], v6 == 1);
	const char *text = arena_strdup(arena, own.length ? own.data : "");
	strbuf_free(&own);
	free(interfaces);
	return text;
}
