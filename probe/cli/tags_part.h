#ifndef MARSPROBE_CLI_TAGS_PART_H
#define MARSPROBE_CLI_TAGS_PART_H

#include <stdbool.h>

#include "probe/cli/options.h"
#include "targets/service_tags.h"

/**
 * Read the file of --service-tags: UTF-8, or UTF-16 with its mark, as PowerShell writes it. Without the option *out stays as it is.
 *
 * Memory  in the arena.
 * Errors  false with "FILE:LINE: place reason".
 */
bool tags_load(struct arena *arena, const struct options *options, struct service_tags *out, struct err *err);

/**
 * Write down after a run which tags hold each address that a target's name has ("address_tags" facts), in which tags it should stand, and
 * the prefixes of those. Nothing where tags were not loaded. A file that says nothing of any target is warned of.
 */
void tags_place(struct report *report, const struct options *options, const struct service_tags *tags);

#endif
