/* DHCP's option 252, from the system's DHCP client. */

#include "probe/os/os_win32.h"

#include <ws2tcpip.h>
/* in this order */
#include <iphlpapi.h>

#include <dhcpcsdk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/os/os_dhcp.h"

enum { OPTION_WPAD = 252, ANSWER_FIRST_BYTES = 2048, ANSWER_TRIES = 3 };

typedef DWORD(WINAPI *start_fn)(DWORD *version);
typedef DWORD(WINAPI *request_fn)(DWORD flags, void *reserved, wchar_t *adapter, DHCPCAPI_CLASSID *class_id,
				  DHCPCAPI_PARAMS_ARRAY send, DHCPCAPI_PARAMS_ARRAY receive, BYTE *buffer, DWORD *bytes,
				  wchar_t *id);

/* Loaded by hand from the system's folder. NULL: this Windows has no DHCP client. */
static request_fn find_client(void)
{
	start_fn start = NULL;
	request_fn request = NULL;
	DWORD version = 0;
	if (!LoadLibraryExW(L"dhcpcsvc.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32))
		return NULL;
	os_function function = os_function_find(L"dhcpcsvc.dll", "DhcpCApiInitialize");
	memcpy(&start, &function, sizeof(start));
	function = os_function_find(L"dhcpcsvc.dll", "DhcpRequestParams");
	memcpy(&request, &function, sizeof(request));
	if (!start || !request || start(&version) != ERROR_SUCCESS)
		return NULL;
	return request;
}

/* ERROR_SUCCESS, with the option in *found (in *buffer, free() it); ERROR_FILE_NOT_FOUND where there is none. */
static DWORD ask(request_fn request, wchar_t *adapter, BYTE **buffer, DHCPCAPI_PARAMS *found)
{
	DHCPCAPI_PARAMS_ARRAY send = {0, NULL};
	DWORD error = ERROR_MORE_DATA, bytes = ANSWER_FIRST_BYTES;
	*buffer = NULL;
	for (int try = 0; error == ERROR_MORE_DATA && try < ANSWER_TRIES; try++) {
		DHCPCAPI_PARAMS wanted = {.OptionId = OPTION_WPAD};
		DHCPCAPI_PARAMS_ARRAY receive = {1, &wanted};
		free(*buffer);
		*buffer = calloc(1, bytes);
		if (!*buffer)
			return ERROR_OUTOFMEMORY;
		error = request(DHCPCAPI_REQUEST_SYNCHRONOUS, NULL, adapter, NULL, send, receive, *buffer, &bytes,
				NULL);
		*found = wanted;
	}
	if (error == ERROR_SUCCESS && (!found->Data || !found->nBytesData))
		return ERROR_FILE_NOT_FOUND;
	return error;
}

static bool adapter_ask(request_fn request, const char *name, char *url, size_t bytes, char *reason,
			size_t reason_bytes)
{
	DHCPCAPI_PARAMS found = {0};
	BYTE *buffer = NULL;
	wchar_t *adapter = os_wide(name);
	DWORD error = adapter ? ask(request, adapter, &buffer, &found) : ERROR_OUTOFMEMORY;
	bool text = error == ERROR_SUCCESS && os_dhcp_text(found.Data, found.nBytesData, url, bytes);
	if (error == ERROR_SUCCESS && !text)
		snprintf(reason, reason_bytes, "option 252 is no text");
	else if (error == ERROR_FILE_NOT_FOUND)
		snprintf(reason, reason_bytes, "no adapter's DHCP server gives option 252");
	else if (error != ERROR_SUCCESS)
		os_error_text(error, reason, reason_bytes);
	free(buffer);
	free(adapter);
	return text;
}

bool os_dhcp_wpad(char *url, size_t bytes, char *reason, size_t reason_bytes)
{
	request_fn request = find_client();
	IP_ADAPTER_ADDRESSES *list = request ? os_adapters() : NULL;
	bool found = false;
	snprintf(reason, reason_bytes,
		 request ? "no adapter has its address from DHCP" : "there is no DHCP client here");
	for (const IP_ADAPTER_ADDRESSES *at = list; at && !found; at = at->Next)
		if (at->OperStatus == IfOperStatusUp && (at->Flags & IP_ADAPTER_DHCP_ENABLED))
			found = adapter_ask(request, at->AdapterName, url, bytes, reason, reason_bytes);
	free(list);
	return found;
}
