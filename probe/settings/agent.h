#ifndef MARSPROBE_SETTINGS_AGENT_H
#define MARSPROBE_SETTINGS_AGENT_H

#include "probe/core/evidence.h"
#include "probe/settings/settings.h"

/** Read the proxy that is set inside the backup agent (a URL; NULL: it has none). It belongs to SYSTEM, serves every URL and has no
 *  bypass. source: who says so; NULL: --agent-proxy. */
void agent_read(struct arena *arena, const char *proxy, const char *source, struct proxy_setting *out);

/**
 * Read what the agent's own cmdlet said: lines "enabled=True", "server=http://proxy.corp", "port=8080".
 *
 * Output  *proxy: the URL, in the arena; NULL where the proxy is switched off.
 * Errors  false where the lines do not say whether there is one, or which.
 */
bool agent_parse_answer(struct arena *arena, const char *text, const char **proxy);

/** Decide a URL by what agent_read() found. */
void agent_decide(struct arena *arena, const struct proxy_setting *setting, struct decision *out);

#endif
