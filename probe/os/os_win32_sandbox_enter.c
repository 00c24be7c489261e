/*
 * The sandbox on Windows, from inside: look whether what was laid on from outside is there, give up what was only for loading, and try to get
 * out. Only what was tried in vain is believed. Under Wine, which does not enforce it, what is missing is said instead.
 */

#include "probe/os/os_sandbox.h"

#include <stdio.h>
#include <string.h>
#include <winternl.h>

#include "probe/os/os_win32_sandbox.h"

enum { PATH_CHARACTERS = 1024 };

/** What was found; each name as it is told to people. */
struct found {
	bool restricted, low, one_process, memory, desktop;
	bool no_code, no_win32k;
	bool no_file, no_socket, no_registry;
};

/* ------------------------------------------------------------------ what was laid on */

/** Is the process's token of low integrity, or lower? */
static bool is_low(HANDLE token)
{
	union {
		TOKEN_MANDATORY_LABEL label;
		BYTE bytes[sizeof(TOKEN_MANDATORY_LABEL) + SANDBOX_SID_BYTES];
	} level;
	DWORD bytes = 0;
	if (!GetTokenInformation(token, TokenIntegrityLevel, &level, sizeof(level), &bytes))
		return false;
	DWORD last = *GetSidSubAuthorityCount(level.label.Label.Sid) - 1U;
	return *GetSidSubAuthority(level.label.Label.Sid, last) <= SECURITY_MANDATORY_LOW_RID;
}

/** Down to the lowest level there is, where the system lets us: low is what was promised. */
static void lower_more(void)
{
	BYTE sid[SANDBOX_SID_BYTES];
	DWORD bytes = sizeof(sid);
	HANDLE token = NULL;
	TOKEN_MANDATORY_LABEL label = {.Label = {.Sid = (PSID)sid, .Attributes = SE_GROUP_INTEGRITY}};
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_DEFAULT | TOKEN_QUERY, &token))
		return;
	if (CreateWellKnownSid(WinUntrustedLabelSid, NULL, label.Label.Sid, &bytes))
		SetTokenInformation(token, TokenIntegrityLevel, &label, (DWORD)sizeof(label) + bytes);
	CloseHandle(token);
}

static void look_at_token(struct found *found)
{
	HANDLE token = NULL;
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return;
	found->restricted = IsTokenRestricted(token);
	found->low = is_low(token);
	CloseHandle(token);
}

static void look_at_job(struct found *found, const struct os_sandbox_limits *limits)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION job = {.ProcessMemoryLimit = 0};
	JOBOBJECT_BASIC_UI_RESTRICTIONS desktop = {.UIRestrictionsClass = 0};
	BOOL inside = FALSE;
	const DWORD wanted = JOB_OBJECT_LIMIT_PROCESS_TIME | JOB_OBJECT_LIMIT_PROCESS_MEMORY;
	if (!IsProcessInJob(GetCurrentProcess(), NULL, &inside) || !inside ||
	    !QueryInformationJobObject(NULL, JobObjectExtendedLimitInformation, &job, sizeof(job), NULL))
		return;
	DWORD flags = job.BasicLimitInformation.LimitFlags;
	found->one_process =
		flags & JOB_OBJECT_LIMIT_ACTIVE_PROCESS && job.BasicLimitInformation.ActiveProcessLimit == 1;
	found->memory = (flags & wanted) == wanted && job.ProcessMemoryLimit <= limits->memory_bytes &&
			job.BasicLimitInformation.PerProcessUserTimeLimit.QuadPart <= limits->cpu_seconds * 10000000LL;
	found->desktop =
		QueryInformationJobObject(NULL, JobObjectBasicUIRestrictions, &desktop, sizeof(desktop), NULL) &&
		desktop.UIRestrictionsClass & JOB_OBJECT_UILIMIT_HANDLES;
}

/* ------------------------------------------------------------------ what is given up */

/** No new code, no extensions, nothing loaded from elsewhere; and none of the window system's calls where no thread has made one yet. */
static void give_up_more(struct found *found)
{
	PROCESS_MITIGATION_DYNAMIC_CODE_POLICY code = {.ProhibitDynamicCode = 1};
	PROCESS_MITIGATION_EXTENSION_POINT_DISABLE_POLICY points = {.DisableExtensionPoints = 1};
	PROCESS_MITIGATION_IMAGE_LOAD_POLICY images = {.NoRemoteImages = 1, .NoLowMandatoryLabelImages = 1};
	PROCESS_MITIGATION_SYSTEM_CALL_DISABLE_POLICY calls = {.DisallowWin32kSystemCalls = 1};
	BOOL(WINAPI * set)(PROCESS_MITIGATION_POLICY, PVOID, SIZE_T) = NULL;
	os_function function = os_function_find(L"kernel32.dll", "SetProcessMitigationPolicy");
	memcpy(&set, &function, sizeof(function));
	if (!set)
		return;
	set(ProcessExtensionPointDisablePolicy, &points, sizeof(points));
	set(ProcessImageLoadPolicy, &images, sizeof(images));
	found->no_win32k = set(ProcessSystemCallDisablePolicy, &calls, sizeof(calls));
	found->no_code = set(ProcessDynamicCodePolicy, &code, sizeof(code));
}

