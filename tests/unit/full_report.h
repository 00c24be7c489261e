#ifndef MARSPROBE_TESTS_FULL_REPORT_H
#define MARSPROBE_TESTS_FULL_REPORT_H

#include "probe/core/arena.h"
#include "probe/core/evidence.h"

/* A report in which no field has the value that "missing" would give it. */

#define FULL_TEXTS(arena, list, ...)                                                   \
	do {                                                                           \
		const char *const texts[] = {__VA_ARGS__};                             \
		for (size_t text = 0; text < sizeof(texts) / sizeof(texts[0]); text++) \
			text_list_add((arena), (list), texts[text]);                   \
	} while (0)

static const struct tuple full_tuple = {"tcp", "10.0.0.2", "20.190.128.1", 50113, 443};
static const struct icmp_error full_icmp = {"10.9.1.1", 3, 13, 1400};

static void full_run(struct report *report)
{
	struct arena *a = report->arena;
	report->tool.name = "marsprobe";
	report->tool.version = "0.1.0";
	report->tool.libraries[0] = (struct library){"c-ares", "1.18.1"};
	report->tool.libraries[1] = (struct library){"libcurl", "7.88.1"};
	report->tool.library_count = 2;
	report->run.id = "6f1b6d0e-58b5-4f0e-9d0e-3a8d1f1c2b3a";
	report->run.started_at_ms = 1769850307120;
	report->run.ended_at_ms = 1769850308321;
	report->run.duration_us = 1201002;
	FULL_TEXTS(a, &report->run.arguments, "check", "--region", "weu");
	report->run.end_reason = END_DEADLINE;
	report->run.region = "weu";
	report->run.region_assumed = report->run.region_used = true;
	FULL_TEXTS(a, &report->run.service_roots, "aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11",
		   "bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22");
	report->run.service_roots_given = report->run.experiments = report->run.credentials = true;
	report->run.private_endpoint = "expected";
	report->run.timeout_us = 5000000;
	report->run.tags = arena_alloc(a, sizeof(*report->run.tags));
	*report->run.tags = (struct tags_input){.file = "ServiceTags_Public_20260601.json",
						.form = "service_tags",
						.cloud = "Public",
						.change_number = 301,
						.date = "2026-06-01",
						.tags = 3237,
						.prefixes = 106982};
	struct tags_input *tags = report->run.tags;
	tags->lists = arena_grow(a, tags->lists, &tags->list_capacity, 0, sizeof(*tags->lists));
	tags->lists[tags->list_count++] = (struct tag_list){.tag = "AzureBackup.EastUS", .change_number = 9};
	FULL_TEXTS(a, &tags->lists[0].prefixes, "13.82.1.0/24", "2603:1030:20e::/48");
	FULL_TEXTS(a, &report->run.allow_rules, "*.windows.net", "*.microsoft.com");
	static const struct vault_file vault = {"contoso.VaultCredentials",
						"backup",
						"1.0",
						"contoso-vault",
						"eastus",
						"0ec4a9c1-72b5-43c4-8a8d-0a1b2c3d4e5f",
						"https://login.microsoftonline.com",
						"https://management.azure.com",
						"public",
						"eus",
						"read",
						"AES-256-CBC",
						"CN=contoso",
						"aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11",
						1769700000,
						1770564000};
	report->run.vault = &vault;
	report->route_given = true;
	report->host.name = "SERVER01";
	report->host.os = "Debian GNU/Linux 12";
	FULL_TEXTS(a, &report->host.addresses, "10.0.0.2", "fd00::2");
	FULL_TEXTS(a, &report->host.resolvers, "10.0.0.53");
	report->host.clock_offset_ms = -421000;
	report->host.clock_source = "http-date";
	report->host.clock_witnesses = 3;
}

static const struct proxy_setting *full_setting(struct arena *a, enum identity_id identity, enum route_kind kind)
{
	struct proxy_setting *s = arena_alloc(a, sizeof(*s));
	s->identity = identity;
	s->kind = kind;
	s->found = s->auto_detect = s->pac_enabled = s->proxy_enabled = true;
	s->scope = "per-user";
	s->source = "blob";
	s->location = "HKEY_CURRENT_USER\\Software, file.reg:12";
	s->pac_url = "http://wpad.corp/proxy.pac";
	s->proxy_server = "http=a.example:8080;https=b.example:8080";
	s->proxy_bypass = "<local>;*.corp";
	s->blob_found = s->blob_malformed = s->disagree = true;
	s->blob_version = 70;
	s->blob_counter = 27;
	s->blob_flags = 15;
	FULL_TEXTS(a, &s->order, "auto_detect", "pac", "static", "direct");
	FULL_TEXTS(a, &s->problems, "The entry for https has no port.");
	return s;
}

