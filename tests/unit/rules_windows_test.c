/* Rules about what Windows' own settings do to a path: each with what it takes, and with that taken away. */

#include "check.h"
#include "report_builder.h"

static const char redirects[] = "host_nrpt_rule_redirects", tls_off[] = "host_tls12_disabled_schannel",
		  shadows[] = "cfg_env_shadows_system";

/* ------------------------------------------------------------------ name policy */

struct name_case {
	const char *rule_for; /* whose path the rule is about: "this", "other", or NULL for no rule */
	const char *lookup;   /* the address that the system's lookup gives; NULL: it fails */
	const char *server;   /* that of the configured servers; NULL: NXDOMAIN */
	bool lookups_works, servers_tried, servers_works;
	bool blamed, noted;
};

static const struct name_case name_cases[] = {
	{"this", NULL, "20.190.128.1", false, false, false, true, false},
	{NULL, NULL, "20.190.128.1", false, false, false, false, false},
	{"other", NULL, "20.190.128.1", false, false, false, false, false},
	{"this", NULL, NULL, false, false, false, false, true}, /* nobody knows the name */
	{"this", "10.9.9.9", "20.190.128.1", false, true, true, true, false},
	{"this", "10.9.9.9", "20.190.128.1", false, true, false, false, true}, /* neither address works */
	{"this", "10.9.9.9", "20.190.128.1", false, false, false, false, true},
	{"this", "20.190.128.1", "20.190.128.1", false, false, false, false, true}, /* the same answer */
	{"this", "10.9.9.9", "20.190.128.1", true, false, false, false, true},
	{NULL, "10.9.9.9", "20.190.128.1", false, true, true, false, false},
};

static void name_policy(const struct name_case *row)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	struct path *other = build_path(report, build_target(report, "www.example", 443));
	const char *const addresses[] = {row->lookup, NULL};
	build_works(report, other, "20.190.128.7");
	build_query(report, path, "10.0.0.53", row->server ? FAILURE_NONE : FAILURE_DNS_NXDOMAIN, row->server)
		->dns.rcode = row->server ? 0 : 3;
	build_lookup(report, path, row->lookup ? FAILURE_NONE : FAILURE_DNS_NXDOMAIN, row->lookup ? addresses : NULL);
	if (row->lookup && row->lookups_works)
		build_works(report, path, row->lookup);
	else if (row->lookup)
		build_attempt(report, path, row->lookup, FAILURE_TIMEOUT);
	if (row->servers_tried) {
		struct attempt *attempt = row->servers_works
						  ? build_works(report, path, row->server)
						  : build_attempt(report, path, row->server, FAILURE_TIMEOUT);
		attempt->found_by = FOUND_BY_SERVER;
	}
	if (row->rule_for) {
		struct observation *rule = build_fact(report, "nrpt_rule", ".example", "present", "10.9.9.53");
		path_list_add(report->arena, &rule->paths, strcmp(row->rule_for, "this") == 0 ? path : other);
	}
	diagnose(report);
	CHECK(check_text(path->verdict.cause, redirects) == row->blamed);
	CHECK(build_also(&path->verdict, redirects) == row->noted);
	if (row->lookups_works)
		CHECK_INT(path->verdict.status, STATUS_PASS);
	if (row->blamed) {
		const struct finding *finding = build_finding(report, redirects);
		CHECK(finding && finding->subject_kind == SUBJECT_NAME);
		CHECK_TEXT(finding ? finding->subject : NULL, "login.example");
		CHECK(finding && strstr(finding->summary, "10.9.9.53"));
	}
	report_free(report);
}

/* ------------------------------------------------------------------ TLS 1.2 */

static struct observation *by_systems_stack(struct report *report, struct path *path, enum failure failure)
{
	struct observation *one = build_seen(report, path, OP_HTTP_EXCHANGE, failure);
	one->experiment = "system_stack";
	one->http.method = "GET";
	one->http.url = path->target->url;
	one->http.status = failure == FAILURE_NONE ? 200 : NOT_MEASURED;
	return one;
}

