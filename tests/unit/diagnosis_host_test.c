/* Rules about this server: for each a case that holds, and one that nearly does. */

#include "check.h"
#include "report_builder.h"

static const char *const none[] = {NULL};

static struct report *one_path(struct path **path)
{
	struct report *report = build_report();
	*path = build_path(report, build_target(report, "login.example", 443));
	return report;
}

static void expect(struct report *report, enum status status, const char *cause)
{
	diagnose(report);
	CHECK_TEXT(report->paths[0]->verdict.cause, cause);
	CHECK_INT(report->paths[0]->verdict.status, status);
	if (cause)
		CHECK(report->paths[0]->verdict.evidence.count > 0);
	report_free(report);
}

/* A connect that ends so on an otherwise healthy server, changed by one fact. */
static void connect_ends(enum failure failure, const char *fact, const char *subject, const char *state,
			 const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_attempt(report, path, "20.190.128.1", failure);
	if (fact)
		build_state(report, fact, subject, state);
	expect(report, cause ? STATUS_FAIL : STATUS_INCONCLUSIVE, cause);
}

static void interfaces_and_routes(void)
{
	connect_ends(FAILURE_NETWORK_UNREACHABLE, "interface", "eth0", "down", "host_no_interface_up");
	connect_ends(FAILURE_NETWORK_UNREACHABLE, "interface", "eth0", "up", "host_no_usable_address");
	connect_ends(FAILURE_NETWORK_UNREACHABLE, "default_route", "ipv4", "absent", "host_no_default_route");
	/* a default route is there, and yet it fails at once: the table says so of this target */
	connect_ends(FAILURE_NETWORK_UNREACHABLE, NULL, NULL, NULL, "host_no_default_route");
	connect_ends(FAILURE_HOST_UNREACHABLE, NULL, NULL, NULL, "host_no_default_route");
	connect_ends(FAILURE_PERMISSION_DENIED, NULL, NULL, NULL, "host_firewall_blocks");
	connect_ends(FAILURE_TOO_MANY_FILES, NULL, NULL, NULL, "host_socket_or_handle_limit");
	connect_ends(FAILURE_ADDRESS_NOT_AVAILABLE, NULL, NULL, NULL, "host_ephemeral_ports_exhausted");
}

/* Where the system hides who sent an ICMP error, only its own word on the route tells this server's from a router's. */
static void unreachable_with_hidden_senders(const char *route, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_attempt(report, path, "20.190.128.1", FAILURE_HOST_UNREACHABLE);
	build_fact(report, "missing_api", "TCP_FAIL_CONNECT_ON_ICMP_ERROR", "absent", NULL);
	if (route)
		build_fact(report, "best_route", "20.190.128.1", route, NULL);
	diagnose(report);
	CHECK(path->verdict.also.count > 0);
	expect(report, cause ? STATUS_FAIL : STATUS_INCONCLUSIVE, cause);
}

/* The flag of an interface that was just set up comes late; a connection that stood is no error. */
static void interface_that_carried_something(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_state(report, "interface", "eth0", "down");
	build_attempt(report, path, "20.190.128.1", FAILURE_CONNECTION_REFUSED);
	build_works(report, build_path(report, build_target(report, "other.example", 443)), "20.190.128.2");
	expect(report, STATUS_FAIL, "tcp_refused_unlocated");
}

static void names_without_a_route(void)
{
	for (int answered = 0; answered < 2; answered++) {
		struct path *path;
		struct report *report = one_path(&path);
		build_state(report, "default_route", "ipv4", "absent");
		build_lookup(report, path, FAILURE_DNS_TEMPORARY, none);
		build_query(report, path, "10.0.0.53", FAILURE_NETWORK_UNREACHABLE, NULL);
		build_query(report, path, "10.0.0.54", answered ? FAILURE_DNS_REFUSED : FAILURE_NETWORK_UNREACHABLE,
			    NULL);
		expect(report, STATUS_FAIL, answered ? "dns_refused" : "host_no_default_route");
	}
}