static void full_identities(struct report *report)
{
	struct arena *a = report->arena;
	struct identity *user = &report->identities[0], *system = &report->identities[1];
	report->identity_count = 2;
	*user = (struct identity){
		.id = IDENTITY_USER, .account = "CORP\\admin", .mode = MODE_SETTINGS, .why = "told so"};
	user->wininet = full_setting(a, IDENTITY_USER, ROUTE_WININET);
	user->winhttp = full_setting(a, IDENTITY_USER, ROUTE_WINHTTP);
	user->agent = full_setting(a, IDENTITY_USER, ROUTE_AGENT);
	user->env = full_setting(a, IDENTITY_USER, ROUTE_ENV);
	*system = *user;
	system->id = IDENTITY_SYSTEM;
	system->mode = MODE_UNAVAILABLE;
}

static struct target *full_target(struct report *report)
{
	struct target *target = report_add_target(report);
	target->kind = TARGET_CIDR;
	target->name = "login.microsoftonline.com";
	target->url = "https://login.microsoftonline.com/";
	target->host = "login.microsoftonline.com";
	target->port = 443;
	target->cidr = "20.190.128.0/18";
	target->rule = "*.microsoftonline.com";
	target->required = target->stand_in = target->regional = true;
	target->service = "entra";
	static int status[] = {200, 302};
	target->expect.status = status;
	target->expect.status_count = 2;
	FULL_TEXTS(report->arena, &target->expect.headers, "x-ms-request-id");
	target->expect.body = "Microsoft Connect Test";
	FULL_TEXTS(report->arena, &target->tags, "AzureActiveDirectory");
	return target;
}

static struct observation *full_observation(struct report *report, struct path *path, enum op op)
{
	struct observation *o = report_add_observation(report, op);
	path_list_add(report->arena, &o->paths, path);
	o->experiment = "bare_connect";
	o->start_us = 1001;
	o->duration_us = 20000999;
	o->failure = FAILURE_CONNECTION_RESET;
	o->os_error = "ECONNRESET";
	return o;
}

static void full_packets(struct report *report, struct path *path)
{
	struct observation *o = full_observation(report, path, OP_DNS_QUERY);
	static struct dns_answer answers[] = {{"a.example", "CNAME", "b.example", 60},
					      {"b.example", "A", "192.0.2.1", 0}};
	o->dns = (struct dns_query){.tuple = full_tuple,
				    .server = "10.0.0.53",
				    .control = true,
				    .transport = "udp",
				    .name = "a.example",
				    .type = "A",
				    .rcode = 3,
				    .answers = answers,
				    .answer_count = 2,
				    .truncated = true,
				    .ede = 15,
				    .edns_bytes = 1232,
				    .checking_disabled = true,
				    .tries = 2,
				    .icmp = full_icmp};
	o = full_observation(report, path, OP_SYSTEM_LOOKUP);
	o->lookup.name = "a.example";
	FULL_TEXTS(report->arena, &o->lookup.addresses, "192.0.2.1", "2001:db8::1");
	o = full_observation(report, path, OP_TCP_CONNECT);
	o->tcp = (struct tcp_connect){.tuple = full_tuple,
				      .peer = "proxy",
				      .icmp = full_icmp,
				      .has_tcp_info = true,
				      .tcp_info = {1234, 2, 1, 1448, 7},
				      .min_ttl = 62,
				      .syn_ack_ttl = 61,
				      .reset_ttl = 0,
				      .sent_bytes = 16,
				      .bytes_acked = 17,
				      .bytes_received = 3,
				      .first_bytes = "\\x15\\x03"};
	o = full_observation(report, path, OP_TTL_PROBE);
	o->ttl = (struct ttl_probe){.tuple = full_tuple,
				    .ttl = 3,
				    .sent = "syn",
				    .expired = true,
				    .from = "10.9.1.1",
				    .icmp = full_icmp,
				    .tcp = "rst"};
	o = full_observation(report, path, OP_LOCAL_FACT);
	o->fact.fact = "interface";
	o->fact.subject = "eth0";
	o->fact.state = "up";
	FULL_TEXTS(report->arena, &o->fact.values, "10.0.0.2");
}

