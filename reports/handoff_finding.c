/* One finding of the hand-off: what is blocked, how that is known, and what to do. */

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/diagnosis.h"
#include "reports/handoff_parts.h"
#include "reports/markdown.h"
#include "reports/text_parts.h"

enum { TARGETS_SHOWN = 40, SEEN_SHOWN = 6 };

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void title(struct sheet *sheet, const struct finding *finding, size_t number)
{
	const struct cause *cause = finding->cause ? cause_find(finding->cause) : NULL;
	strbuf_printf(sheet->out, "\n### %zu. ", number);
	if (cause)
		strbuf_add(sheet->out, cause->title);
	else
		md_add_code(sheet->out, finding->cause ? finding->cause : say_text(SAY_UNKNOWN));
	if (finding->subject) {
		strbuf_add(sheet->out, ": ");
		sheet_say(sheet, say_subject_of(finding),
			  FILLS({"value", finding->subject}, {"silent", finding_first_silent(finding)}));
	}
	strbuf_add_char(sheet->out, '\n');
}

static void blocked(struct sheet *sheet, const struct finding *finding)
{
	struct text_list names = {0};
	struct strbuf name;
	strbuf_init(&name);
	for (size_t i = 0; i < finding->target_count; i++) {
		strbuf_truncate(&name, 0);
		say_target(&name, finding->targets[i]);
		text_list_add(sheet->arena, &names, arena_strdup(sheet->arena, name.data));
	}
	strbuf_free(&name);
	strbuf_printf(sheet->out, "\n%s", say_text(SAY_HANDOFF_BLOCKED));
	sheet_list(sheet, &names, TARGETS_SHOWN);
	strbuf_add(sheet->out, names.count ? "; " : "");
	say(sheet->out, names.count ? SAY_HANDOFF_AT_STAGE : SAY_HANDOFF_NO_TARGET,
	    FILLS({"stage", say_text(say_stage(finding->stage))}));
	if (!sheet->report->sweep_count)
		strbuf_add(sheet->out, say_text(finding->status == STATUS_FAIL ? SAY_HANDOFF_BLOCKS_READY
									       : SAY_HANDOFF_BLOCKS_NOT));
	strbuf_add_char(sheet->out, '\n');
}

/* ------------------------------------------------------------------ evidence */

static bool is_of_named_target(const struct observation *one)
{
	return one->paths.count && one->paths.items[0]->target->host;
}

/* Connections to that port that opened; of them the first to a target with a name, or else the first. */
static const struct observation *opened(const struct report *report, int port, size_t *count)
{
	const struct observation *best = NULL;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op != OP_TCP_CONNECT || one->experiment || one->failure != FAILURE_NONE ||
		    one->tcp.tuple.dst_port != port)
			continue;
		if (!best || (!is_of_named_target(best) && is_of_named_target(one)))
			best = one;
		++*count;
	}
	return best;
}

/* What a sceptic asks: did anything else from here get through at that time? */
static void contrast(struct sheet *sheet, const struct finding *finding)
{
	const struct flow *flow = finding->flow_count ? &finding->flows[0] : NULL;
	if (!flow || finding->stage != STAGE_TCP || !same_text(flow->tuple.proto, "tcp") ||
	    !same_text(flow->seen_from, "server"))
		return;
	size_t count = 0;
	const struct observation *one = opened(sheet->report, flow->tuple.dst_port, &count);
	enum say words = count > 1 ? SAY_HANDOFF_CONTRAST
			 : count   ? SAY_HANDOFF_CONTRAST_ONE
				   : SAY_HANDOFF_CONTRAST_NONE;
	sheet_say(sheet, words,
		  FILLS({"count", arena_printf(sheet->arena, "%zu", count)},
			{"port", sheet_number(sheet, flow->tuple.dst_port)},
			{"destination", one ? sheet_end(sheet, one->tcp.tuple.dst, one->tcp.tuple.dst_port) : NULL},
			{"at", one ? sheet_began(sheet, one) : NULL}));
}

