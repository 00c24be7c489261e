#ifndef MARSPROBE_TARGETS_SET_INI_H
#define MARSPROBE_TARGETS_SET_INI_H

#include <stdbool.h>

#include "probe/os/printf.h"
#include "targets/targets.h"

enum { SET_BYTES_MAX = 1 << 20, SET_TARGETS_MAX = 4096 };

/** A set file while it is read. */
struct set_reader {
	const struct target_options *options;
	const char *file;
	struct target_set *set;
	struct err *err;
	const char *cursor; /* the rest of the text */
	int line;	    /* of what was read last, from 1 */
	bool failed;
	int failed_line; /* what had been read when that was noticed */
	/* the section that is open: */
	int section_line; /* 0: none */
	bool section_begun;
	struct target *target; /* NULL: [set], or none */
	unsigned keys_seen;    /* bit i: key i of the table */
	int port;	       /* -1: not given */
	const char *host, *cidr;
	int where_line; /* of url=, host= or cidr= */
};

/** Fail at that line; keeps the first failure. Returns false. */
bool set_fail(struct set_reader *reader, int line, const char *format, ...) PRINTF_LIKE(3, 4);

/** Take one key of the open section. */
bool set_key_take(struct set_reader *reader, const char *key, const char *value);

/** The section that is open is complete: check it. */
bool set_target_finish(struct set_reader *reader);

#endif
