#include "probe/engine/machine.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/legs.h"
#include "probe/os/os_machine.h"
#include "probe/os/os_stack.h"
#include "probe/settings/nrpt.h"
#include "probe/settings/proxy_view.h"
#include "probe/settings/registry.h"

enum { ROUTES_MAX = 32, MISSING_MAX = 16 };

static void add_value(struct run *run, struct local_fact *fact, const char *text)
{
	text_list_add(run->report->arena, &fact->values, arena_strdup(run->report->arena, text));
}

/* ------------------------------------------------------------------ TLS (requirements.md 7) */

#define SCHANNEL                                                                                               \
	"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS " \
	"1.2\\Client"
#define DOTNET(version) "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\.NETFramework\\" version
#define DOTNET_WOW(version) "HKEY_LOCAL_MACHINE\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\" version
#define WINHTTP "Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp"

/* What a number means for TLS 1.2. DefaultSecureProtocols is a set of bits, TLS 1.2 is 0x800. */
enum meaning { NONZERO_IS_ON, NONZERO_IS_OFF, BIT_0X800_IS_ON };

static const struct {
	const char *subject, *key, *name;
	enum meaning meaning;
} tls_settings[] = {
	{"schannel/TLS 1.2/Client/Enabled", SCHANNEL, "Enabled", NONZERO_IS_ON},
	{"schannel/TLS 1.2/Client/DisabledByDefault", SCHANNEL, "DisabledByDefault", NONZERO_IS_OFF},
	{"winhttp/DefaultSecureProtocols", "HKEY_LOCAL_MACHINE\\SOFTWARE\\" WINHTTP, "DefaultSecureProtocols",
	 BIT_0X800_IS_ON},
	{"winhttp32/DefaultSecureProtocols", "HKEY_LOCAL_MACHINE\\SOFTWARE\\WOW6432Node\\" WINHTTP,
	 "DefaultSecureProtocols", BIT_0X800_IS_ON},
	{"dotnet/v4.0.30319/SystemDefaultTlsVersions", DOTNET("v4.0.30319"), "SystemDefaultTlsVersions", NONZERO_IS_ON},
	{"dotnet/v4.0.30319/SchUseStrongCrypto", DOTNET("v4.0.30319"), "SchUseStrongCrypto", NONZERO_IS_ON},
	{"dotnet32/v4.0.30319/SystemDefaultTlsVersions", DOTNET_WOW("v4.0.30319"), "SystemDefaultTlsVersions",
	 NONZERO_IS_ON},
	{"dotnet32/v4.0.30319/SchUseStrongCrypto", DOTNET_WOW("v4.0.30319"), "SchUseStrongCrypto", NONZERO_IS_ON},
	{"dotnet/v2.0.50727/SystemDefaultTlsVersions", DOTNET("v2.0.50727"), "SystemDefaultTlsVersions", NONZERO_IS_ON},
	{"dotnet/v2.0.50727/SchUseStrongCrypto", DOTNET("v2.0.50727"), "SchUseStrongCrypto", NONZERO_IS_ON},
	{"dotnet32/v2.0.50727/SystemDefaultTlsVersions", DOTNET_WOW("v2.0.50727"), "SystemDefaultTlsVersions",
	 NONZERO_IS_ON},
	{"dotnet32/v2.0.50727/SchUseStrongCrypto", DOTNET_WOW("v2.0.50727"), "SchUseStrongCrypto", NONZERO_IS_ON},
};

static bool is_on(enum meaning meaning, uint32_t number)
{
	switch (meaning) {
	case NONZERO_IS_ON:
		return number != 0;
	case NONZERO_IS_OFF:
		return number == 0;
	case BIT_0X800_IS_ON:
		return (number & 0x800) != 0;
	}
	return false;
}

static void record_tls(struct run *run, const struct registry *registry)
{
	uint32_t number;
	for (size_t i = 0; i < sizeof(tls_settings) / sizeof(tls_settings[0]); i++) {
		if (!registry_dword(registry_get(registry, tls_settings[i].key, tls_settings[i].name), &number))
			continue;
		struct local_fact *fact = local_fact_add(run, "tls_setting", tls_settings[i].subject,
							 is_on(tls_settings[i].meaning, number) ? "on" : "off");
		add_value(run, fact, arena_printf(run->report->arena, "%u", number));
	}
}

