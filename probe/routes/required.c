#include "probe/routes/required.h"

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/coverage.h"
#include "probe/routes/inventory.h"
#include "targets/targets.h"

enum { FAMILY_REGION = 51, FAMILY_STORAGE = 52, FAMILY_BACKUP = 55 };

static const struct {
	const char *prefix, *source;
	bool required;
} entra[] = {
	{"20.190.128.0/18", "documented", true},
	{"40.126.0.0/18", "documented", true},
	{"20.20.32.0/19", "Microsoft 365 set 56", false},
	{"20.231.128.0/19", "Microsoft 365 set 56", false},
	{"2603:1006:2000::/48", "Microsoft 365 set 56", false},
	{"2603:1007:200::/48", "Microsoft 365 set 56", false},
	{"2603:1016:1400::/48", "Microsoft 365 set 56", false},
	{"2603:1017::/48", "Microsoft 365 set 56", false},
	{"2603:1026:3000::/48", "Microsoft 365 set 56", false},
	{"2603:1027:1::/48", "Microsoft 365 set 56", false},
	{"2603:1036:3000::/48", "Microsoft 365 set 56", false},
	{"2603:1037:1::/48", "Microsoft 365 set 56", false},
	{"2603:1046:2000::/48", "Microsoft 365 set 56", false},
	{"2603:1047:1::/48", "Microsoft 365 set 56", false},
	{"2603:1056:2000::/48", "Microsoft 365 set 56", false},
	{"2603:1057:2::/48", "Microsoft 365 set 56", false},
};

static const struct {
	const char *region;
	int number;
} suffixes[] = {
#define SUFFIX(region, number) {region, number},
#include "probe/routes/communities.def"
#undef SUFFIX
};

static int suffix_of(const char *region)
{
	for (size_t i = 0; region && i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (strcasecmp(suffixes[i].region, region) == 0)
			return suffixes[i].number;
	return 0;
}

const char *regional_community(struct arena *arena, int family, const char *region)
{
	int suffix = suffix_of(region);
	return suffix ? arena_printf(arena, "12076:%d%03d", family, suffix) : NULL;
}

const char *region_cloud(const char *region)
{
	static const struct {
		const char *region, *cloud;
	} clouds[] = {{"bjb", "china"}, {"bjb2", "china"}, {"sha", "china"}, {"sha2", "china"},
		      {"udc", "usgov"}, {"ude", "usgov"},  {"uga", "usgov"}, {"ugi", "usgov"},
		      {"ugt", "usgov"}, {"ugv", "usgov"},  {"exe", "other"}, {"exw", "other"},
		      {"gec", "other"}, {"gne", "other"},  {"rxe", "other"}, {"rxw", "other"}};
	for (size_t i = 0; region && i < sizeof(clouds) / sizeof(*clouds); i++)
		if (strcasecmp(clouds[i].region, region) == 0)
			return clouds[i].cloud;
	return "public";
}

/* ------------------------------------------------------------------ prefixes */

static void add_prefix(struct arena *arena, struct coverage *out, const char *service, const char *source,
		       const char *prefix, bool required)
{
	if (out->prefix_count == REQUIRED_PREFIXES_MAX)
		return;
	out->prefixes =
		arena_grow(arena, out->prefixes, &out->prefix_capacity, out->prefix_count, sizeof(*out->prefixes));
	out->prefixes[out->prefix_count++] = (struct coverage_prefix){
		.service = service, .source = source, .prefix = arena_strdup(arena, prefix), .required = required};
}

/** Neighbours joined; IPv6 is only recommended: a circuit may carry IPv4 alone, and names have both. */
static void add_list(struct arena *arena, struct coverage *out, const struct service_prefixes *given)
{
	char text[PREFIX_TEXT_BYTES];
	struct prefix_set set = prefix_set_of_prefixes(arena, given->prefixes.items, given->prefixes.count);
	struct prefix_list list = prefix_set_prefixes(arena, &set);
	for (size_t i = 0; i < list.count; i++)
		add_prefix(arena, out, given->service, given->source, prefix_format(&list.items[i], text),
			   list.items[i].base.family == 4);
}

static bool has_service(const struct service_prefixes *tags, size_t count, const char *service)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(tags[i].service, service) == 0)
			return true;
	return false;
}

static void add_community(struct arena *arena, struct coverage *out, const struct inventory *inventory,
			  const char *service, const char *value)
{
	const struct inventory_community *found = value && inventory ? inventory_find(inventory, value) : NULL;
	if (!found)
		return;
	struct service_prefixes one = {
		.service = service, .source = arena_printf(arena, "community %s", value), .prefixes = found->prefixes};
	add_list(arena, out, &one);
}

void required_prefixes(struct arena *arena, const struct service_prefixes *tags, size_t tag_count,
		       const struct inventory *inventory, const char *region, struct coverage *out)
{
	/* of the other clouds' sign-in no prefixes are documented for this product */
	bool public = strcmp(region_cloud(region), "public") == 0;
	for (size_t i = 0; public && i < sizeof(entra) / sizeof(*entra); i++)
		add_prefix(arena, out, "entra", entra[i].source, entra[i].prefix, entra[i].required);
	for (size_t i = 0; i < tag_count; i++)
		add_list(arena, out, &tags[i]);
	if (!has_service(tags, tag_count, "backup"))
		add_community(arena, out, inventory, "backup", regional_community(arena, FAMILY_BACKUP, region));
	if (!has_service(tags, tag_count, "storage"))
		add_community(arena, out, inventory, "storage", regional_community(arena, FAMILY_STORAGE, region));
}

/* ------------------------------------------------------------------ communities */

static void want(struct arena *arena, struct coverage *out, const char *value, const char *service, const char *name)
{
	out->communities = arena_grow(arena, out->communities, &out->community_capacity, out->community_count,
				      sizeof(*out->communities));
	out->communities[out->community_count++] =
		(struct coverage_community){.value = value, .service = service, .name = name};
}

void required_communities(struct arena *arena, const char *region, struct coverage *out)
{
	int suffix = suffix_of(region);
	const char *name = targets_region_name(region), *cloud = region_cloud(region);
	bool government = strcmp(cloud, "usgov") == 0;
	if (!government && strcmp(cloud, "public") != 0)
		return;
	want(arena, out, government ? "12076:5160" : "12076:5060", "entra",
	     "Microsoft Entra ID, formerly Azure Active Directory");
	if (!suffix || !name)
		return;
	want(arena, out, regional_community(arena, FAMILY_REGION, region), "region",
	     arena_printf(arena, "Azure in %s", name));
	if (government) /* the others are not documented there */
		return;
	want(arena, out, regional_community(arena, FAMILY_STORAGE, region), "storage",
	     arena_printf(arena, "Azure Storage in %s", name));
	want(arena, out, regional_community(arena, FAMILY_BACKUP, region), "backup",
	     arena_printf(arena, "Azure Backup in %s", name));
}
