#ifndef MARSPROBE_SETTINGS_REGISTRY_H
#define MARSPROBE_SETTINGS_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/err.h"

struct arena;

enum registry_type {
	REGISTRY_NONE = 0,
	REGISTRY_SZ = 1,
	REGISTRY_EXPAND_SZ = 2,
	REGISTRY_BINARY = 3,
	REGISTRY_DWORD = 4,
	REGISTRY_MULTI_SZ = 7,
	REGISTRY_QWORD = 11
};

struct registry_value {
	const char *name; /* "" is the key's default value */
	unsigned type;	  /* enum registry_type or any other number */
	const unsigned char
		*data; /* SZ, EXPAND_SZ: UTF-8 with a terminator that length does not count; else the bytes */
	size_t length;
	const char *where; /* "FILE:LINE", or what else it came from */
};

/** Keys and values of a live registry, or of one or more .reg exports, merged: later lines and files win. */
struct registry;

struct registry *registry_new(struct arena *arena);

/**
 * Merge one export (wininet.md section 6): UTF-16LE with BOM, UTF-8, or REGEDIT4 in 8 bits (read as Windows-1252).
 *
 * Input   untrusted; at most 16 MiB.
 * Errors  false with "FILE:LINE: reason" where the file as a whole cannot be used: unknown first line, odd UTF-16,
 *         too large. A damaged line is not an error of the file: it goes to registry_problems() as "FILE:LINE: reason".
 */
bool registry_merge(struct registry *registry, const char *file, const void *bytes, size_t length, struct err *err);

/**
 * Add one value, or replace it; key begins with a full root name; value->name NULL makes only the key. Copies everything.
 *
 * Errors  a full registry is a problem of registry_problems().
 */
void registry_put(struct registry *registry, const char *key, const struct registry_value *value);

/** Note that a key is there, or may be, and that this account may not read it. */
void registry_deny(struct registry *registry, const char *key);
/** Was that noted of the key? */
bool registry_is_denied(const struct registry *registry, const char *key);

/** Value of a key ("HKEY_CURRENT_USER\\Software\\..."; HKCU, HKLM and HKU are understood); NULL if absent. Compares
 *  without case. */
const struct registry_value *registry_get(const struct registry *registry, const char *key, const char *name);

/** The number of a REG_DWORD; false where value is NULL or of another type. */
bool registry_dword(const struct registry_value *value, uint32_t *out);

/** Does the key, or any key below it, exist? */
bool registry_has_key(const struct registry *registry, const char *key);

/** The names of a key's direct subkeys, one after another and in no order: after is NULL at first, then the name
 *  got before. NULL when there is none (left). */
const char *registry_next_subkey(const struct registry *registry, const char *key, const char *after);

/** Lines that were dropped, NULL at the end. */
const char *const *registry_problems(const struct registry *registry);

#endif
