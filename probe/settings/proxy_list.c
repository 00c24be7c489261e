#include "probe/settings/proxy_list.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"

enum { HOST_BYTES_MAX = 255, PORT_HTTP = 80, PORT_FTP = 21, PORT_SOCKS = 1080 };

static const char separators[] = "; \t\r\n\v\f";

/* What an entry says in front of its host, and what has been found wrong with it so far. */
struct draft {
	struct arena *arena;
	enum proxy_dialect dialect;
	struct proxy_entry entry;
	const char *decoration; /* lower case "https" of "https://", or NULL */
	struct strbuf faults;	/* clauses, joined by "; " */
};

const char *proxy_list_name(enum proxy_dialect dialect)
{
	return dialect == PROXY_WINHTTP ? "WinHttpSettings" : "ProxyServer";
}

static void add_fault(struct draft *draft, const char *clause)
{
	if (draft->faults.length)
		strbuf_add(&draft->faults, "; ");
	strbuf_add(&draft->faults, clause);
}

static char *lower_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_strndup(arena, text, length);
	for (char *at = copy; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return copy;
}

/* ------------------------------------------------------------------ one entry */

static enum proxy_key key_of(struct arena *arena, const char *text, size_t length)
{
	static const char *const names[] = {[PROXY_KEY_HTTP] = "http",
					    [PROXY_KEY_HTTPS] = "https",
					    [PROXY_KEY_FTP] = "ftp",
					    [PROXY_KEY_SOCKS] = "socks"};
	const char *name = lower_copy(arena, text, length);
	for (size_t key = PROXY_KEY_HTTP; key < sizeof(names) / sizeof(*names); key++)
		if (strcmp(name, names[key]) == 0)
			return (enum proxy_key)key;
	return PROXY_KEY_OTHER;
}

/* "scheme=" in front; an '=' behind an address is not one. Returns what follows. */
static const char *read_key(struct draft *draft)
{
	const char *text = draft->entry.text;
	size_t length = strcspn(text, "=:/?#");
	draft->entry.key = PROXY_KEY_DEFAULT;
	if (text[length] != '=')
		return text;
	draft->entry.key = key_of(draft->arena, text, length);
	bool old = length == strlen("gopher") && strncasecmp(text, "gopher", length) == 0;
	if (draft->entry.key == PROXY_KEY_OTHER && !old)
		add_fault(draft, length ? "begins with a protocol that Windows does not know, and is passed over"
					: "has nothing in front of its `=`, and is passed over");
	return text + length + 1;
}

/* "scheme://" in front of the host: decoration, whatever it says (wininet.md section 2). Returns what follows. */
static const char *read_decoration(struct draft *draft, const char *at)
{
	const char *slashes = strstr(at, "://");
	if (!slashes)
		return at;
	draft->decoration = lower_copy(draft->arena, at, (size_t)(slashes - at));
	return slashes + 3;
}

/* Decoration that its writer must have meant otherwise than Windows takes it. */
static void judge_decoration(struct draft *draft)
{
	const char *scheme = draft->decoration;
	enum proxy_key key = draft->entry.key;
	if (!scheme || (strcmp(scheme, "http") == 0 && key != PROXY_KEY_SOCKS))
		return;
	bool socks = strncmp(scheme, "socks", 5) == 0;
	if (key == PROXY_KEY_FTP && strcmp(scheme, "ftp") == 0)
		return;
	if (key == PROXY_KEY_SOCKS && (strcmp(scheme, "socks") == 0 || strcmp(scheme, "socks4") == 0))
		return;
	if (key == PROXY_KEY_SOCKS)
		add_fault(draft, socks ? "asks for another SOCKS than version 4, which is all that Windows knows"
				       : "is decorated with a scheme that is not SOCKS; Windows speaks SOCKS 4 to it "
					 "all the same");
	else if (socks)
		add_fault(draft, "is taken for an HTTP proxy: a SOCKS proxy is written `socks=host:port`");
	else
		add_fault(draft,
			  arena_printf(draft->arena,
				       "has a stray `%s://`: Windows speaks plain HTTP to it all the same", scheme));
}

/* `https://host` without a port is not settled: some take 443 there, we take 80, as the `https://` counts for nothing
 * else either (wininet.md 8). */
static int default_port(const struct draft *draft)
{
	if (draft->entry.key == PROXY_KEY_SOCKS)
		return PORT_SOCKS;
	return draft->decoration && strcmp(draft->decoration, "ftp") == 0 ? PORT_FTP : PORT_HTTP;
}

/* Only where the default is not what anybody would write: SOCKS on 1080 and FTP on 21 are. */
static void judge_missing_port(struct draft *draft, int port)
{
	if (port == PORT_HTTP)
		add_fault(draft, arena_printf(draft->arena, "has no port: Windows uses %d", port));
}

static bool is_host_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && c != '-' && c != '.' && c != '_')
			return false;
	}
	return length > 0;
}

