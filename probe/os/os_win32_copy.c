/* The image that the service runs: a copy of this program in a fresh directory below Program Files. The program's own folder will not
 * do: others may write a Downloads folder and plant a DLL there, and SYSTEM sees no share and no mapped drive of the user. */

#include "probe/os/os_win32_system.h"

#include <sddl.h>
#include <shlobj.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { COPY_PIECE_BYTES = 256 * 1024, REMOVE_TRIES = 20, REMOVE_PAUSE_MS = 100, PATH_MAX_CHARACTERS = 32768 };

/* Owned by Administrators, closed to inherited rights, full access for SYSTEM and Administrators alone, for the files in it too. */
static const wchar_t directory_rights[] = L"O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

static void say(char *reason, size_t reason_bytes, const char *what, const wchar_t *path, DWORD error)
{
	char text[256], *name = os_narrow(path);
	os_error_text(error, text, sizeof(text));
	snprintf(reason, reason_bytes, "%s %s: %s (error %lu)", what, name ? name : "", text, error);
	free(name);
}

/** folder, "\", name and tail in one; malloc()ed, NULL without memory. */
static wchar_t *join(const wchar_t *folder, const wchar_t *name, const wchar_t *tail)
{
	size_t characters = wcslen(folder) + wcslen(name) + wcslen(tail) + 2;
	wchar_t *path = malloc(characters * sizeof(*path));
	if (path)
		_snwprintf(path, characters, L"%ls\\%ls%ls", folder, name, tail);
	return path;
}

