#ifndef MARSPROBE_SETTINGS_REGFILE_H
#define MARSPROBE_SETTINGS_REGFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/err.h"
#include "probe/settings/registry.h"

enum { REGFILE_BYTES_MAX = 16 * 1024 * 1024 };

/** Receives what an export says, in its order. Texts are UTF-8 and live only during the call; line counts from 1. */
struct regfile_sink {
	/** A key line; path begins with a full root name. What follows belongs to it, unless it is deleted. */
	void (*key)(void *user, unsigned line, const char *path, bool deleted);
	/** A value of the latest key; value->where is NULL. SZ and EXPAND_SZ are UTF-8 already. */
	void (*value)(void *user, unsigned line, const struct registry_value *value);
	void (*value_deleted)(void *user, const char *name);
	/** A line that regedit would drop too. */
	void (*dropped)(void *user, unsigned line, const char *reason);
	void *user;
};

/**
 * Read one .reg export (wininet.md section 6, and the import behaviour of Windows that it records).
 *
 * Input   untrusted; at most REGFILE_BYTES_MAX; file is its name for the message.
 * Errors  false with "FILE:LINE: reason" when the whole file cannot be used; the sink was not called then.
 */
bool regfile_parse(const char *file, const void *bytes, size_t length, const struct regfile_sink *sink,
		   struct err *err);

#endif
