#include "probe/settings/pac_arguments.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/core/utf8.h"

bool pac_arguments(struct arena *arena, const struct url *url, const char **url_text, const char **host)
{
	if (!utf8_is_valid(url->host, strlen(url->host)))
		return false;
	bool secret = strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0;
	bool brackets = strchr(url->host, ':') != NULL;
	const char *port = url->port_given ? arena_printf(arena, ":%d", url->port) : "";
	*url_text = arena_printf(arena, "%s://%s%s%s%s%s", url->scheme, brackets ? "[" : "", url->host,
				 brackets ? "]" : "", port, secret ? "/" : url->path);
	*host = url->host;
	return true;
}
