#include "probe/engine/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/engine/certificate.h"
#include "probe/engine/engine.h"
#include "probe/os/os.h"

enum { PEM_BYTES_MAX = 16 * 1024 * 1024, PEM_CERTIFICATES_MAX = 4096 };

typedef bool certificate_cb(X509 *certificate, void *user);

/* Hand on each certificate of a PEM file; other blocks are passed over. */
static bool pem_each(const char *file, certificate_cb *each, void *user, struct err *err)
{
	char reason[256] = "";
	size_t length = 0;
	char *text = os_read_file(file, PEM_BYTES_MAX, &length, reason, sizeof(reason));
	if (!text)
		return err_set(err, "%s: %s", file, reason);
	BIO *bio = BIO_new_mem_buf(text, (int)length);
	size_t found = 0;
	bool taken = true;
	for (X509 *certificate = NULL; bio && taken && found < PEM_CERTIFICATES_MAX;) {
		certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
		if (!certificate)
			break;
		taken = each(certificate, user);
		X509_free(certificate);
		found++;
	}
	BIO_free(bio);
	free(text);
	ERR_clear_error();
	if (!found)
		return err_set(err, "%s: holds no certificate in PEM form", file);
	return taken || err_set(err, "%s: a certificate in it cannot be used", file);
}

static bool anchor_add(X509 *certificate, void *user)
{
	return X509_STORE_add_cert(user, certificate) == 1;
}

bool trust_open(struct trust *trust, const char *ca_file, struct err *err)
{
	trust->store = X509_STORE_new();
	if (!trust->store)
		return err_set(err, "OpenSSL does not start");
	X509_STORE_set_default_paths(trust->store); /* a system without anchors is seen by every chain's failure */
	ERR_clear_error();
	if (!ca_file || pem_each(ca_file, anchor_add, trust->store, err))
		return true;
	trust_close(trust);
	return false;
}

void trust_close(struct trust *trust)
{
	X509_STORE_free(trust->store);
	trust->store = NULL;
}

struct fingerprints {
	struct arena *arena;
	struct text_list *list;
};

static bool fingerprint_add(X509 *certificate, void *user)
{
	struct fingerprints *prints = user;
	const char *sha256 = certificate_sha256(prints->arena, certificate);
	if (sha256)
		text_list_add(prints->arena, prints->list, sha256);
	return sha256 != NULL;
}

bool engine_pem_fingerprints(struct arena *arena, const char *file, struct text_list *out, struct err *err)
{
	struct fingerprints prints = {arena, out};
	return pem_each(file, fingerprint_add, &prints, err);
}
