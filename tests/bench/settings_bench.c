/* How long decisions by settings take: one line for each figure, with what is wanted of it. Exit status 1 when one is
 * missed. Sends nothing. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/settings/pac.h"
#include "probe/settings/pac_arguments.h"
#include "probe/settings/pac_child.h"
#include "probe/settings/settings.h"

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long peak_kib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* ------------------------------------------------------------------ bypass list */

enum { ENTRY_COUNT = 2000, URL_COUNT = 100 * 1000, URL_BYTES = 200, WANTED_S = 1 };

/* Every form that lists of this size are made of: whole names, what is below a domain, addresses, ports, a few words. */
static void add_entry(struct strbuf *list, int i)
{
	switch (i % 10) {
	case 0:
	case 1:
	case 2:
	case 3:
		strbuf_printf(list, "srv%d.dept%d.corp.example;", i, i % 7);
		return;
	case 4:
	case 5:
	case 6:
		strbuf_printf(list, "*.app%d.internal.example;", i);
		return;
	case 7:
		strbuf_printf(list, "10.%d.%d.*;", i / 250, i % 250);
		return;
	case 8:
		strbuf_printf(list, "https://portal%d.partner.example:8443;", i);
		return;
	default:
		strbuf_printf(list, i % 100 == 99 ? "*legacy%d*;" : "*-build%d.ci.example;", i);
		return;
	}
}

/* The i-th URL; true if an entry of the list is for it. Two in five are bypassed. */
static bool make_url(int i, char text[URL_BYTES])
{
	int entry = i % (ENTRY_COUNT / 10) * 10;
	switch (i % 10) {
	case 0:
		snprintf(text, URL_BYTES, "https://srv%d.dept%d.corp.example/", entry, entry % 7);
		return true;
	case 1:
		snprintf(text, URL_BYTES, "http://a%d.b.app%d.internal.example/path?query=%d", i, entry + 5, i);
		return true;
	case 2:
		snprintf(text, URL_BYTES, "https://10.%d.%d.%d/", (entry + 7) / 250, (entry + 7) % 250, i % 256);
		return true;
	case 3:
		snprintf(text, URL_BYTES, "https://portal%d.partner.example:8443/x", entry + 8);
		return true;
	case 4:
		snprintf(text, URL_BYTES, "https://portal%d.partner.example/x", entry + 8);
		return false;
	case 5:
		snprintf(text, URL_BYTES, "https://app%d.internal.example/", entry + 5);
		return false;
	case 6:
		snprintf(text, URL_BYTES, "https://srv%d.dept9.corp.example/", entry);
		return false;
	case 7:
		snprintf(text, URL_BYTES, "https://pod%d-rec2.weu.backup.windowsazure.com/", i);
		return false;
	case 8:
		snprintf(text, URL_BYTES, "https://blob%d.z%d.blob.storage.azure.net/container/file%d", i, i % 50, i);
		return false;
	default:
		snprintf(text, URL_BYTES, "https://login%d.microsoftonline.com/common/oauth2", i);
		return false;
	}
}

/* Take each URL apart and decide it; the number of wrong answers. The decisions share one arena: what it grows by shows. */
static int decide_all(const struct decider *decider, struct arena *decisions)
{
	int wrong = 0;
	for (int i = 0; i < URL_COUNT; i++) {
		char text[URL_BYTES];
		struct url url;
		struct decision decision;
		struct arena *arena = arena_new();
		bool bypassed = make_url(i, text);
		if (!url_parse(arena, text, &url))
			abort();
		decider_decide(decider, decisions, &url, NULL, &decision);
		wrong += bypassed != (strcmp(decision.via.items[0], "DIRECT") == 0);
		arena_free(arena);
	}
	return wrong;
}

static bool bench_bypass(void)
{
	struct arena *arena = arena_new();
	struct strbuf list;
	strbuf_init(&list);
	for (int i = 0; i < ENTRY_COUNT - 1; i++)
		add_entry(&list, i);
	strbuf_add(&list, "<local>");
	const struct proxy_setting setting = {.kind = ROUTE_WININET,
					      .found = true,
					      .source = "values",
					      .location = "bench",
					      .proxy_enabled = true,
					      .proxy_server =
						      "http=proxy.corp.example:3128;https=proxy.corp.example:3128",
					      .proxy_bypass = list.data};
	double start = now_s();
	const struct decider *decider = decider_new(arena, &setting);
	double compiled = now_s();
	long before = peak_kib();
	int wrong = decide_all(decider, arena);
	double seconds = now_s() - compiled;
	printf("decide 100,000 URLs against 2,000 bypass entries: %.2f s (wanted below %d s); taking the list apart: "
	       "%.1f ms; "
	       "memory grew by %ld KiB; %d wrong\n",
	       seconds, WANTED_S, (compiled - start) * 1e3, peak_kib() - before, wrong);
	strbuf_free(&list);
	arena_free(arena);
	return seconds < WANTED_S && wrong == 0;
}

/* ------------------------------------------------------------------ PAC script */

