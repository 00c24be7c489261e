/* The system's own trust: its anchors and its chain engine (CryptoAPI, wincrypt.h). */

#define CERT_CHAIN_PARA_HAS_EXTRA_FIELDS /* wincrypt.h: dwUrlRetrievalTimeout */
#include "probe/os/os_win32.h"
/* after windows.h */
#include <wincrypt.h>
#include <ws2tcpip.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/os/os_stack.h"

enum { ANCHORS_MAX = 4096, RETRIEVAL_TIMEOUT_MS = 2000 };
static const DWORD ENCODING = X509_ASN_ENCODING | PKCS_7_ASN_ENCODING;

/* ------------------------------------------------------------------ anchors */

/** What is collected over all stores. */
struct collector {
	HCERTSTORE seen; /* what was handed on already */
	HCERTSTORE disallowed[2];
	void (*anchor)(enum os_anchor_store store, const unsigned char *der, size_t length, void *user);
	void *user;
	size_t count;
};

static HCERTSTORE system_store(DWORD place, const wchar_t *name)
{
	return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
			     place | CERT_STORE_READONLY_FLAG | CERT_STORE_OPEN_EXISTING_FLAG, name);
}

static void store_close(HCERTSTORE store)
{
	if (store)
		CertCloseStore(store, 0);
}

static bool store_has(HCERTSTORE store, PCCERT_CONTEXT certificate)
{
	PCCERT_CONTEXT found =
		store ? CertFindCertificateInStore(store, ENCODING, 0, CERT_FIND_EXISTING, certificate, NULL) : NULL;
	if (found)
		CertFreeCertificateContext(found);
	return found != NULL;
}

static bool usage_has_server(const CERT_ENHKEY_USAGE *usage)
{
	for (DWORD i = 0; i < usage->cUsageIdentifier; i++)
		if (strcmp(usage->rgpszUsageIdentifier[i], szOID_PKIX_KP_SERVER_AUTH) == 0 ||
		    strcmp(usage->rgpszUsageIdentifier[i], szOID_ANY_ENHANCED_KEY_USAGE) == 0)
			return true;
	return false;
}

/* Extension and property together, as the chain engine does. No list at all (CRYPT_E_NOT_FOUND) allows everything, an empty one nothing. */
static bool serves_servers(PCCERT_CONTEXT certificate)
{
	DWORD bytes = 0;
	if (!CertGetEnhancedKeyUsage(certificate, 0, NULL, &bytes) || bytes < sizeof(CERT_ENHKEY_USAGE))
		return GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
	CERT_ENHKEY_USAGE *usage = calloc(1, bytes);
	if (!usage)
		return false;
	bool got = CertGetEnhancedKeyUsage(certificate, 0, usage, &bytes);
	DWORD why = GetLastError();
	bool serves = got && (usage->cUsageIdentifier ? usage_has_server(usage) : why == (DWORD)CRYPT_E_NOT_FOUND);
	free(usage);
	return serves;
}

static void collect(struct collector *collector, DWORD place, enum os_anchor_store store)
{
	HCERTSTORE roots = system_store(place, L"Root");
	PCCERT_CONTEXT one = NULL;
	while (roots && (one = CertEnumCertificatesInStore(roots, one)) != NULL) {
		bool is_encoded = (one->dwCertEncodingType & X509_ASN_ENCODING) != 0;
		if (!is_encoded || collector->count >= ANCHORS_MAX || store_has(collector->seen, one) ||
		    store_has(collector->disallowed[0], one) || store_has(collector->disallowed[1], one) ||
		    !serves_servers(one))
			continue;
		CertAddCertificateContextToStore(collector->seen, one, CERT_STORE_ADD_ALWAYS, NULL);
		collector->anchor(store, one->pbCertEncoded, one->cbCertEncoded, collector->user);
		collector->count++;
	}
	store_close(roots);
}

