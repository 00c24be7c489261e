/* The rule that would let a finding's flows pass: in words, and as nftables. The other notations have files of their own. */

#include <inttypes.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "reports/handoff_parts.h"

enum { NAMES_SHOWN = 40, SEEN_SHOWN = 32 };

/* ------------------------------------------------------------------ in words */

static const char *joined(struct sheet *sheet, const struct text_list *list)
{
	struct strbuf text;
	strbuf_init(&text);
	for (size_t i = 0; i < list->count && i < NAMES_SHOWN; i++)
		strbuf_printf(&text, "%s%s", i ? ", " : "", list->items[i]);
	const char *copy = arena_strdup(sheet->arena, text.data);
	strbuf_free(&text);
	return copy;
}

static const struct text_list *best_of(const struct allow *allow)
{
	if (allow->rules.count && allow->kind == ALLOW_SERVICE)
		return &allow->rules;
	return allow->seen.count ? &allow->seen : &allow->prefixes;
}

static void words(struct sheet *sheet, const struct allow *allow)
{
	const char *source = allow->by_proxy ? say_text(SAY_HANDOFF_FLOW_PROXY) : say_text(SAY_HANDOFF_THIS_SERVER);
	sheet_paragraph(sheet, SAY_HANDOFF_RULE_WORDS,
			FILLS({"proto", allow->proto},
			      {"source", allow->sources.count ? joined(sheet, &allow->sources) : source},
			      {"destination", joined(sheet, best_of(allow))},
			      {"port", sheet_number(sheet, allow->port)}));
}

static void row(struct sheet *sheet, const char *label, const struct text_list *values, size_t max)
{
	if (!values->count)
		return;
	strbuf_printf(sheet->out, "| %s | ", label);
	sheet_list(sheet, values, max);
	strbuf_add(sheet->out, " |\n");
}

static const char *label_of_seen(struct sheet *sheet, const struct allow *allow)
{
	const char *at = sheet_moment(sheet, sheet->report->run.started_at_ms);
	struct strbuf text;
	if (allow->kind != ALLOW_SERVICE)
		return say_text(allow->kind == ALLOW_PROXY ? SAY_HANDOFF_RULE_PROXY : SAY_HANDOFF_RULE_RESOLVER);
	strbuf_init(&text);
	say(&text, allow->by_proxy ? SAY_HANDOFF_RULE_SEEN_DNS : SAY_HANDOFF_RULE_SEEN, FILLS({"at", at}));
	const char *label = arena_strdup(sheet->arena, text.data);
	strbuf_free(&text);
	return label;
}

/* "Prefixes of `AzureBackup.EastUS` by `ServiceTags_Public_20260601.json`, change `301` of `2026-06-01`" */
static void label_of_list(struct sheet *sheet, const struct allow_list *list)
{
	const struct tags_input *tags = sheet->report->run.tags;
	sheet_say(sheet, SAY_HANDOFF_RULE_LIST, FILLS({"tag", list->tag}, {"file", tags->file}));
	if (tags->change_number != NOT_MEASURED)
		sheet_say(sheet, SAY_HANDOFF_RULE_CHANGE,
			  FILLS({"change", arena_printf(sheet->arena, "%" PRId64, tags->change_number)}));
	if (tags->date)
		sheet_say(sheet, SAY_HANDOFF_RULE_DATE, FILLS({"date", tags->date}));
}

static void rows_of_lists(struct sheet *sheet, const struct allow *allow)
{
	for (size_t i = 0; i < allow->list_count; i++) {
		strbuf_add(sheet->out, "| ");
		label_of_list(sheet, &allow->lists[i]);
		strbuf_add(sheet->out, " | ");
		sheet_list(sheet, &allow->lists[i].prefixes, NAMES_SHOWN);
		strbuf_add(sheet->out, " |\n");
	}
}

