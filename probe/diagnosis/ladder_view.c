#include "probe/diagnosis/ladder_view.h"

#include <strings.h>

#include "probe/core/walk_view.h"
#include "probe/diagnosis/tls_tried.h"

enum { FIN_BYTES = 1 }; /* tcp_connect.bytes_received may count the peer's end */

static bool is_closed(enum failure failure)
{
	return failure == FAILURE_CONNECTION_RESET || failure == FAILURE_EOF;
}

/* ------------------------------------------------------------------ how a hello ended */

bool hello_arrived(const struct observation *handshake)
{
	const struct tls_handshake *tls = &handshake->tls;
	if (tls->progress >= TLS_SERVER_HELLO)
		return true;
	return tls->bytes_acked > (tls->hello_bytes == NOT_MEASURED ? 1 : tls->hello_bytes);
}

bool hello_was_lost(const struct observation *handshake)
{
	return handshake->tls.bytes_acked != NOT_MEASURED && !hello_arrived(handshake);
}

/* The far end began to answer. Behind a proxy the socket's bytes do not tell: the reply to CONNECT is among them. */
static bool has_begun(const struct view *view, const struct tried *tried)
{
	const struct tls_handshake *tls = &tls_handshake_of(tried)->tls;
	return tls->progress >= TLS_SERVER_HELLO || (!view->proxied && tls->bytes_received > 0);
}

bool hello_is_closed(const struct view *view, const struct tried *tried)
{
	(void)view;
	return tls_broke(tried) && is_closed(tls_handshake_of(tried)->failure) &&
	       tls_handshake_of(tried)->tls.progress == TLS_HELLO_SENT;
}

static bool ended_in_silence(const struct tried *tried)
{
	return tls_broke(tried) && tls_handshake_of(tried)->failure == FAILURE_TIMEOUT &&
	       !tls_handshake_of(tried)->tls.plain_reply;
}

bool hello_is_silent(const struct view *view, const struct tried *tried)
{
	return ended_in_silence(tried) && !has_begun(view, tried);
}

bool handshake_is_stalled(const struct view *view, const struct tried *tried)
{
	return ended_in_silence(tried) && has_begun(view, tried);
}

static enum rung_end end_of(const struct observation *one)
{
	const struct tls_handshake *tls = &one->tls;
	if (one->failure == FAILURE_DEADLINE || one->failure == FAILURE_INTERRUPTED)
		return RUNG_MISSING;
	if (tls->progress >= TLS_SERVER_HELLO || tls->alert >= 0)
		return RUNG_PASSED;
	if (tls->plain_reply)
		return RUNG_OTHER;
	if (one->failure == FAILURE_TIMEOUT)
		return RUNG_SILENT;
	return is_closed(one->failure) ? RUNG_CLOSED : RUNG_OTHER;
}

bool rung_failed(const struct rung *rung)
{
	return rung->end == RUNG_SILENT || rung->end == RUNG_CLOSED;
}

/* ------------------------------------------------------------------ finding rungs */

static bool same_connection(const struct tuple *a, const struct tuple *b)
{
	return a->src_port != NOT_MEASURED && a->src_port == b->src_port && a->dst_port == b->dst_port &&
	       text_equal(a->dst, b->dst) && text_equal(a->src, b->src);
}

/* Through a proxy: was the tunnel of this handshake asked for to the target of the view? */
static bool leads_to_target(const struct view *view, const struct observation *tls)
{
	const struct observation_list *list = &view->report->observations;
	const char *wanted = host_port_text(view->report->arena, view->target->host, view->target->port);
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_PROXY_EXCHANGE && text_equal(one->experiment, tls->experiment) &&
		    same_connection(&one->proxy.tuple, &tls->tls.tuple))
			return text_equal(one->proxy.request, wanted);
	}
	return false;
}

static bool is_at(const struct tuple *tuple, const struct tried *tried)
{
	return tuple->dst && tuple->dst_port == tried->attempt->port && text_equal(tuple->dst, tried->attempt->address);
}

static bool is_own_name(const struct view *view, const struct observation *one)
{
	return one->tls.sni && strcasecmp(one->tls.sni, view->target->host) == 0;
}

/* A handshake with the target at the address of the attempt, by the same way. */
static bool is_rung(const struct view *view, const struct tried *tried, const struct observation *one)
{
	if (one->op != OP_TLS_HANDSHAKE || text_equal(one->tls.peer, "proxy") || !is_at(&one->tls.tuple, tried))
		return false;
	return !view->proxied || (one->experiment && leads_to_target(view, one));
}

static void take(struct rung *rung, const struct observation *one)
{
	enum rung_end end = end_of(one);
	if (end == RUNG_MISSING || (rung->end == RUNG_PASSED && end != RUNG_PASSED))
		return;
	*rung = (struct rung){one, end};
}

