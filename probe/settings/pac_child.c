#include "probe/settings/pac_child.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/os/os_sandbox.h"
#include "probe/settings/pac.h"
#include "probe/settings/pac_wire.h"

enum { EXIT_BAD_MESSAGE = 2, EXIT_NO_SANDBOX = 3, READ_STEP_BYTES = 64 * 1024 };

struct name {
	char *name, *addresses; /* addresses NULL: it does not resolve */
	bool both;
};

struct child {
	struct strbuf in;
	size_t used; /* bytes of in that the message read last took */
	struct pac *pac;
	char *own_addresses;
	unsigned calls;			  /* told of this question */
	struct name names[PAC_NAMES_MAX]; /* looked up for this question */
	size_t name_count;
};

/* ------------------------------------------------------------------ messages */

/** A message of some texts. The parent is gone if it cannot be written: so is the reason to run. */
static void tell(enum pac_message_type type, uint32_t number, const struct pac_text *texts, size_t count)
{
	struct strbuf out;
	struct pac_message message = {.type = type, .number = number, .text_count = count};
	memcpy(message.texts, texts, count * sizeof(*texts));
	strbuf_init(&out);
	pac_message_write(&out, &message);
	bool told = os_sandbox_write(out.data, out.length);
	strbuf_free(&out);
	if (!told)
		_Exit(EXIT_BAD_MESSAGE);
}

static void tell_words(enum pac_message_type type, const char *words)
{
	struct pac_text text = pac_text(words, PAC_WORDS_BYTES_MAX);
	tell(type, 0, &text, 1);
}

/** The next message, whose texts are valid until the next call. False at the end of input and if it is damaged. */
static bool next_message(struct child *child, struct pac_message *out)
{
	static char step[READ_STEP_BYTES];
	size_t rest = child->in.length - child->used;
	memmove(child->in.data, child->in.data + child->used, rest);
	strbuf_truncate(&child->in, rest);
	child->used = 0;
	for (;;) {
		enum pac_read read = pac_message_read(child->in.data, child->in.length, &child->used, out);
		if (read != PAC_READ_MORE)
			return read == PAC_READ_ONE;
		size_t got = os_sandbox_read(step, sizeof(step));
		if (got == 0)
			return false;
		strbuf_add_bytes(&child->in, step, got);
	}
}

/* ------------------------------------------------------------------ the script's world */

static void called(void *user, const char *call, const char *result, int line)
{
	struct child *child = user;
	struct pac_text texts[] = {pac_text(call, PAC_CALL_TEXT_BYTES_MAX), pac_text(result, PAC_CALL_TEXT_BYTES_MAX)};
	if (child->calls >= PAC_CALLS_MAX)
		return;
	child->calls++;
	tell(PAC_MESSAGE_CALL, line > 0 ? (uint32_t)line : 0, texts, 2);
}

/** Ask the parent; nothing else may come from it before the answer. malloc()ed, NULL where it does not resolve. */
static char *ask_parent(struct child *child, const char *name, bool both)
{
	struct pac_message message;
	struct pac_text text = pac_text(name, PAC_NAME_BYTES_MAX);
	tell(PAC_MESSAGE_RESOLVE, both, &text, 1);
	if (!next_message(child, &message) || message.type != PAC_MESSAGE_NAMES)
		_Exit(EXIT_BAD_MESSAGE);
	return message.texts[0].length ? pac_text_dup(&message.texts[0]) : NULL;
}

/** A script asks for the same host again and again; it is looked up once per question. */
static char *resolve(void *user, const char *name, bool both)
{
	struct child *child = user;
	const struct name *known = NULL;
	for (size_t i = 0; i < child->name_count && !known; i++)
		if (child->names[i].both == both && strcmp(child->names[i].name, name) == 0)
			known = &child->names[i];
	if (!known && (child->name_count == PAC_NAMES_MAX || !*name || strlen(name) > PAC_NAME_BYTES_MAX))
		return NULL;
	if (!known) {
		child->names[child->name_count] = (struct name){xstrdup(name), ask_parent(child, name, both), both};
		known = &child->names[child->name_count++];
	}
	return known->addresses ? xstrdup(known->addresses) : NULL;
}

