/* Two processes, one report: what the one that runs as SYSTEM found takes the place of SYSTEM's paths. */
#include "probe/core/evidence_absorb.h"

#include <string.h>

#include "probe/core/arena.h"
#include "tests/unit/check.h"

static struct path *add_path(struct report *report, size_t target, enum identity_id identity, enum route_kind kind)
{
	struct path *path = report_add_path(report);
	path->target = report->targets[target];
	path->identity = identity;
	path->route.kind = kind;
	path->route.via = "DIRECT";
	return path;
}

static struct observation *add_observation(struct report *report, struct path *path, int64_t start_us)
{
	struct observation *observation = report_add_observation(report, OP_TCP_CONNECT);
	struct attempt *attempt = path_add_attempt(report, path);
	path_list_add(report->arena, &observation->paths, path);
	observation_list_add(report->arena, &attempt->observations, observation);
	observation->start_us = start_us;
	return observation;
}

static void add_fact(struct report *report, const char *fact, const char *subject)
{
	struct observation *observation = report_add_observation(report, OP_LOCAL_FACT);
	observation->fact.fact = fact;
	observation->fact.subject = subject;
}

static struct report *two_targets(int64_t started_at_ms)
{
	struct report *report = report_new();
	report_add_target(report)->name = "one.example";
	report_add_target(report)->name = "two.example";
	report->run.started_at_ms = started_at_ms;
	return report;
}

static struct report *user_report(void)
{
	struct report *report = two_targets(1000000);
	report->identities[0] = (struct identity){.id = IDENTITY_USER, .mode = MODE_RUN};
	report->identities[1] = (struct identity){.id = IDENTITY_SYSTEM, .mode = MODE_RUN};
	report->identity_count = 2;
	for (size_t target = 0; target < 2; target++) {
		add_observation(report, add_path(report, target, IDENTITY_USER, ROUTE_DIRECT), 500);
		add_path(report, target, IDENTITY_SYSTEM, ROUTE_WININET);
	}
	return report;
}

static struct report *system_report(void)
{
	struct report *report = two_targets(1000250);
	report->identities[0] =
		(struct identity){.id = IDENTITY_SYSTEM, .mode = MODE_RUN, .account = "NT AUTHORITY\\SYSTEM"};
	report->identity_count = 1;
	add_fact(report, "interface", "eth0");
	add_fact(report, "proxy_view", "system");
	add_observation(report, add_path(report, 0, IDENTITY_SYSTEM, ROUTE_DIRECT), 700);
	add_observation(report, add_path(report, 0, IDENTITY_SYSTEM, ROUTE_WININET), NOT_MEASURED)->failure =
		FAILURE_TIMEOUT;
	add_path(report, 1, IDENTITY_SYSTEM, ROUTE_WININET)->effective = true;
	report->run.end_reason = END_DEADLINE;
	return report;
}

static void what_was_found_takes_the_place_of_the_paths(void)
{
	struct err err;
	struct report *into = user_report();
	CHECK(report_absorb(into, system_report(), IDENTITY_SYSTEM, &err));
	static const struct {
		const char *id, *target;
		enum identity_id identity;
		enum route_kind kind;
		size_t attempts;
	} wanted[] = {
		{"p1", "t1", IDENTITY_USER, ROUTE_DIRECT, 1},	 {"p2", "t1", IDENTITY_SYSTEM, ROUTE_DIRECT, 1},
		{"p3", "t1", IDENTITY_SYSTEM, ROUTE_WININET, 1}, {"p4", "t2", IDENTITY_USER, ROUTE_DIRECT, 1},
		{"p5", "t2", IDENTITY_SYSTEM, ROUTE_WININET, 0},
	};
	CHECK_INT(into->path_count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && i < into->path_count; i++) {
		const struct path *path = into->paths[i];
		CHECK_TEXT(path->id, wanted[i].id);
		CHECK_TEXT(path->target->id, wanted[i].target);
		CHECK(path->target == into->targets[0] || path->target == into->targets[1]);
		CHECK_INT(path->identity, wanted[i].identity);
		CHECK_INT(path->route.kind, wanted[i].kind);
		CHECK_INT(path->attempt_count, wanted[i].attempts);
	}
	CHECK(into->paths[4]->effective);
	CHECK_TEXT(into->identities[1].account, "NT AUTHORITY\\SYSTEM");
	CHECK_INT(into->run.end_reason, END_DEADLINE);
	report_free(into);
}

static void observations_are_numbered_on_and_timed_from_the_first_start(void)
{
	struct err err;
	struct report *into = user_report();
	CHECK(report_absorb(into, system_report(), IDENTITY_SYSTEM, &err));
	const struct observation_list *list = &into->observations;
	CHECK_INT(list->count, 5); /* two of the user, the fact about SYSTEM, two connections; the interface is known */
	CHECK_TEXT(list->items[2]->fact.fact, "proxy_view");
	CHECK_TEXT(list->items[3]->id, "o4");
	CHECK_INT(list->items[0]->start_us, 500);
	CHECK_INT(list->items[3]->start_us, 250 * 1000 + 700);
	CHECK_INT(list->items[4]->start_us, NOT_MEASURED);
	CHECK(list->items[3]->paths.items[0] == into->paths[1]);
	CHECK(into->paths[2]->attempts[0]->observations.items[0] == list->items[4]);
	report_free(into);
}

static void refuse(struct report *from, const char *what)
{
	struct err err = {""};
	struct report *into = user_report();
	check_one(!report_absorb(into, from, IDENTITY_SYSTEM, &err), what, __FILE__, __LINE__);
	CHECK(strstr(err.text, "not about the same targets") != NULL);
	CHECK_INT(into->path_count, 4);
	CHECK_INT(into->observations.count, 2);
	report_free(into);
}

static void what_does_not_fit_changes_nothing(void)
{
	struct report *other_target = system_report(), *other_identity = system_report(),
		      *no_identity = system_report();
	other_target->targets[1]->name = "three.example";
	refuse(other_target, "another target");
	other_identity->paths[0]->identity = IDENTITY_USER;
	refuse(other_identity, "another identity's path");
	no_identity->identity_count = 0;
	refuse(no_identity, "nobody's paths");
}

int main(void)
{
	what_was_found_takes_the_place_of_the_paths();
	observations_are_numbered_on_and_timed_from_the_first_start();
	what_does_not_fit_changes_nothing();
	return check_summary();
}
