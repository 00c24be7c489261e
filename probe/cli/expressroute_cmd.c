#include "probe/cli/expressroute_cmd.h"

#include <stdlib.h>
#include <string.h>

#include "probe/cli/output.h"
#include "probe/cli/run_notes.h"
#include "probe/cli/tags_part.h"
#include "probe/cli/text_file.h"
#include "probe/core/arena.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/engine/circuit_walk.h"
#include "probe/engine/engine.h"
#include "probe/os/os.h"
#include "probe/routes/coverage_make.h"
#include "probe/routes/machine_routes.h"
#include "targets/targets.h"

enum { EXIT_USAGE = 2, EXIT_TOOL = 4, TABLES_MAX = 2 * ROUTE_FILES_MAX + 1 };

/** What the files hold. */
struct route_inputs {
	struct route_table tables[TABLES_MAX];
	size_t table_count;
	struct inventory inventory;
	struct service_tags tags;
};

/* ------------------------------------------------------------------ files */

static bool read_tables(struct arena *arena, enum table_kind kind, const struct text_list *files,
			struct route_inputs *out, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		size_t length;
		char *text = text_file_read(files->items[i], ROUTE_FILE_BYTES_MAX, &length, err);
		if (!text)
			return false;
		bool read = route_table_read(arena, kind, files->items[i], text, length, &out->tables[out->table_count],
					     err);
		out->table_count += read;
		free(text);
		if (!read)
			return false;
	}
	return true;
}

static bool read_inventory(struct arena *arena, const struct options *options, struct route_inputs *out,
			   struct err *err)
{
	size_t length;
	if (!options->communities)
		return true;
	char *text = text_file_read(options->communities, ROUTE_FILE_BYTES_MAX, &length, err);
	if (!text)
		return false;
	bool read = inventory_read(arena, options->communities, text, length, &out->inventory, err);
	free(text);
	return read;
}

static bool read_inputs(struct arena *arena, const struct options *options, struct route_inputs *out, struct err *err)
{
	if (options->argument_count)
		return err_set(err, "expressroute takes options only; `marsprobe --help` lists them");
	if (options->region && !targets_region_valid(options->region))
		return err_set(err, "--region: a region's code is 2 to 10 letters and digits, like eus or jpe");
	if (!read_tables(arena, TABLE_CIRCUIT, &options->route_tables, out, err) ||
	    !read_tables(arena, TABLE_ROUTER, &options->bgp_tables, out, err) ||
	    !read_inventory(arena, options, out, err) || !tags_load(arena, options, &out->tags, err))
		return false;
	out->table_count += machine_routes(arena, &out->tables[out->table_count]);
	return true;
}

/* ------------------------------------------------------------------ what is needed */

static void add_tag(struct arena *arena, const struct service_tags *tags, const char *region, const char *service,
		    const char *name, struct service_prefixes *out, size_t *count)
{
	const struct service_tag *tag = service_tags_named(tags, name);
	tag = tag ? service_tags_of_region(tags, tag, region) : NULL;
	if (!tag || !tag->prefix_count)
		return;
	struct service_prefixes *one = &out[(*count)++];
	one->service = service;
	one->source = arena_printf(arena, "service tag %s", tag->name);
	one->prefixes.items = arena_alloc(arena, (tag->prefix_count + 1) * sizeof(*one->prefixes.items));
	one->prefixes.capacity = tag->prefix_count + 1;
	one->prefixes.count = service_tags_prefixes(tags, tag, one->prefixes.items);
}

/** The region's parts of the two tags; Entra's own is not asked: no circuit carries all of it. */
static size_t needed_tags(struct arena *arena, const struct service_tags *tags, const char *region,
			  struct service_prefixes out[2])
{
	size_t count = 0;
	if (!tags->file)
		return 0;
	add_tag(arena, tags, region, "backup", "AzureBackup", out, &count);
	add_tag(arena, tags, region, "storage", "Storage", out, &count);
	return count;
}

/* ------------------------------------------------------------------ whom to walk to */

