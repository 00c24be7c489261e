#include "probe/settings/zones.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/settings/registry.h"

#define INTERNET_SETTINGS "\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define POLICIES "\\Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define MACHINE "HKEY_LOCAL_MACHINE"
#define USER "HKEY_CURRENT_USER"
#define SYSTEM "HKEY_USERS\\S-1-5-18"
#define SYSTEM_ALIAS "HKEY_USERS\\.DEFAULT"

enum { LABELS_MAX = 32, EXACT = 1 << 20, OCTETS = 4 };

/* A key "...\Internet Settings" that is asked. */
struct base {
	const char *key;
	bool users_own; /* not the machine's, and no policy */
};

struct bases {
	struct base items[6];
	size_t count;
};

/* ------------------------------------------------------------------ who is asked */

static void add_base(struct bases *bases, const char *key, bool users_own)
{
	bases->items[bases->count++] = (struct base){key, users_own};
}

static bool is_machine_only(const struct registry *registry)
{
	uint32_t only = 0;
	return registry_dword(registry_get(registry, MACHINE POLICIES, "Security_HKLM_only"), &only) && only == 1;
}

static bool has_hive(const struct registry *registry, enum identity_id identity)
{
	if (identity == IDENTITY_USER)
		return registry_has_key(registry, USER);
	if (registry_is_denied(registry, SYSTEM) || registry_is_denied(registry, SYSTEM INTERNET_SETTINGS))
		return false;
	return registry_has_key(registry, SYSTEM) || registry_has_key(registry, SYSTEM_ALIAS);
}

bool zones_are_known(const struct registry *registry, enum identity_id identity)
{
	return is_machine_only(registry) || has_hive(registry, identity);
}

/* In the order in which they count. Without the account's hive only what overrides it is known. */
static struct bases bases_of(const struct registry *registry, enum identity_id identity)
{
	struct bases bases = {.count = 0};
	bool only = is_machine_only(registry);
	add_base(&bases, MACHINE POLICIES, false);
	if (!only && !has_hive(registry, identity))
		return bases;
	if (!only && identity == IDENTITY_SYSTEM) {
		add_base(&bases, SYSTEM POLICIES, false);
		add_base(&bases, SYSTEM INTERNET_SETTINGS, true);
		add_base(&bases, SYSTEM_ALIAS POLICIES, false);
		add_base(&bases, SYSTEM_ALIAS INTERNET_SETTINGS, true);
	} else if (!only) {
		add_base(&bases, USER POLICIES, false);
		add_base(&bases, USER INTERNET_SETTINGS, true);
	}
	add_base(&bases, MACHINE INTERNET_SETTINGS, false);
	return bases;
}

/* ------------------------------------------------------------------ values */

static const char *place_of(struct arena *arena, const char *key, const struct registry_value *value)
{
	return arena_printf(arena, "%s\\%s (%s)", key, value->name, value->where);
}

/* A number below one of the keys, the first that has it. */
static bool find_number(struct arena *arena, const struct registry *registry, const struct bases *bases,
			const char *subkey, const char *name, struct zone_value *out)
{
	for (size_t i = 0; i < bases->count; i++) {
		const char *key = arena_printf(arena, "%s\\%s", bases->items[i].key, subkey);
		const struct registry_value *value = registry_get(registry, key, name);
		if (!registry_dword(value, &out->number))
			continue;
		out->place = place_of(arena, key, value);
		return true;
	}
	return false;
}

bool zones_action(struct arena *arena, const struct registry *registry, enum identity_id identity, enum zone zone,
		  const char *action, struct zone_value *out)
{
	struct zone_value found;
	const struct bases bases = bases_of(registry, identity);
	if (!find_number(arena, registry, &bases, arena_printf(arena, "Zones\\%d", (int)zone), action, &found))
		return false;
	*out = found;
	return true;
}

