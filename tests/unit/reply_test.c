#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/transfer_state.h"

static struct arena *arena;

/* Feed a whole head, line by line, as libcurl does. */
static struct reply read_head(const char *text)
{
	struct reply reply;
	reply_reset(&reply);
	while (*text) {
		const char *end = strchr(text, '\n');
		size_t length = end ? (size_t)(end - text) + 1 : strlen(text);
		reply_line(arena, &reply, text, length);
		text += length;
	}
	return reply;
}

static void status_lines(void)
{
	CHECK_INT(read_head("HTTP/1.1 200 OK\r\n\r\n").status, 200);
	CHECK(read_head("HTTP/1.1 200 OK\r\n\r\n").complete);
	CHECK_INT(read_head("HTTP/1.0 407\r\n").status, 407);
	CHECK(!read_head("HTTP/1.0 407\r\n").complete);
	CHECK_INT(read_head("http/1.1 404 Not Found\n\n").status, 404);
	CHECK(read_head("HTTP/1.1 what\r\n").malformed);
	CHECK(read_head("HTTP/1.1 20\r\n").malformed);
	CHECK(read_head("HTTP/1.1 2000 OK\r\n").malformed);
	CHECK(read_head("HTTP/1.1\r\n").malformed);
	CHECK(read_head("SSH-2.0-x\r\n").malformed);
	CHECK_INT(read_head("SSH-2.0-x\r\n").status, NOT_MEASURED);
}

static void an_interim_reply_is_no_end(void)
{
	struct reply reply = read_head("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
	CHECK(!reply.complete);
	reply = read_head("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 5\r\n\r\n");
	CHECK(reply.complete);
	CHECK_INT(reply.status, 503);
	CHECK(!header_find(&reply.headers, "x-early"));
	CHECK_TEXT(header_find(&reply.headers, "retry-after"), "5");
}

static void secrets_are_not_kept(void)
{
	struct reply reply = read_head("HTTP/1.1 200 OK\r\nSet-Cookie: session=hunter2\r\nSet-Cookie2: hunter2\r\n"
				       "Authorization: Basic hunter2\r\nProxy-Authorization: hunter2\r\n"
				       "Authentication-Info: hunter2\r\nProxy-Authentication-Info: hunter2\r\n"
				       "WWW-Authenticate: Digest nonce=\"hunter2\", opaque=hunter2\r\n"
				       "Location: https://me:hunter2@a.test/x?token=hunter2#hunter2\r\n"
				       "Content-Location: /y?token=hunter2\r\nVia: 1.1 kept\r\n\r\n");
	CHECK_INT(reply.headers.count, 4);
	for (size_t i = 0; i < reply.headers.count; i++)
		CHECK(!strstr(reply.headers.items[i].value, "hunter2"));
	CHECK_TEXT(header_find(&reply.headers, "www-authenticate"), "digest");
	CHECK_TEXT(header_find(&reply.headers, "location"), "https://a.test/x");
	CHECK_TEXT(header_find(&reply.headers, "content-location"), "/y");
	CHECK_TEXT(header_find(&reply.headers, "via"), "1.1 kept");
}

static void schemes_in_order(void)
{
	struct reply reply =
		read_head("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n"
			  "Proxy-Authenticate: Basic realm=\"a, Fake\", Digest realm=\"x\\\", Fake\",nonce=y\r\n"
			  "Proxy-Authenticate: negotiate YII==\r\n\r\n");
	CHECK_INT(reply.schemes.count, 4);
	if (reply.schemes.count != 4)
		return;
	CHECK_TEXT(reply.schemes.items[0], "negotiate");
	CHECK_TEXT(reply.schemes.items[1], "ntlm");
	CHECK_TEXT(reply.schemes.items[2], "basic");
	CHECK_TEXT(reply.schemes.items[3], "digest");
}

static void limits_hold(void)
{
	struct reply reply;
	char line[1024];
	reply_reset(&reply);
	reply_line(arena, &reply, "HTTP/1.1 200 OK\r\n", 17);
	for (int i = 0; i < 60; i++) {
		snprintf(line, sizeof(line), "x-%d: %0600d\r\n", i, i);
		reply_line(arena, &reply, line, strlen(line));
	}
	CHECK_INT(reply.headers.count, REPLY_HEADERS_MAX);
	CHECK_INT(strlen(reply.headers.items[0].value), REPLY_VALUE_MAX);
	reply = read_head("HTTP/1.1 200 OK\r\nx: a\xff\xfe b\r\nno colon\r\n: empty\r\nbad name: 1\r\n\r\n");
	CHECK_INT(reply.headers.count, 1);
	CHECK_TEXT(header_find(&reply.headers, "x"), "a\xEF\xBF\xBD\xEF\xBF\xBD b");
}

static bool is_taken(size_t head_bytes)
{
	enum { LINE_BYTES = 1024 };
	static const char interim[] = "HTTP/1.1 103 Early Hints\r\n";
	char line[LINE_BYTES];
	struct reply reply;
	reply_reset(&reply);
	memset(line, 'x', sizeof(line));
	for (size_t bytes = 0; bytes < head_bytes; bytes += sizeof(interim) - 1 + sizeof(line)) {
		reply_line(arena, &reply, interim, sizeof(interim) - 1);
		reply_line(arena, &reply, line, sizeof(line));
	}
	return !reply.malformed;
}

/* Nor is one that begins anew again and again. */
static void a_head_without_end_is_no_reply(void)
{
	CHECK(is_taken(HEAD_BYTES_MAX - 2048));
	CHECK(!is_taken(HEAD_BYTES_MAX + 2048));
}

int main(void)
{
	arena = arena_new();
	status_lines();
	an_interim_reply_is_no_end();
	secrets_are_not_kept();
	schemes_in_order();
	limits_hold();
	a_head_without_end_is_no_reply();
	arena_free(arena);
	return check_summary();
}
