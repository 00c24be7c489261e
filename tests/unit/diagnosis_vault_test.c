/* Judging the vault credentials file: out of date, of no use, another cloud's. */
#include "probe/diagnosis/diagnosis.h"

#include "probe/core/arena.h"
#include "tests/unit/check.h"
#include "tests/unit/report_builder.h"

static const char stale[] = "svc_vault_credentials_stale", unusable[] = "svc_vault_credentials_unusable",
		  cloud[] = "svc_wrong_cloud_endpoint";
enum { NOW_S = 1769850307, HOUR_S = 3600, DAY_S = 86400 };

/* One hour old, of 10 days. */
static struct vault_file good(void)
{
	return (struct vault_file){.file = "dir/contoso.VaultCredentials",
				   .kind = "backup",
				   .authority = "https://login.microsoftonline.com",
				   .tenant_id = "0ec4a9c1-72b5-43c4-8a8d-0a1b2c3d4e5f",
				   .cloud = "public",
				   .certificate = "read",
				   .not_before_s = NOW_S - HOUR_S,
				   .not_after_s = NOW_S + 10 * DAY_S};
}

/* A server whose network is well. */
static struct report *with(const struct vault_file *vault, const char *host)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, host, 443));
	build_works(report, path, "20.190.128.1");
	report->run.vault = vault;
	return report;
}

/* The only finding, if cause is not NULL, with these words in its summary. Frees the report. */
static void ends(struct report *report, const char *cause, enum status status, const char *words)
{
	diagnose(report);
	CHECK_INT(report->finding_count, cause ? 1 : 0);
	CHECK(report->readiness.ready == !(cause && status == STATUS_FAIL));
	CHECK_INT(diagnose_exit_status(report), cause && status == STATUS_FAIL ? 1 : 0);
	CHECK_INT(report->paths[0]->verdict.status, STATUS_PASS);
	for (size_t i = 0; cause && i < report->finding_count; i++) {
		const struct finding *finding = report->findings[i];
		CHECK_TEXT(finding->cause, cause);
		CHECK_INT(finding->status, status);
		CHECK_INT(finding->stage, STAGE_HOST);
		CHECK_INT(finding->owner, OWNER_SERVER_ADMIN);
		CHECK_INT(finding->target_count, 0);
		CHECK(finding->remedy.count > 0);
		if (!strstr(finding->summary, words))
			printf("summary: %s\n", finding->summary);
		CHECK(strstr(finding->summary, words) != NULL);
	}
	report_free(report);
}

static void file_ends(struct vault_file vault, const char *cause, enum status status, const char *words)
{
	ends(with(&vault, "login.microsoftonline.com"), cause, status, words);
}

static void expired(void)
{
	struct vault_file vault = good();
	file_ends(vault, NULL, STATUS_PASS, NULL);
	vault.not_after_s = NOW_S + 1;
	file_ends(vault, NULL, STATUS_PASS, NULL);
	vault.not_after_s = NOW_S - 90 * 60;
	file_ends(vault, stale, STATUS_FAIL,
		  "the certificate in contoso.VaultCredentials was valid until 2026-01-31 07:35 UTC, and expired 90 "
		  "minutes before");
	vault.not_after_s = NOW_S - 26 * HOUR_S;
	file_ends(vault, stale, STATUS_FAIL, "expired 26 hours before");
	vault.not_after_s = NOW_S - 400 * DAY_S;
	file_ends(vault, stale, STATUS_FAIL, "expired 400 days before");
	vault.kind = "backup_acs";
	file_ends(vault, stale, STATUS_FAIL, "expired 400 days before");
}

static void is_old(int64_t age_s, const char *agent, enum status status, const char *words)
{
	struct vault_file vault = good();
	vault.not_before_s = NOW_S - age_s;
	struct report *report = with(&vault, "login.microsoftonline.com");
	if (agent)
		build_fact(report, "agent_version", NULL, "present", agent);
	ends(report, words ? stale : NULL, status, words);
}

static void old(void)
{
	is_old(47 * HOUR_S, NULL, STATUS_PASS, NULL);
	is_old(47 * HOUR_S, "2.0.8000.0", STATUS_PASS, NULL);
	is_old(49 * HOUR_S, NULL, STATUS_WARN, "for 10 days, until 2026-02-08");
	is_old(49 * HOUR_S, "unreadable", STATUS_WARN, "Which agent will register is not known");
	is_old(49 * HOUR_S, "2.0.9248.9", STATUS_FAIL, "the agent installed here (2.0.9248.9, older than 2.0.9249.0)");
	is_old(49 * HOUR_S, "1.9.9999.0", STATUS_FAIL, "for 48 hours");
	is_old(49 * HOUR_S, "2.0.9249.0", STATUS_PASS, NULL);
	is_old(49 * HOUR_S, "2.1.0.0", STATUS_PASS, NULL);
	is_old(9 * DAY_S, "2.0.9300.0", STATUS_PASS, NULL);
	is_old(11 * DAY_S, "2.0.9300.0", STATUS_FAIL, "begins 11 days ago");
	is_old(11 * DAY_S, NULL, STATUS_FAIL, "by agents older than 2.0.9249.0 for 48 hours");
}

/* The service judges by its own clock. */
static void clocks(void)
{
	struct vault_file vault = good();
	vault.not_after_s = NOW_S - HOUR_S;
	struct report *report = with(&vault, "login.microsoftonline.com");
	report->host.clock_offset_ms = 4LL * 60 * 1000;
	report->host.clock_witnesses = 3;
	ends(report, stale, STATUS_FAIL, "56 minutes before");

	vault.not_after_s = NOW_S - 60;
	report = with(&vault, "login.microsoftonline.com");
	report->host.clock_offset_ms = 4LL * 60 * 1000;
	report->host.clock_witnesses = 3;
	ends(report, NULL, STATUS_PASS, NULL);

	report = with(&vault, "login.microsoftonline.com");
	report->host.clock_offset_ms = 4LL * 60 * 1000;
	report->host.clock_witnesses = 1;
	ends(report, stale, STATUS_FAIL, "1 minute before");
}

