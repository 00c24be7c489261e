#include "probe/engine/legs.h"

#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/os/os.h"
#include "probe/plan/proxy_contrasts.h"

/*
 * Each proxy of the run is watched: what became of the requests through it decides (proxy_contrasts.h) which extra ones are made, once per
 * proxy and side by side with the rest. A request that waits is suspicious after a fifth of the stage's time, so that what tells why ends
 * with it. No contrast carries credentials.
 */

enum { PATIENCE_SHARE = 5, LOOKS_PER_PATIENCE = 4, GRACE_US = 1500 * 1000 };

struct watched {
	const struct trial *trial;
	struct proxy_request request;
};

struct contrast {
	struct proxy_watch *watch;
	enum proxy_contrast kind;
	struct target target;
	struct transfer *transfer; /* NULL: not made, or done */
	uv_timer_t limit;
};

struct proxy_watch {
	struct proxy_watch *next;
	struct run *run;
	const char *name; /* "PROXY host:port" */
	struct via via;
	const char *address;
	struct path_list paths;
	struct watched *watched;
	size_t watched_count, watched_capacity;
	int64_t began_us;
	uv_timer_t timer;
	bool asked[PROXY_CONTRASTS];
	struct contrast contrasts[PROXY_CONTRASTS];
};

static int64_t now_us(const struct run *run)
{
	return os_monotonic_us() - run->started_us;
}

/* ------------------------------------------------------------------ what became of a request */

static bool is_tunnel(const struct trial *trial)
{
	enum via_scheme scheme = trial->leg->leg->via.scheme;
	const struct target *target = trial->leg->leg->target;
	bool by_http = scheme == VIA_HTTP || scheme == VIA_HTTPS;
	return !by_http || !target->url || strncasecmp(target->url, "http:", strlen("http:")) != 0;
}

static enum proxy_outcome outcome_of_status(int status, bool tunnel)
{
	switch (status) {
	case 407:
		return PROXY_ASKS;
	case 403:
	case 451:
		return PROXY_DENIES;
	case 500:
	case 502:
	case 503:
	case 504:
		return PROXY_BAD_GATEWAY;
	}
	bool relayed = !tunnel && status != 400 && status != NOT_MEASURED;
	return relayed ? PROXY_CARRIES : PROXY_SAYS_OTHER;
}

/* RFC 1928 6: 2 is a rule's no; without a number it is about the sign-in. */
static enum proxy_outcome outcome_of_socks(const struct proxy_exchange *proxy)
{
	if (proxy->socks_reply == 2)
		return PROXY_DENIES;
	return proxy->socks_reply == NOT_MEASURED ? PROXY_ASKS : PROXY_BAD_GATEWAY;
}

static enum proxy_outcome outcome_of_exchange(const struct observation *one, bool tunnel)
{
	bool spoken = one->failure == FAILURE_PROXY_STATUS || one->failure == FAILURE_NONE;
	if (one->failure == FAILURE_SOCKS_REFUSED)
		return outcome_of_socks(&one->proxy);
	if (spoken && one->failure == FAILURE_NONE && tunnel)
		return PROXY_TUNNEL_OPEN;
	if (spoken)
		return outcome_of_status(one->proxy.status, tunnel);
	bool silent = one->failure == FAILURE_TIMEOUT && one->proxy.status == NOT_MEASURED;
	return silent ? PROXY_WAITS : PROXY_NO_REPLY;
}

static bool brought_a_byte(const struct tls_handshake *tls)
{
	return tls->progress > TLS_HELLO_SENT || tls->plain_reply || tls->alert >= 0;
}

static enum proxy_outcome outcome_of(const struct transfer_result *result, bool tunnel)
{
	enum proxy_outcome outcome = PROXY_NOT_REACHED;
	for (size_t i = 0; i < result->observations.count; i++) {
		const struct observation *one = result->observations.items[i];
		bool beyond = one->op == OP_TLS_HANDSHAKE && strcmp(one->tls.peer, "target") == 0;
		if (one->op == OP_PROXY_EXCHANGE)
			outcome = outcome_of_exchange(one, tunnel);
		else if (beyond && outcome == PROXY_TUNNEL_OPEN)
			outcome = brought_a_byte(&one->tls) ? PROXY_CARRIES : PROXY_TUNNEL_DEAD;
	}
	return outcome;
}

