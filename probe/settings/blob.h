#ifndef MARSPROBE_SETTINGS_BLOB_H
#define MARSPROBE_SETTINGS_BLOB_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Flags of a blob (wininet.md 1.2). The texts stay in the blob when their flag is off: test the flag, never the
 * length. */
enum { BLOB_DIRECT = 1, BLOB_STATIC = 2, BLOB_PAC = 4, BLOB_AUTO_DETECT = 8 };

enum blob_kind {
	BLOB_CONNECTION, /* DefaultConnectionSettings, SavedLegacySettings: versions 0x3C and 0x46 */
	BLOB_WINHTTP	 /* WinHttpSettings: versions 0x18 and 0x28 without a PAC address, and the two above */
};

/** A connection's settings, as Windows stores them in one REG_BINARY value. */
struct blob {
	int version, counter, flags;	  /* as stored; larger than INT_MAX gives INT_MAX */
	const char *proxy, *bypass, *pac; /* UTF-8, never NULL */
};

/**
 * Read a blob (wininet.md 1.2, 1.6): 8-bit texts are taken as Windows-1252.
 *
 * Input   untrusted; every length is checked against the bytes left. The tail behind the texts is not looked at.
 * Errors  false with the reason in *problem (a static text or one in the arena); *out then holds what was read before.
 */
bool blob_parse(struct arena *arena, enum blob_kind kind, const void *bytes, size_t length, struct blob *out,
		const char **problem);

#endif
