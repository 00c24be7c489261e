/* The walk against a network that is made up here: whatever leaves a namespace of this test's own comes to a TUN device, behind which a path
 * with routers 10.9.0.1, .2, .3 and the target at TTL 4 is told of by forged answers. */

#include "probe/engine/walk.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/core/arena.h"
#include "probe/core/walk_view.h"
#include "probe/os/os.h"
#include "tests/unit/check.h"

#define TARGET "192.0.2.9"
#define OWN "10.9.0.100"
enum {
	PORT = 443,
	TARGET_TTL = 4,
	PATIENCE_US = 900 * 1000,
	ANSWER_AFTER_US = 3000,
	PACKET_BYTES = 2048,
	IP_BYTES = 20
};
enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };
enum { SETTLE_US = 60 * 1000 };

/** What the network does with a packet; by TTL. */
enum deed {
	PASS,	  /* a router reports its end; the target answers as it should */
	SILENT,	  /* nothing comes back */
	ONCE,	  /* the first packet of that TTL is lost */
	RESET,	  /* a reset in the target's name */
	PROHIBIT, /* ICMP 3/13 from that hop */
	DATA,	  /* the target answers data with data; else as PASS */
	CLOSE	  /* the target answers data with a FIN */
};

static struct {
	int tun;
	enum deed deeds[64];
	unsigned syns[64], last_syn_port[64]; /* by TTL */
	unsigned resets;		      /* that were let out without a limit */
} net;

/* ------------------------------------------------------------------ packets */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static uint32_t sum16(const uint8_t *bytes, size_t length, uint32_t sum)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += get16(bytes + i);
	return length % 2 ? sum + (uint32_t)(bytes[length - 1] << 8) : sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/** Send what stands behind an IP header from that source, to this test's address. */
static void send_ip(uint32_t source, int protocol, uint8_t *packet, size_t payload_bytes)
{
	memset(packet, 0, IP_BYTES);
	packet[0] = 0x45;
	put16(packet + 2, (unsigned)(IP_BYTES + payload_bytes));
	packet[8] = 60;
	packet[9] = (uint8_t)protocol;
	put32(packet + 12, source);
	put32(packet + 16, ntohl(inet_addr(OWN)));
	put16(packet + 10, fold(sum16(packet, IP_BYTES, 0)));
	usleep(ANSWER_AFTER_US);
	CHECK(write(net.tun, packet, IP_BYTES + payload_bytes) > 0);
}

static void send_icmp(uint32_t source, int type, int code, const uint8_t *about, size_t about_bytes)
{
	uint8_t packet[PACKET_BYTES] = {0}, *icmp = packet + IP_BYTES;
	icmp[0] = (uint8_t)type;
	icmp[1] = (uint8_t)code;
	memcpy(icmp + 8, about, about_bytes);
	put16(icmp + 2, fold(sum16(icmp, 8 + about_bytes, 0)));
	send_ip(source, IPPROTO_ICMP, packet, 8 + about_bytes);
}

static void send_tcp(const uint8_t *about, unsigned flags, uint32_t sequence, uint32_t acknowledged, const char *data)
{
	const uint8_t *their = about + IP_BYTES;
	uint8_t packet[PACKET_BYTES] = {0}, *tcp = packet + IP_BYTES, pseudo[12] = {0};
	size_t bytes = IP_BYTES + strlen(data);
	put16(tcp, get16(their + 2));
	put16(tcp + 2, get16(their));
	put32(tcp + 4, sequence);
	put32(tcp + 8, acknowledged);
	tcp[12] = 0x50;
	tcp[13] = (uint8_t)flags;
	put16(tcp + 14, 65000);
	memcpy(tcp + 20, data, strlen(data));
	memcpy(pseudo, about + 16, 4);
	memcpy(pseudo + 4, about + 12, 4);
	pseudo[9] = IPPROTO_TCP;
	put16(pseudo + 10, (unsigned)bytes);
	put16(tcp + 16, fold(sum16(tcp, bytes, sum16(pseudo, sizeof(pseudo), 0))));
	send_ip(get32(about + 16), IPPROTO_TCP, packet, bytes);
}

