/* The system's own HTTP client (WinHTTP, winhttp.h). */

#include "probe/os/os_win32.h"
/* after windows.h */
#include <winhttp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/os/os_stack.h"

/* winhttp.dll is no DLL that Windows always takes from its own folder, so it is not linked: others may write where this program lies. */
static struct {
	__typeof__(&WinHttpOpen) open;
	__typeof__(&WinHttpSetTimeouts) set_timeouts;
	__typeof__(&WinHttpCrackUrl) crack_url;
	__typeof__(&WinHttpConnect) connect;
	__typeof__(&WinHttpOpenRequest) open_request;
	__typeof__(&WinHttpSetOption) set_option;
	__typeof__(&WinHttpSetStatusCallback) set_callback;
	__typeof__(&WinHttpSendRequest) send;
	__typeof__(&WinHttpReceiveResponse) receive;
	__typeof__(&WinHttpQueryHeaders) query;
	__typeof__(&WinHttpCloseHandle) close;
	bool all;
} client;

static BOOL CALLBACK client_load(PINIT_ONCE once, void *parameter, void **context)
{
	static const wchar_t dll[] = L"winhttp.dll";
	(void)once, (void)parameter, (void)context;
	if (!LoadLibraryExW(dll, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32))
		return TRUE;
	client.open = (__typeof__(client.open))os_function_find(dll, "WinHttpOpen");
	client.set_timeouts = (__typeof__(client.set_timeouts))os_function_find(dll, "WinHttpSetTimeouts");
	client.crack_url = (__typeof__(client.crack_url))os_function_find(dll, "WinHttpCrackUrl");
	client.connect = (__typeof__(client.connect))os_function_find(dll, "WinHttpConnect");
	client.open_request = (__typeof__(client.open_request))os_function_find(dll, "WinHttpOpenRequest");
	client.set_option = (__typeof__(client.set_option))os_function_find(dll, "WinHttpSetOption");
	client.set_callback = (__typeof__(client.set_callback))os_function_find(dll, "WinHttpSetStatusCallback");
	client.send = (__typeof__(client.send))os_function_find(dll, "WinHttpSendRequest");
	client.receive = (__typeof__(client.receive))os_function_find(dll, "WinHttpReceiveResponse");
	client.query = (__typeof__(client.query))os_function_find(dll, "WinHttpQueryHeaders");
	client.close = (__typeof__(client.close))os_function_find(dll, "WinHttpCloseHandle");
	client.all = client.open && client.set_timeouts && client.crack_url && client.connect && client.open_request &&
		     client.set_option && client.set_callback && client.send && client.receive && client.query &&
		     client.close;
	return TRUE;
}

/* ------------------------------------------------------------------ errors */

struct error_row {
	DWORD code;
	const char *name;
	enum os_http_problem problem;
	const char *words;
};

#define ROW(code, problem, words)                   \
	{                                           \
		(DWORD) code, #code, problem, words \
	}
