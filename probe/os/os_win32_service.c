/* The parent's side of a run as LocalSystem: a service of our own that is there for one run, from its creation to its removal. */

#include "probe/os/os_win32_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum {
	POLL_MS = 50,
	END_MS = 5000,	      /* for a child whose link was cut */
	STOP_MS = 1000,	      /* after each harder means */
	VANISH_MS = 2000,     /* for the service manager to forget a stopped service */
	INTERRUPT_MS = 10000, /* to remove what has started, when somebody wants this process to end */
	REASON_BYTES = 512,   /* of one of several reasons */
};

struct os_system_run {
	wchar_t name[SYSTEM_NAME_MAX]; /* of the service */
	struct system_copy copy;
	struct os_link *link;
	SC_HANDLE manager, service; /* NULL for none; an open service does not vanish */
	bool is_marked;		    /* for deletion */
	DWORD id;		    /* of the child's process, from the service manager; 0 before the start */
	HANDLE process;		    /* the child's, if we may have one */
};

/* ------------------------------------------------------------------ names */

bool system_digits(wchar_t *out, size_t digits)
{
	for (size_t i = 0; i < digits; i++) {
		unsigned char byte;
		if (!os_random(&byte, 1))
			return false;
		out[i] = L"0123456789abcdef"[byte & 0xf];
	}
	out[digits] = L'\0';
	return true;
}

bool system_name_matches(const wchar_t *text, const wchar_t *prefix, size_t digits)
{
	size_t length = wcslen(prefix);
	return _wcsnicmp(text, prefix, length) == 0 && wcslen(text) == length + digits &&
	       wcsspn(text + length, L"0123456789abcdef") == digits;
}

void system_arguments(const wchar_t *key, DWORD parent, wchar_t *out, size_t characters)
{
	_snwprintf(out, characters, L" " SYSTEM_ARGUMENT_WIDE L" %ls %lu", key, parent);
	out[characters - 1] = L'\0';
}

/* ------------------------------------------------------------------ reasons */

static void say(char *reason, size_t reason_bytes, const char *what, DWORD error, const char *advice)
{
	char text[256];
	os_error_text(error, text, sizeof(text));
	snprintf(reason, reason_bytes, "%s: %s (error %lu)%s%s", what, text, error, *advice ? "; " : "", advice);
}

/** Why the service is stopped, in its own words (the exit codes of os_win32_child.c) or the system's. */
static void say_stopped(char *reason, size_t reason_bytes, const SERVICE_STATUS_PROCESS *status)
{
	static const char *const ends[] = {
		[SYSTEM_CHILD_DONE] = "it was stopped",
		[SYSTEM_CHILD_NO_PARENT] = "it could not open this process, to watch over it",
		[SYSTEM_CHILD_NO_PIPE] = "it could not open the pipe to this process",
		[SYSTEM_CHILD_WRONG_SERVER] = "the pipe that it found belongs to another process",
		[SYSTEM_CHILD_WRONG_ARGUMENTS] = "its arguments are not those that the service manager has",
		[SYSTEM_CHILD_NO_MEMORY] = "it has no memory",
	};
	const char *what = "the service ended at once";
	DWORD end = status->dwServiceSpecificExitCode;
	if (status->dwWin32ExitCode != ERROR_SERVICE_SPECIFIC_ERROR && status->dwWin32ExitCode != NO_ERROR)
		say(reason, reason_bytes, what, status->dwWin32ExitCode, "");
	else if (end < sizeof(ends) / sizeof(ends[0]))
		snprintf(reason, reason_bytes, "%s: %s", what, ends[end]);
	else
		snprintf(reason, reason_bytes, "%s, with code %lu", what, end);
}

/* ------------------------------------------------------------------ rights */

static bool is_elevated(void)
{
	HANDLE token;
	TOKEN_ELEVATION elevation = {0};
	DWORD bytes = 0;
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	BOOL known = GetTokenInformation(token, TokenElevation, &elevation, sizeof(elevation), &bytes);
	CloseHandle(token);
	return known && elevation.TokenIsElevated;
}

bool os_account_is_system(void)
{
	union {
		TOKEN_USER user;
		char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	} account;
	HANDLE token;
	DWORD bytes = 0;
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	BOOL known = GetTokenInformation(token, TokenUser, &account, sizeof(account), &bytes);
	CloseHandle(token);
	return known && IsWellKnownSid(account.user.User.Sid, WinLocalSystemSid);
}

