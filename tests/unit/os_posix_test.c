#include "probe/os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/check.h"

enum { PATH_BYTES = 512, NOBODY = 65534 };

static char folder[64];
static char reason[128];

static const char *in_folder(const char *name)
{
	static char paths[4][PATH_BYTES]; /* a few may be in use at once */
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, PATH_BYTES, "%s/%s", folder, name);
	return path;
}

static int files_in_folder(void)
{
	int count = 0;
	DIR *listing = opendir(folder);
	if (!listing)
		return -1;
	for (const struct dirent *entry = readdir(listing); entry; entry = readdir(listing))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(listing);
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

static unsigned mode_of(const char *path)
{
	struct stat now;
	return lstat(path, &now) == 0 ? (unsigned)now.st_mode & 0777 : 0;
}

static bool write_text(const char *path, const char *text)
{
	reason[0] = '\0';
	return os_write_file(path, text, strlen(text), reason, sizeof(reason));
}

/* ------------------------------------------------------------------ writing */

static void a_new_file_is_written_whole(void)
{
	mode_t before = umask(027);
	CHECK(write_text(in_folder("new"), "hello"));
	umask(before);
	CHECK(file_is(in_folder("new"), "hello"));
	CHECK_INT(mode_of(in_folder("new")), 0640);
	CHECK(write_text(in_folder("empty"), ""));
	CHECK(file_is(in_folder("empty"), ""));
	CHECK_INT(files_in_folder(), 2);
	CHECK(chdir(folder) == 0);
	CHECK(write_text("beside", "x")); /* a path without a folder */
	CHECK(chdir("/") == 0);
	CHECK(file_is(in_folder("beside"), "x"));
}

static void an_old_file_keeps_its_mode(void)
{
	CHECK(write_text(in_folder("old"), "a long first text"));
	CHECK(chmod(in_folder("old"), 0600) == 0);
	CHECK(write_text(in_folder("old"), "second"));
	CHECK(file_is(in_folder("old"), "second"));
	CHECK_INT(mode_of(in_folder("old")), 0600);
}

static void a_link_stays_a_link(void)
{
	struct stat now;
	CHECK(symlink("old", in_folder("link")) == 0);
	CHECK(write_text(in_folder("link"), "third"));
	CHECK(lstat(in_folder("link"), &now) == 0 && S_ISLNK(now.st_mode));
	CHECK(file_is(in_folder("old"), "third"));
}

static void a_failure_leaves_the_old_text_and_nothing_else(void)
{
	struct rlimit before, tiny = {0};
	char big[8192];
	memset(big, 'x', sizeof(big));
	int count = files_in_folder();
	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	tiny = (struct rlimit){4096, before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &tiny) == 0);
	bool wrote = os_write_file(in_folder("old"), big, sizeof(big), reason, sizeof(reason));
	bool wrote_new = os_write_file(in_folder("never"), big, sizeof(big), reason, sizeof(reason));
	CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	CHECK(!wrote && !wrote_new);
	CHECK_TEXT(reason, "File too large");
	CHECK(file_is(in_folder("old"), "third"));
	CHECK_INT(files_in_folder(), count);
}

static void bad_places_are_refused_with_the_reason(void)
{
	int count = files_in_folder();
	CHECK(!write_text(in_folder("no/such/folder"), "x"));
	CHECK_TEXT(reason, "No such file or directory");
	CHECK(!write_text(in_folder("old/below"), "x"));
	CHECK_TEXT(reason, "Not a directory");
	CHECK(!write_text(folder, "x"));
	CHECK_TEXT(reason, "Is a directory");
	CHECK(!write_text("", "x"));
	char long_name[300];
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	CHECK(!write_text(in_folder(long_name), "x"));
	CHECK_TEXT(reason, "File name too long");
	CHECK_INT(files_in_folder(), count);
	CHECK(!write_text("/dev/full", "x"));
	CHECK_TEXT(reason, "No space left on device");
}

