/* Settings of a live machine: values put one by one, what may not be read, the environment of services, and what Windows' own interface
 * says beside them. */
#include "probe/settings/agent.h"
#include "probe/settings/env.h"
#include "probe/settings/nrpt.h"
#include "probe/settings/proxy_view.h"
#include "tests/unit/settings_check.h"

#define HERE "this machine's registry"
#define USER_KEY "HKEY_CURRENT_USER" SETTINGS
#define SYSTEM_HIVE "HKEY_USERS\\S-1-5-18"
#define MACHINE_ENVIRONMENT "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
#define SYSTEM_ENVIRONMENT SYSTEM_HIVE "\\Environment"

static void put_text(struct registry *registry, const char *key, const char *name, const char *text)
{
	const struct registry_value value = {name, REGISTRY_SZ, (const unsigned char *)text, strlen(text), HERE};
	registry_put(registry, key, &value);
}

static void put_number(struct registry *registry, const char *key, const char *name, unsigned char number)
{
	const unsigned char bytes[4] = {number, 0, 0, 0};
	const struct registry_value value = {name, REGISTRY_DWORD, bytes, sizeof(bytes), HERE};
	registry_put(registry, key, &value);
}

static void put_key(struct registry *registry, const char *key)
{
	registry_put(registry, key, &(struct registry_value){0});
}

static struct settings read_live(const struct registry *registry)
{
	struct settings settings;
	settings_read(&(struct settings_input){.arena = arena, .registry = registry}, &settings);
	return settings;
}

/* ------------------------------------------------------------------ values one by one */

static void test_put(void)
{
	char text[] = "old.corp:1";
	struct registry *registry = registry_new(arena);
	put_text(registry, USER_KEY, "ProxyServer", text);
	text[0] = 'x';
	CHECK_TEXT((const char *)registry_get(registry, USER_KEY, "proxyserver")->data, "old.corp:1");
	put_text(registry, USER_KEY, "PROXYSERVER", "new.corp:2");
	CHECK_TEXT((const char *)registry_get(registry, USER_KEY, "ProxyServer")->data, "new.corp:2");
	CHECK_TEXT(registry_get(registry, USER_KEY, "ProxyServer")->where, HERE);
	CHECK(registry_get(registry, "HKCU" SETTINGS, "ProxyServer") != NULL);
	put_key(registry, USER_KEY "\\Empty");
	CHECK(registry_has_key(registry, USER_KEY "\\Empty"));
	CHECK(!registry_is_denied(registry, USER_KEY "\\Empty"));
	CHECK_TEXT(registry_problems(registry)[0], NULL);
}

static void test_live_settings(void)
{
	struct registry *registry = registry_new(arena);
	put_number(registry, USER_KEY, "ProxyEnable", 1);
	put_text(registry, USER_KEY, "ProxyServer", "p.corp:8080");
	put_key(registry, SYSTEM_HIVE);
	struct settings settings = read_live(registry);
	const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
	check_decision(user, HOST, "PROXY p.corp:8080", "the only entry of ProxyServer");
	CHECK_TEXT(user->location, USER_KEY " (" HERE ")");
	CHECK(settings.system_known && !settings.system_denied);
	CHECK(!wininet(&settings, IDENTITY_SYSTEM)->found);
	check_problem(wininet(&settings, IDENTITY_SYSTEM), "not the key Internet Settings");
}

static void test_denied(void)
{
	struct registry *registry = registry_new(arena);
	put_key(registry, SYSTEM_HIVE);
	registry_deny(registry, SYSTEM_HIVE SETTINGS);
	struct settings settings = read_live(registry);
	CHECK(!settings.system_known && settings.system_denied);
	CHECK(!wininet(&settings, IDENTITY_SYSTEM)->found);
	check_problem(wininet(&settings, IDENTITY_SYSTEM), "may not read SYSTEM's settings");
	/* the plain values can be read, the blob that would beat them cannot */
	registry = registry_new(arena);
	put_number(registry, SYSTEM_HIVE SETTINGS, "ProxyEnable", 0);
	registry_deny(registry, SYSTEM_HIVE SETTINGS "\\Connections");
	settings = read_live(registry);
	CHECK(settings.system_known && !settings.system_denied && wininet(&settings, IDENTITY_SYSTEM)->found);
	check_problem(wininet(&settings, IDENTITY_SYSTEM), "may differ");
}

