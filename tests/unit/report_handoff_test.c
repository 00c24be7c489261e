#include "reports/report.h"

#include "probe/core/strbuf.h"
#include "tests/unit/check.h"
#include "tests/unit/report_builder.h"

static struct report *report;
static struct strbuf out;

static void write_handoff(void)
{
	struct report_style style = {false, false};
	strbuf_truncate(&out, 0);
	report_format_find("handoff")->write(report, &style, &out);
}

static void start(void)
{
	report = build_report();
	report->tool.name = "marsprobe";
	report->tool.version = "0.1.0";
	report->run.ended_at_ms = report->run.started_at_ms + 5000;
	strbuf_init(&out);
}

static void finish(void)
{
	report_free(report);
	strbuf_free(&out);
}

static void check_has(const char *wanted)
{
	if (!strstr(out.data, wanted))
		printf("missing: %s\n--- in:\n%s---\n", wanted, out.data);
	CHECK(strstr(out.data, wanted) != NULL);
}

static void check_lacks(const char *unwanted)
{
	if (strstr(out.data, unwanted))
		printf("not wanted: %s\n", unwanted);
	CHECK(strstr(out.data, unwanted) == NULL);
}

/* Each of them, and each behind the one before. */
static void check_order(const char *const *wanted)
{
	const char *at = out.data;
	for (; *wanted; wanted++) {
		const char *found = at ? strstr(at, *wanted) : NULL;
		if (!found)
			printf("not there, or not in this order: %s\n", *wanted);
		CHECK(found != NULL);
		at = found ? found : at;
	}
}

/* ------------------------------------------------------------------ nothing of the data means anything to Markdown */

/* A line outside a block: what is no code span holds nothing that makes links, HTML or escapes; spans are closed. */
static void check_line(const char *line, size_t length)
{
	bool inside = false, safe = true;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)line[i];
		inside ^= c == '`';
		safe &= c >= ' ' && (inside || !strchr("<>[]\\&~_", c));
	}
	if (inside || !safe)
		printf("unsafe line: %.*s\n", (int)length, line);
	CHECK(!inside && safe);
}

static void check_bars(const char *line, size_t length, size_t *columns)
{
	size_t bars = 0;
	for (size_t i = 0; i < length; i++)
		bars += line[i] == '|';
	if (length && line[0] == '|' && *columns)
		CHECK_INT(bars, *columns);
	*columns = length && line[0] == '|' ? bars : 0;
}

static bool is_fence(const char *line)
{
	return strncmp(line + strspn(line, " "), "```", 3) == 0;
}

static void check_document(void)
{
	bool block = false;
	size_t columns = 0;
	for (const char *line = out.data; *line;) {
		size_t length = strcspn(line, "\n");
		if (is_fence(line)) {
			block = !block;
		} else if (!block) {
			check_line(line, length);
			check_bars(line, length, &columns);
		}
		CHECK(strcspn(line, "\001\002\003\a\b\t\v\f\r\033\177") >= length);
		line += length + (line[length] == '\n');
	}
	CHECK(!block);
}

static size_t count_of(const char *wanted)
{
	size_t count = 0;
	for (const char *at = strstr(out.data, wanted); at; at = strstr(at + 1, wanted))
		count++;
	return count;
}

/* ------------------------------------------------------------------ a firewall team */

static struct path *build_login(void)
{
	struct target *target = build_target(report, "login.microsoftonline.com", 443);
	target->rule = "*.microsoftonline.com";
	return build_path(report, target);
}

static void build_dropped_login(void)
{
	struct path *path = build_login();
	struct observation *one = build_last(build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT));
	one->tcp.has_tcp_info = true;
	one->tcp.tcp_info.retransmits = 2;
	build_attempt(report, path, "51.0.0.1", FAILURE_TIMEOUT);
	struct target *other = build_target(report, "login.windows.net", 443);
	build_works(report, build_path(report, other), "40.126.0.9");
	diagnose(report);
}

