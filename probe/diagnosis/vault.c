#include "probe/diagnosis/vault.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/core/timestamp.h"
#include "probe/diagnosis/remedy_system.h"
#include "probe/diagnosis/view.h"
#include "targets/vault.h"

enum {
	HOUR_S = 3600,
	DAY_S = 24 * HOUR_S,
	OLD_VALIDITY_S = 48 * HOUR_S,
	NEW_VALIDITY_S = 10 * DAY_S,
	CLOCK_LIMIT_S = 300,
	CLOCK_WITNESSES = 2,
	VERSION_PARTS = 4
};

/* The first that takes a file for 10 days (the article on troubleshooting the agent, 2025). */
#define NEW_AGENT "2.0.9249.0"
static const char stale[] = "svc_vault_credentials_stale", unusable[] = "svc_vault_credentials_unusable",
		  wrong_cloud[] = "svc_wrong_cloud_endpoint", extension[] = ".VaultCredentials";

static struct finding *add(struct report *report, const char *cause, enum status status, double confidence,
			   const char *summary)
{
	const struct cause *row = cause_find(cause);
	struct finding *finding = report_add_finding(report);
	finding->status = status;
	finding->cause = row->id;
	finding->stage = row->stage;
	finding->owner = row->owner;
	finding->confidence = confidence;
	finding->subject_kind = SUBJECT_SETTING;
	finding->subject = report->run.vault->file;
	finding->summary = summary;
	return finding;
}

/* The name alone: the directory is in the subject. */
static const char *name_of(const struct vault_file *vault)
{
	const char *name = vault->file;
	for (const char *c = name; *c; c++)
		if (*c == '/' || *c == '\\')
			name = c + 1;
	return name;
}

/* ------------------------------------------------------------------ times */

static int64_t now_s(const struct report *report)
{
	bool known = report->host.clock_witnesses >= CLOCK_WITNESSES;
	return (report->run.started_at_ms - (known ? report->host.clock_offset_ms : 0)) / 1000;
}

/* "2026-11-29 13:00 UTC" */
static const char *when(struct report *report, int64_t at_s)
{
	char text[TIMESTAMP_TEXT_BYTES];
	if (!timestamp_format(at_s * 1000, text))
		return "an unknown time";
	return arena_printf(report->arena, "%.10s %.5s UTC", text, text + 11);
}

/* "3 days", "26 hours", "12 minutes": whole ones. */
static const char *how_long(struct report *report, int64_t seconds)
{
	if (seconds >= 2 * DAY_S)
		return arena_printf(report->arena, "%lld days", (long long)(seconds / DAY_S));
	if (seconds >= 2 * HOUR_S)
		return arena_printf(report->arena, "%lld hours", (long long)(seconds / HOUR_S));
	long long minutes = (long long)(seconds / 60);
	return arena_printf(report->arena, "%lld minute%s", minutes, minutes == 1 ? "" : "s");
}

/* ------------------------------------------------------------------ which agent */

static struct observation *find_agent(const struct report *report)
{
	for (size_t i = 0; i < report->observations.count; i++) {
		struct observation *one = report->observations.items[i];
		bool is = one->op == OP_LOCAL_FACT && one->fact.values.count &&
			  (text_equal(one->fact.fact, "agent_version") ||
			   (text_equal(one->fact.fact, "preflight") && text_equal(one->fact.subject, "agent_version") &&
			    text_equal(one->fact.state, "read")));
		if (is)
			return one;
	}
	return NULL;
}

static bool parse_version(const char *text, unsigned parts[VERSION_PARTS])
{
	return sscanf(text, "%9u.%9u.%9u.%9u", &parts[0], &parts[1], &parts[2], &parts[3]) == VERSION_PARTS;
}

enum age { AGE_UNKNOWN, AGE_OLD, AGE_NEW };

static enum age agent_age(const char *version)
{
	unsigned own[VERSION_PARTS], first[VERSION_PARTS];
	if (!version || !parse_version(version, own) || !parse_version(NEW_AGENT, first))
		return AGE_UNKNOWN;
	for (int i = 0; i < VERSION_PARTS; i++)
		if (own[i] != first[i])
			return own[i] < first[i] ? AGE_OLD : AGE_NEW;
	return AGE_NEW;
}

