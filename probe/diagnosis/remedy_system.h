#ifndef MARSPROBE_DIAGNOSIS_REMEDY_SYSTEM_H
#define MARSPROBE_DIAGNOSIS_REMEDY_SYSTEM_H

#include "probe/core/evidence.h"

struct arena;

/** What a line of causes.def begins with that is a command to the line before it. */
#define REMEDY_COMMAND "> "

/**
 * Append a step. Its command, unless NULL, stands in a line of its own behind it, for people to copy: whatever else breaks lines in words
 * becomes a blank. The command must hold none (command_word.h).
 */
void remedy_add(struct arena *arena, struct text_list *out, const char *words, const char *command);

/** The line of a remedy (causes.def) in whose place the commands stand. */
#define REMEDY_COMMANDS "{commands}"

/**
 * Append the exact commands that make the proxy settings of SYSTEM on this machine those that work, a line each, and what is not to be tried.
 *
 * For      a finding about settings of SYSTEM: WinINET, WinHTTP, or the agent's own. For any other nothing is added.
 * Values   from the settings in report->identities, converted. What is not safe in a command line is in none: the line says so. Never a password.
 * Sources  requirements.md 9 (what the agent can do), wininet.md 1.5 and 1.6 (bitsadmin, netsh).
 * Pure     texts in report->arena.
 */
void remedy_system_add(const struct report *report, const struct finding *finding, struct text_list *out);

#endif
