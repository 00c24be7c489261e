#include "probe/cli/preflight_cmd.h"

#include <string.h>

#include "probe/cli/inputs.h"
#include "probe/cli/output.h"
#include "probe/cli/run_notes.h"
#include "probe/core/arena.h"
#include "probe/core/evidence_json.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/engine/engine.h"
#include "probe/engine/machine_preflight.h"
#include "probe/os/os.h"
#include "probe/settings/registry.h"

enum { EXIT_USAGE = 2, EXIT_TOOL = 4 };

/* The exports given, else this machine's registry with more of it than `check` reads, else NULL. */
static bool load(struct arena *arena, const struct options *options, const struct registry **out, struct err *err)
{
	struct inputs inputs;
	*out = NULL;
	if (options->argument_count)
		return err_set(err, "preflight takes no arguments, only options: --registry, --vault-credentials, "
				    "--report, --json");
	if (options->registry_count) {
		if (!inputs_load(arena, options, &inputs, err))
			return false;
		*out = inputs.registry;
		return true;
	}
	struct registry *live = registry_new(arena);
	*out = machine_preflight_read(live) ? live : NULL;
	return true;
}

int preflight_command(struct arena *arena, const struct options *options, int argc, char **argv)
{
	struct err err;
	struct strbuf json;
	const struct registry *registry;
	struct report *report = report_new();
	if (!load(arena, options, &registry, &err) || !inputs_vault(report, options, &err)) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	note_arguments(report, argc, argv);
	note_run(report, options);
	engine_describe_host(report);
	report->run.started_at_ms = report->run.ended_at_ms = os_wall_us() / 1000;
	machine_preflight_record(report, registry, !options->registry_count);
	diagnose(report);
	if (!options->json)
		return reports_write(options, report) ? 0 : EXIT_TOOL;
	strbuf_init(&json);
	report_to_json(report, &json);
	bool printed = print_all(&json);
	strbuf_free(&json);
	return printed ? 0 : EXIT_TOOL;
}
