/* A target set that anybody may have written: it loads or gives a message, and whatever loads is whole. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "targets/targets.h"
#include "tests/fuzz/must.h"

static void check_target(const struct target *target)
{
	MUST(target->id && target->name && target->rule && target->service);
	MUST(target->port >= 1 && target->port <= 65535);
	MUST((target->url != NULL) == (target->kind == TARGET_URL));
	MUST((target->cidr != NULL) == (target->kind == TARGET_CIDR));
	MUST((target->host != NULL) == (target->kind != TARGET_CIDR));
	MUST(!target->host || !strpbrk(target->host, "{}*/ @"));
	for (size_t i = 0; i < target->expect.status_count; i++)
		MUST(target->expect.status[i] >= 100 && target->expect.status[i] <= 599);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct target_options options = {.arena = arena};
	struct target_set set = {0};
	struct err err = {{0}};
	const char *text = arena_strndup(arena, (const char *)data, size);

	if (targets_load_text(&options, "fuzz.ini", text, &set, &err)) {
		MUST(set.count > 0 && set.name && set.region);
		for (size_t i = 0; i < set.count; i++)
			check_target(set.targets[i]);
	} else {
		MUST(strncmp(err.text, "fuzz.ini:", strlen("fuzz.ini:")) == 0);
	}
	/* The same bytes as a TARGET argument; never a file: the fuzzer must not open any. */
	if (size < 512 && !strpbrk(text, "/\\") && !strstr(text, ".ini") && targets_load(&options, text, &set, &err))
		check_target(set.targets[0]);
	arena_free(arena);
	return 0;
}
