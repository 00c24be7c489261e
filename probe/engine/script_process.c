#include "probe/engine/script_process.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/engine/script_answer.h"
#include "probe/os/os.h"
#include "probe/os/os_sandbox.h"
#include "probe/settings/pac_child.h"
#include "probe/settings/pac_wire.h"

/*
 * One message at a time goes either way:
 *
 *   STARTING  -> READY, then SCRIPT goes out                     -> LOADING
 *   LOADING   -> LOADED                                          -> IDLE
 *   IDLE      script_process_ask()                               -> ASKING
 *   ASKING    -> ANSWER                                          -> IDLE
 *   LOADING and ASKING: CALL any time; RESOLVE                   -> is_resolving, until NAMES goes out
 *   DEAD      the error is known; a question is answered with it by the loop
 *
 * Any other message is an attack, and ends in DEAD.
 */
enum state { STARTING, LOADING, IDLE, ASKING, DEAD };

enum { READ_BYTES = 64 * 1024, HANDLES = 3, MESSAGE_BYTES = 512 };

/* A busy server starts a process slowly, and that is no fault of the script. */
enum { START_PATIENCE_US = 10 * 1000 * 1000 };

struct script_process {
	struct script_process_options options; /* without its texts */
	enum state state;
	bool is_resolving, is_closing;
	bool owes_answer;	     /* a question waits for one */
	int64_t budget_us, began_us; /* left of this answer's time, and since when it is running */
	unsigned calls, names;	     /* of this question */
	struct os_sandboxed *sandboxed;
	uv_pipe_t in, out; /* the child's */
	uv_timer_t timer;
	int open_handles;
	bool has_pipes;
	char *script, *own_addresses, *sandbox;
	size_t script_length;
	struct strbuf received;
	char buffer[READ_BYTES];
	const char *error; /* of a dead one; static */
	char message[MESSAGE_BYTES];
};

/* ------------------------------------------------------------------ time */

static void timer_expired(uv_timer_t *timer);

static void timer_run(struct script_process *process)
{
	int64_t left_ms = process->budget_us > 0 ? (process->budget_us + 999) / 1000 : 0;
	process->began_us = os_monotonic_us();
	uv_update_time(process->options.loop);
	uv_timer_start(&process->timer, timer_expired, (uint64_t)left_ms, 0);
}

static void timer_pause(struct script_process *process)
{
	process->budget_us -= os_monotonic_us() - process->began_us;
	uv_timer_stop(&process->timer);
}

static void timer_begin(struct script_process *process)
{
	int64_t timeout_us = process->options.timeout_us;
	bool is_start = process->state == STARTING && timeout_us < START_PATIENCE_US;
	process->budget_us = is_start ? START_PATIENCE_US : timeout_us;
	timer_run(process);
}

/* ------------------------------------------------------------------ the end of the process */

static void handle_closed(uv_handle_t *handle)
{
	struct script_process *process = handle->data;
	if (--process->open_handles > 0)
		return;
	free(process->script);
	free(process->own_addresses);
	free(process->sandbox);
	strbuf_free(&process->received);
	free(process);
}

static void close_pipes(struct script_process *process)
{
	if (!process->has_pipes)
		return;
	process->has_pipes = false;
	uv_close((uv_handle_t *)&process->in, handle_closed);
	uv_close((uv_handle_t *)&process->out, handle_closed);
}

/** The answer, from the loop alone. The callback may close the process, or ask again. */
static void answer(struct script_process *process, const struct script_process_answer *given)
{
	process->owes_answer = false;
	process->options.answered(given, process->options.user);
}

static void answer_dead(struct script_process *process)
{
	const struct script_process_answer given = {.error = process->error, .message = process->message};
	if (process->owes_answer && !process->is_closing)
		answer(process, &given);
}

/** It is dead from now on. */
static void bury(struct script_process *process, const char *error)
{
	process->state = DEAD;
	process->is_resolving = false;
	process->error = error;
	uv_timer_stop(&process->timer);
	close_pipes(process);
}

/** End it for something that it did. The message may be cut. */
static void fail(struct script_process *process, const char *error, const char *message)
{
	os_sandbox_end(process->sandboxed, false);
	process->sandboxed = NULL;
	snprintf(process->message, sizeof(process->message), "%s", message);
	bury(process, error);
	answer_dead(process);
}

