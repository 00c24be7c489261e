#ifndef MARSPROBE_CORE_ADDRESS_H
#define MARSPROBE_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An IPv4 or IPv6 address, without port and without scope. */
struct address {
	uint8_t family;	   /* 4 or 6 */
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

/** A CIDR prefix; host bits of base are zero. */
struct prefix {
	struct address base;
	uint8_t length; /* bits: 0..32 or 0..128 */
};

enum { ADDRESS_TEXT_BYTES = 46, PREFIX_TEXT_BYTES = 50 };

/** Parse a literal: dotted quad (strict: four decimal octets), or IPv6 (RFC 4291 2.2) with or without brackets.
 *  False for anything else, a name included; *out is then untouched. */
bool address_parse(const char *text, struct address *out);

/** Canonical text (RFC 5952 for IPv6, no brackets) into a buffer of ADDRESS_TEXT_BYTES; returns text. */
char *address_format(const struct address *address, char *text);

bool address_equal(const struct address *a, const struct address *b);

/** Order for sorting: IPv4 before IPv6, then numerically. */
int address_compare(const struct address *a, const struct address *b);

/** Parse "ADDRESS/BITS" (RFC 4632); host bits that are set are an error. *out is untouched on false. */
bool prefix_parse(const char *text, struct prefix *out);
char *prefix_format(const struct prefix *prefix, char *text);
bool prefix_contains(const struct prefix *prefix, const struct address *address);

/** The index-th of count addresses spread evenly over the prefix (never the very first or last where it is larger
 *  than 2 addresses). Units: index 0..count-1. */
struct address prefix_sample(const struct prefix *prefix, unsigned index, unsigned count);

/** The address that many behind it; what goes beyond the last one begins anew. */
struct address address_add(const struct address *address, uint32_t offset);

/** RFC 1918, RFC 6598 (100.64/10), unique local fc00::/7. */
bool address_is_private(const struct address *address);
/** 127/8, ::1. */
bool address_is_loopback(const struct address *address);
/** 169.254/16, fe80::/10. */
bool address_is_link_local(const struct address *address);
/** 0.0.0.0, :: . */
bool address_is_unspecified(const struct address *address);

/** "host:port" with brackets round an IPv6 literal, into text (a buffer of that many bytes); returns text. */
char *host_port_format(const char *host, int port, char *text, size_t bytes);

/**
 * Split "host", "host:port", "[v6]:port", "[v6]" or a bare IPv6 literal.
 *
 * Output  host without brackets, into a buffer of host_bytes; *port -1 where none is given.
 * Errors  false: empty host, port outside 1..65535, trailing text, host too long for the buffer.
 */
bool host_port_split(const char *text, char *host, size_t host_bytes, int *port);

#endif
