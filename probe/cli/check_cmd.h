#ifndef MARSPROBE_CLI_CHECK_CMD_H
#define MARSPROBE_CLI_CHECK_CMD_H

#include "probe/cli/options.h"

/**
 * The default command: gather settings and targets, plan, run, judge, report.
 *
 * Returns  the exit status of contract.md section 1; messages of usage errors (2) and of the tool's own failures (4) go to stderr.
 */
int check_command(struct arena *arena, const struct options *options, int argc, char **argv);

#endif
