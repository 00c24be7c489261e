/* The sandbox on Linux: a process with two pipes and nothing else, that closes a seccomp filter round itself. */

#include "probe/os/os_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_NOT_STARTED = 127, FIRST_FREE = 3, DESCRIPTORS_MAX = 1 << 20 };

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif
#ifndef HAS_SHADOW_MEMORY
#define HAS_SHADOW_MEMORY 0 /* AddressSanitizer's takes up terabytes of addresses */
#endif

struct os_sandboxed {
	pid_t pid;
};

static void say_error(char *reason, size_t reason_bytes, const char *doing, int error)
{
	char text[128];
	snprintf(reason, reason_bytes, "%s: %s", doing, strerror_r(error, text, sizeof(text)));
}

/* ------------------------------------------------------------------ outside: the start */

/** What the new process needs from before fork(): after it, nothing may allocate (another thread may hold the lock). */
struct start {
	const char *argument;
	char *environment[2];
	pid_t parent;
	int in, out, tell; /* tell: where the new process says why it could not be started */
	sigset_t signals;  /* to be set in it */
};

static void default_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL); /* those that may not be set say so, and stay as they are */
}

/** Mark every descriptor from first on to be closed by exec(). */
static void close_on_exec(unsigned first)
{
	struct rlimit limit = {.rlim_cur = DESCRIPTORS_MAX};
	if (syscall(SYS_close_range, first, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = (int)first; fd < DESCRIPTORS_MAX && (rlim_t)fd < limit.rlim_cur; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/** Bring the descriptors to their places; none may sit on another's place. */
static bool place_descriptors(const struct start *start)
{
	int in = fcntl(start->in, F_DUPFD, FIRST_FREE), out = fcntl(start->out, F_DUPFD, FIRST_FREE);
	int null = open("/dev/null", O_WRONLY);
	return in >= 0 && out >= 0 && null >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	       dup2(null, STDERR_FILENO) >= 0;
}

static void __attribute__((noreturn)) become(const struct start *start)
{
	char name[] = "marsprobe", *arguments[] = {name, (char *)(uintptr_t)start->argument, NULL};
	int tell = fcntl(start->tell, F_DUPFD_CLOEXEC, FIRST_FREE);
	default_signals();
	setsid(); /* no terminal, and Ctrl-C there is for the parent alone */
	bool ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
	if (getppid() != start->parent) /* it has died before it could be said */
		_exit(EXIT_NOT_STARTED);
	ready = ready && place_descriptors(start) && sigprocmask(SIG_SETMASK, &start->signals, NULL) == 0;
	close_on_exec(FIRST_FREE);
	if (ready)
		execve("/proc/self/exe", arguments, start->environment);
	int error = errno;
	while (write(tell, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	_exit(EXIT_NOT_STARTED);
}

/** fork() with all signals held back, so that no handler of this process runs in the new one. */
static pid_t start_process(struct start *start)
{
	sigset_t all, before;
	sigfillset(&all);
	sigemptyset(&start->signals);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0)
		become(start);
	int error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return pid;
}

/** What the new process said before exec() closed its end: 0 for nothing. */
static int told_error(int fd)
{
	int error = 0;
	ssize_t got;
	do
		got = read(fd, &error, sizeof(error));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(error) ? error : 0;
}

static void wait_for(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

/** The variable TZ. Without one the C library would look at the system's file again and again; with one it does so once. */
static char *time_zone_variable(void)
{
	const char *zone = getenv("TZ");
	char *variable = NULL;
	if (asprintf(&variable, "TZ=%s", zone ? zone : ":/etc/localtime") < 0)
		return NULL;
	return variable;
}

struct os_sandboxed *os_sandbox_start(const char *argument, const struct os_sandbox_limits *limits, int in, int out,
				      char *reason, size_t reason_bytes)
{
	(void)limits; /* the process sets them itself */
	int tell[2];
	struct start start = {.argument = argument, .parent = getpid(), .in = in, .out = out};
	struct os_sandboxed *sandboxed = malloc(sizeof(*sandboxed));
	start.environment[0] = time_zone_variable();
	if (!sandboxed || !start.environment[0] || pipe2(tell, O_CLOEXEC) != 0) {
		say_error(reason, reason_bytes, "no process for it could be started", errno);
		free(start.environment[0]);
		free(sandboxed);
		return NULL;
	}
	start.tell = tell[1];
	sandboxed->pid = start_process(&start);
	int error = sandboxed->pid < 0 ? errno : 0;
	close(tell[1]);
	free(start.environment[0]);
	if (!error && (error = told_error(tell[0])) != 0)
		wait_for(sandboxed->pid, NULL);
	close(tell[0]);
	if (!error)
		return sandboxed;
	say_error(reason, reason_bytes, "no process for it could be started", error);
	free(sandboxed);
	return NULL;
}

/* ------------------------------------------------------------------ outside: the end */

/** A SIGKILL that was not ours is the kernel's, which has no memory left. */
static enum os_sandbox_end end_by_signal(int number, bool killed)
{
	switch (number) {
	case SIGKILL:
		return killed ? OS_SANDBOX_KILLED : OS_SANDBOX_MEMORY;
	case SIGXCPU:
		return OS_SANDBOX_CPU_TIME;
	case SIGSYS:
		return OS_SANDBOX_FORBIDDEN;
	}
	return OS_SANDBOX_CRASHED;
}

/** Has the process ended, and not been waited for? */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {.si_pid = 0};
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

struct os_sandbox_death os_sandbox_end(struct os_sandboxed *sandboxed, bool is_ending)
{
	enum { MOMENT_MS = 200 };
	const struct timespec step = {.tv_nsec = 1000000};
	struct os_sandbox_death death = {.end = OS_SANDBOX_EXITED};
	int status = 0;
	if (!sandboxed)
		return death;
	pid_t pid = sandboxed->pid;
	for (int i = 0; is_ending && i < MOMENT_MS && !has_ended(pid); i++)
		nanosleep(&step, NULL);
	bool killed = !has_ended(pid) && kill(pid, SIGKILL) == 0;
	wait_for(pid, &status);
	free(sandboxed);
	if (WIFSIGNALED(status)) {
		int number = WTERMSIG(status);
		death.end = end_by_signal(number, killed);
		snprintf(death.how, sizeof(death.how), "signal %d, %s", number, strsignal(number));
		return death;
	}
	death.status = WEXITSTATUS(status);
	snprintf(death.how, sizeof(death.how), "exit status %d", death.status);
	return death;
}

/* ------------------------------------------------------------------ inside */

static bool set_limit(int which, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
	return setrlimit((__rlimit_resource_t)which, &limit) == 0;
}

/** The soft limit of computing time comes first: its signal tells it from a lack of memory. */
static bool set_limits(const struct os_sandbox_limits *limits)
{
	return set_limit(RLIMIT_CPU, limits->cpu_seconds, limits->cpu_seconds + 1) &&
	       (HAS_SHADOW_MEMORY || set_limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes)) &&
	       set_limit(RLIMIT_CORE, 0, 0) && set_limit(RLIMIT_FSIZE, 0, 0) && set_limit(RLIMIT_NOFILE, 0, 0) &&
	       set_limit(RLIMIT_NPROC, 0, 0);
}

/** Calls that are harmless whatever their arguments: memory, time, the end. */
static int allow_plain(scmp_filter_ctx filter)
{
	static const int calls[] = {
		SCMP_SYS(exit),		SCMP_SYS(exit_group), SCMP_SYS(brk),	       SCMP_SYS(munmap),
		SCMP_SYS(mremap),	SCMP_SYS(madvise),    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(futex),      SCMP_SYS(getrandom),
	};
	int error = 0;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return error;
}

/** 0, or a negative errno. malloc() calls mprotect() where brk() finds no more room. */
static int allow(scmp_filter_ctx filter)
{
	int error = allow_plain(filter);
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(read), 1,
					 SCMP_A0_32(SCMP_CMP_EQ, STDIN_FILENO));
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
					 SCMP_A0_32(SCMP_CMP_EQ, STDOUT_FILENO));
	if (!error && HAS_SHADOW_MEMORY) /* it looks for another stack before each longjmp() */
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sigaltstack), 0);
	if (!error) /* a last word of the C library's is lost, but no crime */
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EBADF), SCMP_SYS(write), 1,
					 SCMP_A0_32(SCMP_CMP_EQ, STDERR_FILENO));
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
					 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
					 SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return error;
}