/* ------------------------------------------------------------------ the network */

static void target_tcp(const uint8_t *packet, size_t length, enum deed deed)
{
	const uint8_t *tcp = packet + IP_BYTES;
	size_t data_bytes = length - IP_BYTES - (size_t)(tcp[12] >> 4) * 4;
	uint32_t sequence = get32(tcp + 4), next = sequence + (uint32_t)data_bytes;
	if (tcp[13] & FLAG_RST)
		return;
	if (deed == RESET && (data_bytes || tcp[13] & FLAG_SYN))
		send_tcp(packet, FLAG_RST | FLAG_ACK, get32(tcp + 8), next + !data_bytes, "");
	else if (tcp[13] & FLAG_SYN)
		send_tcp(packet, FLAG_SYN | FLAG_ACK, 1000, sequence + 1, "");
	else if (data_bytes && deed == DATA)
		send_tcp(packet, FLAG_ACK, 1001, next, "hello yourself");
	else if (data_bytes && deed == CLOSE)
		send_tcp(packet, FLAG_ACK | FLAG_FIN, 1001, next, "");
}

/** Only the identifier and the sequence make a reply: they go back as they came. */
static void echo_reply(const uint8_t *packet, size_t length)
{
	uint8_t reply[PACKET_BYTES] = {0};
	memcpy(reply + IP_BYTES, packet + IP_BYTES, length - IP_BYTES);
	reply[IP_BYTES] = 0;
	put16(reply + IP_BYTES + 2, 0);
	put16(reply + IP_BYTES + 2, fold(sum16(reply + IP_BYTES, length - IP_BYTES, 0)));
	send_ip(get32(packet + 16), IPPROTO_ICMP, reply, length - IP_BYTES);
}

/** The TTL that tells which probe it is. What belongs to a connection that stands, but is no data, has the system's own TTL. */
static void forward(uint8_t *packet, size_t length)
{
	int ttl = packet[8];
	bool limited = ttl < 33;
	enum deed deed = limited ? net.deeds[ttl] : PASS;
	uint32_t hop = ntohl(inet_addr("10.9.0.0")) + (uint32_t)ttl;
	if (packet[9] == IPPROTO_TCP && packet[IP_BYTES + 13] & FLAG_SYN && limited) {
		net.syns[ttl]++;
		if (net.syns[ttl] > 1)
			CHECK_INT(get16(packet + IP_BYTES), net.last_syn_port[ttl]); /* the same flow */
		net.last_syn_port[ttl] = get16(packet + IP_BYTES);
	}
	if (packet[9] == IPPROTO_TCP && packet[IP_BYTES + 13] & FLAG_RST && !limited)
		net.resets++;
	if (deed == ONCE)
		net.deeds[ttl] = PASS;
	if (deed == SILENT || deed == ONCE)
		return;
	if (deed == PROHIBIT)
		send_icmp(hop, 3, 13, packet, length);
	else if (packet[9] == IPPROTO_TCP && (deed == RESET || deed == DATA || deed == CLOSE))
		target_tcp(packet, length, deed);
	else if (ttl < TARGET_TTL)
		send_icmp(hop, 11, 0, packet, length);
	else if (packet[9] == IPPROTO_TCP)
		target_tcp(packet, length, deed);
	else if (packet[9] == IPPROTO_ICMP)
		echo_reply(packet, length);
	else
		send_icmp(get32(packet + 16), 3, 3, packet, length);
}

static void *network(void *nothing)
{
	uint8_t packet[PACKET_BYTES];
	for (;;) {
		ssize_t got = read(net.tun, packet, sizeof(packet));
		if (got < IP_BYTES + 8)
			continue;
		if (packet[0] == 0x45 && get32(packet + 16) == ntohl(inet_addr(TARGET)))
			forward(packet, (size_t)got);
	}
	return nothing;
}

