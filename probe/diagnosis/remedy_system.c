#include "probe/diagnosis/remedy_system.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/diagnosis/command_word.h"
#include "probe/diagnosis/parts.h"
#include "probe/settings/bypass.h"

#define SETTINGS "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define SYSTEM_KEY "\"HKU\\S-1-5-18\\" SETTINGS "\""
#define IN_THE_AGENT "in the backup agent (Change Properties > Proxy Configuration)"
#define SETIEPROXY "bitsadmin /util /setieproxy localsystem "
#define RUN "Run from an elevated prompt:"

void remedy_add(struct arena *arena, struct text_list *out, const char *words, const char *command)
{
	char *clean = arena_strdup(arena, words);
	for (char *at = clean; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
	text_list_add(arena, out, command ? arena_printf(arena, "%s\n%s", clean, command) : clean);
}

struct job {
	const struct report *report;
	struct arena *arena;
	const struct finding *finding;
	const struct path *broken; /* by the settings that are to be changed */
	const struct path *works;  /* by others; NULL: nothing that works is known */
	struct text_list *out;
};

static void add(struct job *job, const char *words)
{
	remedy_add(job->arena, job->out, words, NULL);
}

static void add_command(struct job *job, const char *words, const char *command)
{
	remedy_add(job->arena, job->out, words, command);
}

static const struct proxy_setting *setting_of(const struct job *job, const struct path *path)
{
	return path ? report_setting(job->report, path->identity, path->route.kind) : NULL;
}

static enum proxy_dialect dialect_of(const struct proxy_setting *setting)
{
	return setting->kind == ROUTE_WINHTTP ? PROXY_WINHTTP : PROXY_WININET;
}

/* ------------------------------------------------------------------ what works, and what it takes */

static bool passes(const struct path *path)
{
	return path->verdict.status == STATUS_PASS || path->verdict.status == STATUS_WARN;
}

/* By whose settings it works: as the evidence shows it, else as some other path to the same target does. */
static const struct path *way_that_works(const struct report *report, const struct finding *finding,
					 const struct path *broken)
{
	const struct path *other = finding_other_way(finding);
	for (size_t i = 0; !other && i < report->path_count; i++) {
		const struct path *path = report->paths[i];
		bool by_settings = path->route.kind == ROUTE_WININET || path->route.kind == ROUTE_WINHTTP;
		if (path != broken && path->target == broken->target && by_settings && passes(path) &&
		    !text_equal(path->route.via, broken->route.via))
			other = path;
	}
	return other;
}

static bool wanted_sign_in(const struct path *path)
{
	for (size_t i = 0; i < path->attempt_count; i++) {
		const struct observation_list *list = &path->attempts[i]->observations;
		for (size_t k = 0; k < list->count; k++)
			if (list->items[k]->op == OP_PROXY_EXCHANGE &&
			    (list->items[k]->proxy.schemes.count || list->items[k]->proxy.auth_tried))
				return true;
	}
	return false;
}

static bool holds_password(const struct proxy_setting *setting)
{
	return setting && setting->proxy_server && strchr(setting->proxy_server, '@');
}

/* A proxy with a sign-in is no matter of settings that hold none (requirements.md 9). */
static bool add_sign_in(struct job *job)
{
	struct via via;
	bool asks = wanted_sign_in(job->works);
	if (!asks && !holds_password(setting_of(job, job->works)))
		return false;
	bool known = via_parse(job->arena, job->works->route.via, &via) && via.host;
	const char *proxy = known ? host_port_text(job->arena, via.host, via.port) : "that works";
	add(job, arena_printf(job->arena,
			      "%s. The settings of LocalSystem hold none, so no command makes it work there, unless it "
			      "takes this computer's own account (Negotiate, NTLM). Enter the proxy " IN_THE_AGENT
			      " and type user and password in that dialog",
			      arena_printf(job->arena,
					   asks ? "The proxy %s asks for a user and a password"
						: "The setting of the proxy %s holds a user or a password",
					   proxy)));
	add(job, "Or have the proxy team let this server through without a sign-in");
	return true;
}

/* ------------------------------------------------------------------ WinINET of SYSTEM */

static void add_unsafe(struct job *job, const struct proxy_setting *setting, const char *what)
{
	add(job,
	    arena_printf(job->arena,
			 "The %s at %s holds characters that are not safe in a command, or is too long for one: enter "
			 "it by hand in Internet options, opened as LocalSystem (psexec -i -s), LAN settings",
			 what, setting->location ? setting->location : "the settings"));
}

static void add_notes(struct job *job)
{
	add_command(job, "Check what was set:", "bitsadmin /util /getieproxy localsystem");
	add_command(job, "Restart the agent:", "net stop obengine & net start obengine");
	add(job, "Not so: a proxy that asks for a sign-in cannot work through LocalSystem's settings, only "
		 "when set " IN_THE_AGENT "; a PAC script cannot work through the agent's own setting");
}

/* What bitsadmin's list cannot say, one proxy for http and another for https: the values themselves. */
static void add_registry_lines(struct job *job, const struct proxy_setting *setting)
{
	const char *server = command_word(job->arena, setting->proxy_server);
	bool has_bypass = setting->proxy_bypass && setting->proxy_bypass[0];
	const char *bypass = has_bypass ? command_word(job->arena, setting->proxy_bypass) : "\"\"";
	if (!server || !bypass) {
		add_unsafe(job, setting, server ? "bypass list" : "proxy list");
		return;
	}
	if (setting->blob_found && setting->identity == IDENTITY_USER && setting->kind == ROUTE_WININET)
		add_command(job, "Run from an elevated prompt of the same user:",
			    "reg copy \"HKCU\\" SETTINGS "\\Connections\" \"HKU\\S-1-5-18\\" SETTINGS
			    "\\Connections\" /f");
	add_command(job, RUN, "reg add " SYSTEM_KEY " /v ProxyEnable /t REG_DWORD /d 1 /f");
	add_command(job, RUN,
		    arena_printf(job->arena, "reg add " SYSTEM_KEY " /v ProxyServer /t REG_SZ /d %s /f", server));
	add_command(job, RUN,
		    arena_printf(job->arena, "reg add " SYSTEM_KEY " /v ProxyOverride /t REG_SZ /d %s /f", bypass));
	add_notes(job);
}

static void add_manual(struct job *job, const struct proxy_setting *setting, const char *bypass_list)
{
	const char *proxies = command_proxies(job->arena, dialect_of(setting), setting->proxy_server);
	const char *bypass = command_bypass(job->arena, bypass_list);
	if (!proxies) {
		struct proxy_setting changed = *setting;
		changed.proxy_bypass = bypass_list;
		add_registry_lines(job, &changed);
	} else if (!bypass) {
		add_unsafe(job, setting, "bypass list");
	} else {
		add_command(job, RUN, arena_printf(job->arena, SETIEPROXY "MANUAL_PROXY %s %s", proxies, bypass));
		add_notes(job);
	}
}

static void add_script(struct job *job, const struct proxy_setting *setting)
{
	const char *url = command_word(job->arena, setting->pac_url ? setting->pac_url : "");
	if (!url) {
		add_unsafe(job, setting, "address of the PAC script");
		return;
	}
	add_command(job,
		    "Run from an elevated prompt (reports leave out what follows a ? in an address: add it, if there "
		    "is such):",
		    arena_printf(job->arena, SETIEPROXY "AUTOSCRIPT %s", url));
	add_notes(job);
}

/* Only where it goes is known. */
static void add_via(struct job *job, const char *via_text)
{
	struct via via;
	bool known = via_parse(job->arena, via_text, &via);
	if (known && via.scheme == VIA_DIRECT) {
		add_command(job, RUN, SETIEPROXY "NO_PROXY");
		add_notes(job);
		return;
	}
	const char *proxy = known && via.scheme == VIA_HTTP
				    ? command_word(job->arena, host_port_text(job->arena, via.host, via.port))
				    : NULL;
	if (!proxy)
		return;
	add_command(job, RUN, arena_printf(job->arena, SETIEPROXY "MANUAL_PROXY %s NULL", proxy));
	add_notes(job);
}

/* How the way that works was decided. An old report does not say. */
static bool is_by(const struct job *job, const char *mechanism)
{
	const char *said = job->works->route.mechanism;
	return said ? strcmp(said, mechanism) == 0 : strcmp(mechanism, "static") == 0;
}

static void take_over(struct job *job)
{
	const struct proxy_setting *setting = setting_of(job, job->works);
	if (setting && is_by(job, "pac") && setting->pac_enabled) {
		add_script(job, setting);
	} else if (setting && is_by(job, "auto_detect") && setting->auto_detect) {
		add_command(job, RUN, SETIEPROXY "AUTODETECT");
		add_notes(job);
	} else if (setting && is_by(job, "static") && setting->proxy_enabled && setting->proxy_server &&
		   (setting->kind == ROUTE_WININET || setting->kind == ROUTE_WINHTTP)) {
		add_manual(job, setting, setting->proxy_bypass);
	} else {
		add_via(job, job->works->route.via);
	}
}

/* Nothing works that could be taken over: what the command looks like. */
static void add_pattern(struct job *job)
{
	const char *cause = job->finding->cause;
	if (strncmp(cause, "cfg_pac_", sizeof("cfg_pac_") - 1) == 0) {
		add_command(job, "For another address of the script:", SETIEPROXY "AUTOSCRIPT http://HOST/FILE.pac");
		add_command(job, "For a fixed proxy in its place (NULL: no bypass list):",
			    SETIEPROXY "MANUAL_PROXY HOST:PORT NULL");
		add_notes(job);
	} else if (strncmp(cause, "cfg_wpad_", sizeof("cfg_wpad_") - 1) == 0) {
		add_command(job, "For a fixed proxy (NULL: no bypass list):", SETIEPROXY "MANUAL_PROXY HOST:PORT NULL");
		add_notes(job);
	}
}

/* ------------------------------------------------------------------ the bypass list without what strikes the targets */

static bool strikes(struct job *job, enum proxy_dialect dialect, const char *entry)
{
	for (size_t i = 0; i < job->finding->target_count; i++) {
		struct url url;
		const char *rule, *text = job->finding->targets[i]->url;
		if (text && url_parse(job->arena, text, &url) &&
		    bypass_matches(job->arena, dialect, entry, &url, &rule))
			return true;
	}
	return false;
}

static const char *bypass_without(struct job *job, const struct proxy_setting *setting)
{
	static const char separators[] = "; \t\r\n\v\f";
	struct strbuf kept;
	strbuf_init(&kept);
	for (const char *at = setting->proxy_bypass; *at;) {
		at += strspn(at, separators);
		size_t length = strcspn(at, separators);
		const char *entry = arena_strndup(job->arena, at, length);
		if (length && !strikes(job, dialect_of(setting), entry))
			strbuf_printf(&kept, "%s%s", kept.length ? ";" : "", entry);
		at += length;
	}
	const char *list = arena_strndup(job->arena, kept.data ? kept.data : "", kept.length);
	strbuf_free(&kept);
	return list;
}

/* ------------------------------------------------------------------ whose settings are to be changed */

static void change_wininet(struct job *job)
{
	const struct proxy_setting *own = setting_of(job, job->broken);
	if (own && text_equal(own->scope, "per-machine")) {
		add(job, "These settings are the machine's (ProxySettingsPerUser is 0) and serve every account: change "
			 "them in Internet options from an elevated prompt; bitsadmin would change what nobody reads");
		return;
	}
	if (strcmp(job->finding->cause, "cfg_bypass_sends_direct") == 0) {
		if (own && own->proxy_server && own->proxy_bypass && !holds_password(own))
			add_manual(job, own, bypass_without(job, own));
		return;
	}
	if (strcmp(job->finding->cause, "cfg_autodetect_stalls") == 0) {
		add_via(job, job->broken->route.via);
		return;
	}
	if (!job->works)
		add_pattern(job);
	else if (!add_sign_in(job))
		take_over(job);
}

static void set_winhttp(struct job *job, const struct proxy_setting *setting, const char *bypass_list)
{
	const char *server = command_word(job->arena, setting->proxy_server);
	bool has_bypass = bypass_list && bypass_list[0];
	const char *bypass = has_bypass ? command_word(job->arena, bypass_list) : NULL;
	if (!server || (has_bypass && !bypass)) {
		add(job,
		    arena_printf(
			    job->arena,
			    "The %s at %s holds characters that are not safe in a command, or is too long for one: "
			    "enter it by hand with netsh",
			    server ? "bypass list" : "proxy list",
			    setting->location ? setting->location : "the settings"));
		return;
	}
	add_command(job, RUN,
		    arena_printf(job->arena, "netsh winhttp set proxy proxy-server=%s%s%s", server,
				 bypass ? " bypass-list=" : "", bypass ? bypass : ""));
}

/* `netsh winhttp set proxy` holds a list alone: of a script only what it answered can be set. */
static void change_winhttp(struct job *job)
{
	struct via via;
	const struct proxy_setting *own = setting_of(job, job->broken), *setting = setting_of(job, job->works);
	bool by_bypass = strcmp(job->finding->cause, "cfg_bypass_sends_direct") == 0;
	if (by_bypass && own && own->proxy_server && own->proxy_bypass && !holds_password(own)) {
		set_winhttp(job, own, bypass_without(job, own));
		return;
	}
	if (by_bypass || !job->works || add_sign_in(job) || !via_parse(job->arena, job->works->route.via, &via))
		return;
	if (via.scheme == VIA_DIRECT) {
		add_command(job, RUN, "netsh winhttp reset proxy");
	} else if (setting && setting->kind == ROUTE_WININET && is_by(job, "static") && setting->proxy_enabled) {
		set_winhttp(job, setting, setting->proxy_bypass);
	} else if (via.scheme == VIA_HTTP) {
		const struct proxy_setting one = {.proxy_server = host_port_text(job->arena, via.host, via.port)};
		set_winhttp(job, &one, NULL);
	}
}

/* Does SYSTEM's own way work too? The one that the evidence shows may share its traffic. */
static bool system_gets_on(const struct job *job)
{
	for (size_t i = 0; i < job->report->path_count; i++) {
		const struct path *path = job->report->paths[i];
		if (path->target == job->broken->target && path->identity == IDENTITY_SYSTEM &&
		    path->route.kind == ROUTE_WININET && passes(path))
			return true;
	}
	return false;
}

static void change_agent(struct job *job)
{
	struct via via;
	if (!job->works || !via_parse(job->arena, job->works->route.via, &via))
		return;
	if (system_gets_on(job) || via.scheme == VIA_DIRECT) {
		add_command(job, "Run in an elevated PowerShell; the agent then goes by the settings of LocalSystem:",
			    "Set-OBMachineSetting -NoProxy");
	} else if (!add_sign_in(job) && via.scheme == VIA_HTTP && command_word(job->arena, via.host)) {
		const char *host = strchr(via.host, ':') ? arena_printf(job->arena, "[%s]", via.host) : via.host;
		add_command(job, "Run in an elevated PowerShell:",
			    arena_printf(job->arena, "Set-OBMachineSetting -ProxyServer \"http://%s\" -ProxyPort %d",
					 host, via.port));
	}
	add_command(job, "Restart the agent:", "net stop obengine & net start obengine");
	add(job, "Not so: the agent's own setting knows host and port alone, a PAC script cannot work there");
}

void remedy_system_add(const struct report *report, const struct finding *finding, struct text_list *out)
{
	const struct path *broken = finding->paths.count ? finding->paths.items[0] : NULL;
	if (!broken || broken->identity != IDENTITY_SYSTEM || !finding->cause)
		return;
	struct job job = {.report = report,
			  .arena = report->arena,
			  .finding = finding,
			  .broken = broken,
			  .works = way_that_works(report, finding, broken),
			  .out = out};
	switch (broken->route.kind) {
	case ROUTE_WININET:
		change_wininet(&job);
		break;
	case ROUTE_WINHTTP:
		change_winhttp(&job);
		break;
	case ROUTE_AGENT:
		change_agent(&job);
		break;
	case ROUTE_DIRECT:
	case ROUTE_ENV:
	case ROUTE_PROXY:
		break;
	}
}