/* ------------------------------------------------------------------ names, proxies */

static void record_nrpt(struct run *run, const struct registry *registry)
{
	struct arena *arena = run->report->arena;
	for (size_t i = 0; i < run->name_count; i++) {
		struct nrpt_rule rule;
		const struct lookup *lookup = run->names[i]->lookup;
		if (!nrpt_find(arena, registry, lookup->name, &rule))
			continue;
		struct local_fact *fact = local_fact_add(run, "nrpt_rule", rule.name_space, "present");
		fact->values = rule.servers;
		struct observation *observation = run->report->observations.items[run->report->observations.count - 1];
		for (size_t k = 0; k < lookup->paths.count; k++)
			path_list_add(arena, &observation->paths, lookup->paths.items[k]);
	}
}

static const struct proxy_setting *wininet_of(const struct report *report, enum identity_id identity)
{
	for (size_t i = 0; i < report->identity_count; i++)
		if (report->identities[i].id == identity)
			return report->identities[i].wininet;
	return NULL;
}

/* The interface answers for the account of this process, and so does HKEY_CURRENT_USER; where that is LocalSystem, HKEY_USERS\S-1-5-18 is the
 * same key. Under Wine a service runs by a user's account: then there is nothing to compare, nor where
 * --pac stands in for the settings. */
static void record_proxy_view(struct run *run, enum identity_id identity)
{
	struct arena *arena = run->report->arena;
	struct os_proxy_view view;
	const struct proxy_setting *setting = wininet_of(run->report, identity);
	bool is_own = identity == IDENTITY_USER || os_is_local_system();
	if (!setting || !is_own || run->options->pac || !os_proxy_view(&view))
		return;
	const struct proxy_view said = {view.auto_detect, view.pac_url, view.proxy, view.bypass};
	struct local_fact *fact = local_fact_add(run, "proxy_view", identity_text(identity),
						 proxy_view_agrees(arena, &said, setting) ? "agrees" : "differs");
	add_value(run, fact, proxy_view_text(arena, &said));
	add_value(run, fact, proxy_view_of_setting(arena, setting));
}

/* ------------------------------------------------------------------ the rest */

static void record_time_zone(struct run *run)
{
	char name[128], offset[16];
	int minutes;
	if (!os_time_zone(name, sizeof(name), &minutes))
		return;
	snprintf(offset, sizeof(offset), "%d", minutes);
	add_value(run, local_fact_add(run, "time_zone", name, "present"), offset);
}

static void record_missing(struct run *run)
{
	const char *names[MISSING_MAX];
	size_t count = os_missing_apis(names, MISSING_MAX);
	for (size_t i = 0; i < count; i++)
		local_fact_add(run, "missing_api", names[i], "absent");
}

void machine_facts_record(struct run *run)
{
	const struct machine *machine = run->options->machine;
	record_time_zone(run);
	record_missing(run);
	/* SYSTEM's own process need not say it again */
	if (machine && machine->settings && machine->identity == IDENTITY_USER)
		machine_zones_record(run, machine->settings);
	if (!machine || !machine->registry)
		return;
	record_tls(run, machine->registry);
	record_nrpt(run, machine->registry);
	record_proxy_view(run, machine->identity);
}

/* ------------------------------------------------------------------ routes */

static void record_route(struct run *run, const char *address)
{
	struct os_route route;
	if (!os_best_route(address, &route))
		return;
	struct local_fact *fact = local_fact_add(run, "best_route", address, route.found ? "present" : "absent");
	if (!route.found)
		return;
	add_value(run, fact, route.device);
	add_value(run, fact, route.next_hop);
	add_value(run, fact, route.source);
}

void machine_routes_record(struct run *run)
{
	const struct report *report = run->report;
	struct text_list done = {0};
	for (size_t i = 0; i < report->path_count; i++) {
		const struct path *path = report->paths[i];
		for (size_t k = 0; k < path->attempt_count && done.count < ROUTES_MAX; k++) {
			const char *address = path->attempts[k]->address;
			bool known = false;
			for (size_t j = 0; j < done.count; j++)
				known |= strcmp(done.items[j], address) == 0;
			if (known)
				continue;
			text_list_add(report->arena, &done, address);
			record_route(run, address);
		}
	}
}
