/* Files and texts on Windows. Everything outside this floor is UTF-8. */

#include "probe/os/os_win32.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A folder's path may have 12 characters less than MAX_PATH, as an 8.3 name must fit behind it. */
enum { PATH_IS_LONG = MAX_PATH - 12, TEMPORARY_NAMES = 16, STEP_BYTES = 1024 * 1024, ERROR_TEXT_CHARACTERS = 512 };

static const wchar_t verbatim[] = L"\\\\?\\", verbatim_share[] = L"\\\\?\\UNC\\", device[] = L"\\\\.\\";

/* ------------------------------------------------------------------ texts */

wchar_t *os_wide(const char *text)
{
	int characters = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
	wchar_t *wide = characters > 0 ? malloc((size_t)characters * sizeof(*wide)) : NULL;
	if (wide)
		MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, characters);
	return wide;
}

char *os_narrow(const wchar_t *wide)
{
	int bytes = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
	char *text = bytes > 0 ? malloc((size_t)bytes) : NULL;
	if (text)
		WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, bytes, NULL, NULL);
	return text;
}

bool os_narrow_into(const wchar_t *wide, char *out, size_t bytes)
{
	int room = bytes < INT_MAX ? (int)bytes : INT_MAX;
	if (bytes == 0)
		return false;
	if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, out, room, NULL, NULL) > 0)
		return true;
	out[0] = '\0';
	return false;
}

void os_error_text(DWORD error, char *out, size_t bytes)
{
	wchar_t text[ERROR_TEXT_CHARACTERS];
	DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
	DWORD length = FormatMessageW(flags, NULL, error, 0, text, ERROR_TEXT_CHARACTERS, NULL);
	while (length > 0 && wcschr(L" .\r\n", text[length - 1]))
		length--;
	text[length < ERROR_TEXT_CHARACTERS ? length : ERROR_TEXT_CHARACTERS - 1] = L'\0';
	if (length == 0 || !os_narrow_into(text, out, bytes))
		snprintf(out, bytes, "Windows error %lu", error);
}

static bool fail(char *reason, size_t reason_bytes, DWORD error)
{
	os_error_text(error, reason, reason_bytes);
	return false;
}

/* ------------------------------------------------------------------ paths */

static bool begins_with(const wchar_t *text, const wchar_t *start)
{
	return wcsncmp(text, start, wcslen(start)) == 0;
}

/** start, then rest, malloc()ed. */
static wchar_t *joined(const wchar_t *start, const wchar_t *rest)
{
	size_t head = wcslen(start), tail = wcslen(rest);
	wchar_t *both = malloc((head + tail + 1) * sizeof(*both));
	if (!both) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	memcpy(both, start, head * sizeof(*both));
	memcpy(both + head, rest, (tail + 1) * sizeof(*both));
	return both;
}

/** The absolute form: "NUL" and the like become \\.\NUL, '/' becomes '\'. malloc()ed; NULL with GetLastError(). */
static wchar_t *full_path(const wchar_t *path)
{
	DWORD characters = GetFullPathNameW(path, 0, NULL, NULL);
	wchar_t *full = characters ? malloc(characters * sizeof(*full)) : NULL;
	if (!characters)
		return NULL;
	if (!full)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	else
		GetFullPathNameW(path, characters, full, NULL);
	return full;
}

wchar_t *os_wide_path(const char *path)
{
	wchar_t *wide = os_wide(path), *full = wide ? full_path(wide) : NULL, *out = full;
	if (!wide)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	free(wide);
	if (!full || wcslen(full) < PATH_IS_LONG || begins_with(full, verbatim) || begins_with(full, device))
		return full;
	out = begins_with(full, L"\\\\") ? joined(verbatim_share, full + 2) : joined(verbatim, full);
	free(full);
	return out;
}

/* ------------------------------------------------------------------ writing */

static bool write_all(HANDLE file, const char *at, size_t length)
{
	while (length > 0) {
		DWORD wrote = 0, step = length < STEP_BYTES ? (DWORD)length : STEP_BYTES;
		if (!WriteFile(file, at, step, &wrote, NULL))
			return false;
		at += wrote;
		length -= wrote;
	}
	return true;
}

