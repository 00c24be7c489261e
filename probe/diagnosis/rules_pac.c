/*
 * Table C, the part about PAC scripts. A script that does not come, or breaks, makes Windows go on with the next mechanism (wininet.md 4): the
 * path then fails or works by that, which nobody meant. A script that answers has the last word, be it a wrong one.
 */

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/contrast.h"
#include "probe/diagnosis/proxy_reply.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/script_view.h"

/* ------------------------------------------------------------------ a script that gives nothing */

/* NULL: the error is no cause. One that was not run for want of a sandbox says nothing of the script. */
static const char *cause_of(const struct observation *fault)
{
	static const struct {
		const char *error, *cause;
	} causes[] = {
		{"unreachable", "cfg_pac_unreachable"}, {"bad_address", "cfg_pac_unreachable"},
		{"needs_auth", "cfg_pac_needs_auth"},	{"not_script", "cfg_pac_not_script"},
		{"syntax", "cfg_pac_script_error"},	{"no_entry_point", "cfg_pac_script_error"},
		{"exception", "cfg_pac_script_error"},	{"bad_return", "cfg_pac_script_error"},
		{"timeout", "cfg_pac_script_error"},	{"memory", "cfg_pac_script_error"},
	};
	const char *error = fault->op == OP_PROXY_SCRIPT ? fault->script.error : fault->decision.error;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (text_equal(causes[i].error, error))
			return causes[i].cause;
	if (text_equal(error, "too_large")) /* what was fetched, or what a call returned */
		return fault->op == OP_PROXY_SCRIPT ? "cfg_pac_not_script" : "cfg_pac_script_error";
	return NULL;
}

/* The machine account might be let in where Negotiate or NTLM is offered, and only a run under it could tell; Basic and Digest it has nothing
 * for. */
static bool might_sign_in(const struct view *view, const struct observation *end)
{
	if (!view->identity || view->identity->mode != MODE_SETTINGS || !end || end->op != OP_HTTP_EXCHANGE)
		return false;
	for (size_t i = 0; i < end->http.headers.count; i++) {
		const struct header *header = &end->http.headers.items[i];
		bool offers = strcasecmp(header->name, "www-authenticate") == 0 ||
			      strcasecmp(header->name, "proxy-authenticate") == 0;
		if (offers && (text_has(header->value, "negotiate") || text_has(header->value, "ntlm")))
			return true;
	}
	return false;
}

static bool name_fault(const struct view *view, struct verdict *out, const struct observation *fault, double confidence)
{
	const char *cause = cause_of(fault);
	const struct observation *end = script_download_end(view, fault);
	verdict_set(view, out, cause, confidence);
	verdict_add_evidence(view, out, fault);
	verdict_add_evidence(view, out, end);
	if (strcmp(cause, "cfg_pac_needs_auth") == 0 && might_sign_in(view, end)) {
		out->confidence = 0.45;
		if (out->status == STATUS_FAIL)
			out->status = STATUS_INCONCLUSIVE;
		verdict_add_not_run(view, out, "the download by the machine account");
	}
	return true;
}

/* Names die here, the script's and the target's alike, because no server answers: that is not the script's fault. */
static bool is_all_of_dns(const struct view *view, const struct observation *fault)
{
	const struct observation *end = script_download_end(view, fault);
	bool at_name = end && (end->op == OP_DNS_QUERY || end->op == OP_SYSTEM_LOOKUP);
	return view->broke == STAGE_DNS && at_name && end->failure != FAILURE_DNS_NXDOMAIN &&
	       end->failure != FAILURE_DNS_NO_ANSWER;
}

/* By what came in the place of the same failed script, another target works: then the failure of this one has a reason of its own. */
static bool fallback_works_for_other(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other->path->identity == view->path->identity && other->target->kind != TARGET_CIDR &&
		    other->path->route.kind == view->path->route.kind && other->path->route.error && view_works(other))
			return true;
	}
	return false;
}

/** No script, or one that breaks; and what comes next in the setting's order fails, or there is nothing. */
bool rule_cfg_pac_broken(const struct view *view, struct verdict *out)
{
	const struct observation *fault = script_fault(view);
	bool nowhere = fault && !view->path->route.via;
	if (!fault || !cause_of(fault) || view_works(view) || (view->status == STATUS_INCONCLUSIVE && !nowhere))
		return false;
	const struct view *same = other_proxy_works(view), *other = same ? same : proxy_works_for_other(view);
	if (!other && !nowhere && (is_all_of_dns(view, fault) || fallback_works_for_other(view)))
		return false;
	if (nowhere)
		out->status = STATUS_FAIL;
	name_fault(view, out, fault, same || nowhere ? 0.9 : other ? 0.8 : 0.7);
	contrast_show(view, out, same);
	return true;
}

/** The same where what comes next works: it works by accident, and the admin believes in a script that nobody gets. */
bool rule_cfg_pac_broken_unnoticed(const struct view *view, struct verdict *out)
{
	const struct observation *fault = script_fault(view);
	if (!fault || !cause_of(fault) || !view->path->route.via || view->target->kind == TARGET_CIDR)
		return false;
	verdict_add_also(view, out,
			 view_works(view) ? "Windows goes on without the script, and that works here" : NULL);
	return name_fault(view, out, fault, 0.8);
}

