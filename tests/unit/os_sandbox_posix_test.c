/* Does the sandbox hold? This program starts itself in it once per forbidden act, says that it will try, and must not live to tell. */

#include "probe/os/os_sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "tests/unit/descriptors.h"

enum { MEGABYTE = 1024 * 1024, MEMORY_BYTES = 256 * MEGABYTE, CPU_SECONDS = 2, SAID_BYTES = 256, OTHER = 50 };

#if defined(__SANITIZE_ADDRESS__)
enum { MEMORY_IS_LIMITED = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { MEMORY_IS_LIMITED = 0 };
#else
enum { MEMORY_IS_LIMITED = 1 };
#endif
#else
enum { MEMORY_IS_LIMITED = 1 };
#endif

/* ------------------------------------------------------------------ inside */

static void try_open(void)
{
	syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void try_old_open(void)
{
	syscall(SYS_open, "/etc/passwd", O_RDONLY);
}

static void try_stat(void)
{
	syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", NULL, 0);
}

static void try_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void try_local_socket(void)
{
	int pair[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static void try_fork(void)
{
	syscall(SYS_fork);
}

static void try_clone(void)
{
	syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void try_exec(void)
{
	char *const none[] = {NULL};
	execve("/bin/true", none, none);
}

static void try_ptrace(void)
{
	syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
}

static void try_kill(void)
{
	syscall(SYS_kill, 1, 0);
}

static void try_read_memory(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};
	syscall(SYS_process_vm_readv, 1, &here, 1, &there, 1, 0);
}

static void try_other_read(void)
{
	char byte;
	syscall(SYS_read, OTHER, &byte, 1);
}

static void try_other_write(void)
{
	syscall(SYS_write, OTHER, "x", 1);
}

/** The filter sees a register of 64 bits, the kernel takes 32 of it for the descriptor. */
static void try_write_to_wide_number(void)
{
	syscall(SYS_write, OTHER | 1L << 32, "x", 1);
}

static void try_dup(void)
{
	syscall(SYS_dup2, 1, OTHER);
}

static void try_executable_memory(void)
{
	syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_to_make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

static void try_to_map_a_pipe(void)
{
	syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, 0, 0);
}

static void try_more_files(void)
{
	syscall(SYS_prlimit64, 0, 7, NULL, NULL);
}

static void try_io_uring(void)
{
	syscall(SYS_io_uring_setup, 1, NULL);
}

/** The numbers of x32 and of 32-bit programs are others. */
static void try_x32(void)
{
	syscall(0x40000000 | SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void try_32_bit(void)
{
#ifdef __x86_64__
	long result = 20; /* getpid there, writev here */
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
#else
	try_open();
#endif
}

static const struct act {
	const char *name;
	void (*try)(void);
} forbidden[] = {
	{"open", try_open},
	{"old_open", try_old_open},
	{"stat", try_stat},
	{"socket", try_socket},
	{"local_socket", try_local_socket},
	{"fork", try_fork},
	{"clone", try_clone},
	{"exec", try_exec},
	{"ptrace", try_ptrace},
	{"kill", try_kill},
	{"read_memory", try_read_memory},
	{"other_read", try_other_read},
	{"other_write", try_other_write},
	{"wide_number", try_write_to_wide_number},
	{"dup", try_dup},
	{"executable_memory", try_executable_memory},
	{"make_executable", try_to_make_executable},
	{"map_a_pipe", try_to_map_a_pipe},
	{"more_files", try_more_files},
	{"io_uring", try_io_uring},
	{"x32", try_x32},
	{"32_bit", try_32_bit},
};

static void say(const char *text)
{
	os_sandbox_write(text, strlen(text));
}

/** Computes without end: its limit ends it. */
static void burn(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

/** As much memory as the limit does not give. */
static void eat(void)
{
	size_t got = 0;
	for (int i = 0; i < 4 * MEMORY_BYTES / MEGABYTE; i++) {
		char *memory = malloc(MEGABYTE);
		if (!memory)
			break;
		memset(memory, i, MEGABYTE);
		got++;
	}
	say(got < MEMORY_BYTES / MEGABYTE && got > 100 ? "limited" : "not limited");
}

/** All that a script's process may do, in one go. */
static void live(void)
{
	char text[64], *memory = malloc(3 * MEGABYTE);
	time_t now = time(NULL);
	struct tm broken_down = {.tm_year = 0};
	memory = realloc(memory, 20 * MEGABYTE);
	memset(memory, 1, 20 * MEGABYTE);
	free(memory);
	localtime_r(&now, &broken_down);
	mktime(&broken_down);
	size_t got = os_sandbox_read(text, sizeof(text) - 1);
	text[got] = '\0';
	fputs("a last word\n", stderr);
	fflush(stderr);
	say(text);
	say(strcmp(getenv("TZ") ? getenv("TZ") : "", "") != 0 && !getenv("HOME") && !getenv("PATH") ? "-clean"
												    : "-not clean");
}

static const struct act allowed[] = {{"--burn", burn}, {"--eat", eat}, {"--live", live}};

static const struct act *act_find(const char *name)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (strcmp(forbidden[i].name, name) == 0)
			return &forbidden[i];
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(allowed[i].name, name) == 0)
			return &allowed[i];
	return NULL;
}

static const struct os_sandbox_limits limits = {.cpu_seconds = CPU_SECONDS, .memory_bytes = MEMORY_BYTES};

static int be_sandboxed(const struct act *act)
{
	char what[512] = "", reason[512] = "";
	if (!os_sandbox_enter(&limits, what, sizeof(what), reason, sizeof(reason))) {
		say(reason);
		return 1;
	}
	if (!strstr(what, "seccomp"))
		return 1;
	say("in:");
	act->try();
	say(act->name[0] == '-' ? "" : "survived");
	return 0;
}

/* ------------------------------------------------------------------ outside */

/** Run one act; what it said goes into said. */
static struct os_sandbox_death play(const char *name, char said[SAID_BYTES])
{
	int to[2], from[2];
	char reason[256] = "";
	size_t length = 0;
	CHECK(pipe(to) == 0 && pipe(from) == 0);
	CHECK_INT(write(to[1], "hello", 5), 5); /* now: it may be dead at once, and nobody reads then */
	dup2(STDERR_FILENO, OTHER);		/* what must not reach the child */
	struct os_sandboxed *sandboxed = os_sandbox_start(name, &limits, to[0], from[1], reason, sizeof(reason));
	CHECK_TEXT(reason, "");
	close(to[0]);
	close(to[1]);
	close(from[1]);
	for (ssize_t got = 1; got > 0 && length < SAID_BYTES - 1; length += (size_t)got)
		got = read(from[0], said + length, SAID_BYTES - 1 - length);
	said[length] = '\0';
	close(from[0]);
	return os_sandbox_end(sandboxed, true);
}

static void what_is_forbidden_is_death(void)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		char said[SAID_BYTES];
		struct os_sandbox_death death = play(forbidden[i].name, said);
		if (death.end != OS_SANDBOX_FORBIDDEN || strcmp(said, "in:") != 0)
			printf("%s: said \"%s\", %s\n", forbidden[i].name, said, death.how);
		CHECK_INT(death.end, OS_SANDBOX_FORBIDDEN);
		CHECK_TEXT(said, "in:");
	}
}

static void what_is_needed_works(void)
{
	char said[SAID_BYTES];
	struct os_sandbox_death death = play("--live", said);
	CHECK_TEXT(said, "in:hello-clean");
	CHECK_INT(death.end, OS_SANDBOX_EXITED);
	CHECK_TEXT(death.how, "exit status 0");
}

static void time_and_memory_are_limited(void)
{
	char said[SAID_BYTES];
	CHECK_INT(play("--burn", said).end, OS_SANDBOX_CPU_TIME);
	CHECK_TEXT(said, "in:");
	if (!MEMORY_IS_LIMITED) /* a sanitizer takes terabytes of addresses for itself */
		return;
	play("--eat", said);
	CHECK_TEXT(said, "in:limited");
}

static void nothing_is_left_behind(void)
{
	char said[SAID_BYTES];
	play("--live", said);
	size_t before = descriptors();
	for (int i = 0; i < 20; i++)
		play("--live", said);
	CHECK_INT(descriptors(), before);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0); /* no child at all */
}

static void one_that_lives_is_killed(void)
{
	int to[2], from[2];
	char reason[256] = "";
	CHECK(pipe(to) == 0 && pipe(from) == 0);
	struct os_sandboxed *sandboxed = os_sandbox_start("--live", &limits, to[0], from[1], reason, sizeof(reason));
	CHECK_INT(os_sandbox_end(sandboxed, false).end, OS_SANDBOX_KILLED);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0);
	CHECK_INT(os_sandbox_end(NULL, true).end, OS_SANDBOX_EXITED);
	close(to[0]), close(to[1]), close(from[0]), close(from[1]);
}

/** A process between us and the sandbox, that is killed. */
static void it_dies_with_its_parent(void)
{
	int to[2], from[2];
	char reason[256] = "", byte = 0;
	CHECK(pipe(to) == 0 && pipe(from) == 0);
	pid_t parent = fork();
	if (parent == 0) {
		if (!os_sandbox_start("--live", &limits, to[0], from[1], reason, sizeof(reason)))
			_exit(1);
		pause();
		_exit(0);
	}
	close(from[1]);
	char said[3];
	CHECK(read(from[0], said, sizeof(said)) == 3 && memcmp(said, "in:", 3) == 0);
	kill(parent, SIGKILL);
	CHECK_INT(waitpid(parent, NULL, 0), parent);
	CHECK_INT(read(from[0], &byte, 1), 0); /* to[1] is still open here: it did not end by itself */
	close(to[0]), close(to[1]), close(from[0]);
}

static void a_descriptor_that_is_none_is_said(void)
{
	char reason[256] = "";
	CHECK(!os_sandbox_start("--live", &limits, 900, 901, reason, sizeof(reason)));
	CHECK(strstr(reason, "Bad file descriptor") != NULL);
}

int main(int argc, char **argv)
{
	const struct act *act = argc == 2 ? act_find(argv[1]) : NULL;
	if (act)
		_exit(be_sandboxed(act));
	what_is_forbidden_is_death();
	what_is_needed_works();
	time_and_memory_are_limited();
	nothing_is_left_behind();
	one_that_lives_is_killed();
	it_dies_with_its_parent();
	a_descriptor_that_is_none_is_said();
	return check_summary();
}
