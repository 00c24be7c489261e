#ifndef MARSPROBE_ENGINE_SCRIPT_ANSWER_H
#define MARSPROBE_ENGINE_SCRIPT_ANSWER_H

/* What the process of a PAC script says, taken for hostile. */

#include <stdbool.h>

#include "probe/core/evidence.h"
#include "probe/engine/script_process.h"
#include "probe/settings/pac_wire.h"

/** A text of the process as everybody may show it: UTF-8, each tab a blank, each other control character U+FFFD. xmalloc()ed. */
char *script_text_clean(const struct pac_text *text);

/**
 * Do the parts of a LOADED or an ANSWER go together, with words that the contract knows?
 *
 * Output  error and entry_point of *out, static; message and result are NULL.
 */
bool script_answer_read(const struct pac_message *message, struct script_process_answer *out);

/** What decided, for people: the result, and the last call before it that was none of alert(). Text in arena. */
const char *script_rule(struct arena *arena, const struct proxy_decision *decision);

#endif
