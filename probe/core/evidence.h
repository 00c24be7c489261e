#ifndef MARSPROBE_CORE_EVIDENCE_H
#define MARSPROBE_CORE_EVIDENCE_H

#include "probe/core/coverage.h"
#include "probe/core/evidence_words.h"
#include "probe/core/observation.h"
#include "probe/core/sweep.h"

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
	struct text_list
		tags; /* those of run.tags in which its addresses are documented to stand; any of them will do */
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

/** Where the finding's cause ends a way, as a verdict of its paths says; NULL where none does. */
const struct place *finding_place(const struct finding *finding);

/** One local check before registration (`marsprobe preflight`): a judgement, made from the facts "preflight". */
struct check {
	const char *id;	    /* "dotnet" */
	enum status status; /* PASS, WARN, FAIL, INCONCLUSIVE (nobody could look), NOT_APPLICABLE */
	const char *value;  /* what was found, in words; NULL: nothing */
	const char
		*source; /* the registry's key and value, the folder, the interface; NULL where nothing was looked at */
	const char *because; /* why it is so, or what is asked for */
	const char *cause;   /* of a finding, for WARN and FAIL; else NULL */
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

/** The prefixes of one service tag, those inside another one left out. */
struct tag_list {
	const char *tag;
	int64_t change_number; /* NOT_MEASURED where the file has none */
	struct text_list prefixes;
};

/** The file of service tags, or of Microsoft 365 endpoints, that a run was given; and the lists in it that this server's rules need. */
struct tags_input {
	const char *file;      /* without folders */
	const char *form;      /* "service_tags" | "microsoft365" */
	const char *cloud;     /* NULL */
	int64_t change_number; /* of the whole file */
	const char *date;      /* "2026-06-01"; NULL where its name does not say it */
	int tags, prefixes;    /* in the file */
	struct tag_list *lists;
	size_t list_count, list_capacity;
};

/**
 * What a vault credentials file says of itself. Its certificate, key and everything else that is secret are not kept.
 *
 * Source  azure-powershell's classes RSBackupVaultAADCreds, BackupVaultCreds, ASRVaultCreds; the file is XML, ManagementCert a PFX in base64.
 */
struct vault_file {
	const char *file; /* as --vault-credentials named it */
	const char *kind; /* "backup" | "backup_acs" (an older form, before Entra) | "site_recovery" */
	const char *version, *vault, *location, *tenant_id;
	const char *
		authority; /* where the vault's clients sign in, and the audience of the service: scheme and host alone; */
	const char *endpoint; /* NULL where the file has no such URL */
	const char *cloud;    /* "public" | "usgov" | "china": the authority's; NULL: of none that is known */
	const char *region;   /* the code of location, or the one in endpoint; NULL: not known */
	const char *
		certificate; /* "read" | "absent" | "no_base64" | "no_pfx" | "password" (does not open without one) | "no_certificate" |
				"no_key" (there is a certificate, and no key to it) | "unreadable" (in a way that is not supported here) */
	const char
		*encryption; /* of the certificate inside: "PBE-SHA1-RC2-40", "AES-256-CBC"; NULL: unknown, or none */
	const char *subject, *thumbprint;  /* thumbprint: SHA-1 in lower-case hex, as Windows shows it */
	int64_t not_before_s, not_after_s; /* NOT_MEASURED where the certificate was not read */
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
		int64_t timeout_us;		/* of one stage */
		bool experiments;		/* false with --no-experiments */
		bool credentials;		/* proxy credentials were given by an option */
		const struct vault_file *vault; /* NULL without --vault-credentials */
		struct tags_input *tags;	/* NULL: no such file was given */
		struct text_list allow_rules;	/* every rule of the target sets in use: what "allow-listed" means */
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
	struct check *checks; /* of `marsprobe preflight` */
	size_t check_count, check_capacity;
	struct sweep *sweeps; /* of `marsprobe sweep`, one a range */
	size_t sweep_count, sweep_capacity;
	struct readiness readiness;
	bool route_given;	   /* --route was used: basis "given" */
	struct coverage *coverage; /* of `marsprobe expressroute`; else NULL */
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
struct sweep *report_add_sweep(struct report *report, struct target *target);
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