static const struct {
	const char *id; /* in the target set */
	const char *service;
	bool by_circuit;
	const char *why;
} walked[] = {
	{"login", "entra", true, NULL},
	{"login-windows", "entra", true, NULL},
	{"backup-identity", "backup", true, NULL},
	{"backup-management", "backup", true, NULL},
	{"blob-1", "storage", true, NULL},
	{"ncsi-connecttest", "ncsi", false,
	 "Windows' test of its connection is served by a content network, whose addresses no circuit carries"},
	{"crl-digicert3", "pki", false,
	 "revocation lists are served by the certificate authority and by content networks, whose addresses no circuit "
	 "carries"},
};

static const struct target *target_named(const struct target_set *set, const char *id)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->targets[i]->id, id) == 0)
			return set->targets[i];
	return NULL;
}

static bool add_hosts(struct report *report, const struct options *options, struct err *err)
{
	struct coverage *coverage = report->coverage;
	struct target_options target_options = {.arena = report->arena, .region = options->region};
	struct target_set set = {0};
	const char *cloud = region_cloud(coverage->region);
	if (!options->circuit_hops.count && !options->circuit_interface)
		return true;
	if (strcmp(cloud, "other") == 0)
		return true;
	if (!targets_load(&target_options, arena_printf(report->arena, "mars-%s", cloud), &set, err))
		return false;
	for (size_t i = 0; i < sizeof(walked) / sizeof(*walked); i++) {
		const struct target *target = target_named(&set, walked[i].id);
		if (!target || !target->host)
			continue;
		coverage->hosts = arena_grow(report->arena, coverage->hosts, &coverage->host_capacity,
					     coverage->host_count, sizeof(*coverage->hosts));
		coverage->hosts[coverage->host_count++] = (struct coverage_host){.host = target->host,
										 .port = target->port,
										 .service = walked[i].service,
										 .by_circuit = walked[i].by_circuit,
										 .why = walked[i].why};
	}
	return true;
}

static const char *const *resolvers_of(struct arena *arena, const struct options *options)
{
	const char **list = arena_alloc(arena, (options->resolvers.count + 1) * sizeof(*list));
	for (size_t i = 0; i < options->resolvers.count; i++)
		list[i] = options->resolvers.items[i];
	return options->resolvers.count ? list : NULL;
}

/* ------------------------------------------------------------------ the whole */

static void make(struct report *report, const struct options *options, const struct route_inputs *inputs)
{
	struct target_options target_options = {.arena = report->arena, .region = options->region};
	struct service_prefixes tags[2] = {{0}};
	report->run.region = targets_region(&target_options, NULL);
	report->run.region_assumed = !options->region;
	report->run.region_used = true;
	report->run.started_at_ms = report->run.ended_at_ms = os_wall_us() / 1000;
	struct coverage_input input = {.region = report->run.region,
				       .circuit_hops = options->circuit_hops,
				       .circuit_interface = options->circuit_interface,
				       .tables = inputs->tables,
				       .table_count = inputs->table_count,
				       .inventory = inputs->inventory.count ? &inputs->inventory : NULL,
				       .tags = tags,
				       .tag_count =
					       needed_tags(report->arena, &inputs->tags, report->run.region, tags)};
	report->coverage = arena_alloc(report->arena, sizeof(*report->coverage));
	coverage_make(report->arena, &input, report->coverage);
}

int expressroute_command(struct arena *arena, const struct options *options, int argc, char **argv)
{
	struct err err;
	struct report *report = report_new();
	struct route_inputs *inputs = arena_alloc(arena, sizeof(*inputs));
	if (!read_inputs(report->arena, options, inputs, &err)) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	note_arguments(report, argc, argv);
	note_run(report, options);
	engine_describe_host(report);
	make(report, options, inputs);
	if (options->region && !report->coverage->region_name)
		warn(options, "region code \"%s\" is not in the table: its communities are not known", options->region);
	struct circuit_walk_options walk = {.timeout_us = options->timeout_us,
					    .resolvers = resolvers_of(report->arena, options)};
	if (!add_hosts(report, options, &err) ||
	    (report->coverage->host_count && !circuit_walk_run(report, &walk, &err))) {
		complain("%s", err.text);
		return EXIT_TOOL;
	}
	diagnose(report);
	int status = diagnose_exit_status(report);
	return reports_write(options, report) ? status : EXIT_TOOL;
}
