#ifndef MARSPROBE_ENGINE_MISSING_APIS_H
#define MARSPROBE_ENGINE_MISSING_APIS_H

#include "probe/core/evidence.h"

/** What this system does not tell is part of what a walk's silence means: one local fact "missing_api" each. */
void missing_apis_record(struct report *report);

#endif
