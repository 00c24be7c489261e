#include "probe/engine/system_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "probe/core/arena.h"
#include "probe/core/evidence_absorb.h"
#include "probe/core/evidence_json.h"
#include "probe/core/strbuf.h"
#include "probe/engine/legs.h"
#include "probe/os/os.h"

enum { START_TIMEOUT_MS = 30 * 1000, GRACE_MS = 3000, MESSAGE_MAX_BYTES = 64 * 1024 * 1024 };

/* The first byte of a message says what it is. */
enum { MESSAGE_ORDER = 'O', MESSAGE_STOP = 'S', MESSAGE_FOUND = 'F', MESSAGE_ERROR = 'E' };

struct system_run {
	struct os_system_run *process;
	struct os_link *link; /* outlives the process */
	struct strbuf order;  /* a whole message */
	uv_async_t heard;
	uv_timer_t patience;
	/* under the lock: */
	uv_mutex_t lock;
	bool listening; /* the loop still waits, so heard is open */
	bool over;	/* the reading thread has ended */
	char *answer;	/* a whole message, or NULL */
	size_t length;
};

static bool send_message(struct os_link *link, int kind, const char *bytes, size_t length)
{
	struct strbuf message;
	strbuf_init(&message);
	strbuf_add_char(&message, (char)kind);
	strbuf_add_bytes(&message, bytes, length);
	bool sent = os_link_send(link, message.data, message.length);
	strbuf_free(&message);
	return sent;
}

/* ------------------------------------------------------------------ the process that was started by a person */

struct system_run *system_run_start(char *reason, size_t reason_bytes)
{
	struct os_system_run *process = os_system_run_start(START_TIMEOUT_MS, reason, reason_bytes);
	if (!process)
		return NULL;
	struct system_run *system = xcalloc(1, sizeof(*system));
	system->process = process;
	system->link = os_system_run_link(process);
	strbuf_init(&system->order);
	uv_mutex_init(&system->lock);
	return system;
}

void system_run_prepare(struct system_run *system, const struct handover *handover)
{
	strbuf_add_char(&system->order, MESSAGE_ORDER);
	handover_to_json(handover, &system->order);
}

bool system_run_end(struct system_run *system, char *reason, size_t reason_bytes)
{
	return !system || os_system_run_end(system->process, reason, reason_bytes);
}

/* In a thread of its own: writing blocks while the other process does not read, and reading anyway. */
static void order_and_listen(void *argument)
{
	struct system_run *system = argument;
	size_t length = 0;
	bool sent = os_link_send(system->link, system->order.data, system->order.length);
	strbuf_free(&system->order);
	char *answer = sent ? os_link_receive(system->link, MESSAGE_MAX_BYTES, &length) : NULL;
	uv_mutex_lock(&system->lock);
	system->answer = answer;
	system->length = length;
	system->over = true;
	if (system->listening)
		uv_async_send(&system->heard);
	uv_mutex_unlock(&system->lock);
}

static void stop_listening(struct run *run)
{
	struct system_run *system = run->options->system_run;
	uv_mutex_lock(&system->lock);
	system->listening = false;
	uv_mutex_unlock(&system->lock);
	if (!run->system_open)
		return;
	run->system_open = false;
	uv_close((uv_handle_t *)&system->heard, NULL);
	uv_close((uv_handle_t *)&system->patience, NULL);
}

static void on_heard(uv_async_t *heard)
{
	stop_listening(heard->data);
}

static void on_patience_over(uv_timer_t *timer)
{
	stop_listening(timer->data);
}

void system_run_begin(struct run *run)
{
	struct system_run *system = run->options->system_run;
	if (!system)
		return;
	uv_async_init(&run->loop, &system->heard, on_heard);
	uv_timer_init(&run->loop, &system->patience);
	system->heard.data = system->patience.data = run;
	system->listening = run->system_open = true;
	if (os_thread_detached(order_and_listen, system))
		return;
	system->over = true;
	stop_listening(run);
}

/* In a thread of its own too: it waits until the order is out. */
static void send_stop(void *argument)
{
	struct system_run *system = argument;
	send_message(system->link, MESSAGE_STOP, NULL, 0);
}

void system_run_cut(struct run *run)
{
	struct system_run *system = run->options->system_run;
	if (!run->system_open)
		return;
	os_thread_detached(send_stop, system);
	uv_timer_start(&system->patience, on_patience_over, GRACE_MS, 0);
}

/* What the other process answered, as a report; NULL with the reason. */
static struct report *read_answer(const struct system_run *system, struct err *err)
{
	struct report *found = NULL;
	if (!system->over) {
		err_set(err, "it gave no answer in time");
	} else if (!system->answer || !system->length) {
		err_set(err, "it ended without an answer; a security product may have ended it");
	} else if (system->answer[0] != MESSAGE_FOUND) {
		err_set(err, "%s", system->answer + 1);
	} else if (!report_from_json(system->answer + 1, system->length - 1, "its answer", &found, err)) {
		return NULL;
	}
	return found;
}

/* The paths stay, as what nobody has tried. */
static void give_up(struct report *report, const struct err *err)
{
	for (size_t i = 0; i < report->identity_count; i++) {
		struct identity *identity = &report->identities[i];
		if (identity->id != IDENTITY_SYSTEM)
			continue;
		identity->mode = MODE_UNAVAILABLE;
		identity->why = arena_printf(report->arena, "the run as SYSTEM was started, but %s", err->text);
	}
}

void system_run_absorb(struct run *run)
{
	struct err err;
	struct system_run *system = run->options->system_run;
	if (!system)
		return;
	uv_mutex_lock(&system->lock);
	struct report *found = read_answer(system, &err);
	uv_mutex_unlock(&system->lock);
	if (!found || !report_absorb(run->report, found, IDENTITY_SYSTEM, &err))
		give_up(run->report, &err);
}

/* ------------------------------------------------------------------ the process that runs as SYSTEM */

struct listener {
	struct os_link *link;
	struct engine_switch *stop;
};

/* A cut link ends this process elsewhere (os_system_child_run()). */
static void wait_for_stop(void *argument)
{
	struct listener *listener = argument;
	size_t length = 0;
	for (char *message; (message = os_link_receive(listener->link, MESSAGE_MAX_BYTES, &length)) != NULL;) {
		bool stop = length && message[0] == MESSAGE_STOP;
		free(message);
		if (stop)
			engine_switch_press(listener->stop);
	}
}

static bool take_order(struct os_link *link, struct handover *out, struct err *err)
{
	size_t length = 0;
	char *message = os_link_receive(link, MESSAGE_MAX_BYTES, &length);
	bool taken = message && length && message[0] == MESSAGE_ORDER
			     ? handover_from_json(message + 1, length - 1, out, err)
			     : err_set(err, "no order came");
	free(message);
	return taken;
}

void system_run_serve(struct os_link *link,
		      bool (*carry_out)(struct handover *handover, struct engine_switch *stop, struct err *err))
{
	struct err err;
	struct handover handover;
	struct strbuf found;
	struct listener *listener = xcalloc(1, sizeof(*listener)); /* the thread's for ever */
	*listener = (struct listener){link, engine_switch_new()};
	bool done = take_order(link, &handover, &err);
	if (done)
		os_thread_detached(wait_for_stop, listener);
	done = done && carry_out(&handover, listener->stop, &err);
	strbuf_init(&found);
	if (done)
		report_to_json(handover.report, &found);
	if (done)
		send_message(link, MESSAGE_FOUND, found.data, found.length);
	else
		send_message(link, MESSAGE_ERROR, err.text, strlen(err.text));
	strbuf_free(&found);
}
