/* A script in its process: this program starts itself, so that the child is the real one, in the real sandbox. */

#include "probe/engine/script_process.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"
#include "probe/os/os.h"
#include "probe/settings/pac_child.h"
#include "tests/unit/check.h"

#define HEAD "function FindProxyForURL(url, host) { "
#define TAIL " }\n"

enum { TEXT_BYTES = 64 * 1024 + 1, SECOND_US = 1000000, PATIENCE_US = 20 * SECOND_US, QUESTIONS_MAX = 4 };

/** One script and its questions; each field after questions is what came of it. */
struct play {
	const char *script, *questions[QUESTIONS_MAX];
	int64_t timeout_us;
	const char *addresses; /* of every name */
	bool names_late;       /* 300 ms */
	bool close_at_first_call;

	uv_loop_t loop;
	uv_timer_t late, tick;
	struct script_process *process;
	size_t asked, answers, ticks, call_count, name_count;
	char error[64], message[1024], result[TEXT_BYTES], entry_point[64], calls[4096], last_name[512];
	char sandbox[1024];
	int last_line;
	bool is_dead;
};

static void keep(char *into, size_t bytes, const char *text)
{
	snprintf(into, bytes, "%s", text ? text : "");
}

static void name_is_late(uv_timer_t *timer)
{
	struct play *play = timer->data;
	script_process_names(play->process, play->addresses);
}

static void resolve(struct script_process *process, const char *name, bool both, void *user)
{
	struct play *play = user;
	(void)both;
	play->name_count++;
	keep(play->last_name, sizeof(play->last_name), name);
	if (play->names_late)
		uv_timer_start(&play->late, name_is_late, 300, 0);
	else
		script_process_names(process, play->addresses);
}

static void close_all(struct play *play)
{
	script_process_close(play->process);
	if (!uv_is_closing((uv_handle_t *)&play->late))
		uv_close((uv_handle_t *)&play->late, NULL);
	if (!uv_is_closing((uv_handle_t *)&play->tick))
		uv_close((uv_handle_t *)&play->tick, NULL);
}

static void called(const char *call, const char *result, int line, void *user)
{
	struct play *play = user;
	size_t used = strlen(play->calls);
	play->call_count++;
	play->last_line = line;
	if (play->call_count <= 3)
		snprintf(play->calls + used, sizeof(play->calls) - used, "%s=%s;", call, result);
	CHECK(utf8_is_valid(call, strlen(call)) && strpbrk(call, "\r\n\t\x1b") == NULL);
	if (play->close_at_first_call)
		close_all(play);
}

static void answered(const struct script_process_answer *answer, void *user)
{
	struct play *play = user;
	play->answers++;
	keep(play->error, sizeof(play->error), answer->error);
	keep(play->message, sizeof(play->message), answer->message);
	keep(play->result, sizeof(play->result), answer->result);
	keep(play->entry_point, sizeof(play->entry_point), answer->entry_point);
	CHECK((answer->error != NULL) == (answer->result == NULL) || play->answers == 1);
	if (play->asked < QUESTIONS_MAX && play->questions[play->asked]) {
		script_process_ask(play->process, play->questions[play->asked++], "h.example");
		return;
	}
	play->is_dead = script_process_is_dead(play->process);
	keep(play->sandbox, sizeof(play->sandbox), script_process_sandbox(play->process));
	close_all(play);
}

static void tick(uv_timer_t *timer)
{
	struct play *play = timer->data;
	play->ticks++;
}

static void run_length(struct play *play, size_t length)
{
	const struct script_process_options options = {
		.loop = &play->loop,
		.text = play->script,
		.length = length,
		.own_addresses = "10.1.0.2",
		.timeout_us = play->timeout_us ? play->timeout_us : PATIENCE_US,
		.resolve = resolve,
		.called = called,
		.answered = answered,
		.user = play,
	};
	uv_loop_init(&play->loop);
	uv_timer_init(&play->loop, &play->late);
	uv_timer_init(&play->loop, &play->tick);
	play->late.data = play->tick.data = play;
	uv_timer_start(&play->tick, tick, 50, 50);
	play->process = script_process_start(&options);
	CHECK_INT(play->answers, 0);
	uv_run(&play->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&play->loop), 0);
}