/* ------------------------------------------------------------------ environment */

static void test_environment_of_services(void)
{
	struct registry *registry = registry_new(arena);
	put_text(registry, MACHINE_ENVIRONMENT, "HTTPS_PROXY", "http://m.corp:1");
	put_text(registry, MACHINE_ENVIRONMENT, "HTTP_PROXY", "http://u:secret@h.corp:2");
	put_text(registry, MACHINE_ENVIRONMENT, "No_Proxy", "x.corp");
	struct settings settings = read_live(registry);
	const struct proxy_setting *env = settings_find(&settings, IDENTITY_SYSTEM, ROUTE_ENV);
	CHECK(env && env->found && !settings_find(&settings, IDENTITY_USER, ROUTE_ENV));
	check_problem(env, NULL);
	check_decision(env, HOST, "PROXY m.corp:1", "`https_proxy`");
	check_decision(env, "http://a.example/", "PROXY h.corp:2", "`http_proxy`");
	check_decision(env, "https://x.corp/", "DIRECT", "bypassed by `no_proxy` entry `x.corp`");
	CHECK(strstr(env->location, MACHINE_ENVIRONMENT "\\HTTPS_PROXY (" HERE ")") != NULL);
	CHECK(!strstr(env->proxy_server, "secret"));
	put_text(registry, SYSTEM_ENVIRONMENT, "https_proxy", "http://s.corp:3");
	settings = read_live(registry);
	env = settings_find(&settings, IDENTITY_SYSTEM, ROUTE_ENV);
	check_decision(env, HOST, "PROXY s.corp:3", "`https_proxy`");
	CHECK(strstr(env->location, SYSTEM_ENVIRONMENT "\\https_proxy") != NULL);
}

static void test_environment_without_proxies(void)
{
	struct registry *registry = registry_new(arena);
	put_text(registry, SYSTEM_ENVIRONMENT, "https_proxy", "http://s.corp:3");
	struct settings settings = read_live(registry);
	CHECK(!settings_find(&settings, IDENTITY_SYSTEM, ROUTE_ENV)); /* the machine's part is not known */
	registry = registry_new(arena);
	put_text(registry, MACHINE_ENVIRONMENT, "Path", "C:\\Windows");
	settings = read_live(registry);
	const struct proxy_setting *env = settings_find(&settings, IDENTITY_SYSTEM, ROUTE_ENV);
	CHECK(env && !env->found);
	CHECK_TEXT(env->location, MACHINE_ENVIRONMENT);
}

static void test_own_environment(void)
{
	static const char *const block[] = {"HTTP_PROXY=http://a:1", "Https_Proxy=http://b:2", NULL};
	struct settings settings;
	struct registry *registry = registry_new(arena);
	put_text(registry, MACHINE_ENVIRONMENT, "https_proxy", "http://m.corp:1");
	settings_read(&(struct settings_input){.arena = arena,
					       .registry = registry,
					       .environment = block,
					       .environment_of = IDENTITY_SYSTEM,
					       .environment_ignores_case = true},
		      &settings);
	const struct proxy_setting *env = settings_find(&settings, IDENTITY_SYSTEM, ROUTE_ENV);
	CHECK_TEXT(env->proxy_server, "http_proxy=http://a:1 https_proxy=http://b:2");
	CHECK_INT(settings.count, 5);
	settings_read(&(struct settings_input){.arena = arena, .environment = block}, &settings);
	CHECK(!settings_find(&settings, IDENTITY_USER, ROUTE_ENV)->found);
}

/* ------------------------------------------------------------------ name policy */

#define POLICY_RULE "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient\\DnsPolicyConfig\\"
#define LOCAL_RULE "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Dnscache\\Parameters\\DnsPolicyConfig\\"

