#include "probe/engine/system_trust.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/blocking.h"

enum { CHAIN_THREADS_MAX = 8 };

/** What the thread gets and gives: all its own. */
struct chain_job {
	struct os_der *sent; /* in bytes */
	size_t count;
	unsigned char *bytes;
	char *host;
	bool answered;
	struct os_chain answer;
};

struct judged_handshake {
	struct judged_handshake *next;
	struct leg_state *leg;
	struct observation *observation;
};

/** One chain for one host. */
struct chain_question {
	struct chain_question *next;
	struct run *run;
	const char *key;
	struct chain_job *job;	   /* from the thread's start on its own */
	struct blocking *blocking; /* while the thread is at it */
	uv_timer_t patience;
	bool wanted; /* we refuse it for want of an anchor */
	bool decided;
	const char *verdict; /* NULL: no answer */
	bool trusted, fetched;
	struct judged_handshake *handshakes; /* that wait for it */
	struct trial *trials;		     /* the same */
};

/* ------------------------------------------------------------------ the thread */

static struct chain_job *job_new(const struct sent_chain *chain)
{
	struct chain_job *job = xcalloc(1, sizeof(*job));
	job->sent = xcalloc(chain->count, sizeof(*job->sent));
	job->count = chain->count;
	job->host = xstrdup(chain->host);
	size_t total = 0;
	for (size_t i = 0; i < chain->count; i++)
		total += chain->certificates[i].length;
	unsigned char *next = job->bytes = xcalloc(1, total + 1);
	for (size_t i = 0; i < chain->count; i++) {
		job->sent[i] = (struct os_der){next, chain->certificates[i].length};
		memcpy(next, chain->certificates[i].bytes, chain->certificates[i].length);
		next += chain->certificates[i].length;
	}
	return job;
}

static void job_free(void *data)
{
	struct chain_job *job = data;
	free(job->sent);
	free(job->bytes);
	free(job->host);
	free(job);
}

static void job_run(void *data)
{
	struct chain_job *job = data;
	job->answered = os_chain_verify(job->sent, job->count, job->host, &job->answer);
}

/* ------------------------------------------------------------------ the answer */

static void annotate(const struct chain_question *question, struct observation *observation)
{
	struct tls_handshake *tls = &observation->tls;
	tls->system_verify = question->verdict;
	if (question->fetched && !tls->root_sha256)
		tls->root_store = "fetched";
}

/* With what the system found, or without: the trial goes on. */
static void trial_go_on(struct chain_question *question, struct trial *trial)
{
	struct transfer_result result = trial->second_opinion.result;
	if (question->trusted && trial->run->ending == FAILURE_NONE)
		trial_transfer(trial, trial->url);
	else
		trial_after(trial, &result);
}

static void decide(struct chain_question *question)
{
	struct judged_handshake *handshakes = question->handshakes;
	struct trial *trials = question->trials;
	question->decided = true;
	uv_timer_stop(&question->patience);
	question->handshakes = NULL;
	question->trials = NULL;
	for (struct judged_handshake *one = handshakes; one; one = one->next)
		annotate(question, one->observation);
	while (trials) {
		struct trial *next = trials->second_opinion.next;
		trial_go_on(question, trials);
		trials = next;
	}
	for (struct judged_handshake *one = handshakes; one; one = one->next) {
		one->leg->chains_open--;
		leg_check(one->leg);
	}
}

static void questions_pump(struct run *run);

static void give_up(struct chain_question *question)
{
	if (question->blocking) {
		blocking_abandon(question->blocking);
		return;
	}
	job_free(question->job);
	decide(question);
}

static void on_patience_over(uv_timer_t *timer)
{
	give_up(timer->data);
}

/* A thread that is abandoned may hang for long: it keeps its place among the few that there may be. */
static void on_answer(enum blocking_end end, void *user)
{
	struct chain_question *question = user;
	struct run *run = question->run;
	question->blocking = NULL;
	if (end != BLOCKING_ABANDONED)
		run->chains_asked--;
	if (end == BLOCKING_FINISHED) {
		const struct chain_job *job = question->job;
		question->verdict = job->answered ? arena_strdup(run->report->arena, job->answer.verdict) : NULL;
		question->trusted = job->answered && job->answer.trusted;
		if (question->trusted && question->wanted)
			question->fetched = trust_add_found(&run->trust, run->report->arena, &job->answer);
	}
	decide(question);
	questions_pump(run);
}

/* ------------------------------------------------------------------ asking */