/* ------------------------------------------------------------------ out of date */

static void judge_expired(struct report *report, const struct vault_file *vault, int64_t now)
{
	add(report, stale, STATUS_FAIL, 0.95,
	    arena_printf(
		    report->arena,
		    "The vault credentials are out of date: the certificate in %s was valid until %s, and expired %s "
		    "before this run.",
		    name_of(vault), when(report, vault->not_after_s), how_long(report, now - vault->not_after_s)));
}

/* The certificate is made for each download: it begins when the file was made. That is inferred, and so never proven. */
static void judge_old(struct report *report, const struct vault_file *vault, int64_t age_s)
{
	struct observation *installed = find_agent(report);
	const char *version = installed ? installed->fact.values.items[0] : NULL, *age = how_long(report, age_s);
	enum age agent = agent_age(version);
	if (age_s > NEW_VALIDITY_S) {
		add(report, stale, STATUS_FAIL, 0.6,
		    arena_printf(report->arena,
				 "The vault credentials are out of date: the certificate in %s begins %s ago (%s), and "
				 "such a "
				 "file is taken for 10 days, by agents older than " NEW_AGENT " for 48 hours.",
				 name_of(vault), age, when(report, vault->not_before_s)));
	} else if (agent == AGE_OLD) {
		struct finding *finding =
			add(report, stale, STATUS_FAIL, 0.6,
			    arena_printf(report->arena,
					 "The vault credentials are out of date: the certificate in %s begins %s ago "
					 "(%s), and the "
					 "agent installed here (%s, older than " NEW_AGENT
					 ") takes such a file for 48 hours.",
					 name_of(vault), age, when(report, vault->not_before_s), version));
		observation_list_add(report->arena, &finding->evidence, installed);
	} else if (agent == AGE_UNKNOWN) {
		add(report, stale, STATUS_WARN, 0.5,
		    arena_printf(report->arena,
				 "The vault credentials may be out of date: the certificate in %s begins %s ago (%s). "
				 "Agents "
				 "from " NEW_AGENT
				 " on take such a file for 10 days, until %s; older ones took it for 48 "
				 "hours. Which agent will register is not known here.",
				 name_of(vault), age, when(report, vault->not_before_s),
				 when(report, vault->not_before_s + NEW_VALIDITY_S)));
	}
}

static void judge_dates(struct report *report, const struct vault_file *vault)
{
	int64_t now = now_s(report);
	bool known = vault->not_after_s != NOT_MEASURED && vault->not_before_s != NOT_MEASURED;
	if (known && now > vault->not_after_s)
		judge_expired(report, vault, now);
	else if (known && now - vault->not_before_s > OLD_VALIDITY_S)
		judge_old(report, vault, now - vault->not_before_s);
}

/* ------------------------------------------------------------------ of no use */

static bool has_extension(const struct vault_file *vault)
{
	size_t length = strlen(vault->file), end = strlen(extension);
	return length > end && strcasecmp(vault->file + length - end, extension) == 0;
}

static bool is_of_backup(const struct vault_file *vault)
{
	return !text_equal(vault->kind, "site_recovery");
}

/* Why the certificate inside serves nobody; NULL: it does, or nobody here can say. */
static const char *certificate_fault(struct report *report, const struct vault_file *vault)
{
	static const char *const faults[][2] = {
		{"absent", "it holds no certificate"},
		{"no_base64", "its certificate is damaged (it is not whole base64)"},
		{"no_pfx", "its certificate is damaged (it is no PFX)"},
		{"password", "its certificate is damaged, or somebody put a password on it"},
		{"no_certificate", "its PFX holds no certificate"},
		{"no_key", "its PFX holds no private key"},
	};
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (text_equal(vault->certificate, faults[i][0]))
			return faults[i][1];
	if (vault->not_before_s != NOT_MEASURED && now_s(report) + CLOCK_LIMIT_S < vault->not_before_s)
		return arena_printf(report->arena, "its certificate is not valid before %s",
				    when(report, vault->not_before_s));
	return NULL;
}

