#include "probe/engine/script_answer.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"
#include "probe/settings/pac_child.h"

char *script_text_clean(const struct pac_text *text)
{
	struct strbuf out;
	strbuf_init(&out);
	for (size_t at = 0; at < text->length;) {
		uint32_t code;
		at += utf8_decode(text->bytes + at, text->length - at, &code);
		bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
		utf8_add(&out, code == '\t' ? ' ' : is_control ? UTF8_REPLACEMENT : code);
	}
	return out.data;
}

/** The error of an answer as the contract calls it; NULL for one that it does not know. */
static const char *known_error(const struct pac_text *text)
{
	static const char *const errors[] = {"syntax",	   "no_entry_point", "exception",
					     "bad_return", "memory",	     "too_large"};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (pac_text_is(text, errors[i]))
			return errors[i];
	return NULL;
}

/** Is it one of the entry points that there are? *out is its name, NULL for the empty text. */
static bool known_entry_point(const struct pac_text *text, const char **out)
{
	static const char *const names[] = {"FindProxyForURL", "FindProxyForURLEx"};
	*out = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (pac_text_is(text, names[i]))
			*out = names[i];
	return *out || text->length == 0;
}

bool script_answer_read(const struct pac_message *message, struct script_process_answer *out)
{
	const struct pac_text *texts = message->texts;
	bool has_result = message->number == 1;
	*out = (struct script_process_answer){.error = known_error(&texts[0])};
	if (texts[0].length && !out->error)
		return false;
	if (has_result != (message->type == PAC_MESSAGE_ANSWER && !out->error) || (!has_result && texts[2].length))
		return false;
	return texts[1].length <= PAC_WORDS_BYTES_MAX && known_entry_point(&texts[3], &out->entry_point);
}

/* The calls that are no decision: what alert() was told. */
static const struct proxy_call *last_call(const struct proxy_decision *decision)
{
	for (size_t i = decision->call_count; i-- > 0;)
		if (strncmp(decision->calls[i].call, "alert(", 6) != 0)
			return &decision->calls[i];
	return NULL;
}

const char *script_rule(struct arena *arena, const struct proxy_decision *decision)
{
	const struct proxy_call *last = last_call(decision);
	if (!last)
		return arena_printf(arena, "PAC returned \"%s\"", decision->result);
	const char *line = last->line > 0 ? arena_printf(arena, " (line %d)", last->line) : "";
	return arena_printf(arena, "PAC returned \"%s\" after %s gave %s%s", decision->result, last->call, last->result,
			    line);
}
