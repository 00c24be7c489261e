#include "probe/engine/transfer_state.h"

#include <stdlib.h>
#include <string.h>

#include "probe/core/address.h"
#include "probe/core/arena.h"

/* Stages end by our own timers: libcurl's waits are put out of the way. */
#define FAR_AWAY_MS (24L * 3600 * 1000)

static void pin(struct transfer *transfer, const char *host, int port, const char *address)
{
	struct address literal;
	bool ipv6 = strchr(address, ':') != NULL;
	if (address_parse(host, &literal))
		return;
	const char *entry = arena_printf(transfer->arena, ipv6 ? "%s:%d:[%s]" : "%s:%d:%s", host, port, address);
	transfer->pins = curl_slist_append(transfer->pins, entry);
}

static bool is_resolved_here(const struct transfer *transfer)
{
	return transfer->via.scheme == VIA_SOCKS4 || transfer->via.scheme == VIA_SOCKS5;
}

/* Names keep their place in Host, SNI, CONNECT, SPN and the certificate's check; only their address is decided already. */
static void pins_set(struct transfer *transfer)
{
	if (transfer->via.scheme == VIA_DIRECT)
		pin(transfer, transfer->host, transfer->port, transfer->address);
	else
		pin(transfer, transfer->via.host, transfer->via.port, transfer->address);
	if (is_resolved_here(transfer) && transfer->target_address)
		pin(transfer, transfer->host, transfer->port, transfer->target_address);
	curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->pins);
	curl_share_setopt(transfer->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_easy_setopt(transfer->easy, CURLOPT_SHARE, transfer->share);
}

/* libcurl would look the name up itself, behind the back of the run's resolver. */
static bool lacks_address(const struct transfer *transfer)
{
	struct address literal;
	return is_resolved_here(transfer) && !transfer->target_address && !address_parse(transfer->host, &literal);
}

static long proxy_type(enum via_scheme scheme)
{
	switch (scheme) {
	case VIA_DIRECT:
	case VIA_HTTP:
		break;
	case VIA_HTTPS:
		return CURLPROXY_HTTPS;
	case VIA_SOCKS4:
		return CURLPROXY_SOCKS4;
	case VIA_SOCKS5:
		return CURLPROXY_SOCKS5;
	case VIA_SOCKS5H:
		return CURLPROXY_SOCKS5_HOSTNAME;
	}
	return CURLPROXY_HTTP;
}

/* Always set, the empty text for direct: a proxy of the environment must not slip in. */
static void proxy_set(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	char authority[512] = "";
	if (transfer->via.scheme != VIA_DIRECT)
		host_port_format(transfer->via.host, transfer->via.port, authority, sizeof(authority));
	curl_easy_setopt(easy, CURLOPT_PROXY, authority);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(easy, CURLOPT_PROXYTYPE, proxy_type(transfer->via.scheme));
	curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, transfer->raw ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
}

static long curl_auth(enum proxy_auth auth)
{
	switch (auth) {
	case PROXY_AUTH_NONE:
	case PROXY_AUTH_BASIC:
		break;
	case PROXY_AUTH_DIGEST:
		return (long)CURLAUTH_DIGEST;
	case PROXY_AUTH_NTLM:
		return (long)CURLAUTH_NTLM;
	case PROXY_AUTH_NEGOTIATE:
		return (long)CURLAUTH_NEGOTIATE;
	}
	return (long)CURLAUTH_BASIC;
}

bool proxy_auth_has_own(enum proxy_auth auth)
{
	bool sspi = (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_SSPI) != 0;
	return auth == PROXY_AUTH_NEGOTIATE || (auth == PROXY_AUTH_NTLM && sspi);
}

static void credentials_set(struct transfer *transfer, const struct transfer_spec *spec)
{
	CURL *easy = transfer->easy;
	if (spec->auth == PROXY_AUTH_NONE)
		return;
	if (!spec->user && !proxy_auth_has_own(spec->auth)) {
		transfer->auth = PROXY_AUTH_NONE;
		transfer->local_problem = "this system has no credentials of its own for this scheme";
		return;
	}
	curl_easy_setopt(easy, CURLOPT_PROXYAUTH, curl_auth(spec->auth));
	if (!spec->user) {
		curl_easy_setopt(easy, CURLOPT_PROXYUSERPWD, ":");
		return;
	}
	curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, spec->user);
	curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, spec->password ? spec->password : "");
}

/* libcurl loads no anchors: tls_tap.c verifies by the run's own. Its checks stay on as a second lock. */
static void tls_set(CURL *easy, struct transfer *transfer)
{
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L); /* the agent offers none */
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, tls_tap_install);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
}

static void callbacks_set(CURL *easy, struct transfer *transfer)
{
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, http_tap_debug);
	curl_easy_setopt(easy, CURLOPT_DEBUGDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_tap_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_tap_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, pool_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, pool_close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->pool);
}

static void behaviour_set(CURL *easy, const struct transfer *transfer)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, FAR_AWAY_MS);
	curl_easy_setopt(easy, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, FAR_AWAY_MS);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, transfer->raw || transfer->handshake_only ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "marsprobe/" MARSPROBE_VERSION);
}

bool transfer_options_set(struct transfer *transfer, const struct transfer_spec *spec)
{
	transfer->easy = curl_easy_init();
	transfer->share = curl_share_init();
	if (!transfer->easy || !transfer->share || lacks_address(transfer))
		return false;
	CURL *easy = transfer->easy;
	callbacks_set(easy, transfer);
	behaviour_set(easy, transfer);
	tls_set(easy, transfer);
	proxy_set(transfer);
	credentials_set(transfer, spec);
	pins_set(transfer);
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_URL, transfer->url) == CURLE_OK;
}