/* Experiments with the target's own name, by id. */
static struct rung *rung_of(struct ladder *ladder, const char *experiment)
{
	const struct {
		const char *id;
		struct rung *rung;
	} rungs[] = {{"tls_required_name", &ladder->again},
		     {"tls_large_hello", &ladder->large},
		     {"tls_segments", &ladder->segments},
		     {"tls_1_2", &ladder->only_1_2},
		     {"tls_1_3", &ladder->only_1_3}};
	for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]); i++)
		if (text_equal(rungs[i].id, experiment))
			return rungs[i].rung;
	return NULL;
}

static void sort_in(const struct view *view, const struct tried *tried, const struct observation *one,
		    struct ladder *ladder)
{
	bool another = one->tls.sni && !is_own_name(view, one);
	struct rung *rung = rung_of(ladder, one->experiment);
	if (!is_rung(view, tried, one))
		return;
	if (text_equal(one->experiment, "tls_no_sni") && !one->tls.sni)
		take(&ladder->no_sni, one);
	else if (another && (!one->experiment || text_equal(one->experiment, "tls_other_name")))
		take(&ladder->other_name, one);
	else if (rung && !another && (rung != &ladder->segments || one->tls.segment_bytes != NOT_MEASURED))
		take(rung, one); /* where the system does not limit segments, it was the usual hello */
}

static enum rung_end end_of_junk(const struct observation *one)
{
	const struct tcp_connect *tcp = &one->tcp;
	if (tcp->first_bytes || tcp->bytes_received > FIN_BYTES)
		return RUNG_PASSED;
	if (one->failure == FAILURE_NONE)
		return RUNG_SILENT;
	return is_closed(one->failure) ? RUNG_CLOSED : RUNG_MISSING;
}

void ladder_make(const struct view *view, const struct tried *tried, struct ladder *out)
{
	const struct observation_list *list = &view->report->observations;
	*out = (struct ladder){0};
	if (tried->tls)
		take(&out->own, tried->tls);
	for (size_t i = 0; view->target->host && i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_TLS_HANDSHAKE)
			sort_in(view, tried, one, out);
		else if (one->op == OP_TCP_CONNECT && text_equal(one->experiment, "junk_byte") && !view->proxied &&
			 is_at(&one->tcp.tuple, tried) && end_of_junk(one) != RUNG_MISSING)
			out->junk = (struct rung){one, end_of_junk(one)};
	}
}

/* ------------------------------------------------------------------ the size of packets */

/* A hello larger than any segment is about the way out; a small one, that went out whole, about the way back. */
static bool is_of_size(const struct observation *one, bool outwards)
{
	enum { OPTIONS_BYTES = 20 };
	if (one->op != OP_TLS_HANDSHAKE || !text_equal(one->experiment, "segment_size") ||
	    one->tls.segment_bytes == NOT_MEASURED || one->tls.hello_bytes == NOT_MEASURED)
		return false;
	bool split = one->tls.hello_bytes + OPTIONS_BYTES > one->tls.segment_bytes;
	return split == outwards;
}

static bool got_through(const struct observation *one, bool outwards)
{
	return outwards ? hello_arrived(one) : one->tls.progress >= TLS_CERTIFICATE;
}

static bool is_row(const struct observation *one, const char *address, int port, bool outwards)
{
	return is_of_size(one, outwards) && one->tls.tuple.dst_port == port && text_equal(one->tls.tuple.dst, address);
}

static void find_through(const struct observation_list *list, const char *address, int port, bool outwards,
			 struct packet_limit *out)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (is_row(one, address, port, outwards) && got_through(one, outwards) &&
		    one->tls.segment_bytes > out->through_bytes) {
			out->through_bytes = one->tls.segment_bytes;
			out->through = one;
		}
	}
}

/* What is lost below a size that got through was lost by chance. */
static void find_lost(const struct observation_list *list, const char *address, int port, bool outwards,
		      struct packet_limit *out)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (is_row(one, address, port, outwards) && !got_through(one, outwards) &&
		    one->failure == FAILURE_TIMEOUT && one->tls.segment_bytes > out->through_bytes &&
		    (!out->lost || one->tls.segment_bytes < out->lost_bytes)) {
			out->lost_bytes = one->tls.segment_bytes;
			out->lost = one;
		}
	}
}

bool packet_limit_find(const struct observation_list *list, const char *address, int port, bool outwards,
		       struct packet_limit *out)
{
	*out = (struct packet_limit){0};
	find_through(list, address, port, outwards, out);
	find_lost(list, address, port, outwards, out);
	return out->through != NULL;
}

bool packet_limit_is_exact(const struct packet_limit *limit)
{
	return limit->lost && limit->lost_bytes == limit->through_bytes + 1;
}

/* To the byte before roughly, then the smaller one. */
static bool is_better(const struct packet_limit *limit, const struct packet_limit *than)
{
	bool exact = packet_limit_is_exact(limit), than_exact = packet_limit_is_exact(than);
	int bytes = packet_limit_bytes(limit), than_bytes = packet_limit_bytes(than);
	if (exact != than_exact)
		return exact;
	return exact ? bytes < than_bytes : bytes > than_bytes;
}