static void full_exchanges(struct report *report, struct path *path)
{
	struct arena *a = report->arena;
	struct observation *o = full_observation(report, path, OP_PROXY_EXCHANGE);
	o->proxy = (struct proxy_exchange){.tuple = full_tuple,
					   .proxy = "proxy.corp:3128",
					   .protocol = "http",
					   .method = "CONNECT",
					   .request = "a.example:443",
					   .status = 407,
					   .socks_reply = 5,
					   .auth_tried = "ntlm",
					   .auth_problem = "no ticket",
					   .body_head = "<html>",
					   .first_bytes = "\\x05\\x00"};
	FULL_TEXTS(a, &o->proxy.schemes, "negotiate", "ntlm");
	header_list_add(a, &o->proxy.headers, "via", "1.1 a");
	header_list_add(a, &o->proxy.headers, "server", "squid");
	header_list_add(a, &o->proxy.headers, "via", "1.1 b");
	o = full_observation(report, path, OP_HTTP_EXCHANGE);
	o->http = (struct http_exchange){.tuple = full_tuple,
					 .method = "GET",
					 .url = "http://a.example/",
					 .by_proxy = true,
					 .status = 511,
					 .body_bytes = 65536,
					 .body_sha256 =
						 "cc33cc33cc33cc33cc33cc33cc33cc33cc33cc33cc33cc33cc33cc33cc33cc33",
					 .body_head = "hello",
					 .body_matches = true,
					 .bytes_acked = 200,
					 .error = "words of the library"};
	header_list_add(a, &o->http.headers, "date", "Sat, 31 Jan 2026 09:05:07 GMT");
}

static void full_scripts(struct report *report, struct path *path)
{
	static struct proxy_call calls[] = {{"isResolvable(\"a.example\")", "false", 7}};
	struct observation *o = full_observation(report, path, OP_PROXY_SCRIPT);
	o->script = (struct proxy_script){.mechanism = "auto_detect",
					  .found_by = "dhcp",
					  .url = "http://wpad.corp/wpad.dat",
					  .error = "too_large",
					  .message = "more than a megabyte",
					  .sandbox = "a seccomp filter",
					  .mime = "text/html",
					  .sha256 = "ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55",
					  .bytes = 1048577,
					  .status = 200};
	FULL_TEXTS(report->arena, &o->script.names, "wpad.corp", "wpad.a.corp");
	o = full_observation(report, path, OP_PROXY_DECISION);
	o->decision = (struct proxy_decision){.mechanism = "pac",
					      .script = "http://wpad.corp/proxy.pac",
					      .url = "https://a.example/",
					      .entry_point = "FindProxyForURLEx",
					      .error = "exception",
					      .message = "ReferenceError (line 7)",
					      .result = "PROXY a:1; DIRECT",
					      .calls = calls,
					      .call_count = 1};
	FULL_TEXTS(report->arena, &o->decision.via, "PROXY a:1", "DIRECT");
}

static void full_handshake(struct report *report, struct path *path)
{
	struct observation *o = full_observation(report, path, OP_TLS_HANDSHAKE);
	static struct certificate chain[] = {{"CN=a.example",
					      "CN=CA,O=Corp",
					      "a.example",
					      "CA",
					      "Corp",
					      -631152000,
					      253402300799,
					      "dd44dd44dd44dd44dd44dd44dd44dd44dd44dd44dd44dd44dd44dd44dd44dd44",
					      true,
					      true,
					      {0}}};
	chain[0].revocation_hosts = (struct text_list){0};
	FULL_TEXTS(report->arena, &chain[0].revocation_hosts, "crl.example", "ocsp.example");
	o->tls = (struct tls_handshake){.tuple = full_tuple,
					.peer = "target",
					.sni = "a.example",
					.progress = TLS_CERTIFICATE,
					.version = "TLSv1.3",
					.cipher = "TLS_AES_256_GCM_SHA384",
					.alert = 48,
					.alert_sent = 42,
					.plain_reply = "HTTP/1.1 400",
					.error = "words of the library",
					.chain = chain,
					.chain_count = 1,
					.verify = "expired",
					.name_matches = true,
					.root_subject = "CN=Root",
					.root_sha256 =
						"ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55ee55",
					.root_service = true,
					.root_public = true,
					.root_store = "user",
					.system_verify = "untrusted_root",
					.verified_at_s = 1769850307,
					.bytes_acked = 518,
					.bytes_received = 4096,
					.hello_bytes = 1517,
					.segment_bytes = 1300};
	FULL_TEXTS(report->arena, &o->tls.names, "a.example", "*.b.example");
}

