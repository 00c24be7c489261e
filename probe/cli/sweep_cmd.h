#ifndef MARSPROBE_CLI_SWEEP_CMD_H
#define MARSPROBE_CLI_SWEEP_CMD_H

#include "probe/cli/options.h"

struct arena;

/**
 * `marsprobe sweep CIDR...`: ask every address of these ranges, judge what came, write the reports.
 *
 * Returns  the exit status: 0 done; 3 stopped before the end (the report says why, and --resume goes on); 2 bad usage; 4 failure of the tool.
 */
int sweep_command(struct arena *arena, const struct options *options, int argc, char **argv);

#endif
