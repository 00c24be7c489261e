#ifndef MARSPROBE_SETTINGS_AGENT_H
#define MARSPROBE_SETTINGS_AGENT_H

#include "probe/core/evidence.h"
#include "probe/settings/settings.h"

/** Read --agent-proxy: the proxy that is set inside the backup agent. It belongs to SYSTEM, serves every URL and
 *  has no bypass. */
void agent_read(struct arena *arena, const char *proxy, struct proxy_setting *out);

/** Decide a URL by what agent_read() found. */
void agent_decide(struct arena *arena, const struct proxy_setting *setting, struct decision *out);

#endif
