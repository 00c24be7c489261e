#ifndef MARSPROBE_ROUTES_MACHINE_ROUTES_H
#define MARSPROBE_ROUTES_MACHINE_ROUTES_H

#include "probe/routes/route_table.h"

/** This machine's own routing table. Memory: the arena's. False: the system does not list it; *out is then empty. */
bool machine_routes(struct arena *arena, struct route_table *out);

#endif
