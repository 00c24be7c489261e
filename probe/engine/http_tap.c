#include "probe/engine/transfer_state.h"

#include <string.h>
#include <strings.h>

#include "probe/core/arena.h"
#include "probe/engine/hostile.h"

/* ------------------------------------------------------------------ body */

static void body_reset(struct transfer *transfer)
{
	struct body *body = &transfer->body;
	body->bytes = 0;
	body->cut = false;
	body->same = transfer->expect_body != NULL;
	body->head_length = 0;
	strbuf_truncate(&body->kept, 0);
	if (!body->digest)
		body->digest = EVP_MD_CTX_new();
	if (body->digest)
		EVP_DigestInit_ex(body->digest, EVP_sha256(), NULL);
}

void http_tap_reset(struct transfer *transfer)
{
	reply_reset(&transfer->reply);
	body_reset(transfer);
}

static void body_add(struct transfer *transfer, const char *bytes, size_t length)
{
	struct body *body = &transfer->body;
	size_t room = BODY_HEAD_MAX - body->head_length;
	size_t head = length < room ? length : room;
	memcpy(body->head + body->head_length, bytes, head);
	body->head_length += head;
	if (body->keep)
		strbuf_add_bytes(&body->kept, bytes, length);
	if (body->digest)
		EVP_DigestUpdate(body->digest, bytes, length);
	if (body->same) {
		size_t wanted = strlen(transfer->expect_body), at = (size_t)body->bytes;
		body->same = length <= wanted - at && memcmp(transfer->expect_body + at, bytes, length) == 0;
	}
	body->bytes += (int64_t)length;
}

size_t http_tap_body(char *bytes, size_t size, size_t count, void *user)
{
	struct transfer *transfer = user;
	size_t length = size * count;
	size_t room = (size_t)(transfer->body.limit - transfer->body.bytes);
	if (transfer->ended)
		return 0;
	body_add(transfer, bytes, length < room ? length : room);
	if (length <= room)
		return length;
	transfer->body.cut = true;
	return 0; /* libcurl ends with CURLE_WRITE_ERROR; a status line came, so that is a success */
}

static const char *body_sha256(struct transfer *transfer)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	if (!transfer->body.digest || !EVP_DigestFinal_ex(transfer->body.digest, digest, &length))
		return NULL;
	return hex_text(transfer->arena, digest, length);
}

/* ------------------------------------------------------------------ head */

/* A GET by a proxy has two sides: the proxy answered, and here is what. */
static void proxied_reply_complete(struct transfer *transfer)
{
	if (transfer->reply.status == 407)
		return;
	int64_t started_us = transfer->proxy->start_us;
	transfer_advance(transfer, STEP_HTTP);
	transfer->http->start_us = started_us;
}

size_t http_tap_header(char *bytes, size_t size, size_t count, void *user)
{
	struct transfer *transfer = user;
	size_t length = size * count;
	if (transfer->ended)
		return 0;
	if (transfer->step == STEP_PROXY && !transfer_is_proxied_get(transfer)) {
		proxy_tap_header(transfer, bytes, length);
		return transfer->is_ending ? 0
					   : length; /* else libcurl reads a refusal's body to its end, byte by byte */
	}
	if (transfer->step != STEP_PROXY && transfer->step != STEP_HTTP)
		return length;
	if (transfer->body.bytes)
		return length; /* trailers */
	bool was_complete = transfer->reply.complete;
	reply_line(transfer->arena, &transfer->reply, bytes, length);
	if (transfer->reply.malformed)
		return 0;
	if (was_complete && !transfer->reply.complete)
		body_reset(transfer);
	if (transfer->step == STEP_PROXY && transfer->reply.complete && !was_complete)
		proxied_reply_complete(transfer);
	return length;
}

static bool has_credentials(const char *bytes, size_t length)
{
	static const char name[] = "\nProxy-Authorization:";
	for (size_t i = 0; i + sizeof(name) - 1 <= length; i++)
		if (strncasecmp(bytes + i, name, sizeof(name) - 1) == 0)
			return true;
	return false;
}

static void on_request(struct transfer *transfer, const char *bytes, size_t length)
{
	transfer->credentials_sent |= has_credentials(bytes, length);
	bool connect = length >= 8 && memcmp(bytes, "CONNECT ", 8) == 0;
	bool get = length >= 4 && memcmp(bytes, "GET ", 4) == 0;
	if (connect || (get && transfer_is_proxied_get(transfer)))
		proxy_tap_request_sent(transfer);
	else if (get)
		transfer_advance(transfer, STEP_HTTP);
}

/* What goes out may hold credentials: only its first word, and whether they are there, is looked at, and nothing of it is kept. */
int http_tap_debug(CURL *easy, curl_infotype type, char *bytes, size_t length, void *user)
{
	struct transfer *transfer = user;
	(void)easy;
	if (transfer->ended)
		return 0;
	if (type == CURLINFO_TEXT)
		socket_tap_note_error(transfer);
	if (type == CURLINFO_HEADER_OUT)
		on_request(transfer, bytes, length);
	else if (type == CURLINFO_TEXT && transfer->auth != PROXY_AUTH_NONE)
		proxy_tap_note(transfer, bytes, length);
	return 0;
}

static void body_hand_over(struct transfer *transfer, bool whole)
{
	const struct body *body = &transfer->body;
	if (!body->keep)
		return;
	transfer->result.body.bytes = arena_strndup(transfer->arena, body->kept.data, body->kept.length);
	transfer->result.body.length = body->kept.length;
	transfer->result.body.cut = body->cut;
	transfer->result.body.whole = whole;
}

void http_tap_close(struct transfer *transfer, enum failure failure, bool whole)
{
	struct observation *observation = transfer->http;
	struct http_exchange *http = &observation->http;
	const struct body *body = &transfer->body;
	observation->failure = failure;
	observation->duration_us = transfer_now_us(transfer) - observation->start_us;
	http->status = transfer->reply.status;
	http->headers = transfer->reply.headers;
	if (http->status == NOT_MEASURED)
		return;
	http->body_bytes = body->bytes;
	http->body_head = hostile_text(transfer->arena, body->head, body->head_length);
	body_hand_over(transfer, whole);
	if (!whole)
		return;
	http->body_sha256 = body_sha256(transfer);
	http->body_matches = body->same && (size_t)body->bytes == strlen(transfer->expect_body);
}
