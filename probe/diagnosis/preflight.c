#include "probe/diagnosis/preflight.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/text.h"
#include "probe/diagnosis/view.h"

enum {
	TEMPORARY_FILES_LIMIT = 60000,
	DOTNET_4_5_2 = 379893,
	DOTNET_4_8 = 528040,
	POWERSHELL_OLD = 3,
	POWERSHELL_NEW = 5,
	SERVICE_DISABLED = 4,
	DOWNLOAD_FORBIDDEN = 3,
	EXCLUSIONS = 2
};
static const uint64_t GIB = 1ULL << 30, SCRATCH_LEAST_BYTES = 1ULL << 30;

/** What a judge has, and fills in. */
struct judging {
	struct report *report;
	struct check *check;
	struct observation_list seen; /* what it went by */
};

/* ------------------------------------------------------------------ facts */

static struct observation *find(const struct report *report, const char *subject)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		if (one->op == OP_LOCAL_FACT && text_equal(one->fact.fact, "preflight") &&
		    text_equal(one->fact.subject, subject))
			return one;
	}
	return NULL;
}

static bool state_is(const struct local_fact *fact, const char *state)
{
	return fact && text_equal(fact->state, state);
}

static const char *source_of(const struct local_fact *fact)
{
	return fact && fact->values.count ? fact->values.items[fact->values.count - 1] : NULL;
}

/* The fact; its source becomes the check's, where that has none yet. */
static const struct local_fact *look(struct judging *judging, const char *subject)
{
	struct observation *one = find(judging->report, subject);
	if (!one)
		return NULL;
	if (state_is(&one->fact, "read") || state_is(&one->fact, "absent"))
		observation_list_add(judging->report->arena, &judging->seen, one);
	if (!judging->check->source)
		judging->check->source = source_of(&one->fact);
	return &one->fact;
}

/* What was read, without the source, which stands last; NULL: nothing was. */
static const char *value_at(const struct local_fact *fact, size_t index)
{
	return state_is(fact, "read") && index + 1 < fact->values.count ? fact->values.items[index] : NULL;
}

static bool number_at(const struct local_fact *fact, size_t index, uint64_t *out)
{
	const char *text = value_at(fact, index);
	char *end = NULL;
	*out = text ? strtoull(text, &end, 10) : 0;
	return text && end != text && *end == '\0';
}

static bool say(struct judging *judging, enum status status, const char *because)
{
	judging->check->status = status;
	judging->check->because = because;
	return true;
}

/* Where nothing was read: nobody looked, or there is nothing to look at. True: said. */
static bool say_unread(struct judging *judging, const struct local_fact *fact, const char *absent)
{
	if (!fact || state_is(fact, "not_applicable"))
		return say(
			judging, STATUS_NOT_APPLICABLE,
			"not to be seen from here: on the server itself, or by an export of its registry (--registry)");
	if (state_is(fact, "absent") && absent)
		return say(judging, STATUS_FAIL, absent);
	if (!state_is(fact, "read") && !state_is(fact, "absent"))
		return say(judging, STATUS_INCONCLUSIVE, "it could not be read, or the export does not have it");
	return false;
}

/* ------------------------------------------------------------------ judges */

static void judge_clock(struct judging *judging)
{
	const struct local_fact *zone = look(judging, "time_zone"), *sync = look(judging, "time_sync");
	judging->check->value = value_at(zone, 0);
	if (say_unread(judging, zone, NULL))
		return;
	if (text_equal(value_at(sync, 0), "NoSync"))
		say(judging, STATUS_WARN,
		    "Windows does not set its clock by any other: a wrong clock ends in error 34513");
	else
		say(judging, STATUS_PASS, "whether the clock is right, `marsprobe check` asks the servers");
}

static void judge_temporary_files(struct judging *judging)
{
	uint64_t count;
	const struct local_fact *fact = look(judging, "temporary_files");
	if (say_unread(judging, fact, NULL) || !number_at(fact, 0, &count))
		return;
	judging->check->value = arena_printf(judging->report->arena, "%" PRIu64 " .tmp files", count);
	if (count >= TEMPORARY_FILES_LIMIT)
		say(judging, STATUS_WARN, "60,000 and more of them end in error 34513");
	else
		say(judging, STATUS_PASS, "fewer than 60,000");
}

