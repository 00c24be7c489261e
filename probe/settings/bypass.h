#ifndef MARSPROBE_SETTINGS_BYPASS_H
#define MARSPROBE_SETTINGS_BYPASS_H

#include <stdbool.h>

#include "probe/settings/proxy_list.h"

struct arena;
struct url;

/** The name of the text in sentences: "ProxyOverride" or "the bypass list of WinHttpSettings". */
const char *bypass_name(enum proxy_dialect dialect);

/** A bypass list taken apart and indexed, for many URLs. It lives in its arena and does not change. */
struct bypass_list;

/** Take a bypass list apart (wininet.md section 3). text is untrusted UTF-8; NULL counts as empty. */
const struct bypass_list *bypass_compile(struct arena *arena, enum proxy_dialect dialect, const char *text);

/**
 * Does the list, with what Windows adds to it by itself, send this URL direct?
 *
 * Pure    patterns are text against the host as the URL has it; names are never resolved.
 * Cost    grows with the length of the host, not of the list, but for patterns with a star at both ends. Allocates
 *         nothing.
 * Output  true: *rule says which pattern, the first one of the list that matches: "bypassed by `*.windows.net`",
 *         "implicit bypass of loopback names". It is static, or lives as long as the list. False: *rule is untouched.
 */
bool bypass_find(const struct bypass_list *list, const struct url *url, const char **rule);

/** The same for one URL, with the list as text; *rule is in the arena. */
bool bypass_matches(struct arena *arena, enum proxy_dialect dialect, const char *list, const struct url *url,
		    const char **rule);

/** Say of the list what Windows does not honour, or not as its writer believes; at most BYPASS_PROBLEMS_MAX
 *  sentences. */
void bypass_problems(struct arena *arena, enum proxy_dialect dialect, const char *list, struct text_list *problems);

enum { BYPASS_PROBLEMS_MAX = 16 };

#endif
