/* A child that has been taken over: it says what it likes, and this program must neither believe it nor fall. It is this program too, started
 * with the argument of the real one. */

#include "probe/engine/script_process.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"
#include "probe/os/os.h"
#include "probe/os/os_sandbox.h"
#include "probe/settings/pac_child.h"
#include "probe/settings/pac_wire.h"
#include "tests/unit/check.h"

enum { PATIENCE_US = 20 * 1000000, WORDS_BYTES = 200000 };

/* ------------------------------------------------------------------ the hostile child: the script says what it is to do */

static char filler[WORDS_BYTES];

static void say(enum pac_message_type type, uint32_t number, size_t count, const char *first, size_t length,
		const char *last)
{
	struct strbuf out;
	struct pac_message message = {.type = type, .number = number, .text_count = count};
	for (size_t i = 0; i < count; i++)
		message.texts[i] = pac_text("", 0);
	message.texts[count - 1] = pac_text(last, WORDS_BYTES);
	message.texts[count == 4 ? 2 : 0] = (struct pac_text){first, length};
	strbuf_init(&out);
	pac_message_write(&out, &message);
	if (!os_sandbox_write(out.data, out.length))
		_Exit(1);
	strbuf_free(&out);
}

static void say_answer(const char *error, const char *words, const char *result, const char *entry, uint32_t number)
{
	struct strbuf out;
	struct pac_message message = {.type = PAC_MESSAGE_ANSWER, .number = number, .text_count = 4};
	const char *const texts[] = {error, words, result, entry};
	for (size_t i = 0; i < 4; i++)
		message.texts[i] = pac_text(texts[i], WORDS_BYTES);
	strbuf_init(&out);
	pac_message_write(&out, &message);
	os_sandbox_write(out.data, out.length);
	strbuf_free(&out);
}

/** Until the question: every message is one read of the pipe here, as each is waited for. */
static void take_one(struct strbuf *in, struct pac_message *message)
{
	char step[4096];
	size_t used = 0;
	strbuf_truncate(in, 0);
	while (pac_message_read(in->data, in->length, &used, message) != PAC_READ_ONE) {
		size_t got = os_sandbox_read(step, sizeof(step));
		if (!got)
			_Exit(0);
		strbuf_add_bytes(in, step, got);
	}
}

static void do_many_calls(void)
{
	for (int i = 0; i <= PAC_CALLS_MAX; i++)
		say(PAC_MESSAGE_CALL, 1, 2, "c()", 3, "r");
}

static void do_many_names(void)
{
	for (int i = 0; i <= PAC_NAMES_MAX; i++) {
		struct strbuf in;
		struct pac_message names;
		strbuf_init(&in);
		say(PAC_MESSAGE_RESOLVE, 0, 1, "n.example", 9, "n.example");
		take_one(&in, &names);
		strbuf_free(&in);
	}
}

static void do_two_names_at_once(void)
{
	say(PAC_MESSAGE_RESOLVE, 0, 1, "late.example", 12, "late.example");
	say(PAC_MESSAGE_RESOLVE, 0, 1, "late.example", 12, "late.example");
}

static void do_call_while_resolving(void)
{
	say(PAC_MESSAGE_RESOLVE, 0, 1, "late.example", 12, "late.example");
	say(PAC_MESSAGE_CALL, 1, 2, "c()", 3, "r");
}

static void do_literal(void)
{
	struct strbuf in;
	struct pac_message names;
	strbuf_init(&in);
	say(PAC_MESSAGE_RESOLVE, 0, 1, "10.0.0.1", 8, "10.0.0.1");
	take_one(&in, &names);
	say_answer("", "", names.texts[0].length ? "resolved" : "refused", "FindProxyForURL", 1);
}

static void do_long_name(void)
{
	say(PAC_MESSAGE_RESOLVE, 0, 1, filler, PAC_NAME_BYTES_MAX + 1, filler);
}

static void do_long_call(void)
{
	say(PAC_MESSAGE_CALL, 1, 2, filler, PAC_CALL_TEXT_BYTES_MAX + 1, "r");
}

static void do_long_result(void)
{
	say(PAC_MESSAGE_ANSWER, 1, 4, filler, PAC_RESULT_BYTES_MAX + 1, "FindProxyForURL");
}

static void do_unknown_error(void)
{
	say_answer("ready", "", "", "", 0);
}

static void do_error_with_result(void)
{
	say_answer("syntax", "", "DIRECT", "", 1);
}

static void do_hidden_result(void)
{
	say_answer("syntax", "", "DIRECT", "", 0);
}

static void do_unknown_entry_point(void)
{
	say_answer("", "", "DIRECT", "evil", 1);
}

static void do_ready_again(void)
{
	say(PAC_MESSAGE_READY, 0, 1, "x", 1, "x");
}

static void do_loaded_again(void)
{
	say(PAC_MESSAGE_LOADED, 0, 4, "", 0, "");
}

static void do_parents_message(void)
{
	say(PAC_MESSAGE_NAMES, 0, 1, "10.0.0.1", 8, "10.0.0.1");
}

static void do_two_answers(void)
{
	say_answer("", "", "DIRECT", "FindProxyForURL", 1);
	say_answer("", "", "PROXY evil:1", "FindProxyForURL", 1);
}

