#include "reports/text_parts.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/strbuf.h"
#include "probe/core/timestamp.h"
#include "reports/screen.h"

enum { NUMBER_BYTES = 24, NAME_BYTES = 300, LIST_SHOWN = 4 };

/* Texts that live as long as one sentence is put together. */
struct scratch {
	char number[NUMBER_BYTES], other[NUMBER_BYTES];
	char source[NAME_BYTES], destination[NAME_BYTES];
};

static const char *number_text(int number, char *text)
{
	if (number == NOT_MEASURED)
		return NULL;
	snprintf(text, NUMBER_BYTES, "%d", number);
	return text;
}

static const char *end_text(const char *host, int port, char *text)
{
	if (!host || port == NOT_MEASURED)
		return host;
	return host_port_format(host, port, text, NAME_BYTES);
}

void say_time_of_day(struct strbuf *out, const struct report *report, int64_t offset_us)
{
	struct moment m;
	bool known = offset_us >= 0 && report->run.started_at_ms >= 0 &&
		     moment_from_unix_ms(report->run.started_at_ms + offset_us / 1000, &m);
	if (known)
		strbuf_printf(out, "%02d:%02d:%02d.%03d", m.hour, m.minute, m.second, m.millisecond);
	else
		strbuf_add(out, "--:--:--.---");
}

void say_list(struct strbuf *out, const struct text_list *list, size_t max)
{
	if (list->count == 0)
		strbuf_add(out, say_text(SAY_NONE));
	for (size_t i = 0; i < list->count && i < max; i++) {
		strbuf_add(out, i ? ", " : "");
		screen_add(out, list->items[i], SAY_VALUE_COLUMNS);
	}
	if (list->count > max) {
		strbuf_add_char(out, ' ');
		say_more(out, list->count - max);
	}
}

static void say_icmp(struct strbuf *out, const struct icmp_error *icmp)
{
	if (!icmp->from)
		return;
	struct scratch s;
	strbuf_add_char(out, ' ');
	say(out, SAY_ICMP_REPORT,
	    FILLS({"from", icmp->from}, {"type", number_text(icmp->type, s.number)},
		  {"code", number_text(icmp->code, s.other)}));
}

/* The addresses of an answer, without the aliases on the way. */
static void say_addresses(struct strbuf *out, const struct dns_query *dns)
{
	size_t found = 0;
	for (size_t i = 0; i < dns->answer_count; i++) {
		const struct dns_answer *answer = &dns->answers[i];
		if (!answer->data || !answer->type || !dns->type || strcmp(answer->type, dns->type) != 0)
			continue;
		if (found++ >= LIST_SHOWN)
			continue;
		strbuf_add(out, found > 1 ? ", " : "");
		screen_add(out, answer->data, SAY_VALUE_COLUMNS);
	}
	if (found > LIST_SHOWN) {
		strbuf_add_char(out, ' ');
		say_more(out, found - LIST_SHOWN);
	}
	if (found == 0)
		strbuf_add(out, say_text(SAY_NONE));
}

static void say_dns(struct strbuf *out, const struct observation *o)
{
	const struct dns_query *dns = &o->dns;
	enum say sentence = SAY_DNS_ANSWERED;
	if (o->failure != FAILURE_NONE)
		sentence = SAY_DNS_FAILED;
	else if (dns->truncated)
		sentence = SAY_DNS_TRUNCATED;
	struct strbuf addresses;
	strbuf_init(&addresses);
	say_addresses(&addresses, dns);
	say(out, sentence,
	    FILLS({"server", dns->server}, {"name", dns->name}, {"type", dns->type}, {"transport", dns->transport},
		  {"addresses", addresses.data}, {"failure", say_text(say_failure(o->failure))}));
	strbuf_free(&addresses);
	say_icmp(out, &dns->icmp);
}

static void say_lookup(struct strbuf *out, const struct observation *o)
{
	struct strbuf addresses;
	strbuf_init(&addresses);
	say_list(&addresses, &o->lookup.addresses, LIST_SHOWN);
	say(out, o->failure == FAILURE_NONE ? SAY_LOOKUP_ANSWERED : SAY_LOOKUP_FAILED,
	    FILLS({"name", o->lookup.name}, {"addresses", addresses.data},
		  {"failure", say_text(say_failure(o->failure))}));
	strbuf_free(&addresses);
}

static void say_answer_ttl(struct strbuf *out, enum say what, int ttl)
{
	struct scratch s;
	if (ttl == NOT_MEASURED)
		return;
	strbuf_add_char(out, ' ');
	say(out, what, FILLS({"ttl", number_text(ttl, s.number)}));
}

static void say_tcp(struct strbuf *out, const struct observation *o)
{
	const struct tuple *t = &o->tcp.tuple;
	struct scratch s;
	say(out, o->failure == FAILURE_NONE ? SAY_TCP_OPENED : SAY_TCP_FAILED,
	    FILLS({"source", end_text(t->src, t->src_port, s.source)},
		  {"destination", end_text(t->dst, t->dst_port, s.destination)},
		  {"failure", say_text(say_failure(o->failure))}));
	say_icmp(out, &o->tcp.icmp);
	say_answer_ttl(out, SAY_TCP_SYN_ACK_TTL, o->tcp.syn_ack_ttl);
	say_answer_ttl(out, SAY_TCP_RESET_TTL, o->tcp.reset_ttl);
}

