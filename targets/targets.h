#ifndef MARSPROBE_TARGETS_TARGETS_H
#define MARSPROBE_TARGETS_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/err.h"
#include "probe/core/evidence.h"

/** A target set: what must be reachable, read from INI. */
struct target_set {
	const char *name;  /* "mars-public", or the file's name */
	const char *cloud; /* "public" | "usgov" | "china", or NULL */
	struct target **targets;
	size_t count, capacity;
	const char *
		region; /* what {region} was filled in with; NULL where the set is a host, URL or CIDR given by itself */
	bool uses_region; /* some name had {region} in it */
	bool built_in;
};

struct target_options {
	struct arena *arena;
	const char *region; /* --region CODE, or NULL: the cloud's documented default */
};

/** The region that would be filled in for a cloud: the option's in lower case, or the default ("eus" public and NULL, "ugv" usgov, "bjb2" china). */
const char *targets_region(const struct target_options *options, const char *cloud);
/** May it stand in a host name: 2 to 10 ASCII letters and digits? An unknown region is allowed all the same. */
bool targets_region_valid(const char *code);
/** "East US" for "eus", without regard to case; NULL for a code that the table does not have. */
const char *targets_region_name(const char *code);
/** The inverse, of a name however it is written: "East US", "eastus". */
const char *targets_region_code(const char *name);

/**
 * Load what one TARGET argument names: a built-in set's name, a file (has a '/' or ends in ".ini"), host, host:port, an http(s) URL, a CIDR.
 *
 * Forms   "host" means https://host/; "host:443" and "host:80" mean https and http; another port is a bare TCP target.
 * Errors  false with a message that names file and line, or says what was not understood and what would be.
 */
bool targets_load(const struct target_options *options, const char *argument, struct target_set *out, struct err *err);

/** The same from text in memory: file is the name for messages. At most 1 MiB and 4096 targets. */
bool targets_load_text(const struct target_options *options, const char *file, const char *text, struct target_set *out,
		       struct err *err);

/** Names of the built-in sets, NULL at the end, and their texts. */
const char *const *targets_builtin_names(void);
const char *targets_builtin_text(const char *name);

/** The service's known roots and the list of public roots, as sha256 (64 lower-case hex digits), NULL at the end; sorted. */
const char *const *targets_service_roots(void);
const char *const *targets_public_roots(void);

#endif
