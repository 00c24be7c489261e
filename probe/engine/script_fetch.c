#include "probe/engine/script_fetch.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/text.h"
#include "probe/core/url.h"
#include "probe/engine/hostile.h"
#include "probe/os/os.h"
#include "probe/settings/encoding.h"
#include "probe/settings/pac_child.h"

#define EXPERIMENT "pac_download"

enum { REDIRECTS_MAX = 8, TIMEOUTS_MAX = 3 }; /* no address is begun later than so many timeouts after the start */

struct script_fetch {
	struct script_fetch_options options;
	struct arena *arena;
	struct path_list paths;
	const char *url; /* of this hop */
	struct url parts;
	struct target target;
	struct lookup *lookup;
	struct transfer *transfer;
	size_t next_address, tried;
	int redirects;
	int64_t started_us;
	const char *last_words; /* why the last address did not do */
	enum failure last_failure;
	enum failure cancelled; /* NONE: not */
	uv_timer_t timer;
	bool ended;
	struct script_fetch_result result;
};

static void on_timer_closed(uv_handle_t *handle)
{
	(void)handle; /* all lives in the report's arena */
}

static void fetch_end(struct script_fetch *fetch)
{
	if (fetch->ended)
		return;
	fetch->ended = true;
	uv_close((uv_handle_t *)&fetch->timer, on_timer_closed);
	fetch->options.done(fetch, &fetch->result, fetch->options.user);
}

static void refuse(struct script_fetch *fetch, const char *error, enum failure failure, const char *message)
{
	fetch->result.error = error;
	fetch->result.failure = failure;
	fetch->result.message = message;
	fetch_end(fetch);
}

/* ------------------------------------------------------------------ what came */

static const char *lower_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_strndup(arena, text, length);
	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

/* "text/html" of "Text/HTML; charset=utf-8" (RFC 9110 8.3.1). */
static const char *media_type(struct arena *arena, const char *value)
{
	size_t length = strcspn(value, ";");
	while (length && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		length--;
	return length ? lower_copy(arena, value, length) : NULL;
}

static const char *charset_of(struct arena *arena, const char *value)
{
	const char *at = text_find_nocase(value, "charset=");
	if (!at)
		return NULL;
	at += strlen("charset=");
	at += *at == '"' || *at == '\'';
	return arena_strndup(arena, at, strcspn(at, "\"'; \t"));
}

static bool ends_as_script(const char *path)
{
	static const char *const ends[] = {".dat", ".js", ".pac", ".jvs"};
	size_t length = strcspn(path, "?");
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t wanted = strlen(ends[i]);
		if (length >= wanted && strncasecmp(path + length - wanted, ends[i], wanted) == 0)
			return true;
	}
	return false;
}

/* Windows' proxy service goes by the type or, where that is another, by the path (KB4025058). NULL: it takes the script. */
static const char *windows_remark(struct script_fetch *fetch)
{
	struct url first;
	const char *mime = fetch->result.mime;
	if (mime && strcmp(mime, "application/x-ns-proxy-autoconfig") == 0)
		return NULL;
	if (ends_as_script(fetch->parts.path) ||
	    (url_parse(fetch->arena, fetch->options.url, &first) && ends_as_script(first.path)))
		return NULL;
	return arena_printf(fetch->arena,
			    "Windows' own proxy service may refuse it: it came as %s and not as "
			    "application/x-ns-proxy-autoconfig, and its path does not end in .dat, .js, .pac or .jvs",
			    mime ? mime : "no media type");
}

static const char *what_came(struct script_fetch *fetch, const char *text, const struct http_exchange *http)
{
	const char *mime = fetch->result.mime;
	const char *coding = header_find(&http->headers, "content-encoding");
	const char *first = text + strspn(text, " \t\r\n");
	if (!*text)
		return "an empty answer came";
	if (coding && strcasecmp(coding, "identity") != 0)
		return arena_printf(fetch->arena, "the answer came compressed (%s), which was not asked for", coding);
	if ((mime && strcmp(mime, "text/html") == 0) || text_find_nocase(first, "<html") || *first == '<')
		return "a web page came in its place (an error page or a sign-in page?)";
	return arena_printf(fetch->arena, "what came has no function FindProxyForURL (%zu bytes, %s)",
			    fetch->result.length, mime ? mime : "no media type");
}

static void script_take(struct script_fetch *fetch, const struct transfer_result *result,
			const struct http_exchange *http)
{
	struct script_fetch_result *out = &fetch->result;
	const char *type = header_find(&http->headers, "content-type");
	struct strbuf text;
	strbuf_init(&text);
	encoding_add_script(&text, type ? charset_of(fetch->arena, type) : NULL, result->body.bytes,
			    result->body.length);
	out->text = arena_strndup(fetch->arena, text.data, text.length);
	out->length = text.length;
	out->bytes = (int64_t)result->body.length;
	out->sha256 = http->body_sha256;
	strbuf_free(&text);
	if (!strstr(out->text, "FindProxyForURL")) { /* FindProxyForURLEx too */
		const char *came = what_came(fetch, out->text, http);
		out->text = NULL;
		out->length = 0;
		refuse(fetch, "not_script", FAILURE_NONE, came);
		return;
	}
	out->message = windows_remark(fetch);
	fetch_end(fetch);
}

