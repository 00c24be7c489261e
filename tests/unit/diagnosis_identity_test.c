/* Rules about the run as SYSTEM: it could not be started, or it never answered. */

#include "check.h"
#include "report_builder.h"

static struct report *as_system(enum identity_mode mode, const char *state, struct path **path)
{
	struct report *report = build_report();
	report->identities[1].mode = mode;
	report->identities[1].why = "the run as SYSTEM was started, but it gave no answer in time";
	*path = build_route(report, build_target(report, "login.example", 443), IDENTITY_SYSTEM, "DIRECT", true);
	if (state)
		build_fact(report, "system_run", "system", state, "a policy forbids it");
	return report;
}

static void expect(struct report *report, enum status status, const char *cause, bool ready)
{
	diagnose(report);
	CHECK_TEXT(report->paths[0]->verdict.cause, cause);
	CHECK_INT(report->paths[0]->verdict.status, status);
	CHECK(report->readiness.ready == ready);
	if (cause)
		CHECK(report->paths[0]->verdict.evidence.count > 0);
	report_free(report);
}

static void a_run_that_never_answered_leaves_it_open(void)
{
	struct path *path;
	struct report *report = as_system(MODE_UNAVAILABLE, "started", &path);
	diagnose(report);
	CHECK_INT(diagnose_exit_status(report), 3);
	expect(report, STATUS_INCONCLUSIVE, "host_identity_cannot_start", false);
	expect(as_system(MODE_UNAVAILABLE, NULL, &path), STATUS_INCONCLUSIVE, NULL, false);
	expect(as_system(MODE_RUN, "started", &path), STATUS_INCONCLUSIVE, NULL, false);
}

static void a_run_that_did_not_start_is_a_warning_on_what_works(void)
{
	static const struct {
		const char *state, *cause;
		enum status status;
	} rows[] = {{"failed", "host_identity_cannot_start", STATUS_WARN},
		    {"not_elevated", NULL, STATUS_PASS},
		    {"started", NULL, STATUS_PASS}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct path *path;
		struct report *report = as_system(MODE_SETTINGS, rows[i].state, &path);
		build_works(report, path, "20.190.128.1");
		expect(report, rows[i].status, rows[i].cause, true);
	}
}

int main(void)
{
	a_run_that_never_answered_leaves_it_open();
	a_run_that_did_not_start_is_a_warning_on_what_works();
	return check_summary();
}
