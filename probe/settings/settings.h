#ifndef MARSPROBE_SETTINGS_SETTINGS_H
#define MARSPROBE_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"

struct arena;
struct url;
struct registry;

/** What the settings come from. Everything is data: nothing here reads the machine. */
struct settings_input {
	struct arena *arena;
	const struct registry
		*registry; /* live, or merged exports (registry.h), or NULL: then WinINET and WinHTTP are unknown */
	const char *agent_proxy;	/* URL, or NULL */
	const char *agent_source;	/* who says so: "--agent-proxy" ..., also that there is none; NULL: nobody */
	const char *const *environment; /* of this process: "NAME=value" strings, NULL at the end; or NULL */
	enum identity_id environment_of;
	bool environment_ignores_case; /* HTTP_PROXY and http_proxy are one variable */
};

/** Everything that was found, one entry per identity and kind; what was looked for and not found has found = false. */
struct settings {
	struct proxy_setting *items;
	size_t count, capacity;
	bool system_denied; /* SYSTEM's hive is there, and this account may not read its settings */
	bool system_known; /* the input says something of SYSTEM: HKU\S-1-5-18 (or .DEFAULT), machine-wide policy, or the agent's proxy */
};

void settings_read(const struct settings_input *input, struct settings *out);

/** The setting of that identity and kind; NULL if there is no entry at all. */
const struct proxy_setting *settings_find(const struct settings *settings, enum identity_id identity,
					  enum route_kind kind);

/** How one URL would go by one setting. */
struct decision {
	struct text_list
		via; /* in the order of trying: "PROXY host:port", "SOCKS host:port", "HTTPS host:port", "DIRECT" */
	const char *mechanism; /* "auto_detect" | "pac" | "static" | "direct" */
	const char *rule;      /* the entry or pattern that decided, quoted: "entry `https=` of ProxyServer" */
	const char *source;    /* where the deciding setting stands */
	const char *
		problem; /* NULL, or why the setting cannot be used as written: then via is what Windows does all the same */
	bool undecided; /* a PAC script or automatic detection would decide, and this program cannot ask it */
};

/**
 * Decide one URL by one setting (wininet.md 2 to 4): scheme entries, bypass list, implicit loopback.
 *
 * Pure    names are never resolved. setting NULL or not found: DIRECT, with the rule saying so.
 * Output  texts in the arena.
 */
void settings_decide(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
		     struct decision *out);

#endif