bool packet_limit_any(const struct observation_list *list, bool outwards, struct packet_limit *out)
{
	bool found = false;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		struct packet_limit limit;
		if (!is_of_size(one, outwards) ||
		    !packet_limit_find(list, one->tls.tuple.dst, one->tls.tuple.dst_port, outwards, &limit))
			continue;
		if (!found || is_better(&limit, out))
			*out = limit;
		found = true;
	}
	return found;
}

bool packet_limit_inwards(const struct view *view, const struct tried *tried, struct packet_limit *out)
{
	const struct observation_list *list = &view->report->observations;
	if (view->proxied || !tried->tls || !hello_arrived(tried->tls))
		return false;
	if (packet_limit_find(list, tried->attempt->address, tried->attempt->port, false, out))
		return true;
	bool was_asked = out->lost || out->through;
	return !was_asked && packet_limit_any(list, false, out) && out->lost;
}

bool packet_limit_shown(const struct observation_list *evidence, struct packet_limit *out)
{
	struct packet_limit in;
	bool found = packet_limit_any(evidence, true, out);
	if (!packet_limit_any(evidence, false, &in))
		return found;
	if (!found || is_better(&in, out))
		*out = in;
	return true;
}

int packet_limit_bytes(const struct packet_limit *limit)
{
	bool ipv6 = text_is_ipv6(limit->through->tls.tuple.dst);
	return limit->through_bytes + (ipv6 ? PACKET_HEADERS_V6 : PACKET_HEADERS_V4);
}

/* ------------------------------------------------------------------ where it ends, and who resets */

/* Who stands at that TTL or is the next known one behind it, by the walk of SYNs; the far end stands behind all. */
static const char *next_known(const struct walk_view *syn, int ttl, const char *far_end)
{
	for (; ttl < WALK_HOPS_MAX; ttl++) {
		const struct walk_hop *hop = walk_view_hop(syn, ttl);
		if (hop && hop->address)
			return hop->address;
	}
	return far_end;
}

void ladder_place(const struct view *view, const struct tried *tried, struct verdict *out)
{
	struct walk_view hello, syn;
	const char *address = tried->attempt->address;
	int port = tried->attempt->port;
	if (view->proxied || !walk_view_make(view->report, address, port, "walk_hello", "hello", &hello) ||
	    hello.last_heard_ttl == NOT_MEASURED || hello.reached_by == WALK_REACHED_DATA)
		return;
	walk_view_make(view->report, address, port, "walk", "syn", &syn);
	const struct walk_hop *last = walk_view_hop(&syn, hello.last_heard_ttl);
	const char *last_heard = hello.last_heard ? hello.last_heard : last ? last->address : NULL;
	if (!last_heard)
		return;
	out->has_place = true;
	out->at = (struct place){.hop = hello.last_heard_ttl,
				 .last_heard = last_heard,
				 .first_silent = next_known(&syn, hello.last_heard_ttl + 1, address)};
}

static bool is_ttl_row(const struct observation *one, const struct tried *tried, bool says_hello)
{
	return one->op == OP_TCP_CONNECT && text_equal(one->experiment, "reset_ttl") &&
	       one->tcp.min_ttl != NOT_MEASURED && is_at(&one->tcp.tuple, tried) &&
	       (one->tcp.sent_bytes != NOT_MEASURED) == says_hello;
}

/* The TTL of the SYN-ACK, to the number; NOT_MEASURED where the rows leave it open. */
static int ttl_of_far_end(const struct view *view, const struct tried *tried)
{
	const struct observation_list *list = &view->report->observations;
	int let_in = 0, kept_out = 256;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (!is_ttl_row(one, tried, false))
			continue;
		if (one->failure == FAILURE_NONE && one->tcp.min_ttl > let_in)
			let_in = one->tcp.min_ttl;
		if (one->failure == FAILURE_TIMEOUT && one->tcp.min_ttl < kept_out)
			kept_out = one->tcp.min_ttl;
	}
	return kept_out == let_in + 1 ? let_in : NOT_MEASURED;
}

bool ladder_read_ttls(const struct view *view, const struct tried *tried)
{
	return !view->proxied && tried->tls && tried->tls->failure == FAILURE_CONNECTION_RESET && tried->tcp &&
	       tried->tcp->tcp.syn_ack_ttl != NOT_MEASURED && tried->tcp->tcp.reset_ttl != NOT_MEASURED;
}

const struct observation *ladder_forged_reset(const struct view *view, const struct tried *tried)
{
	if (ladder_read_ttls(view, tried))
		return tried->tcp->tcp.syn_ack_ttl != tried->tcp->tcp.reset_ttl ? tried->tcp : NULL;
	const struct observation_list *list = &view->report->observations;
	int ttl = view->proxied ? NOT_MEASURED : ttl_of_far_end(view, tried);
	for (size_t i = 0; ttl != NOT_MEASURED && i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (!is_ttl_row(one, tried, true))
			continue;
		bool too_near = one->failure == FAILURE_CONNECTION_RESET && one->tcp.min_ttl > ttl;
		bool too_far = one->failure == FAILURE_NONE && one->tcp.min_ttl <= ttl && !one->tcp.first_bytes;
		if (too_near || too_far)
			return one;
	}
	return NULL;
}
