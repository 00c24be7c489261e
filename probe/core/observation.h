#ifndef MARSPROBE_CORE_OBSERVATION_H
#define MARSPROBE_CORE_OBSERVATION_H

/* What was seen: one struct for each kind of observation (evidence.h is the report that they are part of). */

#include "probe/core/evidence_words.h"

/** The 5-tuple of a packet exchange; ports NOT_MEASURED and texts NULL where unknown. */
struct tuple {
	const char *proto; /* "tcp" | "udp" | "icmp" */
	const char *src, *dst;
	int src_port, dst_port;
};

/** An ICMP error that belongs to the socket (RFC 792, RFC 4443). Absent: from is NULL. */
struct icmp_error {
	const char *from; /* who sent it */
	int type, code;
	int mtu; /* next-hop MTU of "fragmentation needed" / "packet too big" */
};

struct tcp_facts {
	int64_t rtt_us;	 /* the smoothed round trip */
	int retransmits; /* segments sent again since the start, the SYN included */
	int unacked;	 /* segments */
	int mss;	 /* bytes, ours towards the peer */
	int segments;	 /* the SYN and what carried data, those sent again included, but none that only acknowledge */
	int held_back; /* SYNs sent again that this system itself did not let out: 0, 1; NOT_MEASURED where none was due */
};

struct dns_answer {
	const char *name, *type, *data; /* "login.microsoftonline.com", "CNAME", "..."; final dots removed */
	int64_t ttl_s;
};

/** One question to one server. failure: DNS_*, TIMEOUT, CONNECTION_REFUSED (ICMP or RST from the server), *_UNREACHABLE,
 *  EOF or CONNECTION_RESET (TCP), or what this system said to the socket (PERMISSION_DENIED ...). A truncated UDP answer
 *  has truncated = true, failure NONE, and is followed by another dns_query over TCP. */
struct dns_query {
	struct tuple tuple;
	const char *server;	    /* "10.0.0.1" or "10.0.0.1:5353" */
	bool control;		    /* the --control-resolver: a second opinion, not one that this server uses */
	const char *transport;	    /* "udp" | "tcp" */
	const char *name, *type;    /* type "A" | "AAAA" */
	int rcode;		    /* NOT_MEASURED without a reply */
	struct dns_answer *answers; /* at most 128 */
	size_t answer_count, answer_capacity;
	bool truncated;
	int ede; /* RFC 8914 info code */
	int edns_bytes; /* of a reply that the question last sent allowed by its OPT record (RFC 6891 6.2.3); NOT_MEASURED without one */
	bool checking_disabled; /* it was sent with CD=1 (RFC 4035 3.2.2) */
	int tries;		/* datagrams sent; over TCP questions sent, one */
	struct icmp_error icmp;
};

/** The operating system's own lookup (getaddrinfo): the addresses in its order (RFC 6724). */
struct system_lookup {
	const char *name;
	struct text_list addresses;
};

/** One TCP connection attempt; failure NONE means that the handshake finished, and in a bare_connect or junk_byte that the peer let it
 *  stand: EOF and CONNECTION_RESET came after the handshake there. tcp_info is read when the socket closes. */
struct tcp_connect {
	struct tuple tuple;
	const char *peer; /* "target" | "proxy" */
	struct icmp_error icmp;
	bool has_tcp_info;
	struct tcp_facts tcp_info;
	int min_ttl;	 /* packets with a smaller TTL were not let in (IP_MINTTL); NOT_MEASURED: no such limit */
	int syn_ack_ttl; /* of the first SYN-ACK, as it came in; NOT_MEASURED: none came, or this account may not look */
	int reset_ttl;	 /* the same of the first reset */
	int64_t sent_bytes; /* of our own on this connection; NOT_MEASURED: none were to be sent. Then also: */
	int64_t bytes_acked, bytes_received; /* bytes_acked: of ours, the SYN included */
	const char *first_bytes;	     /* up to 64 bytes as they came, non-printing ones as \xNN */
};

/**
 * One packet with a TTL of its own, on a walk along the path. duration_us is the round trip to whoever answered.
 *
 * failure  NONE: it was answered: the TTL ran out at a hop (expired), or tcp says what came, or the far end itself answered by ICMP (an echo
 *          reply, or "port unreachable" to a datagram); TIMEOUT: nothing came; HOST_UNREACHABLE, NETWORK_UNREACHABLE: icmp says who refused
 *          and why, or this system has no route; anything else: why this system did not send it.
 */
