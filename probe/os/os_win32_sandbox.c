/*
 * The sandbox on Windows, from outside: the program once more, with
 *
 *   - a primary token that opens nothing: every group and the account itself can only deny, no privilege, and the SID of nobody (S-1-0-0) as
 *     its only restricting SID, so that no access list grants it anything; low integrity;
 *   - for its first thread, until that gives it up in os_sandbox_enter(), a token restricted to the groups that it has: with it the system's
 *     loader finds its libraries;
 *   - a job: one process, so much memory, so much time, nothing of the desktop, and the end of it all with us;
 *   - no handle but its two pipes, no window, no console, no environment.
 *
 * What happens inside is in os_win32_sandbox_enter.c.
 */

#include "probe/os/os_sandbox.h"

#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/os/os_win32_sandbox.h"

enum { ATTRIBUTES = 3, ENDED_BY_US = 0x4d415253, MOMENT_MS = 200, KILL_MS = 5000, COMMAND_CHARACTERS = 32767 };

struct os_sandboxed {
	HANDLE process, job;
	unsigned cpu_seconds;
};

/** What the start needs, and gives back at its end. */
struct start {
	HANDLE own, locked, loading; /* tokens: ours, the process's, its first thread's */
	HANDLE pipes[2];	     /* inheritable copies */
	HANDLE job;
	PROCESS_INFORMATION made;
	const char *failed; /* the function that did */
};

const char *os_sandbox_wine(void)
{
	const char *(__cdecl * get_version)(void) = NULL;
	os_function found = os_function_find(L"ntdll.dll", "wine_get_version");
	memcpy(&get_version, &found, sizeof(found));
	return get_version ? get_version() : NULL;
}

bool os_sandbox_say(char *reason, size_t bytes, const char *doing)
{
	char text[256];
	os_error_text(GetLastError(), text, sizeof(text));
	snprintf(reason, bytes, "%s: %s", doing, text);
	return false;
}

static bool failed(struct start *start, const char *function)
{
	start->failed = function;
	return false;
}

static void close_if(HANDLE handle)
{
	if (handle)
		CloseHandle(handle);
}

/* ------------------------------------------------------------------ tokens */

/** A variable part of a token, malloc()ed; NULL with GetLastError(). */
static void *token_part(HANDLE token, TOKEN_INFORMATION_CLASS part)
{
	DWORD bytes = 0;
	GetTokenInformation(token, part, NULL, 0, &bytes);
	void *memory = bytes ? malloc(bytes) : NULL;
	if (memory && GetTokenInformation(token, part, memory, bytes, &bytes))
		return memory;
	free(memory);
	return NULL;
}

/** Low integrity: S-1-16-4096. */
static bool lower(HANDLE token)
{
	BYTE sid[SANDBOX_SID_BYTES];
	DWORD bytes = sizeof(sid);
	TOKEN_MANDATORY_LABEL label = {.Label = {.Sid = (PSID)sid, .Attributes = SE_GROUP_INTEGRITY}};
	return CreateWellKnownSid(WinLowLabelSid, NULL, label.Label.Sid, &bytes) &&
	       SetTokenInformation(token, TokenIntegrityLevel, &label, (DWORD)sizeof(label) + bytes);
}

/** The account and its groups as a list, without the integrity label among them. malloc()ed; it points into user and groups. */
static SID_AND_ATTRIBUTES *list_sids(const TOKEN_USER *user, const TOKEN_GROUPS *groups, DWORD *count)
{
	SID_AND_ATTRIBUTES *list = calloc((size_t)groups->GroupCount + 1, sizeof(*list));
	*count = 0;
	if (!list)
		return NULL;
	list[(*count)++].Sid = user->User.Sid;
	for (DWORD i = 0; i < groups->GroupCount; i++)
		if (!(groups->Groups[i].Attributes & SE_GROUP_INTEGRITY))
			list[(*count)++].Sid = groups->Groups[i].Sid;
	return list;
}

/** The process's token: everybody in it only denies, and nobody is what it is restricted to. */
static bool make_locked(struct start *start, SID_AND_ATTRIBUTES *sids, DWORD count)
{
	BYTE nobody[SANDBOX_SID_BYTES];
	DWORD bytes = sizeof(nobody);
	SID_AND_ATTRIBUTES restricting = {.Sid = (PSID)nobody};
	return (CreateWellKnownSid(WinNullSid, NULL, restricting.Sid, &bytes) &&
		CreateRestrictedToken(start->own, DISABLE_MAX_PRIVILEGE, count, sids, 0, NULL, 1, &restricting,
				      &start->locked) &&
		lower(start->locked)) ||
	       failed(start, "a token that opens nothing");
}

