#include <stdio.h>
#include <string.h>

#include "probe/cli/trace_answer.h"
#include "probe/core/address.h"
#include "probe/core/strbuf.h"
#include "probe/core/timestamp.h"
#include "reports/report.h"
#include "reports/screen.h"
#include "reports/text_parts.h"

enum { TTL_COLUMNS = 7, MS_COLUMNS = 9, GAP_COLUMNS = 2, NUMBER_BYTES = 32, END_BYTES = 80, CELL_COLUMNS = 60 };

static const char *number_text(int number, char text[NUMBER_BYTES])
{
	snprintf(text, NUMBER_BYTES, "%d", number);
	return text;
}

static void add_line(struct page *page, size_t indent, enum say sentence, const struct fill *fills)
{
	struct strbuf line;
	strbuf_init(&line);
	say(&line, sentence, fills);
	screen_add_blanks(page->out, indent);
	screen_wrap(page->out, indent, indent, line.data);
	strbuf_free(&line);
}

/* ------------------------------------------------------------------ the table */

static bool is_same_hop(const struct walk_hop *a, const struct walk_hop *b)
{
	return b && a->address && b->address && a->seen->ttl.expired && b->seen->ttl.expired &&
	       strcmp(a->address, b->address) == 0;
}

static enum say say_arrival(const struct walk_hop *hop)
{
	const char *tcp = hop->seen->ttl.tcp;
	if (tcp && strcmp(tcp, "syn_ack") == 0)
		return SAY_TRACE_SYN_ACK;
	return tcp && strcmp(tcp, "rst") == 0 ? SAY_TRACE_RST : SAY_TRACE_FAR_END;
}

/** What one walk met at that TTL; nothing where it sent nothing. */
static void say_cell(struct strbuf *out, const struct trace_path *path, enum trace_walk walk, int ttl)
{
	const struct walk_hop *hop = walk_view_hop(&path->walks[walk], ttl);
	if (!hop)
		return;
	if (walk != TRACE_WALK && is_same_hop(hop, walk_view_hop(&path->walks[TRACE_WALK], ttl)))
		strbuf_add(out, say_text(SAY_TRACE_SAME));
	else if (hop->reached)
		strbuf_add(out, say_text(say_arrival(hop)));
	else if (hop->refused)
		say(out, SAY_TRACE_REFUSED, FILLS({"from", hop->address}));
	else if (hop->heard && !hop->address)
		strbuf_add(out, say_text(SAY_TRACE_HOP_UNNAMED));
	else
		screen_add(out, hop->heard ? hop->address : say_text(SAY_TRACE_SILENT), CELL_COLUMNS);
}

static void say_walk(struct strbuf *out, const struct trace_answer *answer, enum trace_walk walk)
{
	static const enum say words[] = {[TRACE_WALK] = SAY_TRACE_TCP,
					 [TRACE_CONTROL] = SAY_TRACE_TCP,
					 [TRACE_UDP] = SAY_TRACE_UDP,
					 [TRACE_ECHO] = SAY_TRACE_ECHO};
	char port[NUMBER_BYTES];
	say(out, words[walk],
	    FILLS({"port", number_text(walk == TRACE_WALK ? answer->port : answer->control_port, port)}));
}

static int last_ttl(const struct trace_path *path)
{
	int last = 0;
	for (size_t w = 0; w < TRACE_WALKS; w++) {
		const struct walk_view *walk = &path->walks[w];
		if (walk->count && walk->hops[walk->count - 1].ttl > last)
			last = walk->hops[walk->count - 1].ttl;
	}
	return last;
}

static size_t walk_columns(const struct trace_answer *answer, const struct trace_path *path, enum trace_walk walk)
{
	struct strbuf cell;
	strbuf_init(&cell);
	say_walk(&cell, answer, walk);
	size_t widest = screen_width(cell.data);
	for (int ttl = 1; ttl <= last_ttl(path); ttl++) {
		strbuf_truncate(&cell, 0);
		say_cell(&cell, path, walk, ttl);
		if (screen_width(cell.data) > widest)
			widest = screen_width(cell.data);
	}
	strbuf_free(&cell);
	return widest + GAP_COLUMNS;
}

/* Blanks at the end of a line are left off. */
static void end_line(struct strbuf *out)
{
	while (out->length && out->data[out->length - 1] == ' ')
		strbuf_truncate(out, out->length - 1);
	strbuf_add_char(out, '\n');
}

static void add_cell(struct page *page, struct strbuf *cell, size_t columns)
{
	size_t width = screen_width(cell->data);
	strbuf_add(page->out, cell->data);
	screen_add_blanks(page->out, columns > width ? columns - width : 0);
	strbuf_truncate(cell, 0);
}