bool zones_are_hardened(struct arena *arena, const struct registry *registry, enum identity_id identity,
			struct zone_value *out)
{
	struct zone_value found;
	const struct bases bases = bases_of(registry, identity);
	if (!find_number(arena, registry, &bases, "ZoneMap", "IEHarden", &found) || !found.number)
		return false;
	*out = found;
	return true;
}

/* ------------------------------------------------------------------ entries that name a host */

/* The host, its labels, and the best entry found so far. */
struct search {
	struct arena *arena;
	const struct registry *registry;
	const struct url *url;
	const char *labels[LABELS_MAX]; /* where each begins */
	size_t label_count;
	size_t best; /* how specific: EXACT, or the length of the part that is named; 0: nothing yet */
	struct zone_choice *out;
};

/* "www.a.example." has three. A literal address has one: nothing is below it. */
static void split_host(struct search *search)
{
	struct address address;
	size_t length = strlen(search->url->host);
	bool final_dot = length > 1 && search->url->host[length - 1] == '.';
	const char *host = arena_strndup(search->arena, search->url->host, length - final_dot);
	search->labels[search->label_count++] = host;
	if (address_parse(host, &address))
		return;
	for (const char *dot = strchr(host, '.'); dot && search->label_count < LABELS_MAX; dot = strchr(dot + 1, '.'))
		search->labels[search->label_count++] = dot + 1;
}

/* A zone is a DWORD in ZoneMap. That the policy list has it as a text is not documented: there both are taken. */
static bool read_zone(const struct registry_value *value, bool may_be_text, uint32_t *zone)
{
	if (may_be_text && value && value->type == REGISTRY_SZ && value->length == 1) {
		*zone = (uint32_t)(value->data[0] - '0');
		return value->data[0] >= '0' && *zone < ZONE_COUNT;
	}
	return registry_dword(value, zone) && *zone < ZONE_COUNT;
}

static void consider(struct search *search, const char *key, const char *name, bool is_policy, size_t score)
{
	uint32_t zone;
	const struct registry_value *value = score > search->best ? registry_get(search->registry, key, name) : NULL;
	if (!read_zone(value, is_policy, &zone))
		return;
	search->best = score;
	*search->out = (struct zone_choice){(enum zone)zone, true, place_of(search->arena, key, value)};
}

/* The values of a key of ZoneMap: the protocol's own before the one for all. */
static void consider_key(struct search *search, const char *key, size_t score)
{
	if (score <= search->best || !registry_has_key(search->registry, key))
		return;
	consider(search, key, search->url->scheme, false, score);
	consider(search, key, "*", false, score);
}

/* All keys below root that name the host: "a.example" with "www", "*.x" and "*" below it, and so for each way to cut the name in two. */
static void search_domains(struct search *search, const char *root)
{
	struct arena *arena = search->arena;
	const char *host = search->labels[0];
	for (size_t i = 0; i < search->label_count; i++) {
		const char *domain = search->labels[i];
		const char *key = arena_printf(arena, "%s\\%s", root, domain);
		if (!registry_has_key(search->registry, key))
			continue;
		consider_key(search, key, i ? strlen(domain) : EXACT);
		if (!i)
			continue;
		int sub_length = (int)(domain - host - 1);
		consider_key(search, arena_printf(arena, "%s\\%.*s", key, sub_length, host), EXACT);
		consider_key(search, arena_printf(arena, "%s\\*", key), strlen(domain));
		for (size_t k = 1; k < i; k++) {
			int rest_length = (int)(domain - search->labels[k] - 1);
			const char *below = arena_printf(arena, "%s\\*.%.*s", key, rest_length, search->labels[k]);
			consider_key(search, below, strlen(search->labels[k]));
		}
	}
}

/* An entry of the policy list, with its protocol and without. */
static void consider_policy(struct search *search, const char *key, const char *pattern, size_t score)
{
	consider(search, key, arena_printf(search->arena, "%s://%s", search->url->scheme, pattern), true, score);
	consider(search, key, pattern, true, score);
}

