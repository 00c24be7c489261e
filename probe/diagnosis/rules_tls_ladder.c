/* Table S, what becomes of a ClientHello: the contrasts of the TLS ladder say what on the way minds it. */

#include "probe/diagnosis/ladder_view.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/tls_tried.h"

/* ------------------------------------------------------------------ contrasts */

/* Smaller packets cure it: then it is no matter of names or of TLS (rules_packets.c). */
static bool is_matter_of_size(const struct view *view, const struct tried *tried)
{
	struct packet_limit limit;
	return packet_limit_inwards(view, tried, &limit);
}

/* It got there, as TCP tells, and the attempt's own never did: what keeps the answer back is another fault. */
static bool got_further(const struct ladder *ladder, const struct rung *rung)
{
	return rung->end == RUNG_SILENT && hello_arrived(rung->seen) && ladder->own.end == RUNG_SILENT &&
	       hello_was_lost(ladder->own.seen);
}

/* A hello that differs only in its name, and was answered, or at least arrived. */
static const struct rung *other_name_that_passed(const struct ladder *ladder)
{
	const struct rung *rungs[] = {&ladder->other_name, &ladder->no_sni};
	for (size_t i = 0; i < 4; i++) {
		const struct rung *rung = rungs[i % 2];
		if (i < 2 ? rung->end == RUNG_PASSED : got_further(ladder, rung))
			return rung;
	}
	return NULL;
}

static bool is_killed_by_name(const struct view *view, const struct tried *tried, const struct ladder *ladder)
{
	return other_name_that_passed(ladder) && ladder->again.end != RUNG_PASSED && !is_matter_of_size(view, tried);
}

/* No other target's name can be said in the hello: a filter that lets listed names through alone looks the same. */
static bool has_no_other_name(const struct view *view)
{
	for (size_t i = 0; i < view->report->target_count; i++)
		if (is_https(view->report->targets[i]) &&
		    !text_equal(view->report->targets[i]->host, view->target->host))
			return false;
	return true;
}

/* Hellos of no name and of another one, if there is any, end no better. */
static bool names_make_no_difference(const struct view *view, const struct ladder *ladder)
{
	bool other_fails = ladder->other_name.seen ? rung_failed(&ladder->other_name) : has_no_other_name(view);
	return rung_failed(&ladder->no_sni) && other_fails && ladder->again.end != RUNG_PASSED &&
	       !other_name_that_passed(ladder);
}

/* Not every system limits segments: then it was the usual hello once more. */
static bool is_what_it_says(const struct observation *one)
{
	return !text_equal(one->experiment, "tls_segments") || one->tls.segment_bytes != NOT_MEASURED;
}

/* Rungs that need not be climbed at each address: of another one of the same port that was examined in full. */
static bool failed_somewhere(const struct view *view, const struct tried *tried, const char *experiment)
{
	const struct observation_list *list = &view->report->observations;
	bool ipv6 = text_is_ipv6(tried->attempt->address), any = false;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op != OP_TLS_HANDSHAKE || !text_equal(one->experiment, experiment) || !is_what_it_says(one) ||
		    one->tls.tuple.dst_port != tried->attempt->port || text_is_ipv6(one->tls.tuple.dst) != ipv6)
			continue;
		if (one->failure != FAILURE_TIMEOUT || one->tls.progress != TLS_HELLO_SENT)
			return false;
		any = true;
	}
	return any;
}

/* Where the hello got there (or nobody knows whether it did) and no answer comes, it may be the answer that is too large: smaller packets must have
 * been tried. */
static bool may_be_size(const struct view *view, const struct tried *tried, const struct ladder *ladder)
{
	if (is_matter_of_size(view, tried))
		return true;
	return ladder->own.end == RUNG_SILENT && !hello_was_lost(ladder->own.seen) && !rung_failed(&ladder->segments) &&
	       !failed_somewhere(view, tried, "tls_segments");
}

static bool was_answered(const struct observation *handshake)
{
	return handshake->tls.progress >= TLS_SERVER_HELLO || handshake->tls.alert >= 0;
}

