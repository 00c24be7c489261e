#include "probe/settings/bypass.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"

static const char separators[] = "; \t\r\n\v\f";

enum token { TOKEN_PATTERN, TOKEN_LOCAL, TOKEN_NO_LOOPBACK, TOKEN_NEVER };

/* One entry taken apart. */
struct entry {
	enum token token;
	const char *text;    /* as written */
	const char *scheme;  /* as written, "" for any */
	const char *pattern; /* for the host; IPv6 keeps its brackets */
	int port;	     /* 0 for any */
	const char *problem; /* a clause that follows "entry `x` of ProxyOverride ", or NULL */
};

const char *bypass_name(enum proxy_dialect dialect)
{
	return dialect == PROXY_WINHTTP ? "the bypass list of WinHttpSettings" : "ProxyOverride";
}

/* ------------------------------------------------------------------ one entry */

static bool is_known_scheme(const char *scheme)
{
	static const char *const known[] = {"", "http", "https", "ftp", "gopher"};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcasecmp(scheme, known[i]) == 0)
			return true;
	return false;
}

/* "10.0.0.0/8", "fd00::/8": an address and a number of bits. */
static bool is_cidr(const char *text)
{
	const char *slash = strchr(text, '/');
	if (!slash || slash == text || slash[1] == '\0' || slash[1 + strspn(slash + 1, "0123456789")] != '\0')
		return false;
	return strspn(text, "0123456789abcdefABCDEF.:[]") == (size_t)(slash - text) && strpbrk(text, ".:");
}

/* Cut ":port" off the pattern; false if what follows the last colon is no port, or the colons are those of IPv6. */
static bool split_port(struct arena *arena, struct entry *entry)
{
	const char *close = *entry->pattern == '[' ? strchr(entry->pattern, ']') : NULL;
	const char *colon = strchr(close ? close : entry->pattern, ':');
	if (!colon)
		return true;
	for (const char *digit = colon + 1; *digit; digit++) {
		entry->port = entry->port * 10 + (*digit - '0');
		if (*digit < '0' || *digit > '9' || entry->port > UINT16_MAX)
			return false;
	}
	entry->pattern = arena_strndup(arena, entry->pattern, (size_t)(colon - entry->pattern));
	return entry->port > 0;
}

/* A star that is not the first character. */
static bool has_inner_star(const char *pattern)
{
	return *pattern && strchr(pattern + 1, '*');
}

/* What works, but not as its writer may believe. */
static const char *doubt(const struct entry *entry, enum proxy_dialect dialect)
{
	bool winhttp = dialect == PROXY_WINHTTP;
	if (strchr(entry->pattern, ','))
		return "has a comma in it: entries are separated by semicolons, so this one never matches";
	if (*entry->pattern == '.')
		return "begins with a dot, which is no wildcard here: write `*` in front of it";
	if (winhttp && has_inner_star(entry->pattern))
		return "has a `*` inside: WinHTTP documents it only at the left end";
	if (winhttp && *entry->scheme)
		return "names a protocol, which WinHTTP does not document";
	return NULL;
}

static void parse_pattern(struct arena *arena, enum proxy_dialect dialect, struct entry *entry)
{
	const char *slashes = strstr(entry->text, "://");
	entry->token = TOKEN_NEVER;
	entry->scheme = slashes ? arena_strndup(arena, entry->text, (size_t)(slashes - entry->text)) : "";
	entry->pattern = slashes ? slashes + 3 : entry->text;
	if (is_cidr(entry->pattern))
		entry->problem =
			"is a range in CIDR form, which Windows does not honour (browsers do): write it with `*`, "
			"as in `10.*`";
	else if (!is_known_scheme(entry->scheme))
		entry->problem = "begins with a protocol that is not known here, so it never matches";
	else if (strpbrk(entry->pattern, "/?#@"))
		entry->problem = "is an address, not a host: no host ever matches it";
	else if (!split_port(arena, entry))
		entry->problem =
			"has something else than a port behind a colon (an IPv6 address stands in brackets), so it "
			"never matches";
	else if (*entry->pattern == '\0')
		entry->problem = "names no host, so it never matches";
	else
		entry->token = TOKEN_PATTERN;
	if (entry->token == TOKEN_PATTERN)
		entry->problem = doubt(entry, dialect);
}

