#ifndef MARSPROBE_DIAGNOSIS_TRANSPARENT_H
#define MARSPROBE_DIAGNOSIS_TRANSPARENT_H

#include "probe/diagnosis/view.h"

/** What shows that plain HTTP sent without a proxy goes through one all the same. */
struct transparent {
	const char *name; /* how it calls itself in the answers; NULL: it leaves no name */
	bool marks_all;	  /* the same name in all such answers, of several services */
	const struct observation
		*wrong; /* the experiment "http_wrong_address": routed by Host, wherever it was sent; or NULL */
};

/** On a direct path of plain HTTP; false: nothing shows one. */
bool transparent_find(const struct view *view, struct transparent *out);

#endif