static void test_drop(void)
{
	start();
	build_dropped_login();
	write_handoff();
	static const char *const order[] = {
		"# Hand-off: `server01` and Azure Backup\n",
		"| Server | `server01` (`10.0.0.2`) |\n",
		"| Tested | from `2026-01-31 09:05:07.120` to `2026-01-31 09:05:12.120` UTC, by `marsprobe` `0.1.0` "
		"|\n",
		"**NOT READY**",
		"| Sections | the firewall team (1) |\n",
		"## For the firewall team\n",
		"**What is blocked.** `login.microsoftonline.com`",
		"cannot register with Azure Backup",
		"**Evidence.** Connect to `20.190.128.1:443` got no answer for 5.0 s; 1 more ended the same way.",
		"In the same run another connection from this server to port `443` opened: to `40.126.0.9:443` at "
		"`2026-01-31 09:05:07.121`.",
		"**How sure.** `likely`",
		"Not tried in this run: ",
		"**What to do.**\n\n1. Look for the flows below",
		"**What we ask of you.** Search the logs",
		"Source `10.0.0.2`, between `2026-01-31 09:05:07.121` and `2026-01-31 09:05:12.121` UTC.",
		"| `20.190.128.1:443` | `login.microsoftonline.com` | `login.microsoftonline.com` | "
		"`2026-01-31 09:05:07.121` | `2026-01-31 09:05:12.121` | `3` | `no answer in time` |\n",
		"Allow `tcp` from `10.0.0.2`, any source port, to `*.microsoftonline.com`, port `443`",
		"| Allow-list entry (names) | `*.microsoftonline.com` |\n",
		"| Azure service tag | `AzureActiveDirectory` |\n",
		"| Documented prefixes | `20.190.128.0/18`, `40.126.0.0/18` |\n",
		"| Seen at 2026-01-31 09:05:07.120, will change | `20.190.128.1`, `51.0.0.1` |\n",
		"```nft\n",
		"table inet filter {\n    chain marsprobe_1 {\n",
		"        ip saddr { 10.0.0.2 } ip daddr { 20.190.128.0/18, 40.126.0.0/18 } tcp dport 443 counter "
		"accept\n",
		"        ip saddr { 20.190.128.0/18, 40.126.0.0/18 } ip daddr { 10.0.0.2 } tcp sport 443 ct state "
		"established,related counter accept\n",
		"        # seen at 2026-01-31 09:05:07.120, will change\n",
		"        ip saddr { 10.0.0.2 } ip daddr { 51.0.0.1 } tcp dport 443 counter accept\n",
		"insert rule inet filter forward jump marsprobe_1\n```\n",
		"az network nsg rule create ",
		"--protocol Tcp --source-address-prefixes 10.0.0.2 --source-port-ranges '*' "
		"--destination-address-prefixes AzureActiveDirectory --destination-port-ranges 443\n",
		"--rule-type ApplicationRule --source-addresses 10.0.0.2 --protocols Https=443 --target-fqdns "
		"'*.microsoftonline.com'\n",
		"```csv\n\"action\",",
		"\"allow\",\"tcp\",\"10.0.0.2\",\"any\",\"name\",\"*.microsoftonline.com\",\"443\"\n",
		"\"allow\",\"tcp\",\"10.0.0.2\",\"any\",\"address seen, will change\",\"51.0.0.1\",\"443\"\n",
		NULL};
	check_order(order);
	check_document();
	CHECK_INT(count_of("## For "), 1);
	finish();
}