static SC_HANDLE manager_open(void)
{
	return OpenSCManagerW(NULL, NULL,
			      SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE | SC_MANAGER_ENUMERATE_SERVICE);
}

enum os_system_right os_system_run_right(void)
{
	return is_elevated() ? OS_SYSTEM_MAY_RUN : OS_SYSTEM_NOT_ELEVATED;
}

/* ------------------------------------------------------------------ somebody wants this process to end */

/* At other times the engine listens, or the child notices and cleans up; a child that does not run yet cannot. */
static struct {
	LONG came;
	HANDLE missed; /* an event: whatever comes now comes after the start */
} interrupt;

/** Windows calls it in a thread of its own, and ends this process when it returns. Not so when a user logs off: every process of session 0
 *  is told, whoever it was. */
static BOOL WINAPI on_interrupt(DWORD event)
{
	if (event == CTRL_LOGOFF_EVENT)
		return FALSE;
	InterlockedExchange(&interrupt.came, 1);
	WaitForSingleObject(interrupt.missed, INTERRUPT_MS);
	return FALSE;
}

bool system_run_is_interrupted(void)
{
	return InterlockedCompareExchange(&interrupt.came, 0, 0) != 0;
}

static void interrupt_listen(void)
{
	if (!interrupt.missed)
		interrupt.missed = CreateEventW(NULL, TRUE, FALSE, NULL);
	ResetEvent(interrupt.missed);
	SetConsoleCtrlHandler(on_interrupt, TRUE);
}

/** Returns if nobody wants this process to end. */
static void interrupt_obey(void)
{
	if (system_run_is_interrupted())
		os_exit((int)STATUS_CONTROL_C_EXIT); /* as Windows would have it */
	/* first, as the system waits for a handler that runs before it takes one off the list */
	SetEvent(interrupt.missed);
	SetConsoleCtrlHandler(on_interrupt, FALSE);
}

/* ------------------------------------------------------------------ the start */

/** The quoted path of the copy and the internal arguments; malloc()ed, NULL without memory. No secret is in it: anybody may read it. */
static wchar_t *command_line(const struct os_system_run *run, const wchar_t *key)
{
	wchar_t arguments[SYSTEM_NAME_MAX * 2];
	system_arguments(key, GetCurrentProcessId(), arguments, SYSTEM_NAME_MAX * 2);
	size_t characters = wcslen(run->copy.image) + wcslen(arguments) + sizeof("\"\"");
	wchar_t *line = malloc(characters * sizeof(*line));
	if (line)
		_snwprintf(line, characters, L"\"%ls\"%ls", run->copy.image, arguments);
	return line;
}

static bool create(struct os_system_run *run, const wchar_t *key, char *reason, size_t reason_bytes)
{
	wchar_t text[] = L"marsprobe checks this server's way to Azure as LocalSystem. The service belongs to one run "
			 L"and is removed "
			 L"with it; one that is left and stopped may be deleted.";
	SERVICE_DESCRIPTIONW description = {.lpDescription = text};
	wchar_t display[SYSTEM_NAME_MAX * 2], *line = command_line(run, key);
	/* a display name is refused if another service has it, and two may run at once */
	_snwprintf(display, SYSTEM_NAME_MAX * 2, L"marsprobe: check as LocalSystem (%ls)", run->name);
	if (line)
		run->service = CreateServiceW(run->manager, run->name, display,
					      SERVICE_START | SERVICE_STOP | SERVICE_QUERY_STATUS |
						      SERVICE_CHANGE_CONFIG | DELETE,
					      SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE,
					      line, NULL, NULL, NULL, NULL, NULL); /* no account: LocalSystem */
	DWORD error = GetLastError();
	free(line);
	if (run->service)
		ChangeServiceConfig2W(run->service, SERVICE_CONFIG_DESCRIPTION, &description);
	else
		say(reason, reason_bytes, "creating a service was refused", error,
		    "a security product or a policy may forbid it");
	return run->service != NULL;
}

