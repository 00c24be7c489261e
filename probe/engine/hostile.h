#ifndef MARSPROBE_ENGINE_HOSTILE_H
#define MARSPROBE_ENGINE_HOSTILE_H

#include <stddef.h>

struct arena;

/** Bytes from the network as UTF-8 text: what is no UTF-8, and NUL, becomes U+FFFD. */
const char *hostile_text(struct arena *arena, const char *bytes, size_t length);

/** Bytes from the network as printable ASCII: the rest as \xNN, the backslash too. */
const char *hostile_bytes(struct arena *arena, const void *bytes, size_t length);

/** A digest as lower-case hex digits. */
const char *hex_text(struct arena *arena, const unsigned char *bytes, size_t length);

#endif
