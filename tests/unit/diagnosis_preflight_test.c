/* The local checks before registration: what each says of its facts, and of none. */
#include "probe/diagnosis/diagnosis.h"

#include "probe/core/arena.h"
#include "tests/unit/check.h"
#include "tests/unit/report_builder.h"

static struct report *report;

static void begin(void)
{
	report_free(report);
	report = report_new();
}

/* One fact: value and where it stands. */
static struct observation *fact(const char *subject, const char *state, const char *value)
{
	struct observation *one = build_fact(report, "preflight", subject, state, value);
	text_list_add(report->arena, &one->fact.values, arena_printf(report->arena, "where %s stands", subject));
	return one;
}

static const struct check *find(const char *id)
{
	for (size_t i = 0; i < report->check_count; i++)
		if (strcmp(report->checks[i].id, id) == 0)
			return &report->checks[i];
	CHECK(false);
	return &report->checks[0];
}

/* Of the facts so far. words: in value or reason. A finding is made of what warns or fails, if cause is given. */
static void is(const char *id, enum status status, const char *words, const char *cause)
{
	diagnose(report);
	const struct check *check = find(id);
	const char *said = arena_printf(report->arena, "%s; %s", check->value ? check->value : "", check->because);
	CHECK_INT(check->status, status);
	if (!strstr(said, words))
		printf("%s: %s\n", id, said);
	CHECK(strstr(said, words) != NULL);
	CHECK_TEXT(check->cause, cause);
	CHECK_INT(report->finding_count, cause ? 1 : 0);
	CHECK(report->readiness.ready == (status != STATUS_FAIL));
	if (!cause || !report->finding_count)
		return;
	const struct finding *finding = report->findings[0];
	CHECK_TEXT(finding->cause, cause);
	CHECK_INT(finding->status, status);
	CHECK_INT(finding->owner, OWNER_SERVER_ADMIN);
	CHECK(finding->subject && finding->remedy.count && finding->evidence.count &&
	      strstr(finding->summary, check->because));
}

/* A check with the one fact that it goes by. */
static void one(const char *id, const char *subject, const char *value, enum status status, const char *words,
		const char *cause)
{
	begin();
	fact(subject, value ? "read" : "absent", value ? value : "");
	is(id, status, words, cause);
	CHECK(strstr(find(id)->source, "stands") != NULL);
}

static void thresholds(void)
{
	one("temporary_files", "temporary_files", "59999", STATUS_PASS, "59999 .tmp files", NULL);
	one("temporary_files", "temporary_files", "60000", STATUS_WARN, "34513", "pre_temp_files_many");
	one("dotnet", "dotnet_release", "528040", STATUS_PASS, "4.8 or later", NULL);
	one("dotnet", "dotnet_release", "528039", STATUS_WARN, "528040", "pre_dotnet_old");
	one("dotnet", "dotnet_release", "379893", STATUS_WARN, "older agents", "pre_dotnet_old");
	one("dotnet", "dotnet_release", "379892", STATUS_FAIL, "older than 4.5.2", "pre_dotnet_old");
	one("dotnet", "dotnet_release", NULL, STATUS_FAIL, "no .NET", "pre_dotnet_old");
	one("dotnet", "dotnet_release", "many", STATUS_INCONCLUSIVE, "not understood", NULL);
	one("powershell", "powershell_version", "5.1.14393.0", STATUS_PASS, "5.1.14393.0", NULL);
	one("powershell", "powershell_version", "4.0", STATUS_WARN, "5.0", "pre_powershell_unfit");
	one("powershell", "powershell_version", "2.0", STATUS_FAIL, "older than 3.0", "pre_powershell_unfit");
	one("powershell", "powershell_version", NULL, STATUS_FAIL, "no Windows PowerShell", "pre_powershell_unfit");
	one("execution_policy", "execution_policy", "RemoteSigned", STATUS_PASS, "not Restricted", NULL);
	one("execution_policy", "execution_policy", "restricted", STATUS_WARN, "no script", "pre_powershell_unfit");
	one("execution_policy", "execution_policy", NULL, STATUS_PASS, "not set", NULL);
	one("file_download", "zone_download", "3", STATUS_WARN, "forbidden", "cfg_zone_download_forbidden");
	one("file_download", "zone_download", "0", STATUS_PASS, "not forbidden", NULL);
	one("file_download", "zone_download", NULL, STATUS_PASS, "not forbidden", NULL);
	one("clock", "time_zone", "W. Europe Standard Time", STATUS_PASS, "W. Europe", NULL);
}

/* A policy of the group hides the machine's own. */
static void policies(void)
{
	begin();
	fact("execution_policy", "read", "Restricted");
	fact("execution_policy_of_group", "read", "AllSigned");
	is("execution_policy", STATUS_PASS, "AllSigned", NULL);
	CHECK_TEXT(find("execution_policy")->source, "where execution_policy_of_group stands");
	begin();
	fact("execution_policy", "read", "RemoteSigned");
	fact("execution_policy_of_group", "absent", "");
	is("execution_policy", STATUS_PASS, "RemoteSigned", NULL);
	CHECK_TEXT(find("execution_policy")->source, "where execution_policy stands");
}

