#include "probe/core/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024, ALIGNMENT = 16 };

struct block {
	struct block *next;
	size_t used;
	size_t size;
	_Alignas(ALIGNMENT) unsigned char data[];
};

struct arena {
	struct block *blocks; /* the newest first; only it is filled further */
};

static void __attribute__((noreturn)) out_of_memory(void)
{
	fputs("marsprobe: out of memory\n", stderr);
	exit(4);
}

void *xmalloc(size_t bytes)
{
	void *memory = malloc(bytes ? bytes : 1);
	if (!memory)
		out_of_memory();
	return memory;
}

void *xcalloc(size_t count, size_t bytes)
{
	void *memory = calloc(count ? count : 1, bytes ? bytes : 1);
	if (!memory)
		out_of_memory();
	return memory;
}

void *xrealloc(void *memory, size_t bytes)
{
	void *moved = realloc(memory, bytes ? bytes : 1);
	if (!moved)
		out_of_memory();
	return moved;
}

char *xstrdup(const char *text)
{
	size_t bytes = strlen(text) + 1;
	return memcpy(xmalloc(bytes), text, bytes);
}

struct arena *arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct block *block = arena->blocks; block;) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
	free(arena);
}

static struct block *block_add(struct arena *arena, size_t bytes)
{
	size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct block *block = xmalloc(sizeof(*block) + size);
	block->used = 0;
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX / 2)
		out_of_memory();
	bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct block *block = arena->blocks;
	if (!block || block->size - block->used < bytes)
		block = block_add(arena, bytes);
	void *memory = block->data + block->used;
	block->used += bytes;
	return memset(memory, 0, bytes);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	return memcpy(arena_alloc(arena, length + 1), text, length);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return arena_strndup(arena, "", 0);
	char *text = arena_alloc(arena, (size_t)length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, void *items, size_t *capacity, size_t count, size_t item_bytes)
{
	if (items && count < *capacity)
		return items;
	size_t wanted = *capacity ? *capacity * 2 : 8;
	if (wanted > SIZE_MAX / 2 / item_bytes)
		out_of_memory();
	void *moved = arena_alloc(arena, wanted * item_bytes);
	if (count)
		memcpy(moved, items, count * item_bytes);
	*capacity = wanted;
	return moved;
}

void arena_adopt(struct arena *parent, struct arena *child)
{
	struct block *last = child->blocks;
	while (last && last->next)
		last = last->next;
	if (last && parent->blocks) { /* behind the parent's newest, which is still being filled */
		last->next = parent->blocks->next;
		parent->blocks->next = child->blocks;
	} else if (last) {
		parent->blocks = child->blocks;
	}
	free(child);
}