static void certificate_is(const char *state, const char *words)
{
	struct vault_file vault = good();
	vault.certificate = state;
	vault.not_before_s = vault.not_after_s = NOT_MEASURED;
	file_ends(vault, words ? unusable : NULL, STATUS_FAIL, words);
}

static void of_no_use(void)
{
	struct vault_file vault = good();
	certificate_is("absent", "no certificate");
	certificate_is("no_base64", "damaged");
	certificate_is("no_pfx", "damaged");
	certificate_is("password", "password");
	certificate_is("no_certificate", "PFX holds no certificate");
	certificate_is("no_key", "no private key");
	certificate_is("unreadable", NULL); /* here; Windows may well read it */
	certificate_is(NULL, NULL);
	vault.kind = "site_recovery";
	vault.not_after_s = NOW_S - DAY_S; /* of no interest then */
	file_ends(vault, unusable, STATUS_FAIL, "of contoso.VaultCredentials, it is Site Recovery's");
	vault = good();
	vault.not_before_s = NOW_S + 299;
	file_ends(vault, NULL, STATUS_PASS, NULL);
	vault.not_before_s = NOW_S + 2 * HOUR_S;
	file_ends(vault, unusable, STATUS_FAIL, "not valid before 2026-01-31 11:05 UTC");
	vault = good();
	vault.file = "C:\\dir\\contoso.xml";
	file_ends(vault, unusable, STATUS_FAIL, "of contoso.xml, its name does not end in .VaultCredentials");
	vault.kind = "site_recovery";
	file_ends(vault, unusable, STATUS_FAIL, "backup vault's; and its name does not end");
	vault = good();
	vault.file = "x.vaultcredentials";
	file_ends(vault, NULL, STATUS_PASS, NULL);
	vault.file = ".VaultCredentials";
	file_ends(vault, unusable, STATUS_FAIL, "its name does not end");
}

static void clouds(void)
{
	struct vault_file vault = good();
	ends(with(&vault, "login.microsoftonline.us"), cloud, STATUS_FAIL,
	     "the vault of contoso.VaultCredentials signs in at https://login.microsoftonline.com, and what was tested "
	     "is "
	     "login.microsoftonline.us");
	ends(with(&vault, "login.partner.microsoftonline.cn"), cloud, STATUS_FAIL, "another cloud");
	ends(with(&vault, "login.microsoft.com"), NULL, STATUS_PASS, NULL); /* on the lists of all clouds */
	ends(with(&vault, "h.example"), NULL, STATUS_PASS, NULL);
	vault.cloud = "usgov";
	vault.authority = "https://login.microsoftonline.us";
	ends(with(&vault, "login.microsoftonline.us"), NULL, STATUS_PASS, NULL);
	ends(with(&vault, "login.microsoftonline.com"), cloud, STATUS_FAIL,
	     "what was tested is login.microsoftonline.com");
	struct report *report = with(&vault, "login.microsoftonline.com");
	build_works(report, build_path(report, build_target(report, "login.microsoftonline.us", 443)), "20.190.128.2");
	ends(report, NULL, STATUS_PASS, NULL); /* both were asked for */
	vault.cloud = NULL;
	ends(with(&vault, "login.microsoftonline.com"), NULL, STATUS_PASS, NULL);
}

/* Two things wrong with the file, and the network too: each is said. */
static void several(void)
{
	struct vault_file vault = good();
	vault.file = "x.xml";
	vault.not_after_s = NOW_S - DAY_S;
	struct report *report = build_report();
	build_attempt(report, build_path(report, build_target(report, "login.microsoftonline.us", 443)), "20.190.128.1",
		      FAILURE_TIMEOUT);
	report->run.vault = &vault;
	diagnose(report);
	diagnose(report); /* and once, however often it is judged */
	CHECK_INT(report->finding_count, 4);
	CHECK(build_finding(report, stale) && build_finding(report, unusable) && build_finding(report, cloud));
	CHECK(report->paths[0]->verdict.stage == STAGE_TCP);
	report_free(report);
}

/* Who opens the sign-in's TLS may restrict it to tenants. */
static void tenants(void)
{
	struct vault_file vault = good();
	for (int known = 0; known < 2; known++) {
		struct report *report = build_report();
		struct path *path = build_path(report, build_target(report, "login.microsoftonline.com", 443));
		struct attempt *attempt = build_works(report, path, "20.190.128.1");
		struct observation *tls = attempt->observations.items[1];
		tls->tls.root_public = tls->tls.root_service = false;
		tls->tls.chain = arena_alloc(report->arena, 2 * sizeof(*tls->tls.chain));
		tls->tls.chain[0].issuer = tls->tls.root_subject = "CN=Corp";
		tls->tls.chain_count = 1;
		report->run.vault = known ? &vault : NULL;
		diagnose(report);
		CHECK_INT(report->finding_count, 1);
		const struct text_list *remedy = &report->findings[0]->remedy;
		CHECK(strncmp(report->findings[0]->cause, "tls_intercepted_", 16) == 0);
		CHECK((strstr(remedy->items[remedy->count - 1], "0ec4a9c1-72b5-43c4-8a8d-0a1b2c3d4e5f") != NULL) ==
		      known);
		report_free(report);
	}
}

int main(void)
{
	expired();
	old();
	clocks();
	of_no_use();
	clouds();
	several();
	tenants();
	return check_summary();
}