static const struct error_row errors[] = {
	ROW(ERROR_WINHTTP_TIMEOUT, OS_HTTP_TIMED_OUT, "no answer in time"),
	ROW(ERROR_WINHTTP_NAME_NOT_RESOLVED, OS_HTTP_NAME_UNKNOWN, "the name was not found"),
	ROW(ERROR_WINHTTP_CANNOT_CONNECT, OS_HTTP_CANNOT_CONNECT, "no connection could be made"),
	ROW(ERROR_WINHTTP_CONNECTION_ERROR, OS_HTTP_CLOSED, "the connection was reset or closed"),
	ROW(ERROR_WINHTTP_RESEND_REQUEST, OS_HTTP_CLOSED, "the connection was closed"),
	ROW(ERROR_WINHTTP_SECURE_FAILURE, OS_HTTP_NO_HANDSHAKE, "the TLS handshake failed"),
	ROW(ERROR_WINHTTP_SECURE_CHANNEL_ERROR, OS_HTTP_NO_HANDSHAKE, "the TLS handshake failed"),
	ROW(ERROR_WINHTTP_SECURE_INVALID_CA, OS_HTTP_UNKNOWN_AUTHORITY, "the chain ends in no trusted root"),
	ROW(ERROR_WINHTTP_SECURE_CERT_CN_INVALID, OS_HTTP_WRONG_NAME, "the certificate is for another name"),
	ROW(ERROR_WINHTTP_SECURE_CERT_DATE_INVALID, OS_HTTP_BAD_CERTIFICATE, "the certificate is out of date"),
	ROW(ERROR_WINHTTP_SECURE_CERT_REVOKED, OS_HTTP_BAD_CERTIFICATE, "the certificate is revoked"),
	ROW(ERROR_WINHTTP_SECURE_CERT_REV_FAILED, OS_HTTP_BAD_CERTIFICATE, "revocation could not be checked"),
	ROW(ERROR_WINHTTP_SECURE_INVALID_CERT, OS_HTTP_BAD_CERTIFICATE, "the certificate is faulty"),
	ROW(ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE, OS_HTTP_BAD_CERTIFICATE, "the certificate is not for servers"),
	ROW(ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED, OS_HTTP_NO_HANDSHAKE, "the server wants a client certificate"),
	ROW(ERROR_WINHTTP_INVALID_SERVER_RESPONSE, OS_HTTP_NO_HTTP, "the answer is not HTTP"),
	ROW(ERROR_WINHTTP_HEADER_COUNT_EXCEEDED, OS_HTTP_NO_HTTP, "the answer has too many headers"),
	ROW(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW, OS_HTTP_NO_HTTP, "the answer's headers are too large"),
	ROW(ERROR_WINHTTP_OPERATION_CANCELLED, OS_HTTP_OTHER, "it was given up"),
	ROW(SEC_E_UNTRUSTED_ROOT, OS_HTTP_UNKNOWN_AUTHORITY, "the chain ends in no trusted root"),
	ROW(SEC_E_WRONG_PRINCIPAL, OS_HTTP_WRONG_NAME, "the certificate is for another name"),
	ROW(SEC_E_CERT_EXPIRED, OS_HTTP_BAD_CERTIFICATE, "the certificate is out of date"),
	ROW(SEC_E_CERT_UNKNOWN, OS_HTTP_BAD_CERTIFICATE, "the certificate is faulty"),
	ROW(SEC_E_ALGORITHM_MISMATCH, OS_HTTP_NO_HANDSHAKE, "no cipher in common"),
	ROW(SEC_E_UNSUPPORTED_FUNCTION, OS_HTTP_NO_HANDSHAKE, "the TLS version is switched off here"),
	ROW(SEC_E_ILLEGAL_MESSAGE, OS_HTTP_NO_HANDSHAKE, "an alert, or no TLS, was received"),
	ROW(SEC_E_INTERNAL_ERROR, OS_HTTP_NO_HANDSHAKE, "the TLS handshake failed"),
	ROW(SEC_E_NO_CREDENTIALS, OS_HTTP_NO_HANDSHAKE, "this system cannot make a TLS client"),
};
#undef ROW

static const struct error_row *row_of(DWORD code)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code)
			return &errors[i];
	return NULL;
}

/* What the secure-failure callback names, the worst first. */
static const struct {
	DWORD flag;
	const char *name;
	enum os_http_problem problem;
} flags[] = {
	{WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, "INVALID_CA", OS_HTTP_UNKNOWN_AUTHORITY},
	{WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, "CERT_CN_INVALID", OS_HTTP_WRONG_NAME},
	{WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, "CERT_DATE_INVALID", OS_HTTP_BAD_CERTIFICATE},
	{WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED, "CERT_REVOKED", OS_HTTP_BAD_CERTIFICATE},
	{WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT, "INVALID_CERT", OS_HTTP_BAD_CERTIFICATE},
	{WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, "CERT_WRONG_USAGE", OS_HTTP_BAD_CERTIFICATE},
	{WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, "CERT_REV_FAILED", OS_HTTP_BAD_CERTIFICATE},
	{WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR, "SECURITY_CHANNEL_ERROR", OS_HTTP_NO_HANDSHAKE},
};

static void flags_write(DWORD seen, struct os_http_answer *out)
{
	bool any = false;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!(seen & flags[i].flag))
			continue;
		if (!any)
			out->problem = flags[i].problem;
		size_t used = strlen(out->words);
		snprintf(out->words + used, sizeof(out->words) - used, "%s%s", any ? ", " : ": ", flags[i].name);
		any = true;
	}
}

/* Without a row: the socket's own error may come through. */
static enum os_http_problem socket_problem(DWORD code)
{
	switch (os_error_kind((int)code)) {
	case OS_ERROR_RESET:
	case OS_ERROR_ABORTED:
	case OS_ERROR_CLOSED:
		return OS_HTTP_CLOSED;
	case OS_ERROR_TIMED_OUT:
		return OS_HTTP_TIMED_OUT;
	case OS_ERROR_REFUSED:
	case OS_ERROR_HOST_UNREACHABLE:
	case OS_ERROR_NET_UNREACHABLE:
		return OS_HTTP_CANNOT_CONNECT;
	case OS_ERROR_OTHER:
	case OS_ERROR_NONE:
	case OS_ERROR_IN_PROGRESS:
	case OS_ERROR_PERMISSION:
	case OS_ERROR_ADDRESS_NOT_AVAILABLE:
	case OS_ERROR_TOO_MANY_FILES:
	case OS_ERROR_BAD_FAMILY:
		break;
	}
	return OS_HTTP_OTHER;
}

