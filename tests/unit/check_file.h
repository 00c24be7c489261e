#ifndef MARSPROBE_TESTS_CHECK_FILE_H
#define MARSPROBE_TESTS_CHECK_FILE_H

/* A place for a test's files on either platform. */

#include <stddef.h>
#include <stdio.h>

#include "probe/os/os.h"

/** A path for a file or folder that is not there yet, in the folder for temporary files; its separators are '/'. */
static inline const char *temporary_path(const char *name, char *out, size_t bytes)
{
	static const char *const variables[] = {"TMPDIR", "TEMP"};
	const char *folder = "/tmp";
	unsigned chance = 0;
	for (size_t i = 2; i-- > 0;)
		if (os_environment_get(variables[i]))
			folder = os_environment_get(variables[i]);
	os_random(&chance, sizeof(chance));
	snprintf(out, bytes, "%s/%s.%08x", folder, name, chance);
	return out;
}

/** The system's own words for "there is no such file". */
static inline const char *words_for_a_missing_file(const char *path, char *out, size_t bytes)
{
	size_t length = 0;
	out[0] = '\0';
	os_read_file(path, 1, &length, out, bytes);
	return out;
}

#endif
