#include "targets/vault_pfx.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <string.h>

#include "probe/core/arena.h"
#include "probe/core/strbuf.h"

/* Windows derives its keys in 2,000 rounds, OpenSSL in 2,048, careful people in some 100,000: a million is a second. */
enum { PFX_ITERATIONS_MAX = 1000000, PFX_BAGS_MAX = 64, SUBJECT_BYTES_MAX = 512, STACK_BYTES = 32 * 1024 };

typedef STACK_OF(PKCS12_SAFEBAG) bag_stack;

struct pfx {
	struct arena *arena;
	struct vault_file *out;
	PKCS12 *file;
	const char *password; /* "" or NULL, which are not the same to the key derivation (RFC 7292 B.2) */
	bag_stack *bags;      /* of all safes */
	bool locked;	      /* some safe could not be opened */
};

void vault_wipe(void *memory, size_t length)
{
	OPENSSL_cleanse(memory, length);
}

/* What the libraries left on the stack, below the caller's own part of it: hash functions copy what they are given. */
__attribute__((noinline)) static void wipe_stack(void)
{
	unsigned char below[STACK_BYTES];
	vault_wipe(below, sizeof(below));
}

/* ------------------------------------------------------------------ what held the key */

static void wipe_string(const ASN1_OCTET_STRING *string)
{
	if (string && string->data && string->length > 0)
		vault_wipe(string->data, (size_t)string->length);
}

static void wipe_content(PKCS7 *content)
{
	if (!content || !content->d.ptr)
		return;
	if (PKCS7_type_is_data(content))
		wipe_string(content->d.data);
	else if (PKCS7_type_is_encrypted(content) && content->d.encrypted->enc_data)
		wipe_string(content->d.encrypted->enc_data->enc_data);
}

/* The content as a whole, which no function hands out: found by what the library itself knows of the type. */
static PKCS7 *whole_content(PKCS12 *file)
{
	const ASN1_ITEM *type = ASN1_ITEM_rptr(PKCS12);
	for (long i = 0; i < type->tcount; i++)
		if (type->templates[i].item == ASN1_ITEM_ref(PKCS7))
			return *(PKCS7 **)(void *)((char *)file + type->templates[i].offset);
	return NULL;
}

/* A key without a cover is overwritten where the library frees it. */
static void wipe_bag(const PKCS12_SAFEBAG *bag)
{
	const X509_ALGOR *algorithm;
	const ASN1_OCTET_STRING *covered;
	if (PKCS12_SAFEBAG_get_nid(bag) != NID_pkcs8ShroudedKeyBag)
		return;
	X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, &covered);
	wipe_string(covered);
}

/* ------------------------------------------------------------------ opening */

static bool rounds_are_few(const ASN1_INTEGER *rounds)
{
	int64_t value = 0;
	return rounds && ASN1_INTEGER_get_int64(&value, rounds) && value > 0 && value <= PFX_ITERATIONS_MAX;
}

static const char *cipher_name(struct arena *arena, const ASN1_OBJECT *object)
{
	char text[80];
	int nid = OBJ_obj2nid(object);
	if (nid != NID_undef)
		return arena_strdup(arena, OBJ_nid2sn(nid));
	return OBJ_obj2txt(text, sizeof(text), object, 1) > 0 ? arena_strdup(arena, text) : NULL;
}

/* PBES2 (RFC 8018 6.2) with PBKDF2. */
static bool pbes2_is_bearable(struct pfx *pfx, const X509_ALGOR *algorithm)
{
	PBE2PARAM *scheme = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
	PBKDF2PARAM *derivation = NULL;
	if (scheme)
		pfx->out->encryption = cipher_name(pfx->arena, scheme->encryption->algorithm);
	if (scheme && OBJ_obj2nid(scheme->keyfunc->algorithm) == NID_id_pbkdf2)
		derivation = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), scheme->keyfunc->parameter);
	bool bearable = derivation && rounds_are_few(derivation->iter);
	PBKDF2PARAM_free(derivation);
	PBE2PARAM_free(scheme);
	return bearable;
}