static bool nameless_failed_at(const struct observation_list *list, const struct tuple *there)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_TLS_HANDSHAKE && text_equal(one->experiment, "tls_no_sni") &&
		    text_equal(one->tls.tuple.dst, there->dst) && one->tls.tuple.dst_port == there->dst_port &&
		    !was_answered(one))
			return true;
	}
	return false;
}

/* A hello of one version alone is answered at an address where the usual one, and the one without a name, are not: it is not all of TLS. */
static bool version_passes_somewhere(const struct view *view, const struct tried *tried)
{
	const struct observation_list *list = &view->report->observations;
	bool ipv6 = text_is_ipv6(tried->attempt->address);
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		bool is_version = one->op == OP_TLS_HANDSHAKE &&
				  (text_equal(one->experiment, "tls_1_2") || text_equal(one->experiment, "tls_1_3"));
		if (is_version && one->tls.tuple.dst_port == tried->attempt->port &&
		    text_is_ipv6(one->tls.tuple.dst) == ipv6 && was_answered(one) &&
		    nameless_failed_at(list, &one->tls.tuple))
			return true;
	}
	return false;
}

/* Bytes that are no TLS fare better at the same port: answered where hellos die in silence, acknowledged where hellos are lost, left alone where
 * they are reset. */
static bool is_killed_as_tls(const struct view *view, const struct ladder *ladder)
{
	if (!names_make_no_difference(view, ladder))
		return false;
	if (ladder->junk.end == RUNG_PASSED)
		return true;
	if (ladder->own.end == RUNG_CLOSED)
		return ladder->junk.end == RUNG_SILENT && ladder->junk.seen->tcp.bytes_acked > 1;
	if (ladder->junk.end == RUNG_CLOSED)
		return true;
	return ladder->junk.end == RUNG_SILENT && ladder->junk.seen->tcp.bytes_acked > 1 &&
	       hello_was_lost(ladder->own.seen);
}

/* Is somebody there who acknowledges everything, whatever the port? */
static bool accepts_impossible_port(const struct view *view, const struct tried *tried)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_TCP_CONNECT && text_equal(one->experiment, "impossible_port") &&
		    text_equal(one->tcp.tuple.dst, tried->attempt->address) && one->failure == FAILURE_NONE)
			return true;
	}
	return false;
}

