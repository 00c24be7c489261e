#include "probe/settings/pac_inside.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/utf8.h"

enum { MESSAGE_BYTES_MAX = 400 };

/* The name that a script's functions carry in Duktape's traces of errors, where its lines are read from. */
#define SCRIPT_NAME "script"

static const char stack_getter[] = "stack";

/* ------------------------------------------------------------------ memory */

/* In front of each piece of memory. All are chained, so that a heap can be given back without asking Duktape, which may be beyond asking. */
struct pac_block {
	struct pac_block *before, *after;
	size_t bytes; /* with this */
	max_align_t start[];
};

static void chain(struct pac *pac, struct pac_block *block)
{
	block->before = NULL;
	block->after = pac->blocks;
	if (block->after)
		block->after->before = block;
	pac->blocks = block;
	pac->used_bytes += block->bytes;
}

static void unchain(struct pac *pac, struct pac_block *block)
{
	if (block->before)
		block->before->after = block->after;
	else
		pac->blocks = block->after;
	if (block->after)
		block->after->before = block->before;
	pac->used_bytes -= block->bytes;
}

static struct pac_block *block_of(void *memory)
{
	return (struct pac_block *)((char *)memory - offsetof(struct pac_block, start));
}

static void heap_free(void *user, void *memory)
{
	if (!memory)
		return;
	unchain(user, block_of(memory));
	free(block_of(memory));
}

/* Duktape collects its garbage when memory is refused, and asks again. */
static void *heap_realloc(void *user, void *memory, duk_size_t size)
{
	struct pac *pac = user;
	struct pac_block *old = memory ? block_of(memory) : NULL;
	size_t free_bytes = pac->limits.memory_bytes - pac->used_bytes + (old ? old->bytes : 0);
	if (size == 0) {
		heap_free(user, memory);
		return NULL;
	}
	if (free_bytes < sizeof(struct pac_block) || size > free_bytes - sizeof(struct pac_block)) {
		pac->refused = true;
		return NULL;
	}
	if (old)
		unchain(pac, old);
	struct pac_block *block = realloc(old, sizeof(*block) + size);
	if (block)
		block->bytes = sizeof(*block) + size;
	else
		pac->refused = true;
	if (block || old)
		chain(pac, block ? block : old);
	return block ? block->start : NULL;
}

static void *heap_alloc(void *user, duk_size_t size)
{
	return heap_realloc(user, NULL, size);
}

struct pac *pac_of(duk_context *duk)
{
	duk_memory_functions functions;
	duk_get_memory_functions(duk, &functions);
	return functions.udata;
}

/* ------------------------------------------------------------------ runs */

/* One run of the script: what it is for, and how far it came. */
struct run {
	struct pac *pac;
	struct pac_answer *out;
	duk_safe_call_function body;
	bool compiling;
	const char *url, *host;
};

/* Duktape cannot go on: it must not return from here. */
static void give_up(void *user, const char *message)
{
	struct pac *pac = user;
	(void)message;
	longjmp(pac->escape, 1);
}

static void fail(struct run *run, const char *error, const char *message)
{
	run->out->error = error;
	free(run->out->message);
	run->out->message = xstrdup(message);
}

/* The line of the script that the error on top carries; 0 where it has none. The getter was taken before the script could replace it. */
static int line_of_error(duk_context *duk)
{
	static const char mark[] = "(" SCRIPT_NAME ":";
	if (!duk_is_object(duk, -1))
		return 0;
	duk_push_heap_stash(duk);
	duk_get_prop_string(duk, -1, stack_getter);
	duk_dup(duk, -3);
	duk_call_method(duk, 0);
	size_t length = 0, in = 0;
	const char *text = duk_get_lstring_default(duk, -1, &length, "", 0);
	while (in + sizeof(mark) < length &&
	       memcmp(text + in, mark, sizeof(mark) - 1) != 0) /* the message may hold NUL */
		in++;
	int line = in + sizeof(mark) < length ? atoi(text + in + sizeof(mark) - 1) : 0;
	duk_pop_2(duk);
	return line;
}

/* Make text of the error on top, which may be anything, and running its toString() may fail again. */
static duk_ret_t describe_error(duk_context *duk, void *user)
{
	struct run *run = user;
	int line = line_of_error(duk);
	size_t length;
	const char *text = duk_to_lstring(duk, -1, &length);
	struct strbuf message;
	strbuf_init(&message);
	pac_text_add(&message, text, length, PAC_CONTROLS_REPLACED, MESSAGE_BYTES_MAX);
	if (line > 0 && !strstr(message.data, "(line "))
		strbuf_printf(&message, " (line %d)", line);
	fail(run, run->compiling ? "syntax" : "exception", message.data);
	strbuf_free(&message);
	return 0;
}

static void judge_error(duk_context *duk, struct run *run)
{
	struct pac *pac = run->pac;
	bool refused = pac->refused;
	fail(run, run->compiling ? "syntax" : "exception", "an error that does not say what it is");
	if (duk_safe_call(duk, describe_error, run, 1, 1) != 0)
		return;
	if (refused && (strstr(run->out->message, "alloc failed") || strstr(run->out->message, "error in error")))
		fail(run, "memory", "the script needs more memory than it may have");
}

/* Start, with nothing left of the run before; everything of the script's runs in here, and every way out leads behind it. */
static void run_script(struct run *run)
{
	struct pac *pac = run->pac;
	*run->out = (struct pac_answer){0};
	pac->refused = pac->late.is_set = false;
	pac->calls = pac->told = 0;
	if (!pac->duk || pac->broken) {
		fail(run, "memory", "the script's memory is used up");
		return;
	}
	if (setjmp(pac->escape) != 0) {
		pac->broken = true;
		fail(run, "memory", "the script used its memory up in a way that ended its engine");
	} else {
		duk_set_top(pac->duk, 0);
		if (duk_safe_call(pac->duk, run->body, run, 0, 1) != 0)
			judge_error(pac->duk, run);
	}
	pac_tell_rest(pac);
	run->out->calls_untold = pac->calls - pac->told;
}

