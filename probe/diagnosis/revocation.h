#ifndef MARSPROBE_DIAGNOSIS_REVOCATION_H
#define MARSPROBE_DIAGNOSIS_REVOCATION_H

#include "probe/diagnosis/view.h"

/** The first host of the revocation lists and OCSP servers that the path's certificates name, if all those that this run asked for cannot be
 *  reached; NULL else. */
const char *revocation_blocked_host(const struct view *view);

#endif