/* names: parted by '|' */
static void put_rule(struct registry *registry, const char *key, const char *names, unsigned char options,
		     const char *servers)
{
	unsigned char bytes[256];
	size_t length = 0;
	for (const char *at = names;; at++) {
		bytes[length++] = *at == '|' ? 0 : (unsigned char)*at;
		bytes[length++] = 0;
		if (!*at)
			break;
	}
	bytes[length++] = 0;
	bytes[length++] = 0;
	const struct registry_value value = {"Name", REGISTRY_MULTI_SZ, bytes, length, HERE};
	registry_put(registry, key, &value);
	put_number(registry, key, "ConfigOptions", options);
	put_text(registry, key, options & 4 ? "DirectAccessDNSServers" : "GenericDNSServers", servers);
}

/* "name space: servers", or NULL. */
static const char *rule_for(const struct registry *registry, const char *name)
{
	struct nrpt_rule rule;
	if (!nrpt_find(arena, registry, name, &rule))
		return NULL;
	return arena_printf(arena, "%s: %s", rule.name_space, joined(&rule.servers));
}

static void test_name_policy(void)
{
	struct registry *registry = registry_new(arena);
	CHECK_TEXT(rule_for(registry, "a.corp.test"), NULL);
	put_rule(registry, LOCAL_RULE "{1}", ".corp.test|.other.test", 8, "10.0.0.1;10.0.0.2");
	put_rule(registry, LOCAL_RULE "{2}", ".deep.corp.test", 8, "10.0.0.3");
	put_rule(registry, LOCAL_RULE "{3}", "out.corp.test", 8, "");
	put_rule(registry, LOCAL_RULE "{4}", "proxy", 4, "fd00::1");
	put_rule(registry, LOCAL_RULE "{5}", ".signed.test", 2, "10.0.0.9");
	CHECK_TEXT(rule_for(registry, "a.corp.test"), ".corp.test: 10.0.0.1, 10.0.0.2");
	CHECK_TEXT(rule_for(registry, "A.OTHER.test."), ".other.test: 10.0.0.1, 10.0.0.2");
	CHECK_TEXT(rule_for(registry, "a.deep.corp.test"), ".deep.corp.test: 10.0.0.3");
	CHECK_TEXT(rule_for(registry, "proxy.corp.test"), "proxy: fd00::1");
	CHECK_TEXT(rule_for(registry, "out.corp.test"), NULL); /* an exception from the wider rule */
	CHECK_TEXT(rule_for(registry, "a.signed.test"), NULL);
	CHECK_TEXT(rule_for(registry, "corp.test"), NULL);
	CHECK_TEXT(rule_for(registry, "acorp.test"), NULL);
	CHECK_TEXT(rule_for(registry, "login.example"), NULL);
	put_rule(registry, LOCAL_RULE "{6}", ".", 8, "10.0.0.8");
	CHECK_TEXT(rule_for(registry, "login.example"), ".: 10.0.0.8");
	CHECK_TEXT(rule_for(registry, "a.corp.test"), ".corp.test: 10.0.0.1, 10.0.0.2");
	/* rules of a policy hide the local ones */
	put_rule(registry, POLICY_RULE "rule", ".policy.test", 8, "10.0.0.7");
	CHECK_TEXT(rule_for(registry, "x.policy.test"), ".policy.test: 10.0.0.7");
	CHECK_TEXT(rule_for(registry, "a.corp.test"), NULL);
}

static void test_damaged_name_policy(void)
{
	static const unsigned char odd[] = {'.', 0, 't', 0, 'e'};
	struct registry *registry = registry_new(arena);
	const struct registry_value name = {"Name", REGISTRY_MULTI_SZ, odd, sizeof(odd), HERE};
	registry_put(registry, LOCAL_RULE "{1}", &name);
	put_number(registry, LOCAL_RULE "{1}", "ConfigOptions", 8);
	put_text(registry, LOCAL_RULE "{1}", "GenericDNSServers", " ;; 10.0.0.1 ;");
	CHECK_TEXT(rule_for(registry, "x.t"), ".t: 10.0.0.1");
	put_key(registry, LOCAL_RULE "{2}");
	CHECK_TEXT(rule_for(registry, "y.t"), ".t: 10.0.0.1");
}

/* ------------------------------------------------------------------ Windows' own interface */

