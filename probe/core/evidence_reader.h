#ifndef MARSPROBE_CORE_EVIDENCE_READER_H
#define MARSPROBE_CORE_EVIDENCE_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence_scan.h"

struct err;
struct field;
struct json_t;
struct report;

enum { READER_STEPS_MAX = 16 };

/** One document being read (evidence_read_json.c). The first error stays; after it everything returns soon and changes nothing that counts. */
struct reader {
	struct report *report;
	const char *text, *name;
	size_t length;
	struct err *err;
	bool failed;
	struct scan_step steps[READER_STEPS_MAX]; /* from the top of the document to the value at hand */
	size_t depth;
	struct json_t *ids; /* {"targets": {"t1": 0, ...}, ...}: which item of the list has that id */
};

/** Go to a member (key), or to an item (key NULL); and back. */
void reader_enter(struct reader *r, const char *key, size_t index);
void reader_leave(struct reader *r);

/** "FILE:LINE: where reason" for the value at hand, unless there is an error already. */
void reader_fail(struct reader *r, const char *reason);

/** Check that json, unless NULL, is an array; *count is its items, 0 for anything else. */
void read_array(struct reader *r, struct json_t *json, size_t *count);

/* Read one value into the field at that address; json NULL: missing or null. */

/** Kinds TEXT to WORD, without TEXTS. */
void read_plain_field(struct reader *r, const struct field *field, struct json_t *json, void *at);
/** Kinds TEXTS, STATUSES, HEADERS, LIBRARIES. */
void read_collection_field(struct reader *r, const struct field *field, struct json_t *json, void *at);

#endif