static void judge_use(struct report *report, const struct vault_file *vault)
{
	const char *fault = is_of_backup(vault)
				    ? certificate_fault(report, vault)
				    : "it is Site Recovery's, and the backup agent takes only a backup vault's";
	const char *ending = has_extension(vault) ? NULL : "its name does not end in .VaultCredentials";
	if (!fault && !ending)
		return;
	struct finding *finding =
		add(report, unusable, STATUS_FAIL, fault ? 0.9 : 0.8,
		    arena_printf(report->arena, "The vault credentials cannot be used: of %s, %s%s%s.", name_of(vault),
				 fault ? fault : "", fault && ending ? "; and " : "", ending ? ending : ""));
	if (ending)
		remedy_add(report->arena, &finding->remedy,
			   "Give the file back its name, which ends in .VaultCredentials: the agent takes no other.",
			   NULL);
	if (fault)
		remedy_add(report->arena, &finding->remedy,
			   "Download new credentials of the Recovery Services vault for the backup agent (Backup "
			   "infrastructure or Properties, Backup Credentials), whole and unchanged.",
			   NULL);
}

/* ------------------------------------------------------------------ another cloud */

/* Its sign-in, where the report has a target that is one. */
static const char *tested_sign_in(const struct report *report, const char *cloud, bool same)
{
	for (size_t i = 0; i < report->target_count; i++) {
		const struct target *target = report->targets[i];
		const char *own = text_equal(target->service, "entra") &&
						  strstr(target->host ? target->host : "", ".microsoftonline.")
					  ? vault_cloud_of_host(target->host)
					  : NULL;
		if (own && text_equal(own, cloud) == same)
			return target->host;
	}
	return NULL;
}

static void judge_cloud(struct report *report, const struct vault_file *vault)
{
	const char *set = vault_set_name(vault);
	const char *tested = set ? tested_sign_in(report, vault->cloud, false) : NULL;
	if (!tested || tested_sign_in(report, vault->cloud, true))
		return;
	struct finding *finding = add(
		report, wrong_cloud, STATUS_FAIL, 0.9,
		arena_printf(
			report->arena,
			"The endpoints belong to another cloud: the vault of %s signs in at %s, and what was tested "
			"is %s and its like.",
			name_of(vault), vault->authority ? vault->authority : "another host", tested));
	finding->subject_kind = SUBJECT_NAME;
	finding->subject = tested;
	remedy_add(report->arena, &finding->remedy,
		   arena_printf(report->arena,
				"Test the target set of the vault's cloud: %s, which is taken by itself where no "
				"target is named.",
				set),
		   NULL);
	remedy_add(report->arena, &finding->remedy,
		   "Or give the credentials of the vault that this server is meant for.", NULL);
}

void vault_judge(struct report *report)
{
	const struct vault_file *vault = report->run.vault;
	if (!vault)
		return;
	judge_use(report, vault);
	if (is_of_backup(vault))
		judge_dates(report, vault);
	judge_cloud(report, vault);
}

/* ------------------------------------------------------------------ tenant restrictions */

/* Only who opens TLS can put a header in (the tenant-restriction pages name these hosts to be opened). */
void vault_add_tenant(struct report *report, struct finding *finding)
{
	const struct vault_file *vault = report->run.vault;
	bool opens = finding->cause && strncmp(finding->cause, "tls_intercepted_", strlen("tls_intercepted_")) == 0;
	bool signs_in = false;
	for (size_t i = 0; i < finding->target_count; i++)
		signs_in |= text_equal(finding->targets[i]->service, "entra");
	if (!opens || !signs_in || !vault || !vault->tenant_id)
		return;
	remedy_add(
		report->arena, &finding->remedy,
		arena_printf(
			report->arena,
			"Where this device restricts sign-in to named tenants (it adds the header "
			"Restrict-Access-To-Tenants), let it allow %s too: the vault signs in to this tenant, which is "
			"the service's own and none of yours.",
			vault->tenant_id),
		NULL);
}