/* A file of service tags: its prefixes stand for those that are built in, and say where they are from. */
static void test_prefixes_of_a_file(void)
{
	static struct tag_list lists[] = {
		{.tag = "AzureActiveDirectory"}, {.tag = "AzureBackup.EastUS"}, {.tag = "Azure`|"}};
	static struct tags_input tags = {
		.file = "Tags|`.json", .change_number = 301, .date = "2026-06-01", .lists = lists, .list_count = 3};
	start();
	build_dropped_login();
	text_list_add(report->arena, &report->targets[0]->tags, "AzureActiveDirectory");
	text_list_add(report->arena, &report->targets[0]->tags, "Azure`|");
	text_list_add(report->arena, &lists[0].prefixes, "20.190.128.0/18");
	text_list_add(report->arena, &lists[0].prefixes, "2603:1006:2000::/48");
	text_list_add(report->arena, &lists[0].prefixes, "no prefix");
	text_list_add(report->arena, &lists[1].prefixes, "13.82.1.0/24");
	text_list_add(report->arena, &lists[2].prefixes, "13.83.1.0/24");
	report->run.tags = &tags;
	write_handoff();
	check_has("| Documented prefixes of `AzureActiveDirectory`, by `Tags\\x7c\\x60.json`, change `301` of "
		  "`2026-06-01` | "
		  "`20.190.128.0/18`, `2603:1006:2000::/48` |\n");
	check_has("        # AzureActiveDirectory\n        ip saddr { 10.0.0.2 } ip daddr { 20.190.128.0/18 } tcp "
		  "dport 443 "
		  "counter accept\n");
	check_has("        ip saddr { 10.0.0.2 } ip daddr { 51.0.0.1 } tcp dport 443 counter accept\n");
	check_has("\"prefix of AzureActiveDirectory\",\"20.190.128.0/18\",\"443\"\n");
	check_has("--destination-address-prefixes AzureActiveDirectory ");
	check_lacks("40.126.0.0/18");
	check_lacks("13.82.1.0/24");
	check_lacks("13.83.1.0/24");
	check_lacks("no prefix");
	check_document();
	finish();
	for (size_t i = 0; i < 3; i++)
		lists[i].prefixes = (struct text_list){0};
}

static void test_same_bytes_twice(void)
{
	start();
	build_dropped_login();
	write_handoff();
	char *first = arena_strdup(report->arena, out.data);
	write_handoff();
	CHECK_TEXT(out.data, first);
	finish();
}

static void test_nothing_found(void)
{
	start();
	build_works(report, build_login(), "20.190.128.1");
	diagnose(report);
	write_handoff();
	check_has("**READY**");
	check_has("No team has anything to change.");
	check_lacks("## For");
	check_document();
	finish();
}

static void check_place(int hop, const char *last_heard, const char *first_silent, const char *wanted)
{
	start();
	build_dropped_login();
	report->paths[0]->verdict.has_place = true;
	report->paths[0]->verdict.at = (struct place){hop, last_heard, first_silent};
	write_handoff();
	check_has(wanted);
	check_document();
	finish();
}

static void test_place(void)
{
	check_place(3, "10.9.1.1", NULL, "**Where it dies.** At `10.9.1.1`, which said so itself");
	check_place(3, "10.9.1.1", "10.9.1.5",
		    "**Where it dies.** At `10.9.1.1`, the last device heard on the way out, or between it and "
		    "`10.9.1.5`, the first behind it that was not heard.");
	check_place(3, "10.9.1.1", "10.9.1.5", "Counted from this server, `10.9.1.1` is hop `3`.");
	check_place(2, NULL, "10.9.1.5",
		    "At hop `2`, the last one heard on the way out (who stands there is not known), or "
		    "between it and `10.9.1.5`");
	check_place(0, NULL, "10.9.1.5",
		    "Between this server and `10.9.1.5`, the first on the way that was not heard.");
	check_place(4, NULL, NULL, "At hop `4`; who stands there is not known.");
	check_place(NOT_MEASURED, NULL, "10.9.1.5", "Between this server and `10.9.1.5`");
	check_place(NOT_MEASURED, NULL, NULL, "**Where it dies.** Not located by this run.");
}

static void test_device_that_said_so(void)
{
	start();
	build_rejected(report, build_login(), "20.190.128.1", FAILURE_HOST_UNREACHABLE, "10.9.1.1", 3, 13);
	diagnose(report);
	write_handoff();
	check_has("At `10.9.1.1`, which said so itself");
	check_has("| `1` | `host unreachable` |");
	finish();
}

static void test_port_80(void)
{
	start();
	struct target *target = build_target(report, "www.msftconnecttest.com", 80);
	build_attempt(report, build_path(report, target), "23.45.12.10", FAILURE_TIMEOUT);
	diagnose(report);
	write_handoff();
	check_has("This is plain HTTP on port 80");
	check_has("For `www.msftconnecttest.com` no service tag is known");
	check_has("--destination-address-prefixes 23.45.12.10 --destination-port-ranges 80\n");
	check_has("--protocols Http=80 --target-fqdns 'www.msftconnecttest.com'\n");
	check_lacks("Documented prefixes");
	check_document();
	finish();
}

