#include "probe/engine/system_proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/engine/blocking.h"
#include "probe/engine/legs.h"
#include "probe/engine/machine.h"
#include "probe/os/os_machine.h"
#include "probe/os/os_stack.h"
#include "probe/settings/pac_arguments.h"

/* It fetches and runs the script anew for each: a few answers show whether we read it alike. */
enum { QUESTIONS_MAX = 4 };

/** The thread's own. */
struct proxy_job {
	size_t count;
	struct {
		char *url, *pac_url;
		bool auto_detect, asked;
		struct os_proxy_answer answer;
	} items[QUESTIONS_MAX];
};

struct system_proxy {
	struct run *run;
	const struct plan_question *questions[QUESTIONS_MAX];
	struct proxy_job *job;
	struct blocking *blocking;
};

static void job_run(void *data)
{
	struct proxy_job *job = data;
	for (size_t i = 0; i < job->count; i++) {
		struct os_proxy_question question = {job->items[i].url, job->items[i].auto_detect,
						     job->items[i].pac_url};
		job->items[i].asked = os_proxy_for_url(&question, &job->items[i].answer);
	}
}

static void job_free(void *data)
{
	struct proxy_job *job = data;
	for (size_t i = 0; i < job->count; i++) {
		free(job->items[i].url);
		free(job->items[i].pac_url);
	}
	free(job);
}

static const struct text_list *via_of(const struct plan_question *question)
{
	const struct script_answers *answers = &question->answers;
	if (answers->auto_detect.state == SCRIPT_ANSWERED)
		return answers->auto_detect.via;
	return answers->pac.state == SCRIPT_ANSWERED ? answers->pac.via : NULL;
}

/* Ours in the system's form, "host:port", "" for none; NULL: it has no word for it (SOCKS, HTTPS). */
static const char *ours(const struct plan_question *question)
{
	const struct text_list *via = via_of(question);
	if (!via || !via->count)
		return NULL;
	if (strcmp(via->items[0], "DIRECT") == 0)
		return "";
	return strncmp(via->items[0], "PROXY ", 6) == 0 ? via->items[0] + 6 : NULL;
}

/* The first of its list, which is the one that its requests use; with the port that it leaves out. */
static const char *theirs(struct arena *arena, const char *proxies)
{
	size_t length = strcspn(proxies, "; ");
	const char *first = arena_printf(arena, "%.*s", (int)length, proxies);
	const char *after = strrchr(first, ']') ? strrchr(first, ']') : first;
	return *first && !strchr(after, ':') ? arena_printf(arena, "%s:80", first) : first;
}

static const char *in_words(const char *proxy)
{
	return *proxy ? proxy : "DIRECT";
}

static void record(struct run *run, const struct plan_question *question, const struct os_proxy_answer *answer)
{
	struct arena *arena = run->report->arena;
	const char *mine = ours(question), *said = theirs(arena, answer->proxies);
	bool agrees = answer->answered && strcasecmp(mine, said) == 0;
	struct local_fact *fact =
		local_fact_add(run, "proxy_answer", question->path->target->name, agrees ? "agrees" : "differs");
	struct observation *observation = run->report->observations.items[run->report->observations.count - 1];
	path_list_add(arena, &observation->paths, question->path);
	text_list_add(arena, &fact->values,
		      answer->answered ? in_words(said) : arena_printf(arena, "error %u", (unsigned)answer->error));
	text_list_add(arena, &fact->values, in_words(mine));
}

static void on_done(enum blocking_end end, void *user)
{
	struct system_proxy *asked = user;
	struct run *run = asked->run;
	run->system_proxy = NULL;
	for (size_t i = 0; end == BLOCKING_FINISHED && run->ending == FAILURE_NONE && i < asked->job->count; i++)
		if (asked->job->items[i].asked)
			record(run, asked->questions[i], &asked->job->items[i].answer);
}

static bool is_own(const struct run *run, const struct plan_question *question)
{
	const struct machine *machine = run->options->machine;
	if (!machine || !machine->registry || run->options->pac || question->path->identity != machine->identity)
		return false;
	return machine->identity == IDENTITY_USER || os_is_local_system();
}

static char *text_copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static void job_add(struct system_proxy *asked, const struct plan_question *question)
{
	const char *url, *host;
	struct proxy_job *job = asked->job;
	if (job->count == QUESTIONS_MAX || !is_own(asked->run, question) || !ours(question) ||
	    !pac_arguments(asked->run->report->arena, &question->url, &url, &host))
		return;
	asked->questions[job->count] = question;
	job->items[job->count].url = xstrdup(url);
	job->items[job->count].auto_detect = question->answers.auto_detect.state == SCRIPT_ANSWERED;
	if (!job->items[job->count].auto_detect)
		job->items[job->count].pac_url = text_copy(question->setting->pac_address);
	job->count++;
}

void system_proxy_begin(struct run *run)
{
	struct system_proxy *asked = arena_alloc(run->report->arena, sizeof(*asked));
	asked->run = run;
	asked->job = xcalloc(1, sizeof(*asked->job));
	for (size_t i = 0; i < run->plan->question_count; i++)
		job_add(asked, run->plan->questions[i]);
	if (!asked->job->count) {
		job_free(asked->job);
		return;
	}
	struct blocking_call call = {
		.work = job_run,
		.release = job_free,
		.data = asked->job,
		.patience_us = run->options->timeout_us,
		.done = on_done,
		.user = asked,
	};
	run->system_proxy = asked;
	asked->blocking = blocking_start(&run->loop, &call);
}

void system_proxy_cut(struct run *run)
{
	if (run->system_proxy)
		blocking_abandon(run->system_proxy->blocking);
}
