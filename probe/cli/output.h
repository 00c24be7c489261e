#ifndef MARSPROBE_CLI_OUTPUT_H
#define MARSPROBE_CLI_OUTPUT_H

#include <stdbool.h>

#include "probe/cli/options.h"
#include "probe/os/printf.h"

struct strbuf;

/** "marsprobe: ..." on stderr, with a newline. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/** The same unless -q was given. */
void warn(const struct options *options, const char *format, ...) PRINTF_LIKE(2, 3);

/** Write every report that the options ask for. False: one could not be written (said on stderr); the others are. */
bool reports_write(const struct options *options, const struct report *report);

/** Write text to stdout; false (said on stderr) if that failed. */
bool print_all(const struct strbuf *text);

/** Shall a report for people be coloured, by --color and by where it goes? */
bool wants_color(const struct options *options, bool is_stdout);

#endif