static void search_policy(struct search *search, const char *key)
{
	for (size_t i = 0; i < search->label_count; i++) {
		const char *domain = search->labels[i];
		bool is_registered = search->label_count - i == 2; /* "a.example" */
		if (!i || is_registered)
			consider_policy(search, key, domain, i ? strlen(domain) : EXACT);
		if (i || is_registered)
			consider_policy(search, key, arena_printf(search->arena, "*.%s", domain), strlen(domain));
	}
}

/* ------------------------------------------------------------------ ranges of addresses */

/* "10", "10-20" or "*" against one octet; *at is left behind it. */
static bool octet_fits(const char **at, unsigned octet)
{
	char *end = NULL;
	if (**at == '*') {
		++*at;
		return true;
	}
	if (**at < '0' || **at > '9')
		return false;
	unsigned long low = strtoul(*at, &end, 10), high = low;
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		high = strtoul(end + 1, &end, 10);
	*at = end;
	return low <= octet && octet <= high;
}

/* "10.1.2.3", "10.1.2.3-20", "10.1.*.*"; an IPv6 address only as such. */
static bool range_holds(const char *range, const struct address *host)
{
	struct address single;
	if (host->family != 4)
		return address_parse(range, &single) && address_equal(&single, host);
	for (size_t i = 0; i < OCTETS; i++) {
		if (!octet_fits(&range, host->bytes[i]))
			return false;
		if (*range != (i + 1 < OCTETS ? '.' : '\0'))
			return false;
		range++;
	}
	return true;
}

static void search_ranges(struct search *search, const char *root)
{
	struct address host;
	if (!address_parse(search->url->host, &host))
		return;
	for (const char *name = NULL; (name = registry_next_subkey(search->registry, root, name)) != NULL;) {
		const char *key = arena_printf(search->arena, "%s\\%s", root, name);
		const struct registry_value *range = registry_get(search->registry, key, ":Range");
		if (range && range->type == REGISTRY_SZ && range_holds((const char *)range->data, &host))
			consider_key(search, key, EXACT);
	}
}

/* ------------------------------------------------------------------ the zone of a URL */

static bool has_policy_list(struct search *search, const struct bases *bases)
{
	bool any = false;
	for (size_t i = 0; i < bases->count; i++)
		any |= registry_has_key(search->registry,
					arena_printf(search->arena, "%s\\ZoneMapKey", bases->items[i].key));
	return any;
}

static void search_names(struct search *search, const struct bases *bases, bool hardened)
{
	bool policy = has_policy_list(search, bases);
	for (size_t i = 0; policy && i < bases->count; i++)
		search_policy(search, arena_printf(search->arena, "%s\\ZoneMapKey", bases->items[i].key));
	bool by_policy = search->best > 0;
	for (size_t i = 0; !by_policy && i < bases->count; i++) {
		const char *key = bases->items[i].key;
		if (policy && bases->items[i].users_own)
			continue;
		search_domains(search, arena_printf(search->arena, "%s\\ZoneMap\\%s", key,
						    hardened ? "EscDomains" : "Domains"));
		search_ranges(search, arena_printf(search->arena, "%s\\ZoneMap\\Ranges", key));
	}
}

void zones_of_url(struct arena *arena, const struct registry *registry, enum identity_id identity,
		  const struct url *url, struct zone_choice *out)
{
	struct zone_value value;
	const struct bases bases = bases_of(registry, identity);
	struct search search = {.arena = arena, .registry = registry, .url = url, .out = out};
	*out = (struct zone_choice){.zone = ZONE_INTERNET};
	split_host(&search);
	search_names(&search, &bases, zones_are_hardened(arena, registry, identity, &value));
	if (search.best || !find_number(arena, registry, &bases, "ZoneMap\\ProtocolDefaults", url->scheme, &value) ||
	    value.number >= ZONE_COUNT)
		return;
	out->zone = (enum zone)value.number;
	out->place = value.place;
}
