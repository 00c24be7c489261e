#include "probe/cli/check_cmd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "probe/cli/inputs.h"
#include "probe/cli/output.h"
#include "probe/cli/system_part.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/engine/engine.h"
#include "probe/engine/machine_preflight.h"
#include "probe/os/os.h"
#include "probe/settings/mask.h"
#include "probe/settings/settings.h"
#include "targets/targets.h"
#include "targets/vault.h"

enum { EXIT_USAGE = 2, EXIT_TOOL = 4 };

/* What is known of the region: the option, else the vault's file. */
static const char *known_region(const struct report *report, const struct options *options)
{
	if (options->region)
		return options->region;
	return report->run.vault ? report->run.vault->region : NULL;
}

/* "{region}" is one word for all sets of a run: the first set's cloud decides what is assumed without --region. */
static void note_region(struct report *report, const struct options *options, const struct target_set *set)
{
	const char *known = known_region(report, options);
	struct target_options target_options = {.arena = report->arena, .region = known};
	if (!set->uses_region || report->run.region)
		return;
	report->run.region = targets_region(&target_options, set->cloud);
	report->run.region_assumed = !known;
	report->run.region_used = true;
	if (options->region && !targets_region_name(options->region))
		warn(options, "region code \"%s\" is not in the table; it is used as it stands", options->region);
}

static void add_target(struct report *report, const struct target *source)
{
	struct target *target = report_add_target(report);
	const char *id = target->id;
	*target = *source;
	target->id = id;
	bool known = !source->rule;
	for (size_t i = 0; !known && i < report->run.allow_rules.count; i++)
		known = strcmp(report->run.allow_rules.items[i], source->rule) == 0;
	if (!known)
		text_list_add(report->arena, &report->run.allow_rules, source->rule);
}

static bool load_targets(struct report *report, const struct options *options, struct err *err)
{
	const struct vault_file *vault = report->run.vault;
	const char *own = vault ? vault_set_name(vault) : NULL;
	const char *const preset[] = {own ? own : "mars-public"};
	const char *const *names = options->argument_count ? options->arguments : preset;
	size_t count = options->argument_count ? options->argument_count : 1;
	struct target_options target_options = {.arena = report->arena, .region = known_region(report, options)};
	for (size_t i = 0; i < count; i++) {
		struct target_set set = {0};
		if (!targets_load(&target_options, names[i], &set, err))
			return false;
		note_region(report, options, &set);
		if (vault)
			vault_use_endpoints(report->arena, vault, &set);
		for (size_t k = 0; k < set.count; k++)
			add_target(report, set.targets[k]);
	}
	return true;
}

static bool note_roots(struct report *report, const struct options *options, struct err *err)
{
	struct pem pem;
	report->run.service_roots_given = options->service_roots != NULL;
	if (options->service_roots)
		return engine_pem_read(report->arena, options->service_roots, &pem, err) &&
		       engine_pem_fingerprints(report->arena, &pem, &report->run.service_roots, err);
	for (const char *const *root = targets_service_roots(); *root; root++)
		text_list_add(report->arena, &report->run.service_roots, *root);
	return true;
}

/* The arguments as given; a URL loses what may be secret, also one behind "--pac=". */
static void note_arguments(struct report *report, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *shown = strstr(argv[i], "://") ? mask_url(report->arena, argv[i]) : argv[i];
		text_list_add(report->arena, &report->run.arguments, arena_strdup(report->arena, shown));
	}
}

static void note_run(struct report *report, const struct options *options)
{
	unsigned char b[16] = {0};
	char account[256];
	os_random(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 9562 5.4: version 4 */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	report->run.id = arena_printf(
		report->arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
		b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	report->run.private_endpoint = options->private_endpoint;
	report->run.timeout_us = options->timeout_us;
	report->run.experiments = !options->no_experiments;
	report->run.credentials = options->proxy_user != NULL;
	report->route_given = options->plan.routes_given;
	report->tool.name = "marsprobe";
	report->tool.version = MARSPROBE_VERSION;
	engine_describe_libraries(report);
	if (os_account_name(account, sizeof(account)))
		for (size_t i = 0; i < report->identity_count; i++)
			if (report->identities[i].id == IDENTITY_USER)
				report->identities[i].account = arena_strdup(report->arena, account);
}

static void show_progress(const struct engine_progress *progress, void *user)
{
	(void)user;
	fprintf(stderr, "\r%5.1f s  %zu of %zu done, %zu attempts under way \033[K", (double)progress->elapsed_us / 1e6,
		progress->paths_done, progress->paths_total, progress->in_flight);
	fflush(stderr);
}

static bool run_engine(struct report *report, struct plan *plan, const struct options *options,
		       const struct inputs *inputs, const struct system_part *system, struct err *err)
{
	bool live = !options->quiet && os_is_terminal(2);
	struct engine_options engine;
	inputs_engine(report->arena, options, inputs, &engine);
	engine.system_run = system->run;
	engine.system_run_state = system->state;
	engine.system_run_reason = system->reason;
	engine.progress = live ? show_progress : NULL;
	system_part_prepare(system, options, &inputs->settings, report, &engine);
	bool done = engine_run(report, plan, &engine, err);
	if (live)
		fputs("\r\033[K", stderr);
	return done;
}

void check_note_run(struct report *report, const struct options *options, int argc, char **argv)
{
	note_arguments(report, argc, argv);
	note_run(report, options);
}

int check_command(struct arena *arena, const struct options *options, int argc, char **argv)
{
	struct err err;
	struct inputs inputs;
	struct settings settings = {0};
	struct plan plan = {0};
	struct system_part system;
	struct report *report = report_new();
	if (!inputs_load(arena, options, &inputs, &err) || !inputs_vault(report, options, &err) ||
	    !load_targets(report, options, &err) || !note_roots(report, options, &err)) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	inputs_ask(report->arena, options, &inputs);
	inputs_settings(&inputs, &settings);
	system_part_start(arena, options, &settings, &system);
	struct plan_options plan_options = options->plan;
	plan_options.part = system.part;
	plan_options.system_why = system.why;
	plan_make(report, &settings, &plan_options, options->proxy_user != NULL, true, &plan);
	if (!report->path_count) {
		system_part_end(&system);
		complain("nothing is known of SYSTEM here: give its settings with --registry FILE.reg or --agent-proxy "
			 "URL");
		return EXIT_USAGE;
	}
	check_note_run(report, options, argc, argv);
	bool is_live = inputs.machine.registry && machine_preflight_read(inputs.registry);
	bool done = run_engine(report, &plan, options, &inputs, &system, &err);
	system_part_end(&system);
	if (!done) {
		complain("%s", err.text);
		return EXIT_TOOL;
	}
	if (is_live)
		machine_preflight_record(report, inputs.registry, true);
	diagnose(report);
	int status = diagnose_exit_status(report);
	return reports_write(options, report) ? status : EXIT_TOOL;
}
