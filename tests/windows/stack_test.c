/* The system's own stack: anchors, chain engine, HTTP client. Run by stack_test.sh, which makes servers, and certificates
 * in DIRECTORY, and lets the system trust root.der or not:  stack_test DIRECTORY anchored|unknown */

#include <winsock2.h>
/* in this order */
#include <windows.h>
/* after windows.h */
#include <wincrypt.h>

#include <stdlib.h>

#include "probe/os/os.h"
#include "probe/os/os_stack.h"
#include "tests/unit/check.h"

enum { FILE_MAX = 8192 };

static const char *directory;

static struct os_der der(const char *name)
{
	char path[600], reason[256] = "";
	struct os_der file = {0};
	snprintf(path, sizeof(path), "%s/%s.der", directory, name);
	file.bytes = (unsigned char *)os_read_file(path, FILE_MAX, &file.length, reason, sizeof(reason));
	if (!file.bytes) {
		printf("%s: %s\n", path, reason);
		exit(1);
	}
	return file;
}

/* ------------------------------------------------------------------ anchors */

struct search {
	struct os_der wanted;
	size_t count, found, in_user, malformed;
};

static void on_anchor(enum os_anchor_store store, const unsigned char *bytes, size_t length, void *user)
{
	struct search *search = user;
	search->count++;
	search->malformed += length < 100 || bytes[0] != 0x30;
	if (length != search->wanted.length || memcmp(bytes, search->wanted.bytes, length) != 0)
		return;
	search->found++;
	search->in_user += store == OS_ANCHOR_USER;
}

static struct search anchors(struct os_der wanted)
{
	struct search search = {.wanted = wanted};
	CHECK(os_trust_anchors(on_anchor, &search));
	CHECK_INT(search.malformed, 0);
	return search;
}

static void anchors_of_the_machine(bool anchored)
{
	struct os_der root = der("root");
	struct search search = anchors(root);
	CHECK_INT(search.found, anchored);
	CHECK_INT(search.in_user, 0);
	CHECK_INT(anchors(der("mail")).found, 0); /* in the same store, for e-mail alone */
}

/* Closing the store is what writes it down. */
static void disallowed(void)
{
	struct os_der root = der("root");
	HCERTSTORE store =
		CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, L"Disallowed");
	CHECK(store && CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, root.bytes, (DWORD)root.length,
							CERT_STORE_ADD_ALWAYS, NULL));
	CertCloseStore(store, 0);
	CHECK_INT(anchors(root).found, 0);
}

/* ------------------------------------------------------------------ chains */

static struct os_chain judge(const char *leaf, bool with_issuer, const char *host)
{
	struct os_chain chain = {0};
	struct os_der sent[2] = {der(leaf), der("issuing")};
	CHECK(os_chain_verify(sent, with_issuer ? 2 : 1, host, &chain));
	CHECK_INT(chain.trusted, strcmp(chain.verdict, "ok") == 0);
	return chain;
}

static void chains_without_anchor(void)
{
	struct os_chain chain = judge("leaf", true, "login.example");
	CHECK(strcmp(chain.verdict, "issuer_missing") == 0 || strcmp(chain.verdict, "untrusted_root") == 0);
	CHECK_INT(chain.issuer_count, 0);
	CHECK_TEXT(judge("root", false, "login.example").verdict, "untrusted_root");
}

static void chains_to_anchor(void)
{
	struct os_der root = der("root");
	struct os_chain chain = judge("leaf", true, "login.example");
	CHECK_TEXT(chain.verdict, "ok");
	CHECK_INT(chain.issuer_count, 2);
	size_t first = chain.issuer_lengths[0];
	CHECK_INT(chain.issuer_lengths[1], root.length);
	CHECK(memcmp(chain.issuers + first, root.bytes, root.length) == 0);
	CHECK_TEXT(judge("leaf", true, "other.example").verdict, "name_mismatch");
	CHECK_TEXT(judge("leaf", true, "10.0.0.1").verdict, "ok");
	CHECK_TEXT(judge("expired", true, "login.example").verdict, "expired");
	CHECK_TEXT(judge("leaf", false, "login.example").verdict, "issuer_missing");
	CHECK_TEXT(judge("client", true, "login.example").verdict, "other: CERT_E_WRONG_USAGE");
	struct os_der nothing = {(const unsigned char *)"no certificate", 14};
	CHECK(!os_chain_verify(&nothing, 1, "login.example", &chain));
	CHECK(!os_chain_verify(NULL, 0, "login.example", &chain));
}

/* ------------------------------------------------------------------ HTTP */

static struct os_http_answer get(const char *url, const char *proxy)
{
	struct os_http_answer answer = {0};
	struct os_http_request request = {.url = url, .proxy = proxy, .timeout_ms = 2000};
	CHECK(os_http_get(&request, &answer));
	printf("%s%s%s: %d %s (%s)\n", url, proxy ? " by " : "", proxy ? proxy : "", answer.status, answer.name,
	       answer.words);
	CHECK_INT(answer.status == 0, answer.problem != OS_HTTP_ANSWERED);
	CHECK_INT(answer.status == 0, answer.error != 0);
	return answer;
}

static void http_answers(void)
{
	CHECK_INT(get("http://127.0.0.1:8000/", NULL).status, 200);
	CHECK_INT(get("http://127.0.0.1:8000/nothing-here", NULL).status, 404);
	CHECK_INT(get("http://127.0.0.1:8000/away", NULL).status, 302);
	CHECK_INT(get("http://nowhere.example/", "http://127.0.0.1:8000").status, 407);
	struct os_http_answer answer = get("http://127.0.0.1:8001/", NULL);
	CHECK_INT(answer.problem, OS_HTTP_CANNOT_CONNECT);
	CHECK_TEXT(answer.name, "ERROR_WINHTTP_CANNOT_CONNECT");
	answer = get("http://nowhere.example/", NULL);
	CHECK_INT(answer.problem, OS_HTTP_NAME_UNKNOWN);
	answer = get("https://127.0.0.1:8000/", NULL);
	CHECK_INT(answer.problem, OS_HTTP_NO_HANDSHAKE);
}

/* Wine gives one code for every refused chain, without flags. */
static void http_over_tls(bool anchored)
{
	struct os_http_answer answer = get("https://login.example:8443/", NULL);
	CHECK_INT(answer.status, anchored ? 200 : 0);
	CHECK(anchored || answer.problem == OS_HTTP_UNKNOWN_AUTHORITY || answer.problem == OS_HTTP_NO_HANDSHAKE);
}

int main(int argc, char **argv)
{
	os_start();
	if (argc != 3) {
		printf("usage: stack_test DIRECTORY anchored|unknown\n");
		return 2;
	}
	directory = argv[1];
	bool anchored = strcmp(argv[2], "anchored") == 0;
	anchors_of_the_machine(anchored);
	if (anchored)
		chains_to_anchor();
	else
		chains_without_anchor();
	http_answers();
	http_over_tls(anchored);
	disallowed();
	return check_summary();
}
