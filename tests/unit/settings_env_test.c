/* Settings of the environment and of the agent, and what they decide for a URL. */
#include "tests/unit/settings_check.h"

/* ------------------------------------------------------------------ environment and agent */

struct env_case {
	const char *environment; /* variables separated by '|' */
	const char *url, *via, *rule;
	const char *unusable; /* a part of the decision's problem, or NULL for none */
};

#define UNSET "neither `https_proxy` nor `all_proxy` is set: direct"
#define P "https_proxy=http://p:3128|no_proxy="

static const struct env_case env_cases[] = {
	{"https_proxy=http://p:3128", HOST, "PROXY p:3128", "`https_proxy`", NULL},
	{"HTTPS_PROXY=http://p:3128", HOST, "PROXY p:3128", "`HTTPS_PROXY`", NULL},
	{"HTTPS_PROXY=http://q:1|https_proxy=http://p:3128", HOST, "PROXY p:3128", "`https_proxy`", NULL},
	{"https_proxy=|HTTPS_PROXY=http://q:1", HOST, "PROXY q:1", "`HTTPS_PROXY`", NULL},
	{"https_proxy=http://p:1|https_proxy=http://q:1", HOST, "PROXY p:1", "`https_proxy`", NULL},
	{"http_proxy=http://p:3128", "http://a.example/", "PROXY p:3128", "`http_proxy`", NULL},
	{"HTTP_PROXY=http://p:3128|https_proxy=http://q:1", "http://a.example/", "DIRECT",
	 "neither `http_proxy` nor `all_proxy` is set: direct", NULL},
	{"http_proxy=http://p:3128", HOST, "DIRECT", UNSET, NULL},
	{"all_proxy=http://p:3128", HOST, "PROXY p:3128", "`all_proxy`", NULL},
	{"ALL_PROXY=http://p:3128", "http://a.example/", "PROXY p:3128", "`ALL_PROXY`", NULL},
	{"all_proxy=http://p:3128|https_proxy=http://q:1", HOST, "PROXY q:1", "`https_proxy`", NULL},
	{"https_proxy=http://q:1", "ws://a.example/", "DIRECT", "neither `ws_proxy` nor `all_proxy` is set: direct",
	 NULL},
	/* kinds of proxies */
	{"https_proxy=p:3128", HOST, "PROXY p:3128", "`https_proxy`", NULL},
	{"https_proxy=https://P.Corp:3129", HOST, "HTTPS p.corp:3129", "`https_proxy`", NULL},
	{"https_proxy=socks://p:1", HOST, "SOCKS p:1", "`https_proxy`", NULL},
	{"https_proxy=socks4://p:1", HOST, "SOCKS p:1", "`https_proxy`", NULL},
	{"https_proxy=socks4a://p:1", HOST, "SOCKS p:1", "`https_proxy`", NULL},
	{"https_proxy=socks5://p:1", HOST, "SOCKS5 p:1", "`https_proxy`", NULL},
	{"https_proxy=socks5h://[::2]:1", HOST, "SOCKS5H [::2]:1", "`https_proxy`", NULL},
	{"https_proxy=http://user:secret@p:3128/", HOST, "PROXY p:3128", "`https_proxy`", NULL},
	{"https_proxy=http://p", HOST, "PROXY p:1080", "`https_proxy`", "`https_proxy` has no port: curl uses 1080"},
	{"https_proxy=https://p", HOST, "HTTPS p:443", "`https_proxy`", "curl uses 443"},
	{"https_proxy=socks5://p", HOST, "SOCKS5 p:1080", "`https_proxy`", "curl uses 1080"},
	{"https_proxy=ftp://p:21", HOST, "DIRECT", "`https_proxy`", "unknown kind `ftp://`"},
	{"https_proxy=http://p:99999", HOST, "DIRECT", "`https_proxy`", "is no proxy address"},
	{"https_proxy=http://p:80 all_proxy=http://evil:1", HOST, "DIRECT", "`https_proxy`", "is no proxy address"},
	{"https_proxy=http://p:1\xff", HOST, "DIRECT", "`https_proxy`", "is no proxy address"},
	/* no_proxy: suffixes */
	{P "corp", "https://x.corp/", "DIRECT", "bypassed by `no_proxy` entry `corp`", NULL},
	{P ".corp", "https://x.corp/", "DIRECT", "bypassed by `no_proxy` entry `.corp`", NULL},
	{P ".corp", "https://corp/", "DIRECT", "bypassed by `no_proxy` entry `.corp`", NULL},
	{P "CORP", "https://X.Corp/", "DIRECT", "bypassed by `no_proxy` entry `CORP`", NULL},
	{P "corp.", "https://x.corp/", "DIRECT", "bypassed by `no_proxy` entry `corp.`", NULL},
	{P "corp", "https://x.corp./", "DIRECT", "bypassed by `no_proxy` entry `corp`", NULL},
	{P "corp", "https://xcorp/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "x.corp", "https://corp/", "PROXY p:3128", "`https_proxy`", NULL},
	{P ".", "https://x.corp/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "a,b.corp", "https://b.corp/", "DIRECT", "bypassed by `no_proxy` entry `b.corp`", NULL},
	{P "a b.corp,", "https://b.corp/", "DIRECT", "bypassed by `no_proxy` entry `b.corp`", NULL},
	{P " ,\t, b.corp", "https://b.corp/", "DIRECT", "bypassed by `no_proxy` entry `b.corp`", NULL},
	{P "a;b.corp", "https://b.corp/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "*", "https://b.corp/", "DIRECT", "bypassed by `no_proxy` entry `*`", NULL},
	{P "*.corp", "https://b.corp/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "a,*", "https://b.corp/", "PROXY p:3128", "`https_proxy`", NULL},
	{P, "https://b.corp/", "PROXY p:3128", "`https_proxy`", NULL},
	{"https_proxy=p:1|NO_PROXY=corp", "https://b.corp/", "DIRECT", "bypassed by `no_proxy` entry `corp`", NULL},
	{"https_proxy=p:1|NO_PROXY=corp|no_proxy=x", "https://b.corp/", "PROXY p:1", "`https_proxy`", NULL},
	{"no_proxy=*", "https://b.corp/", "DIRECT", "no such setting was found: direct", NULL},
	{P "localhost", "https://localhost/", "DIRECT", "bypassed by `no_proxy` entry `localhost`", NULL},
	{P "x", "https://localhost/", "PROXY p:3128", "`https_proxy`", NULL},
	/* no_proxy: addresses */
	{P "10.1.2.3", "https://10.1.2.3/", "DIRECT", "bypassed by `no_proxy` entry `10.1.2.3`", NULL},
	{P "10.1.2.3", "https://10.1.2.33/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "2.3", "https://10.1.2.3/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "10.0.0.0/8", "https://10.1.2.3/", "DIRECT", "bypassed by `no_proxy` entry `10.0.0.0/8`", NULL},
	{P "10.1.2.0/8", "https://10.9.9.9/", "DIRECT", "bypassed by `no_proxy` entry `10.1.2.0/8`", NULL},
	{P "10.0.0.0/8", "https://11.1.2.3/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "10.1.2.3/0", "https://10.1.2.3/", "DIRECT", "bypassed by `no_proxy` entry `10.1.2.3/0`", NULL},
	{P "10.0.0.0/0", "https://10.1.2.3/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "10.0.0.0/33", "https://10.1.2.3/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "10.0.0.0/x", "https://10.1.2.3/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "fd00::/8", "https://[fd12::1]/", "DIRECT", "bypassed by `no_proxy` entry `fd00::/8`", NULL},
	{P "fd00::/8", "https://10.1.2.3/", "PROXY p:3128", "`https_proxy`", NULL},
	{P "10.0.0.0/8", "https://10.example/", "PROXY p:3128", "`https_proxy`", NULL},
};

static struct settings read_env(const char *variables)
{
	const char **environment = arena_alloc(arena, 16 * sizeof(*environment));
	struct settings settings;
	for (size_t i = 0; i < 15 && *variables; i++) {
		size_t length = strcspn(variables, "|");
		environment[i] = arena_strndup(arena, variables, length);
		variables += length + (variables[length] == '|');
	}
	settings_read(&(struct settings_input){.arena = arena, .environment = environment}, &settings);
	CHECK_INT(settings.count, 1);
	CHECK(!settings.system_known);
	return settings;
}

static void test_env(void)
{
	for (size_t i = 0; i < sizeof(env_cases) / sizeof(*env_cases); i++) {
		const struct env_case *one = &env_cases[i];
		int failed = checks_failed;
		struct settings settings = read_env(one->environment);
		const struct proxy_setting *env = settings_find(&settings, IDENTITY_USER, ROUTE_ENV);
		check_decision(env, one->url, one->via, one->rule);
		const char *unusable = decide(env, one->url).problem;
		CHECK(one->unusable ? unusable && strstr(unusable, one->unusable) : !unusable);
		CHECK(!strstr(env->proxy_server ? env->proxy_server : "", "secret"));
		if (failed != checks_failed)
			printf("<<%s>> for %s: %s\n", one->environment, one->url, unusable ? unusable : "");
	}
}

static void test_env_shown(void)
{
	struct settings settings =
		read_env("https_proxy=http://u:p w@h:1|all_proxy=h2:2|no_proxy=a,*.b|HTTP_PROXY=x|PATH=/");
	const struct proxy_setting *env = settings_find(&settings, IDENTITY_USER, ROUTE_ENV);
	CHECK_TEXT(env->proxy_server, "https_proxy=http://u:***@h:1 all_proxy=h2:2");
	CHECK_TEXT(env->proxy_bypass, "a,*.b");
	CHECK_TEXT(env->location, "environment: https_proxy all_proxy no_proxy");
	CHECK_TEXT(env->source, "values");
	CHECK_TEXT(joined(&env->order), "static, direct");
	CHECK(env->found && env->proxy_enabled);
	check_problem(env, "entry `*.b` of `no_proxy` never matches");
	check_problem(env, "`HTTP_PROXY` is ignored");
	settings = read_env("https_proxy=ht tp://x");
	env = settings_find(&settings, IDENTITY_USER, ROUTE_ENV);
	CHECK_TEXT(env->proxy_server, "https_proxy=ht%20tp://x");
	check_problem(env, "is no proxy address");
	settings = read_env("PATH=/|https_proxyx=1|https_proxy");
	env = settings_find(&settings, IDENTITY_USER, ROUTE_ENV);
	CHECK(!env->found && !env->proxy_enabled);
	CHECK_TEXT(env->source, "none");
	CHECK_TEXT(joined(&env->order), "direct");
	CHECK_TEXT(decide(env, HOST).source, "environment");
}

struct agent_case {
	const char *proxy, *via, *unusable;
};

static const struct agent_case agent_cases[] = {
	{"http://proxy.corp:8080", "PROXY proxy.corp:8080", NULL},
	{"Proxy.Corp:8080", "PROXY proxy.corp:8080", NULL},
	{"https://p:8080", "HTTPS p:8080", NULL},
	{"socks5://p:8080", "SOCKS5 p:8080", NULL},
	{"http://proxy.corp", "PROXY proxy.corp:80", "`http://proxy.corp` has no port: a URL without one uses 80"},
	{"https://proxy.corp", "HTTPS proxy.corp:443", "uses 443"},
	{"http://u:secret@p:1", "PROXY p:1", NULL},
	{"http://", "DIRECT", "is no proxy address"},
	{"ftp://p:1", "DIRECT", "unknown kind"},
};

static void test_agent(void)
{
	for (size_t i = 0; i < sizeof(agent_cases) / sizeof(*agent_cases); i++) {
		const struct agent_case *one = &agent_cases[i];
		struct settings settings;
		settings_read(&(struct settings_input){.arena = arena, .agent_proxy = one->proxy}, &settings);
		CHECK(settings.system_known);
		CHECK(!settings_find(&settings, IDENTITY_USER, ROUTE_AGENT));
		const struct proxy_setting *agent = settings_find(&settings, IDENTITY_SYSTEM, ROUTE_AGENT);
		CHECK(agent && agent->found && agent->proxy_enabled);
		CHECK_TEXT(agent->location, "--agent-proxy");
		CHECK(!strstr(agent->proxy_server, "secret"));
		check_decision(agent, "https://localhost/", one->via, "the agent's own proxy");
		const char *unusable = decide(agent, HOST).problem;
		CHECK(one->unusable ? unusable && strstr(unusable, one->unusable) : !unusable);
		check_problem(agent, one->unusable);
	}
}

int main(void)
{
	arena = arena_new();
	test_env();
	test_env_shown();
	test_agent();
	arena_free(arena);
	return check_summary();
}
