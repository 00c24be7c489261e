#include "probe/plan/reset_ttl.h"

#include <string.h>

#include "probe/plan/wishes.h"

enum { TTL_STEP = 16, TTL_TOP = 255 };

static bool is_to(const struct observation *one, const struct symptom *about, int port)
{
	return one->op == OP_TCP_CONNECT && one->tcp.tuple.dst_port == port && one->tcp.tuple.dst &&
	       strcmp(one->tcp.tuple.dst, about->address) == 0;
}

/* Then every answer of that address is, the other port's and the resets after a hello too: there is nothing to ask for. */
static bool ttls_are_read(const struct report *report, const struct symptom *about)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (is_to(one, about, about->port) && one->tcp.min_ttl == NOT_MEASURED &&
		    tcp_answer_ttl(&one->tcp) != NOT_MEASURED)
			return true;
	}
	return false;
}

/* The highest floor under which the answer was let in, and the lowest that kept it out. */
static void ttl_bracket(const struct report *report, const struct symptom *about, int port, int *in, int *out)
{
	*in = 0;
	*out = TTL_TOP + 1;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (!is_to(one, about, port) || one->tcp.min_ttl == NOT_MEASURED || one->tcp.sent_bytes != NOT_MEASURED)
			continue;
		if (one->failure == FAILURE_TIMEOUT && one->tcp.min_ttl < *out)
			*out = one->tcp.min_ttl;
		if (one->failure != FAILURE_TIMEOUT && one->failure != FAILURE_DEADLINE && one->tcp.min_ttl > *in)
			*in = one->tcp.min_ttl;
	}
}

static void wish_min_ttl(struct experiment_plan *plan, const struct symptom *about, int port, int min_ttl)
{
	struct wish wish = {.experiment = EXPERIMENT_RESET_TTL,
			    .about = about,
			    .port = port,
			    .min_ttl = min_ttl,
			    .patience_us = plan->quick_us};
	wish_once(plan, &wish);
}

/* Round 1 in steps, round 2 between two of them. True: the TTL is known. */
static bool find_ttl(struct experiment_plan *plan, const struct report *report, const struct symptom *about, int port,
		     int *ttl)
{
	int in, out;
	for (int floor = TTL_STEP; floor < TTL_TOP; floor += TTL_STEP)
		wish_min_ttl(plan, about, port, floor);
	if (!wish_port_done(plan, about, EXPERIMENT_RESET_TTL, port))
		return false;
	ttl_bracket(report, about, port, &in, &out);
	if (out <= in || out > TTL_TOP)
		return false; /* it answers at no time, or at random */
	for (int floor = in + 1; floor < out; floor++)
		wish_min_ttl(plan, about, port, floor);
	*ttl = in;
	return wish_port_done(plan, about, EXPERIMENT_RESET_TTL, port);
}

void reset_ttl_after_hello(struct experiment_plan *plan, const struct report *report, const struct symptom *about)
{
	int ttl;
	if (ttls_are_read(report, about) || !find_ttl(plan, report, about, about->port, &ttl) || ttl >= TTL_TOP)
		return;
	for (int above = 0; above < 2; above++) {
		struct wish wish = {.experiment = EXPERIMENT_RESET_TTL,
				    .about = about,
				    .port = about->port,
				    .min_ttl = ttl + above,
				    .sni = about->target->host,
				    .says_hello = true};
		wish_once(plan, &wish);
	}
}

void reset_ttl_choose(struct experiment_plan *plan, const struct report *report, const struct symptom *about,
		      int other_port)
{
	int ttl;
	if (ttls_are_read(report, about))
		return;
	find_ttl(plan, report, about, about->port, &ttl);
	find_ttl(plan, report, about, other_port, &ttl);
}