/* The verdict on a target that works for us. setting NULL: none. */
static void tls(const char *setting, const char *state, bool asked, enum failure failure, int port, enum status status,
		const char *cause)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", port));
	build_works(report, path, "20.190.128.1");
	if (setting)
		build_fact(report, "tls_setting", setting, state, "0");
	if (asked)
		by_systems_stack(report, path, failure);
	diagnose(report);
	CHECK_INT(path->verdict.status, status);
	CHECK_TEXT(path->verdict.cause, cause);
	CHECK_INT(report->readiness.ready, status != STATUS_FAIL);
	report_free(report);
}

static void tls_settings(void)
{
	static const char enabled[] = "schannel/TLS 1.2/Client/Enabled";
	tls(enabled, "off", true, FAILURE_SSL_FAILED_HANDSHAKE, 443, STATUS_FAIL, tls_off);
	tls(enabled, "off", true, FAILURE_CONNECTION_RESET, 443, STATUS_FAIL, tls_off);
	tls("winhttp/DefaultSecureProtocols", "off", true, FAILURE_SSL_FAILED_HANDSHAKE, 443, STATUS_WARN, tls_off);
	tls(enabled, "off", false, FAILURE_NONE, 443, STATUS_WARN, tls_off);
	tls(enabled, "off", true, FAILURE_NONE, 443, STATUS_PASS, NULL);
	tls(enabled, "on", false, FAILURE_NONE, 443, STATUS_PASS, NULL);
	tls(enabled, "off", false, FAILURE_NONE, 80, STATUS_PASS, NULL);
	tls("winhttp32/DefaultSecureProtocols", "off", false, FAILURE_NONE, 443, STATUS_PASS, NULL);
	tls("dotnet/v4.0.30319/SchUseStrongCrypto", "off", false, FAILURE_NONE, 443, STATUS_PASS, NULL);
	tls(NULL, NULL, false, FAILURE_NONE, 443, STATUS_PASS, NULL);
}

/* The system's client failed, but not in the handshake: that is not for this cause to explain. */
static void tls_fails_otherwise(void)
{
	struct report *report = build_report();
	struct path *path = build_path(report, build_target(report, "login.example", 443));
	build_works(report, path, "20.190.128.1");
	build_fact(report, "tls_setting", "schannel/TLS 1.2/Client/Enabled", "off", "0");
	by_systems_stack(report, path, FAILURE_TIMEOUT);
	diagnose(report);
	CHECK(!check_text(path->verdict.cause, tls_off));
	CHECK(build_also(&path->verdict, tls_off));
	report_free(report);
}

/* One target was asked for by the system's client, the other was not: one finding. */
static void tls_of_several(void)
{
	struct report *report = build_report();
	struct path *asked = build_path(report, build_target(report, "login.example", 443));
	struct path *silent = build_path(report, build_target(report, "www.example", 443));
	build_works(report, asked, "20.190.128.1");
	build_works(report, silent, "20.190.128.2");
	build_fact(report, "tls_setting", "schannel/TLS 1.2/Client/DisabledByDefault", "off", "1");
	by_systems_stack(report, asked, FAILURE_SSL_FAILED_HANDSHAKE);
	diagnose(report);
	CHECK_INT(asked->verdict.status, STATUS_FAIL);
	CHECK_INT(silent->verdict.status, STATUS_WARN);
	CHECK_INT(report->finding_count, 1);
	CHECK_INT(report->findings[0]->status, STATUS_FAIL);
	CHECK_INT(report->findings[0]->paths.count, 2);
	report_free(report);
}

/* ------------------------------------------------------------------ environment, interface */

struct env_case {
	const char *variables; /* NULL: SYSTEM's environment is not known */
	const char *bypass;
	enum identity_id identity;
	enum route_kind kind;
	const char *via, *cause;
};

#define OLD "PROXY old.corp:3128"

static const struct env_case env_cases[] = {
	{"https_proxy=http://new.corp:1", NULL, IDENTITY_SYSTEM, ROUTE_WININET, OLD, shadows},
	{"https_proxy=http://new.corp:1", NULL, IDENTITY_SYSTEM, ROUTE_WININET, "DIRECT", shadows},
	{"https_proxy=http://old.corp:3128", "login.example", IDENTITY_SYSTEM, ROUTE_WININET, OLD, shadows},
	{"https_proxy=http://old.corp:3128", NULL, IDENTITY_SYSTEM, ROUTE_WININET, OLD, NULL},
	{"https_proxy=http://new.corp:1", "login.example", IDENTITY_SYSTEM, ROUTE_WININET, "DIRECT", NULL},
	{"http_proxy=http://new.corp:1", NULL, IDENTITY_SYSTEM, ROUTE_WININET, "DIRECT", NULL},
	{"https_proxy=http://new.corp:1", NULL, IDENTITY_USER, ROUTE_WININET, OLD, NULL},
	{"https_proxy=http://new.corp:1", NULL, IDENTITY_SYSTEM, ROUTE_DIRECT, "DIRECT", NULL},
	{NULL, NULL, IDENTITY_SYSTEM, ROUTE_WININET, OLD, NULL},
};

