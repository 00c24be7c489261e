/* Run a program without elevation, as an administrator's ordinary prompt does: with the token linked to our own elevated one.
 * usage: limited PROGRAM ARGUMENT...        the exit status is the program's; 127 if it could not be started */
#include <windows.h>

#include <stdio.h>
#include <wchar.h>

/** What follows our own name in the command line, quotes as they are (a name in quotes holds none). */
static wchar_t *rest_of(wchar_t *line)
{
	wchar_t *end = *line == L'"' ? wcschr(line + 1, L'"') : wcschr(line, L' ');
	if (!end)
		return NULL;
	end += *end == L'"';
	return end + wcsspn(end, L" \t");
}

static HANDLE limited_token(void)
{
	HANDLE own = NULL, primary = NULL;
	TOKEN_LINKED_TOKEN linked = {NULL};
	DWORD bytes = 0;
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &own) ||
	    !GetTokenInformation(own, TokenLinkedToken, &linked, sizeof(linked), &bytes) ||
	    !DuplicateTokenEx(linked.LinkedToken, MAXIMUM_ALLOWED, NULL, SecurityIdentification, TokenPrimary,
			      &primary))
		return NULL;
	return primary;
}

/** Ctrl-C is the program's to heed; we wait for its end. */
static BOOL WINAPI on_interrupt(DWORD type)
{
	return type == CTRL_C_EVENT;
}

int main(void)
{
	STARTUPINFOW startup = {.cb = sizeof(startup)};
	PROCESS_INFORMATION started;
	DWORD status = 127;
	HANDLE token = limited_token();
	wchar_t *line = rest_of(GetCommandLineW());
	SetConsoleCtrlHandler(on_interrupt, TRUE);
	if (!token || !line ||
	    !CreateProcessAsUserW(token, NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &started)) {
		fprintf(stderr, "limited: cannot start the program: error %lu\n", GetLastError());
		return 127;
	}
	WaitForSingleObject(started.hProcess, INFINITE);
	GetExitCodeProcess(started.hProcess, &status);
	return (int)status;
}
