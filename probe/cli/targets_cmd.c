#include "probe/cli/targets_cmd.h"

#include <string.h>

#include "probe/core/strbuf.h"
#include "targets/targets.h"

enum { ID_COLUMNS_MAX = 24, WHERE_COLUMNS_MAX = 56 };

struct columns {
	int id, where;
};

/* What is asked for: the URL, the range with its port, or host:port. */
static const char *where_of(const struct target *target)
{
	if (target->kind == TARGET_URL)
		return target->url;
	return target->kind == TARGET_CIDR ? target->cidr : target->name;
}

static void widen(int *column, const char *text, int max)
{
	int length = (int)strlen(text);

	if (length > *column)
		*column = length < max ? length : max;
}

static struct columns columns_of(const struct target_set *set)
{
	struct columns columns = {0, 0};

	for (size_t i = 0; i < set->count; i++) {
		widen(&columns.id, set->targets[i]->id, ID_COLUMNS_MAX);
		widen(&columns.where, where_of(set->targets[i]), WHERE_COLUMNS_MAX);
	}
	return columns;
}

static void print_statuses(const struct expect *expect, struct strbuf *out)
{
	for (size_t i = 0; i < expect->status_count; i++)
		strbuf_printf(out, "%s%d", i ? ", " : "", expect->status[i]);
	if (expect->status_count == 0)
		strbuf_add(out, "any status of its own");
}

static void print_healthy(const struct target *target, struct strbuf *out)
{
	switch (target->kind) {
	case TARGET_URL:
		print_statuses(&target->expect, out);
		if (target->expect.body)
			strbuf_add(out, " and its exact text");
		return;
	case TARGET_TCP:
		strbuf_add(out, "a connection");
		return;
	case TARGET_CIDR:
		strbuf_printf(out, "port %d of a sample", target->port);
		return;
	}
}

static void print_target(const struct target *target, const struct columns *columns, struct strbuf *out)
{
	strbuf_printf(out, "    %-*s  %-*s  ", columns->id, target->id, columns->where, where_of(target));
	print_healthy(target, out);
	strbuf_add(out, "\n");
}

/* Is target number i the first one of its rule and need? */
static bool opens_rule(const struct target_set *set, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (set->targets[k]->required == set->targets[i]->required &&
		    strcmp(set->targets[k]->rule, set->targets[i]->rule) == 0)
			return false;
	return true;
}

static void print_rule(const struct target_set *set, size_t first, const struct columns *columns, struct strbuf *out)
{
	const struct target *head = set->targets[first];
	bool has_stand_in = false;

	for (size_t i = first; i < set->count; i++)
		has_stand_in |= set->targets[i]->stand_in && set->targets[i]->required == head->required &&
				strcmp(set->targets[i]->rule, head->rule) == 0;
	if (strcmp(head->rule, head->host ? head->host : head->cidr) != 0)
		strbuf_printf(out, "  %s%s\n", head->rule, has_stand_in ? "  (by names that stand in for it)" : "");
	for (size_t i = first; i < set->count; i++)
		if (set->targets[i]->required == head->required && strcmp(set->targets[i]->rule, head->rule) == 0)
			print_target(set->targets[i], columns, out);
}

static void print_need(const struct target_set *set, bool required, const struct columns *columns, struct strbuf *out)
{
	bool any = false;

	for (size_t i = 0; i < set->count; i++) {
		if (set->targets[i]->required != required || !opens_rule(set, i))
			continue;
		if (!any)
			strbuf_printf(out, "\n%s\n",
				      required ? "Required: not ready without it"
					       : "Recommended: a warning if it fails");
		any = true;
		print_rule(set, i, columns, out);
	}
}

void targets_print(const struct target_set *set, struct strbuf *out)
{
	struct columns columns = columns_of(set);
	const char *region_name = targets_region_name(set->region);

	strbuf_printf(out, "%s: %zu target%s", set->name, set->count, set->count == 1 ? "" : "s");
	if (set->cloud)
		strbuf_printf(out, ", cloud %s", set->cloud);
	if (set->uses_region)
		strbuf_printf(out, ", region %s (%s)", set->region,
			      region_name ? region_name : "not in the table of regions");
	strbuf_add(out, "\n");
	print_need(set, true, &columns, out);
	print_need(set, false, &columns, out);
	strbuf_add(out, "\n");
}
