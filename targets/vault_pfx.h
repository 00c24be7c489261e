#ifndef MARSPROBE_TARGETS_VAULT_PFX_H
#define MARSPROBE_TARGETS_VAULT_PFX_H

#include <stddef.h>

#include "probe/core/evidence.h"

/**
 * Read the certificate of a PFX (PKCS #12, RFC 7292) that has no password: fills certificate, encryption, subject, thumbprint and the dates.
 *
 * Chooses  the certificate that belongs to the key, where there are several.
 * Secret   the key is never decrypted where it is encrypted; what held it is overwritten. The bytes are the caller's to overwrite.
 * Limits   key derivations of more than PFX_ITERATIONS_MAX rounds are not made: such a file is "unreadable".
 */
void vault_pfx_read(struct arena *arena, const unsigned char *bytes, size_t length, struct vault_file *out);

/** Overwrite memory that held a secret. */
void vault_wipe(void *memory, size_t length);

#endif