static void set_address(struct ifreq *request, int fd, unsigned long what, const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	inet_pton(AF_INET, address, &in.sin_addr);
	memcpy(&request->ifr_addr, &in, sizeof(in));
	CHECK(ioctl(fd, what, request) == 0);
}

static bool enter_namespace(void)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "path"};
	struct rtentry route = {.rt_flags = RTF_UP, .rt_dev = request.ifr_name};
	pthread_t thread;
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	net.tun = open("/dev/net/tun", O_RDWR);
	if (net.tun < 0 || ioctl(net.tun, TUNSETIFF, &request) != 0)
		return false;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	set_address(&request, fd, SIOCSIFADDR, OWN);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	struct sockaddr_in any = {.sin_family = AF_INET};
	memcpy(&route.rt_dst, &any, sizeof(any));
	memcpy(&route.rt_genmask, &any, sizeof(any));
	CHECK(ioctl(fd, SIOCADDRT, &route) == 0);
	close(fd);
	return pthread_create(&thread, NULL, network, NULL) == 0;
}

/* ------------------------------------------------------------------ walking */

static unsigned walks_done;

static void on_done(struct walk *walk, void *user)
{
	(void)walk;
	walks_done++;
	*(bool *)user = true;
}

static const enum deed all_pass[64] = {PASS};

/* What the walk before this one has sent, and did not wait for, is gone by then. */
static void network_set(const enum deed *deeds)
{
	usleep(SETTLE_US);
	memcpy(net.deeds, deeds, sizeof(net.deeds));
	memset(net.syns, 0, sizeof(net.syns));
	net.resets = 0;
}

struct walked {
	struct report *report;
	struct walk_view view;
	int64_t took_us;
};

static struct walk_spec spec_of(enum walk_kind kind)
{
	return (struct walk_spec){.address = TARGET,
				  .port = PORT,
				  .kind = kind,
				  .experiment = "walk",
				  .ttl_to = 8,
				  .payload = (const uint8_t *)"hello",
				  .payload_bytes = 5,
				  .patience_us = PATIENCE_US};
}

static struct walked walk_now(const struct walk_spec *spec, const enum deed *deeds)
{
	struct walked out = {.report = report_new()};
	uv_loop_t loop;
	bool done = false;
	unsigned before = walks_done;
	network_set(deeds);
	int64_t begin = os_monotonic_us();
	uv_loop_init(&loop);
	walk_start(&loop, out.report, begin, spec, on_done, &done);
	CHECK(!done && !out.report->observations.count); /* never inside the start */
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(done);
	CHECK_INT(walks_done, before + 1);
	CHECK_INT(uv_loop_close(&loop), 0); /* no handle is left */
	out.took_us = os_monotonic_us() - begin;
	walk_view_make(out.report, spec->address, NOT_MEASURED, "walk", NULL, &out.view);
	return out;
}

static const struct ttl_probe *probe_at(const struct walked *walked, int ttl)
{
	static const struct ttl_probe none;
	const struct walk_hop *hop = walk_view_hop(&walked->view, ttl);
	CHECK(hop != NULL);
	return hop ? &hop->seen->ttl : &none;
}

static void check_hops(const struct walked *walked, int count)
{
	char address[32];
	for (int ttl = 1; ttl <= count; ttl++) {
		const struct ttl_probe *probe = probe_at(walked, ttl);
		snprintf(address, sizeof(address), "10.9.0.%d", ttl);
		CHECK(probe->expired);
		CHECK_TEXT(probe->from, address);
		CHECK_INT(probe->icmp.type, 11);
		CHECK_TEXT(probe->tuple.src, OWN);
	}
}