/** What a child process without any rights gets: 0 if it was refused and left nothing. */
static int write_as_nobody(void)
{
	if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 2;
	int count = files_in_folder();
	if (write_text(in_folder("old"), "x") || strcmp(reason, "Permission denied") != 0)
		return 3;
	return files_in_folder() == count && file_is(in_folder("old"), "third") ? 0 : 4;
}

static void a_folder_that_is_not_writable_is_refused(void)
{
	int status = -1;
	CHECK(chmod(in_folder("old"), 0666) == 0 && chmod(folder, 0555) == 0);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(write_as_nobody());
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 0);
	CHECK(chmod(folder, 0755) == 0);
}

static void devices_and_pipes_are_written_through(void)
{
	char path[64], got[16] = "";
	struct stat now;
	int ends[2];
	CHECK(write_text("/dev/null", "x"));
	CHECK(stat("/dev/null", &now) == 0 && S_ISCHR(now.st_mode));
	CHECK(pipe(ends) == 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	CHECK(write_text(path, "through"));
	CHECK_INT(read(ends[0], got, sizeof(got) - 1), 7);
	CHECK_TEXT(got, "through");
	close(ends[0]);
	close(ends[1]);
	CHECK(!write_text(path, "closed"));
	CHECK_TEXT(reason, "Bad file descriptor");
}

/** stdout sent to a file: what others wrote there before stays, and /dev/stdout stays a link. */
static void stdout_is_not_written_from_its_start(void)
{
	struct stat now;
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	int file = open(in_folder("redirected"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	bool wrote = dup2(file, STDOUT_FILENO) >= 0 && write(STDOUT_FILENO, "before ", 7) == 7 &&
		     write_text("/dev/stdout", "report ") && write(STDOUT_FILENO, "after", 5) == 5;
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(file);
	CHECK(wrote);
	CHECK(file_is(in_folder("redirected"), "before report after"));
	CHECK(lstat("/dev/stdout", &now) != 0 || S_ISLNK(now.st_mode));
}

/* ------------------------------------------------------------------ reading */

static void what_is_no_plain_file_is_read_or_refused(void)
{
	size_t length = 7;
	CHECK(!os_read_file(in_folder("none"), 9, &length, reason, sizeof(reason)));
	CHECK_TEXT(reason, "No such file or directory");
	CHECK(!os_read_file(folder, 9, &length, reason, sizeof(reason)));
	CHECK_TEXT(reason, "Is a directory");
	CHECK_INT(length, 7);
	char *text = os_read_file("/proc/self/status", 1 << 20, &length, reason,
				  sizeof(reason)); /* a size of 0 is no size */
	CHECK(text && length > 100 && strlen(text) == length);
	free(text);
}

/* ------------------------------------------------------------------ errors */

static void errors_have_names_and_kinds(void)
{
	static const struct {
		int code;
		const char *name;
		enum os_error_kind kind;
	} rows[] = {
		{ECONNREFUSED, "ECONNREFUSED", OS_ERROR_REFUSED},
		{ECONNRESET, "ECONNRESET", OS_ERROR_RESET},
		{EPIPE, "EPIPE", OS_ERROR_CLOSED},
		{ECONNABORTED, "ECONNABORTED", OS_ERROR_ABORTED},
		{ETIMEDOUT, "ETIMEDOUT", OS_ERROR_TIMED_OUT},
		{EHOSTUNREACH, "EHOSTUNREACH", OS_ERROR_HOST_UNREACHABLE},
		{ENOPROTOOPT, "ENOPROTOOPT", OS_ERROR_HOST_UNREACHABLE},
		{ENETUNREACH, "ENETUNREACH", OS_ERROR_NET_UNREACHABLE},
		{EPERM, "EPERM", OS_ERROR_PERMISSION},
		{EACCES, "EACCES", OS_ERROR_PERMISSION},
		{EADDRNOTAVAIL, "EADDRNOTAVAIL", OS_ERROR_ADDRESS_NOT_AVAILABLE},
		{EMFILE, "EMFILE", OS_ERROR_TOO_MANY_FILES},
		{ENOBUFS, "ENOBUFS", OS_ERROR_TOO_MANY_FILES},
		{EAFNOSUPPORT, "EAFNOSUPPORT", OS_ERROR_BAD_FAMILY},
		{EINPROGRESS, "EINPROGRESS", OS_ERROR_IN_PROGRESS},
		{EWOULDBLOCK, "EAGAIN", OS_ERROR_IN_PROGRESS},
		{EMSGSIZE, "EMSGSIZE", OS_ERROR_OTHER},
		{524, "E524", OS_ERROR_OTHER},
		{-3, "E-3", OS_ERROR_OTHER},
		{524, "E524", OS_ERROR_OTHER},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_TEXT(os_error_name(rows[i].code), rows[i].name);
		check_one(os_error_kind(rows[i].code) == rows[i].kind, rows[i].name, __FILE__, __LINE__);
	}
}

/* ------------------------------------------------------------------ names, the end */

static void the_machine_has_names(void)
{
	char text[256];
	os_description(text, sizeof(text));
	CHECK(strstr(text, "Linux ") != NULL && !strchr(text, '\n') && !strchr(text, '"'));
	if (os_account_name(text, sizeof(text)))
		CHECK(text[0] != '\0');
	const char *hosts = os_hosts_path();
	CHECK(!hosts || access(hosts, F_OK) == 0);
}

static void wait_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		pause();
}

static void the_end_flushes_and_waits_for_no_thread(void)
{
	int status = -1;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		if (!freopen(in_folder("last words"), "w", stdout) || !os_thread_detached(wait_for_ever, NULL))
			_exit(9);
		printf("last words");
		os_exit(3);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(file_is(in_folder("last words"), "last words"));
}

static void clear_folder(void)
{
	char path[PATH_BYTES];
	DIR *listing = opendir(folder);
	for (const struct dirent *entry = listing ? readdir(listing) : NULL; entry; entry = readdir(listing)) {
		snprintf(path, sizeof(path), "%s/%.255s", folder, entry->d_name);
		if (entry->d_name[0] != '.' || strncmp(entry->d_name, ".marsprobe-", 11) == 0)
			unlink(path);
	}
	if (listing)
		closedir(listing);
	rmdir(folder);
}

static void all_granted_files_are_asked_for(void)
{
	struct rlimit before, after;
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	struct rlimit low = {before.rlim_max < 512 ? before.rlim_max / 2 : 256, before.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	size_t most = os_files_max();
	CHECK(getrlimit(RLIMIT_NOFILE, &after) == 0);
	CHECK(most > low.rlim_cur);
	CHECK(most == after.rlim_cur);
	CHECK(after.rlim_max == before.rlim_max);
	setrlimit(RLIMIT_NOFILE, &before);
}

int main(void)
{
	const char *temporary = getenv("TMPDIR");
	snprintf(folder, sizeof(folder), "%.40s/os_test.XXXXXX", temporary ? temporary : "/tmp");
	if (!mkdtemp(folder) || chmod(folder, 0755) != 0) {
		perror(folder);
		return 1;
	}
	a_new_file_is_written_whole();
	an_old_file_keeps_its_mode();
	a_link_stays_a_link();
	a_failure_leaves_the_old_text_and_nothing_else();
	bad_places_are_refused_with_the_reason();
	a_folder_that_is_not_writable_is_refused();
	devices_and_pipes_are_written_through();
	stdout_is_not_written_from_its_start();
	what_is_no_plain_file_is_read_or_refused();
	errors_have_names_and_kinds();
	the_machine_has_names();
	all_granted_files_are_asked_for();
	the_end_flushes_and_waits_for_no_thread();
	clear_folder();
	return check_summary();
}
