#include "probe/plan/wrong_address.h"

#include "probe/core/arena.h"
#include "probe/engine/legs.h"

/* Does something in between go by the Host header? One plain request to an address that cannot answer it tells (plan/wrong_address.h). */

enum { LIMIT_US = 1500 * 1000 };

struct wrong_address {
	struct run *run;
	struct path_list paths;
	struct transfer *transfer; /* NULL: done */
	uv_timer_t limit;
};

static void on_reply(struct transfer *transfer, void *user)
{
	struct wrong_address *request = user;
	request->transfer = NULL;
	uv_timer_stop(&request->limit);
	request->run->contrasts_open--;
	experiment_take(request->run, transfer, "http_wrong_address", &request->paths);
}

static void on_limit(uv_timer_t *timer)
{
	struct wrong_address *request = timer->data;
	if (request->transfer)
		transfer_cancel(request->transfer, FAILURE_TIMEOUT);
}

static void request_start(struct run *run, const struct path_list *paths, const struct target *what,
			  const char *address)
{
	struct arena *arena = run->report->arena;
	struct wrong_address *request = arena_alloc(arena, sizeof(*request));
	struct transfer_spec spec = {.target = what, .address = address};
	int64_t limit_us = run->options->timeout_us < LIMIT_US ? run->options->timeout_us : LIMIT_US;
	request->run = run;
	for (size_t i = 0; i < paths->count; i++)
		path_list_add(arena, &request->paths, paths->items[i]);
	run->wrong_address = request;
	run->contrasts_open++;
	uv_timer_init(&run->loop, &request->limit);
	request->limit.data = request;
	uv_timer_start(&request->limit, on_limit, (uint64_t)(limit_us / 1000), 0);
	request->transfer = transfer_start(run->pool, &spec, on_reply, request);
}

void wrong_address_note(struct trial *trial, const struct transfer_result *result)
{
	struct run *run = trial->run;
	const struct leg *leg = trial->leg->leg;
	struct target *what, *where;
	bool wanted = false;
	if (!run->options->experiments || run->wrong_address || run->ending != FAILURE_NONE ||
	    leg->via.scheme != VIA_DIRECT)
		return;
	for (size_t i = 0; i < result->observations.count && !wanted; i++)
		wanted = result->observations.items[i]->op == OP_HTTP_EXCHANGE &&
			 wrong_address_wanted(run->report->arena, leg->target, result->observations.items[i]);
	if (!wanted || !wrong_address_choose(run->report->targets, run->report->target_count, &what, &where))
		return;
	const char *address = run_address_of(run, where->host);
	if (address)
		request_start(run, &leg->paths, what, address);
}

void wrong_address_cut(struct run *run, enum failure failure)
{
	if (run->wrong_address && run->wrong_address->transfer)
		transfer_cancel(run->wrong_address->transfer, failure);
}
