#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/cli/check_cmd.h"
#include "probe/cli/explain.h"
#include "probe/cli/expressroute_cmd.h"
#include "probe/cli/options.h"
#include "probe/cli/output.h"
#include "probe/cli/preflight_cmd.h"
#include "probe/cli/proxy_cmd.h"
#include "probe/cli/sweep_cmd.h"
#include "probe/cli/system_part.h"
#include "probe/cli/targets_cmd.h"
#include "probe/cli/targets_json.h"
#include "probe/cli/trace_cmd.h"
#include "probe/core/arena.h"
#include "probe/core/evidence_json.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/engine/engine.h"
#include "probe/os/os.h"
#include "probe/os/os_system_run.h"
#include "probe/settings/pac_child.h"
#include "reports/report.h"
#include "targets/targets.h"

enum { EXIT_USAGE = 2, EXIT_TOOL = 4, REPORT_MAX_BYTES = 64 * 1024 * 1024, READER_PATIENCE_MS = 60 * 60 * 1000 };

static const char usage[] =
	"usage: marsprobe [check] [OPTION...] [TARGET...]   can this server reach what the backup agent needs?\n"
	"       marsprobe proxy URL... [--json]             which proxy would be used for URL, on whose behalf, and "
	"why\n"
	"       marsprobe trace HOST[:PORT] [--json]        where on its way a TCP connection ends\n"
	"       marsprobe preflight [--json]                local checks before registration, of this server or by "
	"--registry\n"
	"       marsprobe expressroute [OPTION...]          are the required prefixes routed over the circuit, and "
	"does it "
	"carry them\n"
	"       marsprobe sweep CIDR... [--audit]           every address of a range, or which of them may be reached\n"
	"       marsprobe targets [SET...] [--json]         what a target set contains\n"
	"       marsprobe diagnose REPORT.json              judge a recorded report again, without network or clock\n"
	"       marsprobe render FORMAT REPORT.json         a recorded report in another format\n"
	"       marsprobe explain ID                        a cause, or an error id of the backup agent (100050, "
	"34513, 407 ...)\n"
	"       marsprobe version\n"
	"TARGET is a set (mars-public, mars-usgov, mars-china), a file (./my.ini), host, host:port, an http(s) URL or "
	"a CIDR.\n"
	"Exit status: 0 ready, 1 not ready, 2 usage error or unreadable input, 3 inconclusive, 4 failure of the tool "
	"itself.\n";

static int help_command(void)
{
	struct strbuf text;
	strbuf_init(&text);
	strbuf_add(&text, usage);
	options_help(&text);
	bool printed = print_all(&text);
	strbuf_free(&text);
	return printed ? 0 : EXIT_TOOL;
}

static int version_command(void)
{
	struct report *report = report_new();
	engine_describe_libraries(report);
	printf("marsprobe %s", MARSPROBE_VERSION);
	for (size_t i = 0; i < report->tool.library_count; i++)
		printf("%s%s %s", i ? ", " : " (", report->tool.libraries[i].name, report->tool.libraries[i].version);
	printf("%s\n", report->tool.library_count ? ")" : "");
	report_free(report);
	return fflush(stdout) == 0 ? 0 : EXIT_TOOL;
}

static int explain_command(const struct options *options)
{
	struct strbuf text;
	if (options->argument_count != 1) {
		complain("explain takes one id: a cause such as dns_refused, or an agent's error id such as 100050");
		return EXIT_USAGE;
	}
	strbuf_init(&text);
	bool known = explain(options->arguments[0], &text);
	if (known)
		print_all(&text);
	else
		complain("explain: nobody knows \"%s\". What can be asked:\n%s", options->arguments[0], text.data);
	strbuf_free(&text);
	return known ? 0 : EXIT_USAGE;
}

static int targets_command(struct arena *arena, const struct options *options)
{
	static const char *const preset[] = {"mars-public"};
	const char *const *names = options->argument_count ? options->arguments : preset;
	size_t count = options->argument_count ? options->argument_count : 1;
	struct target_options target_options = {.arena = arena, .region = options->region};
	struct target_set *sets = arena_alloc(arena, count * sizeof(*sets));
	struct strbuf text;
	struct err err;
	for (size_t i = 0; i < count; i++)
		if (!targets_load(&target_options, names[i], &sets[i], &err)) {
			complain("%s", err.text);
			return EXIT_USAGE;
		}
	strbuf_init(&text);
	if (options->json)
		targets_print_json(&target_options, sets, count, &text);
	for (size_t i = 0; i < count && !options->json; i++)
		targets_print(&sets[i], &text);
	bool printed = print_all(&text);
	strbuf_free(&text);
	return printed ? 0 : EXIT_TOOL;
}

