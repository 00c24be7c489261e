/* The rule as comma-separated values, for the import of any other firewall. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "reports/handoff_parts.h"
#include "reports/markdown.h"

static void row(struct strbuf *out, const char *const fields[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		strbuf_add(out, i ? "," : "");
		csv_add_field(out, fields[i]);
	}
	strbuf_add_char(out, '\n');
}

/* A row for each destination of that kind. */
static void rows(struct sheet *sheet, const struct allow *allow, const char *source, const char *kind,
		 const struct text_list *to)
{
	const char *port = sheet_number(sheet, allow->port);
	for (size_t i = 0; i < to->count; i++) {
		const char *const fields[] = {"allow", allow->proto, source, "any", kind, to->items[i], port};
		row(sheet->out, fields, sizeof(fields) / sizeof(fields[0]));
	}
}

static void rows_of_source(struct sheet *sheet, const struct allow *allow, const char *source)
{
	rows(sheet, allow, source, "name", &allow->rules);
	rows(sheet, allow, source, "service tag", &allow->tags);
	int family = strchr(source, ':') ? 6 : 4;
	struct text_list prefixes = allow_family(sheet->arena, &allow->prefixes, family);
	struct text_list seen = allow_family(sheet->arena, &allow->seen, family);
	rows(sheet, allow, source, "documented prefix", &prefixes);
	for (size_t i = 0; i < allow->list_count; i++) {
		struct text_list listed = allow_family(sheet->arena, &allow->lists[i].prefixes, family);
		rows(sheet, allow, source, arena_printf(sheet->arena, "prefix of %s", allow->lists[i].tag), &listed);
	}
	rows(sheet, allow, source, allow->kind == ALLOW_SERVICE ? "address seen, will change" : "address", &seen);
}

void handoff_csv(struct sheet *sheet, const struct allow *allows, size_t count)
{
	static const char *const heading[] = {"action", "protocol",    "source",	  "source port",
					      "kind",	"destination", "destination port"};
	strbuf_printf(sheet->out, "\n%s\n\n```csv\n", say_text(SAY_HANDOFF_CSV));
	row(sheet->out, heading, sizeof(heading) / sizeof(heading[0]));
	for (size_t i = 0; i < count; i++) {
		const struct allow *allow = &allows[i];
		for (size_t k = 0; k < allow->sources.count; k++)
			rows_of_source(sheet, allow, allow->sources.items[k]);
		if (!allow->sources.count)
			rows_of_source(sheet, allow, allow->by_proxy ? "PROXY_ADDRESS" : "SERVER_ADDRESS");
	}
	strbuf_add(sheet->out, "```\n");
}
