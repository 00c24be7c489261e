#include "probe/engine/certificate.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"
#include "probe/core/url.h"
#include "probe/engine/hostile.h"
#include "probe/os/os.h"
#include "targets/targets.h"

const char *certificate_sha256(struct arena *arena, const X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	if (!X509_digest(certificate, EVP_sha256(), digest, &length))
		return NULL;
	return hex_text(arena, digest, length);
}

/* ------------------------------------------------------------------ texts */

static const char *bio_text(struct arena *arena, BIO *bio)
{
	char *data = NULL;
	long length = BIO_get_mem_data(bio, &data);
	if (length > CERTIFICATE_TEXT_MAX)
		length = CERTIFICATE_TEXT_MAX;
	return hostile_text(arena, data, length > 0 ? (size_t)length : 0);
}

static const char *name_text(struct arena *arena, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	if (!bio)
		return NULL;
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	const char *text = bio_text(arena, bio);
	BIO_free(bio);
	return text;
}

static const char *name_part(struct arena *arena, const X509_NAME *name, int nid)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	unsigned char *utf8 = NULL;
	if (at < 0)
		return NULL;
	int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (length < 0)
		return NULL;
	size_t kept = length > CERTIFICATE_TEXT_MAX ? (size_t)CERTIFICATE_TEXT_MAX : (size_t)length;
	const char *text = hostile_text(arena, (const char *)utf8, kept);
	OPENSSL_free(utf8);
	return text;
}

static int64_t unix_seconds(const ASN1_TIME *time)
{
	int days = 0, seconds = 0;
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	bool known = epoch && ASN1_TIME_diff(&days, &seconds, epoch, time);
	ASN1_TIME_free(epoch);
	return known ? (int64_t)days * 86400 + seconds : NOT_MEASURED;
}

/* Does it say where its issuer's certificate can be fetched (RFC 5280 4.2.2.1)? */
static bool has_ca_issuers(const X509 *certificate)
{
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
	bool found = false;
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
		const ACCESS_DESCRIPTION *entry = sk_ACCESS_DESCRIPTION_value(access, i);
		if (OBJ_obj2nid(entry->method) == NID_ad_ca_issuers && entry->location->type == GEN_URI)
			found = true;
	}
	AUTHORITY_INFO_ACCESS_free(access);
	return found;
}

/* Where it says that its revocation can be asked for: only names are kept, and nobody is asked here. */
static void revocation_host_add(struct arena *arena, const GENERAL_NAME *name, struct text_list *hosts)
{
	struct url url;
	if (name->type != GEN_URI || hosts->count >= CERTIFICATE_SOURCES_MAX)
		return;
	int length = ASN1_STRING_length(name->d.uniformResourceIdentifier);
	const char *data = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
	size_t kept = length > CERTIFICATE_TEXT_MAX ? (size_t)CERTIFICATE_TEXT_MAX : (size_t)length;
	if (!url_parse(arena, hostile_text(arena, data, kept), &url) || text_list_has(hosts, url.host))
		return;
	if (strcmp(url.scheme, "http") == 0 || strcmp(url.scheme, "https") == 0)
		text_list_add(arena, hosts, url.host);
}

static void distribution_point_add(struct arena *arena, const DIST_POINT *point, struct text_list *hosts)
{
	enum { FULL_NAME = 0 };
	if (!point->distpoint || point->distpoint->type != FULL_NAME)
		return;
	for (int i = 0; i < sk_GENERAL_NAME_num(point->distpoint->name.fullname); i++)
		revocation_host_add(arena, sk_GENERAL_NAME_value(point->distpoint->name.fullname, i), hosts);
}

/* CRL distribution points (RFC 5280 4.2.1.13) and OCSP servers (4.2.2.1). */
static struct text_list revocation_hosts(struct arena *arena, const X509 *certificate)
{
	struct text_list hosts = {0};
	CRL_DIST_POINTS *points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
	for (int i = 0; i < sk_DIST_POINT_num(points); i++)
		distribution_point_add(arena, sk_DIST_POINT_value(points, i), &hosts);
	CRL_DIST_POINTS_free(points);
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
		const ACCESS_DESCRIPTION *entry = sk_ACCESS_DESCRIPTION_value(access, i);
		if (OBJ_obj2nid(entry->method) == NID_ad_OCSP)
			revocation_host_add(arena, entry->location, &hosts);
	}
	AUTHORITY_INFO_ACCESS_free(access);
	return hosts;
}

static void alternative_name_add(struct arena *arena, const GENERAL_NAME *name, struct text_list *names)
{
	char text[ADDRESS_TEXT_BYTES];
	struct address address = {0};
	if (name->type == GEN_DNS) {
		int length = ASN1_STRING_length(name->d.dNSName);
		const char *data = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
		text_list_add(arena, names, hostile_text(arena, data, length > 253 ? 253U : (size_t)length));
	} else if (name->type == GEN_IPADD) {
		int length = ASN1_STRING_length(name->d.iPAddress);
		if (length != 4 && length != 16)
			return;
		address.family = length == 4 ? 4 : 6;
		memcpy(address.bytes, ASN1_STRING_get0_data(name->d.iPAddress), (size_t)length);
		text_list_add(arena, names, arena_strdup(arena, address_format(&address, text)));
	}
}

static void names_record(struct arena *arena, const X509 *leaf, struct text_list *names)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(all) && names->count < CERTIFICATE_NAMES_MAX; i++)
		alternative_name_add(arena, sk_GENERAL_NAME_value(all, i), names);
	GENERAL_NAMES_free(all);
}