static bool load_report(const char *file, struct report **out)
{
	char reason[256];
	struct err err;
	size_t length;
	char *text = os_read_file(file, REPORT_MAX_BYTES, &length, reason, sizeof(reason));
	if (!text) {
		complain("%s: %s", file, reason);
		return false;
	}
	bool read = report_from_json(text, length, file, out, &err);
	free(text);
	if (!read)
		complain("%s", err.text);
	return read;
}

static int diagnose_command(const struct options *options)
{
	struct report *report;
	if (options->argument_count != 1) {
		complain("diagnose takes one recorded report: marsprobe diagnose REPORT.json");
		return EXIT_USAGE;
	}
	if (!load_report(options->arguments[0], &report))
		return EXIT_USAGE;
	diagnose(report);
	bool written = reports_write(options, report);
	report_free(report);
	return written ? 0 : EXIT_TOOL;
}

static void complain_of_render(void)
{
	size_t count;
	const struct report_format *formats = report_format_all(&count);
	struct strbuf names;
	strbuf_init(&names);
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&names, "%s%s", i ? ", " : "", formats[i].name);
	complain("render takes a format (%s) and one recorded report: marsprobe render text REPORT.json", names.data);
	strbuf_free(&names);
}

static int render_command(struct options *options)
{
	struct report *report;
	if (options->argument_count != 2 || !report_format_find(options->arguments[0])) {
		complain_of_render();
		return EXIT_USAGE;
	}
	if (!load_report(options->arguments[1], &report))
		return EXIT_USAGE;
	options->reports[0] = (struct report_order){options->arguments[0], "-"};
	options->report_count = 1;
	bool written = reports_write(options, report);
	report_free(report);
	return written ? 0 : EXIT_TOOL;
}

/* The first argument if it is a command's name; then it is taken off the list. */
static const char *take_command(struct options *options)
{
	static const char *const commands[] = {"check",	  "targets", "diagnose",  "render", "explain",
					       "version", "proxy",   "trace",	  "sweep",  "expressroute",
					       "merge",	  "watch",   "preflight", "help"};
	if (!options->argument_count)
		return "check";
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(options->arguments[0], commands[i]) != 0)
			continue;
		options->argument_count--;
		memmove(options->arguments, options->arguments + 1,
			options->argument_count * sizeof(options->arguments[0]));
		return commands[i];
	}
	return "check";
}

static int dispatch(struct arena *arena, struct options *options, int argc, char **argv)
{
	const char *command = take_command(options);
	if (options->help || strcmp(command, "help") == 0)
		return help_command();
	if (strcmp(command, "check") == 0)
		return check_command(arena, options, argc, argv);
	if (strcmp(command, "proxy") == 0)
		return proxy_command(arena, options);
	if (strcmp(command, "trace") == 0)
		return trace_command(arena, options);
	if (strcmp(command, "preflight") == 0)
		return preflight_command(arena, options, argc, argv);
	if (strcmp(command, "expressroute") == 0)
		return expressroute_command(arena, options, argc, argv);
	if (strcmp(command, "sweep") == 0)
		return sweep_command(arena, options, argc, argv);
	if (strcmp(command, "targets") == 0)
		return targets_command(arena, options);
	if (strcmp(command, "diagnose") == 0)
		return diagnose_command(options);
	if (strcmp(command, "render") == 0)
		return render_command(options);
	if (strcmp(command, "explain") == 0)
		return explain_command(options);
	if (strcmp(command, "version") == 0)
		return version_command();
	complain("`%s` is not part of this version", command);
	return EXIT_USAGE;
}

/* A window that a double click opened closes with the program, and takes the report with it. */
static void wait_for_reader(void)
{
	if (!os_window_is_own())
		return;
	fflush(stdout);
	fputs("\nPress any key to close this window.\n", stderr);
	fflush(stderr);
	os_wait_for_key(READER_PATIENCE_MS);
}

int main(int argc, char **argv)
{
	struct options options;
	struct err err;
	if (argc == 2 && strcmp(argv[1], PAC_CHILD_ARGUMENT) == 0)
		os_exit(pac_child_main()); /* in a sandbox, where nothing else can be started */
	os_start();
	struct arena *arena = arena_new();
	argv = os_arguments(argc, argv, &argc);
	if (os_system_child_is_wanted(argc, argv))
		os_exit(os_system_child_run(argc, argv, system_part_serve, NULL));
	int status = EXIT_USAGE;
	if (options_parse(arena, argc, argv, &options, &err))
		status = dispatch(arena, &options, argc, argv);
	else
		complain("%s", err.text);
	wait_for_reader();
	os_exit(status); /* without waiting for threads that hang in a library */
}
