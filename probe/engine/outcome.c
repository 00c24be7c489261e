#include "probe/engine/transfer_state.h"

#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/hostile.h"
#include "probe/engine/sockets.h"

enum { ALERT_DECODE_ERROR = 50, SOCKS4_REJECTED = 91, SOCKS4_NO_IDENTD = 92, SOCKS4_OTHER_IDENTD = 93 };

static int curl_error_of(const struct transfer *transfer)
{
	long code = 0;
	if (transfer->easy)
		curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &code);
	return (int)code;
}

/* The error that ended it, by the socket first: libcurl keeps the last one it met, which may be older. */
static int socket_error_of(const struct transfer *transfer)
{
	return transfer->socket.error ? transfer->socket.error : curl_error_of(transfer);
}

/* A reset that came after the peer's FIN: the FIN was first. */
static bool is_after_fin(int error)
{
	return os_error_kind(error) == OS_ERROR_CLOSED;
}

bool outcome_says_reset(int error)
{
	return os_error_kind(error) == OS_ERROR_RESET;
}

static bool is_reset(const struct transfer *transfer)
{
	return outcome_says_reset(transfer->socket.error) || outcome_says_reset(curl_error_of(transfer));
}

/* How a connection that stood came to its end without an answer. */
static enum failure broken(const struct transfer *transfer, struct ending ending)
{
	if (!ending.by_curl && ending.failure != FAILURE_NONE)
		return ending.failure;
	if (is_reset(transfer))
		return FAILURE_CONNECTION_RESET;
	int error = socket_error_of(transfer);
	if (transfer->socket.eof || ending.code == CURLE_GOT_NOTHING || is_after_fin(error))
		return FAILURE_EOF;
	return error ? socket_failure(error) : FAILURE_UNKNOWN;
}

static void close_observation(struct transfer *transfer, struct observation *observation, enum failure failure)
{
	int taken = transfer->socket.error, error = curl_error_of(transfer);
	observation->failure = failure;
	observation->duration_us = transfer_now_us(transfer) - observation->start_us;
	if (failure == FAILURE_NONE)
		return;
	if (error && socket_failure(error) == failure)
		observation->os_error = os_error_name(error);
	else if (taken && !is_after_fin(taken)) /* an ICMP error on a connection that stood, too */
		observation->os_error = os_error_name(taken);
}

static const char *own_words(struct transfer *transfer)
{
	size_t length = strnlen(transfer->error, sizeof(transfer->error));
	while (length && (transfer->error[length - 1] == ' ' || transfer->error[length - 1] == '\n'))
		length--;
	return length ? hostile_text(transfer->arena, transfer->error, length) : NULL;
}

/* ------------------------------------------------------------------ stages */

static enum failure tcp_end(struct transfer *transfer, struct ending ending)
{
	int error = socket_error_of(transfer);
	enum failure failure = ending.failure;
	if (ending.by_curl || failure == FAILURE_NONE)
		failure = error ? socket_failure(error) : FAILURE_UNKNOWN;
	close_observation(transfer, transfer->tcp, failure);
	if (failure == FAILURE_UNKNOWN && error)
		transfer->tcp->os_error = os_error_name(error);
	return failure;
}

/* OpenSSL answers the end of the stream with an alert of its own: that is no refusal of ours. */
static void forget_alert_to_nobody(struct transfer *transfer, struct tls_handshake *tls)
{
	if (tls->alert_sent == ALERT_DECODE_ERROR && (transfer->socket.eof || is_reset(transfer)) && tls->alert < 0)
		tls->alert_sent = NOT_MEASURED;
}

