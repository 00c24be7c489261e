#include "probe/engine/interrupts.h"

#include <signal.h>

void interrupts_start(uv_loop_t *loop, uv_signal_t *handles, uv_signal_cb done, void *data)
{
#ifdef SIGBREAK /* Ctrl-Break; closing the console gives SIGHUP, which elsewhere may be ignored on purpose (nohup) */
	static const int numbers[] = {SIGINT, SIGBREAK, SIGHUP};
#else
	static const int numbers[] = {SIGINT, SIGTERM};
#endif
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uv_signal_init(loop, &handles[i]);
		handles[i].data = data;
		uv_signal_start(&handles[i], done, numbers[i]);
	}
}
