#include "probe/engine/experiments.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/connect.h"
#include "probe/engine/hello_bytes.h"
#include "probe/engine/legs.h"
#include "probe/engine/tcp_watch.h"
#include "probe/engine/walk.h"
#include "probe/os/os.h"
#include "probe/plan/experiments.h"

enum {
	TICK_MS = 20,
	SUSPICION_US = 1000 * 1000, /* a silence of that length, or of three round trips */
	SUSPICION_ROUND_TRIPS = 3,
	LAST_CALL_MS = 1400, /* after the last leg, and a whole stage's time at least */
	LINGER_US = 1000 * 1000
};

/* No TLS record, no HTTP request, and not the beginning of one (RFC 8446 5.1: a record starts with 20 to 23). */
static const uint8_t junk[] = "\x01marsprobe: no TLS\r\n\r\n";

/** One wish under way. */
struct conduct {
	struct experiments *experiments;
	struct wish *wish;
	struct conduct *next;
	struct walk *walk; /* one of these, NULL once it has ended */
	struct connect_probe *probe;
	struct transfer *transfer;
};

struct experiments {
	struct run *run;
	struct experiment_plan plan;
	uv_timer_t tick, last_call;
	size_t begun; /* of plan.wishes */
	size_t open;
	struct conduct *conducts;
	struct tcp_watch *watch; /* NULL without the rights */
	bool hurried, ended;
};

static const char *text_of(const struct wish *wish)
{
	return experiment_row(wish->experiment)->id;
}

static void go_on(struct experiments *experiments);

static void conduct_end(struct conduct *conduct)
{
	struct experiments *experiments = conduct->experiments;
	conduct->wish->done = true;
	experiments->open--;
	if (!experiments->ended)
		go_on(experiments);
}

static void add_paths(struct run *run, const struct wish *wish, struct observation *observation)
{
	for (size_t i = 0; i < wish->about->paths.count; i++)
		path_list_add(run->report->arena, &observation->paths, wish->about->paths.items[i]);
}

/* ------------------------------------------------------------------ walks */

static void on_walk(struct walk *walk, void *user)
{
	struct conduct *conduct = user;
	(void)walk;
	conduct->walk = NULL;
	conduct_end(conduct);
}

static enum walk_kind walk_kind_of(enum experiment experiment)
{
	if (experiment == EXPERIMENT_WALK_UDP)
		return WALK_UDP;
	if (experiment == EXPERIMENT_WALK_ECHO)
		return WALK_ECHO;
	return experiment == EXPERIMENT_WALK_HELLO ? WALK_HELLO : WALK_SYN;
}

static void walk_begin(struct conduct *conduct)
{
	struct run *run = conduct->experiments->run;
	const struct wish *wish = conduct->wish;
	struct walk_spec spec = {.address = wish->address,
				 .port = wish->port,
				 .kind = walk_kind_of(wish->experiment),
				 .experiment = text_of(wish),
				 .ttl_from = wish->ttl_from,
				 .ttl_to = wish->ttl_to,
				 .flow = wish->flow,
				 .patience_us = wish->patience_us,
				 .paths = &wish->about->paths};
	if (spec.kind == WALK_HELLO)
		spec.payload = hello_bytes(run->report->arena, wish->sni, &spec.payload_bytes);
	conduct->walk = walk_start(&run->loop, run->report, run->started_us, &spec, on_walk, conduct);
}

/* ------------------------------------------------------------------ connections */

static void on_connect(struct connect_probe *probe, void *user)
{
	struct conduct *conduct = user;
	(void)probe;
	conduct->probe = NULL;
	conduct_end(conduct);
}

static void connect_with(struct conduct *conduct, struct connect_spec *spec)
{
	struct run *run = conduct->experiments->run;
	const struct wish *wish = conduct->wish;
	struct observation *observation = report_add_observation(run->report, OP_TCP_CONNECT);
	observation->experiment = text_of(wish);
	observation->tcp.peer = wish->about->via.scheme == VIA_DIRECT ? "target" : "proxy";
	add_paths(run, wish, observation);
	spec->address = wish->address;
	spec->port = wish->port;
	spec->min_ttl = wish->min_ttl;
	spec->timeout_us = wish->patience_us;
	conduct->probe =
		connect_start(&run->loop, run->report->arena, observation, spec, run->started_us, on_connect, conduct);
}

