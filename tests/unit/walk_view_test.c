/* What a walk along the path tells, read from tables: one word for each TTL. */

#include "probe/core/walk_view.h"

#include <stdlib.h>

#include "tests/unit/check.h"
#include "tests/unit/walk_builder.h"

#define TARGET "20.190.128.1"
enum { PORT = 443 };

static void add_walk(struct report *report, const char *experiment, int port, const char *sent, const char *words)
{
	build_walk(report, TARGET, experiment, port, sent, words);
}

static void walks_are_read(void)
{
	static const struct {
		const char *words;
		int reached_ttl;
		enum walk_reach by;
		int last_heard_ttl;
		const char *last_heard;
		int first_silent_ttl;
		const char *first_silent, *refused_by;
		bool muted, loops, ends_early;
	} rows[] = {
		{"10.1.0.1 10.2.0.1 10.3.0.1 syn_ack", 4, WALK_REACHED_SYN_ACK, 3, "10.3.0.1", -1, NULL, NULL, 0, 0, 0},
		{"10.1.0.1 - - rst", 4, WALK_REACHED_RST, 1, "10.1.0.1", -1, NULL, NULL, 0, 0, 0},
		{"10.1.0.1 10.2.0.1 rst rst", 3, WALK_REACHED_RST, 2, "10.2.0.1", -1, NULL, NULL, 0, 0, 0},
		{"syn_ack", 1, WALK_REACHED_SYN_ACK, -1, NULL, -1, NULL, NULL, 0, 0, 0},
		{"- - - syn_ack", 4, WALK_REACHED_SYN_ACK, -1, NULL, -1, NULL, NULL, 1, 0, 0},
		{"- - - - - -", -1, WALK_REACHED_NOT, -1, NULL, 1, "10.1.0.1", NULL, 1, 0, 0},
		{"10.1.0.1 - - - - -", -1, WALK_REACHED_NOT, 1, "10.1.0.1", 2, "10.2.0.1", NULL, 0, 0, 1},
		{"10.1.0.1 - 10.3.0.1 - - -", -1, WALK_REACHED_NOT, 3, "10.3.0.1", 4, TARGET, NULL, 0, 0, 1},
		{"? ? - - -", -1, WALK_REACHED_NOT, 2, NULL, 3, TARGET, NULL, 0, 0, 1}, /* the nearest that is known */
		{"10.1.0.1 !10.1.0.1 !10.1.0.1", -1, WALK_REACHED_NOT, 1, "10.1.0.1", -1, NULL, "10.1.0.1", 0, 0, 0},
		{"!10.1.0.1 !10.1.0.1", -1, WALK_REACHED_NOT, -1, NULL, -1, NULL, "10.1.0.1", 0, 0, 0},
		{"10.1.0.1 10.2.0.1 10.1.0.1 10.2.0.1", -1, WALK_REACHED_NOT, 4, "10.2.0.1", -1, NULL, NULL, 0, 1, 0},
		{"10.1.0.1 10.2.0.1 - 10.2.0.1 - 10.3.0.1 10.2.0.1 -", -1, WALK_REACHED_NOT, 7, "10.2.0.1", 8, NULL,
		 NULL, 0, 1, 0},
		{"10.1.0.1 10.1.0.1 10.2.0.1 -", -1, WALK_REACHED_NOT, 3, "10.2.0.1", 4, TARGET, NULL, 0, 0, 1},
		{"10.1.0.1 10.2.0.1 10.1.0.1 syn_ack", 4, WALK_REACHED_SYN_ACK, 3, "10.1.0.1", -1, NULL, NULL, 0, 0, 0},
		{". . 10.3.0.1 -", -1, WALK_REACHED_NOT, 3, "10.3.0.1", 4, TARGET, NULL, 0, 0, 1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report *report = build_report();
		struct walk_view walk, control;
		add_walk(report, "walk", PORT, "syn", rows[i].words);
		add_walk(report, "walk_control", 80, "syn", "10.1.0.1 10.2.0.1 . syn_ack");
		CHECK(walk_view_make(report, TARGET, PORT, "walk", "syn", &walk));
		CHECK(walk_view_make(report, TARGET, 80, "walk_control", NULL, &control));
		walk_view_compare(&walk, &control);
		int failed = checks_failed;
		CHECK_INT(walk.reached_ttl, rows[i].reached_ttl);
		CHECK_INT(walk.reached_by, rows[i].by);
		CHECK_INT(walk.last_heard_ttl, rows[i].last_heard_ttl);
		CHECK_TEXT(walk.last_heard, rows[i].last_heard);
		CHECK_INT(walk.first_silent_ttl, rows[i].first_silent_ttl);
		CHECK_TEXT(walk.first_silent, rows[i].first_silent);
		CHECK_TEXT(walk.refused_by ? walk.refused_by->address : NULL, rows[i].refused_by);
		CHECK_INT(walk.muted, rows[i].muted);
		CHECK_INT(walk.loops, rows[i].loops);
		CHECK_INT(walk.ends_early, rows[i].ends_early);
		CHECK_INT(walk_view_passes(&control, &walk), rows[i].reached_ttl == -1);
		if (checks_failed > failed)
			printf("in the walk: %s\n", rows[i].words);
		report_free(report);
	}
}

/* By another interface: another way. */
static void control_from_another_address_is_none(void)
{
	struct report *report = build_report();
	struct walk_view walk, control;
	add_walk(report, "walk", PORT, "syn", "- - -");
	size_t count = report->observations.count;
	add_walk(report, "walk_control", 80, "syn", "10.1.0.1 10.2.0.1 syn_ack");
	for (size_t i = 0; i < report->observations.count; i++)
		report->observations.items[i]->ttl.tuple.src = i < count ? "10.0.0.2" : "10.7.0.2";
	CHECK(walk_view_make(report, TARGET, PORT, "walk", "syn", &walk));
	CHECK(walk_view_make(report, TARGET, 80, "walk_control", "syn", &control));
	walk_view_compare(&walk, &control);
	CHECK(!walk_view_leaves_alike(&walk, &control));
	CHECK(!walk_view_passes(&control, &walk));
	CHECK_TEXT(walk.first_silent, NULL);
	report_free(report);
}

static void other_walks_are_left_out(void)
{
	struct report *report = build_report();
	struct walk_view walk;
	add_walk(report, "walk", PORT, "syn", "10.1.0.1 -");
	add_walk(report, "walk", 80, "syn", "10.1.0.1 10.9.0.1");
	add_walk(report, "walk_echo", NOT_MEASURED, "echo", "10.1.0.1 10.8.0.1 echo");
	CHECK(walk_view_make(report, TARGET, PORT, "walk", "syn", &walk));
	CHECK_INT(walk.count, 2);
	CHECK_INT(walk.last_heard_ttl, 1);
	CHECK(walk_view_make(report, TARGET, NOT_MEASURED, "walk_echo", NULL, &walk));
	CHECK_INT(walk.reached_ttl, 3);
	CHECK_INT(walk.reached_by, WALK_REACHED_ICMP);
	CHECK(!walk_view_make(report, TARGET, PORT, "walk", "hello", &walk));
	CHECK(!walk_view_make(report, TARGET, PORT, "walk_flow", "syn", &walk));
	CHECK(!walk_view_make(report, "20.190.128.2", PORT, "walk", "syn", &walk));
	CHECK_INT(walk.count, 0);
	CHECK_INT(walk.not_sent, FAILURE_NONE);
	report_free(report);
}

static void of_several_answers_the_best_counts(void)
{
	struct report *report = build_report();
	struct walk_view walk;
	add_walk(report, "walk", PORT, "syn", "- 10.2.0.1 -");
	add_walk(report, "walk", PORT, "syn", "10.1.0.1 - syn_ack");
	add_walk(report, "walk", PORT, "syn", "- - -");
	CHECK(walk_view_make(report, TARGET, PORT, "walk", NULL, &walk));
	CHECK_INT(walk.count, 3);
	CHECK_TEXT(walk.hops[0].address, "10.1.0.1");
	CHECK_TEXT(walk.hops[1].address, "10.2.0.1");
	CHECK_INT(walk.reached_ttl, 3);
	CHECK(walk_view_hop(&walk, 2) == &walk.hops[1]);
	CHECK(!walk_view_hop(&walk, 4));
	report_free(report);
}

static void what_was_not_sent_is_no_walk(void)
{
	struct report *report = build_report();
	struct walk_view walk;
	add_walk(report, "walk_echo", NOT_MEASURED, "echo", "x");
	CHECK(!walk_view_make(report, TARGET, NOT_MEASURED, "walk_echo", NULL, &walk));
	CHECK_INT(walk.not_sent, FAILURE_PERMISSION_DENIED);
	report_free(report);
}

static void where_the_system_hears_no_router_silence_says_nothing(void)
{
	struct report *report = build_report();
	struct walk_view walk, echo;
	build_fact(report, "missing_api", "TCP_FAIL_CONNECT_ON_ICMP_ERROR", "absent", NULL);
	add_walk(report, "walk", PORT, "syn", "- - - -");
	add_walk(report, "walk_control", 80, "syn", "- - - syn_ack");
	add_walk(report, "walk_flow", PORT, "syn", "? ? - -"); /* some say that, but not by whom */
	add_walk(report, "walk_echo", NOT_MEASURED, "echo", "10.1.0.1 10.2.0.1 - -");
	CHECK(walk_view_make(report, TARGET, PORT, "walk", NULL, &walk));
	CHECK(walk.deaf && !walk.muted && !walk.ends_early);
	CHECK_INT(walk.first_silent_ttl, NOT_MEASURED);
	CHECK(walk_view_make(report, TARGET, NOT_MEASURED, "walk_echo", NULL, &echo));
	CHECK(!echo.deaf && echo.ends_early);
	CHECK(!walk_view_passes(&echo, &walk));
	CHECK(walk_view_make(report, TARGET, 80, "walk_control", NULL, &echo));
	CHECK(echo.deaf && walk_view_passes(&echo, &walk));
	CHECK(walk_view_make(report, TARGET, PORT, "walk_flow", NULL, &walk));
	CHECK(!walk.deaf && walk.ends_early);
	report_free(report);
}

static void a_long_walk_is_cut(void)
{
	struct report *report = build_report();
	struct walk_view walk;
	char words[2 * 100 + 1];
	for (size_t i = 0; i < 100; i++)
		memcpy(words + 2 * i, "- ", 3);
	add_walk(report, "walk", PORT, "syn", words);
	CHECK(walk_view_make(report, TARGET, PORT, "walk", NULL, &walk));
	CHECK_INT(walk.count, WALK_HOPS_MAX);
	CHECK(walk.muted);
	report_free(report);
}

int main(void)
{
	walks_are_read();
	control_from_another_address_is_none();
	other_walks_are_left_out();
	of_several_answers_the_best_counts();
	what_was_not_sent_is_no_walk();
	where_the_system_hears_no_router_silence_says_nothing();
	a_long_walk_is_cut();
	return check_summary();
}