/* ------------------------------------------------------------------ the attempts */

typedef NTSTATUS(NTAPI *open_function)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, ULONG, ULONG);

/** Does the system refuse to open what the NT name stands for? Only "access denied" counts, so that a wrong name is no proof. */
static bool is_refused(const wchar_t *name)
{
	const ULONG synchronous = 0x20; /* FILE_SYNCHRONOUS_IO_NONALERT */
	open_function nt_open = NULL;
	os_function function = os_function_find(L"ntdll.dll", "NtOpenFile");
	memcpy(&nt_open, &function, sizeof(function));
	wchar_t text[PATH_CHARACTERS];
	USHORT bytes = (USHORT)(wcslen(name) * sizeof(*name));
	memcpy(text, name, bytes + sizeof(*name));
	UNICODE_STRING path = {.Length = bytes, .MaximumLength = bytes, .Buffer = text};
	OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &path, .Attributes = 0x40};
	IO_STATUS_BLOCK status;
	HANDLE handle = NULL;
	if (!nt_open)
		return false;
	NTSTATUS result = nt_open(&handle, GENERIC_READ | SYNCHRONIZE, &attributes, &status,
				  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, synchronous);
	if (result >= 0)
		CloseHandle(handle);
	return (DWORD)result == SANDBOX_STATUS_DENIED;
}

static bool registry_is_refused(void)
{
	HKEY key = NULL;
	LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters", 0,
				       KEY_READ, &key);
	if (status == ERROR_SUCCESS)
		RegCloseKey(key);
	return status == ERROR_ACCESS_DENIED;
}

/** The file is found before the token is given up, and must then be one that everybody may read: the system's own library. */
static void try_to_get_out(struct found *found, const wchar_t *file)
{
	found->no_file = is_refused(file);
	found->no_socket = is_refused(L"\\Device\\Afd\\marsprobe");
	found->no_registry = registry_is_refused();
}

/* ------------------------------------------------------------------ the whole */

/** The first promise that does not hold; NULL if all do. */
static const char *missing(const struct found *found)
{
	if (!found->restricted)
		return "its token is not restricted";
	if (!found->low)
		return "its integrity level is not low";
	if (!found->one_process || !found->memory)
		return "its job object does not limit it";
	if (!found->no_file)
		return "it could open a file";
	if (!found->no_socket)
		return "it could open a socket";
	if (!found->no_registry)
		return "it could read the registry";
	return NULL;
}

static void describe(const struct found *found, const char *wine, char *what, size_t bytes)
{
	if (wine)
		snprintf(what, bytes,
			 "a process of its own, ended with this one; this is Wine %s, which does not enforce %s%s%s on "
			 "it: "
			 "nothing but the script's language keeps it from files and sockets",
			 wine, found->no_file && found->no_socket ? "" : "its token",
			 found->no_file && found->no_socket ? "" : " or ", "limits of memory and time");
	else
		snprintf(what, bytes,
			 "a process of its own with a restricted token of low integrity, which was refused a file, a "
			 "socket and the registry, in a job object of one process with limited memory and time%s%s%s",
			 found->desktop ? ", without the desktop" : "", found->no_code ? ", without new code" : "",
			 found->no_win32k ? ", without the window system" : "");
}

bool os_sandbox_enter(const struct os_sandbox_limits *limits, char *what, size_t what_bytes, char *reason,
		      size_t reason_bytes)
{
	struct found found = {.restricted = false};
	const char *wine = os_sandbox_wine();
	wchar_t folder[MAX_PATH], file[PATH_CHARACTERS];
	if (!GetSystemDirectoryW(folder, MAX_PATH))
		return os_sandbox_say(reason, reason_bytes, "GetSystemDirectoryW");
	_snwprintf(file, PATH_CHARACTERS - 1, L"\\??\\%ls\\kernel32.dll", folder);
	file[PATH_CHARACTERS - 1] = L'\0';
	look_at_token(&found);
	look_at_job(&found, limits);
	lower_more();
	give_up_more(&found);
	if (!RevertToSelf())
		return os_sandbox_say(reason, reason_bytes, "RevertToSelf");
	try_to_get_out(&found, file);
	const char *lack = missing(&found);
	if (lack && !wine) {
		snprintf(reason, reason_bytes, "the sandbox does not hold: %s", lack);
		return false;
	}
	describe(&found, wine, what, what_bytes);
	return true;
}

size_t os_sandbox_read(void *into, size_t bytes)
{
	DWORD got = 0;
	DWORD most = bytes < INT32_MAX ? (DWORD)bytes : INT32_MAX;
	return ReadFile(GetStdHandle(STD_INPUT_HANDLE), into, most, &got, NULL) ? got : 0;
}

bool os_sandbox_write(const void *bytes, size_t length)
{
	const char *at = bytes;
	while (length > 0) {
		DWORD wrote = 0;
		DWORD step = length < INT32_MAX ? (DWORD)length : INT32_MAX;
		if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), at, step, &wrote, NULL) || !wrote)
			return false;
		at += wrote;
		length -= wrote;
	}
	return true;
}