/* The summary begins with the cause's title, which stands above already. */
static const char *without_title(const struct finding *finding)
{
	const struct cause *cause = finding->cause ? cause_find(finding->cause) : NULL;
	size_t length = cause ? strlen(cause->title) : 0;
	const char *text = finding->summary ? finding->summary : say_text(SAY_UNKNOWN);
	bool begins = cause && strncmp(text, cause->title, length) == 0 && strncmp(text + length, ": ", 2) == 0;
	return begins ? text + length + 2 : text;
}

static void capital(struct sheet *sheet, const char *text)
{
	char *copy = arena_strdup(sheet->arena, text);
	if (copy[0] >= 'a' && copy[0] <= 'z')
		copy[0] = (char)(copy[0] - 'a' + 'A');
	md_add_text(sheet->out, copy);
}

static void evidence(struct sheet *sheet, const struct finding *finding)
{
	strbuf_printf(sheet->out, "\n%s", say_text(SAY_HANDOFF_EVIDENCE));
	capital(sheet, without_title(finding));
	contrast(sheet, finding);
	strbuf_add_char(sheet->out, '\n');
}

static void sure(struct sheet *sheet, const struct finding *finding)
{
	struct text_list not_run = {0};
	strbuf_add_char(sheet->out, '\n');
	sheet_say(sheet, SAY_HANDOFF_SURE,
		  FILLS({"sure", say_text(say_confidence(finding->confidence))},
			{"confidence", arena_printf(sheet->arena, "%d.%02d", (int)finding->confidence,
						    (int)(finding->confidence * 100 + 0.5) % 100)},
			{"cause", finding->cause}));
	for (size_t i = 0; i < finding->paths.count; i++) {
		const struct path *path = finding->paths.items[i];
		for (size_t k = 0; path->effective && k < path->verdict.not_run.count; k++)
			if (!text_list_has(&not_run, path->verdict.not_run.items[k]))
				text_list_add(sheet->arena, &not_run, path->verdict.not_run.items[k]);
	}
	if (not_run.count) {
		strbuf_add(sheet->out, say_text(SAY_HANDOFF_NOT_RUN));
		sheet_list(sheet, &not_run, TARGETS_SHOWN);
		strbuf_add_char(sheet->out, '.');
	}
	strbuf_add_char(sheet->out, '\n');
}

/* ------------------------------------------------------------------ where */

/* Who said so itself, by an ICMP error and in another name than the target's. */
static const char *device_of(const struct finding *finding)
{
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct observation *one = finding->evidence.items[i];
		if (one->op == OP_TCP_CONNECT && one->tcp.icmp.from &&
		    !same_text(one->tcp.icmp.from, one->tcp.tuple.dst))
			return one->tcp.icmp.from;
	}
	return NULL;
}

static bool is_of_network(const struct finding *finding)
{
	return finding->owner == OWNER_FIREWALL_TEAM || finding->owner == OWNER_NETWORK_TEAM ||
	       finding->owner == OWNER_MICROSOFT;
}

/* Which sentence fits; device: who was heard last, NULL where nobody was, or where the system does not say who. */
static enum say place_words(const struct place *at, const char *device)
{
	bool some_hop = at && at->hop > 0;
	if (at && at->first_silent && (device || some_hop))
		return device ? SAY_HANDOFF_PLACE_BETWEEN : SAY_HANDOFF_PLACE_BEHIND_HOP;
	if (at && at->first_silent)
		return SAY_HANDOFF_PLACE_BEFORE;
	if (device)
		return SAY_HANDOFF_PLACE_DEVICE;
	return some_hop ? SAY_HANDOFF_PLACE_AT_HOP : SAY_HANDOFF_PLACE_UNKNOWN;
}

