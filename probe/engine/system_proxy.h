#ifndef MARSPROBE_ENGINE_SYSTEM_PROXY_H
#define MARSPROBE_ENGINE_SYSTEM_PROXY_H

#include "probe/core/evidence.h"

struct run;

/**
 * Ask the system's own client for the proxies that scripts have named here, and write down whether both agree (local fact "proxy_answer").
 * Only of settings of this machine, for the account of this process. run->system_proxy is set until it has answered.
 */
void system_proxy_begin(struct run *run);
/** What it says from now on is not waited for. */
void system_proxy_cut(struct run *run);

#endif