/* ------------------------------------------------------------------ a proxy in between */

static struct flow proxy_flow(void)
{
	return (struct flow){.tuple = {"tcp", NULL, NULL, NOT_MEASURED, 443},
			     .fqdn = "login.microsoftonline.com",
			     .sni = "login.microsoftonline.com",
			     .first_at_ms = 1769850307120,
			     .last_at_ms = 1769850309120,
			     .attempts = 1,
			     .outcome = "generic_timeout_error",
			     .seen_from = "proxy"};
}

static struct finding *add_finding(struct path *path, const char *cause, enum owner owner, struct flow *flow)
{
	struct finding *finding = report_add_finding(report);
	finding->status = STATUS_FAIL;
	finding->stage = STAGE_PROXY;
	finding->cause = cause;
	finding->owner = owner;
	finding->confidence = 0.7;
	finding->subject_kind = SUBJECT_PROXY;
	finding->subject = "proxy.corp:3128";
	finding->summary = "It is so.";
	path_list_add(report->arena, &finding->paths, path);
	finding->flows = flow;
	finding->flow_count = flow ? 1 : 0;
	return finding;
}

static void test_upstream_of_proxy(void)
{
	struct flow flow = proxy_flow();
	start();
	struct path *path = build_login();
	path->route.via = "PROXY proxy.corp:3128";
	const char *const addresses[] = {"20.20.32.1", NULL};
	build_lookup(report, path, FAILURE_NONE, addresses);
	add_finding(path, "prx_upstream_timeout", OWNER_FIREWALL_TEAM, &flow);
	write_handoff();
	check_has("Source `the proxy's own address`");
	check_has("| From | the proxy's own address, any source port |");
	check_has("will change | `20.20.32.1` |");
	check_has("define proxy_address = 192.0.2.1\n");
	check_has("ip saddr $proxy_address ip daddr { 20.190.128.0/18, 40.126.0.0/18 } tcp dport 443 counter accept\n");
	check_has("ip saddr $proxy_address ip daddr { 20.20.32.1 } tcp dport 443 counter accept\n");
	check_has("--source-address-prefixes PROXY_ADDRESS ");
	check_lacks("saddr { 10.0.0.2 }");
	check_lacks("\"10.0.0.2\"");
	check_document();
	finish();
}

static void test_request_to_proxy(void)
{
	start();
	struct path *path = build_login();
	struct attempt *attempt = build_by_proxy(report, path, "proxy.corp:3128", 407);
	struct observation *one = build_last(attempt);
	text_list_add(report->arena, &one->proxy.schemes, "basic");
	text_list_add(report->arena, &one->proxy.schemes, "ntlm");
	header_list_add(report->arena, &one->proxy.headers, "via", "1.1 proxy");
	header_list_add(report->arena, &one->proxy.headers, "x-squid-error", "ERR_CACHE_ACCESS_DENIED 0");
	struct finding *finding = add_finding(path, "prx_auth_none_sent", OWNER_PROXY_TEAM, NULL);
	observation_list_add(report->arena, &finding->evidence, one);
	text_list_add(report->arena, &finding->remedy, "Set it.\nnetsh winhttp set proxy proxy-server=\"a;```b\"");
	write_handoff();
	check_has("## For the proxy team\n");
	check_has("| `proxy.corp:3128` | `CONNECT login.microsoftonline.com:443` | `407` | `basic, ntlm` | "
		  "`via: 1.1 proxy; x-squid-error: ERR_CACHE_ACCESS_DENIED 0` |\n");
	check_has("1. Set it.\n\n   ```\n   netsh winhttp set proxy proxy-server=\"a;\\x60\\x60\\x60b\"\n   ```\n");
	check_lacks("nftables");
	check_document();
	finish();
}

/* ------------------------------------------------------------------ names and ways */

