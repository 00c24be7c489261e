/* What was seen, in words: observations first, findings made of them. */

#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/parts.h"

enum { CUT_BYTES = 80, LIST_SHOWN = 4 };

/* A text from outside, not longer than people read; never cut inside a UTF-8 sequence. */
static const char *shorten(struct arena *arena, const char *text)
{
	size_t length = text ? strlen(text) : 0;
	if (length <= CUT_BYTES)
		return text ? text : "?";
	length = CUT_BYTES;
	while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return arena_printf(arena, "%.*s...", (int)length, text);
}

static const char *peer(struct arena *arena, const struct tuple *tuple)
{
	return tuple->dst ? host_port_text(arena, tuple->dst, tuple->dst_port) : "an address";
}

static const char *seconds(struct arena *arena, int64_t us)
{
	return arena_printf(arena, "%lld.%lld s", (long long)(us / 1000000), (long long)(us / 100000 % 10));
}

static const char *list_in_words(struct arena *arena, const struct text_list *list)
{
	const char *text = "";
	for (size_t i = 0; i < list->count && i < LIST_SHOWN; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", shorten(arena, list->items[i]));
	return list->count > LIST_SHOWN ? arena_printf(arena, "%s and %zu more", text, list->count - LIST_SHOWN) : text;
}

/* The words of a failure in such a table; NULL: it has none there. */
static const char *words_of(const char *const *words, size_t count, enum failure failure)
{
	return (size_t)failure < count ? words[failure] : NULL;
}

/* How a thing ended, after its subject: "got no answer for 5.0 s". */
static const char *ending(struct arena *arena, const struct observation *one)
{
	static const char *const words[] = {
		[FAILURE_NONE] = "went through",
		[FAILURE_CONNECTION_REFUSED] = "was refused",
		[FAILURE_CONNECTION_RESET] = "was reset",
		[FAILURE_CONNECTION_ABORTED] = "was given up by this system",
		[FAILURE_HOST_UNREACHABLE] = "failed: the host cannot be reached",
		[FAILURE_NETWORK_UNREACHABLE] = "failed at once: there is no route",
		[FAILURE_EOF] = "was closed by the other side",
		[FAILURE_PERMISSION_DENIED] = "was forbidden by this system",
		[FAILURE_ADDRESS_NOT_AVAILABLE] = "failed at once: no local address or port is left",
		[FAILURE_TOO_MANY_FILES] = "failed at once: too many open sockets",
		[FAILURE_DEADLINE] = "was cut short by the deadline of the run",
		[FAILURE_INTERRUPTED] = "was cut short when the run was stopped",
	};
	if (one->failure == FAILURE_TIMEOUT)
		return arena_printf(arena, "got no answer for %s", seconds(arena, one->duration_us));
	const char *known = words_of(words, sizeof(words) / sizeof(words[0]), one->failure);
	return known ? known : arena_printf(arena, "failed (%s)", failure_text(one->failure));
}

/* ------------------------------------------------------------------ kind by kind */

static const char *said_by_server(struct arena *arena, const struct observation *one)
{
	static const char *const words[] = {
		[FAILURE_DNS_NXDOMAIN] = "says that there is no such name (NXDOMAIN)",
		[FAILURE_DNS_SERVFAIL] = "could not find out (SERVFAIL)",
		[FAILURE_DNS_REFUSED] = "refuses to answer (REFUSED)",
		[FAILURE_DNS_NO_ANSWER] = "knows the name, but no address of it",
		[FAILURE_DNS_FORMERR] = "sent a reply that is no answer to the question",
		[FAILURE_DNS_MALFORMED] = "sent a reply that is no answer to the question",
		[FAILURE_CONNECTION_REFUSED] = "has nothing listening on its DNS port",
	};
	if (one->failure == FAILURE_TIMEOUT)
		return arena_printf(arena, "did not answer within %s", seconds(arena, one->duration_us));
	const char *known = words_of(words, sizeof(words) / sizeof(words[0]), one->failure);
	return known ? known : arena_printf(arena, "could not be asked (%s)", failure_text(one->failure));
}

/* In which form a question of an experiment was put; "" for the usual one. */
static const char *form_in_words(struct arena *arena, const struct observation *one)
{
	const struct dns_query *query = &one->dns;
	if (query->checking_disabled)
		return " without DNSSEC checking";
	if (text_equal(one->experiment, "dns_plain"))
		return " without EDNS";
	if (one->experiment && strncmp(one->experiment, "dns_edns_", strlen("dns_edns_")) == 0)
		return arena_printf(arena, " allowing %s bytes", one->experiment + strlen("dns_edns_"));
	return "";
}

static const char *query_in_words(struct arena *arena, const struct observation *one)
{
	const struct dns_query *query = &one->dns;
	const char *form = form_in_words(arena, one);
	struct text_list data = {0};
	for (size_t i = 0; i < query->answer_count; i++)
		if (query->answers[i].data)
			text_list_add(arena, &data, query->answers[i].data);
	if (one->failure == FAILURE_NONE)
		return arena_printf(arena, "DNS server %s%s gives %s for %s", query->server,
				    *form ? arena_printf(arena, ", asked%s,", form) : "",
				    data.count ? list_in_words(arena, &data) : "no address",
				    shorten(arena, query->name));
	return arena_printf(arena, "DNS server %s, asked over %s%s for %s, %s", query->server,
			    query->transport ? query->transport : "?", form, shorten(arena, query->name),
			    said_by_server(arena, one));
}

static const char *connect_in_words(struct arena *arena, const struct observation *one)
{
	const struct icmp_error *icmp = &one->tcp.icmp;
	const char *to = peer(arena, &one->tcp.tuple);
	if (text_equal(one->experiment, "bare_connect") && one->failure != FAILURE_NONE)
		return arena_printf(arena, "a connection to %s on which nothing was sent %s", to, ending(arena, one));
	if (icmp->from)
		return arena_printf(arena, "connect to %s was rejected by %s (ICMP type %d code %d)", to, icmp->from,
				    icmp->type, icmp->code);
	return arena_printf(arena, "connect to %s %s", to, ending(arena, one));
}

static const char *probe_in_words(struct arena *arena, const struct observation *one)
{
	const struct ttl_probe *ttl = &one->ttl;
	const char *what = text_equal(ttl->sent, "udp")	    ? "a datagram"
			   : text_equal(ttl->sent, "echo")  ? "an echo request"
			   : text_equal(ttl->sent, "hello") ? "a ClientHello"
							    : "a connection request";
	const char *to = text_equal(ttl->sent, "echo") ? ttl->tuple.dst : peer(arena, &ttl->tuple);
	const char *start = arena_printf(arena, "%s with TTL %d to %s", what, ttl->ttl, to);
	if (ttl->expired)
		return arena_printf(arena, "%s got as far as %s", start, ttl->from ? ttl->from : "a router");
	if (ttl->tcp && text_equal(ttl->tcp, "rst"))
		return arena_printf(arena, "%s was answered by a reset", start);
	if (one->failure == FAILURE_NONE)
		return arena_printf(arena, "%s was answered", start);
	if (ttl->icmp.from)
		return arena_printf(arena, "%s was rejected by %s (ICMP type %d code %d)", start, ttl->icmp.from,
				    ttl->icmp.type, ttl->icmp.code);
	return arena_printf(arena, "%s %s", start, ending(arena, one));
}

static const char *proxy_in_words(struct arena *arena, const struct observation *one)
{
	const struct proxy_exchange *proxy = &one->proxy;
	const char *name = proxy->proxy ? proxy->proxy : "?", *method = proxy->method ? proxy->method : "?";
	const char *request = arena_printf(arena, "%s %s", method, shorten(arena, proxy->request));
	if (proxy->status != NOT_MEASURED && proxy->schemes.count)
		return arena_printf(arena, "proxy %s answered %s with %d and wants a sign-in (%s)", name, request,
				    proxy->status, list_in_words(arena, &proxy->schemes));
	if (proxy->status != NOT_MEASURED)
		return arena_printf(arena, "proxy %s answered %s with %d", name, request, proxy->status);
	if (proxy->socks_reply != NOT_MEASURED)
		return arena_printf(arena, "proxy %s answered %s with SOCKS reply %d", name, request,
				    proxy->socks_reply);
	if (proxy->first_bytes)
		return arena_printf(arena, "proxy %s answered %s with something else: %s", name, request,
				    shorten(arena, proxy->first_bytes));
	if (one->failure == FAILURE_TIMEOUT)
		return arena_printf(arena, "proxy %s did not answer %s within %s", name, request,
				    seconds(arena, one->duration_us));
	return arena_printf(arena, "proxy %s gave no answer to %s: the connection %s", name, request,
			    ending(arena, one));
}

/* What the check of a chain came to, after "a certificate". */
static const char *check_in_words(struct arena *arena, const char *verify)
{
	static const struct {
		const char *verify, *words;
	} known[] = {
		{"ok", "its issuer is trusted here"},
		{"expired", "it has expired"},
		{"not_yet_valid", "it is not yet valid"},
		{"self_signed_leaf", "it vouches for itself alone"},
		{"self_signed_root", "its root is not trusted here"},
		{"issuer_missing", "its issuer is not known here"},
		{"revoked", "it is revoked"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (text_equal(known[i].verify, verify))
			return known[i].words;
	return verify ? shorten(arena, verify) : "it was not checked";
}

static const char *tls_in_words(struct arena *arena, const struct observation *one)
{
	const struct tls_handshake *tls = &one->tls;
	const char *with =
		tls->sni ? arena_printf(arena, "TLS with %s at %s", shorten(arena, tls->sni), peer(arena, &tls->tuple))
			 : arena_printf(arena, "TLS with %s", peer(arena, &tls->tuple));
	if (tls->segment_bytes != NOT_MEASURED)
		with = arena_printf(arena, "%s in segments of at most %d bytes", with, tls->segment_bytes);
	if (tls->alert != NOT_MEASURED)
		return arena_printf(arena, "%s ended with alert %d", with, tls->alert);
	if (tls->plain_reply)
		return arena_printf(arena, "%s was answered by plain bytes: %s", with,
				    shorten(arena, tls->plain_reply));
	if (tls->chain_count && (one->failure != FAILURE_NONE || !tls->root_public)) {
		const char *issuer = tls->chain[0].issuer_cn ? tls->chain[0].issuer_cn : tls->chain[0].issuer;
		return arena_printf(arena, "%s brought a certificate issued by %s (%s%s)", with, shorten(arena, issuer),
				    check_in_words(arena, tls->verify),
				    tls->name_matches ? "" : "; it is for another name");
	}
	if (one->failure == FAILURE_NONE && tls->system_verify && !text_equal(tls->system_verify, "ok"))
		return arena_printf(arena, "%s succeeded, and the system's own check of the chain says %s", with,
				    shorten(arena, tls->system_verify));
	return arena_printf(arena, "%s %s", with, ending(arena, one));
}

static const char *http_in_words(struct arena *arena, const struct observation *one)
{
	const struct http_exchange *http = &one->http;
	const char *url = shorten(arena, http->url), *location = header_find(&http->headers, "location");
	const char *method = http->method ? http->method : "GET";
	if (text_equal(one->experiment, "system_stack"))
		method = "the system's own HTTP client: GET";
	if (http->status == NOT_MEASURED && one->experiment && http->error)
		return arena_printf(arena, "%s %s %s (%s)", method, url, ending(arena, one),
				    shorten(arena, http->error));
	if (http->status == NOT_MEASURED)
		return arena_printf(arena, "%s %s %s", method, url, ending(arena, one));
	if (location)
		return arena_printf(arena, "%s %s answered %d, to %s", method, url, http->status,
				    shorten(arena, location));
	return arena_printf(arena, "%s %s answered %d", method, url, http->status);
}

static const char *script_in_words(struct arena *arena, const struct observation *one)
{
	const struct proxy_script *script = &one->script;
	if (!script->found_by)
		return arena_printf(arena, "automatic detection took %s and found no PAC script%s%s",
				    seconds(arena, one->duration_us), script->names.count ? "; it asked DNS for " : "",
				    script->names.count ? list_in_words(arena, &script->names) : "");
	const char *url = shorten(arena, script->url);
	if (!script->error)
		return arena_printf(arena, "the PAC script %s came (%lld bytes)", url, (long long)script->bytes);
	return arena_printf(arena, "the PAC script %s cannot be used: %s", url,
			    shorten(arena, script->message ? script->message : script->error));
}

static const char *decision_in_words(struct arena *arena, const struct observation *one)
{
	const struct proxy_decision *decision = &one->decision;
	const char *url = shorten(arena, decision->url);
	if (decision->error)
		return arena_printf(arena, "the PAC script fails on %s: %s", url,
				    shorten(arena, decision->message ? decision->message : decision->error));
	const struct proxy_call *last = decision->call_count ? &decision->calls[decision->call_count - 1] : NULL;
	return arena_printf(arena, "the PAC script says of %s: \"%s\"%s%s%s%s", url, shorten(arena, decision->result),
			    last ? "; its last call: " : "", last ? shorten(arena, last->call) : "",
			    last ? " gave " : "", last ? shorten(arena, last->result) : "");
}

static const char *value_of(struct arena *arena, const struct local_fact *fact, size_t index)
{
	return index < fact->values.count ? shorten(arena, fact->values.items[index]) : "?";
}

/* A place in the registry is not cut: it is what the admin will open. */
static const char *place_of(const struct local_fact *fact)
{
	size_t count = fact->values.count;
	return count && fact->values.items[count - 1][0] ? fact->values.items[count - 1] : "no entry names it";
}

static const char *zone_fact_in_words(struct arena *arena, const struct local_fact *fact)
{
	const char *what = fact->fact;
	if (strcmp(what, "zone_download") == 0)
		return arena_printf(arena, "file download is set to %s for SYSTEM in security zone %s: %s",
				    value_of(arena, fact, 1), value_of(arena, fact, 0), place_of(fact));
	if (strcmp(what, "zone_of_host") == 0)
		return arena_printf(arena, "%s is in SYSTEM's security zone %s: %s", shorten(arena, fact->subject),
				    value_of(arena, fact, 0), place_of(fact));
	if (strcmp(what, "enhanced_security") == 0)
		return arena_printf(arena, "Enhanced Security is on: %s", place_of(fact));
	return arena_printf(arena, "the active probe is off: %s", place_of(fact));
}

static const char *fact_in_words(struct arena *arena, const struct local_fact *fact)
{
	const char *what = fact->fact ? fact->fact : "?", *subject = fact->subject ? fact->subject : "";
	if (strcmp(what, "hosts_file") == 0)
		return arena_printf(arena, "the hosts file gives %s for %s", list_in_words(arena, &fact->values),
				    shorten(arena, subject));
	if (strcmp(what, "address_tags") == 0)
		return arena_printf(arena,
				    fact->values.count ? "%s is in the service tags %s" : "%s is in no service tag%s",
				    shorten(arena, subject), list_in_words(arena, &fact->values));
	if (strcmp(what, "nrpt_rule") == 0)
		return arena_printf(arena, "the name policy for %s sends questions to %s", shorten(arena, subject),
				    list_in_words(arena, &fact->values));
	if (strcmp(what, "tls_setting") == 0)
		return arena_printf(arena, "the registry value %s is %s", shorten(arena, subject),
				    list_in_words(arena, &fact->values));
	if (strncmp(what, "zone_", 5) == 0 || strcmp(what, "enhanced_security") == 0 || strcmp(what, "ncsi_probe") == 0)
		return zone_fact_in_words(arena, fact);
	if (strcmp(what, "default_route") == 0)
		return arena_printf(arena, "the %s default route is %s", subject,
				    fact->state ? fact->state : "unknown");
	if (strcmp(what, "interface") == 0)
		return arena_printf(arena, "network interface %s is %s", shorten(arena, subject),
				    fact->state ? fact->state : "unknown");
	if (strcmp(what, "resolvers") == 0)
		return fact->values.count
			       ? arena_printf(arena, "configured DNS servers: %s", list_in_words(arena, &fact->values))
			       : "no DNS server is configured";
	return arena_printf(arena, "%s %s: %s", what, shorten(arena, subject), fact->state ? fact->state : "unknown");
}

const char *observation_in_words(const struct report *report, const struct observation *one)
{
	struct arena *arena = report->arena;
	switch (one->op) {
	case OP_DNS_QUERY:
		return query_in_words(arena, one);
	case OP_SYSTEM_LOOKUP:
		if (one->failure != FAILURE_NONE)
			return arena_printf(arena, "this system's own lookup of %s %s",
					    shorten(arena, one->lookup.name), ending(arena, one));
		return arena_printf(arena, "this system's own lookup of %s took %s and gives %s",
				    shorten(arena, one->lookup.name), seconds(arena, one->duration_us),
				    list_in_words(arena, &one->lookup.addresses));
	case OP_TCP_CONNECT:
		return connect_in_words(arena, one);
	case OP_TTL_PROBE:
		return probe_in_words(arena, one);
	case OP_PROXY_EXCHANGE:
		return proxy_in_words(arena, one);
	case OP_TLS_HANDSHAKE:
		return tls_in_words(arena, one);
	case OP_HTTP_EXCHANGE:
		return http_in_words(arena, one);
	case OP_LOCAL_FACT:
		return fact_in_words(arena, &one->fact);
	case OP_PROXY_SCRIPT:
		return script_in_words(arena, one);
	case OP_PROXY_DECISION:
		return decision_in_words(arena, one);
	}
	return "";
}
