/* The hellos of the TLS ladder, as a server of this test's own receives them: by the direct way, through CONNECT and through SOCKS. All of it
 * in a network namespace without a way out. */

#include "probe/engine/hello_bytes.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/core/arena.h"
#include "probe/core/err.h"
#include "probe/engine/engine.h"
#include "probe/engine/transfer.h"
#include "probe/engine/trust.h"
#include "probe/os/os.h"
#include "tests/unit/check.h"

#define NAME "login.corp.example"

enum { PORT = 8443, TIMEOUT_US = 3 * 1000 * 1000, LINE_BYTES_MAX = 4096 };

/* ------------------------------------------------------------------ the server */

/** What the last hello looked like at the far end. */
static struct {
	char sni[256]; /* "" for none */
	size_t bytes;
	bool offers_13;
	int segment_bytes; /* the largest that the client took */
	pthread_mutex_t lock;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct {
	EVP_PKEY *key;
	X509 *certificate;
	SSL_CTX *ctx;
	int listener;
} server;

/* RFC 6066 3: a list with one name. */
static void note_name(SSL *ssl)
{
	const unsigned char *bytes;
	size_t length;
	seen.sni[0] = '\0';
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &length) && length > 5)
		snprintf(seen.sni, sizeof(seen.sni), "%.*s", (int)(length - 5), (const char *)bytes + 5);
}

static int on_hello(SSL *ssl, int *alert, void *user)
{
	const unsigned char *bytes;
	size_t length = 0;
	(void)alert, (void)user;
	pthread_mutex_lock(&seen.lock);
	note_name(ssl);
	seen.offers_13 = SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &bytes, &length) != 0;
	pthread_mutex_unlock(&seen.lock);
	return SSL_CLIENT_HELLO_SUCCESS;
}

static void on_message(int sent, int version, int type, const void *bytes, size_t length, SSL *ssl, void *user)
{
	const unsigned char *message = bytes;
	(void)version, (void)ssl, (void)user;
	if (sent || type != SSL3_RT_HANDSHAKE || message[0] != SSL3_MT_CLIENT_HELLO)
		return;
	pthread_mutex_lock(&seen.lock);
	seen.bytes = length + SSL3_RT_HEADER_LENGTH;
	pthread_mutex_unlock(&seen.lock);
}