/* The far end takes everything, and says nothing to anything. */
static bool is_mute(const struct view *view, const struct tried *tried, const struct ladder *ladder)
{
	static const char *const shapes[] = {"tls_segments", "tls_1_2", "tls_1_3"};
	if (ladder->own.end != RUNG_SILENT || !hello_arrived(ladder->own.seen) ||
	    !names_make_no_difference(view, ladder) || ladder->junk.end != RUNG_SILENT ||
	    ladder->junk.seen->tcp.bytes_acked <= 1 || ladder->large.end == RUNG_PASSED ||
	    is_matter_of_size(view, tried) || accepts_impossible_port(view, tried))
		return false;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (!failed_somewhere(view, tried, shapes[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ saying it */

static void show(const struct view *view, struct verdict *out, const struct rung *rung)
{
	if (rung)
		verdict_add_evidence(view, out, rung->seen);
}

/* Where hellos to that address end, and whether who resets them is the far end. */
static void add_place(const struct view *view, const struct tried *tried, struct verdict *out)
{
	const struct observation *forged = ladder_forged_reset(view, tried);
	if (!hello_is_silent(view, tried) || !hello_arrived(tls_handshake_of(tried)))
		ladder_place(view, tried, out); /* one that was acknowledged did not end on its way */
	if (!forged)
		return;
	verdict_add_evidence(view, out, forged);
	verdict_add_also(view, out, "the reset's TTL is not the far end's: a device on the way made it");
	if (out->confidence < 0.95)
		out->confidence = 0.95;
}

/* The first attempt that ended so and whose ladder says it. */
static const struct tried *first_that(const struct view *view, tried_is is, struct ladder *ladder,
				      bool (*says)(const struct view *view, const struct tried *tried,
						   const struct ladder *ladder))
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!is(view, tried) || tls_with_proxy_broke(tried))
			continue;
		ladder_make(view, tried, ladder);
		if (says(view, tried, ladder))
			return tried;
	}
	return NULL;
}

/* Whoever acknowledged the hello says nothing to it: a device that speaks for the far end, or swallows its answers; or the far end itself, which
 * is slow for this name. */
static bool taken_in_silence(const struct view *view, const struct ladder *ladder)
{
	return !view->proxied && ladder->own.end == RUNG_SILENT && hello_arrived(ladder->own.seen);
}

static bool by_name(const struct view *view, struct verdict *out, const char *cause, tried_is is)
{
	struct ladder ladder;
	const struct tried *tried = first_that(view, is, &ladder, is_killed_by_name);
	if (!tried || !verdict_if_any(view, out, cause, rung_failed(&ladder.again) ? 0.9 : 0.85, is))
		return false;
	if (taken_in_silence(view, &ladder))
		out->confidence = 0.7;
	show(view, out, other_name_that_passed(&ladder));
	add_place(view, tried, out);
	return true;
}

bool rule_tls_sni_reset(const struct view *view, struct verdict *out)
{
	return by_name(view, out, "tls_sni_reset", hello_is_closed);
}

bool rule_tls_sni_dropped(const struct view *view, struct verdict *out)
{
	return by_name(view, out, "tls_sni_dropped", hello_is_silent);
}

static bool is_silent_or_closed(const struct view *view, const struct tried *tried)
{
	return hello_is_silent(view, tried) || hello_is_closed(view, tried);
}

static bool is_any_hello_killed(const struct view *view, const struct tried *tried, const struct ladder *ladder)
{
	return !view->proxied && is_killed_as_tls(view, ladder) && !may_be_size(view, tried, ladder) &&
	       !version_passes_somewhere(view, tried);
}

/** Every hello dies, whatever its name, and bytes that are no TLS do not. */
bool rule_tls_any_hello_killed(const struct view *view, struct verdict *out)
{
	struct ladder ladder;
	const struct tried *tried = first_that(view, is_silent_or_closed, &ladder, is_any_hello_killed);
	double confidence = has_no_other_name(view) ? 0.6 : 0.8;
	if (!tried || !verdict_if_any(view, out, "tls_any_hello_killed", confidence, is_silent_or_closed))
		return false;
	show(view, out, &ladder.other_name);
	show(view, out, &ladder.no_sni);
	show(view, out, &ladder.junk);
	add_place(view, tried, out);
	return true;
}

/** It takes whatever is sent, and says nothing: name, size, segments and version make no difference. Whether it is the service's own machine is for
 *  laws.c to weigh. */
bool rule_tls_timeout_after_hello(const struct view *view, struct verdict *out)
{
	struct ladder ladder;
	if (!first_that(view, hello_is_silent, &ladder, is_mute) ||
	    !verdict_if_any(view, out, "tls_timeout_after_hello", 0.75, hello_is_silent))
		return false;
	show(view, out, &ladder.other_name);
	show(view, out, &ladder.segments);
	show(view, out, &ladder.junk);
	return true;
}

/* ------------------------------------------------------------------ size of the hello */

/* Does a hello of several packets die where the usual one is answered, and is it not the packets' size? */
static bool is_large_killed(const struct view *view, const struct tried *tried, const struct ladder *ladder)
{
	struct packet_limit limit;
	if (view->proxied || ladder->again.end != RUNG_PASSED ||
	    !rung_failed(&ladder->large)) /* beside it, not before */
		return false;
	packet_limit_find(&view->report->observations, tried->attempt->address, tried->attempt->port, true, &limit);
	if (limit.through)
		return false;
	return ladder->large.end == RUNG_CLOSED || hello_arrived(ladder->large.seen) || limit.lost;
}

static bool is_any(const struct view *view, const struct tried *tried)
{
	(void)view;
	return tried->judged && !tried->cut;
}

/** The usual hello passes today; one with a post-quantum share, which systems will send soon, does not. */
bool remark_tls_large_hello_killed(const struct view *view, struct verdict *out)
{
	struct ladder ladder;
	const struct tried *tried = first_that(view, is_any, &ladder, is_large_killed);
	if (!tried)
		return false;
	verdict_set(view, out, "tls_large_hello_killed", rung_failed(&ladder.segments) ? 0.85 : 0.75);
	show(view, out, &ladder.large);
	show(view, out, &ladder.own);
	return true;
}

/* ------------------------------------------------------------------ without enough contrast */

/** It began, and nothing more came: cut without a word, or its larger segments are lost. */
bool rule_tls_stalled_mid_handshake(const struct view *view, struct verdict *out)
{
	struct packet_limit limit;
	if (!tls_if_any(view, out, "tls_cut_mid_handshake", 0.45, handshake_is_stalled))
		return false;
	for (size_t i = 0; !view->proxied && i < view->tried_count; i++) {
		packet_limit_find(&view->report->observations, view->tried[i].attempt->address,
				  view->tried[i].attempt->port, false, &limit);
		if (limit.lost && !limit.through) {
			out->confidence = 0.6; /* no smaller ones come, either */
			verdict_add_evidence(view, out, limit.lost);
			return true;
		}
	}
	verdict_add_not_run(view, out, "smaller segments");
	return true;
}

static bool was_made(const struct view *view, const struct tried *tried, const char *experiment)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct tuple *tuple = observation_tuple(list->items[i]);
		if (text_equal(list->items[i]->experiment, experiment) && tuple &&
		    text_equal(tuple->dst, tried->attempt->address) && tuple->dst_port == tried->attempt->port)
			return true;
	}
	return false;
}