static void mark_for_deletion(struct os_system_run *run)
{
	if (!run->is_marked && run->service)
		run->is_marked = DeleteService(run->service) || GetLastError() == ERROR_SERVICE_MARKED_FOR_DELETE;
}

static bool query(struct os_system_run *run, SERVICE_STATUS_PROCESS *out)
{
	DWORD bytes = 0;
	*out = (SERVICE_STATUS_PROCESS){0};
	return QueryServiceStatusEx(run->service, SC_STATUS_PROCESS_INFO, (BYTE *)out, sizeof(*out), &bytes);
}

/** A process is good enough to be killed, or at least to be waited for; NULL means that only the service manager can say. */
static HANDLE process_open(DWORD id)
{
	HANDLE process = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, id);
	return process ? process : OpenProcess(SYNCHRONIZE, FALSE, id);
}

/** Learn who the child is. One that has ended already stays unknown. */
static void child_open(struct os_system_run *run)
{
	SERVICE_STATUS_PROCESS before, after;
	if (!query(run, &before) || before.dwProcessId == 0)
		return;
	run->process = process_open(before.dwProcessId);
	/* unchanged, so the handle is not that of a later process with the same id */
	if (query(run, &after) && after.dwProcessId == before.dwProcessId) {
		run->id = before.dwProcessId;
		return;
	}
	CloseHandle(run->process);
	run->process = NULL;
}

/** StartServiceW() waits for the process to report to the service manager, up to 30 s by the manager's own clock. */
static bool start(struct os_system_run *run, char *reason, size_t reason_bytes)
{
	if (!StartServiceW(run->service, 0, NULL)) {
		say(reason, reason_bytes, "starting the service failed", GetLastError(),
		    "a security product, AppLocker or another policy may forbid programs that it does not know in "
		    "Program Files");
		return false;
	}
	mark_for_deletion(run);
	child_open(run);
	return true;
}

/** Wait until something connects to the pipe, the service ends, or the time is up. */
static bool wait_for_connection(struct os_system_run *run, int timeout_ms, char *reason, size_t reason_bytes)
{
	SERVICE_STATUS_PROCESS status;
	ULONGLONG deadline_ms = GetTickCount64() + (ULONGLONG)timeout_ms;
	while (!system_link_accept(run->link, POLL_MS)) {
		DWORD error = GetLastError();
		if (error != WAIT_TIMEOUT) {
			say(reason, reason_bytes, "the pipe failed", error, "");
			return false;
		}
		if (query(run, &status) && status.dwCurrentState == SERVICE_STOPPED) {
			say_stopped(reason, reason_bytes, &status);
			return false;
		}
		if (system_run_is_interrupted() || GetTickCount64() >= deadline_ms) {
			snprintf(reason, reason_bytes,
				 "the service started and did not connect in time; a security product may hold it");
			return false;
		}
	}
	return true;
}

/** Is it the service's process that connected, and nobody else's? */
static bool check_child(struct os_system_run *run, char *reason, size_t reason_bytes)
{
	SERVICE_STATUS_PROCESS status;
	DWORD connected = system_link_peer(run->link);
	bool same = query(run, &status) && run->id != 0 && status.dwProcessId == run->id && connected == run->id;
	if (!same && run->id != 0 && connected == run->id && status.dwCurrentState == SERVICE_STOPPED)
		say_stopped(reason, reason_bytes, &status);
	else if (!same)
		snprintf(reason, reason_bytes,
			 "process %lu connected to the pipe, and the service's process is %lu; nothing was told to it",
			 connected, status.dwProcessId);
	return same;
}

static bool start_steps(struct os_system_run *run, int timeout_ms, char *reason, size_t reason_bytes)
{
	wchar_t id[SYSTEM_ID_DIGITS + 1], key[SYSTEM_KEY_DIGITS + 1];
	if (!system_digits(id, SYSTEM_ID_DIGITS) || !system_digits(key, SYSTEM_KEY_DIGITS)) {
		snprintf(reason, reason_bytes, "the system gives no random numbers");
		return false;
	}
	_snwprintf(run->name, SYSTEM_NAME_MAX, SYSTEM_SERVICE_PREFIX L"%ls", id);
	run->manager = manager_open();
	if (!run->manager) {
		say(reason, reason_bytes, "the service manager cannot be opened", GetLastError(),
		    "run it from an elevated prompt");
		return false;
	}
	system_leftovers_remove(run->manager);
	if (!system_copy_make(&run->copy, id, reason, reason_bytes))
		return false;
	run->link = system_link_listen(key);
	if (!run->link) {
		say(reason, reason_bytes, "creating a pipe failed", GetLastError(), "");
		return false;
	}
	return !system_run_is_interrupted() && create(run, key, reason, reason_bytes) && !system_run_is_interrupted() &&
	       start(run, reason, reason_bytes) && wait_for_connection(run, timeout_ms, reason, reason_bytes) &&
	       check_child(run, reason, reason_bytes);
}

