/* Which contrasts are worth making at a proxy: each row is what is known of it, and what is then wished for. */
#include "probe/plan/proxy_contrasts.h"

#include <stdio.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"
#include "probe/plan/wrong_address.h"
#include "tests/unit/check.h"

enum { PATIENCE_US = 1000, YOUNG = 2500, OLD = 0, NOW_US = 3000, REQUESTS_MAX = 4 };

#define TUNNEL(name, is)                                                                  \
	{                                                                                 \
		.host = name, .port = 443, .tunnel = true, .since_us = OLD, .outcome = is \
	}
#define PLAIN(name, is)                                                  \
	{                                                                \
		.host = name, .port = 80, .since_us = OLD, .outcome = is \
	}

static struct target other = {.kind = TARGET_URL, .url = "https://aka.ms/", .host = "aka.ms", .port = 443};
static struct target range = {.kind = TARGET_CIDR, .cidr = "20.190.128.0/18"};
static struct target web = {.kind = TARGET_URL, .url = "http://ncsi.example/", .host = "ncsi.example", .port = 80};

struct row {
	const char *what;
	enum via_scheme scheme;
	struct proxy_request requests[REQUESTS_MAX];
	bool asked[PROXY_CONTRASTS];
	const char *wanted; /* "proxy_tls a:443", a GET with its slash, in the order of the enum */
};

static const struct row rows[] = {
	{"all is well", VIA_HTTP, {TUNNEL("a", PROXY_CARRIES), PLAIN("b", PROXY_CARRIES)}, {0}, ""},
	{"not reached", VIA_HTTP, {TUNNEL("a", PROXY_NOT_REACHED)}, {0}, ""},
	{"a sign-in is asked for", VIA_HTTP, {TUNNEL("a", PROXY_ASKS)}, {0}, ""},
	{"silent to everything", VIA_HTTP, {TUNNEL("a", PROXY_WAITS)}, {0}, "proxy_control self; proxy_tls a:443"},
	{"silent, but not for long",
	 VIA_HTTP,
	 {{.host = "a", .port = 443, .tunnel = true, .since_us = YOUNG, .outcome = PROXY_WAITS}},
	 {0},
	 ""},
	{"silent in TLS", VIA_HTTPS, {TUNNEL("a", PROXY_WAITS)}, {0}, "proxy_control self"},
	{"silent as SOCKS", VIA_SOCKS5H, {TUNNEL("a", PROXY_WAITS)}, {0}, ""},
	{"silent to one, the address known",
	 VIA_HTTP,
	 {{.host = "a", .port = 443, .address = "20.1.1.1", .tunnel = true, .outcome = PROXY_WAITS},
	  TUNNEL("b", PROXY_CARRIES)},
	 {0},
	 "proxy_address 20.1.1.1:443"},
	{"the same once more",
	 VIA_HTTP,
	 {{.host = "a", .port = 443, .address = "20.1.1.1", .tunnel = true, .outcome = PROXY_WAITS},
	  TUNNEL("b", PROXY_CARRIES)},
	 {[PROXY_ADDRESS] = true},
	 ""},
	{"an address needs no name",
	 VIA_HTTP,
	 {{.host = "20.1.1.1", .port = 443, .address = "20.1.1.1", .tunnel = true, .outcome = PROXY_BAD_GATEWAY}},
	 {0},
	 ""},
	{"a bad gateway after a sign-in",
	 VIA_HTTP,
	 {{.host = "a",
	   .port = 443,
	   .address = "20.1.1.1",
	   .tunnel = true,
	   .signed_in = true,
	   .outcome = PROXY_BAD_GATEWAY}},
	 {0},
	 ""},
	{"SOCKS5 gets the address anyway",
	 VIA_SOCKS5,
	 {{.host = "a", .port = 443, .address = "20.1.1.1", .tunnel = true, .outcome = PROXY_BAD_GATEWAY}},
	 {0},
	 ""},
	{"SOCKS5h looks names up",
	 VIA_SOCKS5H,
	 {{.host = "a", .port = 443, .address = "20.1.1.1", .tunnel = true, .outcome = PROXY_BAD_GATEWAY}},
	 {0},
	 "proxy_address 20.1.1.1:443"},
	{"closed without a word", VIA_HTTP, {TUNNEL("a", PROXY_NO_REPLY)}, {0}, "proxy_tls a:443"},
	{"400", VIA_HTTP, {TUNNEL("a", PROXY_SAYS_OTHER), PLAIN("b", PROXY_SAYS_OTHER)}, {0}, "proxy_tls a:443"},
	{"400 to one, and it is a proxy",
	 VIA_HTTP,
	 {TUNNEL("a", PROXY_SAYS_OTHER), PLAIN("b", PROXY_CARRIES)},
	 {0},
	 ""},
	{"TLS already", VIA_HTTPS, {TUNNEL("a", PROXY_NO_REPLY)}, {0}, ""},
	{"one of two ports denied",
	 VIA_HTTP,
	 {TUNNEL("a", PROXY_CARRIES), PLAIN("b", PROXY_DENIES)},
	 {0},
	 "proxy_other_port b:443"},
	{"the other of two ports denied",
	 VIA_HTTP,
	 {TUNNEL("a", PROXY_DENIES), PLAIN("b", PROXY_CARRIES)},
	 {0},
	 "proxy_other_port a:80/"},
	{"by SOCKS a tunnel to port 80 too", VIA_SOCKS5H, {TUNNEL("a", PROXY_DENIES)}, {0}, "proxy_other_port a:80"},
	{"both ports denied", VIA_HTTP, {TUNNEL("a", PROXY_DENIES), PLAIN("b", PROXY_DENIES)}, {0}, ""},
	{"one name denied", VIA_HTTP, {TUNNEL("a", PROXY_DENIES), TUNNEL("b", PROXY_TUNNEL_OPEN)}, {0}, ""},
	{"others may still pass",
	 VIA_HTTP,
	 {TUNNEL("a", PROXY_DENIES),
	  {.host = "b", .port = 443, .tunnel = true, .since_us = YOUNG, .outcome = PROXY_WAITS}},
	 {0},
	 ""},
	{"denied after a sign-in",
	 VIA_HTTP,
	 {{.host = "a", .port = 443, .tunnel = true, .signed_in = true, .outcome = PROXY_DENIES}},
	 {0},
	 ""},
	{"the only tunnel is dead", VIA_HTTP, {TUNNEL("a", PROXY_TUNNEL_DEAD)}, {0}, "proxy_other_target aka.ms:443"},
	{"it is silent",
	 VIA_HTTP,
	 {TUNNEL("a", PROXY_TUNNEL_OPEN), PLAIN("b", PROXY_CARRIES)},
	 {0},
	 "proxy_other_target aka.ms:443"},
	{"two addresses of one name",
	 VIA_HTTP,
	 {TUNNEL("a", PROXY_TUNNEL_DEAD), TUNNEL("A", PROXY_TUNNEL_DEAD)},
	 {0},
	 "proxy_other_target aka.ms:443"},
	{"other names tell already",
	 VIA_HTTP,
	 {TUNNEL("a", PROXY_TUNNEL_DEAD), TUNNEL("b", PROXY_TUNNEL_DEAD)},
	 {0},
	 ""},
	{"one address carries", VIA_HTTP, {TUNNEL("a", PROXY_TUNNEL_DEAD), TUNNEL("a", PROXY_CARRIES)}, {0}, ""},
	{"the only other target is the same", VIA_HTTP, {TUNNEL("aka.ms", PROXY_TUNNEL_DEAD)}, {0}, ""},
};

