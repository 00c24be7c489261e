/* The words of the report: one table per enum, read in both directions. */

#include "probe/core/evidence.h"

#include <string.h>

struct words {
	const char *const *texts; /* by value of the enum; NULL where a value has no word */
	size_t count;
};

static const char *word_text(struct words words, size_t value)
{
	return value < words.count ? words.texts[value] : NULL;
}

/** The value of a word; words.count if it is none of them. */
static size_t word_value(struct words words, const char *text)
{
	size_t value = 0;
	while (value < words.count && !(text && words.texts[value] && strcmp(words.texts[value], text) == 0))
		value++;
	return value;
}

/* Defines NAME_text() and NAME_parse() over NAME_words[]. */
#define WORDS(type, name)                                                                                        \
	static const struct words name##_table = {name##_words, sizeof(name##_words) / sizeof(name##_words[0])}; \
	const char *name##_text(type value)                                                                      \
	{                                                                                                        \
		return word_text(name##_table, (size_t)value);                                                   \
	}                                                                                                        \
	bool name##_parse(const char *text, type *out)                                                           \
	{                                                                                                        \
		size_t value = word_value(name##_table, text);                                                   \
		if (value == name##_table.count)                                                                 \
			return false;                                                                            \
		*out = (type)value;                                                                              \
		return true;                                                                                     \
	}

static const char *const stage_words[] = {
	[STAGE_HOST] = "host",	 [STAGE_SETTINGS] = "settings", [STAGE_DNS] = "dns",   [STAGE_TCP] = "tcp",
	[STAGE_PROXY] = "proxy", [STAGE_TLS] = "tls",		[STAGE_HTTP] = "http",
};
WORDS(enum stage, stage)

static const char *const status_words[] = {
	[STATUS_PASS] = "pass",	      [STATUS_WARN] = "warn",
	[STATUS_FAIL] = "fail",	      [STATUS_INCONCLUSIVE] = "inconclusive",
	[STATUS_SKIPPED] = "skipped", [STATUS_NOT_APPLICABLE] = "not_applicable",
};
WORDS(enum status, status)

static const char *const owner_words[] = {
	[OWNER_SERVER_ADMIN] = "server-admin",	 [OWNER_DNS_TEAM] = "dns-team",
	[OWNER_FIREWALL_TEAM] = "firewall-team", [OWNER_PROXY_TEAM] = "proxy-team",
	[OWNER_NETWORK_TEAM] = "network-team",	 [OWNER_MICROSOFT] = "microsoft",
};
WORDS(enum owner, owner)

static const char *const identity_words[] = {[IDENTITY_USER] = "user", [IDENTITY_SYSTEM] = "system"};
WORDS(enum identity_id, identity)

static const char *const identity_mode_words[] = {
	[MODE_RUN] = "run",
	[MODE_SETTINGS] = "settings",
	[MODE_UNAVAILABLE] = "unavailable",
};
WORDS(enum identity_mode, identity_mode)

static const char *const route_kind_words[] = {
	[ROUTE_DIRECT] = "direct", [ROUTE_WININET] = "wininet", [ROUTE_WINHTTP] = "winhttp",
	[ROUTE_AGENT] = "agent",   [ROUTE_ENV] = "env",		[ROUTE_PROXY] = "proxy",
};
WORDS(enum route_kind, route_kind)

static const char *const op_words[] = {
	[OP_DNS_QUERY] = "dns_query",		[OP_SYSTEM_LOOKUP] = "system_lookup",
	[OP_TCP_CONNECT] = "tcp_connect",	[OP_TTL_PROBE] = "ttl_probe",
	[OP_PROXY_EXCHANGE] = "proxy_exchange", [OP_TLS_HANDSHAKE] = "tls_handshake",
	[OP_HTTP_EXCHANGE] = "http_exchange",	[OP_LOCAL_FACT] = "local_fact",
	[OP_PROXY_SCRIPT] = "proxy_script",	[OP_PROXY_DECISION] = "proxy_decision",
};
WORDS(enum op, op)

static const char *const end_reason_words[] = {
	[END_COMPLETE] = "complete",
	[END_DEADLINE] = "deadline",
	[END_INTERRUPTED] = "interrupted",
};
WORDS(enum end_reason, end_reason)

static const char *const tls_progress_words[] = {
	[TLS_HELLO_SENT] = "hello_sent",
	[TLS_SERVER_HELLO] = "server_hello",
	[TLS_CERTIFICATE] = "certificate",
	[TLS_FINISHED] = "finished",
};
WORDS(enum tls_progress, tls_progress)

static const char *const found_by_words[] = {
	[FOUND_BY_SYSTEM] = "system",
	[FOUND_BY_SERVER] = "server",
	[FOUND_BY_LITERAL] = "literal",
	[FOUND_BY_SAMPLE] = "sample",
};
WORDS(enum found_by, found_by)

static const char *const subject_kind_words[] = {
	[SUBJECT_PROXY] = "proxy",     [SUBJECT_RESOLVER] = "resolver", [SUBJECT_HOP] = "hop",
	[SUBJECT_PREFIX] = "prefix",   [SUBJECT_NAME] = "name",		[SUBJECT_ISSUER] = "issuer",
	[SUBJECT_SETTING] = "setting", [SUBJECT_HOST] = "host",
};
WORDS(enum subject_kind, subject_kind)

static const char *const sweep_state_words[] = {
	[SWEEP_UNTRIED] = "untried",	   [SWEEP_OPEN] = "open",
	[SWEEP_REFUSED] = "refused",	   [SWEEP_FILTERED] = "filtered",
	[SWEEP_PROHIBITED] = "prohibited", [SWEEP_UNREACHABLE] = "unreachable",
	[SWEEP_NOT_SENT] = "not_sent",
};
WORDS(enum sweep_state, sweep_state)

static const char *const audit_state_words[] = {
	[AUDIT_UNKNOWN] = "unknown",
	[AUDIT_PERMITTED] = "permitted",
	[AUDIT_BLOCKED] = "blocked",
};
WORDS(enum audit_state, audit_state)

static const char *const failure_words[] = {
#define FAILURE(name, text) [FAILURE_##name] = text,
#include "probe/core/failure.def"
#undef FAILURE
};
static const struct words failure_table = {failure_words, sizeof(failure_words) / sizeof(failure_words[0])};

const char *failure_text(enum failure failure)
{
	return word_text(failure_table, (size_t)failure);
}

enum failure failure_parse(const char *text)
{
	size_t value = word_value(failure_table, text);
	if (!text)
		return FAILURE_NONE;
	return value == failure_table.count ? FAILURE_UNKNOWN : (enum failure)value;
}