struct ttl_probe {
	struct tuple tuple;
	int ttl;
	const char *
		sent; /* "syn" | "udp" | "echo" | "hello" (first bytes on a connection that had been made without a limit) */
	bool expired;	  /* the TTL ran out on the way; known even where the sender is not */
	const char *from; /* who sent icmp; NULL where unknown */
	struct icmp_error icmp;
	const char *tcp; /* "syn_ack" | "rst" | "data" | "fin": from the far end, or from who spoke for it; NULL */
};

struct header {
	const char *name; /* lower case */
	const char *value;
};
struct header_list {
	struct header *items;
	size_t count, capacity;
};
void header_list_add(struct arena *arena, struct header_list *list, const char *name, const char *value);
/** The first value of that name (lower case), or NULL. */
const char *header_find(const struct header_list *list, const char *name);

/**
 * What a proxy answered: to CONNECT, to a SOCKS request, or to a GET with an absolute URL (http: targets).
 *
 * failure  NONE: the tunnel stands (CONNECT 2xx, SOCKS granted), or the GET was answered with anything but 407;
 *          PROXY_STATUS: status says what; PROXY_MALFORMED: first_bytes says what; SOCKS_REFUSED: socks_reply;
 *          EOF / CONNECTION_RESET: closed without a status line; TIMEOUT: nothing within the stage's time.
 */
struct proxy_exchange {
	struct tuple tuple;
	const char *proxy;	  /* "host:port" as configured */
	const char *protocol;	  /* "http" | "https" | "socks4" | "socks5" | "socks5h" */
	const char *method;	  /* "CONNECT" | "GET" | "SOCKS" */
	const char *request;	  /* "login.microsoftonline.com:443", or the URL without query */
	int status;		  /* HTTP status, or NOT_MEASURED */
	int socks_reply;	  /* RFC 1928 6 REP, or the SOCKS4 code (90..93), or NOT_MEASURED */
	struct text_list schemes; /* of Proxy-Authenticate, lower case, in order */
	struct header_list headers;
	const char *auth_tried;	  /* NULL | "basic" | "digest" | "ntlm" | "negotiate" | "username" (SOCKS5, RFC 1929) */
	const char *auth_problem; /* NULL | why the scheme could not be completed locally: "no Kerberos ticket: ..." */
	const char *body_head;	  /* up to 512 bytes of the reply's body, for its marks; text, hostile */
	const char
		*first_bytes; /* up to 64 bytes as they came, non-printing ones as \xNN, when they are no HTTP reply */
};

struct certificate {
	const char *subject, *issuer;		       /* RFC 4514-like, UTF-8 */
	const char *subject_cn, *issuer_cn, *issuer_o; /* parts for people's texts; NULL where absent */
	int64_t not_before_s, not_after_s;	       /* Unix seconds */
	const char *sha256;			       /* 64 lower-case hex digits, of the DER form */
	bool is_ca;				       /* basicConstraints CA */
	bool has_aia;				       /* has an Authority Information Access caIssuers URL */
	struct text_list revocation_hosts; /* of its CRL distribution points and OCSP servers, each once, at most 8 */
};

enum tls_progress { TLS_HELLO_SENT, TLS_SERVER_HELLO, TLS_CERTIFICATE, TLS_FINISHED };
const char *tls_progress_text(enum tls_progress progress);
bool tls_progress_parse(const char *text, enum tls_progress *out);

/**
 * One TLS handshake, as far as it came.
 *
 * failure  NONE: finished, the chain verified and the name fits;
 *          SSL_UNKNOWN_AUTHORITY, SSL_INVALID_HOSTNAME, SSL_INVALID_CERTIFICATE: verification (see verify);
 *          SSL_FAILED_HANDSHAKE: alert or plain_reply or own refusal; CONNECTION_RESET, EOF, TIMEOUT: where progress says.
 */