wchar_t *system_copy_folder(void)
{
	wchar_t path[MAX_PATH];
	if (os_machine_text(L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion", L"ProgramFilesDir", path, MAX_PATH) &&
	    path[0])
		return _wcsdup(path);
	SetLastError(ERROR_PATH_NOT_FOUND);
	return NULL;
}

/* ------------------------------------------------------------------ make */

/** Open a directory itself, not what a link points to, so that nobody deletes or renames it. NULL if it is no true directory. */
static HANDLE directory_lock(const wchar_t *path)
{
	BY_HANDLE_FILE_INFORMATION found;
	HANDLE lock = CreateFileW(path, FILE_READ_ATTRIBUTES | FILE_LIST_DIRECTORY, FILE_SHARE_READ | FILE_SHARE_WRITE,
				  NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
	if (lock == INVALID_HANDLE_VALUE)
		return NULL;
	const DWORD kind = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT;
	if (GetFileInformationByHandle(lock, &found) && (found.dwFileAttributes & kind) == FILE_ATTRIBUTE_DIRECTORY)
		return lock;
	CloseHandle(lock);
	SetLastError(ERROR_DIRECTORY);
	return NULL;
}

/** An existing directory is a failure (ERROR_ALREADY_EXISTS): somebody else's rights would be on it. */
static bool directory_make(const wchar_t *path)
{
	SECURITY_ATTRIBUTES security = {.nLength = sizeof(security)};
	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(directory_rights, SDDL_REVISION_1,
								  &security.lpSecurityDescriptor, NULL))
		return false;
	BOOL made = CreateDirectoryW(path, &security);
	DWORD error = GetLastError();
	LocalFree(security.lpSecurityDescriptor);
	SetLastError(error);
	return made;
}

/** Where this program's file is; malloc()ed, NULL with GetLastError(). */
static wchar_t *own_image(void)
{
	wchar_t *path = malloc(PATH_MAX_CHARACTERS * sizeof(*path));
	if (!path)
		return NULL;
	DWORD length = GetModuleFileNameW(NULL, path, PATH_MAX_CHARACTERS);
	char *narrow = length > 0 && length < PATH_MAX_CHARACTERS ? os_narrow(path) : NULL;
	free(path);
	wchar_t *whole = narrow ? os_wide_path(narrow) : NULL;
	free(narrow);
	return whole;
}

static bool bytes_copy(HANDLE from, HANDLE to)
{
	char *piece = malloc(COPY_PIECE_BYTES);
	DWORD got = 0, put = 0;
	bool copied = false;
	while (piece && !system_run_is_interrupted() && ReadFile(from, piece, COPY_PIECE_BYTES, &got, NULL)) {
		copied = got == 0;
		if (copied || !WriteFile(to, piece, got, &put, NULL) || put != got)
			break;
	}
	DWORD error = GetLastError();
	free(piece);
	SetLastError(error);
	return copied;
}

/**
 * Copy the bytes alone: no alternate stream comes along that says "from the Internet", and the file gets its rights from the directory.
 * While it is read, nobody may write it.
 *
 * Returns  a handle that keeps the copy from being deleted and lets it be run; NULL with GetLastError().
 */
static HANDLE image_copy(const wchar_t *from, const wchar_t *to)
{
	HANDLE lock = INVALID_HANDLE_VALUE;
	HANDLE source =
		CreateFileW(from, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
	if (source == INVALID_HANDLE_VALUE)
		return NULL;
	HANDLE target = CreateFileW(to, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
	/* the lock is there before the writer goes, or another run might take the file for a leftover */
	if (target != INVALID_HANDLE_VALUE && bytes_copy(source, target))
		lock = CreateFileW(to, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
	DWORD error = GetLastError();
	if (target != INVALID_HANDLE_VALUE)
		CloseHandle(target);
	CloseHandle(source);
	SetLastError(error);
	return lock == INVALID_HANDLE_VALUE ? NULL : lock;
}

/** Make the directory, then its file. What failed, with GetLastError(); NULL for nothing. */
static const char *copy_steps(struct system_copy *copy, const wchar_t *directory, const wchar_t *own)
{
	if (!directory_make(directory))
		return "cannot create";
	copy->directory = _wcsdup(directory);
	copy->image = join(directory, SYSTEM_IMAGE_NAME, L"");
	if (!copy->directory || !copy->image)
		return "no memory for";
	copy->directory_lock = directory_lock(directory);
	if (!copy->directory_lock)
		return "cannot hold";
	copy->image_lock = image_copy(own, copy->image);
	return copy->image_lock ? NULL : "cannot copy this program to";
}

bool system_copy_make(struct system_copy *copy, const wchar_t *id, char *reason, size_t reason_bytes)
{
	wchar_t *own = own_image(), *folder = own ? system_copy_folder() : NULL;
	wchar_t *directory = folder ? join(folder, SYSTEM_DIRECTORY_PREFIX, id) : NULL;
	const char *failed =
		directory ? copy_steps(copy, directory, own) : "cannot find Program Files, or this program's own file";
	DWORD error = GetLastError();
	if (failed)
		say(reason, reason_bytes, failed, directory ? directory : L"", error);
	free(own);
	free(folder);
	free(directory);
	return !failed;
}

/* ------------------------------------------------------------------ remove */

static bool is_gone(DWORD error)
{
	return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND;
}

/** Remove an image and its directory. False while somebody uses one of them; never touches anything else in that directory. */
static bool remove_both(const wchar_t *image, const wchar_t *directory)
{
	if (!DeleteFileW(image) && !is_gone(GetLastError()))
		return false;
	return RemoveDirectoryW(directory) || is_gone(GetLastError());
}

bool system_copy_remove_abandoned(const wchar_t *directory)
{
	DWORD kind = GetFileAttributesW(directory);
	if (kind == INVALID_FILE_ATTRIBUTES)
		return is_gone(GetLastError());
	wchar_t *image = join(directory, SYSTEM_IMAGE_NAME, L"");
	bool removed = image && !(kind & FILE_ATTRIBUTE_REPARSE_POINT) && remove_both(image, directory);
	free(image);
	return removed;
}

bool system_copy_remove(struct system_copy *copy, char *reason, size_t reason_bytes)
{
	if (copy->image_lock)
		CloseHandle(copy->image_lock);
	if (copy->directory_lock)
		CloseHandle(copy->directory_lock);
	/* the system, or a virus scanner, holds the image of a process for a moment after its end */
	bool removed = !copy->directory || !copy->image || remove_both(copy->image, copy->directory);
	for (int tries = 1; !removed && tries < REMOVE_TRIES; tries++) {
		Sleep(REMOVE_PAUSE_MS);
		removed = remove_both(copy->image, copy->directory);
	}
	if (!removed)
		say(reason, reason_bytes, "cannot remove the directory", copy->directory, GetLastError());
	free(copy->image);
	free(copy->directory);
	*copy = (struct system_copy){0};
	return removed;
}

bool system_copy_owns(const wchar_t *image, wchar_t **directory)
{
	wchar_t *folder = system_copy_folder();
	size_t length = folder ? wcslen(folder) : 0;
	const size_t name = wcslen(SYSTEM_DIRECTORY_PREFIX) + SYSTEM_ID_DIGITS;
	bool below = folder && _wcsnicmp(image, folder, length) == 0 && image[length] == L'\\' &&
		     wcslen(image) > length + 1 + name;
	free(folder);
	if (!below || _wcsicmp(image + length + 1 + name, L"\\" SYSTEM_IMAGE_NAME) != 0)
		return false;
	wchar_t *path = _wcsdup(image);
	if (!path)
		return false;
	path[length + 1 + name] = L'\0';
	if (system_name_matches(path + length + 1, SYSTEM_DIRECTORY_PREFIX, SYSTEM_ID_DIGITS)) {
		*directory = path;
		return true;
	}
	free(path);
	return false;
}
