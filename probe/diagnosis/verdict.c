/* What a rule answers with: filling in a verdict. */

#include "probe/diagnosis/view.h"

#include <string.h>

#include "probe/core/arena.h"

static void add_once(struct arena *arena, struct text_list *list, const char *text)
{
	if (text && !text_list_has(list, text))
		text_list_add(arena, list, text);
}

bool verdict_set(const struct view *view, struct verdict *out, const char *cause, double confidence)
{
	const struct cause *row = cause_find(cause);
	(void)view;
	out->cause = row ? row->id : cause;
	out->stage = row ? row->stage : STAGE_NONE;
	out->owner = row ? row->owner : OWNER_NONE;
	out->confidence = confidence;
	return true;
}

void verdict_add_evidence(const struct view *view, struct verdict *out, const struct observation *observation)
{
	if (!observation)
		return;
	for (size_t i = 0; i < out->evidence.count; i++)
		if (out->evidence.items[i] == observation)
			return;
	/* the report's own item, which evidence refers to without being able to change it */
	for (size_t i = 0; i < view->report->observations.count; i++)
		if (view->report->observations.items[i] == observation)
			observation_list_add(view->report->arena, &out->evidence, view->report->observations.items[i]);
}

void verdict_add_also(const struct view *view, struct verdict *out, const char *text)
{
	add_once(view->report->arena, &out->also, text);
}

void verdict_add_not_run(const struct view *view, struct verdict *out, const char *experiment)
{
	add_once(view->report->arena, &out->not_run, experiment);
}

bool verdict_if_any(const struct view *view, struct verdict *out, const char *cause, double confidence, tried_is is)
{
	bool any = false;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!tried_failed(tried) || !is(view, tried))
			continue;
		if (!any)
			verdict_set(view, out, cause, confidence);
		any = true;
		verdict_add_evidence(view, out, tried_ended_by(tried));
	}
	return any;
}

const struct tuple *observation_tuple(const struct observation *observation)
{
	switch (observation->op) {
	case OP_DNS_QUERY:
		return &observation->dns.tuple;
	case OP_TCP_CONNECT:
		return &observation->tcp.tuple;
	case OP_TTL_PROBE:
		return &observation->ttl.tuple;
	case OP_PROXY_EXCHANGE:
		return &observation->proxy.tuple;
	case OP_TLS_HANDSHAKE:
		return &observation->tls.tuple;
	case OP_HTTP_EXCHANGE:
		return &observation->http.tuple;
	case OP_SYSTEM_LOOKUP:
	case OP_LOCAL_FACT:
	case OP_PROXY_SCRIPT:
	case OP_PROXY_DECISION:
		return NULL;
	}
	return NULL;
}
