#ifndef MARSPROBE_CLI_EXPRESSROUTE_CMD_H
#define MARSPROBE_CLI_EXPRESSROUTE_CMD_H

struct arena;
struct options;

/**
 * `marsprobe expressroute`: are the prefixes that the agent needs routed over the circuit, and do packets take it?
 *
 * Sends    nothing without --circuit-hop or --circuit-interface; with one of them DNS questions, and connection requests and echo requests to
 *          the agent's hosts.
 * Returns  the exit status: 0 covered, 1 missing, 2 usage error or unreadable input, 3 cannot tell, 4 failure of the tool itself.
 */
int expressroute_command(struct arena *arena, const struct options *options, int argc, char **argv);

#endif
