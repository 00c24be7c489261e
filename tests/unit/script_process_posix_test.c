/* What processes of scripts leave behind, and what becomes of one that is attacked from outside. */

#include "probe/engine/script_process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/os/os.h"
#include "probe/settings/pac_child.h"
#include "tests/unit/check.h"
#include "tests/unit/descriptors.h"

enum { TIMES = 50, PATIENCE_US = 20 * 1000000 };

struct play {
	struct script_process *process;
	char error[64], message[512];
	int signal; /* for the child, once the script has been loaded */
	size_t answers;
};

/** The one child of this process; 0 if there is none. */
static pid_t find_child(void)
{
	int pid = 0;
	FILE *file = fopen("/proc/thread-self/children", "r");
	if (file && fscanf(file, "%d", &pid) != 1)
		pid = 0;
	if (file)
		fclose(file);
	return pid;
}

static void resolve(struct script_process *process, const char *name, bool both, void *user)
{
	(void)name, (void)both, (void)user;
	script_process_names(process, NULL);
}

static void called(const char *call, const char *result, int line, void *user)
{
	(void)call, (void)result, (void)line, (void)user;
}

static void answered(const struct script_process_answer *answer, void *user)
{
	struct play *play = user;
	snprintf(play->error, sizeof(play->error), "%s", answer->error ? answer->error : "");
	snprintf(play->message, sizeof(play->message), "%s", answer->message ? answer->message : "");
	if (play->answers++ == 0) {
		if (play->signal)
			CHECK_INT(kill(find_child(), play->signal), 0);
		script_process_ask(play->process, "http://a/", "a");
		return;
	}
	script_process_close(play->process);
}

static void run(struct play *play)
{
	static const char script[] = "function FindProxyForURL(url, host) { return 'DIRECT'; }";
	uv_loop_t loop;
	const struct script_process_options options = {
		.loop = &loop,
		.text = script,
		.length = sizeof(script) - 1,
		.own_addresses = "",
		.timeout_us = PATIENCE_US,
		.resolve = resolve,
		.called = called,
		.answered = answered,
		.user = play,
	};
	uv_loop_init(&loop);
	play->process = script_process_start(&options);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&loop), 0);
	CHECK_INT(play->answers, 2);
}

static void many_leave_nothing_behind(void)
{
	struct play first = {.signal = 0};
	run(&first);
	size_t before = descriptors();
	for (int i = 0; i < TIMES; i++) {
		struct play play = {.signal = 0};
		run(&play);
		CHECK_TEXT(play.error, "");
	}
	CHECK_INT(descriptors(), before);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/** SIGKILL comes from the kernel where memory is short. */
static void its_end_is_an_answer(void)
{
	static const struct {
		int signal;
		const char *error, *words;
	} ends[] = {
		{SIGKILL, "memory", "for lack of memory"},
		{SIGXCPU, "timeout", "computing time was used up"},
		{SIGILL, "exception", "signal 4"},
		{SIGSYS, "exception", "what its sandbox forbids"},
	};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct play play = {.signal = ends[i].signal};
		run(&play);
		CHECK_TEXT(play.error, ends[i].error);
		if (!strstr(play.message, ends[i].words))
			printf("got %s\n", play.message);
		CHECK(strstr(play.message, ends[i].words) != NULL);
	}
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], PAC_CHILD_ARGUMENT) == 0)
		os_exit(pac_child_main());
	os_start();
	many_leave_nothing_behind();
	its_end_is_an_answer();
	return check_summary();
}