static void run(struct play *play)
{
	run_length(play, strlen(play->script));
}

/* ------------------------------------------------------------------ what is allowed */

static void a_script_answers_one_question_after_another(void)
{
	static struct play play = {.script = HEAD "return 'PROXY ' + host + ':1; ' + url;" TAIL,
				   .questions = {"http://a/", "http://b/", "http://c/"}};
	run(&play);
	CHECK_TEXT(play.error, "");
	CHECK_TEXT(play.result, "PROXY h.example:1; http://c/");
	CHECK_TEXT(play.entry_point, "FindProxyForURL");
	CHECK_INT(play.answers, 4);
	CHECK(!play.is_dead);
	CHECK(strstr(play.sandbox, "a process of its own") == play.sandbox);
}

static void names_are_looked_up_by_the_parent_once_per_question(void)
{
	static struct play play = {
		.script = HEAD "var a = dnsResolve('n.example');\n return 'PROXY ' + a + dnsResolve('n.example');" TAIL,
		.questions = {"http://a/", "http://b/"},
		.addresses = "10.9.8.7"};
	run(&play);
	CHECK_TEXT(play.result, "PROXY 10.9.8.710.9.8.7");
	CHECK_INT(play.name_count, 2);
	CHECK_INT(play.call_count, 4);
	CHECK_TEXT(play.last_name, "n.example");
	CHECK(strstr(play.calls, "dnsResolve(\"n.example\")=") != NULL);
	CHECK(play.last_line > 0);
}

static void a_name_that_does_not_resolve_is_null(void)
{
	static struct play play = {.script = HEAD "return 'PROXY ' + dnsResolve('n.example');" TAIL,
				   .questions = {"http://a/"}};
	run(&play);
	CHECK_TEXT(play.result, "PROXY null");
	CHECK_INT(play.name_count, 1);
}

static void the_clock_stands_while_a_name_is_awaited(void)
{
	static struct play play = {.script = HEAD
				   "for (var i = 0; i < 6; i++) dnsResolve('n' + i); return 'DIRECT';" TAIL,
				   .questions = {"http://a/"},
				   .timeout_us = 1500000,
				   .names_late = true};
	int64_t began_us = os_monotonic_us();
	run(&play);
	CHECK_TEXT(play.error, "");
	CHECK_TEXT(play.result, "DIRECT");
	CHECK_INT(play.name_count, 6);
	CHECK(os_monotonic_us() - began_us > 1700000);
}

static void what_is_called_without_end_is_told_so_often_and_no_more(void)
{
	static struct play play = {.script = HEAD "for (var i = 0; i < 5000; i++) { alert('a\\n\\u001b[31m' + i); "
						  "dnsResolve('n' + i); } return 'DIRECT';" TAIL,
				   .questions = {"http://a/"},
				   .addresses = "10.1.1.1"};
	run(&play);
	CHECK_TEXT(play.result, "DIRECT");
	CHECK_INT(play.call_count, PAC_CALLS_MAX);
	CHECK_INT(play.name_count, PAC_NAMES_MAX);
}

/* ------------------------------------------------------------------ what goes wrong with a script */

static void expect_load(const char *script, const char *error)
{
	struct play *play = calloc(1, sizeof(*play));
	play->script = script;
	play->questions[0] = "http://a/";
	run(play);
	CHECK_TEXT(play->error, error);
	CHECK(play->message[0]);
	CHECK_INT(play->answers, 2);
	CHECK(play->is_dead);
	free(play);
}

static void expect(const char *body, const char *error)
{
	char script[1024];
	struct play *play = calloc(1, sizeof(*play));
	snprintf(script, sizeof(script), HEAD "%s" TAIL, body);
	play->script = script;
	play->questions[0] = "http://a/";
	run(play);
	if (!check_text(play->error, error))
		printf("of: %s: %s, result %.100s\n", body, play->message, play->result);
	CHECK_TEXT(play->error, error);
	CHECK_INT(play->answers, 2);
	free(play);
}

