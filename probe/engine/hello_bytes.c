#include "probe/engine/hello_bytes.h"

#include <openssl/err.h>
#include <string.h>

#include "probe/core/address.h"

#define CLASSICAL_GROUPS "X25519:P-256:P-384"

void hello_add_post_quantum(SSL_CTX *ctx)
{
	if (!SSL_CTX_set1_groups_list(ctx, "X25519MLKEM768:" CLASSICAL_GROUPS))
		ERR_clear_error(); /* an older library: it stays as it is */
}

/* libcurl would have it padded to 512 bytes, for a load balancer of 2013 (RFC 7685). */
bool hello_make_classical(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_TLSEXT_PADDING);
	return SSL_CTX_set1_groups_list(ctx, CLASSICAL_GROUPS) && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
}

static SSL *client_new(SSL_CTX *ctx, const char *sni)
{
	struct address literal;
	bool named = sni && !address_parse(sni, &literal);
	if (!ctx || !hello_make_classical(ctx))
		return NULL;
	SSL *ssl = SSL_new(ctx);
	if (!ssl || !named || SSL_set_tlsext_host_name(ssl, sni))
		return ssl;
	SSL_free(ssl);
	return NULL;
}

/* The handshake stops as soon as it waits for an answer. */
static const uint8_t *first_flight(struct arena *arena, SSL *ssl, size_t *length)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	if (!in || !out) {
		BIO_free(in);
		BIO_free(out);
		return NULL;
	}
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(ssl, in, out);
	SSL_connect(ssl);
	long got = BIO_get_mem_data(out, &bytes);
	if (got <= 0)
		return NULL;
	*length = (size_t)got;
	return memcpy(arena_alloc(arena, *length), bytes, *length);
}

const uint8_t *hello_bytes(struct arena *arena, const char *sni, size_t *length)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = client_new(ctx, sni);
	const uint8_t *bytes = ssl ? first_flight(arena, ssl, length) : NULL;
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return bytes;
}
