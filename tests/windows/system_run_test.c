/*
 * The run as LocalSystem from start to removal, on Windows or Wine; it links the os floor alone. The same program is the test, the
 * parent of the runs that it kills (--parent), and the service (as os_system_child_is_wanted() says).
 * It needs an elevated prompt, and removes what killed runs of marsprobe left on the machine.
 */

#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>

#include "probe/os/os_system_run.h"
#include "probe/os/os_win32_system.h"
#include "tests/unit/check.h"

enum {
	TIMEOUT_MS = 30000,
	BIG_BYTES = 5 * 1024 * 1024,
	MESSAGE_MAX = 64 * 1024 * 1024,
	KILLS = 10,
	GONE_MS = 15000, /* the shell that removes a killed run's directory tries once a second */
};

static char user_mark[] = "handed through";

/* ------------------------------------------------------------------ the service */

static char big_byte(size_t at)
{
	return (char)(at * 31 % 251);
}

static char *big_message(void)
{
	char *bytes = malloc(BIG_BYTES);
	for (size_t i = 0; i < BIG_BYTES; i++)
		bytes[i] = big_byte(i);
	return bytes;
}

static bool is_big_message(const char *bytes, size_t length)
{
	if (!bytes || length != BIG_BYTES)
		return false;
	for (size_t i = 0; i < BIG_BYTES; i++)
		if (bytes[i] != big_byte(i))
			return false;
	return true;
}

static DWORD WINAPI send_big(void *link)
{
	char *bytes = big_message();
	bool sent = os_link_send(link, bytes, BIG_BYTES);
	free(bytes);
	return sent;
}

/** Both sides send 5 MB at once, each on a thread of its own. */
static bool exchange_big(struct os_link *link)
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
static void work(struct os_link *link, void *user)
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
static int services(const wchar_t *prefix, wchar_t *name, size_t characters)
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

static int directories(void)
{
	WIN32_FIND_DATAW found;
	int count = 0;
	HANDLE search = FindFirstFileW(L"C:\\Program Files\\marsprobe-*", &found);
	for (BOOL more = search != INVALID_HANDLE_VALUE; more; more = FindNextFileW(search, &found))
		count++;
	FindClose(search);
	return count;
}

static bool nothing_is_left(void)
{
	return services(L"marsprobe-system-", NULL, 0) == 0 && directories() == 0;
}

static bool all_goes(DWORD wait_ms)
{
	for (ULONGLONG deadline = GetTickCount64() + wait_ms; !nothing_is_left(); Sleep(100))
		if (GetTickCount64() >= deadline)
			return false;
	return true;
}

/* ------------------------------------------------------------------ a run */

static struct os_system_run *start(void)
{
	char reason[512] = "";
	struct os_system_run *run = os_system_run_start(TIMEOUT_MS, reason, sizeof(reason));
	CHECK(run != NULL);
	CHECK_TEXT(reason, "");
	return run;
}

static void end(struct os_system_run *run)
{
	char reason[512] = "";
	CHECK(os_system_run_end(run, reason, sizeof(reason)));
	CHECK_TEXT(reason, "");
	CHECK(nothing_is_left());
}

static void check_echo(struct os_link *link, const char *text, size_t length)
{
	size_t got = 0;
	CHECK(os_link_send(link, text, length));
	char *back = os_link_receive(link, MESSAGE_MAX, &got);
	CHECK(back && got == length && memcmp(back, text, length) == 0 && back[length] == '\0');
	free(back);
}

/** A service of a run looks as it should while the run goes on. */
static void check_service(void)
{
	wchar_t name[64] = L"";
	DWORD bytes = 0;
	CHECK_INT(services(L"marsprobe-system-", name, 64), 1);
	CHECK_INT(directories(), 1);
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = OpenServiceW(manager, name, SERVICE_QUERY_CONFIG | SERVICE_START);
	QUERY_SERVICE_CONFIGW *config = calloc(1, 8192);
	CHECK(service && QueryServiceConfigW(service, config, 8192, &bytes));
	if (service && config->lpBinaryPathName) {
		wchar_t wanted[128];
		_snwprintf(wanted, 128, L"\"C:\\Program Files\\marsprobe-%ls\\marsprobe.exe\" --system-run ",
			   name + wcslen(L"marsprobe-system-"));
		CHECK(wcsncmp(config->lpBinaryPathName, wanted, wcslen(wanted)) == 0);
		CHECK(_wcsicmp(config->lpServiceStartName, L"LocalSystem") == 0);
		CHECK_INT(config->dwServiceType, SERVICE_WIN32_OWN_PROCESS);
		CHECK_INT(config->dwStartType, SERVICE_DEMAND_START);
		/* marked for deletion: nobody can start it again */
		CHECK(!StartServiceW(service, 0, NULL));
	}
	free(config);
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
}

