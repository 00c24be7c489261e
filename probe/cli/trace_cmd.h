#ifndef MARSPROBE_CLI_TRACE_CMD_H
#define MARSPROBE_CLI_TRACE_CMD_H

struct arena;
struct options;

/**
 * `marsprobe trace HOST[:PORT]`: walk the path to each address of the name, and print where it ends.
 *
 * Returns  the exit status: 0, 2 usage error, 4 failure of the tool itself. A name that gives no address is an answer too.
 */
int trace_command(struct arena *arena, const struct options *options);

#endif
