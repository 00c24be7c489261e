#ifndef MARSPROBE_TESTS_SETTINGS_CHECK_H
#define MARSPROBE_TESTS_SETTINGS_CHECK_H

/* What the tests of settings share: making registries and asking for decisions. main() makes the arena. */

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/settings/registry.h"
#include "probe/settings/settings.h"
#include "tests/unit/check.h"

#define SETTINGS "\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
#define USER "[HKEY_CURRENT_USER" SETTINGS "]\n"
#define SYSTEM "[HKEY_USERS\\S-1-5-18" SETTINGS "]\n"
#define ALIAS "[HKEY_USERS\\.DEFAULT" SETTINGS "]\n"
#define MACHINE "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings]\n"
#define WOW "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Wow6432Node\\Microsoft\\Windows\\CurrentVersion\\Internet Settings]\n"
#define POLICY "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings]\n"
#define SID "HKEY_USERS\\S-1-5-21-1-2-3-1001"
#define ON(server) "\"ProxyEnable\"=dword:00000001\n\"ProxyServer\"=\"" server "\"\n"

#define HOST "https://a.example/"

static struct arena *arena;

/* ------------------------------------------------------------------ making registries */

static inline void add_number(struct strbuf *out, unsigned number)
{
	for (int i = 0; i < 4; i++, number >>= 8)
		strbuf_printf(out, "%02x,", number & 0xff);
}

static inline void add_text(struct strbuf *out, const char *text)
{
	add_number(out, (unsigned)strlen(text));
	for (; *text; text++)
		strbuf_printf(out, "%02x,", (unsigned char)*text);
}

/* A line that sets a blob; pac NULL leaves that field out. */
static inline const char *blob_line(const char *name, unsigned version, unsigned flags, const char *proxy,
				    const char *bypass, const char *pac)
{
	struct strbuf out;
	strbuf_init(&out);
	strbuf_printf(&out, "\"%s\"=hex:", name);
	add_number(&out, version);
	add_number(&out, 7);
	add_number(&out, flags);
	add_text(&out, proxy);
	add_text(&out, bypass);
	if (pac)
		add_text(&out, pac);
	for (int i = 0; pac && i < 8; i++)
		add_number(&out, 0);
	strbuf_add(&out, "\n");
	const char *line = arena_strdup(arena, out.data);
	strbuf_free(&out);
	return line;
}

/* "[ROOT\...\Internet Settings\Connections]" and its blobs; saved may be "". */
static inline const char *connections(const char *root, const char *blob, const char *saved)
{
	return arena_printf(arena, "[%s" SETTINGS "\\Connections]\n%s%s", root, blob, saved);
}

static inline const char *ie_blob(unsigned flags, const char *proxy, const char *bypass, const char *pac)
{
	return blob_line("DefaultConnectionSettings", 0x46, flags, proxy, bypass, pac);
}

static inline const char *saved_blob(unsigned flags, const char *proxy, const char *bypass, const char *pac)
{
	return blob_line("SavedLegacySettings", 0x46, flags, proxy, bypass, pac);
}

static inline struct settings read_registry(const char *body)
{
	struct settings settings;
	struct err err;
	const char *text = arena_printf(arena, "Windows Registry Editor Version 5.00\n\n%s", body);
	struct registry *registry = registry_new(arena);
	CHECK(registry_merge(registry, "t.reg", text, strlen(text), &err));
	CHECK_TEXT(registry_problems(registry)[0], NULL);
	settings_read(&(struct settings_input){.arena = arena, .registry = registry}, &settings);
	CHECK_INT(settings.count, 4);
	return settings;
}

static inline const struct proxy_setting *wininet(const struct settings *settings, enum identity_id identity)
{
	static const struct proxy_setting none = {0};
	const struct proxy_setting *setting = settings_find(settings, identity, ROUTE_WININET);
	CHECK(setting != NULL);
	return setting ? setting : &none;
}

static inline const char *joined(const struct text_list *list)
{
	const char *all = "";
	for (size_t i = 0; i < list->count; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? ", " : "", list->items[i]);
	return all;
}

/* For one URL alone or for many of them, the answer is the same. */
static inline void check_decider(const struct proxy_setting *setting, const struct url *url,
				 const struct decision *wanted)
{
	struct decision decision;
	decider_decide(decider_new(arena, setting), arena, url, NULL, &decision);
	CHECK_TEXT(joined(&decision.via), joined(&wanted->via));
	CHECK_TEXT(decision.mechanism, wanted->mechanism);
	CHECK_TEXT(decision.rule, wanted->rule);
	CHECK_TEXT(decision.source, wanted->source);
	CHECK_TEXT(decision.problem, wanted->problem);
	CHECK(decision.undecided == wanted->undecided);
}

static inline struct decision decide(const struct proxy_setting *setting, const char *address)
{
	struct url url;
	struct decision decision;
	CHECK(url_parse(arena, address, &url));
	settings_decide(arena, setting, &url, &decision);
	check_decider(setting, &url, &decision);
	CHECK(decision.via.count > 0 && decision.mechanism && decision.rule);
	CHECK(!decision.undecided || decision.problem);
	return decision;
}

static inline void check_decision(const struct proxy_setting *setting, const char *address, const char *via,
				  const char *rule)
{
	struct decision decision = decide(setting, address);
	CHECK_TEXT(joined(&decision.via), via);
	CHECK_TEXT(decision.rule, rule);
}

/* Does a sentence with that part stand among the problems? With wanted NULL: is there none at all? */
static inline void check_problem(const struct proxy_setting *setting, const char *wanted)
{
	bool found = !wanted && setting->problems.count == 0;
	for (size_t i = 0; wanted && i < setting->problems.count; i++)
		found = found || strstr(setting->problems.items[i], wanted);
	if (!found)
		printf("no \"%s\" in: %s\n", wanted ? wanted : "(nothing)", joined(&setting->problems));
	CHECK(found);
}

#endif
