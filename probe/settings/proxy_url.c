#include "probe/settings/proxy_url.h"

#include <stddef.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"

/* "socks" alone is version 4 (curl). Version 4a, where the proxy resolves, is the nearest to it that we can ask for. */
static const char *keyword_of(const char *scheme)
{
	static const char *const keywords[][2] = {{"http", "PROXY"},	 {"https", "HTTPS"},   {"socks", "SOCKS"},
						  {"socks4", "SOCKS"},	 {"socks4a", "SOCKS"}, {"socks5", "SOCKS5"},
						  {"socks5h", "SOCKS5H"}};
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		if (strcmp(scheme, keywords[i][0]) == 0)
			return keywords[i][1];
	return NULL;
}

bool proxy_url_parse(struct arena *arena, const char *text, const char *reader, int default_http_port,
		     struct proxy_url *out)
{
	struct url url;
	*out = (struct proxy_url){0};
	if (!strstr(text, "://"))
		text = arena_printf(arena, "http://%s", text);
	if (!url_parse(arena, text, &url)) {
		out->problem = "is no proxy address (scheme://host:port)";
		return false;
	}
	const char *keyword = keyword_of(url.scheme);
	if (!keyword) {
		out->problem = arena_printf(arena, "names a proxy of the unknown kind `%s://`", url.scheme);
		return false;
	}
	int port = url.port;
	if (!url.port_given && strcmp(keyword, "PROXY") == 0)
		port = default_http_port;
	if (!url.port_given)
		out->problem = arena_printf(arena, "has no port: %s uses %d", reader, port);
	size_t bytes = strlen(url.host) + sizeof("[]:65535");
	out->via = arena_printf(arena, "%s %s", keyword,
				host_port_format(url.host, port, arena_alloc(arena, bytes), bytes));
	return true;
}
