/* This machine's routes, whatever they are; those of a machine with two ways are in the lab. */

#include "probe/routes/machine_routes.h"

#include "probe/core/arena.h"
#include "probe/os/os_machine.h"
#include "tests/unit/check.h"

static void look(const struct os_route_row *row, void *user)
{
	struct address network, hop;
	size_t *rows = user;
	++*rows;
	CHECK(address_parse(row->network, &network));
	CHECK(row->length >= 0 && row->length <= (network.family == 4 ? 32 : 128));
	CHECK(!row->next_hop[0] || address_parse(row->next_hop, &hop));
	CHECK(row->device[0] != '\0');
}

int main(void)
{
	struct arena *arena = arena_new();
	struct route_table table;
	size_t rows = 0, best = 0;
	bool listed = os_routes(look, &rows);
	CHECK(machine_routes(arena, &table) == listed);
	CHECK_INT(table.count, rows);
	CHECK_TEXT(table.format, "system");
	for (size_t i = 0; i < table.count; i++)
		best += table.routes[i].best;
	CHECK((best > 0) == (rows > 0)); /* of those to one network at least one is used */
	arena_free(arena);
	return check_summary();
}