static void add_round_trip(struct strbuf *out, const struct trace_path *path, int ttl)
{
	const struct walk_hop *hop = walk_view_hop(&path->walks[TRACE_WALK], ttl);
	if (hop && hop->heard)
		strbuf_printf(out, "%.1f", (double)hop->seen->duration_us / 1000.0);
}

/** One line of the table: what stands for TTL first, or for all up to last. */
static void add_row(struct page *page, const struct trace_path *path, const size_t *columns, int first, int last)
{
	struct strbuf cell;
	char a[NUMBER_BYTES], b[NUMBER_BYTES];
	strbuf_init(&cell);
	if (first == last)
		strbuf_printf(&cell, "%3d", first);
	else
		say(&cell, SAY_TRACE_REST, FILLS({"first", number_text(first, a)}, {"last", number_text(last, b)}));
	add_cell(page, &cell, TTL_COLUMNS);
	for (enum trace_walk walk = 0; walk < TRACE_WALKS; walk++) {
		say_cell(&cell, path, walk, first);
		add_cell(page, &cell, columns[walk]);
		if (walk != TRACE_WALK)
			continue;
		add_round_trip(&cell, path, first);
		add_cell(page, &cell, MS_COLUMNS);
	}
	end_line(page->out);
	strbuf_free(&cell);
}

/** The last TTL from first on at which every walk met the same as there. */
static int last_alike(const struct trace_path *path, int first, int end)
{
	struct strbuf one, other;
	int last = first;
	bool alike = true;
	strbuf_init(&one);
	strbuf_init(&other);
	while (alike && last < end) {
		for (enum trace_walk walk = 0; alike && walk < TRACE_WALKS; walk++) {
			strbuf_truncate(&one, 0);
			strbuf_truncate(&other, 0);
			say_cell(&one, path, walk, first);
			say_cell(&other, path, walk, last + 1);
			alike = strcmp(one.data, other.data) == 0;
		}
		last += alike;
	}
	strbuf_free(&one);
	strbuf_free(&other);
	return last;
}

static void add_head_row(struct page *page, const struct trace_answer *answer, const size_t *columns)
{
	struct strbuf cell;
	strbuf_init(&cell);
	strbuf_add(&cell, say_text(SAY_TRACE_TTL));
	add_cell(page, &cell, TTL_COLUMNS);
	for (enum trace_walk walk = 0; walk < TRACE_WALKS; walk++) {
		say_walk(&cell, answer, walk);
		add_cell(page, &cell, columns[walk]);
		strbuf_add(&cell, walk == TRACE_WALK ? say_text(SAY_TRACE_MS) : "");
		add_cell(page, &cell, walk == TRACE_WALK ? MS_COLUMNS : 0);
	}
	end_line(page->out);
	strbuf_free(&cell);
}

static void add_table(struct page *page, const struct trace_answer *answer, const struct trace_path *path)
{
	size_t columns[TRACE_WALKS];
	int end = last_ttl(path);
	for (enum trace_walk walk = 0; walk < TRACE_WALKS; walk++)
		columns[walk] = walk_columns(answer, path, walk);
	add_head_row(page, answer, columns);
	for (int first = 1, last; first <= end; first = last + 1) {
		last = last_alike(path, first, end);
		add_row(page, path, columns, first, last);
	}
}

/* ------------------------------------------------------------------ sentences */

/** The SYNs that were in vain: what a firewall's log is searched for. */
struct lost {
	const struct tuple *tuple;
	int first_port, last_port;
	int64_t first_us, last_us;
};

static void take_lost(struct lost *lost, const struct observation *seen)
{
	const struct tuple *tuple = &seen->ttl.tuple;
	int64_t end_us = seen->start_us + seen->duration_us;
	if (!tuple->src || tuple->src_port == NOT_MEASURED)
		return;
	if (!lost->tuple || tuple->src_port < lost->first_port)
		lost->first_port = tuple->src_port;
	if (!lost->tuple || tuple->src_port > lost->last_port)
		lost->last_port = tuple->src_port;
	if (!lost->tuple || seen->start_us < lost->first_us)
		lost->first_us = seen->start_us;
	if (!lost->tuple || end_us > lost->last_us)
		lost->last_us = end_us;
	lost->tuple = tuple;
}

static struct lost find_lost(const struct trace_path *path)
{
	struct lost lost = {0};
	const struct walk_view *walk = &path->walks[TRACE_WALK];
	for (size_t i = 0; i < walk->count; i++)
		if (!walk->hops[i].seen->ttl.expired && walk->reached_by != WALK_REACHED_SYN_ACK)
			take_lost(&lost, walk->hops[i].seen);
	return lost;
}

