#include "probe/engine/script_source.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/legs.h"
#include "probe/engine/script_answer.h"
#include "probe/engine/script_fetch.h"
#include "probe/engine/script_names.h"
#include "probe/engine/script_process.h"
#include "probe/engine/wpad.h"
#include "probe/os/os.h"
#include "probe/settings/mask.h"
#include "probe/settings/pac_arguments.h"
#include "probe/settings/pac_result.h"

/* A script that breaks its process gets a new one so many times in a row; after that its last error stands for what is left to ask. */
enum { RESTARTS_MAX = 2, RESULT_SHOWN_BYTES = 1024 };

struct waiter {
	struct waiter *next;
	script_answered_cb answered;
	void *user;
};

/** One URL, asked once. */
struct script_query {
	struct script_query *next;
	const char *url, *host;		 /* as the script sees them */
	struct observation *observation; /* under way, or answered */
	struct waiter *waiters;
	struct path_list paths;
	bool answered;
	struct script_answer answer;
};

struct script_source {
	struct run *run;
	const char *mechanism, *found_by;
	const char *address; /* where it is fetched; NULL: not found yet */
	const char *shown;   /* the same for reports */
	enum {
		SOURCE_IDLE,
		SOURCE_FINDING,
		SOURCE_FETCHING,
		SOURCE_LOADING,
		SOURCE_READY,
		SOURCE_OVER,
		SOURCE_CUT
	} state;
	struct observation *observation; /* the proxy_script, from its start */
	bool recorded;			 /* it is known how that went */
	struct path_list paths;
	struct wpad *wpad;
	struct script_fetch *fetch;
	struct script_process *process;
	unsigned restarts; /* since it last answered in good order */
	const char *text;
	size_t length;
	struct script_answer over;		/* OVER: what is said of every URL */
	struct script_query *queries, *current; /* the one that the process is at */
	struct script_names names;
};

static int64_t run_us(const struct script_source *source)
{
	return os_monotonic_us() - source->run->started_us;
}

/* ------------------------------------------------------------------ answers */

static void query_deliver(struct script_query *query, const struct script_answer *answer)
{
	struct waiter *waiters = query->waiters;
	query->answered = true;
	query->answer = *answer;
	query->waiters = NULL;
	for (; waiters; waiters = waiters->next)
		waiters->answered(&query->answer, waiters->user);
}

/* There is no script to ask, now or any more. */
static void source_end(struct script_source *source, const struct script_answer *answer)
{
	source->state = SOURCE_OVER;
	source->over = *answer;
	for (struct script_query *query = source->queries; query; query = query->next)
		if (!query->answered)
			query_deliver(query, answer);
}

static struct script_answer failed(const struct script_source *source, const char *error, const char *message)
{
	return (struct script_answer){
		.state = SCRIPT_FAILED, .error = error, .message = message, .script = source->shown};
}

/* ------------------------------------------------------------------ the search for a script, as evidence */

static void script_begin(struct script_source *source)
{
	struct observation *one = report_add_observation(source->run->report, OP_PROXY_SCRIPT);
	source->observation = one;
	one->start_us = run_us(source);
	one->script.mechanism = source->mechanism;
	one->script.found_by = source->found_by;
	one->script.url = source->shown;
}

/* message NULL: what it says already stays. */
static void script_record(struct script_source *source, enum failure failure, const char *error, const char *message)
{
	struct observation *one = source->observation;
	struct arena *arena = source->run->report->arena;
	source->recorded = true;
	one->duration_us = run_us(source) - one->start_us;
	one->failure = failure;
	one->script.found_by = source->found_by;
	one->script.url = source->shown;
	one->script.error = error;
	if (message)
		one->script.message = arena_strdup(arena, message);
	if (source->process)
		one->script.sandbox = arena_strdup(arena, script_process_sandbox(source->process));
	one->paths = (struct path_list){0};
	for (size_t i = 0; i < source->paths.count; i++)
		path_list_add(arena, &one->paths, source->paths.items[i]);
}