static enum say ttl_outcome(const struct observation *o)
{
	if (o->ttl.from)
		return SAY_TTL_ANSWERED;
	if (o->ttl.expired)
		return SAY_TTL_EXPIRED;
	if (o->failure == FAILURE_NONE)
		return SAY_TTL_REACHED;
	return o->failure == FAILURE_PERMISSION_DENIED ? SAY_TTL_NOT_SENT : SAY_TTL_SILENT;
}

static void say_ttl(struct strbuf *out, const struct observation *o)
{
	const struct ttl_probe *ttl = &o->ttl;
	struct scratch s;
	say(out, ttl_outcome(o),
	    FILLS({"ttl", number_text(ttl->ttl, s.number)}, {"from", ttl->from}, {"sent", ttl->sent}, {"tcp", ttl->tcp},
		  {"destination", end_text(ttl->tuple.dst, ttl->tuple.dst_port, s.destination)}));
}

static void say_proxy_details(struct strbuf *out, const struct proxy_exchange *proxy)
{
	struct strbuf schemes;
	strbuf_init(&schemes);
	say_list(&schemes, &proxy->schemes, LIST_SHOWN);
	if (proxy->schemes.count) {
		strbuf_add_char(out, ' ');
		say(out, SAY_PROXY_SCHEMES, FILLS({"schemes", schemes.data}));
	}
	strbuf_free(&schemes);
	if (proxy->auth_tried) {
		strbuf_add_char(out, ' ');
		say(out, SAY_PROXY_TRIED, FILLS({"scheme", proxy->auth_tried}));
	}
	if (proxy->auth_problem) {
		strbuf_add_char(out, ' ');
		say(out, SAY_PROXY_AUTH_PROBLEM, FILLS({"problem", proxy->auth_problem}));
	}
	if (proxy->first_bytes) {
		strbuf_add_char(out, ' ');
		say(out, SAY_FIRST_BYTES, FILLS({"bytes", proxy->first_bytes}));
	}
}

static void say_proxy(struct strbuf *out, const struct observation *o)
{
	const struct proxy_exchange *proxy = &o->proxy;
	enum say sentence = SAY_PROXY_FAILED;
	if (proxy->status != NOT_MEASURED)
		sentence = SAY_PROXY_ANSWERED;
	else if (o->failure == FAILURE_NONE)
		sentence = SAY_PROXY_GRANTED;
	else if (proxy->socks_reply != NOT_MEASURED)
		sentence = SAY_PROXY_REFUSED;
	struct scratch s;
	say(out, sentence,
	    FILLS({"proxy", proxy->proxy}, {"method", proxy->method}, {"request", proxy->request},
		  {"status", number_text(proxy->status, s.number)}, {"reply", number_text(proxy->socks_reply, s.other)},
		  {"failure", say_text(say_failure(o->failure))}));
	say_proxy_details(out, proxy);
}

static void say_certificate(struct strbuf *out, const struct certificate *leaf)
{
	char from[TIMESTAMP_TEXT_BYTES] = "", until[TIMESTAMP_TEXT_BYTES] = "";
	if (leaf->not_before_s != NOT_MEASURED && leaf->not_before_s < INT64_MAX / 1000 &&
	    timestamp_format(leaf->not_before_s * 1000, from))
		from[10] = '\0';
	if (leaf->not_after_s != NOT_MEASURED && leaf->not_after_s < INT64_MAX / 1000 &&
	    timestamp_format(leaf->not_after_s * 1000, until))
		until[10] = '\0';
	strbuf_add_char(out, ' ');
	say(out, SAY_TLS_CERTIFICATE,
	    FILLS({"subject", leaf->subject_cn ? leaf->subject_cn : leaf->subject},
		  {"issuer", leaf->issuer_cn ? leaf->issuer_cn : leaf->issuer}, {"from", *from ? from : NULL},
		  {"until", *until ? until : NULL}));
}

static void say_tls_failure(struct strbuf *out, const struct tls_handshake *tls)
{
	struct scratch s;
	if (tls->alert != NOT_MEASURED) {
		strbuf_add_char(out, ' ');
		say(out, SAY_TLS_ALERT, FILLS({"alert", number_text(tls->alert, s.number)}));
	}
	if (tls->chain_count > 0)
		say_certificate(out, &tls->chain[0]);
	if (tls->verify) {
		strbuf_add_char(out, ' ');
		say(out, SAY_TLS_VERIFY, FILLS({"verify", tls->verify}));
	}
	if (tls->plain_reply) {
		strbuf_add_char(out, ' ');
		say(out, SAY_FIRST_BYTES, FILLS({"bytes", tls->plain_reply}));
	}
}

