#include "probe/engine/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "probe/core/arena.h"
#include "probe/engine/certificate.h"
#include "probe/engine/engine.h"
#include "probe/os/os.h"

enum { PEM_BYTES_MAX = 16 * 1024 * 1024, PEM_CERTIFICATES_MAX = 4096 };

typedef bool certificate_cb(X509 *certificate, void *user);

/* Up to which line it was read, where something stood there that is no certificate after all; 0 where nothing more came. */
static int broken_line(const char *text, size_t length, BIO *bio)
{
	unsigned long error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
		return 0;
	char *left = NULL;
	long left_bytes = BIO_get_mem_data(bio, &left);
	int line = 1;
	for (size_t i = 0; left && left_bytes >= 0 && i + (size_t)left_bytes < length; i++)
		line += text[i] == '\n';
	return line;
}

/* Hand on each certificate of a PEM text; other blocks are passed over. */
static bool pem_each(const struct pem *pem, certificate_cb *each, void *user, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->length);
	size_t found = 0;
	int line = 0;
	bool taken = true;
	for (X509 *certificate = NULL; bio && taken && found < PEM_CERTIFICATES_MAX;) {
		certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
		if (!certificate) {
			line = broken_line(pem->text, pem->length, bio);
			break;
		}
		taken = each(certificate, user);
		X509_free(certificate);
		found++;
	}
	BIO_free(bio);
	ERR_clear_error();
	if (line)
		return err_set(err, "%s:%d: a block in PEM form before this line is damaged", pem->file, line);
	if (!found)
		return err_set(err, "%s: holds no certificate in PEM form", pem->file);
	return taken || err_set(err, "%s: a certificate in it cannot be used", pem->file);
}

bool engine_pem_read(struct arena *arena, const char *file, struct pem *out, struct err *err)
{
	char reason[256] = "";
	size_t length = 0;
	char *text = os_read_file(file, PEM_BYTES_MAX, &length, reason, sizeof(reason));
	if (!text)
		return err_set(err, "%s: %s", file, reason);
	*out = (struct pem){file, arena_strndup(arena, text, length), length};
	free(text);
	return true;
}

static bool anchor_add(X509 *certificate, void *user)
{
	return X509_STORE_add_cert(user, certificate) == 1;
}

/* "5ed36f99.0": a name that OpenSSL finds an anchor by when it needs it. */
static bool is_hash_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == 8 && name[8] == '.';
}

static bool has_hash_names(const char *folder)
{
	uv_fs_t scan;
	uv_dirent_t entry;
	bool found = false;
	if (uv_fs_scandir(NULL, &scan, folder, 0, NULL) >= 0)
		while (!found && uv_fs_scandir_next(&scan, &entry) == 0)
			found = is_hash_name(entry.name);
	uv_fs_req_cleanup(&scan);
	return found;
}

/* A folder with hash names is read as needed; a bundle whole, which takes 30 ms for 140 anchors. Not X509_STORE_set_default_paths():
 * it also adds a way that lists the whole folder at each miss. */
static void files_add(X509_STORE *store)
{
	const char *folder = getenv(X509_get_default_cert_dir_env());
	bool file_named = getenv(X509_get_default_cert_file_env()) != NULL;
	X509_LOOKUP *by_name = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
	if (by_name)
		X509_LOOKUP_add_dir(by_name, NULL, X509_FILETYPE_DEFAULT);
	bool hashed = has_hash_names(folder ? folder : X509_get_default_cert_dir());
	X509_LOOKUP *bundle = file_named || !hashed ? X509_STORE_add_lookup(store, X509_LOOKUP_file()) : NULL;
	if (bundle)
		X509_LOOKUP_load_file(bundle, NULL, X509_FILETYPE_DEFAULT);
	ERR_clear_error(); /* a system without anchors is seen by every chain's failure */
}

struct anchors {
	struct trust *trust;
	struct arena *arena;
};

static void on_anchor(enum os_anchor_store store, const unsigned char *der, size_t length, void *user)
{
	struct anchors *anchors = user;
	struct trust *trust = anchors->trust;
	X509 *certificate = d2i_X509(NULL, &der, (long)length);
	if (certificate && anchor_add(certificate, trust->store))
		text_list_add(anchors->arena, store == OS_ANCHOR_MACHINE ? &trust->machine_roots : &trust->user_roots,
			      certificate_sha256(anchors->arena, certificate));
	X509_free(certificate);
	ERR_clear_error(); /* one that OpenSSL cannot read is none */
}

/* In the system's own store, or in files. */
static void system_anchors_add(struct trust *trust, struct arena *arena)
{
	struct anchors anchors = {trust, arena};
	trust->of_system = os_trust_anchors(on_anchor, &anchors);
	if (!trust->of_system)
		files_add(trust->store);
}

const char *trust_root_store(const struct trust *trust, const char *sha256)
{
	if (!sha256)
		return NULL;
	if (text_list_has(&trust->machine_roots, sha256))
		return "machine";
	if (text_list_has(&trust->user_roots, sha256))
		return "user";
	return text_list_has(&trust->fetched_roots, sha256) ? "fetched" : NULL;
}

bool trust_add_found(struct trust *trust, struct arena *arena, const struct os_chain *chain)
{
	const unsigned char *next = chain->issuers;
	const char *sha256 = NULL;
	for (size_t i = 0; i < chain->issuer_count; i++) {
		const unsigned char *der = next;
		next += chain->issuer_lengths[i];
		X509 *certificate = d2i_X509(NULL, &der, (long)chain->issuer_lengths[i]);
		bool added = certificate && anchor_add(certificate, trust->store);
		if (added && i + 1 == chain->issuer_count) /* those below it help to find it, and are no anchors */
			sha256 = certificate_sha256(arena, certificate);
		X509_free(certificate);
	}
	ERR_clear_error();
	if (!sha256 || trust_root_store(trust, sha256))
		return false;
	text_list_add(arena, &trust->fetched_roots, sha256);
	return true;
}

bool trust_open(struct trust *trust, struct arena *arena, const struct pem *ca, struct err *err)
{
	trust->store = X509_STORE_new();
	if (!trust->store)
		return err_set(err, "OpenSSL does not start");
	system_anchors_add(trust, arena);
	if (!ca || pem_each(ca, anchor_add, trust->store, err))
		return true;
	X509_STORE_free(trust->store);
	trust->store = NULL;
	return false;
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

bool engine_pem_fingerprints(struct arena *arena, const struct pem *pem, struct text_list *out, struct err *err)
{
	struct fingerprints prints = {arena, out};
	return pem_each(pem, fingerprint_add, &prints, err);
}
