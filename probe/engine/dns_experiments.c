/* What is tried about names once something of their addresses has gone wrong: plan/dns_contrasts.h says what. */

#include "probe/engine/dns_experiments.h"

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/engine/dns_query.h"
#include "probe/engine/legs.h"
#include "probe/os/os.h"
#include "probe/plan/dns_contrasts.h"

enum {
	QUESTION_US = 1000 * 1000, /* to servers that have answered before */
	CONNECT_US = 1400 * 1000,  /* one SYN may be lost */
	SUFFIXES_MAX = 8,
};

struct experiment {
	struct experiment *next;
	struct run *run;
	struct dns_question *question; /* one of these while it is under way */
	struct connect_probe *probe;
};

struct dns_experiments {
	struct experiment *all;
	struct text_list suffixes;
	uv_timer_t soon;     /* one look for all that has ended in this turn of the loop; the run waits for it */
	bool is_soon;	     /* it is due: a timer that the loop is about to call no longer counts as active */
	uv_timer_t patience; /* a look at what has not ended */
};

static void paths_of_name(const struct run *run, const char *name, struct observation *observation)
{
	for (size_t i = 0; i < run->name_count; i++) {
		const struct lookup *lookup = run->names[i]->lookup;
		if (!lookup || strcasecmp(lookup->name, name) != 0)
			continue;
		for (size_t k = 0; k < lookup->paths.count; k++)
			path_list_add(run->report->arena, &observation->paths, lookup->paths.items[k]);
	}
}

static void on_answer(struct dns_question *question, void *user)
{
	struct experiment *one = user;
	(void)question;
	one->question = NULL;
	one->run->dns_experiments_open--;
}

static void on_connected(struct connect_probe *probe, void *user)
{
	struct experiment *one = user;
	(void)probe;
	one->probe = NULL;
	one->run->dns_experiments_open--;
}

static int64_t at_most(const struct run *run, int64_t time_us)
{
	return run->options->timeout_us < time_us ? run->options->timeout_us : time_us;
}

static void ask(struct experiment *one, const struct dns_contrast *contrast, struct observation *observation)
{
	struct run *run = one->run;
	observation->dns.server = contrast->server;
	observation->dns.transport = contrast->transport;
	observation->dns.name = contrast->name;
	observation->dns.type = contrast->type;
	observation->dns.edns_bytes = contrast->edns_bytes;
	one->question = dns_question_start(&run->loop, run->report->arena, observation, run->started_us,
					   at_most(run, QUESTION_US), on_answer, one);
}

static void begin(struct run *run, const struct dns_contrast *contrast)
{
	struct report *report = run->report;
	struct experiment *one = arena_alloc(report->arena, sizeof(*one));
	struct observation *observation =
		report_add_observation(report, contrast->address ? OP_TCP_CONNECT : OP_DNS_QUERY);
	observation->experiment = contrast->experiment;
	paths_of_name(run, contrast->about, observation);
	one->run = run;
	one->next = run->dns_experiments->all;
	run->dns_experiments->all = one;
	run->dns_experiments_open++;
	if (!contrast->address) {
		ask(one, contrast, observation);
		return;
	}
	observation->tcp.peer = "target";
	struct connect_spec spec = {
		.address = contrast->address, .port = contrast->port, .timeout_us = at_most(run, CONNECT_US)};
	one->probe = connect_start(&run->loop, report->arena, observation, &spec, run->started_us, on_connected, one);
}

static void look(struct run *run)
{
	struct dns_contrasts wanted;
	dns_contrasts_of_addresses(run->report, &run->dns_experiments->suffixes, os_monotonic_us() - run->started_us,
				   &wanted);
	for (size_t i = 0; i < wanted.count; i++)
		begin(run, &wanted.items[i]);
}

static void on_soon(uv_timer_t *timer)
{
	struct run *run = timer->data;
	run->dns_experiments->is_soon = false;
	run->dns_experiments_open--;
	look(run);
}

static void look_soon(struct run *run)
{
	struct dns_experiments *experiments = run->dns_experiments;
	if (!experiments || run->ending != FAILURE_NONE || experiments->is_soon)
		return;
	experiments->is_soon = true;
	run->dns_experiments_open++;
	uv_timer_start(&experiments->soon, on_soon, 0, 0);
}

static void on_patience_over(uv_timer_t *timer)
{
	struct run *run = timer->data;
	if (run->ending == FAILURE_NONE)
		look(run);
}

void dns_experiments_note_name(struct run *run)
{
	if (!run->dns_experiments || run->ending != FAILURE_NONE)
		return;
	uv_update_time(&run->loop);
	uv_timer_start(&run->dns_experiments->patience, on_patience_over, DNS_PATIENCE_US / 1000 + 1, 0);
	look_soon(run);
}

static bool is_expected(const struct target *target, const struct http_exchange *http)
{
	for (size_t i = 0; i < target->expect.status_count; i++)
		if (target->expect.status[i] == http->status)
			return !target->expect.body || http->body_matches;
	return !target->expect.status_count;
}

void dns_experiments_note_trial(struct trial *trial)
{
	const struct observation_list *list = &trial->observations;
	const struct observation *last = list->count ? list->items[list->count - 1] : NULL;
	bool went_well = trial->failure == FAILURE_NONE && last && last->op == OP_HTTP_EXCHANGE &&
			 is_expected(trial->leg->leg->target, &last->http);
	if (trial->begun && !went_well && trial->leg->leg->target->kind != TARGET_CIDR)
		look_soon(trial->run);
}

void dns_experiments_start(struct run *run)
{
	char suffixes[SUFFIXES_MAX][256];
	struct arena *arena = run->report->arena;
	if (!run->options->experiments)
		return;
	struct dns_experiments *experiments = arena_alloc(arena, sizeof(*experiments));
	size_t count = os_dns_suffixes(suffixes, SUFFIXES_MAX);
	for (size_t i = 0; i < count; i++)
		text_list_add(arena, &experiments->suffixes, arena_strdup(arena, suffixes[i]));
	run->dns_experiments = experiments;
	uv_timer_init(&run->loop, &experiments->soon);
	uv_timer_init(&run->loop, &experiments->patience);
	experiments->soon.data = experiments->patience.data = run;
}

void dns_experiments_cut(struct run *run, enum failure failure)
{
	struct dns_experiments *experiments = run->dns_experiments;
	if (!experiments)
		return;
	if (experiments->is_soon) {
		uv_timer_stop(&experiments->soon);
		experiments->is_soon = false;
		run->dns_experiments_open--;
	}
	for (struct experiment *one = experiments->all; one; one = one->next) {
		if (one->question)
			dns_question_cancel(one->question, failure);
		else if (one->probe)
			connect_cancel(one->probe, failure);
	}
}
