#include "probe/engine/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/transfer_state.h"

enum { HOST_BYTES_MAX = 255, AUTHORITY_BYTES = HOST_BYTES_MAX + sizeof("[]:65535") };

const char *proxy_auth_text(enum proxy_auth auth)
{
	switch (auth) {
	case PROXY_AUTH_NONE:
		break;
	case PROXY_AUTH_BASIC:
		return "basic";
	case PROXY_AUTH_DIGEST:
		return "digest";
	case PROXY_AUTH_NTLM:
		return "ntlm";
	case PROXY_AUTH_NEGOTIATE:
		return "negotiate";
	}
	return NULL;
}

int64_t transfer_now_us(const struct transfer *transfer)
{
	return os_monotonic_us() - pool_options(transfer->pool)->run_started_us;
}

bool transfer_by_http_proxy(const struct transfer *transfer)
{
	return transfer->via.scheme == VIA_HTTP || transfer->via.scheme == VIA_HTTPS;
}

bool transfer_is_proxied_get(const struct transfer *transfer)
{
	return transfer_by_http_proxy(transfer) && !transfer->wants_tls && !transfer->raw;
}

/* ------------------------------------------------------------------ steps */

enum step transfer_step_after(const struct transfer *transfer, enum step step)
{
	switch (step) {
	case STEP_TCP:
		if (transfer->via.scheme == VIA_HTTPS)
			return STEP_TLS_PROXY;
		if (transfer->via.scheme != VIA_DIRECT)
			return STEP_PROXY;
		break;
	case STEP_TLS_PROXY:
		return STEP_PROXY;
	case STEP_PROXY:
		break;
	case STEP_TLS:
		return transfer->handshake_only ? STEP_DONE : STEP_HTTP;
	case STEP_HTTP:
	case STEP_DONE:
		return STEP_DONE;
	}
	if (transfer->raw)
		return STEP_DONE;
	return transfer->wants_tls ? STEP_TLS : STEP_HTTP;
}

/* Each step takes place in one observation; a step that was left and comes again (a sign-in's second connection) in the same one, but
 * for TCP and the proxy's TLS, which are handshakes of their own. */
static struct observation **slot_of(struct transfer *transfer, enum step step)
{
	switch (step) {
	case STEP_TCP:
		return &transfer->tcp;
	case STEP_TLS_PROXY:
		return &transfer->tls_proxy;
	case STEP_PROXY:
		return &transfer->proxy;
	case STEP_TLS:
		return &transfer->tls;
	case STEP_HTTP:
		return &transfer->http;
	case STEP_DONE:
		break;
	}
	return NULL;
}

static enum op op_of(enum step step)
{
	switch (step) {
	case STEP_TLS_PROXY:
	case STEP_TLS:
		return OP_TLS_HANDSHAKE;
	case STEP_PROXY:
		return OP_PROXY_EXCHANGE;
	case STEP_HTTP:
		return OP_HTTP_EXCHANGE;
	case STEP_TCP:
	case STEP_DONE:
		break;
	}
	return OP_TCP_CONNECT;
}

static void describe_tls(struct transfer *transfer, struct tls_handshake *tls, bool to_proxy)
{
	struct address literal;
	const char *host = to_proxy ? transfer->via.host : transfer->host;
	tls->tuple = transfer->socket.tuple;
	tls->peer = to_proxy ? "proxy" : "target";
	tls->sni = address_parse(host, &literal) ? NULL : host;
	if (!to_proxy && transfer->hello.sni)
		tls->sni = *transfer->hello.sni ? transfer->hello.sni : NULL;
	if (transfer->socket.is_limited)
		tls->segment_bytes = transfer->hello.segment_bytes;
	transfer->tls_looked_at = false;
}

static void step_describe(struct transfer *transfer, enum step step, struct observation *observation)
{
	switch (step) {
	case STEP_TCP:
		observation->tcp.peer = transfer->via.scheme == VIA_DIRECT ? "target" : "proxy";
		observation->tcp.tuple.proto = "tcp";
		break;
	case STEP_TLS_PROXY:
	case STEP_TLS:
		describe_tls(transfer, &observation->tls, step == STEP_TLS_PROXY);
		break;
	case STEP_PROXY:
		proxy_tap_open(transfer);
		break;
	case STEP_HTTP:
		observation->http.tuple = transfer->socket.tuple;
		observation->http.method = "GET";
		observation->http.url = url_for_report(transfer->arena, transfer->url);
		observation->http.by_proxy = transfer_is_proxied_get(transfer);
		break;
	case STEP_DONE:
		break;
	}
}

static void on_stage_over(uv_timer_t *timer)
{
	transfer_end(timer->data, (struct ending){.failure = FAILURE_TIMEOUT});
}