bool os_trust_anchors(void (*anchor)(enum os_anchor_store store, const unsigned char *der, size_t length, void *user),
		      void *user)
{
	static const DWORD machine[] = {CERT_SYSTEM_STORE_LOCAL_MACHINE, CERT_SYSTEM_STORE_LOCAL_MACHINE_GROUP_POLICY,
					CERT_SYSTEM_STORE_LOCAL_MACHINE_ENTERPRISE};
	struct collector collector = {.anchor = anchor, .user = user};
	collector.seen = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
	if (!collector.seen)
		return false;
	collector.disallowed[0] = system_store(CERT_SYSTEM_STORE_LOCAL_MACHINE, L"Disallowed");
	collector.disallowed[1] = system_store(CERT_SYSTEM_STORE_CURRENT_USER, L"Disallowed");
	for (size_t i = 0; i < sizeof(machine) / sizeof(machine[0]); i++)
		collect(&collector, machine[i], OS_ANCHOR_MACHINE);
	collect(&collector, CERT_SYSTEM_STORE_CURRENT_USER, OS_ANCHOR_USER);
	collect(&collector, CERT_SYSTEM_STORE_CURRENT_USER_GROUP_POLICY, OS_ANCHOR_USER);
	store_close(collector.disallowed[0]);
	store_close(collector.disallowed[1]);
	store_close(collector.seen);
	return true;
}

/* ------------------------------------------------------------------ the chain engine */

static void verdict_write(DWORD error, char *out, size_t bytes)
{
	static const struct {
		HRESULT code;
		const char *text;
	} rows[] = {
		{S_OK, "ok"},
		{CERT_E_UNTRUSTEDROOT, "untrusted_root"},
		{CERT_E_CHAINING, "issuer_missing"},
		{CERT_E_EXPIRED, "expired"}, /* or not valid yet */
		{CERT_E_REVOKED, "revoked"},
		{CRYPT_E_REVOKED, "revoked"},
		{CERT_E_CN_NO_MATCH, "name_mismatch"},
		{CERT_E_VALIDITYPERIODNESTING, "other: CERT_E_VALIDITYPERIODNESTING"},
		{CERT_E_WRONG_USAGE, "other: CERT_E_WRONG_USAGE"},
		{CERT_E_ROLE, "other: CERT_E_ROLE"},
		{CERT_E_PURPOSE, "other: CERT_E_PURPOSE"},
		{CERT_E_CRITICAL, "other: CERT_E_CRITICAL"},
		{CERT_E_INVALID_NAME, "other: CERT_E_INVALID_NAME"},
		{CERT_E_UNTRUSTEDCA, "other: CERT_E_UNTRUSTEDCA"},
		{CERT_E_UNTRUSTEDTESTROOT, "other: CERT_E_UNTRUSTEDTESTROOT"},
		{TRUST_E_CERT_SIGNATURE, "other: TRUST_E_CERT_SIGNATURE"},
		{TRUST_E_BASIC_CONSTRAINTS, "other: TRUST_E_BASIC_CONSTRAINTS"},
		{TRUST_E_EXPLICIT_DISTRUST, "other: TRUST_E_EXPLICIT_DISTRUST"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((DWORD)rows[i].code == error) {
			snprintf(out, bytes, "%s", rows[i].text);
			return;
		}
	snprintf(out, bytes, "other: 0x%08lx", (unsigned long)error);
}

static bool is_address(const char *host)
{
	struct in_addr four;
	struct in6_addr six;
	return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1;
}

static PCCERT_CHAIN_CONTEXT chain_build(PCCERT_CONTEXT leaf, HCERTSTORE sent)
{
	static char server_auth[] = szOID_PKIX_KP_SERVER_AUTH;
	LPSTR usages[] = {server_auth};
	CERT_CHAIN_PARA rules = {.cbSize = sizeof(rules)};
	PCCERT_CHAIN_CONTEXT chain = NULL;
	rules.RequestedUsage.dwType = USAGE_MATCH_TYPE_OR;
	rules.RequestedUsage.Usage.cUsageIdentifier = 1;
	rules.RequestedUsage.Usage.rgpszUsageIdentifier = usages;
	rules.dwUrlRetrievalTimeout =
		RETRIEVAL_TIMEOUT_MS; /* else a silent way to the roots outlasts those who wait for the verdict */
	return CertGetCertificateChain(HCCE_CURRENT_USER, leaf, NULL, sent, &rules, 0, NULL, &chain) ? chain : NULL;
}

/* What no policy may overlook, whatever it says: the anchor itself. */
static DWORD anchor_error(PCCERT_CHAIN_CONTEXT chain)
{
	DWORD wrong = chain->TrustStatus.dwErrorStatus;
	if (wrong & CERT_TRUST_IS_NOT_SIGNATURE_VALID)
		return (DWORD)TRUST_E_CERT_SIGNATURE;
	if (wrong & CERT_TRUST_IS_EXPLICIT_DISTRUST)
		return (DWORD)TRUST_E_EXPLICIT_DISTRUST;
	if (wrong & CERT_TRUST_IS_UNTRUSTED_ROOT)
		return (DWORD)CERT_E_UNTRUSTEDROOT;
	return wrong & CERT_TRUST_IS_PARTIAL_CHAIN ? (DWORD)CERT_E_CHAINING : 0;
}

/* What TLS asks of a server's chain. Revocation was not looked at, which is no fault here. */
static bool policy_ask(PCCERT_CHAIN_CONTEXT chain, wchar_t *host, DWORD *error)
{
	SSL_EXTRA_CERT_CHAIN_POLICY_PARA server = {.dwAuthType = AUTHTYPE_SERVER, .pwszServerName = host};
	CERT_CHAIN_POLICY_PARA rules = {.cbSize = sizeof(rules), .pvExtraPolicyPara = &server};
	CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof(status)};
	server.cbSize = sizeof(server);
	if (!CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &rules, &status))
		return false;
	*error = status.dwError ? status.dwError : anchor_error(chain);
	return true;
}

