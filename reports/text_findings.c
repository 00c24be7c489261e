#include "reports/text_parts.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/strbuf.h"
#include "probe/core/timestamp.h"
#include "reports/screen.h"

enum {
	EVIDENCE_SHOWN = 4,
	FLOWS_SHOWN = 8,
	TARGETS_SHOWN = 4,
	NAME_BYTES = 300,
	COMMAND_INDENT = 16,
	COMMAND_COLUMNS = 10000
};

static void item_more(struct page *page, size_t total, size_t shown)
{
	if (total <= shown)
		return;
	struct strbuf line;
	strbuf_init(&line);
	say_more(&line, total - shown);
	page_item(page, SAY_NOTHING, line.data);
	strbuf_free(&line);
}

static void text_where(struct page *page, const struct finding *finding)
{
	struct strbuf subject, line;
	strbuf_init(&subject);
	strbuf_init(&line);
	say(&subject, say_subject_of(finding),
	    FILLS({"value", finding->subject}, {"silent", finding_first_silent(finding)}));
	say(&line, SAY_WHERE, FILLS({"subject", subject.data}, {"stage", say_text(say_stage(finding->stage))}));
	page_item(page, SAY_LABEL_WHERE, line.data);
	strbuf_free(&subject);
	strbuf_free(&line);
}

static void text_targets(struct page *page, const struct finding *finding)
{
	struct strbuf line, name;
	strbuf_init(&line);
	strbuf_init(&name);
	for (size_t i = 0; i < finding->target_count && i < TARGETS_SHOWN; i++) {
		strbuf_truncate(&name, 0);
		say_target(&name, finding->targets[i]);
		strbuf_add(&line, i ? ", " : "");
		screen_add(&line, name.data, SAY_VALUE_COLUMNS);
	}
	if (finding->target_count > TARGETS_SHOWN) {
		strbuf_add_char(&line, ' ');
		say_more(&line, finding->target_count - TARGETS_SHOWN);
	}
	if (finding->target_count > 0)
		page_item(page, SAY_LABEL_BREAKS, line.data);
	strbuf_free(&line);
	strbuf_free(&name);
}

static void text_evidence(struct page *page, const struct observation_list *evidence)
{
	struct strbuf line;
	strbuf_init(&line);
	for (size_t i = 0; i < evidence->count && i < EVIDENCE_SHOWN; i++) {
		strbuf_truncate(&line, 0);
		say_time_of_day(&line, page->report, evidence->items[i]->start_us);
		strbuf_add_char(&line, ' ');
		say_observation(&line, evidence->items[i]);
		page_item(page, i ? SAY_NOTHING : SAY_LABEL_SEEN, line.data);
	}
	strbuf_free(&line);
	item_more(page, evidence->count, EVIDENCE_SHOWN);
}

/* Whole, in one line: it is there to be copied. */
static void text_command(struct page *page, const char *command)
{
	screen_add_blanks(page->out, COMMAND_INDENT);
	screen_add(page->out, command, COMMAND_COLUMNS);
	strbuf_add_char(page->out, '\n');
}

static void text_remedy(struct page *page, const struct text_list *remedy)
{
	struct strbuf line, step;
	strbuf_init(&line);
	strbuf_init(&step);
	for (size_t i = 0; i < remedy->count; i++) {
		strbuf_truncate(&line, 0);
		if (remedy->count > 1)
			strbuf_printf(&line, "%zu. ", i + 1);
		size_t words = strcspn(remedy->items[i], "\n");
		strbuf_truncate(&step, 0);
		strbuf_add_bytes(&step, remedy->items[i], words);
		screen_add(&line, step.data, SAY_VALUE_COLUMNS);
		page_item(page, i ? SAY_NOTHING : SAY_LABEL_DO, line.data);
		if (remedy->items[i][words])
			text_command(page, remedy->items[i] + words + 1);
	}
	strbuf_free(&line);
	strbuf_free(&step);
}

static const char *end_text(const char *host, int port, char *text, size_t bytes)
{
	return port == NOT_MEASURED ? host : host_port_format(host, port, text, bytes);
}