static void add_what_to_look_for(struct page *page, const struct trace_path *path)
{
	struct lost lost = find_lost(path);
	char source[END_BYTES], ports[NUMBER_BYTES], destination[END_BYTES];
	struct strbuf from, until;
	if (!lost.tuple)
		return;
	strbuf_init(&from);
	strbuf_init(&until);
	say_time_of_day(&from, page->report, lost.first_us);
	say_time_of_day(&until, page->report, lost.last_us);
	host_port_format(lost.tuple->src, lost.first_port, source, sizeof(source));
	host_port_format(lost.tuple->dst, lost.tuple->dst_port, destination, sizeof(destination));
	if (lost.last_port != lost.first_port) {
		snprintf(ports, sizeof(ports), "-%d", lost.last_port);
		strncat(source, ports, sizeof(source) - strlen(source) - 1);
	}
	add_line(page, 0, SAY_TRACE_LOOK_FOR,
		 FILLS({"source", source}, {"destination", destination}, {"from", from.data}, {"until", until.data}));
	strbuf_free(&from);
	strbuf_free(&until);
}

/** Which other packets get further: it is the contrast that tells. */
static void add_contrast(struct page *page, const struct trace_answer *answer, const struct trace_path *path)
{
	char port[NUMBER_BYTES];
	struct strbuf names;
	strbuf_init(&names);
	for (enum trace_walk walk = TRACE_CONTROL; walk < TRACE_WALKS; walk++) {
		if (!path->walks[TRACE_WALK].count || !walk_view_passes(&path->walks[walk], &path->walks[TRACE_WALK]))
			continue;
		strbuf_add(&names, names.length ? ", " : "");
		say_walk(&names, answer, walk);
	}
	if (names.length)
		add_line(page, 0, SAY_TRACE_CONTROL_PASSES,
			 FILLS({"control", names.data}, {"port", number_text(answer->port, port)}));
	strbuf_free(&names);
}

static void add_not_tried(struct page *page, const struct trace_path *path)
{
	static const struct {
		enum trace_walk walk;
		enum say sentence;
	} rows[] = {{TRACE_UDP, SAY_TRACE_UDP_OFF}, {TRACE_ECHO, SAY_TRACE_CONTROL_ECHO_OFF}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum failure failure = path->walks[rows[i].walk].not_sent;
		if (failure != FAILURE_NONE)
			add_line(page, 0, rows[i].sentence, FILLS({"failure", say_text(say_failure(failure))}));
	}
}

static void add_head(struct page *page, const struct trace_answer *answer, const struct trace_path *path)
{
	const struct walk_view *walk = &path->walks[TRACE_WALK];
	const char *source = walk->count ? walk->hops[0].seen->ttl.tuple.src : NULL;
	char destination[END_BYTES], at[TIMESTAMP_TEXT_BYTES] = "";
	host_port_format(path->address, path->port, destination, sizeof(destination));
	if (timestamp_format(answer->started_at_ms, at)) {
		at[10] = ' ';
		at[strlen(at) - 1] = '\0'; /* Z */
	}
	add_line(page, 0, SAY_TRACE_HEAD,
		 FILLS({"host", answer->host}, {"destination", destination}, {"source", source}, {"at", at}));
}

static void add_path(struct page *page, const struct trace_answer *answer, const struct trace_path *path)
{
	char port[NUMBER_BYTES];
	add_head(page, answer, path);
	strbuf_add_char(page->out, '\n');
	if (last_ttl(path)) {
		add_table(page, answer, path);
		strbuf_add_char(page->out, '\n');
	}
	add_line(page, 0, SAY_TRACE_SENTENCE, FILLS({"port", number_text(answer->port, port)}, {"what", path->says}));
	add_contrast(page, answer, path);
	add_what_to_look_for(page, path);
	add_not_tried(page, path);
	strbuf_add_char(page->out, '\n');
}

void trace_answer_text(const struct trace_answer *answer, const struct report_style *style, struct strbuf *out)
{
	struct page page = {answer->report, style, out};
	for (size_t i = 0; i < answer->path_count; i++)
		add_path(&page, answer, &answer->paths[i]);
	if (answer->path_count)
		add_line(&page, 0, SAY_TRACE_PROVES, NULL);
	else
		add_line(&page, 0, SAY_TRACE_NO_ADDRESS,
			 FILLS({"host", answer->host}, {"failure", say_text(say_failure(answer->lookup_failure))}));
}