enum { SCRIPT_LINES = 5000, QUESTION_COUNT = 20, PAC_WANTED_MS = 100, PAC_ROUNDS = 5 };

/* What grown scripts are made of: one condition a line, of every kind, and almost none of them holds. */
static void add_line(struct strbuf *script, int i)
{
	switch (i % 8) {
	case 0:
	case 1:
		strbuf_printf(script, "\tif (shExpMatch(host, \"*.app%d.internal.example\")) return \"DIRECT\";\n", i);
		return;
	case 2:
	case 3:
		strbuf_printf(script, "\tif (dnsDomainIs(host, \".dept%d.corp.example\")) return branch;\n", i);
		return;
	case 4:
		strbuf_printf(script, "\tif (isInNet(address, \"10.%d.%d.0\", \"255.255.255.0\")) return \"DIRECT\";\n",
			      i / 250, i % 250);
		return;
	case 5:
		strbuf_printf(script, "\tif (shExpMatch(url, \"https://portal%d.*/api/*\")) return branch;\n", i);
		return;
	case 6:
		strbuf_printf(script,
			      "\tif (host == \"srv%d\" || localHostOrDomainIs(host, \"srv%d.corp.example\")) return "
			      "branch;\n",
			      i, i);
		return;
	default:
		strbuf_printf(script, "\t// partner %d, asked for by ticket %d\n", i, i * 7);
		return;
	}
}

static void write_script(struct strbuf *script)
{
	strbuf_add(script, "var branch = \"PROXY branch.corp.example:3128; DIRECT\";\n"
			   "function FindProxyForURL(url, host) {\n"
			   "\tvar address = dnsResolve(host);\n"
			   "\tif (isPlainHostName(host)) return \"DIRECT\";\n");
	for (int i = 4; i < SCRIPT_LINES - 2; i++)
		add_line(script, i);
	strbuf_add(script, "\treturn \"PROXY proxy.corp.example:3128\";\n}\n");
}

static char *resolve_at_once(void *user, const char *name, bool both)
{
	(void)user;
	(void)name;
	(void)both;
	return xstrdup("20.190.128.1");
}

static void count_call(void *user, const char *call, const char *result, int line)
{
	(void)result;
	*(int *)user += *call && line > 0;
}

/* Names as the default target set has them; the number of wrong answers. */
static int ask_all(struct pac *pac)
{
	int wrong = 0;
	for (int i = 0; i < QUESTION_COUNT; i++) {
		struct arena *arena = arena_new();
		struct pac_answer answer;
		struct url url;
		const char *text, *host;
		if (!url_parse(arena, arena_printf(arena, "https://pod%d-rec2.backup.windowsazure.com/", i), &url) ||
		    !pac_arguments(arena, &url, &text, &host))
			abort();
		pac_ask(pac, text, host, &answer);
		wrong += !answer.result || strcmp(answer.result, "PROXY proxy.corp.example:3128") != 0;
		free(answer.result);
		free(answer.message);
		arena_free(arena);
	}
	return wrong;
}

struct pac_figures {
	double load_ms, all_ms;
	int told, wrong;
};

static void run_pac(const struct strbuf *script, struct pac_figures *out)
{
	struct pac_answer answer;
	const struct pac_limits limits = {
		.memory_bytes = PAC_HEAP_BYTES_MAX, .result_bytes = PAC_RESULT_BYTES_MAX, .calls = PAC_CALLS_MAX};
	*out = (struct pac_figures){0};
	const struct pac_world world = {.resolve = resolve_at_once, .called = count_call, .user = &out->told};
	double start = now_s();
	struct pac *pac = pac_new(&limits, &world);
	pac_load(pac, script->data, script->length, &answer);
	out->load_ms = (now_s() - start) * 1e3;
	out->wrong = answer.error ? QUESTION_COUNT : ask_all(pac);
	out->all_ms = (now_s() - start) * 1e3;
	free(answer.message);
	pac_free(pac);
}

/* The best of a few rounds: what else the machine does is not the script's. */
static bool bench_pac(void)
{
	struct strbuf script;
	struct pac_figures best = {0}, round;
	strbuf_init(&script);
	write_script(&script);
	for (int i = 0; i < PAC_ROUNDS; i++) {
		run_pac(&script, &round);
		if (i == 0 || round.all_ms < best.all_ms)
			best = round;
	}
	printf("a PAC script of 5,000 lines, loaded and asked 20 times, best of %d: %.1f ms (wanted below %d ms), %.1f "
	       "ms of "
	       "them to load it; %d calls told; %d wrong\n",
	       PAC_ROUNDS, best.all_ms, PAC_WANTED_MS, best.load_ms, best.told, best.wrong);
	strbuf_free(&script);
	return best.all_ms < PAC_WANTED_MS && best.wrong == 0;
}

int main(void)
{
	static bool (*const benches[])(void) = {bench_bypass, bench_pac};
	bool met = true;
	for (size_t i = 0; i < sizeof(benches) / sizeof(*benches); i++)
		met = benches[i]() && met;
	return met ? 0 : 1;
}
