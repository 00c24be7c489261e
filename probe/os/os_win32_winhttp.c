/* What the system's own interface (WinHTTP) says of this account's WinINET proxy settings, and of the proxy for a URL. */

#include "probe/os/os_win32.h"

#include <winhttp.h>

#include <stdlib.h>
#include <string.h>

#include "probe/os/os_stack.h"

static const wchar_t dll[] = L"winhttp.dll";

/* Loaded by hand from the system's folder: winhttp.dll is not among the DLLs that Windows always takes from there. */
static bool interface_load(void)
{
	return LoadLibraryExW(dll, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32) != NULL;
}

/* Takes the text over. A longer one than we keep is as good as none: it could not be compared. */
static bool take(wchar_t *wide, char *out, size_t bytes)
{
	bool fits = true;
	out[0] = '\0';
	if (wide)
		fits = os_narrow_into(wide, out, bytes);
	GlobalFree(wide);
	return fits;
}

bool os_proxy_view(struct os_proxy_view *out)
{
	WINHTTP_CURRENT_USER_IE_PROXY_CONFIG config;
	__typeof__(&WinHttpGetIEProxyConfigForCurrentUser) get_config = NULL;
	memset(&config, 0, sizeof(config));
	if (interface_load())
		get_config = (__typeof__(get_config))os_function_find(dll, "WinHttpGetIEProxyConfigForCurrentUser");
	if (!get_config || !get_config(&config))
		return false;
	out->auto_detect = config.fAutoDetect != 0;
	bool pac = take(config.lpszAutoConfigUrl, out->pac_url, sizeof(out->pac_url));
	bool proxy = take(config.lpszProxy, out->proxy, sizeof(out->proxy));
	bool bypass = take(config.lpszProxyBypass, out->bypass, sizeof(out->bypass));
	return pac && proxy && bypass;
}

static struct {
	__typeof__(&WinHttpOpen) open;
	__typeof__(&WinHttpGetProxyForUrl) ask;
	__typeof__(&WinHttpCloseHandle) close;
} asker;

static BOOL CALLBACK asker_load(PINIT_ONCE once, void *parameter, void **context)
{
	(void)once, (void)parameter, (void)context;
	if (!interface_load())
		return TRUE;
	asker.open = (__typeof__(asker.open))os_function_find(dll, "WinHttpOpen");
	asker.ask = (__typeof__(asker.ask))os_function_find(dll, "WinHttpGetProxyForUrl");
	asker.close = (__typeof__(asker.close))os_function_find(dll, "WinHttpCloseHandle");
	return TRUE;
}

static void ask(HINTERNET session, const struct os_proxy_question *question, struct os_proxy_answer *out)
{
	wchar_t *url = os_wide(question->url), *pac = question->pac_url ? os_wide(question->pac_url) : NULL;
	WINHTTP_AUTOPROXY_OPTIONS options;
	WINHTTP_PROXY_INFO info;
	memset(&options, 0, sizeof(options));
	memset(&info, 0, sizeof(info));
	if (question->auto_detect) {
		options.dwFlags |= WINHTTP_AUTOPROXY_AUTO_DETECT;
		options.dwAutoDetectFlags = WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A;
	}
	options.dwFlags |= pac ? WINHTTP_AUTOPROXY_CONFIG_URL : 0;
	options.lpszAutoConfigUrl = pac;
	out->answered = url && asker.ask(session, url, &options, &info);
	if (!out->answered)
		out->error = GetLastError();
	else if (info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY && info.lpszProxy)
		out->answered = os_narrow_into(info.lpszProxy, out->proxies, sizeof(out->proxies));
	GlobalFree(info.lpszProxy);
	GlobalFree(info.lpszProxyBypass);
	free(url);
	free(pac);
}

bool os_proxy_for_url(const struct os_proxy_question *question, struct os_proxy_answer *out)
{
	static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
	InitOnceExecuteOnce(&once, asker_load, NULL, NULL);
	if (!asker.open || !asker.ask || !asker.close)
		return false;
	HINTERNET session = asker.open(L"marsprobe", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
	if (!session)
		return false;
	memset(out, 0, sizeof(*out));
	ask(session, question, out);
	asker.close(session);
	return true;
}
