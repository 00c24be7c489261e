#ifndef MARSPROBE_CORE_STRBUF_H
#define MARSPROBE_CORE_STRBUF_H

#include <stddef.h>

#include "probe/os/printf.h"

/** A text that grows. data is always terminated and never NULL after strbuf_init(). */
struct strbuf {
	char *data;
	size_t length;	 /* bytes, without the terminator */
	size_t capacity; /* bytes, with the terminator */
};

void strbuf_init(struct strbuf *buf);

/** Release the memory; the buffer may be initialised again. */
void strbuf_free(struct strbuf *buf);

void strbuf_add(struct strbuf *buf, const char *text);
void strbuf_add_bytes(struct strbuf *buf, const void *bytes, size_t length);
void strbuf_add_char(struct strbuf *buf, char c);
void strbuf_printf(struct strbuf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/** Cut the text back to length bytes (no effect when it is shorter). */
void strbuf_truncate(struct strbuf *buf, size_t length);

#endif
