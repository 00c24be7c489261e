#ifndef MARSPROBE_ENGINE_ENGINE_H
#define MARSPROBE_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/plan/plan.h"

struct engine_progress {
	size_t paths_done, paths_total;
	size_t in_flight;
	int64_t elapsed_us;
};

/** What a PEM file held. */
struct pem {
	const char *file; /* for messages */
	const char *text;
	size_t length;
};

/** The script of --pac. */
struct pac_given {
	const char *name; /* the file, or the URL */
	const char *text; /* of a file, as UTF-8; NULL: it is to be fetched */
	size_t length;
};

/** A way to end a run from another thread, as Ctrl-C would end it. */
struct engine_switch;
/** Lives as long as the process. */
struct engine_switch *engine_switch_new(void);
/** From any thread, before the run, in it or after it. */
void engine_switch_press(struct engine_switch *stop);

struct machine;
struct system_run;

struct engine_options {
	int64_t timeout_us;  /* longest wait of one stage */
	int64_t deadline_us; /* longest whole run */
	unsigned parallel;   /* attempts in flight */
	bool experiments;
	const char *const *resolvers;  /* --resolver: "ip" or "ip:port", NULL at the end; NULL: the configured ones */
	const char *control_resolver;  /* or NULL */
	const struct pem *ca;	       /* --ca-file, or NULL */
	const struct pac_given *pac;   /* or NULL */
	const char *proxy_user;	       /* or NULL */
	const char *proxy_password;    /* or NULL; a secret */
	struct system_run *system_run; /* a process that carries out SYSTEM's part (system_run.h), or NULL */
	const char *
		system_run_state; /* NULL where no such process was wanted; else as in "system_run" of struct local_fact */
	const char *system_run_reason; /* or NULL */
	const struct machine *machine; /* its live registry (machine.h), or NULL */
	struct engine_switch *stop;    /* or NULL */
	void (*progress)(const struct engine_progress *progress, void *user); /* or NULL; about ten times a second */
	void *progress_user;
};

/**
 * Carry out a plan and write down what was seen: observations, attempts, host facts, run times and end_reason.
 *
 * Ends    once every leg is done, at the deadline, or at SIGINT/SIGTERM; whatever was measured by then is in the report.
 * Errors  false only where a library does not start or options->ca cannot be used; the network's failures are observations.
 * Threads leaves blocked helper threads behind: end the process with os_exit().
 */
bool engine_run(struct report *report, struct plan *plan, const struct engine_options *options, struct err *err);

/** Names and versions of the libraries in use, into report->tool. */
void engine_describe_libraries(struct report *report);

/** This machine's name and system, into report->host; engine_run() does that itself. */
void engine_describe_host(struct report *report);

/** Read a PEM file of at most 16 MiB; texts go into the arena. What it holds is not looked at yet. */
bool engine_pem_read(struct arena *arena, const char *file, struct pem *out, struct err *err);
/** The sha256 (hex) of each certificate in it; for --service-roots. */
bool engine_pem_fingerprints(struct arena *arena, const struct pem *pem, struct text_list *out, struct err *err);

#endif
