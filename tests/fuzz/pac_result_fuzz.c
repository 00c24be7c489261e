/* A PAC script's result: every route can be taken, a second reading of what was read gives the same, and nothing in front of the last '@' is
 * shown. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/strbuf.h"
#include "probe/core/utf8.h"
#include "probe/settings/encoding.h"
#include "probe/settings/pac_result.h"
#include "tests/fuzz/must.h"

enum { TEXT_BYTES_MAX = 4096 };

static void check_via(struct arena *arena, const struct text_list *via)
{
	struct text_list again, dropped;
	struct strbuf text;
	strbuf_init(&text);
	MUST(via->count > 0 && via->count <= PAC_RESULT_PARTS_MAX);
	for (size_t i = 0; i < via->count; i++) {
		struct via route;
		MUST(via_parse(arena, via->items[i], &route));
		MUST(strcmp(via_format(arena, &route), via->items[i]) == 0);
		strbuf_printf(&text, "%s;", via->items[i]);
	}
	pac_result_parse(arena, text.data, &again, &dropped);
	MUST(again.count == via->count && dropped.count == 0);
	for (size_t i = 0; i < via->count; i++)
		MUST(strcmp(again.items[i], via->items[i]) == 0);
	strbuf_free(&text);
}

/* A password in front of an '@' that nothing follows, whatever else the text is: it must not be seen. */
static void check_secret(struct arena *arena, const char *text)
{
	struct text_list via, dropped;
	pac_result_parse(arena, arena_printf(arena, "%s:Zq%sqZ@", text, text), &via, &dropped);
	for (size_t i = 0; i < dropped.count && !strstr(text, "qZ") && !strstr(text, "Zq"); i++)
		MUST(!strstr(dropped.items[i], "Zq") && !strstr(dropped.items[i], "qZ"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *text =
		size ? arena_strndup(arena, (const char *)data, size < TEXT_BYTES_MAX ? size : TEXT_BYTES_MAX) : "";
	text = encoding_clean(arena, text);
	struct text_list via, dropped;
	pac_result_parse(arena, text, &via, &dropped);
	check_via(arena, &via);
	MUST(dropped.count <= PAC_RESULT_PARTS_MAX);
	for (size_t i = 0; i < dropped.count; i++)
		MUST(*dropped.items[i] && strlen(dropped.items[i]) <= PAC_DROPPED_BYTES_MAX + 3 &&
		     utf8_is_valid(dropped.items[i], strlen(dropped.items[i])));
	check_secret(arena, text);
	arena_free(arena);
	return 0;
}