static void script_fail(struct script_source *source, enum failure failure, const char *error, const char *message)
{
	message = arena_strdup(source->run->report->arena, message);
	script_record(source, failure == FAILURE_NONE ? FAILURE_UNKNOWN : failure, error, message);
	struct script_answer answer = failed(source, error, message);
	source_end(source, &answer);
}

/* ------------------------------------------------------------------ asking the process */

static void source_pump(struct script_source *source);
static void process_start(struct script_source *source);

static struct observation *decision_begin(struct script_source *source, const struct script_query *query)
{
	struct arena *arena = source->run->report->arena;
	struct observation *one = report_add_observation(source->run->report, OP_PROXY_DECISION);
	one->start_us = run_us(source);
	one->decision.mechanism = source->mechanism;
	one->decision.script = source->shown;
	one->decision.url = url_for_report(arena, query->url);
	return one;
}

/* Masked before it is cut: half a password would not be known for one. */
static const char *shown_result(struct arena *arena, const char *result)
{
	const char *masked = mask_passwords(arena, arena_strdup(arena, result));
	size_t length = strlen(masked);
	if (length <= RESULT_SHOWN_BYTES)
		return masked;
	length = RESULT_SHOWN_BYTES;
	while (length > 0 && ((unsigned char)masked[length] & 0xC0) == 0x80)
		length--;
	return arena_strndup(arena, masked, length);
}

static void take_result(struct script_source *source, struct script_query *query, const char *result,
			struct script_answer *out)
{
	struct arena *arena = source->run->report->arena;
	struct proxy_decision *decision = &query->observation->decision;
	struct text_list *via = arena_alloc(arena, sizeof(*via)), dropped = {0};
	pac_result_parse(arena, result, via, &dropped);
	decision->result = shown_result(arena, result);
	decision->via = *via;
	*out = (struct script_answer){
		.state = SCRIPT_ANSWERED, .script = source->shown, .via = via, .rule = script_rule(arena, decision)};
}

static enum failure failure_of(const char *error)
{
	if (!error)
		return FAILURE_NONE;
	return strcmp(error, "timeout") == 0 ? FAILURE_TIMEOUT : FAILURE_UNKNOWN;
}

static void decision_end(struct script_source *source, struct script_query *query, enum failure failure)
{
	struct observation *one = query->observation;
	one->duration_us = run_us(source) - one->start_us;
	one->failure = failure;
	for (size_t i = 0; i < query->paths.count; i++)
		path_list_add(source->run->report->arena, &one->paths, query->paths.items[i]);
}

static void on_answer(struct script_source *source, const struct script_process_answer *said)
{
	struct arena *arena = source->run->report->arena;
	struct script_query *query = source->current;
	struct proxy_decision *decision = &query->observation->decision;
	struct script_answer answer;
	source->current = NULL;
	script_names_forget(&source->names);
	decision->entry_point = arena_strdup(arena, said->entry_point);
	decision->error = arena_strdup(arena, said->error);
	decision->message = mask_passwords(arena, arena_strdup(arena, said->message));
	if (said->result)
		take_result(source, query, said->result, &answer);
	else
		answer = failed(source, decision->error, decision->message);
	decision_end(source, query, failure_of(decision->error));
	query_deliver(query, &answer);
	if (source->state != SOURCE_READY || !source->process) /* nobody has more to ask */
		return;
	bool died = script_process_is_dead(source->process);
	source->restarts = died ? source->restarts + 1 : 0;
	if (source->restarts > RESTARTS_MAX) {
		answer.message = arena_printf(
			arena, "not asked any more after it broke its process %u times in a row; the last time: %s",
			source->restarts, answer.message);
		source_end(source, &answer);
	} else if (died)
		process_start(source);
	else
		source_pump(source);
}

static void on_loaded(struct script_source *source, const struct script_process_answer *said)
{
	struct arena *arena = source->run->report->arena;
	const char *message = mask_passwords(arena, arena_strdup(arena, said->message));
	if (said->error && !source->recorded) {
		script_fail(source, failure_of(said->error), arena_strdup(arena, said->error), message);
	} else if (said->error) {
		struct script_answer answer = failed(source, arena_strdup(arena, said->error), message);
		source_end(source, &answer);
	} else {
		if (!source->recorded)
			script_record(source, FAILURE_NONE, NULL, NULL);
		source->state = SOURCE_READY;
		source_pump(source);
	}
}

