#include "probe/engine/legs.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/text.h"
#include "probe/os/os.h"

enum { HOSTS_FILE_MAX_BYTES = 4 * 1024 * 1024 };

struct local_fact *local_fact_add(struct run *run, const char *fact, const char *subject, const char *state)
{
	struct observation *observation = report_add_observation(run->report, OP_LOCAL_FACT);
	observation->start_us = os_monotonic_us() - run->started_us;
	observation->duration_us = 0;
	observation->fact.fact = fact;
	observation->fact.subject = arena_strdup(run->report->arena, subject);
	observation->fact.state = state;
	return &observation->fact;
}

static void record_interfaces(struct run *run)
{
	struct arena *arena = run->report->arena;
	struct os_interface *list = xcalloc(OS_INTERFACES_MAX, sizeof(*list));
	size_t count = os_interfaces(list);
	for (size_t i = 0; i < count; i++) {
		if (list[i].loopback)
			continue;
		struct local_fact *fact = local_fact_add(run, "interface", list[i].name, list[i].up ? "up" : "down");
		for (size_t k = 0; k < list[i].address_count; k++) {
			const char *address = arena_strdup(arena, list[i].addresses[k]);
			text_list_add(arena, &fact->values, address);
			if (list[i].up)
				text_list_add(arena, &run->report->host.addresses, address);
		}
	}
	free(list);
}

static void record_default_routes(struct run *run)
{
	static const struct {
		int family;
		const char *name;
	} families[] = {{4, "ipv4"}, {6, "ipv6"}};
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		char gateway[ADDRESS_TEXT_BYTES] = "";
		int present = os_default_route(families[i].family, gateway);
		if (present < 0)
			continue;
		struct local_fact *fact =
			local_fact_add(run, "default_route", families[i].name, present ? "present" : "absent");
		if (present && gateway[0])
			text_list_add(run->report->arena, &fact->values, arena_strdup(run->report->arena, gateway));
	}
}

static void record_resolvers(struct run *run)
{
	struct local_fact *fact =
		local_fact_add(run, "resolvers", NULL, run->resolver.servers.count ? "present" : "absent");
	for (size_t i = 0; i < run->resolver.servers.count; i++) {
		text_list_add(run->report->arena, &fact->values, run->resolver.servers.items[i]);
		text_list_add(run->report->arena, &run->report->host.resolvers, run->resolver.servers.items[i]);
	}
}

static void add_hosts_entry(struct run *run, struct local_fact **facts, const char *address, const char *name)
{
	struct arena *arena = run->report->arena;
	for (size_t i = 0; i < run->name_count; i++) {
		const struct lookup *lookup = run->names[i]->lookup;
		if (strcasecmp(lookup->name, name) != 0)
			continue;
		if (!facts[i]) {
			facts[i] = local_fact_add(run, "hosts_file", lookup->name, "present");
			struct observation *observation =
				run->report->observations.items[run->report->observations.count - 1];
			for (size_t k = 0; k < lookup->paths.count; k++)
				path_list_add(arena, &observation->paths, lookup->paths.items[k]);
		}
		text_list_add(arena, &facts[i]->values, arena_strdup(arena, address));
	}
}

/* hosts(5): an address, then names, blanks between; '#' starts a comment. */
static void record_hosts_file(struct run *run)
{
	char reason[128];
	size_t length;
	const char *path = os_hosts_path();
	char *text = path ? os_read_file(path, HOSTS_FILE_MAX_BYTES, &length, reason, sizeof(reason)) : NULL;
	if (!text)
		return;
	struct local_fact **facts = xcalloc(run->name_count, sizeof(struct local_fact *));
	char *rest = text;
	for (char *line; (line = text_next_word(&rest, "\r\n")) != NULL;) {
		struct address parsed;
		line[strcspn(line, "#")] = '\0';
		char *next = line;
		const char *address = text_next_word(&next, " \t");
		if (!address || !address_parse(address, &parsed))
			continue;
		for (const char *name; (name = text_next_word(&next, " \t")) != NULL;)
			add_hosts_entry(run, facts, address, name);
	}
	free(facts);
	free(text);
}

static void record_system_run(struct run *run)
{
	const struct engine_options *options = run->options;
	if (!options->system_run_state)
		return;
	struct local_fact *fact =
		local_fact_add(run, "system_run", identity_text(IDENTITY_SYSTEM), options->system_run_state);
	if (options->system_run_reason)
		text_list_add(run->report->arena, &fact->values, options->system_run_reason);
}

void engine_describe_host(struct report *report)
{
	char text[256];
	if (os_host_name(text, sizeof(text)))
		report->host.name = arena_strdup(report->arena, text);
	os_description(text, sizeof(text));
	report->host.os = arena_strdup(report->arena, text);
}

void local_facts_record(struct run *run)
{
	record_interfaces(run);
	record_default_routes(run);
	record_resolvers(run);
	record_hosts_file(run);
	record_system_run(run);
	engine_describe_host(run->report);
}