static void test_question(void)
{
	start();
	struct path *path = build_login();
	struct observation *one = build_query(report, path, "10.0.0.53", FAILURE_DNS_NXDOMAIN, NULL);
	struct observation *control = build_query(report, path, "9.9.9.9", FAILURE_NONE, "20.190.128.1");
	control->dns.control = true;
	one->dns.rcode = 3;
	struct finding *finding = add_finding(path, "dns_nxdomain_local_only", OWNER_DNS_TEAM, NULL);
	observation_list_add(report->arena, &finding->evidence, one);
	write_handoff();
	check_has("| `10.0.0.2:40000` | `10.0.0.53` | `login.microsoftonline.com A` | `udp` | "
		  "`the name does not exist (NXDOMAIN), rcode 3` | - | "
		  "`as 9.9.9.9 says: login.microsoftonline.com A 20.190.128.1` |\n");
	check_document();
	finish();
}

static void build_hop(const char *experiment, int port, int ttl, const char *from)
{
	struct observation *one = report_add_observation(report, OP_TTL_PROBE);
	one->experiment = experiment;
	one->duration_us = 1500;
	one->failure = from ? FAILURE_NONE : FAILURE_TIMEOUT;
	one->ttl.tuple = (struct tuple){"tcp", "10.0.0.2", "20.190.128.1", 40000, port};
	one->ttl.ttl = ttl;
	one->ttl.sent = "syn";
	one->ttl.expired = from != NULL;
	one->ttl.from = from;
	if (from)
		one->ttl.icmp = (struct icmp_error){from, 11, 0, NOT_MEASURED};
}

static void test_walk_that_is_refused(void)
{
	start();
	build_rejected(report, build_login(), "20.190.128.1", FAILURE_HOST_UNREACHABLE, "10.0.0.1", 3, 1);
	build_hop("walk", 443, 1, "10.0.0.1");
	for (int ttl = 2; ttl < 9; ttl++) {
		build_hop("walk", 443, ttl, "10.0.0.1");
		struct observation *one = report->observations.items[report->observations.count - 1];
		one->failure = FAILURE_HOST_UNREACHABLE;
		one->ttl.expired = false;
		one->ttl.icmp = (struct icmp_error){"10.0.0.1", 3, 1, NOT_MEASURED};
	}
	diagnose(report);
	write_handoff();
	check_has("| 2 | `10.0.0.1` refused: ICMP type `3` code `1`, 1.5 ms |\n");
	check_lacks("| 3 |");
	check_document();
	finish();
}

static void test_walk_and_segments(void)
{
	start();
	struct path *path = build_login();
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	build_hop("walk", 443, 1, "10.0.0.1");
	build_hop("walk", 443, 2, NULL);
	build_hop("walk_control", 80, 1, "10.0.0.1");
	build_hop("walk_control", 80, 2, "10.9.1.1");
	static const int sizes[] = {1200, 1360, 1361, 1400};
	for (size_t i = 0; i < 4; i++) {
		struct observation *one = report_add_observation(report, OP_TLS_HANDSHAKE);
		one->experiment = "segment_size";
		one->failure = sizes[i] > 1360 ? FAILURE_TIMEOUT : FAILURE_NONE;
		one->tls.tuple = (struct tuple){"tcp", "10.0.0.2", "20.190.128.1", 40000, 443};
		one->tls.segment_bytes = sizes[i];
	}
	diagnose(report);
	CHECK_INT(report->finding_count, 1);
	report->findings[0]->owner = OWNER_NETWORK_TEAM;
	write_handoff();
	check_has("| hop | `tcp 443` | `tcp 80` |\n|---|---|---|\n| 1 | `10.0.0.1`, 1.5 ms | `10.0.0.1`, 1.5 ms |\n"
		  "| 2 | silent | `10.9.1.1`, 1.5 ms |\n");
	check_has("TCP segments of up to `1360` bytes get through, and of `1361` do not: clamp the MSS on that link to "
		  "`1360` (packets of `1400` bytes)");
	check_document();
	finish();
}

/* ------------------------------------------------------------------ hostile and large */

