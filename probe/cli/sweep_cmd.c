#include "probe/cli/sweep_cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/cli/output.h"
#include "probe/cli/run_notes.h"
#include "probe/core/arena.h"
#include "probe/core/evidence_json.h"
#include "probe/core/sweep_map.h"
#include "probe/diagnosis/diagnosis.h"
#include "probe/engine/audit_run.h"
#include "probe/engine/engine.h"
#include "probe/engine/sweep.h"
#include "probe/os/os.h"
#include "probe/plan/audit.h"
#include "targets/target.h"

enum { EXIT_USAGE = 2, EXIT_STOPPED = 3, EXIT_TOOL = 4, REPORT_MAX_BYTES = 64 * 1024 * 1024 };
/* An audit wants the word of the same few routers for each packet, and they answer only so many a second. */
enum { PARALLEL = 16384, RANGES_MAX = 64, AUDIT_RATE = 50 };

/** The ranges, and all that is to be swept of them. */
struct ranges {
	struct sweep_part parts[RANGES_MAX];
	size_t count;
	uint64_t addresses;
};

static bool is_inside(const struct prefix *inner, const struct prefix *outer)
{
	return inner->length >= outer->length && prefix_contains(outer, &inner->base);
}

static struct target *target_add(struct report *report, const struct target *source)
{
	struct target *target = report_add_target(report);
	struct path *path = report_add_path(report);
	const char *id = target->id;
	*target = *source;
	target->id = id;
	target->required = true; /* that is what was asked for */
	path->target = target;
	path->identity = IDENTITY_USER;
	path->route = (struct route){.kind = ROUTE_DIRECT, .via = "DIRECT", .source = "sweep"};
	path->effective = true;
	return target;
}

static bool too_many(struct err *err, const char *range)
{
	return err_set(err,
		       "%s: a sweep takes at most %d addresses (a /14, or sixteen /18), all ranges together: more than "
		       "that is no check of a way any more. Name the part that matters, or ask some hundred addresses "
		       "of each range with --audit",
		       range, SWEEP_ADDRESSES_MAX);
}

static bool range_add(struct report *report, const struct options *options, const char *text, int port,
		      struct ranges *ranges, struct err *err)
{
	struct target target = {0};
	struct prefix range;
	const char *reason;
	if (!target_from_cidr(report->arena, text, port, &target, &reason) || !prefix_parse(text, &range))
		return err_set(err, "\"%s\": %s", text, reason);
	if (ranges->count == RANGES_MAX)
		return err_set(err, "a sweep takes at most %d ranges", RANGES_MAX);
	if (options->audit && (range.base.family == 4 ? 32 : 128) - range.length > AUDIT_HOST_BITS_MAX)
		return err_set(err, "%s: an audit takes ranges of at most 2^%d addresses", text, AUDIT_HOST_BITS_MAX);
	struct sweep_part *part = &ranges->parts[ranges->count];
	if (!options->audit && (!sweep_map_init(report->arena, &range, &part->map) ||
				ranges->addresses + part->map.count > SWEEP_ADDRESSES_MAX))
		return too_many(err, text);
	ranges->addresses += part->map.count;
	part->target = target_add(report, &target);
	ranges->count++;
	return true;
}

/* Another argument that holds all of this one's addresses; of two equal ones the first counts. NULL: none. */
static const char *wider_than(const struct options *options, size_t index)
{
	struct prefix range, other;
	if (!prefix_parse(options->arguments[index], &range))
		return NULL;
	for (size_t i = 0; i < options->argument_count; i++) {
		bool first = i < index;
		if (i == index || !prefix_parse(options->arguments[i], &other) || !is_inside(&range, &other))
			continue;
		if (other.length < range.length || first)
			return options->arguments[i];
	}
	return NULL;
}