static void connect_begin(struct conduct *conduct)
{
	const struct wish *wish = conduct->wish;
	struct connect_spec spec = {0};
	size_t bytes = 0;
	if (wish->experiment == EXPERIMENT_JUNK_BYTE) {
		spec.payload = junk;
		spec.payload_bytes = sizeof(junk) - 1;
	} else if (wish->says_hello) {
		spec.payload = hello_bytes(conduct->experiments->run->report->arena, wish->sni, &bytes);
		spec.payload_bytes = (uint16_t)bytes;
	}
	if (spec.payload || wish->experiment == EXPERIMENT_IMPOSSIBLE_PORT)
		spec.linger_us = wish->patience_us < LINGER_US ? wish->patience_us : LINGER_US;
	connect_with(conduct, &spec);
}

/* ------------------------------------------------------------------ handshakes */

static void on_handshake(struct transfer *transfer, void *user)
{
	struct conduct *conduct = user;
	conduct->transfer = NULL;
	experiment_take(conduct->experiments->run, transfer, text_of(conduct->wish), &conduct->wish->about->paths);
	conduct_end(conduct);
}

static int version_of(enum experiment experiment)
{
	if (experiment == EXPERIMENT_TLS_1_2)
		return HELLO_TLS_1_2;
	return experiment == EXPERIMENT_TLS_1_3 ? HELLO_TLS_1_3 : HELLO_TLS_ANY;
}

static void handshake_begin(struct conduct *conduct)
{
	struct run *run = conduct->experiments->run;
	const struct wish *wish = conduct->wish;
	struct transfer_spec spec = {.target = wish->about->target,
				     .via = wish->about->via,
				     .address = wish->address,
				     .target_address = wish->about->target_address,
				     .hello = {.sni = wish->sni,
					       .extra_bytes = wish->extra_bytes,
					       .version = version_of(wish->experiment),
					       .segment_bytes = wish->segment_bytes},
				     .handshake_only = true,
				     .timeout_us = wish->patience_us};
	conduct->transfer = transfer_start(run->pool, &spec, on_handshake, conduct);
}

/* ------------------------------------------------------------------ carrying out */

static void wish_begin(struct experiments *experiments, struct wish *wish)
{
	struct conduct *conduct = arena_alloc(experiments->run->report->arena, sizeof(*conduct));
	conduct->experiments = experiments;
	conduct->wish = wish;
	conduct->next = experiments->conducts;
	experiments->conducts = conduct;
	experiments->open++;
	switch (experiment_row(wish->experiment)->way) {
	case EXPERIMENT_BY_WALK:
		walk_begin(conduct);
		return;
	case EXPERIMENT_BY_CONNECT:
		connect_begin(conduct);
		return;
	case EXPERIMENT_BY_HANDSHAKE:
		handshake_begin(conduct);
		return;
	case EXPERIMENT_ELSEWHERE:
		break;
	}
	conduct_end(conduct);
}

/* A wish's end may come before the next is begun, and calls here again: the count is taken before. */
static void go_on(struct experiments *experiments)
{
	struct experiment_plan *plan = &experiments->plan;
	if (experiments->ended || experiments->run->ending != FAILURE_NONE)
		return;
	tcp_watch_write(experiments->watch, experiments->run->report);
	experiments_choose(plan, experiments->run->report);
	while (experiments->begun < plan->wish_count)
		wish_begin(experiments, plan->wishes[experiments->begun++]);
}

void experiments_finish(struct run *run)
{
	if (run->experiments)
		tcp_watch_write(run->experiments->watch, run->report);
}

bool experiments_open(const struct run *run)
{
	return run->experiments && run->experiments->open > 0;
}

static void conduct_cut(struct conduct *conduct, enum failure failure)
{
	if (conduct->walk)
		walk_cancel(conduct->walk, failure);
	else if (conduct->probe)
		connect_cancel(conduct->probe, failure);
	else if (conduct->transfer)
		transfer_cancel(conduct->transfer, failure);
}

void experiments_cut(struct run *run, enum failure failure)
{
	struct experiments *experiments = run->experiments;
	if (!experiments || experiments->ended)
		return;
	experiments->ended = true;
	uv_timer_stop(&experiments->tick);
	for (struct conduct *conduct = experiments->conducts; conduct; conduct = conduct->next)
		conduct_cut(conduct, failure);
}

static void on_last_call(uv_timer_t *timer)
{
	struct experiments *experiments = timer->data;
	experiments_cut(experiments->run, FAILURE_DEADLINE);
}

