#ifndef MARSPROBE_ENGINE_DNS_LINK_H
#define MARSPROBE_ENGINE_DNS_LINK_H

/* A question from the inside: what dns_query.c (its course) and dns_link.c (its sockets, which c-ares opens and uses through us) share. */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define CARES_NO_DEPRECATED /* the documented interface of 1.18 is what every version has */
#include <ares.h>

#include "probe/engine/dns_query.h"
#include "probe/os/os.h"

/* One socket of the channel. It outlives its closing until libuv lets go of the poll handle. */
struct dns_link {
	struct dns_link *next;
	struct dns_question *question;
	os_socket fd;
	uv_poll_t poll;
	bool has_poll;
	int events; /* what c-ares waits for: UV_READABLE, UV_WRITABLE */
};

struct dns_question {
	struct arena *arena;
	struct observation *observation;
	int64_t run_started_us, deadline_us; /* deadline on the monotonic clock */
	dns_question_done_cb done;
	void *user;
	uv_loop_t *loop;
	uv_timer_t timer;
	ares_channel channel; /* NULL where c-ares did not start */
	struct dns_link *links;
	bool is_tcp, ended;
	uint16_t id; /* of the datagram sent last */
	/* what has come so far: */
	bool replied;	    /* a message that answers our question is in the observation */
	enum failure reply; /* what it says */
	int tries_at_reply;
	int refusal_ede;       /* of a refusal after which c-ares asked anew without EDNS; 0: none */
	unsigned malformed;    /* messages that do not */
	int error;	       /* of a socket; no further one is opened then */
	bool closed_by_server; /* TCP: FIN before a whole message */
	bool given_up;	       /* c-ares has ended its query */
	int status;	       /* with this */
	uint8_t *stream;       /* TCP: the bytes so far */
	size_t stream_length, stream_capacity;
};

/** Our socket(), connect(), recvfrom(), send() and close() for c-ares; user is the question. */
extern const struct ares_socket_functions dns_link_functions;

/** c-ares tells what it waits for, the first time right after connect() (ares_sock_state_cb; user is the question). */
void dns_link_watch(void *user, ares_socket_t fd, int readable, int writable);

/** Has the question ended with what came? Else wait on. Called at the end of each event, never from within c-ares. */
void dns_question_settle(struct dns_question *question);

#endif
