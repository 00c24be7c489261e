/* The child's side of a run as LocalSystem: a service that works for its parent, and ends and cleans up when that one is gone. */

#include "probe/os/os_win32_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum {
	EXIT_USAGE = 2,
	EXIT_FAILED = 4,
	ARGUMENT_COUNT = 4, /* program, SYSTEM_ARGUMENT, key, process id */
	POLL_MS = 100,
	PARENT_END_MS = 1000, /* from a killed process's closed handles to its end */
	SHELL_TRIES = 60,     /* of about a second each, for the file of an ended process to become free */
	SHELL_MAX = MAX_PATH + 512,
	CONFIG_MAX_BYTES = 8 * 1024, /* the system's own limit for QueryServiceConfig() */
};

/** One per process, as the service manager calls us without a word of ours. */
static struct {
	wchar_t key[SYSTEM_KEY_DIGITS + 1]; /* of the pipe */
	DWORD parent_id;
	HANDLE parent;
	struct os_link *link;
	wchar_t service[SYSTEM_NAME_MAX];
	SERVICE_STATUS_HANDLE status;
	HANDLE stop; /* an event: the service manager wants us to end */
	LONG leaving;
	void (*work)(struct os_link *link, void *user);
	void *user;
} child;

/* ------------------------------------------------------------------ the end */

static void report(DWORD state, enum system_child_end end)
{
	SERVICE_STATUS status = {
		.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
		.dwCurrentState = state,
		.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0,
		.dwWin32ExitCode = end == SYSTEM_CHILD_DONE ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR,
		.dwServiceSpecificExitCode = end,
	};
	SetServiceStatus(child.status, &status);
}

/** A parent that was killed between the start and the mark has not marked the service for deletion. */
static void delete_service(void)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = manager ? OpenServiceW(manager, child.service, DELETE) : NULL;
	if (service) {
		DeleteService(service);
		CloseServiceHandle(service);
	}
	if (manager)
		CloseServiceHandle(manager);
}

/**
 * Have the system's shell remove our directory once we are gone: a process cannot delete its own image. It works in the folder above,
 * so that only the directory's name, which needs no quotes, is on its command line; ping is how a shell without a console waits.
 */
static void delete_directory(const wchar_t *directory)
{
	wchar_t system[MAX_PATH], shell[MAX_PATH + 16], line[SHELL_MAX], *folder = _wcsdup(directory);
	wchar_t *name = folder ? wcsrchr(folder, L'\\') : NULL;
	STARTUPINFOW startup = {.cb = sizeof(startup)};
	PROCESS_INFORMATION started;
	if (name && GetSystemDirectoryW(system, MAX_PATH)) {
		*name++ = L'\0';
		_snwprintf(shell, sizeof(shell) / sizeof(*shell), L"%ls\\cmd.exe", system);
		_snwprintf(line, SHELL_MAX,
			   L"cmd.exe /d /s /c \"for /l %%i in (1,1,%d) do (rd /s /q %ls & if not exist %ls exit & "
			   L"\"%ls\\ping.exe\" -n 2 127.0.0.1 >nul)\"",
			   SHELL_TRIES, name, name, system);
		if (CreateProcessW(shell, line, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, folder, &startup,
				   &started)) {
			CloseHandle(started.hThread);
			CloseHandle(started.hProcess);
		}
	}
	free(folder);
}

static void delete_self(void)
{
	wchar_t *image = malloc(SYSTEM_COMMAND_MAX * sizeof(*image)), *directory = NULL;
	delete_service();
	if (image && GetModuleFileNameW(NULL, image, SYSTEM_COMMAND_MAX) && system_copy_owns(image, &directory))
		delete_directory(directory);
	free(directory);
	free(image);
}

/** Has the parent ended? When its end of the pipe was closed, and not disconnected, it is dying, and its handle tells in a moment. */
static bool parent_is_gone(void)
{
	DWORD state = child.link ? system_link_state(child.link) : ERROR_SUCCESS;
	return !child.parent ||
	       WaitForSingleObject(child.parent, state == ERROR_BROKEN_PIPE ? PARENT_END_MS : 0) == WAIT_OBJECT_0;
}

/** Leave the service manager, and nothing behind; only the first of several threads returns. A live parent cleans up itself; where its
 *  pipe is not there, its id may be another process's by now. */
static void leave(enum system_child_end end)
{
	while (InterlockedExchange(&child.leaving, 1))
		Sleep(INFINITE);
	if (end == SYSTEM_CHILD_NO_PIPE || parent_is_gone())
		delete_self();
	report(SERVICE_STOPPED, end);
}

/** The thread that ends this process, whatever work() is doing: ExitProcess() would wait for locks that work() may hold. That the parent
 *  cut the link is no failure, which the event log would have as one (7024). */
