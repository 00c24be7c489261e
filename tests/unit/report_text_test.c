#include "reports/report.h"

#include "probe/core/arena.h"
#include "probe/core/evidence.h"
#include "probe/core/strbuf.h"
#include "reports/screen.h"
#include "tests/unit/check.h"

static struct report *report;
static struct strbuf out;

static void write_text(bool color, bool verbose)
{
	struct report_style style = {color, verbose};
	strbuf_truncate(&out, 0);
	report_format_find("text")->write(report, &style, &out);
}

static size_t count_lines(const char *wanted)
{
	size_t found = 0, length = strlen(wanted);
	for (const char *line = out.data; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		found += strncmp(line, wanted, length) == 0 && (line[length] == '\n' || line[length] == '\0');
	return found;
}

/* The text has that whole line (or those lines), once. */
static void check_lines(const char *wanted)
{
	if (count_lines(wanted) != 1)
		printf("%zu times, not once: %s\n--- in:\n%s---\n", count_lines(wanted), wanted, out.data);
	CHECK_INT(count_lines(wanted), 1);
}

static void check_lacks(const char *unwanted)
{
	if (strstr(out.data, unwanted))
		printf("not wanted: %s\n", unwanted);
	CHECK(strstr(out.data, unwanted) == NULL);
}

static void check_first_line(const char *wanted)
{
	CHECK(strncmp(out.data, wanted, strlen(wanted)) == 0 && out.data[strlen(wanted)] == '\n');
	if (strncmp(out.data, wanted, strlen(wanted)) != 0)
		printf("first line is %.200s\n", out.data);
}

static void check_width(void)
{
	struct strbuf line;
	strbuf_init(&line);
	for (const char *at = out.data; *at; at += strcspn(at, "\n") + 1) {
		strbuf_truncate(&line, 0);
		strbuf_add_bytes(&line, at, strcspn(at, "\n"));
		if (screen_width(line.data) > SCREEN_COLUMNS)
			printf("too wide: %s\n", line.data);
		CHECK(screen_width(line.data) <= SCREEN_COLUMNS);
		CHECK(line.length == 0 || line.data[line.length - 1] != ' ');
	}
	strbuf_free(&line);
}

/* ------------------------------------------------------------------ small reports */

static void start(void)
{
	report = report_new();
	report->tool.name = "marsprobe";
	report->tool.version = "0.1.0";
	report->host.name = "SERVER01";
	report->run.started_at_ms = 1769850307120; /* 2026-01-31 09:05:07.120 */
	report->run.duration_us = 1201002;
	report->readiness.basis = "system/wininet";
	strbuf_init(&out);
}

static void finish(void)
{
	report_free(report);
	strbuf_free(&out);
}

static struct path *add_path(const char *name, int port, enum route_kind kind, enum status status)
{
	struct target *target = report_add_target(report);
	target->name = name;
	target->port = port;
	struct path *path = report_add_path(report);
	path->target = target;
	path->identity = IDENTITY_SYSTEM;
	path->route.kind = kind;
	path->route.via = kind == ROUTE_DIRECT ? "DIRECT" : "PROXY proxy.corp:3128";
	path->effective = kind != ROUTE_DIRECT;
	path->verdict.status = status;
	return path;
}

static void add_stage(struct path *path, enum stage stage, enum status status)
{
	path->stages[path->stage_count++] = (struct stage_result){.stage = stage, .status = status};
}

static struct finding *add_finding(enum status status, const char *summary)
{
	struct finding *finding = report_add_finding(report);
	finding->status = status;
	finding->stage = STAGE_PROXY;
	finding->cause = "prx_auth_none_sent";
	finding->owner = OWNER_PROXY_TEAM;
	finding->subject_kind = SUBJECT_PROXY;
	finding->subject = "proxy.corp:3128";
	finding->confidence = 0.9;
	finding->summary = summary;
	return finding;
}

static struct observation *add_refusal(void)
{
	struct observation *o = report_add_observation(report, OP_PROXY_EXCHANGE);
	o->start_us = 33000;
	o->duration_us = 12000;
	o->failure = FAILURE_PROXY_STATUS;
	o->proxy.proxy = "proxy.corp:3128";
	o->proxy.method = "CONNECT";
	o->proxy.request = "login.microsoftonline.com:443";
	o->proxy.status = 407;
	text_list_add(report->arena, &o->proxy.schemes, "negotiate");
	return o;
}

/* ------------------------------------------------------------------ the answer */

static void test_ready(void)
{
	start();
	report->readiness.ready = true;
	write_text(false, false);
	check_first_line("READY: this server can reach all that registering with Azure Backup needs.");
	check_lines("   Run       2026-01-31 09:05:07 UTC on SERVER01, took 1.2 s, marsprobe 0.1.0");
	check_lacks("What to change");
	check_lacks("Notes");
	check_lacks("Region");
	check_width();
	finish();
}

static void test_ready_with_warnings(void)
{
	start();
	report->readiness.ready = true;
	add_finding(STATUS_WARN, "One address of eight does not answer.");
	write_text(false, false);
	check_first_line("READY, with warnings: this server can register with Azure Backup; one thing");
	check_lines("1. warn  One address of eight does not answer.");
	add_finding(STATUS_WARN, "The clock is wrong.");
	write_text(false, false);
	check_lines(
		"READY, with warnings: this server can register with Azure Backup; 2 things below\n   need attention.");
	finish();
}

static void test_not_ready(void)
{
	start();
	struct finding *finding = add_finding(STATUS_FAIL, "The proxy asks for a login.");
	text_list_add(report->arena, &report->readiness.blocking, finding->id);
	write_text(false, false);
	check_first_line("NOT READY: The proxy asks for a login.");
	text_list_add(report->arena, &report->readiness.blocking, "f2");
	write_text(false, false);
	check_first_line("NOT READY: The proxy asks for a login. (1 more below.)");
	finish();
}

static void test_inconclusive(void)
{
	start();
	write_text(false, false);
	check_first_line("INCONCLUSIVE: nothing was judged.");
	struct path *path = add_path("login.microsoftonline.com", 443, ROUTE_WININET, STATUS_INCONCLUSIVE);
	path->effective = true;
	text_list_add(report->arena, &path->verdict.not_run, "machine account");
	text_list_add(report->arena, &report->readiness.inconclusive, path->id);
	write_text(false, false);
	check_first_line("INCONCLUSIVE: one path that decides could not be judged; the notes say why.");
	check_lines(" - Not judged: login.microsoftonline.com as LocalSystem, wininet: not tried:\n   machine account");
	struct path *alike = add_path("login.windows.net", 443, ROUTE_WININET, STATUS_INCONCLUSIVE);
	text_list_add(report->arena, &alike->verdict.not_run, "machine account");
	text_list_add(report->arena, &report->readiness.inconclusive, alike->id);
	struct path *other = add_path("aka.ms", 443, ROUTE_WININET, STATUS_INCONCLUSIVE);
	text_list_add(report->arena, &report->readiness.inconclusive, other->id);
	write_text(false, false);
	check_lines(" - Not judged: login.microsoftonline.com and 1 more as LocalSystem, wininet: not\n"
		    "   tried: machine account");
	check_lines(" - Not judged: aka.ms as LocalSystem, wininet: no reason recorded");
	report->run.end_reason = END_DEADLINE;
	write_text(false, false);
	check_lines("INCONCLUSIVE: the time for the whole run was over before all that decides was\n"
		    "   measured (option --deadline).");
	check_lines(" - The run was cut short by --deadline: what was not finished by then is\n   inconclusive.");
	report->run.end_reason = END_INTERRUPTED;
	write_text(false, false);
	check_first_line("INCONCLUSIVE: the run was stopped before all that decides was measured.");
	finish();
}

static void test_region(void)
{
	start();
	report->run.region = "eus";
	report->run.region_used = report->run.region_assumed = true;
	write_text(false, false);
	check_lines("   Region    East US (eus), assumed: --region names your own");
	report->run.region = "\x1b[31m";
	report->run.region_assumed = false;
	write_text(false, false);
	check_lines("   Region    \\x1b[31m, as given");
	finish();
}

/* ------------------------------------------------------------------ findings */

static void test_finding(void)
{
	start();
	struct path *path = add_path("login.microsoftonline.com", 443, ROUTE_WININET, STATUS_FAIL);
	struct finding *finding =
		add_finding(STATUS_FAIL, "The proxy asks LocalSystem for a login, and it has none to give.");
	finding->targets = report->targets;
	finding->target_count = 1;
	path_list_add(report->arena, &finding->paths, path);
	observation_list_add(report->arena, &finding->evidence, add_refusal());
	text_list_add(report->arena, &finding->remedy, "Let the computer account pass.");
	text_list_add(report->arena, &finding->remedy, "Run marsprobe again.");
	write_text(false, false);
	check_lines("1. FAIL  The proxy asks LocalSystem for a login, and it has none to give.\n"
		    "   Where     proxy proxy.corp:3128; stage: proxy, its answer to the request\n"
		    "   Whose     the proxy team\n"
		    "   How sure  proven\n"
		    "   Affects   login.microsoftonline.com\n"
		    "   Seen      09:05:07.153 Proxy proxy.corp:3128 answered CONNECT\n"
		    "             login.microsoftonline.com:443 with HTTP status 407. It asks for a\n"
		    "             login by: negotiate.\n"
		    "   To do     1. Let the computer account pass.\n"
		    "             2. Run marsprobe again.\n"
		    "   More      marsprobe explain prx_auth_none_sent");
	check_width();
	finish();
}

static void test_confidence_in_words(void)
{
	start();
	struct finding *finding = add_finding(STATUS_FAIL, "Something.");
	static const struct {
		double confidence;
		const char *line;
	} rows[] = {{1, "   How sure  proven"},	  {0.8, "   How sure  proven"},	    {0.79, "   How sure  likely"},
		    {0.5, "   How sure  likely"}, {0.49, "   How sure  suspected"}, {0, "   How sure  suspected"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		finding->confidence = rows[i].confidence;
		write_text(false, false);
		check_lines(rows[i].line);
	}
	finish();
}

static void test_flows(void)
{
	start();
	struct finding *finding = add_finding(STATUS_FAIL, "Something.");
	static struct flow flows[11];
	for (size_t i = 0; i < 11; i++)
		flows[i] = (struct flow){{"tcp", "10.0.0.2", "20.190.128.1", 50113 + (int)i, 443},
					 "a.example",
					 "a.example",
					 1769850307121,
					 1769850307999,
					 1,
					 "generic_timeout_error",
					 "server"};
	flows[1].tuple.src = flows[1].tuple.dst = NULL;
	flows[1].tuple.src_port = NOT_MEASURED;
	flows[1].seen_from = "proxy";
	flows[2].tuple.src = "2001:db8::2";
	flows[2].tuple.dst = "2603:1006:2000::1";
	flows[2].attempts = 3;
	finding->flows = flows;
	finding->flow_count = 11;
	write_text(false, false);
	check_lines("             tcp 10.0.0.2:50113 -> 20.190.128.1:443 2026-01-31T09:05:07.121Z\n"
		    "             a.example: no answer in time");
	check_lines("             tcp the proxy -> a.example:443 2026-01-31T09:05:07.121Z a.example:\n"
		    "             no answer in time");
	check_lines("             tcp [2001:db8::2]:50115 -> [2603:1006:2000::1]:443\n"
		    "             2026-01-31T09:05:07.121Z a.example: no answer in time, 3 tries");
	check_lines("             and 3 more");
	check_lacks("50121");
	check_width();
	finish();
}

/* ------------------------------------------------------------------ the table */

static void test_table(void)
{
	start();
	struct path *path = add_path("login.microsoftonline.com", 443, ROUTE_WININET, STATUS_FAIL);
	add_stage(path, STAGE_SETTINGS, STATUS_PASS);
	add_stage(path, STAGE_DNS, STATUS_PASS);
	add_stage(path, STAGE_TCP, STATUS_WARN);
	add_stage(path, STAGE_PROXY, STATUS_FAIL);
	add_stage(path, STAGE_TLS, STATUS_SKIPPED);
	path->route.rule = "entry `https=` of ProxyServer";
	path = add_path("www.msftconnecttest.com", 80, ROUTE_DIRECT, STATUS_INCONCLUSIVE);
	path->route.problem = "a PAC script decides";
	write_text(false, false);
	check_lines("  target                     as     route   dns  tcp  proxy tls  http result");
	check_lines("* login.microsoftonline.com  system wininet ok   warn FAIL  -    -    FAIL");
	check_lines("  www.msftconnecttest.com:80 system direct  -    -    -     -    -    ?");
	check_lines("* system wininet PROXY proxy.corp:3128; entry `https=` of ProxyServer");
	check_lines("  system direct  DIRECT; not usable: a PAC script decides");
	check_width();
	write_text(true, false);
	CHECK(strstr(out.data, "\033[31mFAIL\033[0m") != NULL);
	finish();
}

static void test_wide_and_long_names_keep_the_columns(void)
{
	start();
	add_path("\xE8\xB3\x87\xE8\xA8\x8A.example", 443, ROUTE_WININET, STATUS_PASS);
	add_path("pod01-id1.a-very-long-label.backup.windowsazure.com", 8443, ROUTE_WININET, STATUS_PASS);
	add_path("\x1b[2J\xE2\x80\xAE"
		 "evil",
		 443, ROUTE_WININET, STATUS_PASS);
	write_text(false, false);
	check_lines("* \xE8\xB3\x87\xE8\xA8\x8A.example                   system wininet -    -    -     -    -    ok");
	check_lines("* pod01-id1.a-very-long-...:8443 system wininet -    -    -     -    -    ok");
	check_lines("* \\x1b[2J\\u202eevil              system wininet -    -    -     -    -    ok");
	check_width();
	finish();
}

/* ------------------------------------------------------------------ notes, observations, hostile text */

static void test_remarks_are_said_once(void)
{
	start();
	struct path *path = add_path("a.example", 443, ROUTE_WININET, STATUS_PASS);
	text_list_add(report->arena, &path->verdict.also, "The root is another public one.");
	path = add_path("b.example", 443, ROUTE_WININET, STATUS_PASS);
	text_list_add(report->arena, &path->verdict.also, "The root is another public one.");
	path = add_path("c.example", 443, ROUTE_WININET, STATUS_PASS);
	text_list_add(report->arena, &path->verdict.also, "Something else.");
	write_text(false, false);
	check_lines(" - The root is another public one. (a.example and 1 more)");
	check_lines(" - Something else. (c.example)");
	finish();
}

static void test_observations_only_when_asked(void)
{
	start();
	add_refusal();
	struct observation *o = report_add_observation(report, OP_TCP_CONNECT);
	o->start_us = NOT_MEASURED;
	o->duration_us = NOT_MEASURED;
	o->failure = FAILURE_TIMEOUT;
	o->tcp.tuple = (struct tuple){"tcp", "10.0.0.2", "2001:db8::1", 50113, 443};
	o->tcp.syn_ack_ttl = 61;
	o->tcp.reset_ttl = 63;
	o->experiment = "bare_connect";
	write_text(false, false);
	check_lacks("Everything that was seen");
	write_text(false, true);
	check_lines("09:05:07.153     12 ms  Proxy proxy.corp:3128 answered CONNECT login.microsoftonline.com:443 with "
		    "HTTP "
		    "status 407. It asks for a login by: negotiate.");
	check_lines("--:--:--.---       -     Connection from 10.0.0.2:50113 to [2001:db8::1]:443: no answer in time. "
		    "Its SYN-ACK came with TTL 61. Its reset came with TTL 63. (experiment bare_connect)");
	finish();
}

static void test_hostile_text_is_harmless(void)
{
	start();
	struct finding *finding = add_finding(STATUS_FAIL, "Issuer \x1b]0;owned\x07 says \xE2\x80\xAE hi");
	struct observation *o = add_refusal();
	o->proxy.first_bytes = "\x1b[1A\xC2\x9bK\r\n";
	observation_list_add(report->arena, &finding->evidence, o);
	text_list_add(report->arena, &finding->remedy, "Ask \x1b[8m.");
	finding->subject = "\x1b[31m";
	struct path *path = add_path("\x1b[0m", 443, ROUTE_WININET, STATUS_FAIL);
	path->route.via = "PROXY \x1b[m:1";
	text_list_add(report->arena, &path->verdict.also, "saw \x1b[m");
	report->host.name = "\x1b[m";
	write_text(false, true);
	CHECK(strchr(out.data, '\x1b') == NULL);
	CHECK(strchr(out.data, '\x07') == NULL);
	CHECK(strchr(out.data, '\r') == NULL);
	check_lacks("\xC2\x9b");
	check_lacks("\xE2\x80\xAE");
	check_lines("1. FAIL  Issuer \\x1b]0;owned\\x07 says \\u202e hi");
	finish();
}

int main(void)
{
	test_ready();
	test_ready_with_warnings();
	test_not_ready();
	test_inconclusive();
	test_region();
	test_finding();
	test_confidence_in_words();
	test_flows();
	test_table();
	test_wide_and_long_names_keep_the_columns();
	test_remarks_are_said_once();
	test_observations_only_when_asked();
	test_hostile_text_is_harmless();
	return check_summary();
}
