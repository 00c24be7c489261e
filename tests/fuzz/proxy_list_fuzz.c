/* A proxy list: an entry is usable or says why not; every protocol gets routes that can be taken, in both dialects and
 * whatever the case of the list; the damaged entries change nothing; masking passwords twice is masking them once. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/utf8.h"
#include "probe/settings/encoding.h"
#include "probe/settings/mask.h"
#include "probe/settings/proxy_list.h"
#include "tests/fuzz/must.h"

static void check_text(const char *text)
{
	MUST(!text || utf8_is_valid(text, strlen(text)));
}

static bool same_via(const struct proxy_choice *a, const struct proxy_choice *b)
{
	bool same = a->via.count == b->via.count;
	for (size_t i = 0; same && i < a->via.count; i++)
		same = strcmp(a->via.items[i], b->via.items[i]) == 0;
	return same;
}

static const char *upper(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);
	for (char *at = copy; *at; at++)
		*at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
	return copy;
}

static void check_entries(const struct proxy_list *list)
{
	MUST(list->count <= PROXY_ENTRIES_MAX);
	for (size_t i = 0; i < list->count; i++) {
		const struct proxy_entry *entry = &list->items[i];
		MUST(entry->usable == (entry->host != NULL) && entry->usable == (entry->port > 0));
		MUST(entry->port >= 0 && entry->port <= UINT16_MAX);
		MUST(entry->usable || entry->problem || entry->key == PROXY_KEY_OTHER);
		check_text(entry->text);
		check_text(entry->host);
		check_text(entry->problem);
	}
}

/** The routes that entries of one key give, by a look at the entries alone. */
static size_t usable_count(const struct proxy_list *list, enum proxy_key key)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++)
		count += list->items[i].key == key && list->items[i].usable;
	return count;
}

/** Its own entries, else those without a key, else SOCKS where it is known, else direct. */
static size_t wanted_count(const struct proxy_list *list, enum proxy_key key)
{
	size_t own = key == PROXY_KEY_OTHER ? 0 : usable_count(list, key);
	size_t bare = usable_count(list, PROXY_KEY_DEFAULT);
	size_t socks = list->dialect == PROXY_WININET ? usable_count(list, PROXY_KEY_SOCKS) : 0;
	size_t count = own ? own : bare ? bare : socks;
	return count ? count : 1;
}

static void check_choice(struct arena *arena, const struct proxy_list *list, const struct proxy_list *large,
			 const char *scheme, enum proxy_key key)
{
	struct proxy_choice choice, again;
	struct via via;
	proxy_list_choose(arena, list, scheme, &choice);
	proxy_list_choose(arena, large, scheme, &again);
	MUST(same_via(&choice, &again));
	MUST(choice.via.count == wanted_count(list, key) && choice.rule);
	check_text(choice.rule);
	check_text(choice.problem);
	for (size_t i = 0; i < choice.via.count; i++) {
		MUST(via_parse(arena, choice.via.items[i], &via));
		MUST(via.scheme == VIA_HTTP || (via.scheme == VIA_SOCKS4 && list->dialect == PROXY_WININET) ||
		     (via.scheme == VIA_DIRECT && choice.via.count == 1));
	}
}

static void check_list(struct arena *arena, enum proxy_dialect dialect, const char *text)
{
	static const char *const schemes[] = {[PROXY_KEY_HTTP] = "http",
					      [PROXY_KEY_HTTPS] = "https",
					      [PROXY_KEY_FTP] = "ftp",
					      [PROXY_KEY_OTHER] = "ws"};
	struct proxy_list list, large;
	struct text_list problems = {0};
	proxy_list_parse(arena, dialect, text, &list);
	proxy_list_parse(arena, dialect, upper(arena, text), &large);
	check_entries(&list);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (schemes[i])
			check_choice(arena, &list, &large, schemes[i], (enum proxy_key)i);
	proxy_list_problems(arena, &list, &problems);
	MUST(problems.count <= PROXY_ENTRIES_MAX + 2);
	for (size_t i = 0; i < problems.count; i++)
		check_text(problems.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *raw = size ? arena_strndup(arena, (const char *)data, size) : "";
	const char *text = encoding_clean(arena, raw);
	check_list(arena, PROXY_WININET, text);
	check_list(arena, PROXY_WINHTTP, text);
	const char *masked = mask_passwords(arena, text);
	MUST(strcmp(masked, mask_passwords(arena, masked)) == 0);
	check_text(masked);
	arena_free(arena);
	return 0;
}
