/* A reset, or a connection that somebody accepts: from how far does it come? */

#include "probe/diagnosis/view.h"
#include "probe/diagnosis/ways.h"

static const double NEAR_BY_TTL = 0.9, NEAR_BY_SIGNS = 0.75, NEAR_OR_HERE = 0.65, FAR_BY_TTL = 0.85, FAR_BY_SIGNS = 0.7,
		    FAR_BY_WALK = 0.6;
static const double ANSWERED_ON_IMPOSSIBLE_PORT = 0.9, ANSWERED_BY_TTL = 0.85;

enum { TTL_MAX = 255, HOPS_APART = 2, RTT_APART_US = 10000 };

/* ------------------------------------------------------------------ times and TTLs of answers */

/* Answers of one kind. */
struct answer {
	int64_t rtt_us; /* the shortest round trip, of the experiments alone: these were made at the same time; NOT_MEASURED */
	int ttl_least,
		ttl_most; /* of the packet: it was let in where that much was asked for, and was not beyond the other */
	const struct observation *let_in, *kept_out;
	bool is_read; /* the TTLs come from the packets themselves: the least and the most of them */
};

static const struct answer no_answer = {.rtt_us = NOT_MEASURED, .ttl_least = NOT_MEASURED, .ttl_most = TTL_MAX};

static void take_rtt(struct answer *answer, int64_t rtt_us)
{
	if (rtt_us > 0 && (answer->rtt_us == NOT_MEASURED || rtt_us < answer->rtt_us))
		answer->rtt_us = rtt_us;
}

static void take_read_ttl(struct answer *answer, const struct observation *one)
{
	int ttl = tcp_answer_ttl(&one->tcp);
	if (ttl == NOT_MEASURED)
		return;
	if (!answer->is_read || ttl < answer->ttl_least)
		answer->ttl_least = ttl;
	if (!answer->is_read || ttl > answer->ttl_most)
		answer->ttl_most = ttl;
	if (!answer->is_read)
		answer->let_in = one;
	answer->kept_out = NULL;
	answer->is_read = true;
}

/* With a least TTL: an answer has it, silence means that the answer has less. */
static void take_ttl(struct answer *answer, const struct observation *one, bool answered)
{
	if (answer->is_read)
		return;
	if (answered && one->tcp.min_ttl > answer->ttl_least) {
		answer->ttl_least = one->tcp.min_ttl;
		answer->let_in = one;
	} else if (!answered && one->failure == FAILURE_TIMEOUT && one->tcp.min_ttl - 1 < answer->ttl_most) {
		answer->ttl_most = one->tcp.min_ttl - 1;
		answer->kept_out = one;
	}
}

static bool is_refused(const struct observation *one)
{
	return (one->failure == FAILURE_CONNECTION_REFUSED || one->failure == FAILURE_CONNECTION_RESET) &&
	       !one->tcp.icmp.from;
}

static void take(struct answer *answer, const struct observation *one, bool answered)
{
	if (one->tcp.min_ttl != NOT_MEASURED) {
		take_ttl(answer, one, answered);
		return;
	}
	if (answered)
		take_read_ttl(answer, one);
	if (answered && one->experiment)
		take_rtt(answer, one->duration_us);
}

/* Resets of the failing port, and connections that stand on another port of the same address. */
static void read_answers(const struct report *report, const struct way *way, struct answer *resets,
			 struct answer *accepted)
{
	*resets = *accepted = no_answer;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_TTL_PROBE && text_equal(one->ttl.tuple.dst, way->address)) {
			if (one->ttl.tuple.dst_port == way->port && text_equal(one->ttl.tcp, "rst"))
				take_rtt(resets, one->duration_us);
			else if (one->ttl.tuple.dst_port != way->port && text_equal(one->ttl.tcp, "syn_ack"))
				take_rtt(accepted, one->duration_us);
		}
		if (one->op != OP_TCP_CONNECT || !text_equal(one->tcp.tuple.dst, way->address))
			continue;
		if (one->tcp.tuple.dst_port == way->port)
			take(resets, one, is_refused(one));
		else if (!text_equal(one->experiment, "impossible_port"))
			take(accepted, one, one->failure == FAILURE_NONE);
	}
}

/* Not on a system without the means. */
static bool ttls_were_looked_at(const struct report *report, const struct way *way)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_TCP_CONNECT &&
		    (one->tcp.min_ttl != NOT_MEASURED || tcp_answer_ttl(&one->tcp) != NOT_MEASURED) &&
		    text_equal(one->tcp.tuple.dst, way->address) && one->tcp.tuple.dst_port == way->port)
			return true;
	}
	return false;
}

