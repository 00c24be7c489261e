/* What a folder stands on and holds, and whether a service runs. */

#include "probe/os/os_win32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/os/os_machine.h"

enum { FOLDER_BYTES = 600 };

static bool ends_with(const char *name, const char *ending)
{
	size_t length = strlen(name), end = strlen(ending);
	return length >= end && _stricmp(name + length - end, ending) == 0;
}

long os_count_files(const char *folder, const char *ending, long max)
{
	char pattern[FOLDER_BYTES], name[MAX_PATH * 3];
	WIN32_FIND_DATAW entry;
	snprintf(pattern, sizeof(pattern), "%s\\*", folder);
	wchar_t *wide = os_wide_path(pattern);
	HANDLE search = wide ? FindFirstFileExW(wide, FindExInfoBasic, &entry, FindExSearchNameMatch, NULL,
						FIND_FIRST_EX_LARGE_FETCH)
			     : INVALID_HANDLE_VALUE;
	long count = 0;
	free(wide);
	if (search == INVALID_HANDLE_VALUE)
		return -1;
	do {
		bool is_file = !(entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY);
		if (is_file && os_narrow_into(entry.cFileName, name, sizeof(name)) && ends_with(name, ending))
			count++;
	} while (count < max && FindNextFileW(search, &entry));
	FindClose(search);
	return count;
}

static bool has_attribute(const wchar_t *folder, DWORD attribute)
{
	DWORD attributes = GetFileAttributesW(folder);
	return attributes != INVALID_FILE_ATTRIBUTES && (attributes & attribute) != 0;
}

bool os_volume_of(const char *folder, struct os_volume *out)
{
	wchar_t root[MAX_PATH], system[32] = L"";
	ULARGE_INTEGER mine, total;
	*out = (struct os_volume){0};
	wchar_t *wide = os_wide_path(folder);
	bool known = wide && GetVolumePathNameW(wide, root, MAX_PATH) && GetDiskFreeSpaceExW(wide, &mine, &total, NULL);
	if (known) {
		GetVolumeInformationW(root, NULL, 0, NULL, NULL, NULL, system, sizeof(system) / sizeof(*system));
		os_narrow_into(system, out->file_system, sizeof(out->file_system));
		out->free_bytes = mine.QuadPart;
		out->total_bytes = total.QuadPart;
		out->is_remote = GetDriveTypeW(root) == DRIVE_REMOTE;
		out->is_compressed = has_attribute(wide, FILE_ATTRIBUTE_COMPRESSED);
		out->is_encrypted = has_attribute(wide, FILE_ATTRIBUTE_ENCRYPTED);
		out->is_sparse = has_attribute(wide, FILE_ATTRIBUTE_SPARSE_FILE);
		out->is_link = has_attribute(wide, FILE_ATTRIBUTE_REPARSE_POINT);
	}
	free(wide);
	return known;
}

int os_service_runs(const char *name)
{
	SERVICE_STATUS status;
	int runs = -1;
	wchar_t *wide = os_wide(name);
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = manager && wide ? OpenServiceW(manager, wide, SERVICE_QUERY_STATUS) : NULL;
	if (service && QueryServiceStatus(service, &status))
		runs = status.dwCurrentState == SERVICE_RUNNING;
	if (service)
		CloseServiceHandle(service);
	if (manager)
		CloseServiceHandle(manager);
	free(wide);
	return runs;
}

const char *os_machine_temporary_folder(void)
{
	static char folder[FOLDER_BYTES];
	wchar_t windows[MAX_PATH];
	char narrow[FOLDER_BYTES - 16];
	UINT length = GetSystemWindowsDirectoryW(windows, MAX_PATH);
	if (length == 0 || length >= MAX_PATH || !os_narrow_into(windows, narrow, sizeof(narrow)))
		return NULL;
	snprintf(folder, sizeof(folder), "%s\\Temp", narrow);
	return folder;
}
