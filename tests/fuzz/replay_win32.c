#include "tests/fuzz/replay.h"

#include <windows.h>

#include <stdio.h>

/* There is no fork(): the program starts itself with one input. */
bool replay_passes(const char *program, const char *path)
{
	char line[2048];
	STARTUPINFOA start = {.cb = sizeof(start)};
	PROCESS_INFORMATION child;
	DWORD status = 1;
	fflush(stdout);
	snprintf(line, sizeof(line), "\"%s\" --one \"%s\"", program, path);
	if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child))
		return false;
	if (WaitForSingleObject(child.hProcess, REPLAY_SECONDS_PER_INPUT * 1000) != WAIT_OBJECT_0)
		TerminateProcess(child.hProcess, 1);
	WaitForSingleObject(child.hProcess, INFINITE);
	GetExitCodeProcess(child.hProcess, &status);
	CloseHandle(child.hThread);
	CloseHandle(child.hProcess);
	return status == 0;
}
