#ifndef MARSPROBE_TESTS_WINDOWS_SYSTEM_RUN_H
#define MARSPROBE_TESTS_WINDOWS_SYSTEM_RUN_H

/*
 * What the tests of the run as LocalSystem share. Such a test links the os floor alone, and is three programs in one: the test, the parent
 * of runs that it kills (--parent, --idle), and the service (as os_system_child_is_wanted() says). It needs an elevated prompt, or Wine, and
 * removes what killed runs of marsprobe left on the machine.
 */

#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>

#include "probe/os/os_win32_system.h"
#include "tests/unit/check.h"

enum {
	TIMEOUT_MS = 30000,
	BIG_BYTES = 5 * 1024 * 1024,
	MESSAGE_MAX = 64 * 1024 * 1024,
};

static char user_mark[] = "handed through";

/* ------------------------------------------------------------------ the service */

static inline char big_byte(size_t at)
{
	return (char)(at * 31 % 251);
}

static inline char *big_message(void)
{
	char *bytes = malloc(BIG_BYTES);
	for (size_t i = 0; i < BIG_BYTES; i++)
		bytes[i] = big_byte(i);
	return bytes;
}

static inline bool is_big_message(const char *bytes, size_t length)
{
	if (!bytes || length != BIG_BYTES)
		return false;
	for (size_t i = 0; i < BIG_BYTES; i++)
		if (bytes[i] != big_byte(i))
			return false;
	return true;
}

static inline DWORD WINAPI send_big(void *link)
{
	char *bytes = big_message();
	bool sent = os_link_send(link, bytes, BIG_BYTES);
	free(bytes);
	return sent;
}

/** Both sides send 5 MB at once, each on a thread of its own. */
static inline bool exchange_big(struct os_link *link)
{
	size_t length = 0;
	DWORD sent = 0;
	HANDLE sender = CreateThread(NULL, 0, send_big, link, 0, NULL);
	char *bytes = os_link_receive(link, MESSAGE_MAX, &length);
	WaitForSingleObject(sender, INFINITE);
	GetExitCodeThread(sender, &sent);
	CloseHandle(sender);
	bool good = sent && is_big_message(bytes, length);
	free(bytes);
	return good;
}

/** Echo all messages, until one says otherwise. */
static inline void work(struct os_link *link, void *user)
{
	size_t length = 0;
	bool go_on = user == user_mark;
	while (go_on) {
		char *message = os_link_receive(link, MESSAGE_MAX, &length);
		go_on = message && strcmp(message, "end") != 0;
		if (go_on && strcmp(message, "hang") == 0)
			Sleep(INFINITE);
		else if (go_on && strcmp(message, "exchange") == 0)
			go_on = exchange_big(link);
		else if (go_on)
			go_on = os_link_send(link, message, length);
		free(message);
	}
	os_link_send(link, "last", 4);
}

/* ------------------------------------------------------------------ what is left */

/** How many services have such a name, whatever their state? name gets the last one's. */
static inline int services(const wchar_t *prefix, wchar_t *name, size_t characters)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE);
	DWORD bytes = 0, count = 0, resume = 0;
	int found = 0;
	EnumServicesStatusExW(manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32, SERVICE_STATE_ALL, NULL, 0, &bytes, &count,
			      &resume, NULL);
	ENUM_SERVICE_STATUS_PROCESSW *all = malloc(bytes);
	resume = 0;
	if (!EnumServicesStatusExW(manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32, SERVICE_STATE_ALL, (BYTE *)all, bytes,
				   &bytes, &count, &resume, NULL))
		found = -1;
	for (DWORD i = 0; found >= 0 && i < count; i++) {
		if (_wcsnicmp(all[i].lpServiceName, prefix, wcslen(prefix)) != 0)
			continue;
		found++;
		if (name)
			_snwprintf(name, characters, L"%ls", all[i].lpServiceName);
	}
	free(all);
	CloseServiceHandle(manager);
	return found;
}

static inline int directories(void)
{
	WIN32_FIND_DATAW found;
	int count = 0;
	HANDLE search = FindFirstFileW(L"C:\\Program Files\\marsprobe-*", &found);
	for (BOOL more = search != INVALID_HANDLE_VALUE; more; more = FindNextFileW(search, &found))
		count++;
	FindClose(search);
	return count;
}

static inline bool nothing_is_left(void)
{
	return services(L"marsprobe-system-", NULL, 0) == 0 && directories() == 0;
}

static inline bool all_goes(DWORD wait_ms)
{
	for (ULONGLONG deadline = GetTickCount64() + wait_ms; !nothing_is_left(); Sleep(100))
		if (GetTickCount64() >= deadline)
			return false;
	return true;
}

/* ------------------------------------------------------------------ a run */

static inline struct os_system_run *start(void)
{
	char reason[512] = "";
	struct os_system_run *run = os_system_run_start(TIMEOUT_MS, reason, sizeof(reason));
	CHECK(run != NULL);
	CHECK_TEXT(reason, "");
	return run;
}

static inline void end(struct os_system_run *run)
{
	char reason[512] = "";
	CHECK(os_system_run_end(run, reason, sizeof(reason)));
	CHECK_TEXT(reason, "");
	CHECK(nothing_is_left());
}

/* ------------------------------------------------------------------ other processes */

static inline HANDLE spawn(const wchar_t *argument)
{
	wchar_t image[MAX_PATH], line[MAX_PATH + 64];
	STARTUPINFOW startup = {.cb = sizeof(startup)};
	PROCESS_INFORMATION started = {0};
	GetModuleFileNameW(NULL, image, MAX_PATH);
	_snwprintf(line, MAX_PATH + 64, L"\"%ls\" %ls", image, argument);
	CHECK(CreateProcessW(image, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &started));
	CloseHandle(started.hThread);
	return started.hProcess;
}

/** What --parent and --idle do: a run whose child hangs, or has done its work, until somebody kills this process. */
static inline int be_parent(const char *order)
{
	char reason[512] = "";
	struct os_system_run *run = os_system_run_start(TIMEOUT_MS, reason, sizeof(reason));
	if (!run || !os_link_send(os_system_run_link(run), order, strlen(order))) {
		printf("parent: %s\n", reason);
		fflush(stdout);
		return 1;
	}
	Sleep(INFINITE);
	return 0;
}

static inline void kill_parent(HANDLE parent)
{
	TerminateProcess(parent, 1);
	WaitForSingleObject(parent, INFINITE);
	CloseHandle(parent);
}

/** A test's main(): be whatever this process was started for, the test itself if for nothing else. */
static inline int system_run_main(int argc, char **argv, void (*test)(void))
{
	if (os_system_child_is_wanted(argc, argv))
		return os_system_child_run(argc, argv, work, user_mark);
	if (argc > 1 && strcmp(argv[1], "--sleep") == 0)
		Sleep(INFINITE);
	if (argc > 1)
		return be_parent(strcmp(argv[1], "--idle") == 0 ? "end" : "hang");
	CHECK_INT(os_system_run_right(), OS_SYSTEM_MAY_RUN);
	test();
	return check_summary();
}

#endif
