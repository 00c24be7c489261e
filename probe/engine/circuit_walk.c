#include "probe/engine/circuit_walk.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/resolve.h"
#include "probe/engine/walk.h"
#include "probe/os/os.h"
#include "probe/os/os_machine.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

struct circuit_run {
	uv_loop_t loop;
	struct report *report;
	const struct circuit_walk_options *options;
	struct resolver resolver;
	int64_t started_us;
	size_t open; /* look-ups and walks */
};

/** One host while it is looked up. */
struct host_run {
	struct circuit_run *run;
	struct coverage_host *host;
	bool begun;
};

static void on_walked(struct walk *walk, void *user)
{
	struct circuit_run *run = user;
	(void)walk;
	run->open--;
}

static void start_walk(struct circuit_run *run, const char *address, const char *experiment, enum walk_kind kind,
		       int port)
{
	struct walk_spec spec = {.address = address,
				 .port = port,
				 .kind = kind,
				 .experiment = experiment,
				 .patience_us = run->options->timeout_us};
	run->open++;
	walk_start(&run->loop, run->report, run->started_us, &spec, on_walked, run);
}

static void record_route(struct circuit_run *run, const char *address)
{
	struct os_route route;
	struct arena *arena = run->report->arena;
	if (!os_best_route(address, &route))
		return;
	struct observation *one = report_add_observation(run->report, OP_LOCAL_FACT);
	one->start_us = os_monotonic_us() - run->started_us;
	one->duration_us = 0;
	one->fact.fact = "best_route";
	one->fact.subject = address;
	one->fact.state = route.found ? "present" : "absent";
	if (!route.found)
		return;
	text_list_add(arena, &one->fact.values, arena_strdup(arena, route.device));
	text_list_add(arena, &one->fact.values, arena_strdup(arena, route.next_hop));
	text_list_add(arena, &one->fact.values, arena_strdup(arena, route.source));
}

static void walk_to(struct host_run *host, const char *address)
{
	struct circuit_run *run = host->run;
	text_list_add(run->report->arena, &host->host->addresses, address);
	record_route(run, address);
	start_walk(run, address, "walk", WALK_SYN, host->host->port);
	start_walk(run, address, "walk_control", WALK_SYN, host->host->port == HTTP_PORT ? HTTPS_PORT : HTTP_PORT);
	start_walk(run, address, "walk_echo", WALK_ECHO, 0);
}

/* Addresses that only a DNS server gave are not where this server goes; without any other they are all there is. */
static void begin(struct host_run *host, const struct lookup *lookup)
{
	host->begun = true;
	for (int ipv6 = 0; ipv6 <= 1; ipv6++)
		for (size_t i = 0; i < lookup->count && host->host->addresses.count < CIRCUIT_ADDRESSES_MAX; i++) {
			const struct resolved_address *one = &lookup->addresses[i];
			bool counts = one->by_system || !lookup->addresses[0].by_system;
			if (counts && (strchr(one->address, ':') != NULL) == (ipv6 == 1))
				walk_to(host, one->address);
		}
}

static void on_settled(struct lookup *lookup, void *user)
{
	struct host_run *host = user;
	if (!host->begun && lookup->count)
		begin(host, lookup);
}

static void on_looked_up(struct lookup *lookup, void *user)
{
	struct host_run *host = user;
	if (!host->begun)
		begin(host, lookup);
	host->run->open--;
}

static void start_host(struct circuit_run *run, struct coverage_host *host)
{
	struct host_run *one = arena_alloc(run->report->arena, sizeof(*one));
	*one = (struct host_run){.run = run, .host = host};
	struct lookup_options options = {.name = host->host, .settled = on_settled, .done = on_looked_up, .user = one};
	run->open++;
	lookup_start_with(&run->resolver, &options);
}

/* What this system does not tell is part of what a walk's silence means. */
static void record_missing(struct report *report)
{
	enum { MISSING_MAX = 8 };
	const char *names[MISSING_MAX];
	size_t count = os_missing_apis(names, MISSING_MAX);
	for (size_t i = 0; i < count; i++) {
		struct observation *one = report_add_observation(report, OP_LOCAL_FACT);
		one->start_us = one->duration_us = 0;
		one->fact.fact = "missing_api";
		one->fact.subject = names[i];
		one->fact.state = "absent";
	}
}

bool circuit_walk_run(struct report *report, const struct circuit_walk_options *options, struct err *err)
{
	/* Never freed, and its loop never closed: a helper thread that hangs in a library may still look at it. */
	struct circuit_run *run = xcalloc(1, sizeof(*run));
	run->report = report;
	run->options = options;
	run->started_us = os_monotonic_us();
	report->run.started_at_ms = os_wall_us() / 1000;
	int failed = uv_loop_init(&run->loop);
	if (failed)
		return err_set(err, "the event loop does not start: %s", uv_strerror(failed));
	os_files_max(); /* some hundred sockets are to be open at once */
	record_missing(report);
	run->resolver = (struct resolver){.loop = &run->loop,
					  .report = report,
					  .run_started_us = run->started_us,
					  .timeout_us = options->timeout_us};
	resolver_use(&run->resolver, options->resolvers);
	for (size_t i = 0; i < report->coverage->host_count; i++)
		start_host(run, &report->coverage->hosts[i]);
	while (run->open && uv_run(&run->loop, UV_RUN_ONCE))
		;
	report->run.duration_us = os_monotonic_us() - run->started_us;
	report->run.ended_at_ms = report->run.started_at_ms + report->run.duration_us / 1000;
	return true;
}
