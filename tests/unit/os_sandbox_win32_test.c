/* The sandbox from both sides: this program starts itself in it. What Wine does not enforce it must not claim; on Windows every attempt must be
 * refused. */

#include "probe/os/os_sandbox.h"

#include <winsock2.h>
/* in this order */
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/os/os_win32.h"
#include "tests/unit/check.h"

enum { SAID_BYTES = 512, TIMES = 20 };

static const struct os_sandbox_limits limits = {.cpu_seconds = 10, .memory_bytes = 256 * 1024 * 1024};

static bool is_wine(void)
{
	return os_function_find(L"ntdll.dll", "wine_get_version") != NULL;
}

/* ------------------------------------------------------------------ inside */

static void say(const char *text)
{
	os_sandbox_write(text, strlen(text));
}

/** The handle with that number is the parent's own, inheritable one. */
static void look(void)
{
	char text[64] = "", said[SAID_BYTES];
	DWORD flags = 0;
	BOOL in_job = FALSE;
	text[os_sandbox_read(text, sizeof(text) - 1)] = '\0';
	HANDLE parents = (HANDLE)(uintptr_t)strtoull(text, NULL, 16);
	IsProcessInJob(GetCurrentProcess(), NULL, &in_job);
	snprintf(said, sizeof(said), "%s environment, %s job, %s of the parent's, %s error output, %s window",
		 GetEnvironmentVariableW(L"MARSPROBE_TEST", NULL, 0) ? "our" : "no", in_job ? "a" : "no",
		 GetHandleInformation(parents, &flags) ? "a handle" : "no handle",
		 GetStdHandle(STD_ERROR_HANDLE) ? "an" : "no", GetConsoleWindow() ? "a" : "no");
	say(said);
}

static void try_all(void)
{
	HANDLE file = CreateFileW(L"C:\\windows\\system32\\kernel32.dll", GENERIC_READ, FILE_SHARE_READ, NULL,
				  OPEN_EXISTING, 0, NULL);
	WSADATA data;
	wchar_t command[] = L"C:\\windows\\system32\\cmd.exe /c exit";
	STARTUPINFOW startup = {.cb = sizeof(startup)};
	PROCESS_INFORMATION made;
	say(file == INVALID_HANDLE_VALUE ? "no file," : "a file,");
	bool has_sockets = WSAStartup(MAKEWORD(2, 2), &data) == 0 && socket(AF_INET, SOCK_STREAM, 0) != INVALID_SOCKET;
	say(has_sockets ? "a socket," : "no socket,");
	say(CreateProcessW(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made) ? "a process"
											     : "no process");
}

static void wait_for_ever(void)
{
	Sleep(INFINITE);
}

static void crash(void)
{
	TerminateProcess(GetCurrentProcess(), 0xc0000005);
}

static void leave(void)
{
	ExitProcess(4);
}

static const struct act {
	const char *name;
	void (*act)(void);
} acts[] = {{"--look", look}, {"--try", try_all}, {"--wait", wait_for_ever}, {"--crash", crash}, {"--leave", leave}};

static int be_sandboxed(const struct act *act)
{
	char what[SAID_BYTES] = "", reason[SAID_BYTES] = "";
	if (!os_sandbox_enter(&limits, what, sizeof(what), reason, sizeof(reason))) {
		say(reason);
		return 1;
	}
	say(strstr(what, "does not enforce") ? "not enforced:" : "enforced:");
	act->act();
	return 0;
}

/* ------------------------------------------------------------------ outside */

struct pipes {
	int to[2], from[2];
};

static struct os_sandboxed *start(const char *name, struct pipes *pipes)
{
	char reason[256] = "";
	CHECK(_pipe(pipes->to, 4096, _O_BINARY | _O_NOINHERIT) == 0);
	CHECK(_pipe(pipes->from, 4096, _O_BINARY | _O_NOINHERIT) == 0);
	struct os_sandboxed *sandboxed =
		os_sandbox_start(name, &limits, pipes->to[0], pipes->from[1], reason, sizeof(reason));
	CHECK_TEXT(reason, "");
	CHECK(sandboxed != NULL);
	_close(pipes->to[0]);
	_close(pipes->from[1]);
	return sandboxed;
}

