/* Whatever file: it is refused with a place and a reason, or read; merging it twice changes nothing; and what it
 * decides is always a route that can be taken, in well-formed text and without a password. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/url.h"
#include "probe/core/utf8.h"
#include "probe/settings/registry.h"
#include "probe/settings/settings.h"
#include "tests/fuzz/must.h"

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_text(const char *text)
{
	MUST(!text || utf8_is_valid(text, strlen(text)));
}

static void check_texts(const struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		check_text(list->items[i]);
}

/** Taken apart for many URLs, a setting decides as it does for one. */
static void check_decider(struct arena *arena, const struct proxy_setting *setting, const struct url *url,
			  const struct decision *wanted)
{
	struct decision decision;
	decider_decide(decider_new(arena, setting), arena, url, NULL, &decision);
	MUST(same(decision.rule, wanted->rule) && same(decision.problem, wanted->problem));
	MUST(decision.via.count == wanted->via.count && decision.undecided == wanted->undecided);
	for (size_t i = 0; i < wanted->via.count; i++)
		MUST(same(decision.via.items[i], wanted->via.items[i]));
}

static void check_decision(struct arena *arena, const struct proxy_setting *setting, const char *address)
{
	struct url url;
	struct decision decision;
	struct via via;
	MUST(url_parse(arena, address, &url));
	settings_decide(arena, setting, &url, &decision);
	check_decider(arena, setting, &url, &decision);
	MUST(decision.via.count > 0 && decision.rule && decision.mechanism && decision.source);
	MUST(!decision.undecided || decision.problem);
	for (size_t i = 0; i < decision.via.count; i++) {
		MUST(via_parse(arena, decision.via.items[i], &via));
		MUST(via.scheme != VIA_DIRECT || decision.via.count == 1);
	}
	MUST(setting->proxy_enabled || decision.undecided || same(decision.via.items[0], "DIRECT"));
	check_texts(&decision.via);
	check_text(decision.rule);
	check_text(decision.problem);
	check_text(decision.source);
}

static void check_setting(struct arena *arena, const struct proxy_setting *setting)
{
	MUST(setting->scope && setting->source && setting->location && setting->order.count > 0);
	MUST(same(setting->order.items[setting->order.count - 1], "direct"));
	MUST(!setting->pac_enabled || setting->pac_url);
	MUST(setting->found || (!setting->proxy_enabled && !setting->pac_enabled && !setting->auto_detect));
	check_text(setting->location);
	check_text(setting->pac_url);
	check_text(setting->proxy_server);
	check_text(setting->proxy_bypass);
	check_texts(&setting->problems);
	check_decision(arena, setting, "https://login.example/");
	check_decision(arena, setting, "http://localhost:8080/");
	check_decision(arena, setting, "https://[2001:db8::1]/");
}

static void check_same(const struct settings *a, const struct settings *b)
{
	MUST(a->count == b->count && a->system_known == b->system_known);
	for (size_t i = 0; i < a->count; i++) {
		const struct proxy_setting *one = &a->items[i], *two = &b->items[i];
		MUST(one->found == two->found && one->proxy_enabled == two->proxy_enabled);
		MUST(same(one->proxy_server, two->proxy_server) && same(one->proxy_bypass, two->proxy_bypass));
		MUST(same(one->location, two->location) && same(one->source, two->source));
		MUST(one->blob_flags == two->blob_flags && one->problems.count == two->problems.count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct registry *registry = registry_new(arena);
	struct settings once, twice;
	struct err err = {""};
	if (!registry_merge(registry, "f.reg", data, size, &err)) {
		MUST(strncmp(err.text, "f.reg:1: ", 9) == 0 && !strchr(err.text, '\n'));
		arena_free(arena);
		return 0;
	}
	for (const char *const *problem = registry_problems(registry); *problem; problem++) {
		check_text(*problem);
		MUST(strncmp(*problem, "f.reg:", 6) == 0 || same(*problem, "more lines were dropped"));
	}
	settings_read(&(struct settings_input){.arena = arena, .registry = registry}, &once);
	MUST(once.count == 4);
	for (size_t i = 0; i < once.count; i++)
		check_setting(arena, &once.items[i]);
	MUST(registry_merge(registry, "f.reg", data, size, &err));
	settings_read(&(struct settings_input){.arena = arena, .registry = registry}, &twice);
	check_same(&once, &twice);
	arena_free(arena);
	return 0;
}
