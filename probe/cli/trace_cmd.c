#include "probe/cli/trace_cmd.h"

#include <string.h>

#include "probe/cli/output.h"
#include "probe/cli/trace_answer.h"
#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/engine/trace.h"
#include "reports/report.h"

enum { EXIT_USAGE = 2, EXIT_TOOL = 4, HTTPS_PORT = 443, HTTP_PORT = 80 };

/* HOST, HOST:PORT, an address with or without brackets, or a URL: as a URL the rest is checked in one place. */
static bool read_destination(struct arena *arena, const struct options *options, struct url *out, struct err *err)
{
	const char *given = options->argument_count == 1 ? options->arguments[0] : NULL;
	struct address address;
	if (!given)
		return err_set(err,
			       "trace takes one HOST, HOST:PORT or URL: marsprobe trace login.microsoftonline.com");
	const char *text = given;
	if (address_parse(given, &address) && address.family == 6 && *given != '[')
		text = arena_printf(arena, "https://[%s]/", given);
	else if (!strstr(given, "://"))
		text = arena_printf(arena, "https://%s/", given);
	bool plain = text == given || !strpbrk(given, "/?#@\\");
	if (plain && url_parse(arena, text, out) && out->port > 0)
		return true;
	return err_set(err, "trace takes a HOST, HOST:PORT or URL, not \"%s\"",
		       strstr(given, "://") ? url_for_report(arena, given) : given);
}

/* It would be silently ignored: the one document goes to stdout. */
static bool check_reports(const struct options *options, struct err *err)
{
	const struct report_order *first = &options->reports[0];
	if (options->report_count == 1 && strcmp(first->format, "text") == 0 && strcmp(first->file, "-") == 0)
		return true;
	return err_set(err, "trace has no reports: its answer goes to stdout, with --json as data");
}

static const char *const *resolvers_of(struct arena *arena, const struct options *options)
{
	const char **list = arena_alloc(arena, (options->resolvers.count + 1) * sizeof(*list));
	for (size_t i = 0; i < options->resolvers.count; i++)
		list[i] = options->resolvers.items[i];
	return options->resolvers.count ? list : NULL;
}

static bool print_answer(const struct options *options, const struct trace_answer *answer)
{
	struct report_style style = {.color = wants_color(options, true), .verbose = options->verbose};
	struct strbuf text;
	strbuf_init(&text);
	if (options->json)
		trace_answer_json(answer, &text);
	else
		trace_answer_text(answer, &style, &text);
	bool printed = print_all(&text);
	strbuf_free(&text);
	return printed;
}

int trace_command(struct arena *arena, const struct options *options)
{
	struct err err;
	struct url destination;
	struct trace_result result;
	struct report *report = report_new();
	if (!check_reports(options, &err) || !read_destination(arena, options, &destination, &err)) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	struct trace_options trace = {.host = destination.host,
				      .port = destination.port,
				      .control_port = destination.port == HTTPS_PORT ? HTTP_PORT : HTTPS_PORT,
				      .timeout_us = options->timeout_us,
				      .resolvers = resolvers_of(arena, options)};
	if (!trace_run(report, &trace, &result, &err)) {
		complain("%s", err.text);
		return EXIT_TOOL;
	}
	struct trace_answer answer = {.report = report,
				      .host = trace.host,
				      .port = trace.port,
				      .control_port = trace.control_port,
				      .started_at_ms = report->run.started_at_ms,
				      .lookup_failure = result.lookup_failure};
	trace_answer_make(&answer, result.addresses, result.count);
	return print_answer(options, &answer) ? 0 : EXIT_TOOL;
}
