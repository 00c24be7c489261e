#ifndef MARSPROBE_CLI_TARGETS_JSON_H
#define MARSPROBE_CLI_TARGETS_JSON_H

#include <stddef.h>

struct strbuf;
struct target_options;
struct target_set;

/**
 * Append sets as one JSON document "marsprobe/targets", indented by two blanks, with a final newline.
 *
 * Shape  {"schema", "schema_version", "sets": [{"name", "cloud", "region", "targets": [...]}]}; a target as in a report, its id the
 *        section's. region is null where no name depends on it.
 * Pure   the same sets and options give the same bytes; field order is fixed.
 */
void targets_print_json(const struct target_options *options, const struct target_set *sets, size_t count,
			struct strbuf *out);

#endif
