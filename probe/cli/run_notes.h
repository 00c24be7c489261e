#ifndef MARSPROBE_CLI_RUN_NOTES_H
#define MARSPROBE_CLI_RUN_NOTES_H

#include "probe/cli/options.h"

/* What a report says of its run before it begins. */

/** The arguments as given; a URL loses what may be secret, also one behind "--pac=". */
void note_arguments(struct report *report, int argc, char **argv);

/** Its id, the tool, the inputs, and the account of the user's identity, if the report has it. */
void note_run(struct report *report, const struct options *options);

#endif
