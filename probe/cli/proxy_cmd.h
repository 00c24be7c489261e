#ifndef MARSPROBE_CLI_PROXY_CMD_H
#define MARSPROBE_CLI_PROXY_CMD_H

#include "probe/cli/options.h"

struct arena;

/** Say which proxy would be used for each URL, on whose behalf, and which rule decides; returns the exit status: 0, 2 for bad usage or
 *  unreadable files, 4 for a failure of the tool itself. */
int proxy_command(struct arena *arena, const struct options *options);

#endif