static void check_whole_run(void)
{
	struct os_system_run *run = start();
	if (!run)
		return;
	struct os_link *link = os_system_run_link(run);
	size_t length = 0;
	check_service();
	check_echo(link, "", 0);
	check_echo(link, "small", 5);
	check_echo(link, "with\0nul", 8);
	CHECK(os_link_send(link, "exchange", 8));
	CHECK(exchange_big(link));
	/* longer than the reader wants: the link is of no use any more, and the reader is told */
	CHECK(os_link_send(link, "too long", 8));
	CHECK(os_link_receive(link, 3, &length) == NULL);
	end(run);
}

/** What the child sent last is read although it has ended since; then comes the end. */
static void check_last_words(void)
{
	struct os_system_run *run = start();
	if (!run)
		return;
	size_t length = 0;
	CHECK(os_link_send(os_system_run_link(run), "end", 3));
	Sleep(1000);
	char *last = os_link_receive(os_system_run_link(run), MESSAGE_MAX, &length);
	CHECK_TEXT(last, "last");
	free(last);
	CHECK(os_link_receive(os_system_run_link(run), MESSAGE_MAX, &length) == NULL);
	CHECK(!os_link_send(os_system_run_link(run), "more", 4));
	end(run);
}

static DWORD WINAPI receive_nothing(void *link)
{
	size_t length = 0;
	return os_link_receive(link, MESSAGE_MAX, &length) == NULL;
}

/** A child that hangs is ended, and so is the wait of another thread of ours. Unread bytes in the pipe change nothing. */
static void check_hanging_child(void)
{
	struct os_system_run *run = start();
	if (!run)
		return;
	struct os_link *link = os_system_run_link(run);
	DWORD got_nothing = 0;
	CHECK(os_link_send(link, "hang", 4));
	HANDLE reader = CreateThread(NULL, 0, receive_nothing, link, 0, NULL);
	CHECK(os_link_send(link, "nobody reads this", 17));
	Sleep(300);
	ULONGLONG before = GetTickCount64();
	end(run);
	CHECK(GetTickCount64() - before < 4000);
	CHECK(WaitForSingleObject(reader, 1000) == WAIT_OBJECT_0);
	GetExitCodeThread(reader, &got_nothing);
	CHECK(got_nothing);
	CloseHandle(reader);
	/* the link outlives the run for threads that come late */
	CHECK(!os_link_send(link, "late", 4));
}

static DWORD service_process(const wchar_t *name)
{
	SERVICE_STATUS_PROCESS status = {0};
	DWORD bytes = 0;
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = OpenServiceW(manager, name, SERVICE_QUERY_STATUS);
	QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &bytes);
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	return status.dwProcessId;
}

/** A child that somebody kills is the end of the link, and leaves nothing either. */
static void check_killed_child(void)
{
	wchar_t name[64] = L"";
	size_t length = 0;
	struct os_system_run *run = start();
	if (!run)
		return;
	CHECK_INT(services(L"marsprobe-system-", name, 64), 1);
	HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, service_process(name));
	CHECK(process && TerminateProcess(process, 1));
	CloseHandle(process);
	CHECK(os_link_receive(os_system_run_link(run), MESSAGE_MAX, &length) == NULL);
	end(run);
}

/** Two runs at once do not take each other for leftovers. */
static void check_two_runs(void)
{
	struct os_system_run *first = start(), *second = start();
	if (first && second) {
		CHECK_INT(directories(), 2);
		check_echo(os_system_run_link(first), "one", 3);
		check_echo(os_system_run_link(second), "two", 3);
	}
	char reason[512] = "";
	CHECK(os_system_run_end(first, reason, sizeof(reason)));
	if (second)
		check_echo(os_system_run_link(second), "two", 3);
	end(second);
}

/* ------------------------------------------------------------------ killed parents */

static HANDLE spawn(const wchar_t *argument)
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

/** What --parent does: a run whose child hangs, until somebody kills this process. */
static int be_parent(void)
{
	char reason[512] = "";
	struct os_system_run *run = os_system_run_start(TIMEOUT_MS, reason, sizeof(reason));
	if (!run || !os_link_send(os_system_run_link(run), "hang", 4)) {
		printf("parent: %s\n", reason);
		fflush(stdout);
		return 1;
	}
	Sleep(INFINITE);
	return 0;
}

static void kill_parent(HANDLE parent)
{
	TerminateProcess(parent, 1);
	WaitForSingleObject(parent, INFINITE);
	CloseHandle(parent);
}