/* ------------------------------------------------------------------ symptoms */

static struct symptom symptom_of(const struct trial *trial, enum symptom_kind kind)
{
	const struct leg *leg = trial->leg->leg;
	struct transfer_spec spec = trial_spec(trial, NULL);
	struct symptom symptom = {.kind = kind,
				  .target = leg->target,
				  .via = leg->via,
				  .address = trial->address,
				  .target_address = spec.target_address,
				  .port = leg->via.scheme == VIA_DIRECT ? leg->target->port : leg->via.port,
				  .is_tls = leg->target->url && strncmp(leg->target->url, "https:", 6) == 0};
	struct arena *arena = trial->run->report->arena;
	for (size_t i = 0; i < leg->paths.count; i++)
		path_list_add(arena, &symptom.paths, leg->paths.items[i]);
	for (size_t i = 0; i < leg->unsigned_paths.count && !trial->unsigned_end.ended; i++)
		path_list_add(arena, &symptom.paths, leg->unsigned_paths.items[i]);
	return symptom;
}

static void note(struct trial *trial, enum symptom_kind kind, bool is_acknowledged)
{
	struct symptom symptom = symptom_of(trial, kind);
	symptom.is_acknowledged = is_acknowledged;
	symptom_note(&trial->run->experiments->plan, &symptom);
}

static bool was_closed(enum failure failure)
{
	return failure == FAILURE_CONNECTION_RESET || failure == FAILURE_EOF;
}

/* Nothing left this machine, or its own filter kept it back: no contrast of the network's can help. */
static bool is_own_refusal(const struct observation *tcp)
{
	bool held_back = tcp->tcp.has_tcp_info && tcp->tcp.tcp_info.held_back > 0;
	bool forbidden = tcp->failure == FAILURE_PERMISSION_DENIED && !tcp->tcp.icmp.from; /* Linux: by ICMPv6 too */
	return forbidden || held_back || !tcp->tcp.tuple.src;
}

static void note_tcp(struct trial *trial, const struct observation *tcp)
{
	if (is_own_refusal(tcp))
		return;
	if (tcp->tcp.icmp.from)
		note(trial, SYMPTOM_SYN_REJECTED, false);
	else if (tcp->failure == FAILURE_TIMEOUT)
		note(trial, SYMPTOM_SYN_SILENT, false);
	else if (tcp->failure == FAILURE_CONNECTION_REFUSED || tcp->failure == FAILURE_CONNECTION_RESET)
		note(trial, SYMPTOM_SYN_REFUSED, false);
}

/* Behind a proxy the bytes are the proxy's own. */
static bool has_begun(const struct trial *trial, const struct tls_handshake *tls)
{
	return tls->progress >= TLS_SERVER_HELLO ||
	       (trial->leg->leg->via.scheme == VIA_DIRECT && tls->bytes_received > 0);
}

static void note_tls(struct trial *trial, const struct observation *one)
{
	const struct tls_handshake *tls = &one->tls;
	bool acknowledged = tls->bytes_acked == NOT_MEASURED || tls->bytes_acked > 1;
	if (tls->plain_reply)
		return;
	if (was_closed(one->failure))
		note(trial, tls->progress >= TLS_SERVER_HELLO ? SYMPTOM_HANDSHAKE_CUT : SYMPTOM_HELLO_CLOSED, true);
	else if (one->failure == FAILURE_TIMEOUT)
		note(trial, has_begun(trial, tls) ? SYMPTOM_HANDSHAKE_STALLED : SYMPTOM_HELLO_SILENT, acknowledged);
}

/* One handshake that went well is enough to ask whether full packets get through (the plan says why). */
static void note_healthy(struct trial *trial)
{
	struct symptom symptom = symptom_of(trial, SYMPTOM_HELLO_SILENT);
	if (symptom.via.scheme == VIA_DIRECT && symptom.is_tls)
		symptom_none(&trial->run->experiments->plan, &symptom);
}

