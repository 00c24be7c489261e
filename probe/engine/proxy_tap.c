#include "probe/engine/transfer_state.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/hostile.h"

enum { HOLD_LIMIT_US = 150 * 1000, PROBLEM_TEXT_MAX = 256, SOCKS4_GRANTED = 90 };

/* The report's word for a way of speaking to a proxy; NULL for none. */
static const char *protocol_text(enum via_scheme scheme)
{
	switch (scheme) {
	case VIA_DIRECT:
		break;
	case VIA_HTTP:
		return "http";
	case VIA_HTTPS:
		return "https";
	case VIA_SOCKS4:
		return "socks4";
	case VIA_SOCKS5:
		return "socks5";
	case VIA_SOCKS5H:
		return "socks5h";
	}
	return NULL;
}

static const char *authority_text(struct arena *arena, const char *host, int port)
{
	char text[512];
	return arena_strdup(arena, host_port_format(host, port, text, sizeof(text)));
}

void proxy_tap_describe(struct arena *arena, const struct via *via, enum proxy_auth auth, const char *url,
			const char *host, int port, struct proxy_exchange *proxy)
{
	bool by_http = via->scheme == VIA_HTTP || via->scheme == VIA_HTTPS;
	proxy->proxy = authority_text(arena, via->host, via->port);
	proxy->protocol = protocol_text(via->scheme);
	proxy->method = url ? "GET" : by_http ? "CONNECT" : "SOCKS";
	proxy->request = url ? url_for_report(arena, url) : authority_text(arena, host, port);
	proxy->auth_tried = by_http || auth == PROXY_AUTH_NONE ? proxy_auth_text(auth) : SOCKS_SIGN_IN;
}

void proxy_tap_open(struct transfer *transfer)
{
	struct proxy_exchange *proxy = &transfer->proxy->proxy;
	const char *url = transfer_is_proxied_get(transfer) ? transfer->url : NULL;
	proxy_tap_describe(transfer->arena, &transfer->via, transfer->auth, url, transfer->host, transfer->port, proxy);
	proxy->auth_problem = transfer->local_problem;
	proxy->tuple = transfer->socket.tuple;
	transfer->reply_looked_at = false;
	transfer->request_sent = false;
	transfer->received_before = 0;
}

void proxy_tap_request_sent(struct transfer *transfer)
{
	transfer_advance(transfer, STEP_PROXY);
	struct os_tcp_info info;
	bool first = !transfer->request_sent && transfer->via.scheme == VIA_HTTP; /* its reply may be here already */
	bool counted = transfer->socket.open && os_socket_tcp_info(transfer->socket.fd, &info);
	transfer->received_before = first ? 0 : counted ? info.bytes_received : NOT_MEASURED;
	transfer->request_sent = true;
	transfer->reply_looked_at = false;
	transfer->hold_until_us = 0;
	reply_reset(&transfer->reply);
	transfer->proxy->proxy.tuple = transfer->socket.tuple;
	transfer->proxy->proxy.body_head = NULL;
}

/* ------------------------------------------------------------------ before libcurl reads */

static enum look malformed(struct transfer *transfer, const char *bytes, size_t length)
{
	if (length > FIRST_BYTES_MAX)
		length = FIRST_BYTES_MAX;
	transfer->proxy->proxy.first_bytes = hostile_bytes(transfer->arena, bytes, length);
	transfer_end(transfer, (struct ending){.failure = FAILURE_PROXY_MALFORMED});
	return LOOK_ENDED;
}

/* The end of the head, or NULL while it is not there. */
static const char *head_end(const char *bytes, size_t length)
{
	for (size_t i = 0; i + 1 < length; i++) {
		if (bytes[i] != '\n')
			continue;
		if (bytes[i + 1] == '\n')
			return bytes + i + 2;
		if (i + 2 < length && bytes[i + 1] == '\r' && bytes[i + 2] == '\n')
			return bytes + i + 3;
	}
	return NULL;
}

/* The value of a header in a raw head; NULL if it is not there. */
static const char *raw_header(const char *head, const char *end, const char *name)
{
	size_t length = strlen(name);
	const char *line = head;
	while (line && (size_t)(end - line) > length) {
		if (strncasecmp(line, name, length) == 0)
			return line + length;
		line = memchr(line, '\n', (size_t)(end - line));
		if (line)
			line++;
	}
	return NULL;
}

