/* The plan: which paths there are, which one counts, and which of them share their traffic. Each row is a situation; what is planned is
 * compared as text: one line per path, then one per leg. */
#include "probe/plan/plan.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/settings/registry.h"
#include "tests/unit/check.h"

#define REG "Windows Registry Editor Version 5.00\r\n\r\n"
#define INTERNET "\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings]\r\n"
#define USER_KEY "[HKEY_CURRENT_USER" INTERNET
#define SYSTEM_KEY "[HKEY_USERS\\S-1-5-18" INTERNET
#define PROXY(server) "\"ProxyEnable\"=dword:00000001\r\n\"ProxyServer\"=\"" server "\"\r\n"
#define OFF "\"ProxyEnable\"=dword:00000000\r\n"
#define BYPASS(list) "\"ProxyOverride\"=\"" list "\"\r\n"
#define PAC "\"AutoConfigURL\"=\"http://pac.corp/proxy.pac\"\r\n"

#define WEB "https://login.example.com/"
#define PLAIN "http://www.example.net/x.txt"
#define TCP "tcp:amqp.example.com"
#define RANGE "20.190.128.0/18"

struct situation {
	const char *name;
	const char *targets[3];
	const char *registry, *agent, *environment[3];
	const char *routes[4]; /* "direct" ..., or a via for proxy= */
	bool user_only, system_only, given, own;
	enum plan_part part;
	const char *wanted;
};