static void on_said(const struct script_process_answer *said, void *user)
{
	struct script_source *source = user;
	if (source->state == SOURCE_LOADING)
		on_loaded(source, said);
	else
		on_answer(source, said);
}

static void on_called(const char *call, const char *result, int line, void *user)
{
	struct script_source *source = user;
	struct arena *arena = source->run->report->arena;
	if (!source->current)
		return;
	struct proxy_decision *decision = &source->current->observation->decision;
	decision->calls = arena_grow(arena, decision->calls, &decision->call_capacity, decision->call_count,
				     sizeof(*decision->calls));
	decision->calls[decision->call_count++] =
		(struct proxy_call){mask_passwords(arena, arena_strdup(arena, call)),
				    mask_passwords(arena, arena_strdup(arena, result)), line > 0 ? line : NOT_MEASURED};
}

static void source_pump(struct script_source *source)
{
	struct script_query *query = source->queries;
	while (query && query->answered)
		query = query->next;
	if (!query || source->current || source->state != SOURCE_READY)
		return;
	source->current = query;
	query->observation = decision_begin(source, query);
	script_process_ask(source->process, query->url, query->host);
}

static void on_resolve(struct script_process *process, const char *name, bool both, void *user)
{
	struct script_source *source = user;
	(void)process;
	script_names_want(&source->names, name, both, source->current ? &source->current->paths : &source->paths);
}

static void on_name_came(const char *addresses, void *user)
{
	struct script_source *source = user;
	script_process_names(source->process, addresses);
}

/* ------------------------------------------------------------------ the way to the script */

static void process_start(struct script_source *source)
{
	struct script_process_options options = {
		.loop = &source->run->loop,
		.text = source->text,
		.length = source->length,
		.own_addresses = script_names_own(source->run->report->arena),
		.timeout_us = source->run->options->timeout_us,
		.resolve = on_resolve,
		.called = on_called,
		.answered = on_said,
		.user = source,
	};
	if (source->process)
		script_process_close(source->process);
	source->state = SOURCE_LOADING;
	source->process = script_process_start(&options);
}

static void on_fetched(struct script_fetch *fetch, const struct script_fetch_result *result, void *user)
{
	struct script_source *source = user;
	struct proxy_script *script = &source->observation->script;
	(void)fetch;
	source->fetch = NULL;
	script->mime = result->mime;
	script->sha256 = result->sha256;
	script->status = result->status;
	script->bytes = result->bytes;
	if (source->state == SOURCE_CUT) {
		script_record(source, result->failure, result->error, result->message);
		return;
	}
	if (result->error) {
		script_fail(source, result->failure, result->error, result->message);
		return;
	}
	script->message = result->message;
	source->text = result->text;
	source->length = result->length;
	process_start(source);
}

static void fetch_start(struct script_source *source)
{
	struct run *run = source->run;
	struct script_fetch_options options = {
		.report = run->report,
		.resolver = &run->resolver,
		.pool = run->pool,
		.url = source->address,
		.paths = &source->paths,
		.done = on_fetched,
		.user = source,
	};
	source->state = SOURCE_FETCHING;
	source->fetch = script_fetch_start(&options);
}

static void on_detected(struct wpad *wpad, const struct wpad_result *result, void *user)
{
	struct script_source *source = user;
	struct arena *arena = source->run->report->arena;
	(void)wpad;
	source->wpad = NULL;
	source->observation->script.names = result->names;
	source->found_by = result->found_by;
	source->address = arena_strdup(arena, result->url);
	source->shown = result->url ? mask_url(arena, result->url) : NULL;
	if (result->url && source->state != SOURCE_CUT) {
		fetch_start(source);
		return;
	}
	const char *message = arena_strdup(arena, result->message);
	script_record(source, source->state == SOURCE_CUT ? source->run->ending : FAILURE_NONE, NULL, message);
	struct script_answer none = {.state = SCRIPT_NONE, .message = message};
	if (source->state != SOURCE_CUT)
		source_end(source, &none);
}