static void say_tls(struct strbuf *out, const struct observation *o)
{
	const struct tls_handshake *tls = &o->tls;
	const struct certificate *leaf = tls->chain_count ? &tls->chain[0] : NULL;
	const char *issuer = leaf ? (leaf->issuer_cn ? leaf->issuer_cn : leaf->issuer) : NULL;
	struct scratch s;
	say(out, o->failure == FAILURE_NONE ? SAY_TLS_DONE : SAY_TLS_FAILED,
	    FILLS({"sni", tls->sni}, {"destination", end_text(tls->tuple.dst, tls->tuple.dst_port, s.destination)},
		  {"version", tls->version}, {"issuer", issuer}, {"failure", say_text(say_failure(o->failure))}));
	if (o->failure != FAILURE_NONE)
		say_tls_failure(out, tls);
}

static void say_http(struct strbuf *out, const struct observation *o)
{
	struct scratch s;
	say(out, o->http.status != NOT_MEASURED ? SAY_HTTP_ANSWERED : SAY_HTTP_FAILED,
	    FILLS({"method", o->http.method}, {"url", o->http.url}, {"status", number_text(o->http.status, s.number)},
		  {"failure", say_text(say_failure(o->failure))}));
}

static enum say fact_words(const char *fact)
{
	static const struct {
		const char *fact;
		enum say words;
	} rows[] = {
		{"interface", SAY_FACT_INTERFACE}, {"default_route", SAY_FACT_ROUTE}, {"resolvers", SAY_FACT_RESOLVERS},
		{"hosts_file", SAY_FACT_HOSTS},	   {"address_tags", SAY_FACT_TAGS},
	};
	for (size_t i = 0; fact && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].fact, fact) == 0)
			return rows[i].words;
	return SAY_FACT_OTHER;
}

static void say_fact(struct strbuf *out, const struct observation *o)
{
	struct strbuf values;
	strbuf_init(&values);
	say_list(&values, &o->fact.values, LIST_SHOWN);
	say(out, fact_words(o->fact.fact),
	    FILLS({"fact", o->fact.fact}, {"subject", o->fact.subject ? o->fact.subject : ""}, {"state", o->fact.state},
		  {"values", values.data}));
	strbuf_free(&values);
}

static void say_script(struct strbuf *out, const struct observation *o)
{
	struct scratch s;
	struct strbuf names;
	const struct proxy_script *script = &o->script;
	strbuf_init(&names);
	say_list(&names, &script->names, LIST_SHOWN);
	say(out,
	    script->error      ? SAY_SCRIPT_ERROR
	    : script->found_by ? SAY_SCRIPT_FOUND
			       : SAY_SCRIPT_NONE,
	    FILLS({"url", script->url ? script->url : ""}, {"error", script->error},
		  {"message", script->message ? script->message : ""},
		  {"bytes", number_text((int)script->bytes, s.number)}, {"names", names.data}));
	strbuf_free(&names);
}

static void say_decision(struct strbuf *out, const struct observation *o)
{
	const struct proxy_decision *decision = &o->decision;
	say(out, decision->error ? SAY_DECISION_ERROR : SAY_DECISION,
	    FILLS({"url", decision->url ? decision->url : ""}, {"error", decision->error},
		  {"message", decision->message ? decision->message : ""},
		  {"result", decision->result ? decision->result : ""}));
}

void say_observation(struct strbuf *out, const struct observation *o)
{
	static void (*const sayers[])(struct strbuf *, const struct observation *) = {
		[OP_DNS_QUERY] = say_dns,	    [OP_SYSTEM_LOOKUP] = say_lookup, [OP_TCP_CONNECT] = say_tcp,
		[OP_TTL_PROBE] = say_ttl,	    [OP_PROXY_EXCHANGE] = say_proxy, [OP_TLS_HANDSHAKE] = say_tls,
		[OP_HTTP_EXCHANGE] = say_http,	    [OP_LOCAL_FACT] = say_fact,	     [OP_PROXY_SCRIPT] = say_script,
		[OP_PROXY_DECISION] = say_decision,
	};
	sayers[o->op](out, o);
	if (!o->experiment)
		return;
	strbuf_add_char(out, ' ');
	say(out, SAY_EXPERIMENT, FILLS({"name", o->experiment}));
}

void text_observations(struct page *page)
{
	const struct observation_list *all = &page->report->observations;
	if (all->count == 0)
		return;
	page_heading(page, SAY_OBSERVATIONS);
	struct strbuf line;
	strbuf_init(&line);
	for (size_t i = 0; i < all->count; i++) {
		const struct observation *o = all->items[i];
		strbuf_truncate(&line, 0);
		say_time_of_day(&line, page->report, o->start_us);
		if (o->duration_us >= 0)
			strbuf_printf(&line, " %6lld ms  ", (long long)(o->duration_us / 1000));
		else
			strbuf_add(&line, "       -     ");
		say_observation(&line, o);
		strbuf_printf(page->out, "%s\n", line.data);
	}
	strbuf_free(&line);
}