static const struct situation situations[] = {
	{"nothing known: the user's direct path counts", .targets = {WEB},
	 .wanted = "user/direct\n"
		   "t1 user direct DIRECT *\n"
		   "leg t1 DIRECT none: p1\n"},
	{"a registry without any proxy: WinINET goes direct, and shares the direct path's traffic", .targets = {WEB},
	 .registry = REG USER_KEY OFF,
	 .wanted = "user/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet DIRECT *\n"
		   "leg t1 DIRECT none: p1 p2\n"},
	{"the user has a proxy and nothing is known of SYSTEM: the user's WinINET counts, with the user's own sign-in",
	 .targets = {WEB}, .registry = REG USER_KEY PROXY("proxy.corp:3128"), .own = true,
	 .wanted = "user/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet PROXY proxy.corp:3128 *\n"
		   "leg t1 DIRECT none: p1\n"
		   "leg t1 PROXY proxy.corp:3128 own: p2\n"},
	{"SYSTEM has no proxy, the user has: SYSTEM's DIRECT counts", .targets = {WEB},
	 .registry = REG USER_KEY PROXY("proxy.corp:3128") "\r\n" SYSTEM_KEY OFF, .own = true,
	 .wanted = "system/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet PROXY proxy.corp:3128\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet DIRECT *\n"
		   "leg t1 DIRECT none: p1 p3 p4\n"
		   "leg t1 PROXY proxy.corp:3128 own: p2\n"},
	{"both have the same proxy: one leg, though SYSTEM has no credentials of its own to go on with",
	 .targets = {WEB}, .registry = REG USER_KEY PROXY("proxy.corp:3128") "\r\n" SYSTEM_KEY PROXY("proxy.corp:3128"),
	 .own = true,
	 .wanted = "system/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet PROXY proxy.corp:3128\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet PROXY proxy.corp:3128 *\n"
		   "leg t1 DIRECT none: p1 p3\n"
		   "leg t1 PROXY proxy.corp:3128 own: p2 unsigned: p4\n"},
	{"another process runs as SYSTEM: its paths are planned, and this process carries out the user's alone",
	 .targets = {WEB}, .registry = REG USER_KEY PROXY("proxy.corp:3128") "\r\n" SYSTEM_KEY PROXY("proxy.corp:3128"),
	 .own = true, .part = PLAN_WITHOUT_SYSTEM,
	 .wanted = "system/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet PROXY proxy.corp:3128\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet PROXY proxy.corp:3128 *\n"
		   "leg t1 DIRECT none: p1\n"
		   "leg t1 PROXY proxy.corp:3128 own: p2\n"},
	{"the process that runs as SYSTEM signs in as the machine account", .targets = {WEB},
	 .registry = REG SYSTEM_KEY PROXY("proxy.corp:3128"), .system_only = true, .own = true, .part = PLAN_AS_SYSTEM,
	 .wanted = "system/wininet\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet PROXY proxy.corp:3128 *\n"
		   "leg t1 DIRECT none: p1\n"
		   "leg t1 PROXY proxy.corp:3128 own: p2\n"},
	{"the same without any credentials at hand: one leg", .targets = {WEB},
	 .registry = REG USER_KEY PROXY("proxy.corp:3128") "\r\n" SYSTEM_KEY PROXY("PROXY.corp:3128"),
	 .wanted = "system/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet PROXY proxy.corp:3128\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet PROXY proxy.corp:3128 *\n"
		   "leg t1 DIRECT none: p1 p3\n"
		   "leg t1 PROXY proxy.corp:3128 none: p2 p4\n"},
	{"the agent's own proxy counts before SYSTEM's WinINET, and takes the given credentials", .targets = {WEB},
	 .registry = REG SYSTEM_KEY PROXY("proxy.corp:3128"), .agent = "http://agent.corp:8080", .given = true,
	 .own = true,
	 .wanted = "agent\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet DIRECT\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet PROXY proxy.corp:3128\n"
		   "t1 system agent PROXY agent.corp:8080 *\n"
		   "leg t1 DIRECT none: p1 p2 p3\n"
		   "leg t1 PROXY proxy.corp:3128 none: p4\n"
		   "leg t1 PROXY agent.corp:8080 given: p5\n"},
	{"the agent's proxy alone: SYSTEM is known by it", .targets = {WEB}, .agent = "http://agent.corp:8080",
	 .own = true,
	 .wanted = "agent\n"
		   "t1 user direct DIRECT\n"
		   "t1 system direct DIRECT\n"
		   "t1 system agent PROXY agent.corp:8080 *\n"
		   "leg t1 DIRECT none: p1 p2\n"
		   "leg t1 PROXY agent.corp:8080 none: p3\n"},
	{"given credentials beat the user's own", .targets = {WEB}, .registry = REG USER_KEY PROXY("proxy.corp:3128"),
	 .given = true, .own = true,
	 .wanted = "user/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet PROXY proxy.corp:3128 *\n"
		   "leg t1 DIRECT none: p1\n"
		   "leg t1 PROXY proxy.corp:3128 given: p2\n"},
	{"--identity user: SYSTEM's settings do not count", .targets = {WEB},
	 .registry = REG SYSTEM_KEY PROXY("proxy.corp:3128"), .agent = "http://agent.corp:8080", .user_only = true,
	 .wanted = "user/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet DIRECT *\n"
		   "leg t1 DIRECT none: p1 p2\n"},
	{"--identity system", .targets = {WEB}, .registry = REG SYSTEM_KEY PROXY("proxy.corp:3128"),
	 .system_only = true, .own = true,
	 .wanted = "system/wininet\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet PROXY proxy.corp:3128 *\n"
		   "leg t1 DIRECT none: p1\n"
		   "leg t1 PROXY proxy.corp:3128 none: p2\n"},
	{"--identity system, and nothing known of it: no path at all", .targets = {WEB}, .system_only = true,
	 .wanted = "(null)\nsystem unavailable\n"},
	{"each target is decided on its own: a bypass entry, a scheme", .targets = {WEB, PLAIN},
	 .registry = REG SYSTEM_KEY PROXY("https=a.corp:1;http=b.corp:2") BYPASS("*.example.com"), .system_only = true,
	 .wanted = "system/wininet\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet DIRECT *\n"
		   "t2 system direct DIRECT\n"
		   "t2 system wininet PROXY b.corp:2 *\n"
		   "leg t1 DIRECT none: p1 p2\n"
		   "leg t2 DIRECT none: p3\n"
		   "leg t2 PROXY b.corp:2 none: p4\n"},
	{"--route: the first one listed counts, for SYSTEM where it is known", .targets = {WEB},
	 .registry = REG SYSTEM_KEY PROXY("proxy.corp:3128"), .routes = {"direct", "wininet"},
	 .wanted = "given\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet DIRECT\n"
		   "t1 system direct DIRECT *\n"
		   "t1 system wininet PROXY proxy.corp:3128\n"
		   "leg t1 DIRECT none: p1 p2 p3\n"
		   "leg t1 PROXY proxy.corp:3128 none: p4\n"},
	{"--route: for the user where SYSTEM is not known", .targets = {WEB},
	 .routes = {"PROXY lab.corp:8080", "direct"}, .own = true,
	 .wanted = "given\n"
		   "t1 user proxy PROXY lab.corp:8080 *\n"
		   "t1 user direct DIRECT\n"
		   "leg t1 PROXY lab.corp:8080 own: p1\n"
		   "leg t1 DIRECT none: p2\n"},
	{"--route proxy=: SYSTEM takes the given credentials there, but never the running user's own", .targets = {WEB},
	 .agent = "http://agent.corp:8080", .routes = {"SOCKS5 socks.corp:1080"}, .given = true,
	 .wanted = "given\n"
		   "t1 user proxy SOCKS5 socks.corp:1080\n"
		   "t1 system proxy SOCKS5 socks.corp:1080 *\n"
		   "leg t1 SOCKS5 socks.corp:1080 given: p1 p2\n"},
	{"--route proxy= with the user's own sign-in only", .targets = {WEB}, .agent = "http://agent.corp:8080",
	 .routes = {"HTTPS tls.corp:443"}, .own = true,
	 .wanted = "given\n"
		   "t1 user proxy HTTPS tls.corp:443\n"
		   "t1 system proxy HTTPS tls.corp:443 *\n"
		   "leg t1 HTTPS tls.corp:443 own: p1 unsigned: p2\n"},
	{"two proxies by --route are two routes; the same one twice is one", .targets = {WEB},
	 .routes = {"PROXY a.corp:1", "PROXY b.corp:1", "PROXY a.corp:1", "direct"},
	 .wanted = "given\n"
		   "t1 user proxy PROXY a.corp:1 *\n"
		   "t1 user proxy PROXY b.corp:1\n"
		   "t1 user direct DIRECT\n"
		   "leg t1 PROXY a.corp:1 none: p1\n"
		   "leg t1 PROXY b.corp:1 none: p2\n"
		   "leg t1 DIRECT none: p3\n"},
	{"--route env is the user's: it counts though SYSTEM is known", .targets = {WEB},
	 .agent = "http://agent.corp:8080",
	 .environment = {"https_proxy=http://env.corp:3128", "no_proxy=other.example"}, .routes = {"env", "agent"},
	 .own = true,
	 .wanted = "given\n"
		   "t1 user env PROXY env.corp:3128 *\n"
		   "t1 system agent PROXY agent.corp:8080\n"
		   "leg t1 PROXY env.corp:3128 own: p1\n"
		   "leg t1 PROXY agent.corp:8080 none: p2\n"},
	{"--route wininet without a registry: a path that says why nothing can be sent", .targets = {WEB},
	 .routes = {"wininet"},
	 .wanted = "given\n"
		   "t1 user wininet (null) * [no WinINET settings are known: give --registry FILE.reg]\n"},
	{"--route agent where the agent's proxy is not known", .targets = {WEB}, .registry = REG SYSTEM_KEY OFF,
	 .routes = {"agent"},
	 .wanted = "given\n"
		   "t1 system agent (null) * [the agent's own proxy is not known: give --agent-proxy URL]\n"},
	{"a range has a leg where its identity goes direct, and none where it would use a proxy",
	 .targets = {RANGE, WEB}, .registry = REG SYSTEM_KEY PROXY("proxy.corp:3128"),
	 .wanted = "system/wininet\n"
		   "t1 user direct DIRECT\n"
		   "t1 user wininet DIRECT\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet PROXY proxy.corp:3128 *\n"
		   "t2 user direct DIRECT\n"
		   "t2 user wininet DIRECT\n"
		   "t2 system direct DIRECT\n"
		   "t2 system wininet PROXY proxy.corp:3128 *\n"
		   "leg t1 DIRECT none: p1 p2 p3\n"
		   "leg t2 DIRECT none: p5 p6 p7\n"
		   "leg t2 PROXY proxy.corp:3128 none: p8\n"},
	{"a range that the bypass list names goes direct", .targets = {RANGE},
	 .registry = REG SYSTEM_KEY PROXY("proxy.corp:3128") BYPASS("20.190.*"), .system_only = true,
	 .wanted = "system/wininet\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet DIRECT *\n"
		   "leg t1 DIRECT none: p1 p2\n"},
	{"a bare TCP target uses the proxy of https", .targets = {TCP},
	 .registry = REG SYSTEM_KEY PROXY("https=a.corp:1;http=b.corp:2"), .system_only = true,
	 .wanted = "system/wininet\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet PROXY a.corp:1 *\n"
		   "leg t1 DIRECT none: p1\n"
		   "leg t1 PROXY a.corp:1 none: p2\n"},
	{"a PAC script decides, and cannot be asked: the path has no leg, and still counts", .targets = {WEB},
	 .registry = REG SYSTEM_KEY PAC, .system_only = true,
	 .wanted = "system/wininet\n"
		   "t1 system direct DIRECT\n"
		   "t1 system wininet (null) * [problem]\n"
		   "leg t1 DIRECT none: p1\n"},
};

