#ifndef MARSPROBE_TESTS_CHECK_H
#define MARSPROBE_TESTS_CHECK_H

/* A unit test is a program: int main(void) { CHECK(...); ...; return check_summary(); }
 * It prints each failed check and, last, "unit NAME: N passed, N failed". */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int checks_passed, checks_failed;

static inline bool check_text(const char *got, const char *wanted)
{
	return got == wanted || (got && wanted && strcmp(got, wanted) == 0);
}

#define CHECK(condition) check_one((condition), #condition, __FILE__, __LINE__)
#define CHECK_TEXT(got, wanted) check_one_text((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK_INT(got, wanted) check_one_int((long long)(got), (long long)(wanted), #got, __FILE__, __LINE__)

static inline void check_one(bool held, const char *what, const char *file, int line)
{
	if (held) {
		checks_passed++;
		return;
	}
	checks_failed++;
	printf("%s:%d: failed: %s\n", file, line, what);
}

static inline void check_one_text(const char *got, const char *wanted, const char *what, const char *file, int line)
{
	if (!check_text(got, wanted))
		printf("%s: got \"%s\", wanted \"%s\"\n", what, got ? got : "(null)", wanted ? wanted : "(null)");
	check_one(check_text(got, wanted), what, file, line);
}

static inline void check_one_int(long long got, long long wanted, const char *what, const char *file, int line)
{
	if (got != wanted)
		printf("%s: got %lld, wanted %lld\n", what, got, wanted);
	check_one(got == wanted, what, file, line);
}

static inline int check_summary(void)
{
	printf("%d passed, %d failed\n", checks_passed, checks_failed);
	return checks_failed ? 1 : 0;
}

#endif