static const char *forbidden_traits(struct judging *judging, const struct local_fact *volume)
{
	const char *all = NULL;
	for (size_t i = 3; value_at(volume, i); i++)
		all = all ? arena_printf(judging->report->arena, "%s, %s", all, value_at(volume, i))
			  : value_at(volume, i);
	return all;
}

static void judge_scratch(struct judging *judging)
{
	uint64_t free_bytes = 0;
	struct arena *arena = judging->report->arena;
	const struct local_fact *volume = look(judging, "scratch_volume"), *own = look(judging, "scratch"),
				*providers = look(judging, "scratch_of_provider");
	const char *first = value_at(own, 0), *second = value_at(providers, 0), *system = value_at(volume, 2);
	if (first && second && strcasecmp(first, second) != 0) {
		judging->check->source = source_of(own);
		judging->check->value = arena_printf(arena, "%s and %s", first, second);
		say(judging, STATUS_WARN, "the two values ScratchLocation must be the same");
		return;
	}
	if (state_is(look(judging, "agent_folder"), "absent")) {
		say(judging, STATUS_NOT_APPLICABLE, "no agent is installed: it is chosen with it");
		return;
	}
	if (say_unread(judging, volume, NULL) || !number_at(volume, 0, &free_bytes))
		return;
	const char *traits = forbidden_traits(judging, volume);
	judging->check->value = arena_printf(arena, "%" PRIu64 " GiB free, %s%s%s", free_bytes / GIB,
					     system ? system : "?", traits ? ", " : "", traits ? traits : "");
	if (traits || strcasecmp(system ? system : "", "NTFS") != 0)
		say(judging, STATUS_FAIL,
		    "it must be local NTFS, and not compressed, encrypted, sparse or a reparse point");
	else if (free_bytes < SCRATCH_LEAST_BYTES)
		say(judging, STATUS_WARN, "free space of 5 to 10 % of the data to protect is asked for");
	else
		say(judging, STATUS_PASS,
		    arena_printf(arena, "5 to 10 %% of the data to protect: enough for %" PRIu64 " to %" PRIu64 " GiB",
				 free_bytes / GIB * 10, free_bytes / GIB * 20));
}

static void judge_dotnet(struct judging *judging)
{
	uint64_t release;
	const struct local_fact *fact = look(judging, "dotnet_release");
	if (say_unread(judging, fact,
		       "no .NET Framework 4.5 or later: the agent of 2025 needs 4.8, older ones 4.5.2") ||
	    !number_at(fact, 0, &release))
		return;
	judging->check->value = arena_printf(judging->report->arena, "release %" PRIu64, release);
	if (release >= DOTNET_4_8)
		say(judging, STATUS_PASS, "4.8 or later");
	else if (release >= DOTNET_4_5_2)
		say(judging, STATUS_WARN, "enough for older agents (4.5.2); the installer of 2025 needs 4.8 (528040)");
	else
		say(judging, STATUS_FAIL, "older than 4.5.2 (379893); the installer of 2025 needs 4.8 (528040)");
}

static void judge_powershell(struct judging *judging)
{
	const struct local_fact *fact = look(judging, "powershell_version");
	const char *version = judging->check->value = value_at(fact, 0);
	if (say_unread(judging, fact, "no Windows PowerShell 3.0 or later") || !version)
		return;
	int major = atoi(version);
	if (major >= POWERSHELL_NEW)
		say(judging, STATUS_PASS, "5.0 or later");
	else if (major >= POWERSHELL_OLD)
		say(judging, STATUS_WARN, "enough for older agents (3.0); the installer of 2025 needs 5.0");
	else
		say(judging, STATUS_FAIL, "older than 3.0; the installer of 2025 needs 5.0");
}

