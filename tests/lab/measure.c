/*
 * Run a command and say what it took. usage: measure FILE COMMAND [ARGUMENT...]
 *
 * FILE gets one line: exit status, wall-clock ms, CPU ms, peak resident KiB. A small program of its own, because the peak that
 * wait4() reports includes what the process was before exec().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double milliseconds(struct timeval time)
{
	return (double)time.tv_sec * 1000 + (double)time.tv_usec / 1000;
}

static double wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: measure FILE COMMAND [ARGUMENT...]\n");
		return 2;
	}
	FILE *out = fopen(argv[1], "we");
	double begin = wall_ms();
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	int status = 0;
	struct rusage usage;
	if (!out || child < 0 || wait4(child, &status, 0, &usage) != child) {
		perror("measure");
		return 1;
	}
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(out, "%d %.3f %.3f %ld\n", code, wall_ms() - begin,
		milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), usage.ru_maxrss);
	return fclose(out) == 0 ? code : 1;
}
