#ifndef MARSPROBE_CLI_OPTIONS_H
#define MARSPROBE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"
#include "probe/plan/plan.h"

struct strbuf;

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum { REPORTS_MAX = 16, REGISTRY_FILES_MAX = 32, ROUTE_FILES_MAX = 16 };

struct report_order {
	const char *format, *file;
};

/** The command line as read. Texts are argv's or the arena's. */
struct options {
	struct plan_options plan;
	const char *registry[REGISTRY_FILES_MAX];
	size_t registry_count;
	const char *agent_proxy, *pac;
	const char *proxy_user, *proxy_password_file, *proxy_password_env;
	const char *proxy_password; /* read from either; a secret */
	struct text_list resolvers;
	const char *control_resolver, *ca_file, *service_roots, *region, *vault_credentials, *private_endpoint;
	const char *service_tags;
	struct text_list route_tables, bgp_tables;
	struct text_list circuit_hops;
	const char *communities, *circuit_interface;
	bool no_experiments, json, quiet, verbose, help;
	int64_t timeout_us, deadline_us;
	bool deadline_given, parallel_given, rate_given;
	unsigned parallel;
	double rate;	    /* sweep: new connections a second; 0: no limit */
	const char *resume; /* sweep */
	bool audit;	    /* sweep */
	struct report_order reports[REPORTS_MAX];
	size_t report_count;
	enum color color;
	const char *arguments[64]; /* what is no option, in order */
	size_t argument_count;
};

/**
 * Read given[1..]: options and arguments may be mixed; "--" ends the options.
 *
 * Reads   the password file or variable that the options name.
 * Errors  false with one line that names the option and what it takes.
 */
bool options_parse(struct arena *arena, int argc, char **given, struct options *out, struct err *err);

/** The usage text, from the table. */
void options_help(struct strbuf *out);

#endif
