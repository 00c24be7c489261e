#include "targets/target.h"

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"

enum { LABEL_BYTES_MAX = 63, HTTP_PORT = 80, HTTPS_PORT = 443 };

static bool label_is_valid(const char *label, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	return length >= 1 && length <= LABEL_BYTES_MAX && strspn(label, allowed) >= length && label[0] != '-' &&
	       label[length - 1] != '-';
}

bool host_is_valid(const char *host)
{
	struct address address;
	size_t length = strlen(host);

	if (address_parse(host, &address))
		return host[0] != '[';
	if (length == 0 || length > HOST_BYTES_MAX)
		return false;
	/* All digits and dots, and no address: a mistyped address, never a name. */
	if (strspn(host, "0123456789.") == length)
		return false;
	for (const char *label = host; label;) {
		const char *dot = strchr(label, '.');

		if (!label_is_valid(label, dot ? (size_t)(dot - label) : strlen(label)))
			return false;
		label = dot ? dot + 1 : NULL;
	}
	return true;
}

struct target *target_set_add(struct arena *arena, struct target_set *set, const char *id)
{
	struct target *target = arena_alloc(arena, sizeof(*target));

	target->id = arena_strdup(arena, id);
	set->targets = arena_grow(arena, set->targets, &set->capacity, set->count, sizeof(struct target *));
	set->targets[set->count++] = target;
	return target;
}

/* The host as people say it; with the port only where it is not one that everybody expects. */
static const char *name_of(struct arena *arena, const char *host, int port)
{
	char text[HOST_BYTES_MAX + 16];

	if (port == HTTP_PORT || port == HTTPS_PORT)
		return host;
	return arena_strdup(arena, host_port_format(host, port, text, sizeof(text)));
}

bool is_printable_ascii(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

bool target_from_url(struct arena *arena, const char *text, struct target *out, const char **reason)
{
	struct url url;
	bool is_https;
	char authority[HOST_BYTES_MAX + 16];

	if (!is_printable_ascii(text) || !url_parse(arena, text, &url))
		*reason = "not a URL of the form http(s)://host[:port]/path";
	else if (strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0)
		*reason = "only http and https URLs can be probed";
	else if (url.user || url.password)
		*reason = "the URL of a target may not carry a user name or password";
	else if (!host_is_valid(url.host))
		*reason = "the URL's host is neither a DNS name nor an address";
	else
		*reason = NULL;
	if (*reason)
		return false;
	is_https = strcmp(url.scheme, "https") == 0;
	host_port_format(url.host, url.port, authority, sizeof(authority));
	if (url.port == (is_https ? HTTPS_PORT : HTTP_PORT))
		*strrchr(authority, ':') = '\0';
	out->kind = TARGET_URL;
	out->url = arena_printf(arena, "%s://%s%s", url.scheme, authority, url.path);
	out->host = url.host;
	out->port = url.port;
	out->name = name_of(arena, url.host, url.port);
	out->rule = url.host;
	out->cidr = NULL;
	return true;
}

bool target_from_host(struct arena *arena, const char *host, int port, struct target *out, const char **reason)
{
	if (!host_is_valid(host)) {
		*reason = "neither a DNS name nor an address";
		return false;
	}
	if (port < 1 || port > TARGET_PORT_MAX) {
		*reason = "a port is a number from 1 to 65535";
		return false;
	}
	out->kind = TARGET_TCP;
	out->host = arena_strdup(arena, host);
	out->port = port;
	out->name = name_of(arena, out->host, port);
	out->rule = out->host;
	out->url = out->cidr = NULL;
	return true;
}

bool target_from_cidr(struct arena *arena, const char *text, int port, struct target *out, const char **reason)
{
	struct prefix prefix;
	char canonical[PREFIX_TEXT_BYTES];

	if (!prefix_parse(text, &prefix)) {
		*reason = "not a range of the form ADDRESS/BITS with all bits behind BITS zero (20.190.128.0/18)";
		return false;
	}
	out->kind = TARGET_CIDR;
	out->cidr = arena_strdup(arena, prefix_format(&prefix, canonical));
	out->name = out->cidr;
	out->rule = out->cidr;
	out->port = port;
	out->url = out->host = NULL;
	return true;
}
