#include "probe/settings/mask.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"

static bool is_separator(char c)
{
	return c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* Does ":80;" or the like stand here: a port, and the end of its entry? */
static bool is_port(const char *colon, const char *end)
{
	const char *at = colon + 1;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at > colon + 1 && at < end && is_separator(*at);
}

/* Where the password begins, in a stretch that has its last '@' at end; NULL if there is none. */
static const char *password_start(const char *at, const char *end)
{
	for (; at < end; at++) {
		const char *close = *at == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;
		at = close ? close : at;
		if (*at == ':' && !is_port(at, end))
			return at + 1;
	}
	return NULL;
}

/* A stretch ends where another address surely begins: behind "://", or at ";https=" and the like. */
static const char *stretch_end(const char *at)
{
	static const char *const keys[] = {"http=", "https=", "ftp=", "socks="};
	for (; *at; at++) {
		if (strncmp(at, "://", 3) == 0)
			return at + 3;
		for (size_t i = 0; is_separator(*at) && i < sizeof(keys) / sizeof(*keys); i++)
			if (strncasecmp(at + 1, keys[i], strlen(keys[i])) == 0)
				return at + 1;
	}
	return at;
}

const char *mask_passwords(struct arena *arena, const char *text)
{
	if (!text || !strchr(text, '@'))
		return text;
	struct strbuf out;
	strbuf_init(&out);
	while (*text) {
		const char *end = stretch_end(text);
		const char *sign = end;
		while (sign > text && sign[-1] != '@')
			sign--;
		const char *password = sign > text ? password_start(text, sign - 1) : NULL;
		if (password) {
			strbuf_add_bytes(&out, text, (size_t)(password - text));
			strbuf_add(&out, "***@");
			text = sign;
		}
		strbuf_add_bytes(&out, text, (size_t)(end - text));
		text = end;
	}
	const char *masked = arena_strndup(arena, out.data, out.length);
	strbuf_free(&out);
	return masked;
}

const char *mask_url(struct arena *arena, const char *url)
{
	return url ? mask_passwords(arena, arena_strndup(arena, url, strcspn(url, "?#"))) : NULL;
}