static enum failure tls_failure(struct transfer *transfer, struct observation *observation, struct ending ending)
{
	struct tls_handshake *tls = &observation->tls;
	if (observation->failure != FAILURE_NONE) /* verification has said no */
		return observation->failure;
	if (ending.code == CURLE_PEER_FAILED_VERIFICATION && tls->verify)
		return FAILURE_SSL_INVALID_HOSTNAME;
	forget_alert_to_nobody(transfer, tls);
	if (tls->alert >= 0 || tls->plain_reply || tls->alert_sent >= 0)
		return FAILURE_SSL_FAILED_HANDSHAKE;
	enum failure failure = broken(transfer, ending);
	return failure == FAILURE_UNKNOWN ? FAILURE_SSL_FAILED_HANDSHAKE : failure;
}

static enum failure tls_end(struct transfer *transfer, struct observation *observation, struct ending ending)
{
	struct tls_handshake *tls = &observation->tls;
	enum failure failure = tls_failure(transfer, observation, ending);
	close_observation(transfer, observation, failure);
	if (!tls->error && ending.code != CURLE_COULDNT_CONNECT)
		tls->error = own_words(transfer);
	if (transfer->socket.has_info) {
		tls->bytes_acked = transfer->socket.info.bytes_acked;
		tls->bytes_received = transfer->socket.info.bytes_received;
	}
	return failure;
}

/* CURLINFO_PROXY_ERROR as the reply that libcurl met (RFC 1928 6; SOCKS4's codes). */
static int socks_reply(CURLproxycode code)
{
	static const struct {
		CURLproxycode code;
		int reply;
	} replies[] = {
		{CURLPX_REPLY_GENERAL_SERVER_FAILURE, 1},
		{CURLPX_REPLY_NOT_ALLOWED, 2},
		{CURLPX_REPLY_NETWORK_UNREACHABLE, 3},
		{CURLPX_REPLY_HOST_UNREACHABLE, 4},
		{CURLPX_REPLY_CONNECTION_REFUSED, 5},
		{CURLPX_REPLY_TTL_EXPIRED, 6},
		{CURLPX_REPLY_COMMAND_NOT_SUPPORTED, 7},
		{CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED, 8},
		{CURLPX_REPLY_UNASSIGNED, 9},
		{CURLPX_REQUEST_FAILED, SOCKS4_REJECTED},
		{CURLPX_IDENTD, SOCKS4_NO_IDENTD},
		{CURLPX_IDENTD_DIFFER, SOCKS4_OTHER_IDENTD},
	};
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (replies[i].code == code)
			return replies[i].reply;
	return NOT_MEASURED;
}

static bool wants_socks_sign_in(CURLproxycode code)
{
	return code == CURLPX_NO_AUTH || code == CURLPX_USER_REJECTED;
}

static enum failure socks_failure(struct transfer *transfer, struct ending ending)
{
	struct proxy_exchange *proxy = &transfer->proxy->proxy;
	long code = CURLPX_OK;
	if (!ending.by_curl)
		return broken(transfer, ending);
	curl_easy_getinfo(transfer->easy, CURLINFO_PROXY_ERROR, &code);
	proxy->socks_reply = socks_reply((CURLproxycode)code);
	if (proxy->socks_reply != NOT_MEASURED)
		return FAILURE_SOCKS_REFUSED;
	if (wants_socks_sign_in((CURLproxycode)code)) {
		proxy->auth_problem = "the SOCKS server wants a user name and password";
		return FAILURE_SOCKS_REFUSED;
	}
	enum failure failure = broken(transfer, ending);
	return failure == FAILURE_UNKNOWN && code != CURLPX_OK ? FAILURE_SOCKS_REFUSED : failure;
}

/* A head that never came to an end that libcurl could make out: there is no tunnel, and no answer. */
static enum failure unfinished_head(struct transfer *transfer, struct ending ending)
{
	struct proxy_exchange *proxy = &transfer->proxy->proxy;
	if (!ending.by_curl && ending.failure != FAILURE_NONE)
		return ending.failure;
	if (!proxy->first_bytes)
		proxy->first_bytes = transfer->reply.start;
	return FAILURE_PROXY_MALFORMED;
}

