#ifndef MARSPROBE_ENGINE_HANDOVER_H
#define MARSPROBE_ENGINE_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/engine/engine.h"
#include "probe/plan/plan.h"

struct strbuf;

/**
 * What the process that was started hands over to the one that runs as SYSTEM, so that both carry out the same plan. It travels in the
 * pipe between the two only: it holds the proxy's password.
 */
struct handover {
	struct report
		*report; /* targets, inputs, and the settings where settings_given; what else it holds is passed over */
	struct plan_options plan;		/* the routes asked for */
	struct engine_options engine;		/* all but what belongs to the process that calls */
	const char *agent_proxy, *agent_source; /* as in struct settings_input */
	bool settings_given;			/* by an export: the machine's own are not to be read */
};

/** Write it as one JSON document. */
void handover_to_json(const struct handover *handover, struct strbuf *out);
/** Read it back; everything lives in out->report->arena. Errors: false with the reason; *out is not to be used. */
bool handover_from_json(const char *text, size_t length, struct handover *out, struct err *err);

#endif