struct tls_handshake {
	struct tuple tuple;
	const char *peer; /* "target" | "proxy" (an https: proxy's own TLS) */
	const char *sni;  /* NULL where the host is an address (RFC 6066 3) */
	enum tls_progress progress;
	const char *version; /* "TLSv1.3", once the server chose */
	const char *cipher;
	int alert;		   /* number of the alert received (RFC 8446 6), or NOT_MEASURED */
	int alert_sent;		   /* number of the alert that we sent, or NOT_MEASURED */
	const char *plain_reply;   /* first bytes that are not TLS, non-printing ones as \xNN; NULL else */
	const char *error;	   /* the library's own words, for people */
	struct certificate *chain; /* as the server sent it, leaf first, at most 10 */
	size_t chain_count, chain_capacity;
	struct text_list names; /* DNS and IP names of the leaf's subjectAltName, at most 16 */
	const char *
		verify; /* "ok" | "expired" | "not_yet_valid" | "self_signed_leaf" | "self_signed_root" | "issuer_missing" |
	                        "revoked" | "other: ..." ; NULL where no chain came */
	bool name_matches; /* the leaf's names fit the host (a name or an address); meaningless where no chain came */
	const char *root_subject,
		*root_sha256; /* the trust anchor of the verified chain, or the last issuer's name with a NULL hash */
	bool root_service;    /* root_sha256 is one of run.service_roots */
	bool root_public;     /* root_sha256 is on the built-in list of public roots */
	const char *
		root_store; /* where the system keeps that anchor: "machine" | "user" | "fetched" (by the system, during this run);
				   NULL where the system does not tell */
	const char *
		system_verify; /* what the system's own chain engine said of the same chain and name: "ok" | "untrusted_root" |
				      "issuer_missing" | "expired" | "revoked" | "name_mismatch" | "other: ..."; NULL: it was not asked */
	int64_t verified_at_s; /* the clock that judged validity, Unix seconds */
	int64_t bytes_acked;   /* of ours, the SYN included */
	int64_t bytes_received;
	int64_t hello_bytes; /* of our ClientHello, its record header included */
	int segment_bytes; /* the largest segment that was allowed both ways (TCP_MAXSEG); NOT_MEASURED: the system's own choice */
};

/** One HTTP request and its answer. failure NONE: a status line came, whatever it says. */
struct http_exchange {
	struct tuple tuple;
	const char *method, *url; /* url without query */
	bool by_proxy;		  /* a GET with an absolute URL, sent to a proxy */
	int status;
	struct header_list headers; /* all but cookies and authentication values; at most 40, values cut at 256 bytes */
	int64_t body_bytes;	    /* read; reading stops at 65,536, of a PAC script at 1 MiB */
	const char *body_sha256;    /* of the whole body, NULL if it was cut or did not come to its end */
	const char *body_head;	    /* up to 512 bytes as text, invalid UTF-8 replaced; hostile */
	bool body_matches;	    /* body equals the target's expect.body; false where none is expected */
	int64_t bytes_acked;	    /* of ours on this connection; NOT_MEASURED if unknown */
	const char *error;	    /* the library's own words, for people */
};

/**
 * Something about this machine. fact and what subject and values then mean:
 *   "interface"      subject its name, values its addresses; state "up" | "down" (loopback is not listed)
 *   "default_route"  subject "ipv4" | "ipv6"; state "present" | "absent"; values the gateways
 *   "resolvers"      values the configured servers, in order; state "present" | "absent"
 *   "hosts_file"     subject a target's or proxy's name; values the addresses that the hosts file gives it; state "present"
 *   "nrpt_rule"      subject the name space of a Windows rule that sends a target's name to other servers; values these; state "present"
 *   "best_route"     subject a destination's address; values interface, next hop ("" if on-link), own address; state "present" | "absent"
 *   "tls_setting"    subject the registry value ("schannel/TLS 1.2/Client/Enabled", "winhttp/DefaultSecureProtocols" ...); values its
 *                    number as text; state "on" | "off" (TLS 1.2 by it); not recorded where the registry has no such value
 *   "zone_download"  subject "system"; values a security zone's number, the number that file download (1803) is set to for it, and the
 *                    place in the registry; state "allowed" | "forbidden"; not recorded where the registry has no such value
 *   "zone_of_host"   subject "scheme://host" of a required target; values the zone's number for SYSTEM, and the place of the entry that
 *                    says so ("" for what no entry names); state "named" | "default"; "default" only under Enhanced Security
 *   "enhanced_security"  subject "system"; values the place in the registry; state "on"; not recorded where it is off
 *   "ncsi_probe"     values the place in the registry; state "off": Windows does not test its connection; else not recorded
 *   "time_zone"      subject its name; values the minutes to add to UTC; state "present"
 *   "proxy_view"     subject "user" | "system"; state "agrees" | "differs": the system's own interface, asked by that identity's process,
 *                    against what was read from the registry; values the interface's answer, then ours
 *   "proxy_answer"   subject a target's name; state "agrees" | "differs": the proxy that the system's own client names for it by the same
 *                    script (WinHttpGetProxyForUrl) against ours; values its answer, then ours
 *   "system_run"     subject "system"; state "started" | "failed" | "not_elevated"; values the reason, for people
 *   "address_tags"   subject an address that some target's name has; values the service tags that hold it, the most specific first; state
 *                    "present" | "absent" (no tag of the file holds it); not recorded without a file of tags
 *   "missing_api"    subject the system's call that this version of it lacks; state "absent"
 */
