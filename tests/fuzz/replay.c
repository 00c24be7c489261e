/* Runs a fuzz target over its corpus, each file in a process of its own, so that one failure does not hide the others.
 *
 *   NAME_fuzz [DIRECTORY]     the default is tests/fuzz/corpus/NAME_fuzz
 *
 * For a search instead of a replay, link the target with -fsanitize=fuzzer and without this file. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INPUT_BYTES_MAX = 1024 * 1024, SECONDS_PER_INPUT = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Run one file; the exit status of its process. */
static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_BYTES_MAX);
	if (!file || !data) {
		perror(path);
		return 1;
	}
	size_t size = fread(data, 1, INPUT_BYTES_MAX, file);
	fclose(file);
	uint8_t *exact = malloc(size ? size : 1); /* of the exact size, so that a sanitizer sees a read beyond it */
	if (!exact)
		return 1;
	memcpy(exact, data, size);
	free(data);
	int status = LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return status;
}

static int passes(const char *path)
{
	int status = 0;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		alarm(SECONDS_PER_INPUT);
		exit(run_file(path));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	char folder[512], path[1024];
	struct dirent **entries = NULL;
	int passed = 0, failed = 0;
	const char *name = strrchr(argv[0], '/');
	snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s", name ? name + 1 : argv[0]);
	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	int count = scandir(folder, &entries, is_input, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (passes(path)) {
			passed++;
		} else {
			failed++;
			printf("failed: %s\n", path);
		}
		free(entries[i]);
	}
	free(entries);
	if (count <= 0) { /* a target without a corpus proves nothing */
		printf("failed: no inputs in %s\n", folder);
		failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
