#include "probe/engine/transfer_state.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/certificate.h"
#include "probe/engine/hello_bytes.h"
#include "probe/engine/hostile.h"

/** What OpenSSL's callbacks hold on to: it belongs to the SSL_CTX and is freed with it, which may be after the transfer's end. */
struct tls_link {
	struct transfer *transfer; /* NULL once that has ended, or has gone on to another handshake */
	struct observation *observation;
	bool to_proxy;
};

static int link_index = -1;
static uv_once_t link_once = UV_ONCE_INIT;

static void on_link_free(void *parent, void *data, CRYPTO_EX_DATA *extra, int index, long number, void *pointer)
{
	struct tls_link *link = data;
	(void)parent, (void)extra, (void)index, (void)number, (void)pointer;
	if (link && link->transfer && link->transfer->link == link)
		link->transfer->link = NULL;
	free(link);
}

static void link_prepare(void)
{
	link_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_link_free);
}

struct observation *tls_tap_open_observation(struct transfer *transfer)
{
	if (transfer->step == STEP_TLS_PROXY)
		return transfer->tls_proxy;
	return transfer->step == STEP_TLS ? transfer->tls : NULL;
}

void tls_tap_detach(struct transfer *transfer)
{
	if (transfer->link)
		transfer->link->transfer = NULL;
	transfer->link = NULL;
}

/* ------------------------------------------------------------------ messages */

static void reached(struct tls_handshake *tls, enum tls_progress progress)
{
	if (tls->progress < progress)
		tls->progress = progress;
}

static void note_choice(struct tls_link *link, const SSL *ssl)
{
	struct tls_handshake *tls = &link->observation->tls;
	const SSL_CIPHER *cipher = SSL_get_pending_cipher(ssl);
	if (!cipher)
		cipher = SSL_get_current_cipher(ssl);
	tls->version = arena_strdup(link->transfer->arena, SSL_get_version(ssl));
	if (cipher)
		tls->cipher = arena_strdup(link->transfer->arena, SSL_CIPHER_get_name(cipher));
}

/* A server that knows nothing newer writes its choice into the old place (RFC 5246 7.4.1.3); OpenSSL refuses it before it says so. */
static void note_old_version(struct tls_handshake *tls, const unsigned char *hello, size_t length)
{
	static const char *const names[] = {"SSLv3", "TLSv1", "TLSv1.1"};
	if (length >= 6 && hello[4] == 3 && hello[5] < 3)
		tls->version = names[hello[5]];
}

static void on_handshake_message(struct tls_link *link, bool sent, const unsigned char *bytes, size_t length,
				 const SSL *ssl)
{
	struct tls_handshake *tls = &link->observation->tls;
	if (sent && length && bytes[0] == SSL3_MT_CLIENT_HELLO && tls->hello_bytes == NOT_MEASURED)
		tls->hello_bytes = (int64_t)length + SSL3_RT_HEADER_LENGTH;
	if (sent || !length)
		return;
	switch (bytes[0]) {
	case SSL3_MT_SERVER_HELLO:
		reached(tls, TLS_SERVER_HELLO);
		note_old_version(tls, bytes, length);
		break;
	case SSL3_MT_CERTIFICATE:
		reached(tls, TLS_CERTIFICATE);
		note_choice(link, ssl);
		break;
	}
}

/* close_notify and user_canceled are no complaints (RFC 8446 6.1). */
static void on_alert(struct tls_handshake *tls, bool sent, const unsigned char *bytes, size_t length)
{
	if (length < 2 || bytes[1] == SSL_AD_CLOSE_NOTIFY || bytes[1] == SSL_AD_USER_CANCELLED)
		return;
	if (!sent)
		tls->alert = bytes[1];
	else if (tls->progress != TLS_FINISHED) /* later ones are about the data, mostly a missing close_notify */
		tls->alert_sent = bytes[1];
}

