/* What to look for in a log: the flows of a finding. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "reports/handoff_parts.h"

static bool is_by_proxy(const struct flow *flow)
{
	return flow->seen_from && strcmp(flow->seen_from, "proxy") == 0;
}

static const char *source_of(struct sheet *sheet, const struct flow *flow)
{
	if (is_by_proxy(flow))
		return say_text(SAY_HANDOFF_FLOW_PROXY);
	return sheet_end(sheet, flow->tuple.src, flow->tuple.src_port);
}

static const char *destination_of(struct sheet *sheet, const struct flow *flow)
{
	const char *host = flow->tuple.dst ? flow->tuple.dst : flow->fqdn;
	return sheet_end(sheet, host, flow->tuple.dst_port);
}

static void row(struct sheet *sheet, const struct flow *flow)
{
	strbuf_add_char(sheet->out, '|');
	sheet_cell(sheet, flow->tuple.proto);
	sheet_cell(sheet, source_of(sheet, flow));
	sheet_cell(sheet, destination_of(sheet, flow));
	sheet_cell(sheet, flow->fqdn);
	sheet_cell(sheet, flow->sni);
	sheet_cell(sheet, sheet_moment(sheet, flow->first_at_ms));
	sheet_cell(sheet, sheet_moment(sheet, flow->last_at_ms));
	sheet_cell(sheet, sheet_number(sheet, flow->attempts));
	sheet_cell(sheet, say_outcome(flow->outcome));
	strbuf_add_char(sheet->out, '\n');
}

/* From when to when, and by whom: what one types into a log's search first. */
static void span(struct sheet *sheet, const struct finding *finding)
{
	int64_t first_ms = finding->flows[0].first_at_ms, last_ms = finding->flows[0].last_at_ms;
	struct text_list sources = {0};
	for (size_t i = 0; i < finding->flow_count; i++) {
		const struct flow *flow = &finding->flows[i];
		const char *source = is_by_proxy(flow) ? say_text(SAY_HANDOFF_FLOW_PROXY) : flow->tuple.src;
		first_ms = flow->first_at_ms < first_ms ? flow->first_at_ms : first_ms;
		last_ms = flow->last_at_ms > last_ms ? flow->last_at_ms : last_ms;
		if (source && !text_list_has(&sources, source))
			text_list_add(sheet->arena, &sources, source);
	}
	struct strbuf text;
	strbuf_init(&text);
	for (size_t i = 0; i < sources.count && i < HANDOFF_ROWS_MAX; i++)
		strbuf_printf(&text, "%s%s", i ? ", " : "", sources.items[i]);
	sheet_say(sheet, SAY_HANDOFF_FLOWS_SPAN,
		  FILLS({"source", text.length ? text.data : NULL}, {"from", sheet_moment(sheet, first_ms)},
			{"to", sheet_moment(sheet, last_ms)}));
	strbuf_free(&text);
}

void handoff_flows(struct sheet *sheet, const struct finding *finding)
{
	bool by_proxy = false;
	if (!finding->flow_count)
		return;
	for (size_t i = 0; i < finding->flow_count; i++)
		by_proxy |= is_by_proxy(&finding->flows[i]);
	strbuf_printf(sheet->out, "\n%s ", say_text(SAY_HANDOFF_FLOWS));
	span(sheet, finding);
	if (by_proxy)
		strbuf_printf(sheet->out, " %s", say_text(SAY_HANDOFF_FLOWS_BY_PROXY));
	strbuf_add_char(sheet->out, '\n');
	sheet_table(sheet, SAY_HANDOFF_FLOWS_TABLE);
	for (size_t i = 0; i < finding->flow_count && i < HANDOFF_ROWS_MAX; i++)
		row(sheet, &finding->flows[i]);
	if (finding->flow_count > HANDOFF_ROWS_MAX)
		sheet_paragraph(
			sheet, SAY_HANDOFF_FLOWS_MORE,
			FILLS({"count", arena_printf(sheet->arena, "%zu", finding->flow_count - HANDOFF_ROWS_MAX)},
			      {"option", "--report json=FILE"}, {"id", finding->id}));
}