static void a_syn_reaches_the_target(void)
{
	struct walk_spec spec = spec_of(WALK_SYN);
	struct walked walked = walk_now(&spec, all_pass);
	CHECK_INT(walked.report->observations.count, TARGET_TTL); /* nothing above the first that got there */
	check_hops(&walked, TARGET_TTL - 1);
	CHECK_INT(walked.view.reached_ttl, TARGET_TTL);
	CHECK_TEXT(probe_at(&walked, TARGET_TTL)->tcp, "syn_ack");
	CHECK_TEXT(probe_at(&walked, TARGET_TTL)->sent, "syn");
	CHECK(!probe_at(&walked, TARGET_TTL)->expired);
	CHECK(walked.took_us < PATIENCE_US / 3);
	for (int ttl = 1; ttl < TARGET_TTL; ttl++)
		CHECK_INT(probe_at(&walked, ttl + 1)->tuple.src_port, probe_at(&walked, ttl)->tuple.src_port + 1);
	for (size_t i = 0; i < walked.report->observations.count; i++)
		CHECK(walked.report->observations.items[i]->duration_us >= ANSWER_AFTER_US / 2);
	report_free(walked.report);
}

static void a_reset_speaks_for_the_target(void)
{
	enum deed deeds[64] = {
		[2] = RESET, [3] = RESET, [4] = RESET, [5] = RESET, [6] = RESET, [7] = RESET, [8] = RESET};
	struct walk_spec spec = spec_of(WALK_SYN);
	struct walked walked = walk_now(&spec, deeds);
	CHECK_INT(walked.report->observations.count, 2);
	CHECK_INT(walked.view.reached_ttl, 2);
	CHECK_TEXT(probe_at(&walked, 2)->tcp, "rst");
	CHECK_TEXT(probe_at(&walked, 2)->from, NULL);
	report_free(walked.report);
}

static void silence_takes_all_the_time_and_two_tries(void)
{
	enum deed deeds[64] = {0};
	for (int ttl = 3; ttl <= 8; ttl++)
		deeds[ttl] = SILENT;
	struct walk_spec spec = spec_of(WALK_SYN);
	struct walked walked = walk_now(&spec, deeds);
	CHECK_INT(walked.report->observations.count, 8);
	check_hops(&walked, 2);
	CHECK(walked.view.ends_early);
	CHECK_INT(walked.view.first_silent_ttl, 3);
	CHECK(walked.took_us >= PATIENCE_US && walked.took_us < 2 * PATIENCE_US);
	CHECK_INT(net.syns[1], 1);
	CHECK_INT(net.syns[5], 2);
	CHECK_INT(probe_at(&walked, 5)->tuple.src_port, net.last_syn_port[5]);
	CHECK_INT(walked.report->observations.items[4]->failure, FAILURE_TIMEOUT);
	CHECK(walked.report->observations.items[4]->duration_us >= PATIENCE_US * 9 / 10);
	report_free(walked.report);
}

static void a_hop_that_answers_only_the_second_time_is_heard(void)
{
	enum deed deeds[64] = {[2] = ONCE};
	struct walk_spec spec = spec_of(WALK_SYN);
	struct walked walked = walk_now(&spec, deeds);
	check_hops(&walked, TARGET_TTL - 1);
	CHECK_INT(net.syns[2], 2);
	CHECK(walked.took_us < PATIENCE_US * 2 / 3);
	report_free(walked.report);
}

static void a_mute_hop_is_waited_for_only_a_while(void)
{
	enum deed deeds[64] = {[2] = SILENT};
	struct walk_spec spec = spec_of(WALK_SYN);
	struct walked walked = walk_now(&spec, deeds);
	CHECK_INT(walked.view.reached_ttl, TARGET_TTL);
	CHECK(!walk_view_hop(&walked.view, 2)->heard);
	CHECK(walked.took_us >= 300 * 1000 && walked.took_us < PATIENCE_US);
	report_free(walked.report);
}

