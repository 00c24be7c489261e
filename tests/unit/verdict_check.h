#ifndef MARSPROBE_TESTS_VERDICT_CHECK_H
#define MARSPROBE_TESTS_VERDICT_CHECK_H

#include "check.h"
#include "report_builder.h"

/* Judging small reports, and paths by a proxy. */

static const char PROXY[] __attribute__((unused)) = "proxy.corp:3128";

static inline struct path *path_by(struct report *report, const char *via, const char *host, int port)
{
	return build_route(report, build_target(report, host, port), IDENTITY_USER, via, true);
}

/* A path by the proxy whose one attempt ends at the CONNECT, the GET or the SOCKS request. */
static inline struct proxy_exchange *refused_by(struct report *report, struct path *path, enum failure failure,
						int status)
{
	struct attempt *attempt = build_by_proxy(report, path, PROXY, 599);
	struct observation *seen = build_last(attempt);
	bool is_socks = strncmp(path->route.via, "SOCKS", 5) == 0;
	seen->proxy.method = is_socks ? "SOCKS" : path->target->port == 80 ? "GET" : "CONNECT";
	seen->proxy.status = status;
	seen->failure = attempt->failure = failure;
	return &seen->proxy;
}

static inline struct proxy_exchange *connect_says(struct report **report, enum failure failure, int status)
{
	*report = build_report();
	return refused_by(*report, path_by(*report, "PROXY proxy.corp:3128", "login.example", 443), failure, status);
}

/** The verdict of the report's first path. */
static inline const struct verdict *judged(struct report *report)
{
	diagnose(report);
	return &report->paths[0]->verdict;
}

/** That verdict has the cause, and a confidence between least and most. Frees the report. */
static inline void expect(struct report *report, const char *cause, double least, double most, const char *what)
{
	const struct verdict *verdict = judged(report);
	bool sure = verdict->confidence >= least - 0.001 && verdict->confidence <= most + 0.001;
	if (!check_text(verdict->cause, cause) || !sure)
		printf("%s: %s %.2f\n", what, verdict->cause ? verdict->cause : "(null)", verdict->confidence);
	CHECK_TEXT(verdict->cause, cause);
	CHECK(sure);
	report_free(report);
}

static inline bool says_not_run(const struct verdict *verdict, const char *text)
{
	for (size_t i = 0; i < verdict->not_run.count; i++)
		if (strcmp(verdict->not_run.items[i], text) == 0)
			return true;
	return false;
}

#endif