/* ------------------------------------------------------------------ one contrast */

static void on_reply(struct transfer *transfer, void *user)
{
	struct contrast *contrast = user;
	struct proxy_watch *watch = contrast->watch;
	contrast->transfer = NULL;
	uv_timer_stop(&contrast->limit);
	watch->run->contrasts_open--;
	experiment_take(watch->run, transfer, proxy_contrast_text(contrast->kind), &watch->paths);
}

static void on_limit(uv_timer_t *timer)
{
	struct contrast *contrast = timer->data;
	if (contrast->transfer)
		transfer_cancel(contrast->transfer, FAILURE_TIMEOUT);
}

/* All that the requests through the proxy may take, and a moment more; one that begins late has that moment. */
static void limit_start(struct contrast *contrast)
{
	struct run *run = contrast->watch->run;
	int64_t left_us = contrast->watch->began_us + run->options->timeout_us + GRACE_US - now_us(run);
	if (left_us < GRACE_US)
		left_us = GRACE_US;
	uv_timer_init(&run->loop, &contrast->limit);
	contrast->limit.data = contrast;
	uv_timer_start(&contrast->limit, on_limit, (uint64_t)(left_us / 1000), 0);
}

static struct target target_of(const struct proxy_watch *watch, const struct proxy_wish *wish)
{
	struct arena *arena = watch->run->report->arena;
	char text[ADDRESS_TEXT_BYTES + 256];
	const char *host = wish->host ? wish->host : watch->via.host;
	int port = wish->host ? wish->port : watch->via.port;
	bool over_tls = !wish->host && watch->via.scheme == VIA_HTTPS;
	struct target target = {.kind = TARGET_TCP, .name = host, .host = host, .port = port};
	if (wish->host && wish->tunnel)
		return target;
	target.kind = TARGET_URL;
	target.url = arena_printf(arena, "%s://%s/", over_tls ? "https" : "http",
				  host_port_format(host, port, text, sizeof(text)));
	return target;
}

static void contrast_start(struct proxy_watch *watch, const struct proxy_wish *wish)
{
	struct run *run = watch->run;
	struct contrast *contrast = &watch->contrasts[wish->contrast];
	watch->asked[wish->contrast] = true;
	contrast->watch = watch;
	contrast->kind = wish->contrast;
	contrast->target = wish->target ? *wish->target : target_of(watch, wish);
	struct transfer_spec spec = {.target = &contrast->target, .address = watch->address};
	if (wish->host) {
		spec.via = watch->via;
		spec.target_address = run_address_of(run, wish->host);
	}
	if (wish->contrast == PROXY_TLS)
		spec.via.scheme = VIA_HTTPS;
	run->contrasts_open++;
	limit_start(contrast);
	contrast->transfer = transfer_start(run->pool, &spec, on_reply, contrast);
}

/* ------------------------------------------------------------------ the watch */

/* How far has a transfer come that is under way? */
static void update(struct watched *watched)
{
	const struct trial *trial = watched->trial;
	struct proxy_request *request = &watched->request;
	enum stage stage = trial->transfer ? transfer_stage(trial->transfer) : STAGE_NONE;
	request->address = run_address_of(trial->run, request->host);
	if (request->outcome <= PROXY_WAITS && stage > STAGE_PROXY && request->tunnel)
		request->outcome = PROXY_TUNNEL_OPEN;
	else if (request->outcome == PROXY_NOT_REACHED && stage >= STAGE_PROXY)
		request->outcome = PROXY_WAITS;
}

static void look(struct proxy_watch *watch)
{
	struct run *run = watch->run;
	struct proxy_wish wishes[PROXY_CONTRASTS];
	if (run->ending != FAILURE_NONE || !watch->watched_count)
		return;
	struct proxy_request *requests = arena_alloc(run->report->arena, watch->watched_count * sizeof(*requests));
	for (size_t i = 0; i < watch->watched_count; i++) {
		update(&watch->watched[i]);
		requests[i] = watch->watched[i].request;
	}
	struct proxy_known known = {
		.scheme = watch->via.scheme,
		.requests = requests,
		.count = watch->watched_count,
		.targets = run->report->targets,
		.target_count = run->report->target_count,
		.now_us = now_us(run),
		.patience_us = run->options->timeout_us / PATIENCE_SHARE,
	};
	memcpy(known.asked, watch->asked, sizeof(known.asked));
	size_t count = proxy_contrasts_wanted(&known, wishes);
	for (size_t i = 0; i < count; i++)
		contrast_start(watch, &wishes[i]);
}

