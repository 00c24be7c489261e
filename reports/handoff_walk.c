/* The way hop by hop, and what fits through it. */

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/walk_view.h"
#include "reports/handoff_parts.h"
#include "reports/markdown.h"

enum { HEADERS4_BYTES = 40, HEADERS6_BYTES = 60 };

static const char *const walk_names[] = {"walk",      "walk_hello", "walk_control", "walk_udp",
					 "walk_echo", "walk_flow",  "walk_confirm"};
enum { WALKS = sizeof(walk_names) / sizeof(walk_names[0]) };

/* The walks to one address, those that were made, side by side. */
struct walks {
	const char *address;
	struct walk_view views[WALKS];
	const char *titles[WALKS];
	size_t count;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_there(const struct finding *finding, const char *address)
{
	for (size_t i = 0; address && i < finding->flow_count; i++)
		if (same_text(finding->flows[i].tuple.dst, address))
			return true;
	return false;
}

static bool walks_make(struct sheet *sheet, const struct finding *finding, struct walks *walks)
{
	const struct observation_list *list = &sheet->report->observations;
	for (size_t i = 0; !walks->address && i < list->count; i++)
		if (list->items[i]->op == OP_TTL_PROBE && is_there(finding, list->items[i]->ttl.tuple.dst))
			walks->address = list->items[i]->ttl.tuple.dst;
	for (size_t i = 0; walks->address && i < WALKS; i++) {
		struct walk_view *view = &walks->views[walks->count];
		if (!walk_view_make(sheet->report, walks->address, NOT_MEASURED, walk_names[i], NULL, view) ||
		    !view->count)
			continue;
		const struct ttl_probe *first = &view->hops[0].seen->ttl;
		const char *proto = first->tuple.proto ? first->tuple.proto : "?";
		walks->titles[walks->count++] =
			same_text(first->sent, "syn")
				? arena_printf(sheet->arena, "%s %d", proto, first->tuple.dst_port)
			: same_text(first->sent, proto)
				? proto
				: arena_printf(sheet->arena, "%s %s", proto, first->sent ? first->sent : "?");
	}
	return walks->count > 0;
}

/* Where a walk is over: at the far end, or where somebody refused; else one hop of the silence behind the last that was heard. */
static int end_of(const struct walk_view *view)
{
	int last = 0;
	if (view->reached_ttl != NOT_MEASURED)
		return view->reached_ttl;
	if (view->refused_by)
		return view->refused_by->ttl;
	for (size_t i = 0; i < view->count; i++)
		if (view->hops[i].heard && view->hops[i].ttl > last)
			last = view->hops[i].ttl;
	return last + 1;
}

static bool is_over(const struct walk_view *view, int ttl)
{
	bool ended = view->reached_ttl != NOT_MEASURED || view->refused_by;
	return ended && ttl > end_of(view);
}

static void heard(struct sheet *sheet, const struct walk_hop *hop)
{
	const struct observation *seen = hop->seen;
	if (hop->refused)
		sheet_say(sheet, SAY_HANDOFF_WALK_REFUSED,
			  FILLS({"from", hop->address}, {"type", sheet_number(sheet, seen->ttl.icmp.type)},
				{"code", sheet_number(sheet, seen->ttl.icmp.code)}));
	else if (hop->reached)
		sheet_say(sheet, SAY_HANDOFF_WALK_REACHED, FILLS({"answer", seen->ttl.tcp ? seen->ttl.tcp : "ICMP"}));
	else if (hop->address)
		md_add_code(sheet->out, hop->address);
	else
		strbuf_add(sheet->out, say_text(SAY_HANDOFF_WALK_EXPIRED));
	if (seen->duration_us >= 0)
		strbuf_printf(sheet->out, ", %lld.%lld ms", (long long)(seen->duration_us / 1000),
			      (long long)(seen->duration_us / 100 % 10));
}

static void cell(struct sheet *sheet, const struct walk_view *view, int ttl)
{
	const struct walk_hop *hop = walk_view_hop(view, ttl);
	strbuf_add_char(sheet->out, ' ');
	if (!hop || is_over(view, ttl))
		strbuf_add_char(sheet->out, '-');
	else if (hop->heard || hop->reached || hop->refused)
		heard(sheet, hop);
	else
		strbuf_add(sheet->out, say_text(SAY_HANDOFF_WALK_SILENT));
	strbuf_add(sheet->out, " |");
}

static void table(struct sheet *sheet, const struct walks *walks)
{
	sheet_paragraph(sheet, SAY_HANDOFF_WALK, FILLS({"destination", walks->address}));
	strbuf_printf(sheet->out, "\n| %s |", say_text(SAY_HANDOFF_WALK_HOP));
	for (size_t i = 0; i < walks->count; i++)
		sheet_cell(sheet, walks->titles[i]);
	strbuf_add(sheet->out, "\n|---|");
	for (size_t i = 0; i < walks->count; i++)
		strbuf_add(sheet->out, "---|");
	strbuf_add_char(sheet->out, '\n');
	int last = 0;
	for (size_t i = 0; i < walks->count; i++)
		last = end_of(&walks->views[i]) > last ? end_of(&walks->views[i]) : last;
	for (int ttl = 1; ttl <= last && ttl <= WALK_HOPS_MAX; ttl++) {
		strbuf_printf(sheet->out, "| %d |", ttl);
		for (size_t i = 0; i < walks->count; i++)
			cell(sheet, &walks->views[i], ttl);
		strbuf_add_char(sheet->out, '\n');
	}
}

/* ------------------------------------------------------------------ what fits */

static int headers_bytes(const char *address)
{
	return address && strchr(address, ':') ? HEADERS6_BYTES : HEADERS4_BYTES;
}

static void mtu(struct sheet *sheet, const struct icmp_error *icmp)
{
	if (!icmp->from || icmp->mtu <= HEADERS6_BYTES)
		return;
	sheet_paragraph(sheet, SAY_HANDOFF_MTU,
			FILLS({"from", icmp->from}, {"mtu", sheet_number(sheet, icmp->mtu)},
			      {"mss", sheet_number(sheet, icmp->mtu - headers_bytes(icmp->from))}));
}

/* The largest segment that got through and the smallest that did not, as the experiment found them. */
static void segments(struct sheet *sheet, const struct finding *finding)
{
	int passes = NOT_MEASURED, fails = NOT_MEASURED;
	const char *address = NULL;
	for (size_t i = 0; i < sheet->report->observations.count; i++) {
		const struct observation *one = sheet->report->observations.items[i];
		if (one->op != OP_TLS_HANDSHAKE || !same_text(one->experiment, "segment_size") ||
		    one->tls.segment_bytes <= 0 || !is_there(finding, one->tls.tuple.dst) ||
		    (address && !same_text(address, one->tls.tuple.dst)))
			continue;
		address = one->tls.tuple.dst;
		if (one->failure == FAILURE_NONE && one->tls.segment_bytes > passes)
			passes = one->tls.segment_bytes;
		if (one->failure == FAILURE_TIMEOUT && (fails == NOT_MEASURED || one->tls.segment_bytes < fails))
			fails = one->tls.segment_bytes;
	}
	if (passes == NOT_MEASURED)
		return;
	sheet_paragraph(sheet, fails == NOT_MEASURED ? SAY_HANDOFF_SEGMENTS_PASS : SAY_HANDOFF_SEGMENTS,
			FILLS({"passes", sheet_number(sheet, passes)}, {"fails", sheet_number(sheet, fails)},
			      {"mtu", sheet_number(sheet, passes + headers_bytes(address))}));
}

void handoff_walk(struct sheet *sheet, const struct finding *finding)
{
	struct walks *walks = arena_alloc(sheet->arena, sizeof(*walks));
	if (walks_make(sheet, finding, walks))
		table(sheet, walks);
	segments(sheet, finding);
	for (size_t i = 0; i < finding->evidence.count; i++)
		if (finding->evidence.items[i]->op == OP_TCP_CONNECT)
			mtu(sheet, &finding->evidence.items[i]->tcp.icmp);
}
