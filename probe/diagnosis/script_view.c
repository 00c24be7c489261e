#include "probe/diagnosis/script_view.h"

#include <string.h>
#include <strings.h>

enum { STALL_US = 2 * 1000 * 1000, QUESTIONS_SHOWN = 4 };

bool script_was_cut(const struct observation *observation)
{
	return observation->failure == FAILURE_DEADLINE || observation->failure == FAILURE_INTERRUPTED;
}

/* Who asks for a script that is there already is not among those for whom it was fetched. */
static bool is_named_by_setting(const struct view *view, const struct proxy_script *script)
{
	const struct proxy_setting *setting = view_setting(view, view->path->identity, view->path->route.kind);
	if (!setting)
		return false;
	if (text_equal(script->mechanism, "auto_detect"))
		return setting->auto_detect;
	return setting->pac_enabled && setting->pac_url && text_equal(script->url, setting->pac_url);
}

const struct observation *script_search(const struct view *view, const char *mechanism)
{
	const struct observation_list *list = &view->report->observations;
	const struct observation *alike = NULL;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op != OP_PROXY_SCRIPT || script_was_cut(one) || !text_equal(one->script.mechanism, mechanism))
			continue;
		if (path_list_has(&one->paths, view->path))
			return one;
		if (is_named_by_setting(view, &one->script))
			alike = one;
	}
	return alike;
}

/* An evaluation that failed: for this path's URL, or one after which the script was asked no more. */
static const struct observation *failed_decision(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	const struct observation *alike = NULL;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op != OP_PROXY_DECISION || script_was_cut(one) || !one->decision.error)
			continue;
		if (path_list_has(&one->paths, view->path))
			return one;
		if (text_equal(one->decision.error, view->path->route.error))
			alike = one;
	}
	return alike;
}

const struct observation *script_fault(const struct view *view)
{
	static const char *const mechanisms[] = {"auto_detect", "pac"};
	if (!view->path->route.error)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		const struct observation *search = script_search(view, mechanisms[i]);
		if (search && text_equal(search->script.error, view->path->route.error))
			return search;
	}
	return failed_decision(view);
}

const struct observation *script_decision(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_PROXY_DECISION && !script_was_cut(one) && !one->decision.error &&
		    text_equal(one->decision.mechanism, view->path->route.mechanism) &&
		    path_list_has(&one->paths, view->path))
			return one;
	}
	return NULL;
}

static bool share_path(const struct observation *a, const struct observation *b)
{
	for (size_t i = 0; i < a->paths.count; i++)
		if (path_list_has(&b->paths, a->paths.items[i]))
			return true;
	return false;
}

static bool is_question(const struct observation *one)
{
	return one->op == OP_DNS_QUERY || one->op == OP_SYSTEM_LOOKUP;
}

/* The latest step: of connections, whatever came of them; or of look-ups, one that failed. */
static const struct observation *last_step(const struct view *view, const struct observation *search, bool questions)
{
	const struct observation_list *list = &view->report->observations;
	const struct observation *last = NULL;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (!text_equal(one->experiment, "pac_download") || script_was_cut(one) || !share_path(one, search) ||
		    is_question(one) != questions || (questions && one->failure == FAILURE_NONE))
			continue;
		if (!last || one->start_us >= last->start_us)
			last = one;
	}
	return last;
}

const struct observation *script_download_end(const struct view *view, const struct observation *search)
{
	if (search->op != OP_PROXY_SCRIPT)
		return NULL;
	const struct observation *step = last_step(view, search, false);
	return step ? step : last_step(view, search, true);
}

/* ------------------------------------------------------------------ names that a script asked for */

static bool asks_dns(const char *call)
{
	static const char *const helpers[] = {"isInNet(",      "isInNetEx(",	"dnsResolve(",
					      "dnsResolveEx(", "isResolvable(", "isResolvableEx("};
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (strncmp(call, helpers[i], strlen(helpers[i])) == 0)
			return true;
	return false;
}

/* Its first argument is that name. */
static bool is_call_about(const char *call, const char *name)
{
	const char *first = strchr(call, '(');
	size_t length = strlen(name);
	return asks_dns(call) && first[1] == '"' && strncasecmp(first + 2, name, length) == 0 &&
	       first[2 + length] == '"';
}

static bool is_asked_for(const struct proxy_decision *decision, const char *name)
{
	for (size_t i = 0; name && i < decision->call_count; i++)
		if (decision->calls[i].call && is_call_about(decision->calls[i].call, name))
			return true;
	return false;
}

static bool is_absence(enum failure failure)
{
	return failure == FAILURE_DNS_NXDOMAIN || failure == FAILURE_DNS_NO_ANSWER;
}

/* Every server that was asked says that there is no such name. The system's own lookup may say so of a silence, too. */
static bool is_denied(const struct view *view, const struct observation *lookup)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_DNS_QUERY && text_equal(one->experiment, "pac_dns") && !one->dns.control &&
		    text_equal(one->dns.name, lookup->lookup.name) && one->failure != FAILURE_NONE &&
		    !is_absence(one->failure))
			return false;
	}
	return is_absence(lookup->failure);
}

void script_names_fault(const struct view *view, struct script_name_fault *out)
{
	const struct observation_list *list = &view->report->observations;
	const struct observation *decision = script_decision(view);
	*out = (struct script_name_fault){0};
	for (size_t i = 0; decision && i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op != OP_SYSTEM_LOOKUP || !text_equal(one->experiment, "pac_dns") || script_was_cut(one) ||
		    !is_asked_for(&decision->decision, one->lookup.name))
			continue;
		if (one->failure == FAILURE_NONE && one->duration_us < STALL_US)
			continue;
		if (!out->lookup || out->absent)
			*out = (struct script_name_fault){one, one->lookup.name, is_denied(view, one)};
	}
}

void script_add_questions(const struct view *view, struct verdict *out, const char *experiment, const char *name)
{
	const struct observation_list *list = &view->report->observations;
	size_t shown = 0;
	for (size_t i = 0; i < list->count && shown < QUESTIONS_SHOWN; i++) {
		const struct observation *one = list->items[i];
		bool is_question = one->op == OP_DNS_QUERY && text_equal(one->experiment, experiment) &&
				   one->dns.name && strcasecmp(one->dns.name, name) == 0;
		if (is_question && one->failure != FAILURE_NONE && ++shown)
			verdict_add_evidence(view, out, one);
	}
}
