#ifndef MARSPROBE_OS_OS_REGISTRY_H
#define MARSPROBE_OS_OS_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

/* The registry of a Windows machine, live and read only, always in its 64-bit view (KEY_WOW64_64KEY). */

enum os_registry_answer {
	OS_REGISTRY_READ,	 /* the key is there, and was read */
	OS_REGISTRY_ABSENT,	 /* no such key */
	OS_REGISTRY_DENIED,	 /* it is there, and this account may not read it */
	OS_REGISTRY_NO_REGISTRY, /* this system has none */
};

/**
 * One value. key is the full path ("HKEY_USERS\\S-1-5-18\\Software\\..."); name "" is the key's default value; type is the registry's own
 * number. SZ and EXPAND_SZ: UTF-8 with a terminator that length does not count, as stored (not expanded); else the bytes. A key
 * without values is told once, with name NULL. Nothing outlives the call.
 */
typedef void (*os_registry_value_cb)(const char *key, const char *name, unsigned type, const unsigned char *data,
				     size_t length, void *user);

/**
 * Read a key and what is below it, at most depth levels down (0: the key alone).
 *
 * Limits  64 KiB a value, 4,096 values a call; what is beyond is left out.
 */
enum os_registry_answer os_registry_read(const char *key, unsigned depth, os_registry_value_cb value, void *user);

#endif
