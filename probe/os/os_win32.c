/* The process on Windows: its start and end, console, arguments, environment, clocks, threads. Files are in os_win32_file.c, names in
 * os_win32_machine.c, sockets in os_win32_socket.c, the machine's network in os_win32_net.c. */

#include "probe/os/os_win32.h"

#include <bcrypt.h>
#include <conio.h>
#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <shellapi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlhelp32.h>

enum { STREAMS = 2, STREAM_BYTES = 64 * 1024, FILES_MAX = 65536 };

/* ------------------------------------------------------------------ the console */

/** What was found at the start, to be put back at the end. The console outlives the process. */
static struct {
	UINT output_page, input_page;
	struct {
		HANDLE handle;
		bool is_console, takes_escapes;
		DWORD mode;
	} streams[STREAMS];
} console;

static void stream_prepare(size_t index, FILE *file)
{
	HANDLE handle = GetStdHandle(index == 0 ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
	DWORD mode = 0;
	/* A stream that is not buffered writes byte by byte, and a console shows half a character as garbage. */
	setvbuf(file, NULL, _IOFBF, STREAM_BYTES);
	if (_fileno(file) >= 0)
		_setmode(_fileno(file), _O_BINARY);
	if (!GetConsoleMode(handle, &mode))
		return;
	DWORD wanted = mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING;
	console.streams[index].handle = handle;
	console.streams[index].is_console = true;
	console.streams[index].mode = mode;
	console.streams[index].takes_escapes = SetConsoleMode(handle, wanted) != 0;
}

static void console_prepare(void)
{
	console.output_page = GetConsoleOutputCP();
	console.input_page = GetConsoleCP();
	SetConsoleOutputCP(CP_UTF8);
	SetConsoleCP(CP_UTF8);
	stream_prepare(0, stdout);
	stream_prepare(1, stderr);
}

static void console_restore(void)
{
	for (size_t i = STREAMS; i-- > 0;)
		if (console.streams[i].is_console)
			SetConsoleMode(console.streams[i].handle, console.streams[i].mode);
	if (console.output_page)
		SetConsoleOutputCP(console.output_page);
	if (console.input_page)
		SetConsoleCP(console.input_page);
}

bool os_is_terminal(int stream)
{
	return stream >= 1 && stream <= STREAMS && console.streams[stream - 1].takes_escapes;
}

/** Is this process the child of one with that image name? */
static bool parent_is(const wchar_t *name)
{
	PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
	DWORD parent = 0;
	bool found = false;
	HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
	if (list == INVALID_HANDLE_VALUE)
		return false;
	for (BOOL more = Process32FirstW(list, &entry); more; more = Process32NextW(list, &entry))
		if (entry.th32ProcessID == GetCurrentProcessId())
			parent = entry.th32ParentProcessID;
	for (BOOL more = Process32FirstW(list, &entry); more && !found; more = Process32NextW(list, &entry))
		found = entry.th32ProcessID == parent && _wcsicmp(entry.szExeFile, name) == 0;
	CloseHandle(list);
	return found;
}

/* A task that the scheduler starts must not wait for anybody: its parent is no Explorer. */
bool os_window_is_own(void)
{
	DWORD processes[2];
	return console.streams[0].is_console && GetConsoleProcessList(processes, 2) == 1 && parent_is(L"explorer.exe");
}

void os_wait_for_key(int timeout_ms)
{
	HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
	int64_t until_us = os_monotonic_us() + (int64_t)timeout_ms * 1000;
	INPUT_RECORD record;
	DWORD count = 0;
	FlushConsoleInputBuffer(input);
	for (int64_t now_us; (now_us = os_monotonic_us()) < until_us;) {
		if (WaitForSingleObject(input, (DWORD)((until_us - now_us) / 1000)) != WAIT_OBJECT_0 ||
		    !ReadConsoleInputW(input, &record, 1, &count))
			return;
		if (record.EventType == KEY_EVENT && record.Event.KeyEvent.bKeyDown)
			return;
	}
}

/* ------------------------------------------------------------------ the start, the end */

void os_start(void)
{
	WSADATA data;
	/* The folder of the program may be anybody's (Downloads), and so may be the current one. */
	SetDllDirectoryW(L"");
	SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX);
	WSAStartup(MAKEWORD(2, 2), &data);
	console_prepare();
}

void os_exit(int status)
{
	/* these two alone: fflush(NULL) would wait for a stream that an abandoned look-up holds locked */
	fflush(stdout);
	fflush(stderr);
	console_restore();
	/* ExitProcess() tells every DLL, and waits for locks that a hanging thread may hold */
	TerminateProcess(GetCurrentProcess(), (UINT)status);
	for (;;)
		Sleep(INFINITE);
}

