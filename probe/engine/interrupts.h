#ifndef MARSPROBE_ENGINE_INTERRUPTS_H
#define MARSPROBE_ENGINE_INTERRUPTS_H

#include <uv.h>

enum { INTERRUPTS = 3 };

/** Listen to what ends a run by the user's will (Ctrl-C, Ctrl-Break, a closed console; SIGTERM). handles: INTERRUPTS of them, data goes into
 *  them; they live as long as the loop, which is never closed. */
void interrupts_start(uv_loop_t *loop, uv_signal_t *handles, uv_signal_cb done, void *data);

#endif
