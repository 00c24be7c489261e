#include "probe/cli/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/core/url.h"
#include "probe/os/os.h"
#include "reports/report.h"

enum {
	PASSWORD_MAX_BYTES = 4096,
	TIMEOUT_MAX_S = 600,
	DEADLINE_MAX_S = 86400,
	PARALLEL_MAX = 65536,
	RATE_MAX = 1000000
};

struct reader {
	struct arena *arena;
	struct options *out;
	struct err *err;
};

struct row {
	const char *name;
	char letter;
	const char *argument, *preset, *help;
	bool (*take)(struct reader *reader, const struct row *row, const char *value);
	size_t field; /* offset in struct options: a const char * for take_text, a bool for take_flag */
};

/* Cut a comma list into pieces and hand each to take(). */
static bool each_piece(struct reader *reader, const char *list, bool (*take)(struct reader *, const char *piece))
{
	char *rest = arena_strdup(reader->arena, list);
	while (rest) {
		char *piece = rest;
		rest = strchr(rest, ',');
		if (rest)
			*rest++ = '\0';
		if (!take(reader, piece))
			return false;
	}
	return true;
}

static bool read_number(struct reader *reader, const char *name, const char *text, double least, double most,
			double *out)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !(value >= least && value <= most))
		return err_set(reader->err, "--%s takes a number from %g to %g, not \"%s\"", name, least, most, text);
	*out = value;
	return true;
}

/* A proxy's URL: no password (it would stand in every process list), no path that means anything. */
static bool read_proxy_url(struct reader *reader, const char *option, const char *text, struct via *via)
{
	static const struct {
		const char *scheme;
		enum via_scheme via;
		int port;
	} schemes[] = {
		{"http", VIA_HTTP, 80},	      {"https", VIA_HTTPS, 443},      {"socks4", VIA_SOCKS4, 1080},
		{"socks5", VIA_SOCKS5, 1080}, {"socks5h", VIA_SOCKS5H, 1080},
	};
	struct url url;
	if (!url_parse(reader->arena, text, &url))
		return err_set(reader->err, "%s takes a proxy's URL such as http://proxy.corp:3128, not \"%s\"", option,
			       url_for_report(reader->arena, text));
	if (url.password)
		return err_set(reader->err,
			       "%s: a password does not belong in a URL, where every user of this machine can see it; "
			       "use --proxy-user with --proxy-password-file or --proxy-password-env",
			       option);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strcmp(schemes[i].scheme, url.scheme) != 0)
			continue;
		via->scheme = schemes[i].via;
		via->host = url.host;
		via->port = url.port > 0 ? url.port : schemes[i].port;
		return true;
	}
	return err_set(reader->err, "%s: a proxy is http, https, socks4, socks5 or socks5h, not \"%s\"", option,
		       url.scheme);
}

static bool take_route(struct reader *reader, const char *piece)
{
	struct plan_options *plan = &reader->out->plan;
	struct via via;
	enum route_kind kind;
	if (plan->route_count == sizeof(plan->routes) / sizeof(plan->routes[0]))
		return err_set(reader->err, "--route: too many routes");
	if (strncmp(piece, "proxy=", 6) == 0) {
		if (!read_proxy_url(reader, "--route proxy=", piece + 6, &via))
			return false;
		plan->routes[plan->route_count].via = via_format(reader->arena, &via);
		kind = ROUTE_PROXY;
	} else if (!route_kind_parse(piece, &kind) || kind == ROUTE_PROXY) {
		return err_set(reader->err,
			       "--route takes direct, wininet, winhttp, agent, env or proxy=URL, not \"%s\"", piece);
	}
	plan->routes[plan->route_count++].kind = kind;
	plan->routes_given = true;
	return true;
}

static bool take_identity(struct reader *reader, const char *piece)
{
	enum identity_id id;
	if (!identity_parse(piece, &id))
		return err_set(reader->err, "--identity takes user, system or both, not \"%s\"", piece);
	if (id == IDENTITY_USER)
		reader->out->plan.user = true;
	else
		reader->out->plan.system = true;
	return true;
}

static bool check_resolver(struct reader *reader, const char *option, const char *text)
{
	char host[256];
	int port;
	struct address address;
	if (host_port_split(text, host, sizeof(host), &port) && address_parse(host, &address))
		return true;
	return err_set(reader->err, "%s takes IP or IP:PORT, with IPv6 in brackets, not \"%s\"", option, text);
}

static bool take_resolver(struct reader *reader, const char *piece)
{
	if (!check_resolver(reader, "--resolver", piece))
		return false;
	text_list_add(reader->arena, &reader->out->resolvers, piece);
	return true;
}

