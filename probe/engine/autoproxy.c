#include "probe/engine/autoproxy.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/legs.h"
#include "probe/engine/script_source.h"
#include "probe/engine/system_proxy.h"

/** A script of this run and the address by which settings name it; NULL: automatic detection. */
struct named_source {
	struct named_source *next;
	const char *address;
	struct script_source *source;
	uv_timer_t begin; /* like the loop, never closed */
};

/** One question of the plan on its way through the mechanisms of its setting. */
struct asked {
	struct run *run;
	struct plan_question *question;
};

static void on_begin(uv_timer_t *timer)
{
	struct named_source *one = timer->data;
	script_source_begin(one->source);
}

/* A new one begins with the loop's next turn, when all who need it now have asked. */
static struct script_source *source_of(struct run *run, const char *address)
{
	for (struct named_source *one = run->sources; one; one = one->next)
		if (one->address == address || (one->address && address && strcmp(one->address, address) == 0))
			return one->source;
	struct named_source *made = arena_alloc(run->report->arena, sizeof(*made));
	made->address = address;
	made->source = script_source_new(run, address);
	made->next = run->sources;
	run->sources = made;
	uv_timer_init(&run->loop, &made->begin);
	made->begin.data = made;
	uv_timer_start(&made->begin, on_begin, 0, 0);
	return made->source;
}

static void sources_close(struct run *run)
{
	for (struct named_source *one = run->sources; one; one = one->next)
		script_source_close(one->source);
}

static void finish(struct asked *asked)
{
	struct run *run = asked->run;
	struct path *path = asked->question->path;
	struct leg *leg = plan_answer(run->plan, asked->question);
	if (leg)
		legs_join(run, leg, path);
	run->questions_open--;
	if (run->questions_open)
		return;
	sources_close(run);
	system_proxy_begin(run);
}

static void on_pac_answered(const struct script_answer *answer, void *user)
{
	struct asked *asked = user;
	asked->question->answers.pac = *answer;
	finish(asked);
}

static void ask_pac(struct asked *asked)
{
	struct plan_question *question = asked->question;
	if (!question->setting->pac_enabled) {
		finish(asked);
		return;
	}
	const char *address =
		question->setting->pac_address ? question->setting->pac_address : question->setting->pac_url;
	script_source_ask(source_of(asked->run, address), &question->url, question->path, on_pac_answered, asked);
}

static void on_detected_answered(const struct script_answer *answer, void *user)
{
	struct asked *asked = user;
	asked->question->answers.auto_detect = *answer;
	if (answer->state == SCRIPT_ANSWERED)
		finish(asked);
	else
		ask_pac(asked);
}

void autoproxy_start(struct run *run)
{
	struct plan *plan = run->plan;
	struct asked *asked = arena_alloc(run->report->arena, plan->question_count * sizeof(*asked));
	run->questions_open = plan->question_count;
	for (size_t i = 0; i < plan->question_count; i++) {
		asked[i] = (struct asked){run, plan->questions[i]};
		if (plan->questions[i]->setting->auto_detect)
			script_source_ask(source_of(run, NULL), &plan->questions[i]->url, plan->questions[i]->path,
					  on_detected_answered, &asked[i]);
		else
			ask_pac(&asked[i]);
	}
}

void autoproxy_cut(struct run *run, enum failure failure)
{
	for (struct named_source *one = run->sources; one; one = one->next)
		script_source_cut(one->source, failure);
	run->questions_open = 0;
	system_proxy_cut(run);
}