/* May its key be derived? A file may ask for years of it. */
static bool is_bearable(struct pfx *pfx, const X509_ALGOR *algorithm)
{
	if (!algorithm || !algorithm->algorithm)
		return false;
	if (OBJ_obj2nid(algorithm->algorithm) == NID_pbes2)
		return pbes2_is_bearable(pfx, algorithm);
	PBEPARAM *scheme = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter);
	bool bearable = scheme && rounds_are_few(scheme->iter);
	pfx->out->encryption = cipher_name(pfx->arena, algorithm->algorithm);
	PBEPARAM_free(scheme);
	return bearable;
}

static bag_stack *open_safe(struct pfx *pfx, PKCS7 *safe)
{
	int length = pfx->password ? (int)strlen(pfx->password) : 0;
	if (!safe->d.ptr)
		return NULL;
	if (PKCS7_type_is_data(safe))
		return PKCS12_unpack_p7data(safe);
	if (!PKCS7_type_is_encrypted(safe) || !safe->d.encrypted->enc_data ||
	    !is_bearable(pfx, safe->d.encrypted->enc_data->algorithm))
		return NULL;
	return PKCS12_unpack_p7encdata(safe, pfx->password, length);
}

static void open_safes(struct pfx *pfx)
{
	STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(pfx->file);
	for (int i = 0; i < sk_PKCS7_num(safes); i++) {
		PKCS7 *safe = sk_PKCS7_value(safes, i);
		bag_stack *bags = open_safe(pfx, safe);
		pfx->locked |= !bags;
		while (sk_PKCS12_SAFEBAG_num(bags) > 0) {
			PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_shift(bags);
			if (sk_PKCS12_SAFEBAG_num(pfx->bags) >= PFX_BAGS_MAX ||
			    !sk_PKCS12_SAFEBAG_push(pfx->bags, bag)) {
				wipe_bag(bag);
				PKCS12_SAFEBAG_free(bag);
			}
		}
		sk_PKCS12_SAFEBAG_free(bags);
		wipe_content(safe);
	}
	sk_PKCS7_pop_free(safes, PKCS7_free);
}

/* Is it whole, and without a password? The check costs a key derivation too. A file without the check is taken as it is. */
static bool is_intact(struct pfx *pfx, bool *bearable)
{
	const X509_ALGOR *algorithm;
	const ASN1_INTEGER *rounds;
	*bearable = true;
	if (!PKCS12_mac_present(pfx->file))
		return true;
	PKCS12_get0_mac(NULL, &algorithm, NULL, &rounds, pfx->file);
	/* RFC 9579's kind keeps its number of rounds elsewhere: it has parameters, hashes have none */
	*bearable = (!rounds || rounds_are_few(rounds)) &&
		    (!algorithm->parameter || algorithm->parameter->type == V_ASN1_NULL);
	if (!*bearable)
		return false;
	if (PKCS12_verify_mac(pfx->file, NULL, 0)) {
		pfx->password = NULL;
		return true;
	}
	return PKCS12_verify_mac(pfx->file, "", 0);
}

/* ------------------------------------------------------------------ the certificate */

static bool is_key(const PKCS12_SAFEBAG *bag)
{
	int nid = PKCS12_SAFEBAG_get_nid(bag);
	return nid == NID_keyBag || nid == NID_pkcs8ShroudedKeyBag;
}

static const PKCS12_SAFEBAG *find_key(const struct pfx *pfx)
{
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(pfx->bags); i++)
		if (is_key(sk_PKCS12_SAFEBAG_value(pfx->bags, i)))
			return sk_PKCS12_SAFEBAG_value(pfx->bags, i);
	return NULL;
}

static bool is_of_key(const PKCS12_SAFEBAG *bag, const PKCS12_SAFEBAG *key)
{
	const ASN1_TYPE *own = PKCS12_SAFEBAG_get0_attr(bag, NID_localKeyID);
	const ASN1_TYPE *keys = key ? PKCS12_SAFEBAG_get0_attr(key, NID_localKeyID) : NULL;
	return own && keys && ASN1_TYPE_cmp(own, keys) == 0;
}

