/* The process, files and names on Windows. The program starts itself for what only another process shows. */

#include "probe/os/os_win32.h"

#include <stdlib.h>

#include "tests/unit/check.h"
#include "tests/unit/check_file.h"

enum { PATH_BYTES = 1024, LONG_NAME = 120, CHILD_MS = 20000, CHILD_STATUS = 3 };

static char folder[PATH_BYTES], reason[256];

static const char *in_folder(const char *name)
{
	static char paths[4][PATH_BYTES]; /* a few may be in use at once */
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, PATH_BYTES, "%.500s/%.500s", folder, name);
	return path;
}

static bool make_folder(const char *path)
{
	wchar_t *wide = os_wide_path(path);
	bool made = wide && CreateDirectoryW(wide, NULL);
	free(wide);
	return made;
}

static bool set_attributes(const char *path, DWORD attributes)
{
	wchar_t *wide = os_wide_path(path);
	bool set = wide && SetFileAttributesW(wide, attributes);
	free(wide);
	return set;
}

/** What a folder holds is counted, and removed if so wanted; folders in it are emptied first. */
static int visit_folder(const char *path, bool remove)
{
	char pattern[PATH_BYTES], inner[PATH_BYTES], name[PATH_BYTES];
	WIN32_FIND_DATAW entry;
	int count = 0;
	snprintf(pattern, sizeof(pattern), "%s/*", path);
	wchar_t *wide = os_wide_path(pattern);
	HANDLE find = wide ? FindFirstFileW(wide, &entry) : INVALID_HANDLE_VALUE;
	free(wide);
	for (BOOL more = find != INVALID_HANDLE_VALUE; more; more = FindNextFileW(find, &entry)) {
		if (!os_narrow_into(entry.cFileName, name, sizeof(name)) || strcmp(name, ".") == 0 ||
		    strcmp(name, "..") == 0)
			continue;
		count++;
		snprintf(inner, sizeof(inner), "%.500s/%.500s", path, name);
		wide = remove ? os_wide_path(inner) : NULL;
		if (wide && (entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)) {
			visit_folder(inner, true);
			RemoveDirectoryW(wide);
		} else if (wide) {
			DeleteFileW(wide);
		}
		free(wide);
	}
	FindClose(find);
	return count;
}

static bool file_is(const char *path, const char *wanted)
{
	size_t length = 0;
	char *text = os_read_file(path, 1024, &length, reason, sizeof(reason));
	bool same = text && length == strlen(wanted) && memcmp(text, wanted, length + 1) == 0;
	free(text);
	return same;
}

static bool write_text(const char *path, const char *text)
{
	reason[0] = '\0';
	return os_write_file(path, text, strlen(text), reason, sizeof(reason));
}

static const char *words(DWORD error)
{
	static char text[256];
	os_error_text(error, text, sizeof(text));
	return text;
}

/* ------------------------------------------------------------------ writing */

static void a_file_is_written_whole(void)
{
	wchar_t before[MAX_PATH];
	CHECK(write_text(in_folder("new"), "hello\n"));
	CHECK(file_is(in_folder("new"), "hello\n"));
	CHECK(write_text(in_folder("new"), "second"));
	CHECK(file_is(in_folder("new"), "second"));
	CHECK(write_text(in_folder("empty"), ""));
	CHECK(file_is(in_folder("empty"), ""));
	CHECK_INT(visit_folder(folder, false), 2);
	GetCurrentDirectoryW(MAX_PATH, before);
	wchar_t *wide = os_wide(folder);
	CHECK(SetCurrentDirectoryW(wide));
	CHECK(write_text("beside", "x")); /* a path without a folder */
	SetCurrentDirectoryW(before);
	free(wide);
	CHECK(file_is(in_folder("beside"), "x"));
}

