/* What Windows' own settings have to do with a path: name policy and TLS (table H), the environment of services and the system's own word on
 * the proxy (table C). */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/rules.h"
#include "probe/settings/settings.h"

/* ------------------------------------------------------------------ name policy */

/* The rule that sends the name of this path elsewhere, NULL if there is none. */
static const struct observation *rule_of(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; view->name && i < list->count; i++)
		if (list->items[i]->op == OP_LOCAL_FACT && text_equal(list->items[i]->fact.fact, "nrpt_rule") &&
		    path_list_has(&list->items[i]->paths, view->path))
			return list->items[i];
	return NULL;
}

static bool gives(const struct dns_view *dns, const char *address)
{
	for (size_t i = 0; i < dns->count; i++) {
		const struct observation *shown = dns->servers[i].shown;
		for (size_t k = 0; shown && k < shown->dns.answer_count; k++)
			if (text_equal(shown->dns.answers[k].data, address))
				return true;
	}
	return false;
}

/* Does the system's lookup, which goes by the rule, end otherwise than the questions to the configured servers, which do not? */
static bool lookup_differs(const struct dns_view *dns)
{
	if (!dns->lookup || !dns_any(dns, DNS_SAYS_ADDRESS) || dns->lookup->failure == FAILURE_DEADLINE ||
	    dns->lookup->failure == FAILURE_INTERRUPTED)
		return false;
	for (size_t i = 0; i < dns->lookup->lookup.addresses.count; i++)
		if (gives(dns, dns->lookup->lookup.addresses.items[i]))
			return false;
	return true;
}

/* An address works that only a configured server gave, not the lookup. */
static bool other_address_works(const struct view *view)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (tried->attempt->found_by == FOUND_BY_SERVER && !tried->cut && tried->broke == STAGE_NONE)
			return true;
	}
	return false;
}

/* Other servers may well give other addresses that work too: to blame the rule takes a lookup that failed, or a contrast. */
bool rule_host_nrpt_rule_redirects(const struct view *view, struct verdict *out)
{
	struct dns_view dns;
	const struct observation *rule = rule_of(view);
	if (!rule || view_works(view))
		return false;
	dns_view_make(view, view->name, &dns);
	bool failed = dns.lookup && dns.lookup->failure != FAILURE_NONE;
	if (!lookup_differs(&dns) || (!failed && !other_address_works(view)))
		return false;
	verdict_set(view, out, "host_nrpt_rule_redirects", 0.9);
	verdict_add_evidence(view, out, rule);
	verdict_add_evidence(view, out, dns.lookup);
	dns_add_evidence(view, out, &dns, DNS_SAYS_ADDRESS);
	return true;
}

/* It is worth a word wherever it applies, and no warning. */
bool rule_host_nrpt_rule_applies(const struct view *view, struct verdict *out)
{
	struct verdict blamed = {0};
	const struct observation *rule = rule_of(view);
	if (!rule || rule_host_nrpt_rule_redirects(view, &blamed))
		return false;
	verdict_add_also(view, out, "host_nrpt_rule_redirects");
	out->status = STATUS_PASS;
	return true;
}

/* ------------------------------------------------------------------ TLS 1.2 */

static bool begins(const char *text, const char *start)
{
	return text && strncmp(text, start, strlen(start)) == 0;
}

/* The settings of the 64-bit system stack under that name that switch TLS 1.2 off. With out: as evidence. */
static bool tls12_is_off(const struct view *view, const char *name, struct verdict *out)
{
	const struct observation_list *list = &view->report->observations;
	bool off = false;
	for (size_t i = 0; i < list->count; i++) {
		const struct local_fact *fact = &list->items[i]->fact;
		if (list->items[i]->op != OP_LOCAL_FACT || !text_equal(fact->fact, "tls_setting") ||
		    !text_equal(fact->state, "off") || !begins(fact->subject, name))
			continue;
		off = true;
		if (out)
			verdict_add_evidence(view, out, list->items[i]);
	}
	return off;
}

static bool is_systems_tls(const struct observation *one)
{
	return one->op == OP_HTTP_EXCHANGE && text_equal(one->experiment, "system_stack") &&
	       begins(one->http.url, "https:");
}

/* The same request by the system's own client, NULL if none was made. */
static const struct observation *systems_own(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		if (is_systems_tls(list->items[i]) && path_list_has(&list->items[i]->paths, view->path))
			return list->items[i];
	return NULL;
}

static bool system_connects_somewhere(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		if (is_systems_tls(list->items[i]) && list->items[i]->failure == FAILURE_NONE)
			return true;
	return false;
}

