#ifndef MARSPROBE_CORE_EVIDENCE_H
#define MARSPROBE_CORE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * The report as one plain value: what the engine writes, the diagnosis reads and completes, and the writers print.
 *
 * Memory     everything hangs on report->arena; items are referred to by pointer, and by id in JSON.
 * Texts      UTF-8; NULL means "not measured" (JSON null).
 * Integers   -1 (NOT_MEASURED) means "not measured", never 0.
 * Durations  microseconds (_us) from the start of the run; JSON gives milliseconds with three decimals.
 * Times      Unix milliseconds (_at_ms); JSON gives RFC 3339 UTC.
 * Lists      item arrays grow with arena_grow(); use the *_add() functions below.
 */
#define NOT_MEASURED (-1)

enum failure {
	FAILURE_NONE,
#define FAILURE(name, text) FAILURE_##name,
#include "probe/core/failure.def"
#undef FAILURE
};

/** The stable string, or NULL for FAILURE_NONE. */
const char *failure_text(enum failure failure);
/** The inverse; NULL gives FAILURE_NONE, a text not in the table FAILURE_UNKNOWN. */
enum failure failure_parse(const char *text);

enum stage { STAGE_NONE, STAGE_HOST, STAGE_SETTINGS, STAGE_DNS, STAGE_TCP, STAGE_PROXY, STAGE_TLS, STAGE_HTTP };
enum { STAGE_FIRST_SHOWN = STAGE_SETTINGS, STAGE_COUNT = STAGE_HTTP + 1 };
enum status { STATUS_PASS, STATUS_WARN, STATUS_FAIL, STATUS_INCONCLUSIVE, STATUS_SKIPPED, STATUS_NOT_APPLICABLE };
enum owner {
	OWNER_NONE,
	OWNER_SERVER_ADMIN,
	OWNER_DNS_TEAM,
	OWNER_FIREWALL_TEAM,
	OWNER_PROXY_TEAM,
	OWNER_NETWORK_TEAM,
	OWNER_MICROSOFT
};
enum identity_id { IDENTITY_USER, IDENTITY_SYSTEM };
enum identity_mode { MODE_RUN, MODE_SETTINGS, MODE_UNAVAILABLE };
enum route_kind { ROUTE_DIRECT, ROUTE_WININET, ROUTE_WINHTTP, ROUTE_AGENT, ROUTE_ENV, ROUTE_PROXY };
enum op {
	OP_DNS_QUERY,
	OP_SYSTEM_LOOKUP,
	OP_TCP_CONNECT,
	OP_TTL_PROBE,
	OP_PROXY_EXCHANGE,
	OP_TLS_HANDSHAKE,
	OP_HTTP_EXCHANGE,
	OP_LOCAL_FACT,
	OP_PROXY_SCRIPT,
	OP_PROXY_DECISION
};
enum end_reason { END_COMPLETE, END_DEADLINE, END_INTERRUPTED };

/* The words of the report for these enums ("dns", "fail", "firewall-team", "system", "wininet", "dns_query" ...);
 * NULL for STAGE_NONE and OWNER_NONE. The parse functions return false for a text that is none of them. */
const char *stage_text(enum stage stage);
const char *status_text(enum status status);
const char *owner_text(enum owner owner);
const char *identity_text(enum identity_id id);
const char *identity_mode_text(enum identity_mode mode);
const char *route_kind_text(enum route_kind kind);
const char *op_text(enum op op);
const char *end_reason_text(enum end_reason reason);
bool stage_parse(const char *text, enum stage *out);
bool status_parse(const char *text, enum status *out);
bool owner_parse(const char *text, enum owner *out);
bool identity_parse(const char *text, enum identity_id *out);
bool identity_mode_parse(const char *text, enum identity_mode *out);
bool route_kind_parse(const char *text, enum route_kind *out);
bool op_parse(const char *text, enum op *out);
bool end_reason_parse(const char *text, enum end_reason *out);

struct text_list {
	const char **items;
	size_t count, capacity;
};
void text_list_add(struct arena *arena, struct text_list *list, const char *text);

/* ------------------------------------------------------------------ who, what, how */