/* ------------------------------------------------------------------ answers */

static bool hop_begin(struct script_fetch *fetch, const char *url);

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void redirect_follow(struct script_fetch *fetch, const char *location)
{
	struct url next;
	struct arena *arena = fetch->arena;
	if (++fetch->redirects > REDIRECTS_MAX) {
		refuse(fetch, "unreachable", FAILURE_NONE,
		       arena_printf(arena, "after %d redirects there was one more", REDIRECTS_MAX));
		return;
	}
	bool readable = url_parse(arena, location, &next);
	if (readable && strcmp(fetch->parts.scheme, "https") == 0 && strcmp(next.scheme, "http") == 0) {
		refuse(fetch, "unreachable", FAILURE_NONE,
		       "it is redirected from https: to http:, which WinHTTP does not follow by default");
		return;
	}
	if (!hop_begin(fetch, location))
		refuse(fetch, "unreachable", FAILURE_NONE,
		       "it is redirected to an address that is neither http: nor https:");
}

static void answer_take(struct script_fetch *fetch, const struct transfer_result *result,
			const struct http_exchange *http)
{
	struct arena *arena = fetch->arena;
	const char *type = header_find(&http->headers, "content-type");
	int status = fetch->result.status = http->status;
	fetch->result.mime = type ? media_type(arena, type) : NULL;
	if (is_redirect(status) && result->location)
		redirect_follow(fetch, result->location);
	else if (status == 401 || status == 407)
		refuse(fetch, "needs_auth", FAILURE_NONE,
		       arena_printf(arena, "the server wants a sign-in (%d), and nobody signs in for a PAC script",
				    status));
	else if (status != 200)
		refuse(fetch, "unreachable", FAILURE_NONE, arena_printf(arena, "the server answered %d", status));
	else if (result->body.cut)
		refuse(fetch, "too_large", FAILURE_NONE,
		       arena_printf(arena, "it has more than %d bytes, and Windows takes no more",
				    PAC_SCRIPT_BYTES_MAX));
	else if (!result->body.whole)
		refuse(fetch, "unreachable", FAILURE_EOF,
		       arena_printf(arena, "the answer broke off after %zu bytes", result->body.length));
	else
		script_take(fetch, result, http);
}

/* ------------------------------------------------------------------ one address after another */

static void address_next(struct script_fetch *fetch);

static const char *stage_words(enum stage stage)
{
	switch (stage) {
	case STAGE_TLS:
		return "no TLS session";
	case STAGE_HTTP:
		return "no HTTP answer";
	case STAGE_NONE:
	case STAGE_HOST:
	case STAGE_SETTINGS:
	case STAGE_DNS:
	case STAGE_TCP:
	case STAGE_PROXY:
		break;
	}
	return "no connection";
}

static void failure_note(struct script_fetch *fetch, const struct transfer_result *result)
{
	char authority[512];
	const char *address = fetch->lookup->addresses[fetch->next_address - 1].address;
	fetch->last_failure = result->failure;
	fetch->last_words = arena_printf(fetch->arena, "%s with %s (%s)", stage_words(result->stage),
					 host_port_format(address, fetch->parts.port, authority, sizeof(authority)),
					 failure_text(result->failure));
}

/* Scripts hold passwords, and their SHA-256 tells which one came; of a page in place of one, its words tell whose it is. */
static void hide_script(struct http_exchange *http)
{
	const char *head = http->body_head ? http->body_head : "";
	if (http->status == 200 && head[strspn(head, " \t\r\n")] != '<')
		http->body_head = NULL;
}

static const struct http_exchange *observations_take(struct script_fetch *fetch, const struct transfer_result *result)
{
	const struct http_exchange *http = NULL;
	struct report *report = fetch->options.report;
	arena_adopt(report->arena, result->arena);
	for (size_t i = 0; i < result->observations.count; i++) {
		struct observation *observation = result->observations.items[i];
		report_take_observation(report, observation);
		observation->experiment = EXPERIMENT;
		for (size_t k = 0; k < fetch->paths.count; k++)
			path_list_add(report->arena, &observation->paths, fetch->paths.items[k]);
		if (observation->op == OP_HTTP_EXCHANGE) {
			hide_script(&observation->http);
			http = &observation->http;
		}
	}
	return http;
}

static void on_transfer(struct transfer *transfer, void *user)
{
	struct script_fetch *fetch = user;
	struct transfer_result result = *transfer_result(transfer);
	fetch->transfer = NULL;
	const struct http_exchange *http = observations_take(fetch, &result);
	if (fetch->cancelled != FAILURE_NONE)
		return;
	if (result.failure == FAILURE_NONE && http) {
		answer_take(fetch, &result, http);
		return;
	}
	failure_note(fetch, &result);
	address_next(fetch);
}

