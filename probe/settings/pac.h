#ifndef MARSPROBE_SETTINGS_PAC_H
#define MARSPROBE_SETTINGS_PAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * PAC scripts (proxy auto-configuration): the language, its helper functions and limits. Runs in the child process alone
 * (pac_child.h): nothing here opens a file or a socket. A script that never ends is the parent's business.
 *
 * Local time is the C library's. With glibc, TZ must be set in the environment and tzset() called before a sandbox closes the way to
 * /etc/localtime: without TZ, mktime() looks there each time, and takes a file that it cannot see for UTC.
 */

/** What a script may learn of the outside, and who hears what it does. All texts are UTF-8. */
struct pac_world {
	/** Addresses of a name, "10.1.2.3;2001:db8::1" (malloc()ed; IPv4 alone unless both is set); NULL: it does not resolve.
	 *  A literal is never asked for. */
	char *(*resolve)(void *user, const char *name, bool both);
	/** A helper function was called and has returned: the call with its arguments as text (isInNet("10.1.2.3", "10.0.0.0", "255.0.0.0")),
	 *  the result as text (true, "10.1.2.3", null), and the script's line, 0 where unknown. Also alert(). Texts are UTF-8 without control
	 *  characters, at most PAC_CALL_TEXT_BYTES_MAX bytes each (pac_child.h). May be NULL. */
	void (*called)(void *user, const char *call, const char *result, int line);
	void *user;
	const char *own_addresses; /* "10.1.0.2;2001:db8::2", "" if there are none */
	int64_t now_ms;		   /* Unix time that the date functions go by; 0: the clock */
};

struct pac_limits {
	size_t memory_bytes; /* that the script takes, beside the engine's own objects */
	size_t result_bytes; /* a longer result is an error */
	size_t calls; /* told of each script load and each question, 0: all. The first ones, and of the rest the last whose result is
	                 neither false nor null: it is the likeliest to have decided */
};

/** Texts are UTF-8; control characters (but tabs in a result), NUL and lone surrogates are U+FFFD.
 *  error: NULL, or as in contract.md 4: "syntax", "no_entry_point", "exception", "bad_return", "memory", "too_large". */
struct pac_answer {
	const char *error;
	char *message; /* for people: "ReferenceError: identifier 'x' undefined (line 12)"; NULL; the caller's to free() */
	char *result;		 /* what the script returned; NULL with an error; the caller's to free() */
	const char *entry_point; /* "FindProxyForURL" | "FindProxyForURLEx"; NULL where there is none */
	size_t calls_untold;	 /* beyond pac_limits.calls */
};

struct pac;

/** A heap of its own. world and limits are copied, their texts and user are not. */
struct pac *pac_new(const struct pac_limits *limits, const struct pac_world *world);

/** Run the script's top level (UTF-8 text), once. On an error ask nothing more of it. */
void pac_load(struct pac *pac, const char *text, size_t length, struct pac_answer *out);

/**
 * Call the script's entry point for one URL (wininet.md 4.1 to 4.3): FindProxyForURLEx where it is defined, else FindProxyForURL.
 *
 * Errors  never of this function: they are the answer's. After "memory" the heap may be unusable: pac_free() it.
 */
void pac_ask(struct pac *pac, const char *url, const char *host, struct pac_answer *out);

void pac_free(struct pac *pac);

#endif
