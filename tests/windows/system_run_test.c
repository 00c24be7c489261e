/* The run as LocalSystem: its link, its ends, and what it leaves and finds. */

#include "tests/windows/system_run.h"

/* ------------------------------------------------------------------ a run */

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

/** A child that has done its work stays until the run ends. Who stops its service ends it, and the last that it sent is still read. */
static void check_last_words(void)
{
	wchar_t name[64] = L"";
	size_t length = 0;
	SERVICE_STATUS status;
	struct os_system_run *run = start();
	if (!run)
		return;
	CHECK(os_link_send(os_system_run_link(run), "end", 3));
	Sleep(1000);
	CHECK_INT(services(L"marsprobe-system-", name, 64), 1);
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = OpenServiceW(manager, name, SERVICE_STOP | SERVICE_QUERY_STATUS);
	CHECK(QueryServiceStatus(service, &status) && status.dwCurrentState == SERVICE_RUNNING);
	CHECK(ControlService(service, SERVICE_CONTROL_STOP, &status));
	for (int i = 0; i < 100 && status.dwCurrentState != SERVICE_STOPPED; i++, Sleep(50))
		QueryServiceStatus(service, &status);
	/* an order that was obeyed is no failure for the event log */
	CHECK_INT(status.dwWin32ExitCode, NO_ERROR);
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
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

static void test(void)
{
	char reason[8] = "";
	CHECK(os_system_run_end(NULL, reason, sizeof(reason)));
	check_call_by_hand();
	check_whole_run();
	check_leftovers();
	check_what_stays();
	check_last_words();
	check_hanging_child();
	check_two_runs();
	check_killed_child();
}

int main(int argc, char **argv)
{
	return system_run_main(argc, argv, test);
}