/** Everything else ends the process, in another architecture's numbers too. 0, or a negative errno. */
static int load_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		filter = seccomp_init(SCMP_ACT_KILL_THREAD); /* before Linux 4.14; there is one thread alone */
	if (!filter)
		return -ENOMEM;
	int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_THREAD);
	if (!error)
		error = allow(filter);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

bool os_sandbox_enter(const struct os_sandbox_limits *limits, char *what, size_t what_bytes, char *reason,
		      size_t reason_bytes)
{
	tzset(); /* reads the time zone's file, for the last time */
	if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !set_limits(limits)) {
		say_error(reason, reason_bytes, "the limits of its process could not be set", errno);
		return false;
	}
	int error = load_filter();
	if (error) {
		say_error(reason, reason_bytes, "the kernel did not take its seccomp filter", -error);
		return false;
	}
	snprintf(what, what_bytes,
		 "a process of its own under a seccomp filter that kills it for any call but reading and writing its "
		 "two "
		 "pipes, memory and time; %u s of computing time%s",
		 limits->cpu_seconds, HAS_SHADOW_MEMORY ? "" : ", limited memory");
	return true;
}

size_t os_sandbox_read(void *into, size_t bytes)
{
	ssize_t got;
	do
		got = read(STDIN_FILENO, into, bytes);
	while (got < 0 && errno == EINTR);
	return got > 0 ? (size_t)got : 0;
}

bool os_sandbox_write(const void *bytes, size_t length)
{
	const char *at = bytes;
	while (length > 0) {
		ssize_t wrote = write(STDOUT_FILENO, at, length);
		if (wrote < 0 && errno != EINTR)
			return false;
		at += wrote > 0 ? wrote : 0;
		length -= wrote > 0 ? (size_t)wrote : 0;
	}
	return true;
}
