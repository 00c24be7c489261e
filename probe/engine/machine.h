#ifndef MARSPROBE_ENGINE_MACHINE_H
#define MARSPROBE_ENGINE_MACHINE_H

/* What this machine itself says of its settings. */

#include <stdbool.h>

struct registry;

/**
 * Put into *out what the live registry has of all that this program looks at: proxy settings and zones of this account, of SYSTEM and of the
 * machine, policies, the machine's and SYSTEM's environment, TLS, name resolution policy. A key that this account may not read is noted
 * there (registry_is_denied()).
 *
 * Errors  false on a system without a registry.
 */
bool machine_registry_read(struct registry *out);

#endif
