/* The link between the two processes of a run as LocalSystem: one named pipe of bytes, and messages of a length in 4 bytes (the lowest
 * first) and that many bytes. */

#include "probe/os/os_win32_system.h"

#include <sddl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Messages beyond 64 MiB are no observations of ours. A write in pieces keeps the system's pool small. */
enum { LENGTH_BYTES = 4, MESSAGE_MAX = 64 * 1024 * 1024, PIECE_BYTES = 64 * 1024, PATH_CHARACTERS = 64 };

/* Full access for SYSTEM and Administrators, for nobody else; and with the label, no process below high integrity may read or write,
 * whatever groups it is in. A label up to one's own level needs no privilege (MS-DTYP 2.4.4.13, 2.5.1.1). */
static const wchar_t pipe_rights[] = L"D:P(A;;GA;;;SY)(A;;GA;;;BA)S:(ML;;NWNRNX;;;HI)";

struct os_link {
	HANDLE pipe; /* INVALID_HANDLE_VALUE once it is cut; overlapped, so that one thread may read while another writes */
	bool is_server;
	HANDLE cut, sent, received; /* events */
	OVERLAPPED connecting;
	SRWLOCK sending,
		receiving; /* each held by the one that uses the pipe that way, and by the one that closes it */
};

static struct os_link *link_new(bool is_server)
{
	struct os_link *link = calloc(1, sizeof(*link));
	if (!link) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	link->pipe = INVALID_HANDLE_VALUE;
	link->is_server = is_server;
	link->cut = CreateEventW(NULL, TRUE, FALSE, NULL);
	link->sent = CreateEventW(NULL, TRUE, FALSE, NULL);
	link->received = CreateEventW(NULL, TRUE, FALSE, NULL);
	link->connecting.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
	InitializeSRWLock(&link->sending);
	InitializeSRWLock(&link->receiving);
	return link;
}

static void pipe_path(const wchar_t *key, wchar_t out[PATH_CHARACTERS])
{
	_snwprintf(out, PATH_CHARACTERS, L"\\\\.\\pipe\\marsprobe-%ls", key);
	out[PATH_CHARACTERS - 1] = L'\0';
}

/** Is the connect under way, or done already? */
static bool start_connecting(struct os_link *link)
{
	if (ConnectNamedPipe(link->pipe, &link->connecting))
		return true;
	DWORD error = GetLastError();
	if (error == ERROR_PIPE_CONNECTED)
		SetEvent(link->connecting.hEvent);
	return error == ERROR_IO_PENDING || error == ERROR_PIPE_CONNECTED;
}

struct os_link *system_link_listen(const wchar_t *key)
{
	wchar_t path[PATH_CHARACTERS];
	SECURITY_ATTRIBUTES security = {.nLength = sizeof(security)};
	struct os_link *link = link_new(true);
	if (!link || !ConvertStringSecurityDescriptorToSecurityDescriptorW(pipe_rights, SDDL_REVISION_1,
									   &security.lpSecurityDescriptor, NULL))
		return NULL;
	pipe_path(key, path);
	link->pipe = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_OVERLAPPED,
				      PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1,
				      PIECE_BYTES, PIECE_BYTES, 0, &security);
	DWORD error = GetLastError();
	LocalFree(security.lpSecurityDescriptor);
	SetLastError(error);
	if (link->pipe == INVALID_HANDLE_VALUE)
		return NULL;
	if (start_connecting(link))
		return link;
	error = GetLastError();
	system_link_cut(link);
	SetLastError(error);
	return NULL;
}

bool system_link_accept(struct os_link *link, DWORD wait_ms)
{
	DWORD ignored = 0, waited = WaitForSingleObject(link->connecting.hEvent, wait_ms);
	if (waited == WAIT_TIMEOUT)
		SetLastError(WAIT_TIMEOUT);
	return waited == WAIT_OBJECT_0 && GetOverlappedResult(link->pipe, &link->connecting, &ignored, FALSE);
}

struct os_link *system_link_connect(const wchar_t *key)
{
	wchar_t path[PATH_CHARACTERS];
	struct os_link *link = link_new(false);
	if (!link)
		return NULL;
	pipe_path(key, path);
	/* whoever serves the pipe may learn who we are, and never act as us */
	link->pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
				 FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
	return link->pipe == INVALID_HANDLE_VALUE ? NULL : link;
}