static void fail_attack(struct script_process *process)
{
	fail(process, "exception", "the process that runs the script broke the rules of its pipe, and was ended");
}

/** What it means that the process has ended. */
static const char *error_of(const struct os_sandbox_death *death, bool had_sandbox)
{
	if (!had_sandbox)
		return "no_sandbox";
	if (death->end == OS_SANDBOX_CPU_TIME)
		return "timeout";
	if (death->end == OS_SANDBOX_MEMORY ||
	    (death->end == OS_SANDBOX_EXITED && death->status == PAC_CHILD_EXIT_NO_MEMORY))
		return "memory";
	return "exception";
}

static void fail_ended(struct script_process *process)
{
	struct os_sandbox_death death = os_sandbox_end(process->sandboxed, true);
	const char *error = error_of(&death, process->sandbox != NULL);
	const char *why = "";
	process->sandboxed = NULL;
	if (death.end == OS_SANDBOX_FORBIDDEN)
		why = " because it tried what its sandbox forbids";
	else if (strcmp(error, "timeout") == 0)
		why = " because its computing time was used up";
	else if (strcmp(error, "memory") == 0)
		why = " for lack of memory";
	snprintf(process->message, sizeof(process->message), "the process that runs the script ended%s%s (%s)",
		 process->sandbox ? "" : " before its sandbox stood", why, death.how);
	bury(process, error);
	answer_dead(process);
}

static void timer_expired(uv_timer_t *timer)
{
	struct script_process *process = timer->data;
	char text[MESSAGE_BYTES];
	if (process->state == DEAD) {
		answer_dead(process);
		return;
	}
	if (!process->sandbox) {
		fail(process, "no_sandbox", "the script was not run: its process did not start in time");
		return;
	}
	snprintf(text, sizeof(text), "the script gave no answer within %.1f s",
		 (double)process->options.timeout_us / 1e6);
	fail(process, "timeout", text);
}

/* ------------------------------------------------------------------ to the child */

struct writing {
	uv_write_t request;
	struct strbuf bytes;
};

/** Whether a write failed is told by the end of the pipe that is read. */
static void written(uv_write_t *request, int status)
{
	struct writing *writing = request->data;
	(void)status;
	strbuf_free(&writing->bytes);
	free(writing);
}

static void send_message(struct script_process *process, enum pac_message_type type, const struct pac_text *texts,
			 size_t count)
{
	struct writing *writing = xcalloc(1, sizeof(*writing));
	struct pac_message message = {.type = type, .text_count = count};
	memcpy(message.texts, texts, count * sizeof(*texts));
	strbuf_init(&writing->bytes);
	pac_message_write(&writing->bytes, &message);
	writing->request.data = writing;
	uv_buf_t buffer = uv_buf_init(writing->bytes.data, (unsigned)writing->bytes.length);
	if (uv_write(&writing->request, (uv_stream_t *)&process->in, &buffer, 1, written) != 0)
		written(&writing->request, 0);
}

void script_process_names(struct script_process *process, const char *addresses)
{
	struct pac_text text = pac_text(addresses, PAC_ADDRESSES_BYTES_MAX);
	if (!process->is_resolving || process->is_closing)
		return;
	process->is_resolving = false;
	send_message(process, PAC_MESSAGE_NAMES, &text, 1);
	timer_run(process);
}

void script_process_ask(struct script_process *process, const char *url, const char *host)
{
	struct pac_text texts[] = {{url, strlen(url)}, {host, strlen(host)}};
	process->owes_answer = true;
	if (process->state == DEAD) {
		uv_timer_start(&process->timer, timer_expired, 0, 0);
		return;
	}
	process->state = ASKING;
	process->calls = process->names = 0;
	send_message(process, PAC_MESSAGE_ASK, texts, 2);
	timer_begin(process);
}

/* ------------------------------------------------------------------ from the child */