/** One settings source of one identity, as contract.md section 4 shows it. found = false: looked for, not there. */
struct proxy_setting {
	enum identity_id identity;
	enum route_kind kind; /* WININET, WINHTTP, AGENT or ENV */
	bool found;
	const char *scope;    /* "per-user" | "per-machine" */
	const char *source;   /* "blob" | "values" | "policy" | "none" */
	const char *location; /* the key, variable or option; with file and line where it came from a file */
	bool auto_detect, pac_enabled, proxy_enabled;
	const char *pac_url;	  /* query removed */
	const char *pac_address;  /* the same as stored, or --pac's file: what is fetched; never in a report */
	const char *proxy_server; /* as stored, passwords as *** */
	const char *proxy_bypass; /* as stored */
	bool blob_found, blob_malformed, disagree;
	int blob_version, blob_counter, blob_flags;
	struct text_list order;	   /* "auto_detect", "pac", "static", "direct" */
	struct text_list problems; /* what is damaged or will not work as the admin believes, one sentence each */
};

struct identity {
	enum identity_id id;
	const char *account;
	enum identity_mode mode;
	const char *why; /* for settings and unavailable: the reason in one sentence */
	const struct proxy_setting *wininet, *winhttp, *agent, *env; /* NULL: not looked for */
};

struct expect {
	int *status;
	size_t status_count, status_capacity; /* 0: any status that proves its origin */
	struct text_list headers;	      /* response headers that the service itself sends */
	const char *body;		      /* the exact body, or NULL */
};

enum target_kind { TARGET_URL, TARGET_TCP, TARGET_CIDR };

struct target {
	const char *id; /* "t1" in a report; the section's ID inside a set until the plan numbers them */
	enum target_kind kind;
	const char *name; /* what people call it: the host, or the CIDR */
	const char *url;  /* TARGET_URL: http(s)://host[:port]/path; TARGET_TCP: NULL; TARGET_CIDR: NULL */
	const char *host; /* NULL for a CIDR */
	int port;	  /* a CIDR has one too: the port that samples are tried on */
	const char *cidr; /* NULL unless TARGET_CIDR */
	const char *rule; /* the allow-list rule it stands for */
	bool required;
	bool stand_in; /* a concrete name chosen for a wildcard: its absence proves nothing */
	bool regional; /* {region} was filled in */
	const char *service;
	struct expect expect;
};

struct route {
	enum route_kind kind;
	const char *
		via; /* "DIRECT", "PROXY host:port", "HTTPS host:port", "SOCKS host:port", "SOCKS5 ...", "SOCKS5H ..." */
	const char *source;    /* where the setting was read, or the option that gave it */
	const char *rule;      /* the entry, pattern or PAC line that decided: "entry `https=` of ProxyServer" */
	const char *problem;   /* NULL, or what makes the setting unusable as written (a malformed ProxyServer ...) */
	const char *mechanism; /* "auto_detect" | "pac" | "static" | "direct"; NULL where no setting was asked */
	const char *
		error; /* NULL, or why a script that comes earlier in the setting's order gave nothing: as in contract.md 4 */
	struct text_list
		list; /* where several are to be tried in turn: all of them. via is then the first whose proxy let itself be reached,
				  or the first if none did */
};

enum via_scheme { VIA_DIRECT, VIA_HTTP, VIA_HTTPS, VIA_SOCKS4, VIA_SOCKS5, VIA_SOCKS5H };
struct via {
	enum via_scheme scheme;
	const char *host; /* NULL for DIRECT */
	int port;
};
/** Read route.via. SOCKS is SOCKS4. False for a text of another form. Texts go into the arena. */
bool via_parse(struct arena *arena, const char *text, struct via *out);
/** The inverse. */
const char *via_format(struct arena *arena, const struct via *via);

/* ------------------------------------------------------------------ observations */

/** The 5-tuple of a packet exchange; ports NOT_MEASURED and texts NULL where unknown. */
struct tuple {
	const char *proto; /* "tcp" | "udp" */
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
	int ede;   /* RFC 8914 info code */
	int tries; /* datagrams sent; over TCP questions sent, one */
	struct icmp_error icmp;
};

