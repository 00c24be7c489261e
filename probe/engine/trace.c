#include "probe/engine/trace.h"

#include "probe/core/arena.h"
#include "probe/engine/missing_apis.h"
#include "probe/engine/resolve.h"
#include "probe/engine/walk.h"
#include "probe/os/os.h"

struct trace {
	uv_loop_t loop;
	struct report *report;
	const struct trace_options *options;
	struct trace_result *result;
	struct resolver resolver;
	struct lookup *lookup;
	int64_t started_us;
	bool begun; /* the addresses are known, or it is known that there are none */
	size_t walks_begun, walks_open;
	uv_timer_t next_walk;
};

enum { WALKS_EACH = 4 };

static void on_walked(struct walk *walk, void *user)
{
	struct trace *trace = user;
	(void)walk;
	trace->walks_open--;
}

static void start_walk(struct trace *trace, const char *address, size_t which)
{
	const struct {
		const char *experiment;
		enum walk_kind kind;
		int port;
	} walks[WALKS_EACH] = {{"walk", WALK_SYN, trace->options->port},
			       {"walk_control", WALK_SYN, trace->options->control_port},
			       {"walk_udp", WALK_UDP, 0},
			       {"walk_echo", WALK_ECHO, 0}};
	struct walk_spec spec = {.address = address,
				 .port = walks[which].port,
				 .kind = walks[which].kind,
				 .experiment = walks[which].experiment,
				 .patience_us = trace->options->timeout_us};
	trace->walks_open++;
	walk_start(&trace->loop, trace->report, trace->started_us, &spec, on_walked, trace);
}

/* One in each turn of the loop, so that answers are not kept waiting while hundreds of packets are being sent. */
static void on_next_walk(uv_timer_t *timer)
{
	struct trace *trace = timer->data;
	size_t next = trace->walks_begun++;
	start_walk(trace, trace->result->addresses[next / WALKS_EACH], next % WALKS_EACH);
	if (trace->walks_begun < trace->result->count * WALKS_EACH)
		uv_timer_start(&trace->next_walk, on_next_walk, 0, 0);
}

static bool is_under_way(const struct trace *trace)
{
	return !trace->begun || trace->walks_open || trace->walks_begun < trace->result->count * WALKS_EACH;
}

/* Addresses that only a DNS server gave are not where this server goes; without any other they are all there is. */
static void begin(struct trace *trace)
{
	const struct lookup *lookup = trace->lookup;
	struct trace_result *result = trace->result;
	trace->begun = true;
	for (size_t i = 0; i < lookup->count && result->count < TRACE_ADDRESSES_MAX; i++)
		if (lookup->addresses[i].by_system || !lookup->addresses[0].by_system)
			result->addresses[result->count++] = lookup->addresses[i].address;
	if (!result->count)
		result->lookup_failure = lookup->failure;
	if (result->count)
		uv_timer_start(&trace->next_walk, on_next_walk, 0, 0);
}

static void on_settled(struct lookup *lookup, void *user)
{
	struct trace *trace = user;
	if (!trace->begun && lookup->count)
		begin(trace);
}

static void on_looked_up(struct lookup *lookup, void *user)
{
	struct trace *trace = user;
	(void)lookup;
	if (!trace->begun)
		begin(trace);
}

bool trace_run(struct report *report, const struct trace_options *options, struct trace_result *out, struct err *err)
{
	/* Never freed, and its loop never closed: a helper thread that hangs in a library may still look at it. */
	struct trace *trace = xcalloc(1, sizeof(*trace));
	*out = (struct trace_result){.lookup_failure = FAILURE_NONE};
	trace->report = report;
	trace->options = options;
	trace->result = out;
	trace->started_us = os_monotonic_us();
	report->run.started_at_ms = os_wall_us() / 1000;
	int failed = uv_loop_init(&trace->loop);
	if (failed)
		return err_set(err, "the event loop does not start: %s", uv_strerror(failed));
	os_files_max(); /* some hundred sockets are to be open at once */
	missing_apis_record(report);
	uv_timer_init(&trace->loop, &trace->next_walk);
	trace->next_walk.data = trace;
	trace->resolver = (struct resolver){.loop = &trace->loop,
					    .report = report,
					    .run_started_us = trace->started_us,
					    .timeout_us = options->timeout_us};
	resolver_use(&trace->resolver, options->resolvers);
	struct lookup_options lookup = {
		.name = options->host, .settled = on_settled, .done = on_looked_up, .user = trace};
	trace->lookup = lookup_start_with(&trace->resolver, &lookup);
	while (is_under_way(trace) && uv_run(&trace->loop, UV_RUN_ONCE))
		;
	lookups_cut(&trace->resolver, FAILURE_DEADLINE);
	report->run.duration_us = os_monotonic_us() - trace->started_us;
	report->run.ended_at_ms = report->run.started_at_ms + report->run.duration_us / 1000;
	return true;
}
