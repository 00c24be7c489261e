#include "probe/settings/bypass.h"

#include <stdint.h>
#include <stdio.h>
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
	const char *text;	/* as written */
	const char *scheme;	/* as written, "" for any */
	const char *pattern;	/* for the host; IPv6 keeps its brackets */
	struct address address; /* of a pattern that is an IPv6 address; else its family is 0 */
	int port;		/* 0 for any */
	const char *problem;	/* a clause that follows "entry `x` of ProxyOverride ", or NULL */
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

/* What is taken at its word, but may not do what its writer believes. Three of these are choices, as Windows' text
 * is silent or doubtful (wininet.md 3 and 8): a leading dot is no wildcard, a name with a final dot is another name, and
 * WinHTTP is believed to do what WinINET does beyond its own documentation, except for `<-loopback>`. */
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
	if (winhttp && entry->port)
		return "names a port, which WinHTTP does not document";
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
	else if (strpbrk(entry->pattern, "<>"))
		entry->problem = "is a token with something around it, so it never matches";
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
	if (entry->token != TOKEN_PATTERN)
		return;
	entry->problem = doubt(entry, dialect);
	if (*entry->pattern == '[')
		address_parse(entry->pattern, &entry->address);
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

/* What the URL asks for, as patterns see it. */
struct asked {
	const char *scheme;
	const char *host;	/* IPv6 in brackets, in the buffer below */
	int port;		/* the URL's own, or its scheme's; -1 if it has none */
	struct address address; /* of a host that is an IPv6 address; else its family is 0 */
	const char *implicit;	/* why Windows bypasses it by itself, or NULL */
	char brackets[ADDRESS_TEXT_BYTES + 2];
};

/* No period: a host of this network. It has nothing to do with loopback, and no address is local (KB262981). */
static bool is_local(const struct asked *asked)
{
	return !strchr(asked->host, '.') && *asked->host != '[';
}

/* Only what is documented. Whether Windows takes 127.0.0.2 and `localhost.` for loopback too is not settled
 * (wininet.md 8): here they are not. */
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

/* The port that the request goes to. url_parse() knows those of http and https. */
static int port_of(const struct url *url)
{
	if (url->port >= 0)
		return url->port;
	if (strcmp(url->scheme, "ftp") == 0)
		return 21;
	return strcmp(url->scheme, "gopher") == 0 ? 70 : -1;
}

static void ask(const struct url *url, struct asked *out)
{
	*out = (struct asked){.scheme = url->scheme, .host = url->host, .port = port_of(url)};
	out->implicit = implicit_rule(url->host);
	if (!strchr(url->host, ':'))
		return;
	address_parse(url->host, &out->address);
	snprintf(out->brackets, sizeof(out->brackets), "[%s]", url->host);
	out->host = out->brackets;
}

static bool entry_matches(const struct entry *entry, const struct asked *asked)
{
	if (entry->token == TOKEN_LOCAL)
		return is_local(asked);
	if (entry->token != TOKEN_PATTERN)
		return false;
	if (*entry->scheme && strcasecmp(entry->scheme, asked->scheme) != 0)
		return false;
	if (entry->port && entry->port != asked->port)
		return false;
	if (entry->address.family) /* 2001:db8::1 has many spellings */
		return asked->address.family && address_equal(&entry->address, &asked->address);
	return glob_matches(entry->pattern, asked->host);
}

/* ------------------------------------------------------------------ many URLs

   A host can match a pattern only if it ends with what follows the pattern's last star (all of it, where there is no
   star), and begins with what precedes the first star. So an entry is filed under the hash of its tail, or else of its
   head ("10.*"), and a host is looked up under each of its own ends and beginnings: as many look-ups as it has
   characters, however long the list is. Only what has neither ("*mid*", tokens), or has no one spelling (IPv6), is
   tried one by one. What is found so is then matched in full. */

struct filed {
	struct entry entry;
	const char *rule;
	size_t key_length;	  /* characters of the head or tail */
	const struct filed *next; /* in its chain; later in the list */
};

struct table {
	const struct filed **chains;
	uint32_t mask; /* their number is one more, a power of two */
};

struct bypass_list {
	struct filed *items;
	size_t count, capacity;
	size_t after_loopback; /* items before this one do not count for what is implicit; 0: there is no <-loopback> */
	const struct filed *others;
	struct table heads, tails;
};

/* FNV-1a */
static const uint32_t hash_start = 0x811c9dc5, hash_factor = 0x01000193;

