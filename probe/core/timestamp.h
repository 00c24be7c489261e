#ifndef MARSPROBE_CORE_TIMESTAMP_H
#define MARSPROBE_CORE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

enum { TIMESTAMP_TEXT_BYTES = 32 };

/** A moment of the proleptic Gregorian calendar, UTC. */
struct moment {
	int year, month, day, hour, minute, second, millisecond;
};

/** Unix milliseconds taken apart; false outside the years 0000 to 9999 (RFC 3339 5.6 has no others). */
bool moment_from_unix_ms(int64_t at_ms, struct moment *out);

/** "2026-01-31T09:05:07.120Z" into a buffer of TIMESTAMP_TEXT_BYTES; NULL outside the years 0000 to 9999. */
char *timestamp_format(int64_t at_ms, char *text);

/** Read RFC 3339 with the offset Z and any number of decimals (those after the third are dropped). *at_ms is untouched on false. */
bool timestamp_parse(const char *text, int64_t *at_ms);

#endif