/* Nobody answers for the next hop's address: that takes seconds. */
static void dead_neighbour(bool hidden, bool others_work, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_last(build_attempt(report, path, "20.190.128.1", FAILURE_HOST_UNREACHABLE))->duration_us = 3 * SECOND_US;
	if (hidden)
		build_fact(report, "missing_api", "TCP_FAIL_CONNECT_ON_ICMP_ERROR", "absent", NULL);
	if (others_work)
		build_works(report, build_path(report, build_target(report, "other.example", 443)), "20.190.128.2");
	expect(report, cause ? STATUS_FAIL : STATUS_INCONCLUSIVE, cause);
}

/* A question that this machine itself gave up, at a server next door or behind the gateway. */
static void dead_neighbour_of_names(const char *server, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	report->host.resolvers.count = 0;
	text_list_add(report->arena, &report->host.resolvers, server);
	build_lookup(report, path, FAILURE_DNS_TEMPORARY, none);
	struct observation *query = build_query(report, path, server, FAILURE_HOST_UNREACHABLE, NULL);
	query->dns.icmp = (struct icmp_error){"10.0.0.2", 3, 1, NOT_MEASURED};
	expect(report, STATUS_FAIL, cause);
}

static void own_word(int type, int code, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_rejected(report, path, "20.190.128.1", FAILURE_CONNECTION_REFUSED, "10.0.0.2", type, code);
	expect(report, STATUS_FAIL, cause);
}

/* connect() says nothing of a filter that drops what leaves; the count of what was sent again does. */
static void held_back(int count, bool others_get_out, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	if (others_get_out)
		build_query(report, path, "10.7.0.53", FAILURE_NONE, NULL);
	struct observation *tcp = build_last(build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT));
	tcp->tcp.has_tcp_info = true;
	tcp->tcp.tcp_info.held_back = count;
	expect(report, STATUS_FAIL, cause);
}

static void no_port_for_questions(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_lookup(report, path, FAILURE_DNS_TEMPORARY, none);
	build_query(report, path, "10.0.0.53", FAILURE_ADDRESS_NOT_AVAILABLE, NULL);
	build_query(report, path, "10.0.0.54", FAILURE_ADDRESS_NOT_AVAILABLE, NULL);
	expect(report, STATUS_FAIL, "host_ephemeral_ports_exhausted");
}

static void a_device_is_not_this_firewall(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_rejected(report, path, "2603::1", FAILURE_PERMISSION_DENIED, "fd00::1", 1, 1);
	expect(report, STATUS_FAIL, "ip_admin_prohibited");
}

static void missing_ipv6_is_no_fault(void)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_attempt(report, path, "2603::1", FAILURE_NETWORK_UNREACHABLE);
	build_works(report, path, "20.190.128.1");
	expect(report, STATUS_PASS, NULL);
	report = one_path(&path);
	build_attempt(report, path, "2603::1", FAILURE_NETWORK_UNREACHABLE);
	build_attempt(report, path, "20.190.128.1", FAILURE_TIMEOUT);
	expect(report, STATUS_FAIL, "tcp_syn_silent_unlocated");
}

static void preferred_ipv6_that_goes_nowhere(void)
{
	static const char *const orders[][3] = {{"2603::1", "20.190.128.1", NULL}, {"20.190.128.1", "2603::1", NULL}};
	for (int v4_first = 0; v4_first < 2; v4_first++) {
		struct path *path;
		struct report *report = one_path(&path);
		build_state(report, "default_route", "ipv6", "present");
		build_fact(report, "interface", "eth1", "up", "2001:db8::2");
		build_lookup(report, path, FAILURE_NONE, orders[v4_first]);
		build_attempt(report, path, "2603::1", FAILURE_TIMEOUT);
		build_works(report, path, "20.190.128.1");
		expect(report, STATUS_WARN, v4_first ? "tcp_partial_address_block" : "host_ipv6_preferred_broken");
	}
}

