#ifndef MARSPROBE_ENGINE_SCRIPT_NAMES_H
#define MARSPROBE_ENGINE_SCRIPT_NAMES_H

#include <stdbool.h>

#include "probe/core/evidence.h"

struct arena;
struct run;
struct script_name;

/** The names that a PAC script asks for, each looked up once; a script waits for one at a time. */
struct script_names {
	struct run *run;
	void (*came)(const char *addresses, void *user); /* "10.1.2.3;10.1.2.4", or NULL: there are none */
	void *user;
	struct script_name *list, *wanted;
	bool both;
};

/** The script waits for a name: came() is called from the loop, or at once where it is known. Recorded with experiment "pac_dns". */
void script_names_want(struct script_names *names, const char *name, bool both, const struct path_list *paths);
/** It does not wait any more. */
void script_names_forget(struct script_names *names);

/** What was seen on the way to a script (detection, download) on one path's behalf was seen for another too. */
void script_names_share_way(struct report *report, const struct path *with, struct path *path);

/** This machine's addresses as a script is told them: "10.1.0.2;2001:db8::2", IPv4 first, link-local ones left out. */
const char *script_names_own(struct arena *arena);

#endif
