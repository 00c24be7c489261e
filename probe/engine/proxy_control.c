#include "probe/engine/legs.h"

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"

/*
 * Is a proxy that leaves CONNECT unanswered dead, or does it wait for its own upstream? One request to the proxy itself, which needs no upstream,
 * tells: made once per proxy, when nothing has been heard from it for a fifth of the stage's time, so that it ends with the others.
 */

enum { PATIENCE_SHARE = 5 };

struct proxy_control {
	struct proxy_control *next;
	struct run *run;
	const char *name; /* "PROXY host:port" */
	struct via via;
	const char *address;
	struct path_list paths;
	bool answered;
	uv_timer_t timer;
	struct target target;
	struct transfer *transfer;
};

static void on_reply(struct transfer *transfer, void *user)
{
	struct proxy_control *control = user;
	struct report *report = control->run->report;
	struct transfer_result result = *transfer_result(transfer);
	control->transfer = NULL;
	control->run->controls_open--;
	arena_adopt(report->arena, result.arena);
	for (size_t i = 0; i < result.observations.count; i++) {
		struct observation *observation = result.observations.items[i];
		report_take_observation(report, observation);
		observation->experiment = "proxy_control";
		for (size_t k = 0; k < control->paths.count; k++)
			path_list_add(report->arena, &observation->paths, control->paths.items[k]);
	}
}

static void on_patience_over(uv_timer_t *timer)
{
	struct proxy_control *control = timer->data;
	struct run *run = control->run;
	char text[ADDRESS_TEXT_BYTES + 256];
	if (control->answered || run->ending != FAILURE_NONE)
		return;
	const char *scheme = control->via.scheme == VIA_HTTPS ? "https" : "http";
	control->target = (struct target){.kind = TARGET_URL, .host = control->via.host, .port = control->via.port};
	control->target.url = arena_printf(run->report->arena, "%s://%s/", scheme,
					   host_port_format(control->via.host, control->via.port, text, sizeof(text)));
	control->target.name = control->target.host;
	struct transfer_spec spec = {.target = &control->target, .address = control->address};
	run->controls_open++;
	control->transfer = transfer_start(run->pool, &spec, on_reply, control);
}

static struct proxy_control *control_of(struct run *run, const struct via *via)
{
	const char *name = via_format(run->report->arena, via);
	for (struct proxy_control *control = run->controls; control; control = control->next)
		if (strcmp(control->name, name) == 0)
			return control;
	struct proxy_control *control = arena_alloc(run->report->arena, sizeof(*control));
	control->run = run;
	control->name = name;
	control->via = *via;
	control->next = run->controls;
	run->controls = control;
	return control;
}

static bool is_watched(const struct trial *trial)
{
	enum via_scheme scheme = trial->leg->leg->via.scheme;
	return trial->run->options->experiments && (scheme == VIA_HTTP || scheme == VIA_HTTPS);
}

void proxy_control_begin(struct trial *trial)
{
	struct run *run = trial->run;
	if (!is_watched(trial))
		return;
	struct proxy_control *control = control_of(run, &trial->leg->leg->via);
	const struct path_list *lists[] = {&trial->leg->leg->paths, &trial->leg->leg->unsigned_paths};
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->count; i++)
			if (!path_list_has(&control->paths, lists[k]->items[i]))
				path_list_add(run->report->arena, &control->paths, lists[k]->items[i]);
	if (control->address)
		return;
	control->address = trial->address;
	uv_timer_init(&run->loop, &control->timer);
	control->timer.data = control;
	uv_timer_start(&control->timer, on_patience_over, (uint64_t)(run->options->timeout_us / 1000 / PATIENCE_SHARE),
		       0);
}

void proxy_control_note(struct trial *trial, const struct observation *observation)
{
	if (is_watched(trial) && observation->op == OP_PROXY_EXCHANGE && observation->proxy.status != NOT_MEASURED)
		control_of(trial->run, &trial->leg->leg->via)->answered = true;
}

void proxy_control_cut(struct run *run, enum failure failure)
{
	for (struct proxy_control *control = run->controls; control; control = control->next)
		if (control->transfer)
			transfer_cancel(control->transfer, failure);
}
