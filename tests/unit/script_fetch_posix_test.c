/* Scripts fetched from a server of this test's own, in a network namespace without a way out. */

#include "probe/engine/script_fetch.h"

#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/core/strbuf.h"
#include "probe/engine/trust.h"
#include "probe/os/os.h"
#include "probe/settings/pac_child.h"
#include "tests/unit/check.h"

#define SCRIPT "function FindProxyForURL(url, host) { return 'DIRECT'; }"

enum { PORT = 8000, TIMEOUT_US = 1500 * 1000, REQUEST_BYTES_MAX = 4096 };

/* ------------------------------------------------------------------ the server */

static const struct {
	const char *path, *reply;
} replies[] = {
	{"/proxy.pac", "HTTP/1.1 200 OK\r\nContent-Type: Application/X-NS-Proxy-Autoconfig\r\n\r\n" SCRIPT},
	{"/proxy.pac?secret=2", "HTTP/1.1 200 OK\r\n\r\n" SCRIPT},
	{"/token?secret=1",
	 "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n\r\n// \xc3\xa4\n" SCRIPT},
	{"/latin.js", "HTTP/1.1 200 OK\r\n\r\n// \xe4\n" SCRIPT},
	{"/ex.pac", "HTTP/1.1 200 OK\r\n\r\nfunction FindProxyForURLEx(u, h) { return 'DIRECT'; }"},
	{"/missing.pac", "HTTP/1.1 404 Not Found\r\n\r\n" SCRIPT},
	{"/partial.pac", "HTTP/1.1 206 Partial Content\r\n\r\n" SCRIPT},
	{"/none.pac", "HTTP/1.1 204 No Content\r\n\r\n"},
	{"/locked.pac", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n"},
	{"/proxied.pac", "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM\r\n\r\n"},
	{"/page.pac", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!DOCTYPE html><html>Sign in</html>"},
	{"/empty.pac", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
	{"/other.pac", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nvar x;"},
	{"/gzip.pac", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b"},
	{"/short.pac", "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" SCRIPT},
	{"/noise.pac", "SSH-2.0-OpenSSH_9.2\r\n"},
	{"/closed.pac", ""},
	{"/moved.pac", "HTTP/1.1 302 Found\r\nLocation: /proxy.pac\r\n\r\n"},
	{"/away.pac", "HTTP/1.1 301 Moved\r\nLocation: http://localhost:8000/proxy.pac?secret=2\r\n\r\n"},
	{"/ftp.pac", "HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/proxy.pac\r\n\r\n"},
	{"/loop.pac", "HTTP/1.1 302 Found\r\nLocation: /loop.pac\r\n\r\n"},
	{"/nowhere.pac", "HTTP/1.1 302 Found\r\n\r\n"},
};

static void reply_large(int fd, size_t bytes)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n" SCRIPT;
	char *body = malloc(bytes);
	memset(body, ' ', bytes);
	bytes -= sizeof(SCRIPT) - 1;
	if (write(fd, head, sizeof(head) - 1) > 0)
		for (size_t sent = 0; sent < bytes;) {
			ssize_t some = send(fd, body + sent, bytes - sent, MSG_NOSIGNAL);
			if (some <= 0)
				break;
			sent += (size_t)some;
		}
	free(body);
}

static bool is_path(const char *request, const char *path)
{
	size_t length = strlen(path);
	return strncmp(request, "GET ", 4) == 0 && strncmp(request + 4, path, length) == 0 &&
	       request[4 + length] == ' ';
}

static void reply_to(int fd, const char *request)
{
	if (is_path(request, "/full.pac"))
		reply_large(fd, PAC_SCRIPT_BYTES_MAX);
	if (is_path(request, "/large.pac"))
		reply_large(fd, PAC_SCRIPT_BYTES_MAX + 1);
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (is_path(request, replies[i].path))
			(void)!write(fd, replies[i].reply, strlen(replies[i].reply));
}

/* A request for /silent.pac is kept without an answer. */
static void *serve(void *argument)
{
	int listener = *(int *)argument;
	for (;;) {
		char request[REQUEST_BYTES_MAX + 1];
		int fd = accept(listener, NULL, NULL);
		ssize_t length = fd >= 0 ? read(fd, request, REQUEST_BYTES_MAX) : -1;
		if (length < 0)
			return NULL;
		request[length] = '\0';
		if (is_path(request, "/silent.pac"))
			continue;
		reply_to(fd, request);
		close(fd);
	}
}

static bool server_start(void)
{
	static int listener;
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	pthread_t thread;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return ioctl(listener, SIOCSIFFLAGS, &request) == 0 &&
	       bind(listener, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(listener, 16) == 0 &&
	       pthread_create(&thread, NULL, serve, &listener) == 0;
}

/* ------------------------------------------------------------------ fetching */

static struct {
	uv_loop_t loop;
	struct report *report;
	struct trust trust;
	struct transfer_pool *pool;
	struct resolver resolver;
	struct path_list paths;
	const struct script_fetch_result *result;
} world;

static bool world_open(void)
{
	struct err err;
	uv_loop_init(&world.loop);
	world.report = report_new();
	path_list_add(world.report->arena, &world.paths, report_add_path(world.report));
	if (!trust_open(&world.trust, world.report->arena, NULL, &err))
		return false;
	struct transfer_pool_options options = {.loop = &world.loop,
						.trust = &world.trust,
						.run_started_us = os_monotonic_us(),
						.timeout_us = TIMEOUT_US};
	world.pool = transfer_pool_new(&options);
	world.resolver = (struct resolver){.loop = &world.loop,
					   .report = world.report,
					   .run_started_us = options.run_started_us,
					   .timeout_us = TIMEOUT_US,
					   .experiments = true,
					   .system_lookup = true};
	return world.pool != NULL;
}

static void on_done(struct script_fetch *fetch, const struct script_fetch_result *result, void *user)
{
	(void)fetch;
	(void)user;
	CHECK(!world.result); /* once */
	world.result = result;
}

static struct script_fetch *begin(const char *url)
{
	struct script_fetch_options options = {.report = world.report,
					       .resolver = &world.resolver,
					       .pool = world.pool,
					       .url = url,
					       .paths = &world.paths,
					       .done = on_done};
	world.result = NULL;
	struct script_fetch *fetch = script_fetch_start(&options);
	CHECK(!world.result); /* never inside */
	return fetch;
}

static const struct script_fetch_result *fetch(const char *url)
{
	begin(url);
	while ((!world.result || world.resolver.open) && uv_run(&world.loop, UV_RUN_ONCE))
		;
	return world.result;
}

static const struct observation *last(enum op op)
{
	for (size_t i = world.report->observations.count; i-- > 0;)
		if (world.report->observations.items[i]->op == op)
			return world.report->observations.items[i];
	return NULL;
}

/* ------------------------------------------------------------------ tests */

static void scripts_come(void)
{
	const struct script_fetch_result *result = fetch("http://127.0.0.1:8000/proxy.pac");
	CHECK_TEXT(result->error, NULL);
	CHECK_TEXT(result->message, NULL);
	CHECK_TEXT(result->text, SCRIPT);
	CHECK_TEXT(result->mime, "application/x-ns-proxy-autoconfig");
	CHECK_INT(result->status, 200);
	CHECK_INT(result->bytes, sizeof(SCRIPT) - 1);
	CHECK(result->sha256 && strlen(result->sha256) == 64);
	CHECK_TEXT(fetch("http://127.0.0.1:8000/ex.pac")->error, NULL);
	CHECK_TEXT(fetch("http://127.0.0.1:8000/latin.js")->text, "// \xc3\xa4\n" SCRIPT);
	CHECK_TEXT(world.result->message, NULL);
	CHECK_TEXT(fetch("http://127.0.0.1:8000/full.pac")->error, NULL);
	CHECK_INT(world.result->length, PAC_SCRIPT_BYTES_MAX);
}

static void a_name_is_looked_up_and_its_addresses_tried_in_turn(void)
{
	CHECK_TEXT(fetch("http://localhost:8000/proxy.pac")->text, SCRIPT);
	CHECK_TEXT(last(OP_SYSTEM_LOOKUP)->lookup.name, "localhost");
	CHECK_TEXT(last(OP_SYSTEM_LOOKUP)->experiment, "pac_download");
	CHECK_INT(last(OP_SYSTEM_LOOKUP)->paths.count, 1);
	CHECK_TEXT(last(OP_TCP_CONNECT)->tcp.tuple.dst, "127.0.0.1");
	CHECK_TEXT(fetch("http://no-such-name.invalid/proxy.pac")->error, "unreachable");
	CHECK(strstr(world.result->message, "no-such-name.invalid") != NULL);
	CHECK(world.result->failure != FAILURE_NONE);
}

/* The query may hold a token: it is sent, and stands nowhere in the evidence. */
static void a_query_is_sent_and_not_recorded(void)
{
	CHECK_TEXT(fetch("http://user:word@127.0.0.1:8000/token?secret=1#part")->text, "// \xc3\xa4\n" SCRIPT);
	CHECK(strstr(world.result->message, "text/plain") != NULL); /* neither Windows' type nor one of its endings */
	CHECK_TEXT(last(OP_HTTP_EXCHANGE)->http.url, "http://127.0.0.1:8000/token");
	CHECK_TEXT(last(OP_HTTP_EXCHANGE)->experiment, "pac_download");
	CHECK_INT(last(OP_HTTP_EXCHANGE)->paths.count, 1);
	CHECK_TEXT(fetch("http://127.0.0.1:8000/away.pac")->text, SCRIPT);
	CHECK_TEXT(last(OP_HTTP_EXCHANGE)->http.url, "http://localhost:8000/proxy.pac");
}

static void redirects_are_followed_up_to_a_point(void)
{
	CHECK_TEXT(fetch("http://127.0.0.1:8000/moved.pac")->text, SCRIPT);
	CHECK_TEXT(fetch("http://127.0.0.1:8000/loop.pac")->error, "unreachable");
	CHECK_INT(world.result->status, 302);
	CHECK(strstr(world.result->message, "8 redirects") != NULL);
	CHECK_TEXT(fetch("http://127.0.0.1:8000/ftp.pac")->error, "unreachable");
	CHECK(strstr(world.result->message, "neither http: nor https:") != NULL);
	CHECK_TEXT(fetch("http://127.0.0.1:8000/nowhere.pac")->error, "unreachable");
	CHECK_TEXT(world.result->message, "the server answered 302");
}

static void each_failure_has_its_own_word(void)
{
	static const struct {
		const char *url, *error, *message;
		int status;
		enum failure failure;
	} cases[] = {
		{"http://127.0.0.1:8000/missing.pac", "unreachable", "answered 404", 404, FAILURE_NONE},
		{"http://127.0.0.1:8000/partial.pac", "unreachable", "answered 206", 206, FAILURE_NONE},
		{"http://127.0.0.1:8000/none.pac", "unreachable", "answered 204", 204, FAILURE_NONE},
		{"http://127.0.0.1:8000/locked.pac", "needs_auth", "401", 401, FAILURE_NONE},
		{"http://127.0.0.1:8000/proxied.pac", "needs_auth", "407", 407, FAILURE_NONE},
		{"http://127.0.0.1:8000/page.pac", "not_script", "a web page", 200, FAILURE_NONE},
		{"http://127.0.0.1:8000/empty.pac", "not_script", "an empty answer", 200, FAILURE_NONE},
		{"http://127.0.0.1:8000/other.pac", "not_script", "6 bytes, text/plain", 200, FAILURE_NONE},
		{"http://127.0.0.1:8000/gzip.pac", "not_script", "gzip", 200, FAILURE_NONE},
		{"http://127.0.0.1:8000/large.pac", "too_large", "1048576", 200, FAILURE_NONE},
		{"http://127.0.0.1:8000/short.pac", "unreachable", "broke off", 200, FAILURE_EOF},
		{"http://127.0.0.1:8000/noise.pac", "unreachable", "http_malformed", -1, FAILURE_HTTP_MALFORMED},
		{"http://127.0.0.1:8000/closed.pac", "unreachable", "eof_error", -1, FAILURE_EOF},
		{"http://127.0.0.1:8000/silent.pac", "unreachable", "timeout", -1, FAILURE_TIMEOUT},
		{"http://127.0.0.1:8001/proxy.pac", "unreachable", "127.0.0.1:8001", -1, FAILURE_CONNECTION_REFUSED},
		{"https://127.0.0.1:8000/proxy.pac", "unreachable", "no TLS session", -1, FAILURE_EOF},
		{"http://192.0.2.1/proxy.pac", "unreachable", "192.0.2.1:80", -1, FAILURE_NETWORK_UNREACHABLE},
		{"file:///C:/proxy.pac", "bad_address", "from a file: address", -1, FAILURE_NONE},
		{"file://server/share/proxy.pac", "bad_address", "from a file: address", -1, FAILURE_NONE},
		{"ftp://127.0.0.1/proxy.pac", "bad_address", "from a ftp: address", -1, FAILURE_NONE},
		{"\\\\server\\share\\proxy.pac", "bad_address", "no http: or https:", -1, FAILURE_NONE},
		{"C:\\proxy.pac", "bad_address", "no http: or https:", -1, FAILURE_NONE},
		{"proxy.corp.example/proxy.pac", "bad_address", "no http: or https:", -1, FAILURE_NONE},
		{"http://", "bad_address", "no http: or https:", -1, FAILURE_NONE},
		{"http:///proxy.pac", "bad_address", "no http: or https:", -1, FAILURE_NONE},
		{"", "bad_address", "no http: or https:", -1, FAILURE_NONE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct script_fetch_result *result = fetch(cases[i].url);
		bool said = result->message && strstr(result->message, cases[i].message);
		if (!said)
			printf("%s: %s\n", cases[i].url, result->message);
		CHECK(said);
		CHECK_TEXT(result->error, cases[i].error);
		CHECK_TEXT(result->text, NULL);
		CHECK_INT(result->status, cases[i].status);
		CHECK_TEXT(failure_text(result->failure), failure_text(cases[i].failure));
	}
}

static void a_cut_ends_it_at_once(void)
{
	struct script_fetch *one = begin("http://127.0.0.1:8000/silent.pac");
	for (int turns = 0; turns < 3; turns++)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	script_fetch_cancel(one, FAILURE_DEADLINE);
	CHECK(world.result && world.result->failure == FAILURE_DEADLINE);
	CHECK_TEXT(world.result->error, "unreachable");
	script_fetch_cancel(one, FAILURE_DEADLINE); /* too late: nothing happens */
	one = begin("http://localhost:8000/proxy.pac");
	script_fetch_cancel(one, FAILURE_INTERRUPTED);
	CHECK(world.result && world.result->failure == FAILURE_INTERRUPTED);
	CHECK(!world.resolver.open);
	begin("http://localhost:8000/proxy.pac");
	lookups_cut(&world.resolver, FAILURE_DEADLINE);
	CHECK(world.result && world.result->failure == FAILURE_DEADLINE);
	one = begin("ftp://127.0.0.1/");
	script_fetch_cancel(one, FAILURE_DEADLINE);
	CHECK(world.result != NULL);
}

int main(void)
{
	os_start();
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		printf("no namespaces here: not tested\n");
		return check_summary();
	}
	CHECK(server_start());
	CHECK(world_open());
	if (checks_failed)
		return check_summary();
	scripts_come();
	a_name_is_looked_up_and_its_addresses_tried_in_turn();
	a_query_is_sent_and_not_recorded();
	redirects_are_followed_up_to_a_point();
	each_failure_has_its_own_word();
	a_cut_ends_it_at_once();
	transfer_pool_close(world.pool);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&world.loop), 0);
	return check_summary();
}