static void question_begin(struct chain_question *question)
{
	struct run *run = question->run;
	struct blocking_call call = {
		.work = job_run,
		.release = job_free,
		.data = question->job,
		.patience_us = run->options->timeout_us,
		.done = on_answer,
		.user = question,
	};
	run->chains_asked++;
	question->blocking = blocking_start(&run->loop, &call);
}

/* Oldest first: the list has the newest in front. */
static struct chain_question *next_waiting(const struct run *run)
{
	struct chain_question *oldest = NULL;
	for (struct chain_question *one = run->chain_questions; one; one = one->next)
		if (!one->decided && !one->blocking)
			oldest = one;
	return oldest;
}

static void questions_pump(struct run *run)
{
	struct chain_question *question;
	while (run->ending == FAILURE_NONE && run->chains_asked < CHAIN_THREADS_MAX &&
	       (question = next_waiting(run)) != NULL)
		question_begin(question);
}

static const char *key_of(struct arena *arena, const struct sent_chain *chain)
{
	const struct tls_handshake *tls = &chain->handshake->tls;
	const char *key = chain->host;
	for (size_t i = 0; i < tls->chain_count; i++)
		key = arena_printf(arena, "%s %s", key, tls->chain[i].sha256 ? tls->chain[i].sha256 : "?");
	return key;
}

static struct chain_question *question_of(struct run *run, const struct sent_chain *chain)
{
	struct arena *arena = run->report->arena;
	const char *key = key_of(arena, chain);
	for (struct chain_question *one = run->chain_questions; one; one = one->next)
		if (strcmp(one->key, key) == 0)
			return one;
	struct chain_question *question = arena_alloc(arena, sizeof(*question));
	question->run = run;
	question->key = arena_strdup(arena, key);
	question->wanted = chain->handshake->failure == FAILURE_SSL_UNKNOWN_AUTHORITY;
	question->job = job_new(chain);
	uv_timer_init(&run->loop, &question->patience);
	question->patience.data = question;
	uv_timer_start(&question->patience, on_patience_over, (uint64_t)(run->options->timeout_us / 1000), 0);
	question->next = run->chain_questions;
	run->chain_questions = question;
	questions_pump(run);
	return question;
}

void system_trust_chain_came(const struct sent_chain *chain, void *user)
{
	struct run *run = user;
	if (run->ending == FAILURE_NONE)
		question_of(run, chain);
}

static void handshake_take(struct trial *trial, const struct sent_chain *chain)
{
	struct chain_question *question = question_of(trial->run, chain);
	if (question->decided) {
		annotate(question, chain->handshake);
		return;
	}
	struct judged_handshake *one = arena_alloc(trial->run->report->arena, sizeof(*one));
	*one = (struct judged_handshake){question->handshakes, trial->leg, chain->handshake};
	question->handshakes = one;
	trial->leg->chains_open++;
}

void system_trust_take(struct trial *trial, const struct transfer_result *result)
{
	struct run *run = trial->run;
	const struct observation_list *list = &result->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_TLS_HANDSHAKE)
			list->items[i]->tls.root_store = trust_root_store(&run->trust, list->items[i]->tls.root_sha256);
	for (size_t i = 0; i < result->chain_count && run->ending == FAILURE_NONE; i++)
		handshake_take(trial, &result->chains[i]);
}

static const struct sent_chain *refused_chain(const struct transfer_result *result)
{
	for (size_t i = result->chain_count; i-- > 0;)
		if (result->chains[i].handshake->failure == FAILURE_SSL_UNKNOWN_AUTHORITY)
			return &result->chains[i];
	return NULL;
}

bool system_trust_is_asked(struct trial *trial, const struct transfer_result *result)
{
	const struct sent_chain *chain =
		result->failure == FAILURE_SSL_UNKNOWN_AUTHORITY ? refused_chain(result) : NULL;
	if (!chain || trial->second_opinion.asked || trial->run->ending != FAILURE_NONE)
		return false;
	struct chain_question *question = question_of(trial->run, chain);
	trial->second_opinion.asked = true;
	if (question->decided && !question->trusted)
		return false;
	trial->second_opinion.result = *result;
	if (question->decided) {
		trial_go_on(question, trial);
		return true;
	}
	trial->second_opinion.next = question->trials;
	question->trials = trial;
	return true;
}

void system_trust_cut(struct run *run)
{
	for (struct chain_question *one = run->chain_questions; one; one = one->next) {
		if (!one->decided)
			give_up(one);
	}
}
