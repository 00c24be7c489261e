/* Names and meanings of socket errors, by the tables of the platform. */

#include "probe/os/os_error.h"

#include <stdatomic.h>
#include <stdio.h>

enum { UNNAMED_ERRORS = 32 };

/** "E<number>", made once per number and kept, so that the text outlives any thread. */
static const char *unnamed_error(int code)
{
	static atomic_flag lock = ATOMIC_FLAG_INIT; /* held for some instructions, once in a while */
	static struct {
		int code;
		char name[16];
	} made[UNNAMED_ERRORS];
	static size_t count;
	size_t i = 0;
	while (atomic_flag_test_and_set(&lock))
		;
	while (i < count && made[i].code != code)
		i++;
	if (i == count && count < UNNAMED_ERRORS) {
		made[i].code = code;
		snprintf(made[i].name, sizeof(made[i].name), "E%d", code);
		count++;
	}
	atomic_flag_clear(&lock);
	return i < UNNAMED_ERRORS ? made[i].name : "E?";
}

const char *os_error_name(int code)
{
	for (size_t i = 0; i < os_error_name_count; i++)
		if (os_error_names[i].code == code)
			return os_error_names[i].name;
	return unnamed_error(code);
}

enum os_error_kind os_error_kind(int code)
{
	for (size_t i = 0; i < os_error_meaning_count; i++)
		if (os_error_meanings[i].code == code)
			return os_error_meanings[i].kind;
	return OS_ERROR_OTHER;
}