static void a_script_that_cannot_be_loaded_is_dead(void)
{
	expect_load("function FindProxyForURL(url, host) { return 'DIRECT'", "syntax");
	expect_load("var x = 1;", "no_entry_point");
	expect_load("throw new Error('no');", "exception");
	expect_load("", "no_entry_point");
}

static void its_errors_are_told_apart(void)
{
	expect("return nothing_of_that_name;", "exception");
	expect("return 5;", "bad_return");
	expect("return;", "bad_return");
	expect("var s = '0123456789'; while (s.length < 1e7) s += s; return s;", "too_large");
	expect("var a = [], x = new Array(100000).join('x'); for (;;) a.push(x + a.length);", "memory");
	expect("function f(n) { return f(n + 1) + 1; } return '' + f(0);", "exception");
}

static void a_script_goes_on_after_its_own_error(void)
{
	static struct play play = {.script = HEAD "if (url === 'http://a/') throw 'no'; return 'DIRECT';" TAIL,
				   .questions = {"http://a/", "http://b/"}};
	run(&play);
	CHECK_TEXT(play.result, "DIRECT");
	CHECK_INT(play.answers, 3);
}

static void a_script_that_is_too_long_is_not_run(void)
{
	size_t length = (size_t)PAC_SCRIPT_BYTES_MAX + 1;
	struct play *play = calloc(1, sizeof(*play));
	char *script = malloc(length + 1);
	memset(script, ' ', length);
	script[length] = '\0';
	memcpy(script, HEAD "return 'DIRECT';" TAIL, strlen(HEAD "return 'DIRECT';" TAIL));
	play->script = script;
	run_length(play, length);
	CHECK_TEXT(play->error, "too_large");
	memset(play, 0, sizeof(*play));
	play->script = script;
	play->questions[0] = "http://a/";
	run_length(play, length - 1);
	CHECK_TEXT(play->result, "DIRECT");
	free(script);
	free(play);
}

static void a_loop_without_end_is_ended_and_ours_goes_on(void)
{
	static struct play play = {.script = HEAD "for (;;) {}" TAIL,
				   .questions = {"http://a/", "http://b/"},
				   .timeout_us = 2 * SECOND_US};
	int64_t began_us = os_monotonic_us();
	run(&play);
	int64_t took_us = os_monotonic_us() - began_us;
	CHECK_TEXT(play.error, "timeout");
	CHECK_INT(play.answers, 3);
	CHECK(play.is_dead);
	CHECK(took_us >= 2 * SECOND_US && took_us < 12 * SECOND_US);
	CHECK(play.ticks >= 20);
}

static void a_top_level_without_end_is_ended_too(void)
{
	static struct play play = {.script = "while (true) ;", .timeout_us = 2 * SECOND_US};
	run(&play);
	CHECK_TEXT(play.error, "timeout");
	CHECK(play.is_dead);
}

/* ------------------------------------------------------------------ ways out that must not be there */

static void there_is_nothing_to_get_out_by(void)
{
	static const char *const absent[] = {
		"require",     "process", "Duktape.modSearch", "print",		"load",	   "readFile",
		"os",	       "std",	  "XMLHttpRequest",    "ActiveXObject", "WScript", "fetch",
		"WebAssembly", "Worker",  "setTimeout",
	};
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		char body[256];
		snprintf(body, sizeof(body), "return typeof %s === 'undefined' ? 'DIRECT' : 'PROXY out:1';", absent[i]);
		struct play *play = calloc(1, sizeof(*play));
		char script[512];
		snprintf(script, sizeof(script), HEAD "%s" TAIL, body);
		play->script = script;
		play->questions[0] = "http://a/";
		run(play);
		if (strcmp(play->result, "PROXY out:1") == 0)
			printf("there is %s\n", absent[i]);
		CHECK(strcmp(play->result, "PROXY out:1") != 0 && play->answers == 2);
		free(play);
	}
}