/* OpenSSL shows a record's head before it judges it. That decides what socket_tap.c's look at the first bytes could only suppose. */
static void on_record(struct tls_link *link, const unsigned char *bytes, size_t length)
{
	struct tls_handshake *tls = &link->observation->tls;
	char first[FIRST_BYTES_MAX];
	bool is_tls = length >= 2 && bytes[0] >= 0x14 && bytes[0] <= 0x17 && bytes[1] == 3;
	if (tls->progress != TLS_HELLO_SENT || length > sizeof(first))
		return;
	tls->plain_reply = NULL;
	if (is_tls)
		return;
	memcpy(first, bytes, length);
	if (link->to_proxy || link->transfer->via.scheme != VIA_HTTPS) /* what follows is still in the socket */
		length += socket_tap_peek(link->transfer, first + length, sizeof(first) - length);
	tls->plain_reply = hostile_bytes(link->transfer->arena, first, length);
}

static void on_message(int sent, int version, int type, const void *bytes, size_t length, SSL *ssl, void *user)
{
	struct tls_link *link = user;
	(void)version;
	if (!link->transfer)
		return;
	switch (type) {
	case SSL3_RT_HEADER:
		if (!sent)
			on_record(link, bytes, length);
		break;
	case SSL3_RT_HANDSHAKE:
		on_handshake_message(link, sent, bytes, length, ssl);
		break;
	case SSL3_RT_ALERT:
		if (sent)
			socket_tap_note_error(link->transfer);
		on_alert(&link->observation->tls, sent, bytes, length);
		break;
	}
}

/* libcurl has set the URL's host by now; the hello is not made yet. OpenSSL gives this callback a const it does not mean. */
static void hello_name(const struct tls_link *link, const SSL *ssl)
{
	const struct hello *hello = &link->transfer->hello;
	SSL *changed = (SSL *)(uintptr_t)ssl;
	char *name = hello->sni && *hello->sni ? (char *)(uintptr_t)hello->sni : NULL;
	if (!link->to_proxy && hello->sni)
		SSL_set_tlsext_host_name(changed, name);
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct tls_link *link = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), link_index);
	(void)value;
	if (!link || !link->transfer)
		return;
	if (where & SSL_CB_HANDSHAKE_START)
		hello_name(link, ssl);
	if (!(where & SSL_CB_HANDSHAKE_DONE))
		return;
	if (link->observation->tls.progress == TLS_FINISHED)
		return;
	reached(&link->observation->tls, TLS_FINISHED);
	note_choice(link, ssl);
	transfer_advance(link->transfer,
			 transfer_step_after(link->transfer, link->to_proxy ? STEP_TLS_PROXY : STEP_TLS));
}

/* ------------------------------------------------------------------ verification */

/* A server may ask for another handshake on the same connection: then the last chain counts. */
static struct sent_chain *chain_slot(struct transfer_result *result, struct observation *handshake)
{
	for (size_t i = 0; i < result->chain_count; i++)
		if (result->chains[i].handshake == handshake)
			return &result->chains[i];
	result->chains = arena_grow(result->arena, result->chains, &result->chain_capacity, result->chain_count,
				    sizeof(*result->chains));
	return &result->chains[result->chain_count++];
}

static struct os_der der_of(struct arena *arena, const X509 *certificate)
{
	int length = i2d_X509(certificate, NULL);
	unsigned char *bytes = arena_alloc(arena, length > 0 ? (size_t)length : 1), *end = bytes;
	return (struct os_der){bytes, length > 0 && i2d_X509(certificate, &end) == length ? (size_t)length : 0};
}

static void chain_keep(struct tls_link *link, STACK_OF(X509) * sent, const char *host)
{
	struct transfer_result *result = &link->transfer->result;
	const struct transfer_pool_options *options = pool_options(link->transfer->pool);
	int count = sk_X509_num(sent);
	if (!options->keep_chains || count <= 0)
		return;
	if (count > CHAIN_CERTIFICATES_MAX)
		count = CHAIN_CERTIFICATES_MAX;
	struct sent_chain *chain = chain_slot(result, link->observation);
	*chain = (struct sent_chain){link->observation, host, NULL, (size_t)count};
	chain->certificates = arena_alloc(result->arena, chain->count * sizeof(*chain->certificates));
	for (int i = 0; i < count; i++)
		chain->certificates[i] = der_of(result->arena, sk_X509_value(sent, i));
	if (options->chain_came)
		options->chain_came(chain, options->chain_user);
}

