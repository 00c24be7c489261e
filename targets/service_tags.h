#ifndef MARSPROBE_TARGETS_SERVICE_TAGS_H
#define MARSPROBE_TARGETS_SERVICE_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/core/address.h"
#include "probe/core/observation.h"

struct arena;
struct err;

enum {
	SERVICE_TAGS_BYTES_MAX = 32 * 1024 * 1024, /* of a file; a real one has 4.6 MB */
	SERVICE_TAGS_MAX = 32768,		   /* tags in a file; a real one has 3,237 */
	SERVICE_TAGS_PREFIXES_MAX = 1000000,	   /* of all tags together; a real one has 106,982 */
	SERVICE_TAG_NAME_BYTES_MAX = 128,	   /* a real one has 47 at most */
	SERVICE_TAG_HOSTS_MAX = 4096,		   /* names of one set of endpoints */
	SERVICE_TAGS_OF_ADDRESS_MAX = 16,	   /* in a real file 5 at most hold the same address */
};

/** A named list of prefixes that a service publishes. */
struct service_tag {
	const char *
		name; /* "AzureBackup.EastUS"; "Microsoft365.Common.56" for a set of endpoints: printable ASCII without blanks */
	bool regional; /* it is the part of a tag that belongs to one region: a dot in its name does not say so */
	int64_t change_number;	/* NOT_MEASURED where the form has none */
	size_t prefix_count;	/* as the file lists them */
	struct text_list hosts; /* of a set of endpoints: its names, "*.hip.live.com"; else none */
};

/** A prefix, and those tags that list it. Sorted by address and then by length, so that whatever holds a prefix stands before it. */
struct tag_node {
	uint64_t high, low; /* the first address; of IPv4 its bits are the upper half of high, and the rest is zero */
	uint32_t parent;    /* the smallest prefix that holds this one: its index, or TAG_NODE_NONE */
	uint32_t first;	    /* of its tags in members */
	uint16_t count;
	uint8_t length;
};
#define TAG_NODE_NONE UINT32_MAX

/** One file, read. All of it lives in the arena. */
struct service_tags {
	const char *file;      /* its name without folders */
	const char *form;      /* "service_tags" | "microsoft365" */
	const char *cloud;     /* "Public"; NULL */
	int64_t change_number; /* of the whole file; NOT_MEASURED where the form has none */
	const char *date;      /* "2026-06-01", as the file's name has it (..._20260601.json); NULL */
	struct service_tag *tags;
	size_t tag_count;
	size_t prefix_count;
	/* the look-up table: */
	struct tag_node *nodes; /* IPv4, then IPv6 */
	size_t node_count, ipv6_from;
	uint32_t *members; /* indexes of tags */
};

/**
 * Read a file of service tags (ServiceTags_Public_*.json), or of Microsoft 365 endpoints (endpoints.office.com): the form says itself.
 *
 * Input   untrusted UTF-8, a byte order mark is passed over; the limits above, nesting and duplicate members are checked, unknown members are
 *         ignored. file is its path, for messages and for the date.
 * Source  Microsoft's download 56519 "Azure IP Ranges and Service Tags"; "Office 365 IP Address and URL web service".
 * Errors  false with "FILE:LINE: place reason"; *out is untouched.
 */
bool service_tags_read(struct arena *arena, const char *file, const char *text, size_t length, struct service_tags *out,
		       struct err *err);

/** Which tags hold that address, the most specific first: by the longest prefix, then the tag with fewer prefixes. Returns how many. */
size_t service_tags_find(const struct service_tags *tags, const struct address *address,
			 const struct service_tag *out[SERVICE_TAGS_OF_ADDRESS_MAX]);

/** The tag of that name, in any case; NULL: the file has none. */
const struct service_tag *service_tags_named(const struct service_tags *tags, const char *name);

/** The prefixes of one tag, in order, but for those that another one of it holds: into an array of tag->prefix_count. Returns how many. */
size_t service_tags_prefixes(const struct service_tags *tags, const struct service_tag *tag, struct prefix *out);

/** Append the tags of this file in which a host's addresses are documented to stand: none where nothing is documented of it. */
void service_tags_expected(struct arena *arena, const struct service_tags *tags, const char *host,
			   struct text_list *out);

/** The part of a tag that belongs to a region, by the code in host names ("eus"); the tag itself where it has no such part, or for NULL. */
const struct service_tag *service_tags_of_region(const struct service_tags *tags, const struct service_tag *tag,
						 const char *region);

/** What is documented of the service behind a name, by the end of the name. */
struct service {
	const char *ending, *tag; /* tag: the Azure service tag */
	bool sign_in;		  /* of the public cloud, whose two old prefixes stand in the product's documents */
};
/** NULL: a name of another service (NCSI, downloads, certificate lists), whose addresses nobody documents. NULL is allowed. */
const struct service *service_of_host(const char *host);

/* ------------------------------------------------------------------ for the reader alone */

/** A prefix of a tag, as the file lists it. */
struct tag_prefix {
	uint64_t high, low;
	uint32_t tag, rank; /* rank: the smaller, the more it says; the table's own */
	uint8_t family, length;
};
struct tag_prefix tag_prefix_make(const struct prefix *prefix, uint32_t tag);

/** Make the look-up table; all is sorted in place. */
void service_tags_index(struct arena *arena, struct service_tags *tags, struct tag_prefix *all, size_t count);

#endif
