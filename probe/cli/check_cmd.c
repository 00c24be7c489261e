#include "probe/cli/check_cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/cli/output.h"
#include "probe/cli/system_part.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/engine/engine.h"
#include "probe/engine/machine.h"
#include "probe/os/os.h"
#include "probe/os/os_machine.h"
#include "probe/settings/registry.h"
#include "probe/settings/settings.h"
#include "targets/targets.h"

enum { EXIT_USAGE = 2, EXIT_TOOL = 4, REGISTRY_MAX_BYTES = 16 * 1024 * 1024 };

/* The exports given, else the machine's own registry, else NULL. */
static bool load_registry(struct arena *arena, const struct options *options, struct registry **out, struct err *err)
{
	char reason[256];
	*out = registry_new(arena);
	if (!options->registry_count) {
		*out = machine_registry_read(*out) ? *out : NULL;
		return true;
	}
	for (size_t i = 0; i < options->registry_count; i++) {
		size_t length;
		const char *file = options->registry[i];
		char *bytes = os_read_file(file, REGISTRY_MAX_BYTES, &length, reason, sizeof(reason));
		if (!bytes)
			return err_set(err, "%s: %s", file, reason);
		bool merged = registry_merge(*out, file, bytes, length, err);
		free(bytes);
		if (!merged)
			return false;
	}
	const char *const *problems = registry_problems(*out);
	if (!problems[0])
		return true;
	/* Windows would drop such lines without a word. What they meant is unknown, and so would be every answer. */
	for (; problems[1]; problems++)
		complain("%s", problems[0]);
	return err_set(err, "%s; export the key again", problems[0]);
}

/* "{region}" is one word for all sets of a run: the first set's cloud decides what is assumed without --region. */
static void note_region(struct report *report, const struct options *options, const struct target_set *set)
{
	struct target_options target_options = {.arena = report->arena, .region = options->region};
	if (!set->uses_region || report->run.region)
		return;
	report->run.region = targets_region(&target_options, set->cloud);
	report->run.region_assumed = !options->region;
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
	static const char *const preset[] = {"mars-public"};
	const char *const *names = options->argument_count ? options->arguments : preset;
	size_t count = options->argument_count ? options->argument_count : 1;
	struct target_options target_options = {.arena = report->arena, .region = options->region};
	for (size_t i = 0; i < count; i++) {
		struct target_set set = {0};
		if (!targets_load(&target_options, names[i], &set, err))
			return false;
		note_region(report, options, &set);
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

/* Whether they can be used is seen before anything else is begun. */
static bool load_anchors(struct arena *arena, const struct options *options, struct pem *out, struct err *err)
{
	struct text_list prints = {0};
	return !options->ca_file || (engine_pem_read(arena, options->ca_file, out, err) &&
				     engine_pem_fingerprints(arena, out, &prints, err));
}

/* The arguments as given; a URL loses what may be secret. */
static void note_arguments(struct report *report, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *shown = strstr(argv[i], "://") && !strchr(argv[i], '=')
					    ? url_for_report(report->arena, argv[i])
					    : argv[i];
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

/* What the check goes by, beside the options. */
struct inputs {
	struct settings_input settings;
	struct machine machine;
	struct pem ca;
};

/* An option, or an export of another machine, says it; else the agent of this machine is asked. */
static void ask_agent(const struct options *options, struct settings_input *input)
{
	input->agent_proxy = options->agent_proxy;
	if (!options->agent_proxy && !options->registry_count && options->plan.system &&
	    machine_agent_proxy(input->arena, &input->agent_proxy))
		input->agent_source = MACHINE_AGENT_SOURCE;
}

static void gather_inputs(struct arena *arena, const struct options *options, const struct registry *registry,
			  struct inputs *out)
{
	*out = (struct inputs){
		.ca = out->ca,
		.settings = {.arena = arena,
			     .registry = registry,
			     .environment = os_environment(),
			     .environment_ignores_case = os_environment_ignores_case()},
		.machine = {.registry = options->registry_count ? NULL : registry,
			    .identity = IDENTITY_USER,
			    .settings = registry},
	};
	ask_agent(options, &out->settings);
}

static bool run_engine(struct report *report, struct plan *plan, const struct options *options,
		       const struct inputs *inputs, const struct system_part *system, struct err *err)
{
	bool live = !options->quiet && os_is_terminal(2);
	const char **resolvers = arena_alloc(report->arena, (options->resolvers.count + 1) * sizeof(*resolvers));
	for (size_t i = 0; i < options->resolvers.count; i++)
		resolvers[i] = options->resolvers.items[i];
	struct engine_options engine = {
		.timeout_us = options->timeout_us,
		.deadline_us = options->deadline_us,
		.parallel = options->parallel,
		.experiments = !options->no_experiments,
		.resolvers = options->resolvers.count ? resolvers : NULL,
		.control_resolver = options->control_resolver,
		.ca = options->ca_file ? &inputs->ca : NULL,
		.proxy_user = options->proxy_user,
		.proxy_password = options->proxy_password,
		.machine = &inputs->machine,
		.system_run = system->run,
		.system_run_state = system->state,
		.system_run_reason = system->reason,
		.progress = live ? show_progress : NULL,
	};
	system_part_prepare(system, options, &inputs->settings, report, &engine);
	bool done = engine_run(report, plan, &engine, err);
	if (live)
		fputs("\r\033[K", stderr);
	return done;
}

int check_command(struct arena *arena, const struct options *options, int argc, char **argv)
{
	struct err err;
	struct registry *registry;
	struct inputs inputs = {0};
	struct settings settings = {0};
	struct plan plan = {0};
	struct system_part system;
	struct report *report = report_new();
	if (!load_registry(arena, options, &registry, &err) || !load_targets(report, options, &err) ||
	    !note_roots(report, options, &err) || !load_anchors(report->arena, options, &inputs.ca, &err)) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	gather_inputs(report->arena, options, registry, &inputs);
	settings_read(&inputs.settings, &settings);
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
	bool done = run_engine(report, &plan, options, &inputs, &system, &err);
	system_part_end(&system);
	if (!done) {
		complain("%s", err.text);
		return EXIT_TOOL;
	}
	diagnose(report);
	int status = diagnose_exit_status(report);
	return reports_write(options, report) ? status : EXIT_TOOL;
}
