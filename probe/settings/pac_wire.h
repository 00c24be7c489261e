#ifndef MARSPROBE_SETTINGS_PAC_WIRE_H
#define MARSPROBE_SETTINGS_PAC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;

/* The messages between this program and its child that runs a PAC script. Each side takes the other's bytes for hostile.
 *
 * On the wire, numbers little-endian: bytes of the whole message (32 bits), type (8), count of texts (8), zero (16), number (32), the length
 * of each text (32), the texts. */

enum pac_message_type {
	/* to the child */
	PAC_MESSAGE_SCRIPT = 1, /* texts: the script, own addresses ("a;b") */
	PAC_MESSAGE_ASK,	/* texts: URL, host */
	PAC_MESSAGE_NAMES,	/* texts: addresses "a;b", "" where the name does not resolve */
	/* from the child */
	PAC_MESSAGE_READY,	/* the sandbox stands; texts: what it consists of, for people */
	PAC_MESSAGE_NO_SANDBOX, /* texts: why there is none; the child ends */
	PAC_MESSAGE_LOADED,	/* as an answer, without a result: the script's top level has run */
	PAC_MESSAGE_RESOLVE,	/* texts: name; number: 1 for both families, 0 for IPv4 */
	PAC_MESSAGE_CALL,	/* texts: call, result; number: line, 0 unknown */
	PAC_MESSAGE_ANSWER, /* texts: error or "", message or "", result, entry point or ""; number: 1 if there is a result */
};

enum { PAC_MESSAGE_TEXTS_MAX = 4, PAC_MESSAGE_BYTES_MAX = 4 * 1024 * 1024 };

struct pac_text {
	const char *bytes; /* without a terminator in messages that were read; it may hold any byte, NUL too */
	size_t length;
};

struct pac_message {
	enum pac_message_type type;
	uint32_t number;
	struct pac_text texts[PAC_MESSAGE_TEXTS_MAX];
	size_t text_count;
};

/** Append one message in its form on the wire. The count of texts is the type's own; all of it has at most PAC_MESSAGE_BYTES_MAX bytes. */
void pac_message_write(struct strbuf *out, const struct pac_message *message);

enum pac_read { PAC_READ_MORE, PAC_READ_ONE, PAC_READ_DAMAGED };

/**
 * Take the first message of what came so far.
 *
 * Output   ONE: *out, whose texts point into bytes, and in *used the bytes that it took. MORE: it is not whole yet. DAMAGED: no message can
 *          begin so (unknown type, too long, a count of texts or a number that the type does not have, lengths that do not add up).
 */
enum pac_read pac_message_read(const char *bytes, size_t length, size_t *used, struct pac_message *out);

/** A text for a message; NULL is the empty one. At most max bytes of it, cut between two characters of UTF-8. */
struct pac_text pac_text(const char *text, size_t max);

/** Is the text of a message this one? */
bool pac_text_is(const struct pac_text *text, const char *wanted);

/** The same text with a terminator, malloc()ed; bytes after a NUL are cut off. */
char *pac_text_dup(const struct pac_text *text);

#endif
