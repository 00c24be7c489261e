/* Runs a fuzz target over its corpus, each file in a process of its own, so that one failure does not hide the others.
 *
 *   NAME_fuzz [DIRECTORY]     the default is tests/fuzz/corpus/NAME_fuzz
 *   NAME_fuzz --one FILE      one input, in this process
 *
 * For a search instead of a replay, link the target with -fsanitize=fuzzer and without the replay files. */

#include "tests/fuzz/replay.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int replay_file(const char *path)
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

int main(int argc, char **argv)
{
	char folder[512], path[1024];
	int passed = 0, failed = 0;
	const char *name = strrchr(argv[0], '/');
	if (argc == 3 && strcmp(argv[1], "--one") == 0)
		return replay_file(argv[2]);
	snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s", name ? name + 1 : argv[0]);
	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	DIR *listing = opendir(folder);
	for (const struct dirent *entry = listing ? readdir(listing) : NULL; entry; entry = readdir(listing)) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (replay_passes(argv[0], path)) {
			passed++;
		} else {
			failed++;
			printf("failed: %s\n", path);
		}
	}
	if (listing)
		closedir(listing);
	if (passed + failed == 0) { /* a target without a corpus proves nothing */
		printf("failed: no inputs in %s\n", folder);
		failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
