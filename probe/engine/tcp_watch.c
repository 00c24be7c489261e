#include "probe/engine/tcp_watch.h"

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/os/os_tcp_watch.h"

enum { ANSWERS_MAX = 4096, NEIGHBOURS = 32, PACKETS_AT_ONCE = 256 };

/** The answers to one connection. */
struct answers {
	struct address from;
	int from_port, to_port;
	int syn_ack_ttl, reset_ttl; /* of the first of each */
};

struct tcp_watch {
	os_socket fds[OS_TCP_WATCHES_MAX];
	uv_poll_t polls[OS_TCP_WATCHES_MAX];
	size_t count;
	struct answers
		answers[ANSWERS_MAX]; /* by hash; where it is crowded a later connection takes the place of another */
};

static bool is_of(const struct answers *answers, const struct address *from, int from_port, int to_port)
{
	return answers->from_port == from_port && answers->to_port == to_port && address_equal(&answers->from, from);
}

/* Theirs, or the place that they may have. */
static struct answers *place_of(struct tcp_watch *watch, const struct address *from, int from_port, int to_port)
{
	unsigned hash = (unsigned)to_port * 31 + (unsigned)from_port;
	for (size_t i = 0; i < sizeof(from->bytes); i++)
		hash = hash * 31 + from->bytes[i];
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		struct answers *place = &watch->answers[(hash + i) % ANSWERS_MAX];
		if (place->from_port == 0 || is_of(place, from, from_port, to_port))
			return place;
	}
	return &watch->answers[hash % ANSWERS_MAX];
}

static void note(struct tcp_watch *watch, const struct os_tcp_packet *packet)
{
	struct address from;
	bool syn_ack = packet->syn && packet->ack;
	if ((!syn_ack && !packet->rst) || !address_parse(packet->from, &from))
		return;
	struct answers *answers = place_of(watch, &from, packet->from_port, packet->to_port);
	bool over = syn_ack && answers->reset_ttl != NOT_MEASURED; /* the ports are used anew */
	if (over || !is_of(answers, &from, packet->from_port, packet->to_port))
		*answers = (struct answers){from, packet->from_port, packet->to_port, NOT_MEASURED, NOT_MEASURED};
	int *ttl = packet->rst ? &answers->reset_ttl : &answers->syn_ack_ttl;
	if (*ttl == NOT_MEASURED)
		*ttl = packet->ttl;
}

/* A flood must not hold the loop. */
static void take_packets(struct tcp_watch *watch, os_socket fd)
{
	struct os_tcp_packet packet;
	for (int i = 0; i < PACKETS_AT_ONCE && os_tcp_watch_next(fd, &packet); i++)
		note(watch, &packet);
}

static void on_packets(uv_poll_t *poll, int status, int events)
{
	struct tcp_watch *watch = poll->data;
	(void)events;
	if (status == 0)
		take_packets(watch, watch->fds[poll - watch->polls]);
}

struct tcp_watch *tcp_watch_start(uv_loop_t *loop)
{
	os_socket fds[OS_TCP_WATCHES_MAX];
	size_t count = os_tcp_watch_open(fds);
	if (!count)
		return NULL;
	struct tcp_watch *watch = xcalloc(1, sizeof(*watch));
	for (size_t i = 0; i < count; i++) {
		uv_poll_t *poll = &watch->polls[watch->count];
		if (uv_poll_init_socket(loop, poll, (uv_os_sock_t)fds[i]) != 0) {
			os_socket_close(fds[i]);
			continue;
		}
		poll->data = watch;
		watch->fds[watch->count++] = fds[i];
		uv_poll_start(poll, UV_READABLE, on_packets);
	}
	return watch;
}

static void write_one(struct tcp_watch *watch, struct tcp_connect *tcp)
{
	struct address from;
	if (tcp->tuple.src_port == NOT_MEASURED || !tcp->tuple.dst || !address_parse(tcp->tuple.dst, &from))
		return;
	const struct answers *answers = place_of(watch, &from, tcp->tuple.dst_port, tcp->tuple.src_port);
	if (!is_of(answers, &from, tcp->tuple.dst_port, tcp->tuple.src_port))
		return;
	if (tcp->syn_ack_ttl == NOT_MEASURED)
		tcp->syn_ack_ttl = answers->syn_ack_ttl;
	if (tcp->reset_ttl == NOT_MEASURED)
		tcp->reset_ttl = answers->reset_ttl;
}

void tcp_watch_write(struct tcp_watch *watch, struct report *report)
{
	if (!watch)
		return;
	for (size_t i = 0; i < watch->count; i++)
		take_packets(watch, watch->fds[i]);
	for (size_t i = 0; i < report->observations.count; i++)
		if (report->observations.items[i]->op == OP_TCP_CONNECT)
			write_one(watch, &report->observations.items[i]->tcp);
}
