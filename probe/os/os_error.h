#ifndef MARSPROBE_OS_OS_ERROR_H
#define MARSPROBE_OS_OS_ERROR_H

#include <stddef.h>

#include "probe/os/os.h"

/* Each platform's own tables of socket errors; os_error.c searches them. */

struct os_error_name {
	int code;
	const char *name;
};
extern const struct os_error_name os_error_names[];
extern const size_t os_error_name_count;

struct os_error_meaning {
	int code;
	enum os_error_kind kind;
};
extern const struct os_error_meaning os_error_meanings[];
extern const size_t os_error_meaning_count;

#endif
