/*
 * A wire between two network namespaces that delays, loses and bites: one TUN (or, with -e, TAP) device in each, this program between.
 * It stands where a firewall does that is no hop: TTLs pass it as they are.
 *
 * usage: tundelay -A NETNS -a DEVICE -B NETNS -b DEVICE [option...]      side A is the client's
 *   -d MS  delay from A to B              -D MS   delay from B to A (default: as -d)
 *   -j MS  jitter, added at random: packets overtake each other           -l PCT  loss, each way
 *   -m LEN swallow IP packets longer than LEN bytes, without an ICMP error (a path MTU black hole)
 *          --mtu-out LEN, --mtu-in LEN: only those of A's, only those to A
 *   -e     TAP: an Ethernet wire, with ARP
 * What it does to what A sends; the first that fits acts:
 *   --swallow WHAT   --reset WHAT   --answer syn       forget it, reset the connection at both ends, forge a SYN-ACK
 *          WHAT: packet, tcp, syn, tls (a handshake record), hello, large-hello (longer than --large BYTES), split-hello (not whole in its
 *          segment), no-sni (a hello that names nobody), or text=TEXT (what holds TEXT: an SNI, a Host header)
 *   --to ADDRESS,...  --port PORT,...    all of this only to there
 *   -t TTL, --near   TTL of what it forges (default 64); it comes at once, without the delay of the wire
 *   -k TEXT, -s TEXT, -c, -C             short for --swallow text=, --reset text=, --swallow hello, --reset hello
 * It prints "ready" when both devices stand, and runs until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/segment.h"

enum { SLOTS = 65536, SLOT_BYTES = 2048, ETHERNET_BYTES = 14, READS_PER_TURN = 64, RULES_MAX = 8, PLACES_MAX = 32 };

struct packet {
	int64_t due_us;
	uint64_t order; /* keeps packets of the same due time in sequence */
	uint16_t length;
	uint8_t to; /* 0 = side A, 1 = side B */
	uint8_t bytes[SLOT_BYTES];
};

enum bite { BITE_SWALLOW, BITE_RESET, BITE_ANSWER };

/** What is done to segments that are so; those that hold the text if is_so is NULL. */
struct rule {
	enum bite bite;
	bool (*is_so)(const struct segment *);
	const char *text;
};

static struct {
	const char *netns[2], *device[2];
	int64_t delay_us[2], jitter_us;
	double loss;
	size_t max_bytes[2], large_bytes; /* max_bytes by the side that sends */
	struct rule rules[RULES_MAX];
	struct {
		bool v6;
		uint8_t bytes[16];
	} addresses[PLACES_MAX];
	uint16_t ports[PLACES_MAX];
	size_t rule_count, address_count, port_count;
	bool ethernet, near;
	uint8_t ttl;
} options = {.delay_us = {0, -1}, .ttl = ANY_TTL, .large_bytes = 1000};

static struct packet *heap[SLOTS], *spare[SLOTS];
static size_t heap_count, spare_count;
static uint64_t next_order;
static int device_fd[2];