struct os_system_run *os_system_run_start(int timeout_ms, char *reason, size_t reason_bytes)
{
	char failed[REASON_BYTES] = "no memory", left[REASON_BYTES] = "";
	struct os_system_run *run = calloc(1, sizeof(*run));
	interrupt_listen();
	bool started = run && start_steps(run, timeout_ms, failed, sizeof(failed)) && !system_run_is_interrupted();
	bool clean = started || os_system_run_end(run, left, sizeof(left));
	interrupt_obey();
	if (!started)
		snprintf(reason, reason_bytes, "%s%s%s", failed, clean ? "" : "; and then: ", left);
	return started ? run : NULL;
}

struct os_link *os_system_run_link(struct os_system_run *run)
{
	return run->link;
}

/* ------------------------------------------------------------------ the end */

/** Did the child's process end within that time? */
static bool child_ended(struct os_system_run *run, DWORD wait_ms)
{
	SERVICE_STATUS_PROCESS status;
	if (run->process)
		return WaitForSingleObject(run->process, wait_ms) == WAIT_OBJECT_0;
	for (ULONGLONG deadline = GetTickCount64() + wait_ms;; Sleep(POLL_MS)) {
		if (!query(run, &status) || status.dwCurrentState == SERVICE_STOPPED)
			return true;
		if (GetTickCount64() >= deadline)
			return false;
	}
}

/** End the child: it ends by itself when the link is cut, else by the service manager's word, else by force. */
static bool child_end(struct os_system_run *run)
{
	SERVICE_STATUS ignored;
	if (!run->service || child_ended(run, END_MS))
		return true;
	ControlService(run->service, SERVICE_CONTROL_STOP, &ignored);
	if (child_ended(run, STOP_MS))
		return true;
	return run->process && TerminateProcess(run->process, 1) && child_ended(run, STOP_MS);
}

/** Close the service; it vanishes with its last handle. Did it? */
static bool service_vanished(struct os_system_run *run)
{
	if (!run->service)
		return true;
	CloseServiceHandle(run->service);
	run->service = NULL;
	for (ULONGLONG deadline = GetTickCount64() + VANISH_MS;; Sleep(POLL_MS)) {
		SC_HANDLE again = OpenServiceW(run->manager, run->name, SERVICE_QUERY_STATUS);
		if (!again && GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST)
			return true;
		if (again)
			CloseServiceHandle(again);
		if (GetTickCount64() >= deadline)
			return false;
	}
}

bool os_system_run_end(struct os_system_run *run, char *reason, size_t reason_bytes)
{
	char copy[REASON_BYTES] = "", service[REASON_BYTES] = "", name[SYSTEM_NAME_MAX];
	if (!run)
		return true;
	system_link_cut(run->link);
	bool ended = child_end(run);
	mark_for_deletion(run);
	os_narrow_into(run->name, name, sizeof(name));
	if (!service_vanished(run))
		snprintf(service, sizeof(service), "the service %s is still there%s (look: sc query %s)", name,
			 run->is_marked ? ", marked for deletion: it goes when its process has ended and no other "
					  "program, such as the "
					  "Services window, holds it"
					: "",
			 name);
	bool removed = system_copy_remove(&run->copy, copy, sizeof(copy));
	if (!ended)
		snprintf(reason, reason_bytes, "process %lu of the service %s does not end: %s", run->id, name, copy);
	else
		snprintf(reason, reason_bytes, "%s%s%s", service, *service && *copy ? "; " : "", copy);
	if (run->process)
		CloseHandle(run->process);
	if (run->manager)
		CloseServiceHandle(run->manager);
	bool clean = ended && removed && !*service;
	free(run);
	return clean;
}
