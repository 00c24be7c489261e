#ifndef MARSPROBE_CORE_ARENA_H
#define MARSPROBE_CORE_ARENA_H

#include <stddef.h>

#include "probe/os/printf.h"

/** Memory that lives as long as its owner: many allocations, one release. Out of memory ends the process. */
struct arena;

struct arena *arena_new(void);

/** Release the arena and everything that came from it. NULL is allowed. */
void arena_free(struct arena *arena);

/** Zeroed memory of that many bytes, aligned for any type; lives until arena_free(). Never NULL. */
void *arena_alloc(struct arena *arena, size_t bytes) __attribute__((malloc, returns_nonnull));

/** A copy of text; NULL gives NULL. */
char *arena_strdup(struct arena *arena, const char *text);

/** A copy of the first length bytes of text, with a terminator added. */
char *arena_strndup(struct arena *arena, const char *text, size_t length) __attribute__((returns_nonnull));

/** printf into the arena. */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3) __attribute__((returns_nonnull));

/**
 * Make room for one more item at the end of an array: returns the array, moved if it had to grow.
 *
 * Units   item_bytes is the size of one item; *capacity counts items and is updated.
 * Use     list->items = arena_grow(a, list->items, &list->capacity, list->count, sizeof(*list->items));
 *         list->items[list->count++] = item;
 */
void *arena_grow(struct arena *arena, void *items, size_t *capacity, size_t count, size_t item_bytes)
	__attribute__((returns_nonnull));

/** Move everything that child owns into parent; child itself is gone then. For what another thread has filled. */
void arena_adopt(struct arena *parent, struct arena *child);

/* The same "out of memory ends the process" rule for memory that somebody frees by hand. */
void *xmalloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t bytes) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *memory, size_t bytes) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));

#endif