/* A policy of the group counts before the machine's own. Without either, servers have RemoteSigned. */
static void judge_execution_policy(struct judging *judging)
{
	const char *group = value_at(look(judging, "execution_policy_of_group"), 0);
	if (!group)
		judging->check->source = NULL;
	const struct local_fact *own = look(judging, "execution_policy");
	const char *policy = judging->check->value = group ? group : value_at(own, 0);
	if (!policy && say_unread(judging, own, NULL))
		return;
	if (policy && strcasecmp(policy, "Restricted") == 0)
		say(judging, STATUS_WARN,
		    "Restricted lets no script run; the agent's are signed (RemoteSigned lets them run)");
	else
		say(judging, STATUS_PASS,
		    policy ? "it is not Restricted" : "it is not set: servers have RemoteSigned then");
}

static void judge_module_path(struct judging *judging)
{
	const struct local_fact *fact = look(judging, "module_path");
	const char *folder = value_at(look(judging, "agent_folder"), 0), *path = value_at(fact, 0);
	if (!path && say_unread(judging, fact, NULL))
		return;
	if (!folder) {
		say(judging, STATUS_NOT_APPLICABLE, "no agent is installed, or it is not known where");
		return;
	}
	judging->check->value = path;
	if (path && text_find_nocase(path, "Recovery Services Agent\\bin\\Modules"))
		say(judging, STATUS_PASS, "the agent's modules are on it");
	else
		say(judging, STATUS_WARN,
		    "the agent's folder bin\\Modules is not on it: PowerShell will not find MSOnlineBackup");
}

static bool is_switched_off(const char *enabled, const char *disabled)
{
	return text_equal(enabled, "0") || (disabled && !text_equal(disabled, "0"));
}

static void judge_tls(struct judging *judging)
{
	const struct local_fact *enabled = look(judging, "tls12_enabled"), *disabled = look(judging, "tls12_disabled"),
				*newest = look(judging, "dotnet_tls"), *strong = look(judging, "dotnet_crypto");
	bool is_off = text_equal(value_at(enabled, 0), "0"), is_old = text_equal(value_at(newest, 0), "0");
	bool known = value_at(enabled, 0) || value_at(disabled, 0) || value_at(newest, 0) || value_at(strong, 0);
	if (is_switched_off(value_at(enabled, 0), value_at(disabled, 0))) {
		judging->check->source = source_of(is_off ? enabled : disabled);
		judging->check->value = is_off ? "Enabled 0" : "DisabledByDefault 1";
		say(judging, STATUS_FAIL,
		    "Schannel's TLS 1.2 is switched off for clients, and the service takes nothing older");
	} else if (is_old || text_equal(value_at(strong, 0), "0")) {
		judging->check->source = source_of(is_old ? newest : strong);
		judging->check->value = is_old ? "SystemDefaultTlsVersions 0" : "SchUseStrongCrypto 0";
		say(judging, STATUS_WARN, ".NET is told not to use the system's newest TLS: both values should be 1");
	} else if (known || !say_unread(judging, enabled, NULL)) {
		say(judging, STATUS_PASS, "nothing switches TLS 1.2 off");
	}
}

static void judge_stale_certificate(struct judging *judging)
{
	const struct local_fact *fact = look(judging, "certificates");
	if (say_unread(judging, fact, NULL))
		return;
	judging->check->value = value_at(fact, 0);
	if (judging->check->value)
		say(judging, STATUS_WARN,
		    "a certificate \"Windows Azure Tools\" of an earlier registration ends in error 34513");
	else
		say(judging, STATUS_PASS, "no \"Windows Azure Tools\" is in the machine's personal store");
}

static void judge_agent_service(struct judging *judging)
{
	uint64_t start = 0;
	const struct local_fact *state = look(judging, "service_state"), *kind = look(judging, "service_start");
	const char *runs = value_at(state, 0), *version = value_at(look(judging, "agent_version"), 0);
	bool has_kind = number_at(kind, 0, &start);
	if (!runs)
		judging->check->source = source_of(kind);
	judging->check->value = version ? arena_printf(judging->report->arena, "agent %s%s%s", version,
						       runs ? ", " : "", runs ? runs : "")
					: runs;
	if (!runs && !has_kind && say_unread(judging, kind, NULL))
		return;
	if (!runs && !has_kind)
		say(judging, STATUS_NOT_APPLICABLE, "no agent is installed");
	else if (has_kind && start == SERVICE_DISABLED)
		say(judging, STATUS_FAIL, "the service obengine is disabled");
	else if (text_equal(runs, "stopped"))
		say(judging, STATUS_WARN, "the service obengine is installed and does not run");
	else
		say(judging, STATUS_PASS, runs ? "the service obengine runs" : "the service obengine is not disabled");
}

