#include "probe/plan/sweep_pace.h"

#include <stdlib.h>

#include "probe/core/evidence_words.h"
#include "tests/unit/check.h"

enum { MS = 1000, SECOND = 1000 * 1000 };

/* ------------------------------------------------------------------ waiting */

static void test_the_timeout_follows_the_round_trips(void)
{
	struct sweep_rtt rtt = sweep_rtt_new(3 * SECOND);
	CHECK_INT(sweep_rtt_timeout_us(&rtt, 1), 1 * SECOND);
	CHECK_INT(sweep_rtt_timeout_us(&rtt, 2), 1 * SECOND);
	CHECK_INT(sweep_rtt_timeout_us(&rtt, 3), 2 * SECOND);
	CHECK_INT(sweep_rtt_timeout_us(&rtt, 4), 3 * SECOND);
	sweep_rtt_heard(&rtt, 80 * MS); /* RFC 6298 2.2: SRTT R, RTTVAR R/2 */
	CHECK_INT(sweep_rtt_timeout_us(&rtt, 1), 240 * MS);
	for (int i = 0; i < 100; i++)
		sweep_rtt_heard(&rtt, 80 * MS);
	CHECK_INT(rtt.srtt_us, 80 * MS);
	CHECK_INT(sweep_rtt_timeout_us(&rtt, 1), SWEEP_TIMEOUT_LEAST_US);
	CHECK_INT(sweep_rtt_timeout_us(&rtt, 3), 2 * SWEEP_TIMEOUT_LEAST_US);
	for (int i = 0; i < 100; i++)
		sweep_rtt_heard(&rtt, i % 2 ? 300 * MS : 500 * MS);
	CHECK(rtt.srtt_us > 380 * MS && rtt.srtt_us < 420 * MS);
	CHECK(sweep_rtt_timeout_us(&rtt, 1) > 600 * MS);
	CHECK_INT(sweep_rtt_timeout_us(&rtt, 6), 3 * SECOND);
}

/* ------------------------------------------------------------------ sending */

static unsigned sent_in(double rate, int64_t step_us, int64_t until_us)
{
	struct sweep_pacer pacer = sweep_pacer_new(rate, 0);
	unsigned sent = 0;
	for (int64_t now = 0; now < until_us; now += step_us)
		sent += sweep_pacer_take(&pacer, now, 1000);
	return sent;
}

static void test_the_pace_is_kept(void)
{
	static const struct {
		double rate;
		int64_t step_us;
		unsigned least, most;
	} rows[] = {
		{200, 1 * MS, 1995, 2005},	 {200, 5 * MS, 1995, 2005}, {1, 1 * MS, 10, 11},
		{20000, 1 * MS, 199000, 201000}, {0.5, 100 * MS, 5, 6},	    {200, 100, 1995, 2005},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned sent = sent_in(rows[i].rate, rows[i].step_us, 10 * SECOND);
		CHECK(sent >= rows[i].least && sent <= rows[i].most);
	}
}

/* A process that was stopped for a minute does not send a minute's requests at once. */
static void test_no_burst_makes_up_for_a_pause(void)
{
	struct sweep_pacer pacer = sweep_pacer_new(200, 0);
	CHECK_INT(sweep_pacer_take(&pacer, 60 * SECOND, 1000), 2);
	CHECK_INT(sweep_pacer_take(&pacer, 60 * SECOND, 1000), 0);
	int64_t wait = sweep_pacer_wait_us(&pacer, 60 * SECOND);
	CHECK(wait > 0 && wait <= 5 * MS + 1);
	CHECK_INT(sweep_pacer_take(&pacer, 60 * SECOND + wait, 1000), 1);
}

static void test_without_a_rate_there_is_no_limit(void)
{
	struct sweep_pacer pacer = sweep_pacer_new(0, 0);
	CHECK_INT(sweep_pacer_take(&pacer, 0, 5000), 5000);
	CHECK_INT(sweep_pacer_wait_us(&pacer, 0), 0);
}

/* ------------------------------------------------------------------ the order */

static void check_order(uint32_t count)
{
	struct sweep_order order = sweep_order_new(count);
	unsigned char *seen = calloc(count, 1);
	uint32_t number, got = 0;
	while (sweep_order_next(&order, &number)) {
		if (number >= count || seen[number]++)
			CHECK_INT(number, -1);
		got++;
	}
	CHECK_INT(got, count);
	CHECK(sweep_order_is_done(&order));
	free(seen);
}

/* Any stretch is spread evenly: a quarter of the range is a quarter of it. */
static void test_any_stretch_is_even(void)
{
	struct sweep_order order = sweep_order_new(16384);
	for (int stretch = 0; stretch < 100; stretch++) {
		uint32_t number;
		int inside = 0;
		for (int i = 0; i < 64; i++) {
			CHECK(sweep_order_next(&order, &number));
			inside += number >= 4096 && number < 8192;
		}
		CHECK(inside >= 14 && inside <= 18);
	}
}

static void test_one_comes_back(void)
{
	struct sweep_order order = sweep_order_new(5);
	uint32_t first, again;
	CHECK(sweep_order_next(&order, &first));
	sweep_order_back(&order, first);
	CHECK(sweep_order_next(&order, &again));
	CHECK_INT(again, first);
	int rest = 0;
	while (sweep_order_next(&order, &again))
		rest++;
	CHECK_INT(rest, 4);
}

/* ------------------------------------------------------------------ asking again */

static void test_how_often_is_asked(void)
{
	static const struct {
		const char *situation;
		int rounds;
		int64_t first, later, silent;
		bool again;
	} rows[] = {
		{"once is never enough", 1, 11439, 0, 4945, true},
		{"nobody is silent", 1, 16384, 0, 0, false},
		{"no loss was seen", 2, 11439, 0, 4945, false},
		{"2 % loss each way", 2, 10978, 440, 4966, true},
		{"2 % loss each way, asked three times", 3, 10978, 455, 4951, false},
		{"20 % loss each way, asked three times", 3, 7300, 3000, 6000, true},
		{"nobody answers at all", 2, 0, 0, 16384, false},
		{"ten answer, nobody late", 2, 10, 0, 16374, false},
		{"ten answer, some late", 2, 6, 4, 16374, true},
		{"enough is enough", 6, 10, 90, 16284, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sweep_asks_again(rows[i].rounds, rows[i].first, rows[i].later, rows[i].silent) != rows[i].again)
			check_one(false, rows[i].situation, __FILE__, __LINE__);
	CHECK(sweep_loss(0, 0) == 0);
	CHECK(sweep_loss(96, 4) == 0.04);
}

static void test_time_left(void)
{
	CHECK_INT(sweep_left_us(200, 1, 1000, 0, SECOND), 6 * SECOND);
	CHECK_INT(sweep_left_us(200, 1, 1000, 200, SECOND), 7 * SECOND);
	CHECK_INT(sweep_left_us(200, 2, 200, 200, SECOND), 2 * SECOND);
	CHECK_INT(sweep_left_us(0, 1, 1000, 0, SECOND), NOT_MEASURED);
}

int main(void)
{
	test_the_timeout_follows_the_round_trips();
	test_the_pace_is_kept();
	test_no_burst_makes_up_for_a_pause();
	test_without_a_rate_there_is_no_limit();
	static const uint32_t counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 255, 256, 257, 1000, 16384, 32768, 262144};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		check_order(counts[i]);
	test_any_stretch_is_even();
	test_one_comes_back();
	test_how_often_is_asked();
	test_time_left();
	return check_summary();
}
