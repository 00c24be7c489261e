#ifndef MARSPROBE_TESTS_REPLAY_H
#define MARSPROBE_TESTS_REPLAY_H

#include <stdbool.h>

enum { REPLAY_SECONDS_PER_INPUT = 20 };

/** Run one input in this process; its exit status. */
int replay_file(const char *path);

/** Run one input in a process of its own, so that a crash or a hang is its own alone. program is what argv[0] says. */
bool replay_passes(const char *program, const char *path);

#endif
