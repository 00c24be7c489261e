#ifndef MARSPROBE_CORE_COVERAGE_H
#define MARSPROBE_CORE_COVERAGE_H

/* The report's member `coverage`: what tables of routes say of the prefixes that the backup agent needs (`marsprobe expressroute`). Facts
 * only; which of them are a fault is the diagnosis' to say. */

#include "probe/core/evidence_words.h"
#include "probe/core/prefix_set.h"

/** Whose table it is. */
enum table_kind {
	TABLE_CIRCUIT, /* of Microsoft's side of the circuit: all of it goes over the circuit */
	TABLE_ROUTER,  /* of a router of ours: paths by the circuit and by other neighbours, with communities */
	TABLE_MACHINE, /* of this machine: only with a circuit hop or interface it says which way is the circuit's */
};
const char *table_kind_text(enum table_kind kind);
bool table_kind_parse(const char *text, enum table_kind *out);

/** Which way a route leads. */
enum route_way {
	ROUTE_WAY_UNKNOWN,
	ROUTE_WAY_CIRCUIT, /* its first AS is Microsoft's circuit edge (12076), its next hop is the circuit's, or its table is the circuit's */
	ROUTE_WAY_INTERNET /* another first AS, another next hop */
};
const char *route_way_text(enum route_way way);
bool route_way_parse(const char *text, enum route_way *out);

const char *cover_text(enum cover cover);
bool cover_parse(const char *text, enum cover *out);

/** Is it one of the circuit's hops? False for NULL and for what is no address. */
bool coverage_is_hop(const struct text_list *hops, const char *address);

/** Was a community (RFC 1997) of Microsoft's circuits seen? */
enum community_state {
	COMMUNITY_UNKNOWN, /* no table shows communities, and no inventory lists its prefixes */
	COMMUNITY_ABSENT,
	COMMUNITY_PART, /* by the inventory: only some of its prefixes are routed over the circuit */
	COMMUNITY_PRESENT
};
const char *community_state_text(enum community_state state);
bool community_state_parse(const char *text, enum community_state *out);

struct coverage_table {
	enum table_kind kind;
	const char *source; /* the file's name, or "this machine" */
	const char *format; /* as in probe/routes/route_table.h */
	int routes;
	int public_routes; /* of networks that are not private (RFC 1918, RFC 6598, RFC 4193); default routes do not count */
	int circuit_routes;	    /* of these: over the circuit, and not our own */
	bool has_communities;	    /* some route over the circuit has one of Microsoft's (12076:...) */
	bool tells_way;		    /* it tells the circuit from other ways */
	bool private_circuit;	    /* what it has over the circuit is private, and nothing else */
	enum route_way default_way; /* of the default route that is used; meaningless without one */
	bool has_default;
	bool has_ipv6; /* any route of IPv6 but the default one */
};

struct coverage_route {
	const char *prefix, *next_hop, *as_path; /* next_hop, as_path NULL: the table has none */
	struct text_list communities;
	enum route_way way;
	bool best;
};

/** What one table says of one prefix. */
struct coverage_view {
	int table;		    /* its index in coverage.tables */
	enum cover circuit;	    /* how much of the prefix the best routes send over the circuit */
	struct text_list missing;   /* what they do not, as the fewest prefixes */
	struct text_list elsewhere; /* of that: what a route that is no default one sends another way */
	struct text_list unused;    /* of it: what a route over the circuit leads to as well, but another one is used */
	bool default_only;	    /* nothing but a default route leads to it */
	struct coverage_route
		*routes; /* those for it or for a part of it, the longest prefix first; at most COVERAGE_ROUTES_MAX */
	size_t route_count, route_capacity;
};
enum { COVERAGE_ROUTES_MAX = 12 };

/** A prefix that the agent's traffic goes to. */
struct coverage_prefix {
	const char *service; /* "entra" | "backup" | "storage" */
	const char *prefix;
	const char *
		source; /* who says so: "documented", "Microsoft 365 set 56", "community 12076:55004", "service tag AzureBackup.EastUS" */
	bool required; /* else recommended: without it traffic takes the Internet's way, or IPv6 is not used */
	struct coverage_view *views;
	size_t view_count, view_capacity;
};

struct coverage_community {
	const char *value;   /* "12076:5060" */
	const char *service; /* "entra" | "region" | "storage" | "backup" */
	const char *name;    /* for people: "Azure Backup in East US" */
	enum community_state state;
	int routes;		  /* over the circuit that carry it, all tables together */
	struct text_list missing; /* of the inventory's prefixes: what is not routed over the circuit */
};

/** A host that is looked up and walked to, to see which way it takes. */
struct coverage_host {
	const char *host;
	int port;
	const char *service; /* "entra", "backup", "storage", "ncsi", "pki" */
	bool by_circuit; /* its addresses are of a prefix that a circuit carries; false: it needs the Internet's way */
	const char *why; /* for people: why not; NULL for by_circuit */
	struct text_list addresses; /* walked to */
};

struct coverage {
	const char *region, *region_name; /* "eus", "East US" (NULL: not in the table) */
	struct text_list circuit_hops;	  /* the far ends of its lines; a circuit has two */
	const char *circuit_interface;
	struct coverage_table *tables;
	size_t table_count, table_capacity;
	struct coverage_prefix *prefixes;
	size_t prefix_count, prefix_capacity;
	struct coverage_community *communities;
	size_t community_count, community_capacity;
	struct text_list
		own_prefixes; /* ours, as the circuit's table has them; public ones. Answers to them come over the circuit */
	int own_count;	      /* how many routes of ours it has, not merged; of several tables the most */
	struct text_list both_ways; /* needed prefixes that one table has over the circuit and by another way */
	struct coverage_host *hosts;
	size_t host_count, host_capacity;
};

#endif