static int on_verify(X509_STORE_CTX *context, void *user)
{
	struct tls_link *link = user;
	if (!link->transfer) {
		X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
		return 0;
	}
	struct transfer *transfer = link->transfer;
	struct tls_handshake *tls = &link->observation->tls;
	const SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(context);
	const char *host = link->to_proxy ? transfer->via.host : transfer->host;
	certificate_chain_record(transfer->arena, sent, tls);
	int error = certificate_verify(transfer->arena, pool_options(transfer->pool)->trust, sent, host,
				       SSL_get_security_level(ssl), tls);
	X509_STORE_CTX_set_error(context, error);
	link->observation->failure = certificate_failure(error);
	chain_keep(link, sent, host);
	if (error != X509_V_OK)
		tls->error = arena_strdup(transfer->arena, X509_verify_cert_error_string(error));
	return error == X509_V_OK;
}

/* ------------------------------------------------------------------ installation */

/* libcurl asks for an https: proxy first, then for the target. */
static bool is_for_proxy(const struct transfer *transfer)
{
	return transfer->via.scheme == VIA_HTTPS && transfer->step <= STEP_TLS_PROXY;
}

/* Of the codes for private use (RFC 8446 11): nobody knows it, so nobody minds. */
enum { UNKNOWN_EXTENSION = 0xfe6d };

static int on_extension(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *bytes, X509 *x,
			size_t chain_index, int *alert, void *user)
{
	const struct tls_link *link = user;
	(void)ssl, (void)type, (void)context, (void)x, (void)chain_index, (void)alert;
	*bytes = link->transfer ? link->transfer->hello.extra_bytes : 0;
	*out = xcalloc(1, *bytes + 1);
	return 1;
}

static void on_extension_free(SSL *ssl, unsigned type, unsigned context, const unsigned char *out, void *user)
{
	(void)ssl, (void)type, (void)context, (void)user;
	free((void *)(uintptr_t)out);
}

/* What of the hello differs from the usual one, but for the name. */
static bool hello_set(SSL_CTX *ctx, struct tls_link *link)
{
	const struct hello *hello = &link->transfer->hello;
	if (hello->version && (!SSL_CTX_set_min_proto_version(ctx, hello->version) ||
			       !SSL_CTX_set_max_proto_version(ctx, hello->version)))
		return false;
	if (!hello->extra_bytes)
		return true;
	hello_add_post_quantum(ctx);
	return SSL_CTX_add_custom_ext(ctx, UNKNOWN_EXTENSION, SSL_EXT_CLIENT_HELLO, on_extension, on_extension_free,
				      link, NULL, NULL);
}

CURLcode tls_tap_install(CURL *easy, void *context, void *user)
{
	struct transfer *transfer = user;
	SSL_CTX *ctx = context;
	(void)easy;
	uv_once(&link_once, link_prepare);
	if (link_index < 0 || transfer->ended)
		return CURLE_FAILED_INIT;
	bool to_proxy = is_for_proxy(transfer);
	transfer_advance(transfer, to_proxy ? STEP_TLS_PROXY : STEP_TLS);
	tls_tap_detach(transfer);
	struct tls_link *link = xcalloc(1, sizeof(*link));
	if (!SSL_CTX_set_ex_data(ctx, link_index, link)) {
		free(link);
		return CURLE_FAILED_INIT;
	}
	link->transfer = transfer;
	link->to_proxy = to_proxy;
	link->observation = tls_tap_open_observation(transfer);
	transfer->link = link;
	if (!link->observation || !hello_make_classical(ctx))
		return CURLE_FAILED_INIT;
	if (!to_proxy && !hello_set(ctx, link))
		return CURLE_FAILED_INIT;
	SSL_CTX_set_cert_verify_callback(ctx, on_verify, link);
	SSL_CTX_set_msg_callback(ctx, on_message);
	SSL_CTX_set_msg_callback_arg(ctx, link);
	SSL_CTX_set_info_callback(ctx, on_info);
	return CURLE_OK;
}