static bool ranges_of_arguments(struct report *report, const struct options *options, struct ranges *out,
				struct err *err)
{
	if (!options->argument_count)
		return err_set(err, "sweep takes ranges such as 20.190.128.0/18, or --resume REPORT.json");
	for (size_t i = 0; i < options->argument_count; i++) {
		const char *text = options->arguments[i], *wider = wider_than(options, i);
		if (wider)
			warn(options, "%s lies inside %s and is asked once", text, wider);
		else if (!range_add(report, options, text, TARGET_CIDR_PORT, out, err))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ going on */

static bool report_read(const char *file, struct report **out, struct err *err)
{
	char reason[256];
	size_t length;
	char *text = os_read_file(file, REPORT_MAX_BYTES, &length, reason, sizeof(reason));
	if (!text)
		return err_set(err, "--resume: %s: %s", file, reason);
	bool read = report_from_json(text, length, file, out, err);
	free(text);
	return read;
}

static bool ranges_of_report(struct report *report, const struct options *options, struct ranges *out, struct err *err)
{
	struct report *known;
	if (options->audit)
		return err_set(err, "an audit is short: it is not resumed, but made again");
	if (options->argument_count)
		return err_set(err, "--resume takes the ranges from %s: name none beside it", options->resume);
	if (!report_read(options->resume, &known, err))
		return false;
	if (!known->sweep_count)
		return err_set(err, "--resume: %s is no report of a sweep", options->resume);
	for (size_t i = 0; i < known->sweep_count; i++) {
		const struct sweep *sweep = &known->sweeps[i];
		int port = sweep->target->port;
		if (!sweep->target->cidr || port < 1)
			return err_set(err, "--resume: %s: a sweep without a range and a port", options->resume);
		if (!range_add(report, options, sweep->target->cidr, port, out, err))
			return false;
		sweep_map_take(report->arena, &out->parts[out->count - 1].map, sweep);
	}
	report_free(known);
	return true;
}

/* ------------------------------------------------------------------ the run */

static void show_progress(const struct sweep_progress *progress, void *user)
{
	(void)user;
	fprintf(stderr, "\r%5.1f s  %u of %u known, %u open, %u silent", (double)progress->elapsed_us / 1e6,
		progress->known, progress->total, progress->open, progress->silent);
	if (progress->round > 1)
		fprintf(stderr, ", asked again (round %d)", progress->round);
	if (progress->paused)
		fputs(", paused: are failures our own doing?", stderr);
	else if (progress->left_us >= 0)
		fprintf(stderr, ", about %.0f s left", (double)progress->left_us / 1e6);
	fputs(" \033[K", stderr);
	fflush(stderr);
}

static void show_audit(const struct audit_progress *progress, void *user)
{
	(void)user;
	fprintf(stderr, "\r%5.1f s  %s: %d packets \033[K", (double)progress->elapsed_us / 1e6, progress->range,
		progress->probes);
	fflush(stderr);
}

static bool audit(struct report *report, const struct options *options, struct err *err)
{
	bool live = !options->quiet && os_is_terminal(2);
	struct audit_options audit = {.rate = options->rate_given ? options->rate : AUDIT_RATE,
				      .timeout_us = options->timeout_us,
				      .deadline_us = options->deadline_given ? options->deadline_us : 0,
				      .progress = live ? show_audit : NULL};
	bool done = audit_run(report, report->targets, report->target_count, &audit, err);
	if (live)
		fputs("\r\033[K", stderr);
	return done;
}

static bool sweep(struct report *report, const struct options *options, struct ranges *ranges, struct err *err)
{
	bool live = !options->quiet && os_is_terminal(2);
	struct sweep_options how = {.rate = options->rate,
				    .parallel = options->parallel_given ? options->parallel : PARALLEL,
				    .timeout_us = options->timeout_us,
				    .deadline_us = options->deadline_given ? options->deadline_us : 0,
				    .progress = live ? show_progress : NULL};
	bool done = sweep_run(report, ranges->parts, ranges->count, &how, err);
	if (live)
		fputs("\r\033[K", stderr);
	return done;
}

static void note_identity(struct report *report)
{
	report->identities[0] = (struct identity){.id = IDENTITY_USER, .mode = MODE_RUN};
	report->identity_count = 1;
}

static bool was_stopped(const struct report *report)
{
	for (size_t i = 0; i < report->sweep_count; i++)
		if (report->sweeps[i].stopped)
			return true;
	return false;
}

int sweep_command(struct arena *arena, const struct options *options, int argc, char **argv)
{
	struct err err;
	struct ranges *ranges = arena_alloc(arena, sizeof(*ranges));
	struct report *report = report_new();
	if (options->json) { /* it would be silently ignored */
		complain("sweep writes reports: --report json=-, or json=FILE");
		return EXIT_USAGE;
	}
	bool known = options->resume ? ranges_of_report(report, options, ranges, &err)
				     : ranges_of_arguments(report, options, ranges, &err);
	if (!known) {
		complain("%s", err.text);
		return EXIT_USAGE;
	}
	engine_describe_host(report);
	note_identity(report);
	note_arguments(report, argc, argv);
	note_run(report, options);
	if (!(options->audit ? audit(report, options, &err) : sweep(report, options, ranges, &err))) {
		complain("%s", err.text);
		return EXIT_TOOL;
	}
	diagnose(report);
	if (!reports_write(options, report))
		return EXIT_TOOL;
	return was_stopped(report) ? EXIT_STOPPED : 0;
}