static void where(struct sheet *sheet, const struct finding *finding)
{
	const struct place *at = finding_place(finding);
	bool is_here = at && at->hop == 0; /* this server itself: no device was heard */
	const char *device = is_here ? NULL : at ? at->last_heard : device_of(finding);
	if (!at && !is_of_network(finding))
		return;
	const char *hop = at ? sheet_number(sheet, at->hop) : NULL;
	strbuf_printf(sheet->out, "\n%s", say_text(SAY_HANDOFF_PLACE));
	sheet_say(sheet, place_words(at, device),
		  FILLS({"device", device}, {"silent", at ? at->first_silent : NULL}, {"hop", hop}));
	if (device && hop)
		sheet_say(sheet, SAY_HANDOFF_PLACE_HOP, FILLS({"device", device}, {"hop", hop}));
	strbuf_add_char(sheet->out, '\n');
}

/* ------------------------------------------------------------------ what to do */

/* A command, whole and in one line, inside the step that it belongs to. */
static void command(struct sheet *sheet, const char *text)
{
	strbuf_add(sheet->out, "\n   ```\n   ");
	md_add_fenced(sheet->out, text);
	strbuf_add(sheet->out, "\n   ```\n");
}

static void remedy(struct sheet *sheet, const struct text_list *steps)
{
	struct strbuf words;
	strbuf_init(&words);
	if (steps->count)
		strbuf_printf(sheet->out, "\n%s\n\n", say_text(SAY_HANDOFF_DO));
	for (size_t i = 0; i < steps->count; i++) {
		size_t length = strcspn(steps->items[i], "\n");
		strbuf_truncate(&words, 0);
		strbuf_add_bytes(&words, steps->items[i], length);
		strbuf_printf(sheet->out, "%zu. ", i + 1);
		md_add_text(sheet->out, words.data);
		strbuf_add_char(sheet->out, '\n');
		if (steps->items[i][length])
			command(sheet, steps->items[i] + length + 1);
	}
	strbuf_free(&words);
}

static size_t requests_of(const struct finding *finding)
{
	size_t requests = 0;
	for (size_t i = 0; i < finding->evidence.count; i++)
		requests += finding->evidence.items[i]->op == OP_PROXY_EXCHANGE;
	return requests;
}

static enum say ask_of(const struct finding *finding)
{
	static const enum say words[] = {
		[OWNER_NONE] = SAY_NOTHING,
		[OWNER_SERVER_ADMIN] = SAY_HANDOFF_ASK_SERVER,
		[OWNER_DNS_TEAM] = SAY_HANDOFF_ASK_DNS,
		[OWNER_FIREWALL_TEAM] = SAY_HANDOFF_ASK_FIREWALL,
		[OWNER_PROXY_TEAM] = SAY_HANDOFF_ASK_PROXY,
		[OWNER_NETWORK_TEAM] = SAY_HANDOFF_ASK_NETWORK,
		[OWNER_MICROSOFT] = SAY_HANDOFF_ASK_MICROSOFT,
	};
	if (finding->owner == OWNER_PROXY_TEAM && !requests_of(finding))
		return finding->stage == STAGE_SETTINGS ? SAY_HANDOFF_ASK_SCRIPT : SAY_HANDOFF_ASK_INSPECTION;
	return words[finding->owner];
}

/* What a table of its own shows is not said twice. */
static bool has_table(const struct finding *finding, const struct observation *one)
{
	bool is_flow = finding->flow_count && !one->experiment;
	bool unanswered = one->failure == FAILURE_TIMEOUT || one->failure == FAILURE_CONNECTION_RESET ||
			  one->failure == FAILURE_EOF;
	if (one->op == OP_TCP_CONNECT)
		return is_flow && unanswered;
	if (one->op == OP_TLS_HANDSHAKE)
		return is_flow && (unanswered || (finding->stage == STAGE_TLS && one->tls.chain_count));
	return one->op == OP_DNS_QUERY || one->op == OP_PROXY_EXCHANGE;
}