static bool read_past_blank_line(int fd)
{
	char bytes[LINE_BYTES_MAX];
	for (size_t got = 0; got < sizeof(bytes); got++) {
		if (read(fd, bytes + got, 1) != 1)
			return false;
		if (got >= 3 && memcmp(bytes + got - 3, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static bool serve_connect(int fd)
{
	static const char reply[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	return read_past_blank_line(fd) && write(fd, reply, sizeof(reply) - 1) > 0;
}

/* RFC 1928: without sign-in, a name or an address. */
static bool serve_socks(int fd)
{
	unsigned char bytes[LINE_BYTES_MAX];
	static const unsigned char method[] = {5, 0}, granted[] = {5, 0, 0, 1, 0, 0, 0, 0, 0, 0};
	return read(fd, bytes, sizeof(bytes)) > 2 && write(fd, method, sizeof(method)) > 0 &&
	       read(fd, bytes, sizeof(bytes)) > 6 && write(fd, granted, sizeof(granted)) > 0;
}

static void serve_one(int fd)
{
	unsigned char first = 0;
	socklen_t bytes = sizeof(int);
	getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &seen.segment_bytes, &bytes);
	if (recv(fd, &first, 1, MSG_PEEK) != 1)
		return;
	if ((first == 'C' && !serve_connect(fd)) || (first == 5 && !serve_socks(fd)))
		return;
	SSL *ssl = SSL_new(server.ctx);
	char rest[LINE_BYTES_MAX];
	if (SSL_set_fd(ssl, fd) && SSL_accept(ssl) == 1)
		SSL_read(ssl, rest, sizeof(rest)); /* until the client closes */
	SSL_free(ssl);
}

static void *serve(void *unused)
{
	(void)unused;
	for (int fd; (fd = accept(server.listener, NULL, NULL)) >= 0; close(fd))
		serve_one(fd);
	return NULL;
}

static bool certificate_make(void)
{
	server.key = EVP_EC_gen("P-256");
	X509 *x = server.certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_set_version(x, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)NAME, -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" NAME);
	bool made = names && X509_add_ext(x, names, -1) && X509_set_pubkey(x, server.key) &&
		    X509_sign(x, server.key, EVP_sha256()) > 0;
	X509_EXTENSION_free(names);
	return made;
}

static bool server_start(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	pthread_t thread;
	int one = 1;
	server.ctx = SSL_CTX_new(TLS_server_method());
	server.listener = socket(AF_INET, SOCK_STREAM, 0);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SSL_CTX_set_client_hello_cb(server.ctx, on_hello, NULL);
	SSL_CTX_set_msg_callback(server.ctx, on_message);
	setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return certificate_make() && SSL_CTX_use_certificate(server.ctx, server.certificate) == 1 &&
	       SSL_CTX_use_PrivateKey(server.ctx, server.key) == 1 &&
	       ioctl(server.listener, SIOCSIFFLAGS, &request) == 0 &&
	       bind(server.listener, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(server.listener, 16) == 0 &&
	       pthread_create(&thread, NULL, serve, NULL) == 0;
}

/* ------------------------------------------------------------------ the client */

static struct {
	uv_loop_t loop;
	struct arena *arena;
	struct trust trust;
	struct transfer_pool *pool;
	const struct observation *last[OP_LOCAL_FACT]; /* of each kind, of the last transfer */
	enum failure failure;
	enum stage stage;
	bool ended;
} world;

static struct pem own_anchor(void)
{
	char *text = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, server.certificate);
	size_t length = (size_t)BIO_get_mem_data(bio, &text);
	struct pem pem = {.file = "own.pem", .text = arena_strndup(world.arena, text, length), .length = length};
	BIO_free(bio);
	return pem;
}

static bool world_open(void)
{
	struct err err;
	uv_loop_init(&world.loop);
	world.arena = arena_new();
	struct pem pem = own_anchor();
	if (!trust_open(&world.trust, world.arena, &pem, &err))
		return false;
	struct transfer_pool_options options = {.loop = &world.loop,
						.trust = &world.trust,
						.run_started_us = os_monotonic_us(),
						.timeout_us = TIMEOUT_US};
	world.pool = transfer_pool_new(&options);
	return world.pool != NULL;
}

static void on_done(struct transfer *transfer, void *user)
{
	const struct transfer_result *result = transfer_result(transfer);
	(void)user;
	for (size_t i = 0; i < result->observations.count; i++)
		if (result->observations.items[i]->op < OP_LOCAL_FACT)
			world.last[result->observations.items[i]->op] = result->observations.items[i];
	world.failure = result->failure;
	world.stage = result->stage;
	world.ended = true;
	arena_adopt(world.arena, result->arena);
}

static const struct via direct = {.scheme = VIA_DIRECT};

/* What the handshake showed; NULL where there was none. */
static const struct tls_handshake *say_hello(struct via via, struct hello hello)
{
	static const struct target target = {
		.kind = TARGET_URL, .url = "https://" NAME ":8443/", .host = NAME, .port = PORT};
	struct transfer_spec spec = {
		.target = &target, .via = via, .address = "127.0.0.1", .hello = hello, .handshake_only = true};
	memset(world.last, 0, sizeof(world.last));
	world.ended = false;
	transfer_start(world.pool, &spec, on_done, NULL);
	while (!world.ended && uv_run(&world.loop, UV_RUN_ONCE))
		;
	return world.last[OP_TLS_HANDSHAKE] ? &world.last[OP_TLS_HANDSHAKE]->tls : NULL;
}

/* ------------------------------------------------------------------ tests */

static const struct {
	const char *what;
	struct via via;
} ways[] = {{"direct", {.scheme = VIA_DIRECT}},
	    {"CONNECT", {.scheme = VIA_HTTP, .host = "127.0.0.1", .port = PORT}},
	    {"SOCKS", {.scheme = VIA_SOCKS5H, .host = "127.0.0.1", .port = PORT}}};

static void a_handshake_alone_ends_well(struct via via)
{
	const struct tls_handshake *tls = say_hello(via, (struct hello){0});
	CHECK_INT(world.failure, FAILURE_NONE);
	CHECK_INT(world.stage, STAGE_NONE);
	CHECK(!world.last[OP_HTTP_EXCHANGE]);
	CHECK(tls && tls->progress == TLS_FINISHED);
	CHECK_TEXT(tls->sni, NAME);
	CHECK_TEXT(seen.sni, NAME);
	CHECK_TEXT(tls->version, "TLSv1.3");
	CHECK_INT(tls->hello_bytes, seen.bytes);
	CHECK_INT(tls->segment_bytes, NOT_MEASURED);
	CHECK(tls->hello_bytes > 150 && tls->hello_bytes < 500);
	CHECK(tls->bytes_acked > tls->hello_bytes && tls->bytes_received > 100);
}

static void the_name_is_another(struct via via)
{
	const struct tls_handshake *tls = say_hello(via, (struct hello){.sni = "other.corp.example"});
	CHECK_INT(world.failure, FAILURE_NONE);
	CHECK_TEXT(seen.sni, "other.corp.example");
	CHECK(tls && tls->progress == TLS_FINISHED);
	CHECK_TEXT(tls->sni, "other.corp.example");
	tls = say_hello(via, (struct hello){.sni = ""});
	CHECK_INT(world.failure, FAILURE_NONE);
	CHECK_TEXT(seen.sni, "");
	CHECK_TEXT(tls->sni, NULL);
}

static void the_hello_is_large(struct via via)
{
	int64_t usual_bytes = say_hello(via, (struct hello){0})->hello_bytes;
	const struct tls_handshake *tls = say_hello(via, (struct hello){.extra_bytes = 2700});
	CHECK_INT(world.failure, FAILURE_NONE);
	CHECK_INT(tls->hello_bytes, seen.bytes);
	CHECK_INT(tls->hello_bytes, usual_bytes + 4 + 2700);
	tls = say_hello(via, (struct hello){.extra_bytes = 2700, .version = TLS1_2_VERSION, .sni = ""});
	CHECK_INT(world.failure, FAILURE_NONE);
	CHECK_INT(tls->hello_bytes, seen.bytes);
	CHECK(tls->hello_bytes > 2800);
	CHECK_TEXT(tls->version, "TLSv1.2");
}

static void the_version_is_one(struct via via)
{
	CHECK_TEXT(say_hello(via, (struct hello){.version = TLS1_2_VERSION})->version, "TLSv1.2");
	CHECK_INT(world.failure, FAILURE_NONE);
	CHECK(!seen.offers_13);
	CHECK_TEXT(say_hello(via, (struct hello){.version = TLS1_3_VERSION})->version, "TLSv1.3");
	CHECK_INT(world.failure, FAILURE_NONE);
	CHECK(seen.offers_13);
	SSL_CTX_set_max_proto_version(server.ctx, TLS1_2_VERSION);
	const struct tls_handshake *tls = say_hello(via, (struct hello){.version = TLS1_3_VERSION});
	CHECK_INT(world.failure, FAILURE_SSL_FAILED_HANDSHAKE);
	CHECK_INT(tls->alert, SSL_AD_PROTOCOL_VERSION);
	SSL_CTX_set_max_proto_version(server.ctx, 0);
}

static void segments_are_small(struct via via)
{
	const struct tls_handshake *tls = say_hello(via, (struct hello){.segment_bytes = 200});
	CHECK_INT(world.failure, FAILURE_NONE);
	CHECK_INT(tls->segment_bytes, 200);
	CHECK(seen.segment_bytes > 100 && seen.segment_bytes <= 200);
	CHECK(world.last[OP_TCP_CONNECT]->tcp.tcp_info.mss <= 200);
}

/* A certificate for another name than the target's: the handshake went as far as that. */
static void a_mismatch_shows_the_certificate(void)
{
	static const struct target target = {
		.kind = TARGET_URL, .url = "https://foreign.example:8443/", .host = "foreign.example", .port = PORT};
	struct transfer_spec spec = {.target = &target,
				     .via = direct,
				     .address = "127.0.0.1",
				     .hello = {.sni = NAME},
				     .handshake_only = true};
	world.ended = false;
	transfer_start(world.pool, &spec, on_done, NULL);
	while (!world.ended && uv_run(&world.loop, UV_RUN_ONCE))
		;
	CHECK_INT(world.failure, FAILURE_SSL_INVALID_HOSTNAME);
	CHECK_INT(world.last[OP_TLS_HANDSHAKE]->tls.progress, TLS_CERTIFICATE);
	CHECK_TEXT(seen.sni, NAME);
}

/* The bytes alone are those of the handshake: of the same length but for what is random, and a server takes them. */
static void the_bytes_are_those_of_the_handshake(void)
{
	size_t length = 0, without = 0;
	const struct tls_handshake *tls = say_hello(direct, (struct hello){0});
	const uint8_t *bytes = hello_bytes(world.arena, NAME, &length);
	CHECK(bytes && length > 5);
	CHECK_INT(length, tls->hello_bytes);
	CHECK(bytes[0] == SSL3_RT_HANDSHAKE && bytes[1] == 3 && bytes[5] == SSL3_MT_CLIENT_HELLO);
	CHECK_INT((size_t)bytes[3] << 8 | bytes[4], length - SSL3_RT_HEADER_LENGTH);
	CHECK(hello_bytes(world.arena, NULL, &without) && length == without + strlen(NAME) + 9);
	CHECK(hello_bytes(world.arena, "127.0.0.1", &without) && length == without + strlen(NAME) + 9);
	SSL *ssl = SSL_new(server.ctx);
	BIO *in = BIO_new_mem_buf(bytes, (int)length), *out = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, in, out);
	CHECK(SSL_accept(ssl) <= 0); /* the client's second flight is missing */
	CHECK_TEXT(seen.sni, NAME);
	CHECK(BIO_pending(out) > 500);
	SSL_free(ssl);
}

int main(void)
{
	os_start();
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		printf("no namespaces here: not tested\n");
		return check_summary();
	}
	if (!server_start() || !world_open()) {
		CHECK(!"the server could not be started");
		return check_summary();
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		printf("%s\n", ways[i].what);
		a_handshake_alone_ends_well(ways[i].via);
		the_name_is_another(ways[i].via);
		the_hello_is_large(ways[i].via);
		the_version_is_one(ways[i].via);
		segments_are_small(ways[i].via);
	}
	a_mismatch_shows_the_certificate();
	the_bytes_are_those_of_the_handshake();
	transfer_pool_close(world.pool);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&world.loop), 0);
	return check_summary();
}
