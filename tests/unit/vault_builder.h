#ifndef MARSPROBE_TESTS_VAULT_BUILDER_H
#define MARSPROBE_TESTS_VAULT_BUILDER_H

#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"

/* Vault credentials files, whose keys and certificates are made here, for one test, and belong to nobody. */

enum { RC2 = NID_pbe_WithSHA1And40BitRC2_CBC, DES3 = NID_pbe_WithSHA1And3_Key_TripleDES_CBC, AES = NID_aes_256_cbc };

/** What a PFX is to be like. Zeroed: no password, AES, a key and its certificate. */
struct pfx_wish {
	const char *password;
	int key, certificate; /* how they are encrypted: AES, DES3, RC2; -1: not at all */
	bool without_key, without_certificate, another_first, without_mac;
	int rounds, mac_rounds;
	int64_t from_s, to_s;
};

struct built_pfx {
	unsigned char *bytes;
	size_t length;
	EVP_PKEY *key;
};

/** For making RC2 of 40 bits: true at the start, false at the end of a test. */
static inline void build_with_legacy(bool on)
{
	static OSSL_PROVIDER *providers[2];
	static const char *const names[] = {"default", "legacy"};
	for (size_t i = 0; i < 2; i++) {
		if (on)
			providers[i] = OSSL_PROVIDER_load(NULL, names[i]);
		else
			OSSL_PROVIDER_unload(providers[i]);
	}
}

static inline X509 *build_certificate(EVP_PKEY *key, const char *name, int64_t from_s, int64_t to_s)
{
	X509 *certificate = X509_new();
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, (const unsigned char *)name,
				   -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)from_s);
	ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)to_s);
	X509_set_pubkey(certificate, key);
	X509_sign(certificate, key, EVP_sha256());
	return certificate;
}

static inline STACK_OF(PKCS7) * build_safes(const struct pfx_wish *wish, EVP_PKEY *key)
{
	unsigned char id[] = {1, 2, 3, 4};
	STACK_OF(PKCS7) *safes = NULL;
	STACK_OF(PKCS12_SAFEBAG) *certificates = NULL, *keys = NULL;
	X509 *own = build_certificate(key, "contoso-vault", wish->from_s, wish->to_s),
	     *other = build_certificate(key, "another", wish->from_s - 1000, wish->to_s - 1000);
	const char *password = wish->password ? wish->password : "";
	if (wish->another_first)
		PKCS12_add_cert(&certificates, other);
	if (!wish->without_certificate)
		PKCS12_add_localkeyid(PKCS12_add_cert(&certificates, own), id, sizeof(id));
	if (!wish->without_key)
		PKCS12_add_localkeyid(PKCS12_add_key(&keys, key, 0, wish->rounds, wish->key, password), id, sizeof(id));
	if (certificates)
		PKCS12_add_safe(&safes, certificates, wish->certificate, wish->rounds, password);
	if (keys)
		PKCS12_add_safe(&safes, keys, -1, 0, NULL);
	sk_PKCS12_SAFEBAG_pop_free(certificates, PKCS12_SAFEBAG_free);
	sk_PKCS12_SAFEBAG_pop_free(keys, PKCS12_SAFEBAG_free);
	X509_free(own);
	X509_free(other);
	return safes ? safes : sk_PKCS7_new_null();
}

static inline struct built_pfx build_pfx(struct pfx_wish wish)
{
	struct built_pfx out = {.key = EVP_EC_gen("P-256")};
	wish.key = wish.key ? wish.key : AES;
	wish.certificate = wish.certificate ? wish.certificate : AES;
	wish.rounds = wish.rounds ? wish.rounds : 2000;
	wish.mac_rounds = wish.mac_rounds ? wish.mac_rounds : 2000;
	wish.from_s = wish.from_s ? wish.from_s : 1769850000;
	wish.to_s = wish.to_s ? wish.to_s : wish.from_s + 48 * 3600;
	STACK_OF(PKCS7) *safes = build_safes(&wish, out.key);
	PKCS12 *file = PKCS12_add_safes(safes, 0);
	const char *password = wish.password ? wish.password : "";
	if (!wish.without_mac)
		PKCS12_set_mac(file, password, (int)strlen(password), NULL, 0, wish.mac_rounds, EVP_sha1());
	int length = i2d_PKCS12(file, &out.bytes);
	out.length = length > 0 ? (size_t)length : 0;
	PKCS12_free(file);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return out;
}

static inline void built_pfx_free(struct built_pfx *pfx)
{
	OPENSSL_free(pfx->bytes);
	EVP_PKEY_free(pfx->key);
}

static inline const char *base64_of(struct arena *arena, const unsigned char *bytes, size_t length)
{
	char *text = arena_alloc(arena, length / 3 * 4 + 5);
	EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
	return text;
}

/** The base64 of such a PFX. */
static inline const char *built_base64(struct arena *arena, struct pfx_wish wish)
{
	struct built_pfx pfx = build_pfx(wish);
	const char *text = base64_of(arena, pfx.bytes, pfx.length);
	built_pfx_free(&pfx);
	return text;
}

#define VAULT_NAMESPACE                                          \
	"xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" " \
	"xmlns=\"http://schemas.datacontract.org/2004/07/Microsoft.Azure.Portal.RecoveryServices.Models.Common\""

/** A backup vault's file with that base64 and more elements. */
static inline const char *built_document(struct arena *arena, const char *base64, const char *more)
{
	return arena_printf(
		arena,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<RSBackupVaultAADCreds\n  " VAULT_NAMESPACE ">\n"
		"  <Version>1.0</Version>\n  <SubscriptionId>11111111-2222-3333-4444-555555555555</SubscriptionId>\n"
		"  <ResourceName>contoso-vault</ResourceName>\n  <ManagementCert>%s</ManagementCert>\n"
		"  <ResourceId>1234567890123456789</ResourceId>\n%s</RSBackupVaultAADCreds>\n",
		base64, more);
}

static const char vault_place_of_east[] __attribute__((unused)) =
	"  <Location>eastus</Location>\n  <AadAuthority>https://login.microsoftonline.com</AadAuthority>\n"
	"  <AadTenantId>0ec4a9c1-72b5-43c4-8a8d-0a1b2c3d4e5f</AadTenantId>\n"
	"  <IdMgmtRestEndpoint>https://management.azure.com/</IdMgmtRestEndpoint>\n  "
	"<AgentLinks>A,http://x;</AgentLinks>\n";

#endif