static void do_garbage(void)
{
	os_sandbox_write("HTTP/1.1 200 OK\r\n\r\n", 19);
}

static void do_half_message(void)
{
	os_sandbox_write("\x40\0\0\0\x09\x04", 6);
	_Exit(0);
}

static void do_controls(void)
{
	say_answer("", "", "PROXY\ta:1\n\x1b[2J\xff\xc2\x9b", "FindProxyForURL", 1);
}

static void do_silence(void)
{
	for (;;)
		;
}

static void do_exit(void)
{
	_Exit(PAC_CHILD_EXIT_NO_MEMORY);
}

static const struct deed {
	const char *name;
	void (*act)(void);
	const char *error, *result;
} deeds[] = {
	{"many calls", do_many_calls, "exception", ""},
	{"many names", do_many_names, "exception", ""},
	{"two names at once", do_two_names_at_once, "exception", ""},
	{"call while resolving", do_call_while_resolving, "exception", ""},
	{"literal", do_literal, "", "refused"},
	{"long name", do_long_name, "exception", ""},
	{"long call", do_long_call, "exception", ""},
	{"long result", do_long_result, "too_large", ""},
	{"unknown error", do_unknown_error, "exception", ""},
	{"error with result", do_error_with_result, "exception", ""},
	{"hidden result", do_hidden_result, "exception", ""},
	{"unknown entry point", do_unknown_entry_point, "exception", ""},
	{"ready again", do_ready_again, "exception", ""},
	{"loaded again", do_loaded_again, "exception", ""},
	{"parent's message", do_parents_message, "exception", ""},
	{"two answers", do_two_answers, "", "DIRECT"},
	{"garbage", do_garbage, "exception", ""},
	{"half message", do_half_message, "exception", ""},
	{"controls", do_controls, "", "PROXY a:1\xef\xbf\xbd\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd"},
	{"silence", do_silence, "timeout", ""},
	{"exit", do_exit, "memory", ""},
};

static void __attribute__((noreturn)) be_hostile(void)
{
	struct strbuf in;
	struct pac_message message;
	char name[64];
	memset(filler, 'x', sizeof(filler) - 1);
	strbuf_init(&in);
	say(PAC_MESSAGE_READY, 0, 1, "none", 4, "none");
	take_one(&in, &message);
	snprintf(name, sizeof(name), "%.*s", (int)message.texts[0].length, message.texts[0].bytes);
	say(PAC_MESSAGE_LOADED, 0, 4, "", 0, "FindProxyForURL");
	for (;;) {
		take_one(&in, &message);
		for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
			if (strcmp(deeds[i].name, name) == 0)
				deeds[i].act();
	}
}

/* ------------------------------------------------------------------ this side */

struct play {
	uv_loop_t loop;
	struct script_process *process;
	size_t answers, calls, names;
	char error[64], message[512], result[1024], later[64];
};

static void resolve(struct script_process *process, const char *name, bool both, void *user)
{
	struct play *play = user;
	(void)both;
	play->names++;
	if (strcmp(name, "late.example") != 0)
		script_process_names(process, "10.1.2.3");
}

static void called(const char *call, const char *result, int line, void *user)
{
	struct play *play = user;
	(void)call, (void)result, (void)line;
	play->calls++;
}

/** Loaded; the question; and one more, which a dead one answers with the same error. */
static void answered(const struct script_process_answer *answer, void *user)
{
	struct play *play = user;
	play->answers++;
	if (play->answers == 2) {
		snprintf(play->error, sizeof(play->error), "%s", answer->error ? answer->error : "");
		snprintf(play->message, sizeof(play->message), "%s", answer->message ? answer->message : "");
		snprintf(play->result, sizeof(play->result), "%s", answer->result ? answer->result : "");
	}
	if (play->answers == 3)
		snprintf(play->later, sizeof(play->later), "%s", answer->error ? answer->error : "");
	if (play->answers < 2 || (play->answers == 2 && answer->error))
		script_process_ask(play->process, "http://a/", "a");
	else
		script_process_close(play->process);
}

static void run(const struct deed *deed)
{
	struct play *play = calloc(1, sizeof(*play));
	const struct script_process_options options = {
		.loop = &play->loop,
		.text = deed->name,
		.length = strlen(deed->name),
		.own_addresses = "",
		.timeout_us = strcmp(deed->error, "timeout") == 0 ? 2000000 : PATIENCE_US,
		.resolve = resolve,
		.called = called,
		.answered = answered,
		.user = play,
	};
	uv_loop_init(&play->loop);
	play->process = script_process_start(&options);
	uv_run(&play->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&play->loop), 0);
	if (!check_text(play->error, deed->error))
		printf("of %s: %s\n", deed->name, play->message);
	CHECK_TEXT(play->error, deed->error);
	CHECK_TEXT(play->result, deed->result);
	CHECK_TEXT(play->later, deed->error);
	CHECK(play->calls <= PAC_CALLS_MAX && play->names <= PAC_NAMES_MAX);
	CHECK(utf8_is_valid(play->result, strlen(play->result)));
	free(play);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], PAC_CHILD_ARGUMENT) == 0)
		be_hostile();
	os_start();
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		run(&deeds[i]);
	return check_summary();
}
