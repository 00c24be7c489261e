/* Table M: our own stack against the system's, which the backup agent uses. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/rules.h"

enum { ALERT_PROTOCOL_VERSION = 70 }; /* RFC 8446 6 */

/* What the system's own HTTP client met on this way; NULL: it was not asked, or not to the end. */
static const struct observation *system_get(const struct view *view)
{
	const struct observation_list *list = &view->report->observations;
	for (size_t i = 0; i < list->count; i++) {
		const struct observation *one = list->items[i];
		if (one->op == OP_HTTP_EXCHANGE && text_equal(one->experiment, "system_stack") &&
		    one->failure != FAILURE_DEADLINE && one->failure != FAILURE_INTERRUPTED &&
		    path_list_has(&one->paths, view->path))
			return one;
	}
	return NULL;
}

/* ------------------------------------------------------------------ we fail, the system does not */

static bool is_good_status(const struct target *target, int status)
{
	for (size_t i = 0; i < target->expect.status_count; i++)
		if (target->expect.status[i] == status)
			return true;
	return !target->expect.status_count && status >= 200 && status < 400;
}

/* Older than what the service takes: that the system still speaks it is no way out. */
static bool is_old_tls(const struct observation *tls)
{
	static const char *const old[] = {"SSLv3", "TLSv1", "TLSv1.1", NULL};
	return tls && tls->failure == FAILURE_SSL_FAILED_HANDSHAKE &&
	       (tls->tls.alert == ALERT_PROTOCOL_VERSION || tls->tls.alert_sent == ALERT_PROTOCOL_VERSION ||
		text_is_one_of(tls->tls.version, old));
}

/* Did this attempt end in a way that a good answer to the system contradicts? A chain that both take, but whose root is foreign, or the same
 * status, is no contradiction. */
static bool is_contradicted(const struct tried *tried, const struct observation *get)
{
	const struct observation *end = tried_ended_by(tried);
	if (!tried_failed(tried) || !end || is_old_tls(end))
		return false;
	int status = end->op == OP_HTTP_EXCHANGE    ? end->http.status
		     : end->op == OP_PROXY_EXCHANGE ? end->proxy.status
						    : NOT_MEASURED;
	return status == NOT_MEASURED ? end->failure != FAILURE_NONE : status != get->http.status;
}

/* The system's chain engine takes what ours refuses. Of an address it was not asked whether the name fits. */
static bool is_chain_contradicted(const struct tried *tried)
{
	const struct observation *tls = tried->tls;
	return tried_failed(tried) && tls && text_equal(tls->tls.system_verify, "ok") &&
	       (tls->failure == FAILURE_SSL_UNKNOWN_AUTHORITY || tls->failure == FAILURE_SSL_INVALID_CERTIFICATE);
}

/** Every address fails with us, and by the same way the system's own client got a good answer, or its chain engine takes the chain. */
bool rule_meas_system_gets_on(const struct view *view, struct verdict *out)
{
	const struct observation *get = system_get(view);
	bool answered = get && get->failure == FAILURE_NONE && is_good_status(view->target, get->http.status);
	bool any = false;
	for (size_t i = 0; view->status == STATUS_FAIL && i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!(answered && is_contradicted(tried, get)) && !is_chain_contradicted(tried))
			continue;
		verdict_add_evidence(view, out, tried_ended_by(tried));
		any = true;
	}
	if (!any)
		return false;
	if (answered)
		verdict_add_evidence(view, out, get);
	out->status = STATUS_INCONCLUSIVE;
	return verdict_set(view, out, "meas_stack_disagrees", 0.6);
}

/* ------------------------------------------------------------------ we get on, the system does not */

/* Its root came with an option (--ca-file): the system need not know it. */
static bool has_given_root(const struct observation *tls)
{
	return tls && tls->tls.root_sha256 && !tls->tls.root_store;
}

static bool is_about_anchors(const char *system_verify)
{
	static const char *const words[] = {"untrusted_root", "issuer_missing", NULL};
	return text_is_one_of(system_verify, words);
}

static bool is_refused_by_system(const struct tried *tried)
{
	const struct observation *tls = tried->tls;
	if (!tried->judged || !tls || tls->failure != FAILURE_NONE || !tls->tls.system_verify)
		return false;
	return !text_equal(tls->tls.system_verify, "ok") &&
	       !(has_given_root(tls) && is_about_anchors(tls->tls.system_verify));
}

/* It has no credentials with it: behind a sign-in it cannot get on. */
static bool has_signed_in(const struct tried *tried)
{
	const struct observation_list *list = &tried->attempt->observations;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i]->op == OP_PROXY_EXCHANGE && list->items[i]->proxy.auth_tried)
			return true;
	return false;
}

/* Its whole request has less time than one stage of ours: on a slow way it is late without any fault. */
static bool is_late_as_we_were(const struct view *view, const struct observation *get)
{
	int64_t slowest_ms = 0;
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct attempt *attempt = view->tried[i].attempt;
		int64_t took_ms = attempt->ended_at_ms - attempt->started_at_ms;
		slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
	}
	return get->failure == FAILURE_TIMEOUT && 2 * 1000 * slowest_ms > get->duration_us;
}

static bool get_failed(const struct view *view, const struct observation *get)
{
	bool given = false, signed_in = false;
	if (!get || get->failure == FAILURE_NONE || is_late_as_we_were(view, get))
		return false;
	for (size_t i = 0; i < view->tried_count; i++) {
		given |= has_given_root(view->tried[i].tls);
		signed_in |= has_signed_in(&view->tried[i]);
	}
	return !signed_in && !(given && get->failure == FAILURE_SSL_UNKNOWN_AUTHORITY);
}

/** The path works with us, and the system's own client, or its chain engine, does not get on: the agent would not either. */
bool remark_meas_system_fails(const struct view *view, struct verdict *out)
{
	const struct observation *get = system_get(view);
	bool any = false;
	for (size_t i = 0; view_works(view) && i < view->tried_count; i++) {
		if (!is_refused_by_system(&view->tried[i]))
			continue;
		verdict_add_evidence(view, out, view->tried[i].tls);
		any = true;
	}
	if (view->status == STATUS_PASS &&
	    get_failed(view, get)) { /* where an address fails, it may have met that one */
		verdict_add_evidence(view, out, get);
		any = true;
	}
	if (!any)
		return false;
	out->status = STATUS_INCONCLUSIVE;
	return verdict_set(view, out, "meas_stack_disagrees", 0.6);
}
