#ifndef MARSPROBE_TESTS_PAC_CHECK_H
#define MARSPROBE_TESTS_PAC_CHECK_H

/* What the tests of PAC scripts share: a world with a few names, and rows of "this script gives that". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/settings/pac.h"
#include "probe/settings/pac_child.h"
#include "tests/unit/check.h"

/** The names that resolve; nothing else does. */
static const struct pac_test_name {
	const char *name, *ipv4, *both;
} pac_test_names[] = {
	{"intranet.corp.test", "10.1.2.3", "10.1.2.3"}, {"dual.corp.test", "192.0.2.7", "2001:db8::7;192.0.2.7"},
	{"six.corp.test", "", "2001:db8::6"},		{"many.corp.test", "10.9.9.1;10.9.9.2", "10.9.9.1;10.9.9.2"},
	{"high.corp.test", "200.1.2.3", "200.1.2.3"},	{"null", "10.6.6.6", "10.6.6.6"},
	{"undefined", "10.6.6.6", "10.6.6.6"},
};

/** What happened in the world, one line each: "resolve NAME", and "LINE: CALL -> RESULT". */
struct pac_test_log {
	struct strbuf asked, calls;
};

static inline char *pac_test_resolve(void *user, const char *name, bool both)
{
	struct pac_test_log *log = user;
	strbuf_printf(&log->asked, "%s%s\n", name, both ? " (both)" : "");
	for (size_t i = 0; i < sizeof(pac_test_names) / sizeof(*pac_test_names); i++)
		if (strcmp(pac_test_names[i].name, name) == 0)
			return xstrdup(both ? pac_test_names[i].both : pac_test_names[i].ipv4);
	return NULL;
}

static inline void pac_test_called(void *user, const char *call, const char *result, int line)
{
	struct pac_test_log *log = user;
	strbuf_printf(&log->calls, "%d: %s -> %s\n", line, call, result);
}

enum { PAC_TEST_HEAP_BYTES = 8 * 1024 * 1024, PAC_TEST_RESULT_BYTES = 4096 };

/** 2026-07-15 is a Wednesday. */
#define PAC_TEST_NOW_MS 1784125820000 /* 2026-07-15T14:30:20Z */

static struct pac_test_log pac_log;
static int64_t pac_test_now_ms = PAC_TEST_NOW_MS;
static const char *pac_test_own = "2001:db8::1;10.1.0.2;192.168.7.7";
static struct pac_limits pac_test_limits = {.memory_bytes = PAC_TEST_HEAP_BYTES, .result_bytes = PAC_TEST_RESULT_BYTES};

static inline struct pac *pac_test_new(void)
{
	struct pac_world world = {.resolve = pac_test_resolve,
				  .called = pac_test_called,
				  .user = &pac_log,
				  .own_addresses = pac_test_own,
				  .now_ms = pac_test_now_ms};
	strbuf_truncate(&pac_log.asked, 0);
	strbuf_truncate(&pac_log.calls, 0);
	return pac_new(&pac_test_limits, &world);
}

static inline void pac_answer_free(struct pac_answer *answer)
{
	free(answer->message);
	free(answer->result);
}

/** Load and ask once; *answer is that of the load where it failed. */
static inline void pac_test_run(const char *script, const char *url, const char *host, struct pac_answer *answer)
{
	struct pac *pac = pac_test_new();
	pac_load(pac, script, strlen(script), answer);
	if (!answer->error) {
		pac_answer_free(answer);
		pac_ask(pac, url, host, answer);
	}
	pac_free(pac);
}

/** A row: an expression and what String() makes of it; "! error" for an error, "! error: message" for its text too. */
struct pac_expression {
	const char *expression, *wanted;
};

static inline void pac_check_expression(const struct pac_expression *row, const char *file, int line)
{
	struct strbuf script, got;
	struct pac_answer answer;
	strbuf_init(&script);
	strbuf_init(&got);
	strbuf_printf(&script, "function FindProxyForURL(url, host) { return String(%s); }", row->expression);
	pac_test_run(script.data, "http://intranet.corp.test/a?b", "intranet.corp.test", &answer);
	if (answer.error)
		strbuf_printf(&got, strstr(row->wanted, ": ") ? "! %s: %s" : "! %s", answer.error,
			      answer.message ? answer.message : "");
	else
		strbuf_add(&got, answer.result);
	check_one_text(got.data, row->wanted, row->expression, file, line);
	pac_answer_free(&answer);
	strbuf_free(&script);
	strbuf_free(&got);
}

#define PAC_CHECK_EXPRESSIONS(rows)                                          \
	for (size_t row_ = 0; row_ < sizeof(rows) / sizeof(*(rows)); row_++) \
	pac_check_expression(&(rows)[row_], __FILE__, __LINE__)

static inline void pac_test_begin(void)
{
	strbuf_init(&pac_log.asked);
	strbuf_init(&pac_log.calls);
}

static inline int pac_test_end(void)
{
	strbuf_free(&pac_log.asked);
	strbuf_free(&pac_log.calls);
	return check_summary();
}

#endif
