#ifndef MARSPROBE_CORE_ERR_H
#define MARSPROBE_CORE_ERR_H

#include <stdbool.h>

#include "probe/os/printf.h"

enum { ERR_TEXT_BYTES = 1024 };

/** Why an input could not be used: bad usage, an unreadable file, a library that does not start.
 *  What the network does is never an err; it is an observation. */
struct err {
	char text[ERR_TEXT_BYTES]; /* one line, without a final period or newline: "FILE:LINE: reason" */
};

/**
 * Put a printf-style message into err and return false, so that a caller can `return err_set(...)`.
 *
 * Limits  longer texts are cut at ERR_TEXT_BYTES - 1 bytes.
 */
bool err_set(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
