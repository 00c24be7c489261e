#include "probe/cli/system_part.h"

#include "probe/cli/output.h"
#include "probe/core/arena.h"
#include "probe/engine/machine.h"
#include "probe/engine/system_run.h"
#include "probe/os/os.h"
#include "probe/os/os_machine.h"
#include "probe/settings/registry.h"
#include "probe/settings/settings.h"

/* ------------------------------------------------------------------ the process that was started by a person */

static void refuse(struct arena *arena, struct system_part *out, const char *state, const char *reason, const char *why)
{
	out->state = state;
	out->reason = arena_strdup(arena, reason);
	out->why = arena_printf(
		arena,
		"SYSTEM's settings were applied by a process of another account: its own sign-in, trust store and "
		"environment were not tried. %s",
		why);
}

void system_part_start(struct arena *arena, const struct options *options, const struct settings *settings,
		       struct system_part *out)
{
	char reason[512] = "";
	*out = (struct system_part){.part = PLAN_ALL};
	if (!options->plan.system || (options->registry_count && !settings->system_known))
		return;
	switch (os_system_run_right()) {
	case OS_SYSTEM_NO_SUCH_ACCOUNT:
		return;
	case OS_SYSTEM_NOT_ELEVATED:
		refuse(arena, out, "not_elevated", "this prompt is not elevated",
		       "From an elevated prompt (\"Run as administrator\") the check runs as SYSTEM too and shows "
		       "them");
		return;
	case OS_SYSTEM_MAY_RUN:
		break;
	}
	/* even with -q: it is left in a log that others read */
	complain("to see what the agent will see, this check runs as SYSTEM too, in a service of its own that is "
		 "removed at the "
		 "end. The event log will note that it was installed (System log, event 7045). --identity user avoids "
		 "it");
	out->run = system_run_start(reason, sizeof(reason));
	if (out->run) {
		out->state = "started";
		out->part = PLAN_WITHOUT_SYSTEM;
		return;
	}
	warn(options, "the check could not be run as SYSTEM: %s", reason);
	refuse(arena, out, "failed", reason, arena_printf(arena, "The run as SYSTEM did not start: %s", reason));
}

void system_part_prepare(const struct system_part *part, const struct options *options,
			 const struct settings_input *settings, struct report *report,
			 const struct engine_options *engine)
{
	if (!part->run)
		return;
	struct handover handover = {
		.report = report,
		.plan = options->plan,
		.engine = *engine,
		.agent_proxy = settings->agent_proxy,
		.agent_source = settings->agent_source,
		.settings_given = options->registry_count > 0,
	};
	system_run_prepare(part->run, &handover);
}

void system_part_end(const struct system_part *part)
{
	char reason[512] = "";
	if (!system_run_end(part->run, reason, sizeof(reason)))
		complain("%s; the next run from an elevated prompt tries again", reason);
}

/* ------------------------------------------------------------------ the process that runs as SYSTEM */

static void add_given(struct settings *settings, const struct proxy_setting *setting, struct arena *arena)
{
	if (!setting)
		return;
	settings->items =
		arena_grow(arena, settings->items, &settings->capacity, settings->count, sizeof(*settings->items));
	settings->items[settings->count++] = *setting;
}

/* What the exports gave, as the other process has read it. */
static void given_settings(const struct report *report, struct settings *out)
{
	for (size_t i = 0; i < report->identity_count; i++) {
		const struct identity *identity = &report->identities[i];
		if (identity->id != IDENTITY_SYSTEM)
			continue;
		add_given(out, identity->wininet, report->arena);
		add_given(out, identity->winhttp, report->arena);
		add_given(out, identity->agent, report->arena);
		add_given(out, identity->env, report->arena);
	}
	out->system_known = true;
}

/* Its environment is that of a service, which is what the agent has. */
static void own_settings(struct handover *handover, struct settings *out)
{
	struct arena *arena = handover->report->arena;
	struct registry *registry = registry_new(arena);
	struct machine *machine = arena_alloc(arena, sizeof(*machine));
	struct settings_input input = {.arena = arena,
				       .agent_proxy = handover->agent_proxy,
				       .agent_source = handover->agent_source,
				       .environment = os_environment(),
				       .environment_of = IDENTITY_SYSTEM,
				       .environment_ignores_case = os_environment_ignores_case()};
	if (machine_registry_read(registry))
		input.registry = registry;
	*machine = (struct machine){.registry = input.registry, .identity = IDENTITY_SYSTEM};
	handover->engine.machine = machine;
	settings_read(&input, out);
	if (handover->engine.pac)
		settings_use_pac(arena, out, handover->engine.pac->name);
}

/* The order's report holds more than the targets and the inputs: that is the other process's. */
static void forget_paths(struct report *report)
{
	report->path_count = report->identity_count = report->finding_count = 0;
	report->observations.count = 0;
}

static void note_account(struct arena *arena, struct identity *identity)
{
	char account[256];
	if (!os_account_name(account, sizeof(account)))
		return;
	identity->account = arena_strdup(arena, account);
	if (!os_account_is_system())
		identity->why =
			arena_printf(arena,
				     "the service was to run as LocalSystem, and ran as %s: what it shows of sign-in, "
				     "trust store and environment is this account's",
				     account);
}

static bool carry_out(struct handover *handover, struct engine_switch *stop, struct err *err)
{
	struct report *report = handover->report;
	struct settings settings = {0};
	struct plan plan = {0};
	if (handover->settings_given)
		given_settings(report, &settings);
	else
		own_settings(handover, &settings);
	forget_paths(report);
	handover->plan.system = true;
	handover->plan.user = false;
	handover->plan.part = PLAN_AS_SYSTEM;
	plan_make(report, &settings, &handover->plan, handover->engine.proxy_user != NULL, true, &plan);
	note_account(report->arena, &report->identities[0]);
	handover->engine.stop = stop;
	return engine_run(report, &plan, &handover->engine, err);
}

void system_part_serve(struct os_link *link, void *user)
{
	(void)user;
	system_run_serve(link, carry_out);
}