static void parse_token(enum proxy_dialect dialect, struct entry *entry)
{
	if (strcasecmp(entry->text, "<local>") == 0) {
		entry->token = TOKEN_LOCAL;
	} else if (strcasecmp(entry->text, "<-loopback>") == 0 && dialect == PROXY_WININET) {
		entry->token = TOKEN_NO_LOOPBACK;
	} else {
		entry->token = TOKEN_NEVER;
		entry->problem = strcasecmp(entry->text, "<-loopback>") == 0
					 ? "has no effect in WinHTTP, as far as is known"
					 : "is a token that Windows does not know; it has no effect";
	}
}

/* Take the next entry off the list; false at its end. */
static bool next_entry(struct arena *arena, enum proxy_dialect dialect, const char **list, struct entry *out)
{
	*list += strspn(*list, separators);
	size_t length = strcspn(*list, separators);
	if (!length)
		return false;
	*out = (struct entry){.text = arena_strndup(arena, *list, length), .scheme = "", .pattern = ""};
	*list += length;
	if (*out->text == '<')
		parse_token(dialect, out);
	else
		parse_pattern(arena, dialect, out);
	return true;
}

/* ------------------------------------------------------------------ matching */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The whole text against a pattern in which * stands for any run of characters. At most pattern length x text
 * length steps. */
static bool glob_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (lower(*pattern) == lower(*text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool same_address(const char *a, const char *b)
{
	struct address first, second;
	return address_parse(a, &first) && address_parse(b, &second) && address_equal(&first, &second);
}

/* What the URL asks for, as patterns see it. */
struct asked {
	const struct url *url;
	const char *host;     /* IPv6 in brackets */
	const char *implicit; /* why Windows bypasses it by itself, or NULL */
};

/* No period: a host of this network. It has nothing to do with loopback, and no address is local (KB262981). */
static bool is_local(const struct asked *asked)
{
	return !strchr(asked->host, '.') && *asked->host != '[';
}

static const char *implicit_rule(const char *host)
{
	static const char *const loopback[] = {"localhost", "loopback", "127.0.0.1"};
	struct address address;
	for (size_t i = 0; i < sizeof(loopback) / sizeof(*loopback); i++)
		if (strcasecmp(host, loopback[i]) == 0)
			return "implicit bypass of loopback names";
	if (!address_parse(host, &address))
		return NULL;
	if (address.family == 6 && address_is_loopback(&address))
		return "implicit bypass of loopback names";
	return address_is_link_local(&address) ? "implicit bypass of link-local addresses" : NULL;
}

static bool entry_matches(const struct entry *entry, const struct asked *asked)
{
	if (entry->token == TOKEN_LOCAL)
		return is_local(asked);
	if (entry->token != TOKEN_PATTERN)
		return false;
	if (*entry->scheme && strcasecmp(entry->scheme, asked->url->scheme) != 0)
		return false;
	if (entry->port && entry->port != asked->url->port)
		return false;
	return glob_matches(entry->pattern, asked->host) || same_address(entry->pattern, asked->host);
}

/* The last word counts: <-loopback> takes back what is implicit, and a pattern behind it grants it again. */
bool bypass_matches(struct arena *arena, enum proxy_dialect dialect, const char *list, const struct url *url,
		    const char **rule)
{
	struct asked asked = {.url = url, .host = url->host, .implicit = implicit_rule(url->host)};
	if (strchr(url->host, ':'))
		asked.host = arena_printf(arena, "[%s]", url->host);
	const char *found = asked.implicit;
	struct entry entry;
	list = list ? list : "";
	while (next_entry(arena, dialect, &list, &entry)) {
		if (entry.token == TOKEN_NO_LOOPBACK && asked.implicit)
			found = NULL;
		else if (!found && entry_matches(&entry, &asked))
			found = arena_printf(arena, "bypassed by `%s`", entry.text);
	}
	if (found)
		*rule = found;
	return found != NULL;
}

void bypass_problems(struct arena *arena, enum proxy_dialect dialect, const char *list, struct text_list *problems)
{
	struct entry entry;
	size_t said = 0;
	list = list ? list : "";
	while (said < BYPASS_PROBLEMS_MAX && next_entry(arena, dialect, &list, &entry)) {
		if (!entry.problem)
			continue;
		text_list_add(
			arena, problems,
			arena_printf(arena, "entry `%s` of %s %s", entry.text, bypass_name(dialect), entry.problem));
		said++;
	}
}