static void stage_timer_start(struct transfer *transfer)
{
	uv_update_time(pool_options(transfer->pool)->loop);
	uv_timer_start(&transfer->stage_timer, on_stage_over, (uint64_t)(transfer->timeout_us / 1000), 0);
	transfer->step_started_us = os_monotonic_us();
	if (!transfer->watch)
		return;
	atomic_store(&transfer->watch->step_started_us, transfer->step_started_us);
	atomic_store(&transfer->watch->step, (int)transfer->step);
}

static void step_open(struct transfer *transfer, enum step step)
{
	struct observation **slot = slot_of(transfer, step);
	transfer->step = step;
	stage_timer_start(transfer);
	if (!slot || *slot)
		return;
	*slot = arena_alloc(transfer->arena, sizeof(**slot));
	observation_init(*slot, op_of(step));
	(*slot)->start_us = transfer_now_us(transfer);
	observation_list_add(transfer->arena, &transfer->result.observations, *slot);
	step_describe(transfer, step, *slot);
}

static void bytes_write(const struct transfer *transfer, struct observation *observation)
{
	const struct socket_facts *facts = &transfer->socket;
	if (!facts->has_info)
		return;
	if (observation->op == OP_TLS_HANDSHAKE) {
		observation->tls.bytes_acked = facts->info.bytes_acked;
		observation->tls.bytes_received = facts->info.bytes_received;
	} else if (observation->op == OP_HTTP_EXCHANGE) {
		observation->http.bytes_acked = facts->info.bytes_acked;
	}
}

static void step_went_well(struct transfer *transfer)
{
	struct observation **slot = slot_of(transfer, transfer->step);
	if (!slot || !*slot)
		return;
	struct observation *observation = *slot;
	observation->duration_us = transfer_now_us(transfer) - observation->start_us;
	if (transfer->step == STEP_TCP)
		observation->tcp.tuple = transfer->socket.tuple;
	socket_tap_measure(transfer);
	bytes_write(transfer, observation);
	if (transfer->step == STEP_PROXY)
		proxy_tap_close(transfer, FAILURE_NONE);
	if (transfer->step == STEP_HTTP)
		http_tap_close(transfer, FAILURE_NONE, true);
}

static void note_connected(struct transfer *transfer)
{
	socket_tap_note_source(transfer);
	transfer->socket.connected = true;
	if (transfer->watch && transfer->watch->connected)
		transfer->watch->connected(transfer->watch, &transfer->socket.tuple);
}

void transfer_advance(struct transfer *transfer, enum step step)
{
	if (transfer->ended || transfer->step >= step)
		return;
	if (transfer->step == STEP_TCP)
		note_connected(transfer);
	step_went_well(transfer);
	step_open(transfer, step);
}

/* What the first connection showed is kept, but its end is not a failure: a proxy may close between two rounds. */
void transfer_reopen(struct transfer *transfer)
{
	if (transfer->step == STEP_TCP && !transfer->socket.tuple.dst)
		return;
	transfer->tcp = NULL;
	transfer->tls_proxy = NULL;
	step_open(transfer, STEP_TCP);
}

/* ------------------------------------------------------------------ life */

void transfer_end_soon(struct transfer *transfer)
{
	pool_end_soon(transfer->pool, transfer);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct transfer *transfer = handle->data;
	if (--transfer->open_timers == 0)
		free(transfer);
}

static void handles_free(struct transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	curl_share_cleanup(transfer->share);
	curl_slist_free_all(transfer->pins);
	EVP_MD_CTX_free(transfer->body.digest);
	strbuf_free(&transfer->body.kept);
	uv_close((uv_handle_t *)&transfer->stage_timer, on_timer_closed);
	uv_close((uv_handle_t *)&transfer->hold_timer, on_timer_closed);
}

void transfer_end(struct transfer *transfer, struct ending ending)
{
	if (transfer->ended)
		return;
	pool_forget(transfer->pool, transfer);
	uv_timer_stop(&transfer->stage_timer);
	uv_timer_stop(&transfer->hold_timer);
	bool refused_get = transfer_is_proxied_get(transfer) && transfer->step == STEP_PROXY; /* 407 */
	if (ending.by_curl && ending.code == CURLE_OK && !refused_get)
		transfer_advance(transfer, STEP_DONE);
	socket_tap_measure(transfer);
	tls_tap_detach(transfer);
	transfer->ended = true;
	pool_remove(transfer->pool, transfer);
	outcome_write(transfer, ending);
	transfer->done(transfer, transfer->user);
	handles_free(transfer);
}

void transfer_cancel(struct transfer *transfer, enum failure failure)
{
	transfer_end(transfer, (struct ending){.failure = failure});
}

const struct transfer_result *transfer_result(const struct transfer *transfer)
{
	return &transfer->result;
}

/* Behind a proxy the connection's bytes are the proxy's own. */
static bool has_begun(const struct transfer *transfer)
{
	bool direct_bytes = transfer->via.scheme == VIA_DIRECT && transfer->socket.info.bytes_received > 0;
	return transfer->tls && (transfer->tls->tls.progress >= TLS_SERVER_HELLO || direct_bytes);
}

