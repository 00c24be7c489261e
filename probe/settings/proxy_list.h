#ifndef MARSPROBE_SETTINGS_PROXY_LIST_H
#define MARSPROBE_SETTINGS_PROXY_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence.h"

/** Whose grammar: they share the text form and differ in what they honour (wininet.md 2, 3). */
enum proxy_dialect { PROXY_WININET, PROXY_WINHTTP };

/** The name of the text in sentences: "ProxyServer" or "WinHttpSettings". */
const char *proxy_list_name(enum proxy_dialect dialect);

enum proxy_key {
	PROXY_KEY_DEFAULT, /* no "scheme=": for every protocol without an entry of its own */
	PROXY_KEY_HTTP,
	PROXY_KEY_HTTPS,
	PROXY_KEY_FTP,
	PROXY_KEY_SOCKS,
	PROXY_KEY_OTHER
};

struct proxy_entry {
	const char *text; /* as written */
	enum proxy_key key;
	bool usable;
	const char *host; /* lower case, IPv6 without brackets; NULL if not usable */
	int port;
	const char *problem; /* NULL, or a sentence: "entry `proxy.corp` of ProxyServer has no port: Windows uses 80" */
};

struct proxy_list {
	enum proxy_dialect dialect;
	struct proxy_entry *items;
	size_t count, capacity;
	bool cut; /* more than PROXY_ENTRIES_MAX */
};

enum { PROXY_ENTRIES_MAX = 64 };

/**
 * Take a proxy list apart: "([scheme=][scheme://]server[:port])", separated by semicolons or blanks (wininet.md
 * section 2).
 *
 * Input   untrusted UTF-8, NULL counts as empty. Texts go into the arena.
 */
void proxy_list_parse(struct arena *arena, enum proxy_dialect dialect, const char *text, struct proxy_list *out);

struct proxy_choice {
	struct text_list via; /* "PROXY host:port" or "SOCKS host:port" in the order of trying, or "DIRECT" */
	const char *rule;
	const char *problem; /* NULL, or why the list does not do what its writer meant for this protocol */
};

/** Which entries serve a URL of that scheme (lower case). */
void proxy_list_choose(struct arena *arena, const struct proxy_list *list, const char *scheme,
		       struct proxy_choice *out);

/** Say of the whole list what is damaged or will not work as its writer believes: at most one sentence for each entry, and
 *  two for the list. */
void proxy_list_problems(struct arena *arena, const struct proxy_list *list, struct text_list *problems);

#endif
