/* What a finding rests on, in the words of the team that is asked: requests, certificates, questions, hops. */

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "reports/handoff_parts.h"
#include "reports/markdown.h"
#include "reports/text_parts.h"

enum { RECORDS_SHOWN = 12 };

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *kept(struct sheet *sheet, struct strbuf *text)
{
	const char *copy = text->length ? arena_strdup(sheet->arena, text->data) : NULL;
	strbuf_free(text);
	return copy;
}

static const char *joined(struct sheet *sheet, const struct text_list *list)
{
	struct strbuf text;
	strbuf_init(&text);
	for (size_t i = 0; i < list->count && i < RECORDS_SHOWN; i++)
		strbuf_printf(&text, "%s%s", i ? ", " : "", list->items[i]);
	return kept(sheet, &text);
}

static size_t count_of(const struct finding *finding, enum op op)
{
	size_t count = 0;
	for (size_t i = 0; i < finding->evidence.count; i++)
		count += finding->evidence.items[i]->op == op;
	return count;
}

/* A heading, its table, and a row for each observation of that kind. */
static void each(struct sheet *sheet, const struct finding *finding, enum op op, enum say heading, enum say columns,
		 void (*row)(struct sheet *, const struct observation *))
{
	size_t shown = 0, count = count_of(finding, op);
	if (!count)
		return;
	strbuf_printf(sheet->out, "\n%s\n", say_text(heading));
	sheet_table(sheet, columns);
	for (size_t i = 0; i < finding->evidence.count && shown < HANDOFF_ROWS_MAX; i++) {
		if (finding->evidence.items[i]->op != op)
			continue;
		strbuf_add_char(sheet->out, '|');
		row(sheet, finding->evidence.items[i]);
		strbuf_add_char(sheet->out, '\n');
		shown++;
	}
	sheet_more(sheet, count);
}

/* ------------------------------------------------------------------ the proxy */

static const char *answer_of_proxy(struct sheet *sheet, const struct observation *one)
{
	if (one->proxy.status != NOT_MEASURED)
		return sheet_number(sheet, one->proxy.status);
	if (one->proxy.socks_reply != NOT_MEASURED)
		return arena_printf(sheet->arena, "SOCKS %d", one->proxy.socks_reply);
	return one->failure == FAILURE_NONE ? NULL : say_text(say_failure(one->failure));
}

/* The headers by which a proxy is recognised. */
static const char *marks_of(struct sheet *sheet, const struct header_list *headers)
{
	static const char *const marks[] = {"via", "server", "proxy-agent", "x-squid-error", "x-cache", "retry-after"};
	struct strbuf text;
	strbuf_init(&text);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *value = header_find(headers, marks[i]);
		if (value)
			strbuf_printf(&text, "%s%s: %s", text.length ? "; " : "", marks[i], value);
	}
	return kept(sheet, &text);
}

static void request(struct sheet *sheet, const struct observation *one)
{
	const struct proxy_exchange *proxy = &one->proxy;
	sheet_cell(sheet, sheet_began(sheet, one));
	sheet_cell(sheet, sheet_end(sheet, proxy->tuple.src, proxy->tuple.src_port));
	sheet_cell(sheet, proxy->proxy);
	sheet_cell(sheet, proxy->request ? arena_printf(sheet->arena, "%s %s", proxy->method ? proxy->method : "?",
							proxy->request)
					 : NULL);
	sheet_cell(sheet, answer_of_proxy(sheet, one));
	sheet_cell(sheet, joined(sheet, &proxy->schemes));
	sheet_cell(sheet, marks_of(sheet, &proxy->headers));
}

void handoff_requests(struct sheet *sheet, const struct finding *finding)
{
	each(sheet, finding, OP_PROXY_EXCHANGE, SAY_HANDOFF_REQUESTS, SAY_HANDOFF_REQUESTS_TABLE, request);
}

/* ------------------------------------------------------------------ certificates */

static void chain(struct sheet *sheet, const struct observation *one)
{
	const struct tls_handshake *tls = &one->tls;
	const struct certificate *leaf = tls->chain_count ? &tls->chain[0] : NULL;
	const struct certificate *last = tls->chain_count ? &tls->chain[tls->chain_count - 1] : NULL;
	sheet_cell(sheet, sheet_began(sheet, one));
	sheet_cell(sheet, sheet_end(sheet, tls->tuple.src, tls->tuple.src_port));
	sheet_cell(sheet, sheet_end(sheet, tls->tuple.dst, tls->tuple.dst_port));
	sheet_cell(sheet, tls->sni);
	sheet_cell(sheet, leaf ? leaf->subject : NULL);
	sheet_cell(sheet, leaf ? leaf->issuer : NULL);
	sheet_cell(sheet, tls->root_subject);
	sheet_cell(sheet, last ? last->sha256 : NULL);
}