static void add_target(struct report *report, const char *text)
{
	struct target *target = report_add_target(report);

	target->rule = target->name = text;
	target->port = 443;
	target->required = true;
	if (strncmp(text, "tcp:", 4) == 0) {
		target->kind = TARGET_TCP;
		target->host = text + 4;
		target->port = 5671;
	} else if (strstr(text, "://")) {
		target->kind = TARGET_URL;
		target->url = text;
		target->host = "host";
	} else {
		target->kind = TARGET_CIDR;
		target->cidr = text;
	}
}

static void read_settings(struct arena *arena, const struct situation *situation, struct settings *out)
{
	struct settings_input input = {.arena = arena, .agent_proxy = situation->agent};
	struct registry *registry = registry_new(arena);
	struct err err = {{0}};

	if (situation->environment[0])
		input.environment = situation->environment;
	if (situation->registry) {
		CHECK(registry_merge(registry, "t.reg", situation->registry, strlen(situation->registry), &err));
		CHECK_TEXT(err.text, "");
		input.registry = registry;
	}
	settings_read(&input, out);
}

static void read_options(const struct situation *situation, struct plan_options *out)
{
	*out = (struct plan_options){
		.user = !situation->system_only, .system = !situation->user_only, .part = situation->part};
	for (size_t i = 0; i < 4 && situation->routes[i]; i++) {
		enum route_kind kind;
		bool is_kind = route_kind_parse(situation->routes[i], &kind);

		out->routes[i].kind = is_kind ? kind : ROUTE_PROXY;
		out->routes[i].via = is_kind ? NULL : situation->routes[i];
		out->route_count = i + 1;
		out->routes_given = true;
	}
}