static void full_judgement(struct report *report, struct path *path)
{
	struct arena *a = report->arena;
	path->stages[0] = (struct stage_result){STAGE_DNS, STATUS_SKIPPED, 1, 2003, "the proxy resolves"};
	path->stages[1] = (struct stage_result){STAGE_TLS, STATUS_FAIL, 3000, 4005, "of a reset"};
	path->stage_count = 2;
	struct verdict *v = &path->verdict;
	*v = (struct verdict){.status = STATUS_FAIL,
			      .stage = STAGE_TLS,
			      .cause = "tls_sni_reset",
			      .owner = OWNER_FIREWALL_TEAM,
			      .confidence = 0.1 + 0.2,
			      .has_place = true,
			      .at = {3, "10.9.1.1", "10.9.1.5"}};
	observation_list_add(a, &v->evidence, report->observations.items[0]);
	FULL_TEXTS(a, &v->also, "cfg_zone_not_trusted");
	FULL_TEXTS(a, &v->not_run, "other SNI");
	struct finding *f = report_add_finding(report);
	static struct flow flows[] = {{{"tcp", "10.0.0.2", "20.190.128.1", 50113, 443},
				       "a.example",
				       "a.example",
				       1769850307121,
				       1769850307999,
				       3,
				       "connection_reset",
				       "server"}};
	f->status = STATUS_WARN;
	f->stage = STAGE_TLS;
	f->cause = "tls_sni_reset";
	f->owner = OWNER_FIREWALL_TEAM;
	f->subject_kind = SUBJECT_ISSUER;
	f->subject = "CN=CA";
	f->confidence = 0.85;
	f->targets = report->targets;
	f->target_count = report->target_count;
	path_list_add(a, &f->paths, path);
	f->summary = "It breaks.";
	FULL_TEXTS(a, &f->remedy, "Mend it.", "Try again.");
	observation_list_add(a, &f->evidence, report->observations.items[1]);
	f->flows = flows;
	f->flow_count = 1;
	report->checks = arena_grow(a, NULL, &report->check_capacity, 0, sizeof(*report->checks));
	report->checks[report->check_count++] = (struct check){
		"dotnet", STATUS_WARN, "release 394806", "a key", "the installer needs 4.8", "pre_dotnet_old"};
	report->readiness.ready = true;
	report->readiness.basis = "system/wininet";
	FULL_TEXTS(a, &report->readiness.blocking, f->id);
	FULL_TEXTS(a, &report->readiness.inconclusive, path->id);
}

static void full_coverage(struct report *report)
{
	struct arena *a = report->arena;
	struct coverage *coverage = report->coverage = arena_alloc(a, sizeof(*coverage));
	*coverage = (struct coverage){
		.region = "eus", .region_name = "East US", .circuit_interface = "to-msee", .own_count = 3};
	coverage->tables = arena_alloc(a, sizeof(*coverage->tables));
	coverage->tables[coverage->table_count++] = (struct coverage_table){
		TABLE_ROUTER, "edge.json", "bgp_json", 7, 5, 4, true, true, true, ROUTE_WAY_INTERNET, true, true};
	coverage->prefixes = arena_alloc(a, sizeof(*coverage->prefixes));
	struct coverage_prefix *prefix = &coverage->prefixes[coverage->prefix_count++];
	*prefix = (struct coverage_prefix){
		.service = "entra", .prefix = "20.190.128.0/18", .source = "documented", .required = true};
	struct coverage_view *view = prefix->views = arena_alloc(a, sizeof(*view));
	prefix->view_count = 1;
	*view = (struct coverage_view){.table = 1, .circuit = COVER_PART, .default_only = true};
	struct coverage_route *route = view->routes = arena_alloc(a, sizeof(*route));
	view->route_count = 1;
	*route = (struct coverage_route){.prefix = "20.190.128.0/19",
					 .next_hop = "203.0.113.2",
					 .as_path = "12076 8075",
					 .way = ROUTE_WAY_CIRCUIT,
					 .best = true};
	struct coverage_community *community = coverage->communities = arena_alloc(a, sizeof(*community));
	coverage->community_count = 1;
	*community = (struct coverage_community){.value = "12076:5060",
						 .service = "entra",
						 .name = "Microsoft Entra ID",
						 .state = COMMUNITY_PART,
						 .routes = 2};
	struct coverage_host *host = coverage->hosts = arena_alloc(a, sizeof(*host));
	coverage->host_count = 1;
	*host = (struct coverage_host){"crl3.digicert.com", 80, "pki", true, "It is not Azure's.", {0}};
	FULL_TEXTS(a, &coverage->circuit_hops, "203.0.113.2", "203.0.113.6");
	FULL_TEXTS(a, &route->communities, "12076:5060", "12076:51004");
	FULL_TEXTS(a, &view->missing, "20.190.160.0/19", "20.190.159.0/24");
	FULL_TEXTS(a, &view->elsewhere, "20.190.160.0/20", "20.190.159.0/25");
	FULL_TEXTS(a, &view->unused, "20.190.160.0/21", "20.190.159.0/26");
	FULL_TEXTS(a, &community->missing, "40.126.0.0/18", "20.190.160.0/19");
	FULL_TEXTS(a, &host->addresses, "192.229.211.10", "192.229.211.11");
	FULL_TEXTS(a, &coverage->own_prefixes, "198.51.100.0/24", "203.0.114.0/24");
	FULL_TEXTS(a, &coverage->both_ways, "20.190.128.0/18", "40.126.0.0/18");
}