static uint32_t hash_add(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)lower(c)) * hash_factor;
}

static void table_init(struct arena *arena, struct table *table, size_t count)
{
	size_t size = 16;
	while (size < 2 * count)
		size *= 2;
	table->chains = arena_alloc(arena, size * sizeof(struct filed *));
	table->mask = (uint32_t)(size - 1);
}

/* The chain that the entry belongs into: of its tail, which is hashed from its end, of its head, or the rest. */
static const struct filed **chain_of(struct bypass_list *list, struct filed *filed)
{
	const char *pattern = filed->entry.pattern, *star = strrchr(pattern, '*');
	size_t tail = strlen(star ? star + 1 : pattern), head = strcspn(pattern, "*");
	uint32_t hash = hash_start;
	if (filed->entry.token != TOKEN_PATTERN || filed->entry.address.family || (tail == 0 && head == 0))
		return &list->others;
	filed->key_length = tail ? tail : head;
	for (size_t i = 0; tail && i < tail; i++)
		hash = hash_add(hash, pattern[strlen(pattern) - 1 - i]);
	for (size_t i = 0; !tail && i < head; i++)
		hash = hash_add(hash, pattern[i]);
	struct table *table = tail ? &list->tails : &list->heads;
	return &table->chains[hash & table->mask];
}

const struct bypass_list *bypass_compile(struct arena *arena, enum proxy_dialect dialect, const char *text)
{
	struct bypass_list *list = arena_alloc(arena, sizeof(*list));
	struct entry entry;
	text = text ? text : "";
	while (next_entry(arena, dialect, &text, &entry)) {
		if (entry.token == TOKEN_NO_LOOPBACK)
			list->after_loopback = list->count + 1;
		list->items = arena_grow(arena, list->items, &list->capacity, list->count, sizeof(*list->items));
		list->items[list->count++] =
			(struct filed){.entry = entry, .rule = arena_printf(arena, "bypassed by `%s`", entry.text)};
	}
	table_init(arena, &list->heads, list->count);
	table_init(arena, &list->tails, list->count);
	for (size_t i = list->count; i-- > 0;) { /* from the last, so that each chain is in the list's order */
		const struct filed **chain = chain_of(list, &list->items[i]);
		list->items[i].next = *chain;
		*chain = &list->items[i];
	}
	return list;
}

/* A search: the earliest match so far, from the item on that counts. */
struct search {
	const struct asked *asked;
	const struct filed *from, *best;
};

/* Try those of a chain whose head or tail is of that length. */
static void search_chain(struct search *search, const struct filed *filed, size_t key_length)
{
	for (; filed && (!search->best || filed < search->best); filed = filed->next)
		if (filed >= search->from && filed->key_length == key_length &&
		    entry_matches(&filed->entry, search->asked))
			search->best = filed;
}

static const struct filed *first_match(const struct bypass_list *list, const struct asked *asked, size_t from)
{
	struct search search = {.asked = asked, .from = list->items + from};
	size_t length = strlen(asked->host);
	uint32_t head = hash_start, tail = hash_start;
	search_chain(&search, list->others, 0);
	for (size_t i = 1; i <= length; i++) {
		head = hash_add(head, asked->host[i - 1]);
		tail = hash_add(tail, asked->host[length - i]);
		search_chain(&search, list->heads.chains[head & list->heads.mask], i);
		search_chain(&search, list->tails.chains[tail & list->tails.mask], i);
	}
	return search.best;
}

/* For what is implicit the last word counts: <-loopback> takes it back, and a pattern behind it grants it again. */
bool bypass_find(const struct bypass_list *list, const struct url *url, const char **rule)
{
	struct asked asked;
	ask(url, &asked);
	if (asked.implicit && !list->after_loopback) {
		*rule = asked.implicit;
		return true;
	}
	const struct filed *found =
		list->count ? first_match(list, &asked, asked.implicit ? list->after_loopback : 0) : NULL;
	if (found)
		*rule = found->rule;
	return found != NULL;
}

bool bypass_matches(struct arena *arena, enum proxy_dialect dialect, const char *list, const struct url *url,
		    const char **rule)
{
	struct arena *scratch = arena_new();
	const char *found = NULL;
	bool matches = bypass_find(bypass_compile(scratch, dialect, list), url, &found);
	if (matches)
		*rule = arena_strdup(arena, found);
	arena_free(scratch);
	return matches;
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
