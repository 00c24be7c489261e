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

int main(void)
{
	static bool (*const benches[])(void) = {bench_bypass};
	bool met = true;
	for (size_t i = 0; i < sizeof(benches) / sizeof(*benches); i++)
		met = benches[i]() && met;
	return met ? 0 : 1;
}