static bool take_report(struct reader *reader, const struct row *row, const char *text)
{
	(void)row;
	struct options *out = reader->out;
	const char *equals = strchr(text, '=');
	if (!equals || !equals[1])
		return err_set(reader->err, "--report takes FORMAT=FILE, such as json=report.json, not \"%s\"", text);
	if (out->report_count == REPORTS_MAX)
		return err_set(reader->err, "--report: at most %d reports", REPORTS_MAX);
	const char *format = arena_strndup(reader->arena, text, (size_t)(equals - text));
	if (!report_format_find(format))
		return err_set(reader->err, "--report: \"%s\" is no format of this version", format);
	for (size_t i = 0; i < out->report_count; i++)
		if (strcmp(out->reports[i].file, equals + 1) == 0)
			return err_set(reader->err, "--report: two reports cannot both go to %s",
				       strcmp(equals + 1, "-") == 0 ? "stdout" : equals + 1);
	out->reports[out->report_count++] = (struct report_order){format, equals + 1};
	return true;
}

static bool take_text(struct reader *reader, const struct row *row, const char *value)
{
	const char **field = (const char **)(void *)((char *)reader->out + row->field);
	if (*field)
		return err_set(reader->err, "--%s is given twice, and only one can count", row->name);
	*field = value;
	return true;
}

static bool take_flag(struct reader *reader, const struct row *row, const char *value)
{
	(void)value;
	*(bool *)((char *)reader->out + row->field) = true;
	return true;
}

static bool take_not_yet(struct reader *reader, const struct row *row, const char *value)
{
	(void)value;
	return err_set(reader->err, "--%s is not part of this version", row->name);
}

static bool take_routes(struct reader *reader, const struct row *row, const char *value)
{
	(void)row;
	return each_piece(reader, value, take_route);
}

static bool take_identities(struct reader *reader, const struct row *row, const char *value)
{
	(void)row;
	return each_piece(reader, value, take_identity);
}

static bool take_resolvers(struct reader *reader, const struct row *row, const char *value)
{
	(void)row;
	return each_piece(reader, value, take_resolver);
}

static bool take_control_resolver(struct reader *reader, const struct row *row, const char *value)
{
	(void)row;
	reader->out->control_resolver = value;
	return check_resolver(reader, "--control-resolver", value);
}

static bool take_registry(struct reader *reader, const struct row *row, const char *file)
{
	(void)row;
	if (reader->out->registry_count == REGISTRY_FILES_MAX)
		return err_set(reader->err, "--registry: at most %d files", REGISTRY_FILES_MAX);
	reader->out->registry[reader->out->registry_count++] = file;
	return true;
}

static bool take_agent_proxy(struct reader *reader, const struct row *row, const char *value)
{
	struct via via;
	(void)row;
	reader->out->agent_proxy = value;
	return read_proxy_url(reader, "--agent-proxy", value, &via);
}

static bool add_to_list(struct reader *reader, const struct row *row, struct text_list *list, const char *file)
{
	if (list->count == ROUTE_FILES_MAX)
		return err_set(reader->err, "--%s: at most %d of them", row->name, ROUTE_FILES_MAX);
	text_list_add(reader->arena, list, file);
	return true;
}

static bool take_route_table(struct reader *reader, const struct row *row, const char *file)
{
	return add_to_list(reader, row, &reader->out->route_tables, file);
}

static bool take_bgp(struct reader *reader, const struct row *row, const char *file)
{
	return add_to_list(reader, row, &reader->out->bgp_tables, file);
}

static bool take_circuit_hop(struct reader *reader, const struct row *row, const char *value)
{
	struct address address;
	if (!address_parse(value, &address))
		return err_set(reader->err, "--%s takes the address of a router, not \"%s\"", row->name, value);
	return add_to_list(reader, row, &reader->out->circuit_hops, value);
}

/* ------------------------------------------------------------------ one of a few words */

static bool read_word(struct reader *reader, const struct row *row, const char *text, const char *const *words,
		      size_t *index)
{
	for (*index = 0; words[*index]; (*index)++)
		if (strcmp(words[*index], text) == 0)
			return true;
	return err_set(reader->err, "--%s does not take \"%s\"; `marsprobe --help` lists what it takes", row->name,
		       text);
}

static bool take_color(struct reader *reader, const struct row *row, const char *text)
{
	static const char *const words[] = {"auto", "always", "never", NULL};
	size_t index;
	if (!read_word(reader, row, text, words, &index))
		return false;
	reader->out->color = (enum color)index;
	return true;
}

static bool take_private_endpoint(struct reader *reader, const struct row *row, const char *value)
{
	static const char *const words[] = {"expected", "none", NULL};
	size_t index;
	reader->out->private_endpoint = value;
	return read_word(reader, row, value, words, &index);
}

static bool take_language(struct reader *reader, const struct row *row, const char *value)
{
	static const char *const words[] = {"en", "zh-TW", NULL};
	size_t index;
	if (!read_word(reader, row, value, words, &index))
		return false;
	return index == 0 || err_set(reader->err, "--lang zh-TW is not part of this version; use en");
}

/* ------------------------------------------------------------------ limits */

static bool take_seconds(struct reader *reader, const struct row *row, const char *text, double most, int64_t *out_us)
{
	double value = 0;
	if (!read_number(reader, row->name, text, 0.1, most, &value))
		return false;
	*out_us = (int64_t)(value * 1e6);
	return true;
}

static bool take_timeout(struct reader *reader, const struct row *row, const char *text)
{
	return take_seconds(reader, row, text, TIMEOUT_MAX_S, &reader->out->timeout_us);
}

