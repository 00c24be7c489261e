/* A vault credentials file that anybody may have written, and a PFX alone. The keys in the corpus were made for it, and belong to nobody. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/core/arena.h"
#include "targets/vault.h"
#include "targets/vault_pfx.h"
#include "tests/fuzz/must.h"

static void check_certificate(const struct vault_file *vault)
{
	static const char *const states[] = {"read",	 "absent",	   "no_base64", "no_pfx",
					     "password", "no_certificate", "no_key",	"unreadable"};
	bool known = false, dated = vault->not_after_s != NOT_MEASURED;
	for (size_t i = 0; vault->certificate && i < sizeof(states) / sizeof(states[0]); i++)
		known |= strcmp(states[i], vault->certificate) == 0;
	MUST(known);
	bool seen = strcmp(vault->certificate, "read") == 0 || strcmp(vault->certificate, "no_key") == 0;
	MUST(seen || !dated);
	MUST(!vault->thumbprint || (seen && strlen(vault->thumbprint) == 40));
}

static void check_origin(const char *origin)
{
	MUST(!origin || (strncmp(origin, "https://", 8) == 0 && !strpbrk(origin + 8, "/?#@: ")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct vault_file vault = {0}, alone = {.not_before_s = NOT_MEASURED, .not_after_s = NOT_MEASURED};
	struct err err = {{0}};
	if (vault_file_parse(arena, "fuzz.VaultCredentials", (const char *)data, size, &vault, &err)) {
		MUST(vault.kind != NULL);
		check_certificate(&vault);
		check_origin(vault.authority);
		check_origin(vault.endpoint);
		MUST(!vault.location || strlen(vault.location) <= VAULT_TEXT_BYTES_MAX);
		MUST(!vault.region || targets_region_valid(vault.region));
	} else {
		MUST(strncmp(err.text, "fuzz.VaultCredentials:", strlen("fuzz.VaultCredentials:")) == 0);
	}
	if (size <= VAULT_PFX_BYTES_MAX) {
		vault_pfx_read(arena, data, size, &alone);
		check_certificate(&alone);
	}
	arena_free(arena);
	return 0;
}
