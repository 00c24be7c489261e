#ifndef MARSPROBE_TESTS_DESCRIPTORS_H
#define MARSPROBE_TESTS_DESCRIPTORS_H

#include <dirent.h>
#include <stddef.h>

/** How many descriptors this process has open (and a few more, the same each time), by /proc. */
static inline size_t descriptors(void)
{
	size_t count = 0;
	DIR *folder = opendir("/proc/self/fd");
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

#endif
