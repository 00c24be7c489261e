/* Clocks, files, names and threads on Linux; sockets are in os_posix_socket.c, the machine's network in os_posix_net.c. */

#include "probe/os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { OS_RELEASE_BYTES_MAX = 64 * 1024, PASSWD_BYTES = 16 * 1024, TEMPORARY_NAMES = 16, READ_STEP_BYTES = 64 * 1024 };

/* ------------------------------------------------------------------ the start */

void os_start(void)
{
	signal(SIGPIPE, SIG_IGN);
}

char **os_arguments(int argc, char **argv, int *count)
{
	*count = argc;
	return argv;
}

const char *const *os_environment(void)
{
	return (const char *const *)environ;
}

const char *os_environment_get(const char *name)
{
	return getenv(name);
}

/* ------------------------------------------------------------------ clocks, chance, streams */

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;
	if (clock_gettime(clock, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t os_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int64_t os_monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

bool os_random(void *out, size_t bytes)
{
	unsigned char *at = out;
	while (bytes > 0) {
		ssize_t got = getrandom(at, bytes, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		bytes -= (size_t)got;
	}
	return true;
}

size_t os_files_max(void)
{
	enum { ENOUGH = 65536, LEAST = 256 };
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return LEAST;
	rlim_t wanted = limit.rlim_max < ENOUGH ? limit.rlim_max : ENOUGH;
	if (limit.rlim_cur < wanted) {
		rlim_t before = limit.rlim_cur;
		limit.rlim_cur = wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			limit.rlim_cur = before;
	}
	return (size_t)limit.rlim_cur;
}

bool os_is_terminal(int stream)
{
	return isatty(stream) == 1;
}

bool os_window_is_own(void)
{
	return false;
}

void os_wait_for_key(int timeout_ms)
{
	(void)timeout_ms;
}

/* ------------------------------------------------------------------ names */

bool os_host_name(char *out, size_t bytes)
{
	if (bytes == 0 || gethostname(out, bytes) != 0)
		return false;
	out[bytes - 1] = '\0'; /* POSIX leaves open whether a cut name is terminated */
	return out[0] != '\0';
}

bool os_account_name(char *out, size_t bytes)
{
	char texts[PASSWD_BYTES];
	struct passwd entry, *found = NULL;
	if (bytes == 0 || getpwuid_r(geteuid(), &entry, texts, sizeof(texts), &found) != 0 || !found)
		return false;
	return (size_t)snprintf(out, bytes, "%s", found->pw_name) < bytes;
}

/** PRETTY_NAME of os-release(5), in place; NULL if there is none. */
static char *pretty_name(char *text)
{
	static const char key[] = "PRETTY_NAME=";
	char *at = text;
	while (at && strncmp(at, key, sizeof(key) - 1) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return NULL;
	at += sizeof(key) - 1;
	at += strspn(at, "\"'");
	at[strcspn(at, "\"'\n")] = '\0';
	return *at ? at : NULL;
}

void os_description(char *out, size_t bytes)
{
	struct utsname kernel;
	char reason[128];
	size_t length = 0;
	if (uname(&kernel) != 0) {
		snprintf(out, bytes, "POSIX");
		return;
	}
	char *text = os_read_file("/etc/os-release", OS_RELEASE_BYTES_MAX, &length, reason, sizeof(reason));
	if (!text)
		text = os_read_file("/usr/lib/os-release", OS_RELEASE_BYTES_MAX, &length, reason, sizeof(reason));
	const char *name = text ? pretty_name(text) : NULL;
	snprintf(out, bytes, "%s%s%s %s", name ? name : "", name ? ", " : "", kernel.sysname, kernel.release);
	free(text);
}

const char *os_hosts_path(void)
{
	return access("/etc/hosts", F_OK) == 0 ? "/etc/hosts" : NULL;
}

/* ------------------------------------------------------------------ files */

static bool fail(char *reason, size_t reason_bytes, int error)
{
	char text[128];
	snprintf(reason, reason_bytes, "%s", strerror_r(error, text, sizeof(text)));
	return false;
}

/** Write all of it, also to a stream that somebody made non-blocking. False with errno. */
static bool write_all(int fd, const char *at, size_t length)
{
	while (length > 0) {
		ssize_t wrote = write(fd, at, length);
		if (wrote >= 0) {
			at += wrote;
			length -= (size_t)wrote;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};
			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

/** Is path a name of one of our own descriptors? Opening it anew would write over the start of a redirected file. */
static int own_descriptor(const char *path)
{
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t length = strlen(folders[i]);
		char *end = NULL;
		long number = strncmp(path, folders[i], length) == 0 ? strtol(path + length, &end, 10) : -1;
		if (end && end != path + length && *end == '\0' && number >= 0 && number <= INT_MAX)
			return (int)number;
	}
	return -1;
}

static bool write_through(const char *path, const void *bytes, size_t length, char *reason, size_t reason_bytes)
{
	int own = own_descriptor(path);
	int fd = own >= 0 ? own : open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(reason, reason_bytes, errno);
	int error = write_all(fd, bytes, length) ? 0 : errno;
	if (own < 0 && close(fd) != 0 && !error)
		error = errno;
	return error ? fail(reason, reason_bytes, error) : true;
}

/** Create a new file in the folder of path; its name goes into name. -1 with errno. */
static int create_beside(const char *path, mode_t mode, char name[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int folder_length = slash ? (int)(slash - path) + 1 : 0;
	for (int try = 0; try < TEMPORARY_NAMES; try++) {
		uint64_t chance = 0;
		if (!os_random(&chance, sizeof(chance)))
			return -1;
		if (snprintf(name, PATH_MAX, "%.*s.marsprobe-%016llx", folder_length, path,
			     (unsigned long long)chance) >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

/** Fill the new file and bring it to the disk; closes fd. 0 or an errno. */
static int fill_and_close(int fd, const struct stat *old, const void *bytes, size_t length)
{
	int error = 0;
	if (old && fchmod(fd, old->st_mode & 0777) != 0)
		error = errno;
	if (!error && !write_all(fd, bytes, length))
		error = errno;
	/* some network file systems know no fsync; that is no reason to give no report */
	if (!error && fsync(fd) != 0 && errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
		error = errno;
	if (close(fd) != 0 && !error)
		error = errno;
	return error;
}

static bool replace_file(const char *path, const struct stat *old, const void *bytes, size_t length, char *reason,
			 size_t reason_bytes)
{
	char name[PATH_MAX];
	int fd = create_beside(path, 0644, name);
	if (fd < 0)
		return fail(reason, reason_bytes, errno);
	int error = fill_and_close(fd, old, bytes, length);
	if (!error && rename(name, path) != 0)
		error = errno;
	if (!error)
		return true;
	unlink(name);
	return fail(reason, reason_bytes, error);
}

bool os_write_file(const char *path, const void *bytes, size_t length, char *reason, size_t reason_bytes)
{
	struct stat now;
	char target[PATH_MAX];
	if (own_descriptor(path) >= 0)
		return write_through(path, bytes, length, reason, reason_bytes);
	bool exists = stat(path, &now) == 0;
	if (exists && !S_ISREG(now.st_mode))
		return write_through(path, bytes, length, reason, reason_bytes);
	if (exists && !realpath(path, target)) /* a symbolic link stays one: what it names is replaced */
		return fail(reason, reason_bytes, errno);
	return replace_file(exists ? target : path, exists ? &now : NULL, bytes, length, reason, reason_bytes);
}

/** Read to the end, at most max bytes, into *text, which grows. 0 or an errno; EFBIG when there is more. */
static int read_all(int fd, size_t max, char **text, size_t *length)
{
	for (;;) {
		char *grown = realloc(*text, *length + READ_STEP_BYTES + 1);
		if (!grown)
			return ENOMEM;
		*text = grown;
		ssize_t got = read(fd, grown + *length, READ_STEP_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		*length += (size_t)got;
		if (*length > max)
			return EFBIG;
		if (got == 0) {
			grown[*length] = '\0';
			return 0;
		}
	}
}

char *os_read_file(const char *path, size_t max, size_t *length, char *reason, size_t reason_bytes)
{
	char *text = NULL;
	size_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int error = fd < 0 ? errno : read_all(fd, max, &text, &got);
	if (fd >= 0)
		close(fd);
	if (!error) {
		*length = got;
		return text;
	}
	free(text);
	if (error == EFBIG)
		snprintf(reason, reason_bytes, "larger than %zu bytes", max);
	else
		fail(reason, reason_bytes, error);
	return NULL;
}

/** Read to the end into max + 1 bytes. 0 or an errno; EFBIG when there is more. */
static int read_into(int fd, char *bytes, size_t max, size_t *length)
{
	*length = 0;
	for (;;) {
		ssize_t got = read(fd, bytes + *length, max + 1 - *length);
		if (got < 0 && errno != EINTR)
			return errno;
		if (got == 0)
			return 0;
		*length += got > 0 ? (size_t)got : 0;
		if (*length > max)
			return EFBIG;
	}
}

bool os_read_secret(const char *path, char *bytes, size_t max, size_t *length, char *reason, size_t reason_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int error = fd < 0 ? errno : read_into(fd, bytes, max, length);
	if (fd >= 0)
		close(fd);
	if (!error)
		return true;
	if (error != EFBIG)
		return fail(reason, reason_bytes, error);
	snprintf(reason, reason_bytes, "larger than %zu bytes", max);
	return false;
}

/* ------------------------------------------------------------------ threads, the end */

struct thread_start {
	void (*run)(void *);
	void *argument;
};

static void *thread_main(void *memory)
{
	struct thread_start start = *(struct thread_start *)memory;
	free(memory);
	start.run(start.argument);
	return NULL;
}

bool os_thread_detached(void (*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;
	struct thread_start *start = malloc(sizeof(*start));
	if (!start)
		return false;
	*start = (struct thread_start){run, argument};
	bool started = pthread_attr_init(&attributes) == 0;
	if (started) {
		started = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
			  pthread_create(&thread, &attributes, thread_main, start) == 0;
		pthread_attr_destroy(&attributes);
	}
	if (!started)
		free(start);
	return started;
}

void os_exit(int status)
{
	/* these two alone: fflush(NULL) would wait for a stream that an abandoned look-up holds locked */
	fflush(stdout);
	fflush(stderr);
	_exit(status);
}
