#include "probe/core/evidence_fields.h"

/* ------------------------------------------------------------------ what several kinds share */

static const struct field tuple_rows[] = {
	ROW("proto", TEXT, tuple, proto),	ROW("src", TEXT, tuple, src),
	ROW("src_port", PORT, tuple, src_port), ROW("dst", TEXT, tuple, dst),
	ROW("dst_port", PORT, tuple, dst_port),
};
static const struct field_shape tuple_shape = SHAPE(tuple_rows, tuple);

static bool tuple_is_present(const void *holder, size_t offset)
{
	const struct tuple *t = (const void *)((const char *)holder + offset);
	return t->proto || t->src || t->dst || t->src_port != NOT_MEASURED || t->dst_port != NOT_MEASURED;
}

static const struct field icmp_rows[] = {
	ROW("type", INT, icmp_error, type),
	ROW("code", INT, icmp_error, code),
	ROW("from", TEXT, icmp_error, from),
	ROW("mtu", INT, icmp_error, mtu),
};
static const struct field_shape icmp_shape = SHAPE(icmp_rows, icmp_error);

static bool icmp_is_present(const void *holder, size_t offset)
{
	const struct icmp_error *icmp = (const void *)((const char *)holder + offset);
	return icmp->from != NULL;
}

#define TUPLE(member) ROW("tuple", OBJECT, observation, member, .shape = &tuple_shape, .present = tuple_is_present)
#define ICMP(member) ROW("icmp", OBJECT, observation, member, .shape = &icmp_shape, .present = icmp_is_present)

/* ------------------------------------------------------------------ one table for each kind */

static const struct field answer_rows[] = {
	ROW("name", TEXT, dns_answer, name),
	ROW("type", TEXT, dns_answer, type),
	ROW("ttl", INT64, dns_answer, ttl_s),
	ROW("data", TEXT, dns_answer, data),
};
static const struct field_shape answer_shape = SHAPE(answer_rows, dns_answer);

static const struct field dns_rows[] = {
	TUPLE(dns.tuple),
	ROW("server", TEXT, observation, dns.server),
	ROW("transport", TEXT, observation, dns.transport),
	ROW("name", TEXT, observation, dns.name),
	ROW("type", TEXT, observation, dns.type),
	ROW("rcode", INT, observation, dns.rcode),
	ROW("answers", LIST, observation, dns.answers, .shape = &answer_shape,
	    GROWING(observation, dns.answer_count, dns.answer_capacity)),
	ROW("truncated", BOOL, observation, dns.truncated),
	ROW("ede", INT, observation, dns.ede),
	ROW("edns_bytes", INT, observation, dns.edns_bytes),
	ROW("checking_disabled", BOOL, observation, dns.checking_disabled),
	ICMP(dns.icmp),
	ROW("tries", INT, observation, dns.tries),
	ROW("control", BOOL, observation, dns.control),
};

static const struct field lookup_rows[] = {
	ROW("name", TEXT, observation, lookup.name),
	ROW("addresses", TEXTS, observation, lookup.addresses),
};

static const struct field tcp_info_rows[] = {
	ROW("rtt_us", INT64, observation, tcp.tcp_info.rtt_us),
	ROW("retransmits", INT, observation, tcp.tcp_info.retransmits),
	ROW("unacked", INT, observation, tcp.tcp_info.unacked),
	ROW("mss", INT, observation, tcp.tcp_info.mss),
	ROW("segments", INT, observation, tcp.tcp_info.segments),
	ROW("held_back", INT, observation, tcp.tcp_info.held_back),
};
static const struct field_shape tcp_info_shape = SHAPE(tcp_info_rows, observation);

static bool tcp_info_is_present(const void *holder, size_t offset)
{
	(void)offset;
	return ((const struct observation *)holder)->tcp.has_tcp_info;
}

static void tcp_info_mark(void *holder)
{
	((struct observation *)holder)->tcp.has_tcp_info = true;
}

