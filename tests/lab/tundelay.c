/*
 * A wire between two network namespaces that delays, loses and bites: one TUN (or, with -e, TAP) device in each, this program between.
 *
 * usage: tundelay -A NETNS -a DEVICE -B NETNS -b DEVICE [option...]      side A is the client's
 *   -d MS  delay from A to B              -D MS   delay from B to A (default: as -d)
 *   -j MS  jitter, added at random        -l PCT  loss, each way
 *   -m LEN swallow IP packets longer than LEN bytes, without an ICMP error (a path MTU black hole)
 *   -s TEXT  reset a connection, at both ends, when a segment of A's holds TEXT (an SNI, a Host header)
 *   -k TEXT  swallow segments of A's that hold TEXT
 *   -c       swallow every ClientHello of A's        -C  reset at every ClientHello of A's
 *   -t TTL   TTL of the resets (default 64)          -e  TAP: an Ethernet wire, with ARP
 * It prints "ready" when both devices stand, and runs until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

enum { SLOTS = 65536, SLOT_BYTES = 2048, ETHERNET_BYTES = 14, READS_PER_TURN = 64 };
enum { TCP_RST = 4, TCP_ACK = 16 };

struct packet {
	int64_t due_us;
	uint64_t order; /* keeps packets of the same due time in sequence */
	uint16_t length;
	uint8_t to; /* 0 = side A, 1 = side B */
	uint8_t bytes[SLOT_BYTES];
};

/** Where the parts of one TCP segment lie; payload NULL if it is none. */
struct segment {
	uint8_t *ip, *tcp, *payload;
	size_t ip_bytes, payload_bytes;
	bool v6;
};

static struct {
	const char *netns[2], *device[2];
	int64_t delay_us[2], jitter_us;
	double loss;
	size_t max_bytes;
	const char *reset_text, *swallow_text;
	bool swallow_hello, reset_hello, ethernet;
	uint8_t reset_ttl;
} options = {.delay_us = {0, -1}, .reset_ttl = 64};

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

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/** Ones' complement sum (RFC 1071), not yet folded. */
static uint32_t sum16(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i + 1 < bytes; i += 2)
		sum += get16(at + i);
	return bytes % 2 ? sum + (uint32_t)(at[bytes - 1] << 8) : sum;
}

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/** Find the TCP segment in a packet (RFC 791, RFC 8200 without extension headers, RFC 9293); false if there is none. */
static bool segment_find(struct packet *packet, struct segment *out)
{
	size_t skip = options.ethernet ? ETHERNET_BYTES : 0;
	if (packet->length < skip + 40)
		return false;
	size_t left = packet->length - skip;
	uint8_t *ip = packet->bytes + skip;
	bool v6 = ip[0] >> 4 == 6;
	size_t ip_bytes = v6 ? 40 : (size_t)(ip[0] & 15) * 4;
	size_t total = v6 ? 40u + get16(ip + 4) : get16(ip + 2);
	if ((!v6 && ip[0] >> 4 != 4) || (v6 ? ip[6] : ip[9]) != 6 || total > left || total < ip_bytes + 20)
		return false;
	size_t tcp_bytes = (size_t)(ip[ip_bytes + 12] >> 4) * 4;
	if (tcp_bytes < 20 || ip_bytes + tcp_bytes > total)
		return false;
	*out = (struct segment){.ip = ip,
				.tcp = ip + ip_bytes,
				.payload = ip + ip_bytes + tcp_bytes,
				.ip_bytes = ip_bytes,
				.payload_bytes = total - ip_bytes - tcp_bytes,
				.v6 = v6};
	return true;
}

static bool segment_has(const struct segment *segment, const char *text)
{
	return text && memmem(segment->payload, segment->payload_bytes, text, strlen(text));
}

static bool segment_is_hello(const struct segment *segment)
{
	return segment->payload_bytes > 5 && segment->payload[0] == 22 && segment->payload[1] == 3 &&
	       segment->payload[5] == 1;
}

static void enqueue(struct packet *packet, int to)
{
	int64_t jitter_us = options.jitter_us ? (int64_t)(drand48() * (double)options.jitter_us) : 0;
	packet->to = (uint8_t)to;
	packet->due_us = now_us() + options.delay_us[to == 1 ? 0 : 1] + jitter_us;
	packet->order = next_order++;
	heap_push(packet);
}