static DWORD WINAPI watch(void *unused)
{
	(void)unused;
	HANDLE ends[] = {child.stop, child.parent};
	while (WaitForMultipleObjects(2, ends, FALSE, POLL_MS) == WAIT_TIMEOUT &&
	       system_link_state(child.link) == ERROR_SUCCESS)
		;
	leave(SYSTEM_CHILD_DONE);
	TerminateProcess(GetCurrentProcess(), EXIT_FAILED);
	return 0;
}

/* ------------------------------------------------------------------ the service */

static DWORD WINAPI control(DWORD code, DWORD type, void *data, void *user)
{
	(void)type, (void)data, (void)user;
	if (code == SERVICE_CONTROL_STOP || code == SERVICE_CONTROL_SHUTDOWN)
		SetEvent(child.stop);
	return code == SERVICE_CONTROL_STOP || code == SERVICE_CONTROL_SHUTDOWN || code == SERVICE_CONTROL_INTERROGATE
		       ? NO_ERROR
		       : ERROR_CALL_NOT_IMPLEMENTED;
}

/** Does the service manager hold the arguments that this process has, for the service that this process is? */
static bool arguments_are_stored(void)
{
	wchar_t wanted[SYSTEM_NAME_MAX * 2];
	DWORD bytes = 0;
	bool same = false;
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = manager ? OpenServiceW(manager, child.service, SERVICE_QUERY_CONFIG) : NULL;
	QUERY_SERVICE_CONFIGW *config = malloc(CONFIG_MAX_BYTES);
	system_arguments(child.key, child.parent_id, wanted, SYSTEM_NAME_MAX * 2);
	if (service && config && QueryServiceConfigW(service, config, CONFIG_MAX_BYTES, &bytes)) {
		size_t length = wcslen(wanted), whole = wcslen(config->lpBinaryPathName);
		same = whole > length && wcscmp(config->lpBinaryPathName + whole - length, wanted) == 0;
	}
	free(config);
	/* an open handle would keep the service from vanishing */
	if (service)
		CloseServiceHandle(service);
	if (manager)
		CloseServiceHandle(manager);
	return same;
}

/** Connect to the parent, and make sure that it is the one that the service manager heard of. */
static enum system_child_end join_parent(void)
{
	child.parent = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, child.parent_id);
	if (!child.parent)
		return SYSTEM_CHILD_NO_PARENT;
	if (!arguments_are_stored())
		return SYSTEM_CHILD_WRONG_ARGUMENTS;
	child.link = system_link_connect(child.key);
	if (!child.link)
		return SYSTEM_CHILD_NO_PIPE;
	/* alive, so its id is still its own */
	if (system_link_peer(child.link) != child.parent_id || WaitForSingleObject(child.parent, 0) != WAIT_TIMEOUT)
		return SYSTEM_CHILD_WRONG_SERVER;
	HANDLE watcher = CreateThread(NULL, 0, watch, NULL, 0, NULL);
	if (!watcher)
		return SYSTEM_CHILD_NO_MEMORY;
	CloseHandle(watcher);
	return SYSTEM_CHILD_DONE;
}

static void WINAPI service_main(DWORD count, wchar_t **arguments)
{
	if (count > 0) /* the service's name, for a service with a process of its own too */
		_snwprintf(child.service, SYSTEM_NAME_MAX - 1, L"%ls", arguments[0]);
	child.stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	child.status = RegisterServiceCtrlHandlerExW(child.service, control, NULL);
	if (!child.status)
		os_exit(EXIT_FAILED);
	report(SERVICE_RUNNING, SYSTEM_CHILD_DONE);
	enum system_child_end end = join_parent();
	if (end == SYSTEM_CHILD_DONE) {
		child.work(child.link, child.user);
		/* stay: if the parent is killed now, nobody else is there to clean up. watch() ends this process. */
		Sleep(INFINITE);
	}
	leave(end);
}

/* ------------------------------------------------------------------ the process */

bool os_system_child_is_wanted(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], SYSTEM_ARGUMENT) == 0;
}

static bool read_arguments(int argc, char **argv)
{
	const size_t length = argc == ARGUMENT_COUNT ? strlen(argv[2]) : 0;
	if (length != SYSTEM_KEY_DIGITS)
		return false;
	for (size_t i = 0; i < length; i++)
		child.key[i] = (wchar_t)(unsigned char)argv[2][i];
	child.parent_id = strtoul(argv[3], NULL, 10);
	return child.parent_id != 0 && system_name_matches(child.key, L"", SYSTEM_KEY_DIGITS);
}

int os_system_child_run(int argc, char **argv, void (*work)(struct os_link *link, void *user), void *user)
{
	wchar_t no_name[] = L"";
	const SERVICE_TABLE_ENTRYW services[] = {{no_name, service_main}, {NULL, NULL}};
	child.work = work;
	child.user = user;
	if (read_arguments(argc, argv) && StartServiceCtrlDispatcherW(services))
		return EXIT_FAILED; /* what counts is what was reported to the service manager */
	fprintf(stderr, "marsprobe: %s is for the service that marsprobe starts by itself; leave it out\n",
		SYSTEM_ARGUMENT);
	return EXIT_USAGE;
}
