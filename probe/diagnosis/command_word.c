#include "probe/diagnosis/command_word.h"

#include <stdbool.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/* Between double quotes all of these mean themselves; the first few do so without. */
static const char plain[] = ".:_/-", quoted[] = ".:_/- ;,*[]=<>+";
static const char separators[] = "; \t\r\n\v\f";

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

const char *command_word(struct arena *arena, const char *text)
{
	bool needs_quotes = false;
	size_t length = strlen(text);
	if (!length || length > COMMAND_WORD_MAX_BYTES || *text == '/' || *text == '-' || strstr(text, "***"))
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if (!is_one_of(text[i], letters) && !is_one_of(text[i], quoted))
			return NULL;
		needs_quotes |= !is_one_of(text[i], letters) && !is_one_of(text[i], plain);
	}
	return needs_quotes ? arena_printf(arena, "\"%s\"", text) : text;
}

/* ------------------------------------------------------------------ lists */

static bool same_list(const struct text_list *a, const struct text_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

/* "PROXY a:1", "PROXY b:2" -> "a:1,b:2"; NULL if another kind is among them. */
static const char *join_proxies(struct arena *arena, const struct text_list *via)
{
	static const char http[] = "PROXY ";
	const char *joined = NULL;
	for (size_t i = 0; i < via->count; i++) {
		if (strncmp(via->items[i], http, sizeof(http) - 1) != 0)
			return NULL;
		const char *proxy = via->items[i] + sizeof(http) - 1;
		joined = joined ? arena_printf(arena, "%s,%s", joined, proxy) : proxy;
	}
	return joined;
}

const char *command_proxies(struct arena *arena, enum proxy_dialect dialect, const char *list)
{
	struct proxy_list parsed;
	struct proxy_choice http, https;
	if (!list || strchr(list, '@'))
		return NULL;
	proxy_list_parse(arena, dialect, list, &parsed);
	proxy_list_choose(arena, &parsed, "http", &http);
	proxy_list_choose(arena, &parsed, "https", &https);
	const char *joined = same_list(&http.via, &https.via) ? join_proxies(arena, &https.via) : NULL;
	return joined ? command_word(arena, joined) : NULL;
}

const char *command_bypass(struct arena *arena, const char *list)
{
	struct strbuf words;
	strbuf_init(&words);
	for (const char *at = list ? list : ""; *at;) {
		at += strspn(at, separators);
		size_t length = strcspn(at, separators);
		if (length && words.length)
			strbuf_add_char(&words, ' ');
		strbuf_add_bytes(&words, at, length);
		at += length;
	}
	const char *word = words.length ? command_word(arena, arena_strdup(arena, words.data)) : "NULL";
	strbuf_free(&words);
	return word;
}
