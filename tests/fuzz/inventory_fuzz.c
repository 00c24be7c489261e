/* An inventory of communities that anybody may have written: it is read or gives a message, and what is read is whole. */
#include <string.h>

#include "probe/core/arena.h"
#include "probe/routes/inventory.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct inventory inventory;
	struct err err = {{0}};
	size_t prefixes = 0;
	const char *text = arena_strndup(arena, (const char *)data, size);

	if (inventory_read(arena, "fuzz", text, size, &inventory, &err)) {
		MUST(inventory.count > 0);
		for (size_t i = 0; i < inventory.count; i++) {
			MUST(inventory.communities[i].value != NULL);
			MUST(inventory_find(&inventory, inventory.communities[i].value) != NULL);
			prefixes += inventory.communities[i].prefixes.count;
		}
		MUST(prefixes == inventory.prefix_count);
	} else {
		MUST(strncmp(err.text, "fuzz:", strlen("fuzz:")) == 0);
	}
	arena_free(arena);
	return 0;
}