static bool is_no_http(struct ending ending)
{
	return ending.by_curl && (ending.code == CURLE_UNSUPPORTED_PROTOCOL || ending.code == CURLE_WEIRD_SERVER_REPLY);
}

/* Closed without a status line, but not without a byte: libcurl read them in the turn in which it sent the request, and says so, or kept
 * them. One byte may be the FIN. */
static enum failure unanswered(struct transfer *transfer, struct ending ending)
{
	const struct socket_facts *facts = &transfer->socket;
	enum failure failure = broken(transfer, ending);
	if (is_no_http(ending) && transfer->via.scheme == VIA_HTTP)
		return FAILURE_PROXY_MALFORMED;
	bool closed = failure == FAILURE_EOF || failure == FAILURE_CONNECTION_RESET;
	if (closed && transfer->via.scheme == VIA_HTTP && facts->has_info && transfer->received_before >= 0 &&
	    facts->info.bytes_received - transfer->received_before > 1)
		return FAILURE_PROXY_MALFORMED;
	return failure;
}

/* libcurl gave up before the far end did anything: SSPI or GSSAPI had no credentials for it, or did not take the proxy's answer. */
static void note_local_problem(struct transfer *transfer, struct ending ending)
{
	struct proxy_exchange *proxy = &transfer->proxy->proxy;
	bool local = ending.code == CURLE_AUTH_ERROR || ending.code == CURLE_LOGIN_DENIED ||
		     ending.code == CURLE_NOT_BUILT_IN;
	if (!ending.by_curl || !local || proxy->auth_problem || transfer->auth == PROXY_AUTH_NONE)
		return;
	const char *words = own_words(transfer);
	proxy->auth_problem = words ? words : arena_strdup(transfer->arena, curl_easy_strerror(ending.code));
}

static enum failure proxy_end(struct transfer *transfer, struct ending ending)
{
	enum failure failure = ending.failure;
	bool by_http = transfer_by_http_proxy(transfer);
	bool refused = !transfer_is_proxied_get(transfer) && transfer->reply.status / 100 != 2;
	if (!by_http && failure != FAILURE_PROXY_MALFORMED)
		failure = socks_failure(transfer, ending);
	else if (transfer->reply.status == NOT_MEASURED)
		failure = unanswered(transfer, ending);
	else if (!refused)
		failure = unfinished_head(transfer, ending);
	note_local_problem(transfer, ending);
	close_observation(transfer, transfer->proxy, failure);
	proxy_tap_close(transfer, failure);
	failure = transfer->proxy->failure;
	struct proxy_exchange *proxy = &transfer->proxy->proxy;
	transfer->result.proxy_wants_auth = failure == FAILURE_PROXY_STATUS && proxy->status == 407;
	if (transfer->result.proxy_wants_auth && proxy->auth_tried && !transfer->credentials_sent &&
	    !proxy->auth_problem) /* libcurl goes on without, and says nothing */
		proxy->auth_problem = "this system had nothing to sign in with by this scheme";
	return failure;
}

static enum failure http_failure(struct transfer *transfer, struct ending ending)
{
	if (transfer->reply.status != NOT_MEASURED && !transfer->reply.malformed)
		return FAILURE_NONE;
	if (is_no_http(ending) || (ending.by_curl && transfer->reply.malformed))
		return FAILURE_HTTP_MALFORMED;
	return broken(transfer, ending);
}

static enum failure http_end(struct transfer *transfer, struct ending ending)
{
	enum failure failure = http_failure(transfer, ending);
	close_observation(transfer, transfer->http, failure);
	http_tap_close(transfer, failure, false);
	if (!transfer->body.cut)
		transfer->http->http.error = own_words(transfer);
	if (failure == FAILURE_NONE && !ending.by_curl)
		transfer->http->http.error = "the body did not come to its end in time";
	if (transfer->socket.has_info)
		transfer->http->http.bytes_acked = transfer->socket.info.bytes_acked;
	return failure;
}

