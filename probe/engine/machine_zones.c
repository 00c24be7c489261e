/* What the registry says that the vendor's article asks for beside a proxy: security zones of SYSTEM, and Windows' own connectivity probe. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/legs.h"
#include "probe/engine/machine.h"
#include "probe/settings/registry.h"
#include "probe/settings/zones.h"

struct zones {
	struct run *run;
	const struct registry *registry;
	bool hardened;
	bool seen[ZONE_COUNT]; /* zones that some target falls into */
};

static void add_value(struct run *run, struct local_fact *fact, const char *text)
{
	text_list_add(run->report->arena, &fact->values, text ? text : "");
}

static const char *number_text(struct run *run, uint32_t number)
{
	return arena_printf(run->report->arena, "%u", number);
}

/* ------------------------------------------------------------------ zones (wininet.md 5.1) */

static void record_host(struct zones *zones, const struct url *url)
{
	struct run *run = zones->run;
	struct zone_choice choice;
	zones_of_url(run->report->arena, zones->registry, IDENTITY_SYSTEM, url, &choice);
	zones->seen[choice.zone] = true;
	if (!choice.by_name && !zones->hardened)
		return;
	const char *subject = arena_printf(run->report->arena, "%s://%s", url->scheme, url->host);
	struct local_fact *fact = local_fact_add(run, "zone_of_host", subject, choice.by_name ? "named" : "default");
	add_value(run, fact, number_text(run, choice.zone));
	add_value(run, fact, choice.place);
}

/* Was an earlier target of that scheme and host? */
static bool is_repeated(const struct report *report, size_t index, const struct url *url)
{
	for (size_t i = 0; i < index; i++) {
		struct url other;
		const struct target *target = report->targets[i];
		if (target->required && target->url && url_parse(report->arena, target->url, &other) &&
		    strcmp(other.scheme, url->scheme) == 0 && strcmp(other.host, url->host) == 0)
			return true;
	}
	return false;
}

static void record_hosts(struct zones *zones)
{
	const struct report *report = zones->run->report;
	for (size_t i = 0; i < report->target_count; i++) {
		struct url url;
		const struct target *target = report->targets[i];
		if (target->required && target->url && url_parse(report->arena, target->url, &url) &&
		    !is_repeated(report, i, &url))
			record_host(zones, &url);
	}
}

static void record_download(struct zones *zones, enum zone zone)
{
	struct zone_value value;
	struct run *run = zones->run;
	if (!zones_action(run->report->arena, zones->registry, IDENTITY_SYSTEM, zone, ZONE_FILE_DOWNLOAD, &value) ||
	    (value.number != ZONE_ACTION_ALLOW && value.number != ZONE_ACTION_FORBID))
		return;
	struct local_fact *fact = local_fact_add(run, "zone_download", identity_text(IDENTITY_SYSTEM),
						 value.number == ZONE_ACTION_FORBID ? "forbidden" : "allowed");
	add_value(run, fact, number_text(run, zone));
	add_value(run, fact, number_text(run, value.number));
	add_value(run, fact, value.place);
}

static void record_zones(struct run *run, const struct registry *registry)
{
	struct zone_value hardened;
	struct zones zones = {.run = run, .registry = registry};
	zones.hardened = zones_are_hardened(run->report->arena, registry, IDENTITY_SYSTEM, &hardened);
	if (zones.hardened)
		add_value(run, local_fact_add(run, "enhanced_security", identity_text(IDENTITY_SYSTEM), "on"),
			  hardened.place);
	record_hosts(&zones);
	zones.seen[ZONE_INTERNET] = true; /* the one that the vendor's article names */
	for (int zone = ZONE_COMPUTER; zone <= ZONE_RESTRICTED; zone++)
		if (zones.seen[zone])
			record_download(&zones, (enum zone)zone);
}

/* ------------------------------------------------------------------ the connectivity probe (requirements.md 3) */

static const struct {
	const char *key, *name;
	bool zero_is_off;
} switches[] = {
	{"HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\NetworkConnectivityStatusIndicator",
	 "NoActiveProbe", false},
	{"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\NlaSvc\\Parameters\\Internet", "EnableActiveProbing",
	 true},
};

static void record_probe(struct run *run, const struct registry *registry)
{
	uint32_t number;
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		const struct registry_value *value = registry_get(registry, switches[i].key, switches[i].name);
		if (!registry_dword(value, &number) || (number == 0) != switches[i].zero_is_off)
			continue;
		add_value(run, local_fact_add(run, "ncsi_probe", NULL, "off"),
			  arena_printf(run->report->arena, "%s\\%s (%s)", switches[i].key, value->name, value->where));
	}
}

/* ------------------------------------------------------------------ the agent, where it is installed */

static void record_agent(struct run *run, const struct registry *registry)
{
	const struct registry_value *value = registry_get(registry, MACHINE_AGENT_KEY, "DisplayVersion");
	if (!value || value->type != REGISTRY_SZ)
		return;
	struct local_fact *fact = local_fact_add(run, "agent_version", NULL, "present");
	add_value(run, fact, arena_strndup(run->report->arena, (const char *)value->data, value->length));
	add_value(run, fact, arena_printf(run->report->arena, "%s (%s)", MACHINE_AGENT_KEY, value->where));
}

void machine_zones_record(struct run *run, const struct registry *settings)
{
	const struct report *report = run->report;
	bool has_system = false;
	for (size_t i = 0; i < report->identity_count; i++)
		has_system |= report->identities[i].id == IDENTITY_SYSTEM;
	if (has_system && zones_are_known(settings, IDENTITY_SYSTEM))
		record_zones(run, settings);
	record_probe(run, settings);
	record_agent(run, settings);
}