static bool is_settled(const struct proxy_watch *watch)
{
	for (size_t i = 0; i < watch->watched_count; i++)
		if (!watch->watched[i].trial->ended)
			return false;
	return true;
}

static void on_timer(uv_timer_t *timer)
{
	struct proxy_watch *watch = timer->data;
	if (is_settled(watch))
		uv_timer_stop(timer);
	else
		look(watch);
}

static struct proxy_watch *watch_of(struct run *run, const struct via *via)
{
	const char *name = via_format(run->report->arena, via);
	for (struct proxy_watch *watch = run->proxies; watch; watch = watch->next)
		if (strcmp(watch->name, name) == 0)
			return watch;
	struct proxy_watch *watch = arena_alloc(run->report->arena, sizeof(*watch));
	watch->run = run;
	watch->name = name;
	watch->via = *via;
	watch->began_us = now_us(run);
	watch->next = run->proxies;
	run->proxies = watch;
	uv_timer_init(&run->loop, &watch->timer);
	watch->timer.data = watch;
	return watch;
}

static bool is_watched(const struct trial *trial)
{
	return trial->run->options->experiments && trial->leg->leg->via.scheme != VIA_DIRECT;
}

static void watch_add(struct proxy_watch *watch, const struct trial *trial)
{
	struct run *run = watch->run;
	const struct target *target = trial->leg->leg->target;
	watch->watched = arena_grow(run->report->arena, watch->watched, &watch->watched_capacity, watch->watched_count,
				    sizeof(*watch->watched));
	watch->watched[watch->watched_count++] = (struct watched){
		.trial = trial,
		.request = {.host = target->host,
			    .port = target->port,
			    .tunnel = is_tunnel(trial),
			    .since_us = now_us(run)},
	};
}

void proxy_contrast_begin(struct trial *trial)
{
	struct run *run = trial->run;
	if (!is_watched(trial))
		return;
	struct proxy_watch *watch = watch_of(run, &trial->leg->leg->via);
	const struct path_list *lists[] = {&trial->leg->leg->paths, &trial->leg->leg->unsigned_paths};
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->count; i++)
			if (!path_list_has(&watch->paths, lists[k]->items[i]))
				path_list_add(run->report->arena, &watch->paths, lists[k]->items[i]);
	watch_add(watch, trial);
	if (!watch->address)
		watch->address = trial->address;
	uint64_t every_ms = (uint64_t)(run->options->timeout_us / 1000 / PATIENCE_SHARE / LOOKS_PER_PATIENCE) + 1;
	if (!uv_is_active((const uv_handle_t *)&watch->timer))
		uv_timer_start(&watch->timer, on_timer, every_ms, every_ms);
}

void proxy_contrast_note(struct trial *trial, const struct transfer_result *result)
{
	if (!is_watched(trial))
		return;
	struct proxy_watch *watch = watch_of(trial->run, &trial->leg->leg->via);
	for (size_t i = 0; i < watch->watched_count; i++) {
		struct proxy_request *request = &watch->watched[i].request;
		if (watch->watched[i].trial != trial)
			continue;
		enum proxy_outcome outcome = outcome_of(result, request->tunnel);
		if (outcome == PROXY_TUNNEL_OPEN && result->failure == FAILURE_NONE)
			outcome = PROXY_CARRIES; /* a bare connection: no more was wanted */
		if (outcome > request->outcome || request->outcome == PROXY_ASKS)
			request->outcome = outcome;
		request->signed_in |= trial->login != NULL;
		if (outcome != PROXY_NOT_REACHED)
			watch->address = trial->address;
	}
	look(watch);
}

void proxy_contrast_cut(struct run *run, enum failure failure)
{
	for (struct proxy_watch *watch = run->proxies; watch; watch = watch->next)
		for (int i = 0; i < PROXY_CONTRASTS; i++)
			if (watch->contrasts[i].transfer)
				transfer_cancel(watch->contrasts[i].transfer, failure);
}
