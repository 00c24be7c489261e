#ifndef MARSPROBE_SETTINGS_BYPASS_H
#define MARSPROBE_SETTINGS_BYPASS_H

#include <stdbool.h>

#include "probe/settings/proxy_list.h"

struct arena;
struct url;

/** The name of the text in sentences: "ProxyOverride" or "the bypass list of WinHttpSettings". */
const char *bypass_name(enum proxy_dialect dialect);

/**
 * Does the bypass list (wininet.md section 3), with what Windows adds to it by itself, send this URL direct?
 *
 * Pure    patterns are text against the host as the URL has it; names are never resolved.
 * Output  true: *rule says which pattern, in the arena: "bypassed by `*.windows.net`", "implicit bypass of loopback
 *         names".
 */
bool bypass_matches(struct arena *arena, enum proxy_dialect dialect, const char *list, const struct url *url,
		    const char **rule);

/** Say of the list what Windows does not honour, or not as its writer believes; at most BYPASS_PROBLEMS_MAX
 *  sentences. */
void bypass_problems(struct arena *arena, enum proxy_dialect dialect, const char *list, struct text_list *problems);

enum { BYPASS_PROBLEMS_MAX = 16 };

#endif