static const struct field tcp_rows[] = {
	TUPLE(tcp.tuple),
	ICMP(tcp.icmp),
	GROUP("tcp_info", tcp_info_shape, .present = tcp_info_is_present, .mark = tcp_info_mark),
	ROW("peer", TEXT, observation, tcp.peer),
	ROW("min_ttl", INT, observation, tcp.min_ttl),
	ROW("syn_ack_ttl", INT, observation, tcp.syn_ack_ttl),
	ROW("reset_ttl", INT, observation, tcp.reset_ttl),
	ROW("sent_bytes", INT64, observation, tcp.sent_bytes),
	ROW("bytes_acked", INT64, observation, tcp.bytes_acked),
	ROW("bytes_received", INT64, observation, tcp.bytes_received),
	ROW("first_bytes", TEXT, observation, tcp.first_bytes),
};

static const struct field ttl_rows[] = {
	TUPLE(ttl.tuple),
	ROW("ttl", INT, observation, ttl.ttl),
	ROW("sent", TEXT, observation, ttl.sent),
	ROW("expired", BOOL, observation, ttl.expired),
	ROW("from", TEXT, observation, ttl.from),
	ICMP(ttl.icmp),
	ROW("tcp", TEXT, observation, ttl.tcp),
};

static const struct field proxy_rows[] = {
	TUPLE(proxy.tuple),
	ROW("proxy", TEXT, observation, proxy.proxy),
	ROW("protocol", TEXT, observation, proxy.protocol),
	ROW("method", TEXT, observation, proxy.method),
	ROW("request", TEXT, observation, proxy.request),
	ROW("status", INT, observation, proxy.status),
	ROW("schemes", TEXTS, observation, proxy.schemes),
	ROW("headers", HEADERS, observation, proxy.headers),
	ROW("auth_tried", TEXT, observation, proxy.auth_tried),
	ROW("auth_problem", TEXT, observation, proxy.auth_problem),
	ROW("socks_reply", INT, observation, proxy.socks_reply),
	ROW("body_head", TEXT, observation, proxy.body_head),
	ROW("first_bytes", TEXT, observation, proxy.first_bytes),
};

static const struct field certificate_rows[] = {
	ROW("subject", TEXT, certificate, subject),
	ROW("issuer", TEXT, certificate, issuer),
	ROW("not_before", AT_S, certificate, not_before_s),
	ROW("not_after", AT_S, certificate, not_after_s),
	ROW("sha256", TEXT, certificate, sha256),
	ROW("subject_cn", TEXT, certificate, subject_cn),
	ROW("issuer_cn", TEXT, certificate, issuer_cn),
	ROW("issuer_o", TEXT, certificate, issuer_o),
	ROW("is_ca", BOOL, certificate, is_ca),
	ROW("has_aia", BOOL, certificate, has_aia),
	ROW("revocation_hosts", TEXTS, certificate, revocation_hosts),
};
static const struct field_shape certificate_shape = SHAPE(certificate_rows, certificate);

static const struct field root_rows[] = {
	ROW("subject", TEXT, observation, tls.root_subject), ROW("sha256", TEXT, observation, tls.root_sha256),
	ROW("service", BOOL, observation, tls.root_service), ROW("public", BOOL, observation, tls.root_public),
	ROW("store", TEXT, observation, tls.root_store),
};
static const struct field_shape root_shape = SHAPE(root_rows, observation);

static bool root_is_present(const void *holder, size_t offset)
{
	(void)offset;
	const struct tls_handshake *tls = &((const struct observation *)holder)->tls;
	return tls->root_subject || tls->root_sha256;
}

static const char *progress_word(const void *field)
{
	return tls_progress_text(*(const enum tls_progress *)field);
}

static bool progress_take(const char *text, void *field)
{
	return tls_progress_parse(text, (enum tls_progress *)field);
}

static const struct field_words progress_words = {progress_word, progress_take};

static const struct field tls_rows[] = {
	TUPLE(tls.tuple),
	ROW("peer", TEXT, observation, tls.peer),
	ROW("sni", TEXT, observation, tls.sni),
	ROW("version", TEXT, observation, tls.version),
	ROW("cipher", TEXT, observation, tls.cipher),
	ROW("alert", INT, observation, tls.alert),
	ROW("chain", LIST, observation, tls.chain, .shape = &certificate_shape,
	    GROWING(observation, tls.chain_count, tls.chain_capacity)),
	ROW("verify", TEXT, observation, tls.verify),
	ROW("bytes_acked", INT64, observation, tls.bytes_acked),
	ROW("bytes_received", INT64, observation, tls.bytes_received),
	ROW("progress", WORD, observation, tls.progress, .words = &progress_words),
	ROW("alert_sent", INT, observation, tls.alert_sent),
	ROW("plain_reply", TEXT, observation, tls.plain_reply),
	ROW("error", TEXT, observation, tls.error),
	ROW("names", TEXTS, observation, tls.names),
	ROW("name_matches", BOOL, observation, tls.name_matches),
	GROUP("root", root_shape, .present = root_is_present),
	ROW("verified_at", AT_S, observation, tls.verified_at_s),
	ROW("system_verify", TEXT, observation, tls.system_verify),
	ROW("hello_bytes", INT64, observation, tls.hello_bytes),
	ROW("segment_bytes", INT, observation, tls.segment_bytes),
};