/* The key's own, else the first. */
static X509 *find_certificate(const struct pfx *pfx, const PKCS12_SAFEBAG *key)
{
	X509 *found = NULL;
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(pfx->bags); i++) {
		const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(pfx->bags, i);
		bool wanted = PKCS12_SAFEBAG_get_nid(bag) == NID_certBag && (!found || is_of_key(bag, key));
		X509 *certificate = wanted ? PKCS12_SAFEBAG_get1_cert(bag) : NULL;
		if (!certificate)
			continue;
		X509_free(found);
		found = certificate;
		if (is_of_key(bag, key))
			return found;
	}
	return found;
}

static int64_t unix_seconds(const ASN1_TIME *time)
{
	int days = 0, seconds = 0;
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	bool known = epoch && ASN1_TIME_diff(&days, &seconds, epoch, time);
	ASN1_TIME_free(epoch);
	return known ? (int64_t)days * 86400 + seconds : NOT_MEASURED;
}

static const char *name_text(struct arena *arena, const X509_NAME *name)
{
	char *text = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	if (!bio)
		return NULL;
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
	long length = BIO_get_mem_data(bio, &text);
	const char *copy =
		length > 0 ? arena_strndup(arena, text, length > SUBJECT_BYTES_MAX ? SUBJECT_BYTES_MAX : (size_t)length)
			   : NULL;
	BIO_free(bio);
	return copy;
}

static void describe(struct pfx *pfx, const X509 *certificate)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	struct strbuf hex;
	struct vault_file *out = pfx->out;
	out->not_before_s = unix_seconds(X509_get0_notBefore(certificate));
	out->not_after_s = unix_seconds(X509_get0_notAfter(certificate));
	out->subject = name_text(pfx->arena, X509_get_subject_name(certificate));
	if (!X509_digest(certificate, EVP_sha1(), hash, &length))
		return;
	strbuf_init(&hex);
	for (unsigned i = 0; i < length; i++)
		strbuf_printf(&hex, "%02x", hash[i]);
	out->thumbprint = arena_strdup(pfx->arena, hex.data);
	strbuf_free(&hex);
}

static const char *find_state(struct pfx *pfx)
{
	bool bearable;
	if (!is_intact(pfx, &bearable))
		return bearable ? "password" : "unreadable";
	open_safes(pfx);
	const PKCS12_SAFEBAG *key = find_key(pfx);
	X509 *certificate = find_certificate(pfx, key);
	if (!certificate)
		return pfx->locked ? "unreadable" : "no_certificate";
	describe(pfx, certificate);
	X509_free(certificate);
	return key || pfx->locked ? "read" : "no_key";
}

static void read_with(OSSL_LIB_CTX *libraries, struct pfx *pfx, const unsigned char *bytes, size_t length)
{
	ASN1_VALUE *file = (ASN1_VALUE *)PKCS12_init_ex(NID_pkcs7_data, libraries, NULL);
	ASN1_item_d2i_ex(&file, &bytes, (long)length, ASN1_ITEM_rptr(PKCS12), libraries, NULL);
	pfx->file = (PKCS12 *)file;
	pfx->bags = sk_PKCS12_SAFEBAG_new_null();
	if (pfx->file && pfx->bags) {
		pfx->out->certificate = find_state(pfx);
		wipe_content(whole_content(pfx->file));
	}
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(pfx->bags); i++)
		wipe_bag(sk_PKCS12_SAFEBAG_value(pfx->bags, i));
	sk_PKCS12_SAFEBAG_pop_free(pfx->bags, PKCS12_SAFEBAG_free);
	PKCS12_free(pfx->file);
}

/* Older exports are encrypted with RC2 of 40 bits, which only the legacy provider has: it is loaded for this file alone, where there is one. */
void vault_pfx_read(struct arena *arena, const unsigned char *bytes, size_t length, struct vault_file *out)
{
	struct pfx pfx = {.arena = arena, .out = out, .password = ""};
	OSSL_LIB_CTX *libraries = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *standard = OSSL_PROVIDER_load(libraries, "default"),
		      *legacy = OSSL_PROVIDER_load(libraries, "legacy");
	out->certificate = "no_pfx";
	read_with(libraries, &pfx, bytes, length);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
	OSSL_LIB_CTX_free(libraries);
	ERR_clear_error();
	wipe_stack();
}