/** The first thread's token: the same access as ours, but restricted, as the system lets a restricted process take no other. */
static bool make_loading(struct start *start, SID_AND_ATTRIBUTES *sids, DWORD count)
{
	HANDLE primary = NULL;
	bool made = CreateRestrictedToken(start->own, DISABLE_MAX_PRIVILEGE, 0, NULL, 0, NULL, count, sids, &primary) &&
		    lower(primary) &&
		    DuplicateTokenEx(primary, TOKEN_IMPERSONATE | TOKEN_QUERY, NULL, SecurityImpersonation,
				     TokenImpersonation, &start->loading);
	DWORD error = GetLastError();
	close_if(primary);
	SetLastError(error);
	return made || failed(start, "a token to load its libraries with");
}

static bool make_tokens(struct start *start)
{
	DWORD count = 0;
	if (!OpenProcessToken(GetCurrentProcess(),
			      TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY | TOKEN_QUERY | TOKEN_ADJUST_DEFAULT |
				      TOKEN_IMPERSONATE,
			      &start->own))
		return failed(start, "OpenProcessToken");
	TOKEN_USER *user = token_part(start->own, TokenUser);
	TOKEN_GROUPS *groups = token_part(start->own, TokenGroups);
	SID_AND_ATTRIBUTES *sids = user && groups ? list_sids(user, groups, &count) : NULL;
	bool made = sids ? make_locked(start, sids, count) && make_loading(start, sids, count)
			 : failed(start, "GetTokenInformation");
	DWORD error = GetLastError();
	free(sids);
	free(groups);
	free(user);
	SetLastError(error);
	return made;
}

/* ------------------------------------------------------------------ the job */

static bool make_job(struct start *start, const struct os_sandbox_limits *limits)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION extended = {
		.BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE |
							JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION |
							JOB_OBJECT_LIMIT_ACTIVE_PROCESS |
							JOB_OBJECT_LIMIT_PROCESS_TIME | JOB_OBJECT_LIMIT_PROCESS_MEMORY,
					  .ActiveProcessLimit = 1,
					  .PerProcessUserTimeLimit = {.QuadPart = limits->cpu_seconds * 10000000LL}},
		.ProcessMemoryLimit = limits->memory_bytes,
	};
	start->job = CreateJobObjectW(NULL, NULL);
	return (start->job &&
		SetInformationJobObject(start->job, JobObjectExtendedLimitInformation, &extended, sizeof(extended))) ||
	       failed(start, "a job object");
}

static bool restrict_desktop(const struct start *start, DWORD restrictions)
{
	JOBOBJECT_BASIC_UI_RESTRICTIONS desktop = {.UIRestrictionsClass = restrictions};
	return SetInformationJobObject(start->job, JobObjectBasicUIRestrictions, &desktop, (DWORD)sizeof(desktop));
}

/* ------------------------------------------------------------------ the process */

static bool copy_pipe(struct start *start, size_t at, int descriptor)
{
	HANDLE own = (HANDLE)_get_osfhandle(descriptor);
	if (own == INVALID_HANDLE_VALUE)
		SetLastError(ERROR_INVALID_HANDLE);
	return (own != INVALID_HANDLE_VALUE && DuplicateHandle(GetCurrentProcess(), own, GetCurrentProcess(),
							       &start->pipes[at], 0, TRUE, DUPLICATE_SAME_ACCESS)) ||
	       failed(start, "its pipes");
}

/** The command line; NULL where the path of this program cannot be had. malloc()ed. */
static wchar_t *make_command(wchar_t *path, const char *argument)
{
	wchar_t *command = malloc(2 * COMMAND_CHARACTERS * sizeof(*command));
	DWORD length = GetModuleFileNameW(NULL, path, COMMAND_CHARACTERS);
	if (!command || !length || length >= COMMAND_CHARACTERS) {
		free(command);
		return NULL;
	}
	_snwprintf(command, 2 * COMMAND_CHARACTERS - 1, L"\"%ls\" %hs", path, argument);
	command[2 * COMMAND_CHARACTERS - 1] = L'\0';
	return command;
}

/**
 * In the job from its first moment, and suspended, so that nothing of it runs before it has its tokens: whenever we are killed, it goes too.
 * No console: the system would start a second process for one.
 */