static void who_refuses_is_named(void)
{
	enum deed deeds[64] = {0};
	for (int ttl = 2; ttl <= 8; ttl++)
		deeds[ttl] = PROHIBIT;
	struct walk_spec spec = spec_of(WALK_SYN);
	struct walked walked = walk_now(&spec, deeds);
	CHECK_TEXT(walked.view.refused_by ? walked.view.refused_by->address : NULL, "10.9.0.2");
	CHECK_INT(probe_at(&walked, 2)->icmp.code, 13);
	CHECK_INT(walk_view_hop(&walked.view, 2)->seen->failure, FAILURE_HOST_UNREACHABLE);
	CHECK(!probe_at(&walked, 2)->expired);
	CHECK(walked.took_us < PATIENCE_US / 2);
	report_free(walked.report);
}

static void datagrams_are_told_of_by_the_target(void)
{
	struct walk_spec spec = spec_of(WALK_UDP);
	struct walked walked = walk_now(&spec, all_pass);
	check_hops(&walked, TARGET_TTL - 1);
	CHECK_INT(walked.view.reached_ttl, TARGET_TTL);
	CHECK_INT(walked.view.reached_by, WALK_REACHED_ICMP);
	CHECK_TEXT(probe_at(&walked, 1)->tuple.proto, "udp");
	CHECK_INT(probe_at(&walked, 3)->tuple.dst_port, WALK_UDP_PORT + 3);
	CHECK_TEXT(probe_at(&walked, TARGET_TTL)->from, TARGET);
	CHECK_INT(probe_at(&walked, TARGET_TTL)->icmp.type, 3);
	report_free(walked.report);
}

static void echo_needs_leave(void)
{
	struct walk_spec spec = spec_of(WALK_ECHO);
	struct walked walked = walk_now(&spec, all_pass);
	CHECK_INT(walked.report->observations.count, 1);
	CHECK_INT(walked.view.not_sent, FAILURE_PERMISSION_DENIED);
	report_free(walked.report);
	int file = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
	if (file < 0 || write(file, "0 0", 3) != 3) {
		printf("note: ping_group_range cannot be set here: echo is not tested\n");
		return;
	}
	close(file);
	walked = walk_now(&spec, all_pass);
	check_hops(&walked, TARGET_TTL - 1);
	CHECK_INT(walked.view.reached_ttl, TARGET_TTL);
	CHECK_INT(probe_at(&walked, TARGET_TTL)->icmp.type, 0);
	CHECK_TEXT(probe_at(&walked, TARGET_TTL)->from, TARGET);
	CHECK_TEXT(probe_at(&walked, 1)->tuple.proto, "icmp");
	report_free(walked.report);
}

/* Errors of ICMP for an established connection come without their sender. */
static void a_hello_gets_as_far_as_it_gets(void)
{
	static const struct {
		enum deed at_target;
		const char *tcp;
	} rows[] = {{DATA, "data"}, {CLOSE, "fin"}, {RESET, "rst"}, {SILENT, NULL}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum deed deeds[64] = {0};
		for (int ttl = TARGET_TTL; ttl <= 8; ttl++)
			deeds[ttl] = rows[i].at_target;
		struct walk_spec spec = spec_of(WALK_HELLO);
		struct walked walked = walk_now(&spec, deeds);
		for (int ttl = 1; ttl < TARGET_TTL; ttl++) {
			CHECK(probe_at(&walked, ttl)->expired);
			CHECK_TEXT(probe_at(&walked, ttl)->from, NULL);
			CHECK_TEXT(probe_at(&walked, ttl)->sent, "hello");
		}
		CHECK_TEXT(probe_at(&walked, TARGET_TTL)->tcp, rows[i].tcp);
		CHECK_INT(walked.view.reached_ttl, rows[i].tcp ? TARGET_TTL : NOT_MEASURED);
		CHECK(rows[i].tcp || walked.took_us >= PATIENCE_US);
		usleep(SETTLE_US);
		if (rows[i].at_target == SILENT)
			CHECK_INT(net.resets, spec.ttl_to); /* no connection is left half-open */
		report_free(walked.report);
	}
}

