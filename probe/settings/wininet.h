#ifndef MARSPROBE_SETTINGS_WININET_H
#define MARSPROBE_SETTINGS_WININET_H

#include <stdbool.h>

#include "probe/core/evidence.h"
#include "probe/settings/registry.h"

struct arena;

/** What the registry says of machine-wide settings (wininet.md 1.4): ProxySettingsPerUser is 0. */
bool wininet_is_per_machine(const struct registry *registry);

/** Is SYSTEM's hive there, and closed to this account? */
bool wininet_is_system_denied(const struct registry *registry);

/** Does the registry hold anything of SYSTEM's hive? */
bool wininet_knows_system(const struct registry *registry);

/**
 * Read the WinINET settings of an identity (wininet.md 1): machine-wide ones where the policy says so, else those of
 * its hive.
 *
 * Effective  the binary DefaultConnectionSettings if it is well-formed, else the plain values. Where they contradict
 *            each other, disagree is set and a sentence in problems says so.
 * Memory     texts in the arena; passwords are masked.
 */
void wininet_read(struct arena *arena, const struct registry *registry, enum identity_id identity,
		  struct proxy_setting *out);

/** Read the machine's WinHTTP settings (wininet.md 1.6), which serve every identity. */
void winhttp_read(struct arena *arena, const struct registry *registry, enum identity_id identity,
		  struct proxy_setting *out);

#endif
