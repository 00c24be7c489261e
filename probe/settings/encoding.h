#ifndef MARSPROBE_SETTINGS_ENCODING_H
#define MARSPROBE_SETTINGS_ENCODING_H

#include <stddef.h>

struct arena;
struct strbuf;

/* Texts of exports and blobs, made UTF-8. What is no character, and NUL, becomes U+FFFD: our texts never hold a NUL. */

/** Append UTF-8 as it is, ill-formed bytes replaced one by one. */
void encoding_add_utf8(struct strbuf *out, const void *bytes, size_t length);

/** Append Windows-1252 (its five unassigned bytes are the C1 controls of the same number, as Windows has it). */
void encoding_add_cp1252(struct strbuf *out, const void *bytes, size_t length);

/** Append UTF-16LE; unpaired surrogates are replaced, an odd last byte is left out. */
void encoding_add_utf16le(struct strbuf *out, const void *bytes, size_t length);

/** Append UTF-16BE, by the same rules. */
void encoding_add_utf16be(struct strbuf *out, const void *bytes, size_t length);

/** Append ISO-8859-1: each byte is the character of its number. */
void encoding_add_latin1(struct strbuf *out, const void *bytes, size_t length);

/**
 * Append a script as what fetched it reads it (wininet.md 4.4): by the charset of its Content-Type (NULL: none), else by its byte order mark,
 * else as ISO-8859-1. The mark itself is left out.
 *
 * Charsets  utf-8, utf-16, utf-16le, utf-16be, iso-8859-1, us-ascii, windows-1252 and their usual other names, in any case; one that is not
 *           known counts as none. utf-16 without a mark is little endian, as Windows writes it.
 */
void encoding_add_script(struct strbuf *out, const char *charset, const void *bytes, size_t length);

/** A well-formed copy in the arena; NULL gives NULL. */
const char *encoding_clean(struct arena *arena, const char *text);

#endif