struct local_fact {
	const char *fact, *subject, *state;
	struct text_list values;
};

/**
 * One try to get a PAC script: who named its address, and what came. The steps of detection and download are observations of their own, with
 * experiment "wpad" and "pac_download".
 *
 * failure  NONE: a script is there (or automatic detection ended, and found none: found_by is NULL); else of the step that ended it
 */
struct proxy_script {
	const char *mechanism; /* "auto_detect" | "pac" */
	const char *found_by;  /* "dhcp" | "dns" | "setting" | "option"; NULL: automatic detection found nothing */
	const char *url;       /* without query; the file's name; NULL */
	const char *
		error; /* NULL | "unreachable" | "needs_auth" | "not_script" | "too_large" | "bad_address" | "no_sandbox" | "syntax" |
			      "exception" | "timeout" | "memory": why there is nothing to be asked */
	const char *message; /* the same in a sentence, for people; without an error a remark on the script, or NULL */
	const char *
		sandbox; /* what kept the script in, and what of it this system does not enforce; NULL where it was not run */
	const char *mime, *sha256;
	int64_t bytes;
	int status;		/* HTTP */
	struct text_list names; /* DNS names that automatic detection asked for, in order */
};

/** A helper function that a script called. Texts are cut, and hostile. */
struct proxy_call {
	const char *call, *result;
	int line; /* NOT_MEASURED where unknown */
};

/** What a PAC script said of one URL. failure NONE: it answered. TIMEOUT, DEADLINE, INTERRUPTED; else UNKNOWN, and error says what. */
struct proxy_decision {
	const char *mechanism;	 /* "auto_detect" | "pac" */
	const char *script;	 /* its address, as in proxy_script */
	const char *url;	 /* without query */
	const char *entry_point; /* "FindProxyForURL" | "FindProxyForURLEx" */
	const char *error;	 /* as in contract.md 4; NULL */
	const char *message;	 /* of the script engine */
	const char *result;	 /* as returned; cut at 1,024 bytes */
	struct text_list via;	 /* the same, read as Windows does */
	struct proxy_call *calls;
	size_t call_count, call_capacity;
};

struct path;
struct path_list {
	struct path **items;
	size_t count, capacity;
};

struct observation {
	const char *id;
	enum op op;
	struct path_list paths; /* the paths that it says something about; none: about the machine as a whole */
	const char *
		experiment; /* NULL in the baseline; "bare_connect", "dns_over_tcp", "proxy_control", "proxy_tls" ..., "system_stack", "wpad",
				"pac_download", "pac_dns" (a name that a script asked for) */
	int64_t start_us, duration_us;
	enum failure failure;
	const char *os_error; /* "ECONNREFUSED", "WSAEACCES", "EAI_AGAIN" ..., or NULL */
	union {
		struct dns_query dns;
		struct system_lookup lookup;
		struct tcp_connect tcp;
		struct ttl_probe ttl;
		struct proxy_exchange proxy;
		struct tls_handshake tls;
		struct http_exchange http;
		struct local_fact fact;
		struct proxy_script script;
		struct proxy_decision decision;
	};
};

/** Does it tell how the route of its paths was found (detection, download, what a script said), and not what was met on that way? */
bool observation_is_of_decision(const struct observation *observation);

/** The TTL of what answered the connection request, a SYN-ACK or a reset; NOT_MEASURED where none came or nobody looked. */
int tcp_answer_ttl(const struct tcp_connect *tcp);

struct observation_list {
	struct observation **items;
	size_t count, capacity;
};

#endif