static const char *credentials_text(enum credentials credentials)
{
	switch (credentials) {
	case CREDENTIALS_NONE:
		return "none";
	case CREDENTIALS_GIVEN:
		return "given";
	case CREDENTIALS_OWN:
		return "own";
	}
	return "?";
}

static void show_paths(const struct report *report, struct strbuf *out)
{
	for (size_t i = 0; i < report->path_count; i++) {
		const struct path *path = report->paths[i];
		const char *problem = path->route.problem;

		strbuf_printf(out, "%s %s %s %s%s", path->target->id, identity_text(path->identity),
			      route_kind_text(path->route.kind), path->route.via ? path->route.via : "(null)",
			      path->effective ? " *" : "");
		/* The settings' own sentences are their tests' business. */
		if (problem)
			strbuf_printf(out, " [%s]",
				      strncmp(problem, "no ", 3) == 0 || strstr(problem, "give --") ? problem
												    : "problem");
		strbuf_add(out, "\n");
	}
}

static void show_legs(struct report *report, const struct plan *plan, struct strbuf *out)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct leg *leg = plan->legs[i];

		strbuf_printf(out, "leg %s %s %s:", leg->target->id, via_format(report->arena, &leg->via),
			      credentials_text(leg->credentials));
		for (size_t k = 0; k < leg->paths.count; k++)
			strbuf_printf(out, " %s", leg->paths.items[k]->id);
		for (size_t k = 0; k < leg->unsigned_paths.count; k++)
			strbuf_printf(out, "%s %s", k ? "" : " unsigned:", leg->unsigned_paths.items[k]->id);
		strbuf_add(out, "\n");
	}
}

