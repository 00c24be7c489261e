/* Three lines: a host (or a whole URL), a bypass list, a proxy for the environment. The indexed list gives the rule that
 * a scan of its entries one by one gives; matching agrees with a matcher that is too simple to be wrong, does not depend
 * on case, and a star at the end matches anything. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/url.h"
#include "probe/core/utf8.h"
#include "probe/settings/bypass.h"
#include "probe/settings/encoding.h"
#include "probe/settings/settings.h"
#include "tests/fuzz/must.h"

enum { HOST_BYTES = 64, LINE_BYTES = 4096, PLAIN_BYTES = 64 };

static const char *next_line(struct arena *arena, const char **text, size_t max)
{
	size_t length = strcspn(*text, "\n");
	const char *line = encoding_clean(arena, arena_strndup(arena, *text, length < max ? length : max));
	*text += length + ((*text)[length] == '\n');
	return line;
}

/** Only what is a pattern without a second meaning: then the whole grammar is "star matches any run". */
static bool is_plain(const char *pattern)
{
	size_t length = strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789.-*");
	return length > 0 && length < PLAIN_BYTES && pattern[length] == '\0';
}

/** Whole text against pattern, column by column: reachable[j] says that the first j characters of the pattern can
 *  match. */
static bool simple_match(const char *pattern, const char *text)
{
	bool reachable[PLAIN_BYTES + 1] = {true};
	size_t length = strlen(pattern);
	for (size_t j = 0; j < length; j++)
		reachable[j + 1] = reachable[j] && pattern[j] == '*';
	for (; *text; text++) {
		bool before = reachable[0];
		reachable[0] = false;
		for (size_t j = 0; j < length; j++) {
			bool here = reachable[j + 1];
			if (pattern[j] == '*')
				reachable[j + 1] = reachable[j] || here;
			else
				reachable[j + 1] = before && pattern[j] == *text;
			before = here;
		}
	}
	return reachable[length];
}

static const char *upper(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);
	for (char *at = copy; *at; at++)
		*at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
	return copy;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/** The next entry of a list, or NULL at its end. */
static const char *next_entry(struct arena *arena, const char **list)
{
	static const char separators[] = "; \t\r\n\v\f";
	*list += strspn(*list, separators);
	size_t length = strcspn(*list, separators);
	const char *entry = length ? arena_strndup(arena, *list, length) : NULL;
	*list += length;
	return entry;
}

/** The rule that a scan gives: each entry is a list of its own, and what is implicit is taken from it. */
static const char *scan(struct arena *arena, enum proxy_dialect dialect, const struct url *url, const char *list)
{
	const char *found = NULL, *entry = NULL;
	bool implicit = bypass_matches(arena, dialect, NULL, url, &found);
	while ((entry = next_entry(arena, &list))) {
		const char *rule = NULL;
		bool withdraws = dialect == PROXY_WININET && strcasecmp(entry, "<-loopback>") == 0;
		const char *alone = dialect == PROXY_WININET ? arena_printf(arena, "<-loopback> %s", entry) : entry;
		if (withdraws && implicit)
			found = NULL;
		else if (!found && bypass_matches(arena, dialect, alone, url, &rule))
			found = rule;
		if (is_plain(entry) && !implicit && !strchr(url->host, ':'))
			MUST(simple_match(entry, url->host) == bypass_matches(arena, dialect, entry, url, &rule));
	}
	return found;
}

static void check_bypass(struct arena *arena, enum proxy_dialect dialect, const struct url *url, const char *list)
{
	struct text_list problems = {0};
	const char *rule = NULL, *again = NULL, *ignored = NULL;
	const struct bypass_list *compiled = bypass_compile(arena, dialect, list);
	bool matches = bypass_find(compiled, url, &rule);
	MUST(matches == (rule != NULL));
	MUST(!rule || utf8_is_valid(rule, strlen(rule)));
	MUST(same(rule, scan(arena, dialect, url, list)));
	MUST(matches == bypass_find(compiled, url, &again) && rule == again);
	MUST(matches == bypass_matches(arena, dialect, upper(arena, list), url, &ignored));
	MUST(bypass_matches(arena, dialect, arena_printf(arena, "%s;*", list), url, &ignored));
	bypass_problems(arena, dialect, list, &problems);
	MUST(problems.count <= BYPASS_PROBLEMS_MAX);
}

static void check_environment(struct arena *arena, const struct url *url, const char *bypass, const char *proxy)
{
	const char *const environment[] = {arena_printf(arena, "https_proxy=%s", proxy),
					   arena_printf(arena, "no_proxy=%s", bypass), NULL};
	struct settings settings;
	struct decision decision;
	struct via via;
	settings_read(&(struct settings_input){.arena = arena, .environment = environment, .agent_proxy = proxy},
		      &settings);
	for (size_t i = 0; i < settings.count; i++) {
		settings_decide(arena, &settings.items[i], url, &decision);
		MUST(decision.via.count == 1 && via_parse(arena, decision.via.items[0], &via));
		MUST(!decision.problem || utf8_is_valid(decision.problem, strlen(decision.problem)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *text = size ? arena_strndup(arena, (const char *)data, size) : "";
	const char *host = next_line(arena, &text, HOST_BYTES);
	const char *bypass = next_line(arena, &text, LINE_BYTES), *proxy = next_line(arena, &text, LINE_BYTES);
	struct url url;
	const char *address = strstr(host, "://") ? host : arena_printf(arena, "https://%s/", host);
	if (!url_parse(arena, address, &url))
		MUST(url_parse(arena, "https://a.example/", &url));
	for (int dialect = PROXY_WININET; dialect <= PROXY_WINHTTP; dialect++)
		check_bypass(arena, (enum proxy_dialect)dialect, &url, bypass);
	check_environment(arena, &url, bypass, proxy);
	arena_free(arena);
	return 0;
}
