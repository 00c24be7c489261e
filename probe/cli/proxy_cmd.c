#include "probe/cli/proxy_cmd.h"

#include <stdio.h>
#include <string.h>

#include "probe/cli/inputs.h"
#include "probe/cli/output.h"
#include "probe/cli/proxy_answer.h"
#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/engine/engine.h"
#include "probe/os/os.h"
#include "probe/settings/settings.h"
#include "reports/report.h"
#include "targets/targets.h"

enum { EXIT_USAGE = 2, EXIT_TOOL = 4 };

/* ------------------------------------------------------------------ what is asked */

/* A URL, host or host:port; no set, file or range. */
static bool is_one(const char *argument)
{
	if (strstr(argument, "://"))
		return true;
	for (const char *const *set = targets_builtin_names(); *set; set++)
		if (strcmp(argument, *set) == 0)
			return false;
	size_t length = strlen(argument);
	return !strpbrk(argument, "/\\") && !(length > 4 && strcmp(argument + length - 4, ".ini") == 0);
}

/* A query may hold a secret, and is shown nowhere: so no script is asked about it either. */
static const char *without_query(struct arena *arena, const struct options *options, const char *url)
{
	size_t length = strcspn(url, "?");
	if (url[length] && strncmp(url, "http:", 5) == 0)
		warn(options, "%.*s: the query behind it is left off, as it may hold a secret", (int)length, url);
	return arena_strndup(arena, url, length);
}

static bool add_url(struct report *report, const struct options *options, const char *argument, struct err *err)
{
	struct target_options target_options = {.arena = report->arena, .region = options->region};
	struct target_set set = {0};
	if (!is_one(argument))
		return err_set(err, "proxy takes a URL, HOST or HOST:PORT, not \"%s\"", argument);
	if (!targets_load(&target_options, argument, &set, err))
		return false;
	const struct target *source = set.targets[0];
	struct target *target = report_add_target(report);
	target->kind = TARGET_URL;
	target->name = source->name;
	target->host = source->host;
	target->port = source->port;
	if (source->url) {
		target->url = without_query(report->arena, options, source->url);
	} else {
		char authority[512];
		host_port_format(source->host, source->port, authority, sizeof(authority));
		target->url = arena_printf(report->arena, "https://%s/", authority);
	}
	return true;
}

static bool add_urls(struct report *report, const struct options *options, struct err *err)
{
	if (!options->argument_count)
		return err_set(err, "proxy takes one URL or more: marsprobe proxy https://login.microsoftonline.com/");
	for (size_t i = 0; i < options->argument_count; i++)
		if (!add_url(report, options, options->arguments[i], err))
			return false;
	return true;
}

/* Whatever settings there are, unless --route names some of them. */
static bool choose_routes(const struct options *options, struct plan_options *out, struct err *err)
{
	static const enum route_kind preset[] = {ROUTE_WININET, ROUTE_WINHTTP, ROUTE_AGENT, ROUTE_ENV};
	*out = options->plan;
	out->part = PLAN_DECISIONS;
	for (size_t i = 0; i < out->route_count; i++)
		if (out->routes[i].kind == ROUTE_DIRECT || out->routes[i].kind == ROUTE_PROXY)
			return err_set(err, "proxy asks settings: --route takes wininet, winhttp, agent or env here");
	for (size_t i = 0; !out->routes_given && i < sizeof(preset) / sizeof(preset[0]); i++)
		out->routes[out->route_count++].kind = preset[i];
	return true;
}

/* It would be silently ignored: the one document goes to stdout. */
static bool check_reports(const struct options *options, struct err *err)
{
	const struct report_order *first = &options->reports[0];
	if (options->report_count == 1 && strcmp(first->format, "text") == 0 && strcmp(first->file, "-") == 0)
		return true;
	return err_set(err, "proxy has no reports: its answer goes to stdout, with --json as data");
}

/* ------------------------------------------------------------------ asking */

static void show_progress(const struct engine_progress *progress, void *user)
{
	(void)user;
	fprintf(stderr, "\r%5.1f s  looking for PAC scripts and asking them \033[K",
		(double)progress->elapsed_us / 1e6);
	fflush(stderr);
}

/* Scripts alone are asked: nothing is sent to the URLs themselves. */
static bool ask_scripts(struct report *report, struct plan *plan, const struct options *options,
			const struct inputs *inputs, struct err *err)
{
	struct engine_options engine;
	bool live = !options->quiet && os_is_terminal(2);
	if (!plan->question_count)
		return true;
	inputs_engine(report->arena, options, inputs, &engine);
	engine.progress = live ? show_progress : NULL;
	bool done = engine_run(report, plan, &engine, err);
	if (live)
		fputs("\r\033[K", stderr);
	return done;
}

/* What was asked for by --route, and is not known. */
static void complain_of_unknown(const struct report *report, const struct settings *settings)
{
	for (size_t i = 0; i < report->path_count; i++) {
		const struct path *path = report->paths[i];
		if (path->target == report->targets[0] && !settings_find(settings, path->identity, path->route.kind))
			complain("%s, %s: %s", identity_text(path->identity), route_kind_text(path->route.kind),
				 path->route.problem);
	}
}

static bool print_answer(const struct options *options, const struct proxy_answer *answer, bool live)
{
	struct report_style style = {.color = wants_color(options, true), .verbose = options->verbose};
	struct strbuf text;
	strbuf_init(&text);
	if (options->json)
		proxy_answer_json(answer, &text);
	else
		proxy_answer_text(answer, &style, live, &text);
	bool printed = print_all(&text);
	strbuf_free(&text);
	return printed;
}

int proxy_command(struct arena *arena, const struct options *options)
{
	struct err err;
	struct inputs inputs;
	struct settings settings = {0};
	struct plan plan = {0};
	struct plan_options plan_options;
	struct proxy_answer answer;
	struct report *report = report_new();
	if (!check_reports(options, &err) || !choose_routes(options, &plan_options, &err) ||
	    !add_urls(report, options, &err) || !inputs_load(arena, options, &inputs, &err)) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	inputs_ask(report->arena, options, &inputs);
	inputs_settings(&inputs, &settings);
	plan_make(report, &settings, &plan_options, false, false, &plan);
	complain_of_unknown(report, &settings);
	proxy_answer_make(report, &settings, plan_options.routes_given, &answer);
	if (!answer.row_count) {
		complain("nothing is known of the proxy settings that were asked for: give --registry FILE.reg or "
			 "--agent-proxy URL");
		return EXIT_USAGE;
	}
	if (!ask_scripts(report, &plan, options, &inputs, &err)) {
		complain("%s", err.text);
		return EXIT_TOOL;
	}
	proxy_answer_make(report, &settings, plan_options.routes_given, &answer);
	return print_answer(options, &answer, inputs.machine.registry != NULL) ? 0 : EXIT_TOOL;
}