/** Each ends in an answer or an error of its own, within its time, whatever it is; none in the end of the run. */
static void attacks_on_the_engine_end_in_an_answer(void)
{
	static const char *const bodies[] = {
		"return new Function('return this')().constructor.constructor('return typeof process')();",
		"return (function () { return eval('for (var i = 0; i < 10; i++); \"DIRECT\"'); })();",
		"var f = FindProxyForURL; FindProxyForURL = function () { return 'PROXY a:1'; }; return f === "
		"FindProxyForURL ? '1' : 'DIRECT';",
		"return new Array(4294967295).join('x');",
		"return new Uint8Array(2147483647).length + '';",
		"var b = new ArrayBuffer(1 << 28); return 'PROXY ' + b.byteLength;",
		"return /(a*)*b/.test(new Array(30).join('a')) ? 'a' : 'DIRECT';",
		"var s = new Array(20000).join('('); return new RegExp(s).source;",
		"var s = new Array(100000).join('['); return JSON.parse(s);",
		"var o = {}; for (var i = 0; i < 100000; i++) o = {o: o}; return JSON.stringify(o).length + '';",
		"var s = new Array(50000).join('(') + '1'; return eval(s);",
		"var a = [3, 1, 2]; a.sort(function () { a.length = 0; return 1; }); return 'DIRECT';",
		"var o = {toString: function () { throw o; }}; return dnsResolve(o);",
		"var o = {toString: function () { return dnsResolve(o); }}; return dnsResolve(o);",
		"return {toString: function () { for (;;) {} }};",
		"throw {toString: function () { throw 1; }};",
		"Object.defineProperty(this, 'x', {get: function () { return this.x; }}); return this.x;",
		"Error.prototype.toString = function () { return dnsResolve('evil.example'); }; throw new Error('x');",
		"var p = new Proxy({}, {get: function (t, k) { return p[k]; }}); return p.x;",
		"return '\\u0000PROXY a:1\\ud800';",
	};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		char script[1024];
		struct play *play = calloc(1, sizeof(*play));
		snprintf(script, sizeof(script), HEAD "%s" TAIL, bodies[i]);
		play->script = script;
		play->questions[0] = "http://a/";
		play->timeout_us = 4 * SECOND_US;
		run(play);
		CHECK_INT(play->answers, 2);
		CHECK(utf8_is_valid(play->result, strlen(play->result)));
		bool by_script =
			strcmp(play->error, "exception") != 0 || !strstr(play->message, "the process that runs");
		if (!by_script)
			printf("%s: %s\n", bodies[i], play->message);
		CHECK(by_script);
		free(play);
	}
}

/* ------------------------------------------------------------------ its life */

static void a_close_in_the_middle_calls_nothing_more(void)
{
	static struct play play = {.script = HEAD "alert('x'); for (;;) alert('y');" TAIL,
				   .questions = {"http://a/"},
				   .close_at_first_call = true};
	run(&play);
	CHECK_INT(play.answers, 1);
	CHECK_INT(play.call_count, 1);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], PAC_CHILD_ARGUMENT) == 0)
		os_exit(pac_child_main());
	os_start();
	a_script_answers_one_question_after_another();
	names_are_looked_up_by_the_parent_once_per_question();
	a_name_that_does_not_resolve_is_null();
	the_clock_stands_while_a_name_is_awaited();
	what_is_called_without_end_is_told_so_often_and_no_more();
	a_script_that_cannot_be_loaded_is_dead();
	its_errors_are_told_apart();
	a_script_goes_on_after_its_own_error();
	a_script_that_is_too_long_is_not_run();
	a_loop_without_end_is_ended_and_ours_goes_on();
	a_top_level_without_end_is_ended_too();
	there_is_nothing_to_get_out_by();
	attacks_on_the_engine_end_in_an_answer();
	a_close_in_the_middle_calls_nothing_more();
	return check_summary();
}
