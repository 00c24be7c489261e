/* Rules about security zones and the connectivity probe: each with what it takes, and with that taken away. */

#include "check.h"
#include "report_builder.h"

static const char download[] = "cfg_zone_download_forbidden", not_trusted[] = "cfg_zone_not_trusted",
		  probe_off[] = "host_ncsi_probe_disabled";

static struct observation *fact_of(struct report *report, const char *fact, const char *subject, const char *state,
				   const char *const *values)
{
	struct observation *one = build_fact(report, fact, subject, state, values[0]);
	for (values++; *values; values++)
		text_list_add(report->arena, &one->fact.values, *values);
	return one;
}

static void download_is(struct report *report, const char *zone, const char *state)
{
	const char *number = strcmp(state, "forbidden") == 0 ? "3" : "0";
	fact_of(report, "zone_download", "system", state,
		(const char *[]){zone, number, arena_printf(report->arena, "HKU\\Zones\\%s\\1803", zone), NULL});
}

static void zone_is(struct report *report, const char *subject, const char *zone, const char *state)
{
	fact_of(report, "zone_of_host", subject, state, (const char *[]){zone, "HKU\\ZoneMap\\x", NULL});
}

/* A path of SYSTEM that works; tests take away what they are about. */
static struct path *healthy(struct report **report)
{
	*report = build_report();
	struct path *path =
		build_route(*report, build_target(*report, "login.example", 443), IDENTITY_SYSTEM, "DIRECT", true);
	build_works(*report, path, "20.190.128.1");
	return path;
}

static void end(struct report *report, const char *cause, const char *subject)
{
	diagnose(report);
	const struct verdict *verdict = &report->paths[0]->verdict;
	CHECK_TEXT(verdict->cause, cause);
	CHECK_INT(verdict->status, cause ? STATUS_WARN : STATUS_PASS);
	CHECK_INT(report->finding_count, cause ? 1 : 0);
	CHECK(report->readiness.ready);
	if (cause && report->finding_count) {
		const struct finding *finding = report->findings[0];
		CHECK_INT(finding->status, STATUS_WARN);
		CHECK_INT(finding->owner, OWNER_SERVER_ADMIN);
		CHECK_TEXT(finding->subject, subject);
		CHECK(finding->remedy.count > 0);
	}
	report_free(report);
}

/* ------------------------------------------------------------------ file download */

static void downloads(void)
{
	struct report *report;
	healthy(&report);
	download_is(report, "3", "forbidden");
	end(report, download, "HKU\\Zones\\3\\1803");

	healthy(&report);
	download_is(report, "3", "allowed");
	end(report, NULL, NULL);

	healthy(&report); /* of a zone that this host is not in */
	download_is(report, "2", "forbidden");
	end(report, NULL, NULL);

	healthy(&report);
	download_is(report, "2", "forbidden");
	zone_is(report, "https://login.example", "2", "named");
	end(report, download, "HKU\\Zones\\2\\1803");

	healthy(&report)->identity = IDENTITY_USER;
	download_is(report, "3", "forbidden");
	end(report, NULL, NULL);

	healthy(&report)->effective = false;
	build_works(report, build_path(report, report->targets[0]), "20.190.128.1");
	download_is(report, "3", "forbidden");
	end(report, NULL, NULL);

	healthy(&report);
	fact_of(report, "zone_download", "system", "forbidden", (const char *[]){NULL, NULL}); /* a damaged report */
	end(report, NULL, NULL);
}

static void download_beside_a_failure(void)
{
	struct report *report = build_report();
	struct path *path =
		build_route(report, build_target(report, "login.example", 443), IDENTITY_SYSTEM, "DIRECT", true);
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	download_is(report, "3", "forbidden");
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "tcp_syn_silent_unlocated");
	CHECK_INT(path->verdict.status, STATUS_FAIL);
	CHECK(build_also(&path->verdict, download));
	CHECK(build_finding(report, download) == NULL);
	report_free(report);
}

/* ------------------------------------------------------------------ trusted sites */

static void hardened(struct report *report)
{
	fact_of(report, "enhanced_security", "system", "on", (const char *[]){"HKU\\ZoneMap\\IEHarden", NULL});
}

static void sites(void)
{
	struct report *report;
	healthy(&report);
	zone_is(report, "https://login.example", "4", "named");
	end(report, not_trusted, "HKU\\ZoneMap\\x");

	healthy(&report);
	zone_is(report, "http://login.example", "4", "named"); /* for the other protocol */
	end(report, NULL, NULL);

	healthy(&report);
	zone_is(report, "https://www.example", "4", "named");
	end(report, NULL, NULL);

	healthy(&report);
	zone_is(report, "https://login.example", "2", "named");
	end(report, NULL, NULL);

	healthy(&report); /* not named, and nobody asks for it */
	zone_is(report, "https://login.example", "3", "named");
	end(report, NULL, NULL);

	healthy(&report);
	zone_is(report, "https://login.example", "3", "default");
	hardened(report);
	end(report, not_trusted, "HKU\\ZoneMap\\IEHarden");

	healthy(&report);
	zone_is(report, "https://login.example", "2", "named");
	hardened(report);
	end(report, NULL, NULL);

	healthy(&report)->target->required = false;
	zone_is(report, "https://login.example", "4", "named");
	end(report, NULL, NULL);

	healthy(&report);
	fact_of(report, "zone_of_host", "https://login.example", "named", (const char *[]){NULL, NULL});
	end(report, NULL, NULL);
}

static void restricted_site_in_a_zone_without_downloads(void)
{
	struct report *report;
	struct path *path = healthy(&report);
	zone_is(report, "https://login.example", "4", "named");
	download_is(report, "3", "forbidden");
	download_is(report, "4", "forbidden");
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, not_trusted);
	CHECK(build_also(&path->verdict, download));
	CHECK(strstr(report->findings[0]->summary, "https://login.example") != NULL);
	report_free(report);
	path = healthy(&report);
	zone_is(report, "https://login.example", "4", "named");
	download_is(report, "4", "forbidden");
	diagnose(report);
	CHECK(!build_also(&path->verdict, download));
	report_free(report);
}

/* ------------------------------------------------------------------ the connectivity probe */

static struct path *ncsi(struct report **report, bool off)
{
	*report = build_report();
	struct target *target = build_target(*report, "www.msftconnecttest.example", 80);
	struct path *path = build_route(*report, target, IDENTITY_SYSTEM, "DIRECT", true);
	target->expect.body = "Microsoft Connect Test";
	if (off)
		build_fact(*report, "ncsi_probe", NULL, "off", "HKLM\\NoActiveProbe");
	return path;
}

static void probe(void)
{
	struct report *report;
	struct path *path = ncsi(&report, true);
	build_last(build_works(report, path, "23.0.0.1"))->http.body_matches = true;
	end(report, probe_off, "server01");

	path = ncsi(&report, false);
	build_last(build_works(report, path, "23.0.0.1"))->http.body_matches = true;
	end(report, NULL, NULL);

	path = ncsi(&report, true);
	path->target->expect.body = NULL; /* another target */
	build_works(report, path, "23.0.0.1");
	end(report, NULL, NULL);

	path = ncsi(&report, true); /* the probe would not find the internet either */
	build_attempt(report, path, "23.0.0.1", FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "tcp_syn_silent_unlocated");
	CHECK(!build_also(&path->verdict, probe_off));
	report_free(report);
}

int main(void)
{
	downloads();
	download_beside_a_failure();
	sites();
	restricted_site_in_a_zone_without_downloads();
	probe();
	return check_summary();
}
