/* What was seen, in words: observations first, findings made of them. */

#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/diagnosis/parts.h"

enum { CUT_BYTES = 80, HOST_PORT_BYTES = 300, LIST_SHOWN = 4 };

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
	char *text = arena_alloc(arena, HOST_PORT_BYTES);
	return tuple->dst ? host_port_format(tuple->dst, tuple->dst_port, text, HOST_PORT_BYTES) : "an address";
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

/* How a thing ended, after its subject: "got no answer for 5.0 s". */
static const char *ending(struct arena *arena, const struct observation *one)
{
	switch (one->failure) {
	case FAILURE_NONE:
		return "went through";
	case FAILURE_TIMEOUT:
		return arena_printf(arena, "got no answer for %s", seconds(arena, one->duration_us));
	case FAILURE_CONNECTION_REFUSED:
		return "was refused";
	case FAILURE_CONNECTION_RESET:
		return "was reset";
	case FAILURE_CONNECTION_ABORTED:
		return "was given up by this system";
	case FAILURE_HOST_UNREACHABLE:
		return "failed: the host cannot be reached";
	case FAILURE_NETWORK_UNREACHABLE:
		return "failed at once: there is no route";
	case FAILURE_EOF:
		return "was closed by the other side";
	case FAILURE_PERMISSION_DENIED:
		return "was forbidden by this system";
	case FAILURE_ADDRESS_NOT_AVAILABLE:
		return "failed at once: no local address or port is left";
	case FAILURE_TOO_MANY_FILES:
		return "failed at once: too many open sockets";
	case FAILURE_DEADLINE:
		return "was cut short by the deadline of the run";
	case FAILURE_INTERRUPTED:
		return "was cut short when the run was stopped";
	case FAILURE_DNS_NXDOMAIN:
	case FAILURE_DNS_SERVFAIL:
	case FAILURE_DNS_REFUSED:
	case FAILURE_DNS_NO_ANSWER:
	case FAILURE_DNS_FORMERR:
	case FAILURE_DNS_NOTIMP:
	case FAILURE_DNS_MALFORMED:
	case FAILURE_DNS_TEMPORARY:
	case FAILURE_DNS_OTHER:
	case FAILURE_SSL_UNKNOWN_AUTHORITY:
	case FAILURE_SSL_INVALID_HOSTNAME:
	case FAILURE_SSL_INVALID_CERTIFICATE:
	case FAILURE_SSL_FAILED_HANDSHAKE:
	case FAILURE_PROXY_STATUS:
	case FAILURE_PROXY_MALFORMED:
	case FAILURE_SOCKS_REFUSED:
	case FAILURE_HTTP_MALFORMED:
	case FAILURE_UNKNOWN:
		break;
	}
	return arena_printf(arena, "failed (%s)", failure_text(one->failure));
}

/* ------------------------------------------------------------------ kind by kind */

static const char *said_by_server(struct arena *arena, const struct observation *one)
{
	switch (one->failure) {
	case FAILURE_DNS_NXDOMAIN:
		return "says that there is no such name (NXDOMAIN)";
	case FAILURE_DNS_SERVFAIL:
		return "could not find out (SERVFAIL)";
	case FAILURE_DNS_REFUSED:
		return "refuses to answer (REFUSED)";
	case FAILURE_DNS_NO_ANSWER:
		return "knows the name, but no address of it";
	case FAILURE_DNS_FORMERR:
	case FAILURE_DNS_MALFORMED:
		return "sent a reply that is no answer to the question";
	case FAILURE_TIMEOUT:
		return arena_printf(arena, "did not answer within %s", seconds(arena, one->duration_us));
	case FAILURE_CONNECTION_REFUSED:
		return "has nothing listening on its DNS port";
	case FAILURE_NONE:
	case FAILURE_CONNECTION_RESET:
	case FAILURE_CONNECTION_ABORTED:
	case FAILURE_HOST_UNREACHABLE:
	case FAILURE_NETWORK_UNREACHABLE:
	case FAILURE_EOF:
	case FAILURE_PERMISSION_DENIED:
	case FAILURE_ADDRESS_NOT_AVAILABLE:
	case FAILURE_TOO_MANY_FILES:
	case FAILURE_DNS_NOTIMP:
	case FAILURE_DNS_TEMPORARY:
	case FAILURE_DNS_OTHER:
	case FAILURE_SSL_UNKNOWN_AUTHORITY:
	case FAILURE_SSL_INVALID_HOSTNAME:
	case FAILURE_SSL_INVALID_CERTIFICATE:
	case FAILURE_SSL_FAILED_HANDSHAKE:
	case FAILURE_PROXY_STATUS:
	case FAILURE_PROXY_MALFORMED:
	case FAILURE_SOCKS_REFUSED:
	case FAILURE_HTTP_MALFORMED:
	case FAILURE_DEADLINE:
	case FAILURE_INTERRUPTED:
	case FAILURE_UNKNOWN:
		break;
	}
	return arena_printf(arena, "could not be asked (%s)", failure_text(one->failure));
}