/* Push the entry point; its name, or NULL with nothing pushed. */
static const char *push_entry_point(duk_context *duk)
{
	static const char *const names[] = {"FindProxyForURLEx", "FindProxyForURL"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		duk_push_global_object(duk);
		duk_get_prop_string(duk, -1, names[i]);
		duk_remove(duk, -2);
		if (duk_is_function(duk, -1))
			return names[i];
		duk_pop(duk);
	}
	return NULL;
}

static bool find_entry_point(duk_context *duk, struct run *run)
{
	run->out->entry_point = push_entry_point(duk);
	if (!run->out->entry_point)
		fail(run, "no_entry_point", "the script defines no function FindProxyForURL");
	return run->out->entry_point != NULL;
}

/* ------------------------------------------------------------------ starting */

static duk_ret_t prepare_heap(duk_context *duk, void *user)
{
	(void)user;
	duk_push_heap_stash(duk);
	duk_eval_string(duk, "Object.getOwnPropertyDescriptor(Error.prototype, 'stack').get");
	duk_put_prop_string(duk, -2, stack_getter);
	pac_trim_globals(duk);
	pac_add_helpers(duk);
	return 0;
}

struct pac *pac_new(const struct pac_limits *limits, const struct pac_world *world)
{
	struct pac *pac = xcalloc(1, sizeof(*pac));
	pac->limits = *limits;
	pac->limits.memory_bytes = SIZE_MAX; /* Duktape does not survive a refusal before its own objects stand */
	pac->world = *world;
	strbuf_init(&pac->source);
	strbuf_init(&pac->now.call);
	strbuf_init(&pac->now.result);
	strbuf_init(&pac->late.call);
	strbuf_init(&pac->late.result);
	if (setjmp(pac->escape) != 0) {
		pac->broken = true;
		return pac;
	}
	pac->duk = duk_create_heap(heap_alloc, heap_realloc, heap_free, pac, give_up);
	if (pac->duk)
		pac->broken = duk_safe_call(pac->duk, prepare_heap, NULL, 0, 1) != 0;
	pac->limits.memory_bytes = pac->used_bytes + limits->memory_bytes;
	return pac;
}

void pac_free(struct pac *pac)
{
	if (!pac)
		return;
	while (pac->blocks) {
		struct pac_block *block = pac->blocks;
		pac->blocks = block->after;
		free(block);
	}
	strbuf_free(&pac->source);
	strbuf_free(&pac->now.call);
	strbuf_free(&pac->now.result);
	strbuf_free(&pac->late.call);
	strbuf_free(&pac->late.result);
	free(pac->addresses);
	free(pac);
}

/* ------------------------------------------------------------------ the script */

static duk_ret_t load_body(duk_context *duk, void *user)
{
	struct run *run = user;
	const struct strbuf *source = &run->pac->source;
	run->compiling = true;
	duk_push_string(duk, SCRIPT_NAME);
	duk_compile_lstring_filename(duk, 0, source->data, source->length);
	run->compiling = false;
	duk_call(duk, 0);
	(void)find_entry_point(duk, run);
	return 0;
}

void pac_load(struct pac *pac, const char *text, size_t length, struct pac_answer *out)
{
	struct run run = {.pac = pac, .out = out, .body = load_body};
	strbuf_truncate(&pac->source, 0);
	utf8_add_clean(&pac->source, text, length);
	run_script(&run);
	strbuf_free(&pac->source);
	strbuf_init(&pac->source);
}

/* ------------------------------------------------------------------ a question */

static const char *type_name(duk_context *duk)
{
	if (duk_is_null(duk, -1))
		return "null";
	if (duk_is_undefined(duk, -1))
		return "undefined";
	if (duk_is_number(duk, -1))
		return "a number";
	if (duk_is_boolean(duk, -1))
		return "a boolean";
	return duk_is_function(duk, -1) ? "a function" : "an object";
}

/* Its length is looked at before it is copied, and then again, as what is replaced may become longer. */
static void take_result(duk_context *duk, struct run *run)
{
	size_t length = 0, max = run->pac->limits.result_bytes;
	const char *text = duk_is_symbol(duk, -1) ? NULL : duk_get_lstring(duk, -1, &length);
	struct strbuf out;
	strbuf_init(&out);
	if (text && length <= max)
		pac_text_add(&out, text, length, PAC_TABS_KEPT, SIZE_MAX);
	length = out.length > length ? out.length : length;
	if (text && length <= max) {
		run->out->result = xstrdup(out.data);
	} else {
		strbuf_truncate(&out, 0);
		strbuf_printf(&out, "%s returned ", run->out->entry_point);
		if (text)
			strbuf_printf(&out, "%zu bytes, more than the %zu that are looked at", length, max);
		else
			strbuf_printf(&out, "%s, not a text", type_name(duk));
		fail(run, text ? "too_large" : "bad_return", out.data);
	}
	strbuf_free(&out);
}

static duk_ret_t ask_body(duk_context *duk, void *user)
{
	struct run *run = user;
	if (!find_entry_point(duk, run))
		return 0;
	pac_push_text(duk, run->url);
	pac_push_text(duk, run->host);
	duk_call(duk, 2);
	take_result(duk, run);
	return 0;
}

void pac_ask(struct pac *pac, const char *url, const char *host, struct pac_answer *out)
{
	struct run run = {.pac = pac, .out = out, .body = ask_body, .url = url, .host = host};
	run_script(&run);
}