static void check_killed_parent(void)
{
	HANDLE parent = spawn(L"--parent");
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

/* ------------------------------------------------------------------ leftovers made by hand */

static void make_directory(const wchar_t *directory)
{
	wchar_t image[MAX_PATH];
	CHECK(CreateDirectoryW(directory, NULL));
	_snwprintf(image, MAX_PATH, L"%ls\\marsprobe.exe", directory);
	HANDLE file = CreateFileW(image, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
	CHECK(file != INVALID_HANDLE_VALUE);
	CloseHandle(file);
}

static void make_service(const wchar_t *name, const wchar_t *directory)
{
	wchar_t line[MAX_PATH];
	_snwprintf(line, MAX_PATH, L"\"%ls\\marsprobe.exe\" --system-run 0123 4", directory);
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
	SC_HANDLE service = CreateServiceW(manager, name, name, DELETE, SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START,
					   SERVICE_ERROR_IGNORE, line, NULL, NULL, NULL, NULL, NULL);
	CHECK(service != NULL);
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
}

static void remove_service(const wchar_t *name)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = OpenServiceW(manager, name, DELETE);
	CHECK(service && DeleteService(service));
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
}

static bool exists(const wchar_t *path)
{
	return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static void run_once(void)
{
	char reason[512] = "";
	CHECK(os_system_run_end(start(), reason, sizeof(reason)));
}

#define FOLDER L"C:\\Program Files\\"

static void check_leftovers(void)
{
	make_directory(FOLDER L"marsprobe-00000000000000aa");
	make_service(L"marsprobe-system-00000000000000aa", FOLDER L"marsprobe-00000000000000aa");
	make_directory(FOLDER L"marsprobe-00000000000000bb");
	CHECK(CreateDirectoryW(FOLDER L"marsprobe-00000000000000cc", NULL));
	make_service(L"marsprobe-system-00000000000000dd", FOLDER L"marsprobe-00000000000000dd");
	run_once();
	CHECK(nothing_is_left());
}

/** What a live run holds, and what is not ours, stays. */
static void check_what_stays(void)
{
	const wchar_t *elsewhere = L"C:\\marsprobe-00000000000000ee", *held = FOLDER L"marsprobe-00000000000000ff";
	make_directory(elsewhere);
	make_service(L"marsprobe-system-00000000000000ee", elsewhere);
	make_service(L"marsprobe-system-of-somebody", FOLDER L"marsprobe-0000000000000011");
	CHECK(CreateDirectoryW(FOLDER L"marsprobe-of-somebody", NULL));
	make_directory(held);
	make_service(L"marsprobe-system-00000000000000ff", held);
	HANDLE lock = CreateFileW(FOLDER L"marsprobe-00000000000000ff\\marsprobe.exe", GENERIC_READ, FILE_SHARE_READ,
				  NULL, OPEN_EXISTING, 0, NULL);
	CHECK(lock != INVALID_HANDLE_VALUE);
	run_once();
	CHECK(exists(L"C:\\marsprobe-00000000000000ee\\marsprobe.exe"));
	CHECK(exists(FOLDER L"marsprobe-of-somebody"));
	CHECK(exists(FOLDER L"marsprobe-00000000000000ff\\marsprobe.exe"));
	CHECK_INT(services(L"marsprobe-system-00000000000000ee", NULL, 0), 0);
	CHECK_INT(services(L"marsprobe-system-00000000000000ff", NULL, 0), 1);
	CloseHandle(lock);
	remove_service(L"marsprobe-system-of-somebody");
	RemoveDirectoryW(FOLDER L"marsprobe-of-somebody");
	DeleteFileW(L"C:\\marsprobe-00000000000000ee\\marsprobe.exe");
	RemoveDirectoryW(elsewhere);
	run_once();
	CHECK(nothing_is_left());
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

/* ------------------------------------------------------------------ the test */

static void check_call_by_hand(void)
{
	DWORD status = 0;
	HANDLE process = spawn(L"--system-run 0123456789abcdef0123456789abcdef 4");
	CHECK(WaitForSingleObject(process, TIMEOUT_MS) == WAIT_OBJECT_0);
	GetExitCodeProcess(process, &status);
	CHECK_INT(status, 2);
	CloseHandle(process);
	char *none[] = {user_mark, NULL};
	CHECK(!os_system_child_is_wanted(1, none));
}

int main(int argc, char **argv)
{
	if (os_system_child_is_wanted(argc, argv))
		return os_system_child_run(argc, argv, work, user_mark);
	if (argc > 1 && strcmp(argv[1], "--sleep") == 0)
		Sleep(INFINITE);
	if (argc > 1)
		return be_parent();
	char reason[8] = "";
	CHECK_INT(os_system_run_right(), OS_SYSTEM_MAY_RUN);
	CHECK(os_system_run_end(NULL, reason, sizeof(reason)));
	check_call_by_hand();
	check_whole_run();
	check_leftovers();
	check_what_stays();
	check_last_words();
	check_hanging_child();
	check_two_runs();
	check_killed_child();
	check_intruder();
	check_false_parents();
	check_killed_parent();
	check_kills_after_the_creation();
	check_kills_at_any_moment();
	return check_summary();
}