/* ------------------------------------------------------------------ what the process was given */

static char **argument_list;
static int argument_count;
static const char *const *environment_list;

static BOOL CALLBACK arguments_read(INIT_ONCE *once, void *parameter, void **context)
{
	(void)once, (void)parameter, (void)context;
	int count = 0;
	wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
	char **list = wide ? calloc((size_t)count + 1, sizeof(*list)) : NULL;
	for (int i = 0; list && i < count; i++) {
		list[i] = os_narrow(wide[i]);
		if (!list[i])
			return FALSE;
	}
	LocalFree(wide);
	argument_list = list;
	argument_count = count;
	return list != NULL;
}

char **os_arguments(int argc, char **argv, int *count)
{
	static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
	bool read = InitOnceExecuteOnce(&once, arguments_read, NULL, NULL);
	*count = read ? argument_count : argc;
	return read ? argument_list : argv;
}

/** "=C:=C:\\Users" and "=ExitCode=0" are cmd's own notes, not variables. */
static bool is_variable(const wchar_t *entry)
{
	return entry[0] != L'=';
}

static BOOL CALLBACK environment_read(INIT_ONCE *once, void *parameter, void **context)
{
	(void)once, (void)parameter, (void)context;
	wchar_t *block = GetEnvironmentStringsW();
	size_t count = 0, filled = 0;
	for (const wchar_t *at = block; at && *at; at += wcslen(at) + 1)
		count++;
	char **list = calloc(count + 1, sizeof(*list));
	for (const wchar_t *at = block; list && at && *at; at += wcslen(at) + 1) {
		char *entry = is_variable(at) ? os_narrow(at) : NULL;
		if (entry)
			list[filled++] = entry;
	}
	FreeEnvironmentStringsW(block);
	environment_list = (const char *const *)list;
	return list != NULL;
}

const char *const *os_environment(void)
{
	static const char *const nothing[] = {NULL};
	static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
	return InitOnceExecuteOnce(&once, environment_read, NULL, NULL) ? environment_list : nothing;
}

const char *os_environment_get(const char *name)
{
	size_t length = strlen(name);
	for (const char *const *entry = os_environment(); *entry; entry++)
		if (_strnicmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

/* ------------------------------------------------------------------ clocks, chance */

int64_t os_wall_us(void)
{
	const uint64_t from_1601_to_1970 = 116444736000000000ULL; /* in 100 ns, as FILETIME counts */
	FILETIME now;
	GetSystemTimePreciseAsFileTime(&now);
	return (int64_t)((((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) - from_1601_to_1970) / 10);
}

int64_t os_monotonic_us(void)
{
	LARGE_INTEGER ticks, per_second;
	QueryPerformanceCounter(&ticks);
	QueryPerformanceFrequency(&per_second);
	int64_t seconds = ticks.QuadPart / per_second.QuadPart, rest = ticks.QuadPart % per_second.QuadPart;
	return seconds * 1000000 + rest * 1000000 / per_second.QuadPart;
}

bool os_random(void *out, size_t bytes)
{
	unsigned char *at = out;
	while (bytes > 0) {
		ULONG step = bytes < INT32_MAX ? (ULONG)bytes : INT32_MAX;
		if (BCryptGenRandom(NULL, at, step, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0)
			return false;
		at += step;
		bytes -= step;
	}
	return true;
}

/* Sockets are handles here; a process may have millions. */
size_t os_files_max(void)
{
	return FILES_MAX;
}

/* ------------------------------------------------------------------ threads */

struct thread_start {
	void (*run)(void *);
	void *argument;
};

static unsigned __stdcall thread_main(void *memory)
{
	struct thread_start start = *(struct thread_start *)memory;
	free(memory);
	start.run(start.argument);
	return 0;
}

bool os_thread_detached(void (*run)(void *), void *argument)
{
	struct thread_start *start = malloc(sizeof(*start));
	if (!start)
		return false;
	*start = (struct thread_start){run, argument};
	HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, thread_main, start, 0, NULL);
	if (thread)
		CloseHandle(thread);
	else
		free(start);
	return thread != NULL;
}

os_function os_function_find(const wchar_t *dll, const char *name)
{
	HMODULE module = GetModuleHandleW(dll);
	os_function found = NULL;
	FARPROC address = module ? GetProcAddress(module, name) : NULL;
	memcpy(&found, &address, sizeof(found)); /* a cast between function types is what the strict set refuses */
	return found;
}
