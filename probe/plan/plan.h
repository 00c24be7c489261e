#ifndef MARSPROBE_PLAN_PLAN_H
#define MARSPROBE_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/evidence.h"
#include "probe/core/url.h"
#include "probe/settings/settings.h"

/** Which of the paths this process carries out. */
enum plan_part {
	PLAN_ALL,	     /* all: SYSTEM's by its settings alone */
	PLAN_WITHOUT_SYSTEM, /* the user's; a process that runs as SYSTEM carries out SYSTEM's */
	PLAN_AS_SYSTEM,	     /* this is that process: it has SYSTEM's paths alone, and SYSTEM's own credentials */
	PLAN_DECISIONS,	     /* none: only where each path would go is asked */
};

/** What --route and --identity ask for. */
struct plan_options {
	struct {
		enum route_kind kind;
		const char *via; /* only for ROUTE_PROXY: "PROXY host:port" ... */
	} routes[16];
	size_t route_count; /* 0: the default: direct, wininet, and agent where set */
	bool routes_given;  /* --route was used */
	bool user, system;  /* identities asked for */
	bool trust_wpad;    /* credentials may go to a proxy that only automatic detection named */
	enum plan_part part;
	const char *system_why; /* why SYSTEM's paths are carried out by its settings alone; NULL: the general reason */
};

/** Whose credentials a leg may offer to a proxy that asks (never to a target). */
enum credentials { CREDENTIALS_NONE, CREDENTIALS_GIVEN, CREDENTIALS_OWN };

/** Traffic that several paths share, because they would send exactly the same packets from the same process. */
struct leg {
	struct target *target;
	struct via via;
	enum credentials credentials; /* what paths may offer */
	bool begun;		      /* traffic is under way: what it may offer is settled */
	struct path_list paths;
	struct path_list
		unsigned_paths; /* may offer nothing: they share the leg until the proxy asks for a sign-in, and end there */
};

/** What scripts are asked for one path before it is known where it goes. */
struct plan_question {
	struct path *path;
	const struct proxy_setting *setting;
	struct url url;
	struct script_answers answers; /* the asker fills them in, in the setting's order, until one has answered */
};

struct planner;

struct plan {
	struct leg **legs;
	size_t count, capacity;
	struct plan_question **questions;
	size_t question_count, question_capacity;
	struct planner *planner; /* the plan's own */
};

/**
 * Fill report->identities and report->paths, and cut the paths into legs.
 *
 * Input   report->targets and the settings. given_credentials: --proxy-user was used. own_credentials: the running user may have
 *         Kerberos tickets (GSSAPI, SSPI).
 * Rules   contract.md section 2: which identity is known, which path is effective, basis. A CIDR target has direct paths only;
 *         where its identity would use a proxy, the path's route says so and it gets no leg.
 *         An undecided route (PAC, WPAD) gets a question, and route.via NULL and no leg until plan_answer(). One asked for by --route
 *         without settings to read gets a path with route.problem, route.via NULL and no leg. Nobody to ask for (--identity system, unknown) leaves no path at all.
 *         Credentials: GIVEN for routes agent and proxy=, and for identity user; OWN for identity user otherwise, and for SYSTEM in
 *         its own process; never GIVEN for system x wininet. One leg has one kind of them, and may have paths without any beside it.
 * Pure    no network, no clock. plan and report share report->arena; settings and options must outlive the plan.
 */
void plan_make(struct report *report, const struct settings *settings, const struct plan_options *options,
	       bool given_credentials, bool own_credentials, struct plan *out);

/** The scripts have said what question->answers holds: decide the path's route. Returns the leg that it joined, a new one at the end of
 *  plan->legs or one that others have; NULL: none. */
struct leg *plan_answer(struct plan *plan, struct plan_question *question);

/** The proxy of this entry of path->route.list does not let itself be reached: the leg of the next entry, as above; NULL: it was the last. */
struct leg *plan_next(struct plan *plan, struct path *path, const struct via *dead);

#endif
