#ifndef MARSPROBE_DIAGNOSIS_BYPASS_FORM_H
#define MARSPROBE_DIAGNOSIS_BYPASS_FORM_H

#include "probe/diagnosis/view.h"

/**
 * The entry of the bypass list that was to send this path's target direct, and does not, because Windows does not honour its form.
 *
 * Forms   a range like 10.0.0.0/8 that holds an address of the target, as direct paths of this run found it; a domain without its star, which
 *         the target's name is below; a URL with a path. Only where a static list decided and the path goes by a proxy.
 * Output  the entry as it is written, in the arena; NULL: there is none.
 */
const char *bypass_entry_meant(const struct view *view);

#endif