static void clocks(void)
{
	begin();
	fact("time_zone", "read", "UTC");
	fact("time_sync", "read", "NTP");
	is("clock", STATUS_PASS, "check", NULL);
	begin();
	fact("time_zone", "read", "UTC");
	fact("time_sync", "read", "NoSync");
	is("clock", STATUS_WARN, "34513", NULL);
}

static void volume_is(const char *gib, const char *system, const char *trait, enum status status, const char *words)
{
	begin();
	struct observation *seen = build_fact(report, "preflight", "scratch_volume", "read",
					      arena_printf(report->arena, "%s000000000", gib));
	text_list_add(report->arena, &seen->fact.values, "900000000000");
	text_list_add(report->arena, &seen->fact.values, system);
	if (trait)
		text_list_add(report->arena, &seen->fact.values, trait);
	text_list_add(report->arena, &seen->fact.values, "C:\\Scratch");
	fact("agent_folder", "read", "C:\\Agent\\");
	is("scratch", status, words, status == STATUS_PASS ? NULL : "pre_scratch_unfit");
	CHECK_TEXT(find("scratch")->source, "C:\\Scratch");
}

static void scratch(void)
{
	volume_is("108", "NTFS", NULL, STATUS_PASS,
		  "100 GiB free, NTFS; 5 to 10 % of the data to protect: enough for 1000 to 2000 GiB");
	volume_is("1", "NTFS", NULL, STATUS_WARN, "0 GiB free");
	volume_is("108", "ReFS", NULL, STATUS_FAIL, "ReFS; it must be local NTFS");
	volume_is("108", "NTFS", "compressed", STATUS_FAIL, "NTFS, compressed");
	volume_is("108", "NTFS", "remote", STATUS_FAIL, "remote");
	begin();
	fact("scratch", "read", "C:\\a");
	fact("scratch_of_provider", "read", "c:\\A");
	fact("scratch_volume", "not_applicable", "");
	is("scratch", STATUS_NOT_APPLICABLE, "not to be seen from here", NULL);
	begin();
	fact("scratch_volume", "not_applicable", "");
	fact("scratch", "read", "C:\\a");
	fact("scratch_of_provider", "read", "D:\\a");
	is("scratch", STATUS_WARN, "C:\\a and D:\\a; the two values", "pre_scratch_unfit");
	begin();
	fact("scratch_volume", "unknown", "");
	fact("agent_folder", "absent", "");
	is("scratch", STATUS_NOT_APPLICABLE, "no agent is installed", NULL);
}

static void modules(void)
{
	begin();
	fact("module_path", "read", "C:\\x;c:\\program files\\microsoft azure recovery services agent\\bin\\modules");
	fact("agent_folder", "read", "C:\\Agent\\");
	is("module_path", STATUS_PASS, "are on it", NULL);
	begin();
	fact("module_path", "read", "C:\\x");
	fact("agent_folder", "read", "C:\\Agent\\");
	is("module_path", STATUS_WARN, "not on it", "pre_powershell_unfit");
	begin();
	fact("module_path", "read", "C:\\x");
	fact("agent_folder", "absent", "");
	is("module_path", STATUS_NOT_APPLICABLE, "no agent", NULL);
}

static void tls_is(const char *enabled, const char *disabled, const char *dotnet, const char *crypto,
		   enum status status, const char *words)
{
	const char *const given[][2] = {{"tls12_enabled", enabled},
					{"tls12_disabled", disabled},
					{"dotnet_tls", dotnet},
					{"dotnet_crypto", crypto}};
	begin();
	for (size_t i = 0; i < 4; i++)
		fact(given[i][0], given[i][1] ? "read" : "absent", given[i][1] ? given[i][1] : "");
	is("tls", status, words, status == STATUS_PASS ? NULL : "host_tls12_disabled_schannel");
}

static void tls(void)
{
	tls_is(NULL, NULL, NULL, NULL, STATUS_PASS, "nothing switches");
	tls_is("1", "0", "1", "1", STATUS_PASS, "nothing switches");
	tls_is("4294967295", "0", NULL, NULL, STATUS_PASS, "nothing switches");
	tls_is("0", NULL, NULL, NULL, STATUS_FAIL, "Enabled 0");
	tls_is(NULL, "1", NULL, NULL, STATUS_FAIL, "DisabledByDefault 1");
	tls_is("1", "0", "0", "1", STATUS_WARN, "SystemDefaultTlsVersions 0");
	tls_is("1", "0", "1", "0", STATUS_WARN, "SchUseStrongCrypto 0");
	CHECK_TEXT(find("tls")->source, "where dotnet_crypto stands");
}

