#ifndef MARSPROBE_ENGINE_MACHINE_PREFLIGHT_H
#define MARSPROBE_ENGINE_MACHINE_PREFLIGHT_H

#include <stdbool.h>

#include "probe/core/evidence.h"

struct registry;

/** Add to *registry what the live registry has for machine_preflight_record(). False on a system without one. */
bool machine_preflight_read(struct registry *registry);

/**
 * Write down, as local facts "preflight", what the local checks before registration go by.
 *
 * Input   registry: this machine's or an export's; NULL: there is none, and everything is "not_applicable". live: it is this machine's, whose
 *         folders, volumes and services may be looked at too.
 * Sends   nothing; changes nothing.
 */
void machine_preflight_record(struct report *report, const struct registry *registry, bool live);

#endif