/* How many bytes of the body are worth a short wait: libcurl throws the body of a refused CONNECT away, and it may name the proxy. */
static size_t body_wanted(const char *bytes, const char *body)
{
	const char *length = raw_header(bytes, body, "content-length:");
	if (!length) /* chunks, or all until the end: the first bytes will do */
		return 1;
	long long announced = strtoll(length, NULL, 10);
	if (announced <= 0)
		return 0;
	return announced < BODY_HEAD_MAX ? (size_t)announced : BODY_HEAD_MAX;
}

static void keep_body(struct transfer *transfer, bool is_chunked, const char *body, size_t length)
{
	const char *line_end = memchr(body, '\n', length);
	if (is_chunked && line_end) { /* the first chunk's size */
		length -= (size_t)(line_end + 1 - body);
		body = line_end + 1;
	}
	if (length > BODY_HEAD_MAX)
		length = BODY_HEAD_MAX;
	if (length)
		transfer->proxy->proxy.body_head = hostile_text(transfer->arena, body, length);
}

static bool may_wait(struct transfer *transfer)
{
	int64_t now_us = os_monotonic_us();
	if (!transfer->hold_until_us)
		transfer->hold_until_us = now_us + HOLD_LIMIT_US;
	return transfer->request_sent && !transfer->socket.eof && now_us < transfer->hold_until_us;
}

/* "HTTP/1.1 200" (RFC 9112 4), as far as it is there. libcurl would take another line for HTTP/0.9. */
static bool may_be_status_line(const char *bytes, size_t length)
{
	static const char pattern[] = "HTTP/d.d ddd";
	for (size_t i = 0; i < length && pattern[i]; i++) {
		bool digit = bytes[i] >= '0' && bytes[i] <= '9';
		if (pattern[i] == 'd' ? !digit : bytes[i] != pattern[i])
			return false;
	}
	return true;
}

static enum look look_at_http(struct transfer *transfer, const char *bytes, size_t length)
{
	if (!may_be_status_line(bytes, length))
		return malformed(transfer, bytes, length);
	const char *body = head_end(bytes, length);
	if (!body && length < PEEK_BYTES_MAX && may_wait(transfer))
		return LOOK_HOLD;
	bool refused = length > 9 && !(bytes[8] == ' ' && bytes[9] == '2');
	if (body && refused && !transfer_is_proxied_get(transfer)) {
		size_t got = (size_t)(bytes + length - body);
		keep_body(transfer, raw_header(bytes, body, "transfer-encoding:") != NULL, body, got);
		if (got < body_wanted(bytes, body) && length < PEEK_BYTES_MAX && may_wait(transfer))
			return LOOK_HOLD;
	}
	transfer->reply_looked_at = true;
	return LOOK_GO_ON;
}

/* Did libcurl read a part of the reply already, in the same turn in which it sent the request? Then what is left is no beginning. The
 * system counts the peer's FIN as a byte. */
static bool has_lost_the_start(const struct transfer *transfer, size_t length)
{
	struct os_tcp_info info;
	if (transfer->received_before < 0 || !os_socket_tcp_info(transfer->socket.fd, &info) || info.bytes_received < 0)
		return false;
	return length < PEEK_BYTES_MAX && info.bytes_received - transfer->received_before > (int64_t)length + 1;
}

/* A SOCKS5 reply starts with 5 (RFC 1928 3), a SOCKS4 one with 0. The answer to a password starts with 1 (RFC 1929 2): it is the first
 * that we see where libcurl has read the reply before it at once, and the system does not count the bytes. */
static bool may_be_socks(const struct transfer *transfer, char first)
{
	if (transfer->via.scheme == VIA_SOCKS4)
		return first == 0;
	return first == 5 || (first == 1 && transfer->auth != PROXY_AUTH_NONE);
}

enum look proxy_tap_look(struct transfer *transfer, const char *bytes, size_t length)
{
	if (has_lost_the_start(transfer, length)) {
		transfer->reply_looked_at = true;
		return LOOK_GO_ON;
	}
	if (transfer_by_http_proxy(transfer))
		return look_at_http(transfer, bytes, length);
	if (!may_be_socks(transfer, bytes[0]))
		return malformed(transfer, bytes, length);
	transfer->reply_looked_at = true;
	return LOOK_GO_ON;
}

