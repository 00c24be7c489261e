#ifndef MARSPROBE_TESTS_SCRIPT_REPORT_H
#define MARSPROBE_TESTS_SCRIPT_REPORT_H

/* Small reports of servers whose way a PAC script decides. */

#include "check.h"
#include "report_builder.h"

static const char good[] = "PROXY new.corp:3128", bad[] = "PROXY old.corp:3128";
static const char script_url[] = "http://pac.corp/proxy.pac";

static inline struct proxy_setting *script_setting(struct report *report, enum identity_id identity, bool detects)
{
	struct proxy_setting *setting = build_setting(report, identity, NULL);
	setting->found = true;
	setting->auto_detect = detects;
	setting->pac_enabled = !detects;
	setting->pac_url = detects ? NULL : script_url;
	return setting;
}

static inline struct report *with_script(bool detects)
{
	struct report *report = build_report();
	build_target(report, "login.example", 443);
	script_setting(report, IDENTITY_SYSTEM, detects);
	return report;
}

static inline struct path *system_path(struct report *report, const char *via, const char *mechanism)
{
	struct path *path = build_route(report, report->targets[0], IDENTITY_SYSTEM, via, true);
	path->route.mechanism = mechanism;
	return path;
}

static inline struct path *users_proxy(struct report *report, bool works)
{
	struct path *path = build_route(report, report->targets[0], IDENTITY_USER, good, false);
	build_by_proxy(report, path, "new.corp:3128", works ? 200 : 503);
	return path;
}

static inline struct observation *search(struct report *report, struct path *path, const char *mechanism,
					 const char *error)
{
	struct observation *one = build_seen(report, path, OP_PROXY_SCRIPT, error ? FAILURE_UNKNOWN : FAILURE_NONE);
	bool detects = strcmp(mechanism, "auto_detect") == 0;
	one->script.mechanism = mechanism;
	one->script.found_by = detects ? NULL : "setting";
	one->script.url = detects ? NULL : script_url;
	one->script.error = error;
	one->script.message = error ? "what went wrong" : NULL;
	return one;
}

/* The script answered this path. */
static inline struct observation *decision(struct report *report, struct path *path, const char *result)
{
	struct observation *one = build_seen(report, path, OP_PROXY_DECISION, FAILURE_NONE);
	one->decision.mechanism = path->route.mechanism;
	one->decision.script = script_url;
	one->decision.url = path->target->url;
	one->decision.result = result;
	return one;
}

static inline void call(struct report *report, struct observation *one, const char *text, const char *result)
{
	struct proxy_decision *said = &one->decision;
	said->calls =
		arena_grow(report->arena, said->calls, &said->call_capacity, said->call_count, sizeof(*said->calls));
	said->calls[said->call_count++] = (struct proxy_call){text, result, 3};
}

static inline struct path *fallen_back(struct report *report, const char *error)
{
	struct path *path = system_path(report, "DIRECT", "direct");
	path->route.error = error;
	path->route.problem = "the PAC script failed, so what comes next decides";
	return path;
}

static inline void check_verdict(struct report *report, const char *cause, enum status status)
{
	const struct verdict *verdict = &report->paths[0]->verdict;
	diagnose(report);
	CHECK_TEXT(verdict->cause, cause);
	CHECK_INT(verdict->status, status);
}

static inline void end(struct report *report, const char *cause, enum status status)
{
	check_verdict(report, cause, status);
	report_free(report);
}

#endif
