#include "probe/core/url.h"

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"

enum { URL_BYTES_MAX = 2048 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/** Without the locale; bytes beyond ASCII stay as they are. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char *lower_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_strndup(arena, text, length);
	for (char *at = copy; *at; at++)
		*at = lower(*at);
	return copy;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/** Percent-decode (RFC 3986 2.1). A '%' without two digits stays as it is: people do write such passwords, and curl reads
 *  them so. NULL if a control character would come out. */
static char *decode(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		int high = text[i] == '%' && i + 2 < length ? hex_value(text[i + 1]) : -1;
		int low = high >= 0 ? hex_value(text[i + 2]) : -1;
		char c = text[i];
		if (low >= 0) {
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (is_control(c))
			return NULL;
		copy[used++] = c;
	}
	return copy;
}

static bool is_scheme(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = lower(text[i]);
		bool inner = i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
		if (!inner && !(c >= 'a' && c <= 'z'))
			return false;
	}
	return length > 0;
}

static int default_port(const char *scheme)
{
	if (strcmp(scheme, "http") == 0)
		return 80;
	if (strcmp(scheme, "https") == 0)
		return 443;
	return strncmp(scheme, "socks", 5) == 0 ? 1080 : -1;
}

static bool parse_user(struct arena *arena, const char *text, size_t length, struct url *url)
{
	const char *colon = memchr(text, ':', length);
	size_t user_length = colon ? (size_t)(colon - text) : length;
	url->user = decode(arena, text, user_length);
	if (!url->user)
		return false;
	if (colon)
		url->password = decode(arena, colon + 1, length - user_length - 1);
	return !colon || url->password;
}

/** host[:port] of an authority (RFC 3986 3.2.2, 3.2.3). */
static bool parse_host(struct arena *arena, const char *text, size_t length, struct url *url)
{
	bool literal = length > 0 && *text == '[';
	const char *close = literal ? memchr(text, ']', length) : NULL;
	const char *colon = memchr(close ? close : text, ':', length - (close ? (size_t)(close - text) : 0));
	if (colon && colon + 1 == text + length) /* an empty port is none */
		length--;
	const char *decoded = decode(arena, text, length);
	char *host = arena_alloc(arena, length + 1);
	/* an escape must make neither a port nor a bracket: what is decoded has those that are written */
	if (!decoded || !memchr(text, ':', length) != !strchr(decoded, ':') || literal != (*decoded == '['))
		return false;
	if (!host_port_split(decoded, host, length + 1, &url->port) || (!literal && strchr(host, ':')))
		return false;
	url->host = lower_copy(arena, host, strlen(host));
	return true;
}

static bool parse_authority(struct arena *arena, const char *text, size_t length, struct url *url)
{
	size_t host_start = length;
	while (host_start > 0 && text[host_start - 1] != '@')
		host_start--;
	if (host_start > 0 && !parse_user(arena, text, host_start - 1, url))
		return false;
	if (!parse_host(arena, text + host_start, length - host_start, url))
		return false;
	url->port_given = url->port >= 0;
	if (!url->port_given)
		url->port = default_port(url->scheme);
	return true;
}

/** No control character, no blank, not too long. */
static bool is_clean(const char *text)
{
	size_t length = 0;
	for (; text[length]; length++) {
		if (is_control(text[length]) || text[length] == ' ' || length >= URL_BYTES_MAX)
			return false;
	}
	return true;
}

bool url_parse(struct arena *arena, const char *text, struct url *out)
{
	struct url url = {0};
	const char *colon = text && is_clean(text) ? strstr(text, "://") : NULL;
	if (!colon || !is_scheme(text, (size_t)(colon - text)))
		return false;
	url.scheme = lower_copy(arena, text, (size_t)(colon - text));
	const char *authority = colon + 3;
	size_t length = strcspn(authority, "/?#");
	if (!parse_authority(arena, authority, length, &url))
		return false;
	const char *rest = authority + length;
	size_t rest_length = strcspn(rest, "#");
	url.path = arena_printf(arena, "%s%.*s", *rest == '/' ? "" : "/", (int)rest_length, rest);
	*out = url;
	return true;
}

const char *url_for_report(struct arena *arena, const char *text)
{
	struct url url;
	if (!text)
		return NULL;
	if (!url_parse(arena, text, &url))
		return "(unreadable URL)";
	bool brackets = strchr(url.host, ':') != NULL;
	const char *port = url.port_given ? arena_printf(arena, ":%d", url.port) : "";
	return arena_printf(arena, "%s://%s%s%s%s%.*s", url.scheme, brackets ? "[" : "", url.host, brackets ? "]" : "",
			    port, (int)strcspn(url.path, "?"), url.path);
}

/** Length without one final dot. */
static size_t name_length(const char *name)
{
	size_t length = strlen(name);
	return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

static bool same_name(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

bool rule_matches_host(const char *rule, const char *host)
{
	if (!rule || !host)
		return false;
	if (rule[0] == '*' && rule[1] == '.')
		rule++;
	size_t rule_length = name_length(rule), host_length = name_length(host);
	if (rule_length == 0 || rule_length > host_length)
		return false;
	if (*rule != '.')
		return rule_length == host_length && same_name(rule, host, host_length);
	return rule_length > 1 && host_length > rule_length &&
	       same_name(rule, host + host_length - rule_length, rule_length);
}
