#ifndef MARSPROBE_ENGINE_TRANSFER_STATE_H
#define MARSPROBE_ENGINE_TRANSFER_STATE_H

/* One transfer from the inside, for the files that share the work: pool.c (libcurl's multi handle on libuv), transfer.c (its life),
 * transfer_options.c (what libcurl is told), socket_tap.c, tls_tap.c, proxy_tap.c and http_tap.c (what is seen on the way),
 * outcome.c (what it means). Everything here lives on the thread of the pool's loop. */

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <uv.h>

#include "probe/core/strbuf.h"
#include "probe/engine/transfer.h"
#include "probe/os/os.h"

enum {
	REPLY_HEADERS_MAX = 40,	      /* headers kept of one reply */
	REPLY_VALUE_MAX = 256,	      /* bytes kept of one header's value */
	REPLY_SCHEMES_MAX = 8,	      /* challenges kept of one 407 */
	HEAD_BYTES_MAX = 32 * 1024,   /* a longer header is no reply */
	BODY_BYTES_MAX = 64 * 1024,   /* reading stops here, unless the spec has a limit of its own */
	BODY_HEAD_MAX = 512,	      /* bytes of a body kept as text */
	FIRST_BYTES_MAX = 64,	      /* bytes kept of what is no HTTP, SOCKS or TLS reply */
	PEEK_BYTES_MAX = 4096,	      /* looked at of a proxy's reply before libcurl reads it */
	ABANDON_AFTER_US = 500 * 1000 /* beyond a stage's time: then a worker hangs */
};

/** Where a transfer is. Which steps there are depends on route and target; they only go up, but for a proxy that closes between
 *  two rounds of a sign-in: then the way starts again. */
enum step { STEP_TCP, STEP_TLS_PROXY, STEP_PROXY, STEP_TLS, STEP_HTTP, STEP_DONE };

/** How a transfer came to its end: by libcurl (failure NONE) or by us. */
struct ending {
	bool by_curl;
	CURLcode code;
	enum failure failure;
};

/** What is known of the transfer's current connection. */
struct socket_facts {
	bool open;	 /* fd is valid */
	bool connected;	 /* the TCP handshake finished */
	bool eof;	 /* the peer's FIN was seen */
	bool is_limited; /* to segments of hello.segment_bytes: not every system does that */
	int error;	 /* the last socket error that we took or met, 0 for none */
	os_socket fd;
	struct tuple tuple;
	bool has_info;
	struct os_tcp_info info;
	struct icmp_error icmp;
};

/** One reply being read, line by line. */
struct reply {
	int status;	   /* NOT_MEASURED until a status line came */
	const char *start; /* that line as it came */
	bool malformed;
	bool complete;	   /* the header's end came, and it is no 1xx */
	size_t head_bytes; /* of this header, and of those of 1xx before it */
	struct header_list headers;
	struct text_list schemes;
};

struct body {
	int64_t bytes, limit;
	bool cut;  /* there is more than we read */
	bool keep; /* into kept */
	bool same; /* so far the expected one */
	char head[BODY_HEAD_MAX];
	size_t head_length;
	struct strbuf kept;
	EVP_MD_CTX *digest;
};

/** Progress that another thread may watch. */
struct transfer_watch {
	atomic_int step;
	atomic_llong step_started_us; /* os_monotonic_us() */
	void (*connected)(struct transfer_watch *watch, const struct tuple *tuple);
	void *user;
};

struct socket_tap;
struct tls_link;

struct transfer {
	struct transfer_pool *pool;
	struct transfer_result result;
	struct arena *arena; /* == result.arena */
	transfer_done_cb done;
	void *user;
	struct transfer_watch *watch; /* or NULL */

	struct via via;
	const char *url, *host; /* the URL that libcurl gets; the target's name */
	int port;
	bool wants_tls, raw;	 /* https:; only a connection */
	bool handshake_only;	 /* it ends with TLS */
	struct hello hello;	 /* its text is the transfer's own */
	int64_t timeout_us;	 /* of a stage */
	int64_t step_started_us; /* os_monotonic_us() */
	const char *address, *target_address;
	enum proxy_auth auth;
	const char *expect_body;
	const char *local_problem; /* why the sign-in cannot be made here, or NULL */

	CURL *easy;
	CURLSH *share;
	struct curl_slist *pins;
	char error[CURL_ERROR_SIZE];
	bool in_multi, ended;
	uv_timer_t stage_timer, hold_timer;
	int open_timers;
	struct transfer *next_ending; /* in pool->endings */
	bool is_ending;

	enum step step;
	struct socket_facts socket;
	struct socket_tap *tap;
	struct tls_link *link;
	struct observation *tcp, *tls_proxy, *proxy, *tls, *http;

	struct reply reply;
	struct body body;
	bool request_sent;	  /* CONNECT, GET or the SOCKS greeting of this round */
	bool credentials_sent;	  /* some request had a Proxy-Authorization */
	bool reply_looked_at;	  /* the peek at this round's reply is over */
	bool tls_looked_at;	  /* the same for the first bytes of a handshake */
	bool certificate_refused; /* by our verification */
	int64_t hold_until_us;
	int64_t received_before; /* bytes that came before this round's request; NOT_MEASURED where not counted */
};

/* transfer.c */