static void issuers_copy(PCCERT_CHAIN_CONTEXT chain, struct os_chain *out)
{
	size_t used = 0, count = 0;
	const CERT_SIMPLE_CHAIN *simple = chain->cChain ? chain->rgpChain[0] : NULL;
	if (!simple || simple->cElement < 2 || simple->cElement - 1 > OS_ISSUERS_MAX)
		return;
	for (DWORD i = 1; i < simple->cElement; i++) {
		PCCERT_CONTEXT one = simple->rgpElement[i]->pCertContext;
		if (one->cbCertEncoded > sizeof(out->issuers) - used)
			return;
		memcpy(out->issuers + used, one->pbCertEncoded, one->cbCertEncoded);
		out->issuer_lengths[count++] = one->cbCertEncoded;
		used += one->cbCertEncoded;
	}
	out->issuer_count = count;
}

static bool leaf_judge(PCCERT_CONTEXT leaf, HCERTSTORE sent, const char *host, struct os_chain *out)
{
	bool named = !is_address(host);
	wchar_t *name = named ? os_wide(host) : NULL;
	PCCERT_CHAIN_CONTEXT chain = named && !name ? NULL : chain_build(leaf, sent);
	DWORD error = 0;
	bool judged = chain && policy_ask(chain, name, &error);
	if (judged) {
		*out = (struct os_chain){.trusted = error == 0};
		verdict_write(error, out->verdict, sizeof(out->verdict));
		if (out->trusted)
			issuers_copy(chain, out);
	}
	if (chain)
		CertFreeCertificateChain(chain);
	free(name);
	return judged;
}

bool os_chain_verify(const struct os_der *sent, size_t count, const char *host, struct os_chain *out)
{
	HCERTSTORE store = count ? CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL) : NULL;
	PCCERT_CONTEXT leaf = NULL;
	for (size_t i = 0; store && i < count; i++)
		CertAddEncodedCertificateToStore(store, ENCODING, sent[i].bytes, (DWORD)sent[i].length,
						 CERT_STORE_ADD_ALWAYS, i ? NULL : &leaf);
	bool judged = leaf && leaf_judge(leaf, store, host, out);
	if (leaf)
		CertFreeCertificateContext(leaf);
	store_close(store);
	return judged;
}
