#ifndef MARSPROBE_ROUTES_ROUTE_TABLE_H
#define MARSPROBE_ROUTES_ROUTE_TABLE_H

/* What a network team has: tables of routes as routers, circuits and this machine print them, as one plain list. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/address.h"
#include "probe/core/coverage.h"
#include "probe/core/err.h"
#include "probe/core/evidence_words.h"

struct arena;

enum {
	ROUTE_FILE_BYTES_MAX = 64 * 1024 * 1024,
	ROUTE_LINE_BYTES_MAX = 4096, /* of a text table; a long AS path takes some hundred */
	ROUTES_MAX = 2000000,
	ROUTE_COMMUNITIES_MAX = 128, /* of one route; what is beyond is not looked at */
};

struct table_route {
	struct prefix prefix;
	const char *next_hop; /* as written; NULL where none is */
	const char *as_path;  /* "12076 8075", "" for a route of the router's own; NULL where the table has no paths */
	const char *device;   /* this machine's: the interface; else NULL */
	struct text_list communities; /* "12076:5060" */
	bool best;		      /* the router uses it; true where the table holds nothing else */
};

struct route_table {
	enum table_kind kind;
	const char *source; /* the file's name, or "this machine" */
	const char *format; /* "azure_json" | "azure_text" | "bgp_json" | "bgp_text" | "bgp_detail" | "system" */
	struct table_route *routes;
	size_t count, capacity;
	bool has_communities; /* the form shows them where a route has some */
};

/**
 * Read one file, of whichever form it is:
 *
 *   azure_json  `az network express-route list-route-tables`, `Get-AzExpressRouteCircuitRouteTable | ConvertTo-Json`, the REST answer
 *   azure_text  the same as a table (`-o table`, Format-Table) or as a list ("Network : ...")
 *   bgp_text    `show ip bgp`, `show bgp ipv4 unicast` of Cisco IOS and FRR
 *   bgp_detail  `show ip bgp PREFIX` of both, one after the other
 *   bgp_json    FRR's `show bgp ... json`, also `detail json`, of one prefix, and several documents after one another
 *
 * Input   text: length bytes, and a terminator that length does not count; UTF-8, with or without a mark.
 * Memory  in the arena.
 * Errors  false with "FILE:LINE: reason". A file without a single route is no error where it says so itself ("value": []).
 */
bool route_table_read(struct arena *arena, enum table_kind kind, const char *file, const char *text, size_t length,
		      struct route_table *out, struct err *err);

/* ------------------------------------------------------------------ for the readers of the forms */

/** One file while it is being read. */
struct route_reader {
	struct arena *arena;
	const char *file, *text;
	size_t length;
	struct route_table *table;
	struct err *err;
};

bool route_table_read_json(struct route_reader *reader);
bool route_table_read_azure_text(struct route_reader *reader);
bool route_table_read_bgp_text(struct route_reader *reader);
bool route_table_read_bgp_detail(struct route_reader *reader);

/** Append a route; false, with the error set, where there are too many. line is for the message. */
bool route_reader_add(struct route_reader *reader, size_t line, const struct table_route *route);
bool route_reader_fail(struct route_reader *reader, size_t line, const char *reason);

/**
 * One line after the other: copies the next one into line (without its end, and without what is behind ROUTE_LINE_BYTES_MAX - 1 bytes).
 * *at and *number start as 0; false at the end.
 */
bool route_reader_line(const struct route_reader *reader, size_t *at, size_t *number, char line[ROUTE_LINE_BYTES_MAX]);

/**
 * "20.190.128.0/18", "2603:1006:2000::/48", "0.0.0.0"; host bits are cut off.
 *
 * classful  a network without a length has that of its class (RFC 791 3.2), as IOS prints it, and 0.0.0.0 is the default route;
 *           else a bare address is a route to itself.
 */
bool route_prefix_parse(const char *text, bool classful, struct prefix *out);

/** Append "12076:5060", also written as one number (4294967295 and less: RFC 1997); other forms are passed over. */
void route_add_community(struct arena *arena, struct text_list *list, const char *text, size_t length);
/** The same for each word of a line. */
void route_add_communities(struct arena *arena, struct text_list *list, const char *text);

#endif