/* Servers answer a hello of an old version by an alert, or hang up. */
static bool handshake_failed(const struct observation *exchange)
{
	return exchange && (exchange->failure == FAILURE_SSL_FAILED_HANDSHAKE ||
			    exchange->failure == FAILURE_CONNECTION_RESET || exchange->failure == FAILURE_EOF);
}

bool rule_host_tls12_disabled_schannel(const struct view *view, struct verdict *out)
{
	bool off = tls12_is_off(view, "schannel/", NULL);
	if (!is_https(view->target) || !(off || tls12_is_off(view, "winhttp/", NULL)))
		return false;
	const struct observation *own = systems_own(view);
	if (view->status == STATUS_PASS && handshake_failed(own)) {
		/* it works for us; the agent has only the system's stack. Whether it goes by WinHTTP's own default, nobody has written */
		verdict_set(view, out, "host_tls12_disabled_schannel", off ? 0.9 : 0.6);
		out->status = off ? STATUS_FAIL : STATUS_WARN;
		verdict_add_evidence(view, out, own);
	} else if (own && own->failure != FAILURE_NONE) { /* for another reason, or with more to be said of it */
		verdict_add_also(view, out, "host_tls12_disabled_schannel");
		out->status = STATUS_PASS;
	} else if (system_connects_somewhere(view)) {
		verdict_add_also(view, out,
				 "the registry switches TLS 1.2 off, and yet the system's own client connects: it may "
				 "take effect at the next restart");
		out->status = STATUS_PASS;
	} else {
		verdict_set(view, out, "host_tls12_disabled_schannel", 0.6);
		verdict_add_not_run(view, out, "this target by the system's own HTTP client");
	}
	tls12_is_off(view, "schannel/", out);
	tls12_is_off(view, "winhttp/", out);
	return true;
}

/* ------------------------------------------------------------------ settings beside the settings */

static bool decide(const struct view *view, const struct proxy_setting *setting, const char **via)
{
	struct url url;
	struct decision decision;
	if (!view->target->url || !url_parse(view->report->arena, view->target->url, &url))
		return false;
	settings_decide(view->report->arena, setting, &url, &decision);
	*via = decision.via.count ? decision.via.items[0] : NULL;
	return *via != NULL;
}

/* Programs that heed the variables go another way than those that heed Internet options; the agent's parts may be of both kinds. */
bool rule_cfg_env_shadows_system(const struct view *view, struct verdict *out)
{
	const char *via;
	const struct proxy_setting *env = view_setting(view, IDENTITY_SYSTEM, ROUTE_ENV);
	if (view->path->identity != IDENTITY_SYSTEM || view->path->route.kind != ROUTE_WININET ||
	    !view->path->route.via || !env || !env->found)
		return false;
	if (!decide(view, env, &via) || text_equal(via, view->path->route.via))
		return false;
	verdict_add_also(view, out,
			 arena_printf(view->report->arena, "the environment leads to %s, Internet options to %s", via,
				      view->path->route.via));
	return verdict_set(view, out, "cfg_env_shadows_system", 0.5);
}

/* Which of the two the agent heeds is not known: worth a word. */
bool rule_cfg_interface_differs(const struct view *view, struct verdict *out)
{
	const struct local_fact *fact = view_fact(view, "proxy_view", identity_text(view->path->identity));
	if (view->path->route.kind != ROUTE_WININET || !fact || !text_equal(fact->state, "differs") ||
	    fact->values.count < 2)
		return false;
	verdict_add_also(view, out,
			 arena_printf(view->report->arena,
				      "Windows' own interface gives other proxy settings (%s) than the registry (%s)",
				      fact->values.items[0], fact->values.items[1]));
	out->status = STATUS_PASS;
	return true;
}

static const struct observation *proxy_answer(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_LOCAL_FACT && text_equal(list->items[i]->fact.fact, "proxy_answer") &&
		    path_list_has(&list->items[i]->paths, view->path))
			return list->items[i];
	return NULL;
}

/* The same script, run by Windows: a script may go by the time or by chance, so it is worth a word and no more. */
bool remark_cfg_script_answer_differs(const struct view *view, struct verdict *out)
{
	const struct observation *answer = proxy_answer(view);
	if (!answer || !text_equal(answer->fact.state, "differs") || answer->fact.values.count < 2)
		return false;
	verdict_add_evidence(view, out, answer);
	verdict_add_also(view, out,
			 arena_printf(view->report->arena,
				      "by the same proxy script, Windows' own client gets %s for %s and marsprobe %s",
				      answer->fact.values.items[0], view->target->name, answer->fact.values.items[1]));
	out->status = STATUS_PASS;
	return true;
}