static void names_are_utf8_and_may_be_long(void)
{
	char path[PATH_BYTES], name[LONG_NAME + 1];
	memset(name, 'n', LONG_NAME);
	name[LONG_NAME] = '\0';
	CHECK(write_text(in_folder("r\xc3\xa9sum\xc3\xa9 \xe5\xa0\xb1\xe5\x91\x8a.txt"), "x"));
	CHECK(file_is(in_folder("r\xc3\xa9sum\xc3\xa9 \xe5\xa0\xb1\xe5\x91\x8a.txt"), "x"));
	CHECK(make_folder(in_folder(name)));
	snprintf(path, sizeof(path), "%.400s/%s/%s", folder, name, name);
	CHECK(make_folder(path));
	snprintf(path, sizeof(path), "%.400s/%s/%s/%s", folder, name, name, name);
	CHECK(strlen(path) > MAX_PATH);
	CHECK(write_text(path, "far down"));
	CHECK(write_text(path, "far down, anew"));
	CHECK(file_is(path, "far down, anew"));
	visit_folder(in_folder(name), true);
}

static void a_failure_leaves_the_old_text_and_nothing_else(void)
{
	CHECK(write_text(in_folder("old"), "old"));
	int count = visit_folder(folder, false);
	wchar_t *wide = os_wide_path(in_folder("old"));
	HANDLE held = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	CHECK(held != INVALID_HANDLE_VALUE);
	CHECK(!write_text(in_folder("old"), "new"));
	CHECK(reason[0] != '\0' && reason[strlen(reason) - 1] != '\n' && reason[strlen(reason) - 1] != '.');
	CloseHandle(held);
	free(wide);
	CHECK(file_is(in_folder("old"), "old"));
	CHECK(set_attributes(in_folder("old"), FILE_ATTRIBUTE_READONLY));
	CHECK(!write_text(in_folder("old"), "new"));
	CHECK(set_attributes(in_folder("old"), FILE_ATTRIBUTE_NORMAL));
	CHECK(file_is(in_folder("old"), "old"));
	CHECK_INT(visit_folder(folder, false), count);
}

static void bad_places_are_refused_with_the_reason(void)
{
	int count = visit_folder(folder, false);
	CHECK(!write_text(in_folder("no/such/folder"), "x"));
	CHECK_TEXT(reason, words(ERROR_PATH_NOT_FOUND));
	CHECK(!write_text(folder, "x"));
	CHECK_TEXT(reason, words(ERROR_ACCESS_DENIED));
	CHECK(!write_text("", "x"));
	CHECK(reason[0] != '\0');
	CHECK_INT(visit_folder(folder, false), count);
}

static void devices_are_written_through(void)
{
	CHECK(write_text("NUL", "x"));
	CHECK(write_text("\\\\.\\NUL", "x"));
	CHECK(!write_text("\\\\.\\pipe\\marsprobe-no-such-pipe", "x"));
	CHECK_TEXT(reason, words(ERROR_FILE_NOT_FOUND));
}

/* ------------------------------------------------------------------ reading */

static void what_is_no_file_is_refused(void)
{
	size_t length = 7;
	CHECK(!os_read_file(in_folder("none"), 9, &length, reason, sizeof(reason)));
	CHECK_TEXT(reason, words(ERROR_FILE_NOT_FOUND));
	CHECK(!os_read_file(folder, 9, &length, reason, sizeof(reason)));
	CHECK(reason[0] != '\0');
	CHECK_INT(length, 7);
}

/* ------------------------------------------------------------------ other processes of this program */

static void hang(void *argument)
{
	(void)argument;
	for (;;)
		Sleep(INFINITE);
}

/** What the child does: tell its arguments and one variable, leave a thread behind, end. */
static void child(int argc, char **argv)
{
	int count = 0;
	char **arguments = os_arguments(argc, argv, &count);
	for (int i = 2; i < count; i++)
		printf("[%s]\n", arguments[i]);
	const char *value = os_environment_get("Marsprobe_Test");
	printf("%s %d", value ? value : "(none)", arguments[count] == NULL);
	if (os_is_terminal(1) || !os_thread_detached(hang, NULL))
		os_exit(9);
	os_exit(CHILD_STATUS);
}

