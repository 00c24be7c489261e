#ifndef MARSPROBE_CORE_EVIDENCE_WORDS_H
#define MARSPROBE_CORE_EVIDENCE_WORDS_H

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
/** Is it one of them, to the letter? False for NULL. */
bool text_list_has(const struct text_list *list, const char *text);

#endif