static bool take_deadline(struct reader *reader, const struct row *row, const char *text)
{
	reader->out->deadline_given = true;
	return take_seconds(reader, row, text, DEADLINE_MAX_S, &reader->out->deadline_us);
}

static bool take_parallel(struct reader *reader, const struct row *row, const char *text)
{
	double value = 0;
	if (!read_number(reader, row->name, text, 1, PARALLEL_MAX, &value))
		return false;
	reader->out->parallel = (unsigned)value;
	reader->out->parallel_given = true;
	return true;
}

static bool take_rate(struct reader *reader, const struct row *row, const char *text)
{
	reader->out->rate_given = true;
	return read_number(reader, row->name, text, 0, RATE_MAX, &reader->out->rate);
}

#define NO_FIELD 0
#define FIELD(name) offsetof(struct options, name)
static const struct row rows[] = {
#define OPTION(name, letter, argument, preset, help, take, field) {name, letter, argument, preset, help, take, field},
#include "probe/cli/options.def"
#undef OPTION
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), LONG_OPTION = 256 };

/* ------------------------------------------------------------------ the whole line */

static bool read_password_file(struct reader *reader)
{
	char reason[128];
	size_t length;
	char *text =
		os_read_file(reader->out->proxy_password_file, PASSWORD_MAX_BYTES, &length, reason, sizeof(reason));
	if (!text)
		return err_set(reader->err, "--proxy-password-file: %s: %s", reader->out->proxy_password_file, reason);
	reader->out->proxy_password = arena_strndup(reader->arena, text, strcspn(text, "\r\n"));
	memset(text, 0, length);
	free(text);
	return true;
}

static bool read_password(struct reader *reader)
{
	struct options *out = reader->out;
	if (reader->out->proxy_password_file && reader->out->proxy_password_env)
		return err_set(reader->err, "--proxy-password-file and --proxy-password-env exclude each other");
	if (reader->out->proxy_password_file && !read_password_file(reader))
		return false;
	if (reader->out->proxy_password_env) {
		const char *value = os_environment_get(reader->out->proxy_password_env);
		if (!value)
			return err_set(reader->err, "--proxy-password-env: there is no environment variable %s",
				       reader->out->proxy_password_env);
		out->proxy_password = arena_strdup(reader->arena, value);
	}
	if (out->proxy_password && !out->proxy_user)
		return err_set(reader->err, "a proxy password without --proxy-user");
	if (out->proxy_user && !out->proxy_password)
		return err_set(reader->err, "--proxy-user needs --proxy-password-file or --proxy-password-env");
	return true;
}

static void set_defaults(struct options *out)
{
	memset(out, 0, sizeof(*out));
	out->timeout_us = 5 * 1000000;
	out->deadline_us = 60 * 1000000;
	out->parallel = 1024;
	out->rate = 200;
}

static void finish(struct options *out)
{
	if (!out->plan.user && !out->plan.system)
		out->plan.user = out->plan.system = true;
	if (!out->report_count)
		out->reports[out->report_count++] = (struct report_order){"text", "-"};
}

/* The row of what getopt_long() returned; NULL for its '?' and ':'. */
static const struct row *find_row(int got)
{
	if (got >= LONG_OPTION)
		return &rows[got - LONG_OPTION];
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].letter && rows[i].letter == got)
			return &rows[i];
	return NULL;
}

static bool bad_option(struct err *err, int got, char **argv)
{
	const char *word = argv[optind - 1];
	if (got == ':')
		return err_set(err, "%s needs a value; `marsprobe --help` lists the options", word);
	return err_set(err, "unknown option %s; `marsprobe --help` lists the options", word);
}

bool options_parse(struct arena *arena, int argc, char **given, struct options *out, struct err *err)
{
	/* getopt_long() sorts the words; the report shows them as they were typed. */
	char **argv = arena_alloc(arena, ((size_t)argc + 1) * sizeof(*argv));
	memcpy(argv, given, (size_t)argc * sizeof(*argv));
	struct reader reader = {.arena = arena, .out = out, .err = err};
	struct option table[ROW_COUNT + 1] = {0};
	set_defaults(out);
	for (size_t i = 0; i < ROW_COUNT; i++)
		table[i] = (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument, NULL,
					   LONG_OPTION + (int)i};
	opterr = 0;
	for (int got; (got = getopt_long(argc, argv, ":qvh", table, NULL)) != -1;) {
		const struct row *row = find_row(got);
		if (!row)
			return bad_option(err, got, argv);
		if (!row->take(&reader, row, optarg))
			return false;
	}
	for (; optind < argc; optind++) {
		if (out->argument_count == sizeof(out->arguments) / sizeof(out->arguments[0]))
			return err_set(err, "too many arguments");
		out->arguments[out->argument_count++] = argv[optind];
	}
	finish(out);
	return read_password(&reader);
}

void options_help(struct strbuf *out)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		char left[64];
		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		strbuf_printf(out, "  %-30s %s", left, rows[i].help);
		if (rows[i].preset)
			strbuf_printf(out, " [%s]", rows[i].preset);
		strbuf_add_char(out, '\n');
	}
}