static struct certificate describe(struct arena *arena, X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	const X509_NAME *issuer = X509_get_issuer_name(certificate);
	return (struct certificate){
		.subject = name_text(arena, subject),
		.issuer = name_text(arena, issuer),
		.subject_cn = name_part(arena, subject, NID_commonName),
		.issuer_cn = name_part(arena, issuer, NID_commonName),
		.issuer_o = name_part(arena, issuer, NID_organizationName),
		.not_before_s = unix_seconds(X509_get0_notBefore(certificate)),
		.not_after_s = unix_seconds(X509_get0_notAfter(certificate)),
		.sha256 = certificate_sha256(arena, certificate),
		.is_ca = (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0,
		.has_aia = has_ca_issuers(certificate),
		.revocation_hosts = revocation_hosts(arena, certificate),
	};
}

void certificate_chain_record(struct arena *arena, STACK_OF(X509) * sent, struct tls_handshake *tls)
{
	tls->chain_count = tls->names.count = 0; /* a server may ask for another handshake on the same connection */
	for (int i = 0; i < sk_X509_num(sent) && tls->chain_count < CHAIN_CERTIFICATES_MAX; i++) {
		tls->chain = arena_grow(arena, tls->chain, &tls->chain_capacity, tls->chain_count, sizeof(*tls->chain));
		tls->chain[tls->chain_count++] = describe(arena, sk_X509_value(sent, i));
	}
	if (sk_X509_num(sent) > 0)
		names_record(arena, sk_X509_value(sent, 0), &tls->names);
}

/* ------------------------------------------------------------------ verification */

static const char *verify_text(struct arena *arena, int error)
{
	switch (error) {
	case X509_V_OK:
		return "ok";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "not_yet_valid";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "self_signed_leaf";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "self_signed_root";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "issuer_missing";
	case X509_V_ERR_CERT_REVOKED:
		return "revoked";
	}
	return arena_printf(arena, "other: %s", X509_verify_cert_error_string(error));
}

enum failure certificate_failure(int error)
{
	switch (error) {
	case X509_V_OK:
		return FAILURE_NONE;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return FAILURE_SSL_INVALID_HOSTNAME;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return FAILURE_SSL_UNKNOWN_AUTHORITY;
	}
	return FAILURE_SSL_INVALID_CERTIFICATE;
}

static bool is_among(const char *const *sorted, const char *text)
{
	for (size_t i = 0; text && sorted[i]; i++)
		if (strcmp(sorted[i], text) == 0)
			return true;
	return false;
}

/* Dates are looked at last, when the chain stands and ends in an anchor: whose it is is known although it is refused. */
static bool ends_in_anchor(int error)
{
	return error == X509_V_OK || error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
}

static void root_record(struct arena *arena, const struct trust *trust, STACK_OF(X509) * chain, int error,
			struct tls_handshake *tls)
{
	int count = sk_X509_num(chain);
	if (count <= 0)
		return;
	X509 *last = sk_X509_value(chain, count - 1);
	if (!ends_in_anchor(error)) {
		tls->root_subject = name_text(arena, X509_get_issuer_name(last));
		return;
	}
	tls->root_subject = name_text(arena, X509_get_subject_name(last));
	tls->root_sha256 = certificate_sha256(arena, last);
	tls->root_service = text_list_has(&trust->service_roots, tls->root_sha256);
	tls->root_public = is_among(targets_public_roots(), tls->root_sha256);
}

static bool name_fits(X509 *leaf, const char *host)
{
	struct address literal;
	if (address_parse(host, &literal))
		return X509_check_ip_asc(leaf, host, 0) == 1;
	size_t length = strlen(host);
	if (length > 1 && host[length - 1] == '.') /* "host." is the same name, but never in a certificate */
		length--;
	return X509_check_host(leaf, host, length, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* A context of our own: what libcurl set on its own one (partial chains ...) does not count. */
static int chain_verify(struct arena *arena, const struct trust *trust, STACK_OF(X509) * sent, int security_level,
			struct tls_handshake *tls)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	if (!context || !X509_STORE_CTX_init(context, trust->store, sk_X509_value(sent, 0), sent)) {
		X509_STORE_CTX_free(context);
		return X509_V_ERR_OUT_OF_MEM;
	}
	X509_STORE_CTX_set_default(context, "ssl_server");
	X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_time(rules, (time_t)tls->verified_at_s);
	X509_VERIFY_PARAM_set_auth_level(rules, security_level);
	bool verified = X509_verify_cert(context) == 1;
	int error = X509_STORE_CTX_get_error(context);
	if (!verified && error == X509_V_OK)
		error = X509_V_ERR_UNSPECIFIED;
	root_record(arena, trust, X509_STORE_CTX_get0_chain(context), error, tls);
	X509_STORE_CTX_free(context);
	return error;
}

int certificate_verify(struct arena *arena, const struct trust *trust, STACK_OF(X509) * sent, const char *host,
		       int security_level, struct tls_handshake *tls)
{
	if (sk_X509_num(sent) <= 0)
		return X509_V_ERR_UNSPECIFIED;
	struct address literal;
	tls->verified_at_s = os_wall_us() / 1000000;
	tls->name_matches = name_fits(sk_X509_value(sent, 0), host);
	int error = chain_verify(arena, trust, sent, security_level, tls);
	tls->verify = verify_text(arena, error);
	if (error == X509_V_OK && !tls->name_matches)
		error = address_parse(host, &literal) ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH;
	return error;
}
