#ifndef MARSPROBE_TARGETS_VAULT_H
#define MARSPROBE_TARGETS_VAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/err.h"
#include "targets/targets.h"

/* The vault credentials file (*.VaultCredentials): XML with a PFX, whose private key is a secret. */

enum {
	VAULT_FILE_BYTES_MAX = 256 * 1024,
	VAULT_PFX_BYTES_MAX = 64 * 1024,
	VAULT_TEXT_BYTES_MAX = 2048,
	VAULT_DEPTH_MAX = 16
};

/**
 * Read a vault credentials file: what it says of itself, and the dates of its certificate.
 *
 * Reads   UTF-8 and UTF-16 with or without a byte-order mark; unknown elements are passed over, a DOCTYPE is refused.
 * Secret  key, certificate and everything that held them are overwritten and freed before it returns; no message repeats text of the file.
 * Errors  false with "FILE:LINE: reason" where it is not the XML of vault credentials. What is wrong with the certificate inside is no
 *         error: out->certificate says it.
 */
bool vault_file_read(struct arena *arena, const char *file, struct vault_file *out, struct err *err);

/** The same from bytes in memory, which are the caller's; file is the name for messages and for out->file. */
bool vault_file_parse(struct arena *arena, const char *file, const char *bytes, size_t length, struct vault_file *out,
		      struct err *err);

/** Fill in out->cloud and out->region from authority, endpoint and location. */
void vault_place(struct arena *arena, struct vault_file *out);

/** The cloud whose sign-in host that is: "public", "usgov", "china"; NULL for any other host. */
const char *vault_cloud_of_host(const char *host);

/** The target set of the file's cloud ("mars-usgov"); NULL where the cloud is not known. */
const char *vault_set_name(const struct vault_file *vault);

/**
 * Put the file's own endpoints into a set of its cloud: where a target has that host it is required and stands in for nothing any more; a host that
 * no target has is added beside its like. A host that no rule of the set covers is left out: nobody else is contacted than the set allows.
 */
void vault_use_endpoints(struct arena *arena, const struct vault_file *vault, struct target_set *set);

#endif