static const char *wished(const struct row *row, struct strbuf *out)
{
	struct target *targets[] = {&range, &web, &other};
	struct proxy_wish wishes[PROXY_CONTRASTS];
	struct proxy_known known = {
		.scheme = row->scheme,
		.requests = row->requests,
		.targets = targets,
		.target_count = sizeof(targets) / sizeof(targets[0]),
		.now_us = NOW_US,
		.patience_us = PATIENCE_US,
	};
	memcpy(known.asked, row->asked, sizeof(known.asked));
	while (known.count < REQUESTS_MAX && row->requests[known.count].host)
		known.count++;
	size_t count = proxy_contrasts_wanted(&known, wishes);
	for (size_t i = 0; i < count; i++) {
		strbuf_printf(out, "%s%s ", i ? "; " : "", proxy_contrast_text(wishes[i].contrast));
		if (!wishes[i].host)
			strbuf_add(out, "self");
		else
			strbuf_printf(out, "%s:%d%s", wishes[i].host, wishes[i].port, wishes[i].tunnel ? "" : "/");
	}
	return out->data ? out->data : "";
}

static void contrasts(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strbuf text;
		strbuf_init(&text);
		if (!check_text(wished(&rows[i], &text), rows[i].wanted))
			printf("%s\n", rows[i].what);
		CHECK_TEXT(text.length ? text.data : "", rows[i].wanted);
		strbuf_free(&text);
	}
	CHECK(!proxy_contrast_text(PROXY_CONTRASTS));
}

/* ------------------------------------------------------------------ the wrong address */

static void who_may_be_asked_for_at_whose_address(void)
{
	struct target ncsi = web, sign_in = other, storage = other;
	struct target *what, *where;
	ncsi.expect.body = "Microsoft NCSI";
	sign_in.service = "entra";
	storage.service = "storage";
	struct target *all[] = {&range, &storage, &web, &sign_in, &ncsi};
	CHECK(wrong_address_choose(all, 5, &what, &where));
	CHECK(what == &ncsi && where == &sign_in);
	CHECK(!wrong_address_choose(all, 4, &what, &where));
	struct target *without[] = {&range, &storage, &ncsi};
	CHECK(!wrong_address_choose(without, 3, &what, &where));
}

static void when_the_wrong_address_is_worth_a_request(void)
{
	struct arena *arena = arena_new();
	struct observation http;
	int expected[] = {200};
	struct target target = web;
	observation_init(&http, OP_HTTP_EXCHANGE);
	http.http.status = 200;
	CHECK(!wrong_address_wanted(arena, &target, &http));
	CHECK(!wrong_address_wanted(arena, &other, &http));
	header_list_add(arena, &http.http.headers, "via", "1.1 varnish");
	CHECK(!wrong_address_wanted(arena, &target, &http));
	header_list_add(arena, &http.http.headers, "x-cache", "MISS from gate.corp");
	CHECK(wrong_address_wanted(arena, &target, &http));
	http.http.headers.count = 0;
	target.expect.body = "Microsoft NCSI";
	CHECK(wrong_address_wanted(arena, &target, &http));
	http.http.body_matches = true;
	CHECK(!wrong_address_wanted(arena, &target, &http));
	target.expect.status = expected;
	target.expect.status_count = 1;
	http.http.status = 204;
	CHECK(wrong_address_wanted(arena, &target, &http));
	http.failure = FAILURE_EOF;
	CHECK(wrong_address_wanted(arena, &target, &http));
	arena_free(arena);
}

int main(void)
{
	contrasts();
	who_may_be_asked_for_at_whose_address();
	when_the_wrong_address_is_worth_a_request();
	return check_summary();
}
