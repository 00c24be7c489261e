#include "probe/cli/check_cmd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "probe/cli/inputs.h"
#include "probe/cli/output.h"
#include "probe/cli/run_notes.h"
#include "probe/cli/system_part.h"
#include "probe/cli/tags_part.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/engine/engine.h"
#include "probe/engine/machine_preflight.h"
#include "probe/os/os.h"
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

int check_command(struct arena *arena, const struct options *options, int argc, char **argv)
{
	struct err err;
	struct inputs inputs;
	struct settings settings = {0};
	struct plan plan = {0};
	struct system_part system;
	struct service_tags tags = {0};
	struct report *report = report_new();
	if (!inputs_load(arena, options, &inputs, &err) || !inputs_vault(report, options, &err) ||
	    !load_targets(report, options, &err) || !note_roots(report, options, &err) ||
	    !tags_load(arena, options, &tags, &err)) {
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
	note_arguments(report, argc, argv);
	note_run(report, options);
	bool is_live = inputs.machine.registry && machine_preflight_read(inputs.registry);
	bool done = run_engine(report, &plan, options, &inputs, &system, &err);
	system_part_end(&system);
	if (!done) {
		complain("%s", err.text);
		return EXIT_TOOL;
	}
	tags_place(report, options, &tags);
	if (is_live)
		machine_preflight_record(report, inputs.registry, true);
	diagnose(report);
	int status = diagnose_exit_status(report);
	return reports_write(options, report) ? status : EXIT_TOOL;
}
