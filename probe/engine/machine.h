#ifndef MARSPROBE_ENGINE_MACHINE_H
#define MARSPROBE_ENGINE_MACHINE_H

/* What this machine itself says of its settings. */

#include <stdbool.h>

#include "probe/core/evidence.h"

struct arena;
struct registry;
struct run;

/** What the engine is told of the machine's own settings, so that it can write down more facts. */
struct machine {
	const struct registry *registry; /* live, or NULL */
	enum identity_id identity;	 /* on whose behalf this process runs */
	const struct registry
		*settings; /* what the proxy settings are read from, an export of another machine too; or NULL */
};

/**
 * Put into *out what the live registry has of all that this program looks at: proxy settings and zones of this account, of SYSTEM and of the
 * machine, policies, the machine's and SYSTEM's environment, TLS, name resolution policy. A key that this account may not read is noted
 * there (registry_is_denied()).
 *
 * Errors  false on a system without a registry.
 */
bool machine_registry_read(struct registry *out);

/** Where Windows keeps what it knows of the agent as an installed program. */
#define MACHINE_AGENT_KEY \
	"HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Windows Azure Backup"

/** Who says so, for settings_input.agent_source. */
#define MACHINE_AGENT_SOURCE "the backup agent's own settings (Get-OBMachineSetting)"

/**
 * Ask the backup agent for the proxy in its own settings. Blocks for as long as PowerShell takes, 10 s at most.
 *
 * Output  *proxy: a URL in the arena, or NULL where the agent has none.
 * Errors  false where no agent is installed, this account may not ask it, or its answer is not understood: then nothing is known.
 */
bool machine_agent_proxy(struct arena *arena, const char **proxy);

/** For engine_run(): write down what the registry says of TLS and of names that are asked for, the time zone, calls that the system lacks,
 *  and whether its own interface agrees on the proxy settings. */
void machine_facts_record(struct run *run);
/** Write down what the settings' registry says of SYSTEM's security zones for the targets, and of the connectivity probe;
 *  and the version of the agent. */
void machine_zones_record(struct run *run, const struct registry *settings);
/** For engine_run(), at its end: the routes to the addresses that were tried. */
void machine_routes_record(struct run *run);

#endif
