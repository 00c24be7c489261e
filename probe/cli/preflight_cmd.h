#ifndef MARSPROBE_CLI_PREFLIGHT_CMD_H
#define MARSPROBE_CLI_PREFLIGHT_CMD_H

struct arena;
struct options;

/** `marsprobe preflight [--registry FILE.reg] [--json]`: the local checks before registration, of this machine or of an export. Sends nothing.
 *  Returns the exit status. */
int preflight_command(struct arena *arena, const struct options *options, int argc, char **argv);

#endif
