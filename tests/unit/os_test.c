/* What os.h promises on every platform; what only one of them has is in os_*_test.c with its name. */

#include "probe/os/os.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "tests/unit/check.h"
#include "tests/unit/check_file.h"

enum { PATH_BYTES = 1024 };

static void files_are_read_up_to_a_limit(void)
{
	char path[PATH_BYTES], reason[256];
	size_t length = 7;
	temporary_path("os_test", path, sizeof(path));
	CHECK(!os_read_file(path, 9, &length, reason, sizeof(reason)) && reason[0]);
	CHECK(os_write_file(path, "0123456789", 10, reason, sizeof(reason)));
	CHECK(!os_read_file(path, 9, &length, reason, sizeof(reason)));
	CHECK_TEXT(reason, "larger than 9 bytes");
	CHECK_INT(length, 7);
	char *text = os_read_file(path, 10, &length, reason, sizeof(reason));
	CHECK(text && length == 10 && strcmp(text, "0123456789") == 0);
	free(text);
	CHECK(remove(path) == 0);
}

static void large_files_are_read_whole(void)
{
	enum { BYTES = 3000000 };
	char path[PATH_BYTES], reason[256], *big = malloc(BYTES);
	size_t length = 0;
	for (size_t i = 0; i < BYTES; i++)
		big[i] = (char)(i * 31 % 251);
	temporary_path("os_test", path, sizeof(path));
	CHECK(os_write_file(path, big, BYTES, reason, sizeof(reason)));
	char *text = os_read_file(path, BYTES, &length, reason, sizeof(reason));
	CHECK(text && length == BYTES && memcmp(text, big, BYTES) == 0 && text[BYTES] == '\0');
	free(text);
	free(big);
	CHECK(remove(path) == 0);
}

static void errors_without_a_name_get_one_that_stays(void)
{
	CHECK_INT(os_error_kind(0), OS_ERROR_NONE);
	CHECK_INT(os_error_kind(70000), OS_ERROR_OTHER);
	CHECK_TEXT(os_error_name(-3), "E-3");
	const char *kept = os_error_name(70000);
	for (int code = 70001; code < 70100; code++)
		CHECK(os_error_name(code) != NULL);
	CHECK_TEXT(kept, "E70000");
	CHECK_TEXT(os_error_name(70000), "E70000");
}

/* Each clock by the other. */
static void clocks_run(void)
{
	int64_t wall_us = os_wall_us(), start_us = os_monotonic_us();
	CHECK(wall_us > 1700000000LL * 1000000);
	for (int64_t turns = 0; os_wall_us() < wall_us + 30000 && turns < 2000000000; turns++)
		;
	int64_t spent_us = os_monotonic_us() - start_us;
	CHECK(os_wall_us() >= wall_us + 30000);
	CHECK(spent_us >= 10000 && spent_us < 10000000);
}

static void chance_differs(void)
{
	unsigned char a[300] = {0}, b[300] = {0}, zero[300] = {0};
	CHECK(os_random(a, sizeof(a)) && os_random(b, sizeof(b)));
	CHECK(memcmp(a, b, sizeof(a)) != 0 && memcmp(a + 290, zero, 10) != 0);
	CHECK(os_random(a, 0));
}

static void names_that_do_not_fit_are_refused(void)
{
	char text[256], tiny[1] = "";
	CHECK(os_host_name(text, sizeof(text)) && text[0]);
	CHECK(!os_host_name(tiny, 0));
	CHECK(!os_account_name(tiny, sizeof(tiny)));
	CHECK(!os_is_terminal(99));
}

static void set_flag(void *flag)
{
	atomic_store((atomic_bool *)flag, true);
}

static void threads_run(void)
{
	static atomic_bool ran;
	int64_t until_us = os_monotonic_us() + 5000000;
	CHECK(os_thread_detached(set_flag, &ran));
	while (!atomic_load(&ran) && os_monotonic_us() < until_us)
		;
	CHECK(atomic_load(&ran));
}

int main(void)
{
	os_start();
	files_are_read_up_to_a_limit();
	large_files_are_read_whole();
	errors_without_a_name_get_one_that_stays();
	clocks_run();
	chance_differs();
	names_that_do_not_fit_are_refused();
	threads_run();
	return check_summary();
}
