#ifndef MARSPROBE_CLI_TARGETS_CMD_H
#define MARSPROBE_CLI_TARGETS_CMD_H

struct strbuf;
struct target_set;

/**
 * Append what a set contains, for people: first what is required, then what is recommended, by allow-list rule.
 *
 * Pure  the same set gives the same bytes; about 90 columns, without colour.
 */
void targets_print(const struct target_set *set, struct strbuf *out);

#endif
