/* The six stages of a path as the report shows them: how each went, when, and why it is not there. */

#include <string.h>

#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/parts.h"

static void span(struct stage_result *stage, const struct observation *observation)
{
	if (!observation)
		return;
	int64_t end_us = observation->start_us + observation->duration_us;
	if (stage->start_us == NOT_MEASURED) {
		stage->start_us = observation->start_us;
		stage->duration_us = observation->duration_us;
		return;
	}
	int64_t until_us = stage->start_us + stage->duration_us;
	if (observation->start_us < stage->start_us)
		stage->start_us = observation->start_us;
	stage->duration_us = (end_us > until_us ? end_us : until_us) - stage->start_us;
}

static struct stage_result *stage_add(struct path *path, enum stage stage)
{
	struct stage_result *result = &path->stages[path->stage_count++];
	*result = (struct stage_result){
		.stage = stage, .status = STATUS_PASS, .start_us = NOT_MEASURED, .duration_us = NOT_MEASURED};
	return result;
}

static void leave_out(struct stage_result *stage, enum status status, const char *because)
{
	stage->status = status;
	stage->because = because;
}

static void judge_settings(const struct view *view, struct path *path)
{
	struct stage_result *stage = stage_add(path, STAGE_SETTINGS);
	if (path->route.kind == ROUTE_DIRECT || path->route.kind == ROUTE_PROXY)
		leave_out(stage, STATUS_NOT_APPLICABLE, "this route reads no settings");
	else if (!path->route.via)
		leave_out(stage, STATUS_FAIL, path->route.problem);
	else if (path->route.problem)
		leave_out(stage, view_works(view) ? STATUS_WARN : STATUS_FAIL, path->route.problem);
}

static void span_names(const struct view *view, struct stage_result *stage)
{
	for (size_t i = 0; i < view->report->observations.count; i++) {
		const struct observation *one = view->report->observations.items[i];
		bool is_query = one->op == OP_DNS_QUERY && !one->dns.control && text_equal(one->dns.name, view->name);
		bool is_lookup = one->op == OP_SYSTEM_LOOKUP && text_equal(one->lookup.name, view->name);
		if ((is_query || is_lookup) && !observation_is_of_decision(one))
			span(stage, one);
	}
}

static void judge_dns(const struct view *view, struct path *path)
{
	struct stage_result *stage = stage_add(path, STAGE_DNS);
	struct dns_view dns;
	if (view->broke == STAGE_SETTINGS) {
		leave_out(stage, STATUS_SKIPPED, "the settings do not say where to go");
		return;
	}
	if (!view->name && !view->target_name) {
		leave_out(stage, STATUS_NOT_APPLICABLE, "there is no name to look up");
		return;
	}
	span_names(view, stage);
	dns_view_make(view, view->name, &dns);
	if (view->judged + view->cut == 0)
		stage->status = STATUS_FAIL;
	for (size_t i = 0; i < dns.count && stage->status == STATUS_PASS; i++)
		if (!dns.servers[i].control && dns.servers[i].outcome > DNS_SAYS_ADDRESS &&
		    dns.servers[i].outcome < DNS_UNFINISHED)
			stage->status = STATUS_WARN;
	if (stage->status == STATUS_FAIL && view->status == STATUS_INCONCLUSIVE)
		leave_out(stage, STATUS_SKIPPED, "the run ended before an answer came");
}

/* ------------------------------------------------------------------ stages of attempts */

static bool reached(const struct tried *tried, enum stage stage)
{
	return tried->broke == STAGE_NONE || tried->broke >= stage;
}

static const struct observation *shown_at(const struct tried *tried, enum stage stage)
{
	switch (stage) {
	case STAGE_TCP:
		return tried->tcp;
	case STAGE_PROXY:
		return tried->proxy;
	case STAGE_TLS:
		return tried->tls;
	case STAGE_HTTP:
		return tried->http;
	case STAGE_NONE:
	case STAGE_HOST:
	case STAGE_SETTINGS:
	case STAGE_DNS:
		return NULL;
	}
	return NULL;
}

/* NULL: the stage belongs to this path. */
static const char *not_applicable(const struct view *view, enum stage stage)
{
	if (stage == STAGE_PROXY && !view->proxied)
		return "no proxy on this route";
	if (stage == STAGE_TLS && !is_https(view->target))
		return "this target does not speak TLS";
	if (stage == STAGE_HTTP && view->target->kind != TARGET_URL)
		return "this target does not speak HTTP";
	return NULL;
}

static const char *why_skipped(const struct view *view)
{
	switch (view->broke) {
	case STAGE_SETTINGS:
		return "the settings do not say where to go";
	case STAGE_DNS:
		return "no address to try";
	case STAGE_TCP:
		return "no connection";
	case STAGE_PROXY:
		return "the proxy gave no way through";
	case STAGE_TLS:
		return "no TLS session";
	case STAGE_NONE:
	case STAGE_HOST:
	case STAGE_HTTP:
		break;
	}
	return view->cut ? "the run ended before" : "nothing was tried on this route";
}

static void judge_attempts(const struct view *view, struct path *path, enum stage number)
{
	struct stage_result *stage = stage_add(path, number);
	const char *why_not = not_applicable(view, number);
	size_t here = 0, passed = 0;
	if (why_not) {
		leave_out(stage, STATUS_NOT_APPLICABLE, why_not);
		return;
	}
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!tried->judged || tried->cut || !reached(tried, number))
			continue;
		here++;
		passed += tried->broke != number;
		span(stage, shown_at(tried, number));
	}
	if (number == STAGE_TCP && view->sweep && view->status != STATUS_INCONCLUSIVE)
		stage->status = view->status;
	else if (!here)
		leave_out(stage, STATUS_SKIPPED, why_skipped(view));
	else if (passed < here)
		stage->status = passed ? STATUS_WARN : STATUS_FAIL;
}

void stages_judge(const struct view *view, struct path *path)
{
	path->stage_count = 0;
	judge_settings(view, path);
	judge_dns(view, path);
	for (enum stage stage = STAGE_TCP; stage <= STAGE_HTTP; stage++)
		judge_attempts(view, path, stage);
}