/* ------------------------------------------------------------------ the reply */

/* The refusal of a CONNECT whose head libcurl took in the turn in which it sent the request, before we looked: the body waits behind it. */
static void look_for_body(struct transfer *transfer)
{
	char bytes[BODY_HEAD_MAX];
	if (transfer->reply_looked_at || transfer->via.scheme != VIA_HTTP || transfer_is_proxied_get(transfer))
		return;
	size_t got = socket_tap_peek(transfer, bytes, sizeof(bytes));
	if (got)
		keep_body(transfer, header_find(&transfer->reply.headers, "transfer-encoding") != NULL, bytes, got);
}

void proxy_tap_header(struct transfer *transfer, const char *line, size_t length)
{
	struct reply *reply = &transfer->reply;
	bool was_complete = reply->complete;
	reply_line(transfer->arena, reply, line, length);
	bool was_http = reply->status != NOT_MEASURED; /* and its header is too long */
	if (reply->malformed && !transfer->proxy->proxy.first_bytes)
		transfer->proxy->proxy.first_bytes =
			was_http ? reply->start
				 : hostile_bytes(transfer->arena, line,
						 length < FIRST_BYTES_MAX ? length : FIRST_BYTES_MAX);
	if (reply->malformed)
		transfer_end_soon(transfer);
	if (!reply->complete || was_complete)
		return;
	if (reply->status / 100 == 2)
		transfer_advance(transfer, transfer_step_after(transfer, STEP_PROXY));
	else if (transfer->auth == PROXY_AUTH_NONE || reply->status != 407) {
		look_for_body(transfer);
		transfer_end_soon(transfer);
	}
}

/* libcurl says in passing why GSSAPI or SSPI gave no token, and goes on without one. */
void proxy_tap_note(struct transfer *transfer, const char *text, size_t length)
{
	static const char *const marks[] = {"gss_", "GSSAPI", "SSPI", "SPNEGO", "InitializeSecurityContext"};
	const char *clean = hostile_text(transfer->arena, text, length < PROBLEM_TEXT_MAX ? length : PROBLEM_TEXT_MAX);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		bool bad = strstr(clean, "fail") || strstr(clean, "rror") || strstr(clean, "could not");
		bool says_so = bad && strstr(clean, marks[i]);
		if (!says_so || transfer->local_problem)
			continue;
		size_t end = strcspn(clean, "\r\n");
		while (end && clean[end - 1] == ' ')
			end--;
		transfer->local_problem = arena_strndup(transfer->arena, clean, end);
		if (transfer->proxy)
			transfer->proxy->proxy.auth_problem = transfer->local_problem;
	}
}

static enum failure reply_failure(const struct transfer *transfer)
{
	const struct reply *reply = &transfer->reply;
	if (reply->malformed)
		return FAILURE_PROXY_MALFORMED;
	if (!transfer_by_http_proxy(transfer) || reply->status == NOT_MEASURED)
		return FAILURE_NONE;
	if (transfer_is_proxied_get(transfer))
		return reply->status == 407 ? FAILURE_PROXY_STATUS : FAILURE_NONE;
	return reply->status / 100 == 2 ? FAILURE_NONE : FAILURE_PROXY_STATUS;
}

void proxy_tap_close(struct transfer *transfer, enum failure failure)
{
	struct observation *observation = transfer->proxy;
	struct proxy_exchange *proxy = &observation->proxy;
	enum failure by_reply = reply_failure(transfer);
	observation->failure = by_reply == FAILURE_NONE ? failure : by_reply;
	observation->duration_us = transfer_now_us(transfer) - observation->start_us;
	if (observation->failure == FAILURE_NONE && !transfer_by_http_proxy(transfer))
		proxy->socks_reply = transfer->via.scheme == VIA_SOCKS4 ? SOCKS4_GRANTED : 0;
	proxy->status = transfer->reply.status;
	proxy->headers = transfer->reply.headers;
	proxy->schemes = transfer->reply.schemes;
	if (transfer_is_proxied_get(transfer) && transfer->body.head_length)
		proxy->body_head = hostile_text(transfer->arena, transfer->body.head, transfer->body.head_length);
	if (!transfer_is_proxied_get(transfer))
		http_tap_reset(transfer);
}