static void error_write(DWORD code, DWORD seen, struct os_http_answer *out)
{
	const struct error_row *row = row_of(code);
	*out = (struct os_http_answer){.error = code, .problem = row ? row->problem : socket_problem(code)};
	snprintf(out->name, sizeof(out->name), "%s", row ? row->name : os_error_name((int)code));
	if (row)
		snprintf(out->words, sizeof(out->words), "%s", row->words);
	else
		os_error_text(code, out->words, sizeof(out->words));
	flags_write(seen, out);
}

/* ------------------------------------------------------------------ one GET */

struct exchange {
	HINTERNET session, connection, request;
	wchar_t *agent, *url, *proxy;
	wchar_t host[256], path[2048];
	DWORD secure_failure; /* flags */
};

static void CALLBACK on_status(HINTERNET handle, DWORD_PTR context, DWORD status, void *information, DWORD length)
{
	(void)handle;
	struct exchange *exchange = (struct exchange *)context;
	if (exchange && status == WINHTTP_CALLBACK_STATUS_SECURE_FAILURE && length >= sizeof(DWORD))
		memcpy(&exchange->secure_failure, information, sizeof(DWORD));
}

static void exchange_close(struct exchange *exchange)
{
	HINTERNET handles[] = {exchange->request, exchange->connection, exchange->session};
	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
		if (handles[i])
			client.close(handles[i]);
	free(exchange->agent);
	free(exchange->url);
	free(exchange->proxy);
}

static bool session_open(struct exchange *exchange, const struct os_http_request *request)
{
	static const char scheme[] = "http://";
	const char *proxy = request->proxy;
	if (proxy && strncmp(proxy, scheme, sizeof(scheme) - 1) == 0)
		proxy += sizeof(scheme) - 1;
	exchange->agent = os_wide("marsprobe/" MARSPROBE_VERSION);
	exchange->url = os_wide(request->url);
	exchange->proxy = proxy ? os_wide(proxy) : NULL;
	if (!exchange->agent || !exchange->url || (proxy && !exchange->proxy)) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return false;
	}
	exchange->session =
		client.open(exchange->agent, proxy ? WINHTTP_ACCESS_TYPE_NAMED_PROXY : WINHTTP_ACCESS_TYPE_NO_PROXY,
			    exchange->proxy, NULL, 0);
	return exchange->session && client.set_timeouts(exchange->session, request->timeout_ms, request->timeout_ms,
							request->timeout_ms, request->timeout_ms);
}

/* TLS versions stay at what the system has them set to: that is what is asked about. */
static bool request_open(struct exchange *exchange)
{
	URL_COMPONENTS parts = {.dwStructSize = sizeof(parts),
				.lpszHostName = exchange->host,
				.dwHostNameLength = sizeof(exchange->host) / sizeof(exchange->host[0]),
				.lpszUrlPath = exchange->path,
				.dwUrlPathLength = sizeof(exchange->path) / sizeof(exchange->path[0])};
	DWORD off = WINHTTP_DISABLE_REDIRECTS | WINHTTP_DISABLE_COOKIES | WINHTTP_DISABLE_AUTHENTICATION;
	if (!client.crack_url(exchange->url, 0, 0, &parts))
		return false;
	exchange->connection = client.connect(exchange->session, exchange->host, parts.nPort, 0);
	if (!exchange->connection)
		return false;
	exchange->request = client.open_request(exchange->connection, L"GET", exchange->path, NULL, NULL, NULL,
						parts.nScheme == INTERNET_SCHEME_HTTPS ? WINHTTP_FLAG_SECURE : 0);
	if (!exchange->request ||
	    !client.set_option(exchange->request, WINHTTP_OPTION_DISABLE_FEATURE, &off, sizeof(off)))
		return false;
	return client.set_callback(exchange->request, on_status, WINHTTP_CALLBACK_FLAG_SECURE_FAILURE, 0) !=
	       WINHTTP_INVALID_STATUS_CALLBACK;
}

static bool status_ask(struct exchange *exchange, DWORD *status)
{
	DWORD bytes = sizeof(*status);
	return client.send(exchange->request, NULL, 0, NULL, 0, 0, (DWORD_PTR)exchange) &&
	       client.receive(exchange->request, NULL) &&
	       client.query(exchange->request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, status,
			    &bytes, NULL);
}

bool os_http_get(const struct os_http_request *request, struct os_http_answer *out)
{
	static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
	struct exchange exchange = {0};
	DWORD status = 0;
	InitOnceExecuteOnce(&once, client_load, NULL, NULL);
	if (!client.all)
		return false;
	if (session_open(&exchange, request) && request_open(&exchange) && status_ask(&exchange, &status))
		*out = (struct os_http_answer){.status = (int)status, .problem = OS_HTTP_ANSWERED};
	else
		error_write(GetLastError(), exchange.secure_failure, out);
	exchange_close(&exchange);
	return true;
}
