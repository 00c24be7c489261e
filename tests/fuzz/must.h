#ifndef MARSPROBE_TESTS_FUZZ_MUST_H
#define MARSPROBE_TESTS_FUZZ_MUST_H

/* What every fuzz target has: the entry that the fuzzer and the replay call, and a claim that ends the process where it does not hold. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                                \
	do {                                                                                           \
		if (!(condition)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                       \
		}                                                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