/** Until length bytes are there, or the end. */
static void hear(const struct pipes *pipes, char said[SAID_BYTES], size_t length)
{
	size_t used = 0;
	for (int got = 1; got > 0 && used < length;) {
		got = _read(pipes->from[0], said + used, (unsigned)(length - used));
		used += got > 0 ? (size_t)got : 0;
	}
	said[used] = '\0';
}

static struct os_sandbox_death play(const char *name, const char *input, char said[SAID_BYTES])
{
	struct pipes pipes;
	struct os_sandboxed *sandboxed = start(name, &pipes);
	_write(pipes.to[1], input, (unsigned)strlen(input));
	_close(pipes.to[1]);
	hear(&pipes, said, SAID_BYTES - 1);
	_close(pipes.from[0]);
	return os_sandbox_end(sandboxed, true);
}

static void it_gets_nothing_but_its_pipes(void)
{
	SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
	char number[32], said[SAID_BYTES];
	HANDLE ours = NULL;
	SetEnvironmentVariableW(L"MARSPROBE_TEST", L"secret");
	/* a number that no handle of a new process has by chance */
	for (int i = 0; i < 500; i++)
		ours = CreateEventW(&inherit, TRUE, FALSE, NULL);
	snprintf(number, sizeof(number), "%llx", (unsigned long long)(uintptr_t)ours);
	struct os_sandbox_death death = play("--look", number, said);
	const char *facts = strchr(said, ':');
	CHECK_TEXT(facts, ":no environment, a job, no handle of the parent's, no error output, no window");
	CHECK_INT(death.end, OS_SANDBOX_EXITED);
	CHECK_INT(death.status, 0);
}

static void what_is_not_enforced_is_said(void)
{
	char said[SAID_BYTES];
	play("--try", "", said);
	CHECK(strncmp(said, is_wine() ? "not enforced:" : "enforced:", 9) == 0);
	if (is_wine())
		puts("skip what the token and the job refuse: Wine does not enforce them");
	else
		CHECK_TEXT(said, "enforced:no file,no socket,no process");
}

static void its_end_is_told(void)
{
	char said[SAID_BYTES];
	struct os_sandbox_death death = play("--leave", "", said);
	CHECK_INT(death.end, OS_SANDBOX_EXITED);
	CHECK_INT(death.status, 4);
	CHECK_TEXT(death.how, "exit status 4");
	death = play("--crash", "", said);
	CHECK_INT(death.end, OS_SANDBOX_CRASHED);
	CHECK_TEXT(death.how, "status 0xc0000005");
}

static void one_that_lives_is_killed(void)
{
	struct pipes pipes;
	char said[SAID_BYTES];
	struct os_sandboxed *sandboxed = start("--wait", &pipes);
	hear(&pipes, said, 8);
	CHECK(said[0] != '\0');
	ULONGLONG before_ms = GetTickCount64();
	CHECK_INT(os_sandbox_end(sandboxed, false).end, OS_SANDBOX_KILLED);
	CHECK(GetTickCount64() - before_ms < 4000);
	hear(&pipes, said, SAID_BYTES - 1);
	CHECK_INT(_read(pipes.from[0], said, 1), 0);
	_close(pipes.to[1]);
	_close(pipes.from[0]);
	CHECK_INT(os_sandbox_end(NULL, true).end, OS_SANDBOX_EXITED);
}

static void no_handle_is_left_behind(void)
{
	char said[SAID_BYTES], reason[256] = "";
	DWORD before = 0, after = 0;
	play("--leave", "", said);
	GetProcessHandleCount(GetCurrentProcess(), &before);
	for (int i = 0; i < TIMES; i++)
		play("--leave", "", said);
	CHECK(!os_sandbox_start("--leave", &limits, 900, 901, reason, sizeof(reason)) && reason[0]);
	GetProcessHandleCount(GetCurrentProcess(), &after);
	CHECK_INT(after, before);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, argv[1]) == 0)
			os_exit(be_sandboxed(&acts[i]));
	it_gets_nothing_but_its_pipes();
	what_is_not_enforced_is_said();
	its_end_is_told();
	one_that_lives_is_killed();
	no_handle_is_left_behind();
	return check_summary();
}