static void finish_reset(uint8_t *ip, bool v6, size_t ip_bytes)
{
	uint8_t *tcp = ip + ip_bytes;
	put16(tcp + 16, 0);
	uint32_t sum = sum16(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, 6 + 20);
	put16(tcp + 16, fold(sum16(tcp, 20, sum)));
	if (v6) {
		put16(ip + 4, 20);
		ip[7] = options.reset_ttl;
		return;
	}
	put16(ip + 2, (uint32_t)ip_bytes + 20);
	ip[8] = options.reset_ttl;
	put16(ip + 10, 0);
	put16(ip + 10, fold(sum16(ip, ip_bytes, 0)));
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		uint8_t held = a[i];
		a[i] = b[i];
		b[i] = held;
	}
}

/** Forge the reset of the connection that this segment belongs to: to the sender (to 0), or onwards to the receiver. */
static void send_reset(const struct packet *cause, int to)
{
	struct segment segment;
	if (spare_count == 0)
		return;
	struct packet *reset = spare[--spare_count];
	*reset = *cause;
	segment_find(reset, &segment);
	uint8_t *tcp = segment.tcp;
	uint32_t sequence = get32(tcp + 4), acknowledged = get32(tcp + 8);
	if (to == 0) {
		size_t address_bytes = segment.v6 ? 16 : 4;
		uint8_t *addresses = segment.ip + (segment.v6 ? 8 : 12);
		swap_bytes(addresses, addresses + address_bytes, address_bytes);
		swap_bytes(tcp, tcp + 2, 2);
		put32(tcp + 4, acknowledged);
		put32(tcp + 8, sequence + (uint32_t)segment.payload_bytes);
		if (options.ethernet)
			swap_bytes(reset->bytes, reset->bytes + 6, 6);
	}
	tcp[12] = 5 << 4;
	tcp[13] = TCP_RST | TCP_ACK;
	put16(tcp + 14, 0);
	put16(tcp + 18, 0);
	finish_reset(segment.ip, segment.v6, segment.ip_bytes);
	reset->length = (uint16_t)(tcp + 20 - reset->bytes);
	enqueue(reset, to);
}

/** May this packet pass? Resets are sent here. */
static bool passes(struct packet *packet, int from)
{
	struct segment segment;
	size_t skip = options.ethernet ? ETHERNET_BYTES : 0;
	if (options.loss > 0 && drand48() * 100 < options.loss)
		return false;
	if (options.max_bytes && packet->length > options.max_bytes + skip)
		return false;
	if (from != 0 || !segment_find(packet, &segment) || segment.payload_bytes == 0)
		return true;
	bool hello = segment_is_hello(&segment);
	if (segment_has(&segment, options.reset_text) || (hello && options.reset_hello)) {
		send_reset(packet, 0);
		send_reset(packet, 1);
		return false;
	}
	return !segment_has(&segment, options.swallow_text) && !(hello && options.swallow_hello);
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
			enqueue(packet, 1 - from);
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

static void parse_options(int argc, char **argv)
{
	int letter;
	while ((letter = getopt(argc, argv, "A:a:B:b:d:D:j:l:m:s:k:cCt:e")) != -1) {
		switch (letter) {
		case 'A':
			options.netns[0] = optarg;
			break;
		case 'a':
			options.device[0] = optarg;
			break;
		case 'B':
			options.netns[1] = optarg;
			break;
		case 'b':
			options.device[1] = optarg;
			break;
		case 'd':
			options.delay_us[0] = (int64_t)(atof(optarg) * 1000);
			break;
		case 'D':
			options.delay_us[1] = (int64_t)(atof(optarg) * 1000);
			break;
		case 'j':
			options.jitter_us = (int64_t)(atof(optarg) * 1000);
			break;
		case 'l':
			options.loss = atof(optarg);
			break;
		case 'm':
			options.max_bytes = (size_t)atol(optarg);
			break;
		case 's':
			options.reset_text = optarg;
			break;
		case 'k':
			options.swallow_text = optarg;
			break;
		case 'c':
			options.swallow_hello = true;
			break;
		case 'C':
			options.reset_hello = true;
			break;
		case 't':
			options.reset_ttl = (uint8_t)atoi(optarg);
			break;
		case 'e':
			options.ethernet = true;
			break;
		default:
			exit(2);
		}
	}
	if (options.delay_us[1] < 0)
		options.delay_us[1] = options.delay_us[0];
	if (!options.netns[0] || !options.netns[1] || !options.device[0] || !options.device[1]) {
		fprintf(stderr, "usage: tundelay -A NETNS -a DEVICE -B NETNS -b DEVICE [option...]\n");
		exit(2);
	}
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