static void detection_start(struct script_source *source)
{
	struct run *run = source->run;
	struct wpad_options options = {
		.loop = &run->loop,
		.report = run->report,
		.resolver = &run->resolver,
		.paths = &source->paths,
		.timeout_us = run->options->timeout_us,
		.done = on_detected,
		.user = source,
	};
	source->state = SOURCE_FINDING;
	source->wpad = wpad_start(&options);
}

/* A script from a file that an option names. */
static void take_given(struct script_source *source, const struct pac_given *given)
{
	source->text = given->text;
	source->length = given->length;
	source->observation->script.bytes = (int64_t)given->length;
	process_start(source);
}

void script_source_begin(struct script_source *source)
{
	const struct pac_given *given = source->run->options->pac;
	bool is_given = given && source->address && strcmp(given->name, source->address) == 0;
	if (source->state != SOURCE_IDLE || !source->queries)
		return;
	source->found_by = source->address ? (is_given ? "option" : "setting") : NULL;
	script_begin(source);
	if (is_given && given->text)
		take_given(source, given);
	else if (source->address)
		fetch_start(source);
	else
		detection_start(source);
}

/* ------------------------------------------------------------------ for others */

struct script_source *script_source_new(struct run *run, const char *address)
{
	struct arena *arena = run->report->arena;
	struct script_source *source = arena_alloc(arena, sizeof(*source));
	source->run = run;
	source->names = (struct script_names){.run = run, .came = on_name_came, .user = source};
	source->mechanism = address ? "pac" : "auto_detect";
	source->address = arena_strdup(arena, address);
	source->shown = mask_url(arena, address);
	return source;
}

/* NULL: that URL cannot be handed to a script. */
static struct script_query *query_of(struct script_source *source, const struct url *url)
{
	struct arena *arena = source->run->report->arena;
	const char *text, *host;
	if (!pac_arguments(arena, url, &text, &host))
		return NULL;
	struct script_query **end = &source->queries;
	for (; *end; end = &(*end)->next)
		if (strcmp((*end)->url, text) == 0)
			return *end;
	*end = arena_alloc(arena, sizeof(**end));
	(*end)->url = text;
	(*end)->host = host;
	return *end;
}

void script_source_ask(struct script_source *source, const struct url *url, struct path *path,
		       script_answered_cb answered, void *user)
{
	struct arena *arena = source->run->report->arena;
	struct script_query *query = query_of(source, url);
	if (!query) {
		struct script_answer none = failed(source, "exception", "its host cannot be handed to a script");
		answered(&none, user);
		return;
	}
	if (source->state != SOURCE_IDLE)
		script_names_share_way(source->run->report, source->paths.items[0], path);
	path_list_add(arena, &source->paths, path);
	if (source->recorded)
		path_list_add(arena, &source->observation->paths, path);
	path_list_add(arena, &query->paths, path);
	if (query->answered && query->observation)
		path_list_add(arena, &query->observation->paths, path);
	if (query->answered || source->state == SOURCE_OVER) {
		answered(query->answered ? &query->answer : &source->over, user);
		return;
	}
	struct waiter *waiter = arena_alloc(arena, sizeof(*waiter));
	*waiter = (struct waiter){query->waiters, answered, user};
	query->waiters = waiter;
	source_pump(source);
}

void script_source_cut(struct script_source *source, enum failure failure)
{
	if (source->state == SOURCE_OVER || source->state == SOURCE_CUT)
		return;
	source->state = SOURCE_CUT;
	if (source->wpad)
		wpad_cancel(source->wpad, failure);
	if (source->fetch)
		script_fetch_cancel(source->fetch, failure);
	if (source->observation && !source->recorded)
		script_record(source, failure, NULL, NULL);
	if (source->current)
		decision_end(source, source->current, failure);
	script_source_close(source);
}

void script_source_close(struct script_source *source)
{
	if (source->process)
		script_process_close(source->process);
	source->process = NULL;
	script_names_forget(&source->names);
}
