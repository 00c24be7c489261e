#ifndef MARSPROBE_OS_OS_STACK_H
#define MARSPROBE_OS_OS_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The system's own stack, which the backup agent uses: its trust anchors, its chain engine (CryptoAPI), its HTTP client (WinHTTP). On a
 * system whose programs bring their own (Linux) all of it answers "not supported". Everything that asks may block, for many seconds.
 */

enum os_anchor_store { OS_ANCHOR_MACHINE, OS_ANCHOR_USER };

/** Every trust anchor that the system holds for this account, in DER: those of the machine first (root, group policy, enterprise), then
 *  those that only this account has. False where the system keeps none in a store of its own. */
bool os_trust_anchors(void (*anchor)(enum os_anchor_store store, const unsigned char *der, size_t length, void *user),
		      void *user);

struct os_der {
	const unsigned char *bytes;
	size_t length;
};

enum { OS_ISSUERS_MAX = 8, OS_ISSUERS_BYTES_MAX = 32 * 1024 };

struct os_chain {
	char verdict[64]; /* as tls_handshake.system_verify */
	bool trusted;	  /* it says "ok" */
	size_t issuer_count; /* of a trusted chain: who signed the leaf, and so on; the last one is the anchor. 0: too many, too long */
	size_t issuer_lengths[OS_ISSUERS_MAX];
	unsigned char issuers[OS_ISSUERS_BYTES_MAX]; /* DER, one behind the other */
};

/**
 * Let the system judge a TLS server's chain (leaf first, as sent) for a host name or address, in this account's context.
 * It may fetch a missing anchor or issuer from the network (automatic root update, AIA), as the agent's stack does; revocation is
 * not asked for. An address is not compared with the certificate's: then only the chain itself is judged.
 *
 * Errors  false where the system has no such engine or it does not answer; *out is untouched then.
 */
bool os_chain_verify(const struct os_der *sent, size_t count, const char *host, struct os_chain *out);

struct os_http_request {
	const char *url;
	const char *proxy; /* "http://host:port", or NULL for none */
	int timeout_ms;	   /* of each phase */
};

/** What an error of the system's HTTP client means, whatever its number. */
enum os_http_problem {
	OS_HTTP_ANSWERED, /* none: a status came */
	OS_HTTP_TIMED_OUT,
	OS_HTTP_NAME_UNKNOWN,
	OS_HTTP_CANNOT_CONNECT,
	OS_HTTP_CLOSED,		   /* the connection stood and ended without an answer */
	OS_HTTP_UNKNOWN_AUTHORITY, /* TLS: the chain ends in no trusted root */
	OS_HTTP_WRONG_NAME,
	OS_HTTP_BAD_CERTIFICATE, /* expired, revoked, for another use ... */
	OS_HTTP_NO_HANDSHAKE,	 /* no version or cipher in common, an alert, no TLS */
	OS_HTTP_NO_HTTP,	 /* the answer is not HTTP */
	OS_HTTP_OTHER
};

struct os_http_answer {
	int status; /* 0: none came */
	enum os_http_problem problem;
	uint32_t error;	 /* the system's own code; 0: an answer came */
	char name[64];	 /* "ERROR_WINHTTP_TIMEOUT" */
	char words[256]; /* the system's words for it, for people; a secure failure names its flags */
};
/** One GET by the system's HTTP client, redirects not followed, without credentials or cookies, the body not kept. Errors as above. */
bool os_http_get(const struct os_http_request *request, struct os_http_answer *out);

struct os_proxy_view {
	bool auto_detect;
	char pac_url[2084], proxy[2084], bypass[2084]; /* "" where there is none */
};
/** What the system's own interface says of this account's WinINET proxy settings (WinHttpGetIEProxyConfigForCurrentUser). */
bool os_proxy_view(struct os_proxy_view *out);

/** Which settings a URL is decided by. */
struct os_proxy_question {
	const char *url;
	bool auto_detect;
	const char *pac_url; /* or NULL */
};

struct os_proxy_answer {
	bool answered;
	char proxies[2084]; /* answered: "proxy.corp:3128;other:80", "" for none */
	uint32_t error;	    /* not answered: the system's own code */
};
/**
 * Ask the system's HTTP client which proxy a script names for a URL (WinHttpGetProxyForUrl). It looks for the script, fetches it and runs
 * it anew; it may block for as long as that takes. Errors: false where the system has no such client; *out is untouched then.
 */
bool os_proxy_for_url(const struct os_proxy_question *question, struct os_proxy_answer *out);

#endif