/* Read "host" or "[v6]"; *end is where a port may follow. NULL if it is neither, with a fault. */
static const char *read_host(struct draft *draft, const char *at, const char **end)
{
	struct address address;
	const char *close = *at == '[' ? strchr(at, ']') : NULL;
	size_t length = close ? (size_t)(close - at - 1) : strcspn(at, ":");
	const char *host = lower_copy(draft->arena, close ? at + 1 : at, length);
	*end = close ? close + 1 : at + length;
	bool usable = close ? address_parse(host, &address) && address.family == 6 : is_host_name(host, length);
	if (strchr(at, ','))
		add_fault(draft, "has a comma in it (entries are separated by semicolons), and is passed over");
	else if (!close && strchr(*end, ':') != strrchr(*end, ':'))
		add_fault(draft, "has more than one colon (an IPv6 address stands in brackets), and is passed over");
	else if (length == 0)
		add_fault(draft, "names no host, and is passed over");
	else if (!usable || length > HOST_BYTES_MAX)
		add_fault(draft, "has something else than a host in front of its port, and is passed over");
	else
		return host;
	return NULL;
}

/* Read ":port" or nothing; 0 if it is neither, with a fault. */
static int read_port(struct draft *draft, const char *at)
{
	int port = 0;
	if (*at == '\0' || strcmp(at, ":") == 0) {
		judge_missing_port(draft, default_port(draft));
		return default_port(draft);
	}
	for (const char *digit = at + 1; *at == ':' && *digit >= '0' && *digit <= '9' && port <= UINT16_MAX; digit++) {
		port = port * 10 + (*digit - '0');
		if (digit[1] == '\0' && port > 0 && port <= UINT16_MAX)
			return port;
	}
	add_fault(draft, "has a port that is not a number from 1 to 65535, and is passed over");
	return 0;
}

/* Without what Windows does not use: a path behind the port, credentials in front of the host. */
static const char *bare_authority(struct draft *draft, const char *at)
{
	size_t length = strcspn(at, "/?#");
	if (at[length])
		add_fault(draft,
			  arena_printf(draft->arena, "has stray text behind the proxy's address (`%s`)", at + length));
	const char *authority = arena_strndup(draft->arena, at, length);
	const char *sign = strrchr(authority, '@');
	if (sign)
		add_fault(draft, "holds a user name, which Windows does not take from here");
	return sign ? sign + 1 : authority;
}

static void parse_entry(struct draft *draft)
{
	const char *at = read_decoration(draft, read_key(draft));
	if (draft->entry.key == PROXY_KEY_OTHER)
		return;
	if (draft->entry.key == PROXY_KEY_SOCKS && draft->dialect == PROXY_WINHTTP) {
		add_fault(draft, "is a SOCKS proxy, which WinHTTP does not know, and is passed over");
		return;
	}
	judge_decoration(draft);
	const char *host = read_host(draft, bare_authority(draft, at), &at);
	int port = host ? read_port(draft, at) : 0;
	draft->entry.usable = port > 0;
	draft->entry.host = port > 0 ? host : NULL;
	draft->entry.port = port;
}

static void add_entry(struct arena *arena, struct proxy_list *list, const char *text, size_t length)
{
	struct draft draft = {.arena = arena, .dialect = list->dialect};
	draft.entry.text = arena_strndup(arena, text, length);
	strbuf_init(&draft.faults);
	parse_entry(&draft);
	if (draft.faults.length)
		draft.entry.problem = arena_printf(arena, "entry `%s` of %s %s", draft.entry.text,
						   proxy_list_name(list->dialect), draft.faults.data);
	strbuf_free(&draft.faults);
	list->items = arena_grow(arena, list->items, &list->capacity, list->count, sizeof(*list->items));
	list->items[list->count++] = draft.entry;
}

void proxy_list_parse(struct arena *arena, enum proxy_dialect dialect, const char *text, struct proxy_list *out)
{
	*out = (struct proxy_list){.dialect = dialect};
	text = text ? text : "";
	for (text += strspn(text, separators); *text && !out->cut; text += strspn(text, separators)) {
		size_t length = strcspn(text, separators);
		out->cut = out->count == PROXY_ENTRIES_MAX;
		if (!out->cut)
			add_entry(arena, out, text, length);
		text += length;
	}
}

/* ------------------------------------------------------------------ choosing */

static enum proxy_key key_for_scheme(const char *scheme)
{
	if (strcmp(scheme, "http") == 0)
		return PROXY_KEY_HTTP;
	if (strcmp(scheme, "https") == 0)
		return PROXY_KEY_HTTPS;
	return strcmp(scheme, "ftp") == 0 ? PROXY_KEY_FTP : PROXY_KEY_OTHER;
}

/* The first entry of that key that is usable, or the first one that is not; NULL if there is none. Unknown keys
 * serve nothing. */
