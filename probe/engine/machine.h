#ifndef MARSPROBE_ENGINE_MACHINE_H
#define MARSPROBE_ENGINE_MACHINE_H

#include <stdbool.h>

struct registry;

/** Read the keys that count of this machine's registry. False where there is none. */
bool machine_registry_read(struct registry *out);

#endif
