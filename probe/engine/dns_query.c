#include "probe/engine/dns_query.h"

#include <stdlib.h>
#include <string.h>

#include <ares_nameser.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/engine/dns_link.h"
#include "probe/engine/sockets.h"

enum {
	DNS_PORT = 53,
	UDP_TRIES = 3, /* at 0, 1/7 and 3/7 of the time; the third waits 4/7 */
	UDP_TIME_PARTS = 7,
	MALFORMED_ENOUGH = 2, /* then the server, or what speaks for it, answers so to every try */
};

static void on_answer(void *user, int status, int timeouts, unsigned char *bytes, int length)
{
	struct dns_question *question = user;
	(void)timeouts, (void)bytes, (void)length; /* on_recvfrom() has seen the message as it came */
	question->given_up = true;
	question->status = status;
}

static void on_timer(uv_timer_t *timer)
{
	struct dns_question *question = timer->data;
	if (question->channel)
		ares_process_fd(question->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_question_settle(question);
}

static void timer_arm(struct dns_question *question, int64_t now_us)
{
	int64_t wait_ms = (question->deadline_us - now_us + 999) / 1000;
	struct timeval most = {.tv_sec = 3600}, next;
	if (question->channel && ares_timeout(question->channel, &most, &next)) {
		int64_t next_ms = (int64_t)next.tv_sec * 1000 + next.tv_usec / 1000 + 1;
		wait_ms = next_ms < wait_ms ? next_ms : wait_ms;
	}
	uv_update_time(question->loop);
	uv_timer_start(&question->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* ------------------------------------------------------------------ the end */

static void on_timer_closed(uv_handle_t *handle)
{
	struct dns_question *question = handle->data;
	free(question->stream);
	free(question);
}

static void finish(struct dns_question *question, enum failure failure)
{
	struct observation *observation = question->observation;
	if (question->ended)
		return;
	question->ended = true;
	observation->failure = failure;
	observation->duration_us = os_monotonic_us() - question->run_started_us - observation->start_us;
	if (question->error && !question->replied)
		observation->os_error = os_error_name(question->error);
	if (question->channel)
		ares_destroy(question->channel); /* closes its sockets */
	question->channel = NULL;
	uv_close((uv_handle_t *)&question->timer, on_timer_closed);
	question->done(question, question->user);
}

/* c-ares ended the query by itself, without a reply that we could use and without an error that we have seen. */
static enum failure status_failure(const struct dns_question *question)
{
	switch (question->status) {
	case ARES_ETIMEOUT:
		return FAILURE_TIMEOUT;
	case ARES_ECONNREFUSED:
		return FAILURE_CONNECTION_REFUSED;
	case ARES_EBADNAME:
	case ARES_EBADQUERY:
	case ARES_ENOTFOUND: /* names that must not be asked for (RFC 7686) */
		return FAILURE_DNS_OTHER;
	}
	return FAILURE_UNKNOWN;
}

/* A datagram socket has no connection that could be reset: Windows says so for "port unreachable" (recvfrom(), WSAECONNRESET). */
static enum failure link_failure(const struct dns_question *question)
{
	enum failure failure = socket_failure(question->error);
	return failure == FAILURE_CONNECTION_RESET && !question->is_tcp ? FAILURE_CONNECTION_REFUSED : failure;
}

static bool is_malformed_for_good(const struct dns_question *question)
{
	unsigned enough = question->is_tcp || question->given_up ? 1 : MALFORMED_ENOUGH;
	return question->malformed >= enough;
}

/* c-ares has put the question anew after a refusal: without EDNS after FORMERR (RFC 6891 7), with the server's cookie (RFC 7873 5.3). */
static void forget_refusal(struct dns_question *question)
{
	struct dns_query *query = &question->observation->dns;
	if (!question->replied || question->given_up || query->tries == question->tries_at_reply)
		return;
	question->replied = false;
	question->refusal_ede = query->ede; /* what it says without EDNS has no reason with it */
	query->rcode = query->ede = NOT_MEASURED;
	query->answer_count = 0;
}

void dns_question_settle(struct dns_question *question)
{
	int64_t now_us = os_monotonic_us();
	if (question->ended)
		return;
	forget_refusal(question);
	if (question->replied)
		finish(question, question->reply);
	else if (question->error)
		finish(question, link_failure(question));
	else if (is_malformed_for_good(question))
		finish(question, FAILURE_DNS_MALFORMED);
	else if (question->closed_by_server)
		finish(question, FAILURE_EOF);
	else if (question->given_up && question->status != ARES_ETIMEOUT)
		finish(question, status_failure(question));
	else if (now_us >= question->deadline_us || (question->given_up && !question->links))
		finish(question, question->malformed ? FAILURE_DNS_MALFORMED : FAILURE_TIMEOUT);
	else
		timer_arm(question, now_us);
}

/* ------------------------------------------------------------------ the start */

static void library_start(void)
{
	ares_library_init(ARES_LIB_INIT_ALL);
}

static bool channel_open(struct dns_question *question, int64_t timeout_us)
{
	int edns_bytes = question->observation->dns.edns_bytes;
	static uv_once_t once = UV_ONCE_INIT;
	int timeout_ms = timeout_us / 1000 > INT32_MAX / 2 ? INT32_MAX / 2 : (int)(timeout_us / 1000);
	char lookups[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_IGNTC | ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
			 (edns_bytes != NOT_MEASURED ? ARES_FLAG_EDNS : 0) | (question->is_tcp ? ARES_FLAG_USEVC : 0),
		.timeout = question->is_tcp ? timeout_ms + 1 : timeout_ms / UDP_TIME_PARTS + 1,
		.tries = question->is_tcp ? 1 : UDP_TRIES,
		.ndots = 1,
		.lookups = lookups,
		.ednspsz = edns_bytes,
		.sock_state_cb = dns_link_watch,
		.sock_state_cb_data = question,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS |
		   ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS | ARES_OPT_SERVERS | ARES_OPT_NOROTATE;
	uv_once(&once, library_start);
	question->status = ares_init_options(&question->channel, &options, mask);
	if (question->status != ARES_SUCCESS) {
		question->channel = NULL;
		return false;
	}
	ares_set_socket_functions(question->channel, &dns_link_functions, question);
	question->status = ares_set_servers_ports_csv(question->channel, question->observation->dns.server);
	return question->status == ARES_SUCCESS;
}

/* False: the text names no server. */
static bool destination_record(struct arena *arena, struct dns_query *query)
{
	char host[64];
	int port;
	struct address address;
	query->tuple.proto = query->transport;
	if (!host_port_split(query->server, host, sizeof(host), &port) || !address_parse(host, &address))
		return false;
	query->tuple.dst = arena_strdup(arena, host);
	query->tuple.dst_port = port == -1 ? DNS_PORT : port;
	return true;
}

struct dns_question *dns_question_start(uv_loop_t *loop, struct arena *arena, struct observation *observation,
					int64_t run_started_us, int64_t timeout_us, dns_question_done_cb done,
					void *user)
{
	struct dns_question *question = xcalloc(1, sizeof(*question));
	int64_t now_us = os_monotonic_us();
	question->arena = arena;
	question->observation = observation;
	question->run_started_us = run_started_us;
	question->deadline_us = now_us + timeout_us;
	question->done = done;
	question->user = user;
	question->loop = loop;
	question->is_tcp = strcmp(observation->dns.transport, "tcp") == 0;
	uv_timer_init(loop, &question->timer);
	question->timer.data = question;
	observation->start_us = now_us - run_started_us;
	observation->dns.tries = 0;
	if (destination_record(arena, &observation->dns) && channel_open(question, timeout_us))
		ares_query(question->channel, observation->dns.name, ns_c_in,
			   strcmp(observation->dns.type, "AAAA") == 0 ? ns_t_aaaa : ns_t_a, on_answer, question);
	else
		question->given_up = true;
	if (question->error || question->given_up)
		uv_timer_start(&question->timer, on_timer, 0, 0);
	else
		timer_arm(question, now_us);
	return question;
}

bool dns_question_is_silent(const struct dns_question *question)
{
	return !question->replied && !question->error && !question->malformed && question->stream_length == 0 &&
	       !question->observation->dns.icmp.from;
}

void dns_question_cancel(struct dns_question *question, enum failure failure)
{
	finish(question, failure);
}
