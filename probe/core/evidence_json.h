#ifndef MARSPROBE_CORE_EVIDENCE_JSON_H
#define MARSPROBE_CORE_EVIDENCE_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct field_shape;
struct report;
struct strbuf;
struct err;

/**
 * Append the report as one JSON document (contract.md section 3), indented by two blanks, with a final newline.
 *
 * Pure  the same report gives the same bytes; field order is fixed; numbers use '.', whatever the locale.
 */
void report_to_json(const struct report *report, struct strbuf *out);

/** Any other document the same way: members schema and schema_version, then those of shape (evidence_fields.h) from holder. */
void document_to_json(const char *schema, const char *version, const struct field_shape *shape, const void *holder,
		      struct strbuf *out);

/**
 * Read a report back: every fact, and the judgement too where it is there.
 *
 * Input   untrusted: at most 64 MiB; nesting, counts and references are checked; unknown members are ignored.
 * Output  *out is the caller's (report_free()); untouched on error.
 * Errors  false with "FILE:LINE: reason" (or "FILE: reason" where no line is known); name is what the message calls the file.
 */
bool report_from_json(const char *text, size_t length, const char *name, struct report **out, struct err *err);

#endif