static void take_ready(struct script_process *process, const struct pac_message *message)
{
	struct pac_text texts[] = {{process->script, process->script_length},
				   pac_text(process->own_addresses, PAC_ADDRESSES_BYTES_MAX)};
	process->sandbox = script_text_clean(&message->texts[0]);
	process->state = LOADING;
	send_message(process, PAC_MESSAGE_SCRIPT, texts, 2);
	timer_begin(process);
}

static void take_no_sandbox(struct script_process *process, const struct pac_message *message)
{
	char *why = script_text_clean(&message->texts[0]);
	fail(process, "no_sandbox", why);
	free(why);
}

/** Pause the clock and ask, unless it is no name at all. */
static void take_resolve(struct script_process *process, const struct pac_message *message)
{
	struct address literal;
	char *name = script_text_clean(&message->texts[0]);
	if (++process->names > PAC_NAMES_MAX || message->texts[0].length > PAC_NAME_BYTES_MAX) {
		fail_attack(process);
	} else {
		timer_pause(process);
		process->is_resolving = true;
		if (!*name || address_parse(name, &literal))
			script_process_names(process, NULL);
		else
			process->options.resolve(process, name, message->number == 1, process->options.user);
	}
	free(name);
}

static void take_call(struct script_process *process, const struct pac_message *message)
{
	bool too_long = message->texts[0].length > PAC_CALL_TEXT_BYTES_MAX ||
			message->texts[1].length > PAC_CALL_TEXT_BYTES_MAX;
	if (++process->calls > PAC_CALLS_MAX || too_long) {
		fail_attack(process);
		return;
	}
	char *call = script_text_clean(&message->texts[0]), *result = script_text_clean(&message->texts[1]);
	process->options.called(call, result, (int)message->number, process->options.user);
	free(call);
	free(result);
}

/** LOADED and ANSWER. */
static void take_answer(struct script_process *process, const struct pac_message *message)
{
	const struct pac_text *texts = message->texts;
	struct script_process_answer given;
	if (texts[2].length > PAC_RESULT_BYTES_MAX) {
		fail(process, "too_large", "the result is larger than allowed");
		return;
	}
	if (!script_answer_read(message, &given)) {
		fail_attack(process);
		return;
	}
	char *words = script_text_clean(&texts[1]), *result = script_text_clean(&texts[2]);
	given.message = *words ? words : NULL;
	given.result = message->number == 1 ? result : NULL;
	process->state = IDLE;
	uv_timer_stop(&process->timer);
	if (given.error && (message->type == PAC_MESSAGE_LOADED || strcmp(given.error, "memory") == 0)) {
		snprintf(process->message, sizeof(process->message), "%s", words);
		os_sandbox_end(process->sandboxed, false);
		process->sandboxed = NULL;
		bury(process, given.error);
	}
	answer(process, &given);
	free(words);
	free(result);
}

static void take(struct script_process *process, const struct pac_message *message)
{
	enum state state = process->state;
	bool works = (state == LOADING || state == ASKING) && !process->is_resolving;
	if (message->type == PAC_MESSAGE_READY && state == STARTING)
		take_ready(process, message);
	else if (message->type == PAC_MESSAGE_NO_SANDBOX && state == STARTING)
		take_no_sandbox(process, message);
	else if (message->type == PAC_MESSAGE_CALL && works)
		take_call(process, message);
	else if (message->type == PAC_MESSAGE_RESOLVE && works)
		take_resolve(process, message);
	else if (message->type == (state == LOADING ? PAC_MESSAGE_LOADED : PAC_MESSAGE_ANSWER) && works)
		take_answer(process, message);
	else
		fail_attack(process);
}

/** All messages that are there; the callbacks may close the process in between. */
static void take_all(struct script_process *process)
{
	struct strbuf *received = &process->received;
	while (process->state != DEAD && !process->is_closing) {
		struct pac_message message;
		size_t used = 0;
		enum pac_read read = pac_message_read(received->data, received->length, &used, &message);
		if (read == PAC_READ_MORE)
			return;
		if (read == PAC_READ_DAMAGED) {
			fail_attack(process);
			return;
		}
		take(process, &message);
		memmove(received->data, received->data + used, received->length - used);
		strbuf_truncate(received, received->length - used);
	}
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct script_process *process = handle->data;
	(void)suggested;
	*out = uv_buf_init(process->buffer, sizeof(process->buffer));
}