static void die(const char *what)
{
	fprintf(stderr, "tundelay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is_earlier(const struct packet *a, const struct packet *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void heap_swap(size_t a, size_t b)
{
	struct packet *held = heap[a];
	heap[a] = heap[b];
	heap[b] = held;
}

static void heap_push(struct packet *packet)
{
	size_t at = heap_count++;
	heap[at] = packet;
	while (at > 0 && is_earlier(heap[at], heap[(at - 1) / 2])) {
		heap_swap(at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static struct packet *heap_pop(void)
{
	struct packet *first = heap[0];
	heap[0] = heap[--heap_count];
	for (size_t at = 0;;) {
		size_t least = at, child = 2 * at + 1;
		for (size_t i = child; i < child + 2 && i < heap_count; i++)
			if (is_earlier(heap[i], heap[least]))
				least = i;
		if (least == at)
			return first;
		heap_swap(at, least);
		at = least;
	}
}

static void enqueue(struct packet *packet, int to, int64_t delay_us)
{
	int64_t jitter_us = options.jitter_us ? (int64_t)(drand48() * (double)options.jitter_us) : 0;
	packet->to = (uint8_t)to;
	packet->due_us = now_us() + delay_us + jitter_us;
	packet->order = next_order++;
	heap_push(packet);
}

static size_t frame_bytes(void)
{
	return options.ethernet ? ETHERNET_BYTES : 0;
}

static bool packet_find(struct packet *packet, struct segment *out)
{
	size_t skip = frame_bytes();
	return packet->length > skip && segment_find(packet->bytes + skip, packet->length - skip, out);
}

/** Forge what answers or ends the connection of this segment: to its sender (to 0), or onwards to the receiver. */
static void send_forged(const struct packet *cause, enum bite bite, int to)
{
	struct segment segment;
	if (spare_count == 0)
		return;
	struct packet *forged = spare[--spare_count];
	*forged = *cause;
	packet_find(forged, &segment);
	size_t bytes = bite == BITE_ANSWER ? segment_make_syn_ack(&segment, options.ttl)
					   : segment_make_reset(&segment, to == 0, options.ttl);
	if (options.ethernet && to == 0)
		swap_bytes(forged->bytes, forged->bytes + 6, 6);
	forged->length = (uint16_t)(frame_bytes() + bytes);
	enqueue(forged, to, options.near ? 0 : options.delay_us[1 - to]);
}

static bool is_large_hello(const struct segment *segment)
{
	return hello_bytes(segment) > options.large_bytes;
}

/** Does the segment go where this wire bites? */
static bool goes_there(const struct segment *segment)
{
	bool there = options.address_count == 0;
	for (size_t i = 0; i < options.address_count && !there; i++)
		there = options.addresses[i].v6 == segment->v6 &&
			memcmp(options.addresses[i].bytes, segment_destination(segment),
			       segment_address_bytes(segment)) == 0;
	if (!there || options.port_count == 0)
		return there;
	for (size_t i = 0; i < options.port_count; i++)
		if (segment->tcp && get16(segment->tcp + 2) == options.ports[i])
			return true;
	return false;
}

/** May this packet pass? What is forged for it is sent here. */
static bool passes(struct packet *packet, int from)
{
	struct segment segment;
	if (options.loss > 0 && drand48() * 100 < options.loss)
		return false;
	if (options.max_bytes[from] && packet->length > options.max_bytes[from] + frame_bytes())
		return false;
	if (from != 0 || options.rule_count == 0 || !packet_find(packet, &segment) || !goes_there(&segment))
		return true;
	for (size_t i = 0; i < options.rule_count; i++) {
		const struct rule *rule = &options.rules[i];
		if (rule->is_so ? !rule->is_so(&segment) : !segment_has(&segment, rule->text))
			continue;
		if (rule->bite != BITE_SWALLOW && segment.tcp)
			send_forged(packet, rule->bite, 0);
		if (rule->bite == BITE_RESET && segment.tcp && !is_syn(&segment))
			send_forged(packet, rule->bite, 1);
		return false;
	}
	return true;
}

static void read_side(int from)
{
	for (int i = 0; i < READS_PER_TURN && spare_count > 0; i++) {
		struct packet *packet = spare[spare_count - 1];
		ssize_t got = read(device_fd[from], packet->bytes, SLOT_BYTES);
		if (got <= 0)
			return;
		spare_count--;
		packet->length = (uint16_t)got;
		if (passes(packet, from))
			enqueue(packet, 1 - from, options.delay_us[from]);
		else
			spare[spare_count++] = packet;
	}
}

static void write_due(void)
{
	int64_t now = now_us();
	while (heap_count > 0 && heap[0]->due_us <= now) {
		struct packet *packet = heap_pop();
		/* A full queue loses the packet, as any wire does. */
		if (write(device_fd[packet->to], packet->bytes, packet->length) < 0 && errno == EBADFD)
			die("write");
		spare[spare_count++] = packet;
	}
}

static int device_open(const char *netns, const char *device)
{
	char path[256];
	snprintf(path, sizeof path, "/run/netns/%s", netns);
	int ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
		die(path);
	close(ns);
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ifreq request = {.ifr_flags = (short)((options.ethernet ? IFF_TAP : IFF_TUN) | IFF_NO_PI)};
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
		die(device);
	return fd;
}

static void usage(const char *why)
{
	fprintf(stderr, "tundelay: %s\nusage: tundelay -A NETNS -a DEVICE -B NETNS -b DEVICE [option...]\n", why);
	exit(2);
}

static void add_rule(enum bite bite, const char *what)
{
	static const struct {
		const char *name;
		bool (*is_so)(const struct segment *);
	} traits[] = {
		{"packet", is_packet},
		{"tcp", is_tcp},
		{"syn", is_syn},
		{"tls", is_tls},
		{"hello", is_hello},
		{"large-hello", is_large_hello},
		{"no-sni", is_hello_without_sni},
		{"split-hello", is_split_hello},
	};
	struct rule *rule = &options.rules[options.rule_count];
	if (options.rule_count++ == RULES_MAX)
		usage("too many rules");
	*rule = (struct rule){.bite = bite};
	if (strncmp(what, "text=", 5) == 0)
		rule->text = what + 5;
	for (size_t i = 0; i < sizeof traits / sizeof *traits; i++)
		if (strcmp(what, traits[i].name) == 0)
			rule->is_so = traits[i].is_so;
	if (!rule->text && !rule->is_so)
		usage(what);
	if (bite == BITE_ANSWER && rule->is_so != is_syn)
		usage("--answer syn, and nothing else");
}

static void add_text_rule(enum bite bite, const char *text)
{
	if (options.rule_count == RULES_MAX)
		usage("too many rules");
	options.rules[options.rule_count++] = (struct rule){.bite = bite, .text = text};
}

static void add_addresses(char *list)
{
	for (char *one = strtok(list, ","); one; one = strtok(NULL, ",")) {
		size_t at = options.address_count++;
		if (at == PLACES_MAX)
			usage("too many addresses");
		options.addresses[at].v6 = strchr(one, ':') != NULL;
		if (inet_pton(options.addresses[at].v6 ? AF_INET6 : AF_INET, one, options.addresses[at].bytes) != 1)
			usage(one);
	}
}

static void add_ports(char *list)
{
	for (char *one = strtok(list, ","); one; one = strtok(NULL, ",")) {
		if (options.port_count == PLACES_MAX)
			usage("too many ports");
		options.ports[options.port_count++] = (uint16_t)atoi(one);
	}
}

enum {
	LONG_SWALLOW = 256,
	LONG_RESET,
	LONG_ANSWER,
	LONG_LARGE,
	LONG_TO,
	LONG_PORT,
	LONG_NEAR,
	LONG_MTU_OUT,
	LONG_MTU_IN
};

static const struct option LONG_OPTIONS[] = {
	{"swallow", required_argument, NULL, LONG_SWALLOW},
	{"reset", required_argument, NULL, LONG_RESET},
	{"answer", required_argument, NULL, LONG_ANSWER},
	{"large", required_argument, NULL, LONG_LARGE},
	{"to", required_argument, NULL, LONG_TO},
	{"port", required_argument, NULL, LONG_PORT},
	{"near", no_argument, NULL, LONG_NEAR},
	{"mtu-out", required_argument, NULL, LONG_MTU_OUT},
	{"mtu-in", required_argument, NULL, LONG_MTU_IN},
	{NULL, 0, NULL, 0},
};

/** The options that bite; false for any other. */
static bool parse_bite(int option)
{
	switch (option) {
	case LONG_SWALLOW:
		add_rule(BITE_SWALLOW, optarg);
		return true;
	case LONG_RESET:
		add_rule(BITE_RESET, optarg);
		return true;
	case LONG_ANSWER:
		add_rule(BITE_ANSWER, optarg);
		return true;
	case LONG_LARGE:
		options.large_bytes = (size_t)atol(optarg);
		return true;
	case LONG_TO:
		add_addresses(optarg);
		return true;
	case LONG_PORT:
		add_ports(optarg);
		return true;
	case LONG_NEAR:
		options.near = true;
		return true;
	case 's':
		add_text_rule(BITE_RESET, optarg);
		return true;
	case 'k':
		add_text_rule(BITE_SWALLOW, optarg);
		return true;
	case 'c':
		add_rule(BITE_SWALLOW, "hello");
		return true;
	case 'C':
		add_rule(BITE_RESET, "hello");
		return true;
	case 't':
		options.ttl = (uint8_t)atoi(optarg);
		return true;
	}
	return false;
}

/** The options of a plain wire. */
static void parse_wire(int option)
{
	switch (option) {
	case 'A':
	case 'B':
		options.netns[option - 'A'] = optarg;
		break;
	case 'a':
	case 'b':
		options.device[option - 'a'] = optarg;
		break;
	case 'd':
	case 'D':
		options.delay_us[option == 'D'] = (int64_t)(atof(optarg) * 1000);
		break;
	case 'j':
		options.jitter_us = (int64_t)(atof(optarg) * 1000);
		break;
	case 'l':
		options.loss = atof(optarg);
		break;
	case 'm':
		options.max_bytes[0] = options.max_bytes[1] = (size_t)atol(optarg);
		break;
	case LONG_MTU_OUT:
	case LONG_MTU_IN:
		options.max_bytes[option == LONG_MTU_IN] = (size_t)atol(optarg);
		break;
	case 'e':
		options.ethernet = true;
		break;
	default:
		usage("unknown option");
	}
}

static void parse_options(int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, "A:a:B:b:d:D:j:l:m:s:k:cCt:e", LONG_OPTIONS, NULL)) != -1)
		if (!parse_bite(option))
			parse_wire(option);
	if (options.delay_us[1] < 0)
		options.delay_us[1] = options.delay_us[0];
	if (!options.netns[0] || !options.netns[1] || !options.device[0] || !options.device[1])
		usage("both ends are needed");
}

static void arm_timer(int timer)
{
	struct itimerspec next = {0};
	if (heap_count > 0) {
		next.it_value.tv_sec = heap[0]->due_us / 1000000;
		next.it_value.tv_nsec = heap[0]->due_us % 1000000 * 1000 + 1;
	}
	timerfd_settime(timer, TFD_TIMER_ABSTIME, &next, NULL);
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	struct packet *slots = calloc(SLOTS, sizeof *slots);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!slots || timer < 0)
		die("start");
	for (; spare_count < SLOTS; spare_count++)
		spare[spare_count] = &slots[spare_count];
	for (int side = 0; side < 2; side++)
		device_fd[side] = device_open(options.netns[side], options.device[side]);
	puts("ready");
	fflush(stdout);
	struct pollfd fds[] = {{device_fd[0], POLLIN, 0}, {device_fd[1], POLLIN, 0}, {timer, POLLIN, 0}};
	for (;;) {
		uint64_t expirations;
		arm_timer(timer);
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			die("poll");
		if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
			die("timer");
		read_side(0);
		read_side(1);
		write_due();
	}
}