static const struct field http_rows[] = {
	TUPLE(http.tuple),
	ROW("method", TEXT, observation, http.method),
	ROW("url", TEXT, observation, http.url),
	ROW("by_proxy", BOOL, observation, http.by_proxy),
	ROW("status", INT, observation, http.status),
	ROW("headers", HEADERS, observation, http.headers),
	ROW("body_sha256", TEXT, observation, http.body_sha256),
	ROW("body_head", TEXT, observation, http.body_head),
	ROW("body_bytes", INT64, observation, http.body_bytes),
	ROW("body_matches", BOOL, observation, http.body_matches),
	ROW("bytes_acked", INT64, observation, http.bytes_acked),
	ROW("error", TEXT, observation, http.error),
};

static const struct field fact_rows[] = {
	ROW("fact", TEXT, observation, fact.fact),
	ROW("subject", TEXT, observation, fact.subject),
	ROW("state", TEXT, observation, fact.state),
	ROW("values", TEXTS, observation, fact.values),
};

static const struct field script_rows[] = {
	ROW("mechanism", TEXT, observation, script.mechanism),
	ROW("found_by", TEXT, observation, script.found_by),
	ROW("url", TEXT, observation, script.url),
	ROW("error", TEXT, observation, script.error),
	ROW("message", TEXT, observation, script.message),
	ROW("sandbox", TEXT, observation, script.sandbox),
	ROW("mime", TEXT, observation, script.mime),
	ROW("sha256", TEXT, observation, script.sha256),
	ROW("bytes", INT64, observation, script.bytes),
	ROW("status", INT, observation, script.status),
	ROW("names", TEXTS, observation, script.names),
};

static const struct field call_rows[] = {
	ROW("call", TEXT, proxy_call, call),
	ROW("result", TEXT, proxy_call, result),
	ROW("line", INT, proxy_call, line),
};
const struct field_shape proxy_call_shape = SHAPE(call_rows, proxy_call);

static const struct field decision_rows[] = {
	ROW("mechanism", TEXT, observation, decision.mechanism),
	ROW("script", TEXT, observation, decision.script),
	ROW("url", TEXT, observation, decision.url),
	ROW("entry_point", TEXT, observation, decision.entry_point),
	ROW("error", TEXT, observation, decision.error),
	ROW("message", TEXT, observation, decision.message),
	ROW("result", TEXT, observation, decision.result),
	ROW("via", TEXTS, observation, decision.via),
	ROW("calls", LIST, observation, decision.calls, .shape = &proxy_call_shape,
	    GROWING(observation, decision.call_count, decision.call_capacity)),
};

const struct field_shape *observation_shape(enum op op)
{
	static const struct field_shape shapes[] = {
		[OP_DNS_QUERY] = SHAPE(dns_rows, observation),
		[OP_SYSTEM_LOOKUP] = SHAPE(lookup_rows, observation),
		[OP_TCP_CONNECT] = SHAPE(tcp_rows, observation),
		[OP_TTL_PROBE] = SHAPE(ttl_rows, observation),
		[OP_PROXY_EXCHANGE] = SHAPE(proxy_rows, observation),
		[OP_TLS_HANDSHAKE] = SHAPE(tls_rows, observation),
		[OP_HTTP_EXCHANGE] = SHAPE(http_rows, observation),
		[OP_LOCAL_FACT] = SHAPE(fact_rows, observation),
		[OP_PROXY_SCRIPT] = SHAPE(script_rows, observation),
		[OP_PROXY_DECISION] = SHAPE(decision_rows, observation),
	};
	return &shapes[op];
}
