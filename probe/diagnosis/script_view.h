#ifndef MARSPROBE_DIAGNOSIS_SCRIPT_VIEW_H
#define MARSPROBE_DIAGNOSIS_SCRIPT_VIEW_H

#include "probe/diagnosis/view.h"

/* What was seen of automatic detection and of PAC scripts, on behalf of one path. */

/** Did the deadline or Ctrl-C end it? Then it says nothing. */
bool script_was_cut(const struct observation *observation);

/** The try to get a script for this path by that mechanism ("auto_detect", "pac"); NULL: none was made, or it was cut. */
const struct observation *script_search(const struct view *view, const char *mechanism);

/** What shows why route.error stands there: the try to get the script, or its evaluation for this path's URL. NULL: nothing does. */
const struct observation *script_fault(const struct view *view);

/** The decision by which the path goes; NULL where no script had the last word. */
const struct observation *script_decision(const struct view *view);

/** The step that the download of that search ended with: its last connection, handshake or answer, or, where it never came to one, a look-up that
 *  failed. NULL: none is known, or search is no proxy_script. The steps are recorded for the path that was the first to ask. */
const struct observation *script_download_end(const struct view *view, const struct observation *search);

/** A look-up of a name that a script asked for, that came to nothing or took too long. */
struct script_name_fault {
	const struct observation *lookup; /* NULL: there is none */
	const char *name;
	bool absent; /* DNS works, and says that there is no such name; else nobody answered, or not in time */
};

/** Among the names that the script asked DNS for before it decided this path's URL. */
void script_names_fault(const struct view *view, struct script_name_fault *out);

/** Questions about that name with that experiment that had no address for an answer, as evidence. */
void script_add_questions(const struct view *view, struct verdict *out, const char *experiment, const char *name);

#endif