static void table(struct sheet *sheet, const struct allow *allow)
{
	sheet_table(sheet, SAY_HANDOFF_RULE_TABLE);
	bool is_proxy = allow->kind == ALLOW_PROXY;
	row(sheet, say_text(is_proxy ? SAY_HANDOFF_RULE_PROXY_NAME : SAY_HANDOFF_RULE_NAMES), &allow->rules,
	    NAMES_SHOWN);
	row(sheet, say_text(SAY_HANDOFF_RULE_TAGS), &allow->tags, NAMES_SHOWN);
	row(sheet, say_text(SAY_HANDOFF_RULE_PREFIXES), &allow->prefixes, NAMES_SHOWN);
	rows_of_lists(sheet, allow);
	row(sheet, label_of_seen(sheet, allow), &allow->seen, SEEN_SHOWN);
	strbuf_printf(sheet->out, "| %s | `%s %d` |\n| %s | ", say_text(SAY_HANDOFF_RULE_PORT), allow->proto,
		      allow->port, say_text(SAY_HANDOFF_RULE_FROM));
	if (allow->sources.count)
		sheet_list(sheet, &allow->sources, NAMES_SHOWN);
	else
		strbuf_add(sheet->out, say_text(allow->by_proxy ? SAY_HANDOFF_FLOW_PROXY : SAY_HANDOFF_THIS_SERVER));
	strbuf_printf(sheet->out, "%s |\n", say_text(SAY_HANDOFF_RULE_ANY_PORT));
}

static void remarks(struct sheet *sheet, const struct finding *finding, const struct allow *allow)
{
	if (allow->kind != ALLOW_SERVICE)
		return;
	if (allow->port == 80)
		sheet_paragraph(sheet, SAY_HANDOFF_RULE_PORT_80, NULL);
	if (finding->stage == STAGE_TLS || (finding->stage == STAGE_HTTP && allow->https))
		sheet_paragraph(sheet, SAY_HANDOFF_RULE_CONTENT, NULL);
	if (allow->prefixes.count && !allow->list_count && text_list_has(&allow->tags, "AzureActiveDirectory"))
		sheet_paragraph(sheet, SAY_HANDOFF_RULE_ENTRA, FILLS({"more", allow_more_prefixes}));
	if (allow->tags.count)
		sheet_paragraph(sheet, SAY_HANDOFF_RULE_TAG_NOTE, NULL);
	if (allow->tagless.count)
		sheet_paragraph(sheet, SAY_HANDOFF_RULE_NO_TAG, FILLS({"rules", joined(sheet, &allow->tagless)}));
}

/* ------------------------------------------------------------------ nftables */

static void add_set(struct strbuf *out, const struct text_list *list)
{
	strbuf_add(out, "{ ");
	for (size_t i = 0; i < list->count; i++)
		strbuf_printf(out, "%s%s", i ? ", " : "", list->items[i]);
	strbuf_add(out, " }");
}

/* One rule out, and the one for its answers. sources: a set, or the name of a definition. */
static void nft_pair(struct strbuf *out, const struct allow *allow, const char *family, const char *sources,
		     const struct text_list *to, const char *comment)
{
	strbuf_printf(out, "        # %s\n        %s saddr %s %s daddr ", comment, family, sources, family);
	add_set(out, to);
	strbuf_printf(out, " %s dport %d counter accept\n        %s saddr ", allow->proto, allow->port, family);
	add_set(out, to);
	strbuf_printf(out, " %s daddr %s %s sport %d ct state established,related counter accept\n", family, sources,
		      allow->proto, allow->port);
}

static void nft_lists(struct sheet *sheet, const struct allow *allow, int family, const char *sources)
{
	for (size_t i = 0; i < allow->list_count; i++) {
		struct text_list prefixes = allow_family(sheet->arena, &allow->lists[i].prefixes, family);
		if (prefixes.count)
			nft_pair(sheet->out, allow, family == 6 ? "ip6" : "ip", sources, &prefixes,
				 allow->lists[i].tag);
	}
}