static const char *const hostile[] = {
	"``` \n# <script>alert(1)</script> | [x](http://evil) ![y](z)",
	"=cmd|'/c calc'!A0",
	"\033]0;owned\007\x9b"
	"31m",
	"\xe2\x80\xae"
	"moc.live | | |\n```nft\nflush ruleset\n```",
	"10.0.0.1 } accept; flush ruleset; #",
	"'; reboot; '$(reboot)`reboot`",
	"https://evil.example/ www.evil.example root@evil.example",
};
enum { HOSTILES = sizeof(hostile) / sizeof(hostile[0]) };

static struct observation *build_hostile_evidence(const char *text)
{
	struct observation *one = report_add_observation(report, OP_PROXY_EXCHANGE);
	one->failure = FAILURE_PROXY_STATUS;
	one->proxy.proxy = one->proxy.method = one->proxy.request = one->proxy.first_bytes = text;
	text_list_add(report->arena, &one->proxy.schemes, text);
	header_list_add(report->arena, &one->proxy.headers, "via", text);
	return one;
}

static void build_hostile(const char *text)
{
	static struct flow flows[2];
	report->host.name = report->tool.name = report->tool.version = report->run.region = text;
	text_list_add(report->arena, &report->host.addresses, text);
	struct target *target = build_target(report, text, 443);
	struct path *path = build_path(report, target);
	path->verdict = (struct verdict){.cause = text, .has_place = true, .at = {1, text, text}};
	text_list_add(report->arena, &path->verdict.not_run, text);
	for (int i = 0; i < 2; i++)
		flows[i] = (struct flow){
			{text, text, i ? text : "20.190.128.1", 5, 443}, text, text, INT64_MAX, 0, 1, text, text};
	flows[0].fqdn = text;
	struct finding *finding = add_finding(path, text, OWNER_FIREWALL_TEAM, flows);
	finding->flow_count = 2;
	finding->summary = finding->subject = text;
	finding->targets = &path->target;
	finding->target_count = 1;
	text_list_add(report->arena, &finding->remedy, text);
	text_list_add(report->arena, &finding->remedy, arena_printf(report->arena, "Run\n%s", text));
	observation_list_add(report->arena, &finding->evidence, build_hostile_evidence(text));
	text_list_add(report->arena, &report->readiness.blocking, finding->id);
	report->readiness.basis = text;
}

static void test_hostile(void)
{
	for (size_t i = 0; i < HOSTILES; i++) {
		start();
		build_hostile(hostile[i]);
		write_handoff();
		check_document();
		check_lacks("\nflush ruleset");
		check_lacks("\n# <script>");
		check_lacks("--target-fqdns");
		finish();
	}
}

static void test_bounded(void)
{
	enum { FLOWS = 1024, EVIDENCE = 300 };
	static struct flow flows[FLOWS];
	start();
	struct path *path = build_login();
	struct finding *finding = add_finding(path, "tcp_syn_silent_unlocated", OWNER_FIREWALL_TEAM, flows);
	for (int i = 0; i < FLOWS; i++) {
		flows[i] = proxy_flow();
		flows[i].seen_from = "server";
		flows[i].tuple.src = arena_printf(report->arena, "10.0.%d.%d", i / 256, i % 256);
		flows[i].tuple.dst = arena_printf(report->arena, "51.0.%d.%d", i / 256, i % 256);
		flows[i].tuple.src_port = i + 1;
	}
	finding->flow_count = FLOWS;
	for (int i = 0; i < EVIDENCE; i++)
		observation_list_add(report->arena, &finding->evidence, build_hostile_evidence("x"));
	write_handoff();
	check_has("And `960` more: all of them are in the JSON report");
	check_has("And `236` more.");
	CHECK(out.length < 1024 * 1024);
	check_document();
	finish();
}

int main(void)
{
	test_drop();
	test_prefixes_of_a_file();
	test_same_bytes_twice();
	test_nothing_found();
	test_place();
	test_device_that_said_so();
	test_port_80();
	test_upstream_of_proxy();
	test_request_to_proxy();
	test_question();
	test_walk_that_is_refused();
	test_walk_and_segments();
	test_hostile();
	test_bounded();
	return check_summary();
}