static void received(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct script_process *process = stream->data;
	if (process->state == DEAD || process->is_closing || got == 0)
		return;
	if (got < 0) {
		fail_ended(process);
		return;
	}
	strbuf_add_bytes(&process->received, buffer->base, (size_t)got);
	take_all(process);
}

/* ------------------------------------------------------------------ the start, the close */

static void close_descriptor(uv_file fd)
{
	uv_fs_t request;
	uv_fs_close(NULL, &request, fd, NULL);
	uv_fs_req_cleanup(&request);
}

/** Our ends belong to the loop from now on. 0 or libuv's error. */
static int open_pipes(struct script_process *process, uv_file write_end, uv_file read_end)
{
	uv_loop_t *loop = process->options.loop;
	uv_pipe_init(loop, &process->in, 0);
	uv_pipe_init(loop, &process->out, 0);
	process->in.data = process->out.data = process;
	process->open_handles += 2;
	process->has_pipes = true;
	int error = uv_pipe_open(&process->in, write_end);
	if (error)
		close_descriptor(write_end);
	int other = uv_pipe_open(&process->out, read_end);
	if (other)
		close_descriptor(read_end);
	error = error ? error : other;
	return error ? error : uv_read_start((uv_stream_t *)&process->out, give_buffer, received);
}

static bool start_child(struct script_process *process, uv_file in, uv_file out)
{
	const struct os_sandbox_limits limits = {.cpu_seconds = PAC_CPU_SECONDS_MAX,
						 .memory_bytes = PAC_PROCESS_BYTES_MAX};
	process->sandboxed =
		os_sandbox_start(PAC_CHILD_ARGUMENT, &limits, in, out, process->message, sizeof(process->message));
	return process->sandboxed != NULL;
}

static bool start(struct script_process *process)
{
	uv_file to[2], from[2];
	int error = uv_pipe(to, 0, UV_NONBLOCK_PIPE);
	if (!error && (error = uv_pipe(from, UV_NONBLOCK_PIPE, 0)) != 0) {
		close_descriptor(to[0]);
		close_descriptor(to[1]);
	}
	if (error) {
		snprintf(process->message, sizeof(process->message), "no pipes for its process: %s",
			 uv_strerror(error));
		return false;
	}
	bool started = start_child(process, to[0], from[1]);
	close_descriptor(to[0]);
	close_descriptor(from[1]);
	error = open_pipes(process, to[1], from[0]);
	if (started && error)
		snprintf(process->message, sizeof(process->message), "no pipes for its process: %s",
			 uv_strerror(error));
	return started && !error;
}

struct script_process *script_process_start(const struct script_process_options *options)
{
	struct script_process *process = xcalloc(1, sizeof(*process));
	process->options = *options;
	process->options.text = process->options.own_addresses = NULL;
	process->owes_answer = true;
	strbuf_init(&process->received);
	uv_timer_init(options->loop, &process->timer);
	process->timer.data = process;
	process->open_handles = 1;
	process->script = xmalloc(options->length + 1);
	memcpy(process->script, options->text, options->length);
	process->script_length = options->length;
	process->own_addresses = xstrdup(options->own_addresses);
	if (options->length > PAC_SCRIPT_BYTES_MAX) {
		snprintf(process->message, sizeof(process->message), "the script is larger than %d bytes",
			 PAC_SCRIPT_BYTES_MAX);
		bury(process, "too_large");
	} else if (!start(process)) {
		os_sandbox_end(process->sandboxed, false);
		process->sandboxed = NULL;
		bury(process, "no_sandbox");
	}
	timer_begin(process);
	if (process->state == DEAD)
		uv_timer_start(&process->timer, timer_expired, 0, 0);
	return process;
}

bool script_process_is_dead(const struct script_process *process)
{
	return process->state == DEAD;
}

const char *script_process_sandbox(const struct script_process *process)
{
	return process->sandbox;
}

void script_process_close(struct script_process *process)
{
	if (process->is_closing)
		return;
	process->is_closing = true;
	os_sandbox_end(process->sandboxed, false);
	process->sandboxed = NULL;
	close_pipes(process);
	uv_close((uv_handle_t *)&process->timer, handle_closed);
}
