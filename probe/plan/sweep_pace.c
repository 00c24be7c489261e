#include "probe/plan/sweep_pace.h"

#include "probe/core/evidence_words.h"

/* ------------------------------------------------------------------ waiting */

enum { GAIN = 8, VAR_GAIN = 4, VAR_TIMES = 4 }; /* RFC 6298 2.3: alpha 1/8, beta 1/4, K 4 */

struct sweep_rtt sweep_rtt_new(int64_t most_us)
{
	return (struct sweep_rtt){NOT_MEASURED, NOT_MEASURED, most_us};
}

void sweep_rtt_heard(struct sweep_rtt *rtt, int64_t sample_us)
{
	if (rtt->srtt_us == NOT_MEASURED) {
		rtt->srtt_us = sample_us;
		rtt->var_us = sample_us / 2;
		return;
	}
	int64_t off_us = sample_us - rtt->srtt_us;
	rtt->var_us += ((off_us < 0 ? -off_us : off_us) - rtt->var_us) / VAR_GAIN;
	rtt->srtt_us += off_us / GAIN;
}

int64_t sweep_rtt_timeout_us(const struct sweep_rtt *rtt, int round)
{
	int64_t timeout_us = SWEEP_TIMEOUT_FIRST_US;
	if (rtt->srtt_us != NOT_MEASURED)
		timeout_us = rtt->srtt_us + VAR_TIMES * rtt->var_us;
	if (timeout_us < SWEEP_TIMEOUT_LEAST_US)
		timeout_us = SWEEP_TIMEOUT_LEAST_US;
	for (int i = 2; i < round && timeout_us < rtt->most_us; i++)
		timeout_us *= 2;
	return timeout_us < rtt->most_us ? timeout_us : rtt->most_us;
}

/* ------------------------------------------------------------------ sending */

struct sweep_pacer sweep_pacer_new(double rate, int64_t now_us)
{
	return (struct sweep_pacer){rate, 1, now_us};
}

static double burst(const struct sweep_pacer *pacer)
{
	double most = pacer->rate * SWEEP_BURST_MS / 1000;
	return most > 1 ? most : 1;
}

static double allowed_at(const struct sweep_pacer *pacer, int64_t now_us)
{
	double allowed = pacer->allowed + pacer->rate * (double)(now_us - pacer->last_us) / 1e6;
	return allowed < burst(pacer) ? allowed : burst(pacer);
}

unsigned sweep_pacer_take(struct sweep_pacer *pacer, int64_t now_us, unsigned wanted)
{
	if (!(pacer->rate > 0))
		return wanted;
	pacer->allowed = allowed_at(pacer, now_us);
	pacer->last_us = now_us;
	unsigned now = (unsigned)pacer->allowed;
	if (now > wanted)
		now = wanted;
	pacer->allowed -= now;
	return now;
}

int64_t sweep_pacer_wait_us(const struct sweep_pacer *pacer, int64_t now_us)
{
	if (!(pacer->rate > 0))
		return 0;
	double missing = 1 - allowed_at(pacer, now_us);
	return missing > 0 ? (int64_t)(missing / pacer->rate * 1e6) + 1 : 0;
}

/* ------------------------------------------------------------------ the order */

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Steps of the golden section leave the most even gaps (three-gap theorem); one without a common divisor comes to every number. */
struct sweep_order sweep_order_new(uint32_t count)
{
	uint32_t step = (uint32_t)((double)count * 0.6180339887);
	while (step > 1 && common_divisor(step, count) != 1)
		step--;
	return (struct sweep_order){.count = count, .step = step ? step : 1, .next = count / 2};
}

bool sweep_order_next(struct sweep_order *order, uint32_t *out)
{
	if (order->done == order->count)
		return false;
	*out = order->next;
	order->next = (uint32_t)(((uint64_t)order->next + order->step) % order->count);
	order->done++;
	return true;
}

void sweep_order_back(struct sweep_order *order, uint32_t number)
{
	order->next = number;
	order->done--;
}

bool sweep_order_is_done(const struct sweep_order *order)
{
	return order->done == order->count;
}

/* ------------------------------------------------------------------ asking again */

double sweep_loss(int64_t first, int64_t later)
{
	return first + later > 0 ? (double)later / (double)(first + later) : 0;
}

bool sweep_asks_again(int rounds, int64_t first, int64_t later, int64_t silent)
{
	static const double missing_share_most = 0.0002, missing_most = 0.5;
	if (!silent || rounds >= SWEEP_ROUNDS_MOST)
		return false;
	if (rounds < SWEEP_ROUNDS_LEAST)
		return true;
	/* one more than was seen: nobody lost among ten does not mean that nobody is ever lost */
	double loss = (double)(later + 1) / (double)(first + later + 2), missing = 1;
	for (int i = 0; i < rounds; i++)
		missing *= loss;
	return first + later > 0 && missing > missing_share_most && missing * (double)(first + later) > missing_most;
}

int64_t sweep_left_us(double rate, int round, int64_t left, int64_t silent, int64_t timeout_us)
{
	int64_t again = round < SWEEP_ROUNDS_LEAST ? silent : 0;
	if (!(rate > 0))
		return NOT_MEASURED;
	return (int64_t)((double)(left + again) / rate * 1e6) + timeout_us;
}