void experiments_note(struct trial *trial, const struct transfer_result *result)
{
	const struct observation_list *list = &result->observations;
	const struct observation *last = list->count ? list->items[list->count - 1] : NULL;
	if (!trial->run->experiments || !last || trial->run->experiments->hurried)
		return;
	if (last->failure == FAILURE_NONE)
		note_healthy(trial); /* it was over before anybody looked */
	else if (last->op == OP_TCP_CONNECT)
		note_tcp(trial, last);
	else if (last->op == OP_TLS_HANDSHAKE && last->tls.peer && strcmp(last->tls.peer, "target") == 0)
		note_tls(trial, last);
	else if (last->op == OP_HTTP_EXCHANGE && was_closed(last->failure))
		note(trial, SYMPTOM_REQUEST_CLOSED, true);
	else if (last->op == OP_HTTP_EXCHANGE && last->failure == FAILURE_TIMEOUT)
		note(trial, SYMPTOM_REQUEST_SILENT, true);
	go_on(trial->run->experiments);
}

/* ------------------------------------------------------------------ suspicion */

static void suspect(struct trial *trial, const struct transfer_silence *silence)
{
	switch (silence->stage) {
	case STAGE_TCP:
		note(trial, SYMPTOM_SYN_SILENT, false);
		return;
	case STAGE_TLS:
		note(trial, silence->has_begun ? SYMPTOM_HANDSHAKE_STALLED : SYMPTOM_HELLO_SILENT,
		     silence->is_acknowledged);
		return;
	case STAGE_HTTP:
		note(trial, SYMPTOM_REQUEST_SILENT, true);
		return;
	case STAGE_NONE:
	case STAGE_HOST:
	case STAGE_SETTINGS:
	case STAGE_DNS:
	case STAGE_PROXY: /* proxy_contrast.c looks after proxies */
		return;
	}
}

static void look_at(struct trial *trial, int64_t now_us)
{
	struct transfer_silence silence;
	if (!trial->transfer)
		return;
	transfer_silence(trial->transfer, &silence);
	if (silence.stage == STAGE_TLS || silence.stage == STAGE_HTTP)
		note_healthy(trial);
	int64_t allowed_us = silence.rtt_us * SUSPICION_ROUND_TRIPS;
	if (allowed_us < SUSPICION_US)
		allowed_us = SUSPICION_US;
	if (now_us - silence.since_us >= allowed_us)
		suspect(trial, &silence);
}

/* Every leg is done, and no script may lead to another: what is still open may last LAST_CALL_MS more, or until that time after a stage's. */
static void hurry(struct experiments *experiments)
{
	const struct run *run = experiments->run;
	experiments->hurried = true;
	uv_timer_stop(&experiments->tick);
	int64_t stage_left_us = run->started_us + run->options->timeout_us - os_monotonic_us();
	uint64_t stage_left_ms = stage_left_us > 0 ? (uint64_t)(stage_left_us / 1000) : 0;
	uv_timer_start(&experiments->last_call, on_last_call, LAST_CALL_MS + stage_left_ms, 0);
}

static void take_round_trip(struct experiment_plan *plan, const struct trial *trial)
{
	struct transfer_silence silence;
	if (!trial->transfer)
		return;
	transfer_silence(trial->transfer, &silence);
	if (silence.stage != STAGE_TCP && silence.rtt_us > plan->rtt_us)
		plan->rtt_us = silence.rtt_us;
}

static void on_tick(uv_timer_t *timer)
{
	struct experiments *experiments = timer->data;
	struct run *run = experiments->run;
	int64_t now_us = os_monotonic_us();
	for (size_t i = 0; i < run->leg_count; i++)
		for (size_t k = 0; k < run->legs[i]->trial_count; k++)
			take_round_trip(&experiments->plan, run->legs[i]->trials[k]);
	for (size_t i = 0; i < run->leg_count; i++)
		for (size_t k = 0; k < run->legs[i]->trial_count; k++)
			look_at(run->legs[i]->trials[k], now_us);
	go_on(experiments);
	if (run->legs_done == run->leg_count && !run->questions_open)
		hurry(experiments);
}

void experiments_start(struct run *run)
{
	if (!run->options->experiments)
		return;
	struct experiments *experiments = arena_alloc(run->report->arena, sizeof(*experiments));
	experiments->run = run;
	experiments->plan.arena = run->report->arena;
	experiments->plan.timeout_us = run->options->timeout_us;
	experiments->watch = tcp_watch_start(&run->loop);
	run->experiments = experiments;
	uv_timer_init(&run->loop, &experiments->tick);
	uv_timer_init(&run->loop, &experiments->last_call);
	experiments->tick.data = experiments->last_call.data = experiments;
	uv_timer_start(&experiments->tick, on_tick, TICK_MS, TICK_MS);
}
