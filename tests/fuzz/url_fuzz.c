/* Whatever text: what is read as a URL, a host with a port, an address, a prefix or a route reads the same after it was written. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "tests/fuzz/must.h"

enum { URL_BYTES = 2048, INPUT_BYTES = 4096 };

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void add_encoded(struct strbuf *out, const char *text)
{
	for (; *text; text++)
		strbuf_printf(out, "%%%02X", (unsigned char)*text);
}

/** The URL with its credentials, everything in them escaped. */
static void write_url(const struct url *url, struct strbuf *out)
{
	bool literal = strchr(url->host, ':') != NULL;
	strbuf_printf(out, "%s://", url->scheme);
	if (url->user)
		add_encoded(out, url->user);
	if (url->password) {
		strbuf_add_char(out, ':');
		add_encoded(out, url->password);
	}
	strbuf_printf(out, "%s%s%s%s", url->user ? "@" : "", literal ? "[" : "", url->host, literal ? "]" : "");
	if (url->port_given)
		strbuf_printf(out, ":%d", url->port);
	strbuf_add(out, url->path);
}

static void check_parts(const struct url *url)
{
	MUST(*url->scheme && *url->host && *url->path == '/');
	MUST(!strchr(url->path, '#') && !strpbrk(url->host, " \t\r\n@/\\?#[]%"));
	MUST(url->user || !url->password);
	MUST(url->port_given ? url->port >= 1 && url->port <= 65535 : url->port == -1 || url->port >= 80);
	for (const char *at = url->host; *at; at++)
		MUST((unsigned char)*at > ' ' && !(*at >= 'A' && *at <= 'Z'));
}

static void check_report_form(struct arena *arena, const char *text, const struct url *url)
{
	struct url again;
	const char *shown = url_for_report(arena, text);
	if (strlen(shown) > URL_BYTES) /* one longer than the limit, by the "/" that was not written */
		return;
	MUST(url_parse(arena, shown, &again));
	MUST(same(again.scheme, url->scheme) && same(again.host, url->host) && again.port == url->port);
	MUST(!again.user && !again.password && !strchr(shown, '?') && !strchr(shown, '#'));
	MUST(same(url_for_report(arena, shown), shown));
	size_t path_length = strcspn(url->path, "?");
	MUST(strlen(again.path) == path_length && memcmp(again.path, url->path, path_length) == 0);
}

/** A name is below its own suffix, never the suffix itself. */
static void check_rule(struct arena *arena, const char *host)
{
	const char *below = arena_printf(arena, "x.%s.", host), *rule = arena_printf(arena, "*.%s", host);
	if (host[0] == '.' || host[strlen(host) - 1] == '.')
		return;
	MUST(rule_matches_host(rule, below) && rule_matches_host(host, host));
	MUST(!rule_matches_host(rule, host) && (host[0] == '*' || !rule_matches_host(host, below)));
}

static void check_url(struct arena *arena, const char *text)
{
	struct url url, again;
	struct strbuf written;
	if (!url_parse(arena, text, &url)) {
		MUST(same(url_for_report(arena, text), "(unreadable URL)"));
		return;
	}
	check_parts(&url);
	check_report_form(arena, text, &url);
	strbuf_init(&written);
	write_url(&url, &written);
	if (written.length <= URL_BYTES) {
		MUST(url_parse(arena, written.data, &again));
		MUST(same(again.scheme, url.scheme) && same(again.user, url.user) &&
		     same(again.password, url.password));
		MUST(same(again.host, url.host) && same(again.path, url.path));
		MUST(again.port == url.port && again.port_given == url.port_given);
	}
	strbuf_free(&written);
	check_rule(arena, url.host);
}

static void check_host_port(const char *text)
{
	char host[256], again[256], written[300];
	int port = 0, port_again = 0;
	if (!host_port_split(text, host, sizeof(host), &port))
		return;
	MUST(*host && (port == -1 || (port >= 1 && port <= 65535)));
	host_port_format(host, port > 0 ? port : 1, written, sizeof(written));
	MUST(host_port_split(written, again, sizeof(again), &port_again));
	MUST(same(host, again) && port_again == (port > 0 ? port : 1));
}

static void check_address(const char *text)
{
	struct address address, again;
	struct prefix prefix, prefix_again;
	char written[ADDRESS_TEXT_BYTES], written_prefix[PREFIX_TEXT_BYTES];
	if (address_parse(text, &address)) {
		MUST(address_parse(address_format(&address, written), &again) && address_equal(&address, &again));
		MUST(strlen(written) <= 39);
	}
	if (!prefix_parse(text, &prefix))
		return;
	MUST(prefix_parse(prefix_format(&prefix, written_prefix), &prefix_again));
	MUST(address_equal(&prefix.base, &prefix_again.base) && prefix.length == prefix_again.length);
	MUST(prefix_contains(&prefix, &prefix.base));
	for (unsigned i = 0; i < 5; i++) {
		struct address sample = prefix_sample(&prefix, i, 5);
		MUST(prefix_contains(&prefix, &sample));
		MUST(prefix.length > (prefix.base.family == 4 ? 30 : 126) || !address_equal(&sample, &prefix.base));
	}
}

static void check_via(struct arena *arena, const char *text)
{
	struct via via, again;
	if (!via_parse(arena, text, &via))
		return;
	MUST(via_parse(arena, via_format(arena, &via), &again));
	MUST(again.scheme == via.scheme && same(again.host, via.host) && again.port == via.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	size_t length = size < INPUT_BYTES ? size : INPUT_BYTES;
	const char *text = length ? arena_strndup(arena, (const char *)data, length) : "";
	check_url(arena, text);
	check_host_port(text);
	check_address(text);
	check_via(arena, text);
	arena_free(arena);
	return 0;
}