/** Devices and pipes have nothing that could be kept or replaced. 0 or an error. */
static DWORD write_through(const wchar_t *path, const void *bytes, size_t length)
{
	HANDLE file =
		CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return GetLastError();
	DWORD error = write_all(file, bytes, length) ? 0 : GetLastError();
	CloseHandle(file);
	return error;
}

/** Where a link leads to, malloc()ed; NULL with GetLastError(). */
static wchar_t *link_target(const wchar_t *path)
{
	HANDLE file = CreateFileW(path, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
				  NULL, OPEN_EXISTING, 0, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return NULL;
	DWORD characters = GetFinalPathNameByHandleW(file, NULL, 0, FILE_NAME_NORMALIZED);
	wchar_t *target = characters ? malloc(((size_t)characters + 1) * sizeof(*target)) : NULL;
	if (characters && !target)
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	if (target && !GetFinalPathNameByHandleW(file, target, characters + 1, FILE_NAME_NORMALIZED)) {
		free(target);
		target = NULL;
	}
	CloseHandle(file);
	return target;
}

/** Create a new file in the folder of path; *name is its path, malloc()ed. INVALID_HANDLE_VALUE with GetLastError(). */
static HANDLE create_beside(const wchar_t *path, wchar_t **name)
{
	const wchar_t *slash = wcsrchr(path, L'\\');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0, room = folder + sizeof(".marsprobe-0123456789abcdef");
	*name = malloc(room * sizeof(**name));
	for (int try = 0; *name && try < TEMPORARY_NAMES; try++) {
		uint64_t chance = 0;
		if (!os_random(&chance, sizeof(chance)))
			break;
		swprintf(*name, room, L"%.*ls.marsprobe-%016llx", (int)folder, path, (unsigned long long)chance);
		HANDLE file = CreateFileW(*name, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
		if (file != INVALID_HANDLE_VALUE || GetLastError() != ERROR_FILE_EXISTS)
			return file;
	}
	SetLastError(*name ? ERROR_FILE_EXISTS : ERROR_NOT_ENOUGH_MEMORY);
	return INVALID_HANDLE_VALUE;
}

/** Fill the new file and bring it to the disk; closes it. 0 or an error. */
static DWORD fill_and_close(HANDLE file, const void *bytes, size_t length)
{
	DWORD error = write_all(file, bytes, length) ? 0 : GetLastError();
	/* some network file systems cannot flush; that is no reason to give no report */
	if (!error && !FlushFileBuffers(file) && GetLastError() != ERROR_INVALID_FUNCTION &&
	    GetLastError() != ERROR_NOT_SUPPORTED)
		error = GetLastError();
	if (!CloseHandle(file) && !error)
		error = GetLastError();
	return error;
}

/** Give the new file the old one's access rights, before anything is in it. Not ReplaceFileW(), which does that too: where it fails
 *  half way it may leave the old text under a name that nobody knows. A file system without rights has none to keep. */
static void copy_rights(const wchar_t *from, const wchar_t *to)
{
	DWORD bytes = 0;
	GetFileSecurityW(from, DACL_SECURITY_INFORMATION, NULL, 0, &bytes);
	PSECURITY_DESCRIPTOR rights = bytes ? malloc(bytes) : NULL;
	if (rights && GetFileSecurityW(from, DACL_SECURITY_INFORMATION, rights, bytes, &bytes))
		SetFileSecurityW(to, DACL_SECURITY_INFORMATION, rights);
	free(rights);
}

static DWORD replace_file(const wchar_t *path, bool exists, const void *bytes, size_t length)
{
	wchar_t *name = NULL;
	HANDLE file = create_beside(path, &name);
	if (file == INVALID_HANDLE_VALUE) {
		DWORD error = GetLastError();
		free(name);
		return error;
	}
	if (exists)
		copy_rights(path, name);
	DWORD error = fill_and_close(file, bytes, length);
	if (!error && !MoveFileExW(name, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
		error = GetLastError();
	if (error)
		DeleteFileW(name);
	free(name);
	return error;
}

static DWORD write_file(const wchar_t *path, const void *bytes, size_t length)
{
	DWORD attributes = GetFileAttributesW(path);
	if (attributes == INVALID_FILE_ATTRIBUTES) /* what else is wrong shows when it is created */
		return replace_file(path, false, bytes, length);
	if (attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_READONLY))
		return ERROR_ACCESS_DENIED;
	if (!(attributes & FILE_ATTRIBUTE_REPARSE_POINT))
		return replace_file(path, true, bytes, length);
	/* a symbolic link stays one: what it names is replaced */
	wchar_t *target = link_target(path);
	DWORD error = target ? replace_file(target, true, bytes, length) : GetLastError();
	free(target);
	return error;
}

bool os_write_file(const char *path, const void *bytes, size_t length, char *reason, size_t reason_bytes)
{
	DWORD error;
	wchar_t *wide = os_wide_path(path);
	if (!wide)
		return fail(reason, reason_bytes, GetLastError());
	if (begins_with(wide, device))
		error = write_through(wide, bytes, length);
	else
		error = write_file(wide, bytes, length);
	free(wide);
	return error ? fail(reason, reason_bytes, error) : true;
}

/* ------------------------------------------------------------------ reading */

/** Read to the end, at most max bytes, into *text, which grows. 0 or an error; ERROR_FILE_TOO_LARGE when there is more. */
static DWORD read_all(HANDLE file, size_t max, char **text, size_t *length)
{
	for (;;) {
		DWORD got = 0, step = max < STEP_BYTES ? (DWORD)max + 1 : STEP_BYTES;
		char *grown = realloc(*text, *length + step + 1);
		if (!grown)
			return ERROR_NOT_ENOUGH_MEMORY;
		*text = grown;
		if (!ReadFile(file, grown + *length, step, &got, NULL) && GetLastError() != ERROR_BROKEN_PIPE)
			return GetLastError();
		*length += got;
		if (*length > max)
			return ERROR_FILE_TOO_LARGE;
		if (got == 0) {
			grown[*length] = '\0';
			return 0;
		}
	}
}

/* Others may write to it, rename it or remove it meanwhile. */
static HANDLE open_to_read(const wchar_t *path)
{
	return CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
			   OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
}

static DWORD read_path(const wchar_t *path, size_t max, char **text, size_t *length)
{
	HANDLE file = open_to_read(path);
	if (file == INVALID_HANDLE_VALUE)
		return GetLastError();
	DWORD error = read_all(file, max, text, length);
	CloseHandle(file);
	return error;
}

char *os_read_file(const char *path, size_t max, size_t *length, char *reason, size_t reason_bytes)
{
	char *text = NULL;
	size_t got = 0;
	wchar_t *wide = os_wide_path(path);
	DWORD error = wide ? read_path(wide, max, &text, &got) : GetLastError();
	free(wide);
	if (!error) {
		*length = got;
		return text;
	}
	free(text);
	if (error == ERROR_FILE_TOO_LARGE)
		snprintf(reason, reason_bytes, "larger than %zu bytes", max);
	else
		fail(reason, reason_bytes, error);
	return NULL;
}

/** Read to the end into max + 1 bytes. 0 or an error; ERROR_FILE_TOO_LARGE when there is more. */
static DWORD read_into(HANDLE file, char *bytes, size_t max, size_t *length)
{
	*length = 0;
	for (;;) {
		DWORD got = 0;
		if (!ReadFile(file, bytes + *length, (DWORD)(max + 1 - *length), &got, NULL) &&
		    GetLastError() != ERROR_BROKEN_PIPE)
			return GetLastError();
		if (got == 0)
			return 0;
		*length += got;
		if (*length > max)
			return ERROR_FILE_TOO_LARGE;
	}
}

static DWORD read_path_into(const wchar_t *path, char *bytes, size_t max, size_t *length)
{
	HANDLE file = open_to_read(path);
	if (file == INVALID_HANDLE_VALUE)
		return GetLastError();
	DWORD error = read_into(file, bytes, max, length);
	CloseHandle(file);
	return error;
}

bool os_read_secret(const char *path, char *bytes, size_t max, size_t *length, char *reason, size_t reason_bytes)
{
	wchar_t *wide = os_wide_path(path);
	DWORD error = wide ? read_path_into(wide, bytes, max, length) : GetLastError();
	free(wide);
	if (!error)
		return true;
	if (error != ERROR_FILE_TOO_LARGE)
		return fail(reason, reason_bytes, error);
	snprintf(reason, reason_bytes, "larger than %zu bytes", max);
	return false;
}