static const char *query_in_words(struct arena *arena, const struct observation *one)
{
	const struct dns_query *query = &one->dns;
	struct text_list data = {0};
	for (size_t i = 0; i < query->answer_count; i++)
		if (query->answers[i].data)
			text_list_add(arena, &data, query->answers[i].data);
	if (one->failure == FAILURE_NONE)
		return arena_printf(arena, "DNS server %s gives %s for %s", query->server,
				    data.count ? list_in_words(arena, &data) : "no address",
				    shorten(arena, query->name));
	return arena_printf(arena, "DNS server %s, asked over %s for %s, %s", query->server,
			    query->transport ? query->transport : "?", shorten(arena, query->name),
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

static const char *proxy_in_words(struct arena *arena, const struct observation *one)
{
	const struct proxy_exchange *proxy = &one->proxy;
	const char *asked = arena_printf(arena, "proxy %s, asked for %s %s,", proxy->proxy ? proxy->proxy : "?",
					 proxy->method ? proxy->method : "?", shorten(arena, proxy->request));
	if (proxy->status != NOT_MEASURED && proxy->schemes.count)
		return arena_printf(arena, "%s answered %d and wants a sign-in (%s)", asked, proxy->status,
				    list_in_words(arena, &proxy->schemes));
	if (proxy->status != NOT_MEASURED)
		return arena_printf(arena, "%s answered %d", asked, proxy->status);
	if (proxy->socks_reply != NOT_MEASURED)
		return arena_printf(arena, "%s gave SOCKS reply %d", asked, proxy->socks_reply);
	if (proxy->first_bytes)
		return arena_printf(arena, "%s sent something else: %s", asked, shorten(arena, proxy->first_bytes));
	return arena_printf(arena, "%s said nothing that it should: the exchange %s", asked, ending(arena, one));
}

static const char *tls_in_words(struct arena *arena, const struct observation *one)
{
	const struct tls_handshake *tls = &one->tls;
	const char *with = arena_printf(arena, "TLS with %s as %s", peer(arena, &tls->tuple), shorten(arena, tls->sni));
	if (tls->alert != NOT_MEASURED)
		return arena_printf(arena, "%s ended with alert %d", with, tls->alert);
	if (tls->plain_reply)
		return arena_printf(arena, "%s was answered by plain bytes: %s", with,
				    shorten(arena, tls->plain_reply));
	if (tls->chain_count && (one->failure != FAILURE_NONE || !tls->root_public)) {
		const char *issuer = tls->chain[0].issuer_cn ? tls->chain[0].issuer_cn : tls->chain[0].issuer;
		return arena_printf(arena, "%s brought a certificate issued by %s (verification: %s%s)", with,
				    shorten(arena, issuer), tls->verify ? shorten(arena, tls->verify) : "not done",
				    tls->name_matches ? "" : "; it is for another name");
	}
	return arena_printf(arena, "%s %s", with, ending(arena, one));
}

static const char *http_in_words(struct arena *arena, const struct observation *one)
{
	const struct http_exchange *http = &one->http;
	const char *url = shorten(arena, http->url), *location = header_find(&http->headers, "location");
	const char *method = http->method ? http->method : "GET";
	if (http->status == NOT_MEASURED)
		return arena_printf(arena, "%s %s %s", method, url, ending(arena, one));
	if (location)
		return arena_printf(arena, "%s %s answered %d, to %s", method, url, http->status,
				    shorten(arena, location));
	return arena_printf(arena, "%s %s answered %d", method, url, http->status);
}

static const char *fact_in_words(struct arena *arena, const struct local_fact *fact)
{
	const char *what = fact->fact ? fact->fact : "?", *subject = fact->subject ? fact->subject : "";
	if (strcmp(what, "hosts_file") == 0)
		return arena_printf(arena, "the hosts file gives %s for %s", list_in_words(arena, &fact->values),
				    shorten(arena, subject));
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
		return arena_printf(arena, "a probe with TTL %d towards %s was answered by %s", one->ttl.ttl,
				    peer(arena, &one->ttl.tuple), one->ttl.from ? one->ttl.from : "nobody");
	case OP_PROXY_EXCHANGE:
		return proxy_in_words(arena, one);
	case OP_TLS_HANDSHAKE:
		return tls_in_words(arena, one);
	case OP_HTTP_EXCHANGE:
		return http_in_words(arena, one);
	case OP_LOCAL_FACT:
		return fact_in_words(arena, &one->fact);
	}
	return "";
}
