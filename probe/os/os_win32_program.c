/* Running one of Windows' own programs, and reading what it prints. */

#include "probe/os/os_win32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/os/os_machine.h"

enum { LOOK_EVERY_MS = 20, FOLDER_CHARACTERS = MAX_PATH, COMMAND_CHARACTERS = 32767 };

static char *system_folder;

static BOOL CALLBACK find_system_folder(INIT_ONCE *once, void *parameter, void **context)
{
	wchar_t wide[FOLDER_CHARACTERS];
	(void)once, (void)parameter, (void)context;
	UINT length = GetSystemDirectoryW(wide, FOLDER_CHARACTERS);
	if (length > 0 && length < FOLDER_CHARACTERS)
		system_folder = os_narrow(wide);
	return system_folder != NULL;
}

const char *os_system_folder(void)
{
	static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
	InitOnceExecuteOnce(&once, find_system_folder, NULL, NULL);
	return system_folder;
}

bool os_path_exists(const char *path)
{
	wchar_t *wide = os_wide_path(path);
	bool exists = wide && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
	free(wide);
	return exists;
}

/* ------------------------------------------------------------------ the process */

struct program {
	HANDLE process, job; /* the job holds whatever the program starts */
	HANDLE output;	     /* our end of its stdout */
};

static HANDLE inheritable_nul(DWORD access)
{
	SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
	return CreateFileW(L"NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0, NULL);
}

/** Only these handles reach the new process: another thread may be opening inheritable ones at the same time. */
static bool create(struct program *program, const wchar_t *path, wchar_t *command, HANDLE handles[3])
{
	STARTUPINFOEXW start = {.StartupInfo = {.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES}};
	PROCESS_INFORMATION made = {0};
	wchar_t folder[FOLDER_CHARACTERS];
	SIZE_T bytes = 0;
	InitializeProcThreadAttributeList(NULL, 1, 0, &bytes);
	start.lpAttributeList = malloc(bytes);
	if (!start.lpAttributeList || !GetSystemDirectoryW(folder, FOLDER_CHARACTERS) ||
	    !InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &bytes)) {
		free(start.lpAttributeList);
		return false;
	}
	start.StartupInfo.hStdInput = handles[0];
	start.StartupInfo.hStdOutput = handles[1];
	start.StartupInfo.hStdError = handles[2];
	bool started = UpdateProcThreadAttribute(start.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles,
						 3 * sizeof(*handles), NULL, NULL) &&
		       CreateProcessW(path, command, NULL, NULL, TRUE,
				      CREATE_NO_WINDOW | CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT, NULL, folder,
				      &start.StartupInfo, &made);
	DeleteProcThreadAttributeList(start.lpAttributeList);
	free(start.lpAttributeList);
	if (!started)
		return false;
	program->process = made.hProcess;
	AssignProcessToJobObject(program->job, made.hProcess);
	ResumeThread(made.hThread);
	CloseHandle(made.hThread);
	return true;
}

static void close_if(HANDLE handle)
{
	if (handle && handle != INVALID_HANDLE_VALUE)
		CloseHandle(handle);
}

static bool start(struct program *program, const wchar_t *path, wchar_t *command)
{
	SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
		.BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};
	HANDLE write_end = NULL;
	program->job = CreateJobObjectW(NULL, NULL);
	if (!program->job || !CreatePipe(&program->output, &write_end, &inherit, 0))
		return false;
	SetHandleInformation(program->output, HANDLE_FLAG_INHERIT, 0);
	SetInformationJobObject(program->job, JobObjectExtendedLimitInformation, &limits, sizeof(limits));
	HANDLE handles[3] = {inheritable_nul(GENERIC_READ), write_end, inheritable_nul(GENERIC_WRITE)};
	bool started = create(program, path, command, handles);
	for (size_t i = 0; i < 3; i++)
		close_if(handles[i]);
	return started;
}

/* ------------------------------------------------------------------ its output */

/** Take what is there now; the reader that fell behind drops the rest. False once nobody can write any more. */
static bool take_output(const struct program *program, char *out, size_t bytes, size_t *length)
{
	char rest[4096];
	DWORD waiting = 0, got = 0;
	if (!PeekNamedPipe(program->output, NULL, 0, NULL, &waiting, NULL))
		return false;
	while (waiting > 0) {
		size_t room = bytes - 1 - *length;
		char *into = room ? out + *length : rest;
		DWORD most = (DWORD)(room && room < sizeof(rest) ? room : sizeof(rest));
		if (!ReadFile(program->output, into, waiting < most ? waiting : most, &got, NULL) || !got)
			return false;
		*length += room ? got : 0;
		waiting -= got;
	}
	return true;
}

/** Until the program ends, or its time is over. */
static bool wait_for(const struct program *program, int timeout_ms, char *out, size_t bytes)
{
	DWORD status = STILL_ACTIVE;
	size_t length = 0;
	ULONGLONG end = GetTickCount64() + (ULONGLONG)timeout_ms;
	bool ended = false;
	while (!ended && GetTickCount64() < end) {
		ended = WaitForSingleObject(program->process, LOOK_EVERY_MS) == WAIT_OBJECT_0;
		take_output(program, out, bytes, &length);
	}
	out[length] = '\0';
	return ended && GetExitCodeProcess(program->process, &status) && status == 0;
}

bool os_run_program(const char *program, const char *arguments, int timeout_ms, char *out, size_t bytes)
{
	struct program running = {0};
	bool done = false;
	wchar_t *path = os_wide(program), *rest = os_wide(arguments);
	wchar_t *command = path && rest ? malloc(COMMAND_CHARACTERS * sizeof(*command)) : NULL;
	out[0] = '\0';
	if (command && wcslen(path) + wcslen(rest) + sizeof("\"\" ") < COMMAND_CHARACTERS) {
		swprintf(command, COMMAND_CHARACTERS, L"\"%ls\" %ls", path, rest);
		done = start(&running, path, command) && wait_for(&running, timeout_ms, out, bytes);
	}
	close_if(running.job); /* ends what still runs */
	close_if(running.process);
	close_if(running.output);
	free(command);
	free(path);
	free(rest);
	return done;
}