static bool create(struct start *start, const wchar_t *path, wchar_t *command, STARTUPINFOEXW *startup)
{
	wchar_t folder[MAX_PATH];
	const DWORD flags =
		CREATE_SUSPENDED | DETACHED_PROCESS | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT;
	wchar_t environment[] = L"\0";
	DWORD restricted = PROCESS_CREATION_CHILD_PROCESS_RESTRICTED;
	LPPROC_THREAD_ATTRIBUTE_LIST list = startup->lpAttributeList;
	if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, start->pipes, sizeof(start->pipes),
				       NULL, NULL))
		return failed(start, "a list of the handles that it gets");
	if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &start->job, sizeof(start->job), NULL,
				       NULL))
		return failed(start, "a place in its job");
	/* the job allows one process anyway */
	UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_CHILD_PROCESS_POLICY, &restricted, sizeof(restricted),
				  NULL, NULL);
	if (!GetSystemDirectoryW(folder, MAX_PATH) ||
	    !CreateProcessAsUserW(start->locked, path, command, NULL, NULL, TRUE, flags, environment, folder,
				  &startup->StartupInfo, &start->made))
		return failed(start, "CreateProcessAsUserW");
	return true;
}

static bool create_process(struct start *start, const char *argument)
{
	STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof(startup),
						  .dwFlags = STARTF_USESTDHANDLES,
						  .hStdInput = start->pipes[0],
						  .hStdOutput = start->pipes[1]}};
	SIZE_T bytes = 0;
	wchar_t *path = malloc(COMMAND_CHARACTERS * sizeof(*path));
	wchar_t *command = path ? make_command(path, argument) : NULL;
	InitializeProcThreadAttributeList(NULL, ATTRIBUTES, 0, &bytes);
	startup.lpAttributeList = command ? malloc(bytes) : NULL;
	bool created = startup.lpAttributeList &&
		       InitializeProcThreadAttributeList(startup.lpAttributeList, ATTRIBUTES, 0, &bytes);
	if (created) {
		created = create(start, path, command, &startup);
		DWORD error = GetLastError();
		DeleteProcThreadAttributeList(startup.lpAttributeList);
		SetLastError(error);
	} else {
		failed(start, "its command line");
	}
	DWORD error = GetLastError();
	free(startup.lpAttributeList);
	free(command);
	free(path);
	SetLastError(error);
	return created;
}

/**
 * The loader of Windows 10 opens libraries in threads of its own, which would not have the first thread's token; with one thread it does
 * not. The field has no documented way to be set: it is looked at first, and left alone where it does not look right; a process that then
 * cannot load its libraries ends with that as the reason, and no script is run.
 */
static void load_in_one_thread(HANDLE process)
{
	enum { PARAMETERS_AT = 0x20, LOADER_THREADS_AT = 0x40c };
	struct {
		LONG_PTR status, peb, other[4];
	} basic = {0};
	struct {
		ULONG maximum, length;
	} sizes = {0};
	LONG(WINAPI * query)(HANDLE, int, void *, ULONG, ULONG *) = NULL;
	os_function found = os_function_find(L"ntdll.dll", "NtQueryInformationProcess");
	memcpy(&query, &found, sizeof(found));
	char *parameters = NULL;
	ULONG threads = 1;
	SIZE_T got = 0;
	if (os_sandbox_wine() || !query || query(process, 0, &basic, sizeof(basic), NULL) != 0 ||
	    !ReadProcessMemory(process, (char *)basic.peb + PARAMETERS_AT, &parameters, sizeof(parameters), &got) ||
	    !ReadProcessMemory(process, parameters, &sizes, sizeof(sizes), &got) ||
	    sizes.length < LOADER_THREADS_AT + sizeof(threads) || sizes.length > sizes.maximum ||
	    !ReadProcessMemory(process, parameters + LOADER_THREADS_AT, &threads, sizeof(threads), &got) ||
	    threads != 0)
		return;
	threads = 1;
	WriteProcessMemory(process, parameters + LOADER_THREADS_AT, &threads, sizeof(threads), &got);
}