static const struct proxy_entry *first_entry(const struct proxy_list *list, enum proxy_key key, bool usable)
{
	for (size_t i = 0; i < list->count && key != PROXY_KEY_OTHER; i++)
		if (list->items[i].key == key && list->items[i].usable == usable)
			return &list->items[i];
	return NULL;
}

static void add_via(struct arena *arena, const struct proxy_list *list, enum proxy_key key, struct proxy_choice *out)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct proxy_entry *entry = &list->items[i];
		if (entry->key != key || !entry->usable)
			continue;
		char place[HOST_BYTES_MAX + sizeof("[]:65535")];
		host_port_format(entry->host, entry->port, place, sizeof(place));
		text_list_add(arena, &out->via,
			      arena_printf(arena, "%s %s", key == PROXY_KEY_SOCKS ? "SOCKS" : "PROXY", place));
		if (!out->problem)
			out->problem = entry->problem;
	}
}

static const char *rule_of(struct arena *arena, const struct proxy_list *list, const struct proxy_entry *entry,
			   const char *scheme)
{
	const char *name = proxy_list_name(list->dialect);
	if (entry->key == PROXY_KEY_SOCKS)
		return arena_printf(arena, "entry `socks=` of %s", name);
	if (entry->key != PROXY_KEY_DEFAULT)
		return arena_printf(arena, "entry `%s=` of %s", scheme, name);
	if (list->count == 1)
		return arena_printf(arena, "the only entry of %s", name);
	return arena_printf(arena, "entry `%s` of %s", entry->text, name);
}

/* The damaged entry that was meant for that protocol, or NULL. */
static const struct proxy_entry *first_damaged(const struct proxy_list *list, const char *scheme)
{
	const struct proxy_entry *own = first_entry(list, key_for_scheme(scheme), false);
	return own ? own : first_entry(list, PROXY_KEY_DEFAULT, false);
}

/* Why nothing serves the protocol, if its writer cannot have meant that. */
static const char *direct_problem(struct arena *arena, const struct proxy_list *list, const char *scheme)
{
	const char *name = proxy_list_name(list->dialect);
	const struct proxy_entry *entry = first_damaged(list, scheme);
	if (entry)
		return entry->problem;
	if (list->count == 0)
		return arena_printf(arena, "%s names no proxy although it is switched on: Windows goes direct", name);
	entry = first_entry(list, PROXY_KEY_SOCKS, false);
	if (entry)
		return entry->problem;
	if (strcmp(scheme, "https") == 0)
		return arena_printf(arena, "%s has no entry for https: Windows goes direct there", name);
	return NULL;
}

static void choose_direct(struct arena *arena, const struct proxy_list *list, const char *scheme,
			  struct proxy_choice *out)
{
	const char *name = proxy_list_name(list->dialect);
	text_list_add(arena, &out->via, "DIRECT");
	out->problem = direct_problem(arena, list, scheme);
	if (list->count == 0)
		out->rule = arena_printf(arena, "%s is empty: direct", name);
	else if (first_damaged(list, scheme))
		out->rule = arena_printf(arena, "no usable entry for %s in %s: direct", scheme, name);
	else
		out->rule = arena_printf(arena, "no `%s=` entry in %s: direct", scheme, name);
}

/* The protocol's own entries, else those without a key wherever they stand, else `socks=`. Others differ: Chromium lets
 * the first entry say whether the list is a map, and libproxy prefers `socks=` to a bare entry; this is Microsoft's text
 * as it stands (wininet.md 2 and 8). */
void proxy_list_choose(struct arena *arena, const struct proxy_list *list, const char *scheme, struct proxy_choice *out)
{
	*out = (struct proxy_choice){0};
	const struct proxy_entry *entry = first_entry(list, key_for_scheme(scheme), true);
	bool own = entry != NULL;
	if (!entry)
		entry = first_entry(list, PROXY_KEY_DEFAULT, true);
	if (!entry)
		entry = first_entry(list, PROXY_KEY_SOCKS, true);
	if (!entry) {
		choose_direct(arena, list, scheme, out);
		return;
	}
	const struct proxy_entry *damaged = own ? first_entry(list, entry->key, false) : first_damaged(list, scheme);
	out->problem = damaged ? damaged->problem : NULL; /* its writer meant that one too */
	out->rule = rule_of(arena, list, entry, scheme);
	add_via(arena, list, entry->key, out);
}

void proxy_list_problems(struct arena *arena, const struct proxy_list *list, struct text_list *problems)
{
	struct proxy_choice choice;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].problem)
			text_list_add(arena, problems, list->items[i].problem);
	proxy_list_choose(arena, list, "https", &choice);
	bool said = false;
	for (size_t i = 0; choice.problem && i < list->count; i++)
		said = said || list->items[i].problem == choice.problem;
	if (choice.problem && !said)
		text_list_add(arena, problems, choice.problem);
	if (list->cut)
		text_list_add(arena, problems,
			      arena_printf(arena, "%s has more than %d entries; the rest is not looked at",
					   proxy_list_name(list->dialect), PROXY_ENTRIES_MAX));
}
