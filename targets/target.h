#ifndef MARSPROBE_TARGETS_TARGET_H
#define MARSPROBE_TARGETS_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "targets/targets.h"

/* One target made from text; shared by the set files and the command line. Each fills kind, name, url, host, port, cidr and rule (the
 * host or the range itself), leaves the rest, and copies into the arena. False: *reason says why, without the text itself; *out is untouched. */

enum { TARGET_PORT_MAX = 65535, TARGET_CIDR_PORT = 443, HOST_BYTES_MAX = 253 };

/** http(s) URL without user and password. */
bool target_from_url(struct arena *arena, const char *text, struct target *out, const char **reason);
/** A bare TCP connection. */
bool target_from_host(struct arena *arena, const char *host, int port, struct target *out, const char **reason);
bool target_from_cidr(struct arena *arena, const char *text, int port, struct target *out, const char **reason);

/** A DNS name (RFC 1123 2.1; an underscore is let pass) or an address literal without brackets. */
bool host_is_valid(const char *host);

/** No control character and nothing beyond ASCII. */
bool is_printable_ascii(const char *text);

/** Append a new zeroed target with that ID. */
struct target *target_set_add(struct arena *arena, struct target_set *set, const char *id);

#endif