static void certificates(void)
{
	begin();
	build_fact(report, "preflight", "certificates", "read", "where they stand");
	is("stale_certificate", STATUS_PASS, "no \"Windows Azure Tools\"", NULL);
	one("stale_certificate", "certificates", "AABB", STATUS_WARN, "AABB; a certificate", "pre_stale_certificate");
}

static void agent_is(const char *start, const char *runs, enum status status, const char *words)
{
	begin();
	fact("service_start", start ? "read" : "absent", start ? start : "");
	fact("service_state", runs ? "read" : "not_applicable", runs ? runs : "");
	fact("agent_version", "read", "2.0.9250.0");
	bool bad = status == STATUS_WARN || status == STATUS_FAIL;
	is("agent_service", status, words, bad ? "pre_agent_service" : NULL);
}

static void agents(void)
{
	agent_is(NULL, NULL, STATUS_NOT_APPLICABLE, "no agent is installed");
	agent_is("4", NULL, STATUS_FAIL, "disabled");
	agent_is("3", NULL, STATUS_PASS, "agent 2.0.9250.0; the service obengine is not disabled");
	agent_is("2", "running", STATUS_PASS, "agent 2.0.9250.0, running");
	agent_is("2", "stopped", STATUS_WARN, "does not run");
}

static void exclusions(void)
{
	begin();
	build_fact(report, "preflight", "exclusions", "read", "where they stand");
	is("antivirus", STATUS_WARN, "0 of CBEngine.exe and the agent's folder", "pre_antivirus_exclusions");
	one("antivirus", "exclusions", "CBEngine.exe", STATUS_WARN, "1 of", "pre_antivirus_exclusions");
	begin();
	struct observation *both = build_fact(report, "preflight", "exclusions", "read", "CBEngine.exe");
	text_list_add(report->arena, &both->fact.values, "C:\\Agent");
	text_list_add(report->arena, &both->fact.values, "where they stand");
	is("antivirus", STATUS_PASS, "Windows Defender", NULL);
}

/* Where nobody could look, nothing is claimed, of any check; and a report without such facts has no checks. */
static void nothing_known(void)
{
	static const char *const states[] = {"unknown", "not_applicable"};
	static const enum status wanted[] = {STATUS_INCONCLUSIVE, STATUS_NOT_APPLICABLE};
	for (size_t i = 0; i < 2; i++) {
		begin();
		static const char *const subjects[] = {"time_zone",
						       "time_sync",
						       "dotnet_release",
						       "powershell_version",
						       "execution_policy_of_group",
						       "execution_policy",
						       "module_path",
						       "tls12_enabled",
						       "tls12_disabled",
						       "dotnet_tls",
						       "dotnet_crypto",
						       "agent_folder",
						       "scratch",
						       "scratch_of_provider",
						       "service_start",
						       "certificates",
						       "exclusions",
						       "zone_download",
						       "temporary_files",
						       "scratch_volume",
						       "service_state",
						       "agent_version"};
		for (size_t k = 0; k < sizeof(subjects) / sizeof(subjects[0]); k++)
			fact(subjects[k], states[i], "");
		diagnose(report);
		CHECK_INT(report->check_count, 12);
		CHECK_INT(report->finding_count, 0);
		for (size_t k = 0; k < report->check_count; k++)
			CHECK_INT(report->checks[k].status, wanted[i]);
		diagnose(report);
		CHECK_INT(report->check_count, 12);
	}
	begin();
	diagnose(report);
	CHECK_INT(report->check_count, 0);
	CHECK(!report->readiness.ready);
	build_fact(report, "preflight", NULL, "read", NULL); /* of a report that somebody made up */
	build_fact(report, "preflight", "dotnet_release", NULL, NULL);
	build_fact(report, "preflight", "certificates", "read", NULL);
	diagnose(report);
	CHECK_INT(report->check_count, 12);
}

/* Beside paths that work: a warning, whatever it is; and nothing twice. */
static void beside_paths(void)
{
	report_free(report);
	report = build_report();
	struct path *path =
		build_route(report, build_target(report, "login.example", 443), IDENTITY_SYSTEM, "DIRECT", true);
	build_works(report, path, "20.190.128.1");
	fact("dotnet_release", "read", "1");
	fact("zone_download", "read", "3");
	struct observation *zone = build_fact(report, "zone_download", "system", "forbidden", "3");
	text_list_add(report->arena, &zone->fact.values, "3");
	text_list_add(report->arena, &zone->fact.values, "a place");
	diagnose(report);
	CHECK_INT(report->finding_count, 2);
	CHECK(build_finding(report, "pre_dotnet_old")->status == STATUS_WARN);
	CHECK_INT(find("dotnet")->status, STATUS_FAIL);
	CHECK_TEXT(build_finding(report, "cfg_zone_download_forbidden")->subject, "a place");
	CHECK(report->readiness.ready);
}

int main(void)
{
	thresholds();
	policies();
	clocks();
	scratch();
	modules();
	tls();
	certificates();
	agents();
	exclusions();
	nothing_known();
	beside_paths();
	report_free(report);
	return check_summary();
}