void transfer_silence(struct transfer *transfer, struct transfer_silence *out)
{
	const struct socket_facts *facts = &transfer->socket;
	socket_tap_measure(transfer);
	*out = (struct transfer_silence){.stage = transfer_stage(transfer), .since_us = transfer->step_started_us};
	out->rtt_us = facts->has_info && facts->info.rtt_us > 0 ? facts->info.rtt_us : 0;
	out->has_begun = has_begun(transfer);
	out->is_acknowledged = !facts->has_info || facts->info.unacked == 0;
}

/* ------------------------------------------------------------------ start */

/* What libcurl takes for a name exactly as we do: no international names, which it would translate and then look up itself. */
static bool is_plain_host(const char *host)
{
	size_t length = strlen(host);
	return length && length <= HOST_BYTES_MAX &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:") == length;
}

/* The URL is put together anew from its parts, so that libcurl reads it as we did. */
static bool url_take(struct transfer *transfer, const char *text)
{
	struct url url;
	char authority[AUTHORITY_BYTES];
	if (!url_parse(transfer->arena, text, &url))
		return false;
	bool known = strcmp(url.scheme, "http") == 0 || strcmp(url.scheme, "https") == 0;
	if (!known || !is_plain_host(url.host))
		return false;
	transfer->wants_tls = strcmp(url.scheme, "https") == 0;
	transfer->host = url.host;
	transfer->port = url.port;
	host_port_format(url.host, url.port, authority, sizeof(authority));
	if (!url.port_given)
		*strrchr(authority, ':') = '\0';
	transfer->url = arena_printf(transfer->arena, "%s://%s%s", url.scheme, authority, url.path);
	return true;
}

static bool spec_take(struct transfer *transfer, const struct transfer_spec *spec)
{
	struct arena *arena = transfer->arena;
	const struct target *target = spec->target;
	char authority[AUTHORITY_BYTES];
	transfer->via = spec->via;
	transfer->via.host = arena_strdup(arena, spec->via.host);
	transfer->address = arena_strdup(arena, spec->address);
	transfer->target_address = arena_strdup(arena, spec->target_address);
	transfer->auth = spec->auth;
	transfer->expect_body = arena_strdup(arena, target->expect.body);
	transfer->hello = spec->hello;
	transfer->hello.sni = arena_strdup(arena, spec->hello.sni);
	if (transfer->via.host && !is_plain_host(transfer->via.host))
		return false;
	if (target->kind == TARGET_URL)
		return url_take(transfer, spec->url ? spec->url : target->url);
	transfer->raw = true;
	transfer->host = arena_strdup(arena, target->host);
	transfer->port = target->port;
	host_port_format(target->host, target->port, authority, sizeof(authority));
	transfer->url = arena_printf(arena, "http://%s/", authority);
	return is_plain_host(target->host);
}

static void on_cannot_start(uv_timer_t *timer)
{
	transfer_end(timer->data, (struct ending){.failure = FAILURE_UNKNOWN});
}

static void timers_init(struct transfer *transfer)
{
	uv_loop_t *loop = pool_options(transfer->pool)->loop;
	uv_timer_init(loop, &transfer->stage_timer);
	uv_timer_init(loop, &transfer->hold_timer);
	transfer->stage_timer.data = transfer;
	transfer->hold_timer.data = transfer;
	transfer->open_timers = 2;
}

struct transfer *transfer_start_watched(struct transfer_pool *pool, const struct transfer_spec *spec,
					struct transfer_watch *watch, transfer_done_cb done, void *user)
{
	struct transfer *transfer = xcalloc(1, sizeof(*transfer));
	transfer->pool = pool;
	transfer->arena = transfer->result.arena = arena_new();
	transfer->done = done;
	transfer->user = user;
	transfer->watch = watch;
	transfer->handshake_only = spec->handshake_only;
	transfer->timeout_us = spec->timeout_us ? spec->timeout_us : pool_options(pool)->timeout_us;
	transfer->body.keep = spec->keep_body_bytes > 0;
	transfer->body.limit = transfer->body.keep ? (int64_t)spec->keep_body_bytes : BODY_BYTES_MAX;
	strbuf_init(&transfer->body.kept);
	timers_init(transfer);
	bool ready = spec_take(transfer, spec);
	http_tap_reset(transfer);
	step_open(transfer, STEP_TCP);
	if (ready && transfer_options_set(transfer, spec) && pool_add(pool, transfer))
		transfer->in_multi = true;
	else
		uv_timer_start(&transfer->stage_timer, on_cannot_start, 0, 0);
	return transfer;
}

struct transfer *transfer_start(struct transfer_pool *pool, const struct transfer_spec *spec, transfer_done_cb done,
				void *user)
{
	return transfer_start_watched(pool, spec, NULL, done, user);
}