DWORD system_link_peer(struct os_link *link)
{
	ULONG id = 0;
	BOOL known = link->is_server ? GetNamedPipeClientProcessId(link->pipe, &id)
				     : GetNamedPipeServerProcessId(link->pipe, &id);
	return known ? id : 0;
}

DWORD system_link_state(struct os_link *link)
{
	return PeekNamedPipe(link->pipe, NULL, 0, NULL, NULL, NULL) ? ERROR_SUCCESS : GetLastError();
}

void system_link_cut(struct os_link *link)
{
	if (!link)
		return;
	SetEvent(link->cut);
	/* throws away what nobody read, so that a child that reads nothing notices too */
	DisconnectNamedPipe(link->pipe);
	AcquireSRWLockExclusive(&link->sending);
	AcquireSRWLockExclusive(&link->receiving);
	CloseHandle(link->pipe);
	link->pipe = INVALID_HANDLE_VALUE;
	ReleaseSRWLockExclusive(&link->receiving);
	ReleaseSRWLockExclusive(&link->sending);
}

/* ------------------------------------------------------------------ bytes */

/** Wait for a read or write that has started; how many bytes it moved, 0 if it failed or the link was cut. */
static DWORD finish(struct os_link *link, BOOL started, OVERLAPPED *operation)
{
	HANDLE ends[] = {operation->hEvent, link->cut};
	DWORD moved = 0;
	if (!started && GetLastError() != ERROR_IO_PENDING)
		return 0;
	if (WaitForMultipleObjects(2, ends, FALSE, INFINITE) != WAIT_OBJECT_0)
		CancelIoEx(link->pipe, operation);
	return GetOverlappedResult(link->pipe, operation, &moved, TRUE) ? moved : 0;
}

static bool write_all(struct os_link *link, const char *bytes, size_t length)
{
	while (length > 0) {
		OVERLAPPED operation = {.hEvent = link->sent};
		DWORD piece = length < PIECE_BYTES ? (DWORD)length : PIECE_BYTES;
		DWORD moved = finish(link, WriteFile(link->pipe, bytes, piece, NULL, &operation), &operation);
		if (moved == 0)
			return false;
		bytes += moved;
		length -= moved;
	}
	return true;
}

static bool read_all(struct os_link *link, char *bytes, size_t length)
{
	while (length > 0) {
		OVERLAPPED operation = {.hEvent = link->received};
		DWORD piece = length < PIECE_BYTES ? (DWORD)length : PIECE_BYTES;
		DWORD moved = finish(link, ReadFile(link->pipe, bytes, piece, NULL, &operation), &operation);
		if (moved == 0)
			return false;
		bytes += moved;
		length -= moved;
	}
	return true;
}

/* ------------------------------------------------------------------ messages */

bool os_link_send(struct os_link *link, const void *bytes, size_t length)
{
	char head[LENGTH_BYTES];
	if (length > MESSAGE_MAX)
		return false;
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		head[i] = (char)(length >> (8 * i) & 0xff);
	AcquireSRWLockExclusive(&link->sending);
	bool sent = write_all(link, head, sizeof(head)) && write_all(link, bytes, length);
	ReleaseSRWLockExclusive(&link->sending);
	return sent;
}

static char *receive_message(struct os_link *link, size_t max, size_t *length)
{
	unsigned char head[LENGTH_BYTES];
	size_t announced = 0;
	if (!read_all(link, (char *)head, sizeof(head)))
		return NULL;
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		announced |= (size_t)head[i] << (8 * i);
	char *bytes = announced <= max && announced <= MESSAGE_MAX ? malloc(announced + 1) : NULL;
	if (!bytes || !read_all(link, bytes, announced)) {
		free(bytes);
		return NULL;
	}
	bytes[announced] = '\0';
	*length = announced;
	return bytes;
}

char *os_link_receive(struct os_link *link, size_t max, size_t *length)
{
	AcquireSRWLockExclusive(&link->receiving);
	char *bytes = receive_message(link, max, length);
	ReleaseSRWLockExclusive(&link->receiving);
	return bytes;
}
