#ifndef MARSPROBE_DIAGNOSIS_VIEW_H
#define MARSPROBE_DIAGNOSIS_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence.h"
#include "probe/diagnosis/diagnosis.h"

/*
 * What a rule sees of one path: its facts, taken apart, and those of all other paths for contrast.
 *
 * A rule is a pure predicate:  bool rule_NAME(const struct view *view, struct verdict *out);
 * True: *out holds cause, confidence, evidence, not_run (use verdict_set() and the verdict_add_*() functions).  False: *out is untouched.
 * It is listed in the .def of its table, in the order of priority:
 *   RULE(rule_NAME)    explains a path that does not work; is asked only where view->status is not PASS. The first that holds is the
 *                      primary cause, the others that hold go to `also`: so a rule looks only for its own evidence.
 *   FALLBACK(rule_NAME)  the same, but is asked only where no rule before it has named a cause: for what is said when nothing better is known.
 *   REMARK(rule_NAME)  says something of any path, also of one that works, which is then WARN. Primary only on such a path.
 *                      One that sets out->status to PASS gives no cause: its out->also, out->not_run and out->evidence are added to the verdict, and that is all.
 * out->status is preset to the path's own (for a REMARK on a path that works: WARN); a rule may overrule it.
 * Stage and owner come from causes.def. The driver (diagnosis.c) applies the general laws afterwards: caps of confidence (unlocated,
 * identity in mode settings, owner microsoft without proof of origin), stand-ins, assumed regions, 407 in mode settings.
 */

struct way;

/** One attempt, taken apart. Of a redirected or signed-in attempt these are the last connection's; all others are in attempt->observations. */
struct tried {
	const struct attempt *attempt;
	bool judged; /* counts for the verdict; false: contrast only (found by SERVER, IPv6 on a host without IPv6, elsewhere) */
	bool elsewhere; /* not by route.via: at an entry of the route's list that was passed over, or by what a script was to decide */
	bool cut;			     /* deadline or Ctrl-C ended it: nobody knows */
	enum stage broke;		     /* TCP, PROXY, TLS or HTTP; STAGE_NONE: it works */
	const struct observation *tcp;	     /* to the target, or to the proxy */
	const struct observation *proxy_tls; /* TLS with an https: proxy */
	const struct observation *proxy;     /* last CONNECT, SOCKS or GET at the proxy */
	const struct observation *tls;	     /* with the target */
	const struct observation *http;
	const struct observation *bare; /* experiment "bare_connect" */
	const struct way
		*way; /* where its connection requests end, by walks (ways.h); NULL: it works, or nobody looked */
};

struct view {
	struct report *report; /* facts are read only; texts of verdicts go into report->arena */
	const struct path *path;
	const struct target *target;
	const struct identity *identity; /* NULL where the report does not list it */
	struct via via;
	bool proxied;
	const char *
		name; /* what this server looks up first: the target's or the proxy's name; NULL: a literal or a CIDR */
	const char *target_name; /* SOCKS4 and SOCKS5: the target's name, looked up here too; else NULL */
	struct tried *tried;	 /* in the order of path->attempts */
	size_t tried_count;
	size_t judged, works;	   /* attempts, cut ones left out */
	size_t cut;		   /* judged ones that were cut */
	enum status status;	   /* by the attempts alone: PASS, WARN, FAIL or INCONCLUSIVE */
	enum stage broke;	   /* the first stage that failed, of the judged attempts; STAGE_NONE: none did */
	const struct sweep *sweep; /* of the target's range; NULL: none was made */
	const struct view *all;	   /* every path of the report, this one too, in the report's order */
	size_t all_count;
};

/** The views of all paths, report->path_count of them, in report->arena. */
struct view *view_all(struct report *report);

/* ------------------------------------------------------------------ asking */

/** The same text, or both NULL. */
bool text_equal(const char *a, const char *b);

/** Is it one of the texts of a list that ends with NULL? */
bool text_is_one_of(const char *text, const char *const *list);

/** Is it an IPv6 address? */
bool text_is_ipv6(const char *text);

/** "host:port", in the arena. */
const char *host_port_text(struct arena *arena, const char *host, int port);

/** Is it only what would hold without the script, which was not run because its sandbox could not be set up? Nobody knows the route then. */
bool route_script_not_run(const struct route *route);