/** Everything before step went well; step is open now. No effect when it already was. */
void transfer_advance(struct transfer *transfer, enum step step);
/** The step that follows a given one on this transfer's way. */
enum step transfer_step_after(const struct transfer *transfer, enum step step);
/** libcurl opens a connection (again): the way starts at TCP. */
void transfer_reopen(struct transfer *transfer);
/** End it once libcurl is not on the stack. */
void transfer_end_soon(struct transfer *transfer);
void transfer_end(struct transfer *transfer, struct ending ending);
/** Microseconds since the run began. */
int64_t transfer_now_us(const struct transfer *transfer);
/** Is the proxy spoken to in HTTP? */
bool transfer_by_http_proxy(const struct transfer *transfer);
/** Does the request go to the proxy itself, as a GET with an absolute URL? */
bool transfer_is_proxied_get(const struct transfer *transfer);
/** transfer_start() with somebody watching; watch may be NULL. */
struct transfer *transfer_start_watched(struct transfer_pool *pool, const struct transfer_spec *spec,
					struct transfer_watch *watch, transfer_done_cb done, void *user);

/* transfer_options.c */

/** Make and fill the easy handle. False: libcurl refuses what it is told. user and password go to libcurl only. */
bool transfer_options_set(struct transfer *transfer, const struct transfer_spec *spec);

/* pool.c */

const struct transfer_pool_options *pool_options(const struct transfer_pool *pool);
/** Hand the handle to libcurl. Nothing of ours is called from inside, but the timer's callback. */
bool pool_add(struct transfer_pool *pool, struct transfer *transfer);
void pool_remove(struct transfer_pool *pool, struct transfer *transfer);
void pool_end_soon(struct transfer_pool *pool, struct transfer *transfer);
void pool_forget(struct transfer_pool *pool, struct transfer *transfer);
/** libcurl's callbacks for opening and closing; user is the transfer and the pool. */
curl_socket_t pool_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int pool_close_socket(void *user, curl_socket_t fd);

/* socket_tap.c */

/** Make the socket that libcurl asks for, if it is for the address that we pinned. CURL_SOCKET_BAD else. */
curl_socket_t socket_tap_open(struct transfer *transfer, const struct curl_sockaddr *peer);
/** Fill in the source as soon as the system has chosen one. */
void socket_tap_note_source(struct transfer *transfer);
/** Take TCP_INFO, ICMP errors and the FIN from a socket that is open. */
void socket_tap_measure(struct transfer *transfer);
/** Keep the error that libcurl met last, before it meets another. */
void socket_tap_note_error(struct transfer *transfer);
/** Write what is known into the open tcp_connect observation. */
void socket_tap_write(struct transfer *transfer);
/** Before the socket closes. */
void socket_tap_close(struct transfer *transfer);

/** Up to max bytes that libcurl has not read yet; 0 for none, or the peer's end, which is noted. */
size_t socket_tap_peek(struct transfer *transfer, void *bytes, size_t max);

enum look { LOOK_GO_ON, LOOK_HOLD, LOOK_ENDED };
/** Look at a socket before libcurl does. LOOK_ENDED: the transfer is gone. */
enum look socket_tap_look(struct transfer *transfer, bool readable, bool failed);

/* tls_tap.c */

CURLcode tls_tap_install(CURL *easy, void *context, void *user);
/** The transfer ends: handshakes that libcurl still holds must not reach it any more. */
void tls_tap_detach(struct transfer *transfer);
/** The handshake whose step is open, or NULL. */
struct observation *tls_tap_open_observation(struct transfer *transfer);

/* proxy_tap.c */

/** Write down what is asked of which proxy, and with which sign-in. url: of a GET to the proxy itself; NULL for a tunnel to host:port. */
void proxy_tap_describe(struct arena *arena, const struct via *via, enum proxy_auth auth, const char *url,
			const char *host, int port, struct proxy_exchange *proxy);
void proxy_tap_open(struct transfer *transfer);
/** Look at bytes of a proxy that libcurl has not read yet; a NUL follows them. */
enum look proxy_tap_look(struct transfer *transfer, const char *bytes, size_t length);
void proxy_tap_header(struct transfer *transfer, const char *line, size_t length);
void proxy_tap_request_sent(struct transfer *transfer);
/** Keep what libcurl says about a sign-in that fails here. */
void proxy_tap_note(struct transfer *transfer, const char *text, size_t length);
/** Write down the reply; failure NONE: decide from the reply. */
void proxy_tap_close(struct transfer *transfer, enum failure failure);

/* http_tap.c */

size_t http_tap_header(char *bytes, size_t size, size_t count, void *user);
size_t http_tap_body(char *bytes, size_t size, size_t count, void *user);
int http_tap_debug(CURL *easy, curl_infotype type, char *bytes, size_t length, void *user);
/** whole: the body came to its end. */
void http_tap_close(struct transfer *transfer, enum failure failure, bool whole);
void http_tap_reset(struct transfer *transfer);

/* reply.c */

void reply_reset(struct reply *reply);
/** One line of a reply's head, with its line end. */
void reply_line(struct arena *arena, struct reply *reply, const char *line, size_t length);

/* outcome.c */

/** Close what is open and say in transfer->result what came of it. libcurl's handle is still there, its connection is not. */
void outcome_write(struct transfer *transfer, struct ending ending);
/** Is it a reset of a connection that nobody had closed? */
bool outcome_says_reset(int error);

#endif