void handoff_chains(struct sheet *sheet, const struct finding *finding)
{
	bool any = false;
	for (size_t i = 0; finding->stage == STAGE_TLS && i < finding->evidence.count; i++)
		any |= finding->evidence.items[i]->op == OP_TLS_HANDSHAKE &&
		       finding->evidence.items[i]->tls.chain_count > 0;
	if (any)
		each(sheet, finding, OP_TLS_HANDSHAKE, SAY_HANDOFF_CHAINS, SAY_HANDOFF_CHAINS_TABLE, chain);
}

/* ------------------------------------------------------------------ DNS */

static const char *records_of(struct sheet *sheet, const struct dns_query *dns)
{
	struct strbuf text;
	strbuf_init(&text);
	for (size_t i = 0; i < dns->answer_count && i < RECORDS_SHOWN; i++) {
		const struct dns_answer *answer = &dns->answers[i];
		strbuf_printf(&text, "%s%s %s %s", i ? "; " : "", answer->name ? answer->name : "?",
			      answer->type ? answer->type : "?", answer->data ? answer->data : "?");
	}
	return kept(sheet, &text);
}

/* The first address of an answer, NULL where there is none. */
static const char *address_of(const struct dns_query *dns)
{
	for (size_t i = 0; i < dns->answer_count; i++)
		if (dns->answers[i].data && same_text(dns->answers[i].type, dns->type))
			return dns->answers[i].data;
	return NULL;
}

/* Does the answer lead nowhere in the internet: a private address, 0.0.0.0, or this machine itself? */
static bool is_no_public_address(const char *text)
{
	struct address address;
	return text && address_parse(text, &address) &&
	       (address_is_private(&address) || address_is_loopback(&address) || address_is_unspecified(&address));
}

/* Another server's answer to the same question, the control resolver's before all. */
static const struct dns_query *better_answer(const struct report *report, const struct dns_query *asked)
{
	const struct dns_query *found = NULL;
	for (size_t i = 0; i < report->observations.count; i++) {
		const struct observation *one = report->observations.items[i];
		if (one->op != OP_DNS_QUERY || one->failure != FAILURE_NONE || !address_of(&one->dns) ||
		    !same_text(one->dns.name, asked->name) || !same_text(one->dns.type, asked->type) ||
		    same_text(one->dns.server, asked->server) || is_no_public_address(address_of(&one->dns)))
			continue;
		if (!found || one->dns.control)
			found = &one->dns;
	}
	return found;
}

static bool is_private_link(const struct dns_query *dns)
{
	bool found = dns->name && strstr(dns->name, "privatelink.");
	for (size_t i = 0; i < dns->answer_count; i++)
		found |= dns->answers[i].data && strstr(dns->answers[i].data, "privatelink.");
	return found;
}

static bool is_of_target(const struct report *report, const char *name)
{
	for (size_t i = 0; name && i < report->target_count; i++)
		if (same_text(report->targets[i]->host, name))
			return true;
	return false;
}

static const char *expected(struct sheet *sheet, const struct dns_query *dns)
{
	const struct dns_query *better = better_answer(sheet->report, dns);
	if (is_private_link(dns))
		return say_text(SAY_HANDOFF_EXPECT_PRIVATE);
	if (!better)
		return say_text(is_of_target(sheet->report, dns->name) && is_no_public_address(address_of(dns))
					? SAY_HANDOFF_EXPECT_PUBLIC
					: SAY_HANDOFF_EXPECT_ADDRESS);
	struct strbuf text;
	strbuf_init(&text);
	say(&text, SAY_HANDOFF_EXPECT_OTHER, FILLS({"server", better->server}));
	const char *records = records_of(sheet, better);
	strbuf_add(&text, records ? records : "");
	return kept(sheet, &text);
}

static void question(struct sheet *sheet, const struct observation *one)
{
	const struct dns_query *dns = &one->dns;
	const char *answer = one->failure == FAILURE_NONE ? "NOERROR" : say_text(say_failure(one->failure));
	sheet_cell(sheet, sheet_began(sheet, one));
	sheet_cell(sheet, sheet_end(sheet, dns->tuple.src, dns->tuple.src_port));
	sheet_cell(sheet, dns->server);
	sheet_cell(sheet,
		   arena_printf(sheet->arena, "%s %s", dns->name ? dns->name : "?", dns->type ? dns->type : "?"));
	sheet_cell(sheet, dns->transport);
	sheet_cell(sheet, dns->rcode == NOT_MEASURED ? answer
						     : arena_printf(sheet->arena, "%s, rcode %d", answer, dns->rcode));
	sheet_cell(sheet, records_of(sheet, dns));
	sheet_cell(sheet, expected(sheet, dns));
}

void handoff_questions(struct sheet *sheet, const struct finding *finding)
{
	each(sheet, finding, OP_DNS_QUERY, SAY_HANDOFF_QUESTIONS, SAY_HANDOFF_QUESTIONS_TABLE, question);
}
