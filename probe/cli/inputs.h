#ifndef MARSPROBE_CLI_INPUTS_H
#define MARSPROBE_CLI_INPUTS_H

#include <stdbool.h>

#include "probe/cli/options.h"
#include "probe/core/err.h"
#include "probe/engine/engine.h"
#include "probe/engine/machine.h"
#include "probe/settings/settings.h"

struct arena;
struct registry;

/** What a command that asks settings goes by, beside the options. */
struct inputs {
	struct registry *registry; /* the exports given, else the machine's own, else NULL */
	struct settings_input settings;
	struct machine machine;
	struct pem ca;
	struct pac_given pac; /* name NULL: none */
};

/**
 * Read the files that the options name.
 *
 * Memory  in the arena, which must outlive what is made from the inputs.
 * Errors  false with one line; what else is wrong in an export is said on stderr.
 */
bool inputs_load(struct arena *arena, const struct options *options, struct inputs *out, struct err *err);

/** Read the vault credentials file that the options name, if they do, into report->run.vault. Errors as above; a region that the file does not give, or
 *  gives otherwise than --region, is said on stderr. */
bool inputs_vault(struct report *report, const struct options *options, struct err *err);

/** Then ask this machine: its environment, its backup agent (some seconds). settings.arena is settings_arena. */
void inputs_ask(struct arena *settings_arena, const struct options *options, struct inputs *inputs);

/** The settings that these inputs hold, with the script of --pac in its place. */
void inputs_settings(const struct inputs *inputs, struct settings *out);

/** What engine_run() takes from options and inputs; the rest of *out is zero. */
void inputs_engine(struct arena *arena, const struct options *options, const struct inputs *inputs,
		   struct engine_options *out);

#endif
