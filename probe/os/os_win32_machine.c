/* What this Windows machine and the account that runs here are called. */

#define SECURITY_WIN32
#include "probe/os/os_win32.h"

#include <security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_CHARACTERS = 512, NAME_BYTES = 512, FIRST_BUILD_OF_WINDOWS_11 = 22000 };

static const wchar_t version_key[] = L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
static const wchar_t tcpip_key[] = L"SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";

bool os_machine_text(const wchar_t *key, const wchar_t *name, wchar_t *out, size_t characters)
{
	DWORD bytes = (DWORD)(characters * sizeof(*out));
	return RegGetValueW(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_SZ, NULL, out, &bytes) == ERROR_SUCCESS;
}

bool os_machine_number(const wchar_t *key, const wchar_t *name, DWORD *out)
{
	DWORD bytes = sizeof(*out);
	return RegGetValueW(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_DWORD, NULL, out, &bytes) == ERROR_SUCCESS;
}

bool os_host_name(char *out, size_t bytes)
{
	wchar_t name[NAME_CHARACTERS];
	DWORD characters = NAME_CHARACTERS;
	return GetComputerNameExW(ComputerNamePhysicalDnsHostname, name, &characters) && name[0] &&
	       os_narrow_into(name, out, bytes);
}

/* ------------------------------------------------------------------ the account */

/** The user of the process's token, malloc()ed; NULL if it cannot be asked. */
static TOKEN_USER *token_user(void)
{
	HANDLE token = NULL;
	DWORD bytes = 0;
	TOKEN_USER *user = NULL;
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return NULL;
	GetTokenInformation(token, TokenUser, NULL, 0, &bytes);
	user = bytes ? malloc(bytes) : NULL;
	if (user && !GetTokenInformation(token, TokenUser, user, bytes, &bytes)) {
		free(user);
		user = NULL;
	}
	CloseHandle(token);
	return user;
}

/** The name of an account of the machine's own, such as "NT AUTHORITY\\SYSTEM". To look up any other could ask a domain controller, for as
 *  long as the network lets that hang; and a logon session calls LocalSystem by the computer's name. */
static bool service_account_name(char *out, size_t bytes)
{
	wchar_t name[NAME_CHARACTERS], domain[NAME_CHARACTERS], both[2 * NAME_CHARACTERS];
	DWORD name_length = NAME_CHARACTERS, domain_length = NAME_CHARACTERS;
	SID_NAME_USE use;
	TOKEN_USER *user = token_user();
	PSID sid = user ? user->User.Sid : NULL;
	bool known = sid && (IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinLocalServiceSid) ||
			     IsWellKnownSid(sid, WinNetworkServiceSid));
	bool found = known && LookupAccountSidW(NULL, sid, name, &name_length, domain, &domain_length, &use);
	free(user);
	if (!found)
		return false;
	swprintf(both, 2 * NAME_CHARACTERS, L"%ls\\%ls", domain, name);
	return os_narrow_into(both, out, bytes);
}

bool os_account_name(char *out, size_t bytes)
{
	wchar_t name[NAME_CHARACTERS];
	ULONG characters = NAME_CHARACTERS;
	DWORD plain_characters = NAME_CHARACTERS;
	if (service_account_name(out, bytes))
		return true;
	if (GetUserNameExW(NameSamCompatible, name, &characters) && name[0])
		return os_narrow_into(name, out, bytes);
	return GetUserNameW(name, &plain_characters) && os_narrow_into(name, out, bytes);
}

/* ------------------------------------------------------------------ the system */

/** What is true of this system, whatever the program's manifest says it was made for. */
static OSVERSIONINFOEXW true_version(void)
{
	OSVERSIONINFOEXW version = {.dwOSVersionInfoSize = sizeof(version)};
	LONG(WINAPI * get_version)(OSVERSIONINFOEXW *) = NULL;
	os_function found = os_function_find(L"ntdll.dll", "RtlGetVersion");
	memcpy(&get_version, &found, sizeof(found));
	if (get_version)
		get_version(&version);
	return version;
}

/** Is it Windows at all? Wine says so by a function that ntdll has there only. NULL, or Wine's version. */
static const char *wine_version(void)
{
	const char *(__cdecl * get_version)(void) = NULL;
	os_function found = os_function_find(L"ntdll.dll", "wine_get_version");
	memcpy(&get_version, &found, sizeof(found));
	return get_version ? get_version() : NULL;
}

/** "Windows Server 2019 Datacenter": what the registry says, which still calls Windows 11 by the name of 10. */
static void product_name(const OSVERSIONINFOEXW *version, char *out, size_t bytes)
{
	static const char ten[] = "Windows 10";
	wchar_t wide[NAME_CHARACTERS];
	if (!os_machine_text(version_key, L"ProductName", wide, NAME_CHARACTERS) || !os_narrow_into(wide, out, bytes))
		snprintf(out, bytes, "Windows %lu.%lu", version->dwMajorVersion, version->dwMinorVersion);
	bool workstation = version->wProductType == VER_NT_WORKSTATION;
	if (workstation && version->dwBuildNumber >= FIRST_BUILD_OF_WINDOWS_11 &&
	    strncmp(out, ten, sizeof(ten) - 1) == 0)
		memcpy(out + sizeof(ten) - 3, "11", 2);
}

/** " 22H2", or "" on a system that has no such name. */
static void release_name(char *out, size_t bytes)
{
	wchar_t wide[NAME_CHARACTERS];
	char name[NAME_BYTES];
	out[0] = '\0';
	if ((os_machine_text(version_key, L"DisplayVersion", wide, NAME_CHARACTERS) ||
	     os_machine_text(version_key, L"ReleaseId", wide, NAME_CHARACTERS)) &&
	    os_narrow_into(wide, name, sizeof(name)) && name[0])
		snprintf(out, bytes, " %s", name);
}

void os_description(char *out, size_t bytes)
{
	OSVERSIONINFOEXW version = true_version();
	const char *wine = wine_version();
	char product[NAME_BYTES], release[64], revision[16] = "";
	DWORD update = 0;
	product_name(&version, product, sizeof(product));
	release_name(release, sizeof(release));
	if (os_machine_number(version_key, L"UBR", &update))
		snprintf(revision, sizeof(revision), ".%lu", update);
	snprintf(out, bytes, "%s%s, build %lu%s%s%s", product, release, version.dwBuildNumber, revision,
		 wine ? ", Wine " : "", wine ? wine : "");
}

/* ------------------------------------------------------------------ the hosts file */

static char *hosts_path;

static BOOL CALLBACK find_hosts(INIT_ONCE *once, void *parameter, void **context)
{
	wchar_t folder[NAME_CHARACTERS], path[NAME_CHARACTERS + 8];
	(void)once, (void)parameter, (void)context;
	if (!os_machine_text(tcpip_key, L"DataBasePath", folder, NAME_CHARACTERS) || !folder[0]) {
		wchar_t system[MAX_PATH];
		UINT length = GetSystemDirectoryW(system, MAX_PATH);
		swprintf(folder, NAME_CHARACTERS, L"%ls\\drivers\\etc", length && length < MAX_PATH ? system : L"");
	}
	swprintf(path, NAME_CHARACTERS + 8, L"%ls\\hosts", folder);
	if (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES)
		hosts_path = os_narrow(path);
	return TRUE;
}

const char *os_hosts_path(void)
{
	static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
	InitOnceExecuteOnce(&once, find_hosts, NULL, NULL);
	return hosts_path;
}