static bool is_exact(const struct answer *answer)
{
	return answer->ttl_least != NOT_MEASURED && answer->ttl_least == answer->ttl_most;
}

/* How many hops it has passed: systems begin with 32, 64, 128 or 255. */
static int hops_passed(int ttl)
{
	return ttl <= 32 ? 32 - ttl : ttl <= 64 ? 64 - ttl : ttl <= 128 ? 128 - ttl : TTL_MAX - ttl;
}

enum sign { SIGN_NONE, SIGN_ALIKE, SIGN_APART };

/* A reset that passed fewer routers than what another port sends was made on the way; one more may be a matter of parallel lines. Where no other
 * port answers: a reset that passed as many as lie before the TTL that draws it is of whoever stands there. */
static enum sign ttl_sign(const struct answer *resets, const struct answer *accepted, int drawn_ttl)
{
	if (!is_exact(resets))
		return SIGN_NONE;
	int passed = hops_passed(resets->ttl_least);
	if (!is_exact(accepted))
		return drawn_ttl != NOT_MEASURED && passed == drawn_ttl - 1 ? SIGN_ALIKE : SIGN_NONE;
	int apart = passed - hops_passed(accepted->ttl_least);
	return apart < 0 || apart >= HOPS_APART ? SIGN_APART : apart == 0 ? SIGN_ALIKE : SIGN_NONE;
}

/* Quicker by half than the address itself: then it was not there. */
static enum sign rtt_sign(const struct answer *resets, int64_t far_us)
{
	if (resets->rtt_us == NOT_MEASURED || far_us == NOT_MEASURED)
		return SIGN_NONE;
	return resets->rtt_us * 2 < far_us && far_us - resets->rtt_us > RTT_APART_US ? SIGN_APART : SIGN_ALIKE;
}

static void show_ttls(struct way *way, const struct answer *answer)
{
	way_show(way, answer->let_in);
	way_show(way, answer->kept_out);
}

/* ------------------------------------------------------------------ a reset */

static void say(struct way *way, enum way_end end, double confidence)
{
	way->end = end;
	way->confidence = confidence;
}

/* A busy machine makes round trips long: they count for less than a TTL that fits. */
static bool is_apart(enum sign by_ttl, enum sign by_rtt)
{
	return by_ttl == SIGN_APART || (by_rtt == SIGN_APART && by_ttl != SIGN_ALIKE);
}

static void judge_by_signs(struct way *way, enum sign by_ttl, enum sign by_rtt)
{
	if (is_apart(by_ttl, by_rtt))
		say(way, WAY_REFUSED_NEAR, NEAR_BY_SIGNS);
	else if (by_ttl == SIGN_ALIKE && by_rtt == SIGN_ALIKE)
		say(way, WAY_REFUSED_FAR, FAR_BY_SIGNS);
}

/* Do the two meet different routers? Then their lengths are not to be compared. */
static bool walks_part(const struct walk_view *one, const struct walk_view *other)
{
	for (size_t i = 0; i < one->count; i++) {
		const struct walk_hop *hop = &one->hops[i], *beside = walk_view_hop(other, hop->ttl);
		if (beside && hop->seen->ttl.expired && beside->seen->ttl.expired && hop->address && beside->address &&
		    !text_equal(hop->address, beside->address))
			return true;
	}
	return false;
}

/*
 * The TTLs that draw the reset and, on another port or by other packets, the address's own answer. A reset on both ports alike says nothing.
 * The last router before the address draws it by the same TTL as the address: then the reset's own TTL must tell.
 */
static void judge_by_walk(const struct report *report, const struct walks *walks, struct way *way, enum sign by_ttl,
			  enum sign by_rtt)
{
	const struct walk_view *by = NULL;
	int far = way_far_ttl(walks, &by);
	bool apart = by && walks_part(&walks->syn, by);
	bool as_far = far == way->ttl && by->reached_by != WALK_REACHED_RST;
	if (far > way->ttl && !apart)
		say(way, WAY_REFUSED_NEAR, NEAR_BY_TTL);
	else if (is_apart(by_ttl, by_rtt))
		say(way, WAY_REFUSED_NEAR, NEAR_BY_SIGNS);
	else if (as_far && by_ttl == SIGN_ALIKE)
		say(way, WAY_REFUSED_FAR, FAR_BY_TTL);
	else if (as_far && !ttls_were_looked_at(report, way))
		say(way, WAY_REFUSED_FAR, FAR_BY_WALK);
	if (by && way->end != WAY_UNKNOWN)
		way_show_hop(way, by, far);
}