static void begin_question(struct child *child)
{
	for (size_t i = 0; i < child->name_count; i++) {
		free(child->names[i].name);
		free(child->names[i].addresses);
	}
	child->name_count = 0;
	child->calls = 0;
}

/* ------------------------------------------------------------------ questions */

/** Send an answer; false where nothing more may be asked of the script. */
static bool tell_answer(enum pac_message_type type, struct pac_answer *answer)
{
	bool memory = answer->error && strcmp(answer->error, "memory") == 0;
	struct pac_text texts[] = {
		pac_text(answer->error, PAC_WORDS_BYTES_MAX),
		pac_text(answer->message, PAC_WORDS_BYTES_MAX),
		pac_text(type == PAC_MESSAGE_ANSWER ? answer->result : NULL, PAC_RESULT_BYTES_MAX),
		pac_text(answer->entry_point, PAC_WORDS_BYTES_MAX),
	};
	tell(type, type == PAC_MESSAGE_ANSWER && !answer->error, texts, 4);
	bool more = type == PAC_MESSAGE_LOADED ? !answer->error : !memory;
	free(answer->message);
	free(answer->result);
	return more;
}

static bool load(struct child *child, const struct pac_message *message)
{
	const struct pac_limits limits = {
		.memory_bytes = PAC_HEAP_BYTES_MAX, .result_bytes = PAC_RESULT_BYTES_MAX, .calls = PAC_CALLS_MAX};
	struct pac_answer answer = {.error = NULL};
	child->own_addresses = pac_text_dup(&message->texts[1]);
	const struct pac_world world = {
		.resolve = resolve, .called = called, .user = child, .own_addresses = child->own_addresses};
	struct pac_text script = {message->texts[0].bytes, message->texts[0].length};
	char *text = xmalloc(script.length + 1); /* the script itself may ask for names, which moves what was read */
	memcpy(text, script.bytes, script.length);
	text[script.length] = '\0';
	child->pac = pac_new(&limits, &world);
	pac_load(child->pac, text, script.length, &answer);
	free(text);
	return tell_answer(PAC_MESSAGE_LOADED, &answer);
}

static bool ask(struct child *child, const struct pac_message *message)
{
	struct pac_answer answer = {.error = NULL};
	char *url = pac_text_dup(&message->texts[0]), *host = pac_text_dup(&message->texts[1]);
	begin_question(child);
	pac_ask(child->pac, url, host, &answer);
	free(url);
	free(host);
	return tell_answer(PAC_MESSAGE_ANSWER, &answer);
}

/** A script, then questions. */
static bool serve_one(struct child *child, const struct pac_message *message)
{
	if (!child->pac)
		return message->type == PAC_MESSAGE_SCRIPT && message->texts[0].length <= PAC_SCRIPT_BYTES_MAX &&
		       load(child, message);
	return message->type == PAC_MESSAGE_ASK && ask(child, message);
}

int pac_child_main(void)
{
	const struct os_sandbox_limits limits = {.cpu_seconds = PAC_CPU_SECONDS_MAX,
						 .memory_bytes = PAC_PROCESS_BYTES_MAX};
	static struct child child;
	char what[PAC_WORDS_BYTES_MAX] = "", reason[PAC_WORDS_BYTES_MAX] = "";
	struct pac_message message;
	if (!os_sandbox_enter(&limits, what, sizeof(what), reason, sizeof(reason))) {
		tell_words(PAC_MESSAGE_NO_SANDBOX, reason);
		return EXIT_NO_SANDBOX;
	}
	strbuf_init(&child.in);
	tell_words(PAC_MESSAGE_READY, what);
	while (next_message(&child, &message) && serve_one(&child, &message))
		;
	pac_free(child.pac);
	begin_question(&child);
	free(child.own_addresses);
	strbuf_free(&child.in);
	return 0;
}
