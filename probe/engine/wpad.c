#include "probe/engine/wpad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/blocking.h"
#include "probe/engine/hostile.h"
#include "probe/os/os.h"
#include "probe/os/os_dhcp.h"
#include "probe/settings/wpad_names.h"

#define EXPERIMENT "wpad"

/** What the thread gives: all its own. */
struct dhcp_job {
	bool found;
	char url[OS_DHCP_URL_MAX], reason[OS_DHCP_URL_MAX];
};

struct wpad {
	struct wpad_options options;
	struct arena *arena;
	struct path_list paths;
	uv_timer_t patience;
	struct dhcp_job *job; /* the thread's until it has finished */
	struct blocking *blocking;
	struct lookup *lookup;
	struct text_list candidates;
	const char *dhcp_words, *dns_words;
	bool cancelled, ended;
	struct wpad_result result;
};

static void on_timer_closed(uv_handle_t *handle)
{
	(void)handle; /* all lives in the report's arena */
}

static void wpad_end(struct wpad *wpad)
{
	if (wpad->ended)
		return;
	wpad->ended = true;
	if (!wpad->result.url)
		wpad->result.message =
			arena_printf(wpad->arena, "DHCP: %s; DNS: %s", wpad->dhcp_words, wpad->dns_words);
	uv_close((uv_handle_t *)&wpad->patience, on_timer_closed);
	wpad->options.done(wpad, &wpad->result, wpad->options.user);
}

static void found(struct wpad *wpad, const char *url, const char *by)
{
	wpad->result.url = url;
	wpad->result.found_by = by;
	wpad_end(wpad);
}

/* ------------------------------------------------------------------ DNS */

static void name_next(struct wpad *wpad);

static bool has_address(const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->count; i++)
		if (lookup->addresses[i].by_system)
			return true;
	return false;
}

/* The first name that has an address decides, whatever its server then says. */
static void on_lookup(struct lookup *lookup, void *user)
{
	struct wpad *wpad = user;
	if (wpad->ended || wpad->cancelled || lookup != wpad->lookup)
		return;
	if (has_address(lookup))
		found(wpad, arena_printf(wpad->arena, "http://%s/wpad.dat", lookup->name), "dns");
	else
		name_next(wpad);
}

static void name_next(struct wpad *wpad)
{
	size_t next = wpad->result.names.count;
	struct lookup_options options = {
		.experiment = EXPERIMENT, .settled = on_lookup, .done = on_lookup, .user = wpad};
	if (next == wpad->candidates.count) {
		wpad_end(wpad);
		return;
	}
	options.name = wpad->candidates.items[next];
	text_list_add(wpad->arena, &wpad->result.names, options.name);
	wpad->dns_words = "none of the names has an address";
	wpad->lookup = lookup_start_with(wpad->options.resolver, &options);
	for (size_t i = 0; i < wpad->paths.count; i++)
		path_list_add(wpad->arena, &wpad->lookup->paths, wpad->paths.items[i]);
}

static void dns_begin(struct wpad *wpad)
{
	char suffixes[WPAD_SUFFIXES_MAX][256];
	struct text_list list = {0};
	size_t count = os_dns_suffixes(suffixes, WPAD_SUFFIXES_MAX);
	for (size_t i = 0; i < count; i++)
		text_list_add(wpad->arena, &list, arena_strdup(wpad->arena, suffixes[i]));
	wpad_names(wpad->arena, &list, &wpad->candidates);
	wpad->dns_words = count ? "no suffix of this machine may be asked below" : "this machine has no DNS suffix";
	name_next(wpad);
}

/* ------------------------------------------------------------------ DHCP */

static void job_run(void *data)
{
	struct dhcp_job *job = data;
	job->found = os_dhcp_wpad(job->url, sizeof(job->url), job->reason, sizeof(job->reason));
}

static bool is_web_address(struct arena *arena, const char *text)
{
	struct url url;
	return url_parse(arena, text, &url) && (strcmp(url.scheme, "http") == 0 || strcmp(url.scheme, "https") == 0);
}

static void dhcp_take(struct wpad *wpad, const struct dhcp_job *job)
{
	struct arena *arena = wpad->arena;
	if (!job->found) {
		wpad->dhcp_words = hostile_text(arena, job->reason, strlen(job->reason));
		dns_begin(wpad);
		return;
	}
	bool usable = is_web_address(arena, job->url);
	wpad->result.dhcp = usable ? url_for_report(arena, job->url) : hostile_bytes(arena, job->url, strlen(job->url));
	wpad->dhcp_words = "option 252 is neither an http: nor an https: address";
	if (usable)
		found(wpad, arena_strdup(arena, job->url), "dhcp");
	else
		dns_begin(wpad);
}

static void on_dhcp(enum blocking_end end, void *user)
{
	struct wpad *wpad = user;
	wpad->blocking = NULL;
	if (wpad->cancelled || wpad->ended)
		return;
	switch (end) {
	case BLOCKING_FINISHED:
		dhcp_take(wpad, wpad->job);
		return;
	case BLOCKING_ABANDONED:
		wpad->dhcp_words = "the system's DHCP client did not answer in time";
		break;
	case BLOCKING_NO_THREAD:
		wpad->dhcp_words = "the system gave no thread to ask in";
		break;
	}
	dns_begin(wpad);
}

static void dhcp_begin(struct wpad *wpad)
{
	struct blocking_call call = {
		.work = job_run,
		.release = free,
		.patience_us = wpad->options.timeout_us / 2, /* the rest is for DNS */
		.done = on_dhcp,
		.user = wpad,
	};
	call.data = wpad->job = xcalloc(1, sizeof(*wpad->job));
	wpad->dhcp_words = wpad->dns_words = "not asked";
	wpad->blocking = blocking_start(wpad->options.loop, &call);
}

/* ------------------------------------------------------------------ the whole */

static void cut(struct wpad *wpad, enum failure failure)
{
	if (wpad->ended)
		return;
	wpad->cancelled = true;
	if (wpad->blocking) {
		wpad->dhcp_words = "no answer in time";
		blocking_abandon(wpad->blocking);
	}
	if (wpad->lookup) {
		wpad->dns_words = "no answer in time";
		lookup_cancel(wpad->lookup, failure);
	}
	wpad_end(wpad);
}

static void on_patience_over(uv_timer_t *timer)
{
	cut(timer->data, FAILURE_TIMEOUT);
}

struct wpad *wpad_start(const struct wpad_options *options)
{
	struct arena *arena = options->report->arena;
	struct wpad *wpad = arena_alloc(arena, sizeof(*wpad));
	wpad->arena = arena;
	wpad->options = *options;
	for (size_t i = 0; options->paths && i < options->paths->count; i++)
		path_list_add(arena, &wpad->paths, options->paths->items[i]);
	uv_timer_init(options->loop, &wpad->patience);
	wpad->patience.data = wpad;
	uv_update_time(options->loop);
	uv_timer_start(&wpad->patience, on_patience_over, (uint64_t)(options->timeout_us / 1000), 0);
	dhcp_begin(wpad);
	return wpad;
}

void wpad_cancel(struct wpad *wpad, enum failure failure)
{
	cut(wpad, failure);
}