static void seen_one(struct sheet *sheet, const struct observation *one)
{
	const char *began = sheet_began(sheet, one);
	struct strbuf line;
	strbuf_init(&line);
	say_observation(&line, one);
	strbuf_add(sheet->out, "- ");
	md_add_code(sheet->out, began ? began : say_text(SAY_UNKNOWN));
	strbuf_add(sheet->out, " - ");
	md_add_text(sheet->out, line.data);
	strbuf_add_char(sheet->out, '\n');
	strbuf_free(&line);
}

static void seen(struct sheet *sheet, const struct finding *finding)
{
	size_t count = 0;
	for (size_t i = 0; i < finding->evidence.count; i++) {
		if (has_table(finding, finding->evidence.items[i]))
			continue;
		if (!count++)
			strbuf_printf(sheet->out, "\n%s\n\n", say_text(SAY_HANDOFF_SEEN));
		if (count <= SEEN_SHOWN)
			seen_one(sheet, finding->evidence.items[i]);
	}
	if (count > SEEN_SHOWN) {
		strbuf_add(sheet->out, "- ");
		say_more(sheet->out, count - SEEN_SHOWN);
		strbuf_add_char(sheet->out, '\n');
	}
}

/* A table of requests shows the same with more: client, times, answers. */
static bool has_all_requests(const struct finding *finding)
{
	return finding->owner == OWNER_PROXY_TEAM && requests_of(finding) >= finding->flow_count;
}

/* A firewall's rule names them itself. */
static void allow_list(struct sheet *sheet, const struct finding *finding)
{
	struct text_list rules = {0};
	bool wants_names = finding->owner == OWNER_PROXY_TEAM || finding->owner == OWNER_DNS_TEAM;
	if (!wants_names || finding->stage == STAGE_SETTINGS)
		return;
	for (size_t i = 0; i < finding->target_count; i++) {
		const char *rule = finding->targets[i]->rule;
		if (rule && !text_list_has(&rules, rule))
			text_list_add(sheet->arena, &rules, rule);
	}
	if (!rules.count)
		return;
	strbuf_printf(sheet->out, "\n%s", say_text(SAY_HANDOFF_ALLOW_LIST));
	sheet_list(sheet, &rules, TARGETS_SHOWN);
	strbuf_add(sheet->out, ".\n");
}

void handoff_finding(struct sheet *sheet, const struct finding *finding, size_t number)
{
	title(sheet, finding, number);
	if (sheet->report->coverage)
		sheet_paragraph(sheet, finding->status == STATUS_FAIL ? SAY_HANDOFF_CIRCUIT : SAY_HANDOFF_CIRCUIT_WARN,
				NULL);
	else
		blocked(sheet, finding);
	allow_list(sheet, finding);
	evidence(sheet, finding);
	sure(sheet, finding);
	if (!sheet->report->coverage)
		where(sheet, finding);
	remedy(sheet, &finding->remedy);
	strbuf_printf(sheet->out, "\n%s%s\n", say_text(SAY_HANDOFF_ASKED), say_text(ask_of(finding)));
	seen(sheet, finding);
	handoff_requests(sheet, finding);
	if (finding->owner != OWNER_FIREWALL_TEAM || !finding->flow_count)
		handoff_questions(sheet, finding);
	handoff_chains(sheet, finding);
	handoff_walk(sheet, finding);
	if (!has_all_requests(finding))
		handoff_flows(sheet, finding);
	/* a filter of an address for every protocol looks like a way that ends */
	bool may_be_filter = same_text(finding->cause, "ip_path_dies_all_protocols");
	if (may_be_filter)
		sheet_paragraph(sheet, SAY_HANDOFF_MAY_BE_FILTER, NULL);
	if (may_be_filter || finding->owner == OWNER_FIREWALL_TEAM)
		handoff_rules(sheet, finding);
}
