#include "probe/core/http_marks.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"

/* What large services put in front of themselves marks answers as a proxy does. */
static bool is_delivery_network(const char *text)
{
	static const char *const words[] = {
		"akamai", "edgesuite", "edgekey",	"cloudfront", "fastly",	  "varnish",	"google", "azure",
		"msedge", "microsoft", "ecacc",		"edgecast",   "ecs (",	  "cloudflare", "cdn",	  "stackpath",
		"llnw",	  "limelight", "trafficserver", "incapsula",  "digicert", "front door", "msft",	  "windows"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_find_nocase(text, words[i]))
			return true;
	return false;
}

/* "1.1 gate.corp (squid/5.7)" without the version of the protocol; NULL for a delivery network and for nothing. */
static const char *via_name(struct arena *arena, const char *part, size_t length)
{
	while (length && *part == ' ')
		part++, length--;
	const char *blank = memchr(part, ' ', length);
	if (!blank)
		return NULL;
	const char *name = arena_strndup(arena, blank + 1, length - (size_t)(blank + 1 - part));
	return *name && !is_delivery_network(name) ? name : NULL;
}

/* Each proxy adds itself at the end. */
static const char *mark_of_via(struct arena *arena, const char *via)
{
	const char *mark = NULL;
	while (via && *via) {
		size_t length = strcspn(via, ",");
		const char *name = via_name(arena, via, length);
		mark = name ? name : mark;
		via += length + (via[length] == ',');
	}
	return mark;
}

static const char *mark_of_cache(struct arena *arena, const char *cache)
{
	static const char from[] = " from ";
	const char *at = cache ? strstr(cache, from) : NULL;
	if (!at || is_delivery_network(at))
		return NULL;
	at += strlen(from);
	size_t length = strcspn(at, " ,");
	return length ? arena_strndup(arena, at, length) : NULL;
}

const char *http_proxy_mark(struct arena *arena, const struct header_list *headers)
{
	const char *mark = mark_of_via(arena, header_find(headers, "via"));
	if (!mark)
		mark = mark_of_cache(arena, header_find(headers, "x-cache"));
	if (!mark && header_find(headers, "x-squid-error"))
		mark = "squid";
	return mark;
}
