#include "probe/plan/sweep_guard.h"

#include "tests/unit/check.h"

/* Many have answered. */
static struct sweep_guard watchful(void)
{
	struct sweep_guard guard = {0};
	for (uint32_t i = 0; i < 300; i++)
		guard_known(&guard, i);
	return guard;
}

/* So many of the controls in a window fail; the answer to the last one. */
static enum guard_answer window(struct sweep_guard *guard, int failing)
{
	enum guard_answer answer = GUARD_FINE;
	for (int i = 0; i < GUARD_WINDOW && answer == GUARD_FINE; i++)
		answer = guard_control(guard, i >= failing);
	return answer;
}

static enum guard_answer checks(struct sweep_guard *guard, int answering)
{
	enum guard_answer answer = GUARD_FINE;
	for (int i = 0; i < GUARD_CHECKS; i++)
		answer = guard_checked(guard, i < answering);
	return answer;
}

static void test_controls_come_now_and_then(void)
{
	struct sweep_guard guard = {0};
	uint32_t number;
	for (int i = 0; i < 100; i++)
		CHECK(!guard_wants_control(&guard, &number)); /* nobody is known */
	guard = watchful();
	int controls = 0;
	for (int i = 0; i < 320; i++)
		controls += guard_wants_control(&guard, &number);
	CHECK_INT(controls, 10);
	CHECK(number < 300);
}

static void test_verdicts(void)
{
	static const struct {
		const char *situation;
		int failing, answering;
		enum guard_answer at_first, in_the_end;
	} rows[] = {
		{"all is well", 0, 0, GUARD_FINE, GUARD_FINE},
		{"some loss", 3, 0, GUARD_FINE, GUARD_FINE},
		{"silent now, and not after a pause", 12, 16, GUARD_SUSPECT, GUARD_RATE_LIMITED},
		{"half is dropped, and nothing after a pause", 8, 15, GUARD_SUSPECT, GUARD_RATE_LIMITED},
		{"much is lost, fast or slowly", 7, 10, GUARD_SUSPECT, GUARD_FINE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sweep_guard guard = watchful();
		enum guard_answer answer = window(&guard, rows[i].failing);
		if (answer != rows[i].at_first)
			check_one(false, rows[i].situation, __FILE__, __LINE__);
		if (answer == GUARD_SUSPECT && checks(&guard, rows[i].answering) != rows[i].in_the_end)
			check_one(false, rows[i].situation, __FILE__, __LINE__);
	}
}

/* Nobody answers after the pause: a longer one, and then it is over. */
static void test_who_is_shut_out_waits_twice(void)
{
	struct sweep_guard guard = watchful();
	CHECK_INT(window(&guard, 16), GUARD_SUSPECT);
	int64_t first_us = guard_pause_us(&guard);
	CHECK_INT(checks(&guard, 0), GUARD_SUSPECT);
	CHECK(guard_pause_us(&guard) > first_us);
	CHECK_INT(checks(&guard, 1), GUARD_SILENCED);
}

/* After the longer pause they answer again. */
static void test_a_long_pause_may_help(void)
{
	struct sweep_guard guard = watchful();
	window(&guard, 16);
	CHECK_INT(checks(&guard, 0), GUARD_SUSPECT);
	CHECK_INT(checks(&guard, 16), GUARD_RATE_LIMITED);
}

/* What a pause has shown to be loss is suspicious no more; what is worse than that is. */
static void test_usual_loss_is_no_alarm(void)
{
	struct sweep_guard guard = watchful();
	CHECK_INT(window(&guard, 7), GUARD_SUSPECT);
	CHECK_INT(checks(&guard, 10), GUARD_FINE);
	CHECK(guard_checks_done(&guard));
	CHECK_INT(window(&guard, 7), GUARD_FINE);
	CHECK_INT(window(&guard, 16), GUARD_SUSPECT);
}

static void test_a_small_sweep_is_judged_by_its_rounds(void)
{
	struct sweep_guard guard = watchful();
	CHECK_INT(guard_round(&guard, 130, 4), GUARD_FINE);
	CHECK_INT(guard_round(&guard, 130, 60), GUARD_SUSPECT);
	struct sweep_guard unknown = {0};
	CHECK_INT(guard_round(&unknown, 2, 60), GUARD_FINE); /* whom to ask? */
}

static void test_slower_is_a_new_beginning(void)
{
	struct sweep_guard guard = watchful();
	for (int i = 0; i < 15; i++)
		guard_control(&guard, false);
	guard_forget(&guard);
	CHECK_INT(guard_control(&guard, false), GUARD_FINE);
}

int main(void)
{
	test_controls_come_now_and_then();
	test_verdicts();
	test_who_is_shut_out_waits_twice();
	test_a_long_pause_may_help();
	test_usual_loss_is_no_alarm();
	test_a_small_sweep_is_judged_by_its_rounds();
	test_slower_is_a_new_beginning();
	return check_summary();
}