static const char *flow_source(const struct flow *flow, char *text, size_t bytes)
{
	if (flow->tuple.src)
		return end_text(flow->tuple.src, flow->tuple.src_port, text, bytes);
	bool by_proxy = flow->seen_from && strcmp(flow->seen_from, "proxy") == 0;
	return say_text(by_proxy ? SAY_FLOW_FROM_PROXY : SAY_UNKNOWN);
}

static void text_flow(struct page *page, const struct flow *flow)
{
	char source[NAME_BYTES], destination[NAME_BYTES], at[TIMESTAMP_TEXT_BYTES], tries[24];
	const char *to = flow->tuple.dst ? flow->tuple.dst : flow->fqdn;
	struct strbuf line;
	strbuf_init(&line);
	say(&line, SAY_FLOW,
	    FILLS({"proto", flow->tuple.proto}, {"source", flow_source(flow, source, sizeof(source))},
		  {"destination", to ? end_text(to, flow->tuple.dst_port, destination, sizeof(destination)) : NULL},
		  {"at", flow->first_at_ms < 0 ? NULL : timestamp_format(flow->first_at_ms, at)}, {"name", flow->fqdn},
		  {"outcome", say_outcome(flow->outcome)}));
	if (flow->attempts > 1) {
		snprintf(tries, sizeof(tries), "%d", flow->attempts);
		say(&line, SAY_FLOW_TRIES, FILLS({"count", tries}));
	}
	page_item(page, SAY_NOTHING, line.data);
	strbuf_free(&line);
}

static void text_flows(struct page *page, const struct finding *finding)
{
	if (finding->flow_count == 0)
		return;
	page_item(page, SAY_LABEL_FLOWS, say_text(SAY_FLOWS_MEANING));
	for (size_t i = 0; i < finding->flow_count && i < FLOWS_SHOWN; i++)
		text_flow(page, &finding->flows[i]);
	item_more(page, finding->flow_count, FLOWS_SHOWN);
}

static void text_finding(struct page *page, const struct finding *finding, size_t number)
{
	bool bad = finding->status == STATUS_FAIL;
	const char *mark = say_text(bad ? SAY_FINDING_FAIL : SAY_FINDING_WARN);
	struct strbuf line;
	strbuf_init(&line);
	strbuf_printf(page->out, "\n%zu. ", number);
	page_paint(page, bad ? PAINT_BAD : PAINT_CAUTION, mark);
	strbuf_add(page->out, "  ");
	screen_add(&line, finding->summary ? finding->summary : say_text(SAY_UNKNOWN), SAY_VALUE_COLUMNS);
	screen_wrap(page->out, 9, 3, line.data);
	text_where(page, finding);
	if (finding->owner != OWNER_NONE)
		page_item(page, SAY_LABEL_WHOSE, say_text(say_owner(finding->owner)));
	page_item(page, SAY_LABEL_SURE, say_text(say_confidence(finding->confidence)));
	text_targets(page, finding);
	text_evidence(page, &finding->evidence);
	text_remedy(page, &finding->remedy);
	text_flows(page, finding);
	if (finding->cause) {
		strbuf_truncate(&line, 0);
		say(&line, SAY_EXPLAIN, FILLS({"cause", finding->cause}));
		page_item(page, SAY_LABEL_MORE, line.data);
	}
	if (finding->owner != OWNER_NONE && finding->owner != OWNER_SERVER_ADMIN) {
		strbuf_truncate(&line, 0);
		say(&line, SAY_HANDOFF_HINT, FILLS({"owner", say_text(say_owner(finding->owner))}));
		page_item(page, SAY_LABEL_HANDOFF, line.data);
	}
	strbuf_free(&line);
}

void text_findings(struct page *page)
{
	if (page->report->finding_count == 0)
		return;
	page_heading(page, SAY_FINDINGS);
	for (size_t i = 0; i < page->report->finding_count; i++)
		text_finding(page, page->report->findings[i], i + 1);
}
