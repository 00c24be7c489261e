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

/** What one mechanism that needs a script (automatic detection, a PAC address) said of one URL. */
struct script_answer {
	enum {
		SCRIPT_NOT_ASKED,
		SCRIPT_NONE,   /* automatic detection ended and found no script */
		SCRIPT_FAILED, /* error says why: no script came, or it broke */
		SCRIPT_ANSWERED
	} state;
	const char *error;	     /* FAILED: as in contract.md 4 */
	const char *message;	     /* FAILED, NONE: the same in a sentence for people, without a final stop */
	const char *script;	     /* its address, without query; NULL where none was found */
	const struct text_list *via; /* ANSWERED: pac_result_parse() of what it returned */
	const char *rule;	     /* ANSWERED: the last helper call that decided, or the result itself */
};
struct script_answers {
	struct script_answer auto_detect, pac;
};

/** How one URL would go by one setting. */
struct decision {
	struct text_list
		via; /* in the order of trying: "PROXY host:port", "SOCKS host:port", "HTTPS host:port", "DIRECT" */
	const char *mechanism; /* "auto_detect" | "pac" | "static" | "direct" */
	const char *rule;      /* the entry or pattern that decided, quoted: "entry `https=` of ProxyServer" */
	const char *source;    /* where the deciding setting stands */
	const char *
		problem; /* NULL, or why the setting cannot be used as written: then via is what Windows does all the same */
	const char *error; /* NULL, or why a script that comes earlier in the order gave nothing: as in contract.md 4 */
	bool undecided;	   /* a PAC script or automatic detection would decide, and was not asked */
};

/**
 * Decide one URL by one setting (wininet.md 2 to 4): scheme entries, bypass list, implicit loopback.
 *
 * Pure    names are never resolved. setting NULL or not found: DIRECT, with the rule saying so.
 * Output  texts in the arena.
 */
void settings_decide(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
		     struct decision *out);

/** The same with what scripts said, in the setting's order (wininet.md 4): a script that answers is final; where there is none, or it
 *  fails, the next mechanism decides. answers NULL: nothing was asked. */
void settings_decide_with(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
			  const struct script_answers *answers, struct decision *out);

/** A setting with its lists taken apart, for many URLs: a decision then costs next to nothing, and for http and https it allocates
 *  nothing unless a script or a problem is spoken of. It lives in its arena, does not change, and needs the setting as it was. */
struct decider;
const struct decider *decider_new(struct arena *arena, const struct proxy_setting *setting);

/** settings_decide_with() for the decider's setting. Output: texts in arena or in the decider's. */
void decider_decide(const struct decider *decider, struct arena *arena, const struct url *url,
		    const struct script_answers *answers, struct decision *out);

/**
 * Let this PAC script decide in place of what WinINET settings name (--pac): automatic detection is off then; a static list stays behind it.
 *
 * Where a setting was not found, the script is all there is: nothing to fall back on, and via is empty if it fails.
 */
void settings_use_pac(struct arena *arena, struct settings *settings, const char *address);

#endif
