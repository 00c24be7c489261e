#ifndef MARSPROBE_SETTINGS_ENV_H
#define MARSPROBE_SETTINGS_ENV_H

#include "probe/core/evidence.h"
#include "probe/settings/settings.h"

/**
 * Read http_proxy (lower case only), https_proxy, all_proxy and no_proxy, as curl does: lower case wins, empty
 * counts as unset. ignores_case: of a system on which HTTP_PROXY and http_proxy are one variable.
 *
 * Output  proxy_server holds them as "name=value" separated by blanks (blanks inside a value as %20), proxy_bypass
 *         holds no_proxy.
 */
void env_read(struct arena *arena, const char *const *environment, bool ignores_case, enum identity_id identity,
	      struct proxy_setting *out);

/** Does the registry say what environment a service gets? */
bool env_is_in_registry(const struct registry *registry);

/** Read the same for SYSTEM from the machine's environment in the registry, and its own, which comes first. */
void env_read_registry(struct arena *arena, const struct registry *registry, struct proxy_setting *out);

/** Decide a URL by what env_read() found; setting->found must hold. */
void env_decide(struct arena *arena, const struct proxy_setting *setting, const struct url *url, struct decision *out);

#endif