static void a_box_that_kills_the_hello_is_placed(void)
{
	enum deed deeds[64] = {
		[2] = RESET, [3] = RESET, [4] = RESET, [5] = RESET, [6] = RESET, [7] = RESET, [8] = RESET};
	struct walk_spec spec = spec_of(WALK_HELLO);
	struct walked walked = walk_now(&spec, deeds);
	CHECK(probe_at(&walked, 1)->expired);
	CHECK_INT(walked.view.reached_ttl, 2);
	CHECK_INT(walked.view.reached_by, WALK_REACHED_RST);
	report_free(walked.report);
}

static void the_same_flow_has_the_same_ports(void)
{
	struct walk_spec spec = spec_of(WALK_SYN);
	int ports[3];
	for (unsigned i = 0; i < 3; i++) {
		uv_loop_t loop;
		struct report *report = report_new();
		bool done = false;
		spec.flow = i == 1;
		network_set(all_pass);
		uv_loop_init(&loop);
		walk_start(&loop, report, 4711, &spec, on_done, &done);
		uv_run(&loop, UV_RUN_DEFAULT);
		uv_loop_close(&loop);
		ports[i] = report->observations.items[0]->ttl.tuple.src_port;
		report_free(report);
	}
	CHECK_INT(ports[0], ports[2]);
	CHECK(ports[0] != ports[1]);
}

static void a_walk_is_stopped(void)
{
	uv_loop_t loop;
	struct report *report = report_new();
	struct path_list paths = {0};
	enum deed deeds[64] = {[5] = SILENT, [6] = SILENT};
	bool done = false;
	struct walk_spec spec = spec_of(WALK_SYN);
	path_list_add(report->arena, &paths, report_add_path(report));
	spec.paths = &paths;
	spec.ttl_from = 5;
	spec.ttl_to = 6;
	network_set(deeds);
	uv_loop_init(&loop);
	struct walk *walk = walk_start(&loop, report, os_monotonic_us(), &spec, on_done, &done);
	walk_cancel(walk, FAILURE_DEADLINE);
	CHECK(done);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&loop), 0);
	CHECK_INT(report->observations.count, 2);
	CHECK_INT(report->observations.items[0]->ttl.ttl, 5);
	CHECK_INT(report->observations.items[0]->failure, FAILURE_DEADLINE);
	CHECK(path_list_has(&report->observations.items[1]->paths, paths.items[0]));
	report_free(report);
}

static void what_is_no_address_gets_nowhere(void)
{
	struct walk_spec spec = spec_of(WALK_SYN);
	spec.address = "login.example";
	struct walked walked = walk_now(&spec, all_pass);
	CHECK_INT(walked.report->observations.count, 1);
	CHECK_INT(walked.view.not_sent, FAILURE_UNKNOWN);
	report_free(walked.report);
	spec.address = "2001:db8::1"; /* there is no route for it here */
	walked = walk_now(&spec, all_pass);
	CHECK_INT(walked.report->observations.count, 1);
	CHECK_INT(walked.view.not_sent, FAILURE_NETWORK_UNREACHABLE);
	report_free(walked.report);
}

int main(void)
{
	if (!enter_namespace()) {
		printf("no network namespace with a TUN device here: not tested\n");
		return check_summary();
	}
	a_syn_reaches_the_target();
	a_reset_speaks_for_the_target();
	silence_takes_all_the_time_and_two_tries();
	a_hop_that_answers_only_the_second_time_is_heard();
	a_mute_hop_is_waited_for_only_a_while();
	who_refuses_is_named();
	datagrams_are_told_of_by_the_target();
	echo_needs_leave();
	a_hello_gets_as_far_as_it_gets();
	a_box_that_kills_the_hello_is_placed();
	the_same_flow_has_the_same_ports();
	a_walk_is_stopped();
	what_is_no_address_gets_nowhere();
	return check_summary();
}
