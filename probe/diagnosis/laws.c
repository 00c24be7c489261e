/* What holds for every verdict, whatever its cause. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/diagnosis/dns_view.h"
#include "probe/diagnosis/parts.h"

static const double CAP_UNLOCATED = 0.5, CAP_OTHER_IDENTITY = 0.45, CAP_UNPROVEN_ORIGIN = 0.4, HANDSHAKE_ONLY = 0.5;

static void cap(struct verdict *verdict, double most)
{
	if (verdict->confidence > most)
		verdict->confidence = most;
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Causes that depend on an identity's credentials or trust store. */
static bool depends_on_identity(const char *cause)
{
	static const char *const others[] = {"tls_intercepted_trusted", "tls_intercepted_trusted_user_only",
					     "tls_intercepted_untrusted", "host_root_ca_missing", NULL};
	return starts_with(cause, "prx_auth_") || text_is_one_of(cause, others);
}

static bool is_by_settings(const struct view *view)
{
	return view->identity && view->identity->mode == MODE_SETTINGS;
}

/* A 407 that the account itself might have been spared: only a run under it could tell. */
static void judge_other_identity(const struct view *view, struct verdict *verdict)
{
	static const char *const unanswered[] = {"prx_auth_none_sent", "prx_auth_scheme_unusable", NULL};
	if (!is_by_settings(view) || !depends_on_identity(verdict->cause))
		return;
	cap(verdict, CAP_OTHER_IDENTITY);
	if (!text_is_one_of(verdict->cause, unanswered))
		return;
	verdict->status = STATUS_INCONCLUSIVE;
	verdict_add_not_run(view, verdict, "machine account");
}

/* Microsoft is blamed only where something in this run proves that its own machine was reached at that address. */
static bool origin_is_proven(const struct view *view)
{
	for (size_t i = 0; i < view->tried_count; i++) {
		const struct tried *tried = &view->tried[i];
		if (!tried_failed(tried))
			continue;
		if (tls_is_proven(view->report, tried->tls))
			return true;
		if (!view->proxied && view_address_proven(view, tried->attempt->address))
			return true;
	}
	return false;
}

static void judge_origin(const struct view *view, struct verdict *verdict)
{
	if (verdict->owner != OWNER_MICROSOFT || origin_is_proven(view))
		return;
	verdict->owner = OWNER_FIREWALL_TEAM;
	cap(verdict, CAP_UNPROVEN_ORIGIN);
	verdict_add_not_run(view, verdict, "proof that the far end is the service's own");
}

/* Nobody knows the name of a stand-in: nobody promised that it exists. */
static bool is_unknown_stand_in(const struct view *view, const char *cause)
{
	struct dns_view dns;
	if (!view->target->stand_in || !cause)
		return false;
	if (strcmp(cause, "dns_nxdomain_everywhere") == 0 || strcmp(cause, "dns_nodata") == 0)
		return true;
	if (strcmp(cause, "prx_dns_failed") != 0 || !view_proxy_carried_other(view))
		return false;
	dns_view_make(view, view->target->host, &dns);
	return !dns_any(&dns, DNS_SAYS_ADDRESS) && dns_control(&dns) != DNS_SAYS_ADDRESS;
}

static void judge_stand_in(const struct view *view, struct verdict *verdict)
{
	if (is_unknown_stand_in(view, verdict->cause)) {
		verdict->status = STATUS_INCONCLUSIVE;
		verdict_add_also(view, verdict, "this name only stands for a rule, and our list of names may be old");
	} else if (view->target->regional && view->report->run.region_assumed && verdict->status == STATUS_FAIL) {
		verdict->status = STATUS_WARN;
		verdict_add_also(view, verdict, "the region was assumed: this name may not be yours (--region)");
	}
}

void laws_apply(const struct view *view, struct verdict *verdict)
{
	if (verdict->status == STATUS_PASS) {
		verdict->confidence = view->target->kind == TARGET_URL ? 1.0 : HANDSHAKE_ONLY;
		return;
	}
	if (!verdict->cause) {
		if (verdict->status == STATUS_FAIL)
			verdict->status = STATUS_INCONCLUSIVE;
		verdict->stage = view->broke;
		return;
	}
	size_t length = strlen(verdict->cause), suffix = sizeof("_unlocated") - 1;
	if (length > suffix && strcmp(verdict->cause + length - suffix, "_unlocated") == 0)
		cap(verdict, CAP_UNLOCATED);
	judge_other_identity(view, verdict);
	judge_origin(view, verdict);
	judge_stand_in(view, verdict);
}

bool verdict_is_excused(const struct view *view)
{
	const struct verdict *verdict = &view->path->verdict;
	if (verdict->status != STATUS_INCONCLUSIVE)
		return false;
	if (view->target->kind == TARGET_CIDR)
		return !verdict->cause;
	return is_unknown_stand_in(view, verdict->cause);
}

bool rule_passes_otherwise(const struct view *view)
{
	if (!view->target->stand_in || !view->target->rule)
		return false;
	for (size_t i = 0; i < view->all_count; i++) {
		const struct view *other = &view->all[i];
		enum status status = other->path->verdict.status;
		if (other->target != view->target && other->path->effective &&
		    text_equal(other->target->rule, view->target->rule) &&
		    (status == STATUS_PASS || (status == STATUS_WARN && other->works)))
			return true;
	}
	return false;
}

bool path_blocks(const struct view *view)
{
	return view->path->effective && view->target->required && view->path->verdict.status == STATUS_FAIL &&
	       !rule_passes_otherwise(view);
}