static void check_view(const char *body, struct proxy_view view, bool agrees, const char *said, const char *read)
{
	struct settings settings = read_registry(body);
	const struct proxy_setting *user = wininet(&settings, IDENTITY_USER);
	CHECK(proxy_view_agrees(arena, &view, user) == agrees);
	CHECK_TEXT(proxy_view_text(arena, &view), said);
	CHECK_TEXT(proxy_view_of_setting(arena, user), read);
}

static void test_interface(void)
{
	const char *all = connections(
		"HKEY_CURRENT_USER", ie_blob(15, "u:secret@p.corp:80", "<local>", "http://pac.corp/p.pac?token=1"), "");
	static const char words[] =
		"automatic detection; PAC http://pac.corp/p.pac; proxy u:***@p.corp:80; bypass <local>";
	check_view(arena_printf(arena, USER "%s", all),
		   (struct proxy_view){true, "http://pac.corp/p.pac?token=1", "u:secret@p.corp:80", "<local>"}, true,
		   words, words);
	check_view(arena_printf(arena, USER "%s", all), (struct proxy_view){true, "", "p.corp:80", ""}, false,
		   "automatic detection; proxy p.corp:80", words);
	check_view(
		arena_printf(arena, USER "%s", connections("HKEY_CURRENT_USER", ie_blob(1, "p.corp:80", "x", ""), "")),
		(struct proxy_view){false, "", "", ""}, true, "no proxy", "no proxy");
	/* without the blob the interface answers with its default */
	check_view(USER "\"ProxyEnable\"=dword:0\n", (struct proxy_view){true, "", "", ""}, true, "automatic detection",
		   "no proxy (there is no DefaultConnectionSettings)");
	check_view(USER ON("p.corp:80"), (struct proxy_view){true, "", "", ""}, false, "automatic detection",
		   "proxy p.corp:80 (there is no DefaultConnectionSettings)");
	check_view(USER ON("p.corp:80"), (struct proxy_view){false, "", "p.corp:80", ""}, true, "proxy p.corp:80",
		   "proxy p.corp:80 (there is no DefaultConnectionSettings)");
}

/* ------------------------------------------------------------------ the agent's answer */

static void check_answer(const char *text, bool understood, const char *wanted)
{
	const char *proxy = "untouched";
	CHECK(agent_parse_answer(arena, text, &proxy) == understood);
	CHECK_TEXT(proxy, wanted);
}

static void test_agent(void)
{
	struct settings settings;
	check_answer("enabled=True\r\nserver=http://p.corp\r\nport=8080\r\n", true, "http://p.corp:8080");
	check_answer("enabled=true\nserver=p.corp \nport=80", true, "http://p.corp:80");
	check_answer("enabled=True\nserver=http://p.corp/\nport=8080\n", true, "http://p.corp:8080");
	check_answer("enabled=False\nserver=\nport=0\n", true, NULL);
	check_answer("enabled=\nserver=\nport=\n", false, NULL);
	check_answer("enabled=True\nserver=\nport=80\n", false, NULL);
	check_answer("enabled=True\nserver=p.corp\nport=none\n", false, NULL);
	check_answer("", false, NULL);
	settings_read(&(struct settings_input){.arena = arena, .agent_source = "the agent"}, &settings);
	const struct proxy_setting *agent = settings_find(&settings, IDENTITY_SYSTEM, ROUTE_AGENT);
	CHECK(agent && !agent->found && !agent->proxy_enabled && !settings.system_known);
	CHECK_TEXT(agent->location, "the agent");
	settings_read(
		&(struct settings_input){.arena = arena, .agent_proxy = "http://p:1", .agent_source = "the agent"},
		&settings);
	agent = settings_find(&settings, IDENTITY_SYSTEM, ROUTE_AGENT);
	check_decision(agent, HOST, "PROXY p:1", "the agent's own proxy");
	CHECK_TEXT(agent->location, "the agent");
}

int main(void)
{
	arena = arena_new();
	test_put();
	test_live_settings();
	test_denied();
	test_environment_of_services();
	test_environment_without_proxies();
	test_own_environment();
	test_name_policy();
	test_damaged_name_policy();
	test_interface();
	test_agent();
	arena_free(arena);
	return check_summary();
}
