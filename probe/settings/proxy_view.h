#ifndef MARSPROBE_SETTINGS_PROXY_VIEW_H
#define MARSPROBE_SETTINGS_PROXY_VIEW_H

#include <stdbool.h>

#include "probe/core/evidence.h"

struct arena;

/** What Windows' own interface says of WinINET settings; texts "" or NULL where there is none. */
struct proxy_view {
	bool auto_detect;
	const char *pac_url, *proxy, *bypass;
};

/** In words, passwords and the query of the PAC address left out: "automatic detection; PAC http://...; proxy a:80; bypass <local>", or
 *  "no proxy". */
const char *proxy_view_text(struct arena *arena, const struct proxy_view *view);

/** The same of what was read from the registry. */
const char *proxy_view_of_setting(struct arena *arena, const struct proxy_setting *setting);

/**
 * Does the interface say what the registry says?
 *
 * Rule   without any DefaultConnectionSettings the interface answers "automatic detection" and nothing else, whatever the plain values
 *        are (wininet.md 1.2): that is no contradiction unless the plain values hold something.
 */
bool proxy_view_agrees(struct arena *arena, const struct proxy_view *view, const struct proxy_setting *setting);

#endif