static void hosts_file(const char *entry, bool works, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_fact(report, "hosts_file", "login.example", "present", entry);
	build_lookup(report, path, FAILURE_NONE, (const char *const[]){entry, NULL});
	build_query(report, path, "10.0.0.53", FAILURE_NONE, "20.190.128.1");
	if (works)
		build_works(report, path, entry);
	else
		build_attempt(report, path, entry, FAILURE_TIMEOUT);
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	CHECK_INT(build_also(&path->verdict, "host_hosts_file_override"), works);
	if (cause && strcmp(cause, "host_hosts_file_override") == 0)
		CHECK_TEXT(report->findings[0]->subject, "login.example");
	report_free(report);
}

static void clock_of(int64_t offset_ms, int witnesses, bool breaks, enum status status, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	report->host.clock_offset_ms = offset_ms;
	report->host.clock_witnesses = witnesses;
	if (breaks) {
		struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
		build_tls(report, path, attempt, FAILURE_SSL_INVALID_CERTIFICATE)->tls.verify = "not_yet_valid";
	} else {
		build_works(report, path, "20.190.128.1");
	}
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	CHECK_INT(path->verdict.status, status);
	report_free(report);
}

/* The clock is ten minutes behind: a certificate issued five minutes ago is its fault, one that ended last year is not. */
static void clock_and_dates(int64_t from_s, int64_t to_s, const char *verify, int witnesses, const char *cause)
{
	enum { NOW_S = 1769850307 };
	struct path *path;
	struct report *report = one_path(&path);
	report->host.clock_offset_ms = -600000;
	report->host.clock_witnesses = witnesses;
	struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
	struct tls_handshake *tls = &build_tls(report, path, attempt, FAILURE_SSL_INVALID_CERTIFICATE)->tls;
	tls->verify = verify;
	tls->verified_at_s = NOW_S;
	tls->chain = arena_alloc(report->arena, sizeof(*tls->chain));
	tls->chain[0] = (struct certificate){.not_before_s = NOW_S + from_s, .not_after_s = NOW_S + to_s};
	tls->chain_count = 1;
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	report_free(report);
}

/* A leaf that ended years ago below an issuer that was made today, judged by a clock that is two days behind: the leaf is to blame. */
static void old_leaf_below_a_new_issuer(int witnesses, int64_t leaf_ends_s, int64_t issuer_begins_s, const char *verify,
					const char *cause)
{
	enum { NOW_S = 1769850307, DAY_S = 86400 };
	struct path *path;
	struct report *report = one_path(&path);
	report->host.clock_offset_ms = witnesses ? -2 * DAY_S * 1000LL : 0;
	report->host.clock_witnesses = witnesses;
	struct attempt *attempt = build_attempt(report, path, "20.190.128.1", FAILURE_NONE);
	struct tls_handshake *tls = &build_tls(report, path, attempt, FAILURE_SSL_INVALID_CERTIFICATE)->tls;
	tls->verify = verify;
	tls->verified_at_s = NOW_S;
	tls->chain = arena_alloc(report->arena, 2 * sizeof(*tls->chain));
	tls->chain[0] =
		(struct certificate){.not_before_s = NOW_S - 3000LL * DAY_S, .not_after_s = leaf_ends_s + NOW_S};
	tls->chain[1] = (struct certificate){
		.not_before_s = NOW_S + issuer_begins_s, .not_after_s = NOW_S + 3000LL * DAY_S, .is_ca = true};
	tls->chain_count = 2;
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, cause);
	report_free(report);
}

/* IPv6 has no route here, as on many servers: what became of IPv4 is the question, unless that has none, either. */
static void one_version_without_a_route(enum failure ipv4, const char *cause)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_state(report, "default_route", "ipv6", "absent");
	build_attempt(report, path, "2603:1006:2000::1", FAILURE_NETWORK_UNREACHABLE);
	build_attempt(report, path, "20.190.128.1", ipv4);
	expect(report, STATUS_FAIL, cause);
}