static void nft_family(struct sheet *sheet, const struct allow *allow, int family)
{
	struct text_list prefixes = allow_family(sheet->arena, &allow->prefixes, family);
	struct text_list outside = allow_outside(sheet->arena, &allow->seen, &prefixes);
	for (size_t i = 0; i < allow->list_count; i++)
		outside = allow_outside(sheet->arena, &outside, &allow->lists[i].prefixes);
	struct text_list seen = allow_family(sheet->arena, &outside, family);
	struct text_list from = allow_family(sheet->arena, &allow->sources, family);
	const char *word = family == 6 ? "ip6" : "ip";
	if (!from.count && !(allow->by_proxy && family == 4))
		return;
	struct strbuf sources, comment;
	strbuf_init(&sources);
	strbuf_init(&comment);
	if (allow->by_proxy)
		strbuf_add(&sources, "$proxy_address");
	else
		add_set(&sources, &from);
	if (prefixes.count)
		nft_pair(sheet->out, allow, word, sources.data, &prefixes, say_text(SAY_HANDOFF_NFT_PREFIXES));
	nft_lists(sheet, allow, family, sources.data);
	say(&comment, allow->kind == ALLOW_SERVICE ? SAY_HANDOFF_NFT_SEEN : SAY_HANDOFF_NFT_FIXED,
	    FILLS({"at", sheet_moment(sheet, sheet->report->run.started_at_ms)}));
	if (seen.count)
		nft_pair(sheet->out, allow, word, sources.data, &seen, comment.data);
	strbuf_free(&comment);
	strbuf_free(&sources);
}

static void nft_rules(struct sheet *sheet, const struct allow *allow)
{
	strbuf_printf(sheet->out, "        #%s%s", allow->kind == ALLOW_RESOLVER ? " " : "",
		      allow->kind == ALLOW_RESOLVER ? say_text(SAY_HANDOFF_RULE_RESOLVER) : "");
	for (size_t i = 0; i < allow->rules.count && i < NAMES_SHOWN; i++)
		strbuf_printf(sheet->out, " %s", allow->rules.items[i]);
	strbuf_printf(sheet->out, " (%s %d)\n", allow->proto, allow->port);
	nft_family(sheet, allow, 4);
	nft_family(sheet, allow, 6);
}

void handoff_nft(struct sheet *sheet, const struct allow *allows, size_t count, const char *name)
{
	struct strbuf *document = sheet->out, body;
	bool by_proxy = false;
	strbuf_init(&body);
	sheet->out = &body;
	for (size_t i = 0; i < count; i++) {
		nft_rules(sheet, &allows[i]);
		by_proxy |= allows[i].by_proxy;
	}
	sheet->out = document;
	if (!strstr(body.data, " accept\n")) {
		sheet_paragraph(sheet, SAY_HANDOFF_NFT_NONE, NULL);
		strbuf_free(&body);
		return;
	}
	strbuf_printf(document, "\n%s\n\n```nft\n%s\n%s\n", say_text(SAY_HANDOFF_NFT), say_text(SAY_HANDOFF_NFT_PLACE),
		      say_text(SAY_HANDOFF_NFT_LOAD));
	if (by_proxy)
		strbuf_printf(document, "%s\ndefine proxy_address = 192.0.2.1\n", say_text(SAY_HANDOFF_NFT_PROXY));
	strbuf_printf(document,
		      "table inet filter {\n    chain %s {\n%s    }\n}\ninsert rule inet filter forward jump %s\n```\n",
		      name, body.data, name);
	strbuf_free(&body);
}

/* ------------------------------------------------------------------ all of it */

void handoff_rules(struct sheet *sheet, const struct finding *finding)
{
	struct allow allows[ALLOWS_MAX];
	size_t count = allow_collect(sheet->arena, sheet->report, finding, allows);
	if (!count)
		return;
	size_t number = 1;
	while (number <= sheet->report->finding_count && sheet->report->findings[number - 1] != finding)
		number++;
	const char *name = arena_printf(sheet->arena, "marsprobe_%zu", number);
	strbuf_printf(sheet->out, "\n%s\n", say_text(SAY_HANDOFF_RULE));
	for (size_t i = 0; i < count; i++) {
		words(sheet, &allows[i]);
		table(sheet, &allows[i]);
		remarks(sheet, finding, &allows[i]);
	}
	handoff_nft(sheet, allows, count, name);
	handoff_azure(sheet, allows, count, name);
	handoff_csv(sheet, allows, count);
}
