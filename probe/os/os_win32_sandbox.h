#ifndef MARSPROBE_OS_OS_WIN32_SANDBOX_H
#define MARSPROBE_OS_OS_WIN32_SANDBOX_H

/* What the two sides of the sandbox on Windows share. */

#include "probe/os/os_win32.h"

enum { SANDBOX_SID_BYTES = SECURITY_MAX_SID_SIZE };

/* NTSTATUS values that winnt.h leaves out. */
static const DWORD SANDBOX_STATUS_DENIED = 0xc0000022, SANDBOX_STATUS_NO_MEMORY = 0xc0000017,
		   SANDBOX_STATUS_COMMITMENT_LIMIT = 0xc000012d;

/** Is this Wine, which takes tokens and does not enforce them on files and sockets? NULL, or its version. */
const char *os_sandbox_wine(void);

/** "CreateRestrictedToken: Access is denied" for GetLastError(); false, so that a caller can return it. */
bool os_sandbox_say(char *reason, size_t bytes, const char *doing);

#endif