/* A server may refuse what it was sent last only after our Finished (RFC 8446 4.4.4, 6.2): the handshake failed all the same. */
static bool handshake_was_refused(const struct transfer *transfer, struct ending ending)
{
	if (transfer->step != STEP_HTTP || !transfer->tls || transfer->reply.status != NOT_MEASURED)
		return false;
	return transfer->tls->tls.alert >= 0 || (ending.by_curl && ending.code == CURLE_PEER_FAILED_VERIFICATION);
}

static void drop_http(struct transfer *transfer)
{
	struct observation_list *list = &transfer->result.observations;
	if (list->count && list->items[list->count - 1] == transfer->http)
		list->count--;
	transfer->http = NULL;
	transfer->step = STEP_TLS;
}

static enum failure step_end(struct transfer *transfer, struct ending ending)
{
	switch (transfer->step) {
	case STEP_TCP:
		return tcp_end(transfer, ending);
	case STEP_TLS_PROXY:
		return tls_end(transfer, transfer->tls_proxy, ending);
	case STEP_PROXY:
		return proxy_end(transfer, ending);
	case STEP_TLS:
		return tls_end(transfer, transfer->tls, ending);
	case STEP_HTTP:
		return http_end(transfer, ending);
	case STEP_DONE:
		break;
	}
	return FAILURE_NONE;
}

static enum stage stage_of(enum step step)
{
	switch (step) {
	case STEP_TCP:
		return STAGE_TCP;
	case STEP_TLS_PROXY: /* a part of getting through the proxy */
	case STEP_PROXY:
		return STAGE_PROXY;
	case STEP_TLS:
		return STAGE_TLS;
	case STEP_HTTP:
		return STAGE_HTTP;
	case STEP_DONE:
		break;
	}
	return STAGE_NONE;
}

enum stage transfer_stage(const struct transfer *transfer)
{
	return stage_of(transfer->step);
}

/* ------------------------------------------------------------------ the whole */

static int rank(const struct observation *observation)
{
	if (observation->op == OP_TCP_CONNECT)
		return 0;
	if (observation->op == OP_TLS_HANDSHAKE)
		return strcmp(observation->tls.peer, "proxy") == 0 ? 1 : 3;
	return observation->op == OP_PROXY_EXCHANGE ? 2 : 4;
}

/* A sign-in may have opened more connections: their handshakes stand before the exchange that they served. */
static void sort_observations(struct observation_list *list)
{
	for (size_t i = 1; i < list->count; i++) {
		struct observation *moving = list->items[i];
		size_t at = i;
		for (; at > 0 && rank(list->items[at - 1]) > rank(moving); at--)
			list->items[at] = list->items[at - 1];
		list->items[at] = moving;
	}
}

static void location_take(struct transfer *transfer)
{
	const char *url = NULL;
	if (!transfer->http || transfer->reply.status / 100 != 3)
		return;
	curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &url);
	transfer->result.location = arena_strdup(transfer->arena, url);
}

/* A second connection of a sign-in failed: what the proxy said on the first stays said. */
static void close_earlier_exchange(struct transfer *transfer)
{
	bool open = transfer->proxy && transfer->step < STEP_PROXY;
	if (open)
		proxy_tap_close(transfer, FAILURE_EOF);
}

void outcome_write(struct transfer *transfer, struct ending ending)
{
	struct transfer_result *result = &transfer->result;
	socket_tap_write(transfer);
	if (handshake_was_refused(transfer, ending))
		drop_http(transfer);
	enum failure failure = step_end(transfer, ending);
	close_earlier_exchange(transfer);
	if (transfer_is_proxied_get(transfer) && transfer->http && transfer->proxy)
		transfer->proxy->proxy.body_head = transfer->http->http.body_head;
	result->failure = failure;
	result->stage = failure == FAILURE_NONE ? STAGE_NONE : stage_of(transfer->step);
	location_take(transfer);
	sort_observations(&result->observations);
}
