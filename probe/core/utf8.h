#ifndef MARSPROBE_CORE_UTF8_H
#define MARSPROBE_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;

enum { UTF8_REPLACEMENT = 0xFFFD };

/**
 * The next character of a text that may be anything (RFC 3629).
 *
 * Output  *code is the code point; UTF8_REPLACEMENT for bytes that are no UTF-8: overlong forms, surrogates, stray or missing
 *         continuation bytes, beyond U+10FFFF.
 * Returns how many bytes it took: 0 only for length 0; 1 for a byte that is no UTF-8.
 */
size_t utf8_decode(const char *text, size_t length, uint32_t *code);

/** Append one code point; one that has no UTF-8 form becomes U+FFFD. */
void utf8_add(struct strbuf *out, uint32_t code);

/** Append text with each byte that is no UTF-8 as U+FFFD. */
void utf8_add_clean(struct strbuf *out, const char *text, size_t length);

/** Is the whole text UTF-8? */
bool utf8_is_valid(const char *text, size_t length);

#endif
