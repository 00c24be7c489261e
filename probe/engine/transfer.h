#ifndef MARSPROBE_ENGINE_TRANSFER_H
#define MARSPROBE_ENGINE_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "probe/core/evidence.h"
#include "probe/engine/trust.h"

/* What schemes and auth_tried call the user and password of SOCKS5 (RFC 1929). */
#define SOCKS_SIGN_IN "username"

enum proxy_auth { PROXY_AUTH_NONE, PROXY_AUTH_BASIC, PROXY_AUTH_DIGEST, PROXY_AUTH_NTLM, PROXY_AUTH_NEGOTIATE };
const char *proxy_auth_text(enum proxy_auth auth);
/** Can the running identity's own credentials be used for it? Negotiate takes them from GSSAPI or SSPI, NTLM only from SSPI. */
bool proxy_auth_has_own(enum proxy_auth auth);

/** One libcurl multi handle on one libuv loop. The main loop has one; each worker thread makes its own. */
struct transfer_pool;

/** A chain as a server sent it, leaf first: for somebody else who judges it too. */
struct sent_chain {
	struct observation *handshake;
	const char *host;
	struct os_der *certificates;
	size_t count;
};

struct transfer_pool_options {
	uv_loop_t *loop;
	const struct trust *trust;
	int64_t run_started_us; /* os_monotonic_us() at the start of the run */
	int64_t timeout_us;	/* of each stage */
	bool keep_chains;	/* into transfer_result.chains */
	void (*chain_came)(const struct sent_chain *chain,
			   void *user); /* with keep_chains, at once and on the loop; or NULL */
	void *chain_user;
};
struct transfer_pool *transfer_pool_new(const struct transfer_pool_options *options);
/** Every transfer must have ended. Closes its handles through the loop. */
void transfer_pool_close(struct transfer_pool *pool);

/** In what the TLS hello to the target differs from the agent's own: one rung of the TLS ladder. All zero: it does not. */
struct hello {
	const char *
		sni; /* another name; "" for none at all; NULL: the target's own. The chain is still judged for the target's name */
	size_t extra_bytes; /* of an extension that nobody knows (RFC 8446 4.1.2 lets a server pass over it) */
	enum {
		HELLO_TLS_ANY,
		HELLO_TLS_1_2 = 0x303,
		HELLO_TLS_1_3 = 0x304
	} version;	   /* that one alone; RFC 8446 4.2.1 has the numbers */
	int segment_bytes; /* the largest segment either side may send (TCP_MAXSEG); 0: the system's own choice */
};

/** One address tried: what to send, by which way, and with what. Texts are copied. */
struct transfer_spec {
	const struct target *target; /* URL or TCP */
	const char *url;	     /* NULL: the target's own; else a redirect's next hop on the same host */
	struct via via;
	const char *address;	    /* literal of the first hop: the proxy's, or the target's if direct */
	const char *target_address; /* SOCKS4 and SOCKS5 (names resolved here): the target's address; else NULL */
	enum proxy_auth auth;
	const char *user, *password; /* NULL, NULL: the running identity's own (Negotiate, and NTLM on Windows) */
	struct hello hello;
	bool handshake_only;	/* it ends with the TLS handshake: no request is sent */
	int64_t timeout_us;	/* of each stage; 0: the pool's */
	size_t keep_body_bytes; /* 0: 64 KiB are read and 512 bytes kept; else that much is read at most, and kept whole */
};

struct transfer;
typedef void (*transfer_done_cb)(struct transfer *transfer, void *user);

/** What came of it. observations are made with observation_init(), have no id and no paths yet, and live in arena. */
struct transfer_result {
	struct arena *arena;		      /* the caller's to adopt or free after done() */
	struct observation_list observations; /* in the order of contract: tcp, [tls proxy], [proxy], [tls], [http] */
	enum failure failure;		      /* of the one that ended it */
	enum stage stage;		      /* where it ended; STAGE_NONE: all went through */
	const char *
		location; /* the Location of a 3xx answer, absolute, with its query (never to be reported); NULL else */
	bool proxy_wants_auth;	   /* ended with 407; the last proxy_exchange has the schemes */
	struct sent_chain *chains; /* with keep_chains: of each handshake that delivered one */
	size_t chain_count, chain_capacity;
	struct {		   /* with keep_body_bytes, and an HTTP answer */
		const char *bytes; /* as they came, a NUL behind them; NULL else */
		size_t length;
		bool cut;   /* there is more than was read */
		bool whole; /* it came to its end */
	} body;
};

/**
 * Start one transfer on the pool's loop.
 *
 * Records  what the sockets, libcurl's callbacks and OpenSSL's callbacks show; TCP is told from TLS by the socket itself, never by libcurl's
 *          times. Stages have timeout_us each, by a timer of our own.
 * TLS      verified always, against pool->trust; a failed verification ends it before a request is sent. The hello is classical and small.
 * Ends     once, through done(), from the loop and never inside transfer_start(). The transfer frees itself after done() returns.
 */
struct transfer *transfer_start(struct transfer_pool *pool, const struct transfer_spec *spec, transfer_done_cb done,
				void *user);
const struct transfer_result *transfer_result(const struct transfer *transfer);
/** Where one that is under way is now. */
enum stage transfer_stage(const struct transfer *transfer);

/** Where it waits: for somebody who becomes suspicious. */
struct transfer_silence {
	enum stage stage;     /* TCP, PROXY, TLS or HTTP */
	int64_t since_us;     /* os_monotonic_us() when that stage began */
	int64_t rtt_us;	      /* of the connection; 0 where unknown */
	bool has_begun;	      /* TLS: the far end has said something */
	bool is_acknowledged; /* all that we sent has arrived, as far as the system tells */
};
void transfer_silence(struct transfer *transfer, struct transfer_silence *out);

/** End it now: the open stage is recorded with that failure; done() is called before this returns. */
void transfer_cancel(struct transfer *transfer, enum failure failure);

/**
 * The same in a thread of its own with its own loop and handles, for what can block inside libcurl (Kerberos, SSPI).
 *
 * Ends     through done() on the caller's loop, once. Where the thread makes no progress for timeout_us + 500 ms in one stage it is abandoned:
 *          the result then says TIMEOUT, at the TCP stage or, once that was connected, at the proxy stage (tcp_connect, and proxy_exchange
 *          with auth_tried and auth_problem).
 */
struct worker;
typedef void (*worker_done_cb)(struct worker *worker, const struct transfer_result *result, void *user);
struct worker *worker_start(const struct transfer_pool_options *options, const struct transfer_spec *spec,
			    worker_done_cb done, void *user);
void worker_cancel(struct worker *worker, enum failure failure);

#endif