/** Does the path work: every judged address or some of them? */
bool view_works(const struct view *view);

/** The first judged attempt, not cut, that broke at that stage; NULL: none. */
const struct tried *view_broken_at(const struct view *view, enum stage stage);

/** Is it a judged attempt that failed (not one that was cut)? */
bool tried_failed(const struct tried *tried);

/** The path of the same target by another identity or route; NULL: none. */
const struct view *view_peer(const struct view *view, enum identity_id identity, enum route_kind kind);

/** Do both send through the same proxy (scheme, host and port)? False if either goes direct. */
bool view_same_proxy(const struct view *a, const struct view *b);

/** Did the proxy of this path carry anything in this run: a tunnel that brought a byte of TLS or HTTP from beyond, or a GET answered by an origin?
 *  On any path, this one left out. */
bool view_proxy_carried_other(const struct view *view);

/** Did TLS with that address verify in this run, under a root that is the service's or public? That is proof of origin. */
bool view_address_proven(const struct view *view, const char *address);

/** The local fact of that kind and subject (NULL: any subject), or NULL. */
const struct local_fact *view_fact(const struct view *view, const char *fact, const char *subject);
/** The observation that holds it, as evidence. */
struct observation *view_fact_observation(const struct view *view, const char *fact, const char *subject);

/** The setting of an identity, or NULL. */
const struct proxy_setting *report_setting(const struct report *report, enum identity_id identity,
					   enum route_kind kind);
const struct proxy_setting *view_setting(const struct view *view, enum identity_id identity, enum route_kind kind);

/** Has this machine a global IPv6 address and an IPv6 default route? True where nobody looked. */
bool view_has_ipv6(const struct view *view);

bool is_https(const struct target *target);

/** Is it a network connectivity probe: a plain HTTP target with an exact body? */
bool is_ncsi(const struct target *target);

/** Is the chain verified, but its root neither the service's nor (unless --service-roots was given) a public one? */
bool tls_root_is_foreign(const struct report *report, const struct tls_handshake *tls);
/** Verified and not foreign. */
bool tls_is_proven(const struct report *report, const struct observation *tls);

/** Does the answer carry a header that only the service sends (expect.headers), on a proven chain? */
bool tried_proves_origin(const struct view *view, const struct tried *tried);

/** More redirects of one attempt than this have no end. */
enum { HTTP_HOPS_MAX = 8 };

/** How many redirects the attempt met. */
size_t http_redirects(const struct tried *tried);

/** Is it a healthy answer: an expected status (without a list: below 400, or below 500 and proven to be the service's own; no redirect to a
 *  foreign host, no filter's page), and the expected body? */
bool http_is_healthy(const struct view *view, const struct tried *tried);

/** The host of a Location header (an absolute one), in lower case; NULL where there is none or it is relative. */
const char *http_location_host(const struct view *view, const struct http_exchange *http);

/** Is the host the target's own, another target's, or under one of the sets' allow-list rules? */
bool host_is_listed(const struct view *view, const char *host);

/* ------------------------------------------------------------------ answering */

/** Name the cause: stage and owner from causes.def, confidence 0..1. Always true, so that a rule can return it. */
bool verdict_set(const struct view *view, struct verdict *out, const char *cause, double confidence);

/** Each once; NULL is ignored. */
void verdict_add_evidence(const struct view *view, struct verdict *out, const struct observation *observation);
void verdict_add_also(const struct view *view, struct verdict *out, const char *text);
void verdict_add_not_run(const struct view *view, struct verdict *out, const char *experiment);

/** An observation and its view say: this is it. */
typedef bool (*tried_is)(const struct view *view, const struct tried *tried);

/**
 * The usual rule: holds if any failed judged attempt is such a one; evidence is what ended each of those (tried_ended_by()).
 * True: verdict_set() was called.
 */
bool verdict_if_any(const struct view *view, struct verdict *out, const char *cause, double confidence, tried_is is);

/** The observation that shows where it ended: that of the broken stage, or the last one. NULL where nothing was observed. */
const struct observation *tried_ended_by(const struct tried *tried);

/** Local address, port and so on of an observation, whatever its kind; NULL for look-ups and local facts. */
const struct tuple *observation_tuple(const struct observation *observation);

#endif