static void check_situation(const struct situation *situation)
{
	struct report *report = report_new();
	struct settings settings;
	struct plan_options options;
	struct plan plan;
	struct strbuf text;
	int before = checks_failed;

	for (size_t i = 0; i < 3 && situation->targets[i]; i++)
		add_target(report, situation->targets[i]);
	read_settings(report->arena, situation, &settings);
	read_options(situation, &options);
	plan_make(report, &settings, &options, situation->given, situation->own, &plan);
	strbuf_init(&text);
	strbuf_printf(&text, "%s\n", report->readiness.basis ? report->readiness.basis : "(null)");
	if (report->path_count == 0)
		strbuf_printf(&text, "%s %s\n", identity_text(report->identities[0].id),
			      identity_mode_text(report->identities[0].mode));
	show_paths(report, &text);
	show_legs(report, &plan, &text);
	CHECK_TEXT(text.data, situation->wanted);
	CHECK(report->route_given == options.routes_given);
	if (checks_failed > before)
		printf("  in: %s\n", situation->name);
	strbuf_free(&text);
	report_free(report);
}

/* Who is in the report, in which mode, and what is known of each. */
static void check_identities(const char *registry, enum identity_mode system_mode, bool has_wininet)
{
	struct situation situation = {.targets = {WEB}, .registry = registry};
	struct report *report = report_new();
	struct settings settings;
	struct plan_options options = {.user = true, .system = true, .system_why = "nobody is elevated"};
	struct plan plan;

	add_target(report, WEB);
	read_settings(report->arena, &situation, &settings);
	plan_make(report, &settings, &options, false, false, &plan);
	CHECK_INT(report->identity_count, 2);
	CHECK_INT(report->identities[0].id, IDENTITY_USER);
	CHECK_INT(report->identities[0].mode, MODE_RUN);
	CHECK_TEXT(report->identities[0].why, NULL);
	CHECK_INT(report->identities[1].id, IDENTITY_SYSTEM);
	CHECK_INT(report->identities[1].mode, system_mode);
	CHECK(report->identities[1].why != NULL);
	CHECK_TEXT(report->identities[1].account, "LocalSystem");
	if (report->identities[1].mode == MODE_SETTINGS)
		CHECK_TEXT(report->identities[1].why, "nobody is elevated");
	CHECK((report->identities[0].wininet != NULL) == has_wininet);
	CHECK((report->identities[1].wininet != NULL) == has_wininet);
	for (size_t i = 0; i < report->path_count; i++)
		CHECK(report->paths[i]->route.source != NULL && report->paths[i]->route.rule != NULL);
	report_free(report);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(situations) / sizeof(*situations); i++)
		check_situation(&situations[i]);
	check_identities(NULL, MODE_UNAVAILABLE, false);
	check_identities(REG USER_KEY PROXY("proxy.corp:3128"), MODE_UNAVAILABLE, true);
	check_identities(REG SYSTEM_KEY OFF, MODE_SETTINGS, true);
	return check_summary();
}