static void full_sweep(struct report *report)
{
	static struct sweep_prefix prefixes[] = {{"20.190.128.0/19", SWEEP_OPEN, "10.9.1.1", 3, 13},
						 {"20.190.160.0/19", SWEEP_PROHIBITED, "10.9.1.2", 3, 10}};
	static struct audit_block blocks[] = {{.first = "20.190.160.0",
					       .last = "20.190.191.255",
					       .state = AUDIT_BLOCKED,
					       .refused = true,
					       .hop = 3,
					       .last_heard = "10.9.1.1",
					       .first_silent = "10.9.1.5"}};
	static struct sweep_audit audit = {.probes = 311,
					   .ttl = 4,
					   .beyond = "10.9.1.5",
					   .step = 256,
					   .cut = true,
					   .rationed = true,
					   .blocks = blocks};
	struct sweep *sweep = report_add_sweep(report, report->targets[0]);
	sweep->addresses = 16384;
	for (int i = 0; i < SWEEP_STATES; i++)
		sweep->counts[i] = 100 + i;
	sweep->connects = 20011;
	sweep->loss = 0.125;
	sweep->tries = 3;
	sweep->rtt_us = 40123;
	sweep->timeout_us = 100456;
	sweep->rate = 200;
	sweep->rate_seen = 199;
	sweep->stopped = "rate_limited";
	sweep->prefixes = prefixes;
	sweep->prefix_count = 2;
	sweep->audit = &audit;
	blocks[0].prefixes = (struct text_list){0};
	FULL_TEXTS(report->arena, &blocks[0].prefixes, "20.190.160.0/20", "20.190.176.0/20");
	blocks[0].evidence = (struct observation_list){0};
	observation_list_add(report->arena, &blocks[0].evidence, report->observations.items[0]);
	audit.block_count = 1;
}

static struct report *full_report(void)
{
	struct report *report = report_new();
	full_run(report);
	full_identities(report);
	struct path *path = report_add_path(report);
	path->target = full_target(report);
	path->identity = IDENTITY_SYSTEM;
	path->route = (struct route){.kind = ROUTE_WINHTTP,
				     .via = "PROXY proxy.corp:3128",
				     .source = "file.reg:7",
				     .rule = "entry `https=`",
				     .problem = "no port",
				     .mechanism = "static",
				     .error = "no_sandbox"};
	FULL_TEXTS(report->arena, &path->route.list, "PROXY proxy.corp:3128", "DIRECT");
	path->effective = true;
	full_packets(report, path);
	full_exchanges(report, path);
	full_handshake(report, path);
	full_scripts(report, path);
	struct attempt *attempt = path_add_attempt(report, path);
	attempt->address = "20.190.128.1";
	attempt->port = 443;
	attempt->via = "DIRECT";
	attempt->source = "10.0.0.2:50113";
	attempt->found_by = FOUND_BY_SERVER;
	attempt->started_at_ms = 1769850307121;
	attempt->ended_at_ms = 1769850307999;
	attempt->failure = FAILURE_EOF;
	observation_list_add(report->arena, &attempt->observations, report->observations.items[2]);
	full_judgement(report, path);
	full_coverage(report);
	full_sweep(report);
	return report;
}

#endif
