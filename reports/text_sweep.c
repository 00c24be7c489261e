/* What `marsprobe sweep` found, for people. */

#include "reports/text_parts.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/strbuf.h"
#include "reports/screen.h"

enum { PREFIXES_SHOWN = 30, PREFIX_COLUMNS = 22, STATE_INDENT = 3, PER_MILLE = 1000, PREFIXES_IN_LINE = 6 };

static enum say say_state(enum sweep_state state)
{
	switch (state) {
	case SWEEP_UNTRIED:
		return SAY_SWEEP_STATE_UNTRIED;
	case SWEEP_OPEN:
		return SAY_SWEEP_STATE_OPEN;
	case SWEEP_REFUSED:
		return SAY_SWEEP_STATE_REFUSED;
	case SWEEP_FILTERED:
		return SAY_SWEEP_STATE_FILTERED;
	case SWEEP_PROHIBITED:
		return SAY_SWEEP_STATE_PROHIBITED;
	case SWEEP_UNREACHABLE:
		return SAY_SWEEP_STATE_UNREACHABLE;
	case SWEEP_NOT_SENT:
		return SAY_SWEEP_STATE_NOT_SENT;
	}
	return SAY_NOTHING;
}

static const char *number(long long value, char text[24])
{
	snprintf(text, 24, "%lld", value);
	return text;
}

/* ------------------------------------------------------------------ the head */

static void say_counts(struct strbuf *out, const struct sweep *sweep)
{
	static const enum sweep_state order[] = {SWEEP_OPEN,	 SWEEP_REFUSED,	 SWEEP_PROHIBITED, SWEEP_UNREACHABLE,
						 SWEEP_FILTERED, SWEEP_NOT_SENT, SWEEP_UNTRIED};
	char count[24];
	bool any = false;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!sweep->counts[order[i]])
			continue;
		strbuf_add(out, any ? ", " : "");
		say(out, SAY_SWEEP_COUNT,
		    FILLS({"count", number(sweep->counts[order[i]], count)}, {"state", say_text(say_state(order[i]))}));
		any = true;
	}
}

static void say_audit(struct strbuf *out, const struct sweep_audit *audit)
{
	size_t of[AUDIT_BLOCKED + 1] = {0};
	for (size_t i = 0; i < audit->block_count; i++)
		of[audit->blocks[i].state]++;
	if (audit->rationed)
		strbuf_add(out, say_text(SAY_AUDIT_RATIONED));
	else if (of[AUDIT_BLOCKED])
		strbuf_add(out,
			   say_text(of[AUDIT_PERMITTED] || of[AUDIT_UNKNOWN] ? SAY_AUDIT_PART : SAY_AUDIT_BLOCKED));
	else
		strbuf_add(out, say_text(of[AUDIT_PERMITTED] ? SAY_AUDIT_PERMITTED : SAY_AUDIT_UNKNOWN));
}

static void text_head(struct page *page, const struct sweep *sweep)
{
	struct strbuf answer, line;
	char port[24];
	strbuf_init(&answer);
	strbuf_init(&line);
	if (sweep->audit)
		say_audit(&answer, sweep->audit);
	else
		say_counts(&answer, sweep);
	say(&line, SAY_SWEEP_HEAD,
	    FILLS({"range", sweep->target->name}, {"port", number(sweep->target->port, port)},
		  {"answer", answer.data}));
	screen_wrap(page->out, 0, STATE_INDENT, line.data);
	strbuf_free(&answer);
	strbuf_free(&line);
}

static enum say say_stop(const char *stopped)
{
	if (strcmp(stopped, "interrupted") == 0)
		return SAY_SWEEP_STOPPED_INTERRUPTED;
	if (strcmp(stopped, "deadline") == 0)
		return SAY_SWEEP_STOPPED_DEADLINE;
	return strcmp(stopped, "rate_limited") == 0 ? SAY_SWEEP_STOPPED_RATE : SAY_SWEEP_STOPPED_SILENCED;
}

static void text_stopped(struct page *page, const struct sweep *sweep)
{
	char rate[24];
	struct strbuf line;
	if (!sweep->stopped)
		return;
	strbuf_init(&line);
	say(&line, say_stop(sweep->stopped),
	    FILLS({"rate", sweep->rate_seen == NOT_MEASURED ? NULL : number(sweep->rate_seen, rate)}));
	page_item(page, SAY_SWEEP_STOPPED, line.data);
	strbuf_free(&line);
}

static void text_asked(struct page *page, const struct sweep *sweep)
{
	char connects[24], tries[24], rtt[24], loss[24];
	long long mille = (long long)(sweep->loss * PER_MILLE + 0.5);
	struct strbuf line;
	if (sweep->audit)
		return;
	strbuf_init(&line);
	snprintf(loss, sizeof(loss), "%lld.%lld", mille / 10, mille % 10);
	say(&line, SAY_SWEEP_ASKED_LINE,
	    FILLS({"connects", number(sweep->connects, connects)}, {"tries", number(sweep->tries, tries)},
		  {"rtt", sweep->rtt_us == NOT_MEASURED ? NULL : number((sweep->rtt_us + 500) / 1000, rtt)},
		  {"loss", loss}));
	page_item(page, SAY_SWEEP_ASKED, line.data);
	if (!sweep->stopped && sweep->counts[SWEEP_FILTERED])
		page_item(page, SAY_NOTHING, say_text(SAY_SWEEP_SILENCE));
	strbuf_free(&line);
}

/* ------------------------------------------------------------------ the prefixes */