static void judge_antivirus(struct judging *judging)
{
	const struct local_fact *fact = look(judging, "exclusions");
	if (say_unread(judging, fact, NULL))
		return;
	size_t known = fact->values.count ? fact->values.count - 1 : 0;
	judging->check->value =
		arena_printf(judging->report->arena, "%zu of CBEngine.exe and the agent's folder", known);
	if (known >= EXCLUSIONS)
		say(judging, STATUS_PASS, "excluded in Windows Defender; another antivirus is not seen here");
	else
		say(judging, STATUS_WARN,
		    "the article asks to exclude CBEngine.exe, csc.exe of .NET, Scratch and bin; only Windows "
		    "Defender's list is seen here");
}

static void judge_file_download(struct judging *judging)
{
	uint64_t number;
	const struct local_fact *fact = look(judging, "zone_download");
	if (say_unread(judging, fact, NULL))
		return;
	judging->check->value = value_at(fact, 0);
	if (number_at(fact, 0, &number) && number == DOWNLOAD_FORBIDDEN)
		say(judging, STATUS_WARN,
		    "file download is forbidden for SYSTEM in the Internet zone: the article asks to enable it (0)");
	else
		say(judging, STATUS_PASS, "file download is not forbidden for SYSTEM in the Internet zone");
}

/* ------------------------------------------------------------------ all of them */

static const struct {
	const char *id, *cause;
	void (*judge)(struct judging *judging);
} rows[] = {
#define CHECK(id, cause, judge) {#id, cause, judge},
#include "probe/diagnosis/preflight.def"
#undef CHECK
};

/* What a path says of the same cause says more. */
static bool is_said(const struct report *report, const char *cause)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (text_equal(report->findings[i]->cause, cause) && report->findings[i]->paths.count)
			return true;
	return false;
}

/* Beside the paths of `check` it is a warning: no check of this machine was seen to keep a server from registering. */
static void add_finding(struct judging *judging, const char *cause)
{
	struct report *report = judging->report;
	const struct check *check = judging->check;
	const struct cause *row = cause_find(cause);
	struct finding *finding = report_add_finding(report);
	finding->status = report->path_count ? STATUS_WARN : check->status;
	finding->cause = row->id;
	finding->stage = row->stage;
	finding->owner = row->owner;
	finding->confidence = 0.8;
	finding->subject_kind = SUBJECT_SETTING;
	finding->subject = check->source ? check->source : check->id;
	finding->evidence = judging->seen;
	finding->summary = arena_printf(report->arena, "%s: %s%s%s.", row->title, check->value ? check->value : "",
					check->value ? "; " : "", check->because);
}

static bool has_facts(const struct report *report)
{
	for (size_t i = 0; i < report->observations.count; i++)
		if (report->observations.items[i]->op == OP_LOCAL_FACT &&
		    text_equal(report->observations.items[i]->fact.fact, "preflight"))
			return true;
	return false;
}

void preflight_judge(struct report *report)
{
	for (size_t i = 0; has_facts(report) && i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct check check = {
			.id = rows[i].id, .status = STATUS_INCONCLUSIVE, .because = "it was not understood"};
		struct judging judging = {.report = report, .check = &check};
		rows[i].judge(&judging);
		if (rows[i].cause && (check.status == STATUS_WARN || check.status == STATUS_FAIL)) {
			check.cause = rows[i].cause;
			if (!is_said(report, rows[i].cause))
				add_finding(&judging, rows[i].cause);
		}
		report->checks = arena_grow(report->arena, report->checks, &report->check_capacity, report->check_count,
					    sizeof(*report->checks));
		report->checks[report->check_count++] = check;
	}
}