/* Where a router's word looks like this server's own, what is forbidden after a round trip is not sure to be forbidden here. */
static void forbidden_with_hidden_senders(int64_t duration_us, double confidence)
{
	struct path *path;
	struct report *report = one_path(&path);
	build_fact(report, "missing_api", "TCP_FAIL_CONNECT_ON_ICMP_ERROR", "absent", NULL);
	build_last(build_attempt(report, path, "20.190.128.1", FAILURE_PERMISSION_DENIED))->duration_us = duration_us;
	diagnose(report);
	CHECK_TEXT(path->verdict.cause, "host_firewall_blocks");
	CHECK(path->verdict.confidence > confidence - 0.01 && path->verdict.confidence < confidence + 0.01);
	report_free(report);
}

int main(void)
{
	old_leaf_below_a_new_issuer(3, -86400 * 2000LL, 86400, "not_yet_valid", "tls_cert_expired");
	old_leaf_below_a_new_issuer(0, -86400 * 2000LL, 86400, "not_yet_valid", "tls_cert_expired");
	old_leaf_below_a_new_issuer(3, 86400, 86400, "not_yet_valid", "tls_cert_expired");
	old_leaf_below_a_new_issuer(3, 86400 * 9, 86400 * 3, "not_yet_valid", "tls_cert_not_yet_valid");
	old_leaf_below_a_new_issuer(3, 86400 * 9, 86400, "not_yet_valid", "host_clock_skewed");
	old_leaf_below_a_new_issuer(0, 86400 * 9, 86400, "not_yet_valid", "tls_cert_not_yet_valid");
	interfaces_and_routes();
	unreachable_with_hidden_senders(NULL, NULL);
	unreachable_with_hidden_senders("present", NULL);
	unreachable_with_hidden_senders("absent", "host_no_default_route");
	one_version_without_a_route(FAILURE_TIMEOUT, "tcp_syn_silent_unlocated");
	one_version_without_a_route(FAILURE_NETWORK_UNREACHABLE, "host_no_default_route");
	forbidden_with_hidden_senders(500, 0.9);
	forbidden_with_hidden_senders(130 * 1000, 0.5);
	interface_that_carried_something();
	names_without_a_route();
	a_device_is_not_this_firewall();
	dead_neighbour(false, true, "host_gateway_neighbour_dead");
	dead_neighbour(true, false, "host_gateway_neighbour_dead");
	dead_neighbour(true, true, NULL);
	dead_neighbour_of_names("10.0.0.53", "dns_servers_silent");
	dead_neighbour_of_names("10.7.0.53", "host_gateway_neighbour_dead");
	own_word(3, 3, "host_firewall_blocks");
	own_word(3, 13, "host_firewall_blocks");
	held_back(1, true, "host_firewall_blocks");
	held_back(1, false, "host_gateway_neighbour_dead"); /* or what is sent waits for the next hop's address */
	held_back(0, true, "tcp_syn_silent_unlocated");
	held_back(NOT_MEASURED, true, "tcp_syn_silent_unlocated");
	no_port_for_questions();
	missing_ipv6_is_no_fault();
	preferred_ipv6_that_goes_nowhere();
	hosts_file("10.9.9.9", false, "host_hosts_file_override");
	hosts_file("10.9.9.9", true, NULL); /* it works: a word in `also`, no warning */
	hosts_file("20.190.128.1", false, "tcp_syn_silent_unlocated");
	clock_of(-172800000, 3, true, STATUS_FAIL, "host_clock_skewed");
	clock_of(360000, 2, false, STATUS_WARN, "host_clock_skewed");
	clock_of(360000, 1, false, STATUS_PASS, NULL);
	clock_of(240000, 5, false, STATUS_PASS, NULL);
	clock_and_dates(300, 86400, "not_yet_valid", 3, "host_clock_skewed");
	clock_and_dates(300, 86400, "not_yet_valid", 1, "host_clock_skewed");
	clock_and_dates(300, 86400, "not_yet_valid", 0, "tls_cert_not_yet_valid");
	clock_and_dates(-86400, -3600, "expired", 3, "tls_cert_expired");
	clock_and_dates(-86400, -3600, "expired", 1, "tls_cert_expired");
	return check_summary();
}