static void text_prefix(struct page *page, const struct sweep_prefix *prefix)
{
	char type[24], code[24];
	const char *state = say_text(say_state(prefix->state));
	struct strbuf line;
	strbuf_init(&line);
	if (prefix->from)
		say(&line, SAY_SWEEP_BY,
		    FILLS({"state", state}, {"from", prefix->from}, {"type", number(prefix->icmp_type, type)},
			  {"code", number(prefix->icmp_code, code)}));
	else
		strbuf_add(&line, state);
	screen_add_blanks(page->out, STATE_INDENT);
	screen_add_cell(page->out, prefix->prefix ? prefix->prefix : "?", PREFIX_COLUMNS);
	screen_wrap(page->out, STATE_INDENT + PREFIX_COLUMNS, STATE_INDENT + PREFIX_COLUMNS, line.data);
	strbuf_free(&line);
}

static void text_prefixes(struct page *page, const struct sweep *sweep)
{
	size_t shown = sweep->prefix_count;
	char count[24];
	struct strbuf line;
	if (!shown)
		return;
	if (shown > PREFIXES_SHOWN && !page->style->verbose)
		shown = PREFIXES_SHOWN;
	strbuf_add_char(page->out, '\n');
	screen_add_blanks(page->out, STATE_INDENT);
	screen_add_cell(page->out, say_text(SAY_SWEEP_ADDRESSES), PREFIX_COLUMNS);
	strbuf_printf(page->out, "%s\n", say_text(SAY_SWEEP_BEHAVIOUR));
	for (size_t i = 0; i < shown; i++)
		text_prefix(page, &sweep->prefixes[i]);
	if (shown == sweep->prefix_count)
		return;
	strbuf_init(&line);
	say(&line, SAY_SWEEP_MORE, FILLS({"count", number((long long)(sweep->prefix_count - shown), count)}));
	screen_add_blanks(page->out, STATE_INDENT);
	screen_wrap(page->out, STATE_INDENT, STATE_INDENT, line.data);
	strbuf_free(&line);
}

/* ------------------------------------------------------------------ the audit */

static enum say say_block(const struct audit_block *block)
{
	switch (block->state) {
	case AUDIT_UNKNOWN:
		return SAY_AUDIT_BLOCK_UNKNOWN;
	case AUDIT_PERMITTED:
		return SAY_AUDIT_BLOCK_PERMITTED;
	case AUDIT_BLOCKED:
		break;
	}
	if (!block->last_heard)
		return SAY_AUDIT_BLOCK_UNNAMED;
	if (block->refused)
		return SAY_AUDIT_BLOCK_REFUSED;
	return block->first_silent ? SAY_AUDIT_BLOCK_DIES : SAY_AUDIT_BLOCK_DIES_BEHIND;
}

/* "20.190.160.0/19", or where that is no prefix "20.190.150.64-20.190.151.15 (20.190.150.64/26, ...)". */
static void say_block_addresses(struct strbuf *out, const struct audit_block *block)
{
	const struct text_list *prefixes = &block->prefixes;
	struct strbuf list;
	if (prefixes->count == 1) {
		screen_add(out, prefixes->items[0], SAY_VALUE_COLUMNS);
		return;
	}
	strbuf_init(&list);
	say_list(&list, prefixes, PREFIXES_IN_LINE);
	screen_add(out, block->first ? block->first : "?", SAY_VALUE_COLUMNS);
	strbuf_add(out, " - ");
	screen_add(out, block->last ? block->last : "?", SAY_VALUE_COLUMNS);
	strbuf_printf(out, " (%s)", list.data);
	strbuf_free(&list);
}

static void text_block(struct page *page, const struct audit_block *block)
{
	struct strbuf addresses, line;
	strbuf_init(&addresses);
	strbuf_init(&line);
	say_block_addresses(&addresses, block);
	say(&line, say_block(block),
	    FILLS({"addresses", addresses.data}, {"hop", block->last_heard}, {"next", block->first_silent}));
	page_bullet(page, line.data);
	strbuf_free(&addresses);
	strbuf_free(&line);
}

static void text_audit(struct page *page, const struct sweep_audit *audit)
{
	char probes[24], ttl[24], step[24];
	struct strbuf line;
	strbuf_init(&line);
	say(&line, audit->ttl == NOT_MEASURED ? SAY_AUDIT_HOW_UNKNOWN : SAY_AUDIT_HOW,
	    FILLS({"probes", number(audit->probes, probes)}, {"ttl", number(audit->ttl, ttl)},
		  {"beyond", audit->beyond}, {"step", number(audit->step, step)}));
	page_item(page, SAY_SWEEP_ASKED, line.data);
	if (audit->cut)
		page_item(page, SAY_NOTHING, say_text(SAY_AUDIT_CUT));
	strbuf_add_char(page->out, '\n');
	for (size_t i = 0; i < audit->block_count; i++)
		text_block(page, &audit->blocks[i]);
	strbuf_free(&line);
}

void text_sweeps(struct page *page)
{
	for (size_t i = 0; i < page->report->sweep_count; i++) {
		const struct sweep *sweep = &page->report->sweeps[i];
		strbuf_add(page->out, i ? "\n" : "");
		text_head(page, sweep);
		text_run(page);
		text_asked(page, sweep);
		text_stopped(page, sweep);
		if (sweep->audit)
			text_audit(page, sweep->audit);
		else
			text_prefixes(page, sweep);
	}
	text_findings(page);
	if (page->style->verbose)
		text_observations(page);
}
