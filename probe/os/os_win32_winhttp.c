/* This account's WinINET proxy settings, as the system's own interface gives them. */

#include "probe/os/os_win32.h"

#include <winhttp.h>

#include <string.h>

#include "probe/os/os_stack.h"

typedef BOOL(WINAPI *get_config_fn)(WINHTTP_CURRENT_USER_IE_PROXY_CONFIG *config);

/* Loaded by hand from the system's folder: winhttp.dll is not among the DLLs that Windows always takes from there. */
static get_config_fn find_interface(void)
{
	get_config_fn found = NULL;
	if (!LoadLibraryExW(L"winhttp.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32))
		return NULL;
	os_function function = os_function_find(L"winhttp.dll", "WinHttpGetIEProxyConfigForCurrentUser");
	memcpy(&found, &function, sizeof(found));
	return found;
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
	get_config_fn get_config = find_interface();
	memset(&config, 0, sizeof(config));
	if (!get_config || !get_config(&config))
		return false;
	out->auto_detect = config.fAutoDetect != 0;
	bool pac = take(config.lpszAutoConfigUrl, out->pac_url, sizeof(out->pac_url));
	bool proxy = take(config.lpszProxy, out->proxy, sizeof(out->proxy));
	bool bypass = take(config.lpszProxyBypass, out->bypass, sizeof(out->bypass));
	return pac && proxy && bypass;
}