/** The operating system's own lookup (getaddrinfo): the addresses in its order (RFC 6724). */
struct system_lookup {
	const char *name;
	struct text_list addresses;
};

/** One TCP connection attempt; failure NONE means that the handshake finished, and in a bare_connect that the peer let it
 *  stand: EOF and CONNECTION_RESET came after the handshake there. tcp_info is read when the socket closes. */
struct tcp_connect {
	struct tuple tuple;
	const char *peer; /* "target" | "proxy" */
	struct icmp_error icmp;
	bool has_tcp_info;
	struct tcp_facts tcp_info;
};

/** One connect() with a TTL of its own, on a walk along the path. The engine makes no walks yet; a report may hold them. */
struct ttl_probe {
	struct tuple tuple;
	int ttl;
	const char *from;
	struct icmp_error icmp;
	const char *tcp; /* "syn_ack" | "rst" | NULL */
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
};

/** One HTTP request and its answer. failure NONE: a status line came, whatever it says. */
struct http_exchange {
	struct tuple tuple;
	const char *method, *url; /* url without query */
	bool by_proxy;		  /* a GET with an absolute URL, sent to a proxy */
	int status;
	struct header_list headers; /* all but cookies and authentication values; at most 40, values cut at 256 bytes */
	int64_t body_bytes;	    /* read; reading stops at 65,536 */
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
		experiment; /* NULL in the baseline; "bare_connect", "dns_over_tcp", "proxy_control", "system_stack", "wpad",
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

struct observation_list {
	struct observation **items;
	size_t count, capacity;
};

/* ------------------------------------------------------------------ paths and judgement */

enum found_by { FOUND_BY_SYSTEM, FOUND_BY_SERVER, FOUND_BY_LITERAL, FOUND_BY_SAMPLE };
const char *found_by_text(enum found_by found_by);
bool found_by_parse(const char *text, enum found_by *out);

/** One address of a path's target (direct) or proxy, tried on its own. Its observations in the order of their start:
 *  tcp_connect, [tls_handshake to an https proxy], [proxy_exchange ...], [tls_handshake], [http_exchange ...], then experiments. */
struct attempt {
	const char *address;
	int port;
	const char *via;    /* where the route has a list: the entry of it that was tried; else NULL */
	const char *source; /* "10.0.0.2:50113", NULL if no socket got so far */
	enum found_by
		found_by; /* SERVER: only a DNS server gave it, the system's own lookup did not: contrast, not judged */
	int64_t started_at_ms, ended_at_ms;
	enum failure
		failure; /* of the observation that ended it; NONE: it got an HTTP answer (URL) or a connection (TCP, CIDR) */
	struct observation_list observations;
};

struct stage_result {
	enum stage stage;
	enum status status; /* PASS, WARN, FAIL, SKIPPED or NOT_APPLICABLE */
	int64_t start_us, duration_us;
	const char *because; /* for skipped and not_applicable: why */
};

struct place {
	int hop;		/* NOT_MEASURED: no walk was made */
	const char *last_heard; /* NULL: unknown */
	const char *first_silent;
};

struct verdict {
	enum status status; /* PASS, WARN, FAIL or INCONCLUSIVE */
	enum stage stage;   /* STAGE_NONE for pass */
	const char *cause;  /* an id of causes.md, or NULL */
	enum owner owner;
	double confidence; /* 0..1 */
	bool has_place;
	struct place at;
	struct observation_list evidence;
	struct text_list also;	  /* cause ids and remarks */
	struct text_list not_run; /* experiments that would tell more */
};

struct path {
	const char *id;
	struct target *target;
	enum identity_id identity;
	struct route route;
	bool effective;
	struct attempt **attempts;
	size_t attempt_count, attempt_capacity;
	/* judgement: */
	struct stage_result stages[STAGE_COUNT];
	size_t stage_count;
	struct verdict verdict;
};

enum subject_kind {
	SUBJECT_PROXY,
	SUBJECT_RESOLVER,
	SUBJECT_HOP,
	SUBJECT_PREFIX,
	SUBJECT_NAME,
	SUBJECT_ISSUER,
	SUBJECT_SETTING,
	SUBJECT_HOST
};
const char *subject_kind_text(enum subject_kind kind);
bool subject_kind_parse(const char *text, enum subject_kind *out);

/** One row per 5-tuple tried: what a firewall team searches its log for. */
struct flow {
	struct tuple tuple;
	const char *fqdn, *sni;
	int64_t first_at_ms, last_at_ms;
	int attempts;
	const char *outcome;   /* the failure string */
	const char *seen_from; /* "server" | "proxy" */
};

struct finding {
	const char *id;
	enum status status; /* FAIL or WARN */
	enum stage stage;
	const char *cause;
	enum owner owner;
	enum subject_kind subject_kind;
	const char *subject;
	double confidence; /* the highest of its paths */
	struct target **targets;
	size_t target_count, target_capacity;
	struct path_list paths;
	const char *summary;
	struct text_list remedy;
	struct observation_list evidence;
	struct flow *flows;
	size_t flow_count, flow_capacity;
};

struct readiness {
	bool ready;
	const char *basis;
	struct text_list blocking;     /* finding ids */
	struct text_list inconclusive; /* path ids */
};

/* ------------------------------------------------------------------ the report */

struct library {
	const char *name, *version;
};

struct report {
	struct arena *arena;
	struct {
		const char *name, *version;
		struct library libraries[8];
		size_t library_count;
	} tool;
	struct {
		const char *id; /* UUID version 4 */
		int64_t started_at_ms, ended_at_ms;
		int64_t duration_us;
		struct text_list arguments;
		enum end_reason end_reason;
		const char *region;
		bool region_assumed;
		bool region_used;		/* some target's name depends on the region */
		struct text_list service_roots; /* sha256, lower-case hex */
		bool service_roots_given;	/* by --service-roots: then no other root is the service's */
		const char *private_endpoint;
		int64_t timeout_us;	      /* of one stage */
		bool experiments;	      /* false with --no-experiments */
		bool credentials;	      /* proxy credentials were given by an option */
		struct text_list allow_rules; /* every rule of the target sets in use: what "allow-listed" means */
	} run;
	struct {
		const char *name, *os;
		struct text_list addresses, resolvers;
		int64_t clock_offset_ms;  /* ours minus theirs; meaningless with 0 witnesses */
		const char *clock_source; /* "http-date" or NULL */
		int clock_witnesses;	  /* independent responders that agree */
	} host;
	struct identity identities[2]; /* user, then system */
	size_t identity_count;
	struct target **targets;
	size_t target_count, target_capacity;
	struct path **paths;
	size_t path_count, path_capacity;
	struct observation_list observations;
	struct finding **findings;
	size_t finding_count, finding_capacity;
	struct readiness readiness;
	bool route_given; /* --route was used: basis "given" */
};

/** An empty report with its own arena. */
struct report *report_new(void);
/** Release the report and everything in it. NULL is allowed. */
void report_free(struct report *report);

/* Each adds a new zeroed item with the next id ("t1", "p1", "o1", "f1"), with integers that can be unmeasured set to NOT_MEASURED. */
struct target *report_add_target(struct report *report);
struct path *report_add_path(struct report *report);
struct observation *report_add_observation(struct report *report, enum op op);
struct finding *report_add_finding(struct report *report);
struct attempt *path_add_attempt(struct report *report, struct path *path);

/** Take over an observation that was made elsewhere (its memory must already belong to report->arena): gives it the next id. */
void report_take_observation(struct report *report, struct observation *observation);

void path_list_add(struct arena *arena, struct path_list *list, struct path *path);
void observation_list_add(struct arena *arena, struct observation_list *list, struct observation *observation);
bool path_list_has(const struct path_list *list, const struct path *path);

/** Set every field of the kind that can be unmeasured to NOT_MEASURED; the rest to zero. */
void observation_init(struct observation *observation, enum op op);

/**
 * Fill host.clock_* from the Date headers in the evidence: proxies and origins at distinct addresses are distinct witnesses.
 * The offset is the median of those that agree within 60 seconds of one another; pure.
 */
void report_measure_clock(struct report *report);

#endif