void way_judge_refusal(const struct report *report, const struct walks *walks, struct way *way)
{
	struct answer resets, accepted;
	const struct walk_view *syn = &walks->syn;
	bool drawn = syn->reached_ttl != NOT_MEASURED && syn->reached_by == WALK_REACHED_RST;
	read_answers(report, way, &resets, &accepted);
	way->ttl = drawn ? syn->reached_ttl : NOT_MEASURED;
	enum sign by_ttl = ttl_sign(&resets, &accepted, way->ttl), by_rtt = rtt_sign(&resets, accepted.rtt_us);
	if (drawn) {
		way_show_hop(way, syn, way->ttl - 1);
		way_show_hop(way, syn, way->ttl);
		judge_by_walk(report, walks, way, by_ttl, by_rtt);
	} else if (!syn->count) {
		judge_by_signs(way, by_ttl, by_rtt);
	}
	if (way->end == WAY_REFUSED_NEAR && drawn)
		way_set_place(walks, way->ttl - 1, way);
	if (way->end == WAY_REFUSED_NEAR && way->ttl == 1 && way->confidence > NEAR_OR_HERE)
		way->confidence = NEAR_OR_HERE; /* no hop was passed: this server's own firewall may have made it */
	if (way->end != WAY_UNKNOWN && by_ttl != SIGN_NONE) {
		show_ttls(way, &resets);
		show_ttls(way, &accepted);
	}
}

/* ------------------------------------------------------------------ accepted, and then nothing */

/* Did anything at all come back on a connection to that address? */
static bool has_spoken(const struct observation *one, const char *address)
{
	switch (one->op) {
	case OP_TLS_HANDSHAKE:
		return text_equal(one->tls.tuple.dst, address) &&
		       (one->tls.progress > TLS_HELLO_SENT || one->tls.plain_reply || one->tls.alert >= 0 ||
			one->tls.bytes_received > 0);
	case OP_HTTP_EXCHANGE:
		return text_equal(one->http.tuple.dst, address) && one->http.status != NOT_MEASURED;
	case OP_TCP_CONNECT:
		return text_equal(one->tcp.tuple.dst, address) &&
		       (one->tcp.bytes_received > 0 || one->tcp.first_bytes != NULL);
	case OP_TTL_PROBE:
		return text_equal(one->ttl.tuple.dst, address) && text_equal(one->ttl.tcp, "data");
	case OP_PROXY_EXCHANGE:
		return text_equal(one->proxy.tuple.dst, address) && one->proxy.status != NOT_MEASURED;
	case OP_DNS_QUERY:
	case OP_SYSTEM_LOOKUP:
	case OP_LOCAL_FACT:
	case OP_PROXY_SCRIPT:
	case OP_PROXY_DECISION:
		break;
	}
	return false;
}

bool way_has_spoken(const struct report *report, const char *address)
{
	for (size_t i = 0; i < report->observations.count; i++)
		if (has_spoken(report->observations.items[i], address))
			return true;
	return false;
}

/* The connection to a port where nobody can listen; NULL: none was tried. */
static const struct observation *impossible_one(const struct report *report, const char *address)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op == OP_TCP_CONNECT && text_equal(one->experiment, "impossible_port") &&
		    text_equal(one->tcp.tuple.dst, address))
			return one;
	}
	return NULL;
}

bool way_was_tested(const struct report *report, const char *address)
{
	return impossible_one(report, address) != NULL;
}

void way_judge_answer(const struct report *report, const struct walks *walks, struct way *way)
{
	const struct observation *tested = impossible_one(report, way->address), *impossible = NULL;
	const struct walk_view *syn = &walks->syn, *by = NULL;
	struct walks read = *walks;
	if (tested && (tested->failure == FAILURE_NONE || tested->failure == FAILURE_EOF))
		impossible = tested;		 /* accepted there too */
	read.control.reached_ttl = NOT_MEASURED; /* another port may be answered by the same device */
	int far = way_far_ttl(&read, &by);
	bool accepted = syn->reached_ttl != NOT_MEASURED && syn->reached_by == WALK_REACHED_SYN_ACK;
	bool nearer = accepted && far > syn->reached_ttl;
	if ((!impossible && !nearer) || way_has_spoken(report, way->address))
		return;
	say(way, WAY_ANSWERED_NEAR, impossible ? ANSWERED_ON_IMPOSSIBLE_PORT : ANSWERED_BY_TTL);
	way_show(way, impossible);
	if (accepted) {
		way->ttl = syn->reached_ttl;
		way_show_hop(way, syn, way->ttl - 1);
		way_show_hop(way, syn, way->ttl);
	}
	if (nearer) {
		way_show_hop(way, by, far);
		way_set_place(walks, way->ttl - 1, way);
	}
}
