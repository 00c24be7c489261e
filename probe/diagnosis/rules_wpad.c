/* Table C, the part about automatic detection (WPAD): it finds nothing, takes long, or is led astray. */

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/diagnosis/contrast.h"
#include "probe/diagnosis/rules.h"
#include "probe/diagnosis/script_view.h"

enum { STALL_US = 2 * 1000 * 1000 };

static const struct observation *detection(const struct view *view)
{
	bool is_asked = is_by_settings(view) && view->target->kind != TARGET_CIDR;
	return is_asked ? script_search(view, "auto_detect") : NULL;
}

/* ------------------------------------------------------------------ nothing is found */

static bool works_for_other(const struct view *view)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		if (other->path->identity == view->path->identity &&
		    other->path->route.kind == view->path->route.kind && other->target->kind != TARGET_CIDR &&
		    view_works(other))
			return true;
	}
	return false;
}

/**
 * Detection is all that is set, it finds nothing, and so everything goes direct, which fails.
 *
 * On most servers detection is on and finds nothing, and that is well: it is the cause only where a proxy works otherwise, or where nothing
 * at all gets out directly.
 */
bool rule_cfg_wpad_not_found(const struct view *view, struct verdict *out)
{
	const struct observation *search = detection(view);
	bool none = search && !search->script.found_by && search->failure == FAILURE_NONE;
	if (!none || view->proxied || view_works(view) || view->status == STATUS_INCONCLUSIVE ||
	    !text_equal(view->path->route.mechanism, "direct"))
		return false;
	const struct view *other = other_proxy_works(view);
	if (!other && (works_for_other(view) || view->broke == STAGE_DNS))
		return false;
	verdict_add_evidence(view, out, search);
	if (!other)
		verdict_add_not_run(view, out, "this target through a proxy");
	return contrast_verdict(view, out, "cfg_wpad_not_found", other ? 0.85 : 0.5, other);
}

/* ------------------------------------------------------------------ it takes long */

/** Whoever opens a connection waits so long first, unless a result is remembered. */
bool rule_cfg_autodetect_stalls(const struct view *view, struct verdict *out)
{
	const struct observation *search = detection(view);
	if (!search || search->duration_us <= STALL_US || !view_works(view))
		return false;
	verdict_add_evidence(view, out, search);
	for (size_t i = 0; i < search->script.names.count; i++)
		script_add_questions(view, out, "wpad", search->script.names.items[i]);
	return verdict_set(view, out, "cfg_autodetect_stalls", 0.9);
}

/* ------------------------------------------------------------------ it is led astray */

/* The name that gave the script's address, in the arena; NULL: not found by DNS. */
static const char *name_found(const struct view *view, const struct observation *search)
{
	struct url url;
	if (!search || !text_equal(search->script.found_by, "dns") || !search->script.url ||
	    !url_parse(view->report->arena, search->script.url, &url))
		return NULL;
	return url.host;
}

static bool is_address(const struct dns_answer *answer)
{
	return text_equal(answer->type, "A") || text_equal(answer->type, "AAAA");
}

static bool has_address(const struct observation *query, const struct dns_answer *wanted)
{
	for (size_t i = 0; i < query->dns.answer_count; i++)
		if (is_address(&query->dns.answers[i]) && text_equal(query->dns.answers[i].data, wanted->data))
			return true;
	return false;
}

/* An answer with addresses to the question for that name, of a configured server. */
static bool is_answer(const struct observation *one, const char *name)
{
	if (one->op != OP_DNS_QUERY || one->dns.control || !text_equal(one->experiment, "wpad") || !one->dns.name ||
	    strcasecmp(one->dns.name, name) != 0)
		return false;
	for (size_t i = 0; i < one->dns.answer_count; i++)
		if (is_address(&one->dns.answers[i]))
			return true;
	return false;
}

/* Both servers have addresses for the same question, and none in common. */
static bool contradict(const struct observation *a, const struct observation *b)
{
	if (text_equal(a->dns.server, b->dns.server) || !text_equal(a->dns.type, b->dns.type))
		return false;
	for (size_t i = 0; i < a->dns.answer_count; i++)
		if (is_address(&a->dns.answers[i]) && has_address(b, &a->dns.answers[i]))
			return false;
	return true;
}

static bool servers_contradict(const struct view *view, const char *name, struct verdict *out)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		for (size_t k = i + 1; is_answer(list->items[i], name) && k < list->count; k++) {
			if (!is_answer(list->items[k], name) || !contradict(list->items[i], list->items[k]))
				continue;
			verdict_add_evidence(view, out, list->items[i]);
			verdict_add_evidence(view, out, list->items[k]);
			return true;
		}
	return false;
}

/* The last two labels, "corp.test" of "wpad.berlin.corp.test": whoever shares them is taken for the same house. */
static const char *house_of(const char *name)
{
	const char *at = name + strlen(name);
	for (int dots = 0; at > name; at--)
		if (at[-1] == '.' && ++dots == 2)
			break;
	return at;
}

static bool is_under(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);
	return length >= tail && strcasecmp(name + length - tail, suffix) == 0 &&
	       (length == tail || name[length - tail - 1] == '.');
}

/* An alias that leads out of the domain that the name is in. */
static const char *leads_out(const struct view *view, const char *name, struct verdict *out)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		for (size_t k = 0; is_answer(list->items[i], name) && k < list->items[i]->dns.answer_count; k++) {
			const struct dns_answer *answer = &list->items[i]->dns.answers[k];
			if (!text_equal(answer->type, "CNAME") || !answer->data ||
			    is_under(answer->data, house_of(name)))
				continue;
			verdict_add_evidence(view, out, list->items[i]);
			return answer->data;
		}
	return NULL;
}

static bool is_astray(const struct view *view, struct verdict *out)
{
	const struct observation *search = detection(view);
	const char *name = name_found(view, search);
	if (!name)
		return false;
	struct verdict seen = *out;
	verdict_add_evidence(view, &seen, search);
	const char *alias = leads_out(view, name, &seen);
	if (!alias && !servers_contradict(view, name, &seen))
		return false;
	*out = seen;
	if (alias)
		verdict_add_also(view, out,
				 arena_printf(view->report->arena, "%s is an alias of %s, which is not below %s", name,
					      alias, house_of(name)));
	else
		verdict_add_also(
			view, out,
			arena_printf(view->report->arena, "the DNS servers lead %s to different places", name));
	return verdict_set(view, out, "cfg_wpad_hijacked", alias ? 0.7 : 0.6);
}

/** The script of a wpad name that leads astray decides, or does not come, and the path fails. */
bool rule_cfg_wpad_hijacked(const struct view *view, struct verdict *out)
{
	const struct route *route = &view->path->route;
	bool takes_part = text_equal(route->mechanism, "auto_detect") || route->error;
	if (!takes_part || view_works(view) || view->status == STATUS_INCONCLUSIVE || !is_astray(view, out))
		return false;
	contrast_show(view, out, other_proxy_works(view));
	return true;
}

/** The same where the path works: who gave the script can read and change what this server sends. */
bool rule_cfg_wpad_hijacked_unnoticed(const struct view *view, struct verdict *out)
{
	return view_works(view) && is_astray(view, out);
}
