#ifndef MARSPROBE_ROUTES_WALK_JSON_H
#define MARSPROBE_ROUTES_WALK_JSON_H

/* Files of JSON that come in several wrappings: an array, {"value": []}, {"properties": {}}, names in camelCase and PascalCase, one document
 * behind the other. For *_json.c alone: json_t is the library's. */

#include <stdbool.h>
#include <stddef.h>

#include "probe/core/err.h"
#include "probe/core/evidence_scan.h"

struct json_t;

enum { JSON_WALK_DEPTH_MAX = 12 };

struct json_walk {
	const char *file, *text;
	size_t length;
	size_t first_line; /* of the document that is being read, from 0 */
	struct scan_step steps[JSON_WALK_DEPTH_MAX];
	size_t depth;
	struct err *err;
	bool failed;
	/** Look at one object; true: it was one of those sought, and what is in it is read. */
	bool (*visit)(struct json_walk *walk, struct json_t *object);
	void *user;
};

/** Visit every object of the documents, the outer ones first; what is inside one that visit() took is left out. False: walk->err is set. */
bool json_walk_text(struct json_walk *walk, const char *file, const char *text, size_t length, struct err *err);

/** The same for a text in which only the arrays behind a word are JSON: "WORD : [ ... ]". */
bool json_walk_behind(struct json_walk *walk, const char *word, const char *file, const char *text, size_t length,
		      struct err *err);

/** The member of that name, whatever its letters' case; NULL if there is none, or null. */
struct json_t *json_walk_member(struct json_t *object, const char *name);
/** Its text; NULL if it is none. */
const char *json_walk_text_of(struct json_t *object, const char *name);

/** Step into a member or an item, for the line of a message; and out again. */
void json_walk_enter(struct json_walk *walk, const char *key, size_t index);
void json_walk_leave(struct json_walk *walk);
void json_walk_fail(struct json_walk *walk, const char *reason);

#endif
