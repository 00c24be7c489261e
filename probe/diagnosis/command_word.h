#ifndef MARSPROBE_DIAGNOSIS_COMMAND_WORD_H
#define MARSPROBE_DIAGNOSIS_COMMAND_WORD_H

#include "probe/settings/proxy_list.h"

struct arena;

/** No word of a command is longer: a command line of cmd.exe has 8191 characters. */
enum { COMMAND_WORD_MAX_BYTES = 4000 };

/**
 * A text as one word of a command line, for cmd.exe and PowerShell alike; in double quotes where it needs them.
 *
 * Input   untrusted: it stands in a registry, and people copy the command to an elevated prompt.
 * Returns NULL for what is not surely safe: quotes, %, ^, &, |, !, $, a backquote, a backslash, brackets of the round and curly kind,
 *         control characters and all beyond ASCII; a first character that makes it an option; a password or the mask of one (@, ***);
 *         more than COMMAND_WORD_MAX_BYTES.
 */
const char *command_word(struct arena *arena, const char *text);

/**
 * A proxy list as bitsadmin wants it: "a.corp:3128,b.corp:3128".
 *
 * Returns NULL where such a list cannot say the same: http and https go to different proxies or direct, or one is no HTTP proxy.
 */
const char *command_proxies(struct arena *arena, enum proxy_dialect dialect, const char *list);

/** A bypass list as bitsadmin wants it: with blanks, as one word; `NULL` for none. Returns NULL where command_word() does. */
const char *command_bypass(struct arena *arena, const char *list);

#endif