static void environment(const struct env_case *row)
{
	struct report *report = build_report();
	struct path *path =
		build_route(report, build_target(report, "login.example", 443), row->identity, row->via, true);
	struct proxy_setting *env = arena_alloc(report->arena, sizeof(*env));
	*env = (struct proxy_setting){.identity = IDENTITY_SYSTEM,
				      .kind = ROUTE_ENV,
				      .found = row->variables != NULL,
				      .proxy_enabled = true,
				      .source = "values",
				      .location = "the machine's environment",
				      .proxy_server = row->variables,
				      .proxy_bypass = row->bypass};
	report->identities[IDENTITY_SYSTEM].env = env;
	path->route.kind = row->kind;
	if (strcmp(row->via, "DIRECT") == 0)
		build_works(report, path, "20.190.128.1");
	else
		build_by_proxy(report, path, "old.corp:3128", 200);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, row->cause);
	CHECK_INT(path->verdict.status, row->cause ? STATUS_WARN : STATUS_PASS);
	if (row->cause)
		CHECK_TEXT(report->findings[0]->subject, "the machine's environment");
	report_free(report);
}

static void interface(const char *identity, const char *state, bool noted)
{
	static const char remark[] =
		"Windows' own interface gives other proxy settings (proxy a:1) than the registry (no proxy)";
	struct report *report = build_report();
	struct path *path =
		build_route(report, build_target(report, "login.example", 443), IDENTITY_USER, "DIRECT", true);
	struct observation *fact = build_fact(report, "proxy_view", identity, state, "proxy a:1");
	text_list_add(report->arena, &fact->fact.values, "no proxy");
	build_works(report, path, "20.190.128.1");
	diagnose(report);
	CHECK_INT(path->verdict.status, STATUS_PASS);
	CHECK(build_also(&path->verdict, remark) == noted);
	report_free(report);
}

/* of_path: the answer is about the path that is judged, not about another of the same target. */
static void script_answer(const char *state, const char *windows, bool of_path, const char *noted)
{
	struct report *report = build_report();
	struct target *target = build_target(report, "login.example", 443);
	struct path *path = build_route(report, target, IDENTITY_USER, "DIRECT", true);
	struct path *other = build_route(report, target, IDENTITY_SYSTEM, "DIRECT", true);
	struct observation *fact = build_fact(report, "proxy_answer", target->name, state, windows);
	text_list_add(report->arena, &fact->fact.values, "DIRECT");
	path_list_add(report->arena, &fact->paths, of_path ? path : other);
	build_works(report, path, "20.190.128.1");
	build_works(report, other, "20.190.128.1");
	diagnose(report);
	CHECK_INT(path->verdict.status, STATUS_PASS);
	CHECK_TEXT(path->verdict.cause, NULL);
	if (noted)
		CHECK(build_also(&path->verdict, noted));
	else
		CHECK_INT(path->verdict.also.count, 0);
	report_free(report);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++)
		name_policy(&name_cases[i]);
	tls_settings();
	tls_fails_otherwise();
	tls_of_several();
	for (size_t i = 0; i < sizeof(env_cases) / sizeof(env_cases[0]); i++)
		environment(&env_cases[i]);
	interface("user", "differs", true);
	interface("user", "agrees", false);
	interface("system", "differs", false);
	script_answer("differs", "proxy.corp:3128", true,
		      "by the same proxy script, Windows' own client gets proxy.corp:3128 for login.example and "
		      "marsprobe DIRECT");
	script_answer("differs", "error 12167", true,
		      "by the same proxy script, Windows' own client gets error 12167 for login.example and "
		      "marsprobe DIRECT");
	script_answer("differs", "proxy.corp:3128", false, NULL);
	script_answer("agrees", "DIRECT", true, NULL);
	return check_summary();
}