/** The script was not run: what its answer would have been, nobody knows. */
bool remark_cfg_script_not_run(const struct view *view, struct verdict *out)
{
	const struct observation *fault = script_fault(view);
	if (!route_script_not_run(&view->path->route))
		return false;
	verdict_add_evidence(view, out, fault);
	verdict_add_also(view, out, view->path->route.problem);
	out->status = STATUS_PASS;
	return true;
}

/* ------------------------------------------------------------------ a script that says DIRECT */

/* The first thing that the script named, not what is left of a list. */
static bool says_direct(const struct view *view)
{
	const struct route *route = &view->path->route;
	return is_by_script(view) && !view->proxied &&
	       (!route->list.count || text_equal(route->list.items[0], "DIRECT"));
}

/* Nothing of the target's own was heard: the way is shut. */
static bool is_shut(const struct view *view)
{
	if (view->broke == STAGE_TCP)
		return true;
	const struct tried *broken = view->broke == STAGE_TLS ? view_broken_at(view, STAGE_TLS) : NULL;
	return broken && broken->tls && !broken->tls->tls.chain_count;
}

static bool direct_works_for_other(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (!other->proxied && other->path->identity == view->path->identity &&
		    other->target->kind != TARGET_CIDR && view_works(other))
			return true;
	}
	return false;
}

/** DIRECT, and that fails. Surest where a proxy works for the same target; without any contrast only where nothing at all gets out. */
bool rule_cfg_pac_returns_direct(const struct view *view, struct verdict *out)
{
	if (!says_direct(view) || view_works(view) || view->status == STATUS_INCONCLUSIVE)
		return false;
	const struct view *same = other_proxy_works(view), *other = same ? same : proxy_works_for_other(view);
	if (!other && (!is_shut(view) || direct_works_for_other(view)))
		return false;
	verdict_add_evidence(view, out, script_decision(view));
	if (!same)
		verdict_add_not_run(view, out, "this target through a proxy");
	return contrast_verdict(view, out, "cfg_pac_returns_direct", same ? 0.9 : other ? 0.75 : 0.5, other);
}

/* ------------------------------------------------------------------ a script that asks DNS */

/** A look-up that the script made on this server came to nothing, or took very long; it may have taken a wrong branch by it, and fails. */
bool rule_cfg_pac_depends_on_client_dns(const struct view *view, struct verdict *out)
{
	struct script_name_fault name;
	if (!is_by_script(view) || view_works(view) || view->status == STATUS_INCONCLUSIVE)
		return false;
	script_names_fault(view, &name);
	const struct view *same = other_proxy_works(view), *other = same ? same : proxy_works_for_other(view);
	/* that there is no such name is an answer, and may well be what the script asks for */
	if (!name.lookup || !other || (!same && (name.absent || !says_direct(view))))
		return false;
	verdict_add_evidence(view, out, script_decision(view));
	script_add_questions(view, out, "pac_dns", name.name);
	verdict_add_evidence(view, out, name.lookup);
	verdict_add_not_run(view, out, "the script with an answer to its question");
	return contrast_verdict(view, out, "cfg_pac_depends_on_client_dns", name.absent || !same ? 0.6 : 0.8, other);
}

/* ------------------------------------------------------------------ a list whose first proxy is dead */

static bool is_host_in(const char *via_text, const struct view *view, const char *name)
{
	struct via via;
	return via_parse(view->report->arena, via_text, &via) && via.host && name && strcasecmp(via.host, name) == 0;
}

/* That its name has no address. */
static const struct observation *failed_lookup(const struct view *view, const char *via_text)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_SYSTEM_LOOKUP && !list->items[i]->experiment &&
		    list->items[i]->failure != FAILURE_NONE && is_host_in(via_text, view, list->items[i]->lookup.name))
			return list->items[i];
	return NULL;
}

/** The first entry of the script's list does not let itself be reached, and a later one works. Each connection waits for that anew. */
bool rule_cfg_pac_first_proxy_dead(const struct view *view, struct verdict *out)
{
	const struct text_list *entries = &view->path->route.list;
	if (!is_by_script(view) || entries->count < 2 || text_equal(entries->items[0], view->path->route.via) ||
	    text_equal(entries->items[0], "DIRECT") || !view_works(view))
		return false;
	verdict_add_evidence(view, out, script_decision(view));
	for (size_t i = 0; i < view->tried_count; i++)
		if (text_equal(view->tried[i].attempt->via, entries->items[0]))
			verdict_add_evidence(view, out, tried_ended_by(&view->tried[i]));
	verdict_add_evidence(view, out, failed_lookup(view, entries->items[0]));
	verdict_add_also(view, out,
			 arena_printf(view->report->arena, "%s does not let itself be reached; %s works",
				      entries->items[0], view->path->route.via));
	return verdict_set(view, out, "cfg_pac_first_proxy_dead", 0.9);
}
