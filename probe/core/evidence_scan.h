#ifndef MARSPROBE_CORE_EVIDENCE_SCAN_H
#define MARSPROBE_CORE_EVIDENCE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* What the JSON library does not do for the reader: limits before it parses, and line numbers after. */

enum {
	SCAN_MAX_BYTES = 64 * 1024 * 1024,
	SCAN_MAX_DEPTH = 64,	   /* objects and arrays inside one another; ours need 8 */
	SCAN_MAX_VALUES = 4000000, /* all values together; each costs the library about 100 bytes */
};

/** One step from the top of a document to a value: a member (key), or an item (key NULL). */
struct scan_step {
	const char *key;
	size_t index;
};

/**
 * Is the text within the limits? Any bytes will do: it need not be JSON.
 *
 * Errors  false, with the line and a reason (static text).
 */
bool scan_check_limits(const char *text, size_t length, size_t *line, const char **reason);

/** The line (from 1) where the value at the end of the steps begins; where it is missing, that of the last step found.
 *  text must be valid JSON. */
size_t scan_find_line(const char *text, size_t length, const struct scan_step *steps, size_t count);

#endif
