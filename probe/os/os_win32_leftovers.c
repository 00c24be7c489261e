/* What runs left behind that were killed before they could clean up: a service that was created and not yet marked for deletion, and the
 * directory of a copy. A live run holds its copy open, so a copy that can be deleted belongs to nobody. */

#include "probe/os/os_win32_system.h"

#include <stdlib.h>
#include <wchar.h>

enum { CONFIG_MAX_BYTES = 8 * 1024 }; /* the system's own limit for QueryServiceConfig() */

/** The directory of the copy that a service runs; malloc()ed, NULL if its image is none of ours. */
static wchar_t *service_directory(SC_HANDLE service)
{
	wchar_t *directory = NULL;
	DWORD needed = 0;
	QUERY_SERVICE_CONFIGW *config = malloc(CONFIG_MAX_BYTES);
	if (config && QueryServiceConfigW(service, config, CONFIG_MAX_BYTES, &needed)) {
		wchar_t *image = config->lpBinaryPathName, *end = image[0] == L'"' ? wcschr(image + 1, L'"') : NULL;
		if (end) {
			*end = L'\0';
			system_copy_owns(image + 1, &directory);
		}
	}
	free(config);
	return directory;
}

static void service_remove(SC_HANDLE manager, const wchar_t *name)
{
	SC_HANDLE service = OpenServiceW(manager, name, SERVICE_QUERY_CONFIG | DELETE);
	if (!service)
		return;
	wchar_t *directory = service_directory(service);
	if (!directory || system_copy_remove_abandoned(directory))
		DeleteService(service);
	free(directory);
	CloseServiceHandle(service);
}

static void services_remove(SC_HANDLE manager)
{
	DWORD bytes = 0, count = 0, resume = 0;
	EnumServicesStatusExW(manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32, SERVICE_INACTIVE, NULL, 0, &bytes, &count,
			      &resume, NULL);
	ENUM_SERVICE_STATUS_PROCESSW *services = bytes ? malloc(bytes) : NULL;
	resume = 0;
	if (!services || !EnumServicesStatusExW(manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32, SERVICE_INACTIVE,
						(BYTE *)services, bytes, &bytes, &count, &resume, NULL))
		count = 0;
	for (DWORD i = 0; i < count; i++)
		if (system_name_matches(services[i].lpServiceName, SYSTEM_SERVICE_PREFIX, SYSTEM_ID_DIGITS))
			service_remove(manager, services[i].lpServiceName);
	free(services);
}

static void directories_remove(void)
{
	WIN32_FIND_DATAW found;
	wchar_t *folder = system_copy_folder(), path[MAX_PATH * 2];
	if (!folder || wcslen(folder) >= MAX_PATH) {
		free(folder);
		return;
	}
	_snwprintf(path, MAX_PATH * 2, L"%ls\\" SYSTEM_DIRECTORY_PREFIX L"*", folder);
	HANDLE search = FindFirstFileW(path, &found);
	for (BOOL more = search != INVALID_HANDLE_VALUE; more; more = FindNextFileW(search, &found)) {
		if (!system_name_matches(found.cFileName, SYSTEM_DIRECTORY_PREFIX, SYSTEM_ID_DIGITS))
			continue;
		_snwprintf(path, MAX_PATH * 2, L"%ls\\%ls", folder, found.cFileName);
		system_copy_remove_abandoned(path);
	}
	if (search != INVALID_HANDLE_VALUE)
		FindClose(search);
	free(folder);
}

void system_leftovers_remove(SC_HANDLE manager)
{
	services_remove(manager);
	directories_remove();
}
