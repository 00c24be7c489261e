/* The run as LocalSystem when its parent is killed at any moment, and when strangers come to its pipe. */

#include "tests/windows/system_run.h"

enum {
	KILLS = 10,
	GONE_MS = 15000, /* the shell that removes a killed run's directory tries once a second */
};

/* ------------------------------------------------------------------ killed parents */

static void check_killed_parent(const wchar_t *argument)
{
	HANDLE parent = spawn(argument);
	for (int i = 0; i < 100 && services(L"marsprobe-system-", NULL, 0) == 0; i++)
		Sleep(100);
	Sleep(2000);
	CHECK_INT(services(L"marsprobe-system-", NULL, 0), 1);
	CHECK(WaitForSingleObject(parent, 0) == WAIT_TIMEOUT);
	kill_parent(parent);
	CHECK(all_goes(GONE_MS));
}

/** Kill at ten moments of the start, then run once: whatever the moment left is gone. */
static void check_kills_at_any_moment(void)
{
	ULONGLONG before = GetTickCount64();
	struct os_system_run *run = start();
	ULONGLONG start_ms = GetTickCount64() - before;
	int left_something = 0;
	end(run);
	printf("a run starts in %llu ms\n", start_ms);
	for (ULONGLONG i = 0; i < KILLS; i++) {
		HANDLE parent = spawn(L"--parent");
		Sleep((DWORD)(i * start_ms * 2 / KILLS)); /* half of it is the start of the process itself */
		kill_parent(parent);
		left_something += !nothing_is_left();
	}
	printf("%d of %d kills left something for a moment\n", left_something, KILLS);
	/* the service manager may be starting the last one just now; what it starts cleans up by itself, the next run does the rest */
	all_goes(GONE_MS);
	run = start();
	end(run);
}

/** Kill as soon as the service is to be seen: it is created, and not yet started or not yet marked for deletion. */
static void check_kills_after_the_creation(void)
{
	int stopped = 0;
	for (int i = 0; i < KILLS; i++) {
		HANDLE parent = spawn(L"--parent");
		for (ULONGLONG deadline = GetTickCount64() + TIMEOUT_MS;
		     services(L"marsprobe-system-", NULL, 0) == 0 && GetTickCount64() < deadline;)
			;
		kill_parent(parent);
		if (all_goes(GONE_MS / 5))
			continue;
		stopped++;
		end(start());
	}
	printf("%d of %d kills after the creation left a stopped service for the next run\n", stopped, KILLS);
}

/* ------------------------------------------------------------------ strangers */

/** Find the pipe's key as anybody could, in the service's command line, and connect before the service does. */
static DWORD WINAPI intrude(void *connected)
{
	HANDLE *pipe = connected;
	wchar_t name[64], path[128];
	DWORD bytes = 0;
	QUERY_SERVICE_CONFIGW *config = calloc(1, 8192);
	for (ULONGLONG deadline = GetTickCount64() + 5000;
	     *pipe == INVALID_HANDLE_VALUE && GetTickCount64() < deadline;) {
		SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
		SC_HANDLE service = services(L"marsprobe-system-", name, 64) > 0
					    ? OpenServiceW(manager, name, SERVICE_QUERY_CONFIG)
					    : NULL;
		if (service && QueryServiceConfigW(service, config, 8192, &bytes)) {
			_snwprintf(path, 128, L"\\\\.\\pipe\\marsprobe-%.32ls",
				   wcsstr(config->lpBinaryPathName, L"--system-run ") + 13);
			*pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
			deadline = 0;
		}
		CloseServiceHandle(service);
		CloseServiceHandle(manager);
	}
	free(config);
	return 0;
}

/** A process that is not the service's is not talked to, and says so. It has to win a race, so it gets several tries. */
static void check_intruder(void)
{
	bool refused = false;
	for (int tries = 0; tries < 10 && !refused; tries++) {
		char reason[512] = "", wanted[64];
		HANDLE pipe = INVALID_HANDLE_VALUE, intruder = CreateThread(NULL, 0, intrude, &pipe, 0, NULL);
		struct os_system_run *run = os_system_run_start(TIMEOUT_MS, reason, sizeof(reason));
		WaitForSingleObject(intruder, INFINITE);
		CloseHandle(intruder);
		snprintf(wanted, sizeof(wanted), "process %lu connected to the pipe", GetCurrentProcessId());
		refused = !run && strncmp(reason, wanted, strlen(wanted)) == 0;
		if (pipe != INVALID_HANDLE_VALUE && !refused)
			printf("intruder: %s\n", reason);
		CHECK(refused || pipe == INVALID_HANDLE_VALUE);
		CloseHandle(pipe);
		os_system_run_end(run, reason, sizeof(reason));
		CHECK(nothing_is_left());
	}
	CHECK(refused);
}

/** Start a service by hand that is told of this parent; the service-specific code that it ends with. */
static DWORD end_of_service(const wchar_t *key, DWORD parent)
{
	wchar_t image[MAX_PATH], line[MAX_PATH + 128];
	SERVICE_STATUS_PROCESS status = {0};
	DWORD bytes = 0;
	GetModuleFileNameW(NULL, image, MAX_PATH);
	_snwprintf(line, MAX_PATH + 128, L"\"%ls\" --system-run %ls %lu", image, key, parent);
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
	SC_HANDLE service =
		CreateServiceW(manager, L"marsprobe-test", L"marsprobe-test",
			       SERVICE_START | SERVICE_QUERY_STATUS | DELETE, SERVICE_WIN32_OWN_PROCESS,
			       SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE, line, NULL, NULL, NULL, NULL, NULL);
	CHECK(service && StartServiceW(service, 0, NULL));
	for (int i = 0; i < 100 && status.dwCurrentState != SERVICE_STOPPED; i++, Sleep(50))
		QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &bytes);
	CHECK_INT(status.dwCurrentState, SERVICE_STOPPED);
	CHECK_INT(status.dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
	DeleteService(service);
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	return status.dwServiceSpecificExitCode;
}

/** The child works for nobody but the live process that its arguments name, and for that one only if it serves the pipe. */
static void check_false_parents(void)
{
	const wchar_t *key = L"00112233445566778899aabbccddeeff";
	HANDLE other = spawn(L"--sleep"), pipe;
	pipe = CreateNamedPipeW(L"\\\\.\\pipe\\marsprobe-00112233445566778899aabbccddeeff", PIPE_ACCESS_DUPLEX,
				PIPE_TYPE_BYTE, 1, 4096, 4096, 0, NULL);
	CHECK(pipe != INVALID_HANDLE_VALUE);
	CHECK_INT(end_of_service(key, GetProcessId(other)), SYSTEM_CHILD_WRONG_SERVER);
	CHECK_INT(end_of_service(L"ffeeddccbbaa99887766554433221100", GetProcessId(other)), SYSTEM_CHILD_NO_PIPE);
	const DWORD nobody = 0xfffffffc;
	CHECK_INT(end_of_service(key, nobody), SYSTEM_CHILD_NO_PARENT);
	kill_parent(other);
	CHECK_INT(services(L"marsprobe-test", NULL, 0), 0);
	CloseHandle(pipe);
}

static void test(void)
{
	check_killed_parent(L"--parent");
	check_killed_parent(L"--idle");
	check_kills_after_the_creation();
	check_kills_at_any_moment();
	check_intruder();
	check_false_parents();
}

int main(int argc, char **argv)
{
	return system_run_main(argc, argv, test);
}