static void address_try(struct script_fetch *fetch, const char *address)
{
	struct transfer_spec spec = {
		.target = &fetch->target, .address = address, .keep_body_bytes = PAC_SCRIPT_BYTES_MAX};
	fetch->tried++;
	fetch->transfer = transfer_start(fetch->options.pool, &spec, on_transfer, fetch);
}

static void addresses_are_over(struct script_fetch *fetch)
{
	const char *host = fetch->parts.host;
	if (fetch->tried == 0)
		refuse(fetch, "unreachable", fetch->lookup->failure,
		       arena_printf(fetch->arena, "the name %s has no address (%s)", host,
				    failure_text(fetch->lookup->failure)));
	else if (fetch->tried == 1)
		refuse(fetch, "unreachable", fetch->last_failure, fetch->last_words);
	else
		refuse(fetch, "unreachable", fetch->last_failure,
		       arena_printf(fetch->arena, "none of %zu addresses of %s did; the last one: %s", fetch->tried,
				    host, fetch->last_words));
}

static void address_next(struct script_fetch *fetch)
{
	const struct lookup *lookup = fetch->lookup;
	const struct resolver *resolver = fetch->options.resolver;
	bool late = os_monotonic_us() - fetch->started_us > TIMEOUTS_MAX * resolver->timeout_us;
	while (!late && fetch->next_address < lookup->count) {
		const struct resolved_address *address = &lookup->addresses[fetch->next_address++];
		if (address->by_system) {
			address_try(fetch, address->address);
			return;
		}
	}
	bool more_may_come = !resolver->system_lookup && !lookup->done && !late;
	if (!more_may_come)
		addresses_are_over(fetch);
}

static void on_lookup(struct lookup *lookup, void *user)
{
	struct script_fetch *fetch = user;
	if (!fetch->ended && fetch->cancelled == FAILURE_NONE && lookup == fetch->lookup && !fetch->transfer)
		address_next(fetch);
}

/* ------------------------------------------------------------------ hops */

static bool hop_begin(struct script_fetch *fetch, const char *url)
{
	struct arena *arena = fetch->arena;
	struct url *parts = &fetch->parts;
	struct lookup_options options = {.experiment = EXPERIMENT, .settled = on_lookup, .done = on_lookup};
	if (!url_parse(arena, url, parts) ||
	    (strcmp(parts->scheme, "http") != 0 && strcmp(parts->scheme, "https") != 0))
		return false;
	fetch->url = arena_strdup(arena, url);
	fetch->target = (struct target){
		.kind = TARGET_URL, .name = parts->host, .url = fetch->url, .host = parts->host, .port = parts->port};
	fetch->next_address = fetch->tried = 0;
	options.name = parts->host;
	options.user = fetch;
	fetch->lookup = lookup_start_with(fetch->options.resolver, &options);
	for (size_t i = 0; i < fetch->paths.count; i++)
		path_list_add(arena, &fetch->lookup->paths, fetch->paths.items[i]);
	return true;
}

static const char *address_problem(struct arena *arena, const char *url)
{
	size_t scheme = strcspn(url, ":/\\");
	if (url[scheme] == ':' && scheme > 1 && strncasecmp(url, "http", 4) != 0)
		return arena_printf(arena, "Windows takes no PAC script from a %s: address, only from http: and https:",
				    hostile_text(arena, url, scheme < 16 ? scheme : 16));
	return "it is no http: or https: address, and Windows takes a PAC script from no other";
}

static void on_bad_address(uv_timer_t *timer)
{
	struct script_fetch *fetch = timer->data;
	refuse(fetch, "bad_address", FAILURE_NONE, address_problem(fetch->arena, fetch->options.url));
}

struct script_fetch *script_fetch_start(const struct script_fetch_options *options)
{
	struct arena *arena = options->report->arena;
	struct script_fetch *fetch = arena_alloc(arena, sizeof(*fetch));
	fetch->arena = arena;
	fetch->options = *options;
	fetch->options.url = arena_strdup(arena, options->url);
	fetch->started_us = os_monotonic_us();
	fetch->result.status = NOT_MEASURED;
	fetch->result.bytes = NOT_MEASURED;
	for (size_t i = 0; options->paths && i < options->paths->count; i++)
		path_list_add(arena, &fetch->paths, options->paths->items[i]);
	uv_timer_init(options->resolver->loop, &fetch->timer);
	fetch->timer.data = fetch;
	if (!hop_begin(fetch, options->url))
		uv_timer_start(&fetch->timer, on_bad_address, 0, 0);
	return fetch;
}

void script_fetch_cancel(struct script_fetch *fetch, enum failure failure)
{
	if (fetch->ended)
		return;
	fetch->cancelled = failure;
	if (fetch->transfer)
		transfer_cancel(fetch->transfer, failure);
	if (fetch->lookup)
		lookup_cancel(fetch->lookup, failure);
	refuse(fetch, "unreachable", failure, "the run ended before an answer came");
}
