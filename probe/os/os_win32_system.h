#ifndef MARSPROBE_OS_OS_WIN32_SYSTEM_H
#define MARSPROBE_OS_OS_WIN32_SYSTEM_H

/* What the parts of the run as LocalSystem share: os_win32_service.c (the parent's side), os_win32_copy.c (the image that the service
 * runs, and what killed runs left behind), os_win32_child.c (the service itself) and os_win32_pipe.c (the link between the two). */

#include "probe/os/os_system_run.h"
#include "probe/os/os_win32.h"

/*
 * Names. The service and the directory of one run share their 16 digits, so that an administrator sees what belongs together:
 *   service    marsprobe-system-<id>
 *   directory  C:\Program Files\marsprobe-<id>
 *   image      "C:\Program Files\marsprobe-<id>\marsprobe.exe" --system-run <key> <process id of the parent>
 *   pipe       \\.\pipe\marsprobe-<key>
 */
#define SYSTEM_SERVICE_PREFIX L"marsprobe-system-"
#define SYSTEM_DIRECTORY_PREFIX L"marsprobe-"
#define SYSTEM_IMAGE_NAME L"marsprobe.exe"
#define SYSTEM_ARGUMENT "--system-run"
#define SYSTEM_ARGUMENT_WIDE L"--system-run"

enum {
	SYSTEM_ID_DIGITS = 16,
	SYSTEM_KEY_DIGITS = 32,
	SYSTEM_NAME_MAX = 64,		/* characters of a service's name, with the terminator */
	SYSTEM_COMMAND_MAX = 32767 + 1, /* of a command line */
};

/** Random hexadecimal digits with a terminator. */
bool system_digits(wchar_t *out, size_t digits);
/** Is text the prefix, that many lower-case hexadecimal digits, and nothing more? */
bool system_name_matches(const wchar_t *text, const wchar_t *prefix, size_t digits);
/** What follows the image's path on the service's command line: ` --system-run <key> <process id>`. */
void system_arguments(const wchar_t *key, DWORD parent, wchar_t *out, size_t characters);

/* Why the child ended without work, as its service-specific exit code; 0 is success. */
enum system_child_end {
	SYSTEM_CHILD_DONE = 0,
	SYSTEM_CHILD_NO_PARENT,
	SYSTEM_CHILD_NO_PIPE,
	SYSTEM_CHILD_WRONG_SERVER,
	SYSTEM_CHILD_WRONG_ARGUMENTS,
	SYSTEM_CHILD_NO_MEMORY,
};

/* The link. Its memory is never given back, as another thread may be about to ask it, which then gets its NULL or false. */

/** Create the pipe and wait for its client in the background; NULL with GetLastError(). */
struct os_link *system_link_listen(const wchar_t *key);
/** Did the client connect within wait_ms? False with GetLastError(), WAIT_TIMEOUT if it still may. */
bool system_link_accept(struct os_link *link, DWORD wait_ms);
/** Connect to the pipe of that key; NULL with GetLastError(). */
struct os_link *system_link_connect(const wchar_t *key);
/** Process id of the other side as the system knows it; 0 with GetLastError(). */
DWORD system_link_peer(struct os_link *link);
/** The error that says how the link ended; ERROR_SUCCESS while it holds, or has bytes that nobody read yet. */
DWORD system_link_state(struct os_link *link);
/** End the link for both sides: whoever waits in it, here or there, returns. NULL is allowed. */
void system_link_cut(struct os_link *link);

/** Does somebody want this process to end, by Ctrl-C or by closing its window, while a run starts? */
bool system_run_is_interrupted(void);

/* The copy. Its handles deny deletion, which is how another run tells a live one from what a killed one left behind. */
struct system_copy {
	wchar_t *directory, *image;	   /* malloc()ed; NULL until they exist */
	HANDLE directory_lock, image_lock; /* NULL for none */
};

/** Copy this program into a fresh directory that only SYSTEM and Administrators may write. False with the reason, also if
 *  system_run_is_interrupted(); what is half made
 *  still goes to system_copy_remove(). */
bool system_copy_make(struct system_copy *copy, const wchar_t *id, char *reason, size_t reason_bytes);
/** Let go of the copy and remove it; tries for 2 s. False, with the reason, if it is still there. */
bool system_copy_remove(struct system_copy *copy, char *reason, size_t reason_bytes);

/**
 * The folder of all copies, Program Files: only administrators may write there, and AppLocker's default rules let programs run from
 * there. The registry says where it is and not the environment, which is the user's own. malloc()ed; NULL with GetLastError().
 */
wchar_t *system_copy_folder(void);
/** Is this the path of an image as system_copy_make() names it? directory gets the path of its directory (free() it). */
bool system_copy_owns(const wchar_t *image, wchar_t **directory);
/** Remove the directory of a copy that nobody holds. False while somebody does; true if it is gone, or was before. */
bool system_copy_remove_abandoned(const wchar_t *directory);

/** Remove what killed runs left behind: stopped services of our name, and directories of our name, that no live run holds. */
void system_leftovers_remove(SC_HANDLE manager);

#endif
