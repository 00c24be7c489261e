#include "probe/engine/walk.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/walk_probe.h"

enum { SETTLE_MIN_US = 300 * 1000, LAST_WAIT_MIN_US = 1000 * 1000, SETTLE_ROUND_TRIPS = 3 };
/* Before the system sends a SYN again by itself (RFC 6298 2: after a second): so the round trip of what is answered is the right one. */
enum { RETRY_MAX_US = 900 * 1000 };
/* Below what systems give to clients by themselves (RFC 6056 3.2 and their settings), so that the ports are free. */
enum { FLOW_PORT_FIRST = 20000, FLOW_PORT_COUNT = 180, FLOW_PORT_STEP = WALK_TTLS_MAX };

struct walk {
	struct walk_way way;
	struct report *report;
	walk_done_cb done;
	void *user;
	struct walk_probe probes[WALK_TTLS_MAX];
	size_t count;
	size_t reached;	    /* the first of them that got to the far end; count: none yet */
	int64_t longest_us; /* round trip heard */
	int64_t retry_at_us, end_at_us;
	bool retried, sending, ended;
	uv_timer_t timer;
};

static int64_t min_us(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ------------------------------------------------------------------ the end */

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static bool is_worth_recording(const struct walk *walk, size_t i)
{
	return walk->probes[i].seen->start_us >= 0 && i <= walk->reached;
}

static void record(struct walk *walk)
{
	const struct path_list *paths = walk->way.spec.paths;
	for (size_t i = 0; i < walk->count; i++) {
		struct observation *seen = walk->probes[i].seen;
		if (!is_worth_recording(walk, i))
			continue;
		for (size_t p = 0; paths && p < paths->count; p++)
			path_list_add(walk->report->arena, &seen->paths, paths->items[p]);
		report_take_observation(walk->report, seen);
	}
}

static void walk_finish(struct walk *walk, enum failure failure)
{
	if (walk->ended)
		return;
	walk->ended = true;
	for (size_t i = 0; i < walk->count; i++)
		walk_probe_end(&walk->probes[i], failure);
	record(walk);
	uv_close((uv_handle_t *)&walk->timer, on_timer_closed);
	walk->done(walk, walk->user);
}

const struct observation *walk_seen(const struct walk *walk, int ttl)
{
	for (size_t i = 0; i < walk->count; i++)
		if (walk->probes[i].seen->ttl.ttl == ttl && is_worth_recording(walk, i))
			return walk->probes[i].seen;
	return NULL;
}

int walk_packets(const struct walk *walk)
{
	int packets = 0;
	for (size_t i = 0; i < walk->count; i++)
		packets += walk->probes[i].packets;
	return packets;
}

void walk_cancel(struct walk *walk, enum failure failure)
{
	walk_finish(walk, failure);
}

/* ------------------------------------------------------------------ waiting */

static bool is_settled(const struct walk *walk)
{
	for (size_t i = 0; i < walk->count && i < walk->reached; i++)
		if (!walk->probes[i].over)
			return false;
	return true;
}

/** How long an answer may take that has not come yet: some of the longest round trips heard. */
static int64_t grace_us(const struct walk *walk, int64_t least_us)
{
	int64_t grace = SETTLE_ROUND_TRIPS * walk->longest_us;
	return grace > least_us ? grace : least_us;
}

/* What is silent a second time, and then for long, stays so. */
static void send_again(struct walk *walk)
{
	walk->end_at_us = min_us(walk->end_at_us, os_monotonic_us() + grace_us(walk, LAST_WAIT_MIN_US));
	walk->retried = true;
	walk->sending = true;
	for (size_t i = 0; i < walk->count && i < walk->reached; i++)
		walk_probe_send(&walk->probes[i], walk->end_at_us - os_monotonic_us());
	walk->sending = false;
}

static void wait_on(struct walk *walk);

static void on_timer(uv_timer_t *timer)
{
	struct walk *walk = timer->data;
	int64_t now = os_monotonic_us();
	if (is_settled(walk) || now >= walk->end_at_us) {
		walk_finish(walk, FAILURE_TIMEOUT);
		return;
	}
	if (!walk->retried && now >= walk->retry_at_us)
		send_again(walk);
	wait_on(walk);
}

static void wait_on(struct walk *walk)
{
	int64_t now = os_monotonic_us();
	int64_t next = walk->retried ? walk->end_at_us : min_us(walk->retry_at_us, walk->end_at_us);
	if (is_settled(walk))
		next = now;
	uv_update_time(walk->way.loop);
	uv_timer_start(&walk->timer, on_timer, next > now ? (uint64_t)((next - now + 999) / 1000) : 0, 0);
}

/* The far end is known: those before it get a while to speak, and half of it later they are asked once more. */
static void settle(struct walk *walk)
{
	int64_t now = os_monotonic_us();
	int64_t while_us = grace_us(walk, SETTLE_MIN_US);
	walk->retry_at_us = min_us(walk->retry_at_us, now + while_us / 2);
	walk->end_at_us = min_us(walk->end_at_us, now + while_us);
}

/* The walk ends from its timer only, so never inside a call of somebody's. */
static void on_probe_over(struct walk_probe *probe, void *user)
{
	struct walk *walk = user;
	size_t index = (size_t)(probe - walk->probes);
	bool first = walk->reached == walk->count;
	if (walk->ended)
		return;
	if (!probe->refused_here && probe->seen->duration_us > walk->longest_us)
		walk->longest_us = probe->seen->duration_us;
	if (probe->reached && index < walk->reached)
		walk->reached = index;
	if (probe->reached && first)
		settle(walk);
	if (!walk->sending)
		wait_on(walk);
}

/* ------------------------------------------------------------------ the start */

/** The same flow has the same ports in one run, and another one in the next. FNV-1a. */
static int flow_port(const struct walk *walk)
{
	const struct walk_spec *spec = &walk->way.spec;
	uint32_t hash = 2166136261u ^ (uint32_t)walk->way.run_started_us;
	for (const char *at = spec->address; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	hash = (hash ^ (uint32_t)spec->port) * 16777619u;
	hash = (hash ^ ((uint32_t)spec->kind << 16 ^ spec->flow)) * 16777619u;
	return FLOW_PORT_FIRST + (int)((hash ^ hash >> 16) % FLOW_PORT_COUNT) * FLOW_PORT_STEP;
}

static int port_of(const struct walk_spec *spec, int ttl)
{
	switch (spec->kind) {
	case WALK_SYN:
	case WALK_HELLO:
		return spec->port;
	case WALK_UDP:
		return WALK_UDP_PORT + ttl;
	case WALK_ECHO:
		return NOT_MEASURED;
	}
	return NOT_MEASURED;
}

static void probe_prepare(struct walk *walk, struct walk_probe *probe, int ttl)
{
	static const char *const sent[] = {
		[WALK_SYN] = "syn", [WALK_HELLO] = "hello", [WALK_UDP] = "udp", [WALK_ECHO] = "echo"};
	static const char *const protocols[] = {
		[WALK_SYN] = "tcp", [WALK_HELLO] = "tcp", [WALK_UDP] = "udp", [WALK_ECHO] = "icmp"};
	const struct walk_spec *spec = &walk->way.spec;
	struct observation *seen = arena_alloc(walk->report->arena, sizeof(*seen));
	observation_init(seen, OP_TTL_PROBE);
	seen->experiment = spec->experiment;
	seen->start_us = -1; /* not sent */
	seen->ttl.ttl = ttl;
	seen->ttl.sent = sent[spec->kind];
	seen->ttl.tuple.proto = protocols[spec->kind];
	seen->ttl.tuple.dst = walk->way.dst;
	seen->ttl.tuple.dst_port = port_of(spec, ttl);
	probe->way = &walk->way;
	probe->seen = seen;
}

static void limits_set(struct walk_spec *spec)
{
	if (spec->ttl_from < 1)
		spec->ttl_from = WALK_TTL_FROM;
	if (spec->ttl_to < 1)
		spec->ttl_to = WALK_TTL_TO;
	if (spec->ttl_to >= spec->ttl_from + WALK_TTLS_MAX)
		spec->ttl_to = spec->ttl_from + WALK_TTLS_MAX - 1;
}

static void way_prepare(struct walk *walk)
{
	struct walk_way *way = &walk->way;
	struct address address;
	char text[ADDRESS_TEXT_BYTES];
	bool literal = address_parse(way->spec.address, &address);
	limits_set(&way->spec);
	way->arena = walk->report->arena;
	way->ipv6 = literal && address.family == 6;
	way->dst = arena_strdup(way->arena, literal ? address_format(&address, text) : way->spec.address);
	way->base_port = flow_port(walk);
	way->over = on_probe_over;
	way->user = walk;
}

/* What this system does not let out once, it lets out never: the rest is not tried. */
static void send_all(struct walk *walk)
{
	walk->sending = true;
	for (size_t i = 0; i < walk->count; i++) {
		walk_probe_send(&walk->probes[i], walk->way.spec.patience_us);
		if (walk->probes[i].refused_here)
			walk->count = walk->reached = i + 1;
	}
	walk->sending = false;
}

struct walk *walk_start(uv_loop_t *loop, struct report *report, int64_t run_started_us, const struct walk_spec *spec,
			walk_done_cb done, void *user)
{
	struct walk *walk = xcalloc(1, sizeof(*walk));
	int64_t now = os_monotonic_us();
	walk->way = (struct walk_way){.loop = loop, .run_started_us = run_started_us, .spec = *spec};
	walk->report = report;
	walk->done = done;
	walk->user = user;
	walk->retry_at_us = now + min_us(spec->patience_us / 2, RETRY_MAX_US);
	walk->end_at_us = now + spec->patience_us;
	way_prepare(walk);
	for (int ttl = walk->way.spec.ttl_from; ttl <= walk->way.spec.ttl_to; ttl++)
		probe_prepare(walk, &walk->probes[walk->count++], ttl);
	walk->reached = walk->count;
	uv_timer_init(loop, &walk->timer);
	walk->timer.data = walk;
	send_all(walk);
	wait_on(walk);
	return walk;
}