/** A process that is in a job of somebody's already, as its parent was, enters ours only if that restricts nothing of the desktop. */
static bool create_in_job(struct start *start, const char *argument)
{
	static const DWORD desktop = JOB_OBJECT_UILIMIT_DESKTOP | JOB_OBJECT_UILIMIT_DISPLAYSETTINGS |
				     JOB_OBJECT_UILIMIT_EXITWINDOWS | JOB_OBJECT_UILIMIT_GLOBALATOMS |
				     JOB_OBJECT_UILIMIT_HANDLES | JOB_OBJECT_UILIMIT_READCLIPBOARD |
				     JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS | JOB_OBJECT_UILIMIT_WRITECLIPBOARD;
	BOOL inside = FALSE;
	bool is_set = restrict_desktop(start, desktop);
	if (!create_process(start, argument) &&
	    !(is_set && restrict_desktop(start, 0) && create_process(start, argument)))
		return false;
	return (IsProcessInJob(start->made.hProcess, start->job, &inside) && inside) || failed(start, "IsProcessInJob");
}

static bool start_process(struct start *start, const char *argument)
{
	if (!create_in_job(start, argument))
		return false;
	load_in_one_thread(start->made.hProcess);
	if (!SetThreadToken(&start->made.hThread, start->loading) && !os_sandbox_wine())
		return failed(start, "SetThreadToken");
	return ResumeThread(start->made.hThread) != (DWORD)-1 || failed(start, "ResumeThread");
}

static void finish(struct start *start, bool started)
{
	if (!started && start->made.hProcess)
		TerminateProcess(start->made.hProcess, ENDED_BY_US);
	close_if(start->own);
	close_if(start->locked);
	close_if(start->loading);
	close_if(start->pipes[0]);
	close_if(start->pipes[1]);
	close_if(start->made.hThread);
	close_if(started ? NULL : start->made.hProcess);
	close_if(started ? NULL : start->job);
}

struct os_sandboxed *os_sandbox_start(const char *argument, const struct os_sandbox_limits *limits, int in, int out,
				      char *reason, size_t reason_bytes)
{
	struct start start = {.failed = "its memory"};
	struct os_sandboxed *sandboxed = malloc(sizeof(*sandboxed));
	bool started = sandboxed && make_tokens(&start) && make_job(&start, limits) && copy_pipe(&start, 0, in) &&
		       copy_pipe(&start, 1, out) && start_process(&start, argument);
	if (started)
		*sandboxed = (struct os_sandboxed){start.made.hProcess, start.job, limits->cpu_seconds};
	else
		os_sandbox_say(reason, reason_bytes, start.failed);
	finish(&start, started);
	if (started)
		return sandboxed;
	free(sandboxed);
	return NULL;
}

/* ------------------------------------------------------------------ the end */

static bool used_up_time(const struct os_sandboxed *sandboxed)
{
	FILETIME created, ended, kernel, user;
	if (!GetProcessTimes(sandboxed->process, &created, &ended, &kernel, &user))
		return false;
	return ((ULONGLONG)user.dwHighDateTime << 32 | user.dwLowDateTime) >= sandboxed->cpu_seconds * 10000000ULL;
}

/** Codes from 0xc0000000 on are the system's: it ended the process. */
static enum os_sandbox_end end_by_status(const struct os_sandboxed *sandboxed, DWORD status)
{
	if (status == ENDED_BY_US)
		return OS_SANDBOX_KILLED;
	if (used_up_time(sandboxed))
		return OS_SANDBOX_CPU_TIME;
	if (status == SANDBOX_STATUS_NO_MEMORY || status == SANDBOX_STATUS_COMMITMENT_LIMIT)
		return OS_SANDBOX_MEMORY;
	if (status == SANDBOX_STATUS_DENIED)
		return OS_SANDBOX_FORBIDDEN;
	return status >= 0xc0000000 ? OS_SANDBOX_CRASHED : OS_SANDBOX_EXITED;
}

struct os_sandbox_death os_sandbox_end(struct os_sandboxed *sandboxed, bool is_ending)
{
	struct os_sandbox_death death = {.end = OS_SANDBOX_EXITED};
	DWORD status = ENDED_BY_US;
	if (!sandboxed)
		return death;
	if (WaitForSingleObject(sandboxed->process, is_ending ? MOMENT_MS : 0) != WAIT_OBJECT_0)
		TerminateProcess(sandboxed->process, ENDED_BY_US);
	WaitForSingleObject(sandboxed->process, KILL_MS);
	GetExitCodeProcess(sandboxed->process, &status);
	death.end = end_by_status(sandboxed, status);
	death.status = (int)status;
	snprintf(death.how, sizeof(death.how), status < 256 ? "exit status %lu" : "status 0x%lx", status);
	CloseHandle(sandboxed->process);
	CloseHandle(sandboxed->job);
	free(sandboxed);
	return death;
}