/** Start this program as a child with its stdout in a file; its exit status. */
static DWORD run_child(const wchar_t *arguments, const char *output)
{
	wchar_t program[MAX_PATH], line[1024];
	DWORD status = 99;
	SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
	wchar_t *path = os_wide_path(output);
	HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, &inherited, CREATE_ALWAYS, 0, NULL);
	STARTUPINFOW start = {
		.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES, .hStdOutput = file, .hStdError = file};
	PROCESS_INFORMATION process;
	free(path);
	GetModuleFileNameW(NULL, program, MAX_PATH);
	swprintf(line, 1024, L"\"%ls\" --child %ls", program, arguments);
	if (!CreateProcessW(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process))
		return status;
	if (WaitForSingleObject(process.hProcess, CHILD_MS) != WAIT_OBJECT_0)
		TerminateProcess(process.hProcess, 98);
	WaitForSingleObject(process.hProcess, CHILD_MS);
	GetExitCodeProcess(process.hProcess, &status);
	CloseHandle(process.hThread);
	CloseHandle(process.hProcess);
	CloseHandle(file);
	return status;
}

static void a_process_gets_utf8_and_ends_at_once(void)
{
	SetEnvironmentVariableW(L"MARSPROBE_TEST", L"v\x00e4lue=1");
	CHECK_INT(run_child(L"\"a b\" \x5831\x544a * \"\" \"c:\\x y\\\\\"", in_folder("child")), CHILD_STATUS);
	CHECK(file_is(in_folder("child"), "[a b]\n[\xe5\xa0\xb1\xe5\x91\x8a]\n[*]\n[]\n[c:\\x y\\]\nv\xc3\xa4lue=1 1"));
}

static void the_environment_has_variables_alone(void)
{
	bool system_root = false;
	for (const char *const *entry = os_environment(); *entry; entry++) {
		CHECK(**entry != '=' && strchr(*entry, '=') != NULL);
		system_root = system_root || _strnicmp(*entry, "SystemRoot=", 11) == 0;
	}
	CHECK(system_root);
	CHECK(os_environment_get("systemroot") != NULL);
	CHECK(os_environment_get("SystemRoo") == NULL);
}

/* ------------------------------------------------------------------ names */

static void the_machine_has_names(void)
{
	char text[256], tiny[1] = "";
	CHECK(!os_host_name(tiny, sizeof(tiny)));
	CHECK(os_account_name(text, sizeof(text)) && strchr(text, '\\') != NULL);
	os_description(text, sizeof(text));
	CHECK(strstr(text, "Windows ") != NULL && strstr(text, ", build ") != NULL && !strchr(text, '\n'));
	const char *hosts = os_hosts_path();
	CHECK(hosts == os_hosts_path());
	CHECK(!os_is_terminal(0));
	CHECK(os_files_max() > 1024);
}

static void functions_may_be_absent(void)
{
	CHECK(os_function_find(L"kernel32.dll", "GetTickCount64") != NULL);
	CHECK(os_function_find(L"kernel32.dll", "GetMarsprobe") == NULL);
	CHECK(os_function_find(L"no-such.dll", "GetTickCount64") == NULL);
}

int main(int argc, char **argv)
{
	os_start();
	if (argc > 1 && strcmp(argv[1], "--child") == 0)
		child(argc, argv);
	temporary_path("os_win32_test", folder, sizeof(folder));
	CHECK(make_folder(folder));
	a_file_is_written_whole();
	names_are_utf8_and_may_be_long();
	a_failure_leaves_the_old_text_and_nothing_else();
	bad_places_are_refused_with_the_reason();
	devices_are_written_through();
	what_is_no_file_is_refused();
	a_process_gets_utf8_and_ends_at_once();
	the_environment_has_variables_alone();
	the_machine_has_names();
	functions_may_be_absent();
	visit_folder(folder, true);
	wchar_t *wide = os_wide_path(folder);
	CHECK(RemoveDirectoryW(wide));
	free(wide);
	return check_summary();
}