static bool sizes_were_tried(const struct view *view, const struct tried *tried)
{
	struct packet_limit limit;
	packet_limit_find(&view->report->observations, tried->attempt->address, tried->attempt->port, false, &limit);
	return limit.through || limit.lost;
}

/* What the ladder shows although it does not say who: what passes, and what was not tried. */
static void add_contrasts(const struct view *view, struct verdict *out, tried_is is, bool silent)
{
	struct ladder ladder = {0};
	const struct tried *tried = NULL;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *one = &view->tried[i];
		if (!is(view, one) || (tried && ladder.other_name.seen))
			continue;
		tried = one;
		ladder_make(view, tried, &ladder);
	}
	if (!tried)
		return;
	if (!ladder.other_name.seen)
		verdict_add_not_run(view, out, "another SNI on the same address");
	if (silent && !ladder.segments.seen && !sizes_were_tried(view, tried))
		verdict_add_not_run(view, out, "smaller segments");
	if (silent && !was_made(view, tried, "walk_hello"))
		verdict_add_not_run(view, out, "path walk by TTL for the hello");
	if (!silent && !was_made(view, tried, "reset_ttl") && !ladder_read_ttls(view, tried))
		verdict_add_not_run(view, out, "TTL of the reset against the SYN-ACK's");
	if (ladder.again.end == RUNG_PASSED)
		verdict_add_also(view, out, "the same hello passed a moment later: the fault comes and goes");
	if (ladder.only_1_2.end == RUNG_PASSED)
		verdict_add_also(view, out, "a hello of TLS 1.2 alone is answered");
	if (ladder.segments.end == RUNG_PASSED)
		verdict_add_also(view, out, "a hello in two segments is answered: a device reads the first one only");
	show(view, out, &ladder.other_name);
	add_place(view, tried, out);
}

bool rule_tls_hello_reset_unlocated(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "tls_hello_reset_unlocated", 0.5, hello_is_closed))
		return false;
	add_contrasts(view, out, hello_is_closed, false);
	return true;
}

bool rule_tls_hello_silent_unlocated(const struct view *view, struct verdict *out)
{
	if (!verdict_if_any(view, out, "tls_hello_silent_unlocated", 0.5, hello_is_silent))
		return false;
	add_contrasts(view, out, hello_is_silent, true);
	return true;
}
