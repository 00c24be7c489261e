#ifndef MARSPROBE_CLI_RUN_NOTES_H
#define MARSPROBE_CLI_RUN_NOTES_H

#include "probe/cli/options.h"

/* What every report says of its run, whichever command made it. */

/** The arguments as given; a URL loses what may be secret, also one behind "--pac=". */
void run_note_arguments(struct report *report, int argc, char **argv);

/** A new id, this program and its libraries, the options that the diagnosis reads, and the account. */
void run_note_options(struct report *report, const struct options *options);

#endif
