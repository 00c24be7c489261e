#include "probe/diagnosis/revocation.h"

#include <string.h>
#include <strings.h>

#include "probe/diagnosis/rules.h"

/*
 * The chain is good, and whether it is revoked nobody can find out: a client that insists stalls or fails. Only targets are contacted, so only
 * the hosts that are targets of this run tell.
 */

/* The handshake with the target that worked, on the way that counts. */
static const struct observation *good_chain(const struct view *view)
{
	for (size_t i = 0; view->path->effective && i < view->tried_count; i++) {
		const struct observation *tls = view->tried[i].tls;
		if (tls && view->tried[i].judged && tls->failure == FAILURE_NONE && text_equal(tls->tls.peer, "target"))
			return tls;
	}
	return NULL;
}

/* The effective path to that host; NULL: no target. */
static const struct view *effective_of(const struct view *view, const char *host)
{
	for (size_t i = 0; i < view->all_count; i++) {
		const struct target *target = view->all[i].target;
		if (view->all[i].path->effective && target->host && strcasecmp(target->host, host) == 0)
			return &view->all[i];
	}
	return NULL;
}

struct sources {
	const struct view *failed[4]; /* some of them, for evidence */
	size_t failed_count;
	const char *first; /* host */
	bool others;	   /* something is known of another kind: it works, or nobody knows */
};

static void source_add(const struct view *view, const char *host, struct sources *sources)
{
	const struct view *source = effective_of(view, host);
	if (!source)
		return;
	if (source->status != STATUS_FAIL) {
		sources->others = true;
		return;
	}
	if (!sources->first)
		sources->first = source->target->host;
	if (sources->failed_count < sizeof(sources->failed) / sizeof(sources->failed[0]))
		sources->failed[sources->failed_count++] = source;
}

static struct sources sources_of(const struct view *view, const struct observation *tls)
{
	struct sources sources = {0};
	for (size_t i = 0; i < tls->tls.chain_count; i++)
		for (size_t k = 0; k < tls->tls.chain[i].revocation_hosts.count; k++)
			source_add(view, tls->tls.chain[i].revocation_hosts.items[k], &sources);
	return sources;
}

const char *revocation_blocked_host(const struct view *view)
{
	const struct observation *tls = good_chain(view);
	struct sources sources = tls ? sources_of(view, tls) : (struct sources){0};
	return sources.others ? NULL : sources.first;
}

/** Every source of revocation that the certificates name, and that this run asked for, fails. */
bool remark_tls_revocation_blocked(const struct view *view, struct verdict *out)
{
	if (!revocation_blocked_host(view))
		return false;
	const struct observation *tls = good_chain(view);
	struct sources sources = sources_of(view, tls);
	verdict_set(view, out, "tls_revocation_blocked", 0.85);
	verdict_add_evidence(view, out, tls);
	for (size_t i = 0; i < sources.failed_count; i++)
		for (size_t k = 0; k < sources.failed[i]->tried_count && k < 1; k++)
			verdict_add_evidence(view, out, tried_ended_by(&sources.failed[i]->tried[k]));
	return true;
}
